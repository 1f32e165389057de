"""What a first pass over a table tells: columns in numbers, and a sample of the rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class ColumnTotals(NamedTuple):
    """Of some rows, by column (D,): those of two sets of rows can be joined.

    total: the rows, or the total of their weights. counts: the same of the rows whose value is
    there. n_values: how many values there are. means: weighted means. squares: weighted sums of
    squared deviations from them. lowest, highest: of all values, NaN without any. smallest_weight:
    of a row.
    """

    n_rows: int
    total: float
    counts: np.ndarray
    n_values: np.ndarray
    means: np.ndarray
    squares: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    smallest_weight: float

    @classmethod
    def of(cls, values: np.ndarray, weights: np.ndarray | None) -> ColumnTotals:
        """Of rows (N, D) with weights (N,)."""
        present = ~np.isnan(values)
        each = np.ones(len(values)) if weights is None else weights
        shares = present * each[:, None]
        counts = shares.sum(axis=0)
        known = np.where(present, values, 0.0)
        means = (shares * known).sum(axis=0) / np.where(counts > 0, counts, 1)
        squares = (shares * np.where(present, known - means, 0.0) ** 2).sum(axis=0)
        return cls(
            len(values), float(each.sum()), counts, present.sum(axis=0), means, squares,
            np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0), float(each.min()),
        )  # fmt: skip

    def joined(self, other: ColumnTotals) -> ColumnTotals:
        """Of all rows of both (Chan, Golub & LeVeque 1979)."""
        counts = self.counts + other.counts
        share = other.counts / np.where(counts > 0, counts, 1)
        apart = other.means - self.means
        return ColumnTotals(
            self.n_rows + other.n_rows,
            self.total + other.total,
            counts,
            self.n_values + other.n_values,
            self.means + apart * share,
            self.squares + other.squares + apart**2 * self.counts * share,
            np.fmin(self.lowest, other.lowest),
            np.fmax(self.highest, other.highest),
            min(self.smallest_weight, other.smallest_weight),
        )

    @property
    def variances(self) -> np.ndarray:
        """(D,) of the values there are."""
        return self.squares / np.where(self.counts > 0, self.counts, 1)

    @property
    def complete(self) -> bool:
        """Whether no value is missing."""
        return bool((self.n_values == self.n_rows).all())


class Overview(NamedTuple):
    """columns: of the whole table. rows (n, D), weights (n,): the sample, in the table's order."""

    columns: ColumnTotals
    rows: np.ndarray
    weights: np.ndarray | None
