"""What a process does for one fit: EM from a start."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from em_core import HalfStep, em
from em_core.data import check, prepare
from em_core.half_steps import StopReason
from pages.ui.families.starting import Beginning


def climb(
    model, data, weights, start: Beginning, tolerance: float, max_iterations: int, told: int
) -> Generator[tuple[HalfStep, ...], None, StopReason]:
    """EM, one iteration at a time, without its first `told` half-steps; returns why it stopped.

    An M half-step comes without the parameters of its q, which are those of the half-step before:
    else they would travel, and be kept, twice. `complete` puts them back.
    """
    steps = em(
        model, data, start(data, weights), weights=weights, tolerance=tolerance,
        max_iterations=max_iterations, confirm=True,
    )  # fmt: skip
    taken: list[HalfStep] = []
    before = None
    index = 0
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            return end.value
        if index >= told:
            known = before is not None and step.posterior_params is before
            taken.append(step._replace(posterior_params=None) if known else step)
        before, index = step.params, index + 1
        # A run pauses on an E half-step only, where the bound touches.
        if taken and step.phase != "M":
            yield tuple(taken)
            taken = []


def complete(told: Iterable[HalfStep], before: HalfStep | None) -> Iterator[HalfStep]:
    """The half-steps that `climb` tells, whole again. before: the one before the first of them."""
    for step in told:
        if step.posterior_params is None and before is not None:
            step = step._replace(posterior_params=before.params)
        yield step
        before = step


# What an E-step takes: data as the model prepares them, and their weights.
Rows = tuple[Any, np.ndarray | None]


class Ended(NamedTuple):
    """What a process needs of a finished run. data, weights: what EM went by; n_observations: as
    its fit counts them."""

    key: str
    model: Any
    data: Any
    trace: tuple[HalfStep, ...]
    n_observations: float
    weights: np.ndarray | None = None

    @property
    def rows(self) -> Rows:
        return prepare(self.model, check(self.model, self.data), self.weights), self.weights
