"""Rows of two columns as a small picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

HEIGHT = 120


def strewn(rows: np.ndarray, groups: np.ndarray, colours: Sequence[str]) -> go.Figure:
    """The first two columns of rows (N, D), those of group k in colour k, without axes."""
    figure = go.Figure()
    for k in np.unique(groups):
        own = rows[groups == k]
        marker = {"size": 3, "color": colours[k % len(colours)]}
        figure.add_scattergl(x=own[:, 0], y=own[:, 1], mode="markers", marker=marker)
    axis = {"visible": False, "fixedrange": True}
    margin = {"l": 0, "r": 0, "t": 0, "b": 0}
    figure.update_layout(
        xaxis=axis, yaxis=axis, height=HEIGHT, showlegend=False, margin=margin, hovermode=False
    )
    return figure
