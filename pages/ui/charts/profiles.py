"""What clusters are like: profiles, shades, how sure rows are, residuals, and another column."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from pages.ui.charts.axes import LONG_NAMES, MARGIN, WRITTEN, styled
from pages.ui.charts.landscape import DASHES, SYMBOLS
from pages.ui.tables.titles import titles_in
from pages.ui.text import number, percent, shortened

# Of more cells a line is no help: shades.
MOST_LINES = 12
# More numbers have no room in their cells.
MOST_WRITTEN = 300
LONGEST_NAME = 28
# Told apart whatever colours an eye sees, on light pages and on dark ones.
DIVERGING = ((0.0, "#2166ac"), (0.5, "#f2f2ef"), (1.0, "#b35806"))
SEQUENTIAL = ((0.0, "#f2f2ef"), (1.0, "#1f3fb0"))
ROW_HEIGHT, TALLEST = 30, 1100
AROUND, SLANTED = 110, 5  # px around shades, and for each letter of the names below them
# So many names stand one below the other on the tallest.
MOST_SHADES = 60
ZERO_WIDTH = "\N{ZERO WIDTH SPACE}"
LINE = 60  # characters of what is told of a mark
LEAST_REACH = 1e-9
# What is nearer to 0 is written as 0.
ROUNDING = 5e-4
# Neighbouring shades of a mosaic are told apart by marks as well; the strip of a cluster's colour
# is so high, as a share of the height.
PATTERNS = "", "/", ".", "x"
STRIP = 0.04


def shown_as(name: str) -> str:
    """A name for Plotly, which takes tags in it for its own; cut in its middle where it is long."""
    return html.escape(shortened(name, LONGEST_NAME), quote=False)


def ticks(names: Sequence[str]) -> list[str]:
    """The names as they are shown along an axis, no two alike."""
    shown: dict[str, None] = {}
    for name in map(shown_as, names):
        while name in shown:
            name += ZERO_WIDTH
        shown[name] = None
    return list(shown)


def profile_figure(profile, colours: Sequence[str]) -> go.Figure:
    """A line of markers for each part of a `Profile`, with intervals where there are any."""
    figure = go.Figure()
    n_parts, n_cells = profile.values.shape
    places = np.arange(n_cells)
    for k, name in enumerate(profile.names):
        # Beside each other, so that intervals can be told apart.
        across = places + (k - (n_parts - 1) / 2) * 0.5 / max(n_parts, 4)
        error = None
        if profile.lower is not None and profile.upper is not None:
            error = {
                "array": profile.upper[k] - profile.values[k],
                "arrayminus": profile.values[k] - profile.lower[k],
                "thickness": 1.4,
                "width": 3,
            }
        colour = colours[k % len(colours)]
        figure.add_scatter(
            x=across,
            y=profile.values[k],
            error_y=error,
            mode="lines+markers",
            name=shown_as(name),
            line={"color": colour, "dash": DASHES[k % len(DASHES)], "width": 1.6},
            marker={"color": colour, "symbol": SYMBOLS[k % len(SYMBOLS)], "size": 9},
            hovertext=_told(profile, k),
            hovertemplate=WRITTEN,
        )
    styled(figure, "", profile.title, 470)
    figure.update_xaxes(
        tickmode="array",
        tickvals=places,
        ticktext=ticks(profile.cells),
        range=[-0.6, n_cells - 0.4],
        **LONG_NAMES,
    )
    if not profile.signed:
        figure.update_yaxes(range=[-0.03, 1.03])
    return figure


def _told(profile, k: int) -> list[str]:
    """What is said of each mark of a part."""
    told = []
    for p, cell in enumerate(profile.cells):
        value = profile.values[k, p]
        own = value * profile.scale[p] + profile.shift[p]
        words = number(value, 3, signed=profile.signed)
        if profile.scale[p] != 1 or profile.shift[p]:
            words += f" SD ({number(own, 4)})"
        if profile.lower is not None and np.isfinite(profile.lower[k, p]):
            words += f", {number(profile.lower[k, p], 3)} to {number(profile.upper[k, p], 3)}"
        told.append(f"{shown_as(profile.names[k])}<br>{shown_as(cell)}: {words}")
    return told


def heat_figure(profile) -> go.Figure:
    """The same as shades: a line for each of the first cells, a column for each part."""
    profile = profile.first(n_drawn(profile))
    values = profile.values.T
    reach = max(float(np.nanmax(np.abs(values), initial=0)), LEAST_REACH)
    low, high = (-reach, reach) if profile.signed else (0.0, 1.0)
    hover = np.array([_told(profile, k) for k in range(len(profile.names))], object).T
    return _shades(
        values, profile.names, profile.cells, low, high, profile.signed, hover, profile.title
    )


def n_drawn(profile) -> int:
    """How many of the cells of a `Profile` have room as shades: of no column a part."""
    n_cells = len(profile.cells)
    if n_cells <= MOST_SHADES:
        return n_cells
    starts = np.flatnonzero(np.diff(profile.columns[: MOST_SHADES + 1])) + 1
    return int(starts[-1]) if starts.size else MOST_SHADES


def residual_shades(statistics: np.ndarray, is_correlation: bool) -> tuple[np.ndarray, float]:
    """Residuals (D, D) without those of a column with itself, and the one that has the full shade:
    the largest, unless all are small."""
    values = np.where(np.abs(statistics) < ROUNDING, 0.0, statistics)
    values = np.where(np.eye(len(values), dtype=bool), np.nan, values)
    return values, max(float(np.nanmax(np.abs(values), initial=0)), 0.1 if is_correlation else 1.0)


def residuals_figure(
    statistics: np.ndarray, columns: Sequence[str], is_correlation: bool
) -> go.Figure:
    """Residuals (D, D) of every two columns."""
    values, reach = residual_shades(statistics, is_correlation)
    hover = np.array(
        [
            [" and ".join(shown_as(columns[at]) for at in sorted((i, j)))
             + f": {number(values[i, j], 3)}" if i != j else ""
             for j in range(len(columns))]
            for i in range(len(columns))
        ],
        object,
    )  # fmt: skip
    low = -reach if is_correlation else 0.0
    title = "residual correlation" if is_correlation else "residual over degrees of freedom"
    return _shades(values, columns, columns, low, reach, is_correlation, hover, title)


def explained(figure: go.Figure, titles: Mapping[str, str]) -> go.Figure:
    """The figure, with what columns are in words told of every mark that names them."""
    if titles:
        words = {shown_as(name): html.escape(told, quote=False) for name, told in titles.items()}

        def told(text: str) -> str:
            lines = [text, *titles_in(text, words)]
            return "<br>".join(line for long in lines for line in textwrap.wrap(long, LINE) or [""])

        for trace in figure.data:
            if trace.hovertext is not None:
                trace.hovertext = np.vectorize(told, otypes=[object])(trace.hovertext)
    return figure


def _shades(
    values: np.ndarray, across: Sequence[str], down: Sequence[str], low: float, high: float,
    signed: bool, hover: np.ndarray, title: str,
) -> go.Figure:  # fmt: skip
    written = values.size <= MOST_WRITTEN
    values = np.where(np.abs(values) < ROUNDING, 0.0, values)
    text = [["" if np.isnan(v) else number(v, 2) for v in row] for row in values]
    figure = go.Figure(
        go.Heatmap(
            x=ticks(across),
            y=ticks(down),
            z=values,
            zmin=low,
            zmax=high,
            colorscale=DIVERGING if signed else SEQUENTIAL,
            text=text if written else None,
            texttemplate="%{text}" if written else None,
            hovertext=hover,
            hovertemplate=WRITTEN,
            hoverongaps=False,
            xgap=1,
            ygap=1,
            # Above: beside the shades it would take a third of their room on a phone.
            colorbar={
                "title": {"text": title.partition(" (")[0], "side": "top"},
                "orientation": "h",
                "thickness": 12,
                "y": 1,
                "yanchor": "bottom",
            },
        )
    )
    below = SLANTED * max(map(len, map(shown_as, across)), default=0)
    height = min(AROUND + below + ROW_HEIGHT * len(down), TALLEST)
    figure.update_layout(height=height, margin=MARGIN)
    # Where there is no room for all names, every so many are written: the pointer tells the others.
    figure.update_xaxes(type="category", showgrid=False, **LONG_NAMES)
    figure.update_yaxes(type="category", showgrid=False, autorange="reversed")
    return figure


def certainty_figure(
    certainty, names: Sequence[str], unit: str, colours: Sequence[str]
) -> go.Figure:
    """Rows sorted by the posterior of the cluster they are assigned to, cluster under cluster;
    unit: what clusters are called."""
    figure = go.Figure()
    top = 0.0
    for k, name in enumerate(names):
        n = int(certainty.rows[k])
        if not n:
            continue
        heights = certainty.heights[k]
        down = top + np.linspace(0, n, len(heights))
        figure.add_scatter(
            x=heights,
            y=down,
            mode="lines",
            fill="tozerox",
            name=shown_as(name),
            line={"color": colours[k % len(colours)], "width": 1},
            hovertext=[f"{shown_as(name)}: {percent(h, 1)}" for h in heights],
            hovertemplate=WRITTEN,
        )
        top += n
    styled(figure, f"posterior of the {unit} a row is assigned to", "rows", 380)
    figure.update_xaxes(range=[0, 1])
    figure.update_yaxes(range=[top, 0])
    return figure


def mosaic_figure(
    crossed, levels: Sequence[str], names: Sequence[str], column: str, colours: Sequence[str]
) -> go.Figure:
    """A mosaic: clusters as wide as they are large, a strip of their colour below, and in each the
    shares of the levels. Levels are shades of grey: a colour is a cluster everywhere."""
    sizes = crossed.counts.sum(axis=0)
    total = sizes.sum() or 1.0
    widths = sizes / total
    left = np.cumsum(widths) - widths
    figure = go.Figure()
    for place, level in enumerate(levels):
        heights = np.nan_to_num(crossed.shares[place])
        told = [
            f"{shown_as(name)}<br>{shown_as(level)}: {percent(heights[k], 1)} of it, "
            f"{number(crossed.counts[place, k], 4)} rows"
            for k, name in enumerate(names)
        ]
        figure.add_bar(
            x=left,
            y=heights,
            width=widths,
            offset=0,
            name=shown_as(level),
            marker={
                "color": f"rgba(128,128,128,{_shade(place, len(levels)):.3f})",
                "line": {"width": 1, "color": "rgba(128,128,128,0.9)"},
                "pattern": {
                    "shape": PATTERNS[place % len(PATTERNS)],
                    "fillmode": "overlay",
                    "fgcolor": "rgba(128,128,128,1)",
                    "size": 7,
                    "solidity": 0.15,
                },
            },
            hovertext=told,
            hovertemplate=WRITTEN,
        )
    figure.add_bar(
        x=left,
        y=np.full(len(names), STRIP),
        base=-STRIP,
        width=widths,
        offset=0,
        marker={"color": [colours[k % len(colours)] for k in range(len(names))]},
        showlegend=False,
        hoverinfo="skip",
    )
    order = {"traceorder": "normal"}
    styled(figure, "", f"share of {shown_as(column)}", 380, barmode="stack", legend=order)
    figure.update_xaxes(
        tickmode="array",
        tickvals=left + widths / 2,
        ticktext=ticks(names),
        range=[0, 1],
        **LONG_NAMES,
    )
    figure.update_yaxes(range=[-STRIP, 1])
    return figure


def _shade(place: int, n_levels: int) -> float:
    """How dark a level is, the first the lightest."""
    return 0.15 + 0.8 * place / max(n_levels - 1, 1)
