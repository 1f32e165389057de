"""The log-likelihood and the bound over two parameters, and the way of the iterates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pages.ui.charts.axes import WRITTEN, styled
from pages.ui.text import nats, number

# The lowest part of the heights would take all colours.
SHOWN_SHARE = 0.6
LEVELS = 14
# Greys that stand out from a light page and a dark one, and let colours stand out from them.
SHADES = [[0, "#6b7280"], [1, "#f3f4f6"]]


def surface_figure(surface, titles: Sequence[str], colours: Sequence[str]) -> go.Figure:
    """Shades of the log-likelihood, lines of equal bound, and the iterates up to the one shown."""
    low = float(np.quantile(surface.likelihood, 1 - SHOWN_SHARE))
    high = float(surface.likelihood.max())
    figure = go.Figure()
    figure.add_contour(
        x=surface.x,
        y=surface.y,
        z=np.maximum(surface.likelihood, low),
        colorscale=SHADES,
        contours={"start": low, "end": high, "size": (high - low) / LEVELS},
        line={"width": 0.3},
        colorbar={
            "title": {"text": "log-likelihood (nats)", "side": "top"},
            "thickness": 12,
            "orientation": "h",
            "y": -0.42,
        },
        hovertext=[
            [
                f"{_place(x, y)}<br>log-likelihood {nats(z)} nats"
                for x, z in zip(surface.x, row, strict=True)
            ]
            for y, row in zip(surface.y, surface.likelihood, strict=True)
        ],
        hovertemplate=WRITTEN,
    )
    figure.add_contour(
        x=surface.x,
        y=surface.y,
        z=surface.bound,
        contours={"coloring": "none", "start": low, "end": high, "size": (high - low) / LEVELS},
        line={"color": colours[0], "width": 1.4, "dash": "dash"},
        showscale=False,
        name="bound",
        hoverinfo="skip",
        showlegend=False,
    )
    way = surface.path[: surface.at + 1]
    figure.add_scatter(
        x=way[:, 0],
        y=way[:, 1],
        mode="lines+markers",
        line={"color": colours[1], "width": 2},
        marker={"size": 6, "color": colours[1], "line": {"width": 1, "color": "white"}},
        hovertext=[f"iteration {number(i)}<br>{_place(*at)}" for i, at in enumerate(way)],
        hovertemplate=WRITTEN,
        showlegend=False,
    )
    figure.add_scatter(
        x=way[-1:, 0],
        y=way[-1:, 1],
        mode="markers",
        marker={"size": 13, "color": colours[1], "line": {"width": 2, "color": "white"}},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.update_xaxes(range=[surface.x.min(), surface.x.max()])
    figure.update_yaxes(range=[surface.y.min(), surface.y.max()])
    return styled(figure, *titles, 520)


def _place(x: float, y: float) -> str:
    return f"{number(float(x), 4)}, {number(float(y), 4)}"
