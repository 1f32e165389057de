"""Derivatives of expected log-densities by parameters that several models have.

Every entry of an array is taken as free: what the entries have to keep to (to sum to 1, to be
positive definite) is the affair of `theory.domains`. Those by a covariance are symmetric: a change
by the symmetric matrix E adds sum_ij gradient_ij E_ij.
"""

from __future__ import annotations

import numpy as np

# Probabilities below this are taken for it, so that counts over them are finite.
SMALLEST = 1e-290


def by_shares(counts: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Of sum counts * log(shares), by the shares, or by rates; 0 where the count is 0."""
    return counts / np.maximum(shares, SMALLEST)


def by_covariance(precision: np.ndarray, count, scatter: np.ndarray) -> np.ndarray:
    """(..., D, D) of the sum of log N(x | mean, covariance) over `count` (...) vectors with this
    scatter (..., D, D) about the mean: precision (scatter - count covariance) precision / 2
    (Petersen & Pedersen 2012, The Matrix Cookbook, sections 2.1 and 2.2)."""
    count = np.asarray(count)[..., None, None]
    return (precision @ scatter @ precision - count * precision) / 2
