"""Classes against another column, by posteriors."""

import numpy as np
import pytest
from scipy.stats.contingency import association
from sklearn.metrics import adjusted_rand_score

from em_core.inference import crossed_levels, crossed_numbers, crossed_partitions


def test_of_sure_rows_it_is_the_usual_table() -> None:
    """Cramer's V as SciPy has it; eta squared is the share of the sum of squares between."""
    rng = np.random.default_rng(0)
    classes, levels = rng.integers(3, size=200), rng.integers(4, size=200)
    levels[classes == 0] = 1
    shares = np.eye(3)[classes]
    found = crossed_levels(shares, levels, 4)
    table = np.array([[((levels == a) & (classes == b)).sum() for b in range(3)] for a in range(4)])
    assert (found.counts == table).all()
    np.testing.assert_allclose(found.shares.sum(axis=0), 1)
    assert found.cramers_v == pytest.approx(association(table, method="cramer"), rel=1e-12)
    values = rng.normal(size=200) + 1e6 + classes
    told = crossed_numbers(shares, values)
    means = np.array([values[classes == k].mean() for k in range(3)])
    between = ((means[classes] - values.mean()) ** 2).sum()
    total = ((values - values.mean()) ** 2).sum()
    assert told.eta_squared == pytest.approx(between / total, rel=1e-9)
    np.testing.assert_allclose(told.means, means, rtol=1e-12)
    np.testing.assert_allclose(told.deviations, [values[classes == k].std() for k in range(3)])


def test_doubt_is_counted_and_missing_values_are_not() -> None:
    shares = np.array([[0.8, 0.2], [0.5, 0.5], [0.1, 0.9]])
    found = crossed_levels(shares, np.array([0, -1, 1]), 2)
    np.testing.assert_allclose(found.counts, [[0.8, 0.2], [0.1, 0.9]])
    told = crossed_numbers(shares, np.array([1.0, np.nan, 3.0]))
    np.testing.assert_allclose(told.rows, [0.9, 1.1])
    np.testing.assert_allclose(told.means, [(0.8 + 0.3) / 0.9, (0.2 + 2.7) / 1.1])


def test_where_nothing_varies_there_is_no_number() -> None:
    shares = np.full((4, 2), 0.5)
    assert np.isnan(crossed_levels(shares, np.zeros(4, int), 1).cramers_v)
    assert crossed_levels(shares, np.array([0, 1, 0, 1]), 2).cramers_v == 0
    assert np.isnan(crossed_numbers(shares, np.ones(4)).eta_squared)


def test_classes_of_two_fits_are_counted_matched_and_compared() -> None:
    one = np.array([[1, 0], [1, 0], [0.4, 0.6], [0, 1]])
    two = np.array([[0, 0.9, 0.1], [0, 1, 0], [0, 1, 0], [1, 0, 0]])
    found = crossed_partitions(one, two, weights=np.array([1, 2, 1, 3]))
    np.testing.assert_allclose(found.expected, [[0, 3.3, 0.1], [3, 0.6, 0]], atol=1e-12)
    np.testing.assert_allclose(found.assigned, [[0, 3, 0], [3, 1, 0]])
    assert found.matched.tolist() == [[0, 1], [1, 0]] and found.stayed == pytest.approx(6 / 7)
    labels = np.repeat(one.argmax(1), [1, 2, 1, 3]), np.repeat(two.argmax(1), [1, 2, 1, 3])
    assert found.adjusted_rand == pytest.approx(adjusted_rand_score(*labels), rel=1e-12)
    of_the_same = crossed_partitions(two, two[:, [2, 0, 1]])
    assert of_the_same.adjusted_rand == of_the_same.stayed == 1
    assert of_the_same.matched.tolist() == [[0, 1], [1, 2], [2, 0]]
