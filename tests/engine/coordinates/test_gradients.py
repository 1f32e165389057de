"""Gradients of the expected log joint: analytic ones against differences, anywhere."""

import numpy as np
import pytest

from em_core import (
    Bernoulli,
    Categorical,
    FactorAnalyser,
    FactorAnalysis,
    Gaussian,
    HiddenMarkov,
    Mixture,
    Poisson,
    ProbabilisticPCA,
    StudentT,
    TwoLevel,
)
from em_core.coordinates.coordinates import Coordinates
from em_core.coordinates.slices import EIGHTH, bound_gradient, bounds, central, has_gradient
from em_core.emissions.covariances.structures import MCLUST
from support.families_at_hand import Case, cases
from support.laws import assert_close
from support.own_model import WithDomains, WithGradient

STEP = 5e-3
# Of the gradient's norm.
CLOSE = 1e-7


def corners() -> dict[str, Case]:
    """One column, one component, and holes, where the families at hand have none of it."""
    rows, rng = cases()["Gaussian VVV"].data, np.random.default_rng(1)
    column, sequences = rows[:, :1], [rows[:70], rows[70:]]
    # Three columns cannot tell two factors.
    wide = np.column_stack(
        [rows, rows[:, :2] + np.random.default_rng(2).normal(size=(len(rows), 2))]
    )
    ring = np.array([[1, 1, 0], [0, 0, 1], [1, 0, 0]], bool)

    def holes(table):
        return np.where(rng.random(table.shape) < 0.1, np.nan, table)

    discrete = [("Bernoulli", Bernoulli), ("Categorical", Categorical), ("Poisson", Poisson)]
    structures = {
        f"{what}, Gaussian {code}": Case(Mixture(Gaussian(code), k), table)
        for code in MCLUST
        for what, table, k in [("one column", column, 3), ("one component", rows, 1)]
    }
    return structures | {
        f"{name} with holes": Case(Mixture(emission(), 3), holes(cases()[name].data))
        for name, emission in discrete
    } | {
        f"one column, {name}": Case(Mixture(emission(), 2), cases()[name].data[:, :1])
        for name, emission in discrete
    } | {
        "Gaussian VEV with holes": Case(Mixture(Gaussian("VEV"), 2), holes(rows)),
        "Gaussian VVI with holes": Case(Mixture(Gaussian("VVI"), 2), holes(rows)),
        "one column, Student t": Case(Mixture(StudentT(), 2), column),
        "one component, Student t": Case(Mixture(StudentT("diag"), 1), rows),
        "Student t of one shape": Case(Mixture(StudentT("VEV", 3.0), 2), rows),
        "factor analysers with holes": Case(Mixture(FactorAnalyser(2), 3), holes(wide)),
        "one component, factor analysers": Case(Mixture(FactorAnalyser(1), 1), rows),
        "one column, hidden Markov": Case(HiddenMarkov(Gaussian(), 2), [column]),
        "one state": Case(HiddenMarkov(Gaussian("EVE"), 1, initial="stationary"), sequences),
        "hidden Markov ring": Case(
            HiddenMarkov(Gaussian("diag"), 3, ring, initial="stationary"), sequences
        ),
        "hidden Markov with holes": Case(HiddenMarkov(Gaussian(), 2), [holes(rows), rows[:9]]),
        "hidden Markov of counts": Case(HiddenMarkov(Poisson(), 2), [cases()["Poisson"].data]),
        "probabilistic PCA with holes": Case(ProbabilisticPCA(1), holes(rows)),
        "two factors": Case(FactorAnalysis(2), wide),
        "one column, two levels": Case(TwoLevel(), [column[i::10] for i in range(10)]),
    }  # fmt: skip


CASES = cases() | corners()


def displaced(case: Case, seed: int):
    """Parameters in no relation to any q, and the coordinates that are theirs."""
    start = case.start(seed, 1)
    coordinates = Coordinates(case.model, start)
    rng = np.random.default_rng(seed)
    return coordinates, coordinates.vector(start) + rng.normal(scale=0.4, size=coordinates.size)


def by_differences(model, coordinates, vector, q) -> np.ndarray:
    offsets, differences = central(EIGHTH)
    points = vector + STEP * np.eye(len(vector))[:, None] * offsets[:, None]
    heights = bounds(model, coordinates, points.reshape(-1, len(vector)), q)
    return heights.reshape(len(vector), -1) @ differences / STEP


@pytest.mark.parametrize("weighted", [False, True], ids=["rows", "weighted rows"])
@pytest.mark.parametrize("name", CASES)
def test_gradients_are_those_of_differences(name, weighted):
    case = CASES[name]
    model, data = case.model, case.model.check(case.data)
    assert has_gradient(model)
    weights = np.random.default_rng(3).gamma(1.0, size=len(data)) if weighted else None
    q = model.e_step(case.start(7, 2), data, weights)
    for seed in (0, 1):
        coordinates, vector = displaced(case, seed)
        gradient = bound_gradient(model, coordinates, vector, q)
        error = gradient - by_differences(model, coordinates, vector, q)
        assert np.linalg.norm(error) <= CLOSE * np.linalg.norm(gradient)


@pytest.mark.parametrize("name", CASES)
def test_a_gradient_has_the_shapes_of_its_parameters(name):
    model, params = CASES[name].model, CASES[name].start(0, 1)
    q = model.e_step(params, CASES[name].prepared)
    gradient = model.expected_log_joint_gradient(params, q.statistics)
    assert_same_shapes(params, gradient)


def assert_same_shapes(params, gradient):
    assert type(params) is type(gradient)
    for name, part, by_part in zip(params._fields, params, gradient, strict=True):
        if isinstance(part, tuple):
            assert_same_shapes(part, by_part)
            continue
        assert np.shape(part) == np.shape(by_part)
        if "covariance" in name:
            assert_close(by_part, np.swapaxes(by_part, -1, -2))


@pytest.mark.parametrize("name", CASES)
def test_differences_agree_where_a_component_is_empty_or_a_level_unseen(name):
    """Statistics of few rows: most counts are zero, and so are some shares."""
    case = CASES[name]
    model, data = case.model, case.model.check(case.data)
    weights = np.zeros(len(data))
    weights[:3] = 1.0
    start = case.start(2)
    q = model.e_step(start, data, weights)
    coordinates = Coordinates(model, start)
    vector = coordinates.vector(start)
    gradient = bound_gradient(model, coordinates, vector, q)
    error = gradient - by_differences(model, coordinates, vector, q)
    assert np.linalg.norm(error) <= CLOSE * (np.linalg.norm(gradient) + 1)


def test_shares_of_zero_have_finite_gradients():
    model = Mixture(Bernoulli(), 2)
    params = model.params([0, 1], probabilities=[[0, 1, 0.5], [1, 0, 0.2]])
    q = model.e_step(model.params([0.5, 0.5], probabilities=np.full((2, 3), 0.5)), np.eye(3))
    coordinates = Coordinates(model, params)
    gradient = bound_gradient(model, coordinates, coordinates.vector(params), q)
    assert np.isfinite(gradient).all()
    chain = HiddenMarkov(Bernoulli(), 2)
    params = chain.params([[1, 0], [0, 1]], [1, 0], probabilities=[[0, 1], [1, 0]])
    q = chain.e_step(params, [np.array([[0.0, 1], [0, 1]])])
    coordinates = Coordinates(chain, params)
    gradient = bound_gradient(chain, coordinates, coordinates.vector(params), q)
    # A known path: no probability can rise.
    np.testing.assert_allclose(gradient, 0, atol=1e-12)


@pytest.mark.parametrize("name", ["Gaussian VEV", "stationary hidden Markov", "two levels"])
def test_a_block_is_a_part_of_the_gradient(name):
    case = CASES[name]
    coordinates, vector = displaced(case, 0)
    q = case.model.e_step(case.start(1), case.prepared)
    whole = bound_gradient(case.model, coordinates, vector, q)
    for block in coordinates.blocks():
        np.testing.assert_array_equal(
            bound_gradient(case.model, coordinates, vector, q, block), whole[block]
        )


class WithoutGradient(Poisson):
    """An emission that does not."""

    def __getattribute__(self, name):
        if name == "expected_log_density_gradient":
            raise AttributeError(name)
        return super().__getattribute__(name)


def test_differences_stand_in_where_a_model_gives_no_gradient():
    counts = np.array([0, 0, 0, 0, 1, 2, 3, 0, 5, 2.0])
    start = WithDomains().initial_params(counts, "half", np.random.default_rng(0))
    q, coordinates = WithDomains().e_step(start, counts), Coordinates(WithDomains(), start)
    vector = coordinates.vector(start) + np.array([0.3, -0.2])
    assert has_gradient(WithGradient()) and not has_gradient(WithDomains())
    analytic, numeric = (
        bound_gradient(model, coordinates, vector, q) for model in (WithGradient(), WithDomains())
    )
    np.testing.assert_allclose(numeric, analytic, rtol=1e-8)
    last = bound_gradient(WithDomains(), coordinates, vector, q, slice(1, 2))
    np.testing.assert_allclose(last, numeric[1:], rtol=1e-12)

    case = CASES["Poisson"]
    bare = Mixture(WithoutGradient(), case.model.n_components)
    assert not has_gradient(bare)
    q = case.model.e_step(case.start(1), case.prepared)
    coordinates, vector = displaced(case, 0)
    np.testing.assert_allclose(
        bound_gradient(bare, coordinates, vector, q),
        bound_gradient(case.model, coordinates, vector, q),
        rtol=1e-7,
    )
