"""A table in one JSON object, as programs write it: by columns, by rows, or among other things."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable
from itertools import islice, zip_longest
from typing import Any, NamedTuple

from pages.ui.tables.table import DataError

MOST_NAMED, MOST_CHARACTERS = 3, 40
MOST_LEVELS = 20  # of what rows are called
MOSTLY = 0.5  # more of the cells of a table are there


class NoTable(Exception):
    """There is none in this object, or it may be meant in two ways."""


class Rows(NamedTuple):
    """The rows of a table, and sentences on what was taken for one."""

    records: Iterable[dict[str, Any]]
    notes: tuple[str, ...] = ()


def rows_in(content: dict[str, Any]) -> Rows:
    """The rows of the table in an object. Raises NoTable; DataError where two columns have a name.

    {"x": [1, 2], "y": [3, 4]}; {"x": {"0": 1, "1": 2}} and {"0": {"x": 1}, "1": {"x": 2}}, as
    pandas writes it; {"columns": ["x"], "index": ["a", "b"], "data": [[1], [2]]};
    {"values": [{"x": 1}, {"x": 2}]} with whatever is beside it. An object of plain values is one
    row.
    """
    members = list(content.values())
    if not any(isinstance(value, dict | list) for value in members):
        return Rows([content] if members else [])
    if _lists_of_one_length(members):
        return Rows(_by_place(content))
    if all(isinstance(value, dict) for value in members):
        return _by_key(content)
    names, data = content.get("columns"), content.get("data")
    if isinstance(names, list) and isinstance(data, list) and _of_lists(data, len(names)):
        return _split(content, list(map(_name, names)), data)
    tables = [value for value in members if _of_objects(value)]
    if len(tables) != 1:
        raise NoTable
    return Rows(tables[0])


def _split(content: dict[str, Any], columns: list[str], data: list[list[Any]]) -> Rows:
    """Rows apart from the names of columns, and from what rows are called: of one or more levels,
    each a column unless they are 0, 1, 2, ..."""
    if twice := [name for name, n in Counter(columns).items() if n > 1]:
        raise DataError(f"This file names two columns {twice[0]!r}: give each its own name.")
    index = content.get("index")
    if not isinstance(index, list) or len(index) != len(data) or _count(map(_name, index)):
        return Rows([dict(zip(columns, row, strict=True)) for row in data])
    n_levels = len(index[0]) if isinstance(index[0], list) else 0
    several = 0 < n_levels <= MOST_LEVELS and _of_lists(index, n_levels)
    called = index if several else [[key] for key in index]
    given = content.get("index_names")
    given = given if isinstance(given, list) else []
    names: list[str] = []
    for name, _ in zip_longest(given[: len(called[0])], called[0]):
        names.append(_unused("" if name is None else _name(name), {*columns, *names}))
    names += columns
    rows = (
        dict(zip(names, [*key, *row], strict=True)) for key, row in zip(called, data, strict=True)
    )
    return Rows(rows, (_taken(columns, map(_name, index)),))


def _name(name: Any) -> str:
    """A name of one or more levels."""
    return " ".join(map(str, name)) if isinstance(name, list) else str(name)


def _unused(name: str, taken: Container[str]) -> str:
    """A key for a column called so: with blanks, which a name does not keep, until it is new."""
    while name in taken:
        name += " "
    return name


def _lists_of_one_length(members: list[Any]) -> bool:
    if not all(isinstance(value, list) for value in members):
        return False
    plain = not any(isinstance(cell, dict | list) for value in members for cell in value)
    return plain and len({len(value) for value in members}) == 1


def _by_place(columns: dict[str, list[Any]]) -> Iterable[dict[str, Any]]:
    return (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))


def _by_key(content: dict[str, dict[str, Any]]) -> Rows:
    """Columns of named cells, or rows of them: what is numbered from 0 are rows, else what has
    numbers for names, the inner before the outer; else what has values of one kind are columns, and
    of two such the fewer."""
    inner = dict.fromkeys(key for member in content.values() for key in member)
    if _count(inner):
        return _turned(content, inner)
    if _count(content):
        return Rows(content.values())
    if inner and all(map(str.isdigit, inner)):
        return _turned(content, inner)
    if all(map(str.isdigit, content)):
        return _called(content, inner)
    n_cells = sum(map(len, content.values()))
    if min(len(content), len(inner)) < 2 or n_cells <= MOSTLY * len(content) * len(inner):
        raise NoTable
    outer_alike = all(_alike(member.values()) for member in content.values())
    rows = content.values()
    inner_alike = all(_alike(row[key] for row in rows if key in row) for key in inner)
    if not (outer_alike or inner_alike):
        raise NoTable
    inner_are_rows = len(inner) >= len(content) if outer_alike == inner_alike else outer_alike
    return _turned(content, inner) if inner_are_rows else _called(content, inner)


def _alike(values: Iterable[Any]) -> bool:
    """Whether values are numbers, or texts, or of another kind, all of them but for holes."""
    kinds = {float if type(value) is int else type(value) for value in values if value is not None}
    return len(kinds) < 2


def _called(content: dict[str, dict[str, Any]], inner: dict[str, None]) -> Rows:
    """Rows, with what they are called in a column."""
    called = _unused("", inner)
    named = ({called: _key(key), **row} for key, row in content.items())
    return Rows(named, (_taken(inner, content),))


def _turned(content: dict[str, dict[str, Any]], inner: dict[str, None]) -> Rows:
    """The rows of columns. inner: what their cells are called."""
    named, called = not _count(inner), _unused("", content)
    rows: dict[str, dict[str, Any]] = {key: {called: _key(key)} if named else {} for key in inner}
    # The first has all names, so that the columns are in their order.
    rows[next(iter(inner))] |= dict.fromkeys(content)
    for name, column in content.items():
        for key, value in column.items():
            rows[key][name] = value
    return Rows(rows.values(), (_taken(content, inner),) if named else ())


def _count(names: Iterable[str]) -> bool:
    """Whether names are 0, 1, 2, ..., which say nothing."""
    return all(name == str(place) for place, name in enumerate(names))


def _key(name: str) -> int | str:
    """What rows are called by, as a number where it is one."""
    whole = name.isascii() and name.isdigit() and len(name) < 16
    return int(name) if whole and (name == "0" or name[0] != "0") else name


def _taken(columns: Iterable[str], rows: Iterable[str]) -> str:
    """What was taken for columns, and what for rows."""
    return f"Columns are {_some(columns)}; rows are called {_some(rows)}."


def _some(names: Iterable[str]) -> str:
    first = [repr(name[:MOST_CHARACTERS]) for name in islice(names, MOST_NAMED + 1)]
    return ", ".join(first[:MOST_NAMED]) + ", …" * (len(first) > MOST_NAMED)


def _of_lists(value: list[Any], length: int) -> bool:
    return all(isinstance(row, list) and len(row) == length for row in value)


def _of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)
