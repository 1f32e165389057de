"""A table in one JSON object, as programs write it: by columns, by rows, or among other things."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from pages.ui.tables.table import DataError


class NoTable(Exception):
    """There is none in this object, or it may be meant in two ways."""


def rows_in(content: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """The rows of the table in an object. Raises NoTable; DataError where two columns have a name.

    {"x": [1, 2], "y": [3, 4]}; {"x": {"0": 1, "1": 2}} and {"0": {"x": 1}, "1": {"x": 2}}, as
    pandas writes it; {"columns": ["x"], "data": [[1], [2]]}; {"values": [{"x": 1}, {"x": 2}]} with
    whatever is beside it. An object of plain values is one row.
    """
    members = list(content.values())
    if not any(isinstance(value, dict | list) for value in members):
        return [content] if members else []
    if _lists_of_one_length(members):
        return _by_place(content)
    if all(isinstance(value, dict) for value in members):
        return _by_key(content)
    names, data = content.get("columns"), content.get("data")
    if isinstance(names, list) and isinstance(data, list) and _of_lists(data, len(names)):
        if twice := [name for name, n in Counter(map(str, names)).items() if n > 1]:
            raise DataError(f"This file names two columns {twice[0]!r}: give each its own name.")
        return [dict(zip(map(str, names), row, strict=True)) for row in data]
    tables = [value for value in members if _of_objects(value)]
    if len(tables) != 1:
        raise NoTable
    return tables[0]


def _lists_of_one_length(members: list[Any]) -> bool:
    if not all(isinstance(value, list) for value in members):
        return False
    plain = not any(isinstance(cell, dict | list) for value in members for cell in value)
    return plain and len({len(value) for value in members}) == 1


def _by_place(columns: dict[str, list[Any]]) -> Iterable[dict[str, Any]]:
    return (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))


def _by_key(content: dict[str, dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Columns, if what is in them is numbered; rows, if they are numbered themselves."""
    inner = dict.fromkeys(key for member in content.values() for key in member)
    if inner and all(map(str.isdigit, inner)):
        rows: dict[str, dict[str, Any]] = {key: {} for key in inner}
        # The first has all names, so that the columns are in their order.
        rows[next(iter(inner))] = dict.fromkeys(content)
        for name, column in content.items():
            for key, value in column.items():
                rows[key][name] = value
        return rows.values()
    if all(map(str.isdigit, content)):
        return content.values()
    raise NoTable


def _of_lists(value: list[Any], length: int) -> bool:
    return all(isinstance(row, list) and len(row) == length for row in value)


def _of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)
