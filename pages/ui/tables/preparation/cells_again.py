"""Cells as texts, and typed again where only numbers are left after a step."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pyarrow as pa

from pages.ui.tables import cells
from pages.ui.tables.table import Question, Table

_MARKS = {",": "comma", ".": "point"}


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
    numbers, by the decimal marks of the table they stand in and what a person has said; where these
    leave it open, it is asked as of a file."""
    frame, notes = table.frame.copy(), []
    questions = [question for question in table.questions if question.column not in changed]
    for name, column in changed.items():
        frame[name] = column
        if not holds_texts(column):
            continue
        texts = pa.chunked_array([pa.array(column.fillna("").tolist(), pa.string())])
        shape = cells.shapes(texts)
        marks = {*table.marks} | cells.marks_shown([shape])
        try:
            typed = cells.typed(name, texts, shape, marks, dict(table.reading.marks).get(name, ""))
        except cells.Ambiguous as question:
            questions.append(Question(name, "marks", str(question), question.choices))
            continue
        if not pd.api.types.is_string_dtype(typed.values):
            frame[name] = typed.values.set_axis(column.index)
            notes += typed.notes
            if typed.mark:
                notes.append(f"Decimal {_MARKS[typed.mark]} in {name!r}.")
    return table._replace(frame=frame, parsing=(*table.parsing, *notes), questions=tuple(questions))
