"""Mixtures of Gaussian and Student-t components of rows with holes."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import gammaln, xlogy
from scipy.stats import multivariate_normal, multivariate_t

from em_core import STARTS, Bernoulli, Categorical, Gaussian, HiddenMarkov, Mixture, Poisson, fit
from em_core.emissions.factor_analyser import FactorAnalyser
from em_core.emissions.student_t import StudentT
from support import laws
from support.drawn import examples

COVARIANCES = ["full", "tied", "diag", "spherical"]
EMISSIONS = [
    *map(Gaussian, COVARIANCES),
    *map(StudentT, COVARIANCES),
    StudentT("full", 3.0),
]
every_emission = pytest.mark.parametrize("emission", EMISSIONS, ids=str)


def table(n, d, seed, missing=0.25, scale=1.0, shift=0.0):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + 4 * rng.integers(2, size=n)[:, None]
    rows[rng.random((n, d)) < missing] = np.nan
    rows[:2] = rng.normal(size=(2, d))
    return scale * rows + shift


@every_emission
@given(k=st.integers(1, 3), d=st.integers(2, 4), seed=st.integers(0, 999), data=st.data())
@examples(12)
def test_the_bound_climbs_and_touches(emission, k, d, seed, data):
    rows = table(30, d, seed, data.draw(st.sampled_from([0.1, 0.5])))
    start = data.draw(st.sampled_from(sorted(STARTS)))
    steps = laws.run(Mixture(emission, k), rows, seed, start)
    laws.bound_never_falls(steps, len(rows))
    laws.bound_touches_after_e_and_stays_below_after_m(steps, len(rows))
    laws.gain_is_bound_gain_plus_kl(steps, len(rows))


def of_component(params, k: int, there: np.ndarray):
    """The distribution of some columns (D,) of a component, by SciPy."""
    mean, covariance = params.means[k][there], params.covariances[k][np.ix_(there, there)]
    if hasattr(params.emission, "degrees_of_freedom"):
        return multivariate_t(mean, covariance, df=params.degrees_of_freedom[k])
    return multivariate_normal(mean, covariance)


@every_emission
def test_the_likelihood_is_that_of_what_is_there(emission):
    rows = table(60, 3, 1)
    model = Mixture(emission, 2)
    params = laws.run(model, rows, iterations=4)[-1].params
    total = 0.0
    for row in rows:
        there = ~np.isnan(row)
        if there.any():
            densities = [
                weight * of_component(params, k, there).pdf(row[there])
                for k, weight in enumerate(params.weights)
            ]
            total += np.log(sum(densities))
    assert model.e_step(params, rows).log_likelihood == pytest.approx(total, rel=1e-10)


@every_emission
def test_chunks_weights_and_order(emission):
    rows = table(120, 3, 2)
    model = Mixture(emission, 2)
    params = laws.run(model, rows, iterations=3)[-1].params
    rng = np.random.default_rng(0)
    laws.chunks_add_up(model, rows, params, 3)
    laws.integer_weights_are_copies(model, rows, params, rng.integers(0, 3, size=len(rows)))
    laws.permuting_rows_changes_nothing(model, rows, rng.permutation(len(rows)))


@every_emission
def test_complete_rows_take_either_path_to_the_same_end(emission):
    rows = table(100, 3, 3, missing=0)
    holed = np.concatenate([rows, np.full((1, 3), np.nan)])
    model = Mixture(emission, 2)
    params = model.initial_params(rows, "k-means", np.random.default_rng(0))
    plain, other = model.e_step(params, rows), model.e_step(params, holed)
    assert other.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-12)
    assert other.statistics.counts.sum() == pytest.approx(101)


@cache
def in_units_of_its_own(emission):
    return fit(Mixture(emission, 2), table(150, 2, 4), seed=1, tolerance=1e-8)


@pytest.mark.parametrize("emission", [Gaussian(), StudentT()], ids=str)
@pytest.mark.parametrize("scale, shift", [(1e-6, 0), (1e9, 0), (1, 1e8)])
def test_units_do_not_matter(scale, shift, emission):
    plain = in_units_of_its_own(emission)
    moved = fit(
        Mixture(emission, 2), table(150, 2, 4, scale=scale, shift=shift), seed=1, tolerance=1e-8
    )
    present = (~np.isnan(table(150, 2, 4))).sum()
    digits = 1e-5 if shift else 1e-9
    expected = plain.log_likelihood - present * np.log(scale)
    assert moved.log_likelihood == pytest.approx(expected, rel=digits)


def test_imputed_values_are_conditional_means():
    """Against many draws from the fitted model given what is there."""
    truth = Mixture(Gaussian(), 1).params(
        [1.0], means=[[1.0, 2.0]], covariances=[[[2.0, 1.2], [1.2, 1.5]]]
    )
    model = Mixture(Gaussian(), 1)
    rows = np.array([[3.0, np.nan], [np.nan, 0.0], [1.0, 1.0], [np.nan, np.nan]])
    values, deviations = model.impute(truth, rows)
    np.testing.assert_allclose(values[0, 1], 2 + 1.2 / 2 * 2)
    np.testing.assert_allclose(deviations[0, 1], np.sqrt(1.5 - 1.2**2 / 2))
    np.testing.assert_allclose(values[1, 0], 1 + 1.2 / 1.5 * -2)
    np.testing.assert_allclose(values[3], [1, 2])
    np.testing.assert_allclose(deviations[3], np.sqrt([2, 1.5]))
    assert np.array_equal(values[2], rows[2]) and (deviations[2] == 0).all()


def test_em_of_a_t_distribution_ends_where_a_general_optimiser_does():
    """The likelihood of what is there of each row, written anew, climbed by its own differences."""
    rng = np.random.default_rng(7)
    rows = rng.standard_t(3, size=(80, 2)) @ np.array([[1.0, 0.6], [0.0, 0.8]]) + [2, -1]
    rows = punched(rows, rng)

    def cost(at: np.ndarray) -> float:
        mean, degrees = at[:2], np.exp(at[5])
        factor = np.array([[np.exp(at[2]), 0], [at[3], np.exp(at[4])]])
        covariance = factor @ factor.T
        total = 0.0
        for row in rows:
            there = np.flatnonzero(~np.isnan(row))
            own, centred = covariance[np.ix_(there, there)], (row - mean)[there]
            half = (degrees + len(there)) / 2
            squares = centred @ np.linalg.solve(own, centred)
            total += gammaln(half) - gammaln(degrees / 2) - len(there) / 2 * np.log(np.pi * degrees)
            total -= np.linalg.slogdet(own)[1] / 2 + half * np.log1p(squares / degrees)
        return -total

    best = minimize(cost, [0, 0, 0, 0, 0, 1], options={"gtol": 1e-8}, method="BFGS")
    result = fit(Mixture(StudentT(), 1), rows, tolerance=1e-9, max_iterations=5000)
    assert result.log_likelihood == pytest.approx(-best.fun, abs=1e-6)
    np.testing.assert_allclose(result.params.means[0], best.x[:2], atol=1e-3)
    assert result.params.degrees_of_freedom[0] == pytest.approx(np.exp(best.x[5]), rel=1e-3)


def test_values_imputed_by_a_t_distribution_are_those_of_a_regression():
    """The same means as of a Gaussian; the deviations are wider for a row that lies far out."""
    truth = {"means": [[1.0, 2.0]], "covariances": [[[2.0, 1.2], [1.2, 1.5]]]}
    model = Mixture(StudentT(), 1)
    params = model.params([1.0], **truth, degrees_of_freedom=[5.0])
    rows = np.array([[3.0, np.nan], [np.nan, np.nan]])
    values, deviations = model.impute(params, rows)
    np.testing.assert_allclose(values, [[3, 2 + 1.2 / 2 * 2], [1, 2]])
    # x2 | x1 ~ t with 5 + 1 degrees of freedom, its scale times (5 + d^2) / (5 + 1).
    scale = (1.5 - 1.2**2 / 2) * (5 + 2**2 / 2) / (5 + 1)
    np.testing.assert_allclose(deviations[0, 1], np.sqrt(scale * 6 / 4))
    np.testing.assert_allclose(deviations[1], np.sqrt(np.array([2, 1.5]) * 5 / 3))


def test_a_column_without_values_is_named():
    rows = table(20, 3, 5)
    rows[:, 1] = np.nan
    with pytest.raises(ValueError, match="column 2 holds no values"):
        fit(Mixture(Gaussian(), 2), rows)


@pytest.mark.parametrize(
    "emission", [Gaussian(), StudentT(), Bernoulli(), Categorical(), Poisson()], ids=str
)
def test_one_row_with_a_hole_has_its_posterior(emission):
    rng = np.random.default_rng(0)
    data = (rng.random((60, 3)) < rng.choice([0.2, 0.8], size=(60, 1))).astype(float)
    data += 0.1 * rng.normal(size=data.shape) if isinstance(emission, Gaussian | StudentT) else 0
    data[4, 1] = np.nan
    model = Mixture(emission, 2)
    result = fit(model, data, max_iterations=5)
    whole, alone = result.posterior(data), result.posterior(data[4:5])
    np.testing.assert_allclose(alone.responsibilities[0], whole.responsibilities[4], rtol=1e-9)
    filled = model.impute(result.params, data[4:5]).values[0]
    np.testing.assert_allclose(filled, model.impute(result.params, data).values[4], rtol=1e-9)


def punched(data: np.ndarray, rng) -> np.ndarray:
    """The data with a fifth of the values missing, though none of the first rows."""
    holes = rng.random(data.shape) < 0.2
    holes[:5] = False
    return np.where(holes, np.nan, data)


def label_cost(responsibilities, weights=None) -> float:
    cost = -xlogy(responsibilities, responsibilities).sum(axis=1)
    return 2 * float(cost.sum() if weights is None else cost @ weights)


@pytest.mark.parametrize("emission", [
    Gaussian("full"), Gaussian("EEV"), StudentT(), FactorAnalyser(1), Categorical(),
], ids=str)  # fmt: skip
def test_icl_prices_the_overlap_of_labels_and_nothing_else(emission):
    """Missing values, latent weights and factors have an entropy too."""
    rng = np.random.default_rng(5)
    data = rng.normal(size=(120, 3)) + rng.integers(3, size=(120, 1))
    if isinstance(emission, Categorical):
        data = np.clip(np.round(data), 0, 3)
    data = punched(data, rng)
    weights = rng.uniform(0.5, 2, size=len(data))
    for weighted in (None, weights):
        one = fit(Mixture(emission, 1), data, weights=weighted)
        assert one.icl == pytest.approx(one.bic, rel=1e-12)
        result = fit(Mixture(emission, 3), data, weights=weighted, max_iterations=20)
        shares = result.posterior(data).responsibilities
        assert result.icl == pytest.approx(result.bic + label_cost(shares, weighted), rel=1e-9)


def test_icl_of_states_leaves_missing_values_out():
    rng = np.random.default_rng(6)
    frames = punched(rng.normal(size=(60, 2)) + 4 * (np.arange(60)[:, None] // 20 % 2), rng)
    one = fit(HiddenMarkov(Gaussian(), 1), [frames])
    assert one.entropy > 1 and one.icl == pytest.approx(one.bic, rel=1e-12)
    two = fit(HiddenMarkov(Gaussian(), 2), [frames])
    filled = two.entropy - two.label_entropy
    assert filled > 1 and two.icl == pytest.approx(two.bic + 2 * two.label_entropy)
