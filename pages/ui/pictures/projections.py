"""Which coordinates of rows with several columns are drawn: columns, directions, pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pages.ui.text import percent

if TYPE_CHECKING:
    from pages.ui.pictures.picture import Look, Scene

MOST_PAIRED_COLUMNS = 4


class Projection(NamedTuple):
    """A linear map from the data's D columns to the d drawn ones: (x - shift) @ directions."""

    names: tuple[str, ...]
    panels: tuple[tuple[int, ...], ...]
    shift: np.ndarray  # (D,)
    directions: np.ndarray  # (D, d)
    note: str

    def positions(self, data: np.ndarray) -> np.ndarray:
        """(..., d) places of rows (..., D); one missing a column drawn is where its average is."""
        return np.nan_to_num(data - self.shift) @ self.directions

    def missing(self, data: np.ndarray) -> np.ndarray:
        """(N,) whether a row is missing a column that is drawn."""
        return np.any(np.isnan(data[:, np.any(self.directions, axis=1)]), axis=1)

    def covariances(self, covariances: np.ndarray) -> np.ndarray:
        """(..., d, d) of (..., D, D)."""
        return self.directions.T @ covariances @ self.directions


def coordinates_of(scene: Scene) -> Projection:
    """The coordinates that the settings ask for."""
    titles, axes = scene.titles, scene.axes
    if len(titles) == 1:
        return chosen_columns(titles, [0])
    if len(titles) > 2 and axes == "principal":
        return principal_components(titles, scene.values)
    if len(titles) > 2 and axes == "pairs":
        return all_pairs(titles)
    return chosen_columns(titles, two_columns(scene.look, scene.columns))


def two_columns(look: Look, columns: Sequence[str]) -> tuple[int, int]:
    """Positions of the two columns drawn: those chosen, or the first two."""
    across = columns.index(look.axis_x) if look.axis_x in columns else 0
    free = 1 if across == 0 else 0
    up = columns.index(look.axis_y) if look.axis_y in columns else free
    return across, up if up != across else free


def chosen_columns(columns: Sequence[str], chosen: Sequence[int]) -> Projection:
    """One column (a histogram) or two, as they are."""
    directions = np.eye(len(columns))[:, list(chosen)]
    note = ""
    if len(columns) > len(chosen):
        shown = " and ".join(columns[i] for i in chosen)
        note = f"Each ellipse is the projection of one in {len(columns)} columns onto {shown}."
    names = tuple(columns[i] for i in chosen)
    return Projection(names, (tuple(range(len(chosen))),), np.zeros(len(columns)), directions, note)


def principal_components(columns: Sequence[str], data: np.ndarray) -> Projection:
    """The two directions in which the standardised columns spread the most."""
    spread = np.nanstd(data, axis=0)
    scale = np.where(spread > 0, spread, 1)
    centre = np.nanmean(data, axis=0)
    standardised = np.nan_to_num((data - centre) / scale)
    values, vectors = np.linalg.eigh(np.cov(standardised, rowvar=False))
    order = np.argsort(values)[::-1][:2]
    # The sign of an eigenvector is arbitrary: make its largest entry positive.
    largest = np.abs(vectors[:, order]).argmax(axis=0)
    vectors = vectors[:, order] * np.sign(vectors[largest, order])
    share = values[order] / values.sum()
    names = tuple(
        f"Principal component {i + 1} ({percent(share[i])} of variance)" for i in range(2)
    )
    note = f"Each ellipse is the projection of one in {len(columns)} columns onto two directions."
    return Projection(names, ((0, 1),), centre, vectors / scale[:, None], note)


def all_pairs(columns: Sequence[str]) -> Projection:
    """A matrix of pairs of the first few columns, with a histogram of each."""
    d = min(len(columns), MOST_PAIRED_COLUMNS)
    panels = tuple((i,) if i == j else (i, j) for j in range(d) for i in range(j + 1))
    note = "Each ellipse is a projection onto two columns."
    if d < len(columns):
        note += f" The first {d} of {len(columns)} columns are shown."
    directions = np.eye(len(columns))[:, :d]
    return Projection(tuple(columns[:d]), panels, np.zeros(len(columns)), directions, note)
