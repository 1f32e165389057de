"""When rows were: numbers and dates of a column, on one scale."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from pages.ui.tables.keys import are_dates
from pages.ui.tables.table import Clock, DataError
from pages.ui.text import counted, number

DAY, MONTH = "day first", "month first"
_PARTS = re.compile(
    r"(?P<a>\d{1,4})(?P<mark>[-/.])(?P<b>\d{1,2})(?:[-/.](?P<c>\d{1,4}))?"
    r"(?:[T ,]+(?P<time>\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AaPp][Mm])?))?"
    r" ?(?P<zone>Z|[+-]\d{2}:?\d{2})?"
)
_MONTHS = (
    "jan(?:uar|uary)?", "feb(?:ruar|ruary)?", "mar(?:ch)?|m\u00e4rz|mrz", "apr(?:il)?", "may|mai",
    "june?|juni", "july?|juli", "aug(?:ust)?", "sept?(?:ember)?", "o[ck]t(?:ober)?",
    "nov(?:ember)?", "de[cz](?:ember)?",
)  # fmt: skip
_MONTH = f"(?i:{'|'.join(_MONTHS)})"
# A day, month and year; a month and year; and parts of a year: quarters, months and weeks.
SPELT = "|".join(
    (
        rf"\d{{1,2}}[ .-]{{1,2}}{_MONTH}[ .,-]{{1,2}}(?:\d{{4}}|\d{{2}})",
        rf"{_MONTH}\.? \d{{1,2}},? \d{{4}}",
        rf"{_MONTH}[ .-]{{1,2}}\d{{4}}",
        r"\d{4}[ -]?(?:[Qq][1-4]|[MmWw]\d{2})",
        r"[Qq][1-4][ /-]?\d{4}",
    )
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})?(Z|[+-]\d{2}:?\d{2})?")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}(?:[.,]\d+)?))?(?: ?([AaPp][Mm]))?")
# As long as so many usual steps is a gap.
GAP = 2 - 1e-9


class Undecided(DataError):
    """Dates of which nobody knows whether the day or the month stands first."""


def is_dated(column: pd.Series) -> bool:
    """Whether a column of times holds dates or times of day, not numbers."""
    return not pd.api.types.is_numeric_dtype(column) or _are_packed(column)


def _are_packed(column: pd.Series) -> bool:
    """Whether all numbers are dates of the calendar written as yyyymmdd."""
    distinct = np.unique(column.dropna().to_numpy(float))
    if not len(distinct) or (distinct != np.floor(distinct)).any() or not are_dates(distinct):
        return False
    written = pd.Series(distinct).astype("int64").astype("str")
    return bool(pd.to_datetime(written, format="%Y%m%d", errors="coerce").notna().all())


def numbers_of(column: pd.Series, dates: str = "") -> np.ndarray:
    """(N,) numbers as they are, and dates as days since 1970; NaN where a cell is missing.

    dates: `DAY` or `MONTH`, where the cells do not tell. Raises DataError for what is neither.
    """
    if pd.api.types.is_bool_dtype(column):
        raise DataError(f"Column {column.name!r} holds neither numbers nor dates.")
    if pd.api.types.is_numeric_dtype(column):
        if _are_packed(column):
            return _days(pd.to_datetime(column.astype("Int64").astype("str"), format="%Y%m%d"))
        return column.to_numpy(float, na_value=np.nan)
    if pd.api.types.is_datetime64_any_dtype(column):
        naive = column.dt.tz_convert("UTC").dt.tz_localize(None) if column.dt.tz else column
        return _days(naive)
    kinds, which = np.unique(column.dropna().astype("str").str.strip(), return_inverse=True)
    found = np.full(len(column), np.nan)
    if len(kinds):
        found[column.notna().to_numpy()] = _read(str(column.name), kinds.tolist(), dates)[which]
    return found


def _days(instants: pd.Series) -> np.ndarray:
    days = (instants.to_numpy("datetime64[us]") - np.datetime64(0, "us")) / np.timedelta64(1, "D")
    return np.asarray(days, float)


def _in_numbers(cell: str) -> str:
    """A date of `SPELT`, or a compact one, with its year first, in numbers; any other cell as it
    is."""
    if found := _COMPACT.fullmatch(cell):
        year, month, day, hour, minute, second, zone = found.groups(default="")
        return f"{year}-{month}-{day} {hour}:{minute}:{second or '00'}{zone}"
    if not re.fullmatch(SPELT, cell):
        return cell
    numbers = re.findall(r"\d+", cell)
    if found := re.search(_MONTH, cell):
        number = 1 + next(
            i for i, month in enumerate(_MONTHS) if re.fullmatch(f"(?i:{month})", found[0])
        )
        year = numbers[-1] if len(numbers[-1]) > 2 else _century(numbers[-1])
        return "-".join([year, str(number), *numbers[:-1]])
    year, part = sorted(numbers, key=len, reverse=True)
    if "q" in cell.lower():
        return f"{year}-{3 * int(part) - 2}"
    if "m" in cell.lower():
        return f"{year}-{int(part)}"
    try:
        return date.fromisocalendar(int(year), int(part), 1).isoformat()
    except ValueError:
        return cell


def _read(name: str, cells: Sequence[str], dates: str) -> np.ndarray:
    parts = [_PARTS.fullmatch(_in_numbers(cell)) for cell in cells]
    if all(parts):
        return _of_dates(name, cells, [part for part in parts if part], dates)
    times = [_TIME.fullmatch(cell) for cell in cells]
    if all(times):
        # Without a date they may be durations, of more than a day.
        _require(name, cells, [_is_time(time) for time in times if time])
        return np.array([_time_of_day(cell) for cell in cells])
    bad = next(c for c, part in zip(cells, parts, strict=True) if not part)
    raise DataError(
        f"Column {name!r} is no time: {bad!r} is not a date as 2024-03-01 or 01.03.2024."
    )


def _of_dates(
    name: str, cells: Sequence[str], parts: Sequence[re.Match[str]], dates: str
) -> np.ndarray:
    _require(name, cells, [_is_of_a_day(part) for part in parts])
    by_order = {}
    for order in (DAY, MONTH):
        if (days := _by(order, parts)) is not None:
            by_order[order] = days
    if not by_order:
        raise DataError(f"Column {name!r} is no time: not all its cells are dates of the calendar.")
    if len(by_order) == 2 and not (by_order[DAY] == by_order[MONTH]).all():
        marks = {part["mark"] for part in parts}
        dates = DAY if marks == {"."} else dates
        if dates not in by_order:
            at = int(np.flatnonzero(by_order[DAY] != by_order[MONTH])[0])
            raise Undecided(
                f"{cells[at]!r} in column {name!r} can be read with the day or the month first: "
                "say which."
            )
        return by_order[dates]
    if DAY not in by_order and len({part["mark"] for part in parts} & {".", "/"}) == 2:
        at = [next(c for c, p in zip(cells, parts, strict=True) if p["mark"] == m) for m in "./"]
        raise DataError(
            f"Column {name!r} has dates of two notations, such as {at[0]!r} and {at[1]!r}, of "
            "which one can't have the day first: write all in one."
        )
    return next(iter(by_order.values()))


def _by(order: str, parts: Sequence[re.Match[str]]) -> np.ndarray | None:
    """Days since 1970 where dates that don't begin with the year have the day or month first; None
    where one of them is no date then."""
    dates, more = [], []
    for part in parts:
        first, second, third = part["a"], part["b"], part["c"]
        if len(first) == 4:
            year, month, day = first, second, third or "1"
        elif third is None:
            return None
        else:
            year = third if len(third) > 2 else _century(third)
            month, day = (second, first) if order == DAY else (first, second)
        dates.append(f"{int(year):04}-{int(month):02}-{int(day):02}")
        more.append((_time_of_day(part["time"]) if part["time"] else 0) - _zone(part["zone"]))
    try:
        return np.array(dates, "datetime64[D]").astype(float) + more
    except ValueError:
        return None


def _century(year: str) -> str:
    """As of POSIX: 69 to 99 are of the last century."""
    return f"{'19' if int(year) >= 69 else '20'}{int(year):02}"


def _require(name: str, cells: Sequence[str], are_times: Sequence[bool]) -> None:
    if not all(are_times):
        bad = cells[are_times.index(False)]
        raise DataError(f"Column {name!r} is no time: no clock shows {bad!r}.")


def _is_of_a_day(part: re.Match[str]) -> bool:
    """Whether the time beside a date, if there is one, is of that day, and its zone a zone."""
    if (zone := part["zone"]) and zone != "Z" and (int(zone[1:3]) > 14 or int(zone[-2:]) > 59):
        return False
    if not part["time"]:
        return True
    time = _TIME.fullmatch(part["time"])
    assert time is not None, "the pattern of dates has it"
    return _is_time(time) and _time_of_day(part["time"]) <= 1


def _is_time(time: re.Match[str]) -> bool:
    """Whether minutes and seconds are below 60 (60 is a leap second), and hours of a half of the
    day at most 12."""
    second = float((time[3] or "0").replace(",", "."))
    return int(time[2]) < 60 and second < 61 and not (time[4] and int(time[1]) > 12)


def _time_of_day(text: str) -> float:
    found = _TIME.fullmatch(text)
    assert found is not None, "the pattern of dates has it"
    hour = int(found[1])
    if found[4]:
        hour = hour % 12 + 12 * (found[4].lower() == "pm")
    second = float((found[3] or "0").replace(",", "."))
    return (hour * 3600 + int(found[2]) * 60 + second) / 86400


def _zone(text: str | None) -> float:
    if text in (None, "Z"):
        return 0.0
    sign = -1 if text[0] == "-" else 1
    return sign * (int(text[1:3]) * 60 + int(text[-2:])) / 1440


def written(instant: float, dates: bool) -> str:
    """A time as a person reads it."""
    if not dates:
        return number(instant, 10)
    moment = np.datetime64(round(instant * 86400), "s")
    if 0 <= instant < 1:
        return str(moment)[11:16]
    return str(moment)[:10] if instant == np.floor(instant) else str(moment).replace("T", " ")[:16]


class Direction(NamedTuple):
    """How the rows of a table stand in time: in order, newest first, or mixed.

    steps_back: how many rows stand before an earlier one, of n_steps.
    """

    backwards: bool
    steps_back: int
    n_steps: int


def direction(times: np.ndarray, sequences: np.ndarray | None = None) -> Direction:
    """Of rows (N,), within each of their sequences where there are some."""
    steps = np.concatenate([np.diff(part) for part in _within(times, sequences)] or [np.zeros(0)])
    back = int((steps < 0).sum())
    return Direction(back > 0 and not (steps > 0).any(), back, len(steps))


def _within(times: np.ndarray, sequences: np.ndarray | None) -> list[np.ndarray]:
    there = ~np.isnan(times)
    if sequences is None:
        return [times[there]]
    codes = pd.factorize(sequences)[0]
    return [times[there & (codes == code)] for code in range(codes.max(initial=-1) + 1)]


def irregular(clock: Clock, rows: np.ndarray, sizes: Sequence[int]) -> list[str]:
    """Sentences on times that stand twice in a sequence and on gaps.

    rows: positions as they are taken, those of one sequence together, sizes of each.
    """
    times = clock.times[rows]
    steps = np.diff(times)
    ends = np.cumsum(sizes)[:-1] - 1
    inner = np.delete(np.arange(len(steps)), ends[ends < len(steps)])
    steps, starts = steps[inner], times[inner]
    said, twice = [], steps == 0
    if twice.any():
        first = written(float(starts[twice][0]), clock.dates)
        said.append(
            f"{counted(int(twice.sum()), 'row')} {'has' if twice.sum() == 1 else 'have'} the same "
            f"{clock.name} as the row before, the first {first}."
        )
    forward = steps[steps > 0]
    usual = float(np.median(forward)) if len(forward) else 0.0
    gaps = steps >= GAP * usual
    if usual and gaps.any():
        at = int(np.argmax(np.where(gaps, steps, 0)))
        longest = _span(float(steps[at]), clock.dates)
        said.append(
            f"{counted(int(gaps.sum()), 'gap')} in {clock.name}: rows are usually "
            f"{_span(usual, clock.dates)} apart, at most {longest} (after "
            f"{written(float(starts[at]), clock.dates)}). The model takes all steps as equally "
            "long."
        )
    return said


def _span(length: float, dates: bool) -> str:
    if not dates:
        return number(length, 6)
    for unit, name in ((1.0, "day"), (1 / 24, "hour"), (1 / 1440, "minute")):
        if length >= unit:
            return _in_units(length / unit, name)
    return _in_units(length * 86400, "second")


def _in_units(size: float, unit: str) -> str:
    shown = number(size, 4)
    return f"{shown} {unit}" if shown == "1" else f"{shown} {unit}s"
