"""Whether a line over a table holds names of its columns, units, or values."""

import re

import numpy as np

from pages.ui.tables import cells
from pages.ui.tables.decorated import is_decorated
from pages.ui.tables.lines import SAMPLE_COLUMNS, are_numbers, column_is_numeric
from pages.ui.tables.units import unit_of

# In a row below the names they stand for no answer, and are no names.
_NO_ANSWER = re.compile(
    r"refused|no (answer|data|value)|unknown|none|nil|n\.?[ad]\.?|k\. ?a\.?|trace|"
    r"not (available|applicable|known|detected|measured|tested|recorded|reported|given)|"
    r"missing|suppressed|confidential|withheld|[-\u2013\u2014*.:\u2026?/\\]+",
    re.IGNORECASE,
)


def stripped(row: list[str]) -> list[str]:
    return [cell.strip() for cell in row]


def words_below(row: list[str], body: list[list[str]]) -> dict[int, set[str]]:
    """What the cells below a row hold, by column; without columns that hold nothing."""
    columns = {j: {other[j].strip() for other in body if j < len(other)} for j in range(len(row))}
    return {j: words for j, words in columns.items() if words - {""}}


def numeric_below(body: list[list[str]]) -> list[int]:
    """The columns that hold numbers, as far as a sample of the columns goes."""
    width = len(body[0]) if body else 0
    return [j for j in range(min(width, SAMPLE_COLUMNS)) if column_is_numeric(body, j)]


def is_no_name(text: str) -> bool:
    """Whether a text over numbers stands for a value of theirs."""
    return (
        text.lower() in cells.MISSING
        or _NO_ANSWER.fullmatch(text) is not None
        or is_decorated(text)
    )


def holds_units(row: list[str], body: list[list[str]]) -> bool:
    """Whether a row holds nothing but units, over columns of numbers."""
    numeric = [j for j in numeric_below(body) if j < len(row)]
    named = [bool(unit_of(cell)) and not is_no_name(cell.strip()) for cell in row]
    nothing = [not cell.strip() or cell.strip() == "-" for cell in row]
    return any(named[j] for j in numeric) and all(
        unit or none for unit, none in zip(named, nothing, strict=True)
    )


def numbers_are_names(row: list[str], body: list[list[str]]) -> bool:
    """Whether numbers in a line are names, as years, doses or wavelengths are, and no values.

    They are where they count up, and where another column of numbers has a name. Else each word of
    the line has to be none of those below it, and the numbers have to rise or fall, and to be years
    over what is none, or too far from the values below to be one of them.
    """
    texts = stripped(row)
    numeric = are_numbers(texts)
    places = [j for j, number in enumerate(numeric) if number]
    if _counts_up([texts[j] for j in places], body):
        return True
    columns = words_below(row, body)
    words = [j for j in columns if not numeric[j] and texts[j]]
    if any(not is_no_name(texts[j]) and column_is_numeric(body, j) for j in words):
        return True
    if numeric[0] or any(texts[j] in columns[j] or is_no_name(texts[j]) for j in words):
        return False
    values = [_plain(texts[j]) for j in places]
    steps = np.diff(values)
    if not np.isfinite(values).all() or not ((steps > 0).all() or (steps < 0).all()):
        return False
    below = {
        j: np.array([_plain(word) for row in body if j < len(row) and (word := row[j].strip())])
        for j in places
        if j in columns
    }
    if len(places) > 2 and all(_is_year(texts[j]) for j in places):
        return not any(all(map(_is_year, columns[j] - {""})) for j in below)
    alone = len(places) == 1 and not _is_year(texts[places[0]])
    if alone or any(not np.isfinite(column).any() for column in below.values()):
        return False
    return all(_is_apart(texts[j], column) for j, column in below.items())


def _is_apart(text: str, column: np.ndarray) -> bool:
    """Whether a whole number stands over decimals, or a number far from all values of a column."""
    column = column[np.isfinite(column)]
    low, high = column.min(), column.max()
    decimals = (column % 1 != 0).mean() > 0.5
    far = not low - (high - low) <= _plain(text) <= high + (high - low)
    return far or (text.isdigit() and bool(decimals))


def _is_year(text: str) -> bool:
    return re.fullmatch("1[89][0-9]{2}|20[0-9]{2}|2100", text) is not None


def _plain(text: str) -> float:
    """A number as most are written; NaN for another text."""
    found = re.fullmatch(r"[-+]?[0-9]{1,18}([.,][0-9]{1,20})?([eE][-+]?[0-9]{1,2})?", text)
    return float(text.replace(",", ".")) if found else np.nan


def _counts_up(numbers: list[str], body: list[list[str]]) -> bool:
    if len(numbers) < 2 or not all(re.fullmatch("[0-9]{1,4}", number) for number in numbers):
        return False
    values = [int(number) for number in numbers]
    if values != list(range(values[0], values[0] + len(values))):
        return False
    has_decimals = any(re.fullmatch("-?[0-9]*[.,][0-9]+", c.strip()) for row in body for c in row)
    return (1900 <= values[0] <= 2100) or (values[0] <= 1 and has_decimals)
