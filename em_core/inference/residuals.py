"""What pairs of columns have in common beyond what the model says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from em_core.data import all_rows, check, rows_that_count
from em_core.fit import Fit
from em_core.inference.occupancy import class_shares
from em_core.inference.quadrature import between, corners_of, nodes
from em_core.inference.replicates import Table, refitted, require_frequencies, settled
from em_core.protocols import Columns, Emission, Levels, is_discrete, optional

# The distribution of a column is compared at no more of its values than these.
MOST_VALUES = 1000


class BivariateResiduals(NamedTuple):
    """statistics (D, D), NaN on the diagonal. Of items, Pearson's statistic of the table of two of
    them over its degrees of freedom (C1 - 1) (C2 - 1): about 1 where the model holds for the pair
    (Vermunt & Magidson 2016). Of measurements and counts, observed less model correlations.
    columns (D,): of measurements and counts, the largest distance of the distribution of a column
    from the model's (Kolmogorov); NaN of items.
    dispersion (D,): of counts, observed over model variance; NaN of all else.
    p_values (D, D): the share of replicates drawn from this fit, fitted again, with as large a
    statistic, (b + 1) / (B + 1); NaN without replicates.
    is_correlation: of which kind the statistics are. sentences: what a person should know.
    """

    statistics: np.ndarray
    columns: np.ndarray
    dispersion: np.ndarray
    p_values: np.ndarray
    is_correlation: bool
    sentences: tuple[str, ...]

    @property
    def worst(self) -> tuple[tuple[int, int], ...]:
        """Pairs of columns, the largest statistic first."""
        pairs = np.argwhere(np.triu(np.isfinite(self.statistics), 1))
        sizes = np.abs(self.statistics[tuple(pairs.T)])
        return tuple(tuple(pair) for pair in pairs[np.argsort(-sizes, kind="stable")].tolist())


def bivariate_residuals(
    result: Fit,
    data,
    weights=None,
    *,
    replicates: int = 0,
    seed: int = 0,
    map: Callable[..., Iterable] = map,
) -> BivariateResiduals:
    """The residuals of every pair of columns (see `BivariateResiduals`).

    Expected tables are exact: N sum_k s_k p_kd p_ke^T over the rows that have both, s being the
    model's shares of its classes. Statistics have no known distribution, so p-values are from
    `replicates` drawn from this fit alone, 99 or more. Raises ValueError for a model that does not
    say what its columns are like, and for replicates of a fit with sampling weights.
    """
    model, params = result.model, result.params
    data = check(model, data)
    table = Table(*rows_that_count(model, data, weights, result.weights_kind))
    statistics = _statistics(model, params, table)
    p_values = np.full(statistics.shape, np.nan)
    if replicates:
        require_frequencies(result.weights_kind, "a p-value")
        known = settled(model, params)
        sound = refitted(known, params, table, replicates, seed, map)
        others = np.array([_statistics(known, found, part) for part, found in sound])
        as_large = (np.abs(others) >= np.abs(statistics)).sum(axis=0)
        p_values = np.where(np.isnan(statistics), np.nan, (as_large + 1) / (len(sound) + 1))
    emission = optional(model, "emission")
    rows, of_rows = all_rows(*table)
    return BivariateResiduals(
        statistics,
        *_columns(model, params, table, rows, of_rows),
        p_values,
        not isinstance(emission, Levels),
        tuple(_sentences(emission, statistics)),
    )


def _statistics(model, params, table: Table) -> np.ndarray:
    emission = optional(model, "emission")
    rows, weights = all_rows(*table)
    if isinstance(emission, Levels):
        shares = class_shares(model, params, table.data, table.weights)
        return _pearson(emission.level_probabilities(params.emission), shares, rows, weights)
    if isinstance(emission, Columns):
        shares = class_shares(model, params, table.data, table.weights)
        covariance = _mixed(emission, params.emission, shares)
    elif optional(model, "latent") == "factors":
        covariance = params.covariance
    else:
        raise ValueError(f"{type(model).__name__} does not say what single columns are like")
    residuals = _correlations(rows, weights) - _as_correlations(covariance)
    np.fill_diagonal(residuals, np.nan)
    return residuals


def _pearson(levels, shares, rows, weights) -> np.ndarray:
    n_columns = len(levels)
    found = np.full((n_columns, n_columns), np.nan)
    indicators = [
        (rows[:, d, None] == np.arange(chances.shape[1])).astype(float)
        for d, chances in enumerate(levels)
    ]
    for d in range(n_columns):
        for e in range(d):
            observed = (indicators[d] * weights[:, None]).T @ indicators[e]
            expected = observed.sum() * (levels[d] * shares[:, None]).T @ levels[e]
            freedom = (levels[d].shape[1] - 1) * (levels[e].shape[1] - 1)
            if not freedom or not observed.sum():
                continue
            with np.errstate(divide="ignore", invalid="ignore"):
                cells = (observed - expected) ** 2 / expected
            # A cell that there cannot be, and is not.
            cells[(observed == 0) & (expected == 0)] = 0
            found[d, e] = found[e, d] = cells.sum() / freedom
    return found


def _mixed(emission, params, shares: np.ndarray) -> np.ndarray:
    """(D, D) covariance of all rows: within the components and between them."""
    means, deviations = emission.column_means(params), emission.column_deviations(params)
    n_columns = means.shape[1]
    correlations = np.broadcast_to(np.eye(n_columns), (len(means), n_columns, n_columns))
    # Those of factor analysers follow from their loadings.
    if {"covariances", "loadings"} & set(optional(emission, "DIMS", Emission) or {}):
        correlations = _as_correlations(params.covariances)
    within = correlations * deviations[:, :, None] * deviations[:, None, :]
    centred = means - shares @ means
    return np.tensordot(shares, within, 1) + (centred.T * shares) @ centred


def _as_correlations(covariances: np.ndarray) -> np.ndarray:
    deviations = np.sqrt(np.einsum("...dd->...d", covariances))
    with np.errstate(invalid="ignore"):
        return covariances / (deviations[..., :, None] * deviations[..., None, :])


def _correlations(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(D, D) of the rows that have both columns; of complete ones the usual correlations."""
    there = ~np.isnan(rows)
    unit = np.nanstd(rows, axis=0)
    unit = np.where(unit > 0, unit, 1)
    values = np.where(there, (rows - np.nanmean(rows, axis=0)) / unit, 0.0)
    shares = there * weights[:, None]
    counts = shares.T @ there
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (values * weights[:, None]).T @ there / counts
        products = (values * weights[:, None]).T @ values / counts - means * means.T
        squares = (values**2 * weights[:, None]).T @ there / counts - means**2
        return products / np.sqrt(squares * squares.T)


def _columns(model, params, table: Table, rows, weights) -> tuple[np.ndarray, np.ndarray]:
    """Distances of the columns' distributions, and dispersions."""
    n_columns = rows.shape[1]
    distances, dispersion = np.full((2, n_columns), np.nan)
    emission = optional(model, "emission")
    if isinstance(emission, Levels):
        return distances, dispersion
    if not isinstance(emission, Columns):
        from scipy.special import ndtr

        deviations = np.sqrt(np.diag(params.covariance))
        for d in range(n_columns):
            values, below, upto = _empirical(rows[:, d], weights)
            model_upto = ndtr((values - params.mean[d]) / deviations[d])
            distances[d] = max(np.abs(model_upto - below).max(), np.abs(model_upto - upto).max())
        return distances, dispersion
    shares = class_shares(model, params, table.data, table.weights)
    counted = is_discrete(emission)
    variances = np.diag(_mixed(emission, params.emission, shares))
    for d in range(n_columns):
        values, below, upto = _empirical(rows[:, d], weights)
        model_below, model_upto = _distribution(emission, params.emission, shares, d, values)
        distances[d] = max(np.abs(model_below - below).max(), np.abs(model_upto - upto).max())
        if counted:
            there = ~np.isnan(rows[:, d])
            mean = np.average(rows[there, d], weights=weights[there])
            spread = np.average((rows[there, d] - mean) ** 2, weights=weights[there])
            dispersion[d] = spread / variances[d] if variances[d] > 0 else np.nan
    return distances, dispersion


def _empirical(column: np.ndarray, weights: np.ndarray):
    """Some values of a column, and the shares of it below each, and up to each."""
    there = ~np.isnan(column)
    values, which = np.unique(column[there], return_inverse=True)
    counted = np.cumsum(np.bincount(which, weights[there]))
    upto = counted / counted[-1]
    below = np.concatenate([[0.0], upto[:-1]])
    some = np.unique(np.linspace(0, len(values) - 1, MOST_VALUES).astype(int))
    return values[some], below[some], upto[some]


def _distribution(emission, params, shares, column: int, values) -> tuple[np.ndarray, np.ndarray]:
    """The model's share of a column below, and up to, each of some values in order."""
    if is_discrete(emission):
        points, masses, logs = nodes(emission, params, column)
        total = np.cumsum(shares @ np.exp(logs) * masses)
        upto = np.concatenate([[0.0], total])
        return tuple(upto[np.searchsorted(points, values, side)] for side in ("left", "right"))
    corners = np.unique(np.concatenate([corners_of(emission, params, column), values]))
    points, masses = between(corners)
    density = shares @ np.exp(emission.column_log_density(params, column, points))
    pieces = (density * masses).reshape(len(corners) - 1, -1).sum(axis=1)
    upto = np.concatenate([[0.0], np.cumsum(pieces)])[np.searchsorted(corners, values)]
    return upto, upto


def _sentences(emission, statistics: np.ndarray) -> Iterator[str]:
    covariance = optional(emission, "covariance") if emission is not None else None
    if (
        covariance in ("full", "tied", "VVV", "EEE")
        and np.nanmax(np.abs(statistics), initial=0.0) < 0.01
    ):
        yield (
            "Residual correlations are zero by construction: components of this structure can take "
            "up any of them. See how far each column's distribution is from the model's instead."
        )
