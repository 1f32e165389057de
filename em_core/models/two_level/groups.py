"""Observations in groups, reduced to each group's count, mean and scatter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_core.data import as_numbers
from em_core.magnitudes import LARGEST_VALUE, require_spread


@dataclass(frozen=True)
class Groups:
    """All the model needs of the data; sliced by groups.

    counts (G,); means (G, D) minus `origin` (D,); scatters (G, D, D) about each group's own mean.
    """

    counts: np.ndarray
    means: np.ndarray
    scatters: np.ndarray
    origin: np.ndarray

    def __len__(self) -> int:
        return len(self.counts)

    def __getitem__(self, part: slice) -> Groups:
        return Groups(self.counts[part], self.means[part], self.scatters[part], self.origin)

    @classmethod
    def of(cls, data, origin: np.ndarray | None = None) -> Groups:
        """Groups about `origin`, by default the mean of all observations.

        Raises ValueError for anything but a list of non-empty arrays of finite numbers.
        """
        arrays = as_arrays(data)
        rows = np.concatenate(arrays)
        counts = np.array([len(array) for array in arrays])
        origin = rows.mean(axis=0) if origin is None else origin
        rows = rows - origin
        starts = np.cumsum(counts) - counts
        means = np.add.reduceat(rows, starts) / counts[:, None]
        rows -= np.repeat(means, counts, axis=0)
        dimension = rows.shape[1]
        scatters = np.empty((len(counts), dimension, dimension))
        for i, j in zip(*np.tril_indices(dimension), strict=True):
            scatter = np.add.reduceat(rows[:, i] * rows[:, j], starts)
            scatters[:, i, j] = scatters[:, j, i] = scatter
        return cls(counts.astype(float), means, scatters, origin)

    def pooled(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean (D,) and covariance (D, D) of all observations, relative to `origin`."""
        counts = weights * self.counts
        mean = counts @ self.means / counts.sum()
        centred = self.means - mean
        scatter = np.tensordot(weights, self.scatters, 1) + (centred.T * counts) @ centred
        return mean, scatter / counts.sum()


def as_arrays(data, n_columns: int | None = None) -> list[np.ndarray]:
    """One float64 array (n_g, D) for each group, NaN where a value is missing.

    n_columns: of new data, how many columns the model was fitted to. Raises ValueError naming the
    group at fault.
    """
    arrays = [as_numbers(group) for group in data]
    if not arrays:
        raise ValueError("the data hold no groups: give a list with one array for each group")
    arrays = [array[:, None] if array.ndim == 1 else array for array in arrays]
    for number, array in enumerate(arrays, start=1):
        if array.ndim != 2 or array.size == 0:
            raise ValueError(
                f"group {number} has shape {array.shape}: give every group at least one row"
            )
        if array.shape[1] != arrays[0].shape[1]:
            raise ValueError(
                f"group {number} has {array.shape[1]} columns and group 1 has "
                f"{arrays[0].shape[1]}: all groups need the same columns"
            )
    if n_columns is not None and arrays[0].shape[1] != n_columns:
        raise ValueError(
            f"the groups have {arrays[0].shape[1]} columns and the model was fitted to "
            f"{n_columns}: give the same columns in the same order"
        )
    rows = np.concatenate(arrays)
    largest = np.fmax.reduce(np.abs(rows), axis=None)
    if np.isinf(largest):
        number = 1 + [bool(np.isinf(array).any()) for array in arrays].index(True)
        raise ValueError(f"group {number} holds infinite values: leave those rows out first")
    if largest > LARGEST_VALUE:
        raise ValueError(f"the data hold numbers beyond {LARGEST_VALUE:g}: use a larger unit")
    if n_columns is None:
        require_spread(rows)
    return arrays
