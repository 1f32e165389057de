"""How well a model fits its data as a whole: tables of patterns, and factor models."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from em_core.data import check, rows_that_count
from em_core.fit import Fit
from em_core.inference.replicates import Table, patterns, refitted, require_frequencies, settled
from em_core.models.factor_analysis.summaries import discrepancy
from em_core.protocols import optional
from em_core.search.identified import free_cells, log_densities

# The usual interval of RMSEA.
LEVEL = 0.9


class PatternFit(NamedTuple):
    """g_squared: 2 sum n log(n / (N p)) over the patterns of answers; pearson: sum (n - N p)^2 /
    (N p). degrees_of_freedom: all patterns there can be, less one, less parameters; below 0 the
    model has more than the table can tell. p_value: the share of replicates drawn from this fit,
    fitted again, with as large a G-squared, (b + 1) / (B + 1); NaN without replicates. Most tables
    are too sparse for chi-square."""

    g_squared: float
    pearson: float
    degrees_of_freedom: int
    p_value: float


class FactorFit(NamedTuple):
    """chi_square: N F of N rows, F = log|Sigma| - log|S| + tr(Sigma^-1 S) - D, without Bartlett's
    correction; degrees_of_freedom ((D - q)^2 - D - q) / 2, and its p_value. rmsea, from that N F:
    sqrt(max(0, chi_square - df) / (df N)), with its 90 % interval (Steiger & Lind 1980; Browne &
    Cudeck 1992). kmo: Kaiser, Meyer and Olkin's measure, the share of squared correlations in
    theirs and the squared partial ones' sum (Kaiser & Rice 1974)."""

    chi_square: float
    degrees_of_freedom: int
    p_value: float
    rmsea: float
    rmsea_lower: float
    rmsea_upper: float
    kmo: float


def pattern_fit(
    result: Fit,
    data,
    weights=None,
    *,
    replicates: int = 0,
    seed: int = 0,
    map: Callable[..., Iterable] = map,
) -> PatternFit:
    """G-squared of a mixture of items (see `PatternFit`).

    Raises ValueError for another model, where answers are missing, and for replicates of a fit with
    sampling weights.
    """
    model, params = result.model, result.params
    cells = free_cells(model, params)
    if cells is None:
        raise ValueError("only mixtures of items have a table of patterns")
    data = check(model, data)
    if np.isnan(data).any():
        raise ValueError("patterns need complete answers: leave out rows with missing ones")
    table = Table(*rows_that_count(model, data, weights, result.weights_kind))
    g_squared, pearson = _distances(model, params, table)
    p_value = np.nan
    if replicates:
        require_frequencies(result.weights_kind, "a p-value")
        known = settled(model, params)
        others = [
            _distances(known, found, drawn)[0]
            for drawn, found in refitted(known, params, table, replicates, seed, map)
        ]
        p_value = (1 + sum(other >= g_squared for other in others)) / (1 + len(others))
    return PatternFit(g_squared, pearson, cells - model.n_parameters(params), p_value)


def _distances(model, params, table: Table) -> tuple[float, float]:
    rows, counts = patterns(table)
    rows, counts = rows[counts > 0], counts[counts > 0]
    expected = counts.sum() * np.exp(log_densities(model, params, rows))
    g_squared = 2 * float((counts * np.log(counts / expected)).sum())
    # Patterns that nobody gave are expected as often as is left.
    unseen = counts.sum() - expected.sum()
    pearson = float(((counts - expected) ** 2 / expected).sum() + max(unseen, 0.0))
    return g_squared, pearson


def factor_fit(result: Fit, data, weights=None) -> FactorFit:
    """The fit of a factor analysis (see `FactorFit`).

    Raises ValueError for another model, where values are missing, without degrees of freedom, and
    with sampling weights.
    """
    from scipy.special import chdtrc

    params = result.params
    if optional(result.model, "latent") != "factors":
        raise ValueError("only factor models have this test of fit")
    data = check(result.model, data)
    require_frequencies(result.weights_kind, "a test of fit")
    rows, weights = rows_that_count(result.model, np.asarray(data, dtype=float), weights)
    n_columns = rows.shape[1]
    count = len(rows) if weights is None else float(weights.sum())
    n_moments = n_columns + n_columns * (n_columns + 1) // 2
    freedom = n_moments - result.model.n_parameters(params)
    if freedom <= 0:
        raise ValueError("so many factors leave nothing to test: use fewer factors")
    distance, observed = discrepancy(params, rows, weights)
    chi_square = float(count * distance)
    lower, upper = (
        _noncentrality(chi_square, freedom, share) for share in ((1 + LEVEL) / 2, (1 - LEVEL) / 2)
    )
    return FactorFit(
        chi_square, freedom, float(chdtrc(freedom, chi_square)),
        *(float(np.sqrt(max(0.0, x) / (freedom * count)))
          for x in (chi_square - freedom, lower, upper)),
        _kmo(observed),
    )  # fmt: skip


def _noncentrality(chi_square: float, freedom: int, share: float) -> float:
    """The non-centrality at which chi-square is below what it is with this probability."""
    from scipy.optimize import brentq
    from scipy.special import chdtr, chndtr

    if chdtr(freedom, chi_square) <= share:
        return 0.0
    highest = chi_square + 10.0
    while chndtr(chi_square, freedom, highest) > share:
        highest *= 2
    return float(brentq(lambda nc: chndtr(chi_square, freedom, nc) - share, 1e-12, highest))


def _kmo(covariance: np.ndarray) -> float:
    inverse = np.linalg.inv(covariance)
    others = ~np.eye(len(covariance), dtype=bool)
    correlations, partial = (
        matrix / np.sqrt(np.outer(np.diag(matrix), np.diag(matrix)))
        for matrix in (covariance, inverse)
    )
    squares = (correlations[others] ** 2).sum()
    return float(squares / (squares + (partial[others] ** 2).sum()))
