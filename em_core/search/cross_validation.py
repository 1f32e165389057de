"""Cross-validation: what fits say of the rows that they have not seen."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any, NamedTuple

import numpy as np

from em_core.data import rows_at
from em_core.fit import Fit
from em_core.impossible import Impossible, ruled_out
from em_core.search.restarts import Restarts

# Of frequencies, which are dealt out one by one.
MOST_COPIES = 10_000_000
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
    model, n_folds = whole.model, folds[0]
    try:
        parts = list(_parts(whole, data, weights, folds))
    except ValueError as error:
        return HeldOut(_none(str(error)))
    totals, counts, climbing, reached, unsettled = [], [], [], [], ""
    for fold, (kept, held_out) in enumerate(parts, 1):
        try:
            runs = search(*kept, ends[fold - 1] if ends else ())
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
            total = float(model.e_step(found.best.params, *held_out).log_likelihood)
        except ValueError as error:
            return HeldOut(_none(f"without fold {fold}: {error}"))
        if not np.isfinite(total):
            why = ruled_out(model, found.best.params, *held_out)
            return HeldOut(_ruled_out(fold, why))
        totals.append(total)
        counts.append(whole.n_observations - found.best.n_observations)
    if unsettled:
        return HeldOut(_none(unsettled), tuple(climbing), tuple(reached))
    total, means = sum(totals), np.divide(totals, counts)
    error = float(means.std(ddof=1) / np.sqrt(n_folds))
    result = CrossValidation(total, total / sum(counts), error)
    return HeldOut(result, tuple(climbing), tuple(reached) if climbing else ())


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


def _parts(whole: Fit, data, weights, folds: tuple[int, int]) -> Iterator[tuple[tuple, tuple]]:
    """For each fold what is kept, and what is held out: rows (or sequences) and their weights.

    Frequencies are copies, each of which may be in another fold. Raises ValueError where there are
    too few or too many.
    """
    n_folds, seed = folds
    places = np.arange(len(data))
    copied = weights is not None and whole.weights_kind == "frequencies" and _are_whole(weights)
    if copied:
        if weights.sum() > MOST_COPIES:
            raise ValueError(f"weights of {weights.sum():,.0f} in all are too many to be dealt out")
        places = np.repeat(places, weights.astype(int))
    if len(places) < n_folds:
        raise ValueError(f"{len(places)} rows cannot be cut into {n_folds} folds")
    dealt = np.array_split(np.random.default_rng(seed).permutation(len(places)), n_folds)

    def some(counts: np.ndarray) -> tuple:
        rows = np.flatnonzero(counts)
        if weights is None:
            return rows_at(data, rows), None
        return rows_at(data, rows), (counts if copied else weights)[rows]

    in_all = np.bincount(places, minlength=len(data)).astype(float)
    for part in dealt:
        held_out = np.bincount(places[part], minlength=len(data)).astype(float)
        yield some(in_all - held_out), some(held_out)


def _are_whole(weights: np.ndarray) -> bool:
    return bool((weights == np.round(weights)).all())
