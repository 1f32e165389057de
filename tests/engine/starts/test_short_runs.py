"""Short runs of EM on a sample of the rows: what only other rows hold is possible, too."""

import numpy as np
import pytest

from em_core import Bernoulli, Categorical, HiddenMarkov, Mixture, Poisson, fit
from em_core.starts.samples import MOST_ROWS

N_ROWS = 3 * MOST_ROWS


def with_one_rare(values: np.ndarray, rare: float, seed: int) -> np.ndarray:
    """A sample of a third of the rows holds the rare cell once in three times."""
    values[np.random.default_rng(seed).integers(len(values)), 1] = rare
    return values


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_a_level_that_the_sample_need_not_hold(seed: int, weighted: bool) -> None:
    draws = np.random.default_rng(seed).integers(0, 2, (N_ROWS, 3)).astype(float)
    data = with_one_rare(draws, 2, seed)
    weights = np.ones(N_ROWS) if weighted else None
    found = fit(
        Mixture(Categorical(), 2), data, seed=seed, start="short runs", weights=weights,
        max_iterations=5,
    )  # fmt: skip
    assert found.params.emission.levels.tolist() == [2, 3, 2]
    assert np.isfinite(found.log_likelihood)


@pytest.mark.parametrize("emission", [Bernoulli(), Poisson()])
@pytest.mark.parametrize("seed", range(3))
def test_a_value_that_the_sample_need_not_hold(emission, seed: int) -> None:
    draws = np.random.default_rng(seed).integers(0, 2, (N_ROWS, 3)).astype(float)
    draws[:, 1] = 0
    found = fit(
        Mixture(emission, 2), with_one_rare(draws, 1, seed), seed=seed, start="short runs",
        max_iterations=5,
    )  # fmt: skip
    assert np.isfinite(found.log_likelihood)


def test_of_sequences() -> None:
    draws = np.random.default_rng(0).integers(0, 2, (N_ROWS, 3)).astype(float)
    parts = np.split(with_one_rare(draws, 2, 0), 3)
    found = fit(HiddenMarkov(Categorical(), 2), parts, seed=0, start="short runs", max_iterations=2)
    assert np.isfinite(found.log_likelihood)
