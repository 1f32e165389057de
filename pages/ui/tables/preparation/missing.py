"""Codes and words that stand for a missing value."""

from __future__ import annotations

from typing import NamedTuple

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
    if pd.api.types.is_bool_dtype(column):
        return np.zeros(len(column), bool)
    if pd.api.types.is_numeric_dtype(column):
        numbers = [value for code in codes if (value := _number(code)) is not None]
        if str(column.dtype).lower() == "float32":
            numbers = [np.float32(number) for number in numbers]
        return column.isin(numbers).to_numpy(bool)
    if declares_levels(column):
        column = column.astype("str")
    if not pd.api.types.is_string_dtype(column):
        return np.zeros(len(column), bool)
    words = {code.strip().casefold() for code in codes}
    return column.str.strip().str.casefold().isin(words).to_numpy(bool)


def _number(code: str) -> int | float | None:
    try:
        return typed_number(code)
    except ValueError:
        return None


def _without(column: pd.Series, coded: np.ndarray) -> pd.Series:
    """The column with these cells missing."""
    left = column.mask(coded)
    return left.cat.remove_unused_categories() if declares_levels(column) else left
