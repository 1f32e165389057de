"""A run of EM from its start to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from em_core.data import as_numbers, check_weights, count_observations
from em_core.em import em
from em_core.half_steps import HalfStep, StopReason, has_collapsed
from em_core.protocols import Model, optional


@dataclass(frozen=True)
class Fit:
    """A finished run of EM: its model, its whole trace and why it stopped.

    n_observations is the number of rows, or the total of the weights. label_entropy is H(q) of the
    labels alone, in nats, total, where something else is hidden besides them; else None.
    """

    model: Any
    trace: tuple[HalfStep, ...]
    stop_reason: StopReason
    n_observations: float
    label_entropy: float | None

    @property
    def params(self):
        return self.trace[-1].params

    @property
    def entropy(self) -> float:
        """H(q) of the last posterior, in nats, total."""
        return self.trace[-1].entropy

    @property
    def log_likelihood(self) -> float:
        """log p(x | params), natural logarithm, total over the rows."""
        return self.trace[-1].log_likelihood

    @property
    def n_iterations(self) -> int:
        return self.trace[-1].iteration

    @property
    def flags(self) -> tuple[str, ...]:
        return self.trace[-1].flags

    @property
    def collapsed(self) -> bool:
        """Whether a component has degenerated: empty, or with next to no volume.

        Other flags, such as a column without noise of its own in factor analysis, are told but
        taken for an answer.
        """
        return has_collapsed(self.flags)

    @property
    def n_parameters(self) -> int:
        """Free parameters, those at a bound among them (see `Model.n_parameters`)."""
        return self.model.n_parameters(self.params)

    @property
    def aic(self) -> float:
        """-2 log L + 2 k; smaller is better."""
        return -2 * self.log_likelihood + 2 * self.n_parameters

    @property
    def bic(self) -> float:
        """-2 log L + k log n; smaller is better (mclust reports its negative)."""
        return -2 * self.log_likelihood + self.n_parameters * np.log(self.n_observations)

    @property
    def sabic(self) -> float:
        """-2 log L + k log((n + 2) / 24), the sample-size adjusted BIC (Sclove 1987); smaller is
        better. n is that of BIC, which is the total of the weights where there are any."""
        return -2 * self.log_likelihood + self.n_parameters * np.log((self.n_observations + 2) / 24)

    @property
    def caic(self) -> float:
        """-2 log L + k (log n + 1), the consistent AIC (Bozdogan 1987); smaller is better."""
        return self.bic + self.n_parameters

    @property
    def aic3(self) -> float:
        """-2 log L + 3 k, AIC with a stiffer price (Bozdogan 1994); smaller is better."""
        return self.aic + self.n_parameters

    @property
    def icl(self) -> float:
        """BIC + 2 H(q) at the posterior q of the labels: BIC with a price on overlap (McLachlan &
        Peel 2000). What else is hidden, as missing values are, has no part in it."""
        labels = self.entropy if self.label_entropy is None else self.label_entropy
        return self.bic + 2 * labels

    def posterior(self, data):
        """p(z | x, params) of any data with the same columns."""
        return self.model.posterior(self.params, data)

    def predict(self, data) -> np.ndarray:
        """(N,) the most probable component (or state path) of each row, counted from 0."""
        return self.model.predict(self.params, data)

    def impute(self, data):
        """The data with missing values filled by their conditional means, and the deviations."""
        return self.model.impute(self.params, data)


def fit(
    model: Model,
    data,
    *,
    seed: int | np.random.Generator = 0,
    start=None,
    tolerance: float = 1e-3,
    max_iterations: int = 1000,
    weights=None,
    chunks: int = 1,
    map: Callable[..., Iterable] = map,
) -> Fit:
    """Run EM from one start to its end.

    start: a method's name (by default the first of `model.starts`: "k-means++" for a mixture), the
        model's parameters, or responsibilities (N, K).
    The other arguments are those of `em`. Raises ValueError for data, weights or a start that
    the model cannot use.
    """
    data = model.check(data)
    weights = check_weights(weights, len(data))
    params = starting_params(model, data, start, np.random.default_rng(seed), weights)
    steps = em(
        model, data, params, weights=weights, tolerance=tolerance,
        max_iterations=max_iterations, chunks=chunks, map=map,
    )  # fmt: skip
    trace = []
    while True:
        try:
            trace.append(next(steps))
        except StopIteration as stop:
            return finished(model, trace, stop.value, data, weights)


def starting_params(model, data, start, rng: np.random.Generator, weights=None):
    """Parameters to start from, however the start was given: name, parameters, responsibilities."""
    if start is None:
        start = next(iter(model.starts))
    if isinstance(start, str):
        return model.initial_params(data, start, rng, weights)
    if isinstance(start, np.ndarray | list):
        return model.params_from_responsibilities(data, as_numbers(start), weights)
    return start


def finished(model, trace: Sequence[HalfStep], stop_reason: StopReason, data, weights=None) -> Fit:
    """The Fit of a trace."""
    label_entropy = optional(model, "label_entropy")(trace[-1].params, data, weights)
    n_observations = count_observations(model, data, weights)
    return Fit(model, tuple(trace), stop_reason, n_observations, label_entropy)
