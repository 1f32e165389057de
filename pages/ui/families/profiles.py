"""What sets the clusters of a fit apart: numbers for a picture and a table, and words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from em_core.inference.occupancy import class_shares
from em_core.inference.uncertainty.delta import Reported
from em_core.models.factor_analysis.summaries import explained_variance, standardised
from em_core.protocols import Levels
from pages.ui.families.family import listed
from pages.ui.pictures.emissions import cells, has_levels, moments, says_columns
from pages.ui.pictures.factors import rotation, standard_loadings
from pages.ui.tables.selection import Selection
from pages.ui.text import component_names, counted, number, percent

# From so many standard deviations, so large a difference of shares, so large a loading on, a column
# sets a cluster apart; and so many columns are named.
APART, APART_SHARE, LOADS = 0.5, 0.1, 0.3
MOST_NAMED = 4
# What people report of factors, whose order and signs nothing tells.
LOADINGS = ("varimax loading",)
# A group's mean is within so many standard deviations of its posterior with 95 %.
Z = 1.959964


class Profile(NamedTuple):
    """K clusters, factors or groups by P cells: columns, or levels of items.

    values (K, P): on the scale of the picture, which is (what the model says - shift) / scale of a
    cell. columns (P,): which column a cell is of. shares (K,): how large each is; share_of: of
    what. said (K,): what sets it apart, in words. quantity: what people report of the cells, at
    places[k][p]; "" for nothing that has intervals. lower, upper (K, P): intervals, None without.
    """

    names: tuple[str, ...]
    cells: tuple[str, ...]
    values: np.ndarray
    shift: np.ndarray
    scale: np.ndarray
    columns: np.ndarray
    shares: np.ndarray
    share_of: str
    said: tuple[str, ...]
    title: str
    quantity: str = ""
    places: tuple[tuple[tuple[int, ...], ...], ...] = ()
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None

    @property
    def signed(self) -> bool:
        """Whether values lie about 0; else they are shares."""
        return bool((self.shift != 0).any() or (self.values < 0).any())

    def with_intervals(self, reported: Sequence[Reported]) -> Profile:
        """The same with those intervals that were reported of its cells; NaN where none was."""
        rows = {row.place: row for row in reported if row.quantity == self.quantity}
        if not rows:
            return self
        told = [[_estimate_and_ends(rows.get(place)) for place in part] for part in self.places]
        estimates, lower, upper = np.moveaxis(np.array(told), -1, 0)
        if self.quantity in LOADINGS:
            lower, upper = _as_these(self.values, estimates, lower, upper)
        return self._replace(
            lower=(lower - self.shift) / self.scale, upper=(upper - self.shift) / self.scale
        )

    def of(self, parts: np.ndarray) -> Profile:
        """The same of some of its parts, in this order."""
        ends = (None if end is None else end[parts] for end in (self.lower, self.upper))
        lower, upper = ends
        return self._replace(
            names=tuple(self.names[k] for k in parts),
            values=self.values[parts],
            shares=self.shares[parts],
            said=tuple(self.said[k] for k in parts),
            places=tuple(self.places[k] for k in parts) if self.places else (),
            lower=lower,
            upper=upper,
        )

    def first(self, n_cells: int) -> Profile:
        """The same of its first cells."""
        ends = (None if end is None else end[:, :n_cells] for end in (self.lower, self.upper))
        lower, upper = ends
        return self._replace(
            cells=self.cells[:n_cells],
            values=self.values[:, :n_cells],
            shift=self.shift[:n_cells],
            scale=self.scale[:n_cells],
            columns=self.columns[:n_cells],
            places=tuple(part[:n_cells] for part in self.places),
            lower=lower,
            upper=upper,
        )

    def ordered(self, separation: np.ndarray | None) -> Profile:
        """The same with the columns that tell most of the clusters first: separation (D,)."""
        if separation is None or not np.isfinite(separation).all():
            return self
        order = np.argsort(-separation[self.columns], kind="stable")
        return self._replace(
            cells=tuple(self.cells[p] for p in order),
            values=self.values[:, order],
            shift=self.shift[order],
            scale=self.scale[order],
            columns=self.columns[order],
            places=tuple(tuple(row[p] for p in order) for row in self.places),
            lower=None if self.lower is None else self.lower[:, order],
            upper=None if self.upper is None else self.upper[:, order],
        )


def _estimate_and_ends(row: Reported | None) -> tuple[float, float, float]:
    if row is None:
        return np.nan, np.nan, np.nan
    return row.estimate, row.lower, row.upper


def _as_these(values: np.ndarray, estimates: np.ndarray, lower: np.ndarray, upper: np.ndarray):
    """Ends of the loadings (q, D) of factors in the order and with the signs that they have here:
    a rotation tells neither."""
    products = values @ estimates.T
    order = np.abs(products).argmax(axis=1)
    mirrored = products[np.arange(len(order)), order] < 0
    lower, upper = lower[order], upper[order]
    return (
        np.where(mirrored[:, None], -upper, lower),
        np.where(mirrored[:, None], -lower, upper),
    )


def cluster_profile(
    model, params, data, selection: Selection, settings, unit: str, quantity: str = "mean"
) -> Profile | None:
    """The profile of components, classes or states; None of an emission that says nothing of its
    columns. quantity: what people report of its columns, where they are no items."""
    if not says_columns(model):
        return None
    weights = selection.weights_of_parts if isinstance(data, list) else None
    shares = class_shares(model, params, data, weights)
    names = component_names(len(shares), unit, settings.names)
    if isinstance(model.emission, Levels):
        return _of_levels(model, params, selection, names, shares)
    means, _ = moments(model, params)
    middle, deviations = observed(selection)
    width = np.where(deviations > 0, deviations, 1.0)
    values = (means - middle) / width
    n_clusters, n_columns = means.shape
    return Profile(
        names,
        selection.columns,
        values,
        middle,
        width,
        np.arange(n_columns),
        shares,
        "of the rows",
        tuple(_in_words(row, selection.columns) for row in values),
        "mean (SD from the mean of all rows)",
        quantity,
        tuple(tuple((k, d) for d in range(n_columns)) for k in range(n_clusters)),
    )


def observed(selection: Selection) -> tuple[np.ndarray, np.ndarray]:
    """(D,) means and standard deviations of the rows that are fitted, by their weights."""
    weights = np.ones(len(selection.values)) if selection.weights is None else selection.weights
    weights = weights[:, None] * ~np.isnan(selection.values)
    rows = np.nan_to_num(selection.values)
    middle = (weights * rows).sum(axis=0) / weights.sum(axis=0)
    width = np.sqrt((weights * (rows - middle) ** 2).sum(axis=0) / weights.sum(axis=0))
    return middle, width


def _in_words(row: np.ndarray, columns: Sequence[str]) -> str:
    order = np.argsort(-np.abs(row), kind="stable")
    told = [d for d in order if abs(row[d]) >= APART]
    if not told:
        return f"within {number(APART)} SD of the mean of all rows in every column"
    said = [
        f"{'high' if row[d] > 0 else 'low'} {columns[d]} ({_signed(row[d])} SD)"
        for d in told[:MOST_NAMED]
    ]
    return ", ".join(said) + _and_more(len(told), "column")


def _and_more(n_told: int, what: str) -> str:
    more = n_told - MOST_NAMED
    return f", and {counted(more, f'more {what}')}" if more > 0 else ""


def _signed(value: float) -> str:
    return number(round(value, 1), 2, signed=True)


def _of_levels(model, params, selection: Selection, names, shares: np.ndarray) -> Profile:
    called, values = cells(model, params, selection.columns, selection.levels)
    several = has_levels(model)
    sizes = [part.shape[1] for part in model.emission.level_probabilities(params.emission)]
    columns = np.repeat(np.arange(len(sizes)), sizes) if several else np.arange(len(sizes))
    levels = np.concatenate([np.arange(size) for size in sizes]) if several else None
    overall = np.array(
        [
            _share(selection, int(d), 1 if levels is None else levels[p])
            for p, d in enumerate(columns)
        ]
    )
    said = [_answers_in_words(row, overall, called, columns) for row in values]
    places = tuple(
        tuple((k, int(d)) if levels is None else (k, int(d), int(levels[p])) for p, d in at)
        for k, at in enumerate([list(enumerate(columns))] * len(values))
    )
    if not several and not selection.levels:
        called = tuple(f"{name} = 1" for name in called)
    return Profile(
        names,
        called,
        values,
        np.zeros(len(columns)),
        np.ones(len(columns)),
        columns,
        shares,
        "of the rows",
        tuple(said),
        "probability",
        "probability",
        places,
    )


def _share(selection: Selection, column: int, level: int) -> float:
    """Of the answers there are to an item, those that are this level."""
    values = selection.values[:, column]
    weights = np.ones(len(values)) if selection.weights is None else selection.weights
    total = weights[~np.isnan(values)].sum()
    return float(weights[values == level].sum() / total) if total else np.nan


def _answers_in_words(
    row: np.ndarray, overall: np.ndarray, called: Sequence[str], columns: np.ndarray
) -> str:
    apart = row - overall
    # Of an item the level that differs the most: the others follow from it, or nearly.
    best = {int(d): p for p, d in sorted(enumerate(columns), key=lambda at: abs(apart[at[0]]))}
    order = sorted(best.values(), key=lambda p: -abs(apart[p]))
    told = [p for p in order if abs(apart[p]) >= APART_SHARE]
    if not told:
        return f"within {percent(APART_SHARE)} of the answers of all rows in every column"
    said = [
        f"{'more' if apart[p] > 0 else 'less'} often {called[p]} "
        f"({percent(row[p])} against {percent(overall[p])})"
        for p in told[:MOST_NAMED]
    ]
    return ", ".join(said) + _and_more(len(told), "column")


def chain_profile(
    model, params, data, selection: Selection, settings, quantity: str = "mean"
) -> Profile | None:
    """That of the states, and how long each lasts and which follows."""
    profile = cluster_profile(model, params, data, selection, settings, "state", quantity)
    if profile is None:
        return None
    matrix = params.transition_matrix
    return profile._replace(
        said=tuple(
            f"{words}; {_course(matrix[k], k, profile.names)}"
            for k, words in enumerate(profile.said)
        )
    )


def _course(row: np.ndarray, state: int, names: Sequence[str]) -> str:
    leaving = 1 - row[state]
    if leaving <= 1e-12:
        return "never left"
    rows = number(1 / leaving, 3)
    lasts = f"lasts {rows} row{'' if rows == '1' else 's'} on average"
    others = np.delete(np.arange(len(row)), state)
    following = others[row[others].argmax()]
    if len(row) < 3:
        return lasts
    return f"{lasts}, then mostly {names[following]} ({percent(row[following] / leaving)})"


def factor_profile(model, params, data, selection: Selection, settings) -> Profile:
    """Loadings of the columns in units of their standard deviations, rotated as asked for."""
    turn = rotation(params, settings.rotation)
    loadings = (standard_loadings(params) @ turn).T
    n_factors, n_columns = loadings.shape
    names = component_names(n_factors, "factor", settings.names)
    unit = standardised(params)
    explained = explained_variance(unit._replace(loadings=unit.loadings @ turn))
    # Columns that load on the same factor stand together.
    order = np.lexsort((-np.abs(loadings).max(axis=0), np.abs(loadings).argmax(axis=0)))
    return Profile(
        names,
        tuple(selection.columns[d] for d in order),
        loadings[:, order],
        np.zeros(n_columns),
        np.ones(n_columns),
        order,
        explained.shares,
        "of the variance of the columns",
        tuple(_loads(row, selection.columns) for row in loadings),
        "loading (SD of the column)",
        "varimax loading" if settings.rotation == "varimax" or n_factors == 1 else "",
        tuple(tuple((int(d), f) for d in order) for f in range(n_factors)),
    )


def _loads(row: np.ndarray, columns: Sequence[str]) -> str:
    order = np.argsort(-np.abs(row), kind="stable")
    told = [d for d in order if abs(row[d]) >= LOADS]
    if not told:
        return f"no loading reaches {number(LOADS)}"
    said = [f"{columns[d]} ({number(row[d], 2)})" for d in told[:MOST_NAMED]]
    return f"carries {listed(said)}{_and_more(len(told), 'column')}"


def _shares_of_parts(selection: Selection) -> np.ndarray:
    """(G,) the share of the rows that each group has, by their weights."""
    weights = selection.weights_of_parts
    rows = selection.sizes if weights is None else selection.sizes * weights
    return rows / rows.sum()


def group_profile(model, params, data, selection: Selection, settings) -> Profile:
    """What is expected of every group, in standard deviations of all rows, with the interval that
    its posterior gives at these parameters."""
    posterior = model.posterior(params, data)
    middle = params.mean
    width = np.sqrt(np.diag(params.between_covariance) + np.diag(params.within_covariance))
    values = (posterior.means - middle) / width
    half = Z * np.sqrt(np.einsum("gdd->gd", posterior.covariances)) / width
    return Profile(
        selection.groups,
        selection.columns,
        values,
        middle,
        width,
        np.arange(len(selection.columns)),
        _shares_of_parts(selection),
        "of the rows",
        tuple(_in_words(row, selection.columns) for row in values),
        "expected mean (SD from the overall mean)",
        lower=values - half,
        upper=values + half,
    )
