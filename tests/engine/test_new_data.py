"""New data are not data to be fitted: a model says what it knows of any row, sequence or group."""

import numpy as np
import pytest

from em_core import (
    Bernoulli,
    Categorical,
    Gaussian,
    HiddenMarkov,
    Mixture,
    Poisson,
    TwoLevel,
    fit,
    select,
)
from support.families_at_hand import cases

every_family = pytest.mark.parametrize("name", cases())
COUNTS = {"Poisson", "Bernoulli", "Categorical"}


def known(name: str):
    """A family's model, parameters after some iterations, and complete rows of its data."""
    case = cases()[name]
    rows = np.concatenate(case.data) if isinstance(case.data, list) else case.data
    return case.model, case.start(0, 3), rows[~np.isnan(rows).any(axis=1)]


def given(model, rows: np.ndarray):
    """Rows as the model takes them: a table, or one sequence or group."""
    return [rows] if isinstance(model, HiddenMarkov | TwoLevel) else rows


def log_densities(model, params, data) -> np.ndarray:
    """(N,) of rows, sequences or groups."""
    posterior = model.posterior(params, data)
    return getattr(posterior, "log_densities", getattr(posterior, "log_likelihoods", None))


def all_finite(tree) -> bool:
    if isinstance(tree, tuple | list):
        return all(map(all_finite, tree))
    return bool(np.isfinite(tree).all())


def missing(rows: np.ndarray, *columns: int) -> np.ndarray:
    rows = rows.copy()
    rows[:, columns] = np.nan
    return rows


@every_family
@pytest.mark.parametrize("n", [1, 5])
@pytest.mark.parametrize("columns", [(), (0,), (1,), "all"])
def test_any_rows_are_taken(name, n, columns):
    """One row or some; complete, with a column missing in all of them, or with nothing known."""
    model, params, rows = known(name)
    columns = range(rows.shape[1]) if columns == "all" else columns
    data = given(model, missing(rows[:n], *columns))
    posterior = model.posterior(params, data)
    assert all_finite(posterior[:3])
    total = log_densities(model, params, data).sum()
    if columns and isinstance(model, TwoLevel):
        assert total == pytest.approx(0, abs=1e-9) or len(columns) < rows.shape[1]
        return
    expectation = model.e_step(params, data)
    assert expectation.log_likelihood == pytest.approx(total, rel=1e-9, abs=1e-9)
    bound = model.expected_log_joint(params, expectation.statistics) + expectation.entropy
    assert bound == pytest.approx(total, rel=1e-8, abs=1e-8)
    if len(columns) == rows.shape[1]:
        assert total == pytest.approx(0, abs=1e-9)
    if hasattr(model, "predict"):
        labels = model.predict(params, data)
        assert np.concatenate(labels).shape == (n,) if isinstance(labels, list) else labels.size
    if hasattr(model, "impute"):
        values, deviations = model.impute(params, data)
        assert all_finite(values) and all_finite(deviations)
        filled = np.concatenate(values) if isinstance(values, list) else values
        wanted = np.isnan(missing(rows[:n], *columns))
        assert np.array_equal(filled[~wanted], rows[:n][~wanted])
        spread = np.concatenate(deviations) if isinstance(deviations, list) else deviations
        assert (spread[~wanted] == 0).all()


def is_impossible_below_zero(model, params, row, column: int) -> bool:
    """Whether values of a column are times, or whatever else has nothing below 0."""
    below = row.copy()
    below[:, column] = -1e-3
    with np.errstate(divide="ignore"):
        return not np.isfinite(log_densities(model, params, given(model, below))).any()


@every_family
@pytest.mark.parametrize("column", [0, 1])
def test_a_missing_value_is_integrated_out(name, column):
    """p(what is there) is the integral, or the sum, of p(complete row) over what could be there."""
    model, params, rows = known(name)
    row = rows[3:4]
    if COUNTS & {type(getattr(model, "emission", None)).__name__}:
        values = np.arange(2 if "Bernoulli" in name else 3 if "Categorical" in name else 200)
        steps = np.ones(len(values))
    else:
        # x = centre + width tan u; midpoints, as the ends are infinitely far.
        u = (np.arange(4000) + 0.5) / 4000 * np.pi - np.pi / 2
        width, centre = 2 * rows[:, column].std(), row[0, column]
        if is_impossible_below_zero(model, params, row, column):
            u, centre = (u + np.pi / 2) / 2, 0.0
        values = centre + width * np.tan(u)
        steps = width / np.cos(u) ** 2 * (u[1] - u[0])
    complete = np.repeat(row, len(values), axis=0)
    complete[:, column] = values
    if isinstance(model, HiddenMarkov | TwoLevel):
        complete = list(complete[:, None])
    with np.errstate(divide="ignore"):
        whole = np.logaddexp.reduce(log_densities(model, params, complete) + np.log(steps))
    alone = log_densities(model, params, given(model, missing(row, column)))
    assert alone[0] == pytest.approx(whole, abs=1e-6)


@every_family
def test_a_row_is_known_alone_as_among_others(name):
    """What a model says of new data does not depend on what else it is asked of."""
    case = cases()[name]
    data, params = case.model.check(case.data), case.start(0, 3)
    if isinstance(data, list):
        alone = [case.model.posterior(params, [part]) for part in data]
    else:
        rows = np.asarray(data)
        alone = [case.model.posterior(params, row[None]) for row in rows[:6]]
    for i, posterior in enumerate(alone):
        for one, all_ in zip(posterior, case.model.posterior(params, data), strict=True):
            np.testing.assert_allclose(one[0], all_[i], rtol=1e-8, atol=1e-10)


@every_family
def test_other_columns_are_refused_in_words(name):
    model, params, rows = known(name)
    for wrong in (rows[:4, :1], np.column_stack([rows, rows])[:4]):
        with pytest.raises(ValueError, match="columns and the model was fitted to"):
            model.posterior(params, given(model, wrong))


SEEN = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [0, 0], [1, 1]] * 4, dtype=float)
UNSEEN = np.array([[0, 0], [2, 1], [1, 5], [0, 1]], dtype=float)


def test_a_level_never_seen_has_probability_0():
    """It tells as little of the component as a missing value, whatever the number is."""
    result = fit(Mixture(Categorical(), 2), SEEN, max_iterations=4)
    posterior = result.posterior(UNSEEN)
    assert (posterior.log_densities == -np.inf).tolist() == [False, True, True, False]
    holes = np.where((UNSEEN > 1), np.nan, UNSEEN)
    expected = result.posterior(holes).responsibilities
    np.testing.assert_allclose(posterior.responsibilities, expected, rtol=1e-12)
    assert np.array_equal(result.predict(UNSEEN), result.predict(holes))
    assert result.model.e_step(result.params, UNSEEN).log_likelihood == -np.inf
    assert (result.model.log_joint(result.params, UNSEEN)[1:3] == -np.inf).all()
    assert np.array_equal(result.impute(UNSEEN).values, UNSEEN)
    # A row of no weight does not count.
    weights = np.array([1.0, 0, 0, 1])
    counted = result.model.e_step(result.params, UNSEEN, weights).log_likelihood
    assert counted == pytest.approx(posterior.log_densities[[0, 3]].sum())


@pytest.mark.parametrize(
    "emission, seen, new",
    [
        (Bernoulli(), [[0, 0], [0, 1]] * 9, [1, 1]),
        (Categorical((3, 2)), [[0, 0], [1, 1]] * 9, [2, 1]),
        (Poisson(), [[0, 3], [0, 9]] * 9, [4, 3]),
    ],
    ids=["Bernoulli", "Categorical", "Poisson"],
)
@pytest.mark.parametrize("n_components", [1, 2])
def test_what_was_never_there_has_probability_0(emission, seen, new, n_components):
    seen, new = np.array(seen, dtype=float), np.array([new], dtype=float)
    result = fit(Mixture(emission, n_components), seen, max_iterations=5)
    posterior = result.posterior(new)
    assert posterior.log_densities[0] == -np.inf
    hole = new.copy()
    hole[0, 0] = np.nan
    shares = result.posterior(hole).responsibilities
    if not isinstance(emission, Poisson):
        np.testing.assert_allclose(posterior.responsibilities, shares, rtol=1e-12)
    assert posterior.responsibilities.sum() == pytest.approx(1)
    assert result.model.e_step(result.params, new).log_likelihood == -np.inf


def test_components_may_rule_out_a_row_for_different_reasons():
    """The one that needs the fewest probabilities of 0 is left."""
    model = Mixture(Bernoulli(), 3)
    chances = [[0, 0, 0.5], [1, 1, 0.5], [0, 1, 0.9]]
    params = model.params([0.5, 0.3, 0.2], probabilities=chances)
    rows = np.array([[1, 0, 1], [1, 0, 0], [0, 1, 1]], dtype=float)
    posterior = model.posterior(params, rows)
    assert posterior.log_densities.tolist()[:2] == [-np.inf, -np.inf]
    assert posterior.log_densities[2] == pytest.approx(np.log(0.2 * 0.9))
    np.testing.assert_allclose(posterior.responsibilities[0], [0.625, 0.375, 0])
    np.testing.assert_allclose(posterior.responsibilities[2], [0, 0, 1])
    two = Mixture(Bernoulli(), 2)
    empty = two.params([1, 0], probabilities=[[0.5, 0.5], [1, 1]])
    assert two.posterior(empty, np.ones((1, 2))).log_densities[0] == pytest.approx(2 * np.log(0.5))
    np.testing.assert_array_equal(two.posterior(empty, np.ones((1, 2))).responsibilities, [[1, 0]])


def test_a_component_of_no_weight_has_no_rows():
    """However far a row is from all others."""
    model = Mixture(Gaussian(), 2)
    params = model.params([1, 0], means=[[0.0], [60.0]], covariances=np.ones((2, 1, 1)))
    posterior = model.posterior(params, np.array([[60.0]]))
    assert posterior.responsibilities.tolist() == [[1, 0]]
    assert posterior.log_densities[0] == pytest.approx(-1800 - np.log(2 * np.pi) / 2)


@pytest.mark.parametrize("emission", [Categorical(), Bernoulli()], ids=str)
def test_a_sequence_with_something_never_seen(emission):
    """Its log-likelihood is -inf, that of the others what it is; the rest of it is still told."""
    rng = np.random.default_rng(0)
    seen = [(rng.random((20, 2)) < 0.2 + 0.6 * (i % 2)).astype(float) for i in range(6)]
    for sequence in seen:
        sequence[:, 1] = 0
    model = HiddenMarkov(emission, 2)
    result = fit(model, seen, max_iterations=20)
    new = [seen[0][:8], seen[1][:8].copy(), seen[2][:1]]
    new[1][3, 1] = 1
    hole = [part.copy() for part in new]
    hole[1][3, 1] = np.nan
    posterior, other = result.posterior(new), result.posterior(hole)
    assert np.isneginf(posterior.log_likelihoods).tolist() == [False, True, False]
    np.testing.assert_allclose(posterior.log_likelihoods[::2], other.log_likelihoods[::2])
    for one, two in zip(posterior.state_probabilities, other.state_probabilities, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-12)
    for one, two in zip(result.predict(new), result.predict(hole), strict=True):
        assert np.array_equal(one, two)
    assert model.e_step(result.params, new).log_likelihood == -np.inf
    weighed = model.e_step(result.params, new, np.array([1.0, 0, 1])).log_likelihood
    assert weighed == pytest.approx(other.log_likelihoods[::2].sum())


def test_a_sequence_that_the_transitions_rule_out_still_has_state_probabilities():
    model = HiddenMarkov(Bernoulli(), 2, transitions=np.eye(2))
    params = model.params(np.eye(2), probabilities=[[0.0], [1.0]])
    posterior = model.posterior(params, [np.array([[0.0], [1], [1]]), np.array([[1.0], [1]])])
    assert posterior.log_likelihoods.tolist() == [-np.inf, np.log(0.5)]
    np.testing.assert_allclose(posterior.state_probabilities[0].sum(axis=1), 1)
    np.testing.assert_allclose(posterior.state_probabilities[1], [[0, 1], [0, 1]], atol=1e-12)


def test_a_group_with_holes_is_between_those_without():
    """Complete groups by either path; and against a Gaussian of all that is there."""
    model, params, rows = known("two levels")
    groups = [rows[:4], rows[4:6]]
    holed = [*groups, missing(rows[6:9], 1)]
    holed[2][0, 0] = np.nan
    complete, mixed = model.posterior(params, groups), model.posterior(params, holed)
    for one, other in zip(complete, mixed, strict=True):
        np.testing.assert_allclose(other[:2], one, rtol=1e-8, atol=1e-8)
    values, there = holed[2].ravel(), ~np.isnan(holed[2].ravel())
    between, within = params.between_covariance, params.within_covariance
    covariance = np.kron(np.ones((3, 3)), between) + np.kron(np.eye(3), within)
    own = covariance[np.ix_(there, there)]
    centred = values[there] - np.tile(params.mean, 3)[there]
    cross = np.tile(between, 3)[:, there]
    expected = -0.5 * (
        np.linalg.slogdet(2 * np.pi * own)[1] + centred @ np.linalg.solve(own, centred)
    )
    assert mixed.log_densities[2] == pytest.approx(expected, rel=1e-9)
    effect = params.mean + cross @ np.linalg.solve(own, centred)
    np.testing.assert_allclose(mixed.means[2], effect, rtol=1e-8)
    left = between - cross @ np.linalg.solve(own, cross.T)
    np.testing.assert_allclose(mixed.covariances[2], left, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("emission", [Gaussian("diag"), Bernoulli(), Poisson()], ids=str)
def test_cross_validation_takes_sequences_that_miss_a_column_or_have_one_row(emission):
    rng = np.random.default_rng(0)
    data = [(rng.random((n, 2)) < 0.5 + 0.3 * (-1) ** n).astype(float) for n in (9, 1, 8, 7, 1, 6)]
    if isinstance(emission, Gaussian):
        data = [part + 0.1 * rng.normal(size=part.shape) for part in data]
    data[0][:, 1] = data[1][:, 0] = np.nan
    chosen = select({1: HiddenMarkov(emission, 1)}, data, [0], folds=6, max_iterations=500)
    held_out = chosen.cells[0].cross_validation
    assert np.isfinite(held_out.log_likelihood) and not held_out.problem


def test_parameters_of_other_levels_are_named():
    params = fit(Mixture(Categorical(), 2), UNSEEN, max_iterations=2).params
    with pytest.raises(ValueError, match="other levels, than the data"):
        fit(Mixture(Categorical(), 2), SEEN, start=params)
    both = Mixture(Categorical((3, 6)), 2)
    assert fit(both, SEEN, start=params, max_iterations=2).log_likelihood < 0
