"""The two-level model against brute force, closed forms, another program, and the laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from em_core.em import em
from em_core.fit import fit
from em_core.models.two_level.model import STARTS, TwoLevel, intraclass_correlation
from support import laws
from support.drawn import examples
from support.ends import end_of_em

MODEL = TwoLevel()
NO_DIFFERENCE = (
    "the groups do not differ more than chance: the between-group variance is at its floor"
)


def random_params(dimension, rng, between=1.0, within=1.0):
    def covariance(scale):
        root = rng.normal(size=(dimension, dimension + 2))
        return scale * root @ root.T / dimension

    return MODEL.params(rng.normal(size=dimension), covariance(between), covariance(within))


def groups_of(n_groups, dimension, seed, largest=8, **scales):
    rng = np.random.default_rng(seed)
    params = random_params(dimension, rng, **scales)
    data, _ = MODEL.sample(params, rng.integers(1, largest + 1, size=n_groups), rng)
    return data


def marginal(params, n):
    """Mean and covariance of all n observations of one group, written out in full."""
    covariance = np.kron(np.ones((n, n)), params.between_covariance)
    covariance += np.kron(np.eye(n), params.within_covariance)
    return np.tile(params.mean, n), covariance


# Against brute force, closed forms and another program.


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("between, within", [(1, 1), (1e-6, 1), (1, 1e-6)])
def test_the_likelihood_is_that_of_the_groups_as_long_vectors(dimension, between, within):
    params = random_params(dimension, np.random.default_rng(1), between, within)
    data = groups_of(15, dimension, seed=2)
    whole = np.array(
        [multivariate_normal.logpdf(group.ravel(), *marginal(params, len(group))) for group in data]
    )
    assert MODEL.e_step(params, data).log_likelihood == pytest.approx(whole.sum(), rel=1e-8)
    np.testing.assert_allclose(MODEL.posterior(params, data).log_densities, whole, rtol=1e-7)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_the_posterior_is_the_gaussian_conditional(dimension):
    params = random_params(dimension, np.random.default_rng(3))
    data = groups_of(10, dimension, seed=4)
    posterior = MODEL.posterior(params, data)
    entropy = 0.0
    for g, group in enumerate(data):
        mean, covariance = marginal(params, len(group))
        cross = np.kron(np.ones((1, len(group))), params.between_covariance)
        gain = np.linalg.solve(covariance, cross.T).T
        np.testing.assert_allclose(
            posterior.means[g], params.mean + gain @ (group.ravel() - mean), rtol=1e-10
        )
        conditional = params.between_covariance - gain @ cross.T
        np.testing.assert_allclose(posterior.covariances[g], conditional, rtol=1e-8, atol=1e-12)
        np.testing.assert_allclose(posterior.group_means[g], group.mean(axis=0), rtol=1e-12)
        drawn = posterior.shrinkage[g] @ (group.mean(axis=0) - params.mean)
        np.testing.assert_allclose(posterior.means[g], params.mean + drawn, rtol=1e-10)
        entropy += multivariate_normal(cov=conditional).entropy()
    assert MODEL.e_step(params, data).entropy == pytest.approx(entropy, rel=1e-10)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_shrinkage_of_a_random_intercept_is_the_textbook_formula(n):
    params = MODEL.params(3.0, 2.0, 5.0)
    posterior = MODEL.posterior(params, [np.arange(n, dtype=float)])
    factor = 2 / (2 + 5 / n)
    assert posterior.shrinkage[0, 0, 0] == pytest.approx(factor)
    assert posterior.means[0, 0] == pytest.approx(factor * (n - 1) / 2 + (1 - factor) * 3)
    assert posterior.covariances[0, 0, 0] == pytest.approx(2 * (1 - factor))


def test_maximum_likelihood_agrees_with_statsmodels():
    """Numbers of statsmodels 0.15.0: y all values, g the group of each,
    MixedLM(y, ones, groups=g).fit(reml=False, method="powell"), whose optimiser stops within 1e-6.
    """
    data = [
        [52.1, 48.3, 50.7],
        [61.0, 57.4],
        [45.2, 49.9, 44.1, 47.3, 46.0],
        [55.5],
        [58.2, 63.1, 60.4, 59.9],
        [50.3, 53.8, 49.5],
    ]
    effects = [-3.21240548, 4.92627197, -7.01381934, 1.42945887, 6.30081045, -2.43031647]
    for start in STARTS:
        result = fit(MODEL, data, start=start, tolerance=1e-12)
        assert result.log_likelihood == pytest.approx(-47.467485856330924, abs=1e-9)
        assert result.params.mean[0] == pytest.approx(53.78955655, rel=1e-7)
        assert result.params.between_covariance[0, 0] == pytest.approx(23.73014297, rel=1e-6)
        assert result.params.within_covariance[0, 0] == pytest.approx(4.66456521787834, rel=1e-6)
        found = result.posterior(data).means[:, 0] - result.params.mean
        np.testing.assert_allclose(found, effects, rtol=1e-6)


@pytest.mark.parametrize("seed, at_boundary", [(0, False), (1, True), (3, True), (5, False)])
def test_balanced_groups_have_a_closed_form(seed, at_boundary):
    """Searle, Casella & McCulloch (1992), Variance Components, section 3.7: the mean squares."""
    n_groups, n = 12, 5
    rng = np.random.default_rng(seed)
    data, _ = MODEL.sample(MODEL.params(1.0, 1e-3, 1.0), np.full(n_groups, n), rng)
    table = np.array(data)[:, :, 0]
    within = table.var(axis=1, ddof=1).mean()
    between = (1 - 1 / n_groups) * table.mean(axis=1).var(ddof=1) - within / n
    assert (between <= 0) == at_boundary
    if at_boundary:
        between, within = 0.0, table.var()
    result = fit(MODEL, data, start="moments", tolerance=1e-10, max_iterations=5000)
    assert result.params.mean[0] == pytest.approx(table.mean(), abs=1e-12)
    # The floor is a millionth of the variance.
    assert result.params.between_covariance[0, 0] == pytest.approx(between, rel=1e-4, abs=2e-6)
    assert result.params.within_covariance[0, 0] == pytest.approx(within, rel=1e-4)
    assert result.flags == ((NO_DIFFERENCE,) if at_boundary else ())


def test_the_start_by_moments_is_the_analysis_of_variance():
    data, _ = MODEL.sample(
        MODEL.params([1.0, 2.0], [[3.0, 1.0], [1.0, 2.0]], np.eye(2)),
        np.full(40, 6),
        np.random.default_rng(0),
    )
    within = np.mean([np.cov(group.T) for group in data], axis=0)
    between = np.cov(np.array([group.mean(axis=0) for group in data]).T, bias=True) - within / 6
    params = MODEL.initial_params(data, "moments", None)
    np.testing.assert_allclose(params.within_covariance, within, rtol=1e-10)
    np.testing.assert_allclose(params.between_covariance, between, rtol=1e-10)


# The laws.

sizes = st.lists(st.integers(1, 9), min_size=2, max_size=25).filter(lambda n: sum(n) > 5)


@given(
    sizes=sizes,
    dimension=st.integers(1, 4),
    ratio=st.sampled_from([0.0, 1e-8, 0.1, 1.0, 1e3, 1e8]),
    digits=st.sampled_from([0, 1, 12]),
    shift=st.sampled_from([0.0, -1e3, 1e6]),
    start=st.sampled_from(sorted(STARTS)),
    seed=st.integers(0, 2**31),
)
@examples(70)
def test_the_bound_climbs_and_touches(sizes, dimension, ratio, digits, shift, start, seed):
    """Groups from alike to worlds apart, repeated values, units far apart, far from zero."""
    rng = np.random.default_rng(seed)
    turn = rng.normal(size=(dimension, dimension))
    units = 10.0 ** (3 * np.arange(dimension))
    data = []
    for n in sizes:
        rows = rng.normal(size=(n, dimension)) + np.sqrt(ratio) * rng.normal(size=dimension)
        data.append(units * np.round(rows @ turn, digits) + shift)
    if (np.ptp(np.concatenate(data), axis=0) == 0).any():
        return
    steps = laws.run(MODEL, data, seed, start)
    n_observations = sum(sizes) * dimension
    laws.half_steps_are_well_formed(steps)
    laws.bound_never_falls(steps, n_observations)
    laws.bound_touches_after_e_and_stays_below_after_m(steps, n_observations)
    laws.gain_is_bound_gain_plus_kl(steps, n_observations)


@pytest.mark.parametrize("dimension", [1, 3])
def test_chunks_and_weights_of_groups(dimension):
    data = groups_of(40, dimension, seed=5)
    params = laws.run(MODEL, data, start="random", iterations=3)[-1].params
    weights = np.random.default_rng(0).integers(0, 4, size=len(data))
    for n_chunks in (2, 7):
        laws.chunks_add_up(MODEL, data, params, n_chunks)
    laws.integer_weights_are_copies(MODEL, data, params, weights)
    whole = fit(MODEL, data, start="moments", weights=weights.astype(float))
    chunks = fit(MODEL, data, start="moments", weights=weights.astype(float), chunks=5)
    copies = fit(MODEL, laws.copies(data, weights), start="moments")
    for other in (chunks, copies):
        laws.assert_close(other.params, whole.params, 1e-8)
        assert other.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-10)


def small_moves(params, rng):
    for size in (1e-1, 1e-3):
        for _ in range(10):
            yield params._replace(mean=params.mean + size * rng.normal(size=len(params.mean)))
            root = np.eye(len(params.mean)) + size * rng.normal(size=2 * params.mean.shape)
            yield params._replace(between_covariance=root @ params.between_covariance @ root.T)
            yield params._replace(within_covariance=root @ params.within_covariance @ root.T)


@pytest.mark.parametrize("dimension", [1, 3])
def test_the_m_step_is_a_maximum(dimension):
    data = groups_of(40, dimension, seed=6)
    params = laws.run(MODEL, data, start="random", iterations=2)[-1].params
    statistics = MODEL.e_step(params, data).statistics
    best = MODEL.m_step(params, statistics)
    laws.m_step_is_a_maximum(MODEL, best, statistics, small_moves, np.random.default_rng(0))


def test_the_m_step_is_a_maximum_at_the_floor():
    """Among all covariances with no eigenvalue below the floor, in units of the columns."""
    rng = np.random.default_rng(7)
    model = TwoLevel(floor=0.05)
    data, _ = model.sample(model.params(np.zeros(2), 1e-3 * np.eye(2), np.eye(2)), 50, rng)
    params = model.initial_params(data, "random", rng)
    for _ in range(200):
        statistics = model.e_step(params, data).statistics
        params = model.m_step(params, statistics)
    assert model.flags(params, statistics) == (NO_DIFFERENCE,)
    unit = np.sqrt(np.outer(statistics.variances, statistics.variances))

    def moves(params, rng):
        for move in small_moves(params, rng):
            lowest = np.linalg.eigvalsh(move.between_covariance / unit)[0]
            if lowest >= 0.05 * (1 - 1e-12):
                yield move

    assert len(list(moves(params, rng))) > 20
    laws.m_step_is_a_maximum(model, params, statistics, moves, rng)


@pytest.mark.parametrize("scale, shift", [(1e-6, 0), (1e6, 0), (1, 1e8), (1e9, -1e9)])
@pytest.mark.parametrize("start", STARTS)
def test_units_do_not_matter(scale, shift, start):
    data = groups_of(30, 2, seed=8)
    plain = fit(MODEL, data, start=start, tolerance=1e-8)
    moved = fit(MODEL, [scale * group + shift for group in data], start=start, tolerance=1e-8)
    digits = 1e-6 if shift else 1e-9
    expected = plain.log_likelihood - sum(map(np.size, data)) * np.log(scale)
    assert moved.log_likelihood == pytest.approx(expected, rel=digits)
    back = MODEL.rescale(moved.params, np.full(2, -shift / scale), np.full(2, 1 / scale))
    laws.assert_close(back, plain.params, 100 * digits)


@pytest.mark.parametrize("start", ["moments", "all between", "all within"])
def test_the_order_of_groups_rows_and_columns_does_not_matter(start):
    data = groups_of(30, 3, seed=9)
    units, columns = np.array([1e-6, 1.0, 1e6]), [2, 0, 1]
    turned = [(units * group)[::-1, columns] for group in data[::-1]]
    plain, moved = (end_of_em(MODEL, groups, start) for groups in (data, turned))
    less = sum(map(len, data)) * np.log(units).sum()
    assert moved.log_likelihood == pytest.approx(plain.log_likelihood - less, rel=1e-9)
    # Where EM only slowed down, a fit goes on along its last steps, which are others in other
    # coordinates: to the same answer, as far as the tolerance goes.
    fits = [fit(MODEL, groups, start=start).log_likelihood for groups in (turned, data)]
    assert fits[0] == pytest.approx(fits[1] - less, abs=1e-3)
    expected = MODEL.rescale(plain.params, np.zeros(3), units)
    np.testing.assert_allclose(moved.params.mean, expected.mean[columns], rtol=1e-8)
    for found, known in zip(moved.params[1:], expected[1:], strict=True):
        np.testing.assert_allclose(found, known[np.ix_(columns, columns)], rtol=1e-8)


@pytest.mark.parametrize("start", STARTS)
def test_the_same_seed_gives_the_same_bits(start):
    laws.same_seed_same_bits(MODEL, groups_of(20, 2, seed=10), start)


def test_only_the_random_start_depends_on_the_seed():
    data = groups_of(20, 2, seed=10)
    for start in STARTS:
        one, other = (MODEL.initial_params(data, start, np.random.default_rng(s)) for s in (0, 1))
        assert (start == "random") != laws.same_bits(one, other)


# What a person is told, and what data may be.


def test_a_floor_is_flagged_in_words():
    rng = np.random.default_rng(11)
    # The second column has no difference between groups; the third is the same all over a group.
    effects = rng.normal(size=(40, 1))
    data = [b * [1.0, 0.0] + rng.normal(size=(5, 2)) for b in effects]
    (flag,) = TwoLevel(floor=0.01).flags(*last(TwoLevel(floor=0.01), data))
    assert flag.startswith("in some direction the groups do not differ more than chance")
    constant = [np.column_stack([group, np.full(5, group[0, 0])]) for group in data]
    assert any(
        flag.startswith("within groups (nearly) nothing varies")
        for flag in MODEL.flags(*last(MODEL, constant))
    )
    singles = [group[:1] for group in data]
    assert "cannot be told apart" in fit(MODEL, singles, start="moments").flags[0]
    assert fit(MODEL, groups_of(40, 2, seed=12), start="moments").flags == ()


def last(model, data):
    """Parameters and the statistics that gave them, of a run cut off after 300 iterations."""
    params = model.initial_params(data, "moments", np.random.default_rng(0))
    *_, before, _ = em(model, data, params, tolerance=0, max_iterations=300)
    statistics = model.e_step(before.posterior_params, data).statistics
    return model.m_step(before.posterior_params, statistics), statistics


def test_a_true_difference_is_found_from_every_start():
    """Pupils in schools: a variance of 9 between schools and 36 within, so one fifth between."""
    rng = np.random.default_rng(13)
    truth = MODEL.params(50.0, 9.0, 36.0)
    data, effects = MODEL.sample(truth, rng.integers(5, 200, size=400), rng)
    assert intraclass_correlation(truth) == pytest.approx([0.2])
    for start in STARTS:
        result = fit(MODEL, data, start=start, tolerance=1e-6)
        assert result.stop_reason == "converged"
        assert intraclass_correlation(result.params) == pytest.approx([0.2], abs=0.03)
        assert result.params.mean == pytest.approx([50], abs=0.5)
    posterior = result.posterior(data)
    raw = np.mean((posterior.group_means - effects) ** 2)
    shrunken = np.mean((posterior.means - effects) ** 2)
    assert shrunken < raw
    standardised = (posterior.means - effects)[:, 0] / np.sqrt(posterior.covariances[:, 0, 0])
    assert standardised.std() == pytest.approx(1, abs=0.1)


def test_samples_have_the_moments_of_their_parameters():
    params = MODEL.params([1.0, -1.0], [[2.0, 0.5], [0.5, 1.0]], [[1.0, -0.3], [-0.3, 0.5]])
    data, effects = MODEL.sample(params, 20_000, np.random.default_rng(14))
    assert len(data) == 20_000 and {group.shape for group in data} == {(10, 2)}
    np.testing.assert_allclose(np.cov(effects.T), params.between_covariance, atol=0.05)
    residuals = np.concatenate(data) - np.repeat(effects, 10, axis=0)
    np.testing.assert_allclose(np.cov(residuals.T), params.within_covariance, atol=0.02)
    sizes = [3, 1, 5]
    data, _ = MODEL.sample(params, sizes, np.random.default_rng(0))
    assert [len(group) for group in data] == sizes


def test_counts_for_the_criteria():
    data = groups_of(20, 3, seed=15)
    params = MODEL.initial_params(data, "moments", None)
    assert MODEL.n_parameters(params) == 3 + 2 * 6
    assert MODEL.n_observations(data) == sum(map(len, data))
    assert MODEL.n_observations(data, np.full(20, 2.0)) == 2 * sum(map(len, data))


def test_wrong_input_is_named():
    good = [[1.0, 2.0], [3.0, 5.0]]
    for data, message in [
        ([], "no groups"),
        ([[1.0, 2.0]], "at least two groups"),
        ([[1.0], []], "group 2 has shape .* at least one row"),
        ([[1.0], [np.inf]], "group 2 holds infinite"),
        ([[1.0], [1e200]], "larger unit"),
        ([np.ones((2, 2)), np.ones((2, 3))], "group 2 has 3 columns and group 1 has 2"),
        ([[[1.0, 2.0]], [[3.0, 2.0]]], "column 2 is constant"),
    ]:
        with pytest.raises(ValueError, match=message):
            fit(MODEL, data, start="moments")
    with pytest.raises(ValueError, match="column 1 is constant"):
        fit(MODEL, [*good, [3.0, 3.0], [3.0]], start="moments", weights=[0.0, 0.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="unknown start 'k-means'"):
        fit(MODEL, good, start="k-means")
    with pytest.raises(ValueError, match="floor"):
        TwoLevel(floor=0)
    for arguments, message in [
        ((np.nan, 1, 1), "finite"),
        ((0, [1, 2], 1), "between_covariance has shape"),
        ((0, 1, -1), "within_covariance is not positive definite"),
        (([0, 0], [[1, 2], [0, 1]], np.eye(2)), "between_covariance is not symmetric"),
    ]:
        with pytest.raises(ValueError, match=message):
            MODEL.params(*arguments)
