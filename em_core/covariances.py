"""Covariance structures of Gaussian components: one row of `STRUCTURES` each.

To add one, write its `estimate` (the exact maximiser of the expected log-density under the
structure and the floor), count its free parameters, and add a row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Structure(NamedTuple):
    """How component covariances are tied together.

    estimate(within, shares, minimum): covariances (K, D, D) maximising the expected log-density.
        within: weighted scatter of each component about its own mean, divided by its count:
        (K, D, D), or its diagonal (K, D) where `diagonal`; shares (K,): the component's share of
        all rows; minimum (D,): Sigma - diag(minimum) must stay positive semi-definite, or None
        where that is known to hold.
    n_parameters(K, D): free parameters of all covariances together.
    diagonal: covariances are diagonal, so only the diagonal of the scatter is needed.
    pooled: all components share one covariance.
    meaning: one plain line for people.
    """

    estimate: Callable[[np.ndarray, np.ndarray, np.ndarray | None], np.ndarray]
    n_parameters: Callable[[int, int], int]
    diagonal: bool
    pooled: bool
    meaning: str


def floor_eigenvalues(covariances: np.ndarray, minimum: np.ndarray | None) -> np.ndarray:
    """The closest covariances (in likelihood) with Sigma - diag(minimum) positive semi-definite.

    Eigenvalues below 1 in units of `minimum` are raised to 1: the exact maximiser of
    -log|Sigma| - tr(Sigma^-1 S) under the bound.
    """
    if minimum is None:
        return covariances
    unit = np.sqrt(minimum[:, None] * minimum)
    values, vectors = np.linalg.eigh(covariances / unit)
    raised = (vectors * np.maximum(values, 1)[:, None, :]) @ vectors.transpose(0, 2, 1)
    raised = (raised + raised.transpose(0, 2, 1)) / 2
    return np.where(values[:, :1, None] < 1, raised * unit, covariances)


def extreme_eigenvalues(covariances: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """(K, 2) smallest and largest eigenvalue of each covariance, columns in units of `scale`."""
    return np.linalg.eigvalsh(covariances / (scale[:, None] * scale))[:, [0, -1]]


def _diagonal_matrices(variances: np.ndarray) -> np.ndarray:
    return variances[:, :, None] * np.eye(variances.shape[1])


def _full(within, shares, minimum):
    return floor_eigenvalues(within, minimum)


def _tied(within, shares, minimum):
    pooled = np.tensordot(shares, within, axes=1)[None]
    return np.repeat(floor_eigenvalues(pooled, minimum), len(within), axis=0)


def _diag(within, shares, minimum):
    return _diagonal_matrices(within if minimum is None else np.maximum(within, minimum))


def _spherical(within, shares, minimum):
    variance = within.mean(axis=1, keepdims=True)
    if minimum is not None:
        variance = np.maximum(variance, minimum.max())
    return _diagonal_matrices(np.broadcast_to(variance, within.shape))


STRUCTURES = {
    "full": Structure(
        _full, lambda k, d: k * d * (d + 1) // 2, diagonal=False, pooled=False,
        meaning="every component has its own size, shape and direction",
    ),
    "tied": Structure(
        _tied, lambda k, d: d * (d + 1) // 2, diagonal=False, pooled=True,
        meaning="all components share one size, shape and direction",
    ),
    "diag": Structure(
        _diag, lambda k, d: k * d, diagonal=True, pooled=False,
        meaning="own size and shape, aligned with the axes",
    ),
    "spherical": Structure(
        _spherical, lambda k, d: k, diagonal=True, pooled=False,
        meaning="round, each with its own size",
    ),
}  # fmt: skip
