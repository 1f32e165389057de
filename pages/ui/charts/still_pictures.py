"""What the player and the grid of models show, as they stand in a document: SVG on white."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pages.ui.charts.still import (
    GRID,
    INK,
    RIGHT,
    SHAPES,
    TOP,
    WIDTH,
    legend,
    line,
    mark,
    svg,
    text,
    ticks_between,
)
from pages.ui.pictures.picture import Picture
from pages.ui.text import number

HEIGHT, SERIES_HEIGHT, GAP = 420, 150, 44
BINS = 40
OUTLINE = np.linspace(0, 2 * np.pi, 61)
# Scatters have no names at their left.
SCATTER_LEFT = 70
MARGIN = 0.04  # of the span, on either side
Place = Callable[[float], float]


def picture_svg(picture: Picture, colours: Sequence[str]) -> str:
    """The last frame: points in the colours of their most probable component, with ellipses of one
    and two standard deviations; series over time; a histogram of one column. "" where there are no
    points."""
    panels = picture.panels
    if not panels or not len(picture.positions):
        return ""
    *_, leaders = picture.leaders
    labels = leaders.first
    if picture.hollow is not None:
        painted = ~picture.hollow
        labels = labels[painted]
        counts = None if picture.counts is None else picture.counts[painted]
        picture = picture._replace(positions=picture.positions[painted], counts=counts)
    if not len(labels):
        return ""
    if picture.time:
        return _series(picture, labels, colours)
    planes = [panel for panel in panels if len(panel) == 2]
    if not planes:
        return _histogram(picture, labels, colours)
    return _scatter(picture, planes[0], labels, colours)


def _scatter(picture: Picture, panel, labels: np.ndarray, colours: Sequence[str]) -> str:
    a, b = panel
    points = picture.positions[:, [a, b]]
    across, up, parts = _plane(points, picture.columns[a], picture.columns[b], TOP, HEIGHT)
    for (x, y), k in zip(points, labels, strict=True):
        parts.append(_dot(across(x), up(y), colours[k % len(colours)]))
    for k in range(len(picture.components)):
        mean = picture.means[-1, k][[a, b]]
        values, directions = np.linalg.eigh(picture.covariances[-1, k][np.ix_([a, b], [a, b])])
        root = directions * np.sqrt(np.maximum(values, 0))
        for sigmas in (1, 2):
            circle = sigmas * np.column_stack([np.cos(OUTLINE), np.sin(OUTLINE)])
            outline = mean + circle @ root.T
            parts.append(_outline(outline, across, up, colours[k % len(colours)]))
        parts.append(mark(across(mean[0]), up(mean[1]), INK, SHAPES[k % len(SHAPES)], 6.0))
    return _with_legend(parts, picture, colours, TOP + HEIGHT + 56)


def _series(picture: Picture, labels: np.ndarray, colours: Sequence[str]) -> str:
    parts, top = [], float(TOP)
    for _, b in (panel for panel in picture.panels if len(panel) == 2):
        points = picture.positions[:, [0, b]]
        title = "" if picture.dates else picture.columns[0]
        across, up, more = _plane(points, title, picture.columns[b], top, SERIES_HEIGHT,
                                  numbered=not picture.dates)  # fmt: skip
        parts += more
        for (x, y), k in zip(points, labels, strict=True):
            parts.append(_dot(across(x), up(y), colours[k % len(colours)]))
        for k in range(len(picture.components)):
            level = up(picture.means[-1, k, b])
            colour = colours[k % len(colours)]
            parts.append(line(SCATTER_LEFT, level, WIDTH - RIGHT, level, colour, 1.4))
        top += SERIES_HEIGHT + GAP
    return _with_legend(parts, picture, colours, top + 12)


def _histogram(picture: Picture, labels: np.ndarray, colours: Sequence[str]) -> str:
    values = picture.positions[:, 0]
    counts = np.ones(len(values)) if picture.counts is None else picture.counts
    edges = np.linspace(values.min(), values.max() or values.min() + 1, BINS + 1)
    bars = np.array(
        [
            np.histogram(values[labels == k], edges, weights=counts[labels == k])[0]
            for k in range(len(picture.components))
        ]
    )
    heights = bars.sum(axis=0)
    corners = np.array([[edges[0], 0.0], [edges[-1], max(float(heights.max()), 1.0)]])
    across, up, parts = _plane(corners, picture.columns[0], "rows", TOP, HEIGHT)
    for i in range(BINS):
        below = 0.0
        for k, height in enumerate(bars[:, i]):
            x0, x1 = across(edges[i]), across(edges[i + 1])
            y0, y1 = up(below + height), up(below)
            parts.append(
                f'<rect x="{x0:.1f}" y="{y0:.1f}" width="{max(x1 - x0 - 0.5, 0.5):.1f}" '
                f'height="{y1 - y0:.1f}" fill="{colours[k % len(colours)]}"/>'
            )
            below += height
    return _with_legend(parts, picture, colours, TOP + HEIGHT + 56)


def criteria_svg(scores, colours: Sequence[str], sizes: str, criterion: str) -> str:
    """A criterion against the size, a line for each structure; rings where a model has not finished
    or cannot be recommended."""
    drawn = [score for score in scores if score.usable or score.bound]
    if not drawn:
        return ""
    points = np.array([[score.size, score.value] for score in drawn], dtype=float)
    whole = {float(score.size) for score in drawn}
    across, up, parts = _plane(points, sizes, criterion, TOP, 300, only=whole)
    structures = list(dict.fromkeys(score.structure for score in drawn))
    for at, structure in enumerate(structures):
        colour = colours[at % len(colours)]
        own = [score for score in drawn if score.structure == structure]
        sure = [(across(s.size), up(s.value)) for s in own if s.usable]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in sure)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
        )
        for score in own:
            x, y = across(score.size), up(score.value)
            shape = SHAPES[at % len(SHAPES)]
            parts.append(mark(x, y, colour if score.usable else GRID, shape))
            if score.usable and score.above == 0:
                parts.append(
                    f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" fill="none" stroke="{INK}"/>'
                )
    bottom = TOP + 300 + 56.0
    if any(structures):
        more, bottom = legend(structures, colours, bottom)
        parts += more
    return svg(parts, bottom + 14, f"{criterion} by {sizes}")


def _plane(
    points: np.ndarray,
    across_title: str,
    up_title: str,
    top: float,
    height: float,
    *,
    numbered: bool = True,
    only: set[float] | None = None,
) -> tuple[Place, Place, list[str]]:
    """Places across and up of axes around points, and the axes; only: the ticks across."""
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    room = np.where(high > low, (high - low) * MARGIN, 1.0)
    (x0, y0), (x1, y1) = low - room, high + room

    def across(value: float) -> float:
        return SCATTER_LEFT + (WIDTH - SCATTER_LEFT - RIGHT) * (value - x0) / (x1 - x0)

    def up(value: float) -> float:
        return top + height * (y1 - value) / (y1 - y0)

    bottom = top + height
    parts = []
    for tick in sorted(only) if only else ticks_between(x0, x1):
        parts.append(line(across(tick), top, across(tick), bottom, GRID))
        if numbered:
            parts.append(text(across(tick), bottom + 15, number(tick, 4), "middle"))
    for tick in ticks_between(y0, y1):
        parts.append(line(SCATTER_LEFT, up(tick), WIDTH - RIGHT, up(tick), GRID))
        parts.append(text(SCATTER_LEFT - 6, up(tick) + 4, number(tick, 4), "end", size=11))
    middle = (SCATTER_LEFT + WIDTH - RIGHT) / 2
    parts.append(text(middle, bottom + 32, across_title, "middle"))
    parts.append(text(SCATTER_LEFT, top - 4, up_title))
    return across, up, parts


def _dot(x: float, y: float, colour: str) -> str:
    if not (np.isfinite(x) and np.isfinite(y)):
        return ""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2" fill="{colour}" fill-opacity="0.75"/>'


def _outline(points: np.ndarray, across: Place, up: Place, colour: str) -> str:
    told = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in points)
    return f'<polygon points="{told}" fill="none" stroke="{colour}" stroke-width="1.6"/>'


def _with_legend(parts: list[str], picture: Picture, colours: Sequence[str], bottom: float) -> str:
    more, bottom = legend(picture.components, colours, bottom)
    return svg([*parts, *more], bottom + 14, "The rows, and what the fit says of them")
