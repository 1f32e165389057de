"""Data as the models take them: whatever NumPy takes as numbers, brought to one form."""

from __future__ import annotations

import itertools
from typing import Any, Literal, get_args

import numpy as np

from em_core.protocols import optional

# Frequencies: a row stands for so many equal ones, all of them observed. Sampling weights: for so
# many of a population, of which the row alone was observed.
WeightsKind = Literal["frequencies", "sampling"]


def as_numbers(values) -> np.ndarray:
    """float64 of this machine, row after row in memory, NaN where a value is missing.

    Arrays of any type, order and stride, and data frames, give the same bits from here on. An
    array that has this form already is not copied, and never written to.
    """
    if hasattr(values, "to_numpy") and hasattr(values, "isna"):
        # What pandas calls missing is no number to NumPy.
        values = values.to_numpy(dtype=float, na_value=np.nan)
    return np.asarray(values, dtype=float, order="C")


def as_table(data, n_columns: int | None = None) -> np.ndarray:
    """A table (N, D) of such numbers; (N,) is one column.

    n_columns: of new data, how many columns the model was fitted to. Raises ValueError where the
    data are no table, or one of another number of columns.
    """
    data = as_numbers(data)
    if data.ndim == 1:
        data = data[:, None]
    if data.ndim != 2 or data.size == 0:
        raise ValueError(f"data have shape {data.shape}: a table of rows and columns is needed")
    if n_columns is not None and data.shape[1] != n_columns:
        raise ValueError(
            f"the data have {data.shape[1]} columns and the model was fitted to {n_columns}: give "
            "the same columns in the same order"
        )
    return data


def split(data, weights, n_chunks: int) -> list[tuple[Any, np.ndarray | None]]:
    """Cut data (anything with a length that can be sliced) and weights into consecutive chunks."""
    bounds = np.linspace(0, len(data), n_chunks + 1).astype(int)
    return [
        (data[a:b], None if weights is None else weights[a:b])
        for a, b in itertools.pairwise(bounds)
        if b > a
    ]


def n_rows(data) -> int:
    """How many rows there are, of sequences in all of them."""
    return sum(map(len, data)) if isinstance(data, list) else len(data)


def count_observations(model, data, weights=None) -> float:
    """How many observations BIC counts: the model's number, or the rows or their weights."""
    return optional(model, "n_observations")(data, weights)


NO_WEIGHTS = "weights must be finite, not negative and not all zero"
# Of all weights together: beyond that their products, or their shares, are no numbers any more.
SMALLEST_TOTAL, LARGEST_TOTAL = 1e-100, 1e100


def check_weights(weights, n_rows: int) -> np.ndarray | None:
    """The weights as (N,) float64, or None. Raises ValueError where they cannot be weights."""
    weights = weights_of_some(weights, n_rows)
    if weights is not None and not weights.any():
        raise ValueError(NO_WEIGHTS)
    return weights


def weights_of_some(weights, n_rows: int) -> np.ndarray | None:
    """The same of some of the rows, all of which may have none."""
    if weights is None:
        return None
    weights = as_numbers(weights)
    if weights.shape != (n_rows,):
        raise ValueError(
            f"weights have shape {weights.shape}: give one number for each of {n_rows} rows"
        )
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError(NO_WEIGHTS)
    if (largest := weights.max(initial=0)) and (
        largest < SMALLEST_TOTAL / n_rows or largest > LARGEST_TOTAL / n_rows
    ):
        raise ValueError(
            f"weights must add up to between {SMALLEST_TOTAL:g} and {LARGEST_TOTAL:g}: use another "
            "unit for them"
        )
    return weights


def rows_that_count(
    model, data, weights, weights_kind: WeightsKind = "frequencies"
) -> tuple[Any, np.ndarray | None]:
    """The rows (sequences, groups) that count in a fit, those of no weight left out, and their
    weights: frequencies as they are, sampling weights scaled so that as many observations are
    counted as there are rows.

    Raises ValueError where they cannot be weights, and for an unknown kind.
    """
    if weights_kind not in get_args(WeightsKind):
        choices = " or ".join(map(repr, get_args(WeightsKind)))
        raise ValueError(f"unknown weights_kind {weights_kind!r}: choose {choices}")
    weights = check_weights(weights, len(data))
    if weights is None:
        return data, None
    if not weights.all():
        there = np.flatnonzero(weights)
        data, weights = rows_at(data, there), weights[there]
    if weights_kind == "sampling":
        total = count_observations(model, data, weights)
        weights = weights * (count_observations(model, data) / total)
    return data, weights


def rows_at(data, places: np.ndarray):
    """The rows, or elements of a list, with these places."""
    return [data[place] for place in places] if isinstance(data, list) else data[places]


def all_rows(data, weights: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """All rows (N, D), of whatever sequence or group, and their weights (N,): each has that of the
    sequence or group it is in."""
    weights = np.ones(len(data)) if weights is None else weights
    if not isinstance(data, list):
        return np.asarray(data, dtype=float), weights
    return np.concatenate(data), np.repeat(weights, [len(part) for part in data])


def check(model, data):
    """`model.check(data)`, or the data where the model has no check."""
    return optional(model, "check")(data)


def prepare(model, data, weights=None):
    """`model.prepare(data, weights)`, or the data where the model has nothing to prepare."""
    return optional(model, "prepare")(data, weights)


def copies(data, weights: np.ndarray):
    """Each row, or element of a list, as many times as its integer weight says."""
    return rows_at(data, np.repeat(np.arange(len(data)), weights))
