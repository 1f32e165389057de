"""What a fit is worth, by criteria computed by hand."""

import math

import numpy as np
import pytest

from em_core import Bernoulli, Gaussian, HiddenMarkov, Mixture, fit, select


def test_criteria_of_one_gaussian_by_hand():
    """Four numbers, mean 2.5 and variance 1.25: log L = -2 (log(2 pi 1.25) + 1), k = 2, n = 4."""
    result = fit(Mixture(Gaussian(), 1), np.array([1.0, 2.0, 3.0, 4.0]))
    height = -2 * (math.log(2 * math.pi * 1.25) + 1)
    assert result.aic == pytest.approx(-2 * height + 4)
    assert result.aic3 == pytest.approx(-2 * height + 6)
    assert result.bic == pytest.approx(-2 * height + 2 * math.log(4))
    assert result.sabic == pytest.approx(-2 * height + 2 * math.log(6 / 24))
    assert result.caic == pytest.approx(-2 * height + 2 * (math.log(4) + 1))


def test_frequencies_count_as_rows():
    """mean 0.3 of ten answers: log L = 3 log 0.3 + 7 log 0.7, k = 1, n = 10."""
    rows, counts = np.array([[0.0], [1.0]]), np.array([7, 3])
    weighted = fit(Mixture(Bernoulli(), 1), rows, weights=counts)
    alone = fit(Mixture(Bernoulli(), 1), np.repeat(rows, counts, axis=0))
    height = 3 * math.log(0.3) + 7 * math.log(0.7)
    for result in (weighted, alone):
        assert result.sabic == pytest.approx(-2 * height + math.log(12 / 24))
        assert result.caic == pytest.approx(-2 * height + math.log(10) + 1)
        assert result.aic3 == pytest.approx(-2 * height + 3)


def test_frames_are_what_a_hidden_markov_model_counts():
    rows = np.random.default_rng(0).normal(size=(40, 1))
    result = fit(HiddenMarkov(Gaussian(), 2), [rows[:30], rows[30:]], max_iterations=3)
    price = result.n_parameters * math.log(42 / 24)
    assert result.sabic == pytest.approx(-2 * result.log_likelihood + price)


@pytest.mark.parametrize("criterion", ["aic", "aic3", "bic", "caic", "icl", "sabic"])
def test_a_grid_is_ranked_by_any_of_them(criterion):
    rows = np.random.default_rng(0).normal(size=(60, 1)) + np.repeat([[0], [9]], 30, axis=0)
    models = {k: Mixture(Gaussian("tied"), k) for k in (1, 2)}
    grid = select(models, rows, range(3))
    assert grid.best(criterion).label == 2
    assert grid.cells[0].score(criterion) == getattr(grid.cells[0].fit, criterion)
