"""A start that is a fit of a sample: few passes over a large table are left."""

import numpy as np
import pytest

from em_core import (
    Categorical,
    FactorAnalysis,
    Gaussian,
    HiddenMarkov,
    Mixture,
    Partitions,
    fit,
)
from em_core.fit import MANY_ROWS, usual_start
from em_core.starts import sample_fit
from em_core.starts.samples import MOST_ROWS
from em_core.starts.short_runs import short_runs

SAMPLE = "fit of a sample"
MODEL = Mixture(Gaussian(), 3)


def overlapping(n_rows: int) -> np.ndarray:
    """Three clusters, so near that EM takes its time."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(n_rows, 2)) + 2.2 * rng.integers(3, size=n_rows)[:, None]


def test_fewer_passes_lead_to_the_same_optimum() -> None:
    data = overlapping(4 * MOST_ROWS)
    plain, sampled = fit(MODEL, data, start="k-means++"), fit(MODEL, data, start=SAMPLE)
    assert sampled.n_iterations < plain.n_iterations / 2
    assert sampled.log_likelihood == pytest.approx(plain.log_likelihood, abs=0.5)


def test_it_is_the_usual_one_of_very_many_rows() -> None:
    many, few = np.zeros((MANY_ROWS + 1, 1)), np.zeros((MANY_ROWS, 1))
    chain = HiddenMarkov(Gaussian(), 2)
    assert usual_start(MODEL, few) == usual_start(chain, [few]) == "k-means++"
    assert usual_start(MODEL, many) == usual_start(chain, [few, few]) == SAMPLE
    assert usual_start(MODEL, Partitions.from_arrays([many])) == SAMPLE
    assert usual_start(FactorAnalysis(1), many) != SAMPLE
    data = overlapping(MANY_ROWS + 1)
    named = fit(MODEL, data, start=SAMPLE, max_iterations=2)
    assert fit(MODEL, data, max_iterations=2).log_likelihood == named.log_likelihood


def test_of_few_rows_it_is_the_best_of_short_runs() -> None:
    data = overlapping(500)
    start = sample_fit.fit_of_sample(MODEL, data, np.random.default_rng(0))
    short = short_runs(MODEL, data, np.random.default_rng(0), n_runs=sample_fit.SHORT_RUNS)
    assert np.array_equal(start.emission.means, short.emission.means)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_what_the_sample_need_not_hold_is_possible(seed: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    data = rng.integers(0, 2, (3 * MOST_ROWS, 3)).astype(float)
    data[rng.integers(len(data)), 1] = 2
    weights = rng.integers(1, 4, len(data)).astype(float) if weighted else None
    model = Mixture(Categorical(), 2)
    found = fit(model, data, seed=seed, start=SAMPLE, weights=weights, max_iterations=3)
    assert found.params.emission.levels.tolist() == [2, 3, 2]
    assert np.isfinite(found.log_likelihood)


def test_of_sequences() -> None:
    parts = np.split(overlapping(3 * MOST_ROWS), 3)
    found = fit(HiddenMarkov(Gaussian(), 3), parts, start=SAMPLE, max_iterations=2)
    assert np.isfinite(found.log_likelihood)
