"""Emission distributions p(x | component), as mixtures and hidden Markov models use them.

An emission knows one family of distributions: how its data are prepared, the log-density of every
row under every component, the statistics that weighted rows contribute, and the parameters that
maximise the expected log-density given those statistics.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from em_core.coordinates.domains import Real
from em_core.coordinates.gradients import by_covariance
from em_core.data import as_table
from em_core.emissions.covariances.structures import (
    AT_FLOOR,
    STRUCTURES,
    extreme_eigenvalues,
)
from em_core.emissions.kernels.distances import Distances
from em_core.emissions.kernels.extremes import smallest
from em_core.emissions.kernels.gaussian import GaussianKernel
from em_core.emissions.kernels.incomplete import IncompleteKernel, IncompleteRows, impute_by
from em_core.emissions.kernels.linear import UNWEIGHTED
from em_core.emissions.kernels.moments import Moments
from em_core.emissions.kernels.parameters import GaussianParams
from em_core.emissions.kernels.positive_definite import PositiveDefinite, diagonals
from em_core.emissions.kernels.responsibilities import LEAST_SHARE
from em_core.emissions.kernels.rows import CentredRows, units_of
from em_core.half_steps import Collapse, Leap, Shared
from em_core.imputation import Imputation, filled
from em_core.magnitudes import (
    FARTHEST_MEAN,
    LARGEST_VALUE,
    require_spread,
    require_symmetric,
    require_values,
    require_variances,
)
from em_core.protocols import Emission, optional

# A component with less than this share of all rows has no row of its own: if it stays so, it is no
# part of the answer. EM may still bring it back.
EMPTY_SHARE = 1e-10
# So many floors above the floor a covariance is what it seems.
FAR = 1000
# At the floor in every direction, give or take this factor, a component has become a point.
POINT_LIKE = 100


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
    """N(x | mean, covariance) in any number of dimensions; NaN is a value missing at random.

    covariance: a name in `covariances.STRUCTURES` ("full", "tied", "diag", "spherical").
    floor: no eigenvalue of a covariance, measured in units of the columns' own standard
        deviations, may fall below this. The M-step is the exact maximiser under that bound, so
        EM stays monotone and the likelihood stays finite and is the real one. A narrower
        covariance could not be told from rounding: as a matrix of doubles it keeps 16 digits
        less those of its condition.
    """

    covariance: str = "full"
    floor: float = 1e-6
    batches = True
    DIMS: ClassVar = {
        "means": ("component", "column"),
        "covariances": ("component", "column", "column"),
    }

    def __post_init__(self):
        if self.covariance not in STRUCTURES:
            names = ", ".join(STRUCTURES)
            raise ValueError(f"unknown covariance {self.covariance!r}: choose one of {names}")
        if not 0 < self.floor < 1:
            raise ValueError("the covariance floor must lie between 0 and 1")

    @property
    def structure(self):
        return STRUCTURES[self.covariance]

    @property
    def conjugate(self) -> str | None:
        """The family of priors that the density is conjugate to, where there is one for all of
        its parameters: where every component has a covariance of its own, without constraint."""
        return "normal-Wishart" if self.structure is STRUCTURES["full"] else None

    @property
    def diagonal(self) -> bool:
        """Whether columns are independent within a component."""
        return self.structure.diagonal

    def check(self, data) -> np.ndarray:
        """The data as (N, D) float64. Raises ValueError where no Gaussian can be fitted to them."""
        data = self._table(data)
        if (empty := np.isnan(data).all(axis=0)).any():
            raise ValueError(f"column {empty.argmax() + 1} holds no values at all: leave it out")
        require_spread(data)
        return data

    def _table(self, data, n_columns: int | None = None) -> np.ndarray:
        """The data as (N, D) float64; a few rows may all miss the same column."""
        data = as_table(data, n_columns)
        largest = max(data.max(), -data.min())
        if np.isnan(largest):
            largest = np.fmax.reduce(np.abs(data), axis=None)
        if largest > LARGEST_VALUE:
            raise ValueError(
                f"the data hold numbers beyond {LARGEST_VALUE:g}: use a larger unit, or leave out "
                "infinite values"
            )
        return data

    def prepare(self, data, weights=None, params=None):
        """Rows about a common origin, component-major: the data's mean, or that of `params`, of
        whichever components that have `means`."""
        if params is None:
            data = self.check(data)
            origin, variances = column_moments(data, weights)
        else:
            data = self._table(data, params.means.shape[-1])
            origin = origin_of(params)
            spread = np.einsum("kdd->kd", params.covariances) + (params.means - origin) ** 2
            variances = spread.mean(axis=0)
        rows = CentredRows.of(data, origin, variances)
        return IncompleteRows.of(rows) if np.isnan(data).any() else rows

    def only_labels(self, data) -> bool:
        """Whether nothing is latent within the components: no value is missing."""
        return not np.isnan(data).any()

    def kernel(self, params, rows, log_weights=UNWEIGHTED, relative=False):
        """Log joint densities and statistics of blocks of rows at these parameters.

        relative: log joints may be relative to those of a component, which is put first.
        """
        if isinstance(rows, IncompleteRows):
            return IncompleteKernel(params, rows, log_weights, self.structure.diagonal)
        return GaussianKernel(params, rows, log_weights, self.structure.diagonal, relative)

    def statistics(self, kernel) -> GaussianStatistics:
        rows = kernel.rows
        return GaussianStatistics(kernel.moments, Shared(rows.origin), Shared(rows.scale))

    def params(self, n_components: int, means, covariances) -> GaussianParams:
        """Checked parameters from arrays; raises ValueError naming what is wrong."""
        means = np.asarray(means, dtype=float)
        covariances = np.asarray(covariances, dtype=float)
        if means.ndim == 1:
            means = means[:, None]
        dimension = means.shape[-1]
        if means.shape != (n_components, dimension) or not np.isfinite(means).all():
            raise ValueError(f"give {n_components} means of finite numbers, one row each")
        require_values(means, "means")
        if covariances.shape != (n_components, dimension, dimension):
            raise ValueError(
                f"covariances have shape {covariances.shape}: "
                f"give {n_components} matrices of {dimension} x {dimension}"
            )
        if not np.isfinite(covariances).all():
            raise ValueError("covariances must be finite numbers")
        for k, covariance in enumerate(covariances):
            require_symmetric(covariance, f"the covariance of component {k + 1}")
            try:
                # As the density is worked out: in units of the columns' deviations.
                _ = PositiveDefinite(covariance).whitening
            except np.linalg.LinAlgError:
                raise ValueError(
                    f"the covariance of component {k + 1} is not positive definite"
                ) from None
            require_variances(np.diag(covariance), f"the variances of component {k + 1}")
        return GaussianParams(means, covariances)

    def around(self, data, means: np.ndarray, weights=None) -> GaussianParams:
        """Given means (K, D), each with the pooled spread of the rows about their nearest mean.

        A missing value counts as the column's mean.
        """
        return self._around(data, means, column_moments(data, weights), weights)

    def _around(self, data, means: np.ndarray, moments, weights) -> GaussianParams:
        """The same, where the columns' means and variances are known."""
        origin, variances = moments
        data = without_missing(data, origin)
        weights = np.ones(len(data)) if weights is None else weights
        variances = units_of(variances, origin)
        unit = np.sqrt(variances)
        nearest = Distances((data - origin) / unit).nearest((means - origin) / unit)
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

    def overall(self, data, n_components: int, weights=None) -> GaussianParams:
        """The same mean and spread, those of all rows, for every component."""
        moments = column_moments(data, weights)
        means = np.repeat(moments[0][None], n_components, axis=0)
        return self._around(data, means, moments, weights)

    def near(self, data, rows: np.ndarray, weights=None) -> GaussianParams:
        """Means on some rows (K,) of the data."""
        moments = column_moments(data, weights)
        return self._around(data, without_missing(data[rows], moments[0]), moments, weights)

    def of_columns(self, columns) -> GaussianParams:
        """One component with the means and variances of the columns."""
        return GaussianParams(columns.means[None], np.diag(columns.variances)[None])

    def coordinates(self, data, weights=None) -> np.ndarray:
        """(N, D) standardised columns to measure distances in; missing values lie at the mean."""
        origin, variances = column_moments(data, weights)
        standardised = (data - origin) / np.sqrt(units_of(variances, origin))
        return without_missing(standardised, 0.0)

    def shrink(self, params: GaussianParams, counts: np.ndarray) -> GaussianParams:
        """Covariances drawn towards their pooled average, as by D + 1 further rows each."""
        prior = params.means.shape[1] + 1
        shares = counts / counts.sum()
        pooled = np.tensordot(shares, params.covariances, axes=1)
        counts = counts[:, None, None]
        shrunk = (counts * params.covariances + prior * pooled) / (counts + prior)
        within = np.einsum("kdd->kd", shrunk) if self.structure.diagonal else shrunk
        return params._replace(covariances=self.structure.estimate(within, shares))

    def sample(self, params: GaussianParams, labels: np.ndarray, rng) -> np.ndarray:
        """(N, D): one row for each label (N,) of a component."""
        noise = rng.standard_normal((len(labels), params.means.shape[1]))
        factors = np.linalg.cholesky(params.covariances)
        return params.means[labels] + np.einsum("nij,nj->ni", factors[labels], noise)

    def column_means(self, params: GaussianParams) -> np.ndarray:
        """(K, D)."""
        return params.means

    def column_deviations(self, params: GaussianParams) -> np.ndarray:
        """(K, D) standard deviations."""
        return np.sqrt(diagonals(params.covariances))

    def column_log_density(self, params: GaussianParams, column: int, values) -> np.ndarray:
        """(K, n) log-density of values (n,) of one column."""
        means = params.means[:, column, None]
        variances = params.covariances[:, column, column, None]
        return -0.5 * (np.log(2 * np.pi * variances) + (values - means) ** 2 / variances)

    def impute(self, params: GaussianParams, data, responsibilities) -> Imputation:
        """Missing values filled by their conditional means, and their standard deviations."""
        rows = self.prepare(data, params=params)
        if not isinstance(rows, IncompleteRows):
            return filled(data, data, data)
        return impute_by(self.kernel(params, rows), data, responsibilities)

    def domains(self, params: GaussianParams) -> tuple:
        """Where the parameters may lie, for `Coordinates`; means in their standard deviations."""
        return (
            Real(params.means, "mean", np.sqrt(diagonals(params.covariances))),
            self.structure.domain(params.covariances),
        )

    def rescale(self, params: GaussianParams, shift, scale) -> GaussianParams:
        """The parameters of scale * x + shift; scale and shift are (D,)."""
        covariances = params.covariances * (scale[:, None] * scale)
        return GaussianParams(params.means * scale + shift, covariances)

    def m_step(
        self, params: GaussianParams, statistics: GaussianStatistics, shares
    ) -> GaussianParams:
        """Maximum-likelihood means and covariances under the structure and the floor.

        shares (K,): counts over their sum. A component without rows keeps its parameters.
        """
        moments, centre, scale = statistics
        within = moments.within
        any_empty = smallest(shares) <= LEAST_SHARE
        if any_empty:
            empty = shares <= LEAST_SHARE
            shares = np.where(empty, 0, shares)
        means = centre.value + moments.means
        if any_empty:
            means[empty] = params.means[empty]
        covariances = self.structure.estimate(within, shares, None, params.covariances)
        if covariances is within and moments.spread is not None:
            proposed = GaussianParams.with_spread(means, moments.spread)
        else:
            proposed = GaussianParams(means, covariances)
        if self.clears_floor(proposed, scale.value):
            return proposed
        minimum = self.floor * scale.value**2
        covariances = self.structure.estimate(within, shares, minimum, params.covariances)
        floored = GaussianParams(means, covariances)
        # At the floor rounding can outweigh what there is to gain: then stay.
        gain = self.expected_log_density(floored, statistics)
        gain -= self.expected_log_density(params, statistics)
        stay = np.asarray(gain < 0)[..., None, None]
        if not stay.any():
            return floored
        return GaussianParams(
            np.where(stay, params.means, means),
            np.where(stay[..., None], params.covariances, covariances),
        )

    def clears_floor(self, params: GaussianParams, scale: np.ndarray) -> bool:
        """Whether every eigenvalue is far above the floor: the smallest exceeds 1 / trace of the
        inverse. Costs nothing, as the E-step needs the inverse anyway. Closer to the floor a
        covariance may be rounding, and worse than the one before."""
        try:
            highest = params.spread.highest_condition(scale)
        except np.linalg.LinAlgError:
            return False
        # NaN counts as below the floor.
        return highest * (FAR * self.floor) < 1

    def expected_log_density(
        self, params: GaussianParams, statistics: GaussianStatistics, log_weights=UNWEIGHTED
    ):
        """sum_nk r_nk [log_weights_k + log N(x_n | mean_k, covariance_k)] in nats, from the
        statistics alone."""
        moments, centre, _ = statistics
        coefficients = params.coefficients(
            moments.layout, centre.value, moments.origins, log_weights
        )
        if coefficients.ndim == 2:
            return float(np.vdot(coefficients, moments.features))
        return np.vecdot(coefficients, moments.features).sum(axis=-1)

    def expected_log_density_gradient(
        self, params: GaussianParams, statistics: GaussianStatistics
    ) -> GaussianParams:
        """Derivatives of `expected_log_density` by every entry of every array: by the means
        Sigma_k^-1 sum_n r_nk (x_n - mean_k), by covariances `gradients.by_covariance`, but 0 off
        the diagonal where they are diagonal."""
        moments = statistics.moments
        left = moments.offsets - moments.from_origins(params.means - statistics.centre.value)
        counts = moments.counts[..., None]
        if self.structure.diagonal:
            precisions = params.spread.inverse_diagonals
            spreads = precisions * (moments.within + left * left)
            slopes = counts * precisions * (spreads - 1) / 2
            identity = np.eye(left.shape[-1])
            return GaussianParams(counts * precisions * left, slopes[..., None] * identity)
        scatters = counts[..., None] * (moments.within + left[..., :, None] * left[..., None, :])
        return GaussianParams(
            counts * (params.precisions @ left[..., None])[..., 0],
            by_covariance(params.precisions, moments.counts, scatters),
        )

    def flags(self, params: GaussianParams, statistics: GaussianStatistics) -> tuple[str, ...]:
        """Which components are at the covariance floor."""
        scale = statistics.scale.value
        if self.clears_floor(params, scale):
            return ()
        lowest, highest = extreme_eigenvalues(params.covariances, scale)
        at_floor = lowest <= self.floor * AT_FLOOR
        alone = params.means.shape[-2] == 1
        columns = "some columns are (nearly) linear combinations of the others"
        if self.structure.pooled and at_floor.any():
            also = "" if alone else ", or there are as many components as distinct rows"
            return (Collapse(f"the shared covariance is at its floor: {columns}{also}"),)
        instead = "fewer components or another start"
        point = f"collapsing onto one point: use a shared covariance, {instead}"
        flat = columns if alone else f"use a shared or diagonal covariance, {instead}"
        flat = f"at its covariance floor, flat in some direction: {flat}"
        is_point = highest <= POINT_LIKE * self.floor
        return tuple(
            Collapse(f"component {place[-1] + 1} is {point if at_point else flat}", place[-1])
            for place, at_point in zip(np.argwhere(at_floor), is_point[at_floor], strict=True)
        )

    def at_floor(self, params: GaussianParams, statistics: GaussianStatistics) -> dict:
        """Which covariances are at their floor, all entries of each."""
        lowest, _ = extreme_eigenvalues(params.covariances, statistics.scale.value)
        at_floor = lowest <= self.floor * AT_FLOOR
        return {"covariances": np.broadcast_to(at_floor[..., None, None], params.covariances.shape)}

    def n_parameters(self, params: GaussianParams) -> int:
        """K D for the means, and the free parameters of the covariance structure."""
        n_components, dimension = params.means.shape[-2:]
        return n_components * dimension + self.structure.n_parameters(n_components, dimension)


def origin_of(params) -> np.ndarray:
    """(D,) a point among components that have `means` and `covariances`: the mean of their means,
    or, in a column in which it is so far from all of them that rows there would lose their digits
    about it, the mean that is nearest to 0, about which no number loses any."""
    middle = params.means.mean(axis=0)
    distances = np.abs(params.means - middle) / np.sqrt(diagonals(params.covariances))
    smallest_mean = np.take_along_axis(
        params.means, np.abs(params.means).argmin(axis=0)[None], axis=0
    )[0]
    return np.where(distances.min(axis=0) > FARTHEST_MEAN, smallest_mean, middle)


def without_missing(values: np.ndarray, instead) -> np.ndarray:
    """Values, with others in the place of those that are missing."""
    missing = np.isnan(values)
    return np.where(missing, instead, values) if missing.any() else values


def _column_means(values: np.ndarray, weights) -> np.ndarray:
    """(D,) means of rows (N, D)."""
    if weights is not None or values.shape[1] == 1:
        return np.average(values, axis=0, weights=weights)
    # The sums of `average`, to the last bit, in a tenth of the time where there are few columns.
    return np.einsum("nd->d", values) / len(values)


def column_moments(data: np.ndarray, weights=None) -> tuple[np.ndarray, np.ndarray]:
    """(D,) means and (D,) variances of the values there are."""
    missing = np.isnan(data)
    if not missing.any():
        origin = _column_means(data, weights)
        deviations = data - origin
        return origin, _column_means(np.multiply(deviations, deviations, out=deviations), weights)
    shares = (~missing).astype(float) if weights is None else ~missing * weights[:, None]
    totals = shares.sum(axis=0)
    if not totals.all():
        number = totals.argmin() + 1
        raise ValueError(f"column {number} holds no values in rows that have weight: leave it out")
    shares /= totals
    origin = (shares * np.where(missing, 0, data)).sum(axis=0)
    deviations = np.where(missing, 0, data - origin)
    return origin, (shares * deviations**2).sum(axis=0)


def leap_of_emission(emission, params, statistics) -> Leap | None:
    """What an emission proposes to a model that has its parameters and statistics as `emission`."""
    propose = optional(emission, "leap", Emission)
    leap = propose and propose(params.emission, statistics.emission)
    return leap and leap._replace(params=params._replace(emission=leap.params))
