"""Where in a file a table begins: below titles, comments and sentences."""

import re
from collections.abc import Sequence
from itertools import pairwise

from pages.ui.tables.below import is_note
from pages.ui.tables.lines import (
    SAMPLE_COLUMNS,
    Record,
    are_numbers,
    column_is_numeric,
    filled,
    is_comment,
    usual_width,
)
from pages.ui.tables.names_or_values import (
    holds_units,
    is_no_name,
    numbers_are_names,
    numeric_below,
    stripped,
    words_below,
)
from pages.ui.tables.units import unit_of

MOST_ABOVE = 40  # lines above a table
_DIGIT = re.compile(r"\s*[-+]?[0-9]")


def blank_columns(rows: list[list[str]]) -> int:
    """How many columns stand before the first that has a cell."""
    return min(
        (next((j for j, cell in enumerate(row) if cell.strip()), len(row)) for row in rows),
        default=0,
    )


def start_of(records: Sequence[Record]) -> int:
    """Where a table begins below lines of another shape: at names over numbers, or over words that
    occur again and again, and at nothing else."""
    lead = blank_columns([record.cells for record in records])
    rows = [record.cells[lead:] for record in records]
    if (start := _below_titles(records, rows)) is not None:
        return start
    if (start := _below_pairs(rows)) is not None:
        return start
    if fits(rows) and not _is_short(rows[0], usual_width(rows)):
        return 0
    row_names = usual_width(rows) > len(rows[0]) and not any(are_numbers(stripped(rows[0])))
    if row_names and numeric_below(rows[1:]):  # as R writes them, without a name
        return 0
    for start in range(min(len(rows) - 1, MOST_ABOVE)):
        row, body = rows[start], rows[start + 1 :]
        width = usual_width([row, *body])
        body = without_notes(body, width)
        if (
            not len(row) == width > 1
            or len(body) < min(start + 1, 2)
            or any(len(other) != width for other in body)
        ):
            continue
        above = rows[:start]
        if not all(_is_short(other, width) for other in above) or _named_above(rows, start):
            continue
        if start and all(filled(other) == 1 for other in above) and _names_over_words(row, body):
            return start
        if _is_whole(row, body) and _names_over_numbers(row, body, width):
            return start
        if are_titles(row):
            names = 1 + (len(body) > 2 and are_titles(body[0]))
            one, rest = body[names - 1], body[names:]
            if rest and _is_whole(one, rest) and _names_over_numbers(one, rest, width):
                return start
    return 0


def _below_titles(records: Sequence[Record], rows: list[list[str]]) -> int | None:
    """Where a table begins below lines that say themselves that they are none of it, whatever their
    shape: comments, sentences, and lines with a blank one below. None without such lines."""
    n_titles = _titles(records, rows)
    # Names may stand in the last comment.
    for start in (n_titles, n_titles - 1) if n_titles else ():
        if _begins_table(rows, start):
            return start - (start > 0 and _is_below_names(rows, start)) or None
    apart = _after_a_blank(records)
    goes_on = _is_table(rows[:apart], rows[apart:])
    if apart and not goes_on and not numeric_below(rows[1:]) and _begins_table(rows, apart):
        return apart
    rest = rows[n_titles:]
    is_table = n_titles > 0 and len(rest) > 1 and fits(rest) and bool(numeric_below(rest))
    return n_titles if is_table and all(map(is_comment, rows[:n_titles])) else None


def _is_below_names(rows: list[list[str]], start: int) -> bool:
    """Whether a line holds units, and the one above names for all of them."""
    above = stripped(rows[start - 1])
    named = len(above) == len(rows[start]) and all(above) and not any(are_numbers(above))
    return named and holds_units(rows[start], rows[start + 1 :])


def _titles(records: Sequence[Record], rows: list[list[str]]) -> int:
    """How many of the first lines are comments, sentences, or stand apart, over columns that hold
    more than numbers from there on."""
    for place, following in enumerate(records[1:MOST_ABOVE]):
        row = rows[place]
        apart = following.line > records[place].end + 1 and not any(are_numbers(stripped(row)))
        told = apart or _is_sentence(row, rows[place + 1])
        if not is_comment(row) and not (told and not numeric_below(rows[place + 1 :])):
            return place
    return max(min(len(records), MOST_ABOVE) - 1, 0)


def _is_table(above: list[list[str]], below: list[list[str]]) -> bool:
    """Whether lines above a blank one are names and rows of the table below it: as long, without a
    gap, and no pairs of a word and what it stands for.

    In a table of two columns such pairs have no number, or one in the first; or the table below
    says what is measured at times or the like, which no word is."""
    first, *rows = above or [[]]
    whole = [[*filter(None, stripped(row))] for row in above]
    if not rows or any(len(row) != len(below[0]) for row in [*above, *whole]):
        return False
    if is_of_another_kind([*above, *below], len(above)):
        return False
    numbers = [any(are_numbers(row)) for row in whole]
    return len(first) > 2 or (not numbers[0] and any(numbers))


def is_of_another_kind(rows: list[list[str]], place: int) -> bool:
    """Whether the first cells below a row begin with digits, as numbers and dates do, and none up
    to there does."""
    begin = [bool(row) and _DIGIT.match(row[0]) is not None for row in rows]
    return all(begin[place + 1 :]) and not any(begin[: place + 1])


def _below_pairs(rows: list[list[str]]) -> int | None:
    """Where a table of two columns begins below pairs of a word and what it stands for: at names
    over numbers, of which the first are times or the like. None without such lines."""
    for start in range(2, min(len(rows) - 2, MOST_ABOVE)):
        row, body = rows[start], without_notes(rows[start + 1 :], 2)
        if not is_of_another_kind([*rows[: start + 1], *body], start):
            continue
        pairs = all(len(other) == 2 and all(stripped(other)) for other in [*rows[:start], row])
        if not pairs or any(are_numbers(stripped(row))) or any(map(is_no_name, stripped(row))):
            return None
        units = holds_units(row, body) or all(map(unit_of, row))
        return start if column_is_numeric(body, 1) and not units else None
    return None


def _after_a_blank(records: Sequence[Record]) -> int:
    """The first record with a blank line above; 0 for none."""
    some = pairwise(records[:MOST_ABOVE])
    return next((i for i, (one, other) in enumerate(some, 1) if other.line > one.end + 1), 0)


def _begins_table(rows: list[list[str]], start: int) -> bool:
    """Whether there are names over rows of their length: over numbers, or, below lines of one cell
    each, over words of which none is a name."""
    row = rows[start]
    width = usual_width(rows[start:])
    body = without_notes(rows[start + 1 :], width)
    if not len(row) == width > 1 or len(body) < 2 or any(len(r) != width for r in body):
        return False
    if _named_above(rows, start):
        return False
    if any(map(is_no_name, filter(None, stripped(row)))) or not _is_whole(row, body):
        return False
    below_titles = start > 0 and all(filled(other) == 1 for other in rows[:start])
    return _names_over_numbers(row, body, width) or (
        below_titles and _names_over_words(row, body, often=False)
    )


def _named_above(rows: list[list[str]], start: int) -> bool:
    """Whether a line has numbers and one of texts above it could name the same columns."""
    if not any(are_numbers(stripped(rows[start]))):
        return False
    width = len(rows[start])
    for place, row in enumerate(rows[:start]):
        texts = list(filter(None, stripped(row)))
        # The last may have no name; the first, as R writes row names, not even a cell.
        long = len(row) == width or (place == 0 and len(row) == width - 1)
        if long and len(texts) >= max(width - 1, 2) and not any(are_numbers(texts)):
            return bool(numeric_below(rows[place + 1 :]))
    return False


def _is_sentence(row: list[str], below: list[str]) -> bool:
    """Whether blanks stand behind the separators of a line, and not in the next one."""
    return len(row) > 1 and all(map(_begins_blank, row[1:])) and not any(map(_begins_blank, below))


def _begins_blank(cell: str) -> bool:
    return cell.startswith(" ") and bool(cell.strip())


def fits(rows: list[list[str]]) -> bool:
    """Whether all rows are as long as the first says."""
    width = usual_width(rows)
    return all(len(row) == width for row in rows[1:])


def without_notes(rows: list[list[str]], width: int | None = None) -> list[list[str]]:
    """Rows without lines of one cell and notes at their end. width: of the rows; None for what the
    first says."""
    width = usual_width(rows) if width is None else width
    end = len(rows)
    while end and (len(rows[end - 1]) == 1 < width or is_note(rows[end - 1], width)):
        end -= 1
    return rows[:end]


def _is_short(row: list[str], width: int) -> bool:
    """Whether a line ends before the rows of a table do, and so may stand above their names."""
    texts = stripped(row)
    while texts and not texts[-1]:
        texts.pop()
    return len(row) > width or (len(texts) < width and all(texts))


def _is_whole(row: list[str], body: list[list[str]]) -> bool:
    """Whether a row has a text for every column, but for row names and columns without cells."""
    return all(
        name.strip() or not any(other[j].strip() for other in body)
        for j, name in enumerate(row)
        if j
    )


def are_titles(row: list[str]) -> bool:
    """Whether a row may hold titles that stand over several names each: texts with gaps between, as
    lines above a table have none."""
    filled = [cell.strip() for cell in row if cell.strip()]
    gaps = len(filled) < len(row) and not _is_short(row, len(row))
    return gaps and len(filled) > 1 and not any(are_numbers(filled))


def _names_over_numbers(row: list[str], body: list[list[str]], width: int) -> bool:
    if any(are_numbers(stripped(row))) and not numbers_are_names(row, body):
        return False
    if not any(
        name.strip() and column_is_numeric(body, j) for j, name in enumerate(row[:SAMPLE_COLUMNS])
    ):
        # Below names there may be more lines of them, or units.
        return any(
            column_is_numeric(body[more:], j)
            for more in (1, 2)
            if len(body) > more
            for j in range(min(width, SAMPLE_COLUMNS))
        )
    return True


def _names_over_words(row: list[str], body: list[list[str]], often: bool = True) -> bool:
    """Whether a row names columns of words that are none of the names. often: of which each but the
    first, which may tell the rows apart, has some more than once, as sentences with commas in them
    do not."""
    columns = words_below(row, body)
    names = [row[j] for j in columns]
    if not all(name and name == name.strip() for name in names) or any(are_numbers(names)):
        return False
    return (
        1 < len(set(names)) == len(names)
        and all(name not in words for name, words in zip(names, columns.values(), strict=True))
        and (not often or all(len(words) <= len(body) // 2 for words in [*columns.values()][1:]))
    )
