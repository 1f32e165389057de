"""Groups in which observations have missing values (NaN), missing at random.

A row says as much of its group's effect b as the columns that are there: information adds, whatever
pattern of columns it comes from. Given b, what a row misses is Gaussian about its regression on
what is there (Little & Rubin 2002, section 11.2): it is latent beside b.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

LOG_2_PI = float(np.log(2 * np.pi))


class Pattern(NamedTuple):
    """The rows in which the same columns are there, by group.

    there, missing: columns; groups (P,): those with such rows; counts (P,); means (P, D_o) minus
    the origin; scatters (P, D_o, D_o) about each group's own mean of such rows.
    """

    there: np.ndarray
    missing: np.ndarray
    groups: np.ndarray
    counts: np.ndarray
    means: np.ndarray
    scatters: np.ndarray

    def within(self, part: slice, n_groups: int) -> Pattern:
        """Those of some groups, which are numbered from 0."""
        start, stop, _ = part.indices(n_groups)
        low, high = np.searchsorted(self.groups, [start, stop])
        groups, *rest = (array[low:high] for array in self[2:])
        return Pattern(self.there, self.missing, groups - start, *rest)


@dataclass(frozen=True)
class IncompleteGroups:
    """All the model needs of groups with missing values; sliced by groups.

    patterns: rows by which columns are there; origin (D,).
    """

    n_groups: int
    patterns: tuple[Pattern, ...]
    origin: np.ndarray

    def __len__(self) -> int:
        return self.n_groups

    def __getitem__(self, part: slice) -> IncompleteGroups:
        patterns = tuple(pattern.within(part, self.n_groups) for pattern in self.patterns)
        return IncompleteGroups(len(range(*part.indices(self.n_groups))), patterns, self.origin)

    @property
    def means(self) -> np.ndarray:
        """(G, D) averages of what is there of a group, minus the origin; NaN where nothing is."""
        counts, sums = np.zeros((2, self.n_groups, len(self.origin)))
        for there, _, of, n_rows, means, _ in self.patterns:
            counts[of[:, None], there] += n_rows[:, None]
            sums[of[:, None], there] += n_rows[:, None] * means
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)

    @classmethod
    def of(cls, arrays: Sequence[np.ndarray], origin: np.ndarray | None = None) -> IncompleteGroups:
        """Groups about `origin`, by default the mean of what is there of each column."""
        rows = np.concatenate(arrays)
        group = np.repeat(np.arange(len(arrays)), [len(array) for array in arrays])
        origin = np.nanmean(rows, axis=0) if origin is None else origin
        rows = rows - origin
        present = ~np.isnan(rows)
        found, pattern = np.unique(present, axis=0, return_inverse=True)
        patterns = tuple(
            _pattern(there, rows[pattern == number], group[pattern == number])
            for number, there in enumerate(found)
        )
        return cls(len(arrays), patterns, origin)


def _pattern(there: np.ndarray, rows: np.ndarray, group: np.ndarray) -> Pattern:
    """The rows of one pattern; group (n,): of each, in order."""
    columns = np.flatnonzero(there)
    groups, starts, counts = np.unique(group, return_index=True, return_counts=True)
    rows = rows[:, columns]
    means = np.add.reduceat(rows, starts) / counts[:, None]
    centred = rows - np.repeat(means, counts, axis=0)
    scatters = np.add.reduceat(centred[:, :, None] * centred[:, None, :], starts)
    return Pattern(columns, np.flatnonzero(~there), groups, counts.astype(float), means, scatters)


class Effects(NamedTuple):
    """p(b_g | what is there of y_g): means (G, D) minus the model's, covariances (G, D, D) and
    log p(what is there of y_g) (G,) in nats."""

    means: np.ndarray
    covariances: np.ndarray
    log_densities: np.ndarray


class Moments(NamedTuple):
    """Weighted expected moments of rows y and effects b, completed, about the model's mean.

    residual_scatter (D, D) = sum E[(y - b)(y - b)^T]; entropy of what is missing, given b, in nats;
    of what is there: counts, sums and squares (D,) of each column.
    """

    residual_scatter: np.ndarray
    entropy: float
    counts: np.ndarray
    sums: np.ndarray
    squares: np.ndarray


def effects_of(mean, between, within, groups: IncompleteGroups) -> Effects:
    """With precision J = between^-1 + sum of those of the rows and h = sum of precision times row,
    about the mean, b ~ N(J^-1 h, J^-1)."""
    n_groups, dimension = len(groups), len(between)
    precisions = np.repeat(np.linalg.inv(between)[None], n_groups, axis=0)
    information, squares = np.zeros((n_groups, dimension)), np.zeros(n_groups)
    rows = []
    log_determinants = np.full(n_groups, np.linalg.slogdet(between)[1])
    for there, _, of, counts, means, scatters in groups.patterns:
        own = within[np.ix_(there, there)]
        inverse = np.linalg.inv(own)
        centred = means - (mean - groups.origin)[there]
        weighted = counts[:, None] * (centred @ inverse)
        precisions[of[:, None, None], there[:, None], there] += counts[:, None, None] * inverse
        information[of[:, None], there] += weighted
        squares[of] += np.tensordot(scatters, inverse, 2)
        rows.append((there, of, counts, centred, inverse))
        constant = np.linalg.slogdet(own)[1] + len(there) * LOG_2_PI
        log_determinants[of] += counts * constant
    covariances = np.linalg.inv(precisions)
    effects = (covariances @ information[:, :, None])[:, :, 0]
    log_determinants += np.linalg.slogdet(precisions)[1]
    # Squares about the effects: about the mean alone they are large, and their difference from what
    # the effects explain loses digits where a covariance is at its floor.
    squares += np.vecdot(effects @ np.linalg.inv(between), effects)
    for there, of, counts, centred, inverse in rows:
        residuals = centred - effects[of[:, None], there]
        squares[of] += counts * np.vecdot(residuals @ inverse, residuals)
    log_densities = -0.5 * (squares + log_determinants)
    return Effects(effects, covariances, log_densities)


def moments_of(mean, within, groups: IncompleteGroups, effects: Effects, weights) -> Moments:
    """What rows contribute to the statistics, weights (G,) being those of their groups."""
    dimension = len(within)
    residual, entropy = np.zeros((dimension, dimension)), 0.0
    counts, sums, squares = np.zeros((3, dimension))
    for there, missing, of, n_rows, means, scatters in groups.patterns:
        own = within[np.ix_(there, there)]
        weighted = weights[of] * n_rows
        centred = means - (mean - groups.origin)[there]
        left = centred - effects.means[of[:, None], there]
        spread = effects.covariances[of[:, None, None], there[:, None], there]
        scatter = np.tensordot(weights[of], scatters, 1)
        counts[there] += weighted.sum()
        sums[there] += weighted @ centred
        squares[there] += np.diag(scatter) + weighted @ centred**2
        scatter = scatter + (left.T * weighted) @ left + np.tensordot(weighted, spread, 1)
        # Residuals of what is missing, by those of what is there, and what that leaves open.
        slopes = np.linalg.solve(own, within[np.ix_(there, missing)]).T
        completing = np.zeros((dimension, len(there)))
        completing[there, np.arange(len(there))] = 1
        completing[missing] = slopes
        residual += completing @ scatter @ completing.T
        if len(missing):
            open_ = within[np.ix_(missing, missing)] - slopes @ within[np.ix_(there, missing)]
            residual[np.ix_(missing, missing)] += weighted.sum() * open_
            entropy += 0.5 * weighted.sum() * np.linalg.slogdet(2 * np.pi * np.e * open_)[1]
    return Moments(residual, entropy, counts, sums, squares)


def completed(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The groups with what is missing at the group's own average, or at that of all where it has
    none: to start from."""
    groups = IncompleteGroups.of(arrays)
    averages = groups.origin + np.nan_to_num(groups.means)
    return [
        np.where(np.isnan(array), average, array)
        for array, average in zip(arrays, averages, strict=True)
    ]
