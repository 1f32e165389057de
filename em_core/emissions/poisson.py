"""Poisson counts, with NaN for a missing value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from em_core.coordinates.domains import Positive
from em_core.coordinates.gradients import by_shares
from em_core.emissions.exponential_family import ExponentialFamily, FeatureStatistics, shaped
from em_core.emissions.gaussian import column_moments
from em_core.emissions.kernels.large_counts import (
    LARGE,
    LARGEST_COUNT,
    CountSpreads,
    LargeCountKernel,
)
from em_core.emissions.kernels.linear import (
    IMPOSSIBLE,
    UNWEIGHTED,
    FeatureKernel,
    log_probability,
)
from em_core.imputation import Imputation, filled


class PoissonParams(NamedTuple):
    """rates (K, D): the mean count of each column."""

    rates: np.ndarray


class LargeCountStatistics(NamedTuple):
    """The same of counts so large that expected features do not tell their density, and what does:
    how far they are from the components' means."""

    counts: np.ndarray
    features: np.ndarray
    spreads: CountSpreads


@dataclass(frozen=True)
class Poisson(ExponentialFamily):
    """Independent counts: p(x_d | k) = rate_kd^x exp(-rate_kd) / x!. NaN is missing.

    Features: 1, -sum_d log x_d!, the counts, and 1 for each count that is there.
    """

    discrete: ClassVar = True
    DIMS: ClassVar = {"rates": ("component", "column")}

    def _check_column(self, number: int, values: np.ndarray, to_fit: bool) -> None:
        wrong = values[(values < 0) | (values != np.floor(values)) | (values > LARGEST_COUNT)]
        if len(wrong):
            raise ValueError(
                f"column {number} holds {wrong[0]:g}: counts are whole numbers from 0 to "
                f"{LARGEST_COUNT:,}; leave the column out or use a Gaussian"
            )

    def _large(self, data, params) -> bool:
        # New data come in any chunks, which must all be taken alike.
        return bool(np.fmax.reduce(data if params is None else params.rates, axis=None) > LARGE)

    def _features(self, data, params) -> np.ndarray:
        # Importing scipy.special costs more than `import em_core` may.
        from scipy.special import gammaln

        present = ~np.isnan(data)
        counts = np.where(present, data, 0)
        base = -gammaln(counts + 1).sum(axis=1)
        return np.column_stack([np.ones(len(data)), base, counts, present])

    def _coefficients(self, params) -> np.ndarray:
        rates = params.rates
        ends = np.broadcast_to([0.0, 1.0], (*rates.shape[:-1], 2))
        return np.concatenate([ends, log_probability(rates), -rates], axis=-1)

    def impossible(self, params, data) -> np.ndarray:
        return (data > 0) & (params.rates[:, None] == 0)

    def _estimate(self, features, fallback) -> PoissonParams:
        totals, seen = np.split(features[..., 2:], 2, axis=-1)
        old = 1.0 if fallback is None else fallback.rates
        return PoissonParams(np.where(seen > 0, totals / np.where(seen > 0, seen, 1), old))

    def _gradient(self, params, features) -> np.ndarray:
        totals, seen = np.split(features[..., 2:], 2, axis=-1)
        return by_shares(totals, params.rates) - seen

    def coordinates(self, data, weights=None) -> np.ndarray:
        """(N, D) roots of the counts, which vary alike; a missing value lies at the mean."""
        roots = np.sqrt(data)
        if not np.isnan(roots).any():
            return roots
        means = np.nanmean(roots, axis=0) if weights is None else column_moments(roots, weights)[0]
        return np.where(np.isnan(roots), means, roots)

    def opened(self, params, n_rows: int) -> PoissonParams:
        """A column that is 0 in all rows of the sample might have been 1 in one more."""
        return PoissonParams(np.maximum(params.rates, 1 / (n_rows + 1)))

    def params(self, n_components: int, rates) -> PoissonParams:
        """Checked parameters from an array (K, D); raises ValueError naming what is wrong."""
        return PoissonParams(shaped(rates, n_components, 2, "rates", LARGEST_COUNT))

    def domains(self, params) -> tuple:
        """Where the parameters may lie, for `Coordinates`."""
        return (Positive(params.rates, "rate"),)

    def of_columns(self, columns):
        """One component with the largest counts of the columns, which say how counts are taken."""
        return PoissonParams(columns.highest[None])

    def sample(self, params, labels: np.ndarray, rng) -> np.ndarray:
        """(N, D): one row for each label (N,) of a component. Like all counts they end at
        LARGEST_COUNT, which only rates next to it reach."""
        return np.minimum(rng.poisson(params.rates[labels]).astype(float), LARGEST_COUNT)

    def column_means(self, params) -> np.ndarray:
        """(K, D)."""
        return params.rates

    def column_deviations(self, params) -> np.ndarray:
        """(K, D) roots of the means."""
        return np.sqrt(params.rates)

    def column_log_density(self, params, column: int, values) -> np.ndarray:
        """(K, n) log-probability of counts (n,) of one column."""
        from scipy.special import gammaln, xlogy

        rates = params.rates[:, column, None]
        return xlogy(values, rates) - rates - gammaln(values + 1)

    def kernel(self, params, rows, log_weights=UNWEIGHTED, relative=False) -> FeatureKernel:
        """Log joint densities and expected features of blocks of rows at these parameters."""
        coefficients = self._joint_coefficients(params, log_weights)
        if rows.large:
            return LargeCountKernel(coefficients, rows, params.rates, log_weights)
        return FeatureKernel(coefficients, rows)

    def statistics(self, kernel) -> FeatureStatistics | LargeCountStatistics:
        statistics = super().statistics(kernel)
        if isinstance(kernel, LargeCountKernel):
            return LargeCountStatistics(*statistics, kernel.spreads)
        return statistics

    def expected_log_density(self, params, statistics, log_weights=UNWEIGHTED):
        """As of any emission; of large counts by their deviances."""
        if isinstance(statistics, FeatureStatistics):
            return super().expected_log_density(params, statistics, log_weights)
        spreads = statistics.spreads
        value = statistics.counts * log_weights - spreads.spreads - spreads.from_rates(params.rates)
        value = value.sum(axis=-1)
        return np.where(value < IMPOSSIBLE / 2, -np.inf, value)[()]

    def impute(self, params, data, responsibilities) -> Imputation:
        """Missing values filled with their means, and the standard deviations."""
        means = responsibilities @ params.rates
        squares = responsibilities @ (params.rates + params.rates**2)
        return filled(data, means, np.sqrt(np.maximum(squares - means**2, 0)))

    def n_parameters(self, params) -> int:
        """K D."""
        return int(np.prod(params.rates.shape[-2:]))
