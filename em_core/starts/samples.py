"""Starts made from a random sample of a large table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from em_core.impossible import ruled_out
from em_core.partitions.overview import ColumnTotals
from em_core.protocols import is_discrete, optional
from em_core.starts.agglomeration import sampled

# Of more rows a random sample is enough.
MOST_ROWS = 10_000


def is_large(data) -> bool:
    """Whether a sample takes the place of data: of a table of more than 10,000 rows."""
    return isinstance(data, np.ndarray) and len(data) > MOST_ROWS


def on_sample(make: Callable[..., Any], model, data, rng: np.random.Generator, weights=None) -> Any:
    """The parameters that make(model, data, rng, weights) gives for a random sample of more than
    10,000 rows, or for all of fewer. What only other rows hold is possible all the same."""
    if not is_large(data):
        return make(model, data, rng, weights)
    rows, drawn = sampled(len(data), MOST_ROWS, rng, weights)
    if not is_discrete(optional(model, "emission")):
        return make(model, data[rows], rng, drawn)
    # The sample need not show every level.
    settled = optional(model, "settled")(ColumnTotals.of(data, None))
    params = make(settled, data[rows], rng, drawn)
    if ruled_out(model, params, data, weights) is None:
        return params
    return optional(model, "opened")(params, len(rows))
