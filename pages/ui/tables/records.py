"""The records of a text: its lines split into cells."""

import csv
import re
from collections.abc import Iterator
from itertools import islice

from pages.ui.tables.lines import Record

SPACES = " "  # for any run of blanks
RECORD_CHARACTERS = 1_000_000
_LINE = re.compile(r"(?!\Z)[^\r\n]*+(?:\r\n|\r|\n|\Z)")
_WORD = re.compile(r'"((?:[^"]|"")*)"|(\S+)')


class Malformed(Exception):
    """Text that is not a table; str() is a clause for the person, naming the line."""


class Unended(Malformed):
    """A quote that is open where the text ends."""


def offset(text: str, line: int) -> int:
    """Where in a text a line begins; its end where there is none."""
    if line <= 1:
        return 0
    ends = islice(_LINE.finditer(text), line - 2, line - 1)
    return next((found.end() for found in ends), len(text))


def records_of(text: str, separator: str, padded: bool, begins: int = 1) -> Iterator[Record]:
    """The records of a text whose first line has this number, each with those of its lines."""
    lines = _Lines(text)
    if separator == SPACES:
        for number, line in enumerate(lines, start=begins):
            lines.record_ended()
            yield Record(number, _words(line), number)
        return
    # A single column has quotes and line breaks too: a separator that can't occur.
    reader = csv.reader(
        lines,
        delimiter=separator or "\x1f",
        skipinitialspace=padded,
        strict=True,
    )
    try:
        before = begins - 1
        for row in reader:
            lines.record_ended()
            end = before + reader.line_num
            yield Record(begins, row, end)
            begins = end + 1
    except csv.Error as error:
        if "field larger" in str(error):
            problem = "has a cell of more than 131,072 characters, or a quote that never ends"
        elif "unexpected end" in str(error):
            problem = "opens a quote that never ends"
        else:
            problem = "has text after a closing quote"
        kind = Unended if "unexpected end" in str(error) else Malformed
        raise kind(
            f"line {reader.line_num:,} {problem}: correct the quotes and load the table again."
        ) from None


class _Lines:
    """The lines of a text with their ends, one at a time: none may be so long that its cells alone
    would fill the memory, nor may the lines that one record takes."""

    def __init__(self, text: str):
        self._ends = _LINE.finditer(text)
        self._number = 0
        self._open = 0  # characters of the record that has not ended

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        found = next(self._ends)
        self._number += 1
        self._open += found.end() - found.start()
        if self._open > RECORD_CHARACTERS:
            raise Malformed(
                f"the row at line {self._number:,} has more than {RECORD_CHARACTERS:,} "
                "characters: put every row on a line of its own, end every quote, and load the "
                "table again."
            )
        return found[0]

    def record_ended(self) -> None:
        self._open = 0


def _words(line: str) -> list[str]:
    return [
        quoted.replace('""', '"') if quoted or not bare else bare
        for quoted, bare in _WORD.findall(line)
    ]
