"""The two-level model: observations in groups, groups drawn from a population.

y_gi = b_g + noise, b_g ~ N(mean, between), noise ~ N(0, within). The group effects b_g are the
latent variables. With one column this is the random intercept, or one-way random effects, model
(Laird & Ware 1982); with more, its multivariate form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from em_core.coordinates.domains import Covariances, Real
from em_core.coordinates.gradients import by_covariance
from em_core.emissions.covariances.structures import (
    AT_FLOOR,
    extreme_eigenvalues,
    floor_eigenvalues,
)
from em_core.emissions.kernels.positive_definite import PositiveDefinite
from em_core.half_steps import Collapse, Expectation, Shared
from em_core.magnitudes import require_near, require_symmetric, require_values, require_variances
from em_core.models.two_level.groups import Groups, as_arrays
from em_core.models.two_level.incomplete import (
    IncompleteGroups,
    completed,
    effects_of,
    moments_of,
)
from em_core.models.two_level.starts import STARTS

# Observations in each group of a sample whose group sizes are not given.
SAMPLE_GROUP_SIZE = 10


class TwoLevelParams(NamedTuple):
    """mean (D,), between_covariance (D, D) of groups, within_covariance (D, D) in every group."""

    mean: np.ndarray
    between_covariance: np.ndarray
    within_covariance: np.ndarray


class TwoLevelStatistics(NamedTuple):
    """Expected moments of group effects b and residuals y - b, relative to the mean of q's params.

    groups, observations: numbers of them. effect_sum (D,) = sum_g E[b_g]; effect_scatter (D, D) =
    sum_g E[b_g b_g^T]; residual_scatter (D, D) = sum_gi E[(y_gi - b_g)(y_gi - b_g)^T];
    observed_counts, observed_sum, observed_squares (D,): how many values are there of each column,
    and sums of y and y^2 of them, for the data's own variance.
    """

    groups: float
    observations: float
    effect_sum: np.ndarray
    effect_scatter: np.ndarray
    residual_scatter: np.ndarray
    observed_counts: np.ndarray
    observed_sum: np.ndarray
    observed_squares: np.ndarray
    origin: Shared

    @property
    def variances(self) -> np.ndarray:
        """(D,) variance of all observations, which no parameters change."""
        mean = self.observed_sum / self.observed_counts
        return self.observed_squares / self.observed_counts - mean**2

    @property
    def effect_covariance(self) -> np.ndarray:
        """(D, D) expected covariance of the group effects about their average."""
        average = self.effect_sum / self.groups
        return self.effect_scatter / self.groups - np.outer(average, average)

    def scatter_about(self, mean: np.ndarray) -> np.ndarray:
        """(D, D) expected scatter of the group effects about another mean (D,)."""
        shift = mean - self.origin.value
        cross = np.outer(shift, self.effect_sum)
        return self.effect_scatter - cross - cross.T + self.groups * np.outer(shift, shift)


class TwoLevelPosterior(NamedTuple):
    """p(b_g | y_g) = N(means, covariances), one row for each group.

    means (G, D) = mean + shrinkage (group_means - mean); covariances, shrinkage (G, D, D);
    group_means (G, D): averages of the observations; log_densities (G,) = log p(y_g), in nats.
    With one column shrinkage[:, 0, 0] runs from 0 (all towards the mean) to 1 (none).
    """

    means: np.ndarray
    covariances: np.ndarray
    shrinkage: np.ndarray
    group_means: np.ndarray
    log_densities: np.ndarray


class EffectInference(NamedTuple):
    """q of every group along the axes in which both covariances are diagonal.

    within = axes axes^T and between = axes diag(ratios) axes^T; inverse = axes^-1. Along them:
    deviations (G, D) of the group means from the mean, shrinkage (G, D) of each.
    """

    axes: np.ndarray
    inverse: np.ndarray
    ratios: np.ndarray
    deviations: np.ndarray
    shrinkage: np.ndarray

    @property
    def variances(self) -> np.ndarray:
        """(G, D) of q along the axes: ratios / (1 + n_g ratios)."""
        return (1 - self.shrinkage) * self.ratios

    @property
    def log_within(self) -> float:
        """log|within|"""
        return 2 * np.linalg.slogdet(self.axes)[1]


def infer(params: TwoLevelParams, groups: Groups) -> EffectInference:
    """One factorisation serves groups of every size."""
    within = np.linalg.cholesky(params.within_covariance)
    between = np.linalg.cholesky(params.between_covariance)
    # Singular values, not the eigenvalues of their squares: twice the digits.
    turn, roots, _ = np.linalg.svd(np.linalg.solve(within, between))
    inverse = turn.T @ np.linalg.inv(within)
    deviations = (groups.means - (params.mean - groups.origin)) @ inverse.T
    strength = groups.counts[:, None] * roots**2
    return EffectInference(within @ turn, inverse, roots**2, deviations, strength / (1 + strength))


@dataclass(frozen=True)
class TwoLevel:
    """y_gi ~ N(b_g, within), b_g ~ N(mean, between): groups drawn from a population.

    Data: a list of (n_g, D) arrays, one for each group; (n_g,) means D = 1; NaN is a value missing
    at random. Weights are one for each group.
    floor: no eigenvalue of either covariance, measured in units of the columns' own standard
        deviations, may fall below this. The M-step is the exact maximiser under that bound. Where
        the likelihood is largest at a between-group variance of zero, EM nears it ever more slowly;
        the start "moments" is there at once.
    """

    floor: float = 1e-6

    latent: ClassVar = "effects"
    grouped: ClassVar = True
    starts: ClassVar = STARTS
    DIMS: ClassVar = {
        "mean": ("column",),
        "between_covariance": ("column", "column"),
        "within_covariance": ("column", "column"),
    }

    def __post_init__(self):
        if not 0 < self.floor < 1:
            raise ValueError("the covariance floor must lie between 0 and 1")

    def check(self, data) -> list[np.ndarray]:
        """The data as one (n_g, D) array for each group. Raises ValueError where they cannot be."""
        arrays = as_arrays(data)
        if len(arrays) < 2:
            raise ValueError("a two-level model needs at least two groups, and these data have one")
        rows = np.concatenate(arrays)
        if (empty := np.isnan(rows).all(axis=0)).any():
            raise ValueError(f"column {empty.argmax() + 1} holds no values at all: leave it out")
        varying = np.fmax.reduce(rows) > np.fmin.reduce(rows)
        if not varying.all():
            raise ValueError(f"column {varying.argmin() + 1} is constant: leave it out")
        return arrays

    def prepare(self, data, weights=None) -> Groups | IncompleteGroups:
        return data if isinstance(data, Groups | IncompleteGroups) else groups_of(as_arrays(data))

    def settled(self, columns) -> TwoLevel:
        """Itself. Raises ValueError where a column of all groups does not vary."""
        varying = columns.highest > columns.lowest
        if not varying.all():
            raise ValueError(f"column {varying.argmin() + 1} is constant: leave it out")
        return self

    def prepare_block(self, data, columns) -> Groups | IncompleteGroups:
        """Some of the groups."""
        return groups_of(as_arrays(data))

    def n_observations(self, data, weights=None) -> float:
        """Number of observations, each counted by the weight of its group: the n of BIC."""
        counts = np.array([len(group) for group in data])
        return float(counts.sum() if weights is None else weights @ counts)

    def params(self, mean, between_covariance, within_covariance) -> TwoLevelParams:
        """Explicit parameters from arrays; with one column plain numbers will do.

        Raises ValueError for a wrong shape or a value outside its domain.
        """
        mean = np.atleast_1d(np.array(mean, dtype=float))
        if mean.ndim != 1 or not np.isfinite(mean).all():
            raise ValueError("mean must be a list of finite numbers, one for each column")
        require_values(mean, "mean")
        covariances = {"between": between_covariance, "within": within_covariance}
        for level, covariance in covariances.items():
            covariance = covariances[level] = np.atleast_2d(np.array(covariance, dtype=float))
            if covariance.shape != (len(mean), len(mean)):
                raise ValueError(
                    f"{level}_covariance has shape {covariance.shape}: give a matrix of "
                    f"{len(mean)} x {len(mean)}"
                )
            if not np.isfinite(covariance).all():
                raise ValueError(f"{level}_covariance must hold finite numbers")
            require_symmetric(covariance, f"{level}_covariance")
            try:
                # As the density is worked out: in units of the columns' deviations.
                _ = PositiveDefinite(covariance).whitening
            except np.linalg.LinAlgError:
                raise ValueError(f"{level}_covariance is not positive definite") from None
            require_variances(np.diag(covariance), f"the variances in {level}_covariance")
        return TwoLevelParams(mean, covariances["between"], covariances["within"])

    def check_start(self, params: TwoLevelParams, data, weights=None) -> None:
        """Raises ValueError where the mean is too far from the rows."""
        require_near(params.mean, np.concatenate(as_arrays(data)))

    def initial_params(self, data, method: str, rng, weights=None) -> TwoLevelParams:
        """Starting parameters by a method of `starts`."""
        if method not in STARTS:
            raise ValueError(f"unknown start {method!r}: choose one of {', '.join(STARTS)}")
        weights = np.ones(len(data)) if weights is None else weights
        self.check([group for group, weight in zip(data, weights, strict=True) if weight > 0])
        arrays = as_arrays(data)
        groups = Groups.of(completed(arrays))
        variances = observed_variances(arrays, weights)
        mean, between, within = STARTS[method].propose(groups, weights, rng)
        between, within = self._floored(np.stack([between, within]), variances)
        return TwoLevelParams(groups.origin + mean, between, within)

    def _floored(self, covariances: np.ndarray, variances: np.ndarray) -> np.ndarray:
        return floor_eigenvalues(covariances, self.floor * variances)

    def e_step(self, params: TwoLevelParams, data, weights=None) -> Expectation:
        """q(b_g) = N(mean + S_g (y-bar_g - mean), (between^-1 + n_g within^-1)^-1), with the
        shrinkage S_g = between (between + within / n_g)^-1; folded into moments. What rows miss is
        latent too: see `incomplete`."""
        groups = self._groups(params, data)
        weights = np.ones(len(groups)) if weights is None else weights
        if isinstance(groups, IncompleteGroups):
            return _e_step_of_incomplete(params, groups, weights)
        q = infer(params, groups)
        counts = weights * groups.counts
        n_groups, n_observations = weights.sum(), counts.sum()
        within = np.tensordot(weights, groups.scatters, 1)

        effects = q.shrinkage * q.deviations
        residuals = (1 - q.shrinkage) * q.deviations
        effect_scatter = (effects.T * weights) @ effects + np.diag(weights @ q.variances)
        residual_scatter = (residuals.T * counts) @ residuals + np.diag(counts @ q.variances)
        observed = groups.means - (params.mean - groups.origin)
        statistics = TwoLevelStatistics(
            float(n_groups),
            float(n_observations),
            q.axes @ (weights @ effects),
            q.axes @ effect_scatter @ q.axes.T,
            within + q.axes @ residual_scatter @ q.axes.T,
            np.full(len(params.mean), float(n_observations)),
            counts @ observed,
            np.diag(within) + counts @ observed**2,
            Shared(params.mean),
        )
        log_variances = np.log(q.variances).sum(axis=1) + q.log_within
        entropy = 0.5 * weights @ (len(params.mean) * (1 + np.log(2 * np.pi)) + log_variances)
        squares = np.vdot(q.inverse @ within, q.inverse)
        log_likelihood = weights @ self._log_densities(q, groups.counts) - 0.5 * squares
        return Expectation(statistics, float(entropy), float(log_likelihood))

    def _groups(self, params: TwoLevelParams, data) -> Groups | IncompleteGroups:
        if isinstance(data, Groups | IncompleteGroups):
            return data
        return groups_of(as_arrays(data, len(params.mean)), params.mean)

    def _log_densities(self, q: EffectInference, counts: np.ndarray) -> np.ndarray:
        """(G,) log p(y_g) but for -tr(within^-1 scatter_g) / 2."""
        dimension = len(q.ratios)
        squares = counts * ((1 - q.shrinkage) * q.deviations**2).sum(axis=1)
        spreads = np.log1p(counts[:, None] * q.ratios).sum(axis=1)
        return -0.5 * (counts * (dimension * np.log(2 * np.pi) + q.log_within) + spreads + squares)

    def m_step(self, params: TwoLevelParams, statistics: TwoLevelStatistics) -> TwoLevelParams:
        """The average effect, the effects' covariance about it and that of the residuals."""
        mean = statistics.origin.value + statistics.effect_sum / statistics.groups
        residual_covariance = statistics.residual_scatter / statistics.observations
        covariances = np.stack([statistics.effect_covariance, residual_covariance])
        return TwoLevelParams(mean, *self._floored(covariances, statistics.variances))

    def expected_log_joint(self, params: TwoLevelParams, statistics: TwoLevelStatistics) -> float:
        """E_q[sum_g log N(b_g | mean, between) + sum_gi log N(y_gi | b_g, within)] in nats."""
        return expected_log_normal(
            params.between_covariance, statistics.groups, statistics.scatter_about(params.mean)
        ) + expected_log_normal(
            params.within_covariance, statistics.observations, statistics.residual_scatter
        )

    def expected_log_joint_gradient(
        self, params: TwoLevelParams, statistics: TwoLevelStatistics
    ) -> TwoLevelParams:
        """Derivatives of `expected_log_joint` by every entry of every array (see
        `em_core.coordinates.gradients`): those of two normal distributions."""
        between = np.linalg.inv(params.between_covariance)
        within = np.linalg.inv(params.within_covariance)
        shift = params.mean - statistics.origin.value
        return TwoLevelParams(
            between @ (statistics.effect_sum - statistics.groups * shift),
            by_covariance(between, statistics.groups, statistics.scatter_about(params.mean)),
            by_covariance(within, statistics.observations, statistics.residual_scatter),
        )

    def flags(self, params: TwoLevelParams, statistics: TwoLevelStatistics) -> tuple[str, ...]:
        """Which covariance is at its floor, and whether the levels can be told apart at all."""
        unit = np.sqrt(statistics.variances)
        unit = unit[:, None] * unit
        between = np.linalg.eigvalsh(statistics.effect_covariance / unit)
        residual_covariance = statistics.residual_scatter / statistics.observations
        within = np.linalg.eigvalsh(residual_covariance / unit)
        messages = []
        if statistics.observations == statistics.groups:
            messages.append(
                "every group has one observation: the variance between groups and that within "
                "them cannot be told apart"
            )
        if between[-1] < self.floor:
            messages.append(
                "the groups do not differ more than chance: the between-group variance is at its "
                "floor"
            )
        elif between[0] < self.floor:
            messages.append(
                "in some direction the groups do not differ more than chance: the between-group "
                "covariance is at its floor there"
            )
        if within[0] < self.floor:
            said = (
                "within groups (nearly) nothing varies in some direction: the within-group "
                "covariance is at its floor"
            )
            # The likelihood of groups of one has a bound: the other covariance takes the variance.
            repeated = statistics.observations > statistics.groups
            messages.append(Collapse(said) if repeated else said)
        return tuple(messages)

    def posterior(self, params: TwoLevelParams, data) -> TwoLevelPosterior:
        """The effect of every group: its mean drawn towards the population's. Where values are
        missing (NaN), shrinkage is what the group takes from the prior's precision."""
        groups = self._groups(params, data)
        if isinstance(groups, IncompleteGroups):
            effects = effects_of(*params, groups)
            # Covariance (I - S) between, as for complete groups.
            shrinkage = effects.covariances @ np.linalg.inv(params.between_covariance)
            return TwoLevelPosterior(
                params.mean + effects.means,
                effects.covariances,
                np.eye(len(params.mean)) - shrinkage,
                groups.origin + groups.means,
                effects.log_densities,
            )
        q = infer(params, groups)
        effects = (q.shrinkage * q.deviations) @ q.axes.T
        squares = np.tensordot(groups.scatters, q.inverse.T @ q.inverse, 2)
        return TwoLevelPosterior(
            params.mean + effects,
            (q.axes * q.variances[:, None, :]) @ q.axes.T,
            (q.axes * q.shrinkage[:, None, :]) @ q.inverse,
            groups.origin + groups.means,
            self._log_densities(q, groups.counts) - 0.5 * squares,
        )

    def sample(self, params: TwoLevelParams, n, rng) -> tuple[list[np.ndarray], np.ndarray]:
        """Observations (n_g, D) of each group, and the group effects (G, D).

        n: the size of every group, or a number of groups, which then have 10 observations each.
        """
        sizes = np.full(n, SAMPLE_GROUP_SIZE) if np.ndim(n) == 0 else np.asarray(n)
        dimension = len(params.mean)
        noise = rng.standard_normal((len(sizes), dimension))
        effects = params.mean + noise @ np.linalg.cholesky(params.between_covariance).T
        rows = rng.standard_normal((sizes.sum(), dimension))
        rows = rows @ np.linalg.cholesky(params.within_covariance).T
        rows += np.repeat(effects, sizes, axis=0)
        return np.split(rows, np.cumsum(sizes)[:-1]), effects

    def domains(self, params: TwoLevelParams) -> tuple:
        """Where the parameters may lie, for `Coordinates`; the mean in standard deviations."""
        unit = np.sqrt(np.diag(params.between_covariance + params.within_covariance))
        return (
            Real(params.mean, "mean", unit),
            Covariances(params.between_covariance, quantity="between-group standard deviation"),
            Covariances(params.within_covariance, quantity="within-group standard deviation"),
        )

    def rescale(self, params: TwoLevelParams, shift, scale) -> TwoLevelParams:
        """The parameters of scale * y + shift, for y distributed by `params`; both are (D,)."""
        scale = np.asarray(scale, dtype=float)
        unit = scale[:, None] * scale
        return TwoLevelParams(
            params.mean * scale + shift,
            params.between_covariance * unit,
            params.within_covariance * unit,
        )

    def at_floor(self, params: TwoLevelParams, statistics: TwoLevelStatistics) -> dict:
        """Which covariances are at their floor, all entries of each."""
        scale = np.sqrt(statistics.variances)
        both = np.stack([params.between_covariance, params.within_covariance])
        lowest, _ = extreme_eigenvalues(both, scale)
        between, within = (np.full(both.shape[1:], low <= self.floor * AT_FLOOR) for low in lowest)
        return {"between_covariance": between, "within_covariance": within}

    def n_parameters(self, params: TwoLevelParams) -> int:
        """D for the mean and D (D + 1) / 2 for each of the two covariances."""
        dimension = len(params.mean)
        return dimension + dimension * (dimension + 1)


def groups_of(
    arrays: list[np.ndarray], origin: np.ndarray | None = None
) -> Groups | IncompleteGroups:
    """Checked groups about an origin, as the E-step takes them."""
    holes = any(np.isnan(array).any() for array in arrays)
    return (IncompleteGroups if holes else Groups).of(arrays, origin)


def observed_variances(arrays: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """(D,) variance of what is there of each column, weights (G,) being those of the groups."""
    rows = np.concatenate(arrays)
    shares = np.repeat(weights, [len(array) for array in arrays])[:, None] * ~np.isnan(rows)
    shares /= shares.sum(axis=0)
    centred = rows - np.nansum(shares * rows, axis=0)
    return np.nansum(shares * centred**2, axis=0)


def _e_step_of_incomplete(
    params: TwoLevelParams, groups: IncompleteGroups, weights: np.ndarray
) -> Expectation:
    """The E-step where values are missing; weights (G,)."""
    dimension = len(params.mean)
    effects = effects_of(*params, groups)
    rows = moments_of(params.mean, params.within_covariance, groups, effects, weights)
    scatter = (effects.means.T * weights) @ effects.means
    statistics = TwoLevelStatistics(
        float(weights.sum()),
        float(sum(weights[pattern.groups] @ pattern.counts for pattern in groups.patterns)),
        weights @ effects.means,
        scatter + np.tensordot(weights, effects.covariances, 1),
        rows.residual_scatter,
        rows.counts,
        rows.sums,
        rows.squares,
        Shared(params.mean),
    )
    log_determinants = np.linalg.slogdet(effects.covariances)[1]
    entropy = 0.5 * weights @ (dimension * (1 + np.log(2 * np.pi)) + log_determinants)
    return Expectation(
        statistics, float(entropy + rows.entropy), float(weights @ effects.log_densities)
    )


def expected_log_normal(covariance: np.ndarray, count: float, scatter: np.ndarray) -> float:
    """sum of E[log N(x | mean, covariance)] over `count` vectors with this scatter about it."""
    factor = np.linalg.cholesky(covariance)
    inverse = np.linalg.inv(factor)
    constant = len(covariance) * np.log(2 * np.pi) + 2 * np.log(np.diag(factor)).sum()
    return -0.5 * float(count * constant + np.vdot(inverse @ scatter, inverse))


def intraclass_correlation(params: TwoLevelParams) -> np.ndarray:
    """(D,) the share of each column's variance that lies between groups.

    It is the correlation of two observations of the same group.
    """
    between, within = np.diag(params.between_covariance), np.diag(params.within_covariance)
    return between / (between + within)
