"""Whatever NumPy takes as numbers is taken, and gives the same numbers."""

import numpy as np
import pandas as pd
import pytest

from em_core import FactorAnalysis, Fit, fit
from em_core.data import as_table
from em_core.trees import leaves
from support.families_at_hand import cases


def strided(values: np.ndarray) -> np.ndarray:
    wide = np.full((2 * len(values), 3 * values.shape[1]), -1.0)
    wide[::2, 1::3] = values
    return wide[::2, 1::3]


def read_only(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values.setflags(write=False)
    return values


# Kinds of arrays that hold the same numbers.
SAME = {
    "Fortran": np.asfortranarray,
    "strided": strided,
    "reversed": lambda values: values[::-1, ::-1].copy()[::-1, ::-1],
    "read-only": read_only,
    "big-endian": lambda values: values.astype(">f8"),
    "long double": lambda values: values.astype(np.longdouble),
    "object": lambda values: values.astype(object),
    "list": lambda values: values.tolist(),
    "frame": pd.DataFrame,
    "frame by column": lambda values: pd.DataFrame({f"x{i}": x for i, x in enumerate(values.T)}),
    "nullable frame": lambda values: pd.DataFrame(values).convert_dtypes(),
}
# Kinds that hold fewer digits: the same as these digits in double precision.
FEWER = {
    "float32": lambda values: values.astype(np.float32),
    "float16 by column": lambda values: np.asfortranarray(values.astype(np.float16)),
    "big-endian float32": lambda values: values.astype(">f4"),
    "integer": lambda values: np.where(np.isnan(values), 0, 4 * values).round().astype(np.int32),
    "bytes": lambda values: np.where(np.isnan(values), 0, 9 + 3 * values).round().astype(np.uint8),
    "booleans": lambda values: values > np.nanmean(values, axis=0),
}
every_family = pytest.mark.parametrize("name", cases())


def of_kind(data, kind):
    return [kind(part) for part in data] if isinstance(data, list) else kind(data)


def numbers(result: Fit, data) -> list[np.ndarray]:
    """Everything that a fit says, also of data it has not seen yet."""
    found = [np.array([step.log_likelihood for step in result.trace]), *leaves(result.params)]
    model = result.model
    found += [np.asarray(part) for part in flat(result.posterior(data))]
    found.append(np.array(model.e_step(result.params, data).log_likelihood))
    for method in ("predict", "impute"):
        if hasattr(model, method):
            found += [np.asarray(part) for part in flat(getattr(result, method)(data))]
    return found


def flat(tree) -> list:
    return [x for part in tree for x in flat(part)] if isinstance(tree, tuple | list) else [tree]


def assert_same(one: list[np.ndarray], other: list[np.ndarray]) -> None:
    for left, right in zip(one, other, strict=True):
        np.testing.assert_array_equal(left, right)


@every_family
def test_the_same_numbers_in_any_array(name):
    case = cases()[name]
    expected = numbers(fit(case.model, case.data, max_iterations=2), case.data)
    for kind in SAME.values():
        data = of_kind(case.data, kind)
        assert_same(numbers(fit(case.model, data, max_iterations=2), data), expected)


# Two structures stand for all of the same emission.
EMISSIONS = [
    name
    for name in cases()
    if not name.startswith("Gaussian ") or name[9:] in ("VVV", "EEI", "with holes")
]


@pytest.mark.parametrize("name", EMISSIONS)
@pytest.mark.parametrize("kind", FEWER)
def test_fewer_digits_are_those_digits(name, kind):
    case = cases()[name]
    data = of_kind(case.data, FEWER[kind])
    doubles = of_kind(data, lambda values: np.array(values, dtype=float, order="C"))
    try:
        expected = fit(case.model, doubles, max_iterations=2)
    except ValueError as error:
        with pytest.raises(ValueError) as other:
            fit(case.model, data, max_iterations=2)
        assert str(other.value) == str(error)
    else:
        found = numbers(fit(case.model, data, max_iterations=2), data)
        assert_same(found, numbers(expected, doubles))


@every_family
def test_weights_and_shares_of_any_kind(name):
    case = cases()[name]
    weights = np.random.default_rng(1).uniform(0.5, 2, len(case.data))
    expected = fit(case.model, case.data, weights=weights, max_iterations=2).params
    for kind in (
        list,
        pd.Series,
        read_only,
        lambda w: w.astype(">f8"),
        lambda w: strided(w[:, None])[:, 0],
    ):
        params = fit(case.model, case.data, weights=kind(weights), max_iterations=2).params
        assert_same(leaves(params), leaves(expected))


@pytest.mark.parametrize("n_columns", [8, 9, 63, 64, 65])
def test_columns_of_holes_beside_each_other_in_memory(n_columns):
    """Patterns of missing values are told apart 64 columns at a time."""
    rng = np.random.default_rng(n_columns)
    rows = rng.normal(size=(150, 2)) @ rng.normal(size=(2, n_columns)) + rng.normal(
        size=(150, n_columns)
    )
    rows[rng.random(rows.shape) < 0.02] = np.nan
    one = fit(FactorAnalysis(1), rows, max_iterations=2)
    other = fit(FactorAnalysis(1), pd.DataFrame(np.asfortranarray(rows)), max_iterations=2)
    assert_same(numbers(one, rows), numbers(other, pd.DataFrame(rows)))


def test_what_has_the_form_is_not_copied():
    rows = np.ones((5, 3))
    assert as_table(rows) is rows and as_table(rows[1:]).base is rows
