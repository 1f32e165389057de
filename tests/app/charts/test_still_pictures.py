"""Pictures of a report: every row is in them, where it is and in the colour of its component."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from pages.ui.charts.criteria import Score
from pages.ui.charts.profiles import residual_shades, residuals_figure
from pages.ui.charts.still import shades_svg
from pages.ui.charts.still_pictures import criteria_svg, picture_svg
from pages.ui.families.table import family_of
from pages.ui.sharing.report import colours
from pages.ui.state.scenes import scene_of
from pages.ui.state.settings import Settings
from support.runs import read, run_of

DOT = re.compile(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="2.2" fill="(#\w+)"')
IRIS = Settings(example="iris", n_components=3)


def drawn(settings: Settings) -> tuple[str, object, object]:
    table, selection = read(settings)
    run = run_of(settings, selection)
    scene = scene_of(
        "run", run.model, run.data, run.trace[-1:], selection, settings, most=2_000, table=table
    )
    picture, _ = family_of(settings).picture(scene)
    svg = picture_svg(picture, colours())
    if svg:
        ElementTree.fromstring(svg)
    return svg, run, selection


def test_rows_stand_where_they_are_in_the_colour_of_their_component() -> None:
    svg, run, selection = drawn(IRIS)
    dots = DOT.findall(svg)
    clusters = run.model.predict(run.finished_fit.params, run.data)
    assert [colour for *_, colour in dots] == [colours()[k] for k in clusters]
    places = np.array([[float(x), float(y)] for x, y, _ in dots])
    across = np.corrcoef(places[:, 0], selection.values[:, 0])[0, 1]
    up = np.corrcoef(places[:, 1], selection.values[:, 1])[0, 1]
    assert across == pytest.approx(1, abs=1e-4) and up == pytest.approx(-1, abs=1e-4)
    assert svg.count('fill="none"') == 6 and "sepal length (cm)" in svg


def test_series_histograms_and_items() -> None:
    svg, _, selection = drawn(Settings(family="gaussian-hmm", example="geyser", n_components=2))
    assert len(DOT.findall(svg)) == 2 * len(selection.values) and "state 2" in svg
    bars, _, _ = drawn(replace(IRIS, columns=("petal length",), names=("a<b", "", "")))
    assert "<rect" in bars and "a&lt;b" in bars
    assert drawn(Settings(family="bernoulli-mixture", example="lsat6"))[0] == ""


def test_rows_with_holes_are_not_drawn_where_nobody_knows_them_to_be() -> None:
    settings = Settings(example="airquality", columns=("ozone", "wind"))
    svg, _, selection = drawn(settings)
    whole = ~np.isnan(selection.values).any(axis=1)
    assert len(DOT.findall(svg)) == whole.sum() < len(whole)


def test_the_grid_of_models_rings_the_best_and_leaves_out_what_has_no_number() -> None:
    scores = [
        Score("full", 1, 20.0, 5.0, "usable", ""),
        Score("full", 2, 15.0, 0.0, "usable", ""),
        Score("diag", 1, 18.0, 3.0, "unconverged", ""),
        Score("diag", 2, float("nan"), float("nan"), "collapsed", ""),
    ]
    svg = criteria_svg(scores, colours(), "components", "BIC")
    ElementTree.fromstring(svg)
    assert svg.count('r="9"') == 1 and svg.count("<polyline") == 2 and ">diag<" in svg
    assert criteria_svg(scores[3:], colours(), "components", "BIC") == ""


@pytest.mark.parametrize("is_correlation", [True, False])
def test_a_small_residual_is_pale_in_the_report_as_on_the_page(is_correlation) -> None:
    statistics = np.array([[np.nan, -0.002], [-0.002, np.nan]])
    values, reach = residual_shades(statistics, is_correlation)
    figure = residuals_figure(statistics, ["return", "volume <x>"], is_correlation)
    assert figure.data[0].zmax == reach
    drawn = shades_svg(values, ["return", "volume <x>"], "Residuals", reach, is_correlation)
    colours = re.findall(r'<rect[^>]*fill="#(..)(..)(..)"', drawn)
    assert len(colours) == 2  # none of a column with itself
    assert all(int(part, 16) > 0xE8 for colour in colours for part in colour)
    assert drawn.count("volume &lt;x&gt;") == 2 and drawn.count("rotate(") == 2


def test_a_large_residual_has_the_full_shade() -> None:
    values, reach = residual_shades(np.array([[np.nan, 30.0], [30.0, np.nan]]), False)
    assert reach == 30 and "#2166ac" in shades_svg(values, ["a", "b"], "Residuals", reach, False)
