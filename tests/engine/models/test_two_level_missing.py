"""The two-level model of observations with missing values, against brute force and the laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from em_core import TwoLevel, fit
from em_core.half_steps import Collapse
from em_core.models.two_level.incomplete import IncompleteGroups
from em_core.models.two_level.starts import STARTS
from support import laws
from support.drawn import examples

MODEL = TwoLevel()


def params_of(dimension: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    roots = rng.normal(size=(2, dimension, dimension + 2))
    return MODEL.params(rng.normal(size=dimension), *(roots @ roots.transpose(0, 2, 1)))


def holed(dimension: int, n_groups: int = 15, seed: int = 1, share: float = 0.3):
    """Groups of 1 to 6 rows, of which `share` of the values are missing; one group is unseen."""
    rng = np.random.default_rng(seed)
    data, _ = MODEL.sample(params_of(dimension), rng.integers(1, 7, size=n_groups), rng)
    data = [np.where(rng.random(group.shape) < share, np.nan, group) for group in data]
    data[n_groups // 2][:] = np.nan
    return data


def marginal(params, group: np.ndarray):
    """Where values are there in a group written as one vector; their mean, their covariance and
    that with the effect."""
    n, there = len(group), ~np.isnan(group.ravel())
    covariance = np.kron(np.ones((n, n)), params.between_covariance)
    covariance += np.kron(np.eye(n), params.within_covariance)
    cross = np.tile(params.between_covariance, n)[:, there]
    return there, np.tile(params.mean, n)[there], covariance[np.ix_(there, there)], cross


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_likelihood_and_posterior_are_those_of_the_groups_as_long_vectors(dimension):
    params, data = params_of(dimension, seed=2), holed(dimension)
    posterior, total = MODEL.posterior(params, data), 0.0
    for g, group in enumerate(data):
        there, mean, covariance, cross = marginal(params, group)
        values = group.ravel()[there]
        density = multivariate_normal.logpdf(values, mean, covariance) if there.any() else 0.0
        assert posterior.log_densities[g] == pytest.approx(density, rel=1e-9, abs=1e-9)
        total += density
        gain = np.linalg.solve(covariance, cross.T).T
        expected = params.mean + gain @ (values - mean)
        np.testing.assert_allclose(posterior.means[g], expected, rtol=1e-9)
        left = params.between_covariance - gain @ cross.T
        np.testing.assert_allclose(posterior.covariances[g], left, rtol=1e-8, atol=1e-11)
        columns = np.flatnonzero(~np.isnan(group).all(axis=0))
        np.testing.assert_allclose(
            posterior.group_means[g, columns], np.nanmean(group[:, columns], axis=0), rtol=1e-12
        )
    assert np.isnan(posterior.group_means[len(data) // 2]).all()
    assert MODEL.e_step(params, data).log_likelihood == pytest.approx(total, rel=1e-10)


def test_complete_groups_take_either_path():
    data = holed(3, share=0.0)
    data = [group for group in data if not np.isnan(group).any()]
    params = params_of(3, seed=2)
    plain, other = MODEL.e_step(params, data), MODEL.e_step(params, IncompleteGroups.of(data))
    laws.assert_close(other.statistics, plain.statistics, 1e-10)
    assert other.entropy == pytest.approx(plain.entropy, rel=1e-12)
    assert other.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-12)


@given(
    dimension=st.integers(1, 3),
    share=st.sampled_from([0.05, 0.5]),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    shift=st.sampled_from([0.0, 1e6]),
    start=st.sampled_from(sorted(STARTS)),
    seed=st.integers(0, 2**31),
)
@examples(30)
def test_the_bound_climbs_and_touches(dimension, share, scale, shift, start, seed):
    data = [scale * (group + shift) for group in holed(dimension, 12, seed, share)]
    rows = np.concatenate(data)
    if (np.isnan(rows).all(axis=0) | (np.nanmax(rows, axis=0) == np.nanmin(rows, axis=0))).any():
        return
    steps = laws.run(MODEL, data, seed, start)
    n_values = int((~np.isnan(rows)).sum())
    laws.half_steps_are_well_formed(steps)
    laws.bound_never_falls(steps, n_values)
    laws.bound_touches_after_e_and_stays_below_after_m(steps, n_values)
    laws.gain_is_bound_gain_plus_kl(steps, n_values)


def test_the_bound_touches_where_a_covariance_is_at_its_floor():
    data = holed(3, 12, 0, 0.5)
    steps = laws.run(MODEL, data, 0, "moments")
    assert np.linalg.cond(steps[0].params.within_covariance) > 1e5
    n_values = int((~np.isnan(np.concatenate(data))).sum())
    laws.bound_touches_after_e_and_stays_below_after_m(steps, n_values)


@pytest.mark.parametrize("dimension", [1, 3])
def test_chunks_weights_and_order(dimension):
    data = holed(dimension, 40)
    params = laws.run(MODEL, data, start="random", iterations=3)[-1].params
    rng = np.random.default_rng(0)
    for n_chunks in (2, 7):
        laws.chunks_add_up(MODEL, data, params, n_chunks)
    laws.integer_weights_are_copies(MODEL, data, params, rng.integers(0, 4, size=len(data)))
    shuffled = [data[g] for g in rng.permutation(len(data))]
    one, other = fit(MODEL, data), fit(MODEL, shuffled)
    assert other.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-6)


@pytest.mark.parametrize("dimension", [1, 2])
def test_em_ends_where_a_general_optimiser_does(dimension):
    """The likelihood of the long vectors, climbed by its own differences."""
    data, lower = holed(dimension, 25, seed=4), np.tril_indices(dimension)

    def params_at(at: np.ndarray):
        mean, *factors = np.split(at, [dimension, dimension + len(lower[0])])
        covariances = []
        for entries in factors:
            factor = np.zeros((dimension, dimension))
            factor[lower] = entries
            covariances.append(factor @ factor.T + 1e-9 * np.eye(dimension))
        return MODEL.params(mean, *covariances)

    def cost(at: np.ndarray) -> float:
        params, total = params_at(at), 0.0
        for group in data:
            there, mean, covariance, _ = marginal(params, group)
            centred = group.ravel()[there] - mean
            total += centred @ np.linalg.solve(covariance, centred)
            total += np.linalg.slogdet(2 * np.pi * covariance)[1]
        return total / 2

    identity = np.eye(dimension)[lower]
    best = minimize(cost, [*np.zeros(dimension), *identity, *identity], options={"gtol": 1e-7})
    result = fit(MODEL, data, tolerance=1e-9, max_iterations=20_000)
    assert result.log_likelihood == pytest.approx(-best.fun, abs=1e-5)
    laws.assert_close(result.params, params_at(best.x), 1e-2)


def test_what_cannot_be_told_is_named():
    data = holed(2)
    for group in data:
        group[:, 1] = np.nan
    with pytest.raises(ValueError, match="column 2 holds no values at all"):
        fit(MODEL, data)
    still = holed(2)
    for group in still:
        group[:, 0] = np.where(np.isnan(group[:, 0]), np.nan, 3.0)
    with pytest.raises(ValueError, match="column 1 is constant"):
        fit(MODEL, still)
    rng = np.random.default_rng(0)
    same = [np.full((4, 2), rng.normal(size=2)) for _ in range(8)]
    same[0][1, 0] = np.nan
    assert any(isinstance(flag, Collapse) for flag in fit(MODEL, same).flags)
