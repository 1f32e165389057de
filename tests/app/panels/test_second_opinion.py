"""How one fit compares with many other starts, in words."""

import re
from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from em_core.datasets import load
from em_core.em import em
from em_core.fit import finished
from em_core.search.optima import place
from pages.ui.panels.explore.second_opinion import opinion
from pages.ui.running.runs import Run
from pages.ui.running.searches import search_of
from pages.ui.state.settings import Settings
from pages.ui.tables.columns import default_columns, describe_columns
from pages.ui.tables.selection import select
from pages.ui.tables.table import from_dataset
from support.browser import idle

SETTINGS = Settings(n_components=3, n_starts=12, starts_compared=("short runs",))
TABLE = from_dataset(load("iris"))
SELECTION = select(TABLE, default_columns(describe_columns(TABLE), "species"))


def fitted(seed: int, **options) -> Run:
    """The run of k-means++ from a seed, in the units of the data."""
    run = Run(
        key="key",
        model=search_of(SETTINGS, TABLE, SELECTION).model,
        data=SELECTION.values,
        start=None,
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


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "standardised"])
def search(request):
    wanted = search_of(replace(SETTINGS, standardise=request.param), TABLE, SELECTION)
    wanted.begin()
    wanted.done.wait()
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


def test_an_unfinished_fit_says_so(search):
    words, _ = opinion(fitted(22, max_iterations=2), search)
    assert "has not converged" in words


def test_an_answer_that_none_of_the_others_found_is_not_replicated():
    few = replace(SETTINGS, n_starts=1, seed=22, starts_compared=("k-means++",))
    search = search_of(few, TABLE, SELECTION)
    search.begin()
    search.done.wait()
    words, better = opinion(fitted(0), search)
    assert words.startswith("**Not replicated:** none of 1 other start by k-means++ reached")
    assert better is None


def test_a_start_that_has_not_finished_above_leaves_it_undecided():
    table = from_dataset(load("faithful"))
    few = Settings(n_components=4, n_starts=4, starts_compared=("k-means++",), max_iterations=64)
    few = replace(few, tolerance=1e-2)
    search = search_of(few, table, select(table, default_columns(describe_columns(table), None)))
    search.begin()
    search.done.wait()
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
    search.begin()
    search.done.wait()
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


@pytest.mark.browser
def test_explore_says_whether_its_fit_is_the_best_and_offers_the_better_one(
    app: str, page: Page
) -> None:
    page.goto(f"{app}/?v=1&e=iris&k=3&seed=22")
    page.get_by_role("button", name="Is this the best answer?").click()
    expect(page.get_by_text("nats better")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Show the better one").click()
    expect(page.get_by_text("180.19").first).to_be_visible()
    idle(page)
    page.get_by_role("button", name="Is this the best answer?").click()
    yes = page.get_by_text(re.compile("Yes, as far as 30 other starts by .+ can tell:"))
    expect(yes).to_be_visible(timeout=60_000)
