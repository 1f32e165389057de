"""New rows for a model that was fitted: columns are found by their names, levels by theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from pages.ui.tables.levels import coded, tidy
from pages.ui.tables.table import DataError, Table
from pages.ui.tables.units import are_one_unit


class Matched(NamedTuple):
    """values (N, D): as the model takes them, NaN where a value is missing or not to be used.

    marks (N,): what is odd about each row, "" for nothing. missing: columns of the model that the
    table lacks. ignored: columns of the table that the model does not know. renamed, respelt: (name
    in the table, name in the model) of columns, and of levels, where only capitals, spaces or signs
    differ. other_units: columns, their unit here, and the one that the model was fitted in.
    """

    values: np.ndarray
    marks: np.ndarray
    missing: tuple[str, ...]
    ignored: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    respelt: tuple[tuple[str, str], ...]
    other_units: tuple[tuple[str, str, str], ...]


def match(
    table: Table,
    columns: Sequence[str],
    levels: Sequence[Sequence[str] | None] = (),
    units: Mapping[str, str] = {},
) -> Matched:
    """The rows of a table for a model of these columns; levels: for each the names of its levels,
    none where it is of numbers; units: those of columns, also such as these are made of, as far as
    they are known. Raises DataError where no column is there."""
    found = {column: column for column in columns if column in table.frame}
    by_letters: dict[str, str] = {}
    for name in table.frame:
        if name not in found:
            by_letters.setdefault(_letters(name), name)
    renamed = []
    for column in columns:
        there = by_letters.get(_letters(column))
        if column not in found and there is not None and there not in found.values():
            found[column] = there
            renamed.append((there, column))
    if not found:
        raise DataError(
            f"The new table has none of the columns of the model: {', '.join(columns[:5])}"
            f"{' and others' if len(columns) > 5 else ''}. Name its columns as those are named."
        )
    n_rows = len(table.frame)
    values = np.full((n_rows, len(columns)), np.nan)
    marks = np.full(n_rows, "", dtype=object)
    respelt: dict[str, str] = {}
    for d, column in enumerate(columns):
        if column not in found:
            continue
        cells = table.frame[found[column]]
        names = levels[d] if d < len(levels) else None
        numbers, odd = _levels(cells, names, respelt) if names else _numbers(cells)
        values[:, d] = numbers
        what = "a level that the model has not seen" if names else "no number"
        for row in np.flatnonzero(odd):
            note = f"{column}: {str(cells.iloc[row])[:40]!r} is {what}"
            marks[row] = "; ".join(filter(None, (marks[row], note)))
    return Matched(
        values,
        marks,
        tuple(column for column in columns if column not in found),
        tuple(name for name in table.frame if name not in found.values()),
        tuple(renamed),
        tuple(respelt.items()),
        tuple(_other_units(table, {found.get(name, name): unit for name, unit in units.items()})),
    )


def _other_units(table: Table, units: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for name, here in table.known_units.items():
        there = units.get(name, "")
        if there and not are_one_unit(here, there):
            yield name, here, there


def _letters(name: str) -> str:
    """A name without what people write differently: capitals, spaces, signs."""
    return "".join(c for c in name.casefold() if c.isalnum())


def _numbers(cells: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Numbers, and which cells hold something else."""
    numbers = pd.to_numeric(cells.astype(object), errors="coerce").to_numpy(
        dtype=float, na_value=np.nan
    )
    numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    return numbers, np.isnan(numbers) & cells.notna().to_numpy()


def _levels(
    cells: pd.Series, names: Sequence[str], respelt: dict[str, str]
) -> tuple[np.ndarray, np.ndarray]:
    """The places of levels, and which cells hold none of them; what is taken for one of them
    although written differently is put into `respelt`."""
    codes, here = coded(cells)
    places = {name: place for place, name in enumerate(names)}
    # Two levels of the model may be one number ("7" and "007"): then only itself is meant by it.
    numbers, spelt = _by(_as_number, names), _by(_as_spelt, names)
    of_codes = np.full(len(here) + 1, np.nan)
    for code, name in enumerate(here):
        if name in places:
            of_codes[code] = places[name]
            continue
        like = numbers.get(_as_number(name), []) or spelt.get(_as_spelt(name), [])
        if len(like) == 1:
            of_codes[code] = like[0]
            if not is_numeric_dtype(cells):
                respelt[name] = names[like[0]]
    found = of_codes[np.where(np.isnan(codes), len(here), codes).astype(int)]
    return found, np.isnan(found) & ~np.isnan(codes)


def _by(key: Callable[[str], str], names: Sequence[str]) -> dict[str, list[int]]:
    """The places of the names that are alike by a key."""
    found: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        found.setdefault(key(name), []).append(place)
    return found


def _as_spelt(level: str) -> str:
    return tidy(level).casefold()


def _as_number(level: str) -> str:
    """1.0 in one table is 1 in another; identifiers keep all their digits."""
    for number in (lambda: str(int(level)), lambda: f"{float(level):.15g}"):
        with suppress(ValueError):
            return number()
    return level
