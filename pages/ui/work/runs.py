"""Fits in progress and finished: each in a process, watched by the page while it goes on."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections import OrderedDict
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from em_core import HalfStep, em, from_means
from em_core.em import Fit, finished
from pages.ui.work.workers import PATIENCE, Cancelled, Job, OutOfTime, pool

KEPT_RUNS = 6


class Units(NamedTuple):
    """What standardising takes off each column (D,) and divides it by (D,)."""

    shift: np.ndarray | float
    scale: np.ndarray | float

    @classmethod
    def of(cls, values: np.ndarray) -> Units:
        """Those that give every column of (N, D) values mean 0 and standard deviation 1."""
        return cls(np.nanmean(values, axis=0), np.nanstd(values, axis=0))

    def offset(self, values: np.ndarray) -> float:
        """What a log-likelihood of standardised values is above that of the values, in nats."""
        if self is AS_THEY_ARE:
            return 0.0
        return float((~np.isnan(values)).sum(axis=0) @ np.log(self.scale))

    def standardised(self, values: np.ndarray) -> np.ndarray:
        return (values - self.shift) / self.scale

    def standardised_params(self, model, params):
        if self is AS_THEY_ARE:
            return params
        return model.rescale(params, -self.shift / self.scale, 1 / self.scale)


AS_THEY_ARE = Units(0.0, 1.0)


class ByMethod(NamedTuple):
    """A start drawn by the model's own method of this name."""

    model: Any
    method: str
    seed: int

    def __call__(self, data, units: Units):
        return self.model.initial_params(data, self.method, np.random.default_rng(self.seed))


class FromMeans(NamedTuple):
    """A start from means (K, D) placed by hand, in the units of the table."""

    model: Any
    means: np.ndarray

    def __call__(self, data, units: Units):
        return from_means(self.model, data, units.standardised(self.means))


class FromParams(NamedTuple):
    """A start from explicit parameters, in the units of the table."""

    model: Any
    params: Any

    def __call__(self, data, units: Units):
        return units.standardised_params(self.model, self.params)


# (the data as they are fitted, their units) -> starting parameters. It travels to a process.
Beginning = ByMethod | FromMeans | FromParams


def climb(
    model,
    data,
    start: Beginning,
    tolerance: float,
    max_iterations: int,
    standardise: bool,
    told: int,
) -> Generator[tuple[HalfStep, ...], None, str]:
    """EM, one iteration at a time, without its first `told` half-steps; returns why it stopped.

    Parameters and log-likelihoods are in the units of `data`, also where the fit is standardised.
    """
    units = Units.of(data) if standardise else AS_THEY_ARE
    rows = units.standardised(data) if standardise else data
    first = start(rows, units)
    steps = em(model, rows, first, tolerance=tolerance, max_iterations=max_iterations)
    taken: list[HalfStep] = []
    for index in itertools.count():
        try:
            step = next(steps)
        except StopIteration as end:
            return end.value
        if index >= told:
            taken.append(_in_data_units(step, model, units, data))
        # A run pauses on an E half-step only, where the bound touches.
        if taken and step.phase != "M":
            yield tuple(taken)
            taken = []


def _in_data_units(step: HalfStep, model, units: Units, data) -> HalfStep:
    """The same half-step for the data before standardising: densities shrink by the scale."""
    if units is AS_THEY_ARE:
        return step
    change = units.offset(data)
    return step._replace(
        params=model.rescale(step.params, *units),
        posterior_params=model.rescale(step.posterior_params, *units),
        elbo=step.elbo - change,
        log_likelihood=step.log_likelihood - change,
    )


class Ended(NamedTuple):
    """What a process needs of a finished run. n_observations: as its fit counts them."""

    key: str
    model: Any
    data: Any
    trace: tuple[HalfStep, ...]
    n_observations: float


@dataclass
class Run:
    """One fit: what was asked, and how far it is. `trace` is in the units of `data`.

    stop_reason is None while the run goes on; "stopped" if a person stopped it, "time" if it took
    longer than a fit may. fit is the finished run, in the units of `data`; None where it ended
    before it had begun.
    """

    key: str
    model: Any
    data: Any  # as the model takes them
    start: Beginning
    tolerance: float
    max_iterations: int
    standardise: bool
    trace: list[HalfStep] = field(default_factory=list)
    stop_reason: str | None = None
    error: str = ""
    fit: Fit | None = None
    done: threading.Event = field(default_factory=threading.Event)
    _job: Job | None = None

    def begin(self) -> None:
        """Start; after a stop, go on: what was told is computed again, to the same numbers."""
        self.stop_reason, self.error, self.fit = None, "", None
        self.done.clear()
        how = self.tolerance, self.max_iterations, self.standardise, len(self.trace)
        self._job = pool().job(climb, self.model, self.data, self.start, *how)
        threading.Thread(target=self._follow, args=(self._job,), name="em fit", daemon=True).start()

    def stop(self) -> None:
        if self._job is not None:
            self._job.cancel()

    @property
    def running(self) -> bool:
        return not self.done.is_set()

    @property
    def ended(self) -> Ended:
        """The run, once it has a fit, for another process."""
        return Ended(self.key, self.model, self.data, tuple(self.trace), self.fit.n_observations)

    @property
    def queued(self) -> int:
        """Its place in the queue, counted from 1; 0 once it is at work."""
        return self._job.ahead if self._job is not None else 0

    def _follow(self, job: Job) -> None:
        try:
            self.stop_reason = self._listen(job)
            if self.trace:
                self.fit = finished(self.model, list(self.trace), self.stop_reason, self.data)
        except (ValueError, MemoryError, np.linalg.LinAlgError) as error:
            self.error = str(error) or "There is not enough memory for this fit: use fewer rows."
        finally:
            self.done.set()

    def _listen(self, job: Job) -> str:
        results = job.results()
        while True:
            try:
                for half_steps in next(results):
                    self.trace += half_steps
            except StopIteration as end:
                return end.value
            except Cancelled:
                return "stopped"
            except OutOfTime:
                return "time"


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
            for other in [other for other in self._runs.values() if other.running]:
                other.stop()
                del self._runs[other.key]
            run.begin()
            run.done.wait(PATIENCE)
        self._runs[run.key] = run
        while len(self._runs) > KEPT_RUNS:
            _, oldest = self._runs.popitem(last=False)
            oldest.stop()
        return run


def _stop_all(runs: OrderedDict[str, Run]) -> None:
    for run in runs.values():
        run.stop()
