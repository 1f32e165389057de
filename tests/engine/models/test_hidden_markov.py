"""Hidden Markov models: laws, enumeration of all paths, extreme data, starts, wrong input."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from em_core import Bernoulli, Categorical, Gaussian, Mixture, Poisson, check_model, em, fit
from em_core.data import copies
from em_core.emissions.covariances.structures import STRUCTURES
from em_core.models.hidden_markov import sequences as layout
from em_core.models.hidden_markov.forward_backward import Logarithmic, Scaled, Underflow
from em_core.models.hidden_markov.markov_chain import (
    best_transitions,
    expected_log_path,
    stationary_distribution,
)
from em_core.models.hidden_markov.model import HiddenMarkov
from support import laws
from support.drawn import examples

EMISSIONS = {
    **{name: Gaussian(name) for name in ("full", "tied", "diag", "spherical")},
    "Bernoulli": Bernoulli(),
    "Categorical": Categorical((3, 2)),
    "Poisson": Poisson(),
}
LEFT_TO_RIGHT = np.triu(np.ones((3, 3), bool))
CYCLE = np.eye(3, dtype=bool) | np.roll(np.eye(3, dtype=bool), 1, axis=1)
VARIANTS = {
    "free": {},
    "stationary": {"initial": "stationary"},
    "cycle": {"transitions": CYCLE},
    "stationary cycle": {"transitions": CYCLE, "initial": "stationary"},
    "left to right": {"transitions": LEFT_TO_RIGHT},
}
every_emission = pytest.mark.parametrize("name", EMISSIONS)
every_variant = pytest.mark.parametrize("variant", VARIANTS)
few_examples = examples(15)


def sequences(name, lengths, seed, missing=0.0):
    """Sequences of three sticky states."""
    rng = np.random.default_rng(seed)
    matrix = 0.7 * np.eye(3) + 0.1
    truth = HiddenMarkov(Poisson(), 3).params(matrix, rates=[[1.0], [4.0], [9.0]])
    data = []
    for path in HiddenMarkov(Poisson(), 3).sample(truth, lengths, rng)[1]:
        if name == "Bernoulli":
            x = (rng.random((len(path), 3)) < (0.2 + 0.3 * path)[:, None]).astype(float)
        elif name == "Categorical":
            x = np.minimum(rng.poisson(0.3 + path[:, None], (len(path), 2)), [2, 1]).astype(float)
        elif name == "Poisson":
            x = rng.poisson((1.0 + 4 * path)[:, None], (len(path), 1)).astype(float)
        else:
            x = 2.5 * path[:, None] * [1, -1] + rng.normal(size=(len(path), 2)) @ [[1, 0.5], [0, 1]]
        x[rng.random(x.shape) < missing] = np.nan
        data.append(x)
    return data


@pytest.fixture
def short_pieces(monkeypatch):
    """Cut everything into pieces of two frames."""
    monkeypatch.setattr(layout, "SHORTEST_PIECE", 1)
    monkeypatch.setattr(layout, "LONGEST_PIECE", 2)


def log_densities(model, params, x):
    """(T, K) log p(x_t | k)."""
    mixture = Mixture(model.emission, model.n_states)
    equal = mixture.params_near(x, np.zeros(model.n_states, int))._replace(emission=params.emission)
    return mixture.log_joint(equal, x) + np.log(model.n_states)


def enumerate_paths(model, params, x):
    """Everything about one sequence from all K^T paths."""
    joint = log_densities(model, params, x)
    with np.errstate(divide="ignore"):
        initial, matrix = np.log(params.initial_probabilities), np.log(params.transition_matrix)
    paths = np.array(list(itertools.product(range(model.n_states), repeat=len(x))))
    terms = initial[paths[:, 0]] + matrix[paths[:, :-1], paths[:, 1:]].sum(axis=1)
    terms = terms + joint[np.arange(len(x)), paths].sum(axis=1)
    total = np.logaddexp.reduce(terms)
    q = np.exp(terms - total)
    states = np.stack([q @ (paths == k) for k in range(model.n_states)], axis=1)
    transitions = np.zeros((model.n_states, model.n_states))
    for path, share in zip(paths, q, strict=True):
        np.add.at(transitions, (path[:-1], path[1:]), share)
    entropy = -(q[q > 0] * np.log(q[q > 0])).sum()
    return total, states, transitions, entropy, terms, paths


def assert_enumeration_agrees(model, params, data, e_step):
    all_paths = [enumerate_paths(model, params, x) for x in data]
    expectation = e_step(params, data)
    totals, states, transitions, entropies, *_ = zip(*all_paths, strict=True)
    assert expectation.log_likelihood == pytest.approx(sum(totals), rel=1e-11)
    assert expectation.entropy == pytest.approx(sum(entropies), rel=1e-10, abs=1e-9)
    close = {"rtol": 1e-9, "atol": 1e-10}
    np.testing.assert_allclose(expectation.statistics.transitions, sum(transitions), **close)
    np.testing.assert_allclose(
        expectation.statistics.starts, sum(shares[0] for shares in states), **close
    )
    posterior = model.posterior(params, data)
    np.testing.assert_allclose(posterior.log_likelihoods, totals, rtol=1e-11)
    for ours, theirs in zip(posterior.state_probabilities, states, strict=True):
        np.testing.assert_allclose(ours, theirs, **close)
    for path, (*_, terms, paths) in zip(model.predict(params, data), all_paths, strict=True):
        chosen = terms[(paths == path).all(axis=1)]
        assert chosen[0] >= terms.max() - 1e-9


def in_logarithms(model):
    def e_step(params, data):
        chain = Logarithmic(params.initial_probabilities, params.transition_matrix)
        return model._expect(chain, params, model._sequences(data, params.emission), None)

    return e_step


@every_emission
@every_variant
def test_all_paths(name, variant, request):
    data = sequences(name, [5, 1, 7, 3, 2], seed=1)
    model = HiddenMarkov(EMISSIONS[name], 3, **VARIANTS[variant])
    for step in laws.run(model, data, iterations=2)[::2]:
        assert_enumeration_agrees(model, step.params, data, model.e_step)
        assert_enumeration_agrees(model, step.params, data, in_logarithms(model))
    request.getfixturevalue("short_pieces")
    assert_enumeration_agrees(model, step.params, data, model.e_step)
    assert_enumeration_agrees(model, step.params, data, in_logarithms(model))
    for n_frames in (8, 9):
        assert_enumeration_agrees(
            model, step.params, [np.concatenate(data)[:n_frames]], model.e_step
        )


@pytest.mark.parametrize("missing", [0.0, 0.2])
@every_emission
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    k=st.integers(1, 3),
    seed=st.integers(0, 999),
    data=st.data(),
)
@few_examples
def test_the_bound_climbs_and_touches(name, missing, lengths, k, seed, data):
    lengths = [20, *lengths]
    table = sequences(name, lengths, seed, missing)
    options = VARIANTS[data.draw(st.sampled_from(sorted(VARIANTS)))] if k == 3 else {}
    if len(np.unique(np.nan_to_num(np.concatenate(table)), axis=0)) < 2 * k:
        return
    model = HiddenMarkov(EMISSIONS[name], k, **options)
    steps = laws.run(model, table, seed, data.draw(st.sampled_from(sorted(model.starts))))
    laws.half_steps_are_well_formed(steps)
    laws.bound_never_falls(steps, sum(lengths))
    laws.bound_touches_after_e_and_stays_below_after_m(steps, sum(lengths))
    laws.gain_is_bound_gain_plus_kl(steps, sum(lengths))
    assert (steps[-1].params.transition_matrix[~model.allowed] == 0).all()


@every_emission
@every_variant
@pytest.mark.parametrize("lengths", [[30, 5, 1, 60, 12, 12, 44], [3] * 150])
def test_chunks_and_weights(name, variant, lengths):
    data = sequences(name, lengths, seed=2)
    model = HiddenMarkov(EMISSIONS[name], 3, **VARIANTS[variant])
    params = laws.run(model, data, iterations=2)[-1].params
    for n_chunks in (2, 5):
        laws.chunks_add_up(model, data, params, n_chunks)
    weights = np.arange(len(data)) % 3
    laws.integer_weights_are_copies(model, data, params, weights)
    copied = model.check(copies(data, weights))
    assert model.n_observations(data, weights) == sum(map(len, copied))


@pytest.mark.parametrize("name", ["full", "Poisson"])
def test_the_suite_of_laws(name):
    report = check_model(HiddenMarkov(EMISSIONS[name], 2), sequences(name, [40, 25, 60], seed=3))
    assert report.ok, report


@pytest.mark.parametrize("n_states", [1, 2, 5])
@pytest.mark.parametrize("lengths", [[3000], [1700, 20, 1, 900], [2500, 2500]])
def test_pieces_are_the_whole(n_states, lengths, monkeypatch):
    data = sequences("full", lengths, seed=4)
    model = HiddenMarkov(Gaussian(), n_states)
    params = laws.run(model, data, iterations=3)[-1].params
    cut = model.e_step(params, data), model.posterior(params, data), model.predict(params, data)
    monkeypatch.setattr(layout, "FEWEST_CHAINS", 0)
    whole = model.e_step(params, data), model.posterior(params, data), model.predict(params, data)
    assert model.prepare(data).is_cut is False
    laws.assert_close(cut[0], whole[0])
    for ours, theirs in zip(cut[1].state_probabilities, whole[1].state_probabilities, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-10)
    for ours, theirs in zip(cut[2], whole[2], strict=True):
        assert np.array_equal(ours, theirs)


def test_many_tiles_are_one(monkeypatch):
    data = sequences("full", [7, 30, 30, 2] * 60, seed=5)
    model = HiddenMarkov(Gaussian(), 3)
    params = laws.run(model, data, iterations=2)[-1].params
    whole = model.e_step(params, data)
    monkeypatch.setattr(layout, "TILE_CHAINS", 50)
    monkeypatch.setattr(layout, "TILE_FRAMES", 900)
    assert len(model.prepare(data).tiles) > 4
    laws.assert_close(model.e_step(params, data), whole)
    assert all(map(np.array_equal, model.predict(params, data), model.predict(params, data)))


def test_entropy_is_that_of_the_chain_of_pairs():
    """H(q) = -sum gamma_1 log gamma_1 - sum_t xi_t log(xi_t / gamma_t), from pairs of frames that a
    second model sees: one whose states are pairs of states."""
    data = sequences("full", [400], seed=6)
    model = HiddenMarkov(Gaussian(), 3)
    params = laws.run(model, data, iterations=3)[-1].params
    gamma = model.posterior(params, data).state_probabilities[0]
    joint = np.exp(log_densities(model, params, data[0]))
    beta = np.ones(3)
    entropy = -(gamma[0] * np.log(gamma[0])).sum()
    for t in range(len(gamma) - 2, -1, -1):
        onward = params.transition_matrix * joint[t + 1] * beta
        beta = onward.sum(axis=1)
        onward /= beta[:, None]
        beta /= beta.sum()
        pairs = gamma[t][:, None] * onward
        entropy -= (pairs * np.log(onward)).sum()
    assert model.e_step(params, data).entropy == pytest.approx(entropy, rel=1e-9)


# --- the M-step ----------------------------------------------------------------------------------


def test_stationary_distributions():
    rng = np.random.default_rng(0)
    for n_states in (1, 2, 6):
        matrix = rng.dirichlet(np.ones(n_states), size=n_states)
        shares = stationary_distribution(matrix)
        np.testing.assert_allclose(shares @ matrix, shares, atol=1e-15)
    # Every digit of tiny shares is right: pi_2 / pi_1 = 1e-200.
    rare = stationary_distribution(np.array([[1.0, 1e-200], [1.0, 0.0]]))
    assert rare[1] / rare[0] == pytest.approx(1e-200, rel=1e-14)
    absorbing = stationary_distribution(np.array([[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 1.0]]))
    assert absorbing.tolist() == [0, 0, 1]


@pytest.mark.parametrize("n_states", [2, 3, 4])
@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
def test_transitions_under_stationary_starts_are_the_best(n_states, scale):
    """Against a general optimiser of the logits."""
    # With more starts than these for each transition the ascent may stop before its end.
    rng = np.random.default_rng(n_states)
    starts = scale * rng.exponential(size=n_states)
    counts = rng.exponential(size=(n_states, n_states))

    def loss(logits):
        matrix = np.exp(logits.reshape(n_states, n_states))
        matrix /= matrix.sum(axis=1, keepdims=True)
        return -expected_log_path(stationary_distribution(matrix), matrix, starts, counts)

    current = np.full((n_states, n_states), 1 / n_states)
    ours = best_transitions(starts, counts, current)
    theirs = minimize(loss, np.log(counts).ravel(), method="BFGS", options={"gtol": 1e-8})
    assert loss(np.log(ours)) == pytest.approx(theirs.fun, abs=1e-7)


@every_variant
def test_the_m_step_is_a_maximum(variant):
    data = sequences("full", [5] * 40, seed=7)
    model = HiddenMarkov(Gaussian(), 3, **VARIANTS[variant])
    params = laws.run(model, data, iterations=2)[-1].params
    statistics = model.e_step(params, data).statistics

    def moves(params, rng):
        for size in (1e-1, 1e-2, 1e-3):
            for _ in range(8):
                noise = np.exp(size * rng.normal(size=(4, 3)))
                moved = model.with_emission(params.emission, params.transition_matrix * noise[:3])
                if model.initial == "free":
                    initial = params.initial_probabilities * noise[3]
                    moved = moved._replace(initial_probabilities=initial / initial.sum())
                yield moved

    best = model.m_step(params, statistics)
    laws.m_step_is_a_maximum(model, best, statistics, moves, np.random.default_rng(0))


# --- what is extreme -----------------------------------------------------------------------------


@pytest.mark.parametrize("pieces", ["short", "usual", "whole"])
@pytest.mark.parametrize("distance, n_frames", [(40, 6), (40, 60), (5, 400)])
def test_paths_that_underflow_are_kept(distance, n_frames, pieces, request, monkeypatch):
    """Two worlds that never meet: the first half of the data speaks for one by far more than the
    smallest number, the second half for the other by a little more."""
    if pieces == "short":
        request.getfixturevalue("short_pieces")
    elif pieces == "whole":
        monkeypatch.setattr(layout, "FEWEST_CHAINS", 0)
    model = HiddenMarkov(Gaussian(), 2, transitions=np.eye(2))
    unit = np.ones((2, 1, 1))
    params = model.params(np.eye(2), means=[[0.0], [distance]], covariances=unit)
    x = np.repeat([-0.025 * distance, 1.0375 * distance], n_frames // 2)
    chain = Scaled(params.initial_probabilities, params.transition_matrix)
    with pytest.raises(Underflow):
        model._expect(chain, params, model.prepare(x), None)
    totals = log_densities(model, params, x[:, None]).sum(axis=0) - np.log(2)
    expectation = model.e_step(params, x)
    assert expectation.log_likelihood == pytest.approx(np.logaddexp(*totals), rel=1e-12)
    np.testing.assert_allclose(expectation.statistics.starts, [0, 1], atol=1e-20)
    assert set(model.predict(params, x)[0]) == {1}
    steps = list(em(model, x, params, tolerance=0, max_iterations=3))
    laws.bound_never_falls(steps)
    laws.bound_touches_after_e_and_stays_below_after_m(steps)


@pytest.mark.parametrize("pieces", [True, False])
def test_a_state_that_must_be_passed_through(pieces, request):
    """Left to right past a state that no frame is near: every path is next to impossible."""
    if pieces:
        request.getfixturevalue("short_pieces")
    model = HiddenMarkov(Gaussian(), 3, transitions=LEFT_TO_RIGHT & CYCLE | np.eye(3, dtype=bool))
    params = model.params(
        [[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 1]],
        initial_probabilities=[1, 0, 0],
        means=[[0.0], [1e3], [2e3]],
        covariances=np.ones((3, 1, 1)),
    )
    x = np.array([0.1, -0.2, 0.3, 2e3, 2e3 - 1])[:, None]
    total, *_ = enumerate_paths(model, params, x)
    expectation = model.e_step(params, x)
    assert expectation.log_likelihood == pytest.approx(total, rel=1e-12)
    assert np.isfinite(expectation.entropy)
    assert model.predict(params, x)[0].tolist() in ([0, 0, 0, 1, 2], [0, 0, 1, 2, 2])


def test_an_impossible_sequence_is_impossible_and_nothing_else():
    """log p = -inf for it alone, and no NaN."""
    model = HiddenMarkov(Gaussian(), 2)
    params = model.params(np.eye(2), means=[[0.0], [1.0]], covariances=np.ones((2, 1, 1)))
    data = model.prepare([np.zeros((3, 1)), np.ones((3, 1))])
    chain = Logarithmic(params.initial_probabilities, params.transition_matrix)
    (frames,) = model._frames(params, data)
    logs, highest = np.empty(frames.shape), np.empty(frames.shape[1])
    frames.log_densities(logs, highest)
    logs[0, frames.tile.frames() == 0] = logs[1, frames.tile.frames() == 1] = -np.inf
    densities = chain.densities(logs, np.empty_like(logs))
    outside, alphas = np.zeros((2, 2)), np.empty((len(frames.tile.steps), 2, 2))
    states = chain.smooth(frames.tile, densities, outside, outside, np.ones(2), alphas)
    assert states.log_scales[0] == -np.inf and np.isfinite(states.log_scales[1])
    assert states.shares.sum() == pytest.approx(3)
    assert np.isfinite(states.transitions).all()


@pytest.mark.parametrize("n_frames", [1, 2, 40])
@pytest.mark.parametrize(
    ("emission", "arrays"),
    [
        # The log density is beyond the range of numbers; a count is ruled out; it is next to it.
        (Gaussian(), {"means": [[0.0], [1.0]], "covariances": np.full((2, 1, 1), 1e-300)}),
        (Poisson(), {"rates": [[0.0], [0.0]]}),
        (Poisson(), {"rates": [[1e308], [1e12]]}),
    ],
)
def test_frames_that_cannot_be_have_shares_that_add_to_one(emission, arrays, n_frames):
    model = HiddenMarkov(emission, 2)
    usual = {name: np.ones(np.shape(values)) for name, values in arrays.items()}
    params = model.params([[0.9, 0.1], [0.2, 0.8]], [0.5, 0.5], **usual)
    # Beyond what is accepted of a person.
    beyond = {name: np.array(values) for name, values in arrays.items()}
    params = params._replace(emission=type(params.emission)(**beyond))
    frames = np.concatenate([np.zeros((3, 1)), np.full((n_frames, 1), 1e5), np.zeros((3, 1))])
    found = model.posterior(params, [frames, frames[:3]])
    for shares in found.state_probabilities:
        np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-9)


def test_far_outliers_do_not_underflow():
    data = sequences("full", [200, 50], seed=8)
    data[0][100] = 1e6
    model = HiddenMarkov(Gaussian(), 3)
    steps = laws.run(model, data, iterations=20)
    laws.bound_never_falls(steps)
    laws.bound_touches_after_e_and_stays_below_after_m(steps)


def test_unvisited_states_keep_their_row_and_say_so():
    data = sequences("full", [60, 60], seed=9)
    model = HiddenMarkov(Gaussian(), 3)
    params = model.params(
        np.full((3, 3), 1 / 3),
        means=[[0.0, 0.0], [5.0, -5.0], [1e4, 1e4]],
        covariances=np.repeat(np.eye(2)[None], 3, axis=0),
    )
    steps = list(em(model, data, params, tolerance=0, max_iterations=3))
    laws.bound_never_falls(steps)
    last = steps[-1].params
    np.testing.assert_array_equal(last.transition_matrix[2], np.full(3, 1 / 3))
    np.testing.assert_array_equal(last.means[2], [1e4, 1e4])
    assert "state 3 is empty" in steps[-1].flags[0]


def test_sequences_of_one_frame_have_no_transitions():
    data = [x[:1] for x in sequences("full", [3] * 50, seed=10)]
    model = HiddenMarkov(Gaussian(), 2)
    steps = laws.run(model, data, iterations=5)
    laws.bound_never_falls(steps)
    laws.bound_touches_after_e_and_stays_below_after_m(steps)
    expectation = model.e_step(steps[-1].params, data)
    assert expectation.statistics.transitions.sum() == 0
    # Then it is a mixture.
    mixture = Mixture(Gaussian(), 2)
    start = steps[0].params
    twin = list(
        em(mixture, np.concatenate(data),
           mixture.params(start.initial_probabilities, **start.emission._asdict()),
           tolerance=0, max_iterations=5)
    )  # fmt: skip
    assert twin[-1].log_likelihood == pytest.approx(steps[-1].log_likelihood, rel=1e-12)


@pytest.mark.parametrize("covariance", sorted(set(STRUCTURES) & set(EMISSIONS)))
@pytest.mark.parametrize("scale, shift", [(1e-6, 0.0), (1.0, 1e8)])
def test_units_do_not_matter(covariance, scale, shift):
    data = sequences("full", [150, 40], seed=11)
    model = HiddenMarkov(Gaussian(covariance), 3)
    plain = fit(model, data, seed=1, tolerance=1e-8)
    moved = fit(model, [scale * x + shift for x in data], seed=1, tolerance=1e-8)
    digits = 1e-5 if shift else 1e-9
    expected = plain.log_likelihood - 190 * 2 * np.log(scale)
    assert moved.log_likelihood == pytest.approx(expected, rel=digits)
    np.testing.assert_allclose(
        moved.params.transition_matrix, plain.params.transition_matrix, atol=10 * digits
    )
    back = model.rescale(plain.params, np.full(2, shift), np.full(2, scale))
    np.testing.assert_allclose(moved.params.means, back.means, rtol=1e-4)


# --- starts, sampling, use -----------------------------------------------------------------------


@pytest.mark.parametrize("start", sorted(HiddenMarkov.starts))
@pytest.mark.parametrize("name", ["full", "Categorical"])
def test_every_start_is_named_by_its_seed(name, start):
    data = sequences(name, [80, 30], seed=12)
    model = HiddenMarkov(EMISSIONS[name], 3, transitions=CYCLE)
    laws.same_seed_same_bits(model, data, start)
    one, other = (model.initial_params(data, start, np.random.default_rng(s)) for s in (0, 1))
    alike = "hierarchical" in start or (name == "Categorical" and start in ("k-means", "k-means++"))
    if not alike:
        assert not np.array_equal(one.emission[0], other.emission[0])
    assert (one.transition_matrix[~CYCLE] == 0).all()
    np.testing.assert_allclose(one.transition_matrix.sum(axis=1), 1)


@pytest.mark.parametrize("initial", ["free", "stationary"])
def test_starting_from_state_probabilities(initial):
    data = sequences("full", [80, 30], seed=13)
    model = HiddenMarkov(Gaussian(), 3, initial=initial)
    best = fit(model, data, seed=1)
    shares = np.concatenate(best.posterior(data).state_probabilities)
    again = fit(model, data, start=shares)
    assert again.log_likelihood == pytest.approx(best.log_likelihood, abs=0.1)


def test_samples_follow_the_parameters():
    model = HiddenMarkov(Gaussian(), 3, transitions=CYCLE)
    matrix = np.array([[0.9, 0.1, 0], [0, 0.7, 0.3], [0.5, 0, 0.5]])
    params = model.params(
        matrix, [0.2, 0.8, 0], means=[[0.0], [10.0], [20.0]], covariances=np.ones((3, 1, 1))
    )
    data, paths = model.sample(params, [30] * 2000, np.random.default_rng(0))
    assert [x.shape for x in data[:2]] == [(30, 1), (30, 1)] and len(paths) == 2000
    states = np.array(paths)
    starts = np.bincount(states[:, 0], minlength=3) / 2000
    np.testing.assert_allclose(starts, [0.2, 0.8, 0], atol=0.03)
    counts = np.zeros((3, 3))
    np.add.at(counts, (states[:, :-1].ravel(), states[:, 1:].ravel()), 1)
    np.testing.assert_allclose(counts / counts.sum(axis=1, keepdims=True), matrix, atol=0.02)
    found = np.concatenate(model.predict(params, data))
    assert (found == states.ravel()).mean() > 0.999
    (alone,), (path,) = model.sample(params, 7, np.random.default_rng(0))
    assert alone.shape == (7, 1) and path.shape == (7,)
    uneven, _ = model.sample(params, [3, 9, 1], np.random.default_rng(0))
    assert [len(x) for x in uneven] == [3, 9, 1]


def test_missing_values_are_filled_from_the_states_around_them():
    data = sequences("full", [300], seed=14)
    model = HiddenMarkov(Gaussian(), 3)
    result = fit(model, data, seed=0)
    holes = data[0].copy()
    holes[50] = np.nan
    imputed = result.impute([holes])
    (values,), (deviations,) = imputed.values, imputed.deviations
    shares = model.posterior(result.params, [holes]).state_probabilities[0][50]
    np.testing.assert_allclose(values[50], shares @ result.params.means)
    assert (deviations[50] > 0).all() and deviations.sum() == pytest.approx(deviations[50].sum())


def test_parameters_are_counted():
    params = laws.run(HiddenMarkov(Gaussian(), 3), sequences("full", [60], 15), iterations=1)[-1]
    assert HiddenMarkov(Gaussian(), 3).n_parameters(params.params) == 2 + 6 + 15
    assert HiddenMarkov(Gaussian(), 3, initial="stationary").n_parameters(params.params) == 6 + 15
    assert HiddenMarkov(Gaussian(), 3, CYCLE).n_parameters(params.params) == 2 + 3 + 15


def test_one_sequence_can_be_given_as_an_array():
    model = HiddenMarkov(Gaussian(), 2)
    x = np.arange(12.0) ** 2
    for data in (x, x[:, None], list(x), [x], [x[:, None]]):
        (checked,) = model.check(data)
        assert np.array_equal(checked, x[:, None])
    assert [len(part) for part in model.check([[1, 2], [3, 4, 5]])] == [2, 3]
    assert fit(model, x).n_observations == 12


@pytest.mark.parametrize(
    "data, words",
    [
        ([], "no sequences|has shape"),
        ([np.zeros((3, 2)), np.zeros((0, 2))], "sequence 2 has shape"),
        ([np.zeros((3, 2)), np.zeros((4, 3))], "sequence 2 has 3 columns"),
        ([np.zeros((3, 2, 2))], "sequence 1 has shape"),
    ],
)
def test_wrong_data_are_named(data, words):
    with pytest.raises(ValueError, match=words):
        fit(HiddenMarkov(Gaussian(), 2), data)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"n_states": 0}, "at least one state"),
        ({"initial": "equal"}, "choose free or stationary"),
        ({"transitions": np.ones((3, 3))}, "shape"),
        ({"transitions": [[1, 0], [0, 0]]}, "out of state 2"),
        ({"transitions": np.eye(2), "initial": "stationary"}, "fall apart into 2 groups"),
    ],
)
def test_wrong_models_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        HiddenMarkov(**{"emission": Gaussian(), "n_states": 2, **options})


@pytest.mark.parametrize(
    "matrix, more, words",
    [
        (np.ones((3, 3)), {}, "transition matrix has shape"),
        ([[0.5, 0.5], [0, 0]], {}, "whole row"),
        ([[1.5, -0.5], [0, 1]], {}, "must not be negative"),
        ([[0.5, 0.5], [0.5, 0.5]], {}, "rules out"),
        ([[0.5, 0.5], [0, 1]], {"initial_probabilities": [1, 0, 0]}, "initial probabilities have"),
        ([[0.5, 0.5], [0, 1]], {"initial_probabilities": [-1, 2]}, "initial probabilities must"),
    ],
)
def test_wrong_parameters_are_named(matrix, more, words):
    model = HiddenMarkov(Gaussian(), 2, transitions=[[1, 1], [0, 1]])
    with pytest.raises(ValueError, match=words):
        model.params(matrix, means=[0.0, 1.0], covariances=np.ones((2, 1, 1)), **more)


def test_stationary_models_take_no_initial_probabilities():
    model = HiddenMarkov(Poisson(), 2, initial="stationary")
    with pytest.raises(ValueError, match="follow from the transitions"):
        model.params(np.full((2, 2), 0.5), initial_probabilities=[0.5, 0.5], rates=[[1.0], [2.0]])


def test_models_compare_by_what_they_are():
    assert HiddenMarkov(Gaussian(), 3, CYCLE) == HiddenMarkov(Gaussian(), 3, CYCLE.tolist())
    assert hash(HiddenMarkov(Gaussian(), 3, CYCLE)) != hash(HiddenMarkov(Gaussian(), 3))


def test_forecasts_add_up_to_the_log_likelihood_and_follow_from_the_rows_before() -> None:
    rng = np.random.default_rng(0)
    data = [rng.normal(size=(12, 2)), rng.normal(size=(5, 2)) + 3, rng.normal(size=(1, 2))]
    data[0][3, 1] = np.nan
    model = HiddenMarkov(Gaussian("full"), 2)
    params = fit(model, data, seed=0).params
    found = model.log_forecasts(params, data)
    assert [len(part) for part in found] == [12, 5, 1]
    totals = model.posterior(params, data).log_likelihoods
    np.testing.assert_allclose([part.sum() for part in found], totals, rtol=1e-10)
    whole, before = (model.posterior(params, [data[1][:t]]).log_likelihoods[0] for t in (4, 3))
    assert found[1][3] == pytest.approx(whole - before, rel=1e-9)
    items = [rng.integers(2, size=(20, 3)).astype(float)]
    chain = HiddenMarkov(Bernoulli(), 2)
    params = fit(chain, items, seed=0).params
    total = chain.posterior(params, items).log_likelihoods[0]
    assert chain.log_forecasts(params, items)[0].sum() == pytest.approx(total, rel=1e-9)
