"""Starts where rows differ by less than the squares of their distances can tell."""

import numpy as np
import pytest

from em_core import Gaussian, Mixture, fit
from em_core.starts import agglomeration
from em_core.starts.table import k_means_plus_plus


def test_rows_apart_by_a_rounding_are_drawn_like_any_others() -> None:
    points = np.array([[3.0], [3.0 + 1e-9], [5.0]])
    for seed in range(5):
        rows = k_means_plus_plus(points, 3, np.random.default_rng(seed))
        assert set(points[rows].round(3).ravel()) == {3.0, 5.0}


@pytest.mark.parametrize("n_rows", [1, 4])
def test_rows_that_are_all_alike_are_merged_without_a_warning(n_rows):
    pairs = agglomeration.merges(agglomeration.decorrelate(np.ones((n_rows, 2))))
    assert len(pairs) == n_rows - 1


def test_one_row_has_every_start() -> None:
    model = Mixture(Gaussian(), 1)
    for start in model.starts:
        assert np.isfinite(fit(model, [[1.0, 2.0]], start=start).params.emission.means).all()


def test_a_weighted_tree_grows_from_its_leaves() -> None:
    """Of merges that cost the same but for rounding, one stands behind those of its groups."""
    rng = np.random.default_rng(0)
    for _ in range(300):
        n_rows = int(rng.integers(2, 12))
        rows, weights = rng.normal(size=(n_rows, n_rows - 1)), rng.random(n_rows)
        rows -= np.average(rows, axis=0, weights=weights)
        scatter = (rows.T * weights) @ rows / weights.sum()
        # As far apart as can be: sphered rows in general position, one more than columns.
        sphered = rows @ np.linalg.inv(np.linalg.cholesky(scatter)).T
        for size in range(1, n_rows + 1):
            labels = agglomeration.ward(sphered, weights, size)
            assert sorted(set(labels.tolist())) == list(range(size))
