"""What the clusters of a fit are like and how well they are told apart, as jobs for a process."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import numpy as np

from em_core import inference
from em_core.fit import Fit
from em_core.inference import (
    BivariateResiduals,
    ClassQuality,
    CrossedLevels,
    CrossedNumbers,
    CrossedPartitions,
    FactorFit,
    PatternFit,
    Separation,
)
from em_core.search.alignment import assignment_shares

T = TypeVar("T")
# Of each cluster's rows, sorted by their posterior, so many stand for all.
QUANTILES = 101


class Certainty(NamedTuple):
    """heights (K, Q): of the rows assigned to each cluster the quantiles of their posterior of it,
    the largest first; NaN without rows. rows (K,): how many they are."""

    heights: np.ndarray
    rows: np.ndarray


class Described(NamedTuple):
    """What there is to say of a fit; in place of what does not apply, why, as a sentence."""

    quality: ClassQuality | str
    certainty: Certainty | None
    separation: Separation | str
    residuals: BivariateResiduals | str
    patterns: PatternFit | str
    factors: FactorFit | str


def without_trace(fit: Fit) -> Fit:
    """A fit as far as its end tells of it, for another process."""
    return replace(fit, trace=fit.trace[-1:])


def describe(fit: Fit, data: Any, weights: np.ndarray | None) -> Generator[float, None, Described]:
    """Everything that the page says of a fit beside its parameters. weights: those of the fit."""
    yield 0.0
    quality = _or_why(inference.class_quality, fit, data, weights)
    certainty = None if isinstance(quality, str) else _certainty(fit, data)
    yield 0.3
    separation = _or_why(inference.separation, fit, data)
    yield 0.6
    residuals = _or_why(inference.bivariate_residuals, fit, data, weights)
    yield 0.9
    patterns = _or_why(inference.pattern_fit, fit, data, weights)
    factors = _or_why(inference.factor_fit, fit, data, weights)
    return Described(quality, certainty, separation, residuals, patterns, factors)


def _or_why(function: Callable[..., T], *arguments: Any) -> T | str:
    try:
        return function(*arguments)
    except ValueError as error:
        return str(error)


def _certainty(fit: Fit, data: Any) -> Certainty:
    shares = assignment_shares(fit.model, fit.params, data)
    assert shares is not None, "there are classes, for there is a quality"
    assigned, heights = shares.argmax(axis=1), shares.max(axis=1)
    n_clusters = shares.shape[1]
    rows = np.bincount(assigned, minlength=n_clusters)
    grid = np.linspace(1, 0, QUANTILES)
    found = [
        np.quantile(heights[assigned == k], grid) if rows[k] else np.full(QUANTILES, np.nan)
        for k in range(n_clusters)
    ]
    return Certainty(np.array(found), rows)


def cross(
    fit: Fit, data: Any, weights: np.ndarray | None, values: np.ndarray, n_levels: int
) -> Generator[float, None, CrossedLevels | CrossedNumbers]:
    """How the clusters go with a column (N,): of so many levels, or of numbers where that is 0.
    weights: (N,) of the rows."""
    yield 0.0
    shares = assignment_shares(fit.model, fit.params, data)
    assert shares is not None, "rows belong to clusters"
    if weights is not None:
        shares = shares * weights[:, None]
    if n_levels:
        return inference.crossed_levels(shares, values.astype(int), n_levels)
    return inference.crossed_numbers(shares, values)


def crossed_with(
    fit: Fit,
    data: Any,
    rows: np.ndarray,
    other: Fit,
    other_data: Any,
    other_rows: np.ndarray,
    weights: np.ndarray | None,
) -> Generator[float, None, CrossedPartitions]:
    """How the classes of two fits go together. rows, other_rows (N,): the rows that both have, by
    their places in each; weights: theirs."""
    yield 0.0
    shares = assignment_shares(fit.model, fit.params, data)
    yield 0.5
    others = assignment_shares(other.model, other.params, other_data)
    assert shares is not None and others is not None, "rows belong to classes in both"
    return inference.crossed_partitions(shares[rows], others[other_rows], weights)
