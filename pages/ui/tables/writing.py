"""Results joined to the rows they are of, and written so that no spreadsheet program runs them."""

import html
import io
import re
from collections.abc import Callable, Container, Mapping

import numpy as np
import pandas as pd

from pages.ui.tables.cells_again import texts_of
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from pages.ui.tables.titles import titles_in
from pages.ui.text import cell

# The first column of results: of which half-step they are. Rows that were not used have none.
HALF_STEP = "half-step"


def join_results(
    table: Table, selection: Selection, results: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """All rows of the table with further columns; the rows left out have empty cells there.

    results: for each new column (N,) text or numbers of the selected rows. Columns whose cells were
    changed after they were read stand at the end as they were.
    """
    frame = table.frame.copy()
    for name, values in results.items():
        if np.issubdtype(np.asarray(values).dtype, np.number):
            column = np.full(len(frame), np.nan)
            column[selection.rows] = values
            frame[free_name(name, frame)] = column
        else:
            column = np.full(len(frame), None, dtype=object)
            column[selection.rows] = values
            frame[free_name(name, frame)] = pd.Series(column, index=frame.index, dtype="str")
    for name in _changed(table):
        assert table.as_read is not None, "it has columns"
        frame[free_name(f"{name} as read", frame)] = table.as_read[name]
    return frame


def _changed(table: Table) -> list[str]:
    """The columns whose cells are others than those that were read, row by row."""
    if table.as_read is None or len(table.as_read) != len(table.frame):
        return []
    both = ((name, table.as_read[name], table.frame.get(name)) for name in table.as_read)
    return [
        name
        for name, before, now in both
        if now is not None and not before.equals(now) and not texts_of(before).equals(texts_of(now))
    ]


def free_name(name: str, frame: Container[str]) -> str:
    """A name for a further column: this one, with a number where there is one already."""
    number, free = 2, name
    while free in frame:
        free, number = f"{name} ({number})", number + 1
    return free


# What a spreadsheet program may take for a formula, wide forms included. Apostrophes before it
# count: one more of them is always taken away again.
_FORMULA = re.compile("'*([=+\\-@\uff1d\uff0b\uff0d\uff20\t\r\n\x00]|\\s+[=+\\-@])")


def to_csv_bytes(frame: pd.DataFrame) -> bytes:
    """The frame as CSV in UTF-8: no cell or header runs as a formula, every number exact.

    Numbers are written with as many digits as it takes to read the same double back.
    """
    # Lines end as RFC 4180 has it; it also makes the writer quote a lone carriage return.
    return _defused(frame).to_csv(index=False, lineterminator="\r\n").encode()


def to_parquet_bytes(frame: pd.DataFrame) -> bytes:
    """The frame as Parquet, as harmless to a spreadsheet program as the CSV."""
    buffer = io.BytesIO()
    _defused(frame).to_parquet(buffer, index=False)
    return buffer.getvalue()


def from_parquet_bytes(content: bytes) -> pd.DataFrame:
    """The frame that `to_parquet_bytes` wrote, cell by cell."""
    return _with_texts(pd.read_parquet(io.BytesIO(content)), as_it_was)


def _defused(frame: pd.DataFrame) -> pd.DataFrame:
    """Text that a spreadsheet program may take for a formula gets a leading apostrophe."""
    return _with_texts(frame, harmless)


def _with_texts(frame: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """The frame with every text in it changed, the names of its columns too."""
    changed = {}
    for position in range(frame.shape[1]):
        column = frame.iloc[:, position]
        if pd.api.types.is_string_dtype(column):
            column = column.astype(object).map(change, na_action="ignore").astype("str")
        changed[position] = column
    result = pd.DataFrame(changed)
    result.columns = list(map(change, frame.columns))
    return result


def harmless(text: str) -> str:
    """A cell or a header of a download, so that no spreadsheet program runs it."""
    return "'" + text if _FORMULA.match(text) else text


def as_it_was(text: str) -> str:
    """What `harmless` made this of."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def as_html(frame: pd.DataFrame, caption: str, index: bool, titles: Mapping[str, str] = {}) -> str:
    """A table of numbers and names as HTML, under its caption. titles: what columns that are named
    at the head of a line or a column are in words, told on hover."""

    def named(name: object, scope: str) -> str:
        words = " \n".join(titles_in(str(name), titles))
        told = f' title="{html.escape(words)}"' if words else ""
        return f'<th scope="{scope}"{told}>{cell(str(name))}</th>'

    head = "".join(named(name, "col") for name in frame.columns)
    lines = []
    for name, *values in frame.itertuples(name=None):
        first = named(name, "row") if index else ""
        lines.append(f"<tr>{first}{''.join(f'<td>{cell(value)}</td>' for value in values)}</tr>")
    return (
        # Wide tables scroll, so the keyboard must reach them.
        f'<div class="table" tabindex="0" role="group" aria-label="{html.escape(caption)}">'
        f"<table><caption>{cell(caption)}</caption>"
        f"<thead><tr>{'<td></td>' if index else ''}{head}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )
