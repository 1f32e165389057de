"""The names of a table's columns, in one line or several, and their units."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

from pages.ui.tables import cells
from pages.ui.tables.answers import Reading
from pages.ui.tables.beginning import (
    are_titles,
    blank_columns,
    is_of_another_kind,
    start_of,
    without_notes,
)
from pages.ui.tables.column_names import unique_names
from pages.ui.tables.lines import Head, Record, are_numbers, column_is_numeric, usual_width
from pages.ui.tables.names_or_values import (
    holds_units,
    is_no_name,
    numbers_are_names,
    numeric_below,
    stripped,
    words_below,
)
from pages.ui.tables.units import unit_of

_IMPORT_ID = '{"ImportId":'
# What a survey service writes below questions that have one answer.
_ANSWERS = {"Response", "Open-Ended Response"}


def headed(records: Sequence[Record], reading: Reading) -> Head:
    """Decide where names and rows begin, and make the names usable.

    records: the first that aren't blank; where a person has said at which line the table begins,
    from there. A record holds names if it has text and no number; or if its numbers are names, as
    years are, and can't be measurements like those below. Columns before the table, without a cell
    in any record, are no part of what is decided.
    """
    lead = blank_columns([record.cells for record in records])
    head = _as_given([record._replace(cells=record.cells[lead:]) for record in records], reading)
    before = ("",) * lead
    if not head.line:
        names = tuple(f"column {place + 1}" for place in range(lead + len(head.names)))
        return head._replace(names=names)
    given = (*before, *head.names)
    names, renamed = unique_names(given)
    return head._replace(
        names=names,
        unnamed=tuple(place for place, name in enumerate(given) if not name.strip()),
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
    body = without_notes(body, width)
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
    under_names = [_without_repeats(row, block[lines - 1]) for row in below]
    of_units = bool(below) and holds_units(under_names[0], rows)
    names_index = lines > 1 and lines == _above_index_names(block)
    units = tuple(map(unit_of, under_names[0])) if of_units else ()
    given, titles = _joined(block[:lines], width)
    if names_index:
        given = [one.strip() or other for one, other in zip(below[0], given, strict=True)]
    notes = [f"Every row has one cell more than the header: the {extra} one has no name."] * bool(
        extra
    )
    last_above = records[min(start + lines + (of_units or names_index), len(records)) - 1]
    if of_units:
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


def _nameless(records: Sequence[Record], first: int) -> Head:
    width = usual_width([record.cells for record in records])
    return Head(0, 0, first, ("",) * width)


def _place(records: Sequence[Record], line: int) -> int:
    """The first of the records that is not before a line."""
    return next((i for i, record in enumerate(records) if record.line >= line), len(records) - 1)


def _header_lines(block: list[list[str]]) -> int:
    """How many lines of names there are, as survey services write them: all texts over numbers."""
    for lines in (3, 2):
        if len(block) <= lines:
            continue
        above = block[1:lines]
        if any(cell.startswith(_IMPORT_ID) for cell in above[-1]):
            return lines
        *over, last = above
        under, *rows = block[lines:]
        of_units = holds_units(_without_repeats(under, last), rows)
        numeric = numeric_below(rows if of_units else block[lines:])
        if lines == 2 and _continues(block[0], last, block[2:]):
            return lines
        names = len(numeric) > 1 and _names_again(last, numeric)
        if names and all(
            _names_again(row, numeric) or are_titles(_without_repeats(row, block[0]))
            for row in over
        ):
            return lines
    return 1


def _stacked(block: list[list[str]]) -> int:
    """How many lines of names there are, as pandas writes names of several levels: what each line
    is stands first in it, and a line of numbers has texts below; 0 for none."""
    for lines in (3, 2):
        head, body = block[:lines], block[lines:]
        if len(body) < 2 or any(len(row) != len(block[0]) for row in head):
            continue
        numeric = [j for j in numeric_below(body) if 0 < j < len(block[0])]
        levels = [row[0].strip() for row in head]
        if len(numeric) < 2 or not all(levels) or any(are_numbers(levels)):
            continue
        *over, last = [[row[j].strip() for j in numeric] for row in head]
        counted = [all(text.isdigit() for text in row) for row in over]
        named = [number or _are_names(row) for number, row in zip(counted, over, strict=True)]
        if counted[0] and all(named) and last[0] and _are_names(last):
            return lines
    return 0


def _are_names(texts: list[str]) -> bool:
    """Whether texts over columns of numbers, some of them empty, are names or units of them, and no
    values of a row: of these one may stand in every column."""
    if any(are_numbers(texts)) or any(is_no_name(text) for text in texts if text):
        return False
    return len(set(texts)) > 1 or bool(unit_of(texts[0]))


def _continues(first: list[str], second: list[str], body: list[list[str]]) -> bool:
    """Whether a second line of names has what the first leaves open, the answers below questions;
    and nothing where each row tells who it is of."""
    if not first[0].strip() or second[0].strip():
        return False
    columns = words_below(second, body)
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
    numeric = [j for j in numeric_below(body) if j < len(row)]
    return (
        0 < index < len(row)
        and not any(cell.strip() for cell in row[index:])
        and not any(are_numbers(stripped(row[:index])))
        and any(j >= index for j in numeric)
    )


def _above_index_names(block: list[list[str]]) -> int:
    """How many lines of names stand above one that names an index; 0 without one."""
    for lines in (3, 2):
        if len(block) <= lines + 1 or not _names_index(block[lines], block[lines + 1 :]):
            continue
        body = block[lines + 1 :]
        index = next(j for j, cell in enumerate(block[lines]) if not cell.strip())
        numeric = [j for j in numeric_below(body) if j >= index]
        first, *above = block[:lines]
        if not all(len(row) > numeric[-1] and _name_all(row, numeric, body) for row in above):
            continue
        named = [first[j].strip() for j in numeric if j < len(first)]
        # Names of which each stands once name the columns without the lines below, which may be
        # rows then: of one that is known by its name alone, too.
        once = len(set(named)) == len(numeric)
        under = first[0].strip() and not above[0][0].strip()
        if all(named) and not under and (not once or is_of_another_kind(block, lines)):
            return lines
    return 0


def _name_all(row: list[str], numeric: list[int], body: list[list[str]]) -> bool:
    """Whether a line has a name over each column of numbers, which may be a number itself."""
    texts = [row[j].strip() for j in numeric]
    if any(are_numbers(texts)):
        return all(are_numbers(texts)) and numbers_are_names(row, body)
    return not any(map(is_no_name, texts)) and not all(unit_of(text) for text in texts)


def _names_again(row: list[str], numeric: list[int]) -> bool:
    """Whether texts over columns of numbers are names of them, and no answers or units."""
    if len(row) <= numeric[-1]:
        return False
    texts = [row[j].strip() for j in numeric]
    # Of several lines the names of respondents and the like stand in the first alone.
    while texts and not texts[0]:
        texts.pop(0)
    if any(map(is_no_name, texts)) or any(are_numbers(texts)):
        return False
    return not all(unit_of(text) for text in texts) and len(set(texts)) > 1


def _joined(lines: list[list[str]], width: int) -> tuple[list[str], tuple[str, ...]]:
    """Names, and what they stand for, of one or several lines of them."""
    lines = [[*line[:width], *[""] * (width - len(line))] for line in lines]
    first, *more = lines
    more = [line for line in more if not any(cell.startswith(_IMPORT_ID) for cell in line)]
    if not more:
        return first, ()
    *titles, last = more
    columns = zip(_over_all(first), *map(_over_all, titles), last, strict=True)
    names = list(map(_in_words, columns))
    if all(cell.strip() for cell in first) and len(set(first)) == width:
        pairs = zip(names, first, strict=True)
        return first, tuple(words.removeprefix(name.strip()).strip() for words, name in pairs)
    return names, tuple(names)


def _in_words(texts: Sequence[str]) -> str:
    """What the lines of names say of a column. A cell that was merged over several of them has its
    text in each; levels of names may be the same number."""
    texts = [text.strip() for text in texts]
    return " ".join(
        text for above, text in pairwise(["", *texts]) if text and (text != above or text.isdigit())
    )


def _without_repeats(row: list[str], names: list[str]) -> list[str]:
    """A line below names without those that stand in it again, as in cells merged over both."""
    above = [*names, *[""] * (len(row) - len(names))]
    return [
        "" if cell == name and not unit_of(cell) else cell
        for cell, name in zip(row, above, strict=False)
    ]


def _over_all(line: list[str]) -> list[str]:
    """A line of names in which each stands over the columns to its right that have none, too."""
    return list(accumulate((cell.strip() for cell in line), lambda over, name: name or over))


def _holds_names(first: list[str], body: list[list[str]]) -> bool:
    texts = stripped(first)
    if any(are_numbers(texts)):
        return numbers_are_names(first, body)
    missing = [j for j in words_below(first, body) if texts[j].lower() in cells.MISSING]
    if not missing or (missing == [0] and not texts[0] and _counts_rows(body)):
        return True
    # A first row with holes may be data, unless a text stands over numbers.
    return any(
        cell.lower() not in cells.MISSING and column_is_numeric(body, j)
        for j, cell in enumerate(texts)
    ) or (len(body) > 1 and holds_units(body[0], body[1:]))


def _counts_rows(body: list[list[str]]) -> bool:
    """Whether the first column counts the rows, as pandas and R write them."""
    first = [row[0].strip() for row in body[:2] if row]
    return first in (["0", "1"], ["1", "2"])
