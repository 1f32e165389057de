"""Where EM starts for the two-level model: each start is a row of `STARTS`.

A start splits the variance of all observations into one between and one within groups. It draws
only from the Generator it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from em_core.models.two_level.groups import Groups
from em_core.protocols import Turns

# What a start that puts all variance on one level leaves to the other: EM climbs away from zero
# but slowly.
LITTLE = 0.01
# A direction in which the observations do not vary gets this share of its columns' variance.
NEGLIGIBLE = 1e-12


class TwoLevelStart(NamedTuple):
    """propose(groups, weights, rng): mean relative to the origin, between, within (not floored)."""

    propose: Callable[..., tuple[np.ndarray, np.ndarray, np.ndarray]]
    meaning: str
    turns: Turns = "many"


def moments(groups: Groups, weights, rng):
    """Between: the average product of deviations of two observations of the same group.

    Fisher's (1925) intraclass moments; in the balanced case the within covariance is the mean
    square of the analysis of variance. `between` is negative in every direction exactly where
    groups that do not differ are an optimum of the likelihood. Then it starts at the floor; else
    in no direction below a little, as EM would hardly leave the floor.
    """
    mean, total = groups.pooled(weights)
    pairs = weights @ (groups.counts * (groups.counts - 1))
    if pairs == 0:
        return mean, total / 2, total / 2
    sums = (groups.means - mean) * groups.counts[:, None]
    between = ((sums.T * weights) @ sums - (weights @ groups.counts) * total) / pairs
    axes = axes_of(total)
    inverse = np.linalg.inv(axes)
    shares, turn = np.linalg.eigh(inverse @ between @ inverse.T)
    if shares[-1] > 0:
        axes = axes @ turn
        between = (axes * np.maximum(shares, LITTLE)) @ axes.T
    return mean, between, total - between


def all_between(groups: Groups, weights, rng):
    """The groups carry (nearly) all of the variance; the mean is the average of their means."""
    _, total = groups.pooled(weights)
    return weights @ groups.means / weights.sum(), total, LITTLE * total


def all_within(groups: Groups, weights, rng):
    """The groups carry (nearly) none of the variance; the mean is that of all observations."""
    mean, total = groups.pooled(weights)
    return mean, LITTLE * total, total


def random_split(groups: Groups, weights, rng):
    """The mean of a group drawn at random, and a random share of the variance between groups."""
    _, total = groups.pooled(weights)
    dimension = len(total)
    drawn = rng.choice(len(groups), p=weights / weights.sum())
    turn, _ = np.linalg.qr(rng.standard_normal((dimension, dimension)))
    axes = axes_of(total) @ turn
    shares = rng.uniform(LITTLE, 1 - LITTLE, dimension)
    return groups.means[drawn], (axes * shares) @ axes.T, (axes * (1 - shares)) @ axes.T


def axes_of(covariance: np.ndarray) -> np.ndarray:
    """Invertible (D, D) axes with axes axes^T = covariance, whatever the columns' units."""
    unit = np.sqrt(np.diag(covariance))
    values, vectors = np.linalg.eigh(covariance / (unit[:, None] * unit))
    return unit[:, None] * vectors * np.sqrt(np.maximum(values, NEGLIGIBLE))


STARTS = {
    "moments": TwoLevelStart(moments, "how alike two observations of the same group are", "one"),
    "all between": TwoLevelStart(all_between, "nearly all variance is between the groups", "one"),
    "all within": TwoLevelStart(all_within, "nearly all variance is within the groups", "one"),
    "random": TwoLevelStart(random_split, "the variance split at random, a random group's mean"),
}
