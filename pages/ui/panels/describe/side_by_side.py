"""Two solutions of one table side by side: settings, criteria, who moves where, what differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from em_core.inference import CrossedPartitions
from pages.ui.families.family import Family, listed
from pages.ui.families.profiles import Profile
from pages.ui.families.table import family_of
from pages.ui.running.runs import Run
from pages.ui.sharing.report import Block, Grid
from pages.ui.state.kinds import Choice
from pages.ui.state.settings import CRITERIA, FIELDS, Settings
from pages.ui.tables.selection import Selection
from pages.ui.text import counted, number, percent, plural

HERE, KEPT = "this solution", "kept"
LONGEST = 60  # characters of a setting
MOST_CELLS = 60  # rows of the table of differences
FEW = 3
# Decimals that say something of expected rows, and of differences in SD or probability.
ROWS_TO, DIFFERENCES_TO = 2, 3


@dataclass(frozen=True)
class Side:
    """One of two solutions."""

    settings: Settings
    run: Run
    selection: Selection
    profile: Profile | None

    @property
    def family(self) -> Family:
        return family_of(self.settings)


def in_blocks(here: Side, kept: Side, crossed: CrossedPartitions | None) -> Iterator[Block]:
    """Everything there is to say of both. crossed: of the classes of both, where they have some."""
    yield Grid(differing_settings(here, kept), "What differs in the settings")
    yield Grid(criteria(here, kept), "How well each fits; natural logarithms")
    if doubt := not_comparable(here, kept):
        yield doubt
    if crossed is not None:
        yield from who_moves(here, kept, crossed)
    elif here.family.unit and kept.family.unit and not len(rows_of_both(here, kept)[0]):
        yield "No row is in both fits, so nothing can be said of which rows move."
    yield from what_differs(here, kept, crossed)


def rows_of_both(here: Side, kept: Side) -> tuple[np.ndarray, np.ndarray]:
    """The rows that both fits are of, by their places in each."""
    _, one, two = np.intersect1d(here.selection.rows, kept.selection.rows, return_indices=True)
    return one, two


def differing_settings(here: Side, kept: Side) -> pd.DataFrame:
    """The settings that are not the same, as a person reads them."""
    groups = "columns", "family", "fit"
    shown = {
        name: [_value(name, side) for side in (here, kept)]
        for name, about in FIELDS.items()
        if about.group in groups or name == "rotation"
    }
    rows = {FIELDS[name].label: pair for name, pair in shown.items() if pair[0] != pair[1]}
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=[HERE, KEPT])
    return frame if rows else pd.DataFrame({HERE: ["nothing"], KEPT: ["nothing"]}, index=["all"])


def _value(name: str, side: Side) -> str:
    """What is in force, where it plays a part."""
    family, settings, selection = side.family, side.settings, side.selection
    in_force: dict[str, Any] = {
        "columns": listed(selection.columns),
        "family": family.label,
        "group_column": selection.group_name or "none",
        "weight_column": selection.weight_name or "none",
    }
    if name in in_force:
        return _short(in_force[name])
    plays = {
        "frozen",
        "start",
        "seed",
        "tolerance",
        "max_iterations",
        "start_means",
        "start_params",
    }
    if name not in plays and name not in family.controls and name != family.size:
        return "none"
    value, kind = getattr(settings, name), FIELDS[name].kind
    if name == "start" and not value:
        value = next(iter(family.starts))
    if isinstance(kind, Choice):
        return _short(kind.options.get(value, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    return _short(str(value)) if value else "none"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def criteria(here: Side, kept: Side) -> pd.DataFrame:
    """Log-likelihood, parameters and criteria of both."""
    names = ["aic", "bic", "sabic", "caic", "aic3"]
    rows: dict[str, list] = {
        "log-likelihood": [side.run.finished_fit.log_likelihood for side in (here, kept)],
        "parameters": [side.run.finished_fit.n_parameters for side in (here, kept)],
        "rows": [len(side.selection.values) for side in (here, kept)],
    }
    if here.family.unit and kept.family.unit:
        names.append("icl")
    for name in names:
        rows[CRITERIA[name]] = [
            "none" if s.run.frozen else getattr(s.run.finished_fit, name) for s in (here, kept)
        ]
    ends = {"converged": "yes"}
    rows["converged"] = [
        "nothing is fitted" if s.run.frozen else ends.get(s.run.stop_reason or "", "no")
        for s in (here, kept)
    ]
    return pd.DataFrame.from_dict(rows, orient="index", columns=[HERE, KEPT]).astype(object)


def not_comparable(here: Side, kept: Side) -> str:
    """Why criteria of the two cannot be compared; "" where they can."""
    one, two = here.selection, kept.selection
    if set(one.columns) != set(two.columns):
        return "Criteria of fits to other columns cannot be compared: they are of other data."
    if len(one.rows) != len(two.rows) or set(one.rows.tolist()) != set(two.rows.tolist()):
        return "Criteria of fits to other rows cannot be compared: they are of other data."
    if one.weight_name != two.weight_name or one.weights_kind != two.weights_kind:
        return "Criteria of fits with other weights cannot be compared."
    if bool(one.levels) != bool(two.levels):
        return "Criteria of a density and of probabilities of levels cannot be compared."
    return ""


def who_moves(here: Side, kept: Side, crossed: CrossedPartitions) -> Iterator[Block]:
    """The table of the classes of both, by posteriors and by assignment, and what it says."""
    one, two = names_of(here), names_of(kept)
    of_kept = [f"{KEPT}: {name}" for name in two]
    yield (
        f"{percent(crossed.stayed, 1)} of the rows are assigned to matching {_what(here, kept)}; "
        f"the adjusted Rand index is {number(crossed.adjusted_rand, 3)} (1: the same partition, "
        "about 0: by chance)."
    )
    pairs = [f"{one[k]} with {two[j]}" for k, j in crossed.matched]
    alone = [one[k] for k in range(len(one)) if k not in crossed.matched[:, 0]]
    alone += [of_kept[j] for j in range(len(two)) if j not in crossed.matched[:, 1]]
    without = f" Without a match: {listed(alone)}." if alone else ""
    yield f"Matched by the most rows in common: {listed(pairs)}.{without}"
    expected = pd.DataFrame(crossed.expected.round(ROWS_TO), one, of_kept)
    yield Grid(expected, "Expected rows, by posteriors")
    assigned = pd.DataFrame(crossed.assigned, one, of_kept)
    yield Grid(assigned, "Rows, each where it is most probable")


def names_of(side: Side) -> tuple[str, ...]:
    return side.family.components(side.run.model, side.settings.names)


def _what(here: Side, kept: Side) -> str:
    units = {here.family.unit, kept.family.unit}
    return plural(units.pop()) if len(units) == 1 else "clusters"


def what_differs(here: Side, kept: Side, crossed: CrossedPartitions | None) -> Iterator[Block]:
    """How far the profiles of matched parts are from each other."""
    one, two = here.profile, kept.profile
    if one is None or two is None:
        return
    cells = [cell for cell in one.cells if cell in two.cells]
    if one.title != two.title or not cells:
        yield "The profiles of the two are of different kinds: they are not set against each other."
        return
    at = [one.cells.index(c) for c in cells], [two.cells.index(c) for c in cells]
    if crossed is None:
        if one.quantity or one.title.startswith("loading"):
            yield Grid(congruence(one, two, *at), "Congruence of the loadings (Tucker)")
        return
    pairs = crossed.matched
    shown = [part.values[:, here_at] for part, here_at in zip((one, two), at, strict=True)]
    differences = (shown[0][pairs[:, 0]] - shown[1][pairs[:, 1]]).T
    columns = [f"{one.names[k]}, {KEPT} {two.names[j]}" for k, j in pairs]
    order = np.argsort(-np.abs(differences).max(axis=1), kind="stable")
    rounded = differences[order].round(DIFFERENCES_TO) + 0.0
    frame = pd.DataFrame(rounded, [cells[p] for p in order], columns)
    unit = one.title.partition(" (")[0]
    largest = [
        f"{cells[p]} ({number(differences[p][np.abs(differences[p]).argmax()], 2, signed=True)})"
        for p in order[:FEW]
    ]
    size = "SD of the column" if one.signed else "probability"
    yield f"The columns that change the most, in {size}: {listed(largest)}."
    more = len(cells) - MOST_CELLS
    of_them = f", the {MOST_CELLS} largest of {counted(len(cells), 'row')}" if more > 0 else ""
    yield Grid(frame.head(MOST_CELLS), f"Difference of {unit}, this less kept{of_them}")


def congruence(one: Profile, two: Profile, here: list[int], there: list[int]) -> pd.DataFrame:
    """sum ab / sqrt(sum a^2 sum b^2) of every two factors' loadings (Tucker 1951)."""
    a, b = one.values[:, here], two.values[:, there]
    lengths = np.sqrt(np.outer((a**2).sum(axis=1), (b**2).sum(axis=1)))
    with np.errstate(invalid="ignore", divide="ignore"):
        values = a @ b.T / lengths
    return pd.DataFrame(values, list(one.names), [f"{KEPT}: {name}" for name in two.names])
