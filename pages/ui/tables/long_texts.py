"""No text of a table is longer than a page can say many times over.

A cell, a level, what a column or a code is in words: each is shown in lists, tables, pictures and
on hover, once for every row or cell that has it, while a file may hold it once.
"""

from __future__ import annotations

from typing import Any

from pages.ui.tables.table import Table
from pages.ui.text import counted

LONGEST_TEXT = 10_000  # characters
_ABOUT = ("parsing", "units", "titles", "value_labels", "missing_codes", "sheets", "sheet")


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
    about["parsing"] = (*about["parsing"], *said)
    return table._replace(frame=table.frame.assign(**changed) if changed else table.frame, **about)


def _cut(value: Any) -> Any:
    """Text, or tuples of it."""
    return tuple(map(_cut, value)) if isinstance(value, tuple) else value[:LONGEST_TEXT]
