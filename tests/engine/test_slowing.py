"""What is called converged has arrived: a fit that only slowed down goes on, and says so."""

import numpy as np
import pytest

from em_core import FactorAnalysis, Gaussian, Mixture, TwoLevel, em, fit
from em_core.datasets import load
from em_core.slowing import cautious_outlook, outlook

TOLERANCE = 1e-3
DIABETES, USARRESTS = load("diabetes").values, load("usarrests").values
# Called converged by the rate of the last gains 0.5, 0.18 and 16 nats short.
SLOWED = [
    (Mixture(Gaussian("tied"), 4), DIABETES),
    (Mixture(Gaussian("full"), 3), USARRESTS),
    (Mixture(Gaussian("full"), 5), USARRESTS),
]


def log_likelihoods(steps):
    return [step.log_likelihood for step in steps if step.phase != "M"]


@pytest.mark.parametrize("case", range(len(SLOWED)))
def test_a_fit_that_only_slowed_down_goes_on_to_where_little_is_left(case):
    model, data = SLOWED[case]
    start = model.initial_params(data, "k-means++", np.random.default_rng(0))
    plain = list(em(model, data, start))
    result = fit(model, data)
    assert result.stop_reason == "converged"
    assert log_likelihoods(result.trace)[: len(plain) // 2 + 1] == log_likelihoods(plain)
    *_, further = em(model, data, result.params, tolerance=1e-9, max_iterations=3000)
    assert further.log_likelihood - result.log_likelihood < TOLERANCE
    assert further.log_likelihood - plain[-1].log_likelihood > 100 * TOLERANCE


def test_leaps_climb_say_what_they_are_and_come_only_after_em_has_slowed_down():
    model, data = SLOWED[0]
    start = model.initial_params(data, "k-means++", np.random.default_rng(0))
    n_plain = len(list(em(model, data, start)))
    trace = fit(model, data).trace
    leaps = [place for place, step in enumerate(trace) if step.is_leap]
    assert leaps and min(leaps) > n_plain
    for place in leaps:
        assert "EM had only slowed down" in trace[place].flags[-1]
        assert trace[place].log_likelihood > trace[place - 1].log_likelihood
        assert abs(trace[place].kl) < 1e-9 * abs(trace[place].log_likelihood)
    iterations = [step.iteration for step in trace]
    assert iterations == [0, *np.repeat(np.arange(1, len(trace) // 2 + 1), 2)]


def test_a_fit_that_has_arrived_is_that_of_em_to_the_last_bit():
    model, data = Mixture(Gaussian("full"), 3), load("iris").values
    start = model.initial_params(data, "k-means++", np.random.default_rng(0))
    trace, plain = fit(model, data).trace, list(em(model, data, start))
    assert [s[:2] + s[4:] for s in trace] == [s[:2] + s[4:] for s in plain]


def test_going_on_stays_within_the_most_iterations():
    model, data = SLOWED[1]
    whole = fit(model, data)
    for most in (18, 19, 20, 25):
        short = fit(model, data, max_iterations=most)
        assert short.n_iterations <= most
        n = len(short.trace)
        assert log_likelihoods(short.trace) == log_likelihoods(whole.trace[:n])
    assert short.stop_reason == "max_iterations"


def test_a_model_without_coordinates_goes_on_by_em_alone():
    class Plain(Mixture):
        domains = None

    result = fit(Plain(Gaussian("full"), 3), USARRESTS)
    assert not any(step.is_leap for step in result.trace)
    assert abs(result.log_likelihood - fit(*SLOWED[1]).log_likelihood) < TOLERANCE


def test_other_models_arrive_as_well():
    rng = np.random.default_rng(3)
    data = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 6)) + rng.normal(size=(60, 6))
    result = fit(FactorAnalysis(2), data)
    longer = fit(FactorAnalysis(2), data, start=result.params, tolerance=1e-9)
    assert longer.log_likelihood - result.log_likelihood < TOLERANCE


def test_two_rates_are_told_apart():
    """Gains of 0.3^t and of a hundredth of 0.9^t: what is left is their sum."""
    t = np.arange(1, 7)
    climbed = [0.0, *np.cumsum(0.3**t + 0.01 * 0.9**t)]
    left = 0.3**7 / 0.7 + 0.01 * 0.9**7 / 0.1
    assert outlook(climbed).left == pytest.approx(left)
    assert outlook(climbed).rate == pytest.approx(0.9)
    assert cautious_outlook(climbed).left > left
    growing = [0.0, *np.cumsum(0.3**t + 1e-4 * 1.2**t)]
    assert outlook(growing).left == np.inf == outlook(climbed[:4]).left


@pytest.mark.parametrize(("seed", "spread"), [(20380714, 1.0), (20380772, 3.0), (20380749, 1.0)])
def test_a_leap_along_a_floor_does_not_end_below_it(seed: int, spread: float) -> None:
    """With as few groups as columns the variance between them is at its floor all along."""
    rng = np.random.default_rng(seed)
    n_groups, width, size = (int(rng.integers(*ends)) for ends in ((2, 7), (2, 7), (3, 30)))
    shift = [rng.normal(size=(size, width)) + spread * rng.normal(size=width)
             for _ in range(n_groups)]  # fmt: skip
    if rng.random() < 0.5:
        mixing = rng.normal(size=(width, width))
        mixing[:, 0] *= 10
        shift = [rows @ mixing for rows in shift]
    result = fit(TwoLevel(), shift)
    assert result.stop_reason in ("converged", "max_iterations")
    heights = [step.log_likelihood for step in result.trace]
    assert np.diff(heights).min() > -1e-9 * max(map(abs, heights))
