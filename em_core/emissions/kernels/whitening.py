"""Squared distances and scatters of many Gaussian components at once, in many dimensions.

The inverse Cholesky factors of all components are stacked, a strip of their rows at a time: one
product whitens a block of rows for all of them. The scatters are taken in the same strips.
"""

from __future__ import annotations

import numpy as np

from em_core.emissions.kernels.strips import mirrored, strips


class Whitening:
    """C components with lower-triangular whitening (C, D, D) and means (C, D)."""

    def __init__(self, whitening: np.ndarray, means: np.ndarray):
        self.n_components, self.dimension = means.shape
        self._strips = []
        for rows in strips(self.dimension):
            factors = whitening[:, rows, : rows.stop]
            at_means = factors @ means[:, : rows.stop, None]
            self._strips.append(np.concatenate([-at_means, factors], axis=2))
        self._lower = np.zeros((self.n_components, self.dimension, self.dimension))
        self._workspace = np.empty(0)

    def squared_distances(self, features: np.ndarray) -> np.ndarray:
        """(C, n) |L^-1 (x - mean)|^2 of rows with features (1 + D, n): 1, then x."""
        squares = np.zeros((self.n_components, features.shape[1]))
        for strip in self._strips:
            white = self._buffer(strip.shape[1], features.shape[1])
            np.matmul(
                strip.reshape(-1, strip.shape[2]),
                features[: strip.shape[2]],
                out=white.reshape(-1, white.shape[2]),
            )
            squares += np.einsum("cwn,cwn->cn", white, white)
        return squares

    def add(self, features: np.ndarray, shares: np.ndarray) -> None:
        """Accumulate the scatters about the origin of rows that belong to components by (C, n)."""
        for rows in strips(self.dimension):
            weighted = self._buffer(rows.stop - rows.start, features.shape[1])
            np.multiply(shares[:, None], features[1:][rows], out=weighted)
            added = weighted.reshape(-1, weighted.shape[2]) @ features[1 : rows.stop + 1].T
            self._lower[:, rows, : rows.stop] += added.reshape(*weighted.shape[:2], -1)

    @property
    def scatters(self) -> np.ndarray:
        """(C, D, D) of all rows added."""
        return mirrored(self._lower)

    def _buffer(self, n_rows: int, n_columns: int) -> np.ndarray:
        shape = self.n_components, n_rows, n_columns
        size = self.n_components * n_rows * n_columns
        if self._workspace.size < size:
            self._workspace = np.empty(size)
        return self._workspace[:size].reshape(shape)
