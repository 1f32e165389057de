"""Which lines stand above the rows of a table: those that are not read, its names and units."""

import re
from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np

from pages.ui.tables import cells
from pages.ui.tables.answers import Reading
from pages.ui.tables.column_names import unique_names
from pages.ui.tables.decorated import is_decorated
from pages.ui.tables.lines import (
    SAMPLE_COLUMNS,
    Head,
    Record,
    are_numbers,
    column_is_numeric,
    filled,
    usual_width,
)
from pages.ui.tables.units import unit_of

MOST_ABOVE = 40  # lines above a table
_IMPORT_ID = '{"ImportId":'
# What a survey service writes below questions that have one answer.
_ANSWERS = {"Response", "Open-Ended Response"}
# In a row below the names they stand for no answer, and are no names.
_NO_ANSWER = re.compile(
    r"refused|no answer|unknown|none|n\.?[ad]\.?|trace|"
    r"not (available|applicable|known|detected|measured|tested|recorded)|"
    r"missing|[-\u2013\u2014*]+",
    re.IGNORECASE,
)


def headed(records: Sequence[Record], reading: Reading) -> Head:
    """Decide where names and rows begin, and make the names usable.

    records: the first that aren't blank; where a person has said at which line the table begins,
    from there. A record holds names if it has text and no number; or if its numbers are names, as
    years are, and can't be measurements like those below. Columns before the table, without a cell
    in any record, are no part of what is decided.
    """
    lead = _blank_columns([record.cells for record in records])
    head = _as_given([record._replace(cells=record.cells[lead:]) for record in records], reading)
    before = ("",) * lead
    if not head.line:
        names = tuple(f"column {place + 1}" for place in range(lead + len(head.names)))
        return head._replace(names=names)
    names, renamed = unique_names((*before, *head.names))
    return head._replace(
        names=names,
        titles=(*before, *head.titles) if head.titles else (),
        units=(*before, *head.units) if head.units else (),
        notes=(*head.notes, *renamed),
    )


def _as_given(records: Sequence[Record], reading: Reading) -> Head:
    """As `headed`, with names as they stand."""
    start = start_of(records) if reading.begins is None else _place(records, reading.begins)
    above_names = reading.first is not None and reading.first <= records[start].line
    if reading.header == 0 or above_names:
        start = start if reading.first is None else _place(records, reading.first)
        return _nameless(records[start:], reading.first or records[start].line)
    first, body = records[start].cells, [record.cells for record in records[start + 1 :]]
    width = usual_width([first, *body])
    extra = ""
    if width == len(first) + 1:
        # R writes row names without a heading; other programs end every row with a separator.
        extra = "last" if all(not row[-1].strip() for row in body) else "first"
        first = [*first, ""] if extra == "last" else ["", *first]
    block = [first, *body]
    stacked = _above_index_names(block) or _stacked(block)
    lines = reading.header_lines or stacked or _header_lines(block)
    lines = max(1, min(lines, len(block)))
    if reading.header is None and not stacked and not _holds_names(first, block[lines:] or body):
        return _nameless(records[start:], reading.first or records[start].line)
    below, rows = block[lines : lines + 1], block[lines + 1 :]
    holds_units = bool(below) and _holds_units(below[0], rows)
    names_index = lines > 1 and bool(below) and _names_index(below[0], rows)
    units = tuple(unit_of(cell) for cell in below[0]) if holds_units else ()
    given, titles = _joined(block[:lines], width)
    if names_index:
        given = [one.strip() or other for one, other in zip(below[0], given, strict=True)]
    notes = [f"Every row has one cell more than the header: the {extra} one has no name."] * bool(
        extra
    )
    last_above = records[min(start + lines + (holds_units or names_index), len(records)) - 1]
    if holds_units:
        notes.append(f"Line {last_above.line:,} holds units.")
    if names_index:
        notes.append(f"Line {last_above.line:,} names the columns before those.")
    return Head(
        records[start].line,
        lines,
        reading.first or last_above.end + 1,
        tuple(given),
        titles,
        units,
        tuple(notes),
    )


def _blank_columns(rows: list[list[str]]) -> int:
    """How many columns stand before the first that has a cell."""
    return min(
        (next((j for j, cell in enumerate(row) if cell.strip()), len(row)) for row in rows),
        default=0,
    )


def _nameless(records: Sequence[Record], first: int) -> Head:
    width = usual_width([record.cells for record in records])
    return Head(0, 0, first, ("",) * width)


def _place(records: Sequence[Record], line: int) -> int:
    """The first of the records that is not before a line."""
    return next((i for i, record in enumerate(records) if record.line >= line), len(records) - 1)


def start_of(records: Sequence[Record]) -> int:
    """Where a table begins below lines of another shape: at names over numbers, or over words that
    occur again and again, and at nothing else."""
    lead = _blank_columns([record.cells for record in records])
    rows = [record.cells[lead:] for record in records]
    if (start := _below_titles(records, rows)) is not None:
        return start
    if fits(rows) and not _is_short(rows[0], usual_width(rows)):
        return 0
    row_names = usual_width(rows) > len(rows[0]) and not any(are_numbers(_stripped(rows[0])))
    if row_names and _numeric_below(rows[1:]):  # as R writes them, without a name
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
        if _are_titles(row):
            names = 1 + (len(body) > 2 and _are_titles(body[0]))
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
            return start or None
    apart = _after_a_blank(records)
    if apart and not _numeric_below(rows[1:]) and _begins_table(rows, apart):
        return apart
    rest = rows[n_titles:]
    is_table = n_titles > 0 and len(rest) > 1 and fits(rest) and bool(_numeric_below(rest))
    return n_titles if is_table and all(map(is_comment, rows[:n_titles])) else None


def _titles(records: Sequence[Record], rows: list[list[str]]) -> int:
    """How many of the first lines are comments, sentences, or stand apart, over columns that hold
    more than numbers from there on."""
    for place, following in enumerate(records[1:MOST_ABOVE]):
        row = rows[place]
        apart = following.line > records[place].end + 1 and not any(are_numbers(_stripped(row)))
        told = apart or _is_sentence(row, rows[place + 1])
        if not is_comment(row) and not (told and not _numeric_below(rows[place + 1 :])):
            return place
    return max(min(len(records), MOST_ABOVE) - 1, 0)


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
    if any(map(_is_no_name, filter(None, _stripped(row)))) or not _is_whole(row, body):
        return False
    below_titles = start > 0 and all(filled(other) == 1 for other in rows[:start])
    return _names_over_numbers(row, body, width) or (
        below_titles and _names_over_words(row, body, often=False)
    )


def _named_above(rows: list[list[str]], start: int) -> bool:
    """Whether a line has numbers and one of texts above it could name the same columns."""
    if not any(are_numbers(_stripped(rows[start]))):
        return False
    width = len(rows[start])
    for place, row in enumerate(rows[:start]):
        texts = list(filter(None, _stripped(row)))
        # The last may have no name; the first, as R writes row names, not even a cell.
        long = len(row) == width or (place == 0 and len(row) == width - 1)
        if long and len(texts) >= max(width - 1, 2) and not any(are_numbers(texts)):
            return bool(_numeric_below(rows[place + 1 :]))
    return False


def is_comment(row: list[str]) -> bool:
    return bool(row) and row[0].lstrip().startswith("#")


def _is_sentence(row: list[str], below: list[str]) -> bool:
    """Whether blanks stand behind the separators of a line, and not in the next one."""
    return len(row) > 1 and all(map(_begins_blank, row[1:])) and not any(map(_begins_blank, below))


def _begins_blank(cell: str) -> bool:
    return cell.startswith(" ") and bool(cell.strip())


def _stripped(row: list[str]) -> list[str]:
    return [cell.strip() for cell in row]


def fits(rows: list[list[str]]) -> bool:
    """Whether all rows are as long as the first says."""
    width = usual_width(rows)
    return all(len(row) == width for row in rows[1:])


def without_notes(rows: list[list[str]], width: int | None = None) -> list[list[str]]:
    """Rows without lines of one cell at their end. width: of the rows; None for what the first
    says."""
    width = usual_width(rows) if width is None else width
    end = len(rows)
    while end and len(rows[end - 1]) == 1 < width:
        end -= 1
    return rows[:end]


def _is_short(row: list[str], width: int) -> bool:
    """Whether a line ends before the rows of a table do, and so may stand above their names."""
    texts = _stripped(row)
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


def _are_titles(row: list[str]) -> bool:
    """Whether a row may hold titles that stand over several names each: texts with gaps between, as
    lines above a table have none."""
    filled = [cell.strip() for cell in row if cell.strip()]
    gaps = len(filled) < len(row) and not _is_short(row, len(row))
    return gaps and len(filled) > 1 and not any(are_numbers(filled))


def _names_over_numbers(row: list[str], body: list[list[str]], width: int) -> bool:
    if any(are_numbers(_stripped(row))) and not _numbers_are_names(row, body):
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
    columns = _words_below(row, body)
    names = [row[j] for j in columns]
    if not all(name and name == name.strip() for name in names) or any(are_numbers(names)):
        return False
    return (
        1 < len(set(names)) == len(names)
        and all(name not in words for name, words in zip(names, columns.values(), strict=True))
        and (not often or all(len(words) <= len(body) // 2 for words in [*columns.values()][1:]))
    )


def _words_below(row: list[str], body: list[list[str]]) -> dict[int, set[str]]:
    """What the cells below a row hold, by column; without columns that hold nothing."""
    columns = {j: {other[j].strip() for other in body if j < len(other)} for j in range(len(row))}
    return {j: words for j, words in columns.items() if words - {""}}


def _numeric_below(body: list[list[str]]) -> list[int]:
    """The columns that hold numbers, as far as a sample of the columns goes."""
    width = len(body[0]) if body else 0
    return [j for j in range(min(width, SAMPLE_COLUMNS)) if column_is_numeric(body, j)]


def _header_lines(block: list[list[str]]) -> int:
    """How many lines of names there are, as survey services write them: all texts over numbers."""
    for lines in (3, 2):
        if len(block) <= lines:
            continue
        above = block[1:lines]
        if any(cell.startswith(_IMPORT_ID) for cell in above[-1]):
            return lines
        numeric = _numeric_below(block[lines:])
        *over, last = above
        if lines == 2 and _continues(block[0], last, block[2:]):
            return lines
        names = len(numeric) > 1 and _names_again(last, numeric)
        if names and all(_names_again(row, numeric) or _are_titles(row) for row in over):
            return lines
    return 1


def _stacked(block: list[list[str]]) -> int:
    """How many lines of names there are, as pandas writes names of several levels: what each line
    is stands first in it, and a line of numbers has texts below; 0 for none."""
    for lines in (3, 2):
        head, body = block[:lines], block[lines:]
        if len(body) < 2 or any(len(row) != len(block[0]) for row in head):
            continue
        numeric = [j for j in _numeric_below(body) if 0 < j < len(block[0])]
        levels = [row[0].strip() for row in head]
        if len(numeric) < 2 or not all(levels) or any(are_numbers(levels)):
            continue
        are = [are_numbers([row[j].strip() for j in numeric]) for row in head]
        if all(are[0]) and not any(are[-1]) and all(row[numeric[0]].strip() for row in head):
            return lines
    return 0


def _continues(first: list[str], second: list[str], body: list[list[str]]) -> bool:
    """Whether a second line of names has what the first leaves open, the answers below questions;
    and nothing where each row tells who it is of."""
    if not first[0].strip() or second[0].strip():
        return False
    columns = _words_below(second, body)
    filled_again = {j for j in columns if second[j].strip()}
    gaps = {j for j in columns if j >= len(first) or not first[j].strip()}
    if any(are_numbers([second[j].strip() for j in filled_again])):
        return False
    # Of a box that was ticked, the cell says what its name does.
    if any(
        second[j].strip() in columns[j] and columns[j] - {"", second[j].strip()}
        for j in filled_again
    ):
        return False
    answers = bool(gaps) or (
        len(filled_again) > 1 and all(second[j].strip() in _ANSWERS for j in filled_again)
    )
    respondents = [j for j in columns.keys() - filled_again - gaps if "" not in columns[j]]
    return answers and gaps <= filled_again and bool(respondents)


def _names_index(row: list[str], body: list[list[str]]) -> bool:
    """Whether a row below names has the names of the first columns, and nothing over numbers, as
    pandas writes those of an index below names of several levels."""
    index = next((j for j, cell in enumerate(row) if not cell.strip()), len(row))
    numeric = [j for j in _numeric_below(body) if j < len(row)]
    return (
        0 < index < len(row)
        and not any(cell.strip() for cell in row[index:])
        and not any(are_numbers(_stripped(row[:index])))
        and any(j >= index for j in numeric)
    )


def _above_index_names(block: list[list[str]]) -> int:
    """How many lines of names stand above one that names an index; 0 without one."""
    for lines in (3, 2):
        if len(block) <= lines + 1 or not _names_index(block[lines], block[lines + 1 :]):
            continue
        body = block[lines + 1 :]
        index = next(j for j, cell in enumerate(block[lines]) if not cell.strip())
        numeric = [j for j in _numeric_below(body) if j >= index]
        above = block[1:lines]
        if all(len(row) > numeric[-1] and _name_all(row, numeric, body) for row in above):
            return lines
    return 0


def _name_all(row: list[str], numeric: list[int], body: list[list[str]]) -> bool:
    """Whether a line has a name over each column of numbers, which may be a number itself."""
    texts = [row[j].strip() for j in numeric]
    if any(are_numbers(texts)):
        return all(are_numbers(texts)) and _numbers_are_names(row, body)
    return not any(map(_is_no_name, texts)) and not all(unit_of(text) for text in texts)


def _is_no_name(text: str) -> bool:
    """Whether a text over numbers stands for a value of theirs."""
    return (
        text.lower() in cells.MISSING
        or _NO_ANSWER.fullmatch(text) is not None
        or is_decorated(text)
    )


def _names_again(row: list[str], numeric: list[int]) -> bool:
    """Whether texts over columns of numbers are names of them, and no answers or units."""
    if len(row) <= numeric[-1]:
        return False
    texts = [row[j].strip() for j in numeric]
    # Of several lines the names of respondents and the like stand in the first alone.
    while texts and not texts[0]:
        texts.pop(0)
    if any(map(_is_no_name, texts)) or any(are_numbers(texts)):
        return False
    return not all(unit_of(text) for text in texts) and len(set(texts)) > 1


def _holds_units(row: list[str], body: list[list[str]]) -> bool:
    """Whether a row holds nothing but units, over columns of numbers."""
    numeric = [j for j in _numeric_below(body) if j < len(row)]
    named = [bool(unit_of(cell)) and not _is_no_name(cell.strip()) for cell in row]
    nothing = [not cell.strip() or cell.strip() == "-" for cell in row]
    return any(named[j] for j in numeric) and all(
        unit or none for unit, none in zip(named, nothing, strict=True)
    )


def _joined(lines: list[list[str]], width: int) -> tuple[list[str], tuple[str, ...]]:
    """Names, and what they stand for, of one or several lines of them."""
    lines = [[*line[:width], *[""] * (width - len(line))] for line in lines]
    first, *more = lines
    more = [line for line in more if not any(cell.startswith(_IMPORT_ID) for cell in line)]
    if not more:
        return first, ()
    *titles, last = more
    below = [
        " ".join(dict.fromkeys(filter(None, (cell.strip() for cell in column))))
        for column in zip(*map(_over_all, titles), last, strict=True)
    ]
    if all(cell.strip() for cell in first) and len(set(first)) == width:
        return first, tuple(below)
    over = _over_all(first)
    names = [
        f"{one} {text}".strip() if text else one for one, text in zip(over, below, strict=True)
    ]
    return names, tuple(names)


def _over_all(line: list[str]) -> list[str]:
    """A line of names in which each stands over the columns to its right that have none, too."""
    return list(accumulate((cell.strip() for cell in line), lambda over, name: name or over))


def _holds_names(first: list[str], body: list[list[str]]) -> bool:
    stripped = _stripped(first)
    if any(are_numbers(stripped)):
        return _numbers_are_names(first, body)
    missing = [j for j in _words_below(first, body) if stripped[j].lower() in cells.MISSING]
    if not missing or (missing == [0] and not stripped[0] and _numbers_rows(body)):
        return True
    # A first row with holes may be data, unless a text stands over numbers.
    return any(
        cell.lower() not in cells.MISSING and column_is_numeric(body, j)
        for j, cell in enumerate(stripped)
    ) or (len(body) > 1 and _holds_units(body[0], body[1:]))


def _numbers_rows(body: list[list[str]]) -> bool:
    """Whether the first column counts the rows, as pandas and R write them."""
    first = [row[0].strip() for row in body[:2] if row]
    return first in (["0", "1"], ["1", "2"])


def _numbers_are_names(row: list[str], body: list[list[str]]) -> bool:
    """Whether numbers in a line are names, as years, doses or wavelengths are, and no values.

    They are where they count up, and where another column of numbers has a name. Else each word of
    the line has to be none of those below it, and the numbers have to rise or fall, and to be years
    over what is none, or too far from the values below to be one of them.
    """
    texts = _stripped(row)
    numeric = are_numbers(texts)
    places = [j for j, number in enumerate(numeric) if number]
    if _counts_up([texts[j] for j in places], body):
        return True
    columns = _words_below(row, body)
    words = [j for j in columns if not numeric[j] and texts[j]]
    if any(not _is_no_name(texts[j]) and column_is_numeric(body, j) for j in words):
        return True
    if numeric[0] or any(texts[j] in columns[j] or _is_no_name(texts[j]) for j in words):
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
