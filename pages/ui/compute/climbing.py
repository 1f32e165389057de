"""What a process does for one fit: EM from a start."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from em_core import HalfStep, em
from em_core.data import check, prepare
from em_core.fit import label_entropy, opened_to_all, to_start_from
from em_core.half_steps import StopReason
from em_core.partitions.partitions import Partitions
from pages.ui.compute.going_over import going_over
from pages.ui.families.starting import Beginning, FromParams


def climb(
    model, data, weights, start: Beginning, tolerance: float, max_iterations: int, told: int
) -> Generator[tuple[HalfStep, ...], None, StopReason]:
    """EM, one iteration at a time, without its first `told` half-steps; returns why it stopped.

    An M half-step comes without the parameters of its q, which are those of the half-step before:
    else they would travel, and be kept, twice. `complete` puts them back.
    """
    params = start(*to_start_from(data, weights))
    if not isinstance(start, FromParams):
        params = opened_to_all(model, params, data)
    steps = em(
        model, data, params, weights=weights, tolerance=tolerance,
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


class Told(NamedTuple):
    """Some half-steps of a run over a data set on the server, and how many workers of a cluster
    were there; 0 without a cluster."""

    half_steps: tuple[HalfStep, ...]
    n_workers: int


class Ending(NamedTuple):
    """Why such a run stopped, and H(q) of its labels alone, as of `Fit`."""

    stop_reason: StopReason
    label_entropy: float | None


def climb_over(
    model, rows: Partitions, start: Beginning, tolerance: float, max_iterations: int, told: int
) -> Generator[Told, None, Ending]:
    """As `climb`, over all rows of a data set on the server."""
    with going_over(rows) as over:
        steps = climb(model, over.rows, None, start, tolerance, max_iterations, told)
        last = None
        while True:
            try:
                half_steps = next(steps)
            except StopIteration as end:
                entropy = label_entropy(model, last, over.rows)
                return Ending(end.value, entropy)
            last = half_steps[-1].params
            yield Told(half_steps, over.n_workers())


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
