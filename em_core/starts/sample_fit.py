"""A start that is a fit of a sample already, so that little is left to do for all rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from em_core.search.batching.ends import sound_ends
from em_core.starts.samples import is_large, on_sample
from em_core.starts.short_runs import short_runs

SHORT_RUNS, LONGEST = 5, 1000


def fit_of_sample(model, data, rng: np.random.Generator, weights=None) -> Any:
    """The parameters that EM ends with on a random sample of 10,000 rows, from the best of five
    short runs there: few passes over a large table are left (Bradley, Fayyad & Reina 1998).

    Of fewer rows, those of the short runs. Raises ValueError where every short run fails.
    """
    if not is_large(data):
        return short_runs(model, data, rng, weights, n_runs=SHORT_RUNS)
    return on_sample(_fit, model, data, rng, weights)


def _fit(model, rows: np.ndarray, rng: np.random.Generator, weights):
    start = short_runs(model, rows, rng, weights, n_runs=SHORT_RUNS)
    ends = sound_ends(model, rows, [start], weights, LONGEST)
    return ends[0].params if ends else start
