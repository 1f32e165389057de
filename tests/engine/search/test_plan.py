"""The default search: several kinds of start, then splits and merges of what they find."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from em_core import (
    Bernoulli,
    Categorical,
    FactorAnalysis,
    Gaussian,
    HiddenMarkov,
    Mixture,
    Poisson,
    StudentT,
    fit,
    restarts,
)
from em_core.datasets import load
from em_core.search.evidence import at_most, evidence, kinds_that_agree, unseen
from em_core.search.plan import SPLIT_AND_MERGE, plan
from em_core.search.restarts import go_on
from em_core.search.split_and_merge import Neighbourhood, split_and_merge
from em_core.search.success import success_rate

IRIS = load("iris").values
THREE, FOUR = Mixture(Gaussian(), 3), Mixture(Gaussian(), 4)


def two_in_one() -> tuple[Mixture, np.ndarray, object]:
    """Five clusters in a row, and an answer in which one component covers two of them while two
    share another."""
    rng = np.random.default_rng(0)
    centres = np.arange(5) * 20.0
    data = (centres[:, None] + rng.normal(size=(5, 80))).reshape(-1, 1)
    model = Mixture(Gaussian(), 5)
    labels = np.repeat([0, 0, 1, 2, 3], 80)
    labels[320:] = rng.integers(3, 5, 80)
    return model, data, model.params_from_responsibilities(data, np.eye(5)[labels])


def test_a_component_is_carried_across_a_gap() -> None:
    model, data, trapped = two_in_one()
    moves = split_and_merge(model, data, trapped, np.random.default_rng(1))
    first = next(moves)
    found = np.sort(first.means[:, 0])
    assert np.abs(found - np.arange(5) * 20).max() < 1


def test_every_split_comes_with_its_cheapest_merge_before_any_with_its_second() -> None:
    model, data, trapped = two_in_one()
    moves = list(split_and_merge(model, data, trapped, np.random.default_rng(1)))
    assert len({move.means.tobytes() for move in moves}) == len(moves) > 5


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (Mixture(Gaussian("tied"), 4), IRIS),
        (Mixture(StudentT("diag"), 2), IRIS),
        (Mixture(Bernoulli(), 3), load("lsat6").values),
        (Mixture(Categorical(), 3), load("lsat6").values),
        (Mixture(Poisson(), 3), load("earthquakes").values[:, -1:]),
        (HiddenMarkov(Gaussian(), 3), [IRIS[:70], IRIS[70:]]),
    ],
    ids=["tied", "student", "bernoulli", "categorical", "poisson", "hidden Markov"],
)
def test_what_has_components_is_split_and_merged(model, data) -> None:
    start = model.initial_params(data, "k-means++", np.random.default_rng(0))
    move = next(split_and_merge(model, data, start, np.random.default_rng(0)))
    assert np.isfinite(model.e_step(move, data).log_likelihood)


def test_of_the_starts_beside_an_answer_those_that_rise_fastest_are_handed_out() -> None:
    start = FOUR.initial_params(IRIS, "k-means++", np.random.default_rng(1))
    answer = fit(FOUR, IRIS, start=start).params
    beside, handed = Neighbourhood(FOUR, IRIS, answer), []
    while (params := beside.next(np.random.default_rng(0))) is not None:
        handed.append(FOUR.e_step(params, IRIS).log_likelihood)
    every = list(split_and_merge(FOUR, IRIS, answer, np.random.default_rng(0)))
    assert handed[:6] == sorted(handed[:6], reverse=True) and len(handed) < len(every)
    # They come after a few iterations: already above where the moves put them.
    assert handed[0] > max(FOUR.e_step(params, IRIS).log_likelihood for params in every)


def test_where_nothing_is_left_beside_the_best_answers_there_is_beside_others() -> None:
    found = restarts(FOUR, IRIS, range(50))
    moved = [fit for fit in found.fits if fit.start == SPLIT_AND_MERGE]
    assert len(moved) == 25 and len({fit.parent for fit in moved}) > 2


def test_rows_of_no_weight_have_no_part() -> None:
    model, data, trapped = two_in_one()
    weights = np.ones(len(data))
    far = np.concatenate([data, [[1e4]]])
    with_far = next(
        split_and_merge(model, far, trapped, np.random.default_rng(1), np.append(weights, 0.0))
    )
    assert np.abs(np.sort(with_far.means[:, 0]) - np.arange(5) * 20).max() < 1


def test_the_kinds_take_turns_and_what_no_seed_changes_has_one() -> None:
    planned = plan(THREE, list(range(50)))
    assert sorted(start.seed for start in planned) == list(range(50))
    alone = [start.name for start in planned if start.round == 0]
    assert len(alone) == 25
    assert alone.count("hierarchical") == alone.count("model-based hierarchical") == 1
    assert "short runs" not in alone
    rest = {name: alone.count(name) for name in alone if "hierarchical" not in name}
    assert len(rest) == 4 and max(rest.values()) - min(rest.values()) <= 1
    assert {start.name for start in planned if start.round} == {SPLIT_AND_MERGE}
    assert [plan(THREE, [7])[0].name] == ["k-means++"]


@pytest.mark.parametrize("model", [Mixture(Gaussian(), 1), FactorAnalysis(2)])
def test_without_components_to_move_all_starts_are_independent(model) -> None:
    assert {start.round for start in plan(model, list(range(20)))} == {0}


def test_the_default_search_is_the_same_again_and_says_where_each_start_comes_from() -> None:
    model, data, _ = two_in_one()
    once, again = (restarts(model, data, range(20)) for _ in range(2))
    assert [(f.start, f.seed, f.parent, f.log_likelihood) for f in once.fits] == [
        (f.start, f.seed, f.parent, f.log_likelihood) for f in again.fits
    ]
    known = {(fit.start, fit.seed) for fit in once.fits}
    moved = [fit for fit in once.fits if fit.start == SPLIT_AND_MERGE]
    assert moved and all(fit.parent in known for fit in moved)
    assert all(fit.parent is None for fit in once.fits if fit.start != SPLIT_AND_MERGE)
    assert "independent starts and" in once.verdict
    reached = once.landscape.reached
    assert reached.n_reached == once.optima[0].count and reached.n_starts == 20
    assert reached.n_made == len(moved) and reached.in_words in once.verdict
    there = pickle.loads(pickle.dumps(once))
    assert [fit.parent for fit in there.fits] == [fit.parent for fit in once.fits]


def test_it_finds_what_starts_of_one_kind_miss() -> None:
    wreath = load("wreath").values
    model = Mixture(Gaussian(), 10)
    alone = restarts(model, wreath, range(30), "k-means++").best.log_likelihood
    assert restarts(model, wreath, range(30)).best.log_likelihood > alone + 10


def test_what_only_moves_have_found_is_not_replicated() -> None:
    best = restarts(THREE, IRIS, range(4), "k-means++").optima[0]
    assert best.replicated
    moved = tuple(replace(fit, parent=("k-means++", 0)) for fit in best.fits)
    assert not replace(best, fits=moved).replicated


def test_a_search_that_was_cut_short_is_taken_up_with_its_moves() -> None:
    model, data, _ = two_in_one()
    cut = restarts(model, data, range(20), max_iterations=3)
    further = go_on(model, data, cut.ends)
    assert len(further.fits) == len(cut.fits)
    assert further.best.log_likelihood >= cut.best.log_likelihood


def test_good_and_turings_chance_is_that_of_starts_to_come() -> None:
    """The share of 300 further starts that end where none of the first 25 has, lies within the
    interval; with one optimum only it is 0, up to 1 - 0.05^(1/n)."""
    first = restarts(Mixture(Gaussian("diag"), 4), IRIS, range(25), "random points")
    all_of_them = restarts(Mixture(Gaussian("diag"), 4), IRIS, range(325), "random points")
    known = unseen(first.landscape, "random points")
    news = total = 0
    for optimum in all_of_them.optima:
        seeds = [fit.seed for fit in optimum.fits]
        later = sum(seed >= 25 for seed in seeds)
        total += later
        news += later if min(seeds) >= 25 else 0
    assert known.interval.low <= news / total <= known.interval.high
    assert at_most(50) == pytest.approx(3 / 50, rel=0.05)


def test_evidence_speaks_of_kinds() -> None:
    found = restarts(THREE, IRIS, range(4), ["k-means++", "random points"]).landscape
    said = " ".join(evidence(found))
    agree = kinds_that_agree(found)
    assert f"{len(agree)} of 2 kinds of start reached the best" in said
    assert f"at most {100 * at_most(len(found.fits)):.0f}\xa0%" in said
    alone = restarts(THREE, IRIS, range(4), "k-means++").landscape
    assert "All are of one kind, k-means++" in " ".join(evidence(alone))
    assert success_rate(alone, "k-means++").n_starts == 4
