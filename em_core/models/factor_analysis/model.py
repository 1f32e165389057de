"""Factor analysis and probabilistic PCA: a few Gaussian factors behind the columns of each row.

x = mean + loadings z + noise, z ~ N(0, I), with noise of its own variance in every column (factor
analysis) or of one variance in all (probabilistic PCA). The factors z are the latent variables
(Rubin & Thayer 1982; Tipping & Bishop 1999). A missing value is simply not observed: its row's
posterior follows from the columns that are there, which is right where values are missing at
random.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_core.coordinates.domains import Positive, Real, Triangular
from em_core.data import as_table
from em_core.half_steps import Collapse, Expectation, Leap, Shared
from em_core.imputation import Imputation, filled
from em_core.magnitudes import require_near, require_spread, require_values, require_variances
from em_core.models.factor_analysis import starts as factor_starts
from em_core.models.factor_analysis.boundary import (
    HEYWOOD,
    LOST,
    NEAR_FLOOR,
    at_floor,
    check_fewer,
    check_number,
    columns_named,
    heywood_words,
    leap_at_boundary,
    lost_directions,
)
from em_core.models.factor_analysis.incomplete_rows import (
    Condensed,
    CondensedTable,
    sample_mean,
    varying,
)
from em_core.models.factor_analysis.posterior import FactorPosterior, infer
from em_core.models.factor_analysis.statistics import FactorParams, FactorStatistics, by_design


@dataclass(frozen=True)
class _FactorModel:
    """What both models share. `floor`: the smallest noise variance, as a share of the column's
    variance: the M-step is the exact maximiser under that bound."""

    n_factors: int
    floor: float = 1e-6

    latent: ClassVar = "factors"
    # Whether all columns have one noise variance.
    one_noise: ClassVar = False
    starts: ClassVar = factor_starts.STARTS
    DIMS: ClassVar = {
        "mean": ("column",),
        "loadings": ("column", "factor"),
        "noise_variance": ("column",),
        "factor_scale": ("factor", "factor"),
    }

    # What they do not share.

    _noise_shape: ClassVar[str]

    def _check_number(self, n_columns: int) -> None:
        """Raises ValueError where so many columns cannot tell so many factors."""
        raise NotImplementedError

    def _check_constant(self, constant: np.ndarray, n_columns: int) -> None:
        """Raises ValueError where columns that do not vary cannot be used."""
        raise NotImplementedError

    def _pool(self, variances: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Noise variances from those of the columns (D,), each of so many values (D,)."""
        raise NotImplementedError

    def __post_init__(self):
        if self.n_factors < 1:
            raise ValueError("at least one factor is needed")
        if not 0 < self.floor < 1:
            raise ValueError("the noise floor must lie between 0 and 1")

    def check(self, data) -> CondensedTable:
        """The data as the model takes them: a table with NaN where a value is missing.

        Raises ValueError where the model cannot be fitted: no table, infinite values, a column
        without values, too few columns or rows for the factors.
        """
        table = self.prepare(data)
        table.condensed()
        return table

    def prepare(self, data, weights=None) -> CondensedTable:
        """The table, ready to be condensed to rows that EM iterates on; checked as by `check`, save
        for infinite values, which the first E-step finds."""
        values = data.data if isinstance(data, CondensedTable) else as_table(data)
        self._check_columns(values, weights)
        if isinstance(data, CondensedTable):
            return data
        # A row without weight, far away, would take the digits of all others.
        there = values if weights is None else values[np.asarray(weights) > 0]
        return CondensedTable(values, sample_mean(there))

    def _table(self, data, params: FactorParams) -> CondensedTable:
        if isinstance(data, CondensedTable):
            return data
        return CondensedTable(as_table(data, len(params.mean)), params.mean)

    def _check_columns(self, data: np.ndarray, weights: np.ndarray | None) -> None:
        """Raises ValueError where rows or columns do not suffice to fit the model."""
        used = np.arange(len(data)) if weights is None else np.flatnonzero(weights)
        self._check_size(len(used), data.shape[1])
        constant = still = np.flatnonzero(~varying(data[used[:100]]))
        if len(still):
            constant = still[~varying(data[np.ix_(used, still)])]
        for column in constant:
            if np.isnan(data[used, column]).all():
                raise ValueError(f"column {column + 1} has no values: leave it out")
        self._check_constant(constant, data.shape[1])
        require_spread(data)

    def _check_size(self, n_rows: int, n_columns: int) -> None:
        """Raises ValueError where so many rows and columns do not suffice."""
        self._check_number(n_columns)
        if n_rows < self.n_factors + 2:
            raise ValueError(
                f"{self.n_factors} factors need at least {self.n_factors + 2} rows, and these "
                f"data have {n_rows}: use fewer factors or more rows"
            )

    def settled(self, columns) -> _FactorModel:
        """Itself. Raises ValueError where a table with such columns cannot be fitted."""
        self._check_size(columns.n_rows, len(columns.means))
        constant = ~(columns.highest > columns.lowest)
        self._check_constant(np.flatnonzero(constant), len(columns.means))
        return self

    def condense_block(self, data, weights, columns) -> Condensed:
        """Rows that have the moments of some rows of a table whose columns are such."""
        if weights is not None:
            data, weights = data[weights > 0], weights[weights > 0]
        return Condensed(CondensedTable(data, columns.means).condensed(weights))

    def condensed(self, total: Condensed, columns) -> CondensedTable:
        """A table in pieces, by the sum of what its blocks were condensed to."""
        return CondensedTable.standing_for(total.rows, columns.means)

    def params(self, mean, loadings, noise_variance) -> FactorParams:
        """Explicit parameters from arrays.

        Raises ValueError for a wrong shape or a value outside its domain.
        """
        mean, loadings = np.array(mean, dtype=float), np.array(loadings, dtype=float)
        noise_variance = np.array(noise_variance, dtype=float)
        if mean.ndim != 1 or not np.isfinite(mean).all():
            raise ValueError("mean must be a list of finite numbers, one for each column")
        require_values(mean, "mean")
        if loadings.shape != (len(mean), self.n_factors) or not np.isfinite(loadings).all():
            raise ValueError(
                f"loadings have shape {loadings.shape}: give {len(mean)} rows of "
                f"{self.n_factors} finite numbers"
            )
        if noise_variance.shape != self._pool(mean, np.ones(len(mean))).shape:
            raise ValueError(
                f"noise_variance has shape {noise_variance.shape}: give {self._noise_shape}"
            )
        require_values(loadings, "loadings")
        require_variances(noise_variance, "noise_variance")
        return FactorParams(mean, loadings, noise_variance)

    def check_start(self, params: FactorParams, data, weights=None) -> None:
        """Raises ValueError where the mean is too far from the rows."""
        require_near(params.mean, np.asarray(data))

    def initial_params(self, data, method: str, rng, weights=None) -> FactorParams:
        """Starting parameters by a method of `starts`: their mean is that of the observed values.

        Correlations of columns with holes are those with holes filled by the mean.
        """
        table = self.prepare(data, weights)
        rows = table.condensed(weights)
        counts = rows.counts @ rows.patterns
        offsets = rows.ones @ rows.values / counts
        centred = (rows.values - rows.ones[:, None] * offsets) * rows.observed
        roots = np.sqrt(counts)
        covariances = centred.T @ centred / (roots[:, None] * roots)
        variances = self._pool(np.diag(covariances), counts)
        units = np.broadcast_to(np.sqrt(variances), offsets.shape)
        loadings, noise = factor_starts.start_factors(
            covariances / (units[:, None] * units), rows.counts.sum(), self.n_factors, method, rng
        )
        noise = np.maximum(self._pool(noise * units**2, counts), self.floor * variances)
        return FactorParams(table.origin + offsets, loadings * units[:, None], noise)

    def e_step(self, params: FactorParams, data, weights=None) -> Expectation:
        """q(z_n) = N(G L^T noise^-1 (x_n - mean), G), G = (I + L^T noise^-1 L)^-1, where L is the
        loadings of the columns observed in row n; folded into the moments of the regression."""
        return self.e_step_with(params, data, lambda q: q, weights)

    def e_step_with(self, params: FactorParams, data, restrict, weights=None) -> Expectation:
        """The E-step of another Gaussian q with the posterior's means: q = restrict(posterior),
        an `Inference` with other covariances. The log-likelihood is the true one."""
        table = self._table(data, params)
        rows = table.condensed(weights)
        q = infer(params, rows, table.origin)
        noise = params.noise
        residual_squares = np.einsum("rd,rd->d", q.residuals, q.residuals)
        mean_products = q.means.T @ q.means
        log_noise = rows.patterns @ np.log(2 * np.pi * noise)
        log_likelihood = -0.5 * (
            rows.counts @ (log_noise + q.log_precisions)
            + residual_squares @ (1 / noise)
            + np.vdot(q.means, q.means)
        )
        q = restrict(q)
        entropies = self.n_factors * (1 + np.log(2 * np.pi)) - q.log_precisions

        y = np.concatenate([rows.ones[:, None], q.means], axis=1)
        if rows.complete:
            # One design serves all columns.
            columns, designs = slice(0, 1), (y.T @ y)[None]
        else:
            columns = slice(None)
            products = (y[:, :, None] * y[:, None, :]).reshape(len(y), -1)
            designs = (rows.observed.T @ products).reshape(-1, y.shape[1], y.shape[1])
        weighted = rows.counts[:, None] * q.covariances.reshape(len(rows.counts), -1)
        spreads = (rows.patterns[:, columns].T @ weighted).reshape(-1, *mean_products.shape)
        designs[:, 1:, 1:] += spreads
        spread_loadings = by_design(params.loadings, spreads)
        residual_products = q.residuals.T @ y
        residual_products[:, 1:] -= spread_loadings
        statistics = FactorStatistics(
            float(rows.counts.sum()),
            rows.ones @ q.means,
            mean_products + weighted.sum(axis=0).reshape(mean_products.shape),
            designs,
            residual_products,
            residual_squares + (spread_loadings * params.loadings).sum(axis=1),
            Shared(params.coefficients),
            Shared(params.factor_scale),
            Shared(table.dependent),
        )
        return Expectation(statistics, float(rows.counts @ entropies) / 2, float(log_likelihood))

    def m_step(self, params: FactorParams, statistics: FactorStatistics) -> FactorParams:
        """Regression of every column on the factors, the noise it leaves, and the covariance of
        the factors, which then passes into the loadings."""
        coefficients, squares = statistics.regress()
        noise = self._pool(squares / statistics.counts, statistics.counts)
        noise = np.maximum(noise, self._smallest_noise(statistics))
        scale = np.linalg.cholesky(statistics.factor_moments / statistics.count)
        return FactorParams(
            coefficients[:, 0],
            coefficients[:, 1:] @ scale,
            noise,
            statistics.factor_scale.value @ scale,
        )

    def _smallest_noise(self, statistics: FactorStatistics) -> np.ndarray:
        return self.floor * self._pool(statistics.variances, statistics.counts)

    def expected_log_joint(self, params: FactorParams, statistics: FactorStatistics) -> float:
        """E_q[log N(x | mean + slopes z, noise) + log N(z | 0, scale scale^T)] in nats, of observed
        x and of factors z as those of the parameters that gave q are scaled."""
        scale, other = params.factor_scale, statistics.factor_scale.value
        # After an E-step the scales are the same: then its inverse, the identity, is known.
        inverse = np.eye(len(scale)) if scale is other else np.linalg.solve(scale, other)
        slopes = params.loadings @ inverse
        squares = statistics.squares(np.concatenate([params.mean[:, None], slopes], axis=1))
        noise = params.noise
        rows = statistics.counts @ np.log(2 * np.pi * noise) + squares @ (1 / noise)
        log_scale = np.log(2 * np.pi * (np.diag(scale) / np.diag(other)) ** 2).sum()
        factors = np.vdot(inverse.T @ inverse, statistics.factor_moments)
        return -0.5 * float(rows + statistics.count * log_scale + factors)

    def expected_log_joint_gradient(
        self, params: FactorParams, statistics: FactorStatistics
    ) -> FactorParams:
        """Derivatives of `expected_log_joint` by every entry of every array, 0 above the diagonal
        of the scale: E[residuals z^T] / noise by the slopes loadings scale^-1 of the regression
        (Rubin & Thayer 1982), and by what they are made of by the chain rule."""
        scale, other = params.factor_scale, statistics.factor_scale.value
        inverse = np.linalg.solve(scale, other)
        coefficients = np.column_stack([params.mean, params.loadings @ inverse])
        noise = params.noise
        by_coefficients = statistics.products(coefficients) / noise[:, None]
        by_noise = (statistics.squares(coefficients) / noise - statistics.counts) / (2 * noise)
        by_slopes = by_coefficients[:, 1:]
        by_inverse = params.loadings.T @ by_slopes - inverse @ statistics.factor_moments
        by_scale = np.linalg.solve(scale.T, by_inverse @ inverse.T)
        return FactorParams(
            by_coefficients[:, 0],
            by_slopes @ inverse.T,
            by_noise if params.noise_variance.ndim else by_noise.sum(),
            -np.tril(by_scale) - np.diag(statistics.count / np.diag(scale)),
        )

    def posterior(self, params: FactorParams, data) -> FactorPosterior:
        """Factor scores, their covariances and the log-density of every row."""
        table = self._table(data, params)
        rows = table.rows()
        q = infer(params, rows, table.origin)
        noise = params.noise
        constants = rows.patterns @ np.log(2 * np.pi * noise) + q.log_precisions
        squares = q.residuals**2 @ (1 / noise) + (q.means**2).sum(axis=1)
        if len(q.covariances) == 1:
            covariances = np.broadcast_to(q.covariances[0], (len(table), *q.covariances[0].shape))
        else:
            covariances = q.covariances[rows.pattern]
        return FactorPosterior(q.means, covariances, -0.5 * (constants[rows.pattern] + squares))

    def impute(self, params: FactorParams, data) -> Imputation:
        """The data with every hole filled by its expectation given what its row has observed."""
        table = self._table(data, params)
        rows = table.rows()
        q = infer(params, rows, table.origin)
        outer = params.loadings[:, :, None] * params.loadings[:, None, :]
        explained = q.covariances.reshape(len(q.covariances), -1) @ outer.reshape(len(outer), -1).T
        means = params.mean + q.means @ params.loadings.T
        return filled(table.data, means, np.sqrt(params.noise + explained)[rows.pattern])

    def sample(self, params: FactorParams, n: int, rng) -> tuple[np.ndarray, np.ndarray]:
        """n rows and the factors (n, q) behind each."""
        factors = rng.standard_normal((n, self.n_factors))
        noise = rng.standard_normal((n, len(params.mean))) * np.sqrt(params.noise)
        return params.mean + factors @ params.loadings.T + noise, factors

    def domains(self, params: FactorParams) -> tuple:
        """Where the parameters may lie, for `Coordinates`; in the columns' standard deviations."""
        unit = np.sqrt(np.diag(params.covariance))
        return (
            Real(params.mean, "mean", unit),
            Real(params.loadings, "loading", unit[:, None]),
            Positive(params.noise_variance, "noise variance"),
            Triangular(params.factor_scale),
        )

    def rescale(self, params: FactorParams, shift, scale) -> FactorParams:
        """The parameters of scale * x + shift, for x distributed by `params`; both are (D,).

        Raises ValueError for probabilistic PCA with unequal scales, which would give each column a
        noise of its own.
        """
        scale = np.asarray(scale, dtype=float)
        if self.one_noise:
            if np.any(scale != scale[0]):
                raise ValueError(
                    "the noise of probabilistic PCA is one number only while all columns have one "
                    "unit: standardise the table before, instead of the model"
                )
            noise = params.noise_variance * scale[0] ** 2
        else:
            noise = params.noise_variance * scale**2
        return FactorParams(
            params.mean * scale + shift,
            params.loadings * scale[:, None],
            noise,
            params.factor_scale,
        )

    def at_floor(self, params: FactorParams, statistics: FactorStatistics) -> dict:
        """Which noise variances are at their floor."""
        lowest = self._smallest_noise(statistics)
        at_floor = params.noise_variance <= lowest * (1 + NEAR_FLOOR)
        return {"noise_variance": np.asarray(at_floor)}

    def n_parameters(self, params: FactorParams) -> int:
        """Means, loadings up to a rotation, and noise variances."""
        n_columns, q = params.loadings.shape
        n_noise = self._pool(params.mean, np.ones(n_columns)).size
        return n_columns + n_columns * q - q * (q - 1) // 2 + n_noise


@dataclass(frozen=True)
class FactorAnalysis(_FactorModel):
    """x = mean + loadings z + noise, the noise of each column with a variance of its own.

    Columns may be in any units: the fit follows them.
    """

    _noise_shape: ClassVar = "one number for each column"

    def _pool(self, variances, counts):
        return variances

    def _check_number(self, n_columns: int) -> None:
        check_number(n_columns, self.n_factors)

    def _check_constant(self, constant: np.ndarray, n_columns: int) -> None:
        if len(constant):
            raise ValueError(
                f"column {constant[0] + 1} has one and the same value in every row: leave it out"
            )

    def prepare(self, data, weights=None) -> CondensedTable:
        return super().prepare(data, weights).judged(weights)

    def condensed(self, total: Condensed, columns) -> CondensedTable:
        return super().condensed(total, columns).judged_by(columns.n_rows)

    def leap(self, params: FactorParams, statistics: FactorStatistics) -> Leap | None:
        """Straight to where a column has next to no noise: EM nears that ever more slowly."""
        return leap_at_boundary(params, statistics, self._smallest_noise(statistics))

    def flags(self, params: FactorParams, statistics: FactorStatistics) -> tuple[str, ...]:
        """Which columns the factors explain to the last: Heywood cases. Where the likelihood
        changes with the floor, or columns depend on each other, it is no answer."""
        lowest, messages = self._smallest_noise(statistics), []
        dependent, n_columns = statistics.dependent.value, len(params.mean)
        if dependent.any():
            messages.append(
                Collapse(
                    f"{columns_named(dependent)} follow from each other: enough factors raise the "
                    "likelihood without bound, so it cannot tell their number; leave one of these "
                    "columns out"
                )
            )
        elif lost_directions(params, statistics, lowest) > LOST:
            messages.append(
                Collapse(
                    f"the factors leave no noise to {columns_named(at_floor(params, lowest))}: the "
                    "likelihood grows without bound as their noise goes to 0; use fewer factors, "
                    "or leave one of these columns out"
                )
            )
        elif statistics.count <= n_columns:
            messages.append(
                f"{statistics.count:g} rows cannot tell the covariance of {n_columns} columns: "
                "what is found may be of these rows only; use more rows or fewer columns"
            )
        near = params.noise <= np.maximum(lowest, HEYWOOD * statistics.variances)
        words = (heywood_words(column, self.n_factors) for column in np.flatnonzero(near))
        return (*messages, *words)


@dataclass(frozen=True)
class ProbabilisticPCA(_FactorModel):
    """x = mean + loadings z + noise of one variance in every column.

    The maximum is known: the loadings span the leading principal components (Tipping & Bishop
    1999). The units of the columns matter, as in any principal component analysis.
    """

    _noise_shape: ClassVar = "one number"
    DIMS: ClassVar = _FactorModel.DIMS | {"noise_variance": ()}
    one_noise: ClassVar = True

    def _pool(self, variances, counts):
        return variances @ counts / counts.sum()

    def _check_number(self, n_columns: int) -> None:
        check_fewer(n_columns, self.n_factors)

    def _check_constant(self, constant: np.ndarray, n_columns: int) -> None:
        if len(constant) == n_columns:
            raise ValueError("no column varies: there is nothing to explain")

    def flags(self, params: FactorParams, statistics: FactorStatistics) -> tuple[str, ...]:
        """Whether the noise is at its floor."""
        if params.noise_variance > self._smallest_noise(statistics):
            return ()
        return (Collapse("the factors leave no noise: use fewer of them"),)
