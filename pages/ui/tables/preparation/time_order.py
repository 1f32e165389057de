"""Rows in the order of time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pages.ui.tables.table import Clock, DataError, LeftOut, Table, require_columns
from pages.ui.tables.times import direction, is_dated, numbers_of
from pages.ui.text import counted


class TimeOrder(NamedTuple):
    """Rows are taken by the time in a column of dates or numbers, oldest first; those without one
    are left out.

    dates: "day first" or "month first", where the cells do not tell which.
    """

    column: str
    dates: str = ""

    def apply(self, table: Table) -> Table:
        require_columns(table, [self.column])
        times = numbers_of(table.frame[self.column], self.dates)
        timed = np.flatnonzero(np.isfinite(times))
        if not len(timed):
            raise DataError(f"Column {self.column!r} has no times: choose another.")
        how = direction(times[timed])
        if how.backwards:
            # Of equal times the later row was written first.
            timed = timed[::-1]
            fact = "The rows ran backwards, newest first: they are turned."
        elif how.steps_back:
            fact = f"{counted(how.steps_back, 'row')} stood after a later one: rows are sorted."
        else:
            fact = "The rows were in that order."
        order = timed[np.argsort(times[timed], kind="stable")]
        facts, left_out = [f"{self.told()} {fact}"], table.left_out
        taken = np.sort(table.taken)
        without = taken[~np.isfinite(times[taken])]
        if len(without):
            left_out = (*left_out, LeftOut(without, f"{self.column} is missing"))
            facts.append(f"{counted(len(without), 'row')} without {self.column} left out.")
        clock = Clock(self.column, times, is_dated(table.frame[self.column]), order)
        return table._replace(
            clock=clock, left_out=left_out, parsing=(*table.parsing, " ".join(facts))
        )

    def told(self) -> str:
        dates = f", {self.dates}" if self.dates else ""
        return f"Rows in the order of {self.column}{dates}, oldest first."
