"""p(z | x): the factors behind each row, given the columns it has observed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from em_core.models.factor_analysis.incomplete_rows import CondensedRows
from em_core.models.factor_analysis.statistics import FactorParams


class FactorPosterior(NamedTuple):
    """p(z | x) = N(means, covariances): means (N, q) are the regression scores.

    covariances (N, q, q) are the same for all rows with the same columns observed.
    log_densities (N,) = log p(x_n) of the observed values, in nats.
    """

    means: np.ndarray
    covariances: np.ndarray
    log_densities: np.ndarray


class FactorInference(NamedTuple):
    """q of R rows in P patterns: means (R, q), covariances (P, q, q), log_precisions (P,) =
    log|covariance^-1|, and residuals (R, D) = x - mean - loadings means, 0 where missing."""

    means: np.ndarray
    covariances: np.ndarray
    log_precisions: np.ndarray
    residuals: np.ndarray


def infer(params: FactorParams, rows: CondensedRows, origin: np.ndarray) -> FactorInference:
    """The posterior of the factors of every row, each pattern of observed columns factored once."""
    loadings, q = params.loadings, params.loadings.shape[1]
    scaled = loadings / params.noise[:, None]
    outer = (loadings[:, :, None] * scaled[:, None, :]).reshape(len(loadings), -1)
    precisions = (rows.patterns @ outer).reshape(-1, q, q) + np.eye(q)
    factors = np.linalg.cholesky(precisions)
    log_precisions = 2 * np.log(np.einsum("pqq->pq", factors)).sum(axis=1)
    inverses = np.linalg.inv(factors)
    covariances = inverses.transpose(0, 2, 1) @ inverses
    residuals = rows.values - rows.ones[:, None] * (params.mean - origin)
    if not rows.complete:
        residuals *= rows.observed
    means = residuals @ scaled
    if len(covariances) == 1:
        means = means @ covariances[0]
    else:
        means = np.einsum("rq,rqs->rs", means, covariances[rows.pattern])
    residuals -= means @ loadings.T
    if not rows.complete:
        residuals *= rows.observed
    return FactorInference(means, covariances, log_precisions, residuals)
