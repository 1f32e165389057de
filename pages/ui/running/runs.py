"""Fits in progress and finished, watched by the page while they go on."""

from __future__ import annotations

import math
import time
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Literal

import numpy as np

from em_core import HalfStep
from em_core.data import WeightsKind, count_observations, n_rows, rows_that_count
from em_core.fit import Fit, finished
from em_core.half_steps import StopReason
from em_core.partitions.partitions import Partitions
from em_core.search.alignment import in_order, numbering
from em_core.search.identified import Identification
from em_core.search.optima import look_at
from pages.ui.compute.climbing import Ended, Ending, climb, climb_over, complete
from pages.ui.families.starting import Beginning
from pages.ui.running.pools import pool
from pages.ui.running.work import Work
from pages.ui.running.workers import Job
from pages.ui.state.memory import visit

KEPT_RUNS = 6


@dataclass(kw_only=True)
class Run(Work):
    """One fit: what was asked, and how far it is.

    stop_reason is None while the run goes on; "stopped" if a person stopped it, "time" if it took
    longer than a fit may, "memory" where the visit holds as much as it may. fit is the finished
    run; None where it ended before it had begun. After a stop it goes on: what was told is computed
    again, to the same numbers.
    trace: its components are numbered as `em_core.search.alignment` says: by where the run begins
    until it ends. order (K,): component order[k] of the process is number k; None where it is so
    for all k.
    weights: of the rows (sequences, groups) of data, as they were given; None without any.
    """

    model: Any
    data: Any  # as the model takes them
    start: Beginning
    tolerance: float
    max_iterations: int
    weights: np.ndarray | None = None
    weights_kind: WeightsKind = "frequencies"
    trace: list[HalfStep] = field(default_factory=list)
    stop_reason: StopReason | None = None
    fit: Fit | None = None
    order: np.ndarray | None = None
    _looked: tuple[Fit, Identification | None] | None = None

    def begin(self) -> None:
        self.stop_reason, self.fit = None, None
        super().begin()

    @cached_property
    def counted(self) -> tuple[Any, np.ndarray | None]:
        """The rows that EM goes by, and their weights: see `em_core.data.rows_that_count`."""
        return rows_that_count(self.model, self.data, self.weights, self.weights_kind)

    @property
    def finished_fit(self) -> Fit:
        """Its fit, once it has one."""
        assert self.fit is not None
        return self.fit

    @property
    def ended(self) -> Ended:
        """The run, once it has a fit, for another process."""
        n = self.finished_fit.n_observations
        return Ended(self.key, self.model, self.counted[0], tuple(self.trace), n, self.counted[1])

    @property
    def is_looked_at(self) -> bool:
        """Whether `identification` is known, and takes no time."""
        return self._looked is not None and self._looked[0] is self.fit

    @property
    def identification(self) -> Identification | None:
        """Whether the model is identified at its last parameters, as `look_at` tells."""
        if self._looked is None or not self.is_looked_at:
            self._looked = self.finished_fit, look_at(self.finished_fit, *self.counted)
        return self._looked[1]

    @property
    def n_rows(self) -> int:
        """How many rows it goes over."""
        return n_rows(self.data)

    @property
    def frozen(self) -> bool:
        """Whether its parameters are those that were given, and nothing is fitted."""
        return self.max_iterations == 0

    def job(self) -> Job:
        return pool().job(climb, *self._asked(), again=self._asked)

    def _asked(self) -> tuple:
        """What the process is given, without what has been told."""
        how = self.tolerance, self.max_iterations, len(self.trace)
        return self.model, *self.counted, self.start, *how

    def expect(self, size: int) -> None:
        if self.holding is not None:
            self.holding.add(size)

    def take(self, told: Sequence[Any]) -> None:
        for half_steps in told:
            if self.order is not None:
                half_steps = in_order(half_steps, self.order, self.model.DIMS)
            before = self.trace[-1] if self.trace else None
            self.trace += complete(half_steps, before)
            if before is None:
                self._number()

    def take_all(self, result: StopReason) -> None:
        self.stop_reason = result
        if self.trace:
            self._number()
            self.fit = self.fit_of(self.trace, result)

    def fit_of(self, trace: Sequence[HalfStep], stop_reason: StopReason) -> Fit:
        """The fit whose trace this is, the run's own or the beginning of it."""
        return finished(self.model, list(trace), stop_reason, *self.counted, self.weights_kind)

    def _number(self) -> None:
        """Number the components by the last parameters."""
        order = numbering(self.model, self.trace[-1].params)
        if order is None or (order == np.arange(len(order))).all():
            return
        self.trace = in_order(self.trace, order, self.model.DIMS)
        self.order = order if self.order is None else self.order[order]

    def end_early(self, why: Literal["stopped", "time"]) -> None:
        self.take_all(why)

    def no_room(self, why: str) -> None:
        if not self.trace:
            self.error = why
        self.take_all("memory")


@dataclass(kw_only=True)
class WholeRun(Run):
    """A fit to all rows of a data set on the server; data, weights: of its sample.

    n_workers, most_workers: of the cluster, when it told of itself last, and since it began.
    rows_a_second: gone over since the first iteration was told; 0.0 before.
    """

    whole: Partitions
    n_workers: int = 0
    most_workers: int = 0
    rows_a_second: float = 0.0
    _first: tuple[float, int] | None = None
    _entropy: float | None = math.nan

    def begin(self) -> None:
        self._first, self._entropy = None, math.nan
        self.n_workers = self.most_workers = 0
        self.rows_a_second = 0.0
        super().begin()

    @cached_property
    def counted(self) -> tuple[Any, np.ndarray | None]:
        """The rows of the sample, each of which stands for so many of all."""
        counted = rows_that_count(self.model, self.data, self.weights, self.weights_kind)
        return standing_for(self.model, self.whole, *counted)

    @property
    def n_rows(self) -> int:
        return len(self.whole)

    def job(self) -> Job:
        return pool().job(climb_over, *self._asked(), again=self._asked)

    def _asked(self) -> tuple:
        how = self.tolerance, self.max_iterations, len(self.trace)
        return self.model, self.whole, self.start, *how

    def take(self, told: Sequence[Any]) -> None:
        super().take([each.half_steps for each in told])
        self.n_workers = told[-1].n_workers
        self.most_workers = max(self.most_workers, *(each.n_workers for each in told))
        now, iteration = time.monotonic(), self.trace[-1].iteration
        if self._first is None:
            self._first = now, iteration
        elif now > self._first[0]:
            passes = iteration - self._first[1]
            self.rows_a_second = passes * len(self.whole) / (now - self._first[0])

    def take_all(self, result: Ending | StopReason) -> None:
        if isinstance(result, Ending):
            self._entropy, result = result.label_entropy, result.stop_reason
        super().take_all(result)

    def fit_of(self, trace: Sequence[HalfStep], stop_reason: StopReason) -> Fit:
        """As of a run; ICL is known of the end only, where values are missing."""
        known = self._entropy is None or trace[-1] is self.trace[-1]
        n = self.whole.first_pass().columns.total
        return Fit(self.model, tuple(trace), stop_reason, n, self._entropy if known else math.nan)


def standing_for(model, whole: Partitions, data, weights=None) -> tuple[Any, np.ndarray]:
    """The rows (sequences, groups) of a sample with weights by which as many observations are
    counted as there are in the whole."""
    weights = np.ones(len(data)) if weights is None else weights
    sampled = count_observations(model, data, weights)
    return data, weights * (whole.first_pass().columns.total / sampled)


class Runs:
    """The last few runs of one session; those still going on end with it, or for a new one."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, Run] = OrderedDict()
        weakref.finalize(self, _stop_all, self._runs)

    def get(self, wanted: Run) -> Run:
        """The run asked for: the one there is, or `wanted` itself, begun now."""
        run = self._runs.pop(wanted.key, None)
        if run is None:
            run = wanted
            # Neither the run nor what counts its bytes keeps the session's runs.
            forget = partial(_forget, self._runs, run.key)
            run.holding = visit().holding(f"run {run.key}", forget)
            for other in [other for other in self._runs.values() if other.running]:
                del self._runs[other.key]
                _let_go(other)
            run.begin()
        self._runs[run.key] = run
        while len(self._runs) > KEPT_RUNS:
            _, oldest = self._runs.popitem(last=False)
            _let_go(oldest)
        return run

    def there(self, key: str) -> Run | None:
        """The run with this key, if it is among the last ones."""
        return self._runs.get(key)


def _forget(runs: OrderedDict[str, Run], key: str) -> None:
    runs.pop(key, None)


def _let_go(run: Run) -> None:
    run.leave()
    if run.holding is not None:
        run.holding.let_go()


def _stop_all(runs: OrderedDict[str, Run]) -> None:
    for run in runs.values():
        run.leave()
