"""Student-t components: laws, densities, weights of outliers, degrees of freedom."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import psi
from scipy.stats import gamma, multivariate_t

from em_core import STARTS, Gaussian, Mixture, MixtureParams, em, fit, from_means
from em_core.checks.checking import check_model
from em_core.emissions.student_t import FEWEST, MOST, StudentT, StudentTParams, best_degrees
from em_core.models.hidden_markov.model import HiddenMarkov
from support import laws
from support.drawn import examples

COVARIANCES = ["full", "tied", "diag", "spherical", "VEV"]
every_covariance = pytest.mark.parametrize("covariance", COVARIANCES)
given_and_estimated = pytest.mark.parametrize("degrees", [None, 3.0])


def clusters(n, d, k, seed, degrees=4.0):
    """Heavy-tailed clusters of different shapes."""
    rng = np.random.default_rng(seed)
    centres = 6 * rng.normal(size=(k, d))
    shapes = rng.normal(size=(k, d, d))
    label = rng.integers(k, size=n)
    noise = rng.normal(size=(n, d)) / np.sqrt(rng.gamma(degrees / 2, 2 / degrees, size=(n, 1)))
    return centres[label] + np.einsum("nij,nj->ni", shapes[label], noise)


@st.composite
def tables(draw):
    """Tables from easy to nasty: few rows, repeated rows, wild outliers, units far apart."""
    n, d = draw(st.integers(10, 60)), draw(st.integers(1, 4))
    data = clusters(n, d, draw(st.integers(1, 3)), draw(st.integers(0, 2**31)))
    data = np.round(data, draw(st.sampled_from([0, 1, 12])))
    data[0] *= draw(st.sampled_from([1.0, 1e2, 1e4]))
    data = data + draw(st.sampled_from([0.0, -1e3, 1e6]))
    return data * 10.0 ** (draw(st.integers(-3, 3)) * np.arange(d))


@every_covariance
@given_and_estimated
@given(
    data=tables(),
    k=st.integers(1, 3),
    start=st.sampled_from(sorted(STARTS)),
    seed=st.integers(0, 9),
)
@examples(12)
def test_the_bound_climbs_and_touches(covariance, degrees, data, k, start, seed):
    if len(np.unique(data, axis=0)) < k or (data == data[0]).all(axis=0).any():
        return
    steps = laws.run(Mixture(StudentT(covariance, degrees), k), data, seed, start)
    laws.half_steps_are_well_formed(steps)
    laws.bound_never_falls(steps, len(data))
    laws.bound_touches_after_e_and_stays_below_after_m(steps, len(data))
    laws.gain_is_bound_gain_plus_kl(steps, len(data))


@every_covariance
@pytest.mark.parametrize("d", [2, 26])
def test_chunks_weights_and_order(covariance, d):
    data = clusters(150, d, 2, seed=1)
    model = Mixture(StudentT(covariance), 2)
    params = laws.run(model, data, iterations=3)[-1].params
    rng = np.random.default_rng(0)
    laws.chunks_add_up(model, data, params, 4)
    laws.integer_weights_are_copies(model, data, params, rng.integers(0, 4, size=len(data)))
    laws.permuting_rows_changes_nothing(model, data, rng.permutation(len(data)))
    laws.same_seed_same_bits(model, data, "k-means++")


def test_the_laws_of_hidden_markov_models():
    rng = np.random.default_rng(0)
    sequences = []
    for n in (40, 70, 25):
        state = np.cumsum(rng.random(n) < 0.1) % 2
        sequences.append(state[:, None] * [4.0, 0.0] + rng.standard_t(4, size=(n, 2)))
    model = HiddenMarkov(StudentT(), 2)
    report = check_model(model, sequences, start="k-means++", iterations=5)
    assert report.ok, report


@every_covariance
def test_densities_are_those_of_scipy(covariance):
    data = clusters(100, 3, 2, seed=2)
    model = Mixture(StudentT(covariance), 2)
    params = laws.run(model, data, iterations=5)[-1].params
    components = zip(
        params.weights, params.means, params.covariances, params.degrees_of_freedom, strict=True
    )
    expected = [np.log(w) + multivariate_t(m, c, df=nu).logpdf(data) for w, m, c, nu in components]
    np.testing.assert_allclose(model.log_joint(params, data).T, expected, rtol=1e-10)


def posterior_gammas(params, data):
    """q(u) of every row under every component, (N, K), from the definition."""
    d = data.shape[1]
    deviations = data[:, None] - params.means
    squares = np.einsum(
        "nki,kij,nkj->nk", deviations, np.linalg.inv(params.covariances), deviations
    )
    nu = params.degrees_of_freedom
    return gamma((nu + d) / 2, scale=2 / (nu + squares))


def test_statistics_entropy_and_weights_are_those_of_the_gamma_posterior():
    data = clusters(80, 2, 2, seed=3)
    model = Mixture(StudentT(), 2)
    params = laws.run(model, data, iterations=4)[-1].params
    q = posterior_gammas(params, data)
    shares = model.posterior(params, data).responsibilities
    expectation = model.e_step(params, data)
    of_labels = -(shares * np.log(shares, where=shares > 0, out=np.zeros_like(shares))).sum()
    assert expectation.entropy == pytest.approx(of_labels + (shares * q.entropy()).sum(), rel=1e-9)
    found = expectation.statistics.emission
    np.testing.assert_allclose(found.counts, shares.sum(axis=0))
    np.testing.assert_allclose(found.moments.counts, (shares * q.mean()).sum(axis=0))
    logs = psi((params.degrees_of_freedom + 2) / 2) + np.log(q.kwds["scale"])
    np.testing.assert_allclose(found.log_weights, (shares * logs).sum(axis=0))
    weights = model.emission.latent_weights(params.emission, data, shares)
    np.testing.assert_allclose(weights, (shares * q.mean()).sum(axis=1))


def moves(params, rng):
    """Parameters a little away; shapes move together, so that what is tied stays tied."""
    means, covariances, degrees = params.emission
    d = means.shape[1]
    for size in (1e-1, 1e-3):
        for _ in range(6):
            yield params._replace(
                emission=StudentTParams(
                    means + size * rng.normal(size=means.shape), covariances, degrees
                )
            )
            for stretch in (np.exp(size * rng.normal()), np.exp(-size)):
                yield params._replace(
                    emission=StudentTParams(means, stretch * covariances, degrees)
                )
            factor = np.clip(degrees * np.exp(size * rng.normal(size=len(degrees))), FEWEST, MOST)
            yield params._replace(emission=StudentTParams(means, covariances, factor))
            shear = np.eye(d) + size * rng.normal(size=(d, d))
            yield params._replace(
                emission=StudentTParams(means, shear @ covariances @ shear.T, degrees)
            )


@pytest.mark.parametrize("covariance", ["full", "tied"])
@pytest.mark.parametrize("tails", [1.0, 4.0, 1e6])
def test_the_m_step_is_a_maximum(covariance, tails):
    """Also where the degrees of freedom want to go beyond either bound."""
    data = clusters(300, 2, 2, seed=4, degrees=tails)
    model = Mixture(StudentT(covariance), 2)
    for steps in (2, 60):
        params = laws.run(model, data, iterations=steps)[-1].params
        statistics = model.e_step(params, data).statistics
        best = model.m_step(params, statistics)
        laws.m_step_is_a_maximum(model, best, statistics, moves, np.random.default_rng(0))


def test_degrees_of_freedom_solve_their_equation():
    excess = np.geomspace(1e-4, 30, 80)
    found = best_degrees(excess, FEWEST, MOST)

    def left(nu):
        return np.log(nu / 2) - psi(nu / 2)

    for c, nu in zip(excess, found, strict=True):
        if c >= left(FEWEST):
            assert nu == pytest.approx(FEWEST)
        elif c <= left(MOST):
            assert nu == pytest.approx(MOST)
        else:
            assert nu == pytest.approx(brentq(lambda x, c=c: left(x) - c, FEWEST, MOST), rel=1e-9)
    assert (best_degrees(excess, 5.0, 5.0) == 5).all()


def test_what_is_sampled_is_found_again():
    model = Mixture(StudentT(), 2)
    truth = model.params(
        [0.35, 0.65],
        means=[[0.0, 0.0], [6.0, 2.0]],
        covariances=[[[1.0, 0.6], [0.6, 1.0]], [[2.0, 0.0], [0.0, 0.3]]],
        degrees_of_freedom=[3.0, 12.0],
    )
    data, labels = model.sample(truth, 20_000, np.random.default_rng(0))
    found = fit(model, data, start=truth).params
    np.testing.assert_allclose(found.weights, truth.weights, atol=0.01)
    np.testing.assert_allclose(found.means, truth.means, atol=0.05)
    np.testing.assert_allclose(found.covariances, truth.covariances, atol=0.1)
    np.testing.assert_allclose(1 / found.degrees_of_freedom, [1 / 3, 1 / 12], atol=0.03)
    assert np.mean(model.predict(found, data) == labels) > 0.97


def test_outliers_do_not_pull_clusters_apart():
    """Two tidy clusters in a wide sprinkle: the best Gaussian mixture spends a component on the
    sprinkle and merges the clusters; the t mixture tells them apart, from most starts at once."""
    rng = np.random.default_rng(5)
    label = rng.integers(2, size=200)
    tidy = rng.normal(size=(200, 2)) + 5.0 * label[:, None]
    sprinkle = rng.uniform(-40, 40, size=(20, 2))
    data = np.concatenate([tidy, sprinkle])

    def best_of(emission):
        """The best of some fits, and in each the share of tidy rows in the wrong cluster."""
        starts = [("hierarchical", 0), *(("k-means++", seed) for seed in range(4))]
        model = Mixture(emission, 2)
        fits = [fit(model, data, seed=seed, start=start) for start, seed in starts]
        fits.sort(key=lambda result: -result.log_likelihood)
        wrong = [np.mean(result.predict(tidy) != label) for result in fits]
        return fits[0], np.minimum(wrong, np.subtract(1, wrong))

    gaussian, wrong = best_of(Gaussian())
    assert wrong.min() > 0.3
    result, wrong = best_of(StudentT())
    assert result.log_likelihood > gaussian.log_likelihood + 50
    assert wrong[0] < 0.02 and np.median(wrong) < 0.02
    shares = result.posterior(data).responsibilities
    weights = result.model.emission.latent_weights(result.params.emission, data, shares)
    far = np.abs(sprinkle - 2.5).max(axis=1) > 15
    assert weights[200:][far].max() < 0.05
    assert np.median(weights[:200]) > 0.7


def test_many_degrees_of_freedom_agree_with_gaussian_components():
    data = clusters(300, 2, 2, seed=6, degrees=1e6)
    gaussian = Mixture(Gaussian(), 2)
    params = gaussian.initial_params(data, "k-means", np.random.default_rng(0))
    plain = list(em(gaussian, data, params, tolerance=0, max_iterations=20))[-1]
    gaps = []
    for degrees in (1e3, 1e4):
        emission = StudentT("full", degrees)
        model = Mixture(emission, 2)
        start = MixtureParams(params.weights, emission.params(2, *params.emission))
        heavy = list(em(model, data, start, tolerance=0, max_iterations=20))[-1]
        np.testing.assert_allclose(heavy.params.means, plain.params.means, atol=50 / degrees)
        gaps.append(abs(heavy.log_likelihood - plain.log_likelihood))
    assert gaps[1] < 0.2 * gaps[0] < 1


@pytest.mark.parametrize("covariance", ["full", "tied", "diag"])
@pytest.mark.parametrize("scale, shift", [(1e-6, 0), (1e6, 0), (1, 1e8)])
def test_units_do_not_matter(covariance, scale, shift):
    data = clusters(200, 2, 2, seed=7)
    model = Mixture(StudentT(covariance), 2)
    plain = fit(model, data, seed=1, max_iterations=30, tolerance=0)
    start = model.rescale(plain.trace[0].params, np.full(2, shift), np.full(2, scale))
    moved = fit(model, scale * data + shift, start=start, max_iterations=30, tolerance=0)
    # At an offset of 1e8 the data themselves keep only 8 digits.
    digits = 1e-5 if shift else 1e-8
    expected = plain.log_likelihood - data.size * np.log(scale)
    assert moved.log_likelihood == pytest.approx(expected, rel=digits)
    back = model.rescale(moved.params, -np.full(2, shift / scale), np.full(2, 1 / scale))
    laws.assert_close(back, plain.params, digits)


def test_a_narrow_component_keeps_its_digits():
    """Widths 1e-7 of the distance from the centre: the quadratic form alone would lose them all."""
    rng = np.random.default_rng(8)
    data = np.concatenate([1e-7 * rng.normal(size=(200, 2)) + 1, rng.normal(size=(200, 2))])
    model = Mixture(StudentT(floor=1e-20), 2)
    params = from_means(model, data, [[1.0, 1.0], [0.0, 0.0]])
    steps = list(em(model, data, params, tolerance=0, max_iterations=80))
    laws.bound_never_falls(steps)
    laws.bound_touches_after_e_and_stays_below_after_m(steps)
    assert steps[-1].params.covariances[0, 0, 0] == pytest.approx(1e-14, rel=0.4)


def test_a_collapsing_component_stops_at_its_floor_and_says_so():
    data = np.concatenate([clusters(60, 2, 1, seed=9), np.full((10, 2), 30.0)])
    model = Mixture(StudentT(), 2)
    start = from_means(model, data, [[30.0, 30.0], data[:60].mean(axis=0)])
    result = fit(model, data, start=start, max_iterations=300)
    assert "component 1 is collapsing onto one point" in result.flags[0]
    laws.bound_never_falls(list(result.trace), len(data))
    laws.bound_touches_after_e_and_stays_below_after_m(list(result.trace), len(data))


@given_and_estimated
def test_models_side_by_side_are_models_one_by_one(degrees):
    data = clusters(200, 2, 3, seed=10)
    model = Mixture(StudentT("full", degrees), 3)
    starts = [
        model.initial_params(data, "k-means++", np.random.default_rng(seed)) for seed in range(3)
    ]
    emission = StudentTParams(*map(np.stack, zip(*(p.emission for p in starts), strict=True)))
    stacked = MixtureParams(np.stack([p.weights for p in starts]), emission)
    rows = model.prepare(data)
    together = model.e_step(stacked, rows)
    moved = model.m_step(stacked, together.statistics)
    bounds = model.expected_log_joint(moved, together.statistics)
    for r, params in enumerate(starts):
        alone = model.e_step(params, rows)
        after = model.m_step(params, alone.statistics)
        assert together.log_likelihood[r] == pytest.approx(alone.log_likelihood, rel=1e-12)
        assert together.entropy[r] == pytest.approx(alone.entropy, rel=1e-12)
        assert bounds[r] == pytest.approx(model.expected_log_joint(after, alone.statistics))
        laws.assert_close(tuple(part[r] for part in moved.emission), tuple(after.emission), 1e-9)


def test_an_empty_component_keeps_its_parameters():
    data = clusters(50, 2, 1, seed=11)
    model = Mixture(StudentT(), 2)
    params = model.params(
        [0.5, 0.5],
        means=[data.mean(axis=0), [1e6, 1e6]],
        covariances=[np.cov(data.T), np.eye(2) * 1e-3],
        degrees_of_freedom=[10.0, 200.0],
    )
    step = laws.em(model, data, params, tolerance=0, max_iterations=3)
    last = list(step)[-1]
    for before, after in zip(params.emission, last.params.emission, strict=True):
        assert np.array_equal(before[1], after[1])
    assert "component 2 is empty" in last.flags[0]


def test_parameters_are_counted():
    data = clusters(50, 3, 2, seed=12)
    for emission, extra in [(StudentT(), 2), (StudentT("full", 5.0), 0)]:
        model = Mixture(emission, 2)
        params = model.initial_params(data, "k-means", np.random.default_rng(0))
        assert model.n_parameters(params) == 1 + 2 * 3 + 2 * 6 + extra


@pytest.mark.parametrize(
    "wrong", [{"covariance": "round"}, {"degrees_of_freedom": 0.05}, {"degrees_of_freedom": np.inf}]
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValueError):
        StudentT(**wrong)


@pytest.mark.parametrize("degrees", [[3.0], [3.0, 0.0], [3.0, np.nan], [3.0, 1e3]])
def test_wrong_degrees_are_refused(degrees):
    arrays = {"means": np.zeros((2, 2)), "covariances": np.stack([np.eye(2)] * 2)}
    with pytest.raises(ValueError, match=r"give 2 degrees of freedom from 0\.1 to 200"):
        Mixture(StudentT(), 2).params([0.5, 0.5], **arrays, degrees_of_freedom=degrees)


# ---------------------------------------------------------------------------------------------
# Degrees of freedom at their bounds


def column(name):
    path = next((Path(__file__).parents[2] / "tables").glob(f"{name}-*.csv"))
    return np.genfromtxt(path, skip_header=1)[:, None]


def test_tails_lighter_than_a_gaussian_end_at_the_bound_which_is_said_and_not_counted():
    data = column("32a")
    result, gaussian = fit(Mixture(StudentT(), 1), data), fit(Mixture(Gaussian(), 1), data)
    assert result.log_likelihood == pytest.approx(-61.99438, abs=1e-4)
    assert result.params.degrees_of_freedom[0] == pytest.approx(MOST, rel=1e-9)
    assert result.n_parameters == gaussian.n_parameters == 2
    assert "degrees of freedom at their bound, 200: it is a Gaussian" in result.flags[0]
    assert gaussian.log_likelihood == pytest.approx(-61.95674, abs=1e-4)


def test_tails_heavier_than_cauchys_are_estimated():
    data = column("32b")
    for start in STARTS:
        result = fit(Mixture(StudentT(), 1), data, start=start, tolerance=1e-5)
        assert result.log_likelihood == pytest.approx(-81.19728, abs=1e-3)
        assert result.params.degrees_of_freedom[0] == pytest.approx(0.3678, abs=1e-3)
        assert np.sqrt(result.params.covariances[0, 0, 0]) == pytest.approx(0.2949, abs=1e-2)
        assert result.n_parameters == 3 and not result.flags
    given_cauchy = fit(Mixture(StudentT(degrees_of_freedom=1), 1), data)
    assert given_cauchy.log_likelihood == pytest.approx(-87.24298, abs=1e-3)


def test_the_lower_bound_is_said_and_counted():
    heavier = np.sign(column("32b")) * np.abs(column("32b")) ** 6
    result = fit(Mixture(StudentT(floor=1e-30), 1), heavier, max_iterations=3000)
    assert result.params.degrees_of_freedom[0] == pytest.approx(FEWEST)
    assert result.n_parameters == 3
    assert any("at their bound, 0.1" in flag for flag in result.flags)


def test_each_component_counts_its_own_degrees_of_freedom():
    model = Mixture(StudentT(), 3)
    params = model.params(
        [0.2, 0.3, 0.5],
        means=np.zeros((3, 1)),
        covariances=np.ones((3, 1, 1)),
        degrees_of_freedom=[FEWEST, 5.0, MOST],
    )
    assert model.n_parameters(params) == 2 + 3 + 3 + 2
    assert Mixture(StudentT(degrees_of_freedom=200.0), 3).n_parameters(params) == 2 + 3 + 3
    with pytest.raises(ValueError, match=r"choose from 0\.1 to 10000"):
        StudentT(degrees_of_freedom=0.05)
