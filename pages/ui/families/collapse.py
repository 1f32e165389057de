"""Why a fit has collapsed, in words that name rows and columns, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from em_core.half_steps import Collapse
from em_core.inference.degeneracy import Degeneracy, Dependency, degeneracies, most_common_row
from em_core.inference.occupancy import smallest_class
from pages.ui.families.family import Family, listed
from pages.ui.tables.selection import Selection
from pages.ui.text import MINUS, counted, name_columns, number, sentence

# More components, or more values of a row, are not listed.
MOST_COMPONENTS, MOST_VALUES, MOST_ROWS = 3, 6, 5
# As many equal rows, and as large a share of all, are a heap that is worth a word.
HEAP_ROWS, HEAP_SHARE = 5, 0.1
# Digits of a coefficient; one that needs more is rounded, and the equation said to be so.
DIGITS = 6
TIMES = "\N{MULTIPLICATION SIGN}"


def why_collapsed(
    model: Any, params: Any, flags: Sequence[str], data: Any, selection: Selection, family: Family
) -> str:
    """Plain sentences on what has collapsed and what to do; "" where nothing has.

    params and data: in the same units.
    """
    collapses = [flag for flag in flags if isinstance(flag, Collapse)]
    if not collapses:
        return ""
    found = degeneracies(model, params, data, flags)
    said = [_what(one, selection, family) for one in found if one.dependencies or _empty(one)]
    if not said:
        # The rows do not show it: the model's own words on what it saw.
        said = [sentence(name_columns(collapses[0].partition(": use")[0], selection.columns))]
    more = len(said) - MOST_COMPONENTS
    if more > 0:
        said = [*said[:MOST_COMPONENTS], f"{counted(more, 'other')} likewise."]
    if family.most_factors and not family.unit:
        # A fit with fewer factors may not have got so far; but none is an answer.
        said.append(
            "Enough factors raise the likelihood without end: only the smallest noise allowed "
            "stops them."
        )
    elif not all(map(_empty, found)):
        said.append(
            "The flatter it gets the higher is the likelihood, without end: only the smallest "
            "spread allowed has stopped it."
        )
    n_components = max(len(family.components(model)), 1)
    return " ".join([*said, _advice(found, n_components, selection, family)])


def too_few(model: Any, params: Any, data: Any, weights: Any, family: Family) -> str:
    """That the smallest component rests on next to no rows, where it does, and what to do; else "".

    data, weights: those that count in the fit.
    """
    found = smallest_class(model, params, data, weights)
    if found is None:
        return ""
    rows, needed = found
    unit = family.unit or "component"
    few = f"{unit}{'es' if unit.endswith('s') else 's'}"
    said = number(rows, 2)
    return (
        f"The smallest {unit} rests on {said} {'row' if said == '1' else 'rows'}, "
        f"fewer than {needed:,}: so few are no group. Look whether they are mistakes, or use fewer "
        f"{few}."
    )


def heap(selection: Selection) -> str:
    """That many rows are equal, where they are; else ""."""
    tie = most_common_row(selection.values, selection.frequencies)
    n_rows = len(selection.values) if selection.frequencies is None else int(selection.total)
    if tie is None or tie.count < max(HEAP_ROWS, HEAP_SHARE * n_rows) or tie.n_distinct == 1:
        return ""
    return (
        f"{tie.count:,} of {counted(n_rows, 'row')} are equal: "
        f"{_values(selection, selection.values[tie.row])}. A component with a covariance of its "
        "own can collapse onto them; components that share one may divide them."
    )


def equation(dependency: Dependency, columns: Sequence[str]) -> str:
    """ "red + green + blue = 1", "temp_F = temp_C + 32"; with ≈ where it holds nearly."""
    names = [columns[j] for j in dependency.columns]
    terms = list(zip(dependency.coefficients, names, strict=True))
    rounded = [float(f"{a:.{DIGITS}g}") for a in (*dependency.coefficients, dependency.constant)]
    exact = dependency.exact and rounded == [*dependency.coefficients, dependency.constant]
    same_sign = min(dependency.coefficients) > 0
    if same_sign and len(terms) > 1:
        left, right = terms, []
    else:
        # What stands alone to the left is the last column with the coefficient 1.
        alone = next((t for t in reversed(terms) if t[0] == 1), None)
        left = [alone] if alone else [term for term in terms if term[0] > 0]
        right = [(-a, name) for a, name in terms if (a, name) not in left]
    constant = dependency.constant
    if constant or not right:
        right = [*right, (constant, "")]
    return f"{_sum(left)} {'=' if exact else '≈'} {_sum(right)}"


def _sum(terms: Sequence[tuple[float, str]]) -> str:
    # First what is added, so that a sum begins without a sign where it can.
    terms = sorted(terms, key=lambda term: (not term[1], term[0] < 0))
    parts = []
    for factor, name in terms:
        size = number(abs(factor), DIGITS)
        term = f"{size} {TIMES} {name}" if name and abs(factor) != 1 else name or size
        sign = MINUS if factor < 0 else "+"
        parts.append(f"{sign} {term}" if parts else f"{MINUS if factor < 0 else ''}{term}")
    return " ".join(parts)


def _empty(found: Degeneracy) -> bool:
    return not len(found.rows)


def _what(found: Degeneracy, selection: Selection, family: Family) -> str:
    """One sentence on what rows have in common."""
    n_rows, n_columns = len(found.rows), len(selection.columns)
    said = listed([equation(each, selection.columns) for each in found.dependencies] or [""])
    everything = sum(len(each.columns) == 1 for each in found.dependencies) == n_columns
    if found.within:
        return _within(found, everything, selection, family)
    if found.component is None:
        return f"In all {counted(n_rows, 'row')} {said}."
    name = f"{family.unit or 'component'} {found.component + 1}"
    if _empty(found):
        return f"{sentence(name)[:-1]} is empty: no row belongs to it."
    if not everything:
        return f"In the {counted(n_rows, 'row')} of {name}, {said}."
    nearly = "" if all(each.exact for each in found.dependencies) else "nearly "
    rows = f"{n_rows:,} {nearly}equal rows" if n_rows > 1 else "one row"
    if n_rows <= MOST_ROWS:
        numbers = listed([f"{selection.rows[row] + 1:,}" for row in found.rows])
        rows += f", {'row' if n_rows == 1 else 'rows'} {numbers} of the table"
    return (
        f"{sentence(name)[:-1]} sits on {rows}: "
        f"{_values(selection, np.array([each.constant for each in found.dependencies]))}."
    )


def _within(found: Degeneracy, everything: bool, selection: Selection, family: Family) -> str:
    """One sentence on what does not vary within components or groups."""
    group = family.unit or family.grouping
    if everything and family.unit:
        tie = most_common_row(selection.values)
        if tie is not None:
            return (
                f"Every {group} sits on equal rows: there are only {tie.n_distinct:,} different "
                "ones."
            )
    still = [selection.columns[d.columns[0]] for d in found.dependencies if len(d.columns) == 1]
    # Each group has a constant of its own.
    shared = [d._replace(constant=0.0) for d in found.dependencies if len(d.columns) > 1]
    related = [equation(d, selection.columns) for d in shared]
    parts = [f"{listed(still)} {'does' if len(still) == 1 else 'do'} not vary"] * bool(still)
    parts += [f"{each}, but for a constant of each {group}" for each in related]
    return f"Within every {group} {listed(parts)}."


def _values(selection: Selection, row: np.ndarray) -> str:
    """The values of a row with their names; of a long one the first."""
    named = [
        f"{name} = {number(float(value), DIGITS)}"
        for name, value in zip(selection.columns, row[:MOST_VALUES], strict=False)
    ]
    more = len(row) - len(named)
    return ", ".join(named) + (f" and {counted(more, 'more value')}" if more else "")


def _advice(
    found: Sequence[Degeneracy], n_components: int, selection: Selection, family: Family
) -> str:
    """What to do about it. Fewer components are no way out of a single one."""
    unit = family.unit or "component"
    others = [f"fewer {unit}{'es' if unit.endswith('s') else 's'}", "another start"]
    whole = [
        d.columns for one in found if one.component is None and not one.within
        for d in one.dependencies
    ]  # fmt: skip
    shapes = family.controls.get("covariance", {})
    if whole:
        names = listed([selection.columns[j] for j in whole[0]], "or")
        along = ", or use covariances along the axes (“diag”)" if "diag" in shapes else ""
        return f"Leave out {names}{along}."
    if all(map(_empty, found)) and found:
        return f"Use {listed(others, 'or')}."
    if found and found[0].within:
        ways = others[:1] if family.unit else ["fewer columns"]
        return f"Use {listed(ways, 'or')}."
    ways = ["a shared covariance (“tied”)"] if "tied" in shapes else []
    ways += ["fewer factors"] if "n_factors" in family.controls else []
    ways += others if n_components > 1 else []
    return f"Use {listed(ways or ['fewer columns'], 'or')}."
