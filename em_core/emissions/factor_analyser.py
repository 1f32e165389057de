"""Factor analysers as components: clusters that each live near a plane of their own.

x = mean_k + loadings_k z + noise with z ~ N(0, I) and noise of its own variance in every column and
component: `Mixture(FactorAnalyser(q), K)` is the mixture of factor analysers (Ghahramani & Hinton
1996; McLachlan & Peel 2000, chapter 8). Label and factors are both latent. Without the factors, x
is Gaussian with covariance loadings loadings^T + noise: the E-step is that of Gaussian components,
and what it says of the factors follows from the Gaussian moments, without another pass over rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np

from em_core.coordinates.domains import Positive, Real, Triangular
from em_core.emissions.gaussian import (
    EMPTY_SHARE,
    Gaussian,
    GaussianStatistics,
    column_moments,
)
from em_core.emissions.kernels.gaussian import GaussianKernel
from em_core.emissions.kernels.incomplete import IncompleteKernel, IncompleteRows
from em_core.emissions.kernels.linear import UNWEIGHTED
from em_core.emissions.kernels.parameters import GaussianParams
from em_core.emissions.kernels.positive_definite import diagonals
from em_core.emissions.kernels.responsibilities import LEAST_SHARE
from em_core.emissions.kernels.rows import units_of
from em_core.half_steps import Collapse, Flag, Leap, Leapt, Shared
from em_core.imputation import Imputation
from em_core.magnitudes import require_values, require_variances
from em_core.models.factor_analysis.boundary import (
    HEYWOOD,
    LOST,
    NEAR_FLOOR,
    check_number,
    heywood_words,
    leap_at_boundary,
    lost_directions,
)
from em_core.models.factor_analysis.model import FactorAnalysis
from em_core.models.factor_analysis.starts import start_factors
from em_core.models.factor_analysis.statistics import FactorParams, FactorStatistics

START = "principal components"


class _Fields(NamedTuple):
    means: np.ndarray
    loadings: np.ndarray
    noise_variances: np.ndarray
    factor_scales: np.ndarray


class FactorAnalyserParams(_Fields):
    """means (K, D), loadings (K, D, q) and noise_variances (K, D), in the units of the data.

    factor_scales (K, q, q): as the `factor_scale` of `FactorParams`, no parameters of the model.
    Leading axes are for models fitted side by side.
    """

    def __new__(cls, means, loadings, noise_variances, factor_scales=None):
        if factor_scales is None:
            n_factors = loadings.shape[-1]
            shape = *loadings.shape[:-2], n_factors, n_factors
            factor_scales = np.broadcast_to(np.eye(n_factors), shape)
        return super().__new__(cls, means, loadings, noise_variances, factor_scales)

    @property
    def noise(self) -> np.ndarray:
        """(K, D) the noise variance of each column, as `FactorParams` have it."""
        return self.noise_variances

    @cached_property
    def gaussian(self) -> GaussianParams:
        """What the rows of each component are distributed by."""
        covariances = self.loadings @ self.loadings.swapaxes(-1, -2)
        np.einsum("...dd->...d", covariances)[...] += self.noise_variances
        return GaussianParams(self.means, covariances)

    @property
    def covariances(self) -> np.ndarray:
        """(K, D, D) loadings loadings^T + diag(noise_variances)."""
        return self.gaussian.covariances

    @cached_property
    def factor_covariances(self) -> np.ndarray:
        """(K, q, q) covariance of z given x and the component: the same for all rows."""
        scaled = self.loadings / self.noise_variances[..., None]
        precisions = self.loadings.swapaxes(-1, -2) @ scaled + np.eye(self.loadings.shape[-1])
        inverses = np.linalg.inv(np.linalg.cholesky(precisions))
        return inverses.swapaxes(-1, -2) @ inverses

    def component(self, k) -> FactorParams:
        """One component by itself."""
        return FactorParams(*(part[k] for part in self))


class _Moments(NamedTuple):
    gaussian: GaussianStatistics
    given: Any  # FactorAnalyserParams of `Shared`


class FactorAnalyserStatistics(_Moments):
    """Expected moments of the rows, and the parameters that gave q, each of them `Shared`: the
    moments of the factors follow."""

    @property
    def counts(self) -> np.ndarray:
        """(K,) expected number of rows of each component."""
        return self.gaussian.counts

    @cached_property
    def components(self) -> dict[tuple[int, ...], FactorStatistics]:
        """By place, what a factor analysis of each component's rows would start its M-step from."""
        moments, centre, _ = self.gaussian
        given = FactorAnalyserParams(*(part.value for part in self.given))
        shifts = centre.value - given.means + moments.means
        return {
            k: _regression(
                given.component(k),
                given.factor_covariances[k],
                moments.counts[k],
                shifts[k],
                moments.within[k],
            )
            for k in np.ndindex(moments.counts.shape)
        }


def _regression(params: FactorParams, covariance, count, shift, within) -> FactorStatistics:
    """Expected moments of the regression of `count` rows on the factors of these parameters.

    covariance (q, q): that of the factors given a row; within (D, D): that of the rows about their
    own mean, which lies at `shift` (D,) from that of the parameters.
    """
    loadings = params.loadings
    # q(z | x) = N(slopes (x - mean), covariance).
    slopes = covariance @ (loadings / params.noise[:, None]).T
    # Residuals are x - mean - loadings z, of which q knows this part of x - mean.
    left = np.eye(len(loadings)) - loadings @ slopes
    second = within + np.outer(shift, shift)
    crossed = second @ slopes.T
    spread = loadings @ covariance
    factor_moments = covariance + slopes @ crossed
    design = np.ones((1, 1 + len(slopes), 1 + len(slopes)))
    design[0, 0, 1:] = design[0, 1:, 0] = slopes @ shift
    design[0, 1:, 1:] = factor_moments
    products = np.column_stack([left @ shift, left @ crossed - spread])
    squares = ((left @ second) * left).sum(axis=1) + (spread * loadings).sum(axis=1)
    return FactorStatistics(
        count,
        count * slopes @ shift,
        count * factor_moments,
        count * design,
        count * products,
        count * squares,
        Shared(params.coefficients),
        Shared(params.factor_scale),
        Shared(np.zeros(len(loadings), dtype=bool)),
    )


class FactorAnalyserKernel(GaussianKernel):
    """Factor analysers with the calls of a `LinearKernel`."""

    def __init__(self, analysers: FactorAnalyserParams, *arguments):
        super().__init__(analysers.gaussian, *arguments)
        self.analysers = analysers

    @property
    def entropy(self) -> np.ndarray:
        return super().entropy + _entropy_of_factors(self.analysers, self.moments.counts)


class IncompleteFactorAnalyserKernel(IncompleteKernel):
    """The same for rows with missing values, latent like the factors."""

    def __init__(self, analysers: FactorAnalyserParams, *arguments):
        super().__init__(analysers.gaussian, *arguments)
        self.analysers = analysers

    @property
    def entropy(self) -> np.ndarray:
        return super().entropy + _entropy_of_factors(self.analysers, self.moments.counts)


def _entropy_of_factors(analysers: FactorAnalyserParams, counts: np.ndarray) -> np.ndarray:
    """That of the factors of so many rows (K,), given their component, in nats, total."""
    # Of a Gaussian: (log det(2 pi e G)) / 2.
    covariances = analysers.factor_covariances
    log_determinants = np.linalg.slogdet(2 * np.pi * np.e * covariances)[1]
    return 0.5 * (counts * log_determinants).sum(axis=-1)


@dataclass(frozen=True)
class FactorAnalyser:
    """N(x | mean, loadings loadings^T + diag(noise)); NaN is a value missing at random.

    n_factors: number of columns of the loadings, fewer than the data have.
    floor: no noise variance may fall below this share of the variance of its column over all rows.
        The M-step is the exact maximiser under that bound.
    """

    n_factors: int
    # Moments of factors belong to the parameters that gave q.
    additive: ClassVar = False
    floor: float = 1e-6
    DIMS: ClassVar = {
        "means": ("component", "column"),
        "loadings": ("component", "column", "factor"),
        "noise_variances": ("component", "column"),
        "factor_scales": ("component", "factor", "factor"),
    }

    def __post_init__(self):
        FactorAnalysis(self.n_factors, self.floor)

    @property
    def gaussian(self) -> Gaussian:
        """The emission of rows whose factors are left out of account."""
        return Gaussian("full", self.floor)

    def check(self, data) -> np.ndarray:
        """The data as (N, D) float64. Raises ValueError where the model cannot be fitted."""
        data = self.gaussian.check(data)
        check_number(data.shape[1], self.n_factors)
        return data

    def prepare(self, data, weights=None, params: FactorAnalyserParams | None = None):
        """Rows about a common origin, component-major."""
        data = self.check(data) if params is None else data
        return self.gaussian.prepare(data, weights, params)

    def of_columns(self, columns):
        """One component with the means and variances of the columns."""
        return self.gaussian.of_columns(columns)

    def only_labels(self, data) -> bool:
        """Whether nothing is latent within the components: the factors are."""
        return False

    def kernel(self, params, rows, log_weights=UNWEIGHTED, relative=False):
        """Log joint densities and statistics of blocks of rows at these parameters."""
        if isinstance(rows, IncompleteRows):
            return IncompleteFactorAnalyserKernel(params, rows, log_weights, False)
        return FactorAnalyserKernel(params, rows, log_weights, False, relative)

    def statistics(self, kernel) -> FactorAnalyserStatistics:
        given = FactorAnalyserParams(*map(Shared, kernel.analysers))
        return FactorAnalyserStatistics(self.gaussian.statistics(kernel), given)

    def params(self, n_components: int, means, loadings, noise_variances) -> FactorAnalyserParams:
        """Checked parameters from arrays; raises ValueError naming what is wrong."""
        parts = [np.array(part, dtype=float) for part in (means, loadings, noise_variances)]
        shape = n_components, parts[0].shape[-1]
        shapes = shape, (*shape, self.n_factors), shape
        for name, part, wanted in zip(_Fields._fields, parts, shapes, strict=False):
            if part.shape != wanted or not np.isfinite(part).all():
                raise ValueError(
                    f"{name} have shape {part.shape}: give finite numbers of shape {wanted}"
                )
        require_values(parts[0], "means")
        require_values(parts[1], "loadings")
        require_variances(parts[2], "noise_variances")
        return FactorAnalyserParams(*parts)

    def _factored(self, gaussian: GaussianParams, lowest: np.ndarray) -> FactorAnalyserParams:
        """Factor analysers with about these means and covariances, and at least so much noise."""
        loadings, noise = [], []
        for covariance in gaussian.covariances:
            units = np.sqrt(np.diag(covariance))
            correlations = covariance / (units[:, None] * units)
            start = start_factors(correlations, np.inf, self.n_factors, START, None)
            loadings.append(start[0] * units[:, None])
            noise.append(np.maximum(start[1] * units**2, lowest))
        return FactorAnalyserParams(gaussian.means, np.stack(loadings), np.stack(noise))

    def around(self, data, means: np.ndarray, weights=None) -> FactorAnalyserParams:
        """Given means (K, D), each with the main directions of rows about their nearest mean."""
        origin, variances = column_moments(data, weights)
        lowest = self.floor * units_of(variances, origin)
        return self._factored(self.gaussian.around(data, means, weights), lowest)

    def overall(self, data, n_components: int, weights=None) -> FactorAnalyserParams:
        """The same mean and directions, those of all rows, for every component."""
        origin, _ = column_moments(data, weights)
        return self.around(data, np.repeat(origin[None], n_components, axis=0), weights)

    def near(self, data, rows: np.ndarray, weights=None) -> FactorAnalyserParams:
        """Means on some rows (K,) of the data."""
        return self.around(data, self.gaussian.near(data, rows, weights).means, weights)

    def coordinates(self, data, weights=None) -> np.ndarray:
        """(N, D) standardised columns to measure distances in; missing values lie at the mean."""
        return self.gaussian.coordinates(data, weights)

    def shrink(self, params: FactorAnalyserParams, counts: np.ndarray) -> FactorAnalyserParams:
        """Covariances drawn towards their pooled average, and their main directions."""
        shrunk = self.gaussian.shrink(params.gaussian, counts)
        return self._factored(shrunk, params.noise_variances.min(axis=0))

    def domains(self, params: FactorAnalyserParams) -> tuple:
        """Where the parameters may lie, for `Coordinates`; in the columns' standard deviations."""
        unit = np.sqrt(diagonals(params.covariances))
        return (
            Real(params.means, "mean", unit),
            Real(params.loadings, "loading", unit[..., None]),
            Positive(params.noise_variances, "noise variance"),
            Triangular(params.factor_scales),
        )

    def rescale(self, params: FactorAnalyserParams, shift, scale) -> FactorAnalyserParams:
        """The parameters of scale * x + shift; scale and shift are (D,)."""
        means, loadings, noise, factor_scales = params
        return FactorAnalyserParams(
            means * scale + shift, loadings * scale[:, None], noise * scale**2, factor_scales
        )

    def sample(self, params: FactorAnalyserParams, labels: np.ndarray, rng) -> np.ndarray:
        """(N, D): one row for each label (N,) of a component."""
        return self.gaussian.sample(params.gaussian, labels, rng)

    def column_means(self, params: FactorAnalyserParams) -> np.ndarray:
        """(K, D)."""
        return params.means

    def column_deviations(self, params: FactorAnalyserParams) -> np.ndarray:
        """(K, D) standard deviations, of factors and noise together."""
        return self.gaussian.column_deviations(params.gaussian)

    def column_log_density(self, params: FactorAnalyserParams, column: int, values) -> np.ndarray:
        """(K, n) log-density of values (n,) of one column."""
        return self.gaussian.column_log_density(params.gaussian, column, values)

    def impute(self, params: FactorAnalyserParams, data, responsibilities) -> Imputation:
        """Missing values filled by their conditional means, and their standard deviations."""
        return self.gaussian.impute(params.gaussian, data, responsibilities)

    def m_step(
        self, params: FactorAnalyserParams, statistics: FactorAnalyserStatistics, shares
    ) -> FactorAnalyserParams:
        """As in factor analysis, for each component by itself: regression of every column on the
        factors, jointly with its mean, the noise it leaves, and the covariance of the factors.

        shares (K,): counts over their sum. A component without rows keeps its parameters.
        """
        minimum = self.floor * statistics.gaussian.scale.value**2
        empty = shares <= LEAST_SHARE
        means, loadings, noise, scales = (np.array(part) for part in params)
        for k, of_k in statistics.components.items():
            if empty[k]:
                continue
            coefficients, squares = of_k.regress()
            root = np.linalg.cholesky(of_k.factor_moments / of_k.count)
            means[k], loadings[k] = coefficients[:, 0], coefficients[:, 1:] @ root
            noise[k] = np.maximum(squares / of_k.count, minimum)
            scales[k] = of_k.factor_scale.value @ root
        return FactorAnalyserParams(means, loadings, noise, scales)

    def expected_log_density(
        self,
        params: FactorAnalyserParams,
        statistics: FactorAnalyserStatistics,
        log_weights=UNWEIGHTED,
    ):
        """sum_nk r_nk E[log N(x_n | mean_k + loadings_k z, noise_k) + log N(z | 0, I)] in nats,
        from the statistics alone; with log_weights (K,), r_nk times these added."""
        density = FactorAnalysis(self.n_factors).expected_log_joint
        values = np.empty(statistics.counts.shape)
        for k, of_k in statistics.components.items():
            values[k] = density(params.component(k), of_k)
        values += statistics.counts * log_weights
        return values.sum(axis=-1)

    def expected_log_density_gradient(
        self, params: FactorAnalyserParams, statistics: FactorAnalyserStatistics
    ) -> FactorAnalyserParams:
        """Derivatives by every entry of every array: those of factor analysis of each component."""
        gradient = FactorAnalysis(self.n_factors).expected_log_joint_gradient
        parts = [np.empty(np.shape(part)) for part in params]
        for k, of_k in statistics.components.items():
            for part, of_component in zip(parts, gradient(params.component(k), of_k), strict=True):
                part[k] = of_component
        return FactorAnalyserParams(*parts)

    def leap(
        self, params: FactorAnalyserParams, statistics: FactorAnalyserStatistics
    ) -> Leap | None:
        """As in factor analysis, in every component by itself."""
        lowest = self.floor * statistics.gaussian.scale.value**2
        means, noise = params.means.copy(), params.noise_variances.copy()
        gain, flags = 0.0, []
        for k, of_k in statistics.components.items():
            if of_k.count <= EMPTY_SHARE * statistics.counts.sum():
                continue
            if leap := leap_at_boundary(params.component(k), of_k, lowest):
                means[k], noise[k] = leap.params.mean, leap.params.noise_variance
                gain += leap.gain
                flags += [Leapt(f"component {k[-1] + 1}: {said}", k[-1]) for said in leap.flags]
        if not flags:
            return None
        moved = params._replace(means=means, noise_variances=noise)
        return Leap(moved, gain, tuple(flags))

    def flags(
        self, params: FactorAnalyserParams, statistics: FactorAnalyserStatistics
    ) -> tuple[str, ...]:
        """Which components have columns without noise of their own (Heywood cases).

        Where the likelihood changes with the floor a component has no volume: it has collapsed.
        """
        lowest = self.floor * statistics.gaussian.scale.value**2
        alone = params.loadings.shape[-3] == 1
        fewer = "fewer factors" if alone else "fewer factors, fewer components or another start"
        messages: list[Flag] = []
        n_factors, total = self.n_factors, statistics.counts.sum()
        for k, of_k in statistics.components.items():
            component, name = params.component(k), f"component {k[-1] + 1}"
            least = np.maximum(lowest, HEYWOOD * np.diag(component.covariance))
            columns = np.flatnonzero(component.noise <= least)
            if not len(columns) or of_k.count <= EMPTY_SHARE * total:
                continue
            if lost_directions(component, of_k, lowest) > LOST:
                others = " and others" if len(columns) > 1 else ""
                messages.append(
                    Collapse(
                        f"{name} is at its noise floor in column {columns[0] + 1}{others}: use "
                        f"{fewer}",
                        k[-1],
                    )
                )
            else:
                messages += [
                    Flag(f"{name}: {heywood_words(column, n_factors)}", k[-1]) for column in columns
                ]
        return tuple(messages)

    def at_floor(
        self, params: FactorAnalyserParams, statistics: FactorAnalyserStatistics
    ) -> dict[str, np.ndarray]:
        """Which noise variances are at their floor."""
        lowest = self.floor * statistics.gaussian.scale.value**2
        return {"noise_variances": params.noise_variances <= lowest * (1 + NEAR_FLOOR)}

    def n_parameters(self, params: FactorAnalyserParams) -> int:
        """K times the means, loadings up to a rotation, and noise variances of one component."""
        n_components, n_columns, q = params.loadings.shape[-3:]
        return n_components * (2 * n_columns + n_columns * q - q * (q - 1) // 2)
