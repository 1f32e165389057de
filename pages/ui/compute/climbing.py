"""What a process does for one fit: EM from a start."""

from __future__ import annotations

import itertools
from collections.abc import Generator
from typing import Any, NamedTuple

from em_core import HalfStep, em
from pages.ui.families.starting import Beginning


def climb(
    model, data, start: Beginning, tolerance: float, max_iterations: int, told: int
) -> Generator[tuple[HalfStep, ...], None, str]:
    """EM, one iteration at a time, without its first `told` half-steps; returns why it stopped."""
    steps = em(model, data, start(data), tolerance=tolerance, max_iterations=max_iterations)
    taken: list[HalfStep] = []
    for index in itertools.count():
        try:
            step = next(steps)
        except StopIteration as end:
            return end.value
        if index >= told:
            taken.append(step)
        # A run pauses on an E half-step only, where the bound touches.
        if taken and step.phase != "M":
            yield tuple(taken)
            taken = []


class Ended(NamedTuple):
    """What a process needs of a finished run. n_observations: as its fit counts them."""

    key: str
    model: Any
    data: Any
    trace: tuple[HalfStep, ...]
    n_observations: float
