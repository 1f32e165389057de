"""Emissions whose log-density is linear in features of the row: exponential families.

A missing value (NaN) has the features zero: missing at random, it says nothing about the component.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from em_core.data import as_table
from em_core.emissions.kernels.linear import (
    IMPOSSIBLE,
    SMALLEST_PROBABILITY,
    UNWEIGHTED,
    FeatureKernel,
    FeatureRows,
)
from em_core.emissions.kernels.responsibilities import LEAST_SHARE

# What is expected with probability 0, of so little, costs as much as with the smallest probability.
ROUNDING = 1e-10
LOWEST = float(np.log(np.finfo(float).tiny))


class FeatureStatistics(NamedTuple):
    """counts (K,): expected rows of each component; features (K, P): their expected features."""

    counts: np.ndarray
    features: np.ndarray


class ExponentialFamily:
    """What exponential families share. Each brings the first five methods, and `impossible` (K, N,
    D), which cells of a table have probability 0.

    Where a component never showed a level, its maximum-likelihood probability is 0 and stays so.
    """

    batches = True

    def _check_column(self, number: int, values: np.ndarray, to_fit: bool) -> None:
        """Raises ValueError where values (n,) of a column, counted from 1, are no such numbers."""
        raise NotImplementedError

    def _features(self, data: np.ndarray, params) -> np.ndarray:
        """(N, P) features of the rows of a table, the first of them 1; a missing value has none."""
        raise NotImplementedError

    def _coefficients(self, params) -> np.ndarray:
        """(K, P) what each feature counts for in the log-density."""
        raise NotImplementedError

    def _estimate(self, features: np.ndarray, fallback) -> Any:
        """The parameters that maximise the log-density of expected features (K, P); those of
        `fallback`, where there are any, for what was not seen."""
        raise NotImplementedError

    def _gradient(self, params, features: np.ndarray) -> np.ndarray:
        """Derivatives of the log-density of expected features (K, P) by the first array of
        parameters."""
        raise NotImplementedError

    def check(self, data, params=None) -> np.ndarray:
        """The data as (N, D) float64. Raises ValueError naming a column that does not fit.

        params: None for data to be fitted. New data have the columns of the parameters, some of
        which may be missing in all rows or hold levels not seen before.
        """
        data = as_table(data, None if params is None else self._n_columns(params))
        for d, column in enumerate(data.T):
            present = column[~np.isnan(column)]
            if len(present):
                self._check_column(d + 1, present, to_fit=params is None)
            elif params is None:
                raise ValueError(f"column {d + 1} holds no values at all: leave it out")
        return data

    def _n_columns(self, params) -> int:
        return params[0].shape[-1]

    def prepare(self, data, weights=None, params=None) -> FeatureRows:
        """Features of every row; `params`, if given, say which levels there are."""
        data = self.check(data, params)
        features = np.ascontiguousarray(self._features(data, params).T)
        return FeatureRows(features, self._unseen(data, params), self._large(data, params))

    def _unseen(self, data, params) -> np.ndarray | None:
        """(N,) which rows hold a level that the parameters do not have; None if there is none."""
        return None

    def _large(self, data, params) -> bool:
        """Whether these are counts too large for linear log-densities."""
        return False

    def kernel(
        self, params, rows: FeatureRows, log_weights=UNWEIGHTED, relative=False
    ) -> FeatureKernel:
        """Log joint densities and expected features of blocks of rows at these parameters."""
        return FeatureKernel(self._joint_coefficients(params, log_weights), rows)

    def statistics(self, kernel: FeatureKernel) -> Any:
        features = kernel.totals.reshape(*kernel.batch, -1)
        return FeatureStatistics(features[..., 0], features)

    def only_labels(self, data) -> bool:
        """Whether nothing is latent within the components: missing items are summed out."""
        return True

    def expected_log_density(self, params, statistics: FeatureStatistics, log_weights=UNWEIGHTED):
        """sum_nk r_nk log p(x_n | k) in nats, from the statistics alone; with log_weights (K,),
        r_nk times these added."""
        coefficients, features = self._joint_coefficients(params, log_weights), statistics.features
        ruled_out = coefficients <= IMPOSSIBLE
        if not ruled_out.any():
            return (coefficients * features).sum(axis=(-1, -2))
        # So little may be rounding, where 1 less a probability near 1 is 0.
        little = ROUNDING * features[..., :1].sum(axis=-2, keepdims=True)
        value = (np.where(ruled_out, LOWEST, coefficients) * features).sum(axis=(-1, -2))
        return np.where((ruled_out & (features > little)).any(axis=(-1, -2)), -np.inf, value)[()]

    def _joint_coefficients(self, params, log_weights) -> np.ndarray:
        coefficients = self._coefficients(params)
        coefficients[..., 0] += log_weights
        return coefficients

    def expected_log_density_gradient(self, params, statistics: FeatureStatistics):
        """Derivatives of `expected_log_density` by every entry of every array; 0 by the levels,
        which are given."""
        by_first = self._gradient(params, statistics.features)
        return type(params)(by_first, *(np.zeros(np.shape(part)) for part in params[1:]))

    def m_step(self, params, statistics: FeatureStatistics, shares):
        """Maximum-likelihood parameters; where a component saw no value, they stay.

        shares (K,): counts over their sum. A component without rows keeps its parameters.
        """
        found = self._estimate(statistics.features, params)
        name, best = found._fields[0], found[0]
        found = found._replace(**{name: np.where(best < SMALLEST_PROBABILITY, 0, best)})
        empty = shares <= LEAST_SHARE
        if not empty.any():
            return found
        empty = empty.reshape(empty.shape + (1,) * (found[0].ndim - empty.ndim))
        return found._replace(**{name: np.where(empty, params[0], found[0])})

    def flags(self, params, statistics) -> tuple[str, ...]:
        return ()

    # Starts

    def overall(self, data, n_components: int, weights=None):
        """The same parameters, those of all rows, for every component."""
        mean = np.average(self._features(data, None), axis=0, weights=weights)
        return self._estimate(np.repeat(mean[None], n_components, axis=0), self._levels_of(data))

    def near(self, data, rows: np.ndarray, weights=None):
        """Components halfway between each of some rows (K,) and all rows."""
        features = self._features(data, None)
        mean = np.average(features, axis=0, weights=weights)
        return self._estimate(features[rows] + mean, self._levels_of(data))

    def shrink(self, params, counts: np.ndarray):
        """Parameters drawn towards their pooled average, as by one further row each: a zero from
        a hard partition would stay zero for ever."""
        pooled = np.tensordot(counts / counts.sum(), params[0], axes=1)
        counts = counts.reshape(-1, *[1] * pooled.ndim)
        return type(params)((counts * params[0] + pooled) / (counts + 1), *params[1:])

    def _levels_of(self, data):
        """Parameters (any) that say which levels the data have, where that matters."""
        return None


def shaped(values, n_components: int, axes: int, name: str, highest: float) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    if values.ndim != axes or len(values) != n_components:
        raise ValueError(
            f"{name} have shape {values.shape}: give {n_components} components and {axes} axes"
        )
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > highest:
        bound = "not negative" if np.isinf(highest) else f"from 0 to {highest:,.15g}"
        raise ValueError(f"{name} must be finite and {bound}")
    return values
