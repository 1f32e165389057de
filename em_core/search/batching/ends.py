"""Where some iterations of EM lead, from several starts side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from em_core.half_steps import HalfStep, has_collapsed
from em_core.search.batching.stepping import strategy

# What begins there goes on with other data: so many nats may be left.
ENOUGH = 1e-2


def sound_ends(
    model, data, starts: Sequence[Any], weights: np.ndarray | None, iterations: int
) -> list[HalfStep]:
    """The last half-step of each run of at most so many iterations, in the order of the starts;
    without those that are not finite, or in which a component has degenerated."""
    latest: dict[int, HalfStep] = {}
    step = strategy(model)
    options = {"weights": weights, "tolerance": ENOUGH, "max_iterations": iterations}
    for advances in step(model, data, starts, **options):
        for advance in advances:
            if advance.half_steps:
                latest[advance.run] = advance.half_steps[-1]
    ends = (latest[run] for run in sorted(latest))
    return [e for e in ends if np.isfinite(e.log_likelihood) and not has_collapsed(e.flags)]
