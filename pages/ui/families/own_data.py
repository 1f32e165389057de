"""The data of a model of one's own: how it takes rows, and which of the examples it takes."""

from __future__ import annotations

from em_core.datasets import EXAMPLES, load
from em_core.protocols import optional
from pages.ui.tables.columns import answered, default_columns, describe_columns, suggest_label
from pages.ui.tables.selection import select_items
from pages.ui.tables.table import DataError, from_dataset


def own_data(model, selection):
    """The rows as a person's own model takes them: a table, or its only column."""
    check = optional(model, "check")
    try:
        return check(selection.values)
    except ValueError:
        if selection.values.shape[1] > 1:
            raise
        return check(selection.values[:, 0])


def own_examples(model) -> tuple[str, ...]:
    """The examples of which the model takes the column that is chosen at first; all where it takes
    none, for it may take another column."""
    return tuple(name for name in EXAMPLES if _takes(model, name)) or tuple(EXAMPLES)


def _takes(model, example: str) -> bool:
    table = from_dataset(load(example))
    reports = describe_columns(table)
    columns = default_columns(reports, suggest_label(table, reports), answered, most=1)
    try:
        own_data(model, select_items(table, columns, holes=False))
    except (ValueError, DataError):
        return False
    return True
