"""What makes a likelihood unbounded is found: equal rows, columns that follow from one another."""

import pickle

import numpy as np
import pytest

from em_core import (
    FactorAnalyser,
    Gaussian,
    HiddenMarkov,
    Mixture,
    ProbabilisticPCA,
    StudentT,
    TwoLevel,
    fit,
    restarts,
)
from em_core.half_steps import Collapse
from em_core.inference.degeneracy import (
    Dependency,
    degeneracies,
    linear_dependencies,
    most_common_row,
)

SEEDS = range(30)
WHOLE = np.array([-7, -3, -2, -1, 1, 2, 3, 5])
DECIMAL = np.array([0.5, 1.8, -2.54, 0.01, 12.5, -0.75])


def table(rng: np.random.Generator, n_rows: int = 40) -> np.ndarray:
    """Columns in units of their own, some of them correlated."""
    n_columns = int(rng.integers(3, 8))
    mixing = np.eye(n_columns) + 0.2 * rng.normal(size=(n_columns, n_columns))
    unit = 10.0 ** rng.integers(-3, 4, size=n_columns)
    return unit * (rng.normal(size=(n_rows, n_columns)) @ mixing + rng.normal(size=n_columns))


def planted(rng: np.random.Generator, factors: np.ndarray) -> tuple[np.ndarray, dict, float]:
    """A table with a column that is a sum of others times factors, plus a constant."""
    values = table(rng)
    used = rng.permutation(values.shape[1])[: int(rng.integers(1, 4))]
    coefficients = rng.choice(factors, size=len(used))
    constant = float(rng.integers(-30, 31))
    place = int(rng.integers(0, values.shape[1] + 1))
    follows = values[:, used] @ coefficients + constant
    wanted = {int(j + (j >= place)): -a for j, a in zip(used, coefficients, strict=True)}
    return np.insert(values, place, follows, axis=1), wanted | {place: 1.0}, constant


def holds(found: Dependency, wanted: dict, constant: float) -> None:
    """One equation is the other times a number."""
    assert found.columns == tuple(sorted(wanted))
    ratio = found.coefficients[-1] / wanted[found.columns[-1]]
    expected = [ratio * wanted[j] for j in found.columns]
    np.testing.assert_allclose(found.coefficients, expected, rtol=1e-9)
    assert found.constant == pytest.approx(ratio * constant, rel=1e-7, abs=1e-7 * abs(ratio))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_planted_dependency_is_found_and_no_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, wanted, constant = planted(rng, WHOLE if seed % 2 else DECIMAL)
    (found,) = linear_dependencies(values)
    holds(found, wanted, constant)
    assert found.exact
    if seed % 2:
        assert all(a == int(a) for a in found.coefficients)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_holds_nearly_is_found_and_said_to_be_so(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(60, 4))
    follows = values[:, 0] - 2 * values[:, 2] + 5 + 1e-4 * rng.normal(size=60)
    (found,) = linear_dependencies(np.column_stack([values, follows]))
    assert found == Dependency((0, 2, 4), (-1.0, 2.0, 1.0), 5.0, exact=False)
    assert linear_dependencies(values) == ()


@pytest.mark.parametrize("seed", SEEDS)
def test_as_many_equations_as_the_rank_lacks_each_of_few_columns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(50, 3))
    first = values[:, 0] + values[:, 1]
    second = values[:, 2] + first
    found = linear_dependencies(np.column_stack([values, np.full(50, 7.0), first, second]))
    assert {equation.columns for equation in found} == {(3,), (0, 1, 4), (2, 4, 5)}
    assert all(set(map(abs, equation.coefficients)) == {1.0} for equation in found)


def test_shares_rounded_to_two_digits_or_four_sum_to_one() -> None:
    shares = np.random.default_rng(0).dirichlet([2, 3, 4, 5], size=200)
    for digits in (4, 6, 17):
        (found,) = linear_dependencies(shares.round(digits))
        assert found[:3] == ((0, 1, 2, 3), (1.0,) * 4, 1.0)
        assert found.exact == (digits == 17)


def test_far_from_zero_and_in_any_unit_the_equation_is_the_same() -> None:
    celsius = np.random.default_rng(1).normal(20, 5, size=30).round(1)
    for unit in (1e-9, 1.0, 1e9):
        (found,) = linear_dependencies(np.column_stack([celsius, 1.8 * celsius + 32]) * unit)
        assert found[:2] == ((0, 1), (-1.8, 1.0))
        assert found.constant == pytest.approx(32 * unit)
    (found,) = linear_dependencies(np.column_stack([celsius + 1e9, 3 * (celsius + 1e9)]))
    assert found[:3] == ((0, 1), (-3.0, 1.0), 0.0)


def test_missing_values_are_no_dependency() -> None:
    values, wanted, constant = planted(np.random.default_rng(3), WHOLE)
    values[::5, 0] = np.nan
    (found,) = linear_dependencies(values)
    holds(found, wanted, constant)
    assert linear_dependencies(np.array([[1.0, np.nan], [np.nan, 2.0], [3.0, 4.0]])) == ()
    holes = np.random.default_rng(0).normal(size=(30, 3))
    holes[:, 1] = np.nan
    assert linear_dependencies(holes) == ()


def test_the_most_common_row_is_counted() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        values = rng.integers(-2, 3, size=(60, int(rng.integers(1, 4)))) / 3
        rows, counts = np.unique(values, axis=0, return_counts=True)
        tie = most_common_row(values)
        assert (tie.count, tie.n_distinct) == (counts.max(), len(rows))
        assert (values == values[tie.row]).all(axis=1).sum() == tie.count
    assert most_common_row(np.array([[0.0], [-0.0], [1.0]])) == (0, 2, 2)
    assert most_common_row(np.array([[np.nan, 1.0]])) is None
    assert most_common_row(np.array([[np.nan], [1.0], [np.nan]])) == (1, 1, 1)


MODELS = {
    "mixture": lambda k: Mixture(Gaussian(), k),
    "shared": lambda k: Mixture(Gaussian("tied"), k),
    "one direction": lambda k: Mixture(Gaussian("VEE"), k),
    "Student": lambda k: Mixture(StudentT(), k),
    "factor analysers": lambda k: Mixture(FactorAnalyser(1), k),
    "hidden Markov": lambda k: HiddenMarkov(Gaussian(), k),
    "principal components": lambda k: ProbabilisticPCA(4),
    "two levels": lambda k: TwoLevel(),
}


def explained(model, data, **options):
    result = fit(model, data, **options)
    assert result.collapsed, result.flags
    return degeneracies(model, result.params, data, result.flags)


@pytest.mark.parametrize("n_components", (1, 2))
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("seed", range(2))
def test_a_planted_dependency_is_why_any_model_collapses(
    name: str, n_components: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(60, 4))
    # Two columns in one line: even one factor in each component leaves nothing to the others.
    values = np.column_stack([values, 2 * values[:, 1] + 3])
    data = values if name not in ("hidden Markov", "two levels") else np.split(values, 6)
    model = MODELS[name](n_components)
    first = explained(model, data, seed=seed, max_iterations=100)[0]
    assert first.component is None and not first.within and len(first.rows) == 60
    assert first.dependencies == (Dependency((1, 4), (-2.0, 1.0), 3.0, exact=True),)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "emission", (Gaussian(), Gaussian("diag"), Gaussian("spherical"), StudentT(), FactorAnalyser(1))
)
def test_equal_rows_are_why_a_component_or_a_state_collapses(emission, seed: int) -> None:
    rng = np.random.default_rng(seed)
    point = rng.integers(-3, 4, size=3).astype(float)
    values = np.concatenate([np.repeat(point[None], 15, axis=0), rng.normal(size=(30, 3)) + 9])
    where = rng.permutation(45)
    values = values[where]
    for model, data in (
        (Mixture(emission, 2), values),
        (HiddenMarkov(emission, 2), [values[:20], values[20:]]),
    ):
        (one,) = explained(model, data, seed=seed, max_iterations=100)
        assert sorted(where[one.rows]) == list(range(15)) and one.component is not None
        assert [each.constant for each in one.dependencies] == point.tolist()


def test_a_component_on_rows_of_one_value_names_the_column() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(size=(30, 3)), rng.normal(size=(30, 3)) + 8])
    values[:30, 1] = 0.2
    (one,) = explained(Mixture(Gaussian(), 2), values)
    assert one.rows.tolist() == list(range(30))
    assert one.dependencies == (Dependency((1,), (1.0,), 0.2, exact=True),)


def test_as_many_components_as_distinct_rows_leave_nothing_within() -> None:
    values = np.repeat(np.random.default_rng(0).normal(size=(6, 2)), 3, axis=0)
    (found,) = explained(Mixture(Gaussian("tied"), 6), values, start="hierarchical")
    assert found.within and [d.columns for d in found.dependencies] == [(0,), (1,)]


def test_what_varies_only_between_groups_is_why_two_levels_collapse() -> None:
    rng = np.random.default_rng(0)
    groups = [rng.normal(size=(8, 2)) + rng.normal(size=2) * 3 for _ in range(7)]
    still = [np.column_stack([part[:, 0], np.full(8, part[0, 1])]) for part in groups]
    (found,) = explained(TwoLevel(), still)
    assert found.within and [d.columns for d in found.dependencies] == [(1,)]
    # Of groups of one nothing is said about the spread within: its likelihood has a bound.
    assert not fit(TwoLevel(), np.split(rng.normal(size=(9, 1)), 9)).collapsed


def test_an_empty_component_has_no_rows_and_what_has_not_collapsed_no_reason() -> None:
    values = np.random.default_rng(0).normal(size=(30, 2))
    model = Mixture(Gaussian(), 2)
    result = fit(model, values)
    assert degeneracies(model, result.params, values, result.flags) == ()
    nobody = model.params([1 - 1e-12, 1e-12], means=[[0, 0], [90, 90]], covariances=[np.eye(2)] * 2)
    flags = model.flags(nobody, model.e_step(nobody, values).statistics)
    (one,) = degeneracies(model, nobody, values, flags)
    assert (one.component, len(one.rows), one.dependencies) == (1, 0, ())


def test_a_flag_keeps_its_component_in_another_process_and_under_another_name() -> None:
    flag = pickle.loads(pickle.dumps(Collapse("component 3 is flat", 2)))
    assert (flag, flag.component, type(flag)) == ("component 3 is flat", 2, Collapse)
    rng = np.random.default_rng(0)
    values = np.concatenate([np.zeros((15, 2)), rng.normal(size=(30, 2)) + 9])
    flags = fit(HiddenMarkov(Gaussian(), 2), [values]).flags
    assert all("component" not in flag for flag in flags)
    collapses = [flag for flag in flags if isinstance(flag, Collapse)]
    assert [f"state {flag.component + 1}" in flag for flag in collapses] == [True]


@pytest.mark.parametrize("emission", (Gaussian(), Gaussian("tied"), StudentT(), FactorAnalyser(1)))
def test_nobody_with_one_component_is_told_to_take_fewer(emission) -> None:
    values = np.random.default_rng(0).normal(size=(30, 3))
    values = np.column_stack([values, values[:, :1] * [2.0, 3.0]])
    flags = fit(Mixture(emission, 1), values).flags
    assert flags and not any("fewer components" in flag or "start" in flag for flag in flags)


def test_a_verdict_on_collapsed_starts_gives_the_collapse_as_the_reason() -> None:
    """A state that is never left is a remark, not why there is no answer."""
    values = np.append(np.random.default_rng(0).normal(size=19), 50.0)[:, None]
    runs = restarts(HiddenMarkov(Gaussian(), 2), [values], range(6))
    assert not runs.optima and "never left" in runs.best.flags[0]
    assert "collapsing onto one point" in runs.verdict and "never left" not in runs.verdict


@pytest.mark.filterwarnings("error")
def test_any_few_rows_with_any_holes_have_their_equations(long: bool) -> None:
    """Columns among them that vary in no complete row: 1,000 tables, 100,000 with --long."""
    for seed in range(100_000 if long else 1_000):
        rng = np.random.default_rng(seed)
        values = [0.0, 1.0, 2.0, 3.3, 1e-300, 1e9, np.nan]
        size = rng.integers(1, [9, 5])
        rows = rng.choice(values, size, p=rng.dirichlet(np.ones(7))) * 10.0 ** rng.integers(-12, 12)
        scale = 10.0 ** rng.integers(-9, 9, size[1]) if seed % 2 else None
        for found in linear_dependencies(rows, scale):
            assert np.isfinite([*found.coefficients, found.constant]).all()


@pytest.mark.parametrize("huge", [1e61, 1e155, 1e160, 1e308, np.inf])
def test_a_number_that_no_model_takes_says_nothing_of_dependencies(huge):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(21, 2))
    values[20, 0] = huge
    assert linear_dependencies(values) == ()
    (found,) = linear_dependencies(np.column_stack([values, 2 * values[:, 1]]))
    assert found.columns == (1, 2)
