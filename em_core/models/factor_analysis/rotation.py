"""Rotations of fitted loadings: the same covariance, with factors that are easier to name.

Rotate after the fit. The usual rotations are those of `standardised` parameters, whose loadings do
not depend on the columns' units. Factors come out in the order of the variance they explain, each
with the sign that makes its loadings sum to a positive number.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np

MAX_SWEEPS = 1000
SMALLEST_ANGLE = 1e-10


class Rotation(NamedTuple):
    """loadings (D, q) = those given @ matrix (q, q); correlations (q, q) of the rotated factors,
    the identity unless the rotation is oblique."""

    loadings: np.ndarray
    matrix: np.ndarray
    correlations: np.ndarray


def principal_axes(loadings: np.ndarray) -> Rotation:
    """Factors that explain as much variance as possible one after the other: loadings^T loadings
    is diagonal."""
    _, _, transposed = np.linalg.svd(loadings, full_matrices=False)
    return _in_order(loadings, transposed.T)


def varimax(loadings: np.ndarray) -> Rotation:
    """The orthogonal rotation with the largest variance of squared loadings within each factor.

    Plane by plane, every row of loadings at unit length (Kaiser 1958).
    """
    lengths = np.sqrt((loadings**2).sum(axis=1, keepdims=True))
    rotated = loadings / np.where(lengths > 0, lengths, 1)
    matrix = np.eye(loadings.shape[1])
    for _ in range(MAX_SWEEPS):
        largest = 0.0
        for plane in combinations(range(len(matrix)), 2):
            angle = _best_angle(*rotated[:, plane].T)
            cosine, sine = np.cos(angle), np.sin(angle)
            turn = np.array([[cosine, -sine], [sine, cosine]])
            rotated[:, plane] = rotated[:, plane] @ turn
            matrix[:, plane] = matrix[:, plane] @ turn
            largest = max(largest, abs(angle))
        if largest < SMALLEST_ANGLE:
            break
    return _in_order(loadings, matrix)


def promax(loadings: np.ndarray, power: float = 4) -> Rotation:
    """The oblique rotation nearest to varimax loadings raised to a power, their signs kept.

    Large loadings stay, small ones shrink, and the factors may correlate (Hendrickson & White
    1964). A higher power gives higher correlations.
    """
    simple = varimax(loadings)
    target = simple.loadings * np.abs(simple.loadings) ** (power - 1)
    oblique = np.linalg.lstsq(simple.loadings, target, rcond=None)[0]
    # Factors of variance 1.
    oblique = oblique * np.sqrt(np.diag(np.linalg.inv(oblique.T @ oblique)))
    return _in_order(loadings, simple.matrix @ oblique)


def _best_angle(x: np.ndarray, y: np.ndarray) -> float:
    """By how much to turn two columns: where the varimax criterion is largest in their plane."""
    u, v = x**2 - y**2, 2 * x * y
    sine = 2 * (u @ v - u.sum() * v.sum() / len(x))
    cosine = u @ u - v @ v - (u.sum() ** 2 - v.sum() ** 2) / len(x)
    return float(np.arctan2(sine, cosine)) / 4


def _in_order(loadings: np.ndarray, matrix: np.ndarray) -> Rotation:
    rotated = loadings @ matrix
    order = np.argsort(-(rotated**2).sum(axis=0), kind="stable")
    matrix = matrix[:, order] * np.where(rotated[:, order].sum(axis=0) < 0, -1, 1)
    return Rotation(loadings @ matrix, matrix, np.linalg.inv(matrix.T @ matrix))
