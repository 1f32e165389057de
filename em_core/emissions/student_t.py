"""Student-t components: clusters with heavy tails, which outliers do not pull apart.

A row of a component is Gaussian with a precision of its own: x | u ~ N(mean, covariance / u) with
the latent weight u ~ Gamma(nu / 2, nu / 2). Without u, x has a t distribution with nu degrees of
freedom. Label and weight are both latent (Liu & Rubin 1995; Peel & McLachlan 2000).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np

from em_core.coordinates.domains import Between, Fixed
from em_core.emissions.gaussian import Gaussian, GaussianStatistics, column_moments
from em_core.emissions.kernels.gaussian import GaussianKernel
from em_core.emissions.kernels.incomplete import IncompleteRows, IncompleteStudentTKernel, impute_by
from em_core.emissions.kernels.linear import UNWEIGHTED
from em_core.emissions.kernels.moments import Moments
from em_core.emissions.kernels.parameters import GaussianParams
from em_core.emissions.kernels.positive_definite import diagonals
from em_core.emissions.kernels.responsibilities import LEAST_SHARE
from em_core.emissions.kernels.rows import CentredRows, units_of
from em_core.half_steps import Flag, Shared
from em_core.imputation import Imputation, filled

# Degrees of freedom, where they are estimated: from far heavier tails than Cauchy's, which has 1,
# to a Gaussian in all but name.
FEWEST, MOST = 0.1, 200.0
# At a bound, give or take this share.
AT_BOUND = 1e-6
# Where they are given, up to so many: beyond, digits are lost and nothing else changes.
MOST_GIVEN = 1e4
# Degrees of freedom to start from: heavy enough for outliers.
START = 10.0
# About so many quartile ranges from the median, a row is taken for an outlier by the starts.
OUTLYING = 2.0
# Newton steps that reach rounding from the closed-form guess, over the whole range of estimates.
NEWTON_STEPS = 4


class _Fields(NamedTuple):
    means: np.ndarray
    covariances: np.ndarray
    degrees_of_freedom: np.ndarray


class StudentTParams(_Fields):
    """means (K, D), covariances (K, D, D), degrees_of_freedom (K,) = nu_k.

    covariances are the scale matrices: those of the rows are nu / (nu - 2) times as large, where
    nu > 2. Leading axes are for models fitted side by side.
    """

    @cached_property
    def gaussian(self) -> GaussianParams:
        """What rows of latent weight 1 are distributed by."""
        return GaussianParams(self.means, self.covariances)


class StudentTStatistics(NamedTuple):
    """Expected moments of labels r and latent weights u.

    counts (K,): sum of r. moments: those of the rows weighted by r E[u], relative to `centre` (D,);
    their counts are the sums of r E[u]. log_weights (K,): sum of r E[log u]. scale (D,): the unit
    of each column.
    """

    counts: np.ndarray
    moments: Moments
    log_weights: np.ndarray
    centre: Shared
    scale: Shared

    @property
    def gaussian(self) -> GaussianStatistics:
        """The weighted moments as those of Gaussian rows."""
        return GaussianStatistics(self.moments, self.centre, self.scale)


class StudentTKernel(GaussianKernel):
    """t components with the calls of a `LinearKernel`, their moments weighted by E[u].

    Given the label, q(u) = Gamma(shape (nu + D) / 2, rate (nu + d^2) / 2), where d is the distance
    from the component's mean in units of its scale matrix. `entropy` is that of these.
    """

    def __init__(self, params: StudentTParams, rows: CentredRows, log_weights, diagonal: bool):
        from scipy.special import gammaln

        gaussian = params.gaussian
        # Without their peaks, Gaussian log joints are minus half the squared distances.
        super().__init__(gaussian, rows, -gaussian.log_peaks, diagonal, relative=False)
        self.degrees = params.degrees_of_freedom
        self.shapes = (self.degrees + self.dimension) / 2
        log_peaks = gaussian.log_peaks + gammaln(self.shapes) - gammaln(self.degrees / 2)
        log_peaks = log_weights + log_peaks - self.dimension / 2 * np.log(self.degrees / 2)
        self.shift, self.bounded = log_peaks.max(), False
        self._log_peaks = (log_peaks - self.shift).reshape(-1, 1)
        self._counts, self._log_rates = np.zeros((2, self.degrees.size))
        self._at = None

    def distances(self, block) -> np.ndarray:
        """(R * K, n) squared distances in units of the scale matrix, over nu."""
        if self._at is not block:
            out = np.empty((len(self._log_peaks), block.n_rows))
            distances = super().log_joint(block, out)
            distances *= -2 / self.degrees.reshape(-1, 1)
            self._at, self._distances = block, np.maximum(distances, 0, out=distances)
        return self._distances

    def weights(self, block) -> np.ndarray:
        """(R * K, n) E[u] of every row under every component."""
        largest = 1 + self.dimension / self.degrees.reshape(-1, 1)
        return largest / (1 + self.distances(block))

    def log_joint(self, block, out: np.ndarray) -> np.ndarray:
        np.log1p(self.distances(block), out=out)
        out *= -self.shapes.reshape(-1, 1)
        out += self._log_peaks
        return out

    def add(self, block, shares: np.ndarray) -> None:
        """Accumulate a block whose rows belong to components by (R * K, n) shares."""
        super().add(block, shares * self.weights(block))
        self._counts += shares.sum(axis=1)
        self._log_rates += np.vecdot(shares, np.log1p(self.distances(block)))

    def add_collapsing(self, block, components, shares: np.ndarray) -> None:
        super().add_collapsing(block, components, shares * self.weights(block))

    def left_out(self) -> np.ndarray:
        return self.shift * self._counts.reshape(self.n_models, -1).sum(axis=1)

    @property
    def counts(self) -> np.ndarray:
        """(K,) expected number of rows of each component."""
        return self._counts.reshape(self.batch)

    @property
    def log_weights(self) -> np.ndarray:
        """(K,) sum over rows of r E[log u]."""
        from scipy.special import psi

        expected = psi(self.shapes) - np.log(self.degrees / 2)
        return self.counts * expected - self._log_rates.reshape(self.batch)

    @property
    def entropy(self) -> np.ndarray:
        """Entropy of the latent weights given the components, total, in nats."""
        from scipy.special import gammaln, psi

        # Of Gamma(a, b): a - log b + log Gamma(a) + (1 - a) psi(a); E[log u] = psi(a) - log b.
        own = self.shapes + gammaln(self.shapes) - self.shapes * psi(self.shapes)
        return (self.counts * own + self.log_weights).sum(axis=-1)


@dataclass(frozen=True)
class StudentT:
    """t(x | mean, covariance, nu) in any number of dimensions, `covariance` being the scale matrix;
    NaN is a value missing at random.

    covariance: a name in `covariances.STRUCTURES` ("full", "tied", "diag", "spherical").
    degrees_of_freedom: a number from 0.1 to 10,000; None to estimate one for each component, from
        0.1 (1 is Cauchy's) to 200, at which a component is a Gaussian in all but name: there they
        are no estimate, and not counted as a parameter.
    floor: as of a `Gaussian`.
    """

    covariance: str = "full"
    degrees_of_freedom: float | None = None
    floor: float = 1e-6
    DIMS: ClassVar = {
        "means": ("component", "column"),
        "covariances": ("component", "column", "column"),
        "degrees_of_freedom": ("component",),
    }

    def __post_init__(self):
        Gaussian(self.covariance, self.floor)
        given = self.degrees_of_freedom
        if given is not None and not FEWEST <= given <= MOST_GIVEN:
            raise ValueError(
                f"{given} degrees of freedom: choose from {FEWEST:g} to {MOST_GIVEN:g}, or None to "
                "estimate them"
            )

    @property
    def gaussian(self) -> Gaussian:
        """The emission that this one is for rows of latent weight 1."""
        return Gaussian(self.covariance, self.floor)

    @property
    def diagonal(self) -> bool:
        """Whether columns are uncorrelated within a component."""
        return self.gaussian.diagonal

    def check(self, data) -> np.ndarray:
        """The data as (N, D) float64. Raises ValueError where no t can be fitted to them."""
        return self.gaussian.check(data)

    def prepare(self, data, weights=None, params: StudentTParams | None = None):
        """Rows about a common origin, component-major: the data's mean, or that of `params`."""
        return self.gaussian.prepare(data, weights, params)

    def of_columns(self, columns):
        """One component with the means and variances of the columns."""
        return self.gaussian.of_columns(columns)

    def only_labels(self, data) -> bool:
        """Whether nothing is latent within the components: the weights are."""
        return False

    def kernel(self, params, rows, log_weights=UNWEIGHTED, relative=False):
        """Log joint densities and statistics of blocks of rows at these parameters."""
        diagonal = self.gaussian.structure.diagonal
        if isinstance(rows, IncompleteRows):
            return IncompleteStudentTKernel(params, rows, log_weights, diagonal)
        return StudentTKernel(params, rows, log_weights, diagonal)

    def statistics(self, kernel: StudentTKernel) -> StudentTStatistics:
        rows = kernel.rows
        return StudentTStatistics(
            kernel.counts,
            kernel.moments,
            kernel.log_weights,
            Shared(rows.origin),
            Shared(rows.scale),
        )

    def params(
        self, n_components: int, means, covariances, degrees_of_freedom=None
    ) -> StudentTParams:
        """Checked parameters from arrays; raises ValueError naming what is wrong.

        degrees_of_freedom (K,): those of the emission, or 10 where it estimates them, if not given.
        """
        params = self._heavy(self.gaussian.params(n_components, means, covariances))
        if degrees_of_freedom is None:
            return params
        degrees = np.array(degrees_of_freedom, dtype=float)
        lowest, highest = self._bounds
        if degrees.shape != (n_components,) or not np.all(
            (lowest <= degrees) & (degrees <= highest)
        ):
            raise ValueError(
                f"give {n_components} degrees of freedom from {lowest:g} to {highest:g}"
            )
        return params._replace(degrees_of_freedom=degrees)

    @property
    def _bounds(self) -> tuple[float, float]:
        given = self.degrees_of_freedom
        return (FEWEST, MOST) if given is None else (given, given)

    def _heavy(self, gaussian: GaussianParams) -> StudentTParams:
        """t components in the place of Gaussian ones, before any degrees are estimated."""
        degrees = START if self.degrees_of_freedom is None else self.degrees_of_freedom
        return StudentTParams(*gaussian, np.full(gaussian.means.shape[:-1], float(degrees)))

    def around(self, data, means: np.ndarray, weights=None) -> StudentTParams:
        """Given means (K, D), each with the pooled spread of the rows about their nearest mean."""
        return self._heavy(self.gaussian.around(data, means, weights))

    def overall(self, data, n_components: int, weights=None) -> StudentTParams:
        """The same mean and spread, those of all rows, for every component."""
        return self._heavy(self.gaussian.overall(data, n_components, weights))

    def near(self, data, rows: np.ndarray, weights=None) -> StudentTParams:
        """Means on some rows (K,) of the data."""
        return self._heavy(self.gaussian.near(data, rows, weights))

    def coordinates(self, data, weights=None) -> np.ndarray:
        """(N, D) columns to measure distances in, in units of their quartile ranges and drawn
        towards a bound: means that start on outliers hardly ever come back. Missing values lie at
        the median."""
        origin, variances = column_moments(data, weights)
        lower, median, upper = _quantiles(data, [0.25, 0.5, 0.75], weights)
        ranges = np.where(upper > lower, upper - lower, np.sqrt(units_of(variances, origin)))
        standardised = np.nan_to_num((data - median) / (OUTLYING * ranges))
        return standardised / np.sqrt(1 + standardised**2)

    def shrink(self, params: StudentTParams, counts: np.ndarray) -> StudentTParams:
        """Scale matrices drawn towards their pooled average, as by D + 1 further rows each."""
        shrunk = self.gaussian.shrink(params.gaussian, counts)
        return params._replace(covariances=shrunk.covariances)

    def domains(self, params: StudentTParams) -> tuple:
        """Where the parameters may lie, for `Coordinates`."""
        degrees = params.degrees_of_freedom
        if self.degrees_of_freedom is None:
            tails = Between(degrees, "degrees of freedom", *self._bounds)
        else:
            tails = Fixed(degrees)
        return *self.gaussian.domains(params.gaussian), tails

    def rescale(self, params: StudentTParams, shift, scale) -> StudentTParams:
        """The parameters of scale * x + shift; scale and shift are (D,)."""
        rescaled = self.gaussian.rescale(params.gaussian, shift, scale)
        return StudentTParams(*rescaled, params.degrees_of_freedom)

    def sample(self, params: StudentTParams, labels: np.ndarray, rng) -> np.ndarray:
        """(N, D): one row for each label (N,) of a component."""
        rows = self.gaussian.sample(params.gaussian, labels, rng)
        shapes = params.degrees_of_freedom[labels] / 2
        weights = rng.gamma(shapes, 1 / shapes)
        centres = params.means[labels]
        return centres + (rows - centres) / np.sqrt(weights)[:, None]

    def column_means(self, params: StudentTParams) -> np.ndarray:
        """(K, D) centres: the means, or the medians where tails are so heavy that there is none."""
        return params.means

    def column_deviations(self, params: StudentTParams) -> np.ndarray:
        """(K, D) standard deviations: sqrt(nu / (nu - 2)) scales, inf for nu up to 2."""
        degrees = params.degrees_of_freedom[:, None]
        finite = degrees > 2
        factors = np.where(finite, degrees / np.where(finite, degrees - 2, 1), np.inf)
        return np.sqrt(factors * diagonals(params.covariances))

    def column_log_density(self, params: StudentTParams, column: int, values) -> np.ndarray:
        """(K, n) log-density of values (n,) of one column: a t of as many degrees of freedom."""
        from scipy.special import gammaln

        degrees = params.degrees_of_freedom[:, None]
        variances = params.covariances[:, column, column, None]
        squares = (values - params.means[:, column, None]) ** 2 / (degrees * variances)
        peaks = gammaln((degrees + 1) / 2) - gammaln(degrees / 2)
        peaks -= 0.5 * np.log(np.pi * degrees * variances)
        return peaks - (degrees + 1) / 2 * np.log1p(squares)

    def latent_weights(self, params: StudentTParams, data, responsibilities) -> np.ndarray:
        """(N,) E[u | x]: how much each row counts, about 1 in the midst of a cluster, near 0 for an
        outlier, and at most 1 + D / nu."""
        rows = self.prepare(data, params=params)
        kernel = self.kernel(params, rows)
        expected = np.empty(rows.n_rows)
        for block in kernel.blocks():
            shares = responsibilities[block.rows]
            expected[block.rows] = np.vecdot(shares, kernel.weights(block).T)
        return expected

    def impute(self, params: StudentTParams, data, responsibilities) -> Imputation:
        """Missing values filled by their conditional means, and their standard deviations."""
        rows = self.prepare(data, params=params)
        if not isinstance(rows, IncompleteRows):
            return filled(data, data, data)
        return impute_by(self.kernel(params, rows), data, responsibilities)

    def m_step(
        self, params: StudentTParams, statistics: StudentTStatistics, shares
    ) -> StudentTParams:
        """Weighted means, weighted scatter over the number of rows under the structure and the
        floor, and degrees of freedom by the root of their own part of Q.

        shares (K,): counts over their sum. A component without rows keeps its parameters.
        """
        counts, moments, log_weights, centre, scale = statistics
        empty = shares <= LEAST_SHARE
        divisors = np.where(empty, 1, counts)
        degrees = best_degrees((moments.counts - log_weights) / divisors - 1, *self._bounds)
        degrees = np.where(empty, params.degrees_of_freedom, degrees)
        means = centre.value + moments.means
        means = np.where(empty[..., None], params.means, means)
        # Scatter is divided by sum r, not by sum r u.
        factors = (moments.counts / divisors)[..., None]
        within = moments.within * (factors if moments.layout.diagonal else factors[..., None])
        shares = np.where(empty, 0, shares)
        estimate = self.gaussian.structure.estimate
        covariances = estimate(within, shares, None, params.covariances)
        proposed = StudentTParams(means, covariances, degrees)
        if self.gaussian.clears_floor(proposed.gaussian, scale.value):
            return proposed
        covariances = estimate(within, shares, self.floor * scale.value**2, params.covariances)
        proposed = StudentTParams(means, covariances, degrees)
        current = params._replace(degrees_of_freedom=degrees)
        # At the floor rounding can outweigh what there is to gain: then stay.
        gain = self.expected_log_density(proposed, statistics)
        gain -= self.expected_log_density(current, statistics)
        stay = np.asarray(gain < 0)[..., None, None]
        if not stay.any():
            return proposed
        return StudentTParams(
            np.where(stay, current.means, means),
            np.where(stay[..., None], current.covariances, covariances),
            degrees,
        )

    def expected_log_density(
        self, params: StudentTParams, statistics: StudentTStatistics, log_weights=UNWEIGHTED
    ):
        """sum_nk r_nk E[log N(x_n | mean_k, covariance_k / u) + log Gamma(u | nu_k / 2, nu_k / 2)]
        in nats, from the statistics alone; with log_weights (K,), r_nk times these added."""
        from scipy.special import gammaln

        counts, sums, logs = statistics.counts, statistics.moments.counts, statistics.log_weights
        halves = params.degrees_of_freedom / 2
        rows = (counts - sums) * params.gaussian.log_peaks + params.means.shape[-1] / 2 * logs
        weights = counts * (halves * np.log(halves) - gammaln(halves))
        weights += (halves - 1) * logs - halves * sums
        gaussian = self.gaussian.expected_log_density(params.gaussian, statistics.gaussian)
        weights += counts * log_weights
        return gaussian + (rows + weights).sum(axis=-1)

    def expected_log_density_gradient(
        self, params: StudentTParams, statistics: StudentTStatistics
    ) -> StudentTParams:
        """Derivatives by every entry of every array: those of Gaussian rows weighted by u, of which
        there are sum r and not sum r u, and by the degrees of freedom nu half of
        sum r (log(nu / 2) + 1 - psi(nu / 2) + E[log u] - E[u]) (Liu & Rubin 1995)."""
        from scipy.special import psi

        counts, sums = statistics.counts, statistics.moments.counts
        halves = params.degrees_of_freedom / 2
        tails = counts * (np.log(halves) + 1 - psi(halves)) + statistics.log_weights - sums
        gaussian = params.gaussian
        by = self.gaussian.expected_log_density_gradient(gaussian, statistics.gaussian)
        peaks = (sums - counts)[..., None, None] * gaussian.precisions / 2
        return StudentTParams(by.means, by.covariances + peaks, tails / 2)

    def flags(self, params: StudentTParams, statistics: StudentTStatistics) -> tuple[str, ...]:
        """Which components are at the covariance floor, and whose degrees of freedom are at a
        bound: no estimates then."""
        messages = []
        if self.degrees_of_freedom is None:
            degrees = params.degrees_of_freedom
            messages += [
                Flag(
                    f"component {k + 1} has its degrees of freedom at their bound, {MOST:g}: it is "
                    "a Gaussian in all but name, and they are not counted as a parameter",
                    k,
                )
                for *_, k in np.argwhere(at_most(degrees))
            ]
            messages += [
                Flag(
                    f"component {k + 1} has its degrees of freedom at their bound, {FEWEST:g}: its "
                    "tails may be heavier still",
                    k,
                )
                for *_, k in np.argwhere(at_fewest(degrees))
            ]
        return (*self.gaussian.flags(params.gaussian, statistics.gaussian), *messages)

    def at_floor(self, params: StudentTParams, statistics: StudentTStatistics) -> dict:
        """Which scale matrices are at their floor."""
        return self.gaussian.at_floor(params.gaussian, statistics.gaussian)

    def n_parameters(self, params: StudentTParams) -> int:
        """Those of Gaussian components, and the degrees of freedom where they are estimated and the
        component is not the Gaussian: at 200 they are not counted, at 0.1 they are."""
        n_parameters = self.gaussian.n_parameters(params.gaussian)
        if self.degrees_of_freedom is None:
            n_parameters += int((~at_most(params.degrees_of_freedom)).sum())
        return n_parameters


def at_most(degrees: np.ndarray) -> np.ndarray:
    """Whether estimated degrees of freedom are at their upper bound: a Gaussian."""
    return degrees >= MOST * (1 - AT_BOUND)


def at_fewest(degrees: np.ndarray) -> np.ndarray:
    """Whether estimated degrees of freedom are at their lower bound."""
    return degrees <= FEWEST * (1 + AT_BOUND)


def best_degrees(excess: np.ndarray, lowest: float, highest: float) -> np.ndarray:
    """The nu from `lowest` to `highest` with log(nu / 2) - psi(nu / 2) closest to the excess.

    excess = mean of E[u] - E[log u] - 1. The left side falls from infinity to 0, so Q rises up to
    its root and falls beyond it. Newton's method on 1 / nu (Minka 2002).
    """
    from scipy.special import polygamma, psi

    if lowest == highest:
        return np.full(np.shape(excess), lowest)
    ends = np.array([highest, lowest]) / 2
    c = np.clip(excess, *(np.log(ends) - psi(ends)))
    # The root of the first two terms of the asymptotic series, 1 / (2 x) + 1 / (12 x^2).
    x = (3 + np.sqrt(9 + 12 * c)) / (12 * c)
    for _ in range(NEWTON_STEPS):
        slope = x * (1 - x * polygamma(1, x))
        x = 1 / (1 / x + (np.log(x) - psi(x) - c) / slope)
    return np.clip(2 * x, lowest, highest)


def _quantiles(data: np.ndarray, shares: list[float], weights=None) -> np.ndarray:
    """(Q, D) quantiles of the values there are in each column; weights are copies."""
    if weights is None:
        return np.nanquantile(data, shares, axis=0)
    found = []
    for column in data.T:
        order = np.argsort(column)[: len(column) - np.isnan(column).sum()]
        ends = np.cumsum(weights[order])
        first, last = ends - weights[order], np.maximum(ends - 1, ends - weights[order])
        ranks = np.multiply(shares, max(ends[-1] - 1, 0))
        found.append(np.interp(ranks, np.ravel([first, last], "F"), np.repeat(column[order], 2)))
    return np.array(found).T
