"""Intervals beside the numbers of a family's tables, and what every number is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from em_core.inference import Bootstrap, Intervals
from em_core.inference.uncertainty.delta import Reported
from em_core.protocols import Levels, optional
from pages.ui.families.numbers import known
from pages.ui.families.parameter_names import CHANCES
from pages.ui.families.profiles import LOADINGS, Profile
from pages.ui.pictures.emissions import cells, has_levels
from pages.ui.tables.selection import Selection
from pages.ui.text import number

# What a row of a table with a column for each cluster is reported as, but for its columns.
OF_CLUSTERS = {
    "weight": "weight",
    "probability at the start": "initial probability",
    "degrees of freedom": "degrees of freedom",
}
OF_COLUMNS = {
    "mean": "mean",
    "SD between groups": "between-group standard deviation",
    "SD within groups": "within-group standard deviation",
    "share of variance between groups": "intraclass correlation",
}
NONE = "none"
INFORMATION, RESAMPLED = "95 %", "bootstrap 95 %"
# What was reported by each way of getting intervals, by what columns of them are called.
Ways = Mapping[str, Sequence[Reported]]
# The ends of the intervals in the cells of a table.
Ends = Mapping[tuple[int, int], tuple[float, float]]


def ways_of(found: Intervals | None, resampled: Bootstrap | None) -> Ways:
    """By information, and beside it by a bootstrap that most of its tables led back from."""
    ways = {} if found is None else {INFORMATION: found.reported}
    if found is not None and resampled is not None and resampled.stable:
        ways[RESAMPLED] = resampled.reported
    return ways


def with_intervals(
    title: str,
    frame: pd.DataFrame,
    ways: Ways,
    model,
    params,
    selection: Selection,
    profile: Profile | None,
) -> pd.DataFrame:
    """A table with columns of intervals after each of its own, one for each way, as far as they
    were reported."""
    found = {}
    for way, reported in ways.items():
        of_these = profile and profile.with_intervals(reported)
        found[way] = _ends(title, frame, reported, model, params, selection, of_these)
    columns, names = [], []
    for j, name in enumerate(frame.columns):
        columns.append(frame.iloc[:, j].to_numpy())
        names.append(name)
        for way, ends in found.items():
            if any(at[1] == j for at in ends):
                told = [words(ends[i, j]) if (i, j) in ends else "" for i in range(len(frame))]
                columns.append(np.array(told, object))
                names.append(f"{way}, {name}")
    if len(names) == len(frame.columns):
        return frame
    wide = pd.DataFrame(dict(enumerate(columns)), index=frame.index)
    wide.columns = names
    return wide


def _ends(
    title: str,
    frame: pd.DataFrame,
    reported: Sequence[Reported],
    model,
    params,
    selection: Selection,
    profile: Profile | None,
) -> Ends:
    """What was reported of the cells of a table; profile: with these intervals."""
    ends = {(row.quantity, row.place): (row.lower, row.upper) for row in reported}
    found = {}
    for at, places in _places(title, frame, model, params, selection):
        for place in places:
            if place in ends:
                found[at] = ends[place]
    of_factors = profile is not None and profile.quantity in LOADINGS
    if title == "Loadings" and of_factors and profile.lower is not None:
        where = {name: d for d, name in enumerate(profile.cells)}
        assert profile.upper is not None, "they come together"
        for k in range(len(profile.names)):
            for i, name in enumerate(frame.index):
                p = where[name]
                found[i, k] = float(profile.lower[k, p]), float(profile.upper[k, p])
        unique = list(frame.columns).index("unique")
        for d in range(len(frame)):
            found[d, unique] = ends.get(("uniqueness", (d,)), (np.nan, np.nan))
    return found


def words(ends: tuple[float, float]) -> str:
    """An interval: "1.2 to 3.4"; "none" where there is none."""
    if not np.isfinite(ends).all():
        return NONE
    return f"{number(ends[0], 4)} to {number(ends[1], 4)}"


Place = tuple[str, tuple[int, ...]]


def _places(
    title: str, frame: pd.DataFrame, model, params, selection: Selection
) -> Iterator[tuple[tuple[int, int], list[Place]]]:
    """For the cells of a table what they are reported as."""
    n_columns = len(frame.columns)
    if title == "Transition matrix":
        for i in range(len(frame)):
            for j in range(n_columns):
                yield (i, j), [("transition probability", (i, j))]
    if title != "Parameters":
        return
    rows: dict[str, list[Place]] = {name: [(what, ())] for name, what in OF_CLUSTERS.items()}
    for d, column in enumerate(selection.columns):
        rows[f"mean of {column}"] = [("mean", (d,)), ("rate", (d,))]
        rows[f"SD of {column}"] = [("standard deviation", (d,))]
    emission = optional(model, "emission")
    if isinstance(emission, Levels):
        names, _ = cells(model, params, selection.columns, selection.levels)
        sizes = [part.shape[1] for part in emission.level_probabilities(params.emission)]
        suffixes = (
            [(d, level) for d, size in enumerate(sizes) for level in range(size)]
            if has_levels(model)
            else [(d,) for d in range(len(sizes))]
        )
        for name, suffix in zip(names, suffixes, strict=True):
            rows[f"p of {name}"] = [("probability", suffix)]
    for i, label in enumerate(frame.index):
        for j in range(n_columns):
            if label in OF_COLUMNS and emission is None:
                yield (i, j), [(OF_COLUMNS[label], (j,))]
            elif label in rows:
                yield (i, j), [(what, (j, *suffix)) for what, suffix in rows[label]]


# The last of these places are columns, factors or levels; those before them are clusters.
N_LAST = {
    "weight": 0, "initial probability": 0, "transition probability": 0, "degrees of freedom": 0,
    "correlation": 2, "between-group correlation": 2, "within-group correlation": 2,
    "loading": 2, "standardised loading": 2, "varimax loading": 2,
}  # fmt: skip


def spread_of_means(found: Intervals, n_columns: int) -> np.ndarray | None:
    """(K, D, D) covariances of the estimates of the means, NaN of those without intervals; None
    where the components have none."""
    places = {
        row.place: i
        for i, row in enumerate(found.reported)
        if row.quantity == "mean" and len(row.place) == 2
    }
    n_parts = len({component for component, _ in places})
    if not places or len(places) != n_parts * n_columns:
        return None
    errors = np.array([row.standard_error for row in found.reported])
    spread = np.full((n_parts, n_columns, n_columns), np.nan)
    for k in range(n_parts):
        rows = [places[k, d] for d in range(n_columns)]
        if np.isfinite(errors[rows]).all():
            spread[k] = found.root[rows] @ found.root[rows].T
    return spread


# Of each cluster by itself whatever the model: those that are equal are so by chance.
OF_EACH = {
    "weight", "initial probability", "transition probability", "mean", "rate", "probability",
}  # fmt: skip


def said_once(reported: Sequence[Reported]) -> dict[Place, bool]:
    """The numbers that are told, and whether each stands for those of all clusters.

    What a model shares between its clusters, as a tied covariance, has the same estimate and the
    same interval for each: the first one's is told.
    """
    alike: dict[Any, list[Reported]] = {}
    for row in reported:
        n_last = min(N_LAST.get(row.quantity, 1), len(row.place))
        of_one = row.quantity not in OF_EACH and len(row.place) == n_last + 1
        alike.setdefault((row.quantity, row.place[1:] if of_one else (row.place,)), []).append(row)
    told = {}
    for rows in alike.values():
        numbers = np.array([row[1:5] for row in rows])
        shared = len(rows) > 1 and np.allclose(numbers, numbers[0], 1e-9, 0, equal_nan=True)
        told |= {_key(row): shared for row in (rows[:1] if shared else rows)}
    return {_key(row): told[_key(row)] for row in reported if _key(row) in told}


def _key(row: Reported) -> Place:
    return row.quantity, row.place


def called(
    row: Reported, components: Sequence[str], selection: Selection, shared: bool = False
) -> str:
    """The name of a number for people: "mean of component 1: eruptions".

    shared: it is that of all clusters.
    """
    quantity, place = row.quantity, row.place
    n_last = min(N_LAST.get(quantity, 1), len(place))
    if quantity == "probability" and len(place) == 3:
        n_last = 2
    split = len(place) - n_last
    whose, last = place[:split], place[split:]
    clusters = [components[k] if k < len(components) else f"{k + 1}" for k in whose]
    if quantity == "transition probability":
        return f"transition from {clusters[0]} to {clusters[1]}"
    what = f"{quantity} of {', '.join(clusters)}" if clusters else quantity
    if shared:
        what = f"shared {quantity}"
    if not last:
        return what
    columns = selection.columns
    column = columns[last[0]] if last[0] < len(columns) else f"column {last[0] + 1}"
    if len(last) == 1:
        return f"{what}: {column}"
    if quantity.endswith("correlation"):
        return f"{what}: {column} and {columns[last[1]]}"
    if quantity.endswith("loading"):
        return f"{what}: {column} on factor {last[1] + 1}"
    levels = selection.levels[last[0]] if selection.levels else ()
    level = levels[last[1]] if last[1] < len(levels) else str(last[1])
    return f"{what}: {column} = {level}"


def differ_by_a_quarter(one: float, other: float) -> bool:
    """Whether two standard errors differ by more than a quarter of the first."""
    return abs(other - one) > 0.25 * one


def differences(
    information: Sequence[Reported], resampled: Sequence[Reported]
) -> list[tuple[Reported, Reported]]:
    """The numbers whose standard errors by both ways differ by more than a quarter, the largest
    difference first."""
    others = {(row.quantity, row.place): row for row in resampled}
    pairs = [
        (row, others[row.quantity, row.place])
        for row in information
        if (row.quantity, row.place) in others and np.isfinite(row.standard_error)
    ]
    apart = [
        (one, other)
        for one, other in pairs
        if np.isfinite(other.standard_error)
        and differ_by_a_quarter(one.standard_error, other.standard_error)
    ]
    return sorted(apart, key=lambda at: -abs(np.log(at[1].standard_error / at[0].standard_error)))


def estimates(rows: Sequence[Reported]) -> np.ndarray:
    """(n,) estimates, 0 for a probability that is rounding beside 1."""
    units = [1.0 if row.quantity in CHANCES else np.inf for row in rows]
    return known(np.array([row.estimate for row in rows]), np.array(units))
