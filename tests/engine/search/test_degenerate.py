"""Degenerate data are named as what they are, never ranked best, and alike in every unit."""

import re

import numpy as np
import pandas as pd
import pytest

from em_core import Gaussian, Mixture, restarts
from em_core.inference.agreement import adjusted_rand_index
from pages.ui.tables.selection import select
from pages.ui.tables.table import DataError, Table

RNG = np.random.default_rng(0)
TWO = np.concatenate([RNG.normal(size=(30, 2)), RNG.normal(size=(30, 2)) + 6])
FLAT = "at its covariance floor, flat in some direction"
ONE_POINT = "collapsing onto one point"
SAME = "all its values are the same"
SOUND = ""
# Each set, and what is said of it with two components.
SETS = {
    "a constant column": (np.column_stack([TWO, np.full(60, 3.0)]), SAME),
    "identical rows": (np.full((20, 2), 1.5), SAME),
    "two distinct rows": (np.repeat([[0.0, 0.0], [1.0, 1.0]], 10, axis=0), ONE_POINT),
    "fewer rows than columns": (RNG.normal(size=(6, 10)), FLAT),
    "one row": (np.array([[1.0, 2.0]]), SAME),
    "as many rows as components": (np.array([[1.0, 2.0], [3.0, 4.0]]), ONE_POINT),
    "collinear": (np.column_stack([TWO, TWO[:, 0] * 2]), FLAT),
    "nearly collinear": (
        np.column_stack([TWO, TWO[:, 0] * 2 + 1e-9 * RNG.normal(size=60)]),
        FLAT,
    ),
    "one point far away": (np.concatenate([TWO, [[1e6, 1e6]]]), ONE_POINT),
    "heaped on a grid": (np.round(TWO / 3) * 3, SOUND),
    "one row a hundred times": (np.concatenate([np.repeat(TWO[:1], 100, axis=0), TWO]), SOUND),
    "units far apart": (TWO * [1.0, 1e-8], SOUND),
}


def told(values: np.ndarray) -> tuple[str, float, np.ndarray | None]:
    """What is said of a table, the best log-likelihood in units of its own, and the clusters."""
    table = Table("t", pd.DataFrame(values).rename(columns="x{}".format), (), "")
    try:
        selection = select(table, list(table.frame))
        runs = restarts(Mixture(Gaussian(), 2), selection.values, range(8))
        found, best = runs.landscape, runs.best
    except (DataError, ValueError) as error:
        return str(error), 0.0, None
    assert not any(fit.collapsed for optimum in found.optima for fit in optimum.fits)
    if found.optima:
        assert not best.collapsed
    return found.verdict, best.log_likelihood, best.predict(selection.values)


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize("name", SETS)
def test_degenerate_data_are_named_in_every_unit(name: str) -> None:
    values, words = SETS[name]
    said, log_likelihood, clusters = told(values)
    assert words in said
    if words == SOUND:
        assert re.match(
            r"\d of (8|\d independent) starts .*reached the best optimum of these", said
        )
    elif words != SAME:
        assert said.startswith("All 8 starts collapsed: none reached an optimum")
    for scale in (1e-9, 1e9):
        again, other, elsewhere = told(values * scale)
        assert again == said
        assert other + values.size * np.log(scale) * (clusters is not None) == pytest.approx(
            log_likelihood, rel=1e-9, abs=1e-6
        )
        if clusters is not None:
            assert adjusted_rand_index(clusters.astype(str).tolist(), elsewhere) == 1.0
