"""Nothing that a table says is longer than a page can say many times over.

A cell, a level, what a column or a code is in words: each is shown in lists, tables, pictures and
on hover, once for every row or cell that has it, while a file may hold it once.
"""

from __future__ import annotations

import itertools
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pages.ui.tables.table import (
    MAX_BYTES,
    DataError,
    Table,
    most_unpacked,
    too_large,
    with_columns,
)
from pages.ui.text import counted

MOST_NAMED = 5
LONGEST_TEXT = 10_000  # characters
LONGEST_FILE_NAME = 300  # of a file
LONGEST_TITLE = 1_000  # of what a column, a unit or a code is in words
LEAST = 10  # characters that each is counted as, besides its own
MOST_FACTS = 200_000  # characters, of how a table was read
MOST_LABELS = 1_000_000  # characters, of what all codes are in words
_ABOUT = ("units", "titles", "value_labels", "missing_codes", "sheets", "sheet")


def check_text(filename: str, table: Table, packed: int) -> None:
    """Raise DataError where the texts of a table are more than the largest text file has, or out of
    all proportion to the file of so many bytes."""
    size = 0
    for name in table.frame.select_dtypes("str"):
        texts = pa.array(table.frame[name], pa.large_string(), from_pandas=True)
        size += pc.sum(pc.binary_length(texts)).as_py() or 0
    check_text_size(filename, size, packed)


def check_text_size(filename: str, size: int, packed: int) -> None:
    """The same of so many bytes, or of characters, each of which is one at least."""
    if size > most_unpacked(packed):
        raise too_large(filename, size)
    if size > MAX_BYTES:
        raise DataError(
            f"{filename!r} holds {size / 1e6:,.0f} MB of text and the limit is "
            f"{MAX_BYTES / 1e6:,.0f} MB: leave out columns of text, or load fewer rows."
        )


def without_long_texts(table: Table) -> Table:
    """The table with its longer texts cut, which is said of those in its cells."""
    changed, said = {}, []
    for name in table.frame.select_dtypes("str"):
        column = table.frame[name]
        n = int((column.str.len() > LONGEST_TEXT).sum())
        if n:
            changed[name] = column.str.slice(0, LONGEST_TEXT)
            longer = f"{counted(n, 'text')} of more than {LONGEST_TEXT:,} characters"
            said.append(f"{longer} in {name!r}: cut to so many.")
    about = {field: _cut(getattr(table, field)) for field in _ABOUT}
    about["value_labels"], without = _few_labels(about["value_labels"])
    about["parsing"] = (*_few(table.parsing), *_few((*without, *said)))
    about["name"] = table.name[:LONGEST_FILE_NAME]
    return table._replace(frame=with_columns(table.frame, changed), **about)


def _few(facts: tuple[str, ...]) -> tuple[str, ...]:
    """As many as can be read, and how many more there are."""
    facts = tuple(fact[:LONGEST_TEXT] for fact in facts)
    ends = itertools.accumulate(LEAST + len(fact) for fact in facts)
    n = sum(end <= MOST_FACTS for end in ends)
    return facts if n == len(facts) else (*facts[:n], f"And {len(facts) - n:,} more.")


def _few_labels(labels: tuple) -> tuple[tuple, list[str]]:
    """Those of columns with not too many, and a sentence on the others."""
    kept, left_out, n = [], [], 0
    for column, found in labels:
        length = sum(LEAST + len(code) + len(label) for code, label in found)
        if n + length > MOST_LABELS:
            left_out.append(repr(column))
            continue
        n += length
        kept.append((column, found))
    if not left_out:
        return labels, []
    more = " and more" if len(left_out) > MOST_NAMED else ""
    named = ", ".join(left_out[:MOST_NAMED]) + more
    said = f"More than {MOST_LABELS:,} characters of value labels: not kept for {named}."
    return tuple(kept), [said]


def _cut(value: Any) -> Any:
    """Text, or tuples of it."""
    return tuple(map(_cut, value)) if isinstance(value, tuple) else value[:LONGEST_TITLE]
