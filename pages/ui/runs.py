"""Fits in progress and finished: one thread a run, watched by the page while it goes on."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np

from em_core import HalfStep, Mixture, MixtureParams, em, from_means
from em_core.em import Fit, finished

# A fit that ends within this is drawn finished, without a live picture before it.
PATIENCE = 0.4
KEPT_RUNS = 6


@dataclass
class Run:
    """One fit: what was asked, and how far it is. `trace` is in the units of `data`.

    stop_reason is None while the run goes on; "stopped" if a person stopped it.
    """

    key: str
    model: Mixture
    data: np.ndarray
    start: str | np.ndarray | MixtureParams  # a method, hand-placed means (K, D), or parameters
    seed: int
    tolerance: float
    max_iterations: int
    standardise: bool
    trace: list[HalfStep] = field(default_factory=list)
    stop_reason: str | None = None
    error: str = ""
    done: threading.Event = field(default_factory=threading.Event)
    wanted: threading.Event = field(default_factory=threading.Event)
    _steps: Generator[HalfStep, None, str] | None = None

    def begin(self) -> None:
        """Start, or go on after a stop."""
        self.stop_reason, self.error = None, ""
        self.done.clear()
        self.wanted.set()
        threading.Thread(target=self._work, name="em fit", daemon=True).start()

    def stop(self) -> None:
        self.wanted.clear()

    @property
    def running(self) -> bool:
        return not self.done.is_set()

    def fit(self) -> Fit:
        """The finished run as a Fit, in the units of the data."""
        return finished(self.model, list(self.trace), self.stop_reason, self.data)

    def _work(self) -> None:
        try:
            self.stop_reason = self._climb()
        except (ValueError, MemoryError, np.linalg.LinAlgError) as error:
            self.error = str(error) or "There is not enough memory for this fit: use fewer rows."
        finally:
            self.done.set()

    def _climb(self) -> str:
        shift, scale = self._units()
        if self._steps is None:
            data = (self.data - shift) / scale if self.standardise else self.data
            self._steps = em(
                self.model,
                data,
                self._starting_params(data, shift, scale),
                tolerance=self.tolerance,
                max_iterations=self.max_iterations,
            )
        # A run pauses on an E half-step only, where the bound touches.
        while self.wanted.is_set() or (self.trace and self.trace[-1].phase == "M"):
            try:
                step = next(self._steps)
            except StopIteration as end:
                return end.value
            self.trace.append(self._in_data_units(step, shift, scale))
        return "stopped"

    def _starting_params(self, data: np.ndarray, shift: np.ndarray, scale: np.ndarray):
        if isinstance(self.start, str):
            rng = np.random.default_rng(self.seed)
            return self.model.initial_params(data, self.start, rng)
        if isinstance(self.start, np.ndarray):
            return from_means(self.model, data, (self.start - shift) / scale)
        return self.model.rescale(self.start, -shift / scale, 1 / scale)

    def _units(self) -> tuple[np.ndarray, np.ndarray]:
        columns = self.data.shape[1]
        if not self.standardise:
            return np.zeros(columns), np.ones(columns)
        return self.data.mean(axis=0), self.data.std(axis=0)

    def _in_data_units(self, step: HalfStep, shift: np.ndarray, scale: np.ndarray) -> HalfStep:
        """The same half-step for the data before standardising: densities shrink by the scale."""
        if not self.standardise:
            return step
        change = len(self.data) * np.log(scale).sum()
        return step._replace(
            params=self.model.rescale(step.params, shift, scale),
            posterior_params=self.model.rescale(step.posterior_params, shift, scale),
            elbo=step.elbo - change,
            log_likelihood=step.log_likelihood - change,
        )


class Runs:
    """The last few runs of one session. A new one ends those still going on."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, Run] = OrderedDict()

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
