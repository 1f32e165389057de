"""How one fit compares with many other starts, in words."""

from dataclasses import replace

import numpy as np
import pytest

from em_core.datasets import load
from em_core.em import em
from em_core.fit import finished
from em_core.search.optima import place
from pages.ui.families.starting import ByMethod
from pages.ui.panels.explore.other_starts import _of_search
from pages.ui.panels.explore.second_opinion import opinion
from pages.ui.running.runs import Run
from pages.ui.running.searches import Search, search_of
from pages.ui.state.beginnings import beginning, beginning_of
from pages.ui.state.changes import changed
from pages.ui.state.settings import Settings
from pages.ui.tables.columns import default_columns, describe_columns
from pages.ui.tables.selection import select
from pages.ui.tables.table import from_dataset
from pages.ui.text import nats
from support.visitor import Visitor

SETTINGS = Settings(n_components=3, n_starts=12, starts_compared=("short runs",))
TABLE = from_dataset(load("iris"))
SELECTION = select(TABLE, default_columns(describe_columns(TABLE), "species"))


def fitted(seed: int, **options) -> Run:
    """The run of k-means++ from a seed, in the units of the data."""
    model = search_of(SETTINGS, TABLE, SELECTION).model
    run = Run(
        key="key",
        model=model,
        data=SELECTION.values,
        start=ByMethod(model, "k-means++", seed),
        tolerance=1e-3,
        max_iterations=1000,
    )
    start = run.model.initial_params(run.data, "k-means++", np.random.default_rng(seed))
    steps = em(run.model, run.data, start, **options)
    while True:
        try:
            run.trace.append(next(steps))
        except StopIteration as end:
            run.stop_reason = end.value
            run.fit = finished(run.model, run.trace, end.value, run.data)
            return run


def run_to_its_end(search: Search) -> None:
    search.begin()
    search.done.wait()


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "standardised"])
def search(request):
    wanted = search_of(replace(SETTINGS, standardise=request.param), TABLE, SELECTION)
    run_to_its_end(wanted)
    return wanted


def test_the_best_answer_is_recognised_also_from_standardised_starts(search):
    words, better = opinion(fitted(0), search)
    assert words.startswith("**Yes, as far as 12 other starts by short runs can tell:**")
    assert better is None


def test_a_poorer_answer_is_told_with_the_gap_and_a_better_start(search):
    run = fitted(22)
    words, better = opinion(run, search)
    gap = better.log_likelihood - run.fit.log_likelihood
    assert words.startswith("**No:** ") and f"{gap:.2f} nats better" in words and gap > 1
    assert (better.start, better.seed) in {(fit.start, fit.seed) for fit in search.runs.fits}


def test_others_do_not_count_the_start_of_the_fit_itself(search):
    best, poor = fitted(0), fitted(22)
    found = search.runs.landscape
    everybody = _of_search(best, search)
    assert (everybody.reached, everybody.tried) == (found.optima[0].count, 12)
    assert everybody.better == 0 and not everybody.doubtful
    (first, *_) = found.optima[0].fits
    own = _of_search(replace(best, start=ByMethod(best.model, "short runs", first.seed)), search)
    assert (own.reached, own.tried) == (found.optima[0].count - 1, 11)
    told = _of_search(poor, search)
    gap = found.optima[0].log_likelihood - poor.finished_fit.log_likelihood
    assert told.doubtful and told.better == gap
    assert f"the best of them is {nats(gap)} nats better" in told.in_words


@pytest.mark.parametrize("standardised", [False, True])
def test_a_better_one_is_shown_also_where_no_seed_names_it(standardised):
    """Of what splits and merges have found the parameters are given that it began with."""
    settings = replace(SETTINGS, n_components=4, n_starts=12, standardise=standardised)
    search = search_of(settings, TABLE, SELECTION, starts=())
    run_to_its_end(search)
    assert search.n_starts == 12 == len(search.found.fits)
    moved = next(fit for fit in search.found.fits if fit.parent)
    named = next(fit for fit in search.found.fits if not fit.parent)
    for fit in (moved, named):
        chosen = changed(settings, **beginning_of(fit, settings))
        params = beginning(search.model, chosen, search.data)(search.data)
        steps = list(em(search.model, search.data, params))
        assert steps[-1].log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-6)


def test_others_do_not_count_the_start_of_the_fit_itself_in_a_plan_either():
    search = search_of(SETTINGS, TABLE, SELECTION, starts=())
    run_to_its_end(search)
    named = {(fit.start, fit.seed) for fit in search.found.fits}
    assert ("k-means++", 0) in named and ("k-means++", 22) not in named
    for seed, tried in ((0, 11), (22, 12)):
        assert _of_search(fitted(seed), search).tried == tried
    words, _ = opinion(fitted(0), search)
    assert words.startswith("**Yes, as far as 11 other starts of several kinds can tell:**")


def test_a_fit_that_only_its_own_start_found_is_not_replicated():
    few = replace(SETTINGS, n_starts=1, seed=0, starts_compared=("k-means++",))
    search = search_of(few, TABLE, SELECTION)
    run_to_its_end(search)
    words, better = opinion(fitted(0), search)
    assert words == "**Not replicated:** none of 0 other starts by k-means++ reached this answer."
    assert better is None


def test_an_unfinished_fit_says_so(search):
    words, _ = opinion(fitted(22, max_iterations=2), search)
    assert "has not converged" in words


def test_an_answer_that_none_of_the_others_found_is_not_replicated():
    few = replace(SETTINGS, n_starts=1, seed=22, starts_compared=("k-means++",))
    search = search_of(few, TABLE, SELECTION)
    run_to_its_end(search)
    words, better = opinion(fitted(0), search)
    assert words.startswith("**Not replicated:** none of 1 other start by k-means++ reached")
    assert better is None


def test_a_start_that_has_not_finished_above_leaves_it_undecided():
    table = from_dataset(load("faithful"))
    few = Settings(n_components=4, n_starts=4, starts_compared=("k-means++",), max_iterations=64)
    few = replace(few, tolerance=1e-2)
    search = search_of(few, table, select(table, default_columns(describe_columns(table), None)))
    run_to_its_end(search)
    best, (higher, *_) = search.runs.best, search.runs.landscape.ahead
    run = Run(
        key="", model=search.model, data=search.data, start=None, tolerance=1e-2,
        max_iterations=64, trace=list(best.trace), fit=best, stop_reason="converged",
    )  # fmt: skip
    words, better = opinion(run, search)
    gap = higher.log_likelihood - best.log_likelihood
    assert words.startswith("**Not decided:** ") and f"is {gap:.2f} nats better already" in words
    assert (better.seed, better.start) == (higher.seed, higher.start)


def test_place_tells_optima_apart():
    search = search_of(
        replace(SETTINGS, starts_compared=("k-means++",), n_starts=25), TABLE, SELECTION
    )
    run_to_its_end(search)
    found = search.runs.landscape
    assert len(found.optima) > 1
    for number, optimum in enumerate(found.optima):
        fit = optimum.fits[-1]
        permuted = search.model.params(
            fit.params.weights[::-1],
            means=fit.params.means[::-1],
            covariances=fit.params.covariances[::-1],
        )
        at = place(found, search.model, search.data, permuted, fit.log_likelihood)
        assert at == number
    assert place(found, search.model, search.data, fit.params, fit.log_likelihood - 5) is None


def test_explore_says_whether_its_fit_is_the_best_and_offers_the_better_one(app: str) -> None:
    visitor = Visitor(app, "v=1&e=iris&k=3&seed=22")
    visitor.settle()
    visitor.press("Is this the best answer?")
    visitor.settle()
    assert "nats better" in visitor.said
    visitor.press("Show the better one")
    visitor.run()
    visitor.settle()
    assert "180.19" in visitor.said
    visitor.press("Is this the best answer?")
    visitor.settle()
    assert "Yes, as far as 29 other starts of several kinds can tell:" in visitor.said
    visitor.close()
