"""Group effects where observations have missing values (NaN), missing at random.

A row says as much of its group's effect b as the columns that are there: information adds, whatever
pattern of columns it comes from.
"""

from __future__ import annotations

import numpy as np

LOG_2_PI = float(np.log(2 * np.pi))


def effects_of_incomplete(mean, between, within, groups: list[np.ndarray]) -> tuple:
    """p(b_g | what is there of y_g) = N(means, covariances): means (G, D), covariances (G, D, D)
    and log p(what is there of y_g) (G,) in nats, of groups (n_g, D) with NaN."""
    found = [_effect(between, within, group - mean) for group in groups]
    effects, covariances, log_densities = map(np.stack, zip(*found, strict=True))
    return mean + effects, covariances, log_densities


def _effect(between: np.ndarray, within: np.ndarray, rows: np.ndarray) -> tuple:
    """The same of one group, about the mean: with precision J = between^-1 + sum of those of the
    rows and h = sum of precision times row, b ~ N(J^-1 h, J^-1)."""
    precision, information, squares = np.linalg.inv(between), np.zeros(len(between)), 0.0
    log_determinants = np.linalg.slogdet(between)[1]
    present = ~np.isnan(rows)
    for pattern in np.unique(present, axis=0):
        columns = np.flatnonzero(pattern)
        some = rows[(present == pattern).all(axis=1)][:, columns]
        own = within[np.ix_(columns, columns)]
        inverse = np.linalg.inv(own)
        precision[np.ix_(columns, columns)] += len(some) * inverse
        information[columns] += inverse @ some.sum(axis=0)
        squares += np.vdot(some @ inverse, some)
        log_determinants += len(some) * np.linalg.slogdet(own)[1]
    covariance = np.linalg.inv(precision)
    effect = covariance @ information
    log_determinants += present.sum() * LOG_2_PI + np.linalg.slogdet(precision)[1]
    return effect, covariance, 0.5 * (information @ effect - squares - log_determinants)


def means_of_incomplete(groups: list[np.ndarray]) -> np.ndarray:
    """(G, D) the averages of what is there of each group; NaN where nothing is."""
    counts = np.stack([(~np.isnan(group)).sum(axis=0) for group in groups])
    totals = np.stack([np.nansum(group, axis=0) for group in groups])
    return np.where(counts > 0, totals / np.maximum(counts, 1), np.nan)
