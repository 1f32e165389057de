"""How classes go together with a column that had no part in them, or with other classes, by
posteriors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from em_core.inference.agreement import adjusted_rand_index


class CrossedLevels(NamedTuple):
    """counts (L, K): expected rows of each level in each class, sum_n w_n 1[x_n = l] r_nk. shares
    (L, K): of the rows of a class, those of each level; NaN of a class without rows. cramers_v:
    sqrt(chi-square / (N min(L - 1, K - 1))) of these counts, from 0 to 1; NaN where there is one
    level or one class."""

    counts: np.ndarray
    shares: np.ndarray
    cramers_v: float


class CrossedNumbers(NamedTuple):
    """rows, means, deviations (K,): expected rows N_k = sum_n w_n r_nk, means and standard
    deviations in each class, weighted by posteriors. eta_squared: the share of the variance between
    the means of the classes, sum_k N_k (m_k - m)^2 / sum_n w_n (x_n - m)^2; NaN of a constant."""

    rows: np.ndarray
    means: np.ndarray
    deviations: np.ndarray
    eta_squared: float


def crossed_levels(shares: np.ndarray, levels: np.ndarray, n_levels: int) -> CrossedLevels:
    """The table of levels (N,), -1 where missing, and classes with posteriors (N, K) (Cramer 1946).

    shares: posteriors r_nk, times the weight w_n of the row where rows have weights. They
    are not sharpened to assignments, so that the table says no more than the fit does.
    """
    known = levels >= 0
    counts = np.zeros((n_levels, shares.shape[1]))
    np.add.at(counts, levels[known], shares[known])
    total, of_levels, of_classes = counts.sum(), counts.sum(axis=1), counts.sum(axis=0)
    used = int((of_levels > 0).sum()), int((of_classes > 0).sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = np.outer(of_levels, of_classes) / total
        distance = np.nansum((counts - expected) ** 2 / expected)
        least = min(used) - 1
        v = float(np.sqrt(distance / (total * least))) if least > 0 else np.nan
        return CrossedLevels(counts, counts / of_classes, v)


def crossed_numbers(shares: np.ndarray, values: np.ndarray) -> CrossedNumbers:
    """What numbers (N,), NaN where missing, are like in classes with posteriors (N, K), times the
    weights of the rows where these have some."""
    known = np.isfinite(values)
    shares, values = shares[known], values[known]
    rows, weights = shares.sum(axis=0), shares.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = weights @ values / weights.sum()
        centred = values - middle
        means = shares.T @ centred / rows
        squares = shares.T @ centred**2 / rows
        deviations = np.sqrt(np.maximum(squares - means**2, 0))
        eta_squared = float(np.nansum(rows * means**2) / (weights @ centred**2))
    return CrossedNumbers(rows, means + middle, deviations, eta_squared)


class CrossedPartitions(NamedTuple):
    """expected (K, L): rows by the classes of two fits, sum_n w_n r_nk s_nl. assigned (K, L): the
    same of rows each put where it is most probable. matched (M, 2): pairs of classes, one of each
    fit, M = min(K, L), that hold the most expected rows. stayed: the share of rows that are
    assigned to a matched pair. adjusted_rand: of the assignments, without weights unless these are
    whole numbers."""

    expected: np.ndarray
    assigned: np.ndarray
    matched: np.ndarray
    stayed: float
    adjusted_rand: float


def crossed_partitions(shares: np.ndarray, others: np.ndarray, weights=None) -> CrossedPartitions:
    """The table of the classes of two fits with posteriors (N, K) and (N, L) of the same rows, each
    counted by its weight (N,).

    Classes are matched so that the expected rows on matched pairs are the most (Kuhn 1955); the
    index is that of Hubert & Arabie (1985). Raises ValueError without rows.
    """
    # SciPy's optimisers take longer to import than all of em_core may.
    from scipy.optimize import linear_sum_assignment

    counted = np.ones(len(shares)) if weights is None else np.asarray(weights, dtype=float)
    expected = (counted[:, None] * shares).T @ others
    one, two = shares.argmax(axis=1), others.argmax(axis=1)
    assigned = np.zeros_like(expected)
    np.add.at(assigned, (one, two), counted)
    matched = np.column_stack(linear_sum_assignment(expected, maximize=True))
    whole = counted if (counted == np.round(counted)).all() else None
    stayed = float(assigned[tuple(matched.T)].sum() / assigned.sum())
    index = adjusted_rand_index(one, two, whole)
    return CrossedPartitions(expected, assigned, matched, stayed, index)
