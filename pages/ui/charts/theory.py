"""The figures of the page on the theory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pages.ui.charts.axes import WRITTEN, styled
from pages.ui.text import nats, number

HEIGHT = 338
GREY = "rgba(128, 128, 128, 0.75)"
SHADES = [[0, "#6b7280"], [1, "#f3f4f6"]]


def _styled(figure: go.Figure, x: str, y: str, height: int = HEIGHT) -> go.Figure:
    styled(figure, x, y, height)
    # Room that is known beforehand: to measure every label takes Plotly half of its time. On a
    # phone the names above take two lines, as long as two of three are short.
    figure.update_xaxes(automargin=False)
    figure.update_yaxes(automargin=False)
    # Plotly leaves out three points of four, and smooth curves get corners.
    figure.update_traces(line_simplify=False, selector={"type": "scatter"})
    return figure.update_layout(margin={"l": 62, "r": 12, "t": 52, "b": 48, "autoexpand": False})


def _mark(figure: go.Figure, x: float) -> None:
    """A dotted line from bottom to top."""
    line = {"dash": "dot", "color": GREY}
    figure.update_layout(
        shapes=[{"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1, "line": line}]
    )


def hardness_figure(hard, rows: np.ndarray, now: float, colours: Sequence[str]) -> go.Figure:
    """The log-likelihood over the first mean, and the complete-data one with its single peak."""
    figure = go.Figure()
    lines = (
        ("log p(x)", hard.likelihood, {"color": colours[0], "width": 3}),
        ("log p(x, z)", hard.complete, {"color": colours[1], "dash": "dash"}),
    )
    for name, heights, line in lines:
        figure.add_scatter(
            x=hard.means, y=heights, name=name, line=line, hovertemplate=WRITTEN,
            hovertext=[f"{name}<br>{said}" for said in _said(hard.means, heights)],
        )  # fmt: skip
    low = max(float(hard.complete.min()), float(hard.likelihood.min()) - 3 * _rise(hard.likelihood))
    figure.update_yaxes(range=[low, float(hard.likelihood.max()) + 0.1 * _rise(hard.likelihood)])
    figure.add_scatter(
        x=rows, y=np.full(len(rows), low), mode="markers", name="the numbers",
        marker={"symbol": "line-ns-open", "size": 12, "color": GREY},
        hovertext=[number(float(row)) for row in rows], hovertemplate=WRITTEN,
    )  # fmt: skip
    _mark(figure, now)
    return _styled(figure, "mean of component 1", "nats")


def _said(across: Sequence[float], heights: Sequence[float]) -> list[str]:
    """What is said of each place on a curve."""
    places = zip(across, heights, strict=True)
    return [f"{_short(x)}: {nats(float(y))} nats" for x, y in places]


def _short(value: float) -> str:
    return number(float(value), 3)


def _rise(values: np.ndarray) -> float:
    return float(np.ptp(values)) or 1.0


def jensen_figure(jensen, colours: Sequence[str]) -> go.Figure:
    """The logarithm, a chord under it, and the gap at the average."""
    top = 1.25 * float(jensen.ratios.max())
    across = np.linspace(top / 400, top, 300)
    figure = go.Figure()
    figure.add_scatter(
        x=across, y=np.log(across), name="log", line={"color": GREY}, hoverinfo="skip"
    )
    figure.add_scatter(
        x=jensen.ratios,
        y=np.log(jensen.ratios),
        mode="lines+markers+text",
        text=["z = 1", "z = 2"],
        textposition="bottom right",  # where neither curve nor chord passes
        name="chord",
        line={"color": colours[0]},
        marker={"size": 10},
        cliponaxis=False,
        hovertext=_said(jensen.ratios, np.log(jensen.ratios)),
        hovertemplate=WRITTEN,
    )
    average = float(np.exp(jensen.log_density))
    figure.add_scatter(
        x=[average, average],
        y=[jensen.bound, jensen.log_density],
        mode="lines+markers",
        name="gap: the KL",
        line={"color": colours[1], "width": 5},
        hovertext=[f"bound {nats(jensen.bound)} nats", f"log p(x) {nats(jensen.log_density)} nats"],
        hovertemplate=WRITTEN,
    )
    low = min(float(np.log(jensen.ratios).min()), jensen.bound)
    figure.update_yaxes(range=[low - 0.8, np.log(top) + 0.6])
    return _styled(figure, "p(x, z) / q(z)", "its logarithm (nats)")


def bound_over_q_figure(q, heights, jensen, colours: Sequence[str]) -> go.Figure:
    """One number's bound over q: it touches log p(x) at the posterior."""
    figure = go.Figure()
    figure.add_scatter(
        x=q, y=heights, name="ELBO", line={"color": colours[0]}, hovertemplate=WRITTEN,
        hovertext=[f"q = {said}" for said in _said(q, heights)],
    )  # fmt: skip
    figure.add_scatter(
        x=[0, 1], y=[jensen.log_density] * 2, mode="lines", name="log p(x)",
        line={"color": GREY, "dash": "dash"}, hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=[jensen.q[0]] * 2, y=[jensen.bound, jensen.log_density], mode="lines+markers",
        name="gap of this q", line={"color": colours[1], "width": 5}, hoverinfo="skip",
    )  # fmt: skip
    _mark(figure, float(jensen.posterior[0]))
    return _styled(figure, "q(component 1); dotted: the posterior", "nats")


def staircase_figure(stairs, colours: Sequence[str]) -> go.Figure:
    """Contours of the ELBO over theta and q, and the corners of EM's way up."""
    low = float(np.quantile(stairs.elbo, 0.25))
    theta = list(map(_short, stairs.theta))
    figure = go.Figure()
    figure.add_contour(
        x=stairs.theta,
        y=stairs.q,
        z=np.maximum(stairs.elbo, low),
        ncontours=14,
        colorscale=SHADES,
        line={"width": 0},
        showscale=False,
        hovertext=[
            [f"θ = {x}, q = {y}: {nats(z)} nats" for x, z in zip(theta, row, strict=True)]
            for y, row in zip(map(_short, stairs.q), stairs.elbo.tolist(), strict=True)
        ],
        hovertemplate=WRITTEN,
    )
    for name, start, colour in (("E-steps: move q", 0, 0), ("M-steps: move θ", 1, 1)):
        x, y = [], []
        for a, b in zip(stairs.corners[start::2], stairs.corners[start + 1 :: 2], strict=False):
            x += [a[0], b[0], None]
            y += [a[1], b[1], None]
        figure.add_scatter(
            x=x, y=y, mode="lines+markers", name=name, hoverinfo="skip",
            line={"color": colours[colour], "width": 3}, marker={"size": 5},
        )  # fmt: skip
    return _styled(figure, "θ: the means lie at ±θ", "q: own side", 438)


def risen_figure(risen, colours: Sequence[str]) -> go.Figure:
    """Log-likelihood and bound along the way of an M-step, and what the iteration gains by each."""
    figure = go.Figure()
    for name, heights, line in (
        ("log p(x)", risen.likelihood, {"color": GREY, "width": 3}),
        ("ELBO, its q held", risen.bound, {"color": colours[0], "width": 3}),
    ):
        figure.add_scatter(
            x=risen.places, y=heights, name=name, line=line, hovertemplate=WRITTEN,
            hovertext=_said(risen.places, heights),
        )  # fmt: skip
    touch, top, end = risen.before.log_likelihood, risen.after.elbo, risen.after.log_likelihood
    for name, low, high, colour, dash in (
        ("the bound rose", touch, top, colours[0], "dot"),
        ("KL", top, end, colours[1], "solid"),
    ):
        figure.add_scatter(
            x=[1, 1], y=[low, high], mode="lines+markers", name=name,
            line={"color": colour, "width": 5, "dash": dash},
            hovertext=[f"{name}: {nats(high - low)} nats"] * 2, hovertemplate=WRITTEN,
        )  # fmt: skip
    figure.add_scatter(
        x=[0], y=[touch], mode="markers", name="they touch", showlegend=False,
        marker={"size": 11, "color": colours[0]},
        hovertext=[f"they touch: {nats(touch)} nats"], hovertemplate=WRITTEN,
    )  # fmt: skip
    rise = max(end - touch, 1e-6)
    figure.update_yaxes(range=[touch - 1.5 * rise, max(end, risen.likelihood.max()) + 0.4 * rise])
    figure.update_xaxes(tickvals=[0, 1], ticktext=["before the M-step", "after it"])
    return _styled(figure, "along the way of the M-step", "nats")


def weighted_figure(weighted, colours: Sequence[str]) -> go.Figure:
    """Q and Q + H(q) over the first mean: one curve, lifted by a constant."""
    figure = go.Figure()
    for name, heights, line in (
        ("Q(θ, θ₀) + H(q): the bound", weighted.expected + weighted.entropy, {"width": 3}),
        ("Q(θ, θ₀)", weighted.expected, {"dash": "dash"}),
    ):
        figure.add_scatter(
            x=weighted.means, y=heights, name=name,
            line=line | {"color": colours[0 if "H" in name else 1]},
            hovertext=_said(weighted.means, heights), hovertemplate=WRITTEN,
        )  # fmt: skip
    _mark(figure, weighted.weighted_mean)
    return _styled(figure, "mean of component 1; dotted: the weighted mean", "nats")
