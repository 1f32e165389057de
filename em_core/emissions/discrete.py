"""Emissions of items and counts: Bernoulli, Categorical, Poisson, with NaN for a missing value.

Each is an exponential family: the log-density is linear in features of the row. A missing value
has the features zero: missing at random, it says nothing about the component.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from em_core.coordinates.domains import Chances, Fixed, Positive, Shares
from em_core.coordinates.gradients import by_shares
from em_core.data import as_table
from em_core.emissions.kernels.large_counts import LARGE, CountSpreads, LargeCountKernel
from em_core.emissions.kernels.linear import (
    IMPOSSIBLE,
    SMALLEST_PROBABILITY,
    UNWEIGHTED,
    FeatureKernel,
    FeatureRows,
    log_probability,
)
from em_core.emissions.kernels.responsibilities import LEAST_SHARE
from em_core.imputation import Imputation, filled

# What is expected with probability 0, of so little, costs as much as with the smallest probability.
ROUNDING = 1e-10
LOWEST = float(np.log(np.finfo(float).tiny))
MOST_LEVELS = 1000
# Beyond it a double does not hold all digits of what is summed over rows.
LARGEST_COUNT = 10**12


class BernoulliParams(NamedTuple):
    """probabilities (K, D) = p(x_d = 1 | k)."""

    probabilities: np.ndarray


class CategoricalParams(NamedTuple):
    """probabilities (K, D, C) = p(x_d = c | k), 0 for c from levels_d on; levels (D,).

    Leading axes are for models fitted side by side, all with the same levels.
    """

    probabilities: np.ndarray
    levels: np.ndarray


class PoissonParams(NamedTuple):
    """rates (K, D): the mean count of each column."""

    rates: np.ndarray


class DiscreteStatistics(NamedTuple):
    """counts (K,): expected rows of each component; features (K, P): their expected features."""

    counts: np.ndarray
    features: np.ndarray


class LargeCountStatistics(NamedTuple):
    """The same of counts so large that expected features do not tell their density, and what does:
    how far they are from the components' means."""

    counts: np.ndarray
    features: np.ndarray
    spreads: CountSpreads


class _Discrete:
    """What these emissions share. Each brings `_check_column`, `_features` (N, P) of a table,
    `_coefficients` (K, P) of the log-density, `_estimate`, the parameters that maximise it, and
    `_gradient`, its derivatives by the first array of them, and `impossible` (K, N, D), which cells
    of a table have probability 0.

    Where a component never showed a level, its maximum-likelihood probability is 0 and stays so.
    """

    batches = True
    discrete = True

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

    def statistics(self, kernel: FeatureKernel) -> DiscreteStatistics:
        features = kernel.totals.reshape(*kernel.batch, -1)
        return DiscreteStatistics(features[..., 0], features)

    def only_labels(self, data) -> bool:
        """Whether nothing is latent within the components: missing items are summed out."""
        return True

    def expected_log_density(self, params, statistics: DiscreteStatistics, log_weights=UNWEIGHTED):
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

    def expected_log_density_gradient(self, params, statistics: DiscreteStatistics):
        """Derivatives of `expected_log_density` by every entry of every array; 0 by the levels,
        which are given."""
        by_first = self._gradient(params, statistics.features)
        return type(params)(by_first, *(np.zeros(np.shape(part)) for part in params[1:]))

    def m_step(self, params, statistics: DiscreteStatistics, shares):
        """Maximum-likelihood parameters; where a component saw no value, they stay.

        shares (K,): counts over their sum. A component without rows keeps its parameters.
        """
        found = self._estimate(statistics.features, params)
        empty = shares <= LEAST_SHARE
        if not empty.any():
            return found
        empty = empty.reshape(empty.shape + (1,) * (found[0].ndim - empty.ndim))
        return found._replace(**{found._fields[0]: np.where(empty, params[0], found[0])})

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


class _Items(_Discrete):
    """Answers to items: one indicator feature for each level of each column, after the 1."""

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

    def coordinates(self, data) -> np.ndarray:
        """(N, P) indicators to measure distances in; a missing value lies at its column's mean."""
        levels = self._levels(data, None)
        indicators = self._features(data, None)[:, 1:]
        missing = np.repeat(np.isnan(data), levels, axis=1)
        present = np.maximum((~missing).sum(axis=0), 1)
        return np.where(missing, indicators.sum(axis=0) / present, indicators)


@dataclass(frozen=True)
class Bernoulli(_Items):
    """Independent binary items: x_d = 1 with probability p_kd, else 0. NaN is missing."""

    binary: ClassVar = True
    DIMS: ClassVar = {"probabilities": ("component", "column")}

    def _check_column(self, number: int, values: np.ndarray, to_fit: bool) -> None:
        wrong = values[(values != 0) & (values != 1)]
        if len(wrong):
            raise ValueError(
                f"column {number} holds {wrong[0]:g}: Bernoulli items are 0 or 1; use Categorical "
                "for more levels, or leave the column out"
            )

    def _levels(self, data, params) -> np.ndarray:
        return np.full(data.shape[1], 2)

    def impossible(self, params, data) -> np.ndarray:
        ones = params.probabilities[:, None]
        return ((data == 1) & (ones < SMALLEST_PROBABILITY)) | (
            (data == 0) & (1 - ones < SMALLEST_PROBABILITY)
        )

    def _flat(self, params) -> np.ndarray:
        ones = params.probabilities
        return np.stack([1 - ones, ones], axis=-1).reshape(*ones.shape[:-1], -1)

    def _estimate(self, features, fallback) -> BernoulliParams:
        zeros, ones = features[..., 1::2], features[..., 2::2]
        seen = zeros + ones
        old = 0.5 if fallback is None else fallback.probabilities
        return BernoulliParams(np.where(seen > 0, ones / np.where(seen > 0, seen, 1), old))

    def _gradient(self, params, features) -> np.ndarray:
        chances = params.probabilities
        zeros, ones = features[..., 1::2], features[..., 2::2]
        return by_shares(ones, chances) - by_shares(zeros, 1 - chances)

    def params(self, n_components: int, probabilities) -> BernoulliParams:
        """Checked parameters from an array (K, D); raises ValueError naming what is wrong."""
        return BernoulliParams(_shaped(probabilities, n_components, 2, "probabilities", 1.0))

    def domains(self, params) -> tuple:
        """Where the parameters may lie, for `Coordinates`."""
        return (Chances(params.probabilities, "probability"),)

    def sample(self, params, labels: np.ndarray, rng) -> np.ndarray:
        """(N, D): one row for each label (N,) of a component."""
        wanted = params.probabilities[labels]
        return (rng.random(wanted.shape) < wanted).astype(float)

    def column_means(self, params) -> np.ndarray:
        """(K, D) p(x = 1)."""
        return params.probabilities

    def column_deviations(self, params) -> np.ndarray:
        """(K, D) standard deviations."""
        return np.sqrt(params.probabilities * (1 - params.probabilities))

    def level_probabilities(self, params) -> tuple[np.ndarray, ...]:
        """For each column (K, 2): p(x = 0) and p(x = 1)."""
        ones = params.probabilities
        return tuple(np.moveaxis(np.stack([1 - ones, ones], axis=-1), 1, 0))

    def impute(self, params, data, responsibilities) -> Imputation:
        """Missing values filled with p(x = 1), and the standard deviation of x."""
        means = responsibilities @ params.probabilities
        return filled(data, means, np.sqrt(means * (1 - means)))

    def n_parameters(self, params) -> int:
        """K D."""
        return int(np.prod(params.probabilities.shape[-2:]))


@dataclass(frozen=True)
class Categorical(_Items):
    """Independent items of several levels, coded 0, 1, 2, ...: x_d = c with probability p_kdc.

    levels: number of levels of each column; by default as many as the data show. In new data any
    other level has probability 0.
    """

    levels: tuple[int, ...] | None = None
    binary: ClassVar = False
    DIMS: ClassVar = {"probabilities": ("component", "column", "level"), "levels": ("column",)}

    def _check_column(self, number: int, values: np.ndarray, to_fit: bool) -> None:
        beyond = MOST_LEVELS if to_fit else np.inf
        wrong = values[(values < 0) | (values != np.floor(values)) | (values >= beyond)]
        if len(wrong):
            raise ValueError(
                f"column {number} holds {wrong[0]:g}: levels are coded 0, 1, 2, ... up to "
                f"{MOST_LEVELS - 1}; recode it or leave it out"
            )
        if to_fit and self.levels is not None and values.max() >= self.levels[number - 1]:
            raise ValueError(
                f"column {number} holds {values.max():g}, and has only "
                f"{self.levels[number - 1]} levels, 0 to {self.levels[number - 1] - 1}"
            )

    def _levels(self, data, params) -> np.ndarray:
        if params is not None:
            return params.levels
        if self.levels is not None:
            return np.array(self.levels)
        return np.nanmax(data, axis=0).astype(int) + 1

    def _n_columns(self, params) -> int:
        return params.levels.shape[-1]

    def _unseen(self, data, params) -> np.ndarray | None:
        if params is None:
            return None
        # NaN is beyond nothing.
        unseen = (data >= params.levels).any(axis=1)
        return unseen if unseen.any() else None

    def _levels_of(self, data) -> CategoricalParams:
        levels = self._levels(data, None)
        uniform = (np.arange(levels.max()) < levels[:, None]) / levels[:, None]
        return CategoricalParams(uniform, levels)

    def impossible(self, params, data) -> np.ndarray:
        missing, beyond = np.isnan(data), data >= params.levels
        levels = np.where(missing | beyond, 0, data).astype(int)
        chances = params.probabilities[:, np.arange(data.shape[1]), levels]
        return beyond | (~missing & (chances < SMALLEST_PROBABILITY))

    def _flat(self, params) -> np.ndarray:
        return params.probabilities[..., *_used(params.levels)]

    def _estimate(self, features, fallback) -> CategoricalParams:
        counts = _by_level(features, fallback.levels)
        seen = counts.sum(axis=-1, keepdims=True)
        probabilities = counts / np.where(seen > 0, seen, 1)
        probabilities = np.where(seen > 0, probabilities, fallback.probabilities)
        return CategoricalParams(probabilities, fallback.levels)

    def _gradient(self, params, features) -> np.ndarray:
        return by_shares(_by_level(features, params.levels), params.probabilities)

    def params(self, n_components: int, probabilities, levels=None) -> CategoricalParams:
        """Checked parameters from an array (K, D, C); raises ValueError naming what is wrong.

        levels (D,): by default those of the emission, or all C of them.
        """
        probabilities = _shaped(probabilities, n_components, 3, "probabilities", 1.0)
        if not np.allclose(probabilities.sum(axis=-1), 1):
            raise ValueError("the probabilities of each component and column must sum to 1")
        levels = self.levels if levels is None else levels
        if levels is None:
            levels = np.full(probabilities.shape[1], probabilities.shape[2])
        return CategoricalParams(probabilities, np.array(levels))

    def domains(self, params) -> tuple:
        """Where the parameters may lie, for `Coordinates`."""
        chances = params.probabilities
        there = np.arange(chances.shape[-1]) < params.levels[:, None]
        allowed = np.broadcast_to(there, chances.shape)
        return Shares(chances, "probability", allowed), Fixed(params.levels)

    def sample(self, params, labels: np.ndarray, rng) -> np.ndarray:
        """(N, D): one row for each label (N,) of a component."""
        cumulative = params.probabilities.cumsum(axis=-1)[labels]
        draws = rng.random(cumulative.shape[:2])[..., None] * cumulative[..., -1:]
        return (draws >= cumulative).sum(axis=-1).astype(float)

    def column_means(self, params) -> np.ndarray:
        """(K, D) means of the levels' codes."""
        return params.probabilities @ np.arange(params.probabilities.shape[-1])

    def column_deviations(self, params) -> np.ndarray:
        """(K, D) standard deviations of the levels' codes."""
        squares = params.probabilities @ np.arange(params.probabilities.shape[-1]) ** 2
        return np.sqrt(np.maximum(squares - self.column_means(params) ** 2, 0))

    def level_probabilities(self, params) -> tuple[np.ndarray, ...]:
        """For each column (K, C): the probability of each of its levels."""
        return tuple(params.probabilities[:, d, :n] for d, n in enumerate(params.levels))

    def impute(self, params, data, responsibilities) -> Imputation:
        """Missing values filled with the most probable level; the deviation of its indicator."""
        chances = np.einsum("nk,kdc->ndc", responsibilities, params.probabilities)
        highest = chances.max(axis=-1)
        return filled(data, chances.argmax(axis=-1), np.sqrt(highest * (1 - highest)))

    def n_parameters(self, params) -> int:
        """K times the levels of all columns less one each."""
        return params.probabilities.shape[-3] * int((params.levels - 1).sum())


@dataclass(frozen=True)
class Poisson(_Discrete):
    """Independent counts: p(x_d | k) = rate_kd^x exp(-rate_kd) / x!. NaN is missing.

    Features: 1, -sum_d log x_d!, the counts, and 1 for each count that is there.
    """

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
        return (data > 0) & (params.rates[:, None] < SMALLEST_PROBABILITY)

    def _estimate(self, features, fallback) -> PoissonParams:
        totals, seen = np.split(features[..., 2:], 2, axis=-1)
        old = 1.0 if fallback is None else fallback.rates
        return PoissonParams(np.where(seen > 0, totals / np.where(seen > 0, seen, 1), old))

    def _gradient(self, params, features) -> np.ndarray:
        totals, seen = np.split(features[..., 2:], 2, axis=-1)
        return by_shares(totals, params.rates) - seen

    def coordinates(self, data) -> np.ndarray:
        """(N, D) roots of the counts, which vary alike; a missing value lies at the mean."""
        roots = np.sqrt(data)
        return np.where(np.isnan(roots), np.nanmean(roots, axis=0), roots)

    def params(self, n_components: int, rates) -> PoissonParams:
        """Checked parameters from an array (K, D); raises ValueError naming what is wrong."""
        return PoissonParams(_shaped(rates, n_components, 2, "rates", np.inf))

    def domains(self, params) -> tuple:
        """Where the parameters may lie, for `Coordinates`."""
        return (Positive(params.rates, "rate"),)

    def sample(self, params, labels: np.ndarray, rng) -> np.ndarray:
        """(N, D): one row for each label (N,) of a component."""
        return rng.poisson(params.rates[labels]).astype(float)

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

    def statistics(self, kernel) -> DiscreteStatistics | LargeCountStatistics:
        statistics = super().statistics(kernel)
        if isinstance(kernel, LargeCountKernel):
            return LargeCountStatistics(*statistics, kernel.spreads)
        return statistics

    def expected_log_density(self, params, statistics, log_weights=UNWEIGHTED):
        """As of any emission; of large counts by their deviances."""
        if isinstance(statistics, DiscreteStatistics):
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


def _used(levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns and levels of the flat list of all columns' levels (..., D)."""
    levels = levels.reshape(-1, levels.shape[-1])[0]
    return np.nonzero(np.arange(levels.max()) < levels[:, None])


def _by_level(features: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """(..., K, D, C) expected number of each level, from the features (..., K, P)."""
    counts = np.zeros((*features.shape[:-1], levels.shape[-1], levels.max()))
    counts[..., *_used(levels)] = features[..., 1:]
    return counts


def _shaped(values, n_components: int, axes: int, name: str, highest: float) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    if values.ndim != axes or len(values) != n_components:
        raise ValueError(
            f"{name} have shape {values.shape}: give {n_components} components and {axes} axes"
        )
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > highest:
        bound = "not negative" if np.isinf(highest) else f"from 0 to {highest:g}"
        raise ValueError(f"{name} must be finite and {bound}")
    return values
