"""How many components, and which structure: models compared on one table.

A criterion is always a score of which the smallest is best, so that all read alike.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np

from em_core.em import Fit
from em_core.restarts import restarts

Criterion = Literal["bic", "icl", "aic", "cross_validation"]
# "usable" cells can be recommended, no others.
Status = Literal["usable", "collapsed", "unconverged", "failed", "not run"]


class CrossValidation(NamedTuple):
    """Log-likelihood of rows that were held out, in nats, natural logarithm.

    log_likelihood: total over all folds; per_observation: its mean; standard_error: that of
    per_observation, from the spread of the folds' means. NaN, with the reason in `problem`, where
    a fold has no optimum without a collapse.
    """

    log_likelihood: float
    per_observation: float
    standard_error: float
    problem: str = ""


class Cell(NamedTuple):
    """One model of the grid: its best fit (None where every start failed) and what it is worth.

    verdict: how the starts ended, in words; replicated: at least two reached the best optimum.
    """

    label: Hashable
    model: Any
    status: Status
    fit: Fit | None
    verdict: str
    replicated: bool
    cross_validation: CrossValidation | None

    def score(self, criterion: Criterion) -> float:
        """AIC, BIC or ICL of the fit, or -2 times the held-out log-likelihood; smallest is best.

        NaN where there is none. Raises ValueError for an unknown criterion.
        """
        if criterion not in ("bic", "icl", "aic", "cross_validation"):
            raise ValueError(
                f"unknown criterion {criterion!r}: choose bic, icl, aic or cross_validation"
            )
        if criterion == "cross_validation":
            held_out = self.cross_validation
            return -2 * held_out.log_likelihood if held_out else np.nan
        return getattr(self.fit, criterion) if self.fit else np.nan


class Progress(NamedTuple):
    """One sweep of all starts of one cell: on all rows (fold 0), or without one fold (1, 2, ...).

    n_done of n_cells cells are complete.
    """

    n_done: int
    n_cells: int
    label: Hashable
    fold: int
    n_running: int


# (fold, runs still going) after every sweep of one cell; returns the cell.
CellSteps = Generator[tuple[int, int], None, Cell]


class Selection:
    """A grid of models fitted to one table. Iterate for progress; ask for results at any time.

    Each item is a `Progress`. Asked before the first of them, the results run everything to the
    end. Asked later they tell of the cells that are complete; iterating on goes on.
    """

    def __init__(self, models: Mapping[Hashable, Any], complete: Callable[..., CellSteps]):
        self._models = dict(models)
        self._cells: dict[Hashable, Cell] = {}
        self._steps = self._run(complete)
        self._begun = False

    def __getstate__(self) -> dict[str, Any]:
        """For another process: what there is to tell, without going on."""
        return self.__dict__ | {"_steps": None}

    def __iter__(self) -> Selection:
        return self

    def __next__(self) -> Progress:
        self._begun = True
        return next(self._steps)

    def _run(self, complete: Callable[..., CellSteps]) -> Iterator[Progress]:
        for label, model in self._models.items():
            steps = complete(label, model)
            while label not in self._cells:
                try:
                    fold, n_running = next(steps)
                except StopIteration as end:
                    self._cells[label] = end.value
                else:
                    yield Progress(len(self._cells), len(self._models), label, fold, n_running)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell, in the order of the grid."""
        if not self._begun:
            for _ in self:
                pass
        return tuple(
            self._cells.get(label, Cell(label, model, "not run", None, "Not run.", False, None))
            for label, model in self._models.items()
        )

    def ranking(self, criterion: Criterion = "bic") -> tuple[Cell, ...]:
        """The usable cells, best first; no other cell is ever recommended."""
        usable = [cell for cell in self.cells if cell.status == "usable"]
        scored = [cell for cell in usable if np.isfinite(cell.score(criterion))]
        return tuple(sorted(scored, key=lambda cell: cell.score(criterion)))

    def best(self, criterion: Criterion = "bic") -> Cell:
        """The usable cell with the smallest score. Raises ValueError where there is none."""
        ranked = self.ranking(criterion)
        if not ranked:
            reasons = [cell.verdict for cell in self.cells if cell.status != "usable"]
            raise ValueError(" ".join(["no model can be recommended.", *reasons[:1]]))
        return ranked[0]

    def runners_up(self, criterion: Criterion = "bic", within: float = 10) -> tuple[Cell, ...]:
        """The other usable cells whose score is at most `within` above the best, best first.

        A BIC within 2 of the best is hardly worse; beyond 10 the evidence against it is very
        strong (Kass & Raftery 1995).
        """
        ranked = self.ranking(criterion)
        if not ranked:
            return ()
        limit = ranked[0].score(criterion) + within
        return tuple(cell for cell in ranked[1:] if cell.score(criterion) <= limit)


def select(
    models: Mapping[Hashable, Any],
    data,
    seeds: Iterable = range(10),
    start: str | Iterable[str] | None = None,
    *,
    folds: int = 0,
    fold_seed: int = 0,
    tolerance: float = 1e-3,
    max_iterations: int = 1000,
    weights=None,
    stepping=None,
) -> Selection:
    """Fit every model of a grid from several starts and compare them. Nothing runs until asked.

    models: label -> model, e.g. `{(name, k): Mixture(Gaussian(name), k) for name in names for k in
        range(1, 10)}`; one component is a model like any other.
    folds: 0, or into how many folds to cut the rows (sequences, groups) at random, by `fold_seed`,
        for the cross-validated log-likelihood; each fold's fit has the same starts as the whole.
    The other arguments are those of `restarts`. Raises ValueError without a model, and for a
    single fold. What a model cannot fit is its cell's own failure.
    """
    if not models:
        raise ValueError("give at least one model")
    if folds < 0 or folds == 1:
        raise ValueError(f"choose at least 2 folds, or 0 for none, not {folds}")
    options = {
        "seeds": list(seeds), "start": list(start) if isinstance(start, list | tuple) else start,
        "tolerance": tolerance, "max_iterations": max_iterations, "stepping": stepping,
    }  # fmt: skip
    return Selection(models, partial(_complete, data, weights, (folds, fold_seed), options))


def _complete(data, weights, folds: tuple[int, int], options: dict, label, model) -> CellSteps:
    """All starts of one model on all rows, then without each fold."""
    try:
        runs = restarts(model, data, weights=weights, **options)
        for sweep in runs:
            yield 0, sweep.n_running
        fit = runs.best
    except ValueError as error:
        return Cell(label, model, "failed", None, f"{error}.", False, None)
    if not runs.optima:
        status = "collapsed" if fit.collapsed else "unconverged"
        return Cell(label, model, status, fit, runs.verdict, False, None)
    held_out = None
    if folds[0]:
        data = model.check(data)
        held_out = yield from _cross_validate(model, data, weights, folds, options, fit)
    return Cell(label, model, "usable", fit, runs.verdict, runs.replicated, held_out)


def _cross_validate(model, data, weights, folds: tuple[int, int], options: dict, whole: Fit):
    """Fit without each fold in turn, and add up the log-likelihoods of what was left out."""
    n_folds, seed = folds
    if len(data) < n_folds:
        return _no_cross_validation(f"{len(data)} rows cannot be cut into {n_folds} folds")
    parts = np.array_split(np.random.default_rng(seed).permutation(len(data)), n_folds)
    totals, counts = [], []
    for fold, held_out in enumerate(parts, 1):
        kept = np.setdiff1d(np.arange(len(data)), held_out)
        try:
            rows, their_weights = _rows(data, weights, kept)
            runs = restarts(model, rows, weights=their_weights, confirm=False, **options)
            for sweep in runs:
                yield fold, sweep.n_running
            if not runs.optima:
                return _no_cross_validation(f"without fold {fold}: {runs.verdict}")
            expectation = model.e_step(runs.best.params, *_rows(data, weights, np.sort(held_out)))
        except ValueError as error:
            return _no_cross_validation(f"without fold {fold}: {error}")
        totals.append(expectation.log_likelihood)
        counts.append(whole.n_observations - runs.best.n_observations)
    total, means = sum(totals), np.divide(totals, counts)
    error = means.std(ddof=1) / np.sqrt(n_folds)
    return CrossValidation(total, total / sum(counts), float(error))


def _no_cross_validation(problem: str) -> CrossValidation:
    return CrossValidation(np.nan, np.nan, np.nan, problem)


def _rows(data, weights, rows: np.ndarray) -> tuple:
    """The rows (or sequences) with these places, and their weights."""
    some = [data[row] for row in rows] if isinstance(data, list) else data[rows]
    return some, None if weights is None else np.asarray(weights, dtype=float)[rows]
