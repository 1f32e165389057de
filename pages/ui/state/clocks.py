"""What the rows of series are counted by, along the axis of a picture."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pages.ui.tables.counting import counting_columns
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from pages.ui.text import number

MILLISECONDS = 86_400_000  # of a day


class Along(NamedTuple):
    """Where along the axis each row is, and what that is, in words and by its column.

    dates: whether the places are milliseconds since 1970. words: what each row's own time is, where
    its place is none as sequences stand one after the other; else (). starts: the first row of each
    sequence then.
    """

    clock: str
    column: str
    places: np.ndarray  # (N,)
    dates: bool = False
    words: tuple[str, ...] = ()
    starts: np.ndarray = np.zeros(0, dtype=int)


def along(table: Table | None, selection: Selection) -> Along:
    """The time by which rows are in order, a column of years, say, or else their number.

    Times of several sequences may be the same ones: these stand one after the other.
    """
    found = None if table is None else _clock(table, selection)
    if found is None:
        return Along("row", "", np.arange(len(selection.rows)) + 1.0)
    clock, times, dates = found
    if selection.groups:
        starts = np.cumsum([0, *selection.sizes[:-1]])
        return Along(
            f"{clock}, one {selection.group_name} after the other",
            clock,
            _one_after_the_other(np.split(times, starts[1:])),
            words=_dates(times) if dates else tuple(number(time, 10) for time in times),
            starts=starts,
        )
    return Along(clock, clock, times * MILLISECONDS if dates else times, dates)


def _clock(table: Table, selection: Selection) -> tuple[str, np.ndarray, bool] | None:
    """The column of the time, its values at the rows used, and whether these are days since 1970;
    None where there is none."""
    if (clock := table.clock) is not None:
        return clock.name, clock.times[selection.rows], clock.dates
    counting = counting_columns(table, selection.group_name or "")
    name = next((name for name in counting if name not in selection.columns), None)
    if name is None:
        return None
    return name, table.frame[name].to_numpy(float, na_value=np.nan)[selection.rows], False


def _one_after_the_other(parts: list[np.ndarray]) -> np.ndarray:
    """Times of sequences, each a usual step after the end of the one before it."""
    steps = np.concatenate([np.diff(part) for part in parts])
    steps = steps[steps > 0]
    gap = float(np.median(steps)) if len(steps) else 1.0
    placed, end = [], 0.0
    for part in parts:
        placed.append(end + part - part.min())
        end = placed[-1].max() + gap
    return np.concatenate(placed)


def _dates(days: np.ndarray) -> tuple[str, ...]:
    """Days since 1970 as dates, with hours where there are any."""
    unit = "D" if (days == np.floor(days)).all() else "m"
    moments = np.rint(days * 24 * 60).astype("datetime64[m]").astype(f"datetime64[{unit}]")
    return tuple(str(moment).replace("T", " ") for moment in moments)
