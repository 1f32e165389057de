"""Many starts at a glance: their log-likelihoods as they climb, and where each of them ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from pages.ui.charts.axes import WRITTEN, styled
from pages.ui.text import nats, number

# Beyond this many optima colours can no longer be told apart: the rest share a grey.
MOST_COLOURS = 8
GREY = "rgba(128, 128, 128, 0.6)"
DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "pentagon", "hexagon")
# The likelihood of a collapsed start has no bound and would set the scale for all others.
COLLAPSED = "collapsed"
# A start that ends in the best optimum may begin a million nats below it: cut what says nothing.
SHOWN_SHARE = 0.9
# More points than this keep a browser busy for seconds: of long curves some are left out. While
# runs climb the picture is drawn again and again.
MOST_POINTS = 8_000
MOST_POINTS_LIVE = 1_500
# Along fewer Plotly would write halves.
FEW_ITERATIONS = 8


class Climb(NamedTuple):
    """One start, its log-likelihoods in nats by iteration, and where it led.

    group: 0 for the best optimum, 1 for the next, ...; None while nothing is known, or for a start
    that reached no optimum. fate: that in words.
    """

    start: str
    seed: int
    log_likelihoods: np.ndarray
    group: int | None
    fate: str

    @property
    def name(self) -> str:
        return f"{self.start}, seed {self.seed}"


def curves(climbs: Sequence[Climb], colours: Sequence[str], live: bool = False) -> go.Figure:
    """Log-likelihood against iteration, one line a start, coloured by the optimum it led to.

    live: runs still climb; there is less to draw, and nothing under the pointer.
    """
    figure = go.Figure()
    most = MOST_POINTS_LIVE if live else MOST_POINTS
    stride = 1 + sum(len(climb.log_likelihoods) for climb in climbs) // most
    for fate, members in _by_fate(climbs):
        group = members[0].group
        across, up, said = [], [], []
        for climb in members:
            n = len(climb.log_likelihoods)
            # The start, every stride-th iteration counted back from the last, and the last.
            shown = sorted({0, *range(n - 1, 0, -stride)}) if n else []
            # NaN breaks the line between one start and the next.
            across += [*shown, np.nan]
            up += [*climb.log_likelihoods[shown].tolist(), np.nan]
            if not live:
                said += [_said(climb, at) for at in shown] + [""]
        # Plotly looks at lists number by number, but not at arrays.
        figure.add_scatter(
            x=np.array(across),
            y=np.array(up),
            mode="lines",
            name=fate,
            hovertext=None if live else np.array(said),
            line={
                "width": 1.4,
                "color": _colour(group, colours),
                "dash": _dash(group),
            },
            hovertemplate=None if live else WRITTEN,
            hoverinfo="skip" if live else None,
        )
    figure.update_yaxes(range=_range(climbs))
    if max((len(climb.log_likelihoods) for climb in climbs), default=0) <= FEW_ITERATIONS:
        figure.update_xaxes(dtick=1)
    if not climbs:  # an axis of nothing has numbers that nobody measured
        figure.update_xaxes(showticklabels=False, showgrid=False, zeroline=False)
        figure.update_yaxes(showticklabels=False, showgrid=False, zeroline=False)
    return styled(figure, "iteration", "log-likelihood (nats)", 380)


def _said(climb: Climb, iteration: int) -> str:
    """What is said of a start at an iteration."""
    value = nats(climb.log_likelihoods[iteration])
    return f"{climb.name}<br>iteration {number(iteration)}<br>{value} nats"


def strip(climbs: Sequence[Climb], colours: Sequence[str], seed: int = 0) -> go.Figure:
    """Where every start ended: one mark a start along the log-likelihood, strewn up and down."""
    figure = go.Figure()
    rng = np.random.default_rng(seed)
    for fate, members in _by_fate(climbs):
        group = members[0].group
        figure.add_scatter(
            x=np.array([climb.log_likelihoods[-1] for climb in members]),
            y=rng.uniform(-1, 1, size=len(members)),
            mode="markers",
            name=fate,
            hovertext=np.array(
                [f"{climb.name}<br>{nats(climb.log_likelihoods[-1])} nats" for climb in members]
            ),
            customdata=np.array([(climb.start, climb.seed) for climb in members], dtype=object),
            marker={
                "size": 9,
                "color": _colour(group, colours),
                "symbol": SYMBOLS[(group or 0) % len(SYMBOLS)] if group is not None else "x",
                "line": {"width": 0.5, "color": "white"},
            },
            hovertemplate=WRITTEN,
        )
    ends = [climb._replace(log_likelihoods=climb.log_likelihoods[-1:]) for climb in climbs]
    figure.update_xaxes(range=_range(ends, 1.0))
    figure.update_yaxes(visible=False, range=[-1.6, 1.6], fixedrange=True)
    return styled(figure, "final log-likelihood (nats)", "", 190, showlegend=False)


def _range(climbs: Sequence[Climb], share: float = SHOWN_SHARE) -> list[float]:
    """The values of the starts that ended well, or of all, without the lowest."""
    shown = [climb for climb in climbs if climb.fate != COLLAPSED] or climbs
    values = np.concatenate([climb.log_likelihoods for climb in shown] or [np.zeros(0)])
    values = np.sort(values[np.isfinite(values)])
    if not len(values):
        return [0.0, 1.0]
    low, high = values[int((1 - share) * len(values))], values[-1]
    # Less than a nat apart, starts ended in the same place: do not make much of it.
    margin = max(0.05 * (high - low), (1 - (high - low)) / 2)
    return [low - margin, high + margin]


def _by_fate(climbs: Sequence[Climb]) -> list[tuple[str, list[Climb]]]:
    """Starts by where they led: the best optimum first, those without one last."""
    fates: dict[str, list[Climb]] = {}
    order = sorted(climbs, key=lambda climb: np.inf if climb.group is None else climb.group)
    for climb in order:
        fates.setdefault(climb.fate, []).append(climb)
    return list(fates.items())


def _colour(group: int | None, colours: Sequence[str]) -> str:
    return GREY if group is None or group >= MOST_COLOURS else colours[group % len(colours)]


def _dash(group: int | None) -> str:
    # Dots along hundreds of lines take a browser longer than all else.
    return "solid" if group is None else DASHES[group // 2 % len(DASHES)]
