"""Sums over everything that one column can be, whatever the emission."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from em_core.protocols import Levels, is_discrete

# Counts up to here are summed one by one; beyond, densities are smooth from one count to the next.
MOST_COUNTED = 20_000
# Points of Gauss and Legendre's rule between two corners.
POINTS = 24
# Where less than this share of a component is left, its tail ends.
NEGLIGIBLE = 1e-15
# Corners lie at so many widths of a component from its middle, and further by powers of two.
NEAR = np.array([0, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12, 16, 20, 26, 32, 40])
FURTHEST = 1000


class Nodes(NamedTuple):
    """sum of weights (M,) times f at values (M,) is the sum, or the integral, of f over a column;
    log_densities (K, M) are those of every component there."""

    values: np.ndarray
    weights: np.ndarray
    log_densities: np.ndarray


def nodes(emission, params, column: int) -> Nodes:
    """Nodes for one column of an emission, exact for items, good to ten digits for all else."""
    if isinstance(emission, Levels):
        values = np.arange(emission.level_probabilities(params)[column].shape[1], dtype=float)
        return _at(emission, params, column, values, np.ones(len(values)))
    means = emission.column_means(params)[:, column]
    if is_discrete(emission):
        highest = means.max() + 40 * np.sqrt(means.max()) + 100
        counted = np.arange(min(highest, MOST_COUNTED) + 1)
        values, weights = counted, np.ones(len(counted))
        if highest > MOST_COUNTED:
            deviations = emission.column_deviations(params)[:, column]
            corners = (means + np.outer(np.concatenate([-NEAR[::-1], NEAR]), deviations)).ravel()
            beyond = between([MOST_COUNTED + 0.5, *corners[corners > MOST_COUNTED + 0.5]])
            values, weights = (
                np.concatenate(pair) for pair in zip((values, weights), beyond, strict=True)
            )
        return _at(emission, params, column, values, weights)
    return _at(emission, params, column, *between(corners_of(emission, params, column)))


def corners_of(emission, params, column: int) -> np.ndarray:
    """Points of a continuous column between which all densities are smooth, and beyond which
    nothing is left."""
    means = emission.column_means(params)[:, column]
    peaks = emission.column_log_density(params, column, means)
    # As wide as a normal distribution of that height.
    widths = np.exp(-np.diag(peaks)) / np.sqrt(2 * np.pi)
    steps = NEAR
    while len(steps) < FURTHEST:
        ends = steps[-1] * widths
        logs = np.diag(emission.column_log_density(params, column, means + ends)) + np.log(ends)
        if logs.max() < np.log(NEGLIGIBLE):
            break
        steps = np.append(steps, 2 * steps[-1])
    return (means + np.outer(np.concatenate([-steps[::-1], steps]), widths)).ravel()


def between(corners) -> tuple[np.ndarray, np.ndarray]:
    """Values and weights of Gauss and Legendre's rule from each corner to the next."""
    corners = np.unique(corners)
    places, shares = np.polynomial.legendre.leggauss(POINTS)
    halves = np.diff(corners)[:, None] / 2
    middles = (corners[1:] + corners[:-1])[:, None] / 2
    return (middles + halves * places).ravel(), (halves * shares).ravel()


def _at(emission, params, column, values, weights) -> Nodes:
    with np.errstate(divide="ignore"):
        return Nodes(values, weights, emission.column_log_density(params, column, values))
