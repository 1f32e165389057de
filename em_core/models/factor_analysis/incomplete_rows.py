"""Tables with holes, brought down to few rows that have the same moments.

Where the E-step is linear in x, all it needs of the rows with one pattern of observed columns is
their count, sum and second-moment matrix. At most D + 1 rows have the same ones and stand for all
others, so that one E-step serves a pattern with a million rows as well as a million patterns with
one row each, and iterations never touch the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from em_core.emissions.kernels.strips import add_products, mirrored
from em_core.magnitudes import LARGEST_VALUE

# One block of rows stays in the processor's second-level cache.
BLOCK_VALUES = 75_000
SAMPLE_ROWS = 500
# Moments about a point this many standard deviations from the mean lose one digit.
NEAR_ENOUGH = 3
# An eigenvalue of the correlations this small is rounding: the columns depend on each other. Those
# take part whose share of such directions is not rounding in turn.
SINGULAR = 1e-10
TAKES_PART = 1e-8
# Numbers of the rows that stand for a table in pieces, which every iteration goes over.
MOST_CONDENSED = 2**24


class CondensedRows(NamedTuple):
    """R rows about an origin, each times the root of its weight, by pattern of observed columns.

    ones (R,): the root of the weight: what became of the constant 1. values (R, D): 0 where
    missing. pattern (R,): which of P patterns. patterns (P, D): 1.0 where observed, 0.0 where
    missing. counts (P,): total weight of each pattern. observed (R, D): the pattern of each row.
    """

    ones: np.ndarray
    values: np.ndarray
    pattern: np.ndarray
    patterns: np.ndarray
    counts: np.ndarray
    observed: np.ndarray

    @property
    def complete(self) -> bool:
        return len(self.patterns) == 1 and bool(self.patterns.all())


@dataclass(frozen=True)
class Condensed:
    """The rows that stand for some part of a table, about its origin; those of two parts add."""

    rows: CondensedRows

    def __add__(self, other: Condensed) -> Condensed:
        """Raises ValueError where hardly any two rows have the same columns observed."""
        return Condensed(condense_patterns(one_below_the_other(self.rows, other.rows)))


class CondensedTable:
    """A table (N, D) with NaN where a value is missing, to be read relative to `origin` (D,).

    Rows are taken by a slice or by their numbers. What its rows condense to is kept, so that
    iterations find it ready.
    dependent (D,): which columns follow from others in the whole table that these rows are of; none
    where nobody has looked (see `judged`).
    """

    def __init__(self, data: np.ndarray, origin: np.ndarray, dependent: np.ndarray | None = None):
        self.data = data
        self.origin = origin
        self.dependent = np.zeros(data.shape[1], dtype=bool) if dependent is None else dependent
        self._condensed: tuple[np.ndarray | None, CondensedRows] | None = None

    @classmethod
    def standing_for(cls, rows: CondensedRows, origin: np.ndarray) -> CondensedTable:
        """A table that is known by the rows that stand for it alone."""
        table = cls(np.empty((0, len(origin))), origin)
        table._condensed = None, rows
        return table

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, part: slice | np.ndarray) -> CondensedTable:
        if isinstance(part, slice) and part.indices(len(self)) == (0, len(self), 1):
            return self
        return CondensedTable(self.data[part], self.origin, self.dependent)

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.array(self.data, dtype=dtype, copy=copy)

    def judged(self, weights: np.ndarray | None = None) -> CondensedTable:
        """The same table, which knows the columns that depend on each other in it."""
        n_rows = len(self) if weights is None else int(np.count_nonzero(weights))
        return self.judged_by(n_rows, weights)

    def judged_by(self, n_rows: int, weights: np.ndarray | None = None) -> CondensedTable:
        """The same of so many rows that have weight."""
        rows = self.condensed(weights)
        # Fewer rows than that span no more, whatever the columns.
        if not rows.complete or n_rows <= len(self.origin):
            return self
        judged = CondensedTable(self.data, self.origin, dependent_columns(rows))
        judged._condensed = self._condensed
        return judged

    def rows(self, weights: np.ndarray | None = None) -> CondensedRows:
        """Every row as it stands. Raises ValueError for infinite values."""
        roots = np.ones(len(self)) if weights is None else np.sqrt(weights)
        self._require_values()
        present = ~np.isnan(self.data)
        if present.all():
            values = self.data - self.origin
            pattern, patterns = np.zeros(len(self), dtype=int), np.ones((1, values.shape[1]))
        else:
            values = np.where(present, self.data - self.origin, 0)
            patterns, pattern = distinct(present)
        counts = np.bincount(pattern, weights, minlength=len(patterns)).astype(float)
        values *= roots[:, None]
        return CondensedRows(
            roots, values, pattern, patterns.astype(float), counts, present.astype(float)
        )  # fmt: skip

    def condensed(self, weights: np.ndarray | None = None) -> CondensedRows:
        """Rows with the same moments: no more than D + 1 of each pattern.

        Kept for the next call with the same weights. Raises ValueError for infinite values.
        """
        # A pair, and the weights as they are now: threads, and callers, may go on with others.
        kept = self._condensed
        if kept is None or not same(kept[0], weights):
            given = None if weights is None else np.array(weights)
            kept = self._condensed = given, self._condense(given)
        return kept[1]

    def _require_values(self) -> None:
        """Raises ValueError where a value is infinite or too large."""
        too_large = (np.abs(self.data) > LARGEST_VALUE).any(axis=0)
        if too_large.any():
            raise ValueError(
                f"column {too_large.argmax() + 1} holds infinite numbers, or numbers beyond "
                f"{LARGEST_VALUE:g}: correct them, or use a larger unit"
            )

    def _condense(self, weights) -> CondensedRows:
        n_rows, n_columns = self.data.shape
        moments = complete_moments(self.data, weights) if n_rows > n_columns + 1 else None
        if moments is None:
            return condense_patterns(self.rows(weights))
        count, mean, scatter = moments
        # No value is further from 0 than the root of all squares in its column.
        roots = np.hypot(np.sqrt(np.diag(scatter)), np.sqrt(count) * mean)
        if (roots > LARGEST_VALUE).any():
            self._require_values()
        ones, values = equivalent_rows(count, mean - self.origin, scatter)
        return CondensedRows(
            ones, values, np.zeros(len(ones), dtype=int), np.ones((1, n_columns)),
            np.array([count]), np.ones(values.shape),
        )  # fmt: skip


def varying(data: np.ndarray) -> np.ndarray:
    """(D,) whether a column has two different values; not so where all are missing."""
    return np.fmax.reduce(data, axis=0) > np.fmin.reduce(data, axis=0)


def dependent_columns(rows: CondensedRows) -> np.ndarray:
    """(D,) whether a column takes part in a linear relation that all rows keep."""
    centred = rows.values - rows.ones[:, None] * (rows.ones @ rows.values / rows.counts[0])
    units = np.sqrt(np.einsum("rd,rd->d", centred, centred))
    centred /= np.where(units > 0, units, 1)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    relations = vectors[:, values <= SINGULAR]
    return (relations**2).sum(axis=1) > TAKES_PART


def distinct(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct rows of a boolean array, and which of them each row is, 64 columns at a time."""
    bytes_ = np.packbits(np.ascontiguousarray(rows), axis=1)
    words = np.pad(bytes_, ((0, 0), (0, -bytes_.shape[1] % 8))).view(np.uint64)
    which = np.zeros(len(rows), dtype=int)
    for word in words.T:
        _, part = np.unique(word, return_inverse=True)
        _, first, which = np.unique(
            which * (part.max() + 1) + part, return_index=True, return_inverse=True
        )
    return rows[first], which


def same(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    return one is other or (one is not None and other is not None and np.array_equal(one, other))


def sample_mean(data: np.ndarray) -> np.ndarray:
    """(D,) near the mean of each column: the mean of a sample of the rows, or of the whole column
    where the sample has holes."""
    centre = sample(data).mean(axis=0)
    if (holes := np.isnan(centre)).any():
        centre[holes] = np.nanmean(data[:, holes], axis=0)
    return centre


def sample(data: np.ndarray) -> np.ndarray:
    return data[:: max(1, len(data) // SAMPLE_ROWS)]


def complete_moments(data: np.ndarray, weights=None) -> tuple | None:
    """Count, mean (D,) and scatter (D, D) about the mean; None if a value is missing or infinite.

    One pass, about a point near the mean, as raw moments would lose their digits: about zero
    where that is near enough, as rows that need not be shifted need not be copied.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        some = sample(data)
        centre = some.mean(axis=0)
        if near(centre, some.var(axis=0)):
            centre = np.zeros_like(centre)
        for _ in range(2):
            moments = moments_about(data, centre, weights)
            if moments is None:
                return None
            count, offsets, scatter = moments
            if near(offsets, np.diag(scatter) / count):
                break
            centre = centre + offsets
        return count, centre + offsets, scatter


def near(offsets: np.ndarray, variances: np.ndarray) -> bool:
    return bool((offsets**2 <= NEAR_ENOUGH**2 * variances).all())


def moments_about(data: np.ndarray, centre: np.ndarray, weights) -> tuple | None:
    """Count, mean minus `centre`, and scatter about the mean; None if one is not finite."""
    n_rows, n_columns = data.shape
    size = max(256, BLOCK_VALUES // n_columns)
    block = np.empty((size, n_columns))
    shifted, ones = centre.any(), np.ones(size)
    sums, lower = np.zeros(n_columns), np.zeros((n_columns, n_columns))
    for start in range(0, n_rows, size):
        values = data[start : start + size]
        if shifted:
            values = np.subtract(values, centre, out=block[: len(values)])
        if weights is not None:
            ones = np.sqrt(weights[start : start + size])
            values = np.multiply(values, ones[:, None], out=block[: len(values)])
        sums += ones[: len(values)] @ values
        add_products(lower, values)
    scatter = mirrored(lower)
    if not (np.isfinite(sums).all() and np.isfinite(scatter).all()):
        return None
    count = float(n_rows if weights is None else weights.sum())
    return count, sums / count, scatter - np.outer(sums, sums / count)


def equivalent_rows(count: float, mean: np.ndarray, scatter: np.ndarray) -> tuple:
    """D + 1 rows, ones (D + 1,) and values (D + 1, D), that have these moments.

    Columns are brought to one unit first, so that none loses its digits to a larger one.
    """
    units = np.sqrt(np.diag(scatter))
    units[units == 0] = 1
    scaled = scatter / (units[:, None] * units)
    try:
        root = np.linalg.cholesky(scaled)
    except np.linalg.LinAlgError:
        squares, vectors = np.linalg.eigh(scaled)
        root = vectors * np.sqrt(np.maximum(squares, 0))
    within = root.T * units
    ones = np.zeros(len(mean) + 1)
    ones[-1] = np.sqrt(count)
    return ones, np.vstack([within, ones[-1] * mean])


def one_below_the_other(above: CondensedRows, below: CondensedRows) -> CondensedRows:
    """The rows of both, about the same origin, by the patterns of both."""
    ones, values, observed = (
        np.concatenate([getattr(above, name), getattr(below, name)])
        for name in ("ones", "values", "observed")
    )
    if values.size > MOST_CONDENSED:
        raise ValueError(
            "values are missing in so many different ways that these rows cannot be brought down "
            "to few: leave out columns with gaps, or fit a part of the rows"
        )
    patterns, of_pattern = distinct(np.concatenate([above.patterns, below.patterns]) > 0)
    pattern = np.concatenate([above.pattern, len(above.patterns) + below.pattern])
    counts = np.bincount(of_pattern, np.concatenate([above.counts, below.counts]))
    return CondensedRows(
        ones, values, of_pattern[pattern], patterns.astype(float), counts, observed
    )


def condense_patterns(rows: CondensedRows) -> CondensedRows:
    """The rows of a pattern that has more than its observed columns + 1 are replaced."""
    sizes = np.bincount(rows.pattern, minlength=len(rows.patterns))
    large = (sizes > rows.patterns.sum(axis=1) + 1) & (rows.counts > 0)
    if not large.any():
        return rows
    members = np.split(np.argsort(rows.pattern, kind="stable"), np.cumsum(sizes)[:-1])
    kept = np.flatnonzero(~large[rows.pattern])
    parts = [(rows.ones[kept], rows.values[kept], rows.pattern[kept])]
    for p in np.flatnonzero(large):
        columns = np.flatnonzero(rows.patterns[p])
        roots, observed = rows.ones[members[p]], rows.values[np.ix_(members[p], columns)]
        mean = roots @ observed / rows.counts[p]
        within = observed - roots[:, None] * mean
        ones, observed = equivalent_rows(rows.counts[p], mean, within.T @ within)
        values = np.zeros((len(ones), rows.values.shape[1]))
        values[:, columns] = observed
        parts.append((ones, values, np.full(len(ones), p)))
    ones, values, pattern = (np.concatenate(part) for part in zip(*parts, strict=True))
    return rows._replace(
        ones=ones, values=values, pattern=pattern, observed=rows.patterns[pattern]
    )  # fmt: skip
