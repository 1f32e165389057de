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
    StudentT,
    TwoLevel,
    fit,
)
from em_core.magnitudes import LARGEST_VALUE, SMALLEST_DEVIATION

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
