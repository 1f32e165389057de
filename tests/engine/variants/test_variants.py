"""Every relative of EM under the laws it claims in the table."""

import itertools
import threading

import numpy as np
import pytest
from scipy.special import multigammaln

from em_core import FactorAnalysis, Gaussian, HiddenMarkov, Mixture, ProbabilisticPCA, em, fit
from em_core.datasets import load
from em_core.em import size
from em_core.variants.amortised import Autoencoder, antithetic, climb, quadrature
from em_core.variants.chains import Chains
from em_core.variants.direct import handed_over, l_bfgs
from em_core.variants.hard import best_path
from em_core.variants.stochastic import draw_shares, paths_of
from em_core.variants.table import VARIANTS, run
from em_core.variants.variational_bayes import prior_of, variational_bayes
from support.families_at_hand import Case, cases
from support.laws import assert_close

CASES = cases()
FAMILIES = (
    "Gaussian VVV", "Gaussian with holes", "Poisson", "Student t", "hidden Markov",
    "factor analysis", "probabilistic PCA", "two levels",
)  # fmt: skip
PASSES = 25
# Where ECM climbs on for thousands of passes.
ENDLESS = ("Student t", "factor analysis")


def pairs():
    for family, (key, variant) in itertools.product(FAMILIES, VARIANTS.items()):
        case = CASES[family]
        if variant.takes(case.model, case.model.check(case.data)):
            yield key, family


def heights(steps):
    return np.array([[step.elbo, step.log_likelihood] for step in steps]).T


@pytest.mark.parametrize("key, family", list(pairs()))
def test_a_variant_keeps_the_laws_it_claims(key, family):
    case, variant = CASES[family], VARIANTS[key]
    steps = list(run(variant, case.model, case.data, case.start(1), max_passes=PASSES))
    bound, likelihood = heights(steps)
    unit = np.array([size(step.log_likelihood, len(case.data)) for step in steps])
    assert np.isfinite(likelihood).all()
    assert np.diff([step.passes for step in steps]).min() >= 0
    assert len(steps) > 1
    if "below" in variant.laws:
        assert (likelihood - bound >= -1e-9 * unit).all()
    if "touches" in variant.laws:
        after = np.array([step.phase != "M" for step in steps])
        assert (np.abs(likelihood - bound)[after] <= 1e-9 * unit[after]).all()
    if "climbs" in variant.laws:
        assert (np.diff(bound) >= -1e-10 * unit[1:]).all(), np.diff(bound).min()
    if "likelihood climbs" in variant.laws:
        assert (np.diff(likelihood) >= -1e-10 * unit[1:]).all(), np.diff(likelihood).min()


def stationary_pairs():
    for key, family in pairs():
        endless = family == "two levels" or (key == "conditional" and family in ENDLESS)
        if "stationary" in VARIANTS[key].laws and not endless:
            yield key, family


@pytest.mark.parametrize("key, family", list(stationary_pairs()))
def test_where_a_variant_claims_to_end_em_has_nothing_left_to_gain(key, family):
    case = CASES[family]
    *_, last = run(VARIANTS[key], case.model, case.data, case.start(2), max_passes=400)
    data = case.model.check(case.data)
    further = list(em(case.model, data, last.params, tolerance=0, max_iterations=20))
    gain = further[-1].log_likelihood - last.log_likelihood
    assert abs(gain) <= 1e-2, gain


@pytest.mark.parametrize("key", [key for key in VARIANTS if "unbiased" in VARIANTS[key].laws])
@pytest.mark.parametrize("family", ["Gaussian VVV", "hidden Markov"])
def test_drawn_statistics_are_right_on_average(key, family):
    """Judged by what they say of Q at other parameters, within the noise of the draws."""
    n = {"stochastic": 1, "monte-carlo": 5}[key]
    case = CASES[family]
    params, rng, data = case.start(5), np.random.default_rng(0), case.prepared
    others = [case.start(seed, 1) for seed in (0, 3)]
    exact = case.model.e_step(params, data).statistics
    if isinstance(case.model, HiddenMarkov):
        chains = Chains(case.model, case.data)
        drawn = [
            chains.e_step(params, lambda p, d: paths_of(chains, p, d, n, rng)).statistics
            for _ in range(60)
        ]
    else:
        drawn = [
            case.model.e_step_with(params, data, lambda j, _: draw_shares(j, n, rng)).statistics
            for _ in range(300)
        ]
    for other in others:
        values = np.array([case.model.expected_log_joint(other, s) for s in drawn])
        error = values.mean() - case.model.expected_log_joint(other, exact)
        assert abs(error) <= 4 * values.std() / np.sqrt(len(values)) + 1e-9 * abs(values[0])


def test_laws_are_of_the_table():
    known = {"below", "touches", "climbs", "likelihood climbs", "stationary", "unbiased"}
    assert all(variant.laws <= known for variant in VARIANTS.values())


def test_a_variant_that_does_not_apply_is_a_sentence():
    case = CASES["Gaussian VVV"]
    with pytest.raises(ValueError, match="does not apply"):
        next(run(VARIANTS["mean-field"], case.model, case.data, case.start(0)))


class Counting(Mixture):
    """A mixture that counts its passes over the data, and fails at one of them."""

    def __init__(self, *arguments, fails_at=np.inf):
        super().__init__(*arguments)
        object.__setattr__(self, "passes", 0)
        object.__setattr__(self, "fails_at", fails_at)

    def e_step(self, *arguments):
        object.__setattr__(self, "passes", self.passes + 1)
        if self.passes == self.fails_at:
            raise RuntimeError("no more passes")
        return super().e_step(*arguments)


def test_l_bfgs_takes_its_steps_as_they_are_asked_for():
    case, others = CASES["Gaussian VVV"], set(threading.enumerate())
    model = Counting(Gaussian(), 3)
    steps = l_bfgs(model, case.data, case.start(1), None)
    assert model.passes == 0
    for _ in range(4):
        step = next(steps)
        # SciPy sees the start a second time, which does not count.
        assert model.passes == step.passes + (step.iteration > 0)
    assert step.iteration == 3
    spent = model.passes
    (thread,) = set(threading.enumerate()) - others
    steps.close()
    assert not thread.is_alive()
    assert model.passes == spent
    whole = list(l_bfgs(model, case.data, case.start(1), None))
    assert len(whole) > 20
    assert_close(whole[3].params, step.params)
    list(run(VARIANTS["l-bfgs"], model, case.data, case.start(1), max_passes=8))
    assert set(threading.enumerate()) == others


def test_what_fails_within_l_bfgs_is_raised():
    case, others = CASES["Gaussian VVV"], set(threading.enumerate())
    model = Counting(Gaussian(), 3, fails_at=5)
    with pytest.raises(RuntimeError, match="no more passes"):
        list(l_bfgs(model, case.data, case.start(1), None))
    assert set(threading.enumerate()) == others
    with np.errstate(invalid="raise"), pytest.raises(FloatingPointError):
        list(handed_over(lambda hand_over: hand_over(np.sqrt(-np.ones(1)))))


@pytest.mark.slow
def test_squarem_needs_half_the_passes_on_old_faithful():
    """Three components, where EM is slow: with two it needs but 22 passes itself."""
    rows = load("faithful").values
    model = Mixture(Gaussian(), 3)
    ratios = []
    for seed in range(20):
        params = model.initial_params(rows, "random points", np.random.default_rng(seed))
        spent = [
            list(run(VARIANTS[key], model, rows, params, tolerance=1e-7, max_passes=3000))[-1]
            for key in ("squarem", "exact")
        ]
        ratios.append(spent[0].passes / spent[1].passes)
    assert np.median(ratios) <= 0.5, ratios


def test_viterbi_training_prices_the_most_probable_path():
    rng = np.random.default_rng(0)
    model = HiddenMarkov(Gaussian(), 2)
    data = [rng.normal(size=(4, 1)), rng.normal(size=(3, 1))]
    params = model.initial_params(data, next(iter(model.starts)), rng)
    chains = Chains(model, data)
    choose = best_path(chains)
    q = chains.e_step(params, lambda p, d: choose(p, d, 0))
    densities = chains.log_densities(params)
    best = 0.0
    for first, last in zip(chains.firsts, chains.lasts, strict=True):
        rows = range(first, last + 1)
        best += max(
            np.log(params.initial_probabilities[path[0]])
            + sum(np.log(params.transition_matrix[a, b]) for a, b in itertools.pairwise(path))
            + sum(densities[t, z] for t, z in zip(rows, path, strict=True))
            for path in itertools.product(range(2), repeat=len(rows))
        )
    assert model.expected_log_joint(params, q.statistics) + q.entropy == pytest.approx(best)


@pytest.mark.parametrize("key", ["stochastic", "monte-carlo"])
def test_paths_are_drawn_where_the_only_state_that_can_follow_is_by_far_the_least_likely(key):
    model = HiddenMarkov(Gaussian(), 2)
    data = [np.repeat([0.0, 1e3, 0.0], 4)[:, None]]
    # Nobody gets from the first state, which is the only one at first, to the second.
    params = model.params([[1.0, 0.0], [0.5, 0.5]], initial_probabilities=[1.0, 0.0],
                          means=[[0.0], [1e3]], covariances=np.ones((2, 1, 1)))  # fmt: skip
    chains = Chains(model, data)
    densities = chains.log_densities(params)
    q = paths_of(chains, params, densities, 5, np.random.default_rng(0))
    assert q.shares[:, 0].min() == 1 and q.entropy == 0
    assert q.log_likelihood == pytest.approx(densities[:, 0].sum())
    assert next(iter(run(VARIANTS[key], model, data, params, max_passes=2))).params is not None


def test_the_gap_of_mean_field_stays_where_states_hang_together():
    """Sticky, overlapping states: frames are far from independent given the data."""
    rng = np.random.default_rng(1)
    model = HiddenMarkov(Gaussian(), 2)
    true = model.params([[0.95, 0.05], [0.05, 0.95]], means=[[0.0], [1.5]],
                        covariances=np.ones((2, 1, 1)))  # fmt: skip
    data, _ = model.sample(true, [150, 150], rng)
    *_, last = run(VARIANTS["mean-field"], model, data, true, max_passes=100)
    assert last.kl > 5
    # For factor analysis a turn of the factors closes it: they end independent given the row.
    rows = CASES["factor analysis"].data
    two = Case(FactorAnalysis(2), np.concatenate([rows, rows[::-1] ** 2], axis=1))
    first, *_, last = run(VARIANTS["mean-field"], *two, two.start(0), max_passes=300)
    assert last.kl < 0.02 * first.kl or last.kl < 1e-3


def test_one_component_has_its_exact_evidence():
    """With one component q(parameters) is the posterior, and the bound is the log evidence."""
    rows = np.random.default_rng(0).normal(size=(40, 2)) @ [[2, 1], [0, 1]]
    model = Mixture(Gaussian(), 1)
    step = next(variational_bayes(model, rows, fit(model, rows).params, None))
    prior = prior_of(model, rows)
    (n, d), nu, beta = rows.shape, prior.degrees[0], prior.mean_rows[0]
    shift = rows.mean(axis=0) - prior.means[0]
    before = np.linalg.inv(prior.scales[0])
    scatter = (rows - rows.mean(axis=0)).T @ (rows - rows.mean(axis=0))
    after = before + scatter + beta * n / (beta + n) * np.outer(shift, shift)
    evidence = -n * d / 2 * np.log(np.pi) + d / 2 * np.log(beta / (beta + n))
    evidence += multigammaln((nu + n) / 2, d) - multigammaln(nu / 2, d)
    evidence += nu / 2 * np.linalg.slogdet(before)[1] - (nu + n) / 2 * np.linalg.slogdet(after)[1]
    assert step.elbo == pytest.approx(evidence, rel=1e-10)


def test_components_switch_themselves_off():
    rows = load("faithful").values
    model = Mixture(Gaussian(), 6)
    params = model.initial_params(rows, "k-means++", np.random.default_rng(0))
    *_, last = run(VARIANTS["bayes"], model, rows, params, max_passes=400)
    assert (last.params.weights > 0.01).sum() <= 3


# The auto-encoder


@pytest.mark.parametrize(
    "hidden, likelihood", [(0, "gaussian"), (4, "gaussian"), (3, "bernoulli"), (0, "bernoulli")]
)
def test_the_gradient_of_the_encoder_and_decoder(hidden, likelihood):
    rng = np.random.default_rng(0)
    network = Autoencoder(5, 2, hidden, likelihood)
    weights = network.weights(rng)
    rows = (rng.random((12, 5)) < 0.5).astype(float)
    nodes = antithetic(12, 2, rng)
    gradient = network.gradient(weights, rows, nodes)
    assert gradient.keys() == weights.keys()
    for name, value in weights.items():
        for place in np.ndindex(value.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = {key: part.copy() for key, part in weights.items()}
                moved[name][place] += step
                ends.append(network.elbos(moved, rows, nodes).sum())
            slope = (ends[0] - ends[1]) / 2e-5
            assert gradient[name][place] == pytest.approx(slope, rel=1e-6, abs=1e-7)


@pytest.mark.slow
def test_the_linear_auto_encoder_ends_at_probabilistic_pca():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 2)) @ rng.normal(size=(2, 6)) + rng.normal(size=(300, 6)) / 2 + 3
    model = ProbabilisticPCA(2)
    params = Case(model, rows).start(0)
    *_, last = run(VARIANTS["amortised"], model, rows, params, max_passes=np.inf)
    best = fit(model, rows, tolerance=1e-9).log_likelihood
    assert best - 1e-3 * len(rows) <= last.log_likelihood <= best
    assert best - 1e-3 * len(rows) <= last.elbo <= last.log_likelihood


def test_the_evidence_is_that_of_the_linear_model():
    rng = np.random.default_rng(0)
    network = Autoencoder(3, 2)
    weights = network.weights(rng)
    rows = rng.normal(size=(20, 3))
    model = ProbabilisticPCA(2)
    params = model.params(
        weights["output shift"], weights["output"].T, np.exp(weights["log noise"][0])
    )
    exact = model.posterior(params, rows).log_densities
    np.testing.assert_allclose(network.evidence(weights, rows, reach=8), exact, rtol=1e-9)


def test_evidence_best_q_and_encoder_are_in_order():
    rng = np.random.default_rng(0)
    network = Autoencoder(16, 2, 8, "bernoulli")
    rows = load("digits").values[:200, 20:36]
    *_, weights = climb(network, network.weights(rng), rows, rng, 300)
    few = rows[:20]
    evidence = network.evidence(weights, few)
    best = network.best_q(weights, few)
    encoded = network.elbos(weights, few, quadrature(2, 12))
    assert (best <= evidence + 1e-4).all()
    assert (encoded <= best + 1e-4).all()
    assert (best - encoded).mean() > 1e-3
