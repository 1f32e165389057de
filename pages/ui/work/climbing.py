"""What a process does for one fit: EM from a start, in the units of the table."""

from __future__ import annotations

import itertools
from collections.abc import Generator
from typing import Any, NamedTuple

import numpy as np

from em_core import HalfStep, em, from_means


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
