"""Triangular and symmetric matrices, a strip of rows at a time: most of the zeros and of what is
there twice is skipped, at the speed of plain matrix products."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

# Measured with 5 to 64 columns: 16 and 32 are up to a third slower.
STRIP = 8


def strips(dimension: int) -> Iterator[slice]:
    """The rows of each strip; of a lower triangle, they end at the column where the slice stops.

    The first is the one with fewer rows, if any: it is the shortest.
    """
    stops = range(dimension % STRIP or STRIP, dimension + 1, STRIP)
    for start, stop in itertools.pairwise([0, *stops]):
        yield slice(start, stop)


def mirrored(lower: np.ndarray) -> np.ndarray:
    """(..., D, D) symmetric matrices of which only the lower triangles are given."""
    lower = np.tril(lower)
    return lower + np.tril(lower, -1).swapaxes(-1, -2)


def add_products(lower: np.ndarray, values: np.ndarray) -> None:
    """Add the lower triangle of X^T X to `lower` (D, D), for X (n, D)."""
    for rows in strips(len(lower)):
        lower[rows, : rows.stop] += values[:, rows].T @ values[:, : rows.stop]
