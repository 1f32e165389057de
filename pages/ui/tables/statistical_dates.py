"""Dates of statistics programs, which count from days of their own, where some are none."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from pages.ui.text import counted

# Days from the first that a program counts from until 1970.
_SPSS = ("sav", "zsav", "por")
_DAYS = {**dict.fromkeys(_SPSS, 141_428), "dta": 3_653, "xpt": 3_653, "sas7bdat": 3_653}
_DAY = 86_400_000  # milliseconds
_FIRST, _LAST = np.datetime64("0001-01-01", "ms"), np.datetime64("9999-12-31", "ms")
_DAY_OF_MOMENT = re.compile(r"DT(DATE|MONYY|WKDATX|YEAR|YYQC)", re.IGNORECASE)
_MOMENTS = re.compile(rf"DATETIME|E8601DT|YMDHMS|{_DAY_OF_MOMENT.pattern}|%tc(?!HH)", re.IGNORECASE)
_LEAP_SECONDS = re.compile(r"%-?tC")
# What Stata counts in since 1960, besides days and moments, and how many are a year.
_PERIODS = {"w": ("weeks", 52), "m": ("months", 12), "q": ("quarters", 4), "h": ("half-years", 2)}
_PERIOD = re.compile(r"%-?t([wmqh])")
_DATES = re.compile(
    r"(A|E|J|S)?DATE\d|DATE$|YYMMDD|MMDDYY|DDMMYY|E8601DA|QYR|MOYR|WKYR|%td", re.IGNORECASE
)


def of_seconds_as_days(how: str | None, suffix: str) -> bool:
    """Whether a format of SAS shows the day of a moment, which pyreadstat takes for a day."""
    return suffix in ("xpt", "sas7bdat") and _DAY_OF_MOMENT.match(how or "") is not None


def with_dates(
    frame: pd.DataFrame, formats: Mapping[str, str], suffix: str
) -> tuple[pd.DataFrame, list[str]]:
    """The frame with its dates as such, those that no calendar has missing; sentences on these.

    formats: how the file says that each column is shown. Columns of dates stay as they are.
    """
    frame, said = frame.copy(), []
    for name in frame.columns:
        how = formats.get(name) or ""
        if _LEAP_SECONDS.match(how):
            said.append(f"{name!r} counts leap seconds, up to 27 of them, as if they were none.")
        if not pd.api.types.is_numeric_dtype(frame[name]):
            continue
        numbers = frame[name].to_numpy(dtype=float, na_value=np.nan)
        since = _milliseconds(numbers, how, suffix)
        if since is None:
            continue
        if (period := _PERIOD.match(how)) and suffix == "dta":
            said.append(f"{name!r} counts {_PERIODS[period[1]][0]}: read as their first days.")
        low, high = (float(limit.astype(np.int64)) for limit in (_FIRST, _LAST))
        there = (since >= low) & (since <= high)
        whole = np.where(there, since, 0).round().astype("datetime64[ms]")
        frame[name] = pd.Series(np.where(there, whole, np.datetime64("NaT")), index=frame.index)
        if lost := int((~there & ~np.isnan(numbers)).sum()):
            cells = counted(lost, "cell")
            said.append(f"{cells} of {name!r} with a date that no calendar has: missing.")
    return frame, said


def _milliseconds(numbers: np.ndarray, how: str, suffix: str) -> np.ndarray | None:
    """Since 1970, of the dates that a column of this format counts to; None if it counts none."""
    if suffix == "dta" and (period := _PERIOD.match(how)):
        return _of_periods(numbers, period[1])
    moment = _MOMENTS.match(how) is not None
    if not moment and _DATES.match(how) is None:
        return None
    # SPSS counts seconds for days, too; Stata milliseconds for moments; SAS seconds.
    unit = 1_000 if suffix in _SPSS else _DAY
    if moment:
        unit = 1 if suffix == "dta" else 1_000
    return numbers * unit - _DAYS[suffix] * _DAY


def _of_periods(numbers: np.ndarray, period: str) -> np.ndarray:
    """Of the first day of each; infinite beyond all calendars. Stata's weeks begin with the year,
    and its last one is longer."""
    a_year = _PERIODS[period][1]
    years, left = np.divmod(np.floor(numbers), a_year)
    there = np.abs(years) < 10_000
    months, days = (0, 7 * left) if period == "w" else (left * (12 / a_year), 0)
    since_1970 = np.where(there, 12 * (years - 10) + months, 0).astype("datetime64[M]")
    first = since_1970.astype("datetime64[ms]").astype(float) + days * _DAY
    return np.where(there, first, np.where(np.isnan(numbers), np.nan, np.inf))
