"""What a model of another size or structure would mean, beside the one recommended, in words."""

from __future__ import annotations

import numpy as np

from em_core.search.alignment import align, assignment_shares, disagreement, some_rows
from em_core.search.cross_validation import CrossValidation
from em_core.search.selection import Cell
from pages.ui.families.family import Family
from pages.ui.state.settings import FIELDS
from pages.ui.tables.selection import Selection
from pages.ui.text import counted, name_columns, percent

# Models are compared on at most this many rows, drawn at random.
MOST_ROWS = 2000
# As much of the rows must stay together for one grouping to be called a coarser one of another.
NESTED = 0.8


def unit(family: Family) -> str:
    """What the size counts: "component", "state", "factor"."""
    return family.unit or _singular(family.size)


def _singular(field: str | None) -> str:
    """What a field counts: "factor" for “Factors”."""
    return FIELDS[field].label.lower().removesuffix("s") if field else ""


def units(family: Family) -> str:
    one = unit(family)
    return f"{one}es" if one.endswith("s") else f"{one}s"


def named(family: Family, label: tuple[str, int]) -> str:
    """ "3 components, tied"."""
    structure, size = label
    if structure.isdigit():
        structure = counted(int(structure), _singular(family.structure))
    text = f"{size:,} {unit(family) if size == 1 else units(family)}"
    return f"{text}, {structure}" if structure else text


def meaning(family: Family, label: tuple[str, int]) -> str:
    """What the structure says, "" where there is none."""
    structure, size = label
    meanings = family.controls[family.structure] if family.structure else {}
    said = meanings.get(structure, "")
    # With a single component nothing can be shared or differ.
    return said if size > 1 else ""


def difference(family: Family, winner: Cell, other: Cell, rows, weights=None) -> str:
    """How the groups of another model relate to those of the winner; "" where rows have none."""
    sizes = winner.label[1], other.label[1]
    drawn, of_drawn = some_rows(rows, weights, MOST_ROWS, np.random.default_rng(0))
    mine = assignment_shares(winner.model, winner.fitted.params, drawn)
    theirs = assignment_shares(other.model, other.fitted.params, drawn)
    if mine is None or theirs is None:
        apart = abs(sizes[1] - sizes[0])
        what = unit(family) if apart == 1 else units(family)
        return f"{apart:,} {what} {'more' if sizes[1] > sizes[0] else 'fewer'}" if apart else ""
    if sizes[0] == sizes[1]:
        share = disagreement(mine, theirs[:, align(mine, theirs, of_drawn)], of_drawn)
        if share < 0.005:
            return "the same groups"
        return f"as many groups, {percent(share, 1)} of the rows in another"
    if of_drawn is not None:
        mine = mine * of_drawn[:, None]
    return _nested(family, mine, theirs)


def _nested(family: Family, mine: np.ndarray, theirs: np.ndarray) -> str:
    """Which groups of the finer model lie together in one of the coarser."""
    finer, coarser = (mine, theirs) if mine.shape[1] > theirs.shape[1] else (theirs, mine)
    common = finer.T @ coarser
    homes = common.argmax(axis=1)
    together = common.max(axis=1).sum() / common.sum()
    if together < NESTED:
        return f"another grouping: only {percent(together)} of the rows stay together"
    parts = []
    for home in range(coarser.shape[1]):
        members = np.flatnonzero(homes == home)
        if len(members) < 2:
            continue
        if finer is mine:
            parts.append(f"joins {units(family)} {_listed(members + 1)} of the best")
        else:
            parts.append(f"splits {unit(family)} {home + 1} of the best into {len(members)}")
    stay = "" if together > 0.995 else f" ({percent(together)} of the rows stay together)"
    return "; ".join(parts) + stay


def _listed(numbers: np.ndarray) -> str:
    *first, last = map(str, numbers)
    return f"{', '.join(first)} and {last}"


def no_value(held_out: CrossValidation, selection: Selection) -> str:
    """Why a model has no value under cross-validation."""
    if held_out.impossible is None:
        return f"no value: {name_columns(held_out.problem, selection.columns)}"
    cells = selection.in_words(held_out.impossible.columns, held_out.impossible.values)
    where = f"in fold {held_out.fold}: the fit without that fold gives it probability 0"
    return f"no value, because of {cells} {where}"


def starts_line(cell: Cell) -> str:
    """How far the fit can be trusted, in the words of its verdict's first sentence."""
    return f"{cell.verdict.split('.')[0]}; {counted(cell.fitted.n_parameters, 'parameter')}."
