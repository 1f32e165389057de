"""Columns of text cells become columns of numbers, true/false or text, and never by a guess.

`1,5` is a number only where the comma can be nothing but a decimal mark; `1,234` only where the
rest of the table shows whether the comma is a decimal mark or a thousands separator.
"""

from string import ascii_lowercase
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pages.ui.text import number

# What counts as a missing value, in any capitals: also what spreadsheets write where a formula has
# no result, and Stata and SAS for kinds of missing values.
MISSING = (
    *("", "na", "n/a", "nan", "null", "?"),
    *("#n/a", "#div/0!", "#name?", "#null!", "#num!", "#ref!", "#value!"),
    *(".", *(f".{letter}" for letter in ascii_lowercase)),
)

_EXPONENT = r"([eE][+-]?[0-9]+)?"
_PLAIN = rf"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+){_EXPONENT}$"
_INTEGER = r"^[+-]?[0-9]+$"
_CODE = rf"^[+-]?0[0-9]+{_EXPONENT}$"
_PADDED = r"^[+-]?0[0-9]+\."
_INFINITE = r"^[+-]?(?i:inf(inity)?)$"
EXACT = 2**53  # whole numbers up to here are doubles, too
_MOST = 5  # groups of digits behind the first; more of them are a list
# Groups of three digits, set apart by spaces or apostrophes: nothing else can be meant.
_SPACED = f"^[+-]?[0-9]{{1,3}}([ '\u2019\u00a0\u202f\u2009][0-9]{{3}}){{1,{_MOST}}}([.,][0-9]*)?$"
_SPACES = "[ '\u2019\u00a0\u202f\u2009]"
# As typesetters write it, and as programs make it of a hyphen, before a number.
DASHES = "\u2212\u2010\u2011\u2013\ufe63\uff0d"
_MINUS = f"^[{DASHES}]([0-9.,])"
_COMMA = rf"^[+-]?[0-9]*,[0-9]+{_EXPONENT}$"
# One separator and three digits after it: a decimal mark or a thousands separator.
_POINT_OR_THOUSANDS = r"^[+-]?[1-9][0-9]{0,2}\.[0-9]{3}$"
_COMMA_OR_THOUSANDS = r"^[+-]?[1-9][0-9]{0,2},[0-9]{3}$"
_MILLIONS = rf"^[+-]?[1-9][0-9]{{0,2}}(,[0-9]{{3}}){{2,{_MOST}}}(\.[0-9]*)?$"
# As in India: thousands, and groups of two digits before them.
_LAKHS = rf"^[+-]?[1-9][0-9]?(,[0-9]{{2}}){{1,{_MOST}}},[0-9]{{3}}(\.[0-9]*)?$"
_THOUSANDS_COMMA = rf"{_MILLIONS}|{_LAKHS}|^[+-]?[1-9][0-9]{{0,2}},[0-9]{{3}}\.[0-9]*$"
_THOUSANDS_POINT = (
    rf"^[+-]?[1-9][0-9]{{0,2}}((\.[0-9]{{3}}){{2,{_MOST}}}(,[0-9]*)?|\.[0-9]{{3}},[0-9]*)$"
)
# One pass over the cells takes a fifth of the time of one for each.
_ANY = "|".join((_PLAIN, _INFINITE, _SPACED, _COMMA, _THOUSANDS_COMMA, _THOUSANDS_POINT))
_LONGEST_EITHER = len("+123.456")
_LOOKED_AT = 50  # cells, by which most columns of text are told

Cells = pa.ChunkedArray


class Ambiguous(Exception):
    """Numbers that can be read in two ways; str() is the question for the person.

    choices: decimal marks, and what each makes of a number met.
    """

    def __init__(self, question: str, choices: tuple[tuple[str, str], ...]):
        super().__init__(question)
        self.choices = choices


class Shapes(NamedTuple):
    """How many cells of a column are written in which way; `sample` holds one of each.

    Where one of the first is no number, only that is said, for then it does not matter how the
    numbers are written.
    """

    cells: Cells  # trimmed, spaces inside numbers removed
    missing: pa.ChunkedArray  # mask
    words: tuple[tuple[str, int], ...]  # what missing cells hold that aren't empty, and how often
    spaced: int
    whole: bool  # all that are there are whole numbers, without a mark
    codes: int  # those that begin with 0, without a mark or where it tells two of one value apart
    padded: str  # one of the others that begin with 0, such as 01.25; "" for none
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
    # Mask of the cells that are numbers in the file itself: not counted above, for they say nothing
    # of how a person types. None for a file of texts.
    native: pa.ChunkedArray | None

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
    return pc.match_substring_regex(_with_usual_minus(cells), _ANY)


def _with_usual_minus(cells: Cells) -> Cells:
    return pc.replace_substring_regex(cells, _MINUS, r"-\1")


def shapes(
    column: Cells, words_are_answers: bool = False, native: pa.ChunkedArray | None = None
) -> Shapes:
    """Count the ways in which the cells of a text column are written; `native` as in Shapes."""
    cells = pc.utf8_trim_whitespace(column)
    plain = pc.match_substring_regex(cells, _PLAIN)
    if pc.all(plain).as_py():
        return _counted(
            cells, pc.invert(plain), cells, _of_texts(cells, native), cells.slice(0, 0), native
        )
    missing = pc.equal(cells, "") if words_are_answers else missing_mask(cells)
    odd = pc.invert(pc.or_(plain, missing))
    rest = cells.filter(odd)
    if pc.any(pc.match_substring_regex(rest, _MINUS)).as_py():
        return shapes(_with_usual_minus(cells), words_are_answers, native)
    if pc.all(is_number(rest.slice(0, _LOOKED_AT))).as_py() is False:
        none = rest.slice(0, 0)
        return _counted(cells, missing, none, none, rest.slice(0, _LOOKED_AT), native)
    spaced = len(_matches(rest, _SPACED))
    if spaced:
        grouped = pc.and_(odd, pc.match_substring_regex(cells, _SPACED))
        joined = pc.replace_substring_regex(cells, _SPACES, "")
        cells = pc.if_else(grouped, joined, cells)
        plain = pc.or_(plain, pc.match_substring_regex(cells, _PLAIN))
        rest = cells.filter(pc.invert(pc.or_(plain, missing)))
    of_texts = _of_texts(cells, native).filter(plain)
    return _counted(cells, missing, cells.filter(plain), of_texts, rest, native, spaced)


def _of_texts(cells: Cells, native: pa.ChunkedArray | None) -> Cells:
    """The cells with nothing in those that are numbers in the file itself."""
    return cells if native is None else pc.if_else(native, "", cells)


def _counted(
    cells: Cells,
    missing: pa.ChunkedArray,
    numbers: Cells,
    of_texts: Cells,
    rest: Cells,
    native: pa.ChunkedArray | None,
    spaced: int = 0,
) -> Shapes:
    """numbers: the plain ones among the cells; of_texts: these with nothing for those that are
    numbers in the file itself. rest: the others that are there."""
    place = pc.find_substring(of_texts, ".")
    marked = _count(pc.greater_equal(place, 0))
    either_point = of_texts.slice(0, 0)
    if marked:
        length = pc.binary_length(of_texts)
        three_after = pc.equal(pc.subtract(length, place), len(".123"))
        short = pc.less_equal(length, _LONGEST_EITHER)
        either_point = _matches(of_texts.filter(pc.and_(three_after, short)), _POINT_OR_THOUSANDS)
    whole = not marked and not len(rest) and len(_matches(numbers, _INTEGER)) == len(numbers)
    padded = _matches(of_texts, _PADDED) if marked else numbers.slice(0, 0)
    codes = 0 if marked or len(rest) else len(_matches(of_texts, _CODE))
    if len(padded) and not len(rest) and _tell_apart(of_texts):
        codes += len(padded)
    # Of two ways to group digits in one column neither can be relied on.
    two_ways = len(_matches(rest, _LAKHS)) and len(_matches(rest, _MILLIONS))
    counts = {
        "thousands_comma": 0 if two_ways else len(_matches(rest, _THOUSANDS_COMMA)),
        "thousands_point": len(_matches(rest, _THOUSANDS_POINT)),
        "infinite": len(_matches(rest, _INFINITE)),
    }
    either_comma, commas = _matches(rest, _COMMA_OR_THOUSANDS), _matches(rest, _COMMA)
    return Shapes(
        cells,
        missing,
        words=_words(cells, missing),
        spaced=spaced,
        whole=whole,
        codes=codes,
        padded=padded[0].as_py() if len(padded) and not codes else "",
        points=marked - len(either_point),
        either_point=len(either_point),
        commas=len(commas) - len(either_comma),
        either_comma=len(either_comma),
        others=len(rest) - len(commas) - sum(counts.values()),
        sample_point=either_point[0].as_py() if len(either_point) else "",
        sample_comma=either_comma[0].as_py() if len(either_comma) else "",
        native=native,
        **counts,
    )


def _tell_apart(numbers: Cells) -> bool:
    """Whether two of the numbers have one value and are written differently, as 01.1 and 01.10."""
    written = pc.unique(numbers.filter(pc.not_equal(numbers, "")))
    return len(pc.unique(pc.cast(written, pa.float64()))) < len(written)


def _words(cells: Cells, missing: pa.ChunkedArray) -> tuple[tuple[str, int], ...]:
    if not pc.any(missing).as_py():
        return ()
    words = cells.filter(pc.and_(missing, pc.not_equal(cells, "")))
    counts = pc.value_counts(words).to_pylist()
    return tuple((found["values"], found["counts"]) for found in counts)


def marks_shown(table: list[Shapes]) -> set[str]:
    """The decimal marks that the numeric columns of a table leave no doubt about."""
    numeric = [shape for shape in table if shape.numeric]
    comma = any(shape.shows_decimal_comma for shape in numeric)
    point = any(shape.shows_decimal_point for shape in numeric)
    return {mark for mark, shown in ((",", comma), (".", point)) if shown}


def typed(
    name: str,
    column: Cells,
    shape: Shapes,
    marks: set[str],
    given: str = "",
    comma_usual: bool = False,
) -> Column:
    """The column as numbers if every cell is one, else as true/false or text.

    `marks` are the decimal marks shown anywhere in the table; `given` is that of this column as a
    person has said, "both" for either; `comma_usual`: whether the file is written as where decimals
    have a comma. Raises Ambiguous where nothing settles how a number is
    meant.
    """
    if not shape.numeric:
        return Column(_text_or_bool(column, shape), "", ())
    if shape.codes:
        note = f"{name!r} holds codes that begin with 0, kept as text."
        return Column(_text(column, shape.missing), "", (note,))
    mark = given if _may_be(given, shape) else _decimal_mark(shape, marks, comma_usual)
    cells = texts = _of_texts(shape.cells, shape.native)
    notes = []
    if shape.spaced:
        notes.append(f"Spaces or apostrophes inside the numbers of {name!r} separate thousands.")
    if shape.padded:
        notes.append(f"Numbers of {name!r} begin with 0, as {shape.padded!r}: read as numbers.")
    if mark == "both":
        notes.append(f"Commas and points in {name!r} are both decimal marks.")
    points, commas = shape.either_point * (mark == ","), shape.either_comma * (mark == ".")
    for separator, what, pattern, found in (
        (".", "Points", _THOUSANDS_POINT, shape.thousands_point + points),
        (",", "Commas", _THOUSANDS_COMMA, shape.thousands_comma + commas),
    ):
        if found:
            notes.append(f"{what} inside the numbers of {name!r} separate thousands.")
            joined = pc.replace_substring(cells, separator, "")
            if mark == "both":
                joined = pc.if_else(pc.match_substring_regex(cells, pattern), joined, cells)
            cells = joined
    if cells is texts and not (shape.commas or shape.either_comma):
        cells, whole = shape.cells, shape.whole
        has_mark = bool(shape.points or shape.either_point)
    else:
        cells = pc.replace_substring(cells, ",", ".")
        has_mark = pc.any(pc.match_substring(cells, ".")).as_py()
        if shape.native is not None:
            cells = pc.if_else(shape.native, shape.cells, cells)
        whole = _count(pc.match_substring_regex(cells, _INTEGER)) == shape.present
    values, more = _numbers(name, cells, shape, whole)
    return Column(values, ("," if mark == "," else ".") if has_mark else "", (*notes, *more))


def as_text(column: Cells, shape: Shapes) -> pd.Series:
    """The column as it stands, without the cells that are missing."""
    return _text(column, shape.missing)


def _may_be(given: str, shape: Shapes) -> bool:
    """Whether what a person said of the decimal mark can be so; "" is nothing said."""
    if given == "both":
        return True
    other = shape.shows_decimal_point if given == "," else shape.shows_decimal_comma
    return bool(given) and not other


def _decimal_mark(shape: Shapes, marks: set[str], comma_usual: bool) -> str:
    """The decimal mark of a column of numbers. Raises Ambiguous where it may be either."""
    comma, point = shape.shows_decimal_comma, shape.shows_decimal_point
    if comma and point:
        raise Ambiguous(
            "has decimal commas in some rows and decimal points in others: thousands, or decimals?",
            (("both", "both are decimal marks"),),
        )
    if comma or point:
        return "," if comma else "."
    samples = [shape.sample_comma] * bool(shape.either_comma)
    samples += [shape.sample_point] * bool(shape.either_point)
    if not samples or (len(samples) == 1 and (mark := _settled(shape, marks, comma_usual))):
        return mark if samples else "."
    said = " and ".join(samples)
    raise Ambiguous(
        f"has numbers such as {said}: decimals, or thousands?",
        tuple(
            (mark, ", ".join(f"{sample} is {_meant(sample, mark)}" for sample in samples))
            for mark in (".", ",")
        ),
    )


def _settled(shape: Shapes, marks: set[str], comma_usual: bool) -> str:
    """The decimal mark of numbers such as 1,234 or 1.234 by those of other columns; "" if open."""
    if shape.either_comma:
        return next(iter(marks)) if len(marks) == 1 else ""
    # Where the point is the decimal mark, a spreadsheet makes a number of what is typed so.
    if (comma_usual or shape.native is not None) and not marks:
        return ""
    return "" if "," in marks else "."


def _meant(sample: str, mark: str) -> str:
    """What a number is where this is the decimal mark, as people read numbers."""
    plain = sample.replace("." if mark == "," else ",", "").replace(",", ".")
    return number(float(plain), 6) if "." in plain else number(int(plain))


def _numbers(name: str, cells: Cells, shape: Shapes, whole: bool) -> tuple[pd.Series, list[str]]:
    """Numeric text, its decimal mark a point, as Int64 or float64. whole: all are whole numbers."""
    if shape.present < len(cells):
        cells = pc.if_else(shape.missing, pa.scalar(None, pa.string()), cells)
    if whole:
        try:
            plain = pc.replace_substring(cells, "+", "")
            return pc.cast(plain, pa.int64()).to_pandas(types_mapper=_nullable), []
        except pa.ArrowInvalid:
            return _floats(cells), [inexact(name)]
    values = _floats(cells)
    numbers = values.to_numpy()
    notes = [inexact(name)] if _loses_digits(cells, numbers) else []
    overflowed = int(np.isinf(numbers).sum()) - shape.infinite
    if overflowed:
        notes.append(_out_of_range(overflowed, name, "large to hold: infinite."))
    zero = cells.filter(pa.chunked_array([numbers == 0]))
    small = len(_matches(zero, r"^[+-]?[0.]*[1-9]"))
    if small:
        notes.append(_out_of_range(small, name, "close to 0 to hold: set to 0."))
    return values, notes


def _loses_digits(cells: Cells, values: np.ndarray) -> bool:
    """Whether a whole number among others is too long for double precision to hold."""
    long = pa.chunked_array([np.abs(values) >= EXACT])
    whole = _matches(cells.filter(long), r"^[+-]?[0-9]+(\.0*)?$").to_pylist()
    return any(int(cell.partition(".")[0]) != int(float(cell)) for cell in whole if len(cell) < 300)


def inexact(name: str) -> str:
    return f"{name!r} holds whole numbers too long to be exact: rounded to 16 digits."


def _floats(cells: Cells) -> pd.Series:
    # Arrow rounds correctly, as Python's float() does, at ten times the speed.
    values = pc.cast(cells, pa.float64()).to_numpy()
    return pd.Series(np.array(values, dtype=float))


def _nullable(kind: pa.DataType) -> pd.Int64Dtype | None:
    return pd.Int64Dtype() if kind == pa.int64() else None


def _text_or_bool(column: Cells, shape: Shapes) -> pd.Series:
    present = shape.cells.filter(pc.invert(shape.missing))
    # The first cells settle it for nearly every column.
    if len(present) and all(
        pc.all(pc.match_substring_regex(some, r"(?i)^(true|false)$")).as_py()
        for some in (present.slice(0, _LOOKED_AT), present)
    ):
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
