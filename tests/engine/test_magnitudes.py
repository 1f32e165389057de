"""How large and small numbers may be: what is accepted never overflows, all else has a sentence."""

import numpy as np
import pytest

from em_core import (
    FactorAnalyser,
    FactorAnalysis,
    Gaussian,
    HiddenMarkov,
    Mixture,
    Poisson,
    ProbabilisticPCA,
    Standardised,
    StudentT,
    TwoLevel,
    dump,
    fit,
    load,
    restarts,
)
from em_core.emissions.kernels.large_counts import LARGEST_COUNT
from em_core.inference import bootstrap, separation
from em_core.magnitudes import LARGEST_VALUE, LEAST_SPREAD, SMALLEST_DEVIATION
from em_core.search.identified import identified

RNG = np.random.default_rng(0)
ROWS = np.concatenate([RNG.normal(0, 1, (30, 2)), RNG.normal(6, 2, (30, 2))])
ONES = np.repeat(np.eye(2)[None], 2, axis=0)


@pytest.mark.parametrize("emission", [Gaussian("full"), Gaussian("diag"), StudentT("full")])
@pytest.mark.parametrize("far", [1e9, 1e30, -LARGEST_VALUE])
@pytest.mark.parametrize("width", [1.0, SMALLEST_DEVIATION, 1e50, LARGEST_VALUE])
def test_a_component_however_far_and_narrow_costs_the_other_nothing(emission, far, width) -> None:
    """Without a warning, and the bound meets the likelihood."""
    model = Mixture(emission, 2)
    params = model.params([0.5, 0.5], means=[[0, 0], [far, far]], covariances=ONES * width**2)
    if width == 1:
        params = model.params(
            [0.5, 0.5], means=[[0, 0], [far, far]], covariances=[np.eye(2) * 9, np.eye(2)]
        )
        alone = Mixture(emission, 1)
        one = alone.params([1.0], means=[[0, 0]], covariances=[np.eye(2) * 9])
        expected = alone.e_step(one, ROWS).log_likelihood - len(ROWS) * np.log(2)
        found = model.e_step(params, ROWS).log_likelihood
        assert found == pytest.approx(expected, rel=1e-6)
    result = fit(model, ROWS, start=params, max_iterations=5)
    for step in result.trace:
        if step.phase == "E" and np.isfinite(step.log_likelihood):
            assert step.elbo == pytest.approx(step.log_likelihood, rel=1e-6)


@pytest.mark.parametrize(
    ("model", "arrays", "sentence"),
    [
        (Mixture(Gaussian(), 2), {"means": [[0, 0], [1e61, 0]], "covariances": ONES}, "means must"),
        (
            Mixture(Gaussian(), 2),
            {"means": np.zeros((2, 2)), "covariances": ONES * 1e-130},
            "the variances of component 1 must lie between 1e-120 and 1e\\+120",
        ),
        (
            Mixture(FactorAnalyser(1), 1),
            {
                "means": [[0, 0, 0]],
                "loadings": [[[1e70], [0], [0]]],
                "noise_variances": [[1, 1, 1]],
            },
            "loadings must",
        ),
        (
            Mixture(Poisson(), 1),
            {"rates": [[1e13]]},
            "rates must be finite and from 0 to 1,000,000,000,000",
        ),
    ],
    ids=["means", "covariances", "loadings", "rates"],
)
def test_parameters_beyond_have_a_sentence(model, arrays, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        model.params(np.ones(model.n_components), **arrays)


def test_shares_are_those_of_any_numbers() -> None:
    emission = {"means": np.zeros((2, 2)), "covariances": ONES}
    mixture = Mixture(Gaussian(), 2).params([1e308, 1e308], **emission)
    np.testing.assert_array_equal(mixture.weights, [0.5, 0.5])
    chain = HiddenMarkov(Gaussian(), 2).params(
        [[1e308, 1e308], [1e-320, 0]], [1e308, 1e308], **emission
    )
    np.testing.assert_array_equal(chain.transition_matrix, [[0.5, 0.5], [1, 0]])
    np.testing.assert_array_equal(chain.initial_probabilities, [0.5, 0.5])


def test_a_mean_that_leaves_nothing_of_the_rows_is_refused_where_squares_are_subtracted() -> None:
    rows = RNG.normal(5, 2, (40, 4))
    factors = FactorAnalysis(1)
    usual = factors.initial_params(rows, "principal components", RNG)
    far = usual._replace(mean=usual.mean + np.array([0, 1e9, 0, 0]))
    with pytest.raises(ValueError, match=r"the mean of column 2 lies 5.*e\+08 standard deviations"):
        fit(factors, rows, start=far)
    near = usual._replace(mean=usual.mean + 1e5)
    assert fit(factors, rows, start=near).log_likelihood == pytest.approx(
        fit(factors, rows, start=usual).log_likelihood, abs=0.01
    )
    groups = [rows[:10], rows[10:25], rows[25:]]
    two = TwoLevel()
    with pytest.raises(ValueError, match="standard deviations from the rows: take one within"):
        fit(two, groups, start=two.params(np.full(4, 1e12), np.eye(4), np.eye(4)))


MODELS = {
    "Gaussian": Mixture(Gaussian(), 2),
    "t": Mixture(StudentT(), 2),
    "factor analysers": Mixture(FactorAnalyser(1), 2),
    "hidden Markov": HiddenMarkov(Gaussian("diag"), 2),
    "factor analysis": FactorAnalysis(1),
    "PCA": ProbabilisticPCA(1),
    "two levels": TwoLevel(),
}


def of(name: str, rows: np.ndarray):
    return {"hidden Markov": [rows], "two levels": np.array_split(rows, 10)}.get(name, rows)


@pytest.mark.parametrize("name", MODELS)
def test_rows_that_hardly_differ_have_a_sentence_and_others_can_be_saved(name: str) -> None:
    model, rng = MODELS[name], np.random.default_rng(1)
    rows = rng.normal(size=(60, 4)) + 4 * (np.arange(60) % 2)[:, None]
    if name == "factor analysis":
        rows += 2 * rng.normal(size=(60, 1))
    for scale in (1e-55, 1e-100, 1e-160, 1e-200, 1e-300):
        for units in (np.full(4, scale), [1, 1, scale, 1e20]):
            with pytest.raises(ValueError, match=f"varies by less than {LEAST_SPREAD:g}"):
                fit(model, of(name, rows * units))
    for scale in (1e-48, 1e-20, 1e20, 1e55):
        result = fit(model, of(name, rows * scale), max_iterations=30)
        again = load(dump(result))
        assert again.log_likelihood == result.log_likelihood, scale
    with pytest.raises(ValueError, match="beyond 1e\\+60"):
        fit(model, of(name, rows * 1e100))


def test_units_of_rows_that_hardly_differ_have_a_sentence() -> None:
    rows = np.random.default_rng(0).normal(size=(60, 2))
    with pytest.raises(ValueError, match="column 2 varies by too little"):
        Standardised.of(Mixture(Gaussian(), 2), rows * [1, 1e-70])


@pytest.mark.parametrize("total", [1e120, 1e160, 1e-120, 1e-300])
@pytest.mark.parametrize("kind", ["frequencies", "sampling"])
def test_weights_that_no_share_can_be_taken_of_have_a_sentence(total: float, kind: str) -> None:
    rows = np.repeat(np.random.default_rng(0).normal(size=(6, 2)), 2, axis=0)
    weights = np.full(12, total / 12)
    with pytest.raises(ValueError, match="weights must add up to between 1e-100 and 1e\\+100"):
        fit(Mixture(Gaussian(), 2), rows, weights=weights, weights_kind=kind, start="hierarchical")
    weights = np.array([*np.ones(6), *np.full(6, 1e-300)])
    assert np.isfinite(fit(Mixture(Gaussian("diag"), 2), rows, weights=weights).log_likelihood)


@pytest.mark.parametrize("largest", [LARGEST_COUNT, LARGEST_COUNT - 10**6])
def test_what_is_drawn_of_the_largest_counts_is_a_count(largest: int) -> None:
    """Half of what a Poisson distribution draws is above its mean."""
    rng = np.random.default_rng(0)
    counts = np.concatenate([rng.poisson(5, (60, 2)), np.full((60, 2), largest)]).astype(float)
    found = restarts(Mixture(Poisson(), 2), counts, range(3))
    best = found.best
    assert best.params.emission.rates.max() == pytest.approx(largest)
    identified(best, counts)
    assert len(separation(best, counts).columns) == 2
    assert bootstrap(best, counts, 3).replicates == 3
    states = restarts(HiddenMarkov(Poisson(), 2), [counts], range(2))
    assert np.isfinite(states.best.log_likelihood)


def test_what_rounding_leaves_of_a_covariance_is_no_asymmetry() -> None:
    """Beside variances of any size; what a fit ends with can be saved and begun with."""
    for units in (np.ones(2), np.array([1e-8, 1e8])):
        nearly = np.array([[1.0, 1e-17], [-3e-18, 2.0]]) * np.outer(units, units)
        plainly = np.array([[1.0, 1e-6], [0.0, 2.0]]) * np.outer(units, units)
        sound = np.eye(2) * units**2
        TwoLevel().params([0, 0], nearly, sound)
        Mixture(Gaussian(), 1).params([1.0], means=[[0, 0]], covariances=[nearly])
        with pytest.raises(ValueError, match="within_covariance is not symmetric"):
            TwoLevel().params([0, 0], sound, plainly)
        with pytest.raises(ValueError, match="component 1 is not symmetric"):
            Mixture(Gaussian(), 1).params([1.0], means=[[0, 0]], covariances=[plainly])
