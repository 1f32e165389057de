"""How well classes are told apart: by hand, by brute force, and at the edges."""

import itertools
import math

import numpy as np
import pytest

from em_core import Bernoulli, Categorical, FactorAnalysis, Gaussian, HiddenMarkov, Mixture, fit
from em_core.fit import Fit, finished
from em_core.half_steps import HalfStep
from em_core.inference import class_quality
from support.families_at_hand import cases

CASES = cases()


def given(model, params, data, weights=None) -> Fit:
    """A fit that is at given parameters."""
    data = model.check(data)
    q = model.e_step(params, data, weights)
    step = HalfStep(0, "start", params, params, np.nan, q.log_likelihood, (), q.entropy)
    return finished(model, [step], "converged", data, weights)


def two_classes(chances, shares=(0.25, 0.75)):
    model = Mixture(Bernoulli(), 2)
    return model, model.params(shares, probabilities=chances)


def test_numbers_by_hand():
    """One item: p(1) is .8 in a class of .25 and .2 in one of .75. So p(class 1 | 1) = .2 / .35
    and p(class 1 | 0) = .05 / .65."""
    model, params = two_classes([[0.8], [0.2]])
    data = np.array([[1.0]] * 3 + [[0.0]] * 5)
    found = class_quality(given(model, params, data), data)
    one, zero = 0.2 / 0.35, 0.05 / 0.65

    def entropy(p):
        return -p * math.log(p) - (1 - p) * math.log(1 - p)

    share = (3 * one + 5 * zero) / 8
    assert found.entropy == pytest.approx(3 * entropy(one) + 5 * entropy(zero))
    assert found.relative_entropy == pytest.approx(1 - found.entropy / (8 * math.log(2)))
    assert found.average_posteriors == pytest.approx(np.array([[one, 1 - one], [zero, 1 - zero]]))
    assert found.shares == pytest.approx([share, 1 - share])
    assert found.smallest_share == pytest.approx(share)
    assert found.assigned_shares == pytest.approx([3 / 8, 5 / 8])
    assert found.rows.tolist() == [3, 5]
    assert found.classification_error == pytest.approx((3 * (1 - one) + 5 * zero) / 8)
    assert found.odds_of_correct_classification[0] == pytest.approx(
        one / (1 - one) / (share / (1 - share))
    )
    assert found.parameters.tolist() == [1, 1]
    assert found.path_entropy is None


def test_classes_that_are_told_apart_without_doubt():
    """Entropy 1 and ICL = BIC; odds without bound."""
    model, params = two_classes([[1.0, 1.0], [0.0, 0.0]])
    data = np.array([[1.0, 1.0]] * 2 + [[0.0, 0.0]] * 6)
    result = given(model, params, data)
    found = class_quality(result, data)
    assert found.relative_entropy == 1 and found.classification_error == 0
    assert found.average_posteriors.tolist() == [[1, 0], [0, 1]]
    assert np.isinf(found.odds_of_correct_classification).all()
    assert result.icl == pytest.approx(result.bic)


def test_classes_that_are_the_same_tell_only_their_shares():
    model, params = two_classes([[0.5], [0.5]])
    data = np.array([[1.0], [0.0], [0.0]])
    found = class_quality(given(model, params, data), data)
    entropy = -0.25 * math.log(0.25) - 0.75 * math.log(0.75)
    assert found.relative_entropy == pytest.approx(1 - entropy / math.log(2))
    # All rows are assigned to the second class: of the first nothing is known.
    assert np.isnan(found.average_posteriors[0]).all()
    assert np.isnan(found.odds_of_correct_classification[0])
    assert found.rows.tolist() == [0, 3] and found.assigned_shares.tolist() == [0, 1]
    assert found.odds_of_correct_classification[1] == pytest.approx(1)


def test_one_class_has_no_entropy():
    rows = np.random.default_rng(0).normal(size=(20, 2))
    found = class_quality(fit(Mixture(Gaussian(), 1), rows), rows)
    assert np.isnan(found.relative_entropy) and np.isnan(found.odds_of_correct_classification).all()
    assert found.entropy == 0 and found.classification_error == 0
    assert found.average_posteriors.tolist() == [[1]] and found.parameters.tolist() == [5]


@pytest.mark.parametrize("name", [name for name in CASES if "factor analysis" not in name])
def test_weights_are_copies(name):
    case = CASES[name]
    if name.startswith("two levels") or name == "probabilistic PCA":
        with pytest.raises(ValueError, match="has no classes"):
            class_quality(given(case.model, case.start(0), case.data), case.data)
        return
    data = case.model.check(case.data)
    counts = np.arange(len(data)) % 3
    if isinstance(data, list):
        counts = counts + 1
        copies = [part for part, n in zip(data, counts, strict=True) for _ in range(n)]
    else:
        copies = np.repeat(data, counts, axis=0)
    params = case.start(0, 2)
    weighted = class_quality(given(case.model, params, data, counts * 1.0), data, counts)
    copied = class_quality(given(case.model, params, copies), copies)
    for left, right in zip(weighted, copied, strict=True):
        if left is not None:
            np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-12)


def test_states_are_told_by_their_marginals():
    """By brute force over all paths; the entropy of the paths stands beside that of the frames."""
    model = HiddenMarkov(Categorical((3,)), 2)
    params = model.params(
        [[0.9, 0.1], [0.3, 0.7]], [0.6, 0.4], probabilities=[[[0.7, 0.2, 0.1]], [[0.1, 0.3, 0.6]]]
    )
    answers = [0, 1, 2, 2, 0]
    data = [np.array(answers, dtype=float)[:, None]]
    joint = {}
    for path in itertools.product(range(2), repeat=5):
        p = params.initial_probabilities[path[0]]
        for before, after in itertools.pairwise(path):
            p *= params.transition_matrix[before, after]
        for state, answer in zip(path, answers, strict=True):
            p *= params.probabilities[state, 0, answer]
        joint[path] = p
    total = sum(joint.values())
    marginals = np.zeros((5, 2))
    for path, p in joint.items():
        marginals[range(5), path] += p / total
    found = class_quality(given(model, params, data), data)
    assert found.shares == pytest.approx(marginals.mean(axis=0))
    assert found.entropy == pytest.approx(-(marginals * np.log(marginals)).sum())
    assert found.path_entropy == pytest.approx(
        -sum(p / total * math.log(p / total) for p in joint.values())
    )
    assert found.path_entropy < found.entropy
    assert found.classification_error == pytest.approx(1 - marginals.max(axis=1).mean())
    assert found.rows.sum() == 5


def test_new_rows_are_taken_and_factors_are_no_classes():
    rows = np.random.default_rng(0).normal(size=(30, 4))
    result = fit(Mixture(Gaussian("diag"), 2), rows)
    holed = np.full((2, 4), np.nan)
    assert class_quality(result, holed).shares == pytest.approx(result.params.weights)
    with pytest.raises(ValueError, match="FactorAnalysis has no classes"):
        class_quality(fit(FactorAnalysis(1), rows), rows)
    with pytest.raises(ValueError, match="weights have shape"):
        class_quality(result, rows, [1.0, 2.0])
