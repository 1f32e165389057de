"""Dates of statistics programs, which count from days of their own, where some are none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from pages.ui.text import counted

_SECOND = 1_000_000  # microseconds
_DAY = 86_400 * _SECOND
_FIRST, _LAST = np.datetime64("0001-01-01", "us"), np.datetime64("9999-12-31T23:59:59", "us")


class _Meaning(NamedTuple):
    """What a column counts since the first day of its program, and what its format shows of it.

    unit: in microseconds.
    """

    unit: int
    shows: str


_LANGUAGES = (
    *("AFR", "CAT", "CRO", "CZE", "DAN", "DES", "DEU", "ENG", "ESP", "EUR", "FIN", "FRA", "FRS"),
    *("HUN", "ITA", "MAC", "NLD", "NOR", "POL", "PTG", "RUS", "SLO", "SVE"),
)
_DATE, _TIME, _TIME_OF_DAY, _PART = "date", "time", "time of day", "part"


def _marked(name: str, marks: str) -> tuple[str, ...]:
    """Formats of SAS that differ in what stands between the numbers."""
    return name, *(name + mark for mark in marks)


def _of_iso(*endings: str) -> tuple[str, ...]:
    return tuple(start + ending for start in ("B8601", "E8601", "IS8601") for ending in endings)


def _of_languages(*endings: str) -> tuple[str, ...]:
    return tuple(f"{language}DF{ending}" for language in _LANGUAGES for ending in endings)


# Seconds, for days too. WKDAY and MONTH stand for plain numbers.
_SPSS = {
    **dict.fromkeys(
        ("DATE", "ADATE", "EDATE", "JDATE", "SDATE", "QYR", "MOYR", "WKYR", "DATETIME", "YMDHMS"),
        _Meaning(_SECOND, _DATE),
    ),
    **dict.fromkeys(("TIME", "DTIME", "MTIME"), _Meaning(_SECOND, _TIME)),
}
_SAS = {
    **dict.fromkeys(
        (
            *("DATE", "MONYY", "YYMON", "JULIAN", "PDJULG", "PDJULI", "HEBDATE", "MINGUO", "NENGO"),
            *("WORDDATE", "WORDDATX", "WEEKDATE", "WEEKDATX", "WEEKU", "WEEKV", "WEEKW", "YYQZ"),
            *("NLDATE", "NLDATEL", "NLDATEM", "NLDATES", "NLDATEW", "NLDATEYM", "NLDATEYMM"),
            *("NLDATEYQ", "NLDATEYW"),
            *_marked("DDMMYY", "BCDNPS"),
            *_marked("MMDDYY", "BCDNPS"),
            *_marked("YYMMDD", "BCDNPS"),
            *_marked("MMYY", "CDNPS"),
            *_marked("YYMM", "CDNPS"),
            *_marked("YYQ", "CDNPS"),
            *_marked("YYQR", "CDNPS"),
            *_of_iso("DA"),
            *_of_languages("DD", "DE", "MY", "WDX", "WKX"),
        ),
        _Meaning(_DAY, _DATE),
    ),
    **dict.fromkeys(
        (
            *("DAY", "DOWNAME", "JULDAY", "MONNAME", "MONTH", "QTR", "QTRR", "WEEKDAY", "YEAR"),
            *("NLDATEMD", "NLDATEMN", "NLDATEWN", "NLDATEYR"),
            *_of_languages("DN", "DWN", "MN"),
        ),
        _Meaning(_DAY, _PART),
    ),
    **dict.fromkeys(
        (
            *("DATETIME", "DATEAMPM", "MDYAMPM", "DTDATE", "DTMONYY", "DTWKDATX", "DTYEAR"),
            *("DTYYQC", "NLDATM", "NLDATMAP", "NLDATMDT", "NLDATML", "NLDATMM", "NLDATMS"),
            *("NLDATMTZ", "NLDATMW", "NLDATMWZ", "NLDATMYM", "NLDATMYQ", "NLDATMYW"),
            "NLDATMZ",
            *_of_iso("DN", "DT", "DX", "DZ"),
            *_of_languages("DT"),
        ),
        _Meaning(_SECOND, _DATE),
    ),
    **dict.fromkeys(("NLDATMMD", "NLDATMMN", "NLDATMWN", "NLDATMYR"), _Meaning(_SECOND, _PART)),
    **dict.fromkeys(
        (
            *("TIME", "TIMEAMPM", "HHMM", "HOUR", "MMSS", "NLTIME", "NLTIMAP"),
            *_of_iso("LZ", "TM", "TX", "TZ"),
        ),
        _Meaning(_SECOND, _TIME),
    ),
    **dict.fromkeys(("TOD", "NLDATMTM"), _Meaning(_SECOND, _TIME_OF_DAY)),
}
_STATA = {
    **dict.fromkeys(("d", "td"), _Meaning(_DAY, _DATE)),
    **dict.fromkeys(("tc", "tC"), _Meaning(1_000, _DATE)),
}
_STATA_FORMAT = re.compile(r"%-?(?P<name>d|t[a-zA-Z]).*")
_STATA_TIME = re.compile(r"%-?t[cC](?:[Hh]{2}|MM|mm|SS|ss|\.s{1,3}|[Aa]\.?[Mm]\.?|[-:_., +/])++")
# What Stata counts in since 1960, besides days and moments, and how many are a year.
_PERIODS = {
    "tw": ("weeks", 52),
    "tm": ("months", 12),
    "tq": ("quarters", 4),
    "th": ("half-years", 2),
}


class _Program(NamedTuple):
    """What its formats mean, and the days from the first that it counts from until 1970."""

    formats: Mapping[str, _Meaning]
    days: int


_PROGRAMS = {
    **dict.fromkeys(("sav", "zsav", "por"), _Program(_SPSS, 141_428)),
    **dict.fromkeys(("xpt", "sas7bdat"), _Program(_SAS, 3_653)),
    "dta": _Program(_STATA, 3_653),
}


def with_dates(
    frame: pd.DataFrame, formats: Mapping[str, str], suffix: str
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """The frame of plain numbers with its dates as such, those that no calendar has missing, and
    its times in seconds; sentences on dates, and on numbers that count from a day without being
    shown as such; the names of the columns of times.

    formats: how the file says that each column is shown.
    """
    frame, said, times = frame.copy(), [], []
    for name, how, numbers in _columns(frame, formats):
        stata = _name(how, suffix) if suffix == "dta" else ""
        if stata == "tC":
            said.append(f"{name!r} counts leap seconds, up to 27 of them, as if they were none.")
        meaning = _meaning(how, suffix)
        if meaning is not None and meaning.shows == _PART:
            unit = "days" if meaning.unit == _DAY else "seconds"
            said.append(
                f"{name!r} counts {unit} since 1960, of which the file shows a part: read as "
                "numbers."
            )
        if meaning is not None and meaning.shows in (_TIME, _TIME_OF_DAY):
            if meaning.shows == _TIME_OF_DAY:
                numbers = np.mod(numbers, _DAY / meaning.unit)
            frame[name] = numbers * (meaning.unit / _SECOND)
            times.append(name)
            continue
        dates = dates_of(numbers, how, suffix)
        if dates is None:
            continue
        if stata in _PERIODS:
            said.append(f"{name!r} counts {_PERIODS[stata][0]}: read as their first days.")
        frame[name] = pd.Series(dates, index=frame.index)
        if lost := int((np.isnat(dates) & ~np.isnan(numbers)).sum()):
            cells = counted(lost, "cell")
            said.append(f"{cells} of {name!r} with a date that no calendar has: missing.")
    return frame, said, times


def dates_of(numbers: np.ndarray, how: str, suffix: str) -> np.ndarray | None:
    """Those that numbers of this format count to, NaT for what no calendar has; None if the
    format shows no dates."""
    since = _microseconds(numbers, how, suffix)
    if since is None:
        return None
    low, high = (float(limit.astype(np.int64)) for limit in (_FIRST, _LAST))
    there = (since >= low) & (since <= high)
    whole = np.where(there, since, 0).round().astype("datetime64[us]")
    return np.where(there, whole, np.datetime64("NaT"))


def _columns(
    frame: pd.DataFrame, formats: Mapping[str, str]
) -> Iterator[tuple[str, str, np.ndarray]]:
    """Names, formats and numbers of those that hold numbers and have a format."""
    for name in frame.columns:
        # Whole numbers with a missing one come as objects.
        column, how = frame[name].infer_objects(), formats.get(name)
        if how and pd.api.types.is_numeric_dtype(column):
            yield name, how, column.to_numpy(dtype=float, na_value=np.nan)


def _name(how: str, suffix: str) -> str:
    """Of a format, without what it says of width and order."""
    if suffix != "dta":
        return re.sub(r"\d*(\.\d*)?$", "", how.strip()).upper()
    found = _STATA_FORMAT.fullmatch(how)
    return found["name"] if found else ""


def _meaning(how: str, suffix: str) -> _Meaning | None:
    meaning = _PROGRAMS[suffix].formats.get(_name(how, suffix))
    time_of_day = suffix == "dta" and _STATA_TIME.fullmatch(how)
    return meaning._replace(shows=_TIME_OF_DAY) if meaning and time_of_day else meaning


def _microseconds(numbers: np.ndarray, how: str, suffix: str) -> np.ndarray | None:
    """Since 1970, of the dates that a column of this format counts to; None if it counts none."""
    if suffix == "dta" and (name := _name(how, suffix)) in _PERIODS:
        return _of_periods(numbers, name)
    meaning = _meaning(how, suffix)
    if meaning is None or meaning.shows != _DATE:
        return None
    # Of a day, programs show no part.
    whole = np.floor(numbers) if meaning.unit == _DAY else numbers
    return whole * meaning.unit - _PROGRAMS[suffix].days * _DAY


def _of_periods(numbers: np.ndarray, period: str) -> np.ndarray:
    """Of the first day of each; infinite beyond all calendars. Stata's weeks begin with the year,
    and its last one is longer."""
    a_year = _PERIODS[period][1]
    years, left = np.divmod(np.floor(numbers), a_year)
    there = np.abs(years) < 10_000
    months, days = (0, 7 * left) if period == "tw" else (left * (12 / a_year), 0)
    since_1970 = np.where(there, 12 * (years - 10) + months, 0).astype("datetime64[M]")
    first = since_1970.astype("datetime64[us]").astype(float) + days * _DAY
    return np.where(there, first, np.where(np.isnan(numbers), np.nan, np.inf))
