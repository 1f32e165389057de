"""Columns of text become those of a table: which are numbers, of which unit, and what is open."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import zip_longest
from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from pages.ui.tables import cells
from pages.ui.tables.answers import Reading
from pages.ui.tables.decorated import (
    LESS,
    MORE,
    Limited,
    Undecorated,
    at_limits,
    limited,
    undecorated,
)
from pages.ui.tables.lines import Body, Head, Record, shown
from pages.ui.tables.table import DataError, Lines, Question, Table
from pages.ui.text import counted

AT_ONCE = 2  # columns
MARKS = {",": "comma", ".": "point"}
MOST_WORDS = 8  # in a sentence


class Framed(NamedTuple):
    """Columns with their types, what is to be said of them, and what they leave open.

    marks: the decimal marks met. words: columns of text, and the words there that count as missing.
    """

    frame: pd.DataFrame
    notes: list[str]
    marks: set[str]
    questions: tuple[Question, ...]
    units: tuple[str, ...]
    words: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def marks_in_words(self) -> str:
        """Which decimal marks were met; "" for none."""
        names = [f"decimal {word}" for mark, word in MARKS.items() if mark in self.marks]
        return " in some columns, ".join(names) + " in others" * (len(names) == 2)


class _Column(NamedTuple):
    """A column of text about to get its type: as it stands, and as numbers may be in it."""

    name: str
    written: pa.ChunkedArray
    first: cells.Shapes
    text: pa.ChunkedArray
    shape: cells.Shapes
    bare: Undecorated | None
    limited: Limited | None


def framed(
    filename: str,
    names: tuple[str, ...],
    columns: list[pa.ChunkedArray],
    reading: Reading,
    natives: Sequence[pa.ChunkedArray] = (),
    marks: Collection[str] = (),
    comma_usual: bool = False,
) -> Framed:
    """Text columns become a frame. Raises DataError where there are no rows.

    natives: for each column a mask of the cells that are numbers in the file itself; () for a file
    of texts. marks: decimal marks that other columns of the table show. comma_usual: whether cells
    are separated as where decimals have a comma.
    """
    if not columns or not len(columns[0]):
        if (reading.header, reading.first, reading.last) != (None, None, None):
            raise DataError(f"{filename!r} has no rows in the lines chosen: choose other lines.")
        raise DataError(f"{filename!r} has a header but no rows: add the rows and load it again.")
    answers = set(reading.answers)
    # Arrow works on a column apart from Python: on two processors in half the time.
    with ThreadPoolExecutor(AT_ONCE) as several:
        natives_or_none = natives or [None] * len(columns)
        prepared = list(several.map(partial(_prepared, answers), names, columns, natives_or_none))
    shown = cells.marks_shown([column.shape for column in prepared]) | {*marks}
    series, notes, met, questions, words = {}, [], set(), [], []
    with ThreadPoolExecutor(AT_ONCE) as several:
        found = list(several.map(partial(_typed_or_asked, shown, reading, comma_usual), prepared))
    for column, result in zip(prepared, found, strict=True):
        if isinstance(result, cells.Ambiguous):
            open_question = result
            values, mark, said = cells.as_text(column.written, column.first), "", ()
            about = (
                "limits"
                if column.limited and dict(open_question.choices).keys() & {"limit"}
                else "marks"
            )
            sentence, choices = str(open_question), open_question.choices
            questions.append(Question(column.name, about, sentence, choices))
        else:
            values, mark, said = result
        series[column.name] = values
        notes += said
        met |= {mark} - {""}
        if column.first.words and pd.api.types.is_string_dtype(values):
            words.append((column.name, tuple(word for word, _ in column.first.words)))
    notes += [*_with_units(prepared), *_count_as_missing(prepared)]
    units = tuple(column.bare.unit if column.bare else "" for column in prepared)
    return Framed(pd.DataFrame(series), notes, met, tuple(questions), units, tuple(words))


def _prepared(
    answers: set[str], name: str, column: pa.ChunkedArray, native: pa.ChunkedArray | None
) -> _Column:
    """answers: columns whose words for missing are none."""
    shape = cells.shapes(column, name in answers, native)
    if shape.others:
        bare = undecorated(shape)
        if bare and (of_bare := cells.shapes(bare.cells, native=native)).numeric:
            return _Column(name, column, shape, bare.cells, of_bare, bare, None)
        found = limited(shape)
        if found and (of_found := cells.shapes(found.cells, native=native)).numeric:
            return _Column(name, column, shape, found.cells, of_found, None, found)
    return _Column(name, column, shape, column, shape, None, None)


def _typed_or_asked(
    shown: set[str], reading: Reading, comma_usual: bool, column: _Column
) -> tuple[pd.Series, str, tuple[str, ...]] | cells.Ambiguous:
    try:
        return _typed(column, shown, reading, comma_usual)
    except cells.Ambiguous as question:
        return question


def _typed(
    column: _Column, shown: set[str], reading: Reading, comma_usual: bool
) -> tuple[pd.Series, str, tuple[str, ...]]:
    """Values, the decimal mark and what is to be said. Raises Ambiguous."""
    name, found = column.name, column.limited
    answer = dict(reading.limits).get(name, "")
    if found and not answer:
        raise cells.Ambiguous(*_beyond_limits(found))
    mark = dict(reading.marks).get(name, "")
    result = cells.typed(name, column.text, column.shape, shown, mark, comma_usual)
    notes = result.notes
    if column.bare and column.bare.negative:
        notes = (*notes, f"Numbers in brackets in {name!r} are below 0, as accountants write them.")
    if found is None:
        return result.values, result.mark, notes
    return (
        at_limits(result.values, found, answer),
        result.mark,
        (*notes, _told(name, found, answer)),
    )


def _beyond_limits(found: Limited) -> tuple[str, tuple[tuple[str, str], ...]]:
    """What is asked about cells such as "<0.5", and the answers."""
    n = int(found.below.sum() + found.above.sum()) + found.words
    samples = ", ".join(map(repr, found.samples))
    number = found.samples[0].lstrip(f"{LESS}{MORE}= ")
    half = "half of it" if found.below.any() else ""
    choices = [("missing", "missing"), ("limit", f"the limit: {number}"), ("half", half)]
    what = "cell that says" if n == 1 else "cells that say"
    return (
        f"has {n:,} {what} only that a value is beyond a limit ({samples}).",
        tuple((answer, meaning) for answer, meaning in choices if meaning),
    )


def _told(name: str, found: Limited, answer: str) -> str:
    n = int(found.below.sum() + found.above.sum())
    became = {"missing": "missing", "limit": "the limit", "half": "half of the limit"}[answer]
    if answer == "half" and found.above.any():
        became += " (above one: the limit)"
    words = f", {counted(found.words, 'cell')} without a number missing" if found.words else ""
    return (
        f"{counted(n, 'cell')} of {name!r} beyond a limit ({found.samples[0]!r}) became {became}"
        f"{words}: the model does not know of censoring."
    )


def _with_units(columns: Sequence[_Column]) -> list[str]:
    """Which columns have numbers with a unit in every cell."""
    found = [f"{c.name!r} ({c.bare.unit})" for c in columns if c.bare and c.bare.unit]
    if len(found) > MOST_WORDS:
        found[MOST_WORDS:] = [f"and {len(found) - MOST_WORDS:,} more"]
    return [f"Numbers with their unit in the cell: {', '.join(found)}."] if found else []


def _count_as_missing(columns: Sequence[_Column]) -> list[str]:
    """Which words count as missing, how often and where."""
    found = [(c.name, word, count) for c in columns for word, count in c.first.words]
    if not found:
        return []
    said = [
        f"{word!r} {counted(count, 'time')} in {name!r}" for name, word, count in found[:MOST_WORDS]
    ]
    if more := len(found) - len(said):
        said.append(f"and {more:,} more such words")
    return [f"Empty cells count as missing, and so do: {', '.join(said)}."]


def read_from(
    filename: str,
    made: Framed,
    parsing: Iterable[str],
    head: Head,
    above: Sequence[Record],
    body: Body,
) -> Table:
    """A table of lines, but for what names it."""
    pairs = zip_longest(head.units, made.units, fillvalue="")
    units = tuple(one or other for one, other in pairs)
    titles = zip(head.names, head.titles, strict=False)
    below = sorted((*body.totals, *body.notes))
    lines = Lines(
        head.line, head.lines, head.first, body.last, _beginnings(above), _beginnings(below)
    )
    return Table(
        filename,
        made.frame,
        tuple(parsing),
        "",
        units if any(units) else (),
        filename,
        questions=made.questions,
        titles=tuple((name, title) for name, title in titles if title),
        words=made.words,
        lines=lines,
        marks=tuple(sorted(made.marks)),
    )


def _beginnings(records: Sequence[Record]) -> tuple[tuple[int, str], ...]:
    return tuple((record.line, shown(record.cells)) for record in records)
