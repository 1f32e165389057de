"""Fits to data drawn again: what is drawn, how they spread, and when they tell nothing."""

import numpy as np
import pytest

from em_core import (
    Bernoulli,
    Categorical,
    FactorAnalysis,
    Gaussian,
    HiddenMarkov,
    Mixture,
    Standardised,
    TwoLevel,
    fit,
    restarts,
)
from em_core.inference import bootstrap, intervals
from em_core.inference.replicates import Table, resampled, settled, simulated, together
from support.families_at_hand import cases

CASES = cases()
RNG = np.random.default_rng(8)
CLUSTERS = RNG.normal(size=(150, 2)) + np.repeat([[0, 0], [4, 1]], [90, 60], axis=0)
DRAWS = RNG.bit_generator.state


@pytest.fixture(autouse=True)
def _the_same_draws() -> None:
    """Whatever tests came before, in this process."""
    RNG.bit_generator.state = DRAWS


def errors(found) -> np.ndarray:
    return np.array([row.standard_error for row in found.reported])


def test_the_mean_of_one_gaussian():
    """sd / sqrt(n), to within 4 times the 5 % by which 200 replicates are off; by quantiles."""
    rows = RNG.normal(2, 3, size=400)
    for parametric in (False, True):
        found = bootstrap(fit(Mixture(Gaussian(), 1), rows), rows, parametric=parametric)
        assert (found.stayed, found.replicates, found.parametric) == (200, 200, parametric)
        weight, mean, deviation = found.reported
        assert np.isnan(weight.standard_error)
        assert mean.standard_error == pytest.approx(rows.std() / 20, rel=0.2)
        assert deviation.standard_error == pytest.approx(rows.std() / np.sqrt(800), rel=0.25)
        assert mean.lower == pytest.approx(rows.mean() - 1.96 * rows.std() / 20, rel=0.05)
        assert mean.lower == np.quantile(found.estimates[:, 1], 0.025)
        assert found.standard_errors.means[0, 0] == mean.standard_error


@pytest.mark.parametrize("parametric", [False, True])
def test_a_mixture_agrees_with_the_information(parametric):
    result = restarts(Mixture(Gaussian("tied"), 2), CLUSTERS, range(3)).best
    drawn = bootstrap(result, CLUSTERS, parametric=parametric)
    assert drawn.stayed >= 195 and drawn.stable
    np.testing.assert_allclose(errors(drawn), errors(intervals(result, CLUSTERS)), rtol=0.35)
    covariance = drawn.covariance
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), errors(drawn))


def test_the_same_seed_gives_the_same_numbers():
    result = fit(Mixture(Gaussian(), 2), CLUSTERS)
    one, again, other = (bootstrap(result, CLUSTERS, 20, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.estimates, again.estimates)
    assert not np.array_equal(one.estimates, other.estimates)


def test_how_many_are_fitted_at_once_does_not_matter(monkeypatch):
    result = fit(Mixture(Gaussian(), 2), CLUSTERS)
    one = bootstrap(result, CLUSTERS, 7)
    monkeypatch.setattr("em_core.inference.bootstrapping.MOST_NUMBERS", 2 * len(CLUSTERS))
    np.testing.assert_allclose(bootstrap(result, CLUSTERS, 7).estimates, one.estimates, rtol=1e-9)


@pytest.mark.parametrize(
    "name",
    ["Gaussian VVE", "Student t, given tails", "Poisson", "factor analysis with holes",
     "probabilistic PCA", "factor analysers"],
)  # fmt: skip
@pytest.mark.parametrize("parametric", [False, True])
def test_families_are_drawn_and_fitted_again(name, parametric):
    case = CASES[name]
    result = fit(case.model, case.data)
    found = bootstrap(result, case.data, 12, parametric=parametric)
    assert found.stayed + found.left == 12 and found.left >= found.failed
    if found.stable:
        assert np.nanmin(errors(found)) > 0
        lower, upper = (np.array([row[i] for row in found.reported]) for i in (3, 4))
        assert (lower <= upper)[~np.isnan(lower)].all()


def test_whole_sequences_and_groups_are_drawn():
    model = HiddenMarkov(Gaussian("tied"), 2)
    truth = model.params([[0.8, 0.2], [0.3, 0.7]], means=[[-2], [2]], covariances=[[[1.0]]] * 2)
    data, _ = model.sample(truth, [20] * 30, RNG)
    result = fit(model, data)
    found = bootstrap(result, data, 60)
    assert found.stayed == 60
    ratio = errors(found) / errors(intervals(result, data))
    assert (np.nan_to_num(ratio, nan=1) > 0.6).all() and (np.nan_to_num(ratio, nan=1) < 1.6).all()
    groups = [RNG.normal(RNG.normal(0, 2), 1, size=(4, 1)) for _ in range(40)]
    found = bootstrap(fit(TwoLevel(), groups), groups, 60)
    means = np.array([group.mean() for group in groups])
    assert errors(found)[0] == pytest.approx(means.std() / np.sqrt(40), rel=0.35)


def test_few_units_are_drawn_from_the_model_and_that_is_said():
    groups = [RNG.normal(RNG.normal(0, 2), 1, size=(8, 1)) for _ in range(9)]
    found = bootstrap(fit(TwoLevel(), groups), groups, 10)
    assert found.parametric and "fewer than 10" in found.sentences[0]


def test_an_answer_that_does_not_hold_has_no_intervals():
    rows = RNG.normal(size=(60, 2))
    result = fit(Mixture(Gaussian(), 4), rows)
    found = bootstrap(result, rows, 40)
    assert not found.stable and found.left > 4
    assert np.isnan(errors(found)).all() and np.isnan(found.covariance).all()
    assert f"{found.stayed} of 40" in found.sentences[0]
    assert found.sentences[-1] == "So the answer is not stable: there are no intervals."


def test_components_keep_their_numbers():
    """Of replicates whose components EM may have numbered otherwise: by their rows."""
    result = restarts(Mixture(Gaussian("tied"), 2), CLUSTERS, range(3)).best
    found = bootstrap(result, CLUSTERS, 30)
    place = [row.name for row in found.reported].index("mean (1, 1)")
    assert np.ptp(found.estimates[:, place]) < 2


def test_what_is_drawn_is_like_the_data():
    holes = np.where(RNG.random((50, 2)) < 0.2, np.nan, RNG.normal(size=(50, 2)))
    holes[:, 0] = np.nan_to_num(holes[:, 0])
    model = Mixture(Gaussian(), 1)
    params = fit(model, holes).params
    drawn = simulated(model, params, Table(holes, None), RNG)
    assert np.array_equal(np.isnan(drawn.data), np.isnan(holes)) and drawn.weights is None
    copies = simulated(model, params, Table(holes, np.full(50, 2.0)), RNG)
    assert len(copies.data) == 100 and len(np.unique(copies.data[:, 0])) == 100
    halves = simulated(model, params, Table(holes, np.full(50, 0.5)), RNG)
    assert len(halves.data) == 50 and halves.weights.sum() == 25
    case = CASES["hidden Markov"]
    params = fit(case.model, case.data, max_iterations=2).params
    drawn = simulated(case.model, params, Table(case.data, None), RNG).data
    assert [len(part) for part in drawn] == [len(part) for part in case.data]
    counts = resampled(Table(holes, np.arange(50.0)), RNG).weights
    assert counts.sum() == np.arange(50).sum() and counts[0] == 0


def test_tables_of_items_are_one():
    model = Mixture(Categorical(), 2)
    rows = RNG.integers(0, 3, size=(80, 3)).astype(float)
    rows[::7, 1] = np.nan
    params = fit(model, rows, max_iterations=3).params
    known = settled(model, params)
    assert known.emission.levels == (3, 3, 3)
    tables = [simulated(known, params, Table(rows, None), RNG) for _ in range(5)]
    merged = together(known, tables)
    assert all(table.data is merged[0].data for table in merged)
    for table, one in zip(tables, merged, strict=True):
        assert one.weights.sum() == 80
        left = known.e_step(params, table.data).log_likelihood
        right = known.e_step(params, one.data, one.weights).log_likelihood
        assert left == pytest.approx(right)
    scaled = Standardised.of(Mixture(Gaussian(), 1), CLUSTERS)
    assert settled(scaled, fit(scaled, CLUSTERS).params) == scaled


def test_frequencies_are_rows():
    rows = (RNG.random((200, 4)) < 0.4).astype(float)
    once, counts = np.unique(rows, axis=0, return_counts=True)
    model = Mixture(Bernoulli(), 1)
    weighted = bootstrap(fit(model, once, weights=counts), once, weights=counts)
    assert errors(weighted)[1:] == pytest.approx(
        errors(bootstrap(fit(model, rows), rows))[1:], rel=0.3
    )


def test_what_cannot_be_done_is_said():
    result = fit(FactorAnalysis(1), RNG.normal(size=(40, 4)))
    for arguments, said in (((1,), "no spread"), ((20, 0, False, [1.0]), "weights have shape")):
        with pytest.raises(ValueError, match=said):
            bootstrap(result, RNG.normal(size=(40, 4)), *arguments)
    with pytest.raises(ValueError, match="is none"):
        bootstrap(result, RNG.normal(size=(40, 4)), level=2)
