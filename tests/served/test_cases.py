"""Small tables of every kind of trouble (tests/tables), with what is right for each: values by
independent programs or in closed form, natural logarithms, totals with all constants."""

from pathlib import Path

import numpy as np
import pytest

from em_core import (
    Bernoulli,
    Categorical,
    Gaussian,
    HiddenMarkov,
    Mixture,
    Poisson,
    fit,
    restarts,
    select,
)
from support.tables import coded, table

TABLES = Path(__file__).parents[1] / "tables"
NATS = 1e-3


def best(model, data, seeds=range(6)):
    """The best fit that has not degenerated, from some starts, run until little is left."""
    runs = restarts(model, data, seeds, ["k-means++", "k-means"], tolerance=1e-4, confirm=False)
    assert runs.optima
    return fit(model, data, start=runs.best.params, tolerance=1e-6, max_iterations=5000)


def test_21_codes_with_gaps():
    frame = table("21")
    assert [np.unique(frame[c]).tolist() for c in frame] == [[0, 3, 5, 10], [1, 2], [-1, 1]]
    data = coded(frame)
    two = best(Mixture(Categorical(), 2), data)
    assert two.log_likelihood == pytest.approx(-44.02279, abs=NATS) and two.n_parameters == 11
    one = fit(Mixture(Categorical(), 1), data)
    assert one.log_likelihood == pytest.approx(-68.31879, abs=NATS)
    assert fit(Mixture(Bernoulli(), 2), data[:, 1:]).stop_reason == "converged"


def test_22_perfectly_separated():
    data = coded(table("22"))
    one, two = (best(Mixture(Bernoulli(), k), data) for k in (1, 2))
    # Three components cannot start on two distinct rows, but anywhere else.
    model = Mixture(Bernoulli(), 3)
    chances = np.random.default_rng(0).random((3, 5))
    three = fit(model, data, start=model.params(np.ones(3), probabilities=chances))
    assert one.log_likelihood == pytest.approx(-81.50319, abs=NATS)
    assert two.log_likelihood == pytest.approx(-16.300638, abs=1e-6)
    assert three.log_likelihood == pytest.approx(-16.300638, abs=NATS)
    assert two.n_parameters == 11 and two.bic == pytest.approx(67.55987, abs=NATS)
    assert two.icl == pytest.approx(two.bic, abs=1e-6)
    assert one.icl == pytest.approx(one.bic, abs=1e-9)
    np.testing.assert_allclose(np.sort(two.params.weights), [10 / 24, 14 / 24], atol=1e-9)
    chances = two.params.probabilities
    np.testing.assert_allclose(chances, np.round(chances), atol=1e-9)


@pytest.mark.parametrize("n_components", [1, 2, 3])
def test_23_independent(n_components):
    """Nothing to find, whatever the number of classes; and each costs its parameters."""
    data = coded(table("23"))
    result = best(Mixture(Bernoulli(), n_components), data, range(2))
    assert result.log_likelihood == pytest.approx(-72 * np.log(2), abs=NATS)
    assert result.icl >= result.bic - 1e-9
    one = fit(Mixture(Bernoulli(), 1), data)
    assert result.bic - one.bic == pytest.approx((n_components - 1) * 4 * np.log(24), abs=2 * NATS)


def test_23_one_class_is_chosen_by_every_criterion():
    models = {k: Mixture(Bernoulli(), k) for k in (1, 2, 3)}
    chosen = select(models, coded(table("23")), range(2))
    assert {chosen.best(criterion).label for criterion in ("bic", "icl", "aic")} == {1}


def test_24_a_level_seen_once():
    """A fold without mauve gives it probability 0: not -708 nats a cell, and no ranking by that."""
    data = coded(table("24"))
    one = fit(Mixture(Categorical(), 1), data)
    assert one.log_likelihood == pytest.approx(-59.13655, abs=NATS)
    mauve = data[:, 0] == data[-1, 0]
    assert mauve.sum() == 1
    for n_components in (1, 2):
        without = fit(Mixture(Categorical(), n_components), data[~mauve], max_iterations=50)
        held_out = without.posterior(data[mauve])
        assert held_out.log_densities.tolist() == [-np.inf]
        assert held_out.responsibilities.sum() == pytest.approx(1)
    models = {k: Mixture(Categorical(), k) for k in (1, 2)}
    chosen = select(models, data, range(3), folds=5)
    one, two = chosen.cells
    assert not np.isfinite(one.cross_validation.log_likelihood)
    assert two.status == "not identified"  # one item does not tell two classes
    assert chosen.ranking("cross_validation") == ()


def test_26a_a_rate_of_zero_and_one_enormous_count():
    data = table("26a").to_numpy()
    one, two, three, four = (best(Mixture(Poisson(), k), data) for k in (1, 2, 3, 4))
    assert one.log_likelihood == pytest.approx(-1244.3753, abs=NATS)
    assert one.params.rates[0, 0] == pytest.approx(17.1667, abs=1e-4)
    assert two.log_likelihood == pytest.approx(-31.05691, abs=NATS)
    np.testing.assert_allclose(np.sort(two.params.rates[:, 0]), [0.52174, 400], rtol=1e-4)
    np.testing.assert_allclose(np.sort(two.params.weights), [1 / 24, 23 / 24], rtol=1e-6)
    assert three.log_likelihood == pytest.approx(-30.39766, abs=NATS)
    assert three.params.weights[three.params.rates[:, 0].argmin()] == pytest.approx(0.386, abs=0.01)
    assert three.params.rates.min() < 0.02
    assert four.log_likelihood == pytest.approx(three.log_likelihood, abs=NATS)


def test_27_a_state_entered_only_in_the_last_row():
    """Nothing is known of how it is left; the trace never falls by more than rounding."""
    sequence = table("27")[["x"]].to_numpy()
    result = best(HiddenMarkov(Gaussian("tied"), 2), [sequence])
    assert result.log_likelihood == pytest.approx(3.25443, abs=NATS)
    order = result.params.means[:, 0].argsort()
    np.testing.assert_allclose(result.params.means[order, 0], [0.02105, 50], atol=1e-5)
    matrix = result.params.transition_matrix[np.ix_(order, order)]
    assert matrix[0, 1] == pytest.approx(1 / 19, abs=1e-6)
    assert matrix[1].sum() == pytest.approx(1)
    assert any("is never left in these data" in flag for flag in result.flags)
    for run in restarts(HiddenMarkov(Gaussian("tied"), 2), [sequence], range(10)).fits:
        heights = [step.log_likelihood for step in run.trace]
        assert run.stop_reason == "converged"
        assert np.diff(heights).min() >= -1e-9 * max(map(abs, heights))
    free = restarts(HiddenMarkov(Gaussian(), 2), [sequence], range(10))
    assert not free.optima and all(run.collapsed for run in free.fits)


def by_person(name: str) -> list[np.ndarray]:
    frame = table(name)
    return [part["score"].to_numpy() for _, part in frame.groupby(frame.columns[-2], sort=False)]


def wide() -> list[np.ndarray]:
    rows = table("28c").iloc[:, 1:].to_numpy(dtype=float)
    return [row[~np.isnan(row)] for row in rows]


TIED = HiddenMarkov(Gaussian("tied"), 2)


@pytest.mark.parametrize(
    "sequences, log_likelihood, initial, matrix",
    [
        (by_person("28a"), -31.18954, [0.5, 0.5], [[0.6667, 0.3333], [0.3333, 0.6667]]),
        (by_person("28b"), -31.18954, [0.5, 0.5], [[0.6667, 0.3333], [0.3333, 0.6667]]),
        (wide(), -23.03599, None, [[0.6, 0.4], [0.2857, 0.7143]]),
        (by_person("28e"), -5.10312, [2 / 3, 1 / 3], [[0.75, 0.25], [0.25, 0.75]]),
    ],
    ids=["28a", "28b", "28c", "28e"],
)
def test_28_sequences(sequences, log_likelihood, initial, matrix):
    """Interleaved, sorted, ragged, and one of one row."""
    result = best(TIED, sequences)
    assert result.log_likelihood == pytest.approx(log_likelihood, abs=NATS)
    order = result.params.means[:, 0].argsort()
    found = result.params.transition_matrix[np.ix_(order, order)]
    np.testing.assert_allclose(found, matrix, atol=2e-4)
    if initial:
        np.testing.assert_allclose(result.params.initial_probabilities[order], initial, atol=1e-4)


def test_28_means_and_the_mistake_of_one_sequence():
    result = best(TIED, by_person("28a"))
    np.testing.assert_allclose(np.sort(result.params.means[:, 0]), [1.15667, 5.84], atol=1e-4)
    assert result.params.covariances[0, 0, 0] == pytest.approx(0.21436, abs=1e-4)
    for name, log_likelihood, stays in (("28a", -30.93402, 0.3636), ("28b", -30.42188, 0.6364)):
        one = best(TIED, [table(name)["score"].to_numpy()])
        assert one.log_likelihood == pytest.approx(log_likelihood, abs=NATS)
        low = one.params.means[:, 0].argmin()
        assert one.params.transition_matrix[low, low] == pytest.approx(stays, abs=2e-4)


def test_28d_sequences_of_one_row_are_a_mixture():
    frames = table("28d")[["score"]].to_numpy()
    result = best(TIED, list(frames[:, None]))
    assert result.log_likelihood == pytest.approx(-32.20894, abs=NATS)
    mixture = best(Mixture(Gaussian("tied"), 2), frames)
    assert mixture.log_likelihood == pytest.approx(result.log_likelihood, abs=1e-6)
    assert (
        result.model.e_step(result.params, list(frames[:, None])).statistics.transitions.sum() == 0
    )
    assert sum("never left" in flag for flag in result.flags) == 2
