"""Mixtures of factor analysers: laws, agreement with factor analysis, recovery of planes."""

import itertools
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from em_core import STARTS, Gaussian, Mixture, MixtureParams, em, fit, from_means
from em_core.checks.checking import check_model
from em_core.emissions.factor_analyser import FactorAnalyser, FactorAnalyserParams
from em_core.models.factor_analysis.boundary import degrees_of_freedom
from em_core.models.factor_analysis.model import FactorAnalysis
from em_core.models.hidden_markov.model import HiddenMarkov
from support import laws
from support.drawn import examples

# To 50 digits.
TWO_PI = Decimal("6.2831853071795864769252867665590057683943387987502")

complete_and_not = pytest.mark.parametrize("missing", [0, 0.2])


def planes(n, d, q, k, seed, missing=0.0):
    """Clusters near planes of their own, with uneven noise."""
    rng = np.random.default_rng(seed)
    label = rng.integers(k, size=n)
    loadings = rng.normal(size=(k, d, q))
    noise = rng.normal(size=(n, d)) * np.sqrt(rng.uniform(0.1, 0.5, size=(k, d)))[label]
    factors = rng.normal(size=(n, q))
    data = 4 * rng.normal(size=(k, d))[label] + noise
    data += np.einsum("ndq,nq->nd", loadings[label], factors)
    data[rng.random(size=data.shape) < missing] = np.nan
    return data


@st.composite
def tables(draw):
    """Tables from easy to nasty: few rows, repeated rows and columns, units far apart, holes."""
    n, d = draw(st.integers(12, 60)), draw(st.integers(3, 6))
    data = planes(n, d, draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(0, 999)))
    if draw(st.booleans()):
        data[:, -1] = data[:, 0]
    data = np.round(data, draw(st.sampled_from([0, 1, 12])))
    data = data + draw(st.sampled_from([0.0, -1e3, 1e6]))
    data = data * 10.0 ** (draw(st.integers(-3, 3)) * np.arange(d))
    rng = np.random.default_rng(n)
    data[rng.random(size=data.shape) < draw(st.sampled_from([0, 0, 0.2]))] = np.nan
    return data


@given(
    data=tables(),
    q=st.integers(1, 3),
    k=st.integers(1, 3),
    start=st.sampled_from(sorted(STARTS)),
    seed=st.integers(0, 9),
    floor=st.sampled_from([1e-6, 0.3]),
)
@examples(30)
def test_the_bound_climbs_and_touches(data, q, k, start, seed, floor):
    most = max([q for q in (1, 2, 3) if degrees_of_freedom(data.shape[1], q) >= 0])
    model = Mixture(FactorAnalyser(min(q, most), floor), k)
    try:
        steps = laws.run(model, data, seed, start)
    except ValueError as error:
        assert "distinct rows" in str(error) or "no values" in str(error)
        return
    laws.half_steps_are_well_formed(steps)
    # To a nat a value, not a row: see `test_what_is_lost_at_the_floor_is_rounding`.
    laws.bound_never_falls(steps, data.size)
    laws.bound_touches_after_e_and_stays_below_after_m(steps, len(data))
    laws.gain_is_bound_gain_plus_kl(steps, len(data))


def test_what_is_lost_at_the_floor_is_rounding():
    """A column twice, with holes: both copies end at the floor, where moments of size 1 tell of
    noise of 1e-6, and every value is known to 1e6 roundings. To 50 digits nothing falls."""
    _ = np.nan
    data = np.array(
        [[-5.7, 2, _, _], [-6.4, 1.1, 4.9, _], [-7.5, -0.1, _, -7.5], [_, 0.6, 4.5, -6.7],
         [-6.6, 0.9, 5.4, _], [-8.3, 0.4, 4.9, -8.3], [_, 0.3, 5.3, -6.8], [-7.2, 1, 4.8, -7.2],
         [-6.9, 0.5, _, -6.9], [_, 0.3, _, -7.6], [-6.6, 1.3, _, -6.6], [-5.9, 2, 5.3, -5.9]]
    )  # fmt: skip
    floor = 1e-6
    rounding = np.finfo(float).eps / floor * np.isfinite(data).sum()
    for shift in (0, 1e6):
        moved = data + shift
        steps = laws.run(Mixture(FactorAnalyser(1, floor), 1), moved, 0, "short runs")
        laws.bound_never_falls(steps, data.size)
        exact = [in_fifty_digits(step.params.emission, moved) for step in steps[::2]]
        assert all(after > before for before, after in itertools.pairwise(exact))
        for step, likelihood in zip(steps[::2], exact, strict=True):
            assert abs(step.elbo - float(likelihood)) < rounding


def in_fifty_digits(params, data) -> Decimal:
    """The log-likelihood of one component with one factor: the inverse by Woodbury's formula."""
    with localcontext(prec=50):
        means, loadings, noise = (
            [Decimal(float(value)) for value in np.ravel(part)] for part in params[:3]
        )
        total = Decimal(0)
        for row in data:
            there = np.flatnonzero(np.isfinite(row))
            left = {d: Decimal(float(row[d])) - means[d] for d in there}
            precision = 1 + sum(loadings[d] ** 2 / noise[d] for d in there)
            score = sum(loadings[d] * left[d] / noise[d] for d in there)
            total -= sum(left[d] ** 2 / noise[d] + (TWO_PI * noise[d]).ln() for d in there) / 2
            total -= (precision.ln() - score**2 / precision) / 2
        return total


@complete_and_not
def test_chunks_weights_and_order(missing):
    data = planes(200, 5, 2, 2, seed=1, missing=missing)
    model = Mixture(FactorAnalyser(2), 2)
    params = laws.run(model, data, iterations=3)[-1].params
    rng = np.random.default_rng(0)
    laws.chunks_add_up(model, data, params, 4)
    laws.integer_weights_are_copies(model, data, params, rng.integers(0, 4, size=len(data)))
    laws.permuting_rows_changes_nothing(model, data, rng.permutation(len(data)))
    laws.same_seed_same_bits(model, data, "k-means")


def test_the_laws_in_many_columns():
    report = check_model(Mixture(FactorAnalyser(2), 2), planes(100, 26, 2, 2, seed=2), iterations=5)
    assert report.ok, report


def test_the_laws_of_hidden_markov_models():
    sequences = np.split(planes(120, 4, 1, 2, seed=3), [40, 70])
    model = HiddenMarkov(FactorAnalyser(1), 2)
    report = check_model(model, sequences, start="k-means++", iterations=5)
    assert report.ok, report


@complete_and_not
def test_densities_are_those_of_scipy(missing):
    data = planes(60, 5, 2, 2, seed=4, missing=missing)
    model = Mixture(FactorAnalyser(2), 2)
    params = laws.run(model, data, iterations=4)[-1].params
    found = model.log_joint(params, data)
    for k, weight in enumerate(params.weights):
        covariance = params.loadings[k] @ params.loadings[k].T + np.diag(params.noise_variances[k])
        np.testing.assert_allclose(params.covariances[k], covariance, rtol=1e-14)
        for row, value in zip(data, found[:, k], strict=True):
            there = ~np.isnan(row)
            if there.any():
                marginal = multivariate_normal(
                    params.means[k, there], covariance[np.ix_(there, there)]
                )
                assert value == pytest.approx(np.log(weight) + marginal.logpdf(row[there]))


def test_statistics_and_entropy_are_those_of_the_factor_posterior():
    """Row by row, from q(z | x, k) as it is defined."""
    data = planes(50, 5, 2, 2, seed=5)
    model = Mixture(FactorAnalyser(2), 2)
    params = laws.run(model, data, iterations=4)[-1].params
    shares = model.posterior(params, data).responsibilities
    expectation = model.e_step(params, data)
    entropy = -(shares * np.log(np.maximum(shares, 1e-300))).sum()
    for k in range(2):
        loadings, noise = params.loadings[k], params.noise_variances[k]
        covariance = np.linalg.inv(np.eye(2) + loadings.T / noise @ loadings)
        centred = data - params.means[k]
        scores = centred / noise @ loadings @ covariance
        residuals = centred - scores @ loadings.T
        share = shares[:, k]
        entropy += share.sum() * multivariate_normal(np.zeros(2), covariance).entropy()
        found = expectation.statistics.emission.components[k,]
        np.testing.assert_allclose(
            found.factor_moments, (share * scores.T) @ scores + share.sum() * covariance
        )
        np.testing.assert_allclose(
            found.residual_products[:, 1:],
            (share * residuals.T) @ scores - share.sum() * loadings @ covariance,
            atol=1e-9,
        )
        np.testing.assert_allclose(
            found.residual_squares,
            share @ residuals**2 + share.sum() * np.diag(loadings @ covariance @ loadings.T),
        )
    assert expectation.entropy == pytest.approx(entropy, rel=1e-9)


def moves(params, rng):
    """Parameters a little away; noise only moves up, which a floor never forbids, or all of it."""
    weights, (means, loadings, noise, scales) = params
    for size in (1e-1, 1e-3, 1e-5):
        for _ in range(6):
            shear = np.eye(scales.shape[-1]) + size * np.tril(rng.normal(size=scales.shape))
            for moved in (
                (means + size * rng.normal(size=means.shape), loadings, noise, scales),
                (means, loadings + size * rng.normal(size=loadings.shape), noise, scales),
                (means, loadings, noise * np.exp(size * abs(rng.normal(size=noise.shape))), scales),
                (means, loadings @ shear, noise, scales @ shear),
                (means, loadings, noise, scales @ shear),
            ):
                yield MixtureParams(weights, FactorAnalyserParams(*moved))


@complete_and_not
@pytest.mark.parametrize("floor", [1e-6, 0.1])
def test_the_m_step_is_a_maximum(missing, floor):
    data = planes(200, 5, 2, 2, seed=6, missing=missing)
    model = Mixture(FactorAnalyser(2, floor=floor), 2)
    params = laws.run(model, data, iterations=3)[-1].params
    statistics = model.e_step(params, data).statistics
    best = model.m_step(params, statistics)
    laws.m_step_is_a_maximum(model, best, statistics, moves, np.random.default_rng(0))
    lowest = floor * statistics.emission.gaussian.scale.value**2
    at_floor = best.noise_variances <= lowest * (1 + 1e-12)
    assert at_floor.any() == (floor == 0.1) == bool(model.flags(best, statistics))
    for factor in (0.9, 0.999):
        lower = np.where(at_floor, best.noise_variances, factor * best.noise_variances)
        emission = best.emission._replace(noise_variances=lower)
        moved = best._replace(emission=emission)
        there = model.expected_log_joint(moved, statistics)
        assert there < model.expected_log_joint(best, statistics)


def test_one_component_is_factor_analysis_step_by_step():
    data = planes(150, 6, 2, 1, seed=7)
    model = Mixture(FactorAnalyser(2), 1)
    params = model.initial_params(data, "k-means++", np.random.default_rng(0))
    options = {"tolerance": 0, "max_iterations": 40}
    ours = list(em(model, data, params, **options))
    alone = params.emission.component(0)
    theirs = list(em(FactorAnalysis(2), data, alone, **options))
    for one, other in zip(ours, theirs, strict=True):
        assert one.elbo == pytest.approx(other.elbo, rel=1e-11)
        assert one.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-11)
    laws.assert_close(ours[-1].params.emission.component(0), theirs[-1].params, 1e-8)
    assert model.n_parameters(params) == FactorAnalysis(2).n_parameters(alone)


def test_one_component_with_holes_ends_where_factor_analysis_ends():
    data = planes(60, 5, 1, 1, seed=8, missing=0.1)
    options = {"tolerance": 1e-5, "max_iterations": 1000}
    ours = fit(Mixture(FactorAnalyser(1), 1), data, **options)
    theirs = fit(FactorAnalysis(1), data, **options)
    assert ours.log_likelihood == pytest.approx(theirs.log_likelihood, rel=1e-8)
    np.testing.assert_allclose(
        ours.impute(data).values, theirs.impute(data).values, rtol=1e-3, atol=1e-3
    )


def test_planes_are_found_again():
    """Two planes through one centre, which no means can tell apart."""
    rng = np.random.default_rng(9)
    model = Mixture(FactorAnalyser(2), 2)
    truth = model.params(
        [0.4, 0.6],
        means=np.zeros((2, 8)),
        loadings=2 * rng.normal(size=(2, 8, 2)),
        noise_variances=rng.uniform(0.1, 0.4, size=(2, 8)),
    )
    data, labels = model.sample(truth, 1500, rng)
    found = fit(model, data, start="random responsibilities", max_iterations=150)
    assert found.log_likelihood > model.e_step(truth, data).log_likelihood
    order = np.argsort(found.params.weights)
    np.testing.assert_allclose(found.params.weights[order], truth.weights, atol=0.03)
    np.testing.assert_allclose(found.params.noise_variances[order], truth.noise_variances, atol=0.1)
    np.testing.assert_allclose(
        found.params.covariances[order], truth.covariances, atol=1.5, rtol=0.1
    )
    assert np.mean(order.argsort()[found.predict(data)] == labels) > 0.97
    gaussian = fit(Mixture(Gaussian(), 2), data, start=np.eye(2)[labels])
    assert found.bic < gaussian.bic


@pytest.mark.parametrize("scale, shift", [(1e-6, 0), (1e6, 0), (1, 1e8), ("each its own", 0)])
def test_units_do_not_matter(scale, shift):
    data = planes(200, 4, 1, 2, seed=10)
    scale = 10.0 ** np.array([-6, 3, 0, 8]) if scale == "each its own" else np.full(4, scale)
    model = Mixture(FactorAnalyser(1), 2)
    plain = fit(model, data, seed=1, max_iterations=30, tolerance=0)
    start = model.rescale(plain.trace[0].params, np.full(4, shift), scale)
    moved = fit(model, scale * data + shift, start=start, max_iterations=30, tolerance=0)
    # At an offset of 1e8 the data themselves keep only 8 digits.
    digits = 1e-5 if shift else 1e-8
    expected = plain.log_likelihood - len(data) * np.log(scale).sum()
    assert moved.log_likelihood == pytest.approx(expected, rel=digits)
    back = model.rescale(moved.params, -np.full(4, shift) / scale, 1 / scale)
    laws.assert_close(back, plain.params, digits)
    first = model.initial_params(scale * data, "k-means", np.random.default_rng(0))
    unscaled = model.initial_params(data, "k-means", np.random.default_rng(0))
    laws.assert_close(
        model.rescale(first, np.zeros(4), 1 / scale).covariances, unscaled.covariances, 1e-8
    )


def test_a_narrow_component_keeps_its_digits():
    """Widths 1e-7 of the distance from the centre: the quadratic form alone would lose them all."""
    rng = np.random.default_rng(11)
    data = np.concatenate([1e-7 * rng.normal(size=(200, 3)) + 1, rng.normal(size=(200, 3))])
    model = Mixture(FactorAnalyser(1, floor=1e-20), 2)
    params = from_means(model, data, [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    steps = list(em(model, data, params, tolerance=0, max_iterations=60))
    laws.bound_never_falls(steps)
    laws.bound_touches_after_e_and_stays_below_after_m(steps)
    assert steps[-1].params.covariances[0, 0, 0] == pytest.approx(1e-14, rel=0.3)


def test_a_column_without_noise_stops_at_its_floor_and_says_so():
    data = planes(150, 4, 1, 2, seed=12)
    data[:, 3] = 2 * data[:, 0]
    result = fit(Mixture(FactorAnalyser(1), 2), data, max_iterations=150)
    assert "component 1 is at its noise floor in column 1 and others" in result.flags[0]
    laws.bound_never_falls(list(result.trace), len(data))


def test_models_side_by_side_are_models_one_by_one():
    data = planes(150, 4, 1, 2, seed=13)
    model = Mixture(FactorAnalyser(1), 2)
    starts = [
        model.initial_params(data, "k-means++", np.random.default_rng(seed)) for seed in range(3)
    ]
    parts = zip(*(params.emission for params in starts), strict=True)
    stacked = MixtureParams(
        np.stack([params.weights for params in starts]), FactorAnalyserParams(*map(np.stack, parts))
    )
    rows = model.prepare(data)
    together = model.e_step(stacked, rows)
    moved = model.m_step(stacked, together.statistics)
    bounds = model.expected_log_joint(moved, together.statistics)
    for r, params in enumerate(starts):
        alone = model.e_step(params, rows)
        after = model.m_step(params, alone.statistics)
        assert together.entropy[r] == pytest.approx(alone.entropy, rel=1e-12)
        assert bounds[r] == pytest.approx(model.expected_log_joint(after, alone.statistics))
        laws.assert_close(tuple(part[r] for part in moved.emission), tuple(after.emission), 1e-9)


def test_an_empty_component_keeps_its_parameters():
    data = planes(50, 3, 1, 1, seed=14)
    model = Mixture(FactorAnalyser(1), 2)
    params = model.params(
        [0.5, 0.5],
        means=[data.mean(axis=0), [1e6] * 3],
        loadings=np.ones((2, 3, 1)),
        noise_variances=np.ones((2, 3)),
    )
    last = list(em(model, data, params, tolerance=0, max_iterations=3))[-1]
    for before, after in zip(params.emission, last.params.emission, strict=True):
        assert np.array_equal(before[1], after[1])
    assert "component 2 is empty" in last.flags[0]


def test_too_many_factors_are_refused():
    with pytest.raises(ValueError, match="3 factors need at least 4 columns"):
        fit(Mixture(FactorAnalyser(3), 2), planes(30, 3, 1, 2, seed=15))
    with pytest.raises(ValueError, match="at least one factor"):
        FactorAnalyser(0)


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"means": np.zeros((3, 4))}, "means have shape"),
        ({"loadings": np.zeros((2, 4, 2))}, "loadings have shape"),
        ({"noise_variances": np.ones((2, 3))}, "noise_variances have shape"),
        ({"noise_variances": np.zeros((2, 4))}, "noise_variances must be positive"),
    ],
)
def test_wrong_parameters_are_refused(wrong, words):
    right = {
        "means": np.zeros((2, 4)),
        "loadings": np.zeros((2, 4, 1)),
        "noise_variances": np.ones((2, 4)),
    }
    with pytest.raises(ValueError, match=words):
        Mixture(FactorAnalyser(1), 2).params([0.5, 0.5], **{**right, **wrong})
