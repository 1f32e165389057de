"""Why an optimum is worse is told in terms of the rows, and which runs race."""

import numpy as np
import pytest

from em_core import Gaussian, Mixture, restarts
from em_core.datasets import generate
from em_core.search.divided import divided
from pages.ui.panels.local_optima.gallery import rivals
from pages.ui.panels.local_optima.why import marks, why


def shares(labels, n_components: int) -> np.ndarray:
    return np.eye(n_components)[np.asarray(labels)]


SAID = {
    "one shared, one left out": (
        [0] * 50 + [1] * 30 + [2] * 20,
        [0, 2] * 25 + [1] * 50,
        "Components 1 and 3 share component 1 (50\xa0% of rows, on the left) of the best. "
        "Component 3 (20\xa0% of rows) of the best has none of its own here: component 2 holds "
        "most of it, among others.",
        ((0, 2), (2,)),
    ),
    "two left to one": (
        [0] * 40 + [1] * 20 + [2] * 20 + [3] * 20,
        [0] * 20 + [1] * 20 + [3] * 60,
        "Components 1 and 2 share component 1 (40\xa0% of rows, on the left) of the best. "
        "Components 2 (20\xa0% of rows, at the top) and 3 (20\xa0% of rows) of the best have none "
        "of their own here: component 4 holds most of both. "
        "Component 3 holds hardly any rows.",
        ((0, 1), (1, 2)),
    ),
    "other borders": (
        [0] * 50 + [1] * 50,
        [0] * 40 + [1] * 60,
        "The components are those of the best with other borders: the largest part that moves, "
        "10.0\xa0% of the rows, goes from component 1 of the best to component 2 here.",
        ((), ()),
    ),
    "other borders and other numbers": (
        [0] * 40 + [1] * 60,
        [1] * 50 + [0] * 50,
        "The components are those of the best with other borders: the largest part that moves, "
        "10.0\xa0% of the rows, goes from component 2 of the best, which is 1 here, to component 2 "
        "here.",
        ((), ()),
    ),
    "the same rows": (
        [0] * 50 + [1] * 50,
        [0] * 50 + [1] * 50,
        "Rows are grouped nearly as in the best: the components differ in shape more than in rows.",
        ((), ()),
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_an_optimum_is_told_by_what_it_does_with_the_rows(name: str) -> None:
    best, other, words, marked = SAID[name]
    n_components = max(*best, *other) + 1
    found = divided(shares(best, n_components), shares(other, n_components))
    said = why(found, "component", ("on the left", "at the top", "", ""))
    assert said.words == words
    assert (said.sharing, said.without) == marked
    # What is drawn of it is said, and nothing else.
    told = marks(
        [why(divided(*[shares(best, n_components)] * 2), "component", [""] * 4), said], "component"
    )
    assert ("Thick" in told, "Dashed" in told) == (bool(marked[0]), bool(marked[1]))


def test_two_runs_that_race_are_of_one_start_and_both_move() -> None:
    rows = generate("separated", 400, 4, 2, np.random.default_rng(0)).values
    runs = restarts(Mixture(Gaussian(), 4), rows, range(15), start=("k-means++", "random points"))
    landscape = runs.landscape
    optima = {run: k for k, optimum in enumerate(landscape.optima) for run in optimum.seeds}
    for number in range(min(4, len(landscape.optima))):
        first, second = rivals(landscape, number)
        assert first[0] == second[0]
        assert optima[first] == 0 and optima[second] == (number or optima[second]) != 0
        for start, seed in (first, second):
            (fit,) = [f for f in landscape.fits if (f.start, f.seed) == (start, seed)]
            values = np.array([step.log_likelihood for step in fit.trace[::2]])
            assert number or (np.diff(values) > 0.01 * np.ptp(values)).sum() >= 3
    counts = [optimum.count for optimum in landscape.optima]
    assert counts[optima[rivals(landscape)[1]]] == max(counts[1:])
