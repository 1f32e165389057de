"""The parameters of factor models, and the moments that one E-step takes of them."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from em_core.half_steps import Shared


class _FactorFields(NamedTuple):
    mean: np.ndarray
    loadings: np.ndarray
    noise_variance: np.ndarray
    factor_scale: np.ndarray


class FactorParams(_FactorFields):
    """x = mean + loadings z + noise, with z ~ N(0, I).

    mean (D,), loadings (D, q), noise_variance (D,) or, in probabilistic PCA, one number.
    factor_scale (q, q), lower-triangular: EM runs on the factors factor_scale z, whose covariance
    it estimates along with their slopes loadings factor_scale^-1. No scale changes the
    distribution of x: it is no parameter of the model, but leaving it free makes the M-step much
    larger (parameter-expanded EM: Liu, Rubin & Wu 1998). Identity unless EM has moved it.
    """

    def __new__(cls, mean, loadings, noise_variance, factor_scale=None):
        if factor_scale is None:
            factor_scale = np.eye(loadings.shape[1])
        return super().__new__(cls, mean, loadings, noise_variance, factor_scale)

    @cached_property
    def noise(self) -> np.ndarray:
        """(D,) noise variance of each column."""
        return np.full(self.mean.shape, self.noise_variance)

    @property
    def covariance(self) -> np.ndarray:
        """(D, D) covariance of the rows: loadings loadings^T + diag(noise_variance)."""
        return self.loadings @ self.loadings.T + np.diag(self.noise)

    @cached_property
    def coefficients(self) -> np.ndarray:
        """(D, q + 1) of the regression of x on [1, z]: the mean, then the loadings."""
        return np.concatenate([self.mean[:, None], self.loadings], axis=1)


class _StatisticsFields(NamedTuple):
    count: float
    factor_sums: np.ndarray
    factor_moments: np.ndarray
    designs: np.ndarray
    residual_products: np.ndarray
    residual_squares: np.ndarray
    coefficients: Shared
    factor_scale: Shared
    dependent: Shared


class FactorStatistics(_StatisticsFields):
    """Expected moments of the regression of every column on y = [1, z], over its observed rows.

    z and the residuals e = x - coefficients y are those of the parameters that gave q: small
    residuals under large loadings keep their digits.

    count: number of rows. factor_sums (q,) and factor_moments (q, q): sums of E[z] and E[z z^T]
    over all rows.
    designs (C, q + 1, q + 1): sum of E[y y^T]; C = D, or 1 where no value is missing.
    residual_products (D, q + 1): sum of E[e y]. residual_squares (D,): sum of E[e^2].
    coefficients (D, q + 1) and factor_scale (q, q): of the parameters that gave q.
    dependent (D,): which columns follow from others, as far as anybody has looked.
    """

    @property
    def counts(self) -> np.ndarray:
        """(D,) number of rows in which each column is observed."""
        return np.full(self.residual_squares.shape, self.designs[:, 0, 0])

    @cached_property
    def variances(self) -> np.ndarray:
        """(D,) variance of the observed values of each column: the same whatever gave q."""
        slopes = self.coefficients.value.copy()
        slopes[:, 0] = 0
        explained = by_design(slopes, self.designs)
        sums = self.residual_products[:, 0] + explained[:, 0]
        crossed = ((explained + 2 * self.residual_products) * slopes).sum(axis=1)
        squares = self.residual_squares + crossed
        return squares / self.counts - (sums / self.counts) ** 2

    def regress(self) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (D, q + 1) with the least expected squares, and those squares (D,)."""
        products = self.residual_products
        right = products.reshape(len(self.designs), -1, products.shape[1]).transpose(0, 2, 1)
        change = np.linalg.solve(self.designs, right).transpose(0, 2, 1).reshape(products.shape)
        squares = self.residual_squares - (products * change).sum(axis=1)
        return self.coefficients.value + change, squares

    def squares(self, coefficients: np.ndarray) -> np.ndarray:
        """(D,) expected sum of squared residuals from other coefficients (D, q + 1) of y."""
        change = coefficients - self.coefficients.value
        products = by_design(change, self.designs) - 2 * self.residual_products
        return self.residual_squares + (products * change).sum(axis=1)

    def products(self, coefficients: np.ndarray) -> np.ndarray:
        """(D, q + 1) expected sum of y times the residuals from other coefficients of y."""
        change = coefficients - self.coefficients.value
        return self.residual_products - by_design(change, self.designs)


def by_design(coefficients: np.ndarray, designs: np.ndarray) -> np.ndarray:
    """Every row of coefficients (D, k) times its column's design: (D, k, k), or (1, k, k)."""
    grouped = coefficients.reshape(len(designs), -1, coefficients.shape[1])
    return (grouped @ designs).reshape(coefficients.shape)
