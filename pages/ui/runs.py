"""Fits in progress and finished: one thread a run, watched by the page while it goes on."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from em_core import HalfStep, em
from em_core.em import Fit, finished

# A fit that ends within this is drawn finished, without a live picture before it.
PATIENCE = 0.4
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

# (the data as they are fitted, their units) -> starting parameters.
Beginning = Callable[[Any, Units], Any]


@dataclass
class Run:
    """One fit: what was asked, and how far it is. `trace` is in the units of `data`.

    stop_reason is None while the run goes on; "stopped" if a person stopped it. fit is the
    finished run, in the units of `data`.
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
    wanted: threading.Event = field(default_factory=threading.Event)
    _steps: Generator[HalfStep, None, str] | None = None

    def begin(self) -> None:
        """Start, or go on after a stop."""
        self.stop_reason, self.error, self.fit = None, "", None
        self.done.clear()
        self.wanted.set()
        threading.Thread(target=self._work, name="em fit", daemon=True).start()

    def stop(self) -> None:
        self.wanted.clear()

    @property
    def running(self) -> bool:
        return not self.done.is_set()

    def _work(self) -> None:
        try:
            self.stop_reason = self._climb()
            self.fit = finished(self.model, list(self.trace), self.stop_reason, self.data)
        except (ValueError, MemoryError, np.linalg.LinAlgError) as error:
            self.error = str(error) or "There is not enough memory for this fit: use fewer rows."
        finally:
            self.done.set()

    def _climb(self) -> str:
        units = self._units()
        if self._steps is None:
            data = self.data if units is AS_THEY_ARE else units.standardised(self.data)
            self._steps = em(
                self.model,
                data,
                self.start(data, units),
                tolerance=self.tolerance,
                max_iterations=self.max_iterations,
            )
        # A run pauses on an E half-step only, where the bound touches.
        while self.wanted.is_set() or (self.trace and self.trace[-1].phase == "M"):
            try:
                step = next(self._steps)
            except StopIteration as end:
                return end.value
            self.trace.append(self._in_data_units(step, units))
        return "stopped"

    def _units(self) -> Units:
        if not self.standardise:
            return AS_THEY_ARE
        return Units.of(self.data)

    def _in_data_units(self, step: HalfStep, units: Units) -> HalfStep:
        """The same half-step for the data before standardising: densities shrink by the scale."""
        if units is AS_THEY_ARE:
            return step
        change = units.offset(self.data)
        return step._replace(
            params=self.model.rescale(step.params, *units),
            posterior_params=self.model.rescale(step.posterior_params, *units),
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
