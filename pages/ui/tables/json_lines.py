"""JSON lines: an object in each line; a JSON list of objects; and one object with a table in it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pages.ui.tables.cells import EXACT, inexact
from pages.ui.tables.column_names import unique_names
from pages.ui.tables.json_object import NoTable, Rows, rows_in
from pages.ui.tables.table import DataError, Table, check_size, check_unpacked

_CHUNK = 10_000
_LARGEST = 2**63
_LINES = re.compile(r"([^\r\n]*)(?:\r\n|\r|\n|\Z)")
_HALVES = re.compile("[\ud800-\udfff]")
_BEGINS = re.compile(r'\s*(\{\s*"[^"]*"\s*:|\[\s*(\{|\[\s*")\s*)')
_SPACE = re.compile(r"[ \t\n\r]*")


def is_json(text: str) -> bool:
    """Whether a text is JSON, whole or not, whatever the name of its file says: an object or a list
    with nothing behind it in its line."""
    if _BEGINS.match(text) is None:
        return False
    try:
        _, end = _DECODER.raw_decode(text, _after_space(text, 0))
    except (ValueError, RecursionError, DataError):
        return True
    following = _LINES.match(text, end)
    return following is None or not following[1].strip()


def read_json_lines(filename: str, text: str) -> Table:
    """A row for each object, a column for each of their names. Raises DataError."""
    columns: dict[str, list[list[Any]]] = {}
    buffer: dict[str, list[Any]] = {}
    nested: set[str] = set()
    rows = size = 0
    whole = _one_object(text)
    found = Rows(_objects(filename, text)) if whole is None else _table_in(filename, whole)
    for record in found.records:
        for name, value in record.items():
            if name not in columns:
                columns[name] = [[None] * rows] if rows else []
                check_size(filename, rows + 1, len(columns))
            if isinstance(value, dict | list):
                value = json.dumps(value, ensure_ascii=False)
                nested.add(name)
                size += len(value)
            column = buffer.setdefault(name, [])
            # Objects before this one may lack the name.
            column += [None] * (rows - _length(columns[name]) - len(column))
            column.append(value)
        rows += 1
        if rows % _CHUNK == 0:
            check_size(filename, rows, max(len(columns), 1))
            if not columns:
                raise DataError(f"{filename!r} has rows without a name: write a name with a value.")
            check_unpacked(filename, size)
            for name, column in buffer.items():
                columns[name].append(column)
            buffer = {}
    for name, column in buffer.items():
        columns[name].append(column)
    if not rows or not columns:
        raise DataError(f"{filename!r} has no rows: load a table with rows of numbers.")
    check_size(filename, rows, len(columns))
    names, renamed = unique_names(columns)
    notes = [*found.notes, *renamed]
    series = {}
    for given, name, chunks in zip(columns, names, columns.values(), strict=True):
        values = [value for chunk in chunks for value in chunk]
        series[name] = _typed(values + [None] * (rows - len(values)))
        if given in nested:
            notes.append(f"{name!r} holds lists or objects: each is read as a text.")
        if any(map(_has_halves, values)):
            notes.append(f"{name!r} holds halves of characters, each read as a question mark.")
        if pd.api.types.is_float_dtype(series[name]) and any(map(_is_long, values)):
            notes.append(inexact(name))
    return Table(filename, pd.DataFrame(series), ("JSON.", *notes), "", file=filename)


def _has_halves(value: object) -> bool:
    return isinstance(value, str) and _HALVES.search(value) is not None


def _is_long(value: object) -> bool:
    return isinstance(value, int) and abs(value) >= EXACT


def _length(chunks: list[list[Any]]) -> int:
    return sum(map(len, chunks))


def _table_in(filename: str, whole: dict[str, Any]) -> Rows:
    longest = max((len(v) for v in whole.values() if isinstance(v, list | dict)), default=0)
    check_size(filename, longest, 1)
    try:
        return rows_in(whole)
    except NoTable:
        raise DataError(
            f"{filename!r} is one JSON object in which no table was found: save the table "
            "in it as a list of objects, or as CSV."
        ) from None


def _objects(filename: str, text: str) -> Iterator[dict[str, Any]]:
    if text.lstrip()[:1] == "[":
        yield from _of_list(filename, _items(filename, text))
        return
    # A text in them may hold what Python takes for the end of a line, too.
    for number, found in enumerate(_LINES.finditer(text), start=1):
        if (line := found[1]) and not line.isspace():
            try:
                record = _DECODER.decode(line)
            except (ValueError, RecursionError):
                raise DataError(
                    f"{filename!r}: line {number:,} isn't JSON: every line must hold an object "
                    'such as {"height": 171}.'
                ) from None
            yield _checked(filename, f"line {number:,}", record)


def _of_list(filename: str, items: Iterator[Any]) -> Iterator[dict[str, Any]]:
    """Objects; or lists of one length, of which the first holds the names."""
    names: list[str] = []
    for number, item in enumerate(items, start=1):
        if number == 1 and _are_names(item):
            names = item
        elif names and isinstance(item, list) and len(item) == len(names):
            yield dict(zip(names, item, strict=True))
        else:
            yield _checked(filename, f"item {number:,}", item)


def _are_names(item: Any) -> bool:
    if not isinstance(item, list) or not item or not all(isinstance(cell, str) for cell in item):
        return False
    return all(item) and len(set(item)) == len(item)


def _items(filename: str, text: str) -> Iterator[Any]:
    """Those of the list that a text is, one after the other: they are not all held at once."""
    broken = DataError(f"{filename!r} isn't whole JSON: write it again, or save the table as CSV.")
    place = _after_space(text, _after_space(text, 0) + 1)
    if text[place : place + 1] == "]":
        return
    while True:
        try:
            item, place = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            raise broken from None
        yield item
        place = _after_space(text, place)
        if text[place : place + 1] != ",":
            break
        place = _after_space(text, place + 1)
    if text[place:].strip() != "]":
        raise broken


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place


def _one_object(text: str) -> dict[str, Any] | None:
    """The object that a text is as a whole, if it is one."""
    text = text.strip()
    if text[:1] != "{":
        return None
    try:
        # In JSON lines more comes after the first object, which is not looked at.
        found, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return found if end == len(text) else None


def _constant(word: str) -> float | None:
    """Words that JSON does not have: NaN is missing, infinity is what it says."""
    return None if word == "NaN" else float(word)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, if it gives every name once. Raises DataError."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, n in Counter(name for name, _ in pairs).items() if n > 1)
        raise DataError(f"An object in this file has {twice!r} twice: give every name one value.")
    return found


_DECODER = json.JSONDecoder(parse_constant=_constant, object_pairs_hook=_once)


def _checked(filename: str, where: str, record: Any) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise DataError(
            f'{filename!r}: {where} isn\'t an object such as {{"height": 171}}: write a name with '
            "every value."
        )
    return record


def _typed(values: list[Any]) -> pd.Series:
    """Whole numbers, numbers, true/false, or text; other kinds together are text."""
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return pd.Series(np.full(len(values), np.nan))
    if kinds == {bool}:
        return pd.Series(values, dtype="boolean")
    if kinds == {int} and all(v is None or -_LARGEST <= v < _LARGEST for v in values):
        return pd.Series(pd.array(values, dtype="Int64"))
    if kinds <= {int, float}:
        return pd.Series([np.nan if v is None else _as_float(v) for v in values])
    texts = [None if v is None else v if isinstance(v, str) else json.dumps(v) for v in values]
    whole = [None if t is None else t.encode("utf-8", "replace").decode() for t in texts]
    return pa.array(whole, pa.string()).to_pandas().astype("str")


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf
