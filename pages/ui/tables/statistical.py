"""Files of Stata (.dta), SPSS (.sav, .zsav, .por) and SAS (.xpt, .sas7bdat)."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from pages.ui.tables.column_names import unique_names
from pages.ui.tables.statistical_dates import dates_of, with_dates
from pages.ui.tables.table import (
    MAX_CELLS,
    MAX_ROWS,
    DataError,
    Table,
    check_size,
    check_unpacked,
    most_unpacked,
    too_large,
)
from pages.ui.text import counted

PROGRAMS = {
    "dta": ("Stata", "read_dta"),
    "sav": ("SPSS", "read_sav"),
    "zsav": ("SPSS", "read_sav"),
    "por": ("SPSS portable", "read_por"),
    "xpt": ("SAS transport", "read_xport"),
    "sas7bdat": ("SAS", "read_sas7bdat"),
}
MOST_NAMED = 8  # in a sentence
_CELL_BYTES = 8


def read_statistical(filename: str, content: bytes, suffix: str) -> Table:
    """The table of a statistics program, with the labels of its columns and values, and the codes
    that it declares as missing. Raises DataError."""
    # The readers take 0.1 s to import.
    import pyreadstat

    program, name = PROGRAMS[suffix]
    broken = DataError(
        f"{filename!r} isn't a readable {program} file: open it in {program.split()[0]} and save "
        "it again, or as CSV."
    )
    read: Callable[..., tuple[Any, Any]] = getattr(pyreadstat, name)
    more = {"user_missing": True} if program == "SPSS" else {}
    try:
        _, about = read(io.BytesIO(content), metadataonly=True)
        limit = _row_limit(filename, about, len(content))
        # The library knows few formats of dates, and gives up a file for a date of no calendar.
        plainly = {"row_limit": limit, "disable_datetime_conversion": True}
        frame, about = read(io.BytesIO(content), **plainly, **more)
    except DataError:
        raise
    except (
        pyreadstat.ReadstatError,
        pyreadstat.PyreadstatError,
        ValueError,
        KeyError,
        TypeError,
        OSError,
    ):
        raise broken from None
    if not len(frame) or not frame.shape[1]:
        raise DataError(f"{filename!r} has no rows: load a table with rows of numbers.")
    if len(frame) == limit:
        raise too_large(filename, max(limit * _row_bytes(about), 1))
    names, renamed = unique_names(frame.columns)
    given = list(frame.columns)
    frame.columns = list(names)
    called = dict(zip(given, names, strict=True))
    formats = about.original_variable_types
    kinds = {called[given]: how or "" for given, how in formats.items() if given in called}
    # As the codes are: they are compared before there are dates.
    missing, codes = _without_codes(frame, called, _missing_ranges(about), kinds, suffix)
    try:
        frame, dates, seconds = with_dates(frame, kinds, suffix)
    except (ValueError, TypeError):
        raise broken from None
    for column in names:
        frame[column] = _typed(frame[column])
    dates += [f"{name!r} holds times: read as seconds." for name in seconds]
    labels = tuple(
        (called[column], tuple((_code(code), str(label)) for code, label in found.items()))
        for column, found in about.variable_value_labels.items()
        if column in called
    )
    titles = tuple(
        (called[column], " ".join(str(title).split()))
        for column, title in about.column_names_to_labels.items()
        if title and column in called
    )
    parsing = [f"{program} file.", *renamed, *dates, *missing, *_labelled(titles, labels)]
    return Table(
        filename,
        pd.DataFrame(frame),
        tuple(parsing),
        "",
        tuple("s" if name in seconds else "" for name in names) if seconds else (),
        file=filename,
        titles=titles,
        value_labels=labels,
        missing_codes=codes,
    )


def _missing_ranges(about: Any) -> dict[str, Any]:
    return dict(getattr(about, "missing_ranges", {}) or {})


def _row_bytes(about: Any) -> int:
    widths = about.variable_storage_width or {}
    return max(sum(max(int(width or 0), _CELL_BYTES) for width in widths.values()), _CELL_BYTES)


def _row_limit(filename: str, about: Any, size: int) -> int:
    """More rows than may be read; a file need not say how many it has. Raises DataError."""
    n_columns = max(about.number_columns or 0, 1)
    n_rows = max(about.number_rows or 0, 0)
    check_size(filename, n_rows, n_columns)
    width = _row_bytes(about)
    check_unpacked(filename, n_rows * width)
    shrunk = most_unpacked(size)
    if n_rows * width > shrunk:
        raise too_large(filename, n_rows * width)
    return int(min(MAX_ROWS, MAX_CELLS // n_columns, shrunk // width + 1)) + 1


def _without_codes(
    frame: pd.DataFrame,
    called: Mapping[str, str],
    ranges: Mapping[str, list[dict[str, Any]]],
    kinds: Mapping[str, str],
    suffix: str,
) -> tuple[list[str], tuple[tuple[str, tuple[str, ...]], ...]]:
    """Set the codes declared as missing so; sentences on them, and which they are by column."""
    said, codes = [], []
    for given, found in ranges.items():
        name = called.get(given)
        if name is None:
            continue
        column = frame[name]
        is_code = np.zeros(len(column), bool)
        for one in found:
            low, high = one["lo"], one["hi"]
            is_code |= (
                column.eq(low).to_numpy(bool)
                if isinstance(low, str)
                else column.between(low, high).to_numpy(bool)
            )
        shown = partial(_as_shown, how=kinds.get(name, ""), suffix=suffix)
        words = tuple(_range(shown(one["lo"]), shown(one["hi"])) for one in found)
        codes.append((name, words))
        frame[name] = column.mask(is_code)
        said.append(f"{', '.join(words)} in {name!r} ({counted(int(is_code.sum()), 'cell')})")
    if len(said) > MOST_NAMED:
        said[MOST_NAMED:] = [f"and in {len(said) - MOST_NAMED:,} more"]
    sentence = [f"The file declares as missing: {'; '.join(said)}."] if said else []
    return sentence, tuple(codes)


def _range(low: object, high: object) -> str:
    return _code(low) if low == high else f"{_code(low)} to {_code(high)}"


def _as_shown(code: object, how: str, suffix: str) -> object:
    """A date where the format of its column shows one that a calendar has."""
    dates = dates_of(np.array([code]), how, suffix) if isinstance(code, float) else None
    return code if dates is None or np.isnat(dates[0]) else pd.Timestamp(dates[0])


def _code(value: object) -> str:
    """A code as it is written."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _typed(column: pd.Series) -> pd.Series:
    """Whole numbers, numbers, dates or text."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return column
    column = column.infer_objects()  # numbers with a missing one of a kind come as objects
    if pd.api.types.is_numeric_dtype(column):
        values = column.to_numpy(dtype=float, na_value=np.nan)
        present = values[~np.isnan(values)]
        whole = len(present) and np.all(present == np.floor(present))
        if whole and np.abs(present).max() < 2**53:
            return pd.Series(values).astype("Int64")
        return pd.Series(values)
    text = column.astype(object).map(str, na_action="ignore")
    text = text.where(text.notna() & (text != ""), None)
    return text.astype("str")


def _labelled(titles: tuple, labels: tuple) -> list[str]:
    said = []
    if titles:
        said.append(f"{counted(len(titles), 'column')} with a label of its own.")
    for name, found in labels[:MOST_NAMED]:
        values = ", ".join(f"{code} = {label}" for code, label in found[:MOST_NAMED])
        said.append(f"In {name!r} {values}{', …' if len(found) > MOST_NAMED else ''}.")
    if more := len(labels) - MOST_NAMED:
        said += [f"{counted(more, 'more column')} with names for values."] * (more > 0)
    return said
