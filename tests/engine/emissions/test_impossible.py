"""Which value makes a row impossible: named just where the log-likelihood is -inf."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from em_core import Bernoulli, Categorical, Gaussian, HiddenMarkov, Mixture, Poisson, fit, select

MIXTURES = {
    "bernoulli": Mixture(Bernoulli(), 2),
    "categorical": Mixture(Categorical(), 2),
    "poisson": Mixture(Poisson(), 2),
}


def drawn(name: str, rng: np.random.Generator, n_columns: int = 3):
    """Parameters of an emission, many of them on the boundary, and rows of all kinds."""
    if name == "bernoulli":
        parts = {"probabilities": rng.choice([0, 0, 0.4, 1], (2, n_columns))}
        rows = rng.integers(0, 2, (6, n_columns)).astype(float)
    elif name == "poisson":
        parts = {"rates": rng.choice([0, 0, 2.5], (2, n_columns))}
        rows = rng.poisson(0.5, (6, n_columns)).astype(float)
    else:
        shares = rng.choice([0, 0, 1.0, 3.0], (2, n_columns, 3))
        shares[..., 0] += shares.sum(axis=-1) == 0
        parts = {"probabilities": shares / shares.sum(axis=-1, keepdims=True)}
        # Level 3 is one that the parameters do not know.
        rows = rng.choice([0, 0, 1, 2, 3], (6, n_columns)).astype(float)
    rows[rng.random(rows.shape) < 0.2] = np.nan
    rows[np.isnan(rows).all(axis=1), 0] = 0
    return parts, rows


@pytest.mark.parametrize("name", MIXTURES)
@given(seed=st.integers(0, 10**6))
def test_a_reason_is_given_just_where_the_log_likelihood_is_minus_infinity(name, seed):
    rng = np.random.default_rng(seed)
    parts, rows = drawn(name, rng)
    mixture = MIXTURES[name]
    weights = [(0.5, 0.5), (1.0, 0.0)][seed % 2]
    params = mixture.params(weights, **parts)
    for row in rows:
        impossible = mixture.e_step(params, row[None]).log_likelihood == -np.inf
        why = mixture.impossible(params, row[None])
        assert (why is not None) == impossible
        if why is not None:
            np.testing.assert_array_equal(row[list(why.columns)], why.values)
            alone = np.full_like(row, np.nan)
            alone[list(why.columns)] = why.values
            assert mixture.impossible(params, alone[None]) is not None
    chain = HiddenMarkov(mixture.emission, 2)
    moves = [[[0.5, 0.5], [0.5, 0.5]], [[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [1.0, 0.0]]][seed % 3]
    params = chain.params(moves, weights, **parts)
    total = chain.e_step(params, [rows]).log_likelihood
    assert (chain.impossible(params, [rows]) is not None) == (total == -np.inf)


@pytest.mark.parametrize("name", MIXTURES)
@given(seed=st.integers(0, 10**6))
def test_a_start_that_rules_a_row_out_is_refused_with_the_row(name, seed):
    """Be it a mixture's or a chain's; a row or a sequence without weight is none."""
    rng = np.random.default_rng(seed)
    parts, rows = drawn(name, rng)
    weights = rng.integers(0, 2, len(rows)).astype(float)
    weights[seed % len(rows)] = 1
    emission = MIXTURES[name].emission
    if name == "categorical":  # levels that the parameters know
        emission, rows = Categorical(levels=(3, 3, 3)), np.minimum(rows, 2)
    mixture, chain = Mixture(emission, 2), HiddenMarkov(emission, 2)
    rows, weights = np.concatenate([rows, np.nan_to_num(rows)]), np.tile(weights, 2)
    for model, data, params in (
        (mixture, rows, mixture.params((0.5, 0.5), **parts)),
        (chain, [*rows[:, None]], chain.params(np.full((2, 2), 0.5), (0.5, 0.5), **parts)),
    ):
        ruled = [
            i
            for i in np.flatnonzero(weights)
            if model.e_step(params, data[i : i + 1]).log_likelihood == -np.inf
        ]
        try:
            fitted = fit(model, data, start=params, weights=weights, max_iterations=3)
        except ValueError as error:
            assert f"row {ruled[0] + 1} probability 0" in str(error)
        else:
            assert not ruled and fitted.stop_reason != "not_finite"


def test_a_density_rules_nothing_out():
    rows = np.random.default_rng(0).normal(size=(20, 2))
    for model, data in ((Mixture(Gaussian(), 1), rows), (HiddenMarkov(Gaussian(), 1), [rows])):
        params = model.initial_params(data, "k-means++", np.random.default_rng(0))
        assert model.impossible(params, data) is None


@pytest.mark.parametrize("emission", [Bernoulli(), Categorical(), Poisson()])
def test_one_1_among_31_rows_leaves_no_value(emission):
    rows = np.zeros((31, 1))
    rows[7] = 1
    (cell,) = select({1: Mixture(emission, 1)}, rows, [0], folds=5).cells
    held_out = cell.cross_validation
    assert held_out.log_likelihood == held_out.per_observation == -np.inf
    assert held_out.impossible[:2] == ((0,), (1.0,)) and np.isnan(held_out.standard_error)
    weighted = select({1: Mixture(emission, 1)}, rows, [0], folds=5, weights=1 - rows[:, 0])
    assert weighted.cells[0].cross_validation.log_likelihood == pytest.approx(0, abs=1e-9)
