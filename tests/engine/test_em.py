"""The loop: stopping, weights, chunks, starts, flags and what it says of wrong input."""

import pickle
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from em_core import STARTS, Gaussian, HiddenMarkov, Mixture, em, fit, from_means, restarts
from em_core.datasets import load
from em_core.em import remaining_gain
from em_core.emissions.kernels.parameters import GaussianParams
from em_core.emissions.kernels.responsibilities import SAFE_EXPONENT
from em_core.search.batching.stepping import one_by_one

FAITHFUL = load("faithful").values


def test_importing_em_core_is_light():
    code = "import sys, em_core; print(sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    for heavy in ("streamlit", "plotly", "pandas", "scipy"):
        assert f"'{heavy}'" not in loaded


def test_converged_means_that_little_is_left_to_gain():
    for tolerance in (1.0, 1e-2, 1e-4):
        for seed in range(10):
            short = fit(Mixture(Gaussian(), 3), FAITHFUL, seed=seed, tolerance=tolerance)
            long = fit(Mixture(Gaussian(), 3), FAITHFUL, start=short.params, tolerance=1e-10)
            assert short.stop_reason == "converged"
            # A run that later leaves a plateau for another optimum is what no rule can foresee.
            if long.n_iterations < 5 * short.n_iterations:
                assert long.log_likelihood - short.log_likelihood < 10 * tolerance


def test_remaining_gain_is_aitkens_estimate():
    assert remaining_gain([0.0, 1.0, 1.5]) == np.inf
    assert remaining_gain([0.0, 1.0, 1.5, 1.75]) == pytest.approx(0.25)
    assert remaining_gain([0.0, 1.0, 1.5, 2.5]) == np.inf
    assert remaining_gain([0.0, 1.0, 1.0, 1.0]) == 0.0


def test_stop_reasons_are_told_apart():
    model = Mixture(Gaussian(), 2)
    assert fit(model, FAITHFUL).stop_reason == "converged"
    capped = fit(model, FAITHFUL, max_iterations=2, tolerance=0)
    assert capped.stop_reason == "max_iterations" and capped.n_iterations == 2

    class Falling(Mixture):
        def m_step(self, params, statistics):
            better = super().m_step(params, statistics)
            worse = better.emission._replace(means=better.means + 1)
            return better._replace(emission=worse)

    fallen = fit(Falling(Gaussian(), 2), FAITHFUL)
    assert fallen.stop_reason == "decreased"
    assert fallen.trace[-1].log_likelihood < fallen.trace[-3].log_likelihood

    class Broken(Mixture):
        def e_step(self, params, data, weights=None):
            return super().e_step(params, data, weights)._replace(log_likelihood=np.nan)

    assert fit(Broken(Gaussian(), 2), FAITHFUL).stop_reason == "not_finite"


def test_a_generator_can_be_left_at_any_time():
    model = Mixture(Gaussian(), 2)
    steps = em(model, FAITHFUL, model.initial_params(FAITHFUL, "k-means", np.random.default_rng(0)))
    first, second = next(steps), next(steps)
    assert (first.phase, second.phase) == ("start", "M")
    steps.close()


def test_a_pool_of_threads_gives_the_same_fit():
    model = Mixture(Gaussian(), 3)
    whole = fit(model, FAITHFUL, seed=2)
    with ThreadPoolExecutor(2) as pool:
        parts = fit(model, FAITHFUL, seed=2, chunks=4, map=pool.map)
    assert parts.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-12)


@pytest.mark.parametrize("start", sorted(STARTS))
def test_every_start_is_named_by_its_seed(start):
    model = Mixture(Gaussian(), 3)
    starts = [
        model.initial_params(FAITHFUL, start, np.random.default_rng(seed)) for seed in (0, 0, 1)
    ]
    assert np.array_equal(starts[0].means, starts[1].means)
    assert np.all(np.linalg.eigvalsh(starts[0].covariances) > 0)
    if "hierarchical" not in start:
        assert not np.array_equal(starts[0].means, starts[2].means)


def test_starts_do_not_depend_on_units():
    units = np.array([1e-6, 1e6])
    for start in STARTS:
        model = Mixture(Gaussian(), 3)
        plain = model.initial_params(FAITHFUL, start, np.random.default_rng(0))
        scaled = model.initial_params(FAITHFUL * units, start, np.random.default_rng(0))
        np.testing.assert_allclose(scaled.means / units, plain.means, rtol=1e-8)


def test_hand_placed_means_stay_where_they_were_put():
    model = Mixture(Gaussian(), 2)
    params = from_means(model, FAITHFUL, [[2, 50], [4, 80]])
    assert params.means.tolist() == [[2, 50], [4, 80]]
    assert params.weights.tolist() == [0.5, 0.5]
    with pytest.raises(ValueError, match="2 means of 2"):
        from_means(model, FAITHFUL, [[2, 50]])


def test_explicit_parameters_are_checked():
    model = Mixture(Gaussian(), 2)
    good = {"weights": [1, 3], "means": [[2, 50], [4, 80]], "covariances": [np.eye(2)] * 2}
    assert model.params(**good).weights.tolist() == [0.25, 0.75]
    for change, message in [
        ({"weights": [1]}, "weights have shape"),
        ({"weights": [1, -1]}, "not be negative"),
        ({"means": [[2, np.nan], [4, 80]]}, "finite"),
        ({"covariances": [np.eye(3)] * 2}, "2 matrices of 2 x 2"),
        ({"covariances": [[[1, 2], [0, 1]]] * 2}, "not symmetric"),
        ({"covariances": [[[1, 2], [2, 1]]] * 2}, "not positive definite"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.params(**good | change)


def test_wrong_input_is_named():
    model = Mixture(Gaussian(), 3)
    repeated = np.repeat([[1.0, 2.0], [3.0, 4.0]], 10, axis=0)
    with pytest.raises(ValueError, match="3 distinct rows, and these data have 2"):
        fit(model, repeated)
    with pytest.raises(ValueError, match="column 2 holds no values"):
        fit(model, [[1.0, np.nan]] * 5)
    with pytest.raises(ValueError, match="infinite values"):
        fit(model, [[1.0, np.inf]] * 5)
    with pytest.raises(ValueError, match="unknown start"):
        fit(model, FAITHFUL, start="somewhere")
    with pytest.raises(ValueError, match="unknown covariance"):
        Gaussian("round")
    with pytest.raises(ValueError, match="weights have shape"):
        fit(model, FAITHFUL, weights=[1.0])
    with pytest.raises(ValueError, match="not all zero"):
        fit(model, FAITHFUL, weights=np.zeros(len(FAITHFUL)))
    with pytest.raises(ValueError, match="sum to 1"):
        fit(model, FAITHFUL, start=np.ones((len(FAITHFUL), 3)))


def test_a_collapse_is_flagged_and_stays_finite():
    rng = np.random.default_rng(0)
    data = np.vstack([rng.normal(size=(100, 2)), [[30.0, 30.0]]])
    result = fit(Mixture(Gaussian(), 2), data, start="random points", seed=1)
    model = Mixture(Gaussian(), 2)
    result = fit(model, data, start=from_means(model, data, [[0, 0], [30, 30]]))
    assert np.isfinite(result.log_likelihood)
    assert result.flags == (
        "component 2 is collapsing onto one point: use a shared covariance, fewer components or "
        "another start",
    )


def test_a_flat_component_is_flagged():
    rng = np.random.default_rng(0)
    line = rng.normal(size=(100, 1)) * [1.0, 2.0] + [20, 20]
    data = np.vstack([rng.normal(size=(100, 2)), line])
    for covariance, words in [("full", "flat in some direction"), ("tied", None)]:
        model = Mixture(Gaussian(covariance), 2)
        flags = fit(model, data, start=from_means(model, data, [[0, 0], [20, 20]])).flags
        assert (words in flags[0]) if words else not flags
    collinear = fit(Mixture(Gaussian("tied"), 2), line)
    assert "combinations of the others" in collinear.flags[0]


def test_an_empty_component_is_flagged_and_keeps_its_parameters():
    model = Mixture(Gaussian(), 2)
    far = [[3.5, 70.0], [1e4, 1e6]]
    covariances = np.repeat(np.cov(FAITHFUL.T)[None], 2, axis=0)
    params = model.params([0.5, 0.5], means=far, covariances=covariances)
    result = fit(model, FAITHFUL, start=params)
    assert "component 2 is empty" in result.flags[0]
    assert result.params.means[1].tolist() == far[1]
    one = fit(Mixture(Gaussian(), 1), FAITHFUL)
    assert result.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-6)


def test_one_component_is_the_classical_normal():
    result = fit(Mixture(Gaussian(), 1), FAITHFUL)
    np.testing.assert_allclose(result.params.means[0], FAITHFUL.mean(axis=0))
    np.testing.assert_allclose(result.params.covariances[0], np.cov(FAITHFUL.T, bias=True))


def test_criteria_and_sampling():
    model = Mixture(Gaussian(), 2)
    result = fit(model, FAITHFUL)
    shares = result.posterior(FAITHFUL).responsibilities
    entropy = -(shares * np.log(np.maximum(shares, 1e-300))).sum()
    assert result.icl == pytest.approx(result.bic + 2 * entropy, rel=1e-9)
    assert result.aic == pytest.approx(-2 * result.log_likelihood + 22)
    assert np.array_equal(result.predict(FAITHFUL), shares.argmax(axis=1))
    rows, labels = model.sample(result.params, 200_000, np.random.default_rng(0))
    np.testing.assert_allclose(rows.mean(axis=0), FAITHFUL.mean(axis=0), rtol=0.01)
    np.testing.assert_allclose(np.bincount(labels) / 200_000, result.params.weights, atol=0.01)


def test_parameters_cannot_be_changed_in_place():
    params = GaussianParams(np.zeros((1, 2)), np.eye(2)[None])
    with pytest.raises(ValueError):
        params.means[0] = 1
    model = Mixture(Gaussian(), 1)
    given = model.params([1.0], means=params.means, covariances=params.covariances)
    for mixture in given, fit(model, FAITHFUL, start=given, max_iterations=1).params:
        with pytest.raises(ValueError):
            mixture.weights[0] = 0.5


def test_only_the_parameters_themselves_travel_to_another_process():
    step = fit(Mixture(Gaussian(), 2), FAITHFUL).trace[-1]
    assert vars(step.params) and vars(step.params.emission), "what was worked out is kept"
    sent = pickle.loads(pickle.dumps(step.params))
    assert not vars(sent) and not vars(sent.emission) and not sent.means.flags.writeable
    np.testing.assert_array_equal(sent.covariances, step.params.covariances)


@pytest.mark.parametrize("covariance", ["full", "diag"])
@pytest.mark.parametrize("n_rows", [100, 10_000])  # absolute log joints, relative ones
def test_exponents_are_called_bounded_only_where_they_are(covariance, n_rows):
    found = set()
    for spread in (1, 5, 20, 40, 100):
        rng = np.random.default_rng(spread)
        data = spread * rng.normal(size=(n_rows, 2))
        model = Mixture(Gaussian(covariance), 2)
        covariances = np.repeat(np.eye(2)[None], 2, axis=0)
        params = model.params([0.9, 0.1], means=[[0, 1], [1, 0]], covariances=covariances)
        rows = model.prepare(data).rows
        kernel = model.emission.kernel(params.emission, rows, np.log(params.weights), True)
        found.add(kernel.bounded)
        (block,) = kernel.blocks()
        log_joint = kernel.log_joint(block, np.empty((2, n_rows)))
        assert not kernel.bounded or np.abs(log_joint).max() < SAFE_EXPONENT
        densities = multivariate_normal(np.zeros(2)).logpdf(data[:, None] - params.means)
        expected = logsumexp(densities + np.log(params.weights), axis=1).sum()
        assert model.e_step(params, data).log_likelihood == pytest.approx(expected, rel=1e-11)
    assert found == {True, False}


@pytest.mark.parametrize("order", ["by cluster", "shuffled"])
def test_chunks_keep_the_digits_of_narrow_components_far_away(order):
    """A chunk that holds none of a component's rows must not choose the origin of its moments."""
    rng = np.random.default_rng(1)
    deviation = 1e-5
    means = np.array([[0, 0], [3 * deviation, 0], [1, 1], [1, 1 + 3 * deviation]])
    data = np.concatenate([mean + deviation * rng.normal(size=(500, 2)) for mean in means])
    if order == "shuffled":
        data = rng.permutation(data)
    model = Mixture(Gaussian(), 4)
    covariances = np.repeat(2 * deviation**2 * np.eye(2)[None], 4, axis=0)
    start = model.params(np.ones(4), means=means + deviation / 2, covariances=covariances)
    whole = fit(model, data, start=start)
    for chunks in (2, 4):
        parts = fit(model, data, start=start, chunks=chunks)
        assert parts.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-11)
        assert max(abs(step.kl) for step in parts.trace if step.phase == "E") < 1e-6


@pytest.mark.parametrize("width", [1e-4, 1e-6, 1e-8])
def test_the_bound_keeps_its_digits_beside_a_narrow_component(width):
    rng = np.random.default_rng(2)
    labels = np.arange(3000) % 2
    data = np.where(labels, 1.7, 0.3) + np.where(labels, 1, width) * rng.normal(size=3000)
    model = Mixture(Gaussian(floor=1e-20), 2)
    params = model.params(
        [0.5, 0.5], means=[[0.3 + width], [1.7]], covariances=[[[width**2]], [[1]]]
    )
    q = model.e_step(params, model.prepare(data[:, None]))
    elbo = model.expected_log_joint(params, q.statistics) + q.entropy
    assert elbo == pytest.approx(q.log_likelihood, rel=1e-13)


def test_chunks_take_no_more_memory_than_the_data():
    data = np.random.default_rng(3).normal(size=(100_000, 20))
    model = Mixture(Gaussian(), 2)
    start = model.initial_params(data, "random points", np.random.default_rng(0))
    tracemalloc.start()
    fit(model, data, start=start, chunks=100, max_iterations=2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * data.nbytes
    rows = model.prepare(data[:1000])
    size = len(pickle.dumps(rows))
    model.e_step(start, rows)
    assert len(pickle.dumps(rows)) == size


OVERLAPPING = np.random.default_rng(0).normal(size=(200, 2)) + np.arange(200)[:, None] % 2 * 3


@pytest.mark.parametrize(
    "model",
    [
        *(Mixture(Gaussian(code), 2) for code in ("full", "diag", "EVE", "VEV", "spherical")),
        HiddenMarkov(Gaussian(), 2),
    ],
    ids=str,
)
@pytest.mark.parametrize("stepping", [one_by_one, None])
def test_rounding_is_no_fall_where_the_total_is_near_0(model, stepping):
    """In a unit in which the rows' log-likelihoods cancel; and it ends, by rounding alone."""
    best = fit(model, OVERLAPPING, tolerance=1e-9, max_iterations=3000).log_likelihood
    data = OVERLAPPING * np.exp(best / OVERLAPPING.size)
    runs = restarts(model, data, [0], tolerance=1e-12, max_iterations=600, stepping=stepping)
    (result,) = runs.fits
    assert abs(result.log_likelihood) < 1e-6 and result.stop_reason == "converged"
    assert remaining_gain([0.0, 1e-12, 0.0, 1e-12], 200) == 0
