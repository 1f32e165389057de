"""Factor analysis and probabilistic PCA: laws, brute force, closed forms, what is said."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from em_core.em import em
from em_core.fit import fit
from em_core.models.factor_analysis.boundary import degrees_of_freedom
from em_core.models.factor_analysis.model import FactorAnalysis, ProbabilisticPCA
from em_core.models.factor_analysis.starts import STARTS
from em_core.models.factor_analysis.statistics import FactorParams
from em_core.models.factor_analysis.summaries import (
    explained_variance,
    goodness_of_fit,
    standardised,
    uniquenesses,
)
from em_core.trees import add
from support import laws
from support.drawn import examples

MODELS = [FactorAnalysis, ProbabilisticPCA]
DEFAULT = next(iter(STARTS))
both = pytest.mark.parametrize("kind", MODELS)
complete_and_not = pytest.mark.parametrize("missing", [0, 0.3])


def factor_table(n, d, q, seed=0, missing=0.0):
    """Rows of a factor model with uneven noise, about a mean that is not zero."""
    rng = np.random.default_rng(seed)
    loadings = rng.normal(size=(d, q))
    noise = rng.normal(size=(n, d)) * np.sqrt(rng.uniform(0.2, 1.5, size=d))
    data = 3 * rng.normal(size=d) + rng.normal(size=(n, q)) @ loadings.T + noise
    data[rng.random(size=data.shape) < missing] = np.nan
    return data


def most_factors(kind, d):
    """No more than the covariance of so many columns can tell; at least one."""
    if kind is ProbabilisticPCA:
        return d - 1
    return max([q for q in range(1, d) if degrees_of_freedom(d, q) >= 0], default=1)


def spread(params):
    """What the parameters say of x, whatever the rotation of the factors."""
    return params.mean, params.loadings @ params.loadings.T, params.noise


# ---------------------------------------------------------------------------------------------
# Laws


@st.composite
def tables(draw):
    """Tables from easy to nasty: few rows, repeated rows and columns, units far apart, holes."""
    d = draw(st.integers(2, 5))
    n = draw(st.integers(10, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    data = factor_table(n, d, draw(st.integers(1, d)), draw(st.integers(0, 2**31)))
    if draw(st.booleans()):
        data[:, -1] = data[:, 0]
    data = np.round(data, draw(st.sampled_from([0, 1, 3, 12])))
    data = data + draw(st.sampled_from([0.0, 1.0, -1e3, 1e6]))
    data = data * 10.0 ** (draw(st.integers(-3, 3)) * np.arange(d))
    data[rng.random(size=data.shape) < draw(st.sampled_from([0, 0, 0.1, 0.5]))] = np.nan
    weights = draw(st.sampled_from([None, "integers", "shares"]))
    if weights == "integers":
        return data, rng.integers(0, 4, size=n).astype(float)
    return data, None if weights is None else rng.uniform(size=n)


@both
@given(table=tables(), q=st.integers(1, 4), start=st.sampled_from(sorted(STARTS)))
@examples(50)
def test_the_bound_climbs_and_touches(kind, table, q, start):
    data, weights = table
    model = kind(min(q, most_factors(kind, data.shape[1])))
    try:
        params = model.initial_params(data, start, np.random.default_rng(0), weights)
    except ValueError:
        return  # a column without values, or without two different ones
    n_rows = len(data) if weights is None else weights.sum()
    steps = list(em(model, data, params, weights=weights, tolerance=0, max_iterations=12))
    laws.half_steps_are_well_formed(steps)
    laws.bound_never_falls(steps, n_rows)
    laws.bound_touches_after_e_and_stays_below_after_m(steps, n_rows)
    laws.gain_is_bound_gain_plus_kl(steps, n_rows)


@both
@complete_and_not
def test_chunks_weights_and_order(kind, missing):
    data = factor_table(300, 6, 2, missing=missing)
    rng = np.random.default_rng(1)
    weights = rng.integers(0, 4, size=len(data))
    model = kind(2)
    params = laws.run(model, data, start=DEFAULT, iterations=3)[-1].params
    for n_chunks in (2, 7, 60):
        laws.chunks_add_up(model, data, params, n_chunks)
    laws.integer_weights_are_copies(model, data, params, weights)

    order = rng.permutation(len(data))
    direct, permuted = (
        list(em(model, rows, params, tolerance=0, max_iterations=10))[-1]
        for rows in (data, data[order])
    )
    laws.assert_close(permuted.params, direct.params, 1e-9)
    assert permuted.log_likelihood == pytest.approx(direct.log_likelihood, rel=1e-12)


@both
@complete_and_not
def test_em_in_chunks_with_weights_is_em_on_copies(kind, missing):
    data = factor_table(400, 5, 2, missing=missing)
    weights = np.random.default_rng(1).integers(0, 3, size=len(data))
    model = kind(2)
    params = model.initial_params(data, DEFAULT, np.random.default_rng(0), weights)
    options = {"tolerance": 0, "max_iterations": 15}
    whole, parts = (
        list(em(model, data, params, weights=weights, chunks=chunks, **options))[-1]
        for chunks in (1, 5)
    )
    copied = list(em(model, np.repeat(data, weights, axis=0), params, **options))[-1]
    for other in (parts, copied):
        laws.assert_close(other.params, whole.params, 1e-8)
        assert other.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-11)


def moves(params, rng):
    """Parameters a little away, in every direction the M-step is free to move in."""
    mean, loadings, noise, scale = params
    for size in (1e-1, 1e-3, 1e-5):
        for _ in range(6):
            yield params._replace(mean=mean + size * rng.normal(size=mean.shape))
            yield params._replace(loadings=loadings + size * rng.normal(size=loadings.shape))
            yield params._replace(noise_variance=noise * np.exp(size * abs(rng.normal())))
            shear = np.eye(len(scale)) + size * np.tril(rng.normal(size=scale.shape))
            yield params._replace(factor_scale=scale @ shear)
            yield params._replace(loadings=loadings @ shear, factor_scale=scale @ shear)


@both
@complete_and_not
@pytest.mark.parametrize("floor", [1e-6, 0.7])
def test_the_m_step_is_a_maximum(kind, missing, floor):
    """Under a floor that binds only upward moves of the noise are allowed; `moves` makes no others.
    Without one the noise must be a maximum on both sides."""
    data = factor_table(200, 5, 2, missing=missing)
    model = kind(2, floor=floor)
    params = laws.run(model, data, start=DEFAULT, iterations=2)[-1].params
    statistics = model.e_step(params, data).statistics
    best = model.m_step(params, statistics)
    rng = np.random.default_rng(0)
    laws.m_step_is_a_maximum(model, best, statistics, moves, rng)
    at_floor = best.noise <= floor * statistics.variances * (1 + 1e-12)
    if floor == 1e-6:
        assert not at_floor.any()
        for factor in (0.9, 0.999):
            lower = best._replace(noise_variance=best.noise_variance * factor)
            assert model.expected_log_joint(lower, statistics) < model.expected_log_joint(
                best, statistics
            )
    elif kind is FactorAnalysis:
        assert at_floor.any()


@both
@complete_and_not
@pytest.mark.parametrize("start", sorted(STARTS))
def test_the_same_seed_gives_the_same_bits(kind, missing, start):
    laws.same_seed_same_bits(kind(2), factor_table(100, 5, 2, missing=missing), start)


EACH_ITS_OWN = 10.0 ** np.array([-6, 3, 0, 8, -2])


@pytest.mark.parametrize("start", sorted(STARTS))
@complete_and_not
@pytest.mark.parametrize(
    "kind, units",
    [*((kind, unit) for kind in MODELS for unit in (1e-6, 1e6)), (FactorAnalysis, EACH_ITS_OWN)],
)
def test_units_do_not_matter(kind, start, missing, units):
    data, model = factor_table(200, 5, 2, missing=missing), kind(2)
    options = {"start": start, "max_iterations": 60, "tolerance": 0}
    plain, moved = fit(model, data, **options), fit(model, data * units, **options)
    units = np.broadcast_to(units, 5)
    jacobian = ((~np.isnan(data)).sum(axis=0) * np.log(units)).sum()
    assert moved.log_likelihood + jacobian == pytest.approx(plain.log_likelihood, rel=1e-9)
    scaled = model.rescale(moved.params, np.zeros(5), 1 / units)
    laws.assert_close(spread(scaled), spread(plain.params), 1e-7)
    expected = plain.log_likelihood - jacobian
    rescaled = model.rescale(plain.params, np.zeros(5), units)
    assert model.e_step(rescaled, data * units).log_likelihood == pytest.approx(expected, rel=1e-9)


@both
@complete_and_not
def test_a_shift_moves_the_mean_alone(kind, missing):
    data, model = factor_table(200, 5, 2, missing=missing), kind(2)
    options = {"start": DEFAULT, "tolerance": 0, "max_iterations": 30}
    plain, moved = fit(model, data, **options), fit(model, data + 1e8, **options)
    # The data themselves keep 8 digits there.
    assert moved.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-6)
    mean, common, noise = spread(moved.params)
    laws.assert_close((mean - 1e8, common, noise), spread(plain.params), 1e-5)


@both
@complete_and_not
def test_permuted_columns_permute_the_fit(kind, missing):
    data, order = factor_table(200, 5, 2, missing=missing), [3, 0, 4, 1, 2]
    options = {"start": DEFAULT, "tolerance": 0, "max_iterations": 30}
    plain, permuted = (fit(kind(2), rows, **options) for rows in (data, data[:, order]))
    assert permuted.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-12)
    mean, common, noise = spread(plain.params)
    expected = mean[order], common[np.ix_(order, order)], noise[order]
    laws.assert_close(spread(permuted.params), expected, 1e-9)


# ---------------------------------------------------------------------------------------------
# Brute force


def joint_of_x_and_z(params):
    """Mean and covariance of [x, z]."""
    mean = np.concatenate([params.mean, np.zeros(params.loadings.shape[1])])
    loadings = params.loadings
    whole = np.block([[params.covariance, loadings], [loadings.T, np.eye(loadings.shape[1])]])
    return mean, whole


def condition(mean, covariance, values):
    """Mean and covariance of the NaN entries of `values` given the others."""
    known = ~np.isnan(values)
    gain = np.linalg.solve(covariance[np.ix_(known, known)], covariance[np.ix_(known, ~known)]).T
    return (
        mean[~known] + gain @ (values[known] - mean[known]),
        covariance[np.ix_(~known, ~known)] - gain @ covariance[np.ix_(known, ~known)],
    )


@both
@pytest.mark.parametrize("missing", [0, 0.3, 0.8])
def test_likelihood_posterior_and_imputation_by_brute_force(kind, missing):
    data, model = factor_table(80, 6, 2, seed=3, missing=missing), kind(2)
    if missing:
        data[7] = np.nan
    params = laws.run(model, data, start="random loadings", iterations=4)[-1].params
    posterior, imputed = model.posterior(params, data), model.impute(params, data)
    whole_mean, whole_covariance = joint_of_x_and_z(params)
    covariance = params.covariance
    densities, entropy = [], 0.0
    for n, row in enumerate(data):
        known = ~np.isnan(row)
        if known.any():
            densities.append(
                multivariate_normal(params.mean[known], covariance[np.ix_(known, known)]).logpdf(
                    row[known]
                )
            )
        else:
            densities.append(0.0)
        unknown = np.concatenate([row, np.full(2, np.nan)])
        mean, spread_ = condition(whole_mean, whole_covariance, unknown)
        np.testing.assert_allclose(posterior.means[n], mean[-2:], atol=1e-10)
        np.testing.assert_allclose(posterior.covariances[n], spread_[-2:, -2:], atol=1e-10)
        np.testing.assert_allclose(imputed.values[n, ~known], mean[:-2], atol=1e-10)
        deviations = np.sqrt(np.diag(spread_)[:-2])
        np.testing.assert_allclose(imputed.deviations[n, ~known], deviations, atol=1e-10)
        assert np.array_equal(imputed.values[n, known], row[known])
        assert not imputed.deviations[n, known].any()
        entropy += multivariate_normal(np.zeros(2), spread_[-2:, -2:]).entropy()
    np.testing.assert_allclose(posterior.log_densities, densities, atol=1e-9)
    expectation = model.e_step(params, data)
    assert expectation.log_likelihood == pytest.approx(sum(densities), rel=1e-12)
    assert expectation.entropy == pytest.approx(entropy, rel=1e-11)


@both
def test_an_empty_row_says_nothing(kind):
    data, model = factor_table(300, 6, 1, missing=0.3), kind(1)
    longer = np.vstack([data, np.full((3, 6), np.nan)])
    plain, other = (fit(model, x, start=DEFAULT, tolerance=1e-9) for x in (data, longer))
    assert other.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-6)
    posterior = model.posterior(other.params, longer)
    assert not posterior.means[-1].any() and posterior.log_densities[-1] == 0
    np.testing.assert_allclose(posterior.covariances[-1], np.eye(1))


@both
def test_the_maximum_beats_its_neighbours_with_values_missing(kind):
    data, model = factor_table(150, 5, 1, seed=5, missing=0.4), kind(1)
    best = fit(model, data, start=DEFAULT, tolerance=1e-10)
    rng = np.random.default_rng(0)
    for size in (0.1, 1e-2):
        for _ in range(20):
            params = FactorParams(
                best.params.mean + size * rng.normal(size=5),
                best.params.loadings + size * rng.normal(size=(5, 1)),
                best.params.noise_variance
                * np.exp(size * rng.normal(size=np.shape(best.params.noise_variance))),
            )
            assert model.e_step(params, data).log_likelihood < best.log_likelihood


def test_principal_components_in_closed_form():
    data = factor_table(300, 6, 3, seed=2)
    values, vectors = np.linalg.eigh(np.cov(data.T, bias=True))
    values, vectors = values[::-1], vectors[:, ::-1]
    for q in range(1, 6):
        noise = values[q:].mean()
        for start in STARTS:
            params = fit(ProbabilisticPCA(q), data, start=start, tolerance=1e-10).params
            assert params.noise_variance == pytest.approx(noise, rel=1e-4)
            common = (vectors[:, :q] * (values[:q] - noise)) @ vectors[:, :q].T
            np.testing.assert_allclose(
                params.loadings @ params.loadings.T, common, atol=1e-3 * values[0]
            )
            np.testing.assert_allclose(params.mean, data.mean(axis=0), rtol=1e-12)


def test_a_mostly_empty_table_of_ratings():
    """90 % missing, nearly every row with its own pattern: the tastes behind it are found."""
    rng = np.random.default_rng(4)
    loadings, mean = rng.normal(size=(100, 3)), rng.normal(size=100)
    truth = mean + rng.normal(size=(2000, 3)) @ loadings.T
    full = truth + 0.5 * rng.normal(size=truth.shape)
    ratings = np.where(rng.random(size=full.shape) < 0.9, np.nan, full)
    for kind in MODELS:
        model = kind(3)
        result = fit(model, ratings, start=DEFAULT, max_iterations=100)
        imputed = model.impute(result.params, ratings)
        missing = np.isnan(ratings)
        errors = (full - imputed.values)[missing]
        assert errors.std() < 0.5 * full[missing].std()
        # Honest uncertainty: errors are as large as said.
        assert (errors / imputed.deviations[missing]).std() == pytest.approx(1, abs=0.1)


# ---------------------------------------------------------------------------------------------
# What is said


def rows_with_correlations(correlations, n=300):
    """Rows whose correlations are exactly these."""
    rows = np.random.default_rng(0).normal(size=(n, len(correlations)))
    white = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)[0] * np.sqrt(n)
    return white @ np.linalg.cholesky(correlations).T


def test_a_column_without_noise_is_flagged_by_its_number():
    # One factor behind columns 1 to 3 would need 0.8 * 0.8 / 0.4 = 160 % of column 3.
    data = rows_with_correlations(
        [[1, 0.4, 0.8, 0.3], [0.4, 1, 0.8, 0.3], [0.8, 0.8, 1, 0.5], [0.3, 0.3, 0.5, 1]]
    )
    result = fit(FactorAnalysis(1), data, start=DEFAULT, max_iterations=300)
    assert result.flags == (
        "column 3 has next to no noise of its own (a Heywood case): leave the column out, or take "
        "it for the factor itself",
    )
    model = FactorAnalysis(1, floor=0.2)
    bounded = fit(model, data, start=DEFAULT, tolerance=1e-6)
    assert bounded.stop_reason == "converged" and "column 3" in bounded.flags[0]
    assert bounded.params.noise_variance[2] == pytest.approx(0.2, rel=1e-12)
    laws.bound_never_falls(bounded.trace)
    assert bounded.log_likelihood < result.log_likelihood


def test_factors_that_leave_no_noise_are_flagged():
    rng = np.random.default_rng(0)
    exact = rng.normal(size=(50, 2)) @ rng.normal(size=(2, 5))
    flat = fit(ProbabilisticPCA(2), exact, start=DEFAULT, max_iterations=200)
    assert flat.flags == ("the factors leave no noise: use fewer of them",)
    assert np.isfinite(flat.log_likelihood)


def test_wrong_input_is_named():
    data = factor_table(20, 4, 1)
    holes, infinite, constant = data.copy(), data.copy(), data.copy()
    holes[:, 2], infinite[3, 1], constant[:, 3] = np.nan, np.inf, 7
    sometimes = constant.copy()
    sometimes[5, 3] = np.nan
    for wrong, q, message in [
        (data[None], 1, "a table of rows and columns is needed"),
        (data, 4, "4 factors need at least 5 columns, and these data have 4"),
        (factor_table(3, 5, 1), 2, "2 factors need at least 4 rows, and these data have 3"),
        (holes, 1, "column 3 has no values"),
        (infinite, 1, "column 2 holds infinite numbers"),
        (np.where(np.isfinite(infinite), infinite, -np.inf), 1, "column 2 holds infinite"),
        (data * [1, 1, 1e200, 1], 1, "column 3 holds infinite numbers, or numbers beyond 1e"),
    ]:
        for kind in MODELS:
            with pytest.raises(ValueError, match=message):
                kind(q).check(wrong)
    for wrong in (constant, sometimes):
        with pytest.raises(ValueError, match="column 4 has one and the same value"):
            FactorAnalysis(1).check(wrong)
        assert np.isfinite(fit(ProbabilisticPCA(1), wrong, start=DEFAULT).log_likelihood)
    with pytest.raises(ValueError, match="no column varies"):
        ProbabilisticPCA(1).check(np.ones((5, 3)))
    with pytest.raises(ValueError, match="unknown start 'k-means': choose one of squared"):
        fit(FactorAnalysis(1), data, start="k-means")
    with pytest.raises(ValueError, match="need at least 3 rows, and these data have 2"):
        fit(FactorAnalysis(1), data, start=DEFAULT, weights=np.eye(20)[0] + np.eye(20)[1])
    with pytest.raises(ValueError, match="at least one factor"):
        FactorAnalysis(0)
    with pytest.raises(ValueError, match="floor"):
        FactorAnalysis(1, floor=2)


def test_explicit_parameters_are_checked():
    model = FactorAnalysis(1)
    good = {"mean": [1, 2], "loadings": [[1], [2]], "noise_variance": [1, 3]}
    assert model.params(**good).covariance.tolist() == [[2, 2], [2, 7]]
    for change, message in [
        ({"mean": [1, np.nan]}, "mean must be"),
        ({"loadings": [[1, 2]]}, "loadings have shape"),
        ({"noise_variance": 1}, "one number for each column"),
        ({"noise_variance": [1, 0]}, "positive"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.params(**good | change)
    assert ProbabilisticPCA(1).params(**good | {"noise_variance": 2}).noise.tolist() == [2, 2]
    with pytest.raises(ValueError, match="give one number"):
        ProbabilisticPCA(1).params(**good)


@both
def test_samples_have_the_moments_they_were_drawn_with(kind):
    params = laws.run(kind(2), factor_table(100, 5, 2), start=DEFAULT, iterations=5)[-1].params
    data, factors = kind(2).sample(params, 200_000, np.random.default_rng(0))
    np.testing.assert_allclose(data.mean(axis=0), params.mean, atol=0.02)
    np.testing.assert_allclose(np.cov(data.T), params.covariance, atol=0.06)
    np.testing.assert_allclose(np.cov(data.T, factors.T)[:5, 5:], params.loadings, atol=0.02)


def test_starts_are_sensible():
    data = factor_table(400, 6, 2, seed=6)
    for kind in MODELS:
        for start in STARTS:
            one, again, other = (
                kind(2).initial_params(data, start, np.random.default_rng(seed))
                for seed in (0, 0, 1)
            )
            laws.assert_close(one, again, 0)
            assert (start == "random loadings") != np.array_equal(one.loadings, other.loadings)
            np.testing.assert_allclose(one.mean, data.mean(axis=0))
            np.testing.assert_allclose(np.trace(one.covariance), data.var(axis=0).sum(), rtol=1e-9)


def test_more_columns_than_rows():
    data = factor_table(20, 50, 2)
    for kind in MODELS:
        for start in STARTS:
            steps = laws.run(kind(2), data, start=start)
            laws.bound_never_falls(steps)
            laws.bound_touches_after_e_and_stays_below_after_m(steps)


def test_summaries():
    params = FactorParams(np.zeros(3), np.array([[1.0, 0], [0, 2], [1, 1]]), np.array([1.0, 4, 2]))
    np.testing.assert_allclose(uniquenesses(params), [1 / 2, 4 / 8, 2 / 4])
    explained = explained_variance(params)
    np.testing.assert_allclose(explained.sums, [2, 5])
    np.testing.assert_allclose(explained.shares, [2 / 14, 5 / 14])
    np.testing.assert_allclose(np.diag(standardised(params).covariance), 1)


def test_goodness_of_fit_is_uniform_where_the_model_holds():
    model = FactorAnalysis(1)
    truth = model.params(np.zeros(5), np.linspace(0.8, 1.6, 5)[:, None], np.ones(5))
    chances = []
    for seed in range(60):
        data, _ = model.sample(truth, 200, np.random.default_rng(seed))
        chances.append(goodness_of_fit(fit(model, data, start=DEFAULT).params, data).p_value)
    assert 0.4 < np.mean(chances) < 0.6
    assert 0.03 < np.mean(np.array(chances) < 0.1) < 0.2
    data = factor_table(200, 6, 3, seed=1)
    assert goodness_of_fit(fit(model, data, start=DEFAULT).params, data).p_value < 1e-6
    with pytest.raises(ValueError, match="nothing to test"):
        goodness_of_fit(truth._replace(mean=np.zeros(2), loadings=np.ones((2, 1))), data[:, :2])
    with pytest.raises(ValueError, match="without missing values"):
        goodness_of_fit(truth, np.full((9, 5), np.nan))
    with pytest.raises(ValueError, match="more rows"):
        goodness_of_fit(truth, data[:3, :5])


def test_the_scale_of_the_factors_changes_nothing_that_is_seen():
    """Parameters that differ in `factor_scale` alone are one model, and EM moves them alike."""
    data, model = factor_table(200, 5, 2, missing=0.2), FactorAnalysis(2)
    plain = model.initial_params(data, DEFAULT, np.random.default_rng(0))
    other = plain._replace(factor_scale=np.array([[3.0, 0], [-1, 0.2]]))
    steps = [list(em(model, data, p, tolerance=0, max_iterations=8)) for p in (plain, other)]
    for one, two in zip(*steps, strict=True):
        laws.assert_close(one.params[:3], two.params[:3], 1e-9)
        assert two.elbo == pytest.approx(one.elbo, rel=1e-12)


@complete_and_not
def test_statistics_know_the_variances_whatever_gave_them(missing):
    """The floor is a share of these: it must not move with the parameters."""
    data, model = factor_table(200, 5, 2, missing=missing), FactorAnalysis(2)
    rng = np.random.default_rng(0)
    params = model.params(10 * rng.normal(size=5), rng.normal(size=(5, 2)), np.ones(5))
    statistics = model.e_step(params, data).statistics
    np.testing.assert_allclose(statistics.variances, np.nanvar(data, axis=0), rtol=1e-10)


def test_statistics_of_different_parameters_cannot_be_added():
    data, model = factor_table(50, 4, 1), FactorAnalysis(1)
    one = model.initial_params(data, DEFAULT, np.random.default_rng(0))
    other = one._replace(mean=one.mean + 1)
    with pytest.raises(ValueError, match="cannot be added"):
        add(model.e_step(one, data), model.e_step(other, data))
