"""What the axes of all Plotly figures have in common."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

# As the rest of the page writes them: 19,715 and not 19.715k.
NUMBERS = {"exponentformat": "none", "separatethousands": True}
BELOW = {"orientation": "h", "y": -0.2}


def styled(figure: go.Figure, across: str, up: str, height: int, **layout: Any) -> go.Figure:
    """The figure with titles on its axes, and numbers on them as people write them."""
    figure.update_xaxes(title=across, **NUMBERS)
    figure.update_yaxes(title=up, **NUMBERS)
    figure.update_layout(height=height, margin={"l": 10, "r": 10, "t": 10, "b": 10}, **layout)
    return figure
