"""Many starts of one model at work: one thread for each search, watched by the page."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from em_core import restarts
from em_core.restarts import Restarts
from pages.ui.runs import AS_THEY_ARE, Units


@dataclass
class Search:
    """EM from every seed of every start on one table.

    units: what standardising took off the data; log-likelihoods are reported for the data
    themselves, `offset` nats above those of `runs`.
    """

    key: str
    model: Any
    data: Any
    starts: tuple[str, ...]
    seeds: range
    tolerance: float
    max_iterations: int
    units: Units = AS_THEY_ARE
    error: str = ""
    stopped: bool = False
    runs: Restarts | None = None
    done: threading.Event = field(default_factory=threading.Event)
    wanted: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> None:
        """Start, or go on after a stop."""
        self.error, self.stopped = "", False
        self.done.clear()
        self.wanted.set()
        threading.Thread(target=self._work, name="em starts", daemon=True).start()

    def stop(self) -> None:
        self.wanted.clear()

    @property
    def running(self) -> bool:
        return not self.done.is_set()

    @property
    def n_starts(self) -> int:
        return len(self.seeds) * len(self.starts)

    @property
    def offset(self) -> float:
        """What standardising took off every log-likelihood, in nats, negative."""
        return -self.units.offset(self.data)

    def params(self, fit) -> Any:
        """A fit's parameters in the units of the data."""
        if self.units is AS_THEY_ARE:
            return fit.params
        return self.model.rescale(fit.params, *self.units)

    def _work(self) -> None:
        try:
            if self.runs is None:
                rows = self.data
                if self.units is not AS_THEY_ARE:
                    rows = self.units.standardised(rows)
                self.runs = restarts(
                    self.model,
                    rows,
                    self.seeds,
                    self.starts,
                    tolerance=self.tolerance,
                    max_iterations=self.max_iterations,
                )
            for _ in self.runs:
                if not self.wanted.is_set():
                    self.stopped = True
                    break
            # The grouping takes a pass over the rows: here, not while a person waits.
            _ = self.runs.landscape
        except (ValueError, MemoryError, np.linalg.LinAlgError) as error:
            self.error = str(error) or "There is not enough memory: use fewer starts or rows."
        finally:
            self.done.set()
