"""What is said of a fitted factor model: uniquenesses, explained variance, goodness of fit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from em_core.models.factor_analysis.statistics import FactorParams


class ExplainedVariance(NamedTuple):
    """sums (q,): squared loadings of each factor, summed over the columns; shares (q,): of the
    total variance of the columns."""

    sums: np.ndarray
    shares: np.ndarray


class GoodnessOfFit(NamedTuple):
    """Bartlett's statistic, its degrees of freedom, and the chance of one as large if the number
    of factors is right."""

    statistic: float
    degrees_of_freedom: int
    p_value: float


def standardised(params: FactorParams) -> FactorParams:
    """The same model of columns of mean 0 and variance 1: the correlations' own."""
    units = np.sqrt((params.loadings**2).sum(axis=1) + params.noise)
    return FactorParams(
        np.zeros_like(params.mean), params.loadings / units[:, None], params.noise / units**2
    )


def uniquenesses(params: FactorParams) -> np.ndarray:
    """(D,) share of each column's variance that is noise of its own."""
    return standardised(params).noise_variance


def explained_variance(params: FactorParams) -> ExplainedVariance:
    """What each factor explains, in the units of `params`.

    `standardised` parameters give the usual table, in which every column counts alike.
    """
    sums = (params.loadings**2).sum(axis=0)
    return ExplainedVariance(sums, sums / (sums.sum() + params.noise.sum()))


def goodness_of_fit(params: FactorParams, data, weights=None) -> GoodnessOfFit:
    """Test whether the factors of a factor analysis at its maximum suffice, against any covariance.

    (n - 1 - (2 D + 5) / 6 - 2 q / 3) (log|Sigma| - log|S| + tr(Sigma^-1 S) - D) is about
    chi-square with ((D - q)^2 - D - q) / 2 degrees of freedom (Bartlett 1951).
    Raises ValueError where values are missing, the rows do not span the columns, or no degree of
    freedom is left.
    """
    from scipy.special import chdtrc

    data = np.asarray(data, dtype=float)
    n_columns, n_factors = params.loadings.shape
    freedom = ((n_columns - n_factors) ** 2 - n_columns - n_factors) // 2
    if freedom <= 0:
        raise ValueError(
            f"{n_factors} factors of {n_columns} columns leave nothing to test: use fewer factors"
        )
    distance, _ = discrepancy(params, data, weights)
    count = len(data) if weights is None else np.sum(weights)
    statistic = (count - 1 - (2 * n_columns + 5) / 6 - 2 * n_factors / 3) * distance
    return GoodnessOfFit(float(statistic), freedom, float(chdtrc(freedom, statistic)))


def discrepancy(params: FactorParams, data, weights=None) -> tuple[float, np.ndarray]:
    """F = log|Sigma| - log|S| + tr(Sigma^-1 S) - D >= 0, twice the nats a row that the implied
    covariance Sigma lacks of the observed one S; and S (D, D) in units of the implied deviations.

    data (N, D). Raises ValueError where values are missing or the rows do not span the columns.
    """
    data = np.asarray(data, dtype=float)
    if np.isnan(data).any():
        raise ValueError("the test of fit needs a table without missing values")
    weights = np.ones(len(data)) if weights is None else np.asarray(weights, dtype=float)
    n_columns = data.shape[1]
    units = np.sqrt(np.diag(params.covariance))
    centred = (data - params.mean) / units
    observed = (centred * weights[:, None]).T @ centred / weights.sum()
    implied = standardised(params).covariance
    if np.linalg.matrix_rank(observed, hermitian=True) < n_columns:
        raise ValueError("the test of fit needs more rows, and no column that follows from others")
    distance = (
        np.linalg.slogdet(implied)[1]
        - np.linalg.slogdet(observed)[1]
        + np.trace(np.linalg.solve(implied, observed))
        - n_columns
    )
    return float(distance), observed
