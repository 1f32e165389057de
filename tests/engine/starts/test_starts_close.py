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
