"""What emissions of items share: one indicator feature for each level of each column."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from em_core.emissions.exponential_family import ExponentialFamily
from em_core.emissions.kernels.linear import (
    log_probability,
)


class Items(ExponentialFamily):
    """Answers to items: one indicator feature for each level of each column, after the 1."""

    discrete: ClassVar = True

    def _levels(self, data: np.ndarray, params) -> np.ndarray:
        """(D,) how many levels each column has."""
        raise NotImplementedError

    def _flat(self, params) -> np.ndarray:
        """(K, P) probabilities of all levels of all columns."""
        raise NotImplementedError

    def level_probabilities(self, params) -> tuple[np.ndarray, ...]:
        """As of `Levels`."""
        raise NotImplementedError

    def _features(self, data, params) -> np.ndarray:
        levels = self._levels(data, params)
        wanted = [data == level for level in range(levels.max())]
        features = [np.ones((len(data), 1))]
        features += [
            np.column_stack([wanted[level][:, d] for level in range(n)])
            for d, n in enumerate(levels)
        ]
        return np.concatenate(features, axis=1)

    def _coefficients(self, params) -> np.ndarray:
        flat = self._flat(params)
        zeros = np.zeros((*flat.shape[:-1], 1))
        return np.concatenate([zeros, log_probability(flat)], axis=-1)

    def column_log_density(self, params, column: int, values) -> np.ndarray:
        """(K, n) log-probability of values (n,) of one column; -inf for what is no level."""
        chances = self.level_probabilities(params)[column]
        values = np.asarray(values, dtype=float)
        known = (values >= 0) & (values < chances.shape[1]) & (values == np.floor(values))
        at = np.where(known, values, 0).astype(int)
        with np.errstate(divide="ignore"):
            return np.where(known, np.log(chances[:, at]), -np.inf)

    def coordinates(self, data, weights=None) -> np.ndarray:
        """(N, P) indicators to measure distances in; a missing value lies at its column's mean."""
        levels = self._levels(data, None)
        indicators = self._features(data, None)[:, 1:]
        missing = np.repeat(np.isnan(data), levels, axis=1)
        counts = np.ones(len(data)) if weights is None else weights
        present = counts @ ~missing
        means = counts @ indicators / np.where(present > 0, present, 1)
        return np.where(missing, means, indicators)
