"""The test of a smaller against a larger model: its level, its power, and its rules."""

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
    ProbabilisticPCA,
    Standardised,
    StudentT,
    TwoLevel,
    inference,
    restarts,
)
from em_core.inference.nesting import is_nested
from em_core.inference.ratio_testing import ENOUGH, likelihood_ratio

TWO = np.array([[0.9] * 6, [0.1] * 6])
THREE = np.concatenate([TWO, [[0.9, 0.9, 0.9, 0.1, 0.1, 0.1]]])
MODELS = Mixture(Bernoulli(), 2), Mixture(Bernoulli(), 3)


def answers(rng, chances, shares, n: int) -> np.ndarray:
    labels = rng.choice(len(shares), size=n, p=shares)
    return (rng.random((n, chances.shape[1])) < chances[labels]).astype(float)


def test_the_statistic_is_twice_the_difference_of_the_best_optima():
    rng = np.random.default_rng(0)
    data = answers(rng, THREE, [0.4, 0.3, 0.3], 400)
    found = likelihood_ratio(*MODELS, data, replicates=19)
    best = [restarts(model, data, range(20)).best.log_likelihood for model in MODELS]
    assert found.statistic == pytest.approx(2 * (best[1] - best[0]), abs=0.01)
    assert found.smaller.log_likelihood == pytest.approx(best[0], abs=0.01)
    assert (found.exceeding, found.p_value, len(found.statistics)) == (0, 1 / 20, 19)
    assert not found.stopped_early and not found.sentences


@pytest.mark.slow
def test_under_the_smaller_model_it_holds_its_level():
    """Of 12 tables about 1 in 20 is rejected, and p-values are spread over their range."""
    p_values = []
    for seed in range(12):
        data = answers(np.random.default_rng(seed), TWO[:, :4], [0.5, 0.5], 200)
        found = likelihood_ratio(*MODELS, data, replicates=19, seed=seed, starts=4)
        p_values.append(found.p_value)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.1
    assert 0.3 < np.mean(p_values) < 0.7


def test_a_third_class_is_found():
    for seed in range(3):
        data = answers(np.random.default_rng(seed), THREE, [0.4, 0.3, 0.3], 300)
        assert likelihood_ratio(*MODELS, data, 19, seed, starts=5).p_value == 1 / 20


def test_it_stops_where_ten_replicates_are_as_large():
    data = answers(np.random.default_rng(1), TWO, [0.5, 0.5], 200)
    short = likelihood_ratio(*MODELS, data, replicates=60, starts=4)
    whole = likelihood_ratio(*MODELS, data, replicates=60, starts=4, sequential=False)
    assert short.stopped_early and short.exceeding == ENOUGH
    n = len(short.statistics)
    assert n < 60 and short.p_value == ENOUGH / n
    np.testing.assert_allclose(short.statistics, whole.statistics[:n])
    assert short.statistics[-1] >= short.statistic
    assert whole.p_value == (whole.exceeding + 1) / 61
    assert f"Stopped after {n} replicates" in short.sentences[0]


def test_patterns_with_frequencies_are_the_rows():
    data = answers(np.random.default_rng(1), TWO, [0.5, 0.5], 150)
    once, counts = np.unique(data, axis=0, return_counts=True)
    left = likelihood_ratio(*MODELS, data, replicates=5, starts=3)
    right = likelihood_ratio(*MODELS, once, replicates=5, starts=3, weights=counts)
    assert left.statistic == pytest.approx(right.statistic, abs=0.02)
    assert right.smaller.log_likelihood == pytest.approx(left.smaller.log_likelihood, abs=0.02)


@pytest.mark.parametrize("holes", [False, True])
def test_families(holes):
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(80, 3)) + np.repeat([[0, 0, 0], [4, 4, 0]], 40, axis=0)
    if holes:
        rows[::9, 2] = np.nan
    for smaller, larger in (
        (Mixture(Gaussian("EII"), 1), Mixture(Gaussian("EII"), 2)),
        (Mixture(Gaussian("VII"), 2), Mixture(Gaussian("VVI"), 2)),
    ):
        found = likelihood_ratio(smaller, larger, rows, replicates=9, starts=3)
        assert found.statistic > 0 and found.failed == 0 and 0 < found.p_value <= 1
    assert (
        likelihood_ratio(
            Mixture(Gaussian("EII"), 1), Mixture(Gaussian("EII"), 2), rows, 9, starts=3
        ).p_value
        == 0.1
    )


def test_sequences_and_factors():
    rng = np.random.default_rng(4)
    model = HiddenMarkov(Gaussian("tied"), 2)
    truth = model.params([[0.9, 0.1], [0.1, 0.9]], means=[[-2], [2]], covariances=[[[1.0]]] * 2)
    data, _ = model.sample(truth, [12] * 8, rng)
    found = likelihood_ratio(HiddenMarkov(Gaussian("tied"), 1), model, data, 4, starts=1)
    assert found.p_value == 0.2
    loadings = np.array([[1, 0], [1, 0], [1, 0], [0, 1], [0, 1], [0, 1]])
    rows = rng.normal(size=(150, 2)) @ loadings.T + 0.5 * rng.normal(size=(150, 6))
    found = likelihood_ratio(FactorAnalysis(1), FactorAnalysis(2), rows, 4, starts=1)
    assert found.p_value == 0.2 and (found.statistics > -0.02).all()


class Blind(Mixture):
    """Three classes that half of all starts make the same, where EM leaves them."""

    def initial_params(self, data, method, rng, weights=None):
        if self.n_components < 3 or rng.random() < 0.5:
            return super().initial_params(data, method, rng, weights)
        equal = np.full((3, data.shape[1]), 0.5)
        return self.params(np.ones(3), probabilities=equal)


def test_where_the_larger_model_ends_lower_it_is_run_again():
    data = answers(np.random.default_rng(2), TWO, [0.5, 0.5], 100)
    found = likelihood_ratio(
        Blind(Bernoulli(), 2), Blind(Bernoulli(), 3), data, 20, starts=1, sequential=False
    )
    assert 4 <= found.negative <= 16
    assert f"In {found.negative} of 20 replicates the larger model ended lower" in str(
        found.sentences
    )
    # Four more starts are all blind in one of sixteen.
    assert (found.statistics < -0.02).sum() <= 3


NESTED = [
    (Mixture(Gaussian("EII"), 2), Mixture(Gaussian("VVV"), 2)),
    (Mixture(Gaussian("tied"), 2), Mixture(Gaussian("full"), 3)),
    (Mixture(Gaussian("VEI"), 2), Mixture(Gaussian("VVE"), 2)),
    (Mixture(Categorical(), 1), Mixture(Categorical(), 2)),
    (HiddenMarkov(Poisson(), 2), HiddenMarkov(Poisson(), 3)),
    (FactorAnalysis(1), FactorAnalysis(3)),
]
OTHER = [
    (Mixture(Gaussian("EVI"), 2), Mixture(Gaussian("VEI"), 2)),
    (Mixture(Gaussian(), 3), Mixture(Gaussian("EII"), 4)),
    (Mixture(Gaussian(), 2), Mixture(Gaussian(), 2)),
    (Mixture(Gaussian(), 2), Mixture(StudentT(), 3)),
    (Mixture(StudentT("full", 4.0), 2), Mixture(StudentT("full", 5.0), 3)),
    (Mixture(Bernoulli(), 2), HiddenMarkov(Bernoulli(), 3)),
    (HiddenMarkov(Poisson(), 2), HiddenMarkov(Poisson(), 3, initial="stationary")),
    (ProbabilisticPCA(1), FactorAnalysis(1)),
    (TwoLevel(), TwoLevel(1e-3)),
]


def test_models_are_nested_or_not_compared():
    rows = np.random.default_rng(0).normal(size=(30, 2))
    for smaller, larger in NESTED:
        assert is_nested(smaller, larger) and not is_nested(larger, smaller)
    for smaller, larger in OTHER:
        assert not is_nested(smaller, larger)
        with pytest.raises(ValueError, match="no special case"):
            inference.likelihood_ratio(smaller, larger, rows)
    one, other = (Standardised.of(Mixture(Gaussian("EEE"), k), rows) for k in (1, 2))
    assert is_nested(one, other)
    assert not is_nested(one, Standardised.of(Mixture(Gaussian("EEE"), 2), 2 * rows))


def test_what_cannot_be_done_is_said():
    rows = np.random.default_rng(0).normal(size=(30, 2))
    models = Mixture(Gaussian(), 1), Mixture(Gaussian(), 2)
    for arguments in ({"replicates": 0}, {"starts": 0}):
        with pytest.raises(ValueError, match="at least one replicate and one start"):
            likelihood_ratio(*models, rows, **arguments)
    flat = np.repeat([[0.0, 0.0], [1.0, 1.0]], 10, axis=0)
    found = likelihood_ratio(*models, flat, 5)
    assert np.isnan(found.p_value) and np.isnan(found.statistic)
    assert "there is no test" in found.sentences[0]
