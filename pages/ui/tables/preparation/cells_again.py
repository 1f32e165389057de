"""Cells as texts, and typed again where only numbers are left after a step."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from pages.ui.tables import cells


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


def typed_again(name: str, column: pd.Series) -> pd.Series:
    """A column of text as numbers where all its cells are; any other column as it is."""
    if not holds_texts(column):
        return column
    texts = pa.chunked_array([pa.array(column.fillna("").tolist(), pa.string())])
    shape = cells.shapes(texts)
    try:
        typed = cells.typed(name, texts, shape, cells.marks_shown([shape]))
    except cells.Ambiguous:
        return column
    if pd.api.types.is_string_dtype(typed.values):
        return column
    return typed.values.set_axis(column.index)
