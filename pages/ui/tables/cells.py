"""Columns of text cells become columns of numbers, true/false or text, and never by a guess.

`1,5` is a number only where the comma can be nothing but a decimal mark; `1,234` only where the
rest of the table shows whether the comma is a decimal mark or a thousands separator.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

# What counts as a missing value, in any capitals.
MISSING = ("", "na", "n/a", "#n/a", "nan", "null", "?", ".")

_EXPONENT = r"([eE][+-]?[0-9]+)?"
_PLAIN = rf"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+){_EXPONENT}$"
_INTEGER = r"^[+-]?[0-9]+$"
_CODE = r"^[+-]?0[0-9]+$"
_INFINITE = r"(?i)^[+-]?inf(inity)?$"
# Groups of three digits, set apart by spaces or apostrophes: nothing else can be meant.
_SPACED = "^[+-]?[0-9]{1,3}([ '\u2019\u00a0\u202f\u2009][0-9]{3})+([.,][0-9]*)?$"
_SPACES = "[ '\u2019\u00a0\u202f\u2009]"
_COMMA = rf"^[+-]?[0-9]*,[0-9]+{_EXPONENT}$"
# One separator and three digits after it: a decimal mark or a thousands separator.
_POINT_OR_THOUSANDS = r"^[+-]?[1-9][0-9]{0,2}\.[0-9]{3}$"
_COMMA_OR_THOUSANDS = r"^[+-]?[1-9][0-9]{0,2},[0-9]{3}$"
_THOUSANDS_COMMA = r"^[+-]?[1-9][0-9]{0,2}((,[0-9]{3}){2,}(\.[0-9]*)?|(,[0-9]{3})+\.[0-9]*)$"
_THOUSANDS_POINT = r"^[+-]?[1-9][0-9]{0,2}((\.[0-9]{3}){2,}(,[0-9]*)?|(\.[0-9]{3})+,[0-9]*)$"

Cells = pa.ChunkedArray


class Ambiguous(Exception):
    """Numbers that can be read in two ways; str() is the sentence for the person."""


class Shapes(NamedTuple):
    """How many cells of a column are written in which way; `sample` holds one of each."""

    cells: Cells  # trimmed, spaces inside numbers removed
    missing: pa.ChunkedArray  # mask
    missing_words: int  # missing cells that aren't empty
    spaced: int
    codes: int  # whole numbers that begin with 0
    integers: int
    points: int  # 1.5: the point is a decimal mark
    either_point: int  # 1.234
    thousands_point: int  # 1.234,5
    commas: int  # 1,5: the comma is a decimal mark
    either_comma: int  # 1,234
    thousands_comma: int  # 1,234.5
    infinite: int
    others: int
    sample_point: str
    sample_comma: str

    @property
    def present(self) -> int:
        return len(self.cells) - _count(self.missing)

    @property
    def numeric(self) -> bool:
        return self.others == 0 and self.present > 0

    @property
    def shows_decimal_comma(self) -> bool:
        return bool(self.commas or self.thousands_point)

    @property
    def shows_decimal_point(self) -> bool:
        return bool(self.points or self.thousands_comma)


class Column(NamedTuple):
    """A finished column and what a person should know about how it was read."""

    values: pd.Series
    mark: str  # the decimal mark, "" if nothing in the column has one
    notes: tuple[str, ...]


def missing_mask(cells: Cells) -> pa.ChunkedArray:
    """Which cells (trimmed) stand for a missing value."""
    return pc.is_in(pc.utf8_lower(cells), value_set=pa.array(MISSING, pa.string()))


def is_number(cells: Cells) -> pa.ChunkedArray:
    """Which cells (trimmed) are numbers however they are written; missing ones are not."""
    mask = pc.match_substring_regex(cells, _PLAIN)
    for pattern in (_INFINITE, _SPACED, _COMMA, _THOUSANDS_COMMA, _THOUSANDS_POINT):
        mask = pc.or_(mask, pc.match_substring_regex(cells, pattern))
    return mask


def shapes(column: Cells) -> Shapes:
    """Count the ways in which the cells of a text column are written."""
    cells = pc.utf8_trim_whitespace(column)
    missing = missing_mask(cells)
    plain = pc.match_substring_regex(cells, _PLAIN)
    odd = pc.invert(pc.or_(plain, missing))
    spaced = 0
    if pc.any(odd).as_py():
        grouped = pc.and_(odd, pc.match_substring_regex(cells, _SPACED))
        spaced = _count(grouped)
        if spaced:
            joined = pc.replace_substring_regex(cells, _SPACES, "")
            cells = pc.if_else(grouped, joined, cells)
            plain = pc.or_(plain, pc.match_substring_regex(cells, _PLAIN))
            odd = pc.invert(pc.or_(plain, missing))
    numbers, rest = cells.filter(plain), cells.filter(odd)
    either_point = _matches(numbers, _POINT_OR_THOUSANDS)
    marked = _count(pc.match_substring(numbers, "."))
    counts = {
        "thousands_comma": len(_matches(rest, _THOUSANDS_COMMA)),
        "thousands_point": len(_matches(rest, _THOUSANDS_POINT)),
        "infinite": len(_matches(rest, _INFINITE)),
    }
    either_comma, commas = _matches(rest, _COMMA_OR_THOUSANDS), _matches(rest, _COMMA)
    return Shapes(
        cells,
        missing,
        missing_words=_count(pc.and_(missing, pc.not_equal(cells, ""))),
        spaced=spaced,
        codes=len(_matches(numbers, _CODE)),
        integers=len(_matches(numbers, _INTEGER)),
        points=marked - len(either_point),
        either_point=len(either_point),
        commas=len(commas) - len(either_comma),
        either_comma=len(either_comma),
        others=len(rest) - len(commas) - sum(counts.values()),
        sample_point=either_point[0].as_py() if len(either_point) else "",
        sample_comma=either_comma[0].as_py() if len(either_comma) else "",
        **counts,
    )


def marks_shown(table: list[Shapes]) -> set[str]:
    """The decimal marks that the numeric columns of a table leave no doubt about."""
    numeric = [shape for shape in table if shape.numeric]
    comma = any(shape.shows_decimal_comma for shape in numeric)
    point = any(shape.shows_decimal_point for shape in numeric)
    return {mark for mark, shown in ((",", comma), (".", point)) if shown}


def typed(name: str, column: Cells, shape: Shapes, marks: set[str]) -> Column:
    """The column as numbers if every cell is one, else as true/false or text.

    `marks` are the decimal marks shown anywhere in the table. Raises Ambiguous where they don't
    settle how a number is meant.
    """
    if not shape.numeric:
        return Column(_text_or_bool(column, shape), "", ())
    if shape.codes and shape.integers == shape.present:
        note = f"{name!r} holds codes that begin with 0, kept as text."
        return Column(_text(column, shape.missing), "", (note,))
    comma = _decimal_comma(name, shape, marks)
    cells, notes = shape.cells, []
    if shape.spaced:
        notes.append(f"Spaces or apostrophes inside the numbers of {name!r} separate thousands.")
    mark, separator = (",", ".") if comma else (".", ",")
    grouped = (
        shape.thousands_point + shape.either_point
        if comma
        else shape.thousands_comma + shape.either_comma
    )
    if grouped:
        what = "Points" if comma else "Commas"
        notes.append(f"{what} inside the numbers of {name!r} separate thousands.")
        cells = pc.replace_substring(cells, separator, "")
    if comma:
        cells = pc.replace_substring(cells, mark, ".")
    values, more = _numbers(name, cells, shape)
    has_mark = pc.any(pc.match_substring(cells, ".")).as_py()
    return Column(values, mark if has_mark else "", (*notes, *more))


def _decimal_comma(name: str, shape: Shapes, marks: set[str]) -> bool:
    """Whether the decimal mark of this column is a comma."""
    comma, point = shape.shows_decimal_comma, shape.shows_decimal_point
    if comma and point:
        raise Ambiguous(
            f"Column {name!r} has decimal commas in some rows and decimal points in others: "
            "write all its numbers the same way and load the table again."
        )
    if comma or point:
        return comma
    if shape.either_comma:
        if shape.either_point:
            sample = f"{shape.sample_comma} and {shape.sample_point}"
        elif len(marks) == 1:
            return marks == {","}
        else:
            sample = shape.sample_comma
    elif shape.either_point and "," in marks:
        sample = shape.sample_point
    else:
        return False
    raise Ambiguous(
        f"Column {name!r} has numbers such as {sample}, where the mark may be decimal or separate "
        "thousands: write them without thousands separators, with a decimal point, and load the "
        "table again."
    )


def _numbers(name: str, cells: Cells, shape: Shapes) -> tuple[pd.Series, list[str]]:
    """Numeric text, its decimal mark a point, as Int64 or float64."""
    cells = pc.if_else(shape.missing, pa.scalar(None, pa.string()), cells)
    if _count(pc.match_substring_regex(cells, _INTEGER)) == shape.present:
        try:
            plain = pc.replace_substring(cells, "+", "")
            return pc.cast(plain, pa.int64()).to_pandas(types_mapper=_nullable), []
        except pa.ArrowInvalid:
            return _floats(cells), [_inexact(name)]
    values = _floats(cells)
    notes = [_inexact(name)] if _loses_digits(cells, values) else []
    overflowed = int(np.isinf(values).sum()) - shape.infinite
    if overflowed:
        notes.append(_out_of_range(overflowed, name, "large to hold: infinite."))
    zero = pc.fill_null(pc.equal(pa.chunked_array([values.to_numpy()]), 0.0), False)
    small = len(_matches(cells.filter(zero), r"^[+-]?[0.]*[1-9]"))
    if small:
        notes.append(_out_of_range(small, name, "close to 0 to hold: set to 0."))
    return values, notes


def _loses_digits(cells: Cells, values: pd.Series) -> bool:
    """Whether a whole number among others is too long for double precision to hold."""
    long = pc.fill_null(pa.chunked_array([np.abs(values.to_numpy()) >= 2**53]), False)
    whole = _matches(cells.filter(long), r"^[+-]?[0-9]+(\.0*)?$").to_pylist()
    return any(int(cell.partition(".")[0]) != int(float(cell)) for cell in whole if len(cell) < 300)


def _inexact(name: str) -> str:
    return f"{name!r} holds whole numbers too long to be exact: rounded to 16 digits."


def _floats(cells: Cells) -> pd.Series:
    # Arrow rounds correctly, as Python's float() does, at ten times the speed.
    values = pc.cast(cells, pa.float64()).to_numpy()
    return pd.Series(np.array(values, dtype=float))


def _nullable(kind: pa.DataType) -> pd.Int64Dtype | None:
    return pd.Int64Dtype() if kind == pa.int64() else None


def _text_or_bool(column: Cells, shape: Shapes) -> pd.Series:
    present = shape.cells.filter(pc.invert(shape.missing))
    truths = pc.match_substring_regex(present, r"(?i)^(true|false)$")
    if len(present) and pc.all(truths).as_py():
        cells = pc.if_else(shape.missing, pa.scalar(None, pa.string()), pc.utf8_lower(shape.cells))
        return pd.Series(pc.equal(cells, "true").to_pandas(), dtype="boolean")
    if not len(present):
        return pd.Series(np.full(len(column), np.nan))
    return _text(column, shape.missing)


def _text(column: Cells, missing: pa.ChunkedArray) -> pd.Series:
    return pc.if_else(missing, pa.scalar(None, pa.string()), column).to_pandas()


def _matches(cells: Cells, pattern: str) -> Cells:
    return cells.filter(pc.match_substring_regex(cells, pattern))


def _count(mask: pa.ChunkedArray) -> int:
    return pc.sum(mask).as_py() or 0


def _out_of_range(count: int, name: str, what: str) -> str:
    subject = "1 number" if count == 1 else f"{count:,} numbers"
    return f"{subject} of {name!r} {'is' if count == 1 else 'are'} too {what}"
