"""Many starts: by the plan unless a link, made before there was one, or a person names others."""

import re

import numpy as np
import pytest

from em_core.datasets import load
from em_core.search.plan import SPLIT_AND_MERGE, plan
from pages.ui.running.searches import grid_of, offered_searches, search_of
from pages.ui.state.beginnings import beginning_of
from pages.ui.state.changes import changed
from pages.ui.state.links import parse, to_query
from pages.ui.state.settings import PLANNED, Settings
from pages.ui.tables.columns import default_columns, describe_columns
from pages.ui.tables.selection import select
from pages.ui.tables.table import from_dataset

TABLE = from_dataset(load("iris"))
SELECTION = select(TABLE, default_columns(describe_columns(TABLE), "species"))


def test_an_old_link_keeps_its_starts_and_a_new_one_says_that_it_has_the_plan():
    old, _ = parse({"v": "1", "e": "iris", "k": "3"})
    assert search_of(old, TABLE, SELECTION).starts == ("short runs", "k-means++")
    assert grid_of(old, TABLE, SELECTION).starts == ("short runs",)
    assert to_query(old) == {"v": "1", "e": "iris", "k": "3"}
    new = changed(old, starts_compared=(PLANNED,))
    assert search_of(new, TABLE, SELECTION).starts == grid_of(new, TABLE, SELECTION).starts == ()
    there, said = parse(to_query(new))
    assert there == new and not said
    assert search_of(new, TABLE, SELECTION).key != search_of(old, TABLE, SELECTION).key


def test_the_plan_comes_first_and_gives_way_to_starts_by_name_and_back():
    settings = Settings(starts_compared=(PLANNED,))
    assert offered_searches(settings)[0] == PLANNED
    named = changed(settings, starts_compared=(PLANNED, "k-means"))
    assert named.starts_compared == ("k-means",)
    assert changed(named, starts_compared=("k-means", PLANNED)).starts_compared == (PLANNED,)
    assert changed(named, starts_compared=()).starts_compared == (PLANNED,)
    two = changed(named, starts_compared=("k-means", "k-means++"))
    assert two.starts_compared == ("k-means", "k-means++")


@pytest.mark.parametrize("before", [(), (PLANNED,), ("k-means",)])
def test_another_family_is_searched_by_the_plan(before):
    settings = changed(Settings(starts_compared=before), family="gaussian-hmm")
    assert settings.starts_compared == (PLANNED,)


@pytest.fixture(scope="module")
def grid():
    settings = Settings(
        example="iris", smallest=4, largest=4, n_starts_each=16, starts_compared=(PLANNED,),
        structures_compared=("diag",),
    )  # fmt: skip
    wanted = grid_of(settings, TABLE, SELECTION)
    wanted.begin()
    wanted.done.wait()
    assert not wanted.error
    return settings, wanted


def test_a_grid_by_the_plan_tells_who_reached_the_best_and_which_starts_it_had(grid):
    _, found = grid
    (cell,) = found.cells
    reached = cell.reached
    assert reached is not None and reached.n_starts == 16 == found.n_starts
    assert reached.n_independent == reached.n_made == 8 and reached.in_words in cell.verdict
    assert re.match(r"\d+ of 8 independent starts and \d+ of 8 that split and merge", cell.verdict)
    each = plan(cell.model, found.seeds)
    assert all(found.begins_with(cell.model, start.name, start.seed) for start in each)
    assert not found.begins_with(cell.model, each[0].name, 99)


def test_a_fit_that_split_and_merged_is_opened_with_the_parameters_that_it_began_with(grid):
    settings, _ = grid
    search = search_of(
        changed(settings, n_components=4, covariance="diag", n_starts=16), TABLE, SELECTION
    )
    search.begin()
    search.done.wait()
    fit = next(fit for fit in search.found.fits if fit.start == SPLIT_AND_MERGE)
    assert fit.parent is not None and fit.parent[0] != SPLIT_AND_MERGE
    chosen = beginning_of(fit, changed(settings, n_components=4, covariance="diag"))
    assert chosen["start"] == "parameters"
    independent = next(fit for fit in search.found.fits if fit.is_independent)
    assert beginning_of(independent, settings) == {
        "start": independent.start,
        "seed": independent.seed,
    }
    best = search.found.landscape.optima[0]
    assert np.isclose(best.share, sum(fit.is_independent for fit in best.fits) / 8)
