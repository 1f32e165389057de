"""The figures of the page on what clusters are."""

from types import SimpleNamespace

import numpy as np
import pytest

from em_core.inference import crossed_levels
from pages.ui.charts.axes import COLOURS
from pages.ui.charts.criteria import Score, criterion_lines
from pages.ui.charts.landscape import Climb, curves
from pages.ui.charts.profiles import (
    MOST_SHADES,
    certainty_figure,
    heat_figure,
    mosaic_figure,
    n_drawn,
    profile_figure,
    residuals_figure,
)
from pages.ui.families.profiles import Profile


@pytest.mark.parametrize("n_levels", [2, 5, 30])
def test_in_a_mosaic_a_colour_is_a_cluster_and_no_level(n_levels: int) -> None:
    rng = np.random.default_rng(0)
    codes = np.arange(90) % n_levels
    crossed = crossed_levels(rng.dirichlet([1, 1, 1], 90), codes, n_levels)
    levels = [f"level {i}" for i in range(n_levels)]
    figure = mosaic_figure(crossed, levels, ["a", "b", "c"], "sort", COLOURS)
    *bars, strip = figure.data
    assert [bar.name for bar in bars] == levels
    assert not {bar.marker.color for bar in bars} & {*COLOURS}
    assert tuple(strip.marker.color) == COLOURS[:3] and not strip.showlegend
    # No two levels look alike.
    looks = {(bar.marker.color, bar.marker.pattern.shape) for bar in bars}
    assert len(looks) == n_levels


def profile_of(n_columns: int, n_levels: int) -> Profile:
    """Three classes of items whose names differ in their first and last letters only."""
    words = ["Strongly disagree", "Disagree", "Neither", "Agree", "Strongly agree"]
    words += [f"level {level}" for level in range(5, n_levels)]
    cells = [
        f"Q{item:02d} how often do you feel that they listen <b>$x$</b> = {words[level]}"
        for item in range(n_columns)
        for level in range(n_levels)
    ]
    values = np.random.default_rng(0).dirichlet(np.ones(len(cells)), 3)
    nothing, one = np.zeros(len(cells)), np.ones(len(cells))
    columns = np.repeat(np.arange(n_columns), n_levels)
    shares = np.full(3, 1 / 3)
    names = "a", "b", "c"
    return Profile(
        names, tuple(cells), values, nothing, one, columns, shares, "rows", names, "probability"
    )


@pytest.mark.parametrize(("n_columns", "n_levels"), [(25, 7), (2, 7), (1, 100), (70, 1)])
def test_shades_have_room_for_their_names_and_no_two_are_alike(n_columns, n_levels) -> None:
    profile = profile_of(n_columns, n_levels)
    figure = heat_figure(profile)
    (shades,) = figure.data
    n = len(shades.y)
    assert n == len(set(shades.y)) == len(shades.z) == n_drawn(profile) <= MOST_SHADES
    assert n == min(n_columns * n_levels, MOST_SHADES // n_levels * n_levels or MOST_SHADES)
    assert figure.layout.height / n >= 14
    # Plotly leaves out names of categories for which there is no room, and of no others.
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "category"
    assert all(len(name.replace("&lt;", "<").replace("&gt;", ">")) <= 29 for name in shades.y)
    if n_levels == 7:
        assert shades.y[0].startswith("Q00 how") and shades.y[0].endswith("… = Strongly…sagree")


def test_long_names_below_lines_reach_neither_the_edge_nor_the_legend() -> None:
    figure = profile_figure(profile_of(12, 1), COLOURS)
    assert figure.layout.legend.yanchor == "bottom" and figure.layout.legend.y > 1
    assert all(angle <= 0 for angle in figure.layout.xaxis.autotickangles)
    assert figure.layout.xaxis.ticklabeloverflow == "allow"
    assert len(set(figure.layout.xaxis.ticktext)) == 12


@pytest.mark.parametrize("n", [2, 12])
def test_legends_take_no_room_from_their_picture_and_reach_no_label(n: int) -> None:
    """However many names, and on a phone, where one of these takes a line."""
    names = [f"{k:02d} of those who were asked and said so" for k in range(n)]
    crossed = crossed_levels(np.full((90, n), 1 / n), np.arange(90) % n, n)
    certainty = SimpleNamespace(rows=np.full(n, 9), heights=np.ones((n, 9)))
    figures = [
        mosaic_figure(crossed, names, names, "sort", COLOURS),
        certainty_figure(certainty, names, "class", COLOURS),
        profile_figure(profile_of(3, 4), COLOURS),
        curves([Climb("s", k, np.arange(4.0), k, name) for k, name in enumerate(names)], COLOURS),
        criterion_lines(
            [Score(name, 1, 2.0, 0.0, "usable", "") for name in names], COLOURS, "k", "BIC", ""
        ),
    ]
    for figure in figures:
        legend = figure.layout.legend
        assert legend.yanchor == "bottom" and legend.y > 1 and legend.maxheight == 1
        shown = [trace.name for trace in figure.data if trace.showlegend is not False]
        assert figure.layout.height - 19 * len(shown) * (n > 2) >= 300


def test_shades_have_their_scale_above_and_room_for_the_names_below() -> None:
    names = [f"{k} of those who were asked and said so" for k in range(3)]
    figure = residuals_figure(np.zeros((3, 3)), names, True)
    (shades,) = figure.data
    assert shades.colorbar.orientation == "h" and shades.colorbar.yanchor == "bottom"
    assert figure.layout.height >= 3 * 30 + 5 * 28 + 100
