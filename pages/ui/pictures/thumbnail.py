"""A small still picture of the end of a run: points in their clusters' colours, and ellipses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pages.ui.pictures.picture import Picture

SIGMAS = 2
STRESSED = 4.5
MISSING = {"width": 3, "color": "#888888", "dash": "dash"}
# Of a value of 0 in a matrix: all but the page's own. Columns between two matrices.
PAPER, APART = "rgba(128, 128, 128, 0.08)", 0.5
OUTLINE = np.linspace(0, 2 * np.pi, 60)


def outlined(picture: Picture) -> bool:
    """Whether components are drawn as outlines, not as matrices."""
    return bool(picture.panels) and not picture.time


def thumbnail(
    picture: Picture,
    colours: Sequence[str],
    stressed: Sequence[int] = (),
    missing: Sequence[tuple[np.ndarray, np.ndarray]] = (),
) -> go.Figure:
    """The last frame of a picture, component k drawn in colour k with its number, without axes.

    stressed: components with a thick outline. missing: means (d,) and covariances (d, d) of what
    another picture has and this one does not: dashed. Neither where all there is are matrices.
    """
    if not outlined(picture):
        return _matrices(picture, colours)
    *_, leaders = picture.leaders
    labels = leaders.first
    flat = len(picture.panels[0]) == 1
    figure = go.Figure()
    for k in range(len(picture.components)):
        colour = colours[k % len(colours)]
        rows = picture.positions[labels == k]
        heights = np.full(len(rows), -1.0 - k) if flat else rows[:, 1]
        figure.add_scatter(
            x=rows[:, 0], y=heights, mode="markers", marker={"size": 3, "color": colour}
        )
        if flat:
            deviation = np.sqrt(picture.covariances[-1, k, 0, 0])
            at = picture.means[-1, k, 0] + deviation * np.linspace(-4, 4, 60)
            peak = picture.weights[-1, k] / deviation
            curve = peak * np.exp(-0.5 * np.linspace(-4, 4, 60) ** 2)
            scale = (
                3
                * len(picture.components)
                / max(picture.weights[-1] / np.sqrt(picture.covariances[-1, :, 0, 0]))
            )
            outline = at, curve * scale
        else:
            outline = _ellipse(picture.means[-1, k], picture.covariances[-1, k])
        figure.add_scatter(
            x=outline[0], y=outline[1], mode="lines",
            line={"width": STRESSED if k in stressed else 2, "color": colour},
        )  # fmt: skip
        middle = picture.means[-1, k, :1] if flat else picture.means[-1, k, :2]
        _number(figure, k, [*middle, 0.0][:2], colour)
    for mean, covariance in missing:
        x, y = [mean[[0, 0]], [-1.0 - len(picture.components), 3.0]] if flat else _ellipse(
            mean, covariance
        )  # fmt: skip
        figure.add_scatter(x=x, y=y, mode="lines", line=MISSING)
    return _without_axes(figure)


def _ellipse(mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    factor = np.linalg.cholesky(covariance[:2, :2])
    return mean[:2, None] + SIGMAS * factor @ np.stack([np.cos(OUTLINE), np.sin(OUTLINE)])


def _number(figure: go.Figure, k: int, at: Sequence[float], colour: str) -> None:
    """The number of a component, legible on any colour and in light and dark."""
    figure.add_scatter(
        x=[at[0]], y=[at[1]], mode="markers+text", text=[f"<b>{k + 1}</b>"],
        textfont={"size": 11, "color": "#111111"},
        marker={"size": 16, "color": "#ffffff", "line": {"width": 2, "color": colour}},
    )  # fmt: skip


def _matrices(picture: Picture, colours: Sequence[str]) -> go.Figure:
    """The last values of the matrices, side by side, in the colours of their components; dots where
    there are charts alone."""
    figure = go.Figure()
    left = 0
    for matrix in picture.matrices:
        values = matrix.values[-1]
        signed = matrix.low < 0  # the two signs have colours of their own
        rowwise = not signed and matrix.component is None  # every row is a component
        parts = [slice(k, k + 1) for k in range(len(values))] if rowwise else [slice(None)]
        for rows in parts:
            colour = colours[(rows.start if rowwise else matrix.component or 0) % len(colours)]
            shades = [[0, colours[1]], [0.5, PAPER], [1, colour]]
            shades = shades if signed else [[0, PAPER], [1, colour]]
            figure.add_heatmap(
                x=left + np.arange(values.shape[1]), y=-np.arange(len(values))[rows],
                z=values[rows], zmin=matrix.low, zmax=matrix.high, colorscale=shades,
                showscale=False,
            )  # fmt: skip
        left += values.shape[1] + APART
    for marks in picture.charts[0].marks if not picture.matrices else ():
        if marks.kind == "dots":
            figure.add_scatter(x=marks.values[-1][:, 0], y=marks.values[-1][:, 1], mode="markers")
    return _without_axes(figure)


def _without_axes(figure: go.Figure) -> go.Figure:
    axis = {"visible": False, "fixedrange": True}
    figure.update_layout(
        xaxis=axis,
        yaxis=axis,
        height=150,
        showlegend=False,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        hovermode=False,
    )
    return figure
