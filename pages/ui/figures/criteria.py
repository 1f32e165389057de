"""Models of several sizes and structures at a glance: a line per structure, and the whole grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from pages.ui.figures.landscape import DASHES, GREY, SYMBOLS

# From the best cell to those far from it; see-through, so that both themes' grounds show.
SHADES = ((0.0, "rgba(47, 85, 212, 1)"), (1.0, "rgba(47, 85, 212, 0.05)"))
# Beyond this share of the way to the palest cell text in the theme's own colour is legible.
PALE = 0.45
# What stands in a cell that cannot be recommended.
MARKS = {"collapsed": "✕", "unconverged": "…", "failed": "!", "not run": ""}


class Score(NamedTuple):
    """One cell of the grid: its score (NaN where there is none), and how far above the best.

    status "usable" can be recommended, no other. about: its lines when pointed at.
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


def criterion_lines(
    scores: Sequence[Score], colours: Sequence[str], sizes: str, criterion: str
) -> go.Figure:
    """Criterion against size, a line per structure; what cannot be recommended is a grey cross."""
    figure = go.Figure()
    for number, structure in enumerate(dict.fromkeys(score.structure for score in scores)):
        line = [score for score in scores if score.structure == structure]
        figure.add_scatter(
            x=[score.size for score in line],
            # None breaks the line where a model cannot be recommended.
            y=[score.value if score.usable else None for score in line],
            mode="lines+markers",
            name=structure,
            text=[score.about for score in line],
            line={
                "width": 1.8,
                "color": colours[number % len(colours)],
                "dash": DASHES[number // len(colours) % len(DASHES)],
            },
            marker={"size": 8, "symbol": SYMBOLS[number % len(SYMBOLS)]},
            hovertemplate="%{text}<extra></extra>",
        )
    low, high = _range(scores)
    others = [s for s in scores if not s.usable and low <= s.value <= high]
    best = [score for score in scores if score.usable and score.above == 0]
    for marked, name, marker in (
        (others, "not recommended", {"size": 9, "symbol": "x-thin", "line": {"color": GREY}}),
        (best, "the best", {"size": 19, "symbol": "circle-open", "line": {"color": GREY}}),
    ):
        if marked:
            marker["line"]["width"] = 2
            figure.add_scatter(
                x=[score.size for score in marked],
                y=[score.value for score in marked],
                mode="markers",
                name=name,
                text=[score.about for score in marked],
                marker=marker | {"color": GREY},
                hovertemplate="%{text}<extra></extra>",
            )
    figure.update_layout(
        xaxis={"title": sizes, "dtick": 1, "tickformat": "d"},
        yaxis={"title": criterion, "range": [low, high]},
        height=360,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": -0.25},
        showlegend=any(score.structure for score in scores),
    )
    return figure


def _range(scores: Sequence[Score]) -> list[float]:
    """The values that can be recommended: those of a collapsed fit have no bound."""
    values = [score.value for score in scores if score.usable] or [0.0]
    margin = 0.06 * (max(values) - min(values)) or 1.0
    return [min(values) - margin, max(values) + margin]


def criterion_grid(scores: Sequence[Score], sizes: str) -> go.Figure:
    """Every cell with how far it lies above the best; a click on one tells which it is."""
    names = list(dict.fromkeys(score.structure for score in scores))
    numbers = sorted({score.size for score in scores})
    shades = np.full((len(names), len(numbers)), np.nan)
    farthest = max((np.log1p(score.above) for score in scores if score.usable), default=1.0) or 1.0
    for score in scores:
        if score.usable:
            shade = np.log1p(score.above) / farthest
            shades[names.index(score.structure), numbers.index(score.size)] = shade
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
    dark = [bool(shades[names.index(s.structure), numbers.index(s.size)] < PALE) for s in scores]
    # A heat map takes no clicks: squares that nobody sees lie over its cells.
    for on_dark, font in ((True, {"color": "white"}), (False, {})):
        members = [score for score, is_dark in zip(scores, dark, strict=True) if is_dark == on_dark]
        figure.add_scatter(
            x=[score.size for score in members],
            y=[score.structure for score in members],
            mode="markers+text",
            text=[_cell_text(score) for score in members],
            textfont={"size": 12} | font,
            hovertext=[score.about for score in members],
            customdata=[[score.structure, score.size] for score in members],
            marker={"size": 34, "symbol": "square", "opacity": 0},
            selected={"marker": {"opacity": 0}},
            unselected={"marker": {"opacity": 0}, "textfont": font},
            hovertemplate="%{hovertext}<extra></extra>",
            showlegend=False,
        )
    figure.update_layout(
        xaxis={
            "title": sizes,
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
    if not score.usable:
        return MARKS.get(score.status, MARKS["failed"])
    if score.above == 0:
        return "best"
    return short(score.above)


def short(value: float) -> str:
    """A number in at most five characters: 0.4, 12, 3,456, 12k."""
    if value >= 9_999.5:
        return f"{value / 1000:,.0f}k"
    return f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"
