"""The pictures of many starts."""

import json

import numpy as np

from pages.ui.charts.landscape import COLLAPSED, GREY, Climb, curves, strip
from pages.ui.state.changes import changed
from pages.ui.state.links import parse, to_query
from pages.ui.state.presets import PRESETS
from pages.ui.state.settings import Settings

COLOURS = ["#111111", "#222222", "#333333"]
CLIMBS = [
    Climb("k-means++", 0, np.array([-9.0, -3.0, -1.0]), 0, "optimum 1"),
    Climb("k-means++", 1, np.array([-8.0, -1.0]), 0, "optimum 1"),
    Climb("k-means++", 2, np.array([-7.0, -2.0]), 1, "optimum 2"),
    Climb("k-means++", 3, np.array([-7.0, 500.0]), None, COLLAPSED),
]


def test_one_line_style_for_each_optimum_and_a_gap_between_starts():
    traces = curves(CLIMBS, COLOURS).data
    assert [trace.name for trace in traces] == ["optimum 1", "optimum 2", COLLAPSED]
    gap = np.nan
    assert np.array_equal(traces[0].y, [-9, -3, -1, gap, -8, -1, gap], equal_nan=True)
    assert traces[0].line.color == COLOURS[0] and traces[2].line.color == GREY
    assert len({(trace.line.color, trace.line.dash) for trace in traces}) == 3


def test_iterations_are_whole():
    assert curves(CLIMBS, COLOURS).layout.xaxis.dtick == 1
    assert (
        curves([Climb("s", 0, np.arange(200.0), 0, "optimum 1")], COLOURS).layout.xaxis.dtick
        is None
    )


def test_a_collapsed_start_does_not_set_the_scale():
    assert curves(CLIMBS, COLOURS).layout.yaxis.range[1] < 1
    assert strip(CLIMBS, COLOURS).layout.xaxis.range[1] < 1


def test_many_long_curves_are_thinned_but_begin_and_end_where_they_do():
    long = [Climb("s", k, np.arange(1000.0) + k, 0, "optimum 1") for k in range(100)]
    (line,) = curves(long, COLOURS).data
    gaps = np.flatnonzero(np.isnan(line.x))
    assert len(line.x) < 10_000 and len(gaps) == 100
    assert line.x[0] == 0 and line.x[gaps[0] - 1] == 999
    assert line.y[0] == 0.0 and line.y[gaps[0] - 1] == 999.0
    assert len(curves(long, COLOURS, live=True).data[0].x) < 2_500


def test_a_mark_says_which_start_it_is():
    marks = strip(CLIMBS, COLOURS).data
    assert list(marks[1].customdata[0]) == ["k-means++", 2]
    assert list(marks[0].x) == [-1.0, -1.0]
    json.loads(strip(CLIMBS, COLOURS).to_json())


def test_no_starts_yet_is_an_empty_picture():
    assert len(curves([], COLOURS).data) == 0


def test_presets_are_settings_that_travel_in_a_link():
    for preset in PRESETS:
        settings = changed(Settings(), **preset.settings)
        again, said = parse(to_query(settings))
        assert again == settings and said == ()
        assert preset.look_for.endswith(".")


def test_before_the_first_start_there_are_no_numbers_on_the_axes():
    layout = curves([], COLOURS, live=True).layout
    assert layout.xaxis.showticklabels is False and layout.yaxis.showticklabels is False
    assert curves(CLIMBS, COLOURS).layout.yaxis.showticklabels is None
