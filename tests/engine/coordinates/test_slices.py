"""Slices through parameter space: in the domain, the bound below the likelihood and touching it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from em_core import Gaussian, Mixture, from_means
from em_core.coordinates.coordinates import Coordinates
from em_core.coordinates.slices import (
    Line,
    bound_gradient,
    line_along,
    line_between,
    log_likelihoods,
    slice_between,
    slice_of,
    slopes,
)
from em_core.emissions.student_t import FEWEST, MOST
from em_core.trees import leaves
from support.drawn import examples
from support.families_at_hand import cases
from support.laws import assert_close

CASES = cases()
# Of 30 families: 360 slices; with --long 3,600.
SLICES_OF_EACH = 12
POSITIONS = np.linspace(-1.5, 1.5, 9)


def size(log_likelihood, data) -> np.ndarray:
    return np.maximum(np.abs(log_likelihood), len(data))


@pytest.mark.parametrize("name", CASES)
@given(
    seed=st.integers(0, 5), iterations=st.integers(0, 4), direction=st.integers(0, 2**31),
    length=st.floats(0.1, 3.0),
)  # fmt: skip
@examples(SLICES_OF_EACH)
def test_the_bound_is_below_the_likelihood_and_has_its_slope(
    name, seed, iterations, direction, length
):
    case = CASES[name]
    model, data = case.model, case.prepared
    params = case.start(seed, iterations)
    coordinates = Coordinates(model, params)
    towards = np.random.default_rng(direction).normal(size=coordinates.size)
    towards *= length / np.linalg.norm(towards)
    line = Line(coordinates, coordinates.vector(params), towards)
    q = model.e_step(params, data)

    along = slice_of(model, data, line, POSITIONS, q)
    unit = size(along.log_likelihood, case.data)
    assert (along.log_likelihood - along.bound >= -1e-9 * unit).all()
    here = len(POSITIONS) // 2
    assert abs(along.log_likelihood[here] - along.bound[here]) <= 1e-9 * unit[here]

    of_bound, of_likelihood = slopes(model, data, line, q)
    # At a top the slope is nothing but rounding.
    assert abs(of_bound - of_likelihood) <= 1e-6 * max(abs(of_likelihood), 1e-4 * unit[here])


@pytest.mark.parametrize("name", CASES)
def test_the_gradient_of_the_bound_is_that_of_the_likelihood(name):
    """Fisher's identity, one coordinate after the other."""
    case = CASES[name]
    model, data, params = case.model, case.prepared, case.start(4, 1)
    coordinates = Coordinates(model, params)
    q = model.e_step(params, data)
    gradient = bound_gradient(model, coordinates, coordinates.vector(params), q)
    for position in range(0, coordinates.size, 3):
        _, slope = slopes(model, data, line_along(model, params, position), q)
        assert gradient[position] == pytest.approx(slope, rel=1e-6, abs=1e-7 * len(case.data))


@pytest.mark.parametrize("name", CASES)
def test_coordinates_go_there_and_back(name):
    case = CASES[name]
    start, end = case.start(1), case.start(1, 5)
    coordinates = Coordinates(case.model, start)
    for params in (start, end):
        assert_close(coordinates.params(coordinates.vector(params)), params)
    named = coordinates.named
    assert len({(part.quantity, part.place, part.position) for part in named}) == len(named) > 0
    assert len(coordinates.values(end)) == coordinates.size


@pytest.mark.parametrize("name", CASES)
def test_every_vector_is_a_valid_model(name):
    case = CASES[name]
    coordinates = Coordinates(case.model, case.start(2))
    rng = np.random.default_rng(0)
    for _ in range(5):
        params = coordinates.params(coordinates.vector(case.start(2)) + rng.normal(
            scale=3, size=coordinates.size))  # fmt: skip
        for leaf in leaves(params):
            assert np.isfinite(leaf).all()
        for name_of, leaf in parts(params):
            if name_of in ("weights", "initial_probabilities", "transition_matrix"):
                np.testing.assert_allclose(leaf.sum(axis=-1), 1)
            if "covariance" in name_of:
                assert (np.linalg.eigvalsh(leaf) > 0).all()
            if name_of in ("rates", "noise_variance", "noise_variances"):
                assert (leaf > 0).all()
            if name_of == "degrees_of_freedom":
                assert (leaf >= FEWEST).all() and (leaf <= MOST).all()


def parts(params):
    for name, part in zip(params._fields, params, strict=True):
        yield from parts(part) if isinstance(part, tuple) else [(name, part)]


def test_a_named_coordinate_moves_what_it_names_and_leaves_the_rest():
    case = CASES["Gaussian VVV"]
    params = case.start(0, 2)
    by_name = {(part.quantity, part.place): part for part in Coordinates(case.model, params).named}
    spread = by_name["standard deviation", (1, 2)]
    moved = line_along(case.model, params, spread.position).params(np.log(2))
    ratio = moved.covariances / params.covariances
    expected = np.ones((3, 3, 3))
    expected[1, 2, :] *= 2
    expected[1, :, 2] *= 2
    np.testing.assert_allclose(ratio, expected)
    weight = by_name["weight", (0,)]
    moved = line_along(case.model, params, weight.position).params(1.0)
    assert moved.weights[0] > params.weights[0]
    assert moved.weights[1] / moved.weights[2] == pytest.approx(
        params.weights[1] / params.weights[2]
    )
    mean = by_name["mean", (2, 1)]
    unit = np.sqrt(params.covariances[2, 1, 1])
    moved = line_along(case.model, params, mean.position).params(0.5)
    assert moved.means[2, 1] == pytest.approx(params.means[2, 1] + 0.5 * unit)


@pytest.mark.parametrize("name", CASES)
def test_the_m_step_is_the_top_of_the_bound_on_its_way(name):
    case = CASES[name]
    model, data = case.model, case.prepared
    params = case.start(3)
    q = model.e_step(params, data)
    after = model.m_step(params, q.statistics)
    along = slice_between(model, data, params, after, [0.9, 0.99, 1.0, 1.01, 1.1], q)
    assert along.bound.argmax() == 2 or np.ptp(along.bound) <= 1e-8 * abs(along.bound[2])
    expected = model.expected_log_joint(after, q.statistics) + q.entropy
    assert along.bound[2] == pytest.approx(expected, rel=1e-10)
    assert along.log_likelihood[2] == pytest.approx(
        model.e_step(after, data).log_likelihood, rel=1e-10
    )


def test_side_by_side_agrees_with_one_by_one():
    case = CASES["Gaussian VVV"]
    line = line_between(case.model, case.start(0), case.start(0, 4))
    vectors = line.vectors(np.linspace(-1, 2, 70))
    together = log_likelihoods(case.model, case.prepared, line.coordinates, vectors)
    alone = [case.model.e_step(line.coordinates.params(v), case.prepared)[2] for v in vectors]
    np.testing.assert_allclose(together, alone, rtol=1e-11)


def test_probabilities_of_zero_stay_in_the_domain():
    model = CASES["Bernoulli"].model
    params = model.params([0.5, 0.5], probabilities=[[0, 1, 0.5, 1], [1, 0, 0.2, 0]])
    coordinates = Coordinates(model, params)
    back = coordinates.params(coordinates.vector(params))
    np.testing.assert_allclose(back.probabilities, params.probabilities, atol=1e-300)


def test_degrees_of_freedom_can_be_at_their_ends():
    start = CASES["Student t"].start(0)
    params = start._replace(
        emission=start.emission._replace(degrees_of_freedom=np.array([FEWEST, MOST]))
    )
    coordinates = Coordinates(CASES["Student t"].model, params)
    vector = coordinates.vector(params)
    back = coordinates.params(vector).degrees_of_freedom
    np.testing.assert_allclose(back, [FEWEST, MOST], rtol=1e-14)
    along = np.array([coordinates.params(vector + t).degrees_of_freedom for t in (-4, -1, 1, 4)])
    assert (np.diff(along, axis=0) >= 0).all()
    np.testing.assert_allclose(along[[0, -1]], [[FEWEST] * 2, [MOST] * 2], rtol=1e-14)


def test_a_model_without_domains_is_a_sentence():
    class Bare:
        pass

    with pytest.raises(ValueError, match="does not say where its parameters may lie"):
        Coordinates(Bare(), ())


def test_far_from_zero_slices_keep_their_digits():
    rows = np.random.default_rng(0).normal(size=(80, 2)) + 1e8
    model = Mixture(Gaussian(), 2)
    params = from_means(model, rows, rows[:2])
    q = model.e_step(params, rows)
    line = line_between(model, params, model.m_step(params, q.statistics))
    of_bound, of_likelihood = slopes(model, model.prepare(rows), line, q)
    assert of_bound == pytest.approx(of_likelihood, rel=1e-5)
