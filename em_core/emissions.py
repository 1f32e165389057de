"""Emission distributions p(x | component), as mixtures and hidden Markov models use them.

An emission knows one family of distributions: how its data are prepared, the log-density of every
row under every component, the statistics that weighted rows contribute, and the parameters that
maximise the expected log-density given those statistics.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from em_core.covariances import STRUCTURES, extreme_eigenvalues
from em_core.em import Shared
from em_core.gaussian_kernel import CentredRows, GaussianKernel, squared_distances
from em_core.moments import Moments

# A component with less than this share of all rows has no rows left to estimate anything from.
EMPTY_SHARE = 1e-10
# Squares of larger numbers, summed over rows, overflow.
LARGEST_VALUE = 1e100
# At the floor in every direction, give or take this factor, a component has become a point.
POINT_LIKE = 100


class _MeansAndCovariances(NamedTuple):
    means: np.ndarray
    covariances: np.ndarray


class GaussianParams(_MeansAndCovariances):
    """means (K, D) and covariances (K, D, D), in the units of the data.

    The arrays are read-only copies, so that what is derived from them is worked out once.
    """

    def __new__(cls, means, covariances):
        means, covariances = np.array(means, dtype=float), np.array(covariances, dtype=float)
        means.flags.writeable = covariances.flags.writeable = False
        return super().__new__(cls, means, covariances)

    @cached_property
    def factors(self) -> np.ndarray:
        """(K, D, D) lower Cholesky factors L of the covariances."""
        return np.linalg.cholesky(self.covariances)

    @cached_property
    def precisions(self) -> np.ndarray:
        """(K, D, D) inverse covariances."""
        whitening = np.linalg.inv(self.factors)
        return whitening.transpose(0, 2, 1) @ whitening

    @cached_property
    def precision_diagonals(self) -> np.ndarray:
        """(K, D)"""
        return np.ascontiguousarray(np.einsum("kdd->kd", self.precisions))

    @cached_property
    def log_peaks(self) -> np.ndarray:
        """(K,) log-density at the mean, in nats: -(D log 2 pi + log|Sigma|) / 2."""
        log_diagonals = np.log(np.einsum("kdd->kd", self.factors))
        return -0.5 * self.means.shape[1] * np.log(2 * np.pi) - log_diagonals.sum(axis=1)


class GaussianStatistics(NamedTuple):
    """Expected moments of the rows relative to `centre` (D,), and the unit of each column (D,)."""

    moments: Moments
    centre: Shared
    scale: Shared

    @property
    def counts(self) -> np.ndarray:
        """(K,) expected number of rows of each component."""
        return self.moments.counts


@dataclass(frozen=True)
class Gaussian:
    """N(x | mean, covariance) in any number of dimensions.

    covariance: a name in `covariances.STRUCTURES` ("full", "tied", "diag", "spherical").
    floor: no eigenvalue of a covariance, measured in units of the columns' own standard
        deviations, may fall below this. The M-step is the exact maximiser under that bound, so
        EM stays monotone and the likelihood stays finite and is the real one. A narrower
        covariance could not be told from rounding: as a matrix of doubles it keeps 16 digits
        less those of its condition.
    """

    covariance: str = "full"
    floor: float = 1e-6

    def __post_init__(self):
        if self.covariance not in STRUCTURES:
            names = ", ".join(STRUCTURES)
            raise ValueError(f"unknown covariance {self.covariance!r}: choose one of {names}")
        if not 0 < self.floor < 1:
            raise ValueError("the covariance floor must lie between 0 and 1")

    @property
    def structure(self):
        return STRUCTURES[self.covariance]

    def check(self, data) -> np.ndarray:
        """The data as (N, D) float64. Raises ValueError where no Gaussian can be fitted to them."""
        data = np.asarray(data, dtype=float)
        if data.ndim == 1:
            data = data[:, None]
        if data.ndim != 2 or data.size == 0:
            raise ValueError(f"data have shape {data.shape}: a table of rows and columns is needed")
        if not np.isfinite(data).all():
            raise ValueError("the data hold missing or infinite values: leave those rows out first")
        if np.abs(data).max() > LARGEST_VALUE:
            raise ValueError(f"the data hold numbers beyond {LARGEST_VALUE:g}: use a larger unit")
        return data

    def prepare(self, data, weights=None, params: GaussianParams | None = None) -> CentredRows:
        """Rows about a common origin, component-major: the data's mean, or that of `params`."""
        data = self.check(data)
        if params is None:
            origin = np.average(data, axis=0, weights=weights)
            variances = np.average((data - origin) ** 2, axis=0, weights=weights)
        else:
            origin = params.means.mean(axis=0)
            spread = np.einsum("kdd->kd", params.covariances) + (params.means - origin) ** 2
            variances = spread.mean(axis=0)
        return CentredRows.of(data, origin, variances)

    def kernel(self, params: GaussianParams, rows: CentredRows, log_weights) -> GaussianKernel:
        """Log joint densities and statistics of blocks of rows at these parameters."""
        return GaussianKernel(params, rows, log_weights, self.structure.diagonal)

    def statistics(self, kernel: GaussianKernel) -> GaussianStatistics:
        rows = kernel.rows
        return GaussianStatistics(kernel.totals(), Shared(rows.origin), Shared(rows.scale))

    def params(self, n_components: int, means, covariances) -> GaussianParams:
        """Checked parameters from arrays; raises ValueError naming what is wrong."""
        means = np.asarray(means, dtype=float)
        covariances = np.asarray(covariances, dtype=float)
        if means.ndim == 1:
            means = means[:, None]
        dimension = means.shape[-1]
        if means.shape != (n_components, dimension) or not np.isfinite(means).all():
            raise ValueError(f"give {n_components} means of finite numbers, one row each")
        if covariances.shape != (n_components, dimension, dimension):
            raise ValueError(
                f"covariances have shape {covariances.shape}: "
                f"give {n_components} matrices of {dimension} x {dimension}"
            )
        for k, covariance in enumerate(covariances):
            if not np.allclose(covariance, covariance.T, rtol=1e-9, atol=0):
                raise ValueError(f"the covariance of component {k + 1} is not symmetric")
            try:
                np.linalg.cholesky(covariance)
            except np.linalg.LinAlgError:
                raise ValueError(
                    f"the covariance of component {k + 1} is not positive definite"
                ) from None
        return GaussianParams(means, covariances)

    def around(self, data, means: np.ndarray, weights=None) -> GaussianParams:
        """Given means (K, D), each with the pooled spread of the rows about their nearest mean."""
        weights = np.ones(len(data)) if weights is None else weights
        variances = np.average((data - data.mean(axis=0)) ** 2, axis=0, weights=weights)
        variances = np.where(variances > 0, variances, variances.max() or 1.0)
        unit = np.sqrt(variances)
        nearest = squared_distances(data / unit, means / unit).argmin(axis=1)
        centred = data - means[nearest]
        pooled = (centred * weights[:, None]).T @ centred / weights.sum()
        within = np.diag(pooled) if self.structure.diagonal else pooled
        n_components = len(means)
        covariances = self.structure.estimate(
            np.repeat(within[None], n_components, axis=0),
            np.full(n_components, 1 / n_components),
            self.floor * variances,
        )
        return GaussianParams(means.copy(), covariances)

    def overall(self, data, n_components: int) -> GaussianParams:
        """The same mean and spread, those of all rows, for every component."""
        return self.around(data, np.repeat(data.mean(axis=0)[None], n_components, axis=0))

    def shrink(self, params: GaussianParams, counts: np.ndarray) -> GaussianParams:
        """Covariances drawn towards their pooled average, as by D + 1 further rows each."""
        prior = params.means.shape[1] + 1
        shares = counts / counts.sum()
        pooled = np.tensordot(shares, params.covariances, axes=1)
        counts = counts[:, None, None]
        covariances = (counts * params.covariances + prior * pooled) / (counts + prior)
        return params._replace(covariances=covariances)

    def sample(self, params: GaussianParams, labels: np.ndarray, rng) -> np.ndarray:
        """(N, D): one row for each label (N,) of a component."""
        noise = rng.standard_normal((len(labels), params.means.shape[1]))
        factors = np.linalg.cholesky(params.covariances)
        return params.means[labels] + np.einsum("nij,nj->ni", factors[labels], noise)

    def rescale(self, params: GaussianParams, shift, scale) -> GaussianParams:
        """The parameters of scale * x + shift; scale and shift are (D,)."""
        covariances = params.covariances * (scale[:, None] * scale)
        return GaussianParams(params.means * scale + shift, covariances)

    def m_step(self, params: GaussianParams, statistics: GaussianStatistics) -> GaussianParams:
        """Maximum-likelihood means and covariances under the structure and the floor.

        A component without rows keeps its parameters.
        """
        moments, centre, scale = statistics
        within, shares = moments.within, moments.counts / moments.counts.sum()
        empty = shares <= EMPTY_SHARE
        any_empty = empty.any()
        if any_empty:
            shares = np.where(empty, 0, shares)
        means = centre.value + (moments.origins + moments.offsets)
        covariances = self.structure.estimate(within, shares, None)
        if any_empty:
            means[empty] = params.means[empty]
            if not self.structure.pooled:
                covariances[empty] = params.covariances[empty]
        proposed = GaussianParams(means, covariances)
        if self._clears_floor(proposed, scale.value):
            return proposed
        covariances = self.structure.estimate(within, shares, self.floor * scale.value**2)
        if any_empty and not self.structure.pooled:
            covariances[empty] = params.covariances[empty]
        floored = GaussianParams(means, covariances)
        # At the floor rounding can outweigh what there is to gain: then stay.
        gain = self.expected_log_density(floored, statistics)
        gain -= self.expected_log_density(params, statistics)
        return floored if gain >= 0 else params

    def _clears_floor(self, params: GaussianParams, scale: np.ndarray) -> bool:
        """Whether every eigenvalue is surely above the floor: the smallest exceeds 1 / trace of
        the inverse. Costs nothing, as the E-step needs the inverse anyway."""
        try:
            traces = params.precision_diagonals @ scale**2
        except np.linalg.LinAlgError:
            return False
        # Not "max < limit": NaN must count as below the floor.
        return bool((traces * self.floor < 1).all())

    def expected_log_density(self, params: GaussianParams, statistics: GaussianStatistics) -> float:
        """sum_nk r_nk log N(x_n | mean_k, covariance_k) in nats, from the statistics alone."""
        moments = statistics.moments
        shift = params.means - statistics.centre.value - moments.origins
        if self.structure.diagonal:
            precisions = params.precision_diagonals
            linear = precisions * shift
        else:
            precisions = params.precisions
            linear = (precisions @ shift[:, :, None])[:, :, 0]
        peaks = params.log_peaks - 0.5 * np.einsum("kd,kd->k", linear, shift)
        quadratic = (precisions * moments.scatters).sum()
        return float(moments.counts @ peaks + (linear * moments.sums).sum() - 0.5 * quadratic)

    def flags(self, params: GaussianParams, statistics: GaussianStatistics) -> tuple[str, ...]:
        """Which components are at the covariance floor."""
        scale = statistics.scale.value
        if self._clears_floor(params, scale):
            return ()
        lowest, highest = extreme_eigenvalues(params.covariances, scale).T
        at_floor = lowest <= self.floor * (1 + 1e-3)
        if self.structure.pooled and at_floor.any():
            return (
                "the shared covariance is at its floor: some columns are (nearly) linear "
                "combinations of the others, or there are as many components as distinct rows",
            )
        return tuple(
            f"component {k + 1} is collapsing onto one point: use a shared covariance, fewer "
            "components or another start"
            if highest[k] <= POINT_LIKE * self.floor
            else f"component {k + 1} is at its covariance floor, flat in some direction: use a "
            "shared or diagonal covariance, fewer components or another start"
            for k in np.flatnonzero(at_floor)
        )

    def n_parameters(self, params: GaussianParams) -> int:
        """K D for the means, and the free parameters of the covariance structure."""
        n_components, dimension = params.means.shape
        return n_components * dimension + self.structure.n_parameters(n_components, dimension)
