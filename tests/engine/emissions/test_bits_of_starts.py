"""What starts are made of: to the bits of the plain formulas, on which old links rest."""

import numpy as np
import pytest

from em_core.emissions.gaussian import column_moments
from em_core.emissions.kernels.distances import BLOCK, Distances


@pytest.mark.parametrize("n_columns", [1, 2, 7, 8, 33])
@pytest.mark.parametrize("n_points", [1, 7, BLOCK - 1, BLOCK + 1, 2 * BLOCK + 1])
def test_distances_have_the_bits_of_the_plain_formula(n_points, n_columns):
    points = np.random.default_rng(0).normal(size=(n_points, n_columns))
    for n_centres in (1, 3, 8):
        centres = points[:n_centres]
        squares = (points * points).sum(axis=1)[:, None] + (centres * centres).sum(axis=1)
        plain = np.maximum(squares - 2 * (points @ centres.T), 0)
        np.testing.assert_array_equal(Distances(points).to(centres), plain.T)
        np.testing.assert_array_equal(Distances(points).nearest(centres), plain.argmin(axis=1))


@pytest.mark.parametrize("shape", [(1, 1), (9, 1), (7, 2), (8193, 2), (500, 16), (100, 33)])
def test_moments_of_columns_have_the_bits_of_plain_averages(shape):
    data = np.random.default_rng(0).normal(size=shape) * 100 + 7
    for weights in (None, np.arange(1.0, len(data) + 1)):
        means, variances = column_moments(data, weights)
        plain = np.average(data, axis=0, weights=weights)
        np.testing.assert_array_equal(means, plain)
        squares = (data - plain) ** 2
        np.testing.assert_array_equal(variances, np.average(squares, axis=0, weights=weights))


def test_of_centres_equally_near_the_first_is_taken():
    points = np.array([[0.0], [2.0], [1.0]])
    assert Distances(points).nearest(np.array([[0.0], [2.0], [0.0]])).tolist() == [0, 1, 0]
