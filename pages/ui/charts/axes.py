"""What the axes of all Plotly figures have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

# As the rest of the page writes them: 19,715 and not 19.715k; where all are as small or as large as
# `pages.ui.text.number` takes for a power of ten, powers of ten.
NUMBERS = {"exponentformat": "none", "separatethousands": True}
POWERS = {"exponentformat": "power", "minexponent": 3}
WRITTEN_OUT = 1e-4, 1e15
# What is said of the mark under the pointer is written by `pages.ui.text`, as all numbers are.
WRITTEN = "%{hovertext}<extra></extra>"
# Names stand above, where no label of an axis reaches them, in as many lines as they take.
LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "maxheight": 1}
# Pixels: across a plot on a phone; of a name's mark and of each of its letters; of a line of names.
PHONE, MARK, LETTER, LINE = 270, 40, 6.5, 19
USUAL_LINES = 2  # for which there is room in every figure
# Names along an axis end below their tick, so that the last one is not cut at the edge.
LONG_NAMES = {"autotickangles": [0, -40, -90], "ticklabeloverflow": "allow", "automargin": True}
MARGIN = {"l": 10, "r": 10, "t": 10, "b": 10}

# Streamlit puts the theme's own colours in their place, light or dark.
COLOURS = tuple(f"#0000{i:02d}" for i in range(1, 11))


def styled(figure: go.Figure, across: str, up: str, height: int, **layout: Any) -> go.Figure:
    """The figure with titles on its axes, and numbers on them as people write them; higher where
    its legend has many names."""
    legend = LEGEND | layout.pop("legend", {})
    height += LINE * max(0, _lines(figure) - USUAL_LINES)
    figure.update_xaxes(title=across, **_numbers([trace.x for trace in figure.data]))
    figure.update_yaxes(title=up, **_numbers([trace.y for trace in figure.data]))
    figure.update_layout(height=height, margin=MARGIN, legend=legend, **layout)
    return figure


def _lines(figure: go.Figure) -> int:
    """In how many lines the names of the legend stand on a phone."""
    names = [len(each.name) for each in figure.data if each.name and each.showlegend is not False]
    in_a_line = max(1, PHONE // (MARK + LETTER * max(names, default=0)))
    return int(np.ceil(len(names) / in_a_line))


def _numbers(values: Sequence[Any]) -> dict[str, Any]:
    """How the numbers of an axis are written, along which these values are drawn."""
    sizes = [np.abs(np.asarray(each, dtype=float)).ravel() for each in values if each is not None]
    sizes = np.concatenate([[0.0], *sizes])
    largest = sizes.max(where=np.isfinite(sizes), initial=0)
    return NUMBERS if largest == 0 or WRITTEN_OUT[0] <= largest < WRITTEN_OUT[1] else POWERS
