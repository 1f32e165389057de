"""Split halves: what must agree agrees, what is chance does not, and all rows are in one half."""

import inspect
import pickle
from typing import get_args

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from em_core import Bernoulli, FactorAnalysis, Gaussian, HiddenMarkov, Mixture, fit, inference
from em_core.inference import replication, split_half, split_half_steps
from em_core.inference.replicates import Table

RNG = np.random.default_rng(0)
CLASSES = RNG.integers(3, size=240)
ROWS = RNG.normal(size=(240, 2)) + 9 * np.eye(3)[CLASSES][:, :2]
MODEL = Mixture(Gaussian("full"), 3)


def test_clear_classes_are_found_in_both_halves_and_chance_is_not() -> None:
    found = split_half(fit(MODEL, ROWS, seed=0), ROWS, splits=3, starts=5)
    assert found.adjusted_rand.shape == (3, 2) and found.adjusted_rand.min() > 0.97
    assert found.mean_stayed > 0.98 and found.failed == 0 and found.sentences == ()
    true = np.bincount(CLASSES) / 240
    for half in found.shares.reshape(6, 3):
        np.testing.assert_allclose(np.sort(half), np.sort(true), atol=0.03)
    np.testing.assert_allclose(found.shares[:, 0], found.shares[:, 1], atol=0.03)
    noise = RNG.normal(size=(240, 2))
    none = split_half(fit(MODEL, noise, seed=0), noise, splits=2, starts=3)
    assert none.mean < 0.8 < found.mean
    again = split_half(fit(MODEL, noise, seed=0), noise, splits=2, starts=3)
    np.testing.assert_array_equal(none.adjusted_rand, again.adjusted_rand)


def test_the_index_is_that_of_the_two_assignments() -> None:
    result = fit(MODEL, ROWS, seed=0)
    steps, told = split_half_steps(result, ROWS, 2, seed=4, starts=2), []
    try:
        while True:
            told.append(next(steps))
    except StopIteration as end:
        found = end.value
    assert told == [0.25, 0.5, 0.75, 1.0]
    rng = replication.seeds_of(4, 2)[0]
    one, two = replication._drawn(Table(ROWS, None), True, rng)
    fits = [replication._fitted(MODEL, h, result, range(2), None, 1e-3) for h in (one, two)]
    labels = [MODEL.predict(params, one.data) for params in fits]
    assert found.adjusted_rand[0, 0] == pytest.approx(adjusted_rand_score(*labels), rel=1e-12)


def test_copies_are_split_one_by_one_and_other_weights_stay_with_their_rows() -> None:
    rows, counts = np.arange(8.0).reshape(4, 2), np.array([5.0, 1.0, 0.0, 2.0])
    rng = np.random.default_rng(0)
    one, two = replication._drawn(Table(rows, counts), True, rng)
    totals = np.zeros(4)
    for half in (one, two):
        weights = np.ones(len(half.data)) if half.weights is None else half.weights
        assert weights.sum() == 4
        totals[(half.data[:, 0] / 2).astype(int)] += weights
    assert totals.tolist() == counts.tolist()
    one, two = replication._drawn(Table(rows, counts), False, rng)
    assert sorted([*one.weights, *two.weights]) == [0, 1, 2, 5] and len(one.data) == 2


def test_items_keep_their_levels_and_sequences_stay_whole() -> None:
    items = (RNG.random((300, 5)) < np.where(RNG.random(300) < 0.4, 0.9, 0.1)[:, None]).astype(
        float
    )
    patterns, counts = np.unique(items, axis=0, return_counts=True)
    model = Mixture(Bernoulli(), 2)
    result = fit(model, patterns, seed=0, weights=counts)
    found = split_half(result, patterns, splits=2, starts=3, weights=counts)
    assert found.mean > 0.6
    states = [np.repeat([0, 1, 0, 1], 10) for _ in range(6)]
    sequences = [s[:, None] * 8 + RNG.normal(size=(40, 1)) for s in states]
    chain = HiddenMarkov(Gaussian("full"), 2)
    found = split_half(fit(chain, sequences, seed=0), sequences, splits=2, starts=2)
    assert found.splits == 2 and found.mean > 0.95
    one = split_half(fit(chain, sequences[:1], seed=0), sequences[:1], splits=5, starts=2)
    assert one.splits == 1 and "cut in the middle" in one.sentences[0] and one.mean > 0.9


def test_what_cannot_be_split_is_told() -> None:
    factors = FactorAnalysis(1)
    rows = RNG.normal(size=(50, 4))
    with pytest.raises(ValueError, match="no classes"):
        split_half(fit(factors, rows, seed=0), rows)
    result = fit(MODEL, ROWS, seed=0)
    with pytest.raises(ValueError, match="at least one split"):
        split_half(result, ROWS, splits=0)
    few = ROWS[:5]
    found = split_half(result, few, splits=2, starts=2)
    assert found.failed == 2 and np.isnan(found.mean) and "2 of 2 splits" in found.sentences[0]


@pytest.mark.parametrize(
    ("at_once", "steps"),
    [
        (inference.bootstrap, inference.bootstrap_steps),
        (inference.likelihood_ratio, inference.likelihood_ratio_steps),
        (inference.split_half, inference.split_half_steps),
    ],
)
def test_what_is_done_at_once_takes_what_it_takes_in_steps(at_once, steps) -> None:
    """One signature and one docstring; and a process that is sent the function finds it."""
    of_both = inspect.signature(at_once), inspect.signature(steps, eval_str=True)
    assert of_both[0].parameters == of_both[1].parameters
    assert of_both[0].return_annotation is get_args(of_both[1].return_annotation)[2]
    assert f"{at_once.__name__}_steps" == steps.__name__ and at_once.__doc__ == steps.__doc__
    assert pickle.loads(pickle.dumps(at_once)) is at_once
