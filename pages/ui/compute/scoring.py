"""Scoring rows that a model was not fitted to, as a job for a process."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from em_core import load
from em_core.fit import Fit
from em_core.protocols import Levels, optional
from em_core.search.alignment import assignment_shares
from em_core.search.identified import log_densities
from pages.ui.tables.matching import Matched, match
from pages.ui.tables.preparation.step import Step
from pages.ui.tables.preparation.table import for_new_rows, prepared, read_with_units
from pages.ui.tables.table import DataError, Table
from pages.ui.tables.writing import free_name
from pages.ui.text import component_names, number

# A row is unusual below this quantile of so many rows drawn from the model.
QUANTILE, DRAWS = 0.001, 20_000
SEED = 0
# Each way of having values missing has a quantile of its own; of sequences, whose rows are gone
# through one by one, fewer.
MOST_PATTERNS, MOST_OF_SEQUENCES = 200, 20
# After so many rows a drawn sequence is where it is at any time.
MOST_KNOWN, LONG_ENOUGH = 200, 2_000
UNPREPARED = "The steps of preparation cannot be applied to the new rows."


class Scored(NamedTuple):
    """rows: the new table with what the model says of each row. columns: those of the model. shares
    (K,): expected rows of each cluster; () without clusters. n_unlooked: rows whose set of missing
    cells nobody looked at. n_odd: rows with a level or a cell that the model cannot use. clock: the
    column whose order they were taken in; "" for their own. in_order: whether a row is unusual
    after those before it. steps: those of preparation that a saved model brought along."""

    rows: pd.DataFrame
    columns: tuple[str, ...]
    names: tuple[str, ...]
    shares: tuple[float, ...]
    n_unusual: int
    n_unlooked: int
    n_odd: int
    matched: Matched
    clock: str
    in_order: bool = False
    steps: tuple[Step, ...] = ()


def score_with_file(text: str, table: Table) -> Generator[float, None, Scored | str]:
    """With a model that was saved, after the steps that its own rows took; its own sentence where
    the file is none."""
    yield 0.0
    fit = load(text)
    if not fit.columns:
        return "This model file does not say what its columns are called: save it here again."
    try:
        steps, made_of = read_with_units(fit.preparation)
    except (ValueError, RecursionError):
        return "This saved model is damaged: nobody knows how its columns were made."
    try:
        ready = prepared(table, for_new_rows(steps, fit.columns))
    except DataError as error:
        return f"{UNPREPARED} {error}"
    units = made_of | {n: unit for n, unit in zip(fit.columns, fit.units, strict=False) if unit}
    scored = yield from score(fit, fit.columns, fit.levels, (), "", ready, None, units)
    return scored if isinstance(scored, str) else scored._replace(steps=steps)


def score(
    fit: Fit,
    columns: Sequence[str],
    levels: Sequence[Sequence[str] | None],
    given: Sequence[str],
    unit: str,
    table: Table,
    before: np.ndarray | None = None,
    units: Mapping[str, str] = {},
) -> Generator[float, None, Scored | str]:
    """What a fit says of the rows of another table; a sentence where it can say nothing.

    given, unit: what its clusters are called. before (M, D): the rows of a sequence that the new
    ones go on; None where they begin one of their own. units: as of `match`.
    """
    yield 0.0
    model, params = fit.model, fit.params
    clock = table.clock.name if table.clock is not None else ""
    latent = optional(model, "latent")
    try:
        matched = match(table._replace(frame=table.taken_frame), columns, levels, units)
    except DataError as error:
        return str(error)
    values, marks = _known_levels(model, params, matched, columns)
    in_order = latent == "path"
    yield 0.2
    known = np.zeros((0, values.shape[1])) if before is None or not in_order else before
    n_known = len(known)
    if latent in ("labels", "path"):
        goes_on = known if in_order else None
        told = partial(_of_labels, model, params, before=goes_on, given=given, unit=unit)
    elif latent == "factors":
        told = partial(_of_factors, model, params)
    else:
        return "New rows cannot be scored with this model: it is about the groups of its own table."
    try:
        found = told(values)
    except ValueError:
        values, marks = _possible(model, params, values, marks, columns, in_order)
        found = told(values)
    results = found.columns
    yield 0.4
    sequence = [np.concatenate([known, values])]
    densities = _densities(model, params, sequence if in_order else values)[n_known:]
    results["log density given the rows before" if in_order else "log density"] = densities
    thresholds = yield from _thresholds(model, params, values, in_order, n_known)
    unusual = densities < thresholds
    n_unlooked = int(np.isnan(thresholds).sum())
    results["unusual"] = np.where(unusual, "yes", "").astype(object)
    results["marks"] = marks
    frame = table.frame.copy()
    for name, column in results.items():
        # Rows without a time have no place in a sequence.
        placed = pd.Series(column, index=frame.index[table.taken])
        frame[free_name(name, frame)] = placed.reindex(frame.index)
    return Scored(
        frame,
        tuple(columns),
        found.names,
        found.shares,
        int(unusual.sum()),
        n_unlooked,
        int((marks != "").sum()),
        matched._replace(ignored=tuple(n for n in matched.ignored if n != clock)),
        clock,
        in_order,
    )


class _Latent(NamedTuple):
    """What a fit says of the latent variables of rows. columns: by what they are called; names: of
    the clusters or factors; shares: as of `Scored`."""

    columns: dict[str, np.ndarray]
    names: tuple[str, ...]
    shares: tuple[float, ...] = ()


def _of_labels(
    model, params, values: np.ndarray, before: np.ndarray | None, given: Sequence[str], unit: str
) -> _Latent:
    """before: the rows of a sequence that these go on; None where rows are independent."""
    rows: Any = values if before is None else [np.concatenate([before, values])]
    n_known = 0 if before is None else len(before)
    of_rows = assignment_shares(model, params, rows)
    assert of_rows is not None, "rows belong to clusters"
    of_rows = of_rows[n_known:]
    unit = unit or ("component" if before is None else "state")
    names = component_names(of_rows.shape[1], unit, given)
    labels = model.predict(params, rows)
    labels = np.concatenate(labels)[n_known:] if isinstance(labels, list) else labels
    columns = {"cluster" if unit == "component" else unit: np.array(names, object)[labels]}
    columns |= {f"P({name})": part for name, part in zip(names, of_rows.T, strict=True)}
    return _Latent(columns, names, tuple(of_rows.mean(axis=0)))


def _of_factors(model, params, values: np.ndarray) -> _Latent:
    posterior = model.posterior(params, values)
    names = component_names(posterior.means.shape[1], "factor")
    columns = {}
    for q, name in enumerate(names):
        columns[f"{name} (as EM leaves it)"] = posterior.means[:, q]
        columns[f"SD of {name}"] = np.sqrt(posterior.covariances[:, q, q])
    return _Latent(columns, names)


def _known_levels(
    model, params, matched: Matched, columns: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """The values without levels, written as numbers, that the model has not seen; with marks."""
    values, marks = matched.values.copy(), matched.marks.copy()
    emission = optional(model, "emission")
    if not isinstance(emission, Levels):
        return values, marks
    for d, chances in enumerate(emission.level_probabilities(params.emission)):
        column = values[:, d]
        unseen = ~np.isnan(column) & ~np.isin(column, np.arange(chances.shape[1]))
        for row in np.flatnonzero(unseen):
            note = f"{columns[d]}: {number(column[row], 15)} is a level that the model has not seen"
            marks[row] = "; ".join(filter(None, (marks[row], note)))
        column[unseen] = np.nan
    return values, marks


def _possible(
    model, params, values: np.ndarray, marks: np.ndarray, columns: Sequence[str], in_order: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The values without those that the model cannot take, such as a count below 0; with marks."""

    def takes(rows: np.ndarray) -> bool:
        try:
            _densities(model, params, [rows] if in_order else rows)
        except ValueError:
            return False
        return True

    def refused(d: int, some: np.ndarray) -> Iterator[float]:
        rows = np.full((len(some), len(columns)), np.nan)
        rows[:, d] = some
        if not len(some) or takes(rows):
            return
        if len(some) == 1:
            yield some[0]
            return
        for half in np.array_split(some, 2):
            yield from refused(d, half)

    values, marks = values.copy(), marks.copy()
    for d, name in enumerate(columns):
        column = values[:, d]
        bad = [*refused(d, np.unique(column[~np.isnan(column)]))]
        for row in np.flatnonzero(np.isin(column, bad)):
            note = f"{name}: {number(column[row], 15)} is a value that the model cannot hold"
            marks[row] = "; ".join(filter(None, (marks[row], note)))
        column[np.isin(column, bad)] = np.nan
    return values, marks


def _densities(model, params, rows: Any) -> np.ndarray:
    """(N,) the log-density of each row; of sequences of each given those before it."""
    if isinstance(rows, list):
        return np.concatenate(model.log_forecasts(params, rows))
    return log_densities(model, params, rows)


def _drawn(model, params, n_rows: int, in_order: bool, n_known: int) -> np.ndarray:
    """Rows (N, D) of the model; or sequences (S, T, D), as long as the new one, so that they are in
    the states in which it can be after as many rows, of which some were known before."""
    rng = np.random.default_rng(SEED)
    if not in_order:
        return np.asarray(model.sample(params, DRAWS, rng)[0], dtype=float)
    # Where a chain has long gone on, all times are alike: few long sequences do.
    length = min(max(n_rows, LONG_ENOUGH * (n_known >= MOST_KNOWN)), DRAWS)
    n = -(-DRAWS // length)
    parts = model.sample(params, [min(n_known, MOST_KNOWN) + length] * n, rng)[0]
    return np.asarray(parts, dtype=float)


def _thresholds(
    model, params, values: np.ndarray, in_order: bool, n_known: int
) -> Generator[float, None, np.ndarray]:
    """(N,) the log-density below which a row is unusual, given which of its cells are missing; NaN
    where too many other sets of cells are missing more often."""
    holes = np.isnan(values)
    patterns, which = np.unique(holes, axis=0, return_inverse=True)
    which = which.ravel()
    most = MOST_OF_SEQUENCES if in_order else MOST_PATTERNS
    common = np.argsort(-np.bincount(which))[:most]
    drawn = _drawn(model, params, len(values), in_order, n_known)
    n_known = min(n_known, MOST_KNOWN) if in_order else 0
    limits = np.full(len(patterns), np.nan)
    for place, pattern in enumerate(common):
        yield 0.4 + 0.6 * place / len(common)
        if patterns[pattern].all():
            limits[pattern] = -np.inf
            continue
        rows = np.where(patterns[pattern], np.nan, drawn)
        found = _densities(model, params, [*rows] if in_order else rows)
        found = found.reshape(rows.shape[:-1])[..., n_known:] if in_order else found
        limits[pattern] = np.quantile(found, QUANTILE)
    return limits[which]
