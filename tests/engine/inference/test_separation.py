"""Which columns tell classes apart: by hand, by simulation, by closed forms."""

import numpy as np
import pytest
from scipy.special import gammaln, ndtr, xlogy

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
)
from em_core.fit import Fit
from em_core.half_steps import HalfStep
from em_core.inference import separation
from em_core.inference.quadrature import nodes
from support.families_at_hand import cases


def at(model, params) -> Fit:
    step = HalfStep(0, "start", params, params, 0.0, 0.0, (), 0.0)
    return Fit(model, (step,), "converged", 1.0, None)


def test_items_by_hand():
    """Answers 0 and 1 in classes of a half: H(class) = log 2, H(class | x) = H(0.9)."""
    model = Mixture(Bernoulli(), 2)
    params = model.params([0.5, 0.5], probabilities=[[0.9, 0.5, 1], [0.1, 0.5, 0]])
    found = separation(at(model, params), None)
    entropy = -0.9 * np.log(0.9) - 0.1 * np.log(0.1)
    assert found.class_entropy == pytest.approx(np.log(2))
    assert found.columns == pytest.approx([1 - entropy / np.log(2), 0, 1])
    assert found.nats == pytest.approx([np.log(2) - entropy, 0, np.log(2)])
    assert found.bayes_errors == pytest.approx(np.zeros((2, 2)))
    params = model.params([0.5, 0.5], probabilities=[[0.9], [0.1]])
    assert separation(at(model, params), None).bayes_errors[0, 1] == pytest.approx(0.1)


def test_two_normal_distributions():
    """The error of two of the same deviation is the normal distribution's at half their distance;
    mutual information against a fine sum."""
    model = Mixture(Gaussian(), 2)
    params = model.params([0.5, 0.5], means=[[0, 5], [2, 5]], covariances=[np.eye(2)] * 2)
    found = separation(at(model, params), None)
    assert found.bayes_errors[0, 1] == pytest.approx(ndtr(-1), abs=3e-3)
    x = np.linspace(-12, 14, 200_001)
    one, two = (np.exp(-((x - m) ** 2) / 2) / np.sqrt(2 * np.pi) for m in (0, 2))
    p = one / (one + two)
    conditional = -(xlogy(p, p) + xlogy(1 - p, 1 - p)) * (one + two) / 2
    expected = np.log(2) - conditional.sum() * (x[1] - x[0])
    assert found.nats == pytest.approx([expected, 0], abs=1e-10)


@pytest.mark.parametrize("degrees", [0.1, 1.0, 3.0, 200.0])
def test_columns_are_covered_to_the_end_of_their_tails(degrees):
    emission = StudentT("full", degrees)
    params = emission.params(2, means=[[1e6], [0]], covariances=[[[1e-6]], [[4]]])
    values, weights, logs = nodes(emission, params, 0)
    assert np.exp(logs) @ weights == pytest.approx([1, 1], rel=1e-6)
    # 1 / (1 + t^2 / nu) has a beta distribution.
    shares = 1 / (1 + (values / 2) ** 2 / degrees)
    assert np.exp(logs[1]) @ (weights * shares) == pytest.approx(degrees / (degrees + 1), rel=1e-9)


@pytest.mark.parametrize("rates", [[0.0, 3.0], [2.0, 40_000.0], [1e6, 1.001e6]])
def test_counts_are_summed_however_large(rates):
    model = Mixture(Poisson(), 2)
    params = model.params([0.5, 0.5], rates=np.array(rates)[:, None])
    _, weights, logs = nodes(model.emission, params.emission, 0)
    assert np.exp(logs) @ weights == pytest.approx([1, 1], rel=1e-9)
    found = separation(at(model, params), None)
    if rates[0] == 0:
        # A count above 0 tells; a 0 leaves it open.
        zero = np.exp(-3)
        p = 1 / (1 + zero)
        open_still = -(p * np.log(p) + (1 - p) * np.log(1 - p)) * (1 + zero) / 2
        assert found.nats == pytest.approx([np.log(2) - open_still])
    else:
        x = np.arange(990_000, 1_012_000)
        if rates[1] == 40_000:
            assert found.columns == pytest.approx([1])
        else:
            one, two = (np.exp(xlogy(x, r) - r - gammaln(x + 1)) for r in rates)
            p = one / (one + two)
            expected = np.log(2) + ((xlogy(p, p) + xlogy(1 - p, 1 - p)) * (one + two) / 2).sum()
            assert found.nats == pytest.approx([expected], rel=1e-5)


@pytest.mark.parametrize("name", ["Gaussian VVV", "Student t", "factor analysers", "Categorical"])
def test_what_a_column_tells_is_what_rows_that_are_drawn_say(name):
    case = cases()[name]
    result = fit(case.model, case.data)
    found = separation(result, case.data)
    rows, labels = case.model.sample(result.params, 60_000, np.random.default_rng(1))
    emission, params = case.model.emission, result.params
    for d in range(rows.shape[1]):
        logs = emission.column_log_density(params.emission, d, rows[:, d])
        logs = logs + np.log(params.weights)[:, None]
        own = logs[labels, np.arange(len(labels))] - np.logaddexp.reduce(logs, axis=0)
        gains = own - np.log(params.weights[labels])
        assert found.nats[d] == pytest.approx(gains.mean(), abs=5 * gains.std() / np.sqrt(60_000))


def test_states_count_by_how_often_the_chain_is_there():
    model = HiddenMarkov(Categorical((2,)), 2)
    params = model.params([[0.5, 0.5], [0, 1]], [1, 0], probabilities=[[[1.0, 0.0]], [[0.0, 1.0]]])
    found = separation(at(model, params), [np.zeros((2, 1)), np.zeros((1, 1))])
    # Of three frames, 1 + 0.5 + 1 are in the first state.
    share = 2.5 / 3
    assert found.class_entropy == pytest.approx(-xlogy(share, share) - xlogy(1 - share, 1 - share))
    assert found.columns == pytest.approx([1])


def test_one_class_and_none():
    rows = np.random.default_rng(0).normal(size=(30, 4))
    found = separation(fit(Mixture(Gaussian(), 1), rows), rows)
    assert np.isnan(found.columns).all() and found.class_entropy == 0
    assert found.bayes_errors.tolist() == [[0]]
    with pytest.raises(ValueError, match="only classes with columns"):
        separation(fit(FactorAnalysis(1), rows), rows)
