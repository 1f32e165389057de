"""Data as the models take them: whatever NumPy takes as numbers, brought to one form."""

from __future__ import annotations

import numpy as np


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
