"""The features of a row that a Gaussian log-density is linear in: [1, x, products of x].

Their expected values are the component's moments, the coefficients its natural parameters, so the
expected log-density of weighted rows is the inner product of the two.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np


class Quadratic:
    """Where the features of rows with `dimension` columns stand: 1, x, then the squares
    (`diagonal`), or else the upper triangle of x x^T row by row."""

    def __init__(self, dimension: int, diagonal: bool):
        self.dimension = dimension
        self.diagonal = diagonal
        self.linear = slice(1, 1 + dimension)
        self.products = slice(1 + dimension, None)
        if diagonal:
            # Of the diagonals of matrices only, and where each stands among the features.
            self._entries = np.arange(dimension) * (dimension + 1)
            self._factors = np.full(dimension, -0.5)
            self._places = 1 + dimension + np.arange(dimension)
        else:
            i, j = np.triu_indices(dimension)
            self._entries = i * dimension + j
            # Those off the diagonal stand for two entries of the symmetric matrix.
            self._factors = np.where(i == j, -0.5, -1.0)
            self._places = np.empty((dimension, dimension), dtype=int)
            self._places[i, j] = self._places[j, i] = 1 + dimension + np.arange(len(i))
        self.n_features = 1 + dimension + len(self._entries)

    def write(self, x: np.ndarray, out: np.ndarray) -> None:
        """The features (P, n) of rows x (D, n), component-major."""
        out[0] = 1
        out[self.linear] = x
        if self.diagonal:
            np.multiply(x, x, out=out[self.products])
            return
        at = 1 + self.dimension
        for i in range(self.dimension):
            np.multiply(x[i], x[i:], out=out[at : at + self.dimension - i])
            at += self.dimension - i

    def coefficients(self, log_peaks, means, precisions) -> np.ndarray:
        """(..., K, P) that give log N(x | mean, precision^-1), for log_peaks (..., K), means
        (..., K, D) and precisions (..., K, D, D)."""
        entries = precisions.reshape(*means.shape[:-1], -1).take(self._entries, axis=-1)
        found = np.empty((*log_peaks.shape, self.n_features))
        if self.diagonal:
            linear = np.multiply(entries, means, out=found[..., self.linear])
        else:
            linear = np.matvec(precisions, means, out=found[..., self.linear])
        np.multiply(entries, self._factors, out=found[..., self.products])
        np.subtract(log_peaks, 0.5 * np.vecdot(linear, means), out=found[..., 0])
        return found

    def second(self, features: np.ndarray) -> np.ndarray:
        """(..., D, D) the expected products x x^T among features (..., P), or their diagonals
        (..., D)."""
        return features.take(self._places, axis=-1)

    def pack(self, counts, sums, scatters) -> np.ndarray:
        """Expected features (..., P) of counts (...), sums (..., D) and scatters (..., D, D), or
        their diagonals (..., D)."""
        if not self.diagonal:
            scatters = scatters.reshape(*counts.shape, -1).take(self._entries, axis=-1)
        return np.concatenate([counts[..., None], sums, scatters], axis=-1)


quadratic = lru_cache(maxsize=64)(Quadratic)
