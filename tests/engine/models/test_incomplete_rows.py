"""Rows with holes, and the few rows with the same moments that they condense to."""

import numpy as np
import pytest

from em_core import FactorAnalysis
from em_core.models.factor_analysis.incomplete_rows import CondensedTable, distinct, sample_mean


def table_with_holes(n_rows, n_columns, missing):
    rng = np.random.default_rng(0)
    data = rng.normal(size=(n_rows, n_columns)) @ rng.normal(size=(n_columns, n_columns))
    data[rng.random(size=data.shape) < missing] = np.nan
    return data + 5


def moments_by_pattern(rows):
    augmented = np.column_stack([rows.ones, rows.values])
    return {
        tuple(mask): augmented[rows.pattern == p].T @ augmented[rows.pattern == p]
        for p, mask in enumerate(rows.patterns)
    }


@pytest.mark.parametrize("missing, n_columns", [(0, 5), (0.1, 3), (0.05, 70)])
@pytest.mark.parametrize("weighted", [False, True])
def test_condensed_rows_have_the_same_moments(missing, n_columns, weighted):
    data = table_with_holes(500, n_columns, missing)
    weights = np.random.default_rng(0).integers(0, 3, size=500).astype(float) if weighted else None
    table = CondensedTable(data, np.ones(n_columns))
    rows, condensed = table.rows(weights), table.condensed(weights)
    assert len(condensed.ones) < 500 or missing == 0.05
    assert condensed.counts.sum() == (500 if weights is None else weights.sum())
    expected, found = moments_by_pattern(rows), moments_by_pattern(condensed)
    assert expected.keys() == found.keys()
    for mask, moments in expected.items():
        np.testing.assert_allclose(found[mask], moments, atol=1e-9)
    assert table.condensed(None if weights is None else weights.copy()) is condensed


def test_moments_keep_their_digits_far_from_zero_and_from_the_other_rows():
    """Weights pick a narrow cluster far from zero and farther from all that a sample sees."""
    rng = np.random.default_rng(2)
    cluster = 1e-3 * rng.normal(size=(200, 3)) + 1e5
    data = np.vstack([rng.normal(size=(9_800, 3)), cluster])
    weights = np.repeat([0.0, 1.0], [9_800, 200])
    rows = CondensedTable(data, sample_mean(data)).condensed(weights)
    mean = rows.ones @ rows.values / rows.counts[0]
    centred = rows.values - np.outer(rows.ones, mean)
    # As exact as the data, which keep 1e-11 of 1e-3 there.
    np.testing.assert_allclose(
        centred.T @ centred / 200, np.cov(cluster.T, bias=True), rtol=1e-6, atol=1e-12
    )


def test_distinct_rows_beyond_64_columns():
    rng = np.random.default_rng(1)
    for shape in ((300, 3), (200, 64), (200, 130)):
        rows = rng.random(size=shape) < 0.02
        patterns, which = distinct(rows)
        assert np.array_equal(patterns[which], rows)
        assert len(patterns) == len(np.unique(rows, axis=0))


def test_weights_that_change_in_place_are_other_weights():
    data = np.random.default_rng(4).normal(size=(40, 4))
    model = FactorAnalysis(1)
    table = model.check(model.prepare(data))
    params = model.initial_params(data, "principal components", np.random.default_rng(0))
    weights = np.ones(40)
    model.e_step(params, table, weights)
    weights[:20] = 0
    fresh = model.e_step(params, model.prepare(data), weights)
    assert model.e_step(params, table, weights).log_likelihood == fresh.log_likelihood
