"""Cells as texts, and typed again where only numbers are left after a step."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pyarrow as pa

from pages.ui.tables.framing import MARKS, framed
from pages.ui.tables.table import Table, with_columns


def holds_texts(column: pd.Series) -> bool:
    """Whether a column is one of texts; one of declared levels is none."""
    return pd.api.types.is_string_dtype(column) and not declares_levels(column)


def declares_levels(column: pd.Series) -> bool:
    return isinstance(column.dtype, pd.CategoricalDtype)


def declares_order(column: pd.Series) -> bool:
    return isinstance(column.dtype, pd.CategoricalDtype) and bool(column.dtype.ordered)


def texts_of(column: pd.Series) -> pd.Series:
    """Cells as they are written; a missing one stays missing."""
    return pd.Series(
        [None if pd.isna(value) else str(value) for value in column.tolist()],
        index=column.index,
        dtype="str",
    )


def typed_again(table: Table, changed: Mapping[str, pd.Series]) -> Table:
    """The table with changed columns. Those of text of which all cells are numbers now become
    numbers, as they would in a file: by the decimal marks of the table they stand in and what a
    person has said; what these leave open is asked."""
    frame = with_columns(table.frame, changed)
    questions = [question for question in table.questions if question.column not in changed]
    texts = {name: column for name, column in changed.items() if holds_texts(column)}
    table = table._replace(frame=frame, questions=tuple(questions))
    if not texts or not len(frame):
        return table
    columns = [
        pa.chunked_array([pa.array(column.fillna("").tolist(), pa.string())])
        for column in texts.values()
    ]
    found = framed(table.name, tuple(texts), columns, table.reading, marks=table.marks)
    units = dict(zip(frame, [*table.units, *[""] * frame.shape[1]], strict=False))
    numbers = {}
    for name, unit in zip(texts, found.units, strict=True):
        if not pd.api.types.is_string_dtype(found.frame[name]):
            numbers[name] = found.frame[name].set_axis(frame.index)
            units[name] = unit or units[name]
    notes = [note for note in found.notes if note not in table.parsing] if numbers else []
    if numbers and found.marks:
        marks = " and ".join(MARKS[mark] for mark in sorted(found.marks))
        notes.append(f"Decimal {marks} in {', '.join(map(repr, numbers))}.")
    return table._replace(
        frame=with_columns(frame, numbers),
        units=tuple(units.values()) if any(units.values()) else (),
        questions=(*questions, *found.questions),
        parsing=(*table.parsing, *notes),
    )
