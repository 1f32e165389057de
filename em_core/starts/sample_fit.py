"""A start that is a fit of a sample already, so that little is left to do for all rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from em_core.half_steps import has_collapsed
from em_core.search.batching.stepping import strategy
from em_core.starts.samples import MOST_ROWS, on_sample
from em_core.starts.short_runs import short_runs

SHORT_RUNS = 5
# EM on the sample ends where so many nats are left to gain: the table decides the rest.
ENOUGH, LONGEST = 1e-2, 1000


def fit_of_sample(model, data, rng: np.random.Generator, weights=None) -> Any:
    """The parameters that EM ends with on a random sample of 10,000 rows, from the best of five
    short runs there: few passes over a large table are left (Bradley, Fayyad & Reina 1998).

    Of fewer rows, those of the short runs. Raises ValueError where every short run fails.
    """
    if not isinstance(data, np.ndarray) or len(data) <= MOST_ROWS:
        return short_runs(model, data, rng, weights, n_runs=SHORT_RUNS)
    return on_sample(_fit, model, data, rng, weights)


def _fit(model, rows: np.ndarray, rng: np.random.Generator, weights):
    start = params = short_runs(model, rows, rng, weights, n_runs=SHORT_RUNS)
    options = {"weights": weights, "tolerance": ENOUGH, "max_iterations": LONGEST}
    for advances in strategy(model)(model, rows, [start], **options):
        for advance in advances:
            if advance.half_steps:
                last = advance.half_steps[-1]
                params = start if has_collapsed(last.flags) else last.params
    return params
