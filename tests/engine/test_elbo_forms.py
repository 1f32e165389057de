"""The four forms of the ELBO agree, and the sum over all assignments is the product form."""

import numpy as np
import pytest

from em_core import (
    Bernoulli,
    FactorAnalysis,
    Gaussian,
    HiddenMarkov,
    Mixture,
    Poisson,
    ProbabilisticPCA,
    TwoLevel,
)
from em_core.checks.elbo_forms import elbo_forms, enumerated_log_likelihood

ROWS = np.random.default_rng(0).normal(size=(9, 2)) * [1, 2] + np.arange(9)[:, None] / 3
MODELS = {
    "mixture": (Mixture(Gaussian(), 2), ROWS),
    "counts": (Mixture(Poisson(), 3), np.round(np.abs(ROWS))),
    "items": (Mixture(Bernoulli(), 2), (ROWS > 1).astype(float)),
    "hidden Markov": (HiddenMarkov(Gaussian("diag"), 2), [ROWS]),
    "factor analysis": (FactorAnalysis(1), np.column_stack([ROWS, ROWS[::-1, 0]])),
    "probabilistic PCA": (ProbabilisticPCA(1), ROWS),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_four_forms_agree(name):
    model, data = MODELS[name]
    data = model.check(data)
    q_params = model.initial_params(data, next(iter(model.starts)), np.random.default_rng(1))
    params = model.m_step(q_params, model.e_step(q_params, data).statistics)
    forms = elbo_forms(model, params, q_params, data)
    assert forms.disagreement <= 1e-10 * max(abs(forms.log_likelihood), 1)
    assert forms.joint_over_q < forms.log_likelihood - 1e-6


@pytest.mark.parametrize("n", [1, 5, 12])
def test_enumeration_is_the_product_form(n):
    rows = np.random.default_rng(2).normal(size=(n, 1))
    model = Mixture(Gaussian(), 2)
    params = model.params([0.3, 0.7], means=[[-1.0], [1.0]], covariances=np.ones((2, 1, 1)))
    product = model.e_step(params, rows).log_likelihood
    assert enumerated_log_likelihood(model, params, rows) == pytest.approx(product, rel=1e-12)


def test_too_much_to_list_is_a_sentence():
    model = Mixture(Gaussian(), 3)
    rows = np.random.default_rng(0).normal(size=(40, 1))
    params = model.initial_params(rows, "k-means++", np.random.default_rng(0))
    with pytest.raises(ValueError, match="too many to list"):
        elbo_forms(model, params, params, rows)
    groups = [rows[:5], rows[5:]]
    two = TwoLevel()
    start = two.initial_params(groups, "moments", np.random.default_rng(0))
    with pytest.raises(ValueError, match="no q whose forms"):
        elbo_forms(two, start, start, groups)
