"""The lines of a file that hold a table: those above its rows, the rows, and those below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from pages.ui.tables import cells
from pages.ui.tables.decorated import is_decorated
from pages.ui.text import counted

MOST_SHOWN = 120  # characters of a line
SAMPLE_COLUMNS = 1_000


class Record(NamedTuple):
    """The cells of a line, or of several if they are quoted; their numbers from 1."""

    line: int
    cells: list[str]
    end: int


class Head(NamedTuple):
    """What stands above the rows of a table.

    line: the first line of names, 0 without; lines: how many there are. first: the line from which
    rows are looked for. titles, units: by column, or () for none. unnamed: places of the columns
    without a name of their own.
    """

    line: int
    lines: int
    first: int
    names: tuple[str, ...]
    titles: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unnamed: tuple[int, ...] = ()

    @property
    def begins(self) -> int:
        """The line where the table begins."""
        return self.line or self.first

    @property
    def sentence(self) -> str:
        if not self.line:
            return "No column names found: the first line is read as data."
        if self.lines > 1:
            last = self.line + self.lines - 1
            count = {2: "two", 3: "three"}.get(self.lines, str(self.lines))
            return (
                f"Lines {self.line:,} to {last:,} are {count} header lines: names, and what they "
                "stand for."
            )
        if self.line == 1:
            return "The first line holds the column names."
        return f"Line {self.line:,} holds the column names."


class Body(NamedTuple):
    """The cells below the names as text columns; where they end, and what stands below.

    blank, repeats, comments: how many lines are left out as they are blank, names once more, or
    comments. last: the line of the last row.
    """

    columns: list[pa.ChunkedArray]
    blank: int
    last: int
    totals: tuple[Record, ...] = ()
    notes: tuple[Record, ...] = ()
    repeats: int = 0
    comments: int = 0


def is_comment(row: list[str]) -> bool:
    """Whether a line begins with the sign of a comment; an error of a spreadsheet is none."""
    text = row[0].strip() if row else ""
    return text.startswith("#") and text.lower() not in cells.MISSING


def filled(row: list[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def usual_width(rows: Sequence[list[str]]) -> int:
    """The length of the header, or one more if that is what (nearly) all the other rows have."""
    header = len(rows[0])
    lengths = Counter(len(row) for row in rows[1:])
    if lengths and lengths[header] == 0 and set(lengths) == {header + 1}:
        return header + 1
    return header


def first_text(row: list[str]) -> tuple[int, str]:
    """The first cell of a row that is not blank, and its column."""
    return next((j, cell) for j, cell in enumerate(row) if cell.strip())


def told(head: Head, above: Sequence[Record], body: Body) -> list[str]:
    """Which lines are no rows, in sentences."""
    sentences = []
    if above:
        verb = "is" if len(above) == 1 else "are"
        sentences.append(f"{counted(len(above), 'line')} above the names {verb} not read.")
    sentences += [head.sentence, *head.notes]
    if body.repeats:
        verb = "is" if body.repeats == 1 else "are"
        sentences.append(f"{counted(body.repeats, 'line')} of the same names {verb} not read.")
    if body.comments:
        verb = "is" if body.comments == 1 else "are"
        sentences.append(
            f"{counted(body.comments, 'line')} of comments between the rows {verb} not read."
        )
    for record in body.totals:
        word = shown(first_text(record.cells)[1:])
        sentences.append(f"Line {record.line:,}, {word!r}, sums up the rows above: not read.")
    if body.notes:
        verb = "is" if len(body.notes) == 1 else "are"
        sentences.append(
            f"{counted(len(body.notes), 'line')} of notes below the rows {verb} not read."
        )
    return sentences


def shown(row: Sequence[str]) -> str:
    """A line that is not read, as a person may know it again."""
    text = "  ".join(filter(None, (" ".join(cell.split()) for cell in row)))
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"


def numeric_columns(rows: list[list[str]]) -> list[bool]:
    """Which columns hold numbers, as far as a sample of the columns goes."""
    body = rows[1:] or rows
    return [column_is_numeric(body, j) for j in range(min(usual_width(rows), SAMPLE_COLUMNS))]


def column_is_numeric(body: list[list[str]], position: int) -> bool:
    column = [row[position].strip() for row in body if position < len(row)]
    present = [cell for cell in column if cell.lower() not in cells.MISSING]
    if not present:
        return False
    numbers = zip(present, are_numbers(present), strict=True)
    return all(number or is_decorated(cell) for cell, number in numbers)


def are_numbers(texts: list[str]) -> list[bool]:
    return cells.is_number(pa.chunked_array([texts], pa.string())).to_pylist()
