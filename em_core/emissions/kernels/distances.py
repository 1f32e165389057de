"""Squared distances of many points to a few centres."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

# The sum along so few columns is one column after the other; NumPy's own takes three times as long.
FEW_COLUMNS = 8
# Points of one block, which stays in the cache. The last takes what is left with it: the product of
# a single row is rounded otherwise than among others.
BLOCK = 12_288


class Distances:
    """Those of points (N, D), whose own squares are worked out once."""

    def __init__(self, points: np.ndarray):
        self._points = points
        if points.shape[1] < FEW_COLUMNS:
            first, *others = points.T
            self._squares = first * first
            for column in others:
                self._squares += column * column
        else:
            self._squares = (points * points).sum(axis=1)

    def to(self, centres: np.ndarray) -> np.ndarray:
        """(K, N) squared Euclidean distances to each of some centres (K, D)."""
        n_points = len(self._points)
        distances = np.empty((len(centres), n_points))
        squares = (centres * centres).sum(axis=1)[:, None]
        edges = [*range(0, max(1, n_points // BLOCK) * BLOCK, BLOCK), n_points]
        for start, end in pairwise(edges):
            part = distances[:, start:end]
            np.multiply((self._points[start:end] @ centres.T).T, -2, out=part)
            part += self._squares[start:end] + squares
            np.maximum(part, 0, out=part)
        return distances

    def nearest(self, centres: np.ndarray) -> np.ndarray:
        """(N,) which of some centres is nearest to each point, the first of those that are."""
        least, *others = self.to(centres)
        found = np.zeros(len(least), dtype=np.intp)
        for number, distances in enumerate(others, 1):
            nearer = distances < least
            found[nearer] = number
            np.copyto(least, distances, where=nearer)
        return found
