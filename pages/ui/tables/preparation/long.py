"""A table with a column for each time becomes one with a row for each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from pages.ui.tables.columns import ColumnReport
from pages.ui.tables.table import MAX_CELLS, MAX_ROWS, DataError, LeftOut, Table, require_columns
from pages.ui.text import counted

FEWEST_TIMES = 3


class WideToLong(NamedTuple):
    """Columns that are one series become one column, its times another; every row was a sequence,
    and ends where only missing cells follow.

    value, time, sequence: what the new columns are called; the last numbers the rows before, from
    1, and is left away where it is "".
    """

    columns: tuple[str, ...]
    value: str = "value"
    time: str = "time"
    sequence: str = ""

    def apply(self, table: Table) -> Table:
        frame = table.frame
        self._check(table)
        series = frame[list(self.columns)].to_numpy(float, na_value=np.nan)
        n_rows, n_times = series.shape
        there = ~np.isnan(series)
        lengths = np.where(there.any(axis=1), n_times - there[:, ::-1].argmax(axis=1), 0)
        rows = np.repeat(np.arange(n_rows), lengths)
        at = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        if not len(rows):
            raise DataError(f"The columns {', '.join(self.columns)} hold no values.")
        others = frame.drop(columns=list(self.columns))
        if len(rows) > MAX_ROWS or len(rows) * (others.shape[1] + 3) > MAX_CELLS:
            raise DataError(
                f"That gives {len(rows):,} rows, too many here: a table may have {MAX_ROWS:,} rows "
                f"and {MAX_CELLS:,} cells. Load a part of it."
            )
        long = others.iloc[rows].reset_index(drop=True)
        if self.sequence:
            long[self.sequence] = rows + 1
        long[self.time] = np.array(_times(self.columns))[at]
        long[self.value] = series[rows, at]
        units = dict(zip(frame.columns, table.units, strict=False))
        found = {units.get(name, "") for name in self.columns}
        units |= {self.value: found.pop() if len(found) == 1 else ""}
        out = [LeftOut(np.flatnonzero(np.isin(rows, o.rows)), o.reason) for o in table.left_out]
        without = int((lengths == 0).sum())
        fact = f"{self.told()} {counted(len(np.unique(rows)), 'sequence')}, {len(rows):,} rows."
        if lengths.min() < n_times:
            fact += " Trailing missing cells end a sequence."
        if without:
            fact += f" {counted(without, 'row')} without a value left away."
        return table._replace(
            frame=long,
            units=tuple(units.get(name, "") for name in long) if table.units else (),
            scales=tuple(s for s in table.scales if s.column in long),
            left_out=tuple(out),
            clock=None,
            parsing=(*table.parsing, fact),
        )

    def told(self) -> str:
        return f"{', '.join(self.columns)} are one series, {self.value}: a row was a sequence."

    def _check(self, table: Table) -> None:
        if len(self.columns) < 2 or len(set(self.columns)) < len(self.columns):
            raise DataError("A series needs at least two different columns: choose them.")
        for name in self.columns:
            require_columns(table, [name])
            values = table.frame[name]
            if not pd.api.types.is_numeric_dtype(values):
                raise DataError(f"Column {name!r} doesn't hold numbers: choose others.")
        new = [name for name in (self.value, self.time, self.sequence) if name]
        if not self.value or not self.time or len(set(new)) < len(new):
            raise DataError("The new columns need names, each another.")
        for name in new:
            if name in table.frame and name not in self.columns:
                raise DataError(f"There is a column {name!r} already: choose another name.")


def _numbered(name: str) -> tuple[str, int] | None:
    """What a name says before the number that it ends with, and that number; None without one."""
    before = name.rstrip("0123456789")
    return None if before == name else (before.rstrip(" _.-"), int(name[len(before) :]))


def _times(columns: Sequence[str]) -> list[int]:
    """The numbers that columns end with, where they rise, else 1, 2, 3, ..."""
    numbers = [end[1] for name in columns if (end := _numbered(name))]
    rising = len(numbers) == len(columns) and all(np.diff(numbers) > 0)
    return numbers if rising and numbers[-1] < 2**53 else list(range(1, len(columns) + 1))


def series_in(reports: Sequence[ColumnReport]) -> tuple[str, ...]:
    """Columns of numbers whose names differ by a rising number at the end only: t1, t2, t3; the
    largest such set, () where there is none."""
    stems: dict[str, list[tuple[int, str]]] = {}
    for report in reports:
        named = _numbered(report.name)
        if named and "number" in report.type:
            stem, number = named
            stems.setdefault(stem, []).append((number, report.name))
    found = max(stems.values(), key=len, default=[])
    rising = all(a < b for (a, _), (b, _) in pairwise(found))
    return tuple(name for _, name in found) if len(found) >= FEWEST_TIMES and rising else ()


def identifier_in(table: Table, columns: Sequence[str]) -> str:
    """The first column beside a series that tells its rows apart; "" where none does."""
    for name in table.frame.columns.difference(list(columns), sort=False):
        column = table.frame[name]
        if not pd.api.types.is_float_dtype(column) and column.notna().all() and column.is_unique:
            return str(name)
    return ""
