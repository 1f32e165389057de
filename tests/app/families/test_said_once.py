"""A number that a model shares between its clusters is told once."""

import numpy as np
import pandas as pd
import pytest

from em_core import Gaussian, HiddenMarkov, Mixture, fit
from em_core.inference import intervals
from pages.ui.families.interval_columns import called, estimates, said_once
from pages.ui.tables.selection import Selection

ROWS = np.random.default_rng(0).normal(size=(120, 2)) + np.repeat([[0, 0], [5, 4]], 60, axis=0)
# How many standard deviations and correlations stand in the table of two clusters.
TOLD = {"tied": (2, 1), "full": (4, 2), "diag": (4, 0), "EEI": (2, 0), "VEE": (4, 1)}


@pytest.mark.parametrize("structure", TOLD)
@pytest.mark.parametrize("kind", [Mixture, HiddenMarkov])
def test_what_clusters_share_is_told_once(kind: type, structure: str) -> None:
    data = ROWS if kind is Mixture else [ROWS]
    reported = intervals(fit(kind(Gaussian(structure), 2), data, seed=0), data).reported
    once = said_once(reported)
    told = [row for row in reported if (row.quantity, row.place) in once]
    counts = [
        sum(row.quantity == name for row in told) for name in ("standard deviation", "correlation")
    ]
    assert tuple(counts) == TOLD[structure]
    assert sum(row.quantity == "mean" for row in told) == 4
    assert sum(row.quantity == "weight" for row in told) == 2 * (kind is Mixture)


def test_its_name_says_so() -> None:
    found = intervals(fit(Mixture(Gaussian("tied"), 2), ROWS, seed=0), ROWS)
    once = said_once(found.reported)
    selection = Selection(ROWS, ("a", "b"), np.arange(120), pd.DataFrame(), None, None)
    names = [
        called(row, ("one", "two"), selection, once[row.quantity, row.place])
        for row in found.reported
        if (row.quantity, row.place) in once
    ]
    assert names[-3:] == [
        "shared standard deviation: a",
        "shared standard deviation: b",
        "shared correlation: a and b",
    ]


def test_a_probability_that_is_rounding_is_0() -> None:
    """The sequence begins in one state: the other's chance to is what EM leaves of it."""
    model = HiddenMarkov(Gaussian(), 2)
    reported = intervals(fit(model, [ROWS], seed=0, tolerance=1e-9), [ROWS]).reported
    initial = [row for row in reported if row.quantity == "initial probability"]
    assert sorted(estimates(initial)) == [0, 1] and min(row.estimate for row in initial) > 0
    others = [row for row in reported if row.quantity == "mean"]
    assert list(estimates(others)) == [row.estimate for row in others]
