"""Whether blanks stand between the cells of a text: any number of them, and tabs among them."""

import re

from pages.ui.tables import cells
from pages.ui.tables.lines import are_numbers, column_is_numeric, numeric_columns, usual_width
from pages.ui.tables.records import SPACES

_MOST_NAMES = 3  # lines of names and units
_ONE_NUMBER = {
    SPACES: re.compile("[+-]?[1-9][0-9]{0,2}( [0-9]{3})+"),
    ",": re.compile("[+-]?([1-9][0-9]{0,2}(,[0-9]{3})+|[1-9][0-9]?(,[0-9]{2})+,[0-9]{3})"),
}


def is_better_by_spaces(
    rows: list[list[str]], fit: float, best: str, best_rows: list[list[str]], fails: bool
) -> bool:
    """Whether a text is a table with blanks between its cells, and with the best separator none.

    fit: the share of the lines that are as long as the first says; fails: with the best separator
    they are not.
    """
    if fit < 0.5 or (rows and len(rows[0]) == 1 and _is_one_number(rows[1:], SPACES)):
        return False
    if not best:
        return any(_numeric(rows) if fit >= 1 else numeric_columns(rows))
    if fit < 1:
        return False
    if best == "\t" and len(rows[0]) == usual_width(rows) and _holds_several(best_rows):
        return True
    # `1,5 2,5` is two numbers with spaces between, but no numbers with commas between.
    return (fails if best == "\t" else not all(_numeric(best_rows))) and all(_numeric(rows))


def is_grouped(row: list[str], separator: str) -> bool:
    """Whether cells may be one number with its thousands set apart by their separator."""
    return _ONE_NUMBER[separator].fullmatch(separator.join(row)) is not None


def _is_one_number(body: list[list[str]], separator: str) -> bool:
    return bool(body) and all(is_grouped(row, separator) for row in body)


def _numeric(rows: list[list[str]]) -> list[bool]:
    """Which columns hold numbers below lines of names and units."""
    lines = 1
    while lines < _MOST_NAMES and len(rows) > lines + 2 and not any(are_numbers(rows[lines])):
        lines += 1
    return numeric_columns(rows[lines - 1 :])


def _holds_several(rows: list[list[str]]) -> bool:
    """Whether in some column cells that are no numbers hold several, with blanks between."""
    body = rows[1:] or rows
    return any(
        not column_is_numeric(body, place) and _are_of_numbers([row[place] for row in body])
        for place in range(min(map(len, body)))
    )


def _are_of_numbers(texts: list[str]) -> bool:
    words = [word for text in texts for word in text.split()]
    present = [word for word in words if word.lower() not in cells.MISSING]
    return bool(present) and all(are_numbers(present))
