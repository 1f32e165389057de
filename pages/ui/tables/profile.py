"""What the values of a column look like, in a few numbers and words."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from pages.ui.tables.levels import in_order
from pages.ui.tables.table import with_columns
from pages.ui.text import number

BINS = 16
MOST_LEVELS = 12  # that are counted one by one
FIRST = 1_000  # values
MOST_CHARACTERS = 24  # of the name of a level
LONGEST_SHOWN = 1000  # characters of a text in a grid of rows


class Profile(NamedTuple):
    """histogram: how many cells have each level, or are in each of some intervals of one width;
    levels: the levels with their counts, "" for a column of many; least, most: "" for texts, and
    of dates the first and the last.
    once: the levels that one cell has, where most have more."""

    histogram: tuple[int, ...]
    levels: str
    least: str
    most: str
    once: tuple[str, ...] = ()


def profile(column: pd.Series, codes: bool = False) -> Profile:
    """The profile of a column; infinite values are left aside. codes: its numbers are names."""
    write = str if codes else number
    present = column.dropna()
    least = most = ""
    if pd.api.types.is_datetime64_any_dtype(column) and len(present):
        least, most = (_date(present.iloc[at]) for at in (present.argmin(), present.argmax()))
        if present.nunique() > MOST_LEVELS:
            moments = present.to_numpy(dtype="datetime64[us]").astype(float)
            return Profile(_histogram(moments), "", least, most)
        present = present.map(_date)
    elif pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = present.to_numpy(dtype=float)
        present = present[np.isfinite(values)]
        values = values[np.isfinite(values)]
        if not len(values):
            return Profile((), "", "", "")
        least, most = (write(_whole(value)) for value in (values.min(), values.max()))
        # The first settle it for nearly every column of many.
        if len(np.unique(values[:FIRST])) > MOST_LEVELS or len(np.unique(values)) > MOST_LEVELS:
            return Profile(_histogram(values), "", least, most)
    counts = present.value_counts()
    if not len(counts):
        return Profile((), "", "", "")
    shown = in_order(counts.index[:MOST_LEVELS].tolist())
    told = ", ".join(f"{_level(level, write)}: {counts[level]:,}" for level in shown)
    more = len(counts) - len(shown)
    recurs = 2 * len(counts) < len(present)
    return Profile(
        tuple(int(counts[level]) for level in shown),
        f"{told}, {more:,} more" if more else told,
        least,
        most,
        tuple(_level(level, write) for level in shown if counts[level] == 1) if recurs else (),
    )


def _histogram(values: np.ndarray) -> tuple[int, ...]:
    """How many of the values are in each of so many intervals of one width.

    NumPy's own refuses values whose spread is of the size of rounding, or more than floats hold.
    """
    size = np.abs(values).max()
    scaled = values / size if size > 0 else values
    low, spread = scaled.min(), np.ptp(scaled)
    at = (scaled - low) / spread * BINS if spread > 0 else np.zeros(len(values))
    counts = np.bincount(np.minimum(at.astype(int), BINS - 1), minlength=BINS)
    return tuple(map(int, counts))


def _whole(value: float) -> int | float:
    """A number that is whole as one, so that it is written with all its digits."""
    return int(value) if value == np.floor(value) and abs(value) < 1e15 else float(value)


def _date(moment: pd.Timestamp) -> str:
    """A date, with its time where it has one."""
    return str(moment.date()) if moment == moment.normalize() else str(moment)


def _level(level: object, write: Callable[[int | float], str]) -> str:
    numeric = isinstance(level, int | float | np.number) and not isinstance(level, bool | np.bool_)
    text = write(_whole(float(level))) if numeric else str(level)
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


def short_texts(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows as they are shown: longer texts are cut, which nobody reads in a grid."""
    texts = rows.select_dtypes(["object", "string", "category"])
    long = [name for name in texts if any(map(_is_long, texts[name]))]
    return with_columns(rows, {str(name): rows[name].map(_cut) for name in long})


def _is_long(value: object) -> bool:
    return isinstance(value, str) and len(value) > LONGEST_SHOWN


def _cut(value: object) -> object:
    return f"{str(value)[:LONGEST_SHOWN]}…" if _is_long(value) else value
