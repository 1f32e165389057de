"""Columns that count rows: the time, more likely than what was measured."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pages.ui.tables.table import Table

FIRST = 5  # rows, by which most columns are found to be others


def counting_columns(table: Table, group: str = "") -> Iterator[str]:
    """The columns of numbers that go up by one from row to row, of each group where there are some;
    by the rows that may be used, in the order in which they are taken."""
    rows = table.taken
    parts = np.zeros(len(rows), int)
    if group:
        parts = pd.factorize(table.frame[group].iloc[rows])[0]
        order = np.argsort(parts, kind="stable")
        rows, parts = rows[order], parts[order]
    if not (parts[1:] == parts[:-1]).any():
        return
    for name, column in table.frame.items():
        numbers = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
        looked_at = (slice(FIRST), slice(None))
        if name != group and numbers and all(_up(column, rows[s], parts[s]) for s in looked_at):
            yield str(name)


def _up(column: pd.Series, rows: np.ndarray, parts: np.ndarray) -> bool:
    """Whether a column goes up by one from each of these rows (n,) to the next of its part."""
    steps = np.diff(column.iloc[rows].to_numpy(dtype=float, na_value=np.nan))
    return bool((steps[parts[1:] == parts[:-1]] == 1).all())
