"""What a first pass over a table tells: columns in numbers, and a sample of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

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
        """Of rows (N, D) with weights (N,). A column's are the same, bit for bit, whatever columns
        stand beside it."""
        values = np.asfortranarray(values)  # sums go along each column by itself
        present = ~np.isnan(values)
        each = np.ones(len(values)) if weights is None else weights
        shares = present * each[:, None]
        counts = shares.sum(axis=0)
        known = np.where(present, values, 0.0)
        means = (shares * known).sum(axis=0) / np.where(counts > 0, counts, 1)
        with np.errstate(invalid="ignore"):  # about an infinite mean
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

    def only(self, places: Sequence[int]) -> ColumnTotals:
        """Of the columns at these places."""
        some = list(places)
        told: dict[str, Any] = {name: getattr(self, name)[some] for name in _BY_COLUMN}
        return self._replace(**told)

    def beside(self, other: ColumnTotals) -> ColumnTotals:
        """Of the columns of both, which are of the same rows."""
        told: dict[str, Any] = {
            name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in _BY_COLUMN
        }
        return self._replace(**told)

    def in_units(self, shift: np.ndarray, scale: np.ndarray) -> ColumnTotals:
        """Of (x - shift) / scale, scale positive."""
        lines: dict[str, Any] = {
            name: (getattr(self, name) - shift) / scale for name in ("means", *_RANGE)
        }
        return self._replace(squares=self.squares / scale**2, **lines)

    @property
    def variances(self) -> np.ndarray:
        """(D,) of the values there are."""
        return self.squares / np.where(self.counts > 0, self.counts, 1)

    @property
    def complete(self) -> bool:
        """Whether no value is missing."""
        return bool((self.n_values == self.n_rows).all())


_RANGE = ("lowest", "highest")
_BY_COLUMN = ("counts", "n_values", "means", "squares", *_RANGE)


class Overview(NamedTuple):
    """columns: of the whole table. rows (n, D), weights (n,): the sample, in the table's order.
    ends: where its sequences end; None for a table of rows."""

    columns: ColumnTotals
    rows: np.ndarray
    weights: np.ndarray | None
    ends: np.ndarray | None = None

    def only(self, places: Sequence[int]) -> Overview:
        """Of the columns at these places."""
        rows = np.ascontiguousarray(self.rows[:, list(places)])
        return self._replace(columns=self.columns.only(places), rows=rows)

    def beside(self, other: Overview) -> Overview:
        """Of the columns of both, which are of the same rows."""
        rows = np.concatenate([self.rows, other.rows], axis=1)
        return self._replace(columns=self.columns.beside(other.columns), rows=rows)
