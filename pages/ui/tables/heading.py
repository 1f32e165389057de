"""Which lines stand above the rows of a table: those that are not read, its names and units."""

import re
from collections.abc import Sequence
from itertools import accumulate

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
    from there. A record holds names if it has text and no number; or if
    its numbers count up by one, as years and the default names of pandas do, and can't be
    measurements like those below. Columns before the table, without a cell in any record, are no
    part of what is decided.
    """
    if lead := _blank_columns([record.cells for record in records]):
        head = headed([r._replace(cells=r.cells[lead:]) for r in records], reading)
        before = ("",) * lead
        names, renamed = unique_names((*before, *head.names))
        return head._replace(
            names=names,
            titles=(*before, *head.titles) if head.titles else (),
            units=(*before, *head.units) if head.units else (),
            notes=(*head.notes, *renamed),
        )
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
    stacked = _stacked(block)
    lines = reading.header_lines or stacked or _header_lines(block)
    lines = max(1, min(lines, len(block)))
    if reading.header is None and not stacked and not _holds_names(first, block[lines:] or body):
        return _nameless(records[start:], reading.first or records[start].line)
    units: tuple[str, ...] = ()
    if len(block) > lines and _holds_units(block[lines], block[lines + 1 :]):
        units = tuple(unit_of(cell) for cell in block[lines])
        lines_above = lines + 1
    else:
        lines_above = lines
    given, titles = _joined(block[:lines], width)
    names, renamed = unique_names(given)
    notes = [f"Every row has one cell more than the header: the {extra} one has no name."] * bool(
        extra
    )
    last_above = records[min(start + lines_above, len(records)) - 1]
    if units:
        notes.append(f"Line {last_above.line:,} holds units.")
    return Head(
        records[start].line,
        lines,
        reading.first or last_above.end + 1,
        names,
        titles,
        units,
        (*notes, *renamed),
    )


def _blank_columns(rows: list[list[str]]) -> int:
    """How many columns stand before the first that has a cell."""
    return min(
        (next((j for j, cell in enumerate(row) if cell.strip()), len(row)) for row in rows),
        default=0,
    )


def _nameless(records: Sequence[Record], first: int) -> Head:
    width = usual_width([record.cells for record in records])
    return Head(0, 0, first, tuple(f"column {j + 1}" for j in range(width)))


def _place(records: Sequence[Record], line: int) -> int:
    """The first of the records that is not before a line."""
    return next((i for i, record in enumerate(records) if record.line >= line), len(records) - 1)


def start_of(records: Sequence[Record]) -> int:
    """Where a table begins below lines of another shape: at names over numbers, or over words that
    occur again and again, and at nothing else."""
    lead = _blank_columns([record.cells for record in records])
    rows = [record.cells[lead:] for record in records]
    if fits(rows) and not _is_short(rows[0], usual_width(rows)):
        return 0
    for start in range(min(len(rows) - 1, MOST_ABOVE)):
        row, body = rows[start], rows[start + 1 :]
        width = usual_width([row, *body])
        body = _without_notes(body, width)
        if (
            not len(row) == width > 1
            or len(body) < min(start + 1, 2)
            or any(len(other) != width for other in body)
        ):
            continue
        above = rows[:start]
        if not all(_is_short(other, width) for other in above):
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


def fits(rows: list[list[str]]) -> bool:
    """Whether all rows are as long as the first says."""
    width = usual_width(rows)
    return all(len(row) == width for row in rows[1:])


def _without_notes(rows: list[list[str]], width: int) -> list[list[str]]:
    end = len(rows)
    while end and len(rows[end - 1]) == 1 < width:
        end -= 1
    return rows[:end]


def _is_short(row: list[str], width: int) -> bool:
    """Whether a line ends before the rows of a table do, and so may stand above their names."""
    texts = [cell.strip() for cell in row]
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
    texts = [cell.strip() for cell in row]
    numbers = [text for text, number in zip(texts, are_numbers(texts), strict=True) if number]
    if numbers and not _counts_up(numbers, body):
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


def _names_over_words(row: list[str], body: list[list[str]]) -> bool:
    """Whether a row names columns of words of which each but the first, which may tell the rows
    apart, has some more than once, as sentences with commas in them do not."""
    names = [cell.strip() for cell in row]
    if names != row or not all(names) or len(set(names)) < len(names) or any(are_numbers(names)):
        return False
    columns = [{other[j].strip() for other in body} for j in range(len(row))]
    return all(name not in column for name, column in zip(names, columns, strict=True)) and all(
        len(column) <= len(body) // 2 for column in columns[1:]
    )


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


def _names_again(row: list[str], numeric: list[int]) -> bool:
    """Whether texts over columns of numbers are names of them, and no answers or units."""
    if len(row) <= numeric[-1]:
        return False
    texts = [row[j].strip() for j in numeric]
    # Of several lines the names of respondents and the like stand in the first alone.
    while texts and not texts[0]:
        texts.pop(0)
    if any(text.lower() in cells.MISSING or _NO_ANSWER.fullmatch(text) for text in texts):
        return False
    if any(are_numbers(texts)) or any(map(is_decorated, texts)):
        return False
    return not all(unit_of(text) for text in texts) and len(set(texts)) > 1


def _holds_units(row: list[str], body: list[list[str]]) -> bool:
    """Whether a row holds nothing but units, over columns of numbers."""
    numeric = [j for j in _numeric_below(body) if j < len(row)]
    named = [bool(unit_of(cell)) and not is_decorated(cell.strip()) for cell in row]
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
    stripped = [cell.strip() for cell in first]
    missing = [cell.lower() in cells.MISSING for cell in stripped]
    numeric = are_numbers(stripped)
    text = [not m and not n for m, n in zip(missing, numeric, strict=True)]
    if any(numeric):
        return _counts_up([c for c, n in zip(stripped, numeric, strict=True) if n], body)
    if any(missing):
        # A first row with holes may be data, unless a text stands over numbers.
        return any(t and column_is_numeric(body, j) for j, t in enumerate(text)) or (
            len(body) > 1 and _holds_units(body[0], body[1:])
        )
    return True


def _counts_up(numbers: list[str], body: list[list[str]]) -> bool:
    if len(numbers) < 2 or not all(re.fullmatch("[0-9]{1,4}", number) for number in numbers):
        return False
    values = [int(number) for number in numbers]
    if values != list(range(values[0], values[0] + len(values))):
        return False
    has_decimals = any(re.fullmatch("-?[0-9]*[.,][0-9]+", c.strip()) for row in body for c in row)
    return (1900 <= values[0] <= 2100) or (values[0] <= 1 and has_decimals)
