"""The figures of the auto-encoder: what each gap costs, where the digits lie, what is decoded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pages.ui.charts.axes import WRITTEN, styled
from pages.ui.text import nats, number

SYMBOLS = (
    "circle", "square", "diamond", "cross", "x", "triangle-up", "star", "pentagon", "hexagon",
    "triangle-down",
)  # fmt: skip


def gaps_figure(encoded, colours: Sequence[str]) -> go.Figure:
    """The ELBO per row as it climbs, and at its end what is missing to the evidence."""
    figure = go.Figure()
    figure.add_scatter(
        x=encoded.steps,
        y=encoded.elbos,
        name="ELBO under the encoder's q",
        line={"color": colours[0], "width": 3},
        hovertext=[
            f"step {number(int(step))}: {nats(elbo)} nats"
            for step, elbo in zip(encoded.steps, encoded.elbos, strict=True)
        ],
        hovertemplate=WRITTEN,
    )
    levels = (
        ("best q of each row, at the end", encoded.best_q, colours[1], "dash"),
        ("evidence log p(x), at the end", encoded.evidence, "rgba(128, 128, 128, 0.9)", "dot"),
    )
    for name, values, colour, dash in levels:
        figure.add_scatter(
            x=[encoded.steps[0], encoded.steps[-1]],
            y=[values.mean()] * 2,
            mode="lines",
            name=name,
            line={"color": colour, "dash": dash},
            hovertext=f"{nats(values.mean())} nats",
            hovertemplate=WRITTEN,
        )
    low = float(np.quantile(encoded.elbos, 0.15))
    high = float(encoded.evidence.mean())
    figure.update_yaxes(range=[low, high + 0.1 * (high - low)])
    return styled(figure, "step of the gradient", "nats per row", 360)


def map_figure(encoded, colours: Sequence[str]) -> go.Figure:
    """Where the encoder puts every digit."""
    figure = go.Figure()
    for place, label in enumerate(np.unique(encoded.labels)):
        of_label = encoded.means[encoded.labels == label]
        figure.add_scattergl(
            x=of_label[:, 0],
            y=of_label[:, 1],
            mode="markers",
            name=str(label),
            marker={
                "size": 5,
                "color": colours[place % len(colours)],
                "symbol": SYMBOLS[place % len(SYMBOLS)],
            },
            hovertemplate=f"digit {label}<extra></extra>",
        )
    return styled(figure, "factor 1", "factor 2", 360, legend={"itemsizing": "constant"})


def decoded_figure(encoded) -> go.Figure:
    """What the decoder makes of a grid of factors: one picture."""
    down, across, pixels = encoded.images.shape
    side = round(pixels**0.5)
    tiles = np.pad(
        encoded.images.reshape(down, across, side, side), ((0, 0), (0, 0), (1, 1), (1, 1))
    )
    picture = tiles.transpose(0, 2, 1, 3).reshape(down * (side + 2), across * (side + 2))
    figure = go.Figure(
        go.Heatmap(z=picture[::-1], colorscale="Greys", showscale=False, hoverinfo="skip")
    )
    axis = {"visible": False, "fixedrange": True}
    figure.update_layout(
        xaxis=axis,
        yaxis=axis | {"scaleanchor": "x"},
        height=360,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
    )
    return figure
