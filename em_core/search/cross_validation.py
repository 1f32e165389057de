"""Cross-validation: what fits say of the rows that they have not seen."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, NamedTuple

import numpy as np

from em_core.fit import Fit
from em_core.models.impossible import Impossible
from em_core.protocols import optional
from em_core.search.restarts import Restarts

# (rows, weights, ends) -> many starts on some rows, taken up from `ends` if there are any.
Search = Callable[..., Restarts]


class CrossValidation(NamedTuple):
    """Log-likelihood of rows that were held out, in nats, natural logarithm.

    log_likelihood: total over all folds; per_observation: its mean; standard_error: that of
    per_observation, from the spread of the folds' means. NaN, with the reason in `problem`, where
    a fold has no optimum without a collapse, or a start that has not finished stands above it.
    -inf where the fit without some `fold` gives a row of it probability 0: `impossible` says why.
    """

    log_likelihood: float
    per_observation: float
    standard_error: float
    problem: str = ""
    fold: int = 0
    impossible: Impossible | None = None


class HeldOut(NamedTuple):
    """A cross-validation; climbing: the folds without which a start that has not finished stands
    above the best optimum; ends: if there are any, where the starts of each fold have come to."""

    result: CrossValidation | None
    climbing: tuple[int, ...] = ()
    ends: tuple[Any, ...] = ()


def cross_validate(
    whole: Fit, data, weights, folds: tuple[int, int], search: Search, ends, settle: bool
) -> Generator[tuple[int, int], None, HeldOut]:
    """Fit without each fold in turn, and add up the log-likelihoods of what was left out.

    whole: a fit of the model to all rows. folds: their number, and the seed that cuts them. ends:
    of each fold's starts, () where they have not been made. settle: whether the best optimum counts
    even where a start that has not finished is higher. Yields (fold, runs still going).
    """
    model, (n_folds, seed) = whole.model, folds
    if len(data) < n_folds:
        return HeldOut(_none(f"{len(data)} rows cannot be cut into {n_folds} folds"))
    parts = np.array_split(np.random.default_rng(seed).permutation(len(data)), n_folds)
    totals, counts, climbing, reached, unsettled = [], [], [], [], ""
    for fold, held_out in enumerate(map(np.sort, parts), 1):
        kept = np.setdiff1d(np.arange(len(data)), held_out)
        try:
            runs = search(*_rows(data, weights, kept), ends[fold - 1] if ends else ())
            for sweep in runs:
                yield fold, sweep.n_running
            found = runs.landscape
            if not found.optima and not found.ahead:
                return HeldOut(_none(f"without fold {fold}: {found.verdict}"))
            reached.append(runs.ends)
            if found.ahead:
                climbing.append(fold)
            if found.ahead and not (settle and found.optima):
                unsettled = unsettled or f"without fold {fold}: {found.verdict}"
                continue
            rows, their_weights = _rows(data, weights, held_out)
            total = float(model.e_step(found.best.params, rows, their_weights).log_likelihood)
        except ValueError as error:
            return HeldOut(_none(f"without fold {fold}: {error}"))
        if not np.isfinite(total):
            return HeldOut(_ruled_out(fold, _why(model, found.best.params, rows, their_weights)))
        totals.append(total)
        counts.append(whole.n_observations - found.best.n_observations)
    if unsettled:
        return HeldOut(_none(unsettled), tuple(climbing), tuple(reached))
    total, means = sum(totals), np.divide(totals, counts)
    error = float(means.std(ddof=1) / np.sqrt(n_folds))
    result = CrossValidation(total, total / sum(counts), error)
    return HeldOut(result, tuple(climbing), tuple(reached) if climbing else ())


def _why(model, params, rows, weights) -> Impossible | None:
    """Why one of some rows has probability 0, where the model can tell."""
    if optional(model, "impossible") is None:
        return None
    counted = rows if weights is None else _rows(rows, None, np.flatnonzero(weights))[0]
    return model.impossible(params, counted)


def _ruled_out(fold: int, why: Impossible | None) -> CrossValidation:
    if why is not None:
        cells = zip(why.columns, why.values, strict=True)
        said = " and ".join(f"{value:g} in column {column + 1}" for column, value in cells)
        problem = f"fold {fold} holds {said}: the fit without it gives that probability 0"
        return CrossValidation(-np.inf, -np.inf, np.nan, problem, fold, why)
    problem = f"the log-likelihood of fold {fold} is not finite under the fit without it"
    return CrossValidation(-np.inf, -np.inf, np.nan, problem, fold)


def _none(problem: str) -> CrossValidation:
    return CrossValidation(np.nan, np.nan, np.nan, problem)


def _rows(data, weights, rows: np.ndarray) -> tuple:
    """The rows (or sequences) with these places, and their weights."""
    some = [data[row] for row in rows] if isinstance(data, list) else data[rows]
    return some, None if weights is None else weights[rows]
