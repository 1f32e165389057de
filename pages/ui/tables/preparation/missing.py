"""Codes and words that stand for a missing value."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from pages.ui.tables.cells_again import declares_levels, typed_again
from pages.ui.tables.preparation.typed_number import typed_number
from pages.ui.tables.table import Table, require_columns
from pages.ui.text import counted


class Missing(NamedTuple):
    """Cells that hold one of these codes or words, in any capitals, count as missing.

    columns: in which; () for all. A column of text that holds nothing but numbers besides becomes
    one of numbers.
    """

    codes: tuple[str, ...]
    columns: tuple[str, ...] = ()

    def apply(self, table: Table) -> Table:
        require_columns(table, self.columns)
        changed, facts = {}, []
        for name, column in table.frame[list(self.columns or table.frame)].items():
            found = coded(column, self.codes)
            if not found.any():
                continue
            # A 99 among decimals is written as one, too.
            were = column[found].astype(str).str.strip().str.removesuffix(".0").value_counts()
            what = ", ".join(f"{code} {counted(count, 'time')}" for code, count in were.items())
            changed[str(name)] = _without(column, found)
            facts.append(f"{counted(int(found.sum()), 'cell')} in {name!r} ({what})")
        found = ", ".join(facts) or "no cell holds one"
        told = f"{self.told()} {found}."
        return typed_again(table._replace(parsing=(*table.parsing, told)), changed)

    def told(self) -> str:
        where = f" in {', '.join(map(repr, self.columns))}" if self.columns else ""
        return f"Missing{where}: {', '.join(self.codes)}."


def coded(column: pd.Series, codes: tuple[str, ...]) -> np.ndarray:
    """Which cells hold one of the codes."""
    cells, meant = _comparable(column, _Codes.of(codes))
    return cells.isin(meant.keys()).to_numpy(bool)


def holders(frame: pd.DataFrame, codes: tuple[str, ...]) -> dict[str, set[str]]:
    """By code: the columns in which some cell holds it."""
    found: dict[str, set[str]] = {code: set() for code in codes}
    known = _Codes.of(codes)
    for name, column in frame.items():
        cells, meant = _comparable(column, known)
        # By what stands there, not by all codes: each column may bring some of its own.
        for value in cells.dropna().unique().tolist() if meant else ():
            for code in meant.get(value, ()):
                found[code].add(str(name))
    return found


class _Codes(NamedTuple):
    """Codes as they are compared with numbers, and with texts; each with how it was written."""

    numbers: dict[Any, list[str]]
    words: dict[Any, list[str]]

    @classmethod
    def of(cls, codes: Iterable[str]) -> _Codes:
        numbers: dict[Any, list[str]] = {}
        words: dict[Any, list[str]] = {}
        for code in codes:
            words.setdefault(code.strip().casefold(), []).append(code)
            with suppress(ValueError):
                numbers.setdefault(typed_number(code), []).append(code)
        return cls(numbers, words)


def _comparable(column: pd.Series, codes: _Codes) -> tuple[pd.Series, dict[Any, list[str]]]:
    """The cells of a column as codes are looked for among them, and what is looked for."""
    if pd.api.types.is_bool_dtype(column):
        return column, {}
    if pd.api.types.is_numeric_dtype(column):
        if str(column.dtype).lower() != "float32":
            return column, codes.numbers
        rounded: dict[Any, list[str]] = {}
        for number, written in codes.numbers.items():
            rounded.setdefault(np.float32(number), []).extend(written)
        return column, rounded
    if declares_levels(column):
        column = column.astype("str")
    if not pd.api.types.is_string_dtype(column):
        return column, {}
    return column.str.strip().str.casefold(), codes.words


def _without(column: pd.Series, coded: np.ndarray) -> pd.Series:
    """The column with these cells missing."""
    left = column.mask(coded)
    return left.cat.remove_unused_categories() if declares_levels(column) else left
