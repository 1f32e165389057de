"""Every family of models with each of its examples: from the table to picture, numbers, script."""

import zlib
from pathlib import Path

import numpy as np
import pytest

from pages.ui.families.table import FAMILIES, axes_of, family_of, views_of
from pages.ui.pictures.mixture import _ready, _shares
from pages.ui.pictures.payload import pack
from pages.ui.pictures.thumbnail import thumbnail
from pages.ui.state.changes import changed
from pages.ui.state.links import parse, to_query
from pages.ui.state.presets import GALLERY, PRESETS
from pages.ui.state.settings import AXES, Settings
from pages.ui.tables.reading import read_table
from pages.ui.text import name_columns
from support.runs import begun, read, started

ROOT = Path(__file__).parents[3]
EXAMPLES = [(name, row) for name, family in FAMILIES.items() for row in family.examples]
COLOURS = tuple(f"#0000{i:02d}" for i in range(1, 11))


def test_rows_drawn_from_many_may_all_lack_a_column():
    settings = Settings(family="gaussian-mixture", example="faithful")
    table, selection = read(settings)
    drawn = begun(settings, table, selection, 1)._replace(sample=np.arange(5))
    values = drawn.values.copy()
    values[drawn.sample, 1] = np.nan
    scene = drawn._replace(values=values, data=values)
    picture, _ = family_of(settings).picture(scene)
    rows = _ready(scene)
    posteriors = [_shares(scene, step, rows) for step in scene.steps if step.phase != "M"]
    assert all(np.allclose(shares.sum(axis=1), 1) for shares in posteriors)
    for leaders, shares in zip(picture.leaders, posteriors, strict=True):
        np.testing.assert_array_equal(leaders.share, shares.max(axis=1).astype(np.float32))


@pytest.mark.parametrize("name, example", EXAMPLES)
def test_every_example_becomes_a_picture_numbers_and_results(name, example):
    settings = changed(Settings(), family=name, example=example)
    family = family_of(settings)
    if family.most_factors is not None:
        most = family.most_factors(len(read(settings)[1].columns))
        settings = changed(settings, n_factors=min(settings.n_factors, most))
    _, selection, scene = started(settings)
    params = scene.steps[-1].params

    picture, shown = family.picture(scene)
    picture = picture._replace(leaders=[*picture.leaders])
    assert len(shown) == len(picture.captions) == len(scene.steps)
    assert picture.panels or picture.matrices or picture.charts
    assert zlib.decompressobj().decompress(pack(picture)[len(b"EMP1") + 4 + len("run") :])
    assert thumbnail(picture, COLOURS)

    tables = family.tables(scene.model, params, selection, settings)
    assert tables and all(frame.size and not frame.isna().any(axis=None) for _, frame in tables)
    results = family.results(scene.model, params, scene.data, selection, settings)
    assert results and {len(values) for values in results.values()} == {len(selection.values)}
    if family.point is not None:
        formula, terms = family.point(
            scene.model, params, scene.data, selection, 0, scene.components
        )
        assert formula and terms.size


@pytest.mark.parametrize("name", [n for n, family in FAMILIES.items() if family.holes])
def test_rows_with_missing_values_are_drawn_and_told(name):
    """A tenth of all values, and in the first group or rows a whole column."""
    chosen = {"family": name, "example": FAMILIES[name].examples[0], "n_factors": 1}
    settings = changed(Settings(), **chosen)
    family = family_of(settings)
    table, complete = read(settings)
    frame, rng = table.frame.copy(), np.random.default_rng(0)
    first = complete.rows[: complete.sizes[0] if len(complete.sizes) > 1 else 5]
    for column in complete.columns:
        frame.loc[rng.random(len(frame)) < 0.1, column] = None
    frame.loc[first, complete.columns[0]] = None
    asked = complete.columns, complete.label_name, complete.group_name
    selection = family.read(table._replace(frame=frame), *asked, True)
    assert np.isnan(selection.values).any() or len(complete.columns) == 1
    scene = begun(settings, table, selection, 5)
    picture, _ = family.picture(scene)
    for chart in picture.charts:
        assert all(np.isfinite(marks.values).all() for marks in chart.marks)
    assert pack(picture._replace(leaders=[*picture.leaders]))
    params = scene.steps[-1].params
    for _, frame in family.tables(scene.model, params, selection, settings):
        assert frame.size and not frame.isna().any(axis=None)
    results = family.results(scene.model, params, scene.data, selection, settings)
    assert {len(values) for values in results.values()} == {len(selection.values)}
    if family.point is not None:
        assert family.point(scene.model, params, scene.data, selection, 0, scene.components)[1].size


@pytest.mark.parametrize("preset", [*GALLERY, *PRESETS], ids=lambda preset: preset.title)
def test_presets_travel_in_a_link_and_fit_their_family(preset):
    settings = changed(Settings(), **preset.settings)
    assert parse(to_query(settings)) == (settings, ())
    family = family_of(settings)
    assert settings.source != "example" or settings.example in family.examples
    assert set(preset.settings) & set(family.controls) or not {*family.controls} - {"missing"}


def test_the_gallery_shows_every_family_of_the_theory():
    shown = {preset.settings["family"] for preset in GALLERY}
    assert shown >= {
        "gaussian-mixture", "bernoulli-mixture", "categorical-mixture", "poisson-mixture",
        "gaussian-hmm", "poisson-hmm", "categorical-hmm", "factor-analysis", "probabilistic-pca",
        "two-level", "factor-analysers", "student-mixture",
    }  # fmt: skip


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_is_drawn_whatever_axes_a_link_asks_for(name):
    """Also on those that it does not have, with any number of columns."""
    usual = changed(Settings(), family=name, example=FAMILIES[name].examples[0])
    table, selection = read(usual)
    for number in {1, 2, 3, len(selection.columns)}:
        chosen = changed(usual, columns=selection.columns[:number])
        try:
            table, fewer = read(chosen)
            drawn = begun(chosen, table, fewer, 1)
        except ValueError:
            continue  # too few columns for this model
        for axes in ("", *AXES):
            asked = changed(chosen, axes=axes)
            views = views_of(asked, len(fewer.columns))
            assert axes_of(asked, len(fewer.columns)) == (
                axes if axes in views else "".join(views[:1])
            )
            scene = drawn._replace(look=asked, axes=axes_of(asked, len(fewer.columns)))
            picture, _ = family_of(asked).picture(scene)
            assert pack(picture)


@pytest.mark.parametrize("view", ["series", "columns", "principal", "pairs"])
def test_a_markov_chain_is_drawn_over_time_or_in_the_plane(view):
    settings = changed(Settings(), family="gaussian-hmm", example="airquality", axes=view)
    _, _, scene = started(settings)
    picture, _ = family_of(settings).picture(scene)
    assert picture.time == (view == "series")
    assert bool(picture.paths) == picture.time
    pack(picture)


def test_rows_with_holes_are_rings_at_their_conditional_means():
    settings = changed(Settings(), family="gaussian-mixture", example="airquality", n_components=1)
    _, selection, scene = started(settings)
    picture, _ = family_of(settings).picture(scene)
    hollow = np.isnan(selection.values[:, :2]).any(axis=1)
    np.testing.assert_array_equal(picture.hollow, hollow)
    (chart,) = picture.charts
    bars, rings = chart.marks
    last = scene.model.impute(scene.steps[-1].params, selection.values)
    np.testing.assert_allclose(rings.values[-1][:, :2], last.values[hollow][:, :2])
    n = hollow.sum()
    reach = (bars.values[-1][:n, 2] - bars.values[-1][:n, 0]) / 2
    np.testing.assert_allclose(reach, last.deviations[hollow][:, 0], atol=1e-9)


def test_a_single_row_with_a_hole_is_a_ring():
    settings = changed(Settings(), family="gaussian-mixture", example="faithful")
    _, selection, scene = started(settings)
    values = selection.values.copy()
    values[7, 0] = np.nan
    picture, _ = family_of(settings).picture(scene._replace(data=values, values=values))
    assert np.flatnonzero(picture.hollow).tolist() == [7]
    assert picture.charts[0].marks[1].values.shape[1] == 1


def test_strays_are_drawn_small():
    settings = changed(
        Settings(),
        family="student-mixture",
        example="strays",
        n_components=3,
        degrees="3",
        start="hierarchical",
    )
    _, selection, scene = started(settings, iterations=30)
    picture, _ = family_of(settings).picture(scene)
    strays = selection.labels[scene.sample] == "stray"
    assert np.median(picture.sizes[-1][strays]) < 0.2 < np.median(picture.sizes[-1][~strays])


def test_columns_are_named_in_what_a_model_says():
    said = "column 2 holds 3: leave column 2 out; column 9 is none of these"
    assert name_columns(said, ("age", "sex")) == (
        "column “sex” holds 3: leave column “sex” out; column 9 is none of these"
    )


@pytest.mark.parametrize(
    "second, title, axis",
    [("no,yes", "a", "probability of yes"), ("left,right", "a = yes", "probability")],
)
def test_yes_or_no_items_are_named_by_their_answers(second, title, axis):
    low, high = second.split(",")
    content = f"a,b\nyes,{high}\nno,{low}\nyes,{low}\nno,{high}\n".encode()
    table = read_table("survey.csv", content)
    settings = changed(Settings(), family="bernoulli-mixture", n_components=2)
    family = family_of(settings)
    selection = family.read(table, ("a", "b"), None, None, True)
    scene = begun(settings, table, selection, 2)
    model, params = scene.model, scene.steps[-1].params
    ((_, parameters),) = family.tables(model, params, selection, settings)
    assert {"p of a = yes", f"p of b = {high}"} <= set(parameters.index)
    assert [*parameters.columns] == ["class 1", "class 2"]
    assert "class" in family.results(model, params, scene.data, selection, settings)
    picture, _ = family.picture(scene)
    assert picture.charts[0].y.title == axis
    assert picture.charts[0].x.ticks[0] == title


def test_a_pixel_that_is_always_on_leaves_images_whole():
    places = [f"row {i} pixel {j}" for i in (1, 2) for j in (1, 2)]
    content = "\n".join([",".join(places), "1,0,1,0", "1,1,0,1", "1,1,0,0"]).encode()
    settings = changed(Settings(), family="bernoulli-mixture", n_components=2)
    family = family_of(settings)
    table = read_table("images.csv", content)
    selection = family.read(table, places, None, None, True)
    picture, _ = family.picture(begun(settings, table, selection, 2))
    assert [matrix.component for matrix in picture.matrices] == [0, 1]
    assert all(matrix.values[-1, 0, 0] > 0.9 for matrix in picture.matrices)


def test_changing_the_family_lets_go_of_what_it_cannot_use():
    settings = changed(Settings(), example="iris", start="hierarchical", columns=("sepal length",))
    other = changed(settings, family="two-level")
    assert (other.example, other.start, other.columns) == ("iris", "", ())
    assert changed(settings, family="bernoulli-mixture").example == ""


def test_a_series_stands_over_its_own_years():
    settings = changed(Settings(), family="poisson-hmm", example="earthquakes")
    _, _, scene = started(settings)
    picture, _ = family_of(settings).picture(scene)
    assert picture.columns == ("year", "count (per year)")
    assert picture.positions[:, 0].tolist() == list(range(1900, 2007))
