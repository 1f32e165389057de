"""Models of several sizes and structures at a glance: a line per structure, and the whole grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from pages.ui.charts.axes import styled
from pages.ui.charts.landscape import DASHES, GREY, SYMBOLS
from pages.ui.text import number

# From the best cell to those farthest from it, the same on light and dark pages; and beyond which
# share of the way black is easier to read than white.
SHADES = ((0.0, "#1f3fb0"), (1.0, "#e4e9f7"))
PALE = 0.28
# Numbers on the page itself: as easy to read on a light one as on a dark one.
INK = "#7d8290"
# A poor structure may lie far above all others: cut what would flatten the rest.
SHOWN_ABOVE = 6
# What stands in a cell that cannot be recommended; that of a bound points where it may still go.
MARKS = {
    "collapsed": "✕", "unconverged": "▽", "not identified": "≡", "failed": "!", "no value": "∅",
    "not run": "",
}  # fmt: skip


class Score(NamedTuple):
    """One cell of the grid: its score (NaN where there is none), and how far above the best.

    status "usable" can be recommended, no other. The score of an "unconverged" cell is a bound: it
    ends there or lower. about: its lines when pointed at.
    """

    structure: str
    size: int
    value: float
    above: float
    status: str
    about: str

    @property
    def usable(self) -> bool:
        return self.status == "usable" and bool(np.isfinite(self.value))

    @property
    def bound(self) -> bool:
        return self.status == "unconverged" and bool(np.isfinite(self.value))


def criterion_lines(
    scores: Sequence[Score], colours: Sequence[str], sizes: str, criterion: str, unfinished: str
) -> go.Figure:
    """Criterion against size, a line per structure; bounds are triangles of its colour that point
    down, with `unfinished` in the legend; what cannot be recommended is a grey cross."""
    figure = go.Figure()
    structures = list(dict.fromkeys(score.structure for score in scores))
    for at, structure in enumerate(structures):
        line = [score for score in scores if score.structure == structure]
        figure.add_scatter(
            x=[score.size for score in line],
            # None breaks the line where a model cannot be recommended.
            y=[score.value if score.usable else None for score in line],
            mode="lines+markers",
            name=structure,
            showlegend=bool(structure),
            text=[score.about for score in line],
            line={
                "width": 1.8,
                "color": colours[at % len(colours)],
                "dash": DASHES[at // len(colours) % len(DASHES)],
            },
            marker={"size": 8, "symbol": SYMBOLS[at % len(SYMBOLS)]},
            hovertemplate="%{text}<extra></extra>",
        )
    low, high = shown_range(scores)
    bounds = [score for score in scores if score.bound]
    others = [s for s in scores if not (s.usable or s.bound) and low <= s.value <= high]
    best = [score for score in scores if score.usable and score.above == 0]
    inks = [colours[structures.index(score.structure) % len(colours)] for score in bounds]
    for marked, name, symbol, size, ink in (
        (others, "not recommended", "x-thin", 9, GREY),
        (bounds, unfinished, "triangle-down-open", 11, inks),
        (best, "the best" if not bounds else "the best that has finished", "circle-open", 19, GREY),
    ):
        if marked:
            figure.add_scatter(
                x=[score.size for score in marked],
                y=[score.value for score in marked],
                mode="markers",
                name=name,
                text=[score.about for score in marked],
                marker={
                    "size": size,
                    "symbol": symbol,
                    "color": ink,
                    "line": {"color": ink, "width": 2},
                },
                hovertemplate="%{text}<extra></extra>",
            )
    figure.update_xaxes(dtick=1, tickformat="d")
    figure.update_yaxes(range=[low, high])
    several = any(score.structure for score in scores)
    return styled(figure, sizes, criterion, 360, showlegend=several or bool(bounds))


def shown_range(scores: Sequence[Score]) -> tuple[float, float]:
    """Of the values that can be recommended, and the bounds; a collapsed fit's may be anywhere."""
    values = np.array([score.value for score in scores if score.usable or score.bound] or [0.0])
    low, high = values.min(), values.max()
    high = min(high, low + SHOWN_ABOVE * (np.median(values) - low) or high)
    margin = 0.06 * (high - low) or 1.0
    return float(low - margin), float(high + margin)


def criterion_grid(scores: Sequence[Score], sizes: str) -> go.Figure:
    """Every cell with how far it lies above the best; a click on one tells which it is."""
    names = list(dict.fromkeys(score.structure for score in scores))
    numbers = sorted({score.size for score in scores})
    shades = np.full((len(names), len(numbers)), np.nan)
    farthest = max((np.log1p(score.above) for score in scores if score.usable), default=1.0) or 1.0
    ink = []
    for score in scores:
        shade = np.log1p(score.above) / farthest if score.usable else np.nan
        shades[names.index(score.structure), numbers.index(score.size)] = shade
        on_the_page = INK if score.bound else GREY
        ink.append("white" if shade < PALE else on_the_page if np.isnan(shade) else "black")
    figure = go.Figure(
        go.Heatmap(
            x=numbers,
            y=names,
            z=shades,
            zmin=0,
            zmax=1,
            colorscale=SHADES,
            showscale=False,
            xgap=2,
            ygap=2,
            hoverinfo="skip",
        )
    )
    # A heat map takes no clicks: squares that nobody sees lie over its cells.
    figure.add_scatter(
        x=[score.size for score in scores],
        y=[score.structure for score in scores],
        mode="markers+text",
        text=[_cell_text(score) for score in scores],
        textfont={"size": 12, "color": ink},
        hovertext=[score.about for score in scores],
        customdata=[[score.structure, score.size] for score in scores],
        marker={"size": 34, "symbol": "square", "opacity": 0},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
    )
    figure.update_layout(
        xaxis={
            "title": sizes,
            "range": [numbers[0] - 0.5, numbers[-1] + 0.5],
            "dtick": 1,
            "tickformat": "d",
            "fixedrange": True,
            "zeroline": False,
        },
        yaxis={"autorange": "reversed", "fixedrange": True, "type": "category"},
        height=90 + 38 * len(names),
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        dragmode=False,
    )
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(showgrid=False, showticklabels=names != [""])
    return figure


def _cell_text(score: Score) -> str:
    if score.bound and np.isfinite(score.above):
        return f"{MARKS['unconverged']}<br>{short(score.above)}"
    if not score.usable:
        return MARKS.get(score.status, MARKS["no value"])
    if score.above == 0:
        return "best"
    return short(score.above)


def short(value: float) -> str:
    """A difference, to a tenth below 10: 0.4, 12, 3,456."""
    return number(round(value, 1), 2)
