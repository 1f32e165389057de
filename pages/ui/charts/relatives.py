"""Curves of several algorithms on one scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pages.ui.charts.axes import WRITTEN, styled
from pages.ui.text import nats, number

DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
AXES = {"passes": "passes over the data", "iteration": "iteration", "seconds": "seconds"}
# On a log scale a gap of 0 has no place: rounding is as good as none.
SMALLEST_GAP = 1e-9
BAND_OPACITY = 0.35


def race_figure(lanes, axis: str, scale: str, colours: Sequence[str]) -> go.Figure:
    """Log-likelihood of every lane, or how far it is below the best; own bounds dotted.

    Lanes of one key share a colour: the first is drawn as a line, the others faintly.
    """
    best = max(float(np.nanmax(lane.log_likelihoods)) for lane in lanes)
    keys = list(dict.fromkeys(lane.key for lane in lanes))
    figure = go.Figure()
    for lane in lanes:
        place = keys.index(lane.key)
        colour, dash = colours[place % len(colours)], DASHES[place // 4 % len(DASHES)]
        first = lane.seed == 0
        across = [getattr(step, axis) for step in lane.steps]
        heights = lane.log_likelihoods
        if scale == "gap":
            heights = np.maximum(best - heights, SMALLEST_GAP)
        figure.add_scatter(
            x=across,
            y=heights,
            mode="lines",
            name=lane.label,
            legendgroup=lane.key,
            showlegend=first,
            opacity=1 if first else BAND_OPACITY,
            line={"color": colour, "dash": dash, "width": 2.2 if first else 1},
            hovertext=_said(across, heights, lane.label),
            hovertemplate=WRITTEN,
        )
        apart = np.nanmax(np.abs(lane.log_likelihoods - lane.bounds), initial=0) > 1e-6
        if scale == "likelihood" and first and apart and lane.key != "bayes":
            figure.add_scatter(
                x=across, y=lane.bounds, mode="lines", legendgroup=lane.key, showlegend=False,
                line={"color": colour, "dash": "dot", "width": 1},
                hovertext=_said(across, lane.bounds, f"{lane.label}, bound"),
                hovertemplate=WRITTEN,
            )  # fmt: skip
    up = "below the best (nats)" if scale == "gap" else "log-likelihood (nats)"
    styled(figure, AXES[axis], up, 430)
    if scale == "gap":
        figure.update_yaxes(type="log", exponentformat="power")
    else:
        values = np.concatenate([lane.log_likelihoods for lane in lanes])
        low = float(np.quantile(values[np.isfinite(values)], 0.05))
        room = 0.08 * (best - low) or 1.0
        figure.update_yaxes(range=[low - room, best + room])
    return figure


def _said(across: Sequence[float], heights: Sequence[float], label: str) -> list[str]:
    """What is said of each place on a curve."""
    return [
        f"{label}<br>{number(float(x), 4)}: {nats(float(y))} nats"
        for x, y in zip(across, heights, strict=True)
    ]
