"""What the page "How many?" shows: its pictures, and how it puts a grid into words."""

import json
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from em_core import Gaussian, Mixture, select
from em_core.datasets import generate, load
from em_core.emissions.covariances.structures import ALIASES, STRUCTURES
from em_core.search.selection import Criterion
from pages.ui.charts.criteria import Score, criterion_grid, criterion_lines, short, shown_range
from pages.ui.families.table import FAMILIES
from pages.ui.panels.model_selection import model_selection_panel
from pages.ui.panels.model_selection.comparison import difference, meaning, named
from pages.ui.running.searches import cell_settings, grid_of, structure_sets, usual_structures
from pages.ui.state.changes import changed
from pages.ui.state.session import Session
from pages.ui.state.settings import CRITERIA, FIELDS, Settings
from pages.ui.tables.columns import default_columns, describe_columns
from pages.ui.tables.selection import select as select_columns
from pages.ui.tables.table import from_dataset
from pages.ui.text import MINUS

GAUSSIAN = FAMILIES["gaussian-mixture"]
COLOURS = ["#111111", "#222222", "#333333"]
SCORES = [
    Score("full", 1, 700.0, 120.0, "usable", "one"),
    Score("full", 2, 580.0, 0.0, "usable", "two"),
    Score("full", 3, -9000.0, -9580.0, "collapsed", "three"),
    Score("tied", 1, 700.0, 120.0, "usable", "one, tied"),
    Score("tied", 2, 590.0, 10.0, "usable", "two, tied"),
    Score("tied", 3, np.nan, np.nan, "failed", "three, tied"),
]


def test_a_line_for_each_structure_broken_where_nothing_can_be_recommended():
    figure = criterion_lines(SCORES, COLOURS, "components", "BIC", "has not finished")
    full, tied, best = figure.data
    assert (full.name, tied.name, best.name) == ("full", "tied", "the best")
    assert list(full.y) == [700.0, 580.0, None] and list(tied.y) == [700.0, 590.0, None]
    assert (list(best.x), list(best.y)) == ([2], [580.0])
    json.loads(figure.to_json())


def test_what_collapsed_does_not_set_the_scale_and_a_poor_structure_does_not_flatten_the_rest():
    assert shown_range(SCORES)[0] > 500
    poor = [Score("spherical", k, 1e6 + k, 1e6, "usable", "") for k in range(2)]
    good = [Score("full", k, 500.0 + k, k, "usable", "") for k in range(9)]
    assert shown_range([*good, *poor])[1] < 600


def test_every_cell_of_the_grid_can_be_clicked_and_read():
    heat, cells = criterion_grid(SCORES, "components").data
    assert [list(place) for place in cells.customdata] == [[s.structure, s.size] for s in SCORES]
    assert list(cells.text) == ["120", "best", "✕", "120", "10", "!"]
    assert np.isnan(heat.z[0, 2]) and np.isnan(heat.z[1, 2])
    assert heat.z[0, 1] == 0 and np.nanmax(heat.z) == 1
    assert cells.textfont.color[1] == "white" and cells.textfont.color[0] == "black"


def test_numbers_of_cells_are_short_and_written_as_all_numbers():
    texts = [short(value) for value in (0, 0.04, 9.94, 9.96, 1234.5, 9999.4, 123_456, -0.5, -2e4)]
    expected = ["0", "0", "9.9", "10", "1,234", "9,999", "123,456", "-0.5", "-20,000"]
    assert texts == [text.replace("-", MINUS) for text in expected]


def test_what_has_not_finished_is_drawn_with_a_mark_of_its_own_and_a_legend():
    open_still = Score("", 3, 560.0, -20.0, "unconverged", "three")
    scores = [
        Score("", k, value, value - 580, "usable", "") for k, value in ((1, 700.0), (2, 580.0))
    ]
    unknown = Score("", 4, np.nan, np.nan, "unconverged", "four")
    figure = criterion_lines([*scores, open_still, unknown], COLOURS, "sizes", "BIC", "climbs")
    line, bounds, best = figure.data
    assert (bounds.name, list(bounds.x), list(bounds.y)) == ("climbs", [3], [560.0])
    assert bounds.marker.symbol == "triangle-down-open" and list(bounds.marker.color) == COLOURS[:1]
    assert list(line.y) == [700.0, 580.0, None, None] and "finished" in best.name
    assert figure.layout.showlegend and figure.layout.yaxis.range[0] < 560
    # A line of the only structure has no name for the legend.
    assert not line.showlegend
    texts = criterion_grid([*scores, open_still, unknown], "sizes").data[1].text
    assert list(texts) == ["120", "best", f"▽<br>{MINUS}20", "▽"]


@pytest.fixture(scope="module")
def faithful():
    """Two well separated groups."""
    rows = load("faithful").values
    models = {("full", k): Mixture(Gaussian(), k) for k in (1, 2, 3)}
    models |= {("tied", 2): Mixture(Gaussian("tied"), 2)}
    return rows, {cell.label: cell for cell in select(models, rows, range(3)).cells}


def test_other_sizes_join_or_split_the_groups_of_the_best(faithful):
    rows, cells = faithful
    best = cells["full", 2]
    joins = difference(GAUSSIAN, best, cells["full", 1], rows)
    assert joins == "joins components 1 and 2 of the best"
    assert difference(GAUSSIAN, best, cells["full", 3], rows).startswith("splits component ")
    assert difference(GAUSSIAN, best, cells["full", 2], rows) == "the same groups"
    other = difference(GAUSSIAN, best, cells["tied", 2], rows)
    assert other == "the same groups" or other.startswith("as many groups, ")


def test_models_are_named_and_explained():
    assert named(GAUSSIAN, ("tied", 1)) == "1 component, tied"
    assert named(FAMILIES["poisson-mixture"], ("", 3)) == "3 components"
    assert meaning(GAUSSIAN, ("full", 1)) == ""
    assert "size" in meaning(GAUSSIAN, ("full", 2))
    assert meaning(FAMILIES["poisson-mixture"], ("", 3)) == ""


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_says_what_its_size_is_and_makes_a_grid(name):
    family = FAMILIES[name]
    if family.size is None:
        return
    assert {family.size, family.structure} - {None} <= set(family.controls) & set(FIELDS)
    settings = Settings(family=name, example=family.examples[0])
    table = from_dataset(load(family.examples[0]))
    columns = default_columns(
        describe_columns(table), None, family.takes, family.prefers, family.most_columns
    )
    selection = family.read(table, columns, None, None, family.holes)
    grid = grid_of(replace(settings, smallest=1, largest=2), table, selection)
    sizes = sorted({size for _, size in grid.models})
    assert sizes == [1, 2]
    compared = {structure for structure, _ in grid.models}
    assert compared == set(usual_structures(settings, len(selection.columns)) or [""])
    for label, model in grid.models.items():
        chosen = changed(settings, **cell_settings(settings, label))
        assert family.build(chosen) == model and getattr(chosen, family.size) == label[1]


def test_scores_of_standardised_data_are_those_of_the_data():
    """A mixture of full covariances fits standardised data as well as the data themselves."""
    table = from_dataset(generate("separated", 120, 2, 2, np.random.default_rng(0)))
    selection = select_columns(table, ["x1", "x2"], None)
    settings = Settings(source="generate", largest=2, n_starts_each=2, starts_compared=("k-means",))
    grids = [grid_of(replace(settings, standardise=on), table, selection) for on in (False, True)]
    assert grids[0].key != grids[1].key
    for grid in grids:
        grid.begin()
        grid.done.wait()
    plain, scaled = ({cell.label: cell.score("bic") for cell in grid.cells} for grid in grids)
    for label in (("full", 1), ("full", 2)):
        assert scaled[label] == pytest.approx(plain[label], abs=0.05)


def test_the_page_has_a_name_and_a_meaning_for_every_criterion_of_the_engine() -> None:
    assert set(CRITERIA) == set(get_args(Criterion)) == set(model_selection_panel.WHAT)
    assert set(model_selection_panel.AXIS) == set(CRITERIA)


def test_all_structures_and_six_of_them_are_one_click_away() -> None:
    """All there are, none of them twice under another name."""
    sets = structure_sets(Settings())
    everything = set(STRUCTURES) - set(ALIASES)
    names = sets[f"All {len(everything)}"]
    codes = {ALIASES.get(name, name) for name in names}
    assert len(names) == len(everything) and codes == everything
    assert {ALIASES.get(n, n) for n in sets["Six of the most useful"]} <= codes
    assert structure_sets(Settings(family="gaussian-hmm")) == {}


def stopped_page() -> None:
    import streamlit as st

    from pages.ui.panels.model_selection import model_selection_panel

    model_selection_panel._show(*st.session_state["stopped"])


def test_a_grid_stopped_before_its_first_model_says_so_and_draws_no_empty_axes() -> None:
    table = from_dataset(load("faithful"))
    selection = select_columns(table, ["eruptions", "waiting"], None)
    grid = grid_of(Settings(largest=2, n_starts_each=1), table, selection)
    grid.job()  # which runs nothing by itself
    grid.done.set()
    grid.stopped = True
    app = AppTest.from_function(stopped_page)
    app.session_state["stopped"] = grid, selection
    app.session_state["session"] = Session(settings=Settings())
    app.run()
    assert not app.exception
    assert [info.value for info in app.info] == [
        "No model is complete yet, so there is nothing to compare."
    ]
    assert not app.get("plotly_chart")
