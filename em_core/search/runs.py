"""One start of many, and the run of EM that it led to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from em_core.fit import Fit
from em_core.half_steps import HalfStep, StopReason, has_collapsed


@dataclass
class StartedRun:
    """One run of EM, from `params`. Starts that turn out to be equal share it."""

    params: Any
    trace: Sequence[HalfStep] = field(default_factory=list)
    stop_reason: StopReason | None = None
    failure: str = ""
    seconds: float = 0.0
    fit: Fit | None = None
    plateau: bool = False
    # That of the last half-step, in nats; a packed trace would have to be unpacked for it.
    log_likelihood: float = np.nan
    # Iterations before it was taken up again.
    before: int = 0

    def follow(self, half_steps: Sequence[HalfStep]) -> None:
        """Half-steps from `params` on; where it was taken up, they begin where its trace ends."""
        if self.trace and half_steps and half_steps[0].phase == "start":
            half_steps = half_steps[1:]
        if self.before:
            half_steps = [s._replace(iteration=s.iteration + self.before) for s in half_steps]
        assert isinstance(self.trace, list), "it has not ended"
        self.trace += half_steps
        if half_steps:
            self.log_likelihood = half_steps[-1].log_likelihood


@dataclass
class SeededStart:
    """One seed of one named start; its run once the start has been made.

    round: 0, or when it is made from what the rounds before have found; parent: from which start.
    """

    seed: Any
    name: str
    round: int = 0
    parent: tuple[str, Any] | None = None
    seconds: float = 0.0
    run: StartedRun | None = None


def taken_up(run: StartedRun) -> StartedRun:
    """The same run, as one that goes on where it was still climbing."""
    fit = run.fit
    if fit is None or run.stop_reason in ("failed", "not_finite") or has_collapsed(fit.flags):
        return replace(run)
    if run.stop_reason == "converged" and not run.plateau:
        return replace(run)
    return replace(
        run, params=fit.params, trace=list(fit.trace), fit=None, stop_reason=None,
        before=fit.n_iterations,
    )  # fmt: skip


def fingerprint(params) -> bytes:
    """The bits of parameters: equal for equal ones."""
    if isinstance(params, tuple):
        return b"".join(map(fingerprint, params))
    return np.asarray(params).tobytes()
