"""How many components, and which structure: models compared on one table.

A criterion is always a score of which the smallest is best, so that all read alike.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from em_core.data import WeightsKind
from em_core.fit import counted, ready
from em_core.partitions.partitions import Partitions, gone_over
from em_core.search.cross_validation import CrossValidation, HeldOut, cross_validate
from em_core.search.optima import Reached, StartedFit
from em_core.search.restarts import Restarts, go_on, restarts

Criterion = Literal["bic", "icl", "aic", "sabic", "caic", "aic3", "cross_validation"]
CRITERIA = get_args(Criterion)
# "usable" cells can be recommended, no others. "unconverged": no start has ended in an optimum, or
# one that has not finished stands higher: what such a cell is worth so far is a bound.
# "not identified": many other parameters are worth as much, see `em_core.inference`.
Status = Literal["usable", "collapsed", "unconverged", "not identified", "failed", "not run"]
# A cell that has been gone on with so often and climbs still is not waited for.
TIMES = 2


class Cell(NamedTuple):
    """One model of the grid: its best fit (None where every start failed) and what it is worth.

    The fit of an unconverged cell is the highest start that has not finished.
    verdict: how the starts ended, in words; replicated: at least two reached the best optimum;
        reached: how many did, of how many, None where there is no optimum.
    climbing: where a start that has not finished stands above the best optimum: 0 for all rows,
        1, 2, ... for those without that fold. times: how often the cell has been gone on with.
    ends: where the starts have come to, on all rows and without each fold; () where none climbs.
    """

    label: Any
    model: Any
    status: Status
    fit: StartedFit | None
    verdict: str
    replicated: bool
    cross_validation: CrossValidation | None
    climbing: tuple[int, ...] = ()
    times: int = 0
    ends: tuple[Any, ...] = ()
    reached: Reached | None = None

    @property
    def fitted(self) -> StartedFit:
        """The fit of a cell that has one."""
        assert self.fit is not None
        return self.fit

    def score(self, criterion: Criterion) -> float:
        """A criterion of the fit, or -2 times the held-out log-likelihood; smallest is best.

        NaN where there is none. Of an unconverged cell all but ICL are bounds: EM only climbs, so
        that they end there or lower. Raises ValueError for an unknown criterion.
        """
        if criterion not in CRITERIA:
            choices = ", ".join(CRITERIA[:-1])
            raise ValueError(f"unknown criterion {criterion!r}: choose {choices} or {CRITERIA[-1]}")
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
    label: Any
    fold: int
    n_running: int


# (fold, runs still going) after every sweep of one cell; returns the cell.
CellSteps = Generator[tuple[int, int], None, Cell]


class _Asked(NamedTuple):
    """How every cell is fitted; folds: their number and the seed that cuts them."""

    seeds: list
    start: Any
    tolerance: float
    max_iterations: int
    folds: tuple[int, int]
    number_components: bool
    stepping: Any
    weights_kind: WeightsKind

    def search(self, model, data, weights, ends, times: int, fold: bool = False) -> Restarts:
        """Many starts, which have been gone on with `times` times in all; from `ends` the last of
        these. Every time doubles the iterations. fold: whether these are the rows without one,
        whose weights stay as they are among all rows."""
        common: dict[str, Any] = {
            "tolerance": self.tolerance, "weights": weights, "confirm": not fold,
            "weights_kind": "frequencies" if fold else self.weights_kind,
            "number_components": self.number_components, "stepping": self.stepping,
        }  # fmt: skip
        most = self.max_iterations * 2**times
        if ends:
            return go_on(model, data, ends, max_iterations=most // 2, **common)
        return restarts(model, data, self.seeds, self.start, max_iterations=most, **common)


class ModelSelection:
    """A grid of models fitted to one table. Iterate for progress; ask for results at any time.

    Each item is a `Progress`. Asked before the first of them, the results run everything to the
    end. Asked later they tell of the cells that are complete; iterating on goes on.
    """

    def __init__(
        self, models: Mapping[Any, Any], asked: _Asked, data, weights, before, times, only=None
    ):
        self._models = dict(models)
        self._asked = asked
        self._before: dict[Hashable, Cell] = before
        self._times = times
        self._cells: dict[Hashable, Cell] = {}
        self._steps = self._run(data, weights, only)
        self._begun = False

    def __getstate__(self) -> dict[str, Any]:
        """For another process: what there is to tell, without going on."""
        asked = self._asked._replace(stepping=None)
        return self.__dict__ | {"_steps": None, "_asked": asked, "_begun": True}

    def __iter__(self) -> ModelSelection:
        return self

    def __next__(self) -> Progress:
        self._begun = True
        return next(self._steps)

    def _run(self, data, weights, only: Hashable | None) -> Iterator[Progress]:
        waiting = [label for label in self.waiting if only in (None, label)]
        self._cells = {label: cell for label, cell in self._before.items() if label not in waiting}
        for label in waiting:
            steps = _complete(
                self._asked, data, weights, label, self._models[label], self._before.get(label)
            )
            while label not in self._cells:
                try:
                    fold, n_running = next(steps)
                except StopIteration as end:
                    self._cells[label] = end.value
                else:
                    yield Progress(len(self._cells), len(self._models), label, fold, n_running)

    def go_on(
        self, data, weights=None, *, times: int | None = None, only: Hashable | None = None
    ) -> ModelSelection:
        """The same grid gone on with, on the same data, also in another process.

        Cells that have not run are run. Where starts that have not finished stand above the best
        optimum, all unfinished ones climb on from their last parameters, for as many iterations as
        they have had, if the cell has been gone on with less than `times` times; by default once
        more than any has. only: the label of the only cell to do so with.
        """
        before = self._before | self._cells
        if times is None:
            times = 1 + max((cell.times for cell in before.values()), default=0)
        return ModelSelection(self._models, self._asked, data, weights, before, times, only)

    @property
    def waiting(self) -> tuple[Any, ...]:
        """The labels of the cells that are still to be run, or gone on with."""

        def waits(cell: Cell | None) -> bool:
            return cell is None or bool(cell.climbing and cell.times < self._times)

        known = self._before | self._cells
        return tuple(label for label in self._models if waits(known.get(label)))

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell, in the order of the grid."""
        if not self._begun:
            for _ in self:
                pass
        known = self._before | self._cells
        return tuple(
            known.get(label, Cell(label, model, "not run", None, "Not run.", False, None))
            for label, model in self._models.items()
        )

    def ranking(self, criterion: Criterion = "bic") -> tuple[Cell, ...]:
        """The usable cells, best first; no other cell is ever recommended.

        A cell whose cross-validation is -inf (see `CrossValidation`) is not among them.
        """
        usable = [cell for cell in self.cells if cell.status == "usable"]
        scored = [cell for cell in usable if np.isfinite(cell.score(criterion))]
        return tuple(sorted(scored, key=lambda cell: cell.score(criterion)))

    def contenders(self, criterion: Criterion = "bic") -> tuple[Cell, ...]:
        """The cells that have not finished and may be better than all that have, best first.

        Those whose score so far is smaller than that of every usable cell. What is held out follows
        no bound: under cross-validation every cell that still climbs, on all rows or without some.
        """
        if criterion == "cross_validation":
            climbing = (cell for cell in self.cells if cell.climbing)
            return tuple(c for c in climbing if not np.isfinite(c.score(criterion)))
        ranked = self.ranking(criterion)
        best = ranked[0].score(criterion) if ranked else np.inf
        unconverged = [cell for cell in self.cells if cell.status == "unconverged"]
        better = [cell for cell in unconverged if cell.score(criterion) < best]
        return tuple(sorted(better, key=lambda cell: cell.score(criterion)))

    def undecided(self, criterion: Criterion = "bic") -> tuple[Cell, ...]:
        """The contenders that are to be gone on with before anything is recommended: those that
        have not been gone on with `TIMES` times."""
        return tuple(cell for cell in self.contenders(criterion) if cell.times < TIMES)

    def best(self, criterion: Criterion = "bic") -> Cell:
        """The usable cell with the smallest score. Raises ValueError where there is none, and while
        one that has not finished may be better (see `undecided`)."""
        if open_still := self.undecided(criterion):
            raise ValueError(
                f"no model can be recommended yet: {open_still[0].label} has not finished and may "
                "be better; go on with `go_on`, or allow more iterations"
            )
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
    models: Mapping[Any, Any],
    data,
    seeds: Iterable = range(10),
    start: str | Iterable[str] | None = None,
    *,
    folds: int = 0,
    fold_seed: int = 0,
    tolerance: float = 1e-3,
    max_iterations: int = 1000,
    weights=None,
    weights_kind: WeightsKind = "frequencies",
    number_components: bool = False,
    stepping=None,
    map: Callable[..., Iterable] = map,
) -> ModelSelection:
    """Fit every model of a grid from several starts and compare them. Nothing runs until asked.

    models: label -> model, e.g. `{(name, k): Mixture(Gaussian(name), k) for name in names for k in
        range(1, 10)}`; one component is a model like any other.
    folds: 0, or into how many folds to cut the rows (sequences, groups) at random, by `fold_seed`,
        for the cross-validated log-likelihood; each fold's fit has the same starts as the whole.
    The other arguments are those of `restarts`. Raises ValueError without a model, and for a
    single fold, or for folds of `Partitions`. What a model cannot fit is its cell's own failure.
    """
    if not models:
        raise ValueError("give at least one model")
    if folds < 0 or folds == 1:
        raise ValueError(f"choose at least 2 folds, or 0 for none, not {folds}")
    if folds and isinstance(data, Partitions):
        raise ValueError("cross-validation needs the rows as one array, not in partitions")
    data = gone_over(data, map)
    starts = list(start) if isinstance(start, list | tuple) else start
    asked = _Asked(
        list(seeds), starts, tolerance, max_iterations, (folds, fold_seed), number_components,
        stepping, weights_kind,
    )  # fmt: skip
    return ModelSelection(models, asked, data, weights, {}, 0)


def _complete(asked: _Asked, data, weights, label, model, before: Cell | None) -> CellSteps:
    """All starts of one model on all rows, then without each fold; or `before` gone on with."""
    try:
        return (yield from _fitted(asked, data, weights, label, model, before))
    except ValueError as error:
        reason = f"{error}."
    except MemoryError:
        reason = "There is not enough memory for it."
    except Exception as error:  # of a model that may be anybody's: it costs its own cell only
        logging.getLogger(__name__).exception("the model %r could not be fitted", label)
        reason = f"An error that nobody expected: {type(error).__name__}: {error}."
    return Cell(label, model, "failed", None, reason, False, None)


def _fitted(asked: _Asked, data, weights, label, model, before: Cell | None) -> CellSteps:
    model, data = ready(model, data)
    data, weights = counted(model, data, weights, asked.weights_kind)
    times, ends = (before.times + 1, before.ends) if before else (0, ())
    settle = times >= TIMES
    if before is not None and 0 not in before.climbing:
        cell = before._replace(climbing=(), ends=())
    else:
        runs = asked.search(model, data, weights, ends[0] if ends else (), times)
        for sweep in runs:
            yield 0, sweep.n_running
        cell = _on_all_rows(label, model, runs, settle)
    held_out = HeldOut(None)
    if asked.folds[0] and cell.status == "usable":

        def search(rows, weights, ends) -> Restarts:
            return asked.search(model, rows, weights, ends, times, fold=True)

        held_out = yield from cross_validate(
            cell.fitted, data, weights, asked.folds, search, ends[1:], settle
        )
    return cell._replace(
        cross_validation=held_out.result,
        climbing=cell.climbing + held_out.climbing,
        times=times,
        ends=(cell.ends or ((),)) + held_out.ends,
    )


def _on_all_rows(label, model, runs: Restarts, settle: bool) -> Cell:
    """What many starts on all rows make of a cell. settle: as in `cross_validate`."""
    found = runs.landscape
    climbing, ends = ((0,), (runs.ends,)) if found.ahead else ((), ())
    if found.optima and (settle or not found.ahead):
        status = "usable" if found.is_identified else "not identified"
        fit, replicated = found.best, found.replicated
    else:
        fit = found.ahead[0] if found.ahead else found.best
        status, replicated = "collapsed" if fit.collapsed else "unconverged", False
    reached = found.reached if found.optima else None
    return Cell(
        label, model, status, fit, found.verdict, replicated, None, climbing, 0, ends, reached
    )
