"""Only the rows that meet a condition; several conditions are several steps."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from pages.ui.tables.preparation.typed_number import typed_number
from pages.ui.tables.table import DataError, LeftOut, Table, require_columns
from pages.ui.tables.times import is_dated, numbers_of
from pages.ui.text import counted

# How many values each takes; None for any number from 1 on.
CONDITIONS: Mapping[str, int | None] = {
    "is": 1,
    "is not": 1,
    "is at least": 1,
    "is at most": 1,
    "is between": 2,
    "is one of": None,
    "is missing": 0,
    "is not missing": 0,
}
_ORDERED = ("is at least", "is at most", "is between")
_ZONE = re.compile(r"(:\d{2}(?:[.,]\d+)?) ?(?:Z|[+-]\d{2}:?\d{2})$")


class Filter(NamedTuple):
    """Rows are left out unless a column meets a condition (one of `CONDITIONS`) with these values.

    A missing cell is not anything but missing. Limits belong to what is between them.
    """

    column: str
    condition: str
    values: tuple[str, ...] = ()

    def apply(self, table: Table) -> Table:
        self._check(table)
        meets = self._meets(table.frame[self.column])
        taken = np.sort(table.taken)
        out = taken[~meets[taken]]
        if len(out) == len(taken):
            raise DataError(
                f"No row is left: in none of {counted(len(taken), 'row')} {self._words()}. Choose "
                "another condition."
            )
        left = counted(len(taken) - len(out), "row")
        reason = f"filter: {self._words()}"
        return table._replace(
            left_out=(*table.left_out, LeftOut(out, reason)),
            parsing=(*table.parsing, f"{self.told()} {left} of {len(table.frame):,} left."),
        )

    def told(self) -> str:
        return f"Only rows where {self._words()}."

    def _words(self) -> str:
        values = (
            f" {' and '.join(self.values) if len(self.values) == 2 else ', '.join(self.values)}"
        )
        return f"{self.column} {self.condition}{values if self.values else ''}"

    def _check(self, table: Table) -> None:
        require_columns(table, [self.column])
        if self.condition not in CONDITIONS:
            raise DataError("There is no such condition: choose one of those offered.")
        needed = CONDITIONS[self.condition]
        if (needed is None and not self.values) or needed not in (None, len(self.values)):
            what = "at least one value" if needed is None else counted(needed, "value")
            raise DataError(f"“{self.condition}” needs {what}.")

    def _meets(self, column: pd.Series) -> np.ndarray:
        missing = column.isna().to_numpy()
        if self.condition in ("is missing", "is not missing"):
            return missing == (self.condition == "is missing")
        cells, values = self._comparable(column)
        if self.condition in _ORDERED:
            low = values[0] if self.condition != "is at most" else -np.inf
            high = values[-1] if self.condition != "is at least" else np.inf
            return (cells >= low) & (cells <= high) & ~missing
        among = np.isin(cells, values) & ~missing
        return ~among if self.condition == "is not" else among

    def _comparable(self, column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
        """Cells and values as numbers, where the cells are some or dates, else as text."""
        dates = pd.api.types.is_datetime64_any_dtype(column)
        if dates:
            # As they are shown, to be read as what is typed.
            column = column.astype("str")
        plain = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
        if pd.api.types.is_integer_dtype(column) and not is_dated(column):
            number = self._number_like(column)
            values = [number(value) for value in self.values]
            if all(isinstance(value, int) for value in values):
                # Identifiers may be longer than what a double holds.
                return column.fillna(0).to_numpy("int64"), np.array(values)
        if not plain and not any(map(_ZONE.search, self.values)):
            # Typed as the clock on the wall shows it.
            column = column.astype("str").str.replace(_ZONE, r"\1", regex=True)
        if plain or dates or self.condition in _ORDERED:
            cells, number = numbers_of(column), self._number_like(column)
            return cells, np.array([number(value) for value in self.values])
        words = column.astype("str").str.strip().fillna("").to_numpy(object)
        values = [value.strip() for value in self.values]
        if pd.api.types.is_bool_dtype(column):
            words = np.array([word.lower() for word in words], object)
            values = [value.lower() for value in values]
        return words, np.array(values, object)

    def _number_like(self, column: pd.Series) -> Callable[[str], int | float]:
        """What makes of a value what the cells of a column of numbers or dates are; it raises
        DataError for a value that is none."""
        dates = is_dated(column)
        read = _packed_date if dates else typed_number
        if not pd.api.types.is_numeric_dtype(column):
            read = partial(_date_among, column.dropna().drop_duplicates().astype("str"))

        single = str(column.dtype).lower() == "float32"

        def number(value: str) -> int | float:
            try:
                return float(np.float32(read(value))) if single else read(value)
            except (ValueError, DataError):
                what = "a date like its cells" if dates else "a number"
                raise DataError(f"{value!r} is not {what}, as {self.column!r} needs.") from None

        return number


def _date_among(cells: pd.Series, value: str) -> float:
    """Days since 1970, of a date in the notation of other cells. Raises DataError."""
    return float(
        numbers_of(pd.concat([cells, pd.Series([value], dtype="str", name=cells.name)]))[-1]
    )


def _packed_date(value: str) -> float:
    """Days since 1970, of a date in digits only or in any other notation. Raises ValueError or
    DataError."""
    digits = re.fullmatch(r"(\d{8})(?:\.0)?", value)
    cell = pd.Series([int(digits[1]) if digits else value], name="date")
    if digits and not is_dated(cell):
        raise ValueError
    return float(numbers_of(cell)[0])
