"""Which lines of a file hold what: those above a table, its names, units and rows, those below."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pages.ui.tables import cells
from pages.ui.tables.answers import Reading
from pages.ui.tables.decorated import is_decorated
from pages.ui.tables.units import unit_of
from pages.ui.text import counted

MOST_ABOVE = 40  # lines above a table
MOST_BELOW = 20
MOST_TOTALS = 3
MOST_SHOWN = 120  # characters of a line
_MOST_NOTES = 20
# Of a column's name, which pages say many times over.
LONGEST_NAME = 1_000
_SAMPLE_COLUMNS = 1_000
_IMPORT_ID = '{"ImportId":'
_TOTAL = re.compile(
    r"((grand|sub) ?)?(total|totals|sum|mean|average|avg|summe|gesamt|insgesamt|mittelwert|"
    r"somme|moyenne|totale|media|suma|totaal)[:.]?",
    re.IGNORECASE,
)
_NOTE = re.compile(
    r"\W*\b(notes?|source|sources|remarks?|legend|quelle|anmerkung|anmerkungen|hinweis|fuente|nota|"
    r"created|exported|generated|printed|copyright|downloaded|last updated)\b|[*†‡#©]",
    re.IGNORECASE,
)
# In a row below the names they stand for no answer, and are no names.
_NO_ANSWER = re.compile(
    r"refused|no answer|unknown|none|n\.?[ad]\.?|trace|"
    r"not (available|applicable|known|detected|measured|tested|recorded)|"
    r"missing|[-\u2013\u2014*]+",
    re.IGNORECASE,
)


class Record(NamedTuple):
    """The cells of a line, or of several if they are quoted; their numbers from 1."""

    line: int
    cells: list[str]
    end: int


class Head(NamedTuple):
    """What stands above the rows of a table.

    line: the first line of names, 0 without; lines: how many there are. first: the line from which
    rows are looked for. titles, units: by column, or () for none.
    """

    line: int
    lines: int
    first: int
    names: tuple[str, ...]
    titles: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def begins(self) -> int:
        """The line where the table begins."""
        return self.line or self.first

    @property
    def sentence(self) -> str:
        if not self.line:
            return "No column names found: the first line is read as data."
        if self.lines > 1:
            last = self.line + self.lines - 1
            count = {2: "two", 3: "three"}.get(self.lines, str(self.lines))
            return (
                f"Lines {self.line:,} to {last:,} are {count} header lines: names, and what they "
                "stand for."
            )
        if self.line == 1:
            return "The first line holds the column names."
        return f"Line {self.line:,} holds the column names."


class Body(NamedTuple):
    """The cells below the names as text columns; where they end, and what stands below.

    blank: blank lines left out. last: the line of the last row.
    """

    columns: list[pa.ChunkedArray]
    blank: int
    last: int
    totals: tuple[Record, ...] = ()
    notes: tuple[Record, ...] = ()


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
    """Where a table begins below lines of another shape: at names over numbers, and at nothing
    else."""
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
        name.strip() and column_is_numeric(body, j) for j, name in enumerate(row[:_SAMPLE_COLUMNS])
    ):
        # Below names there may be more lines of them, or units.
        return any(
            column_is_numeric(body[more:], j)
            for more in (1, 2)
            if len(body) > more
            for j in range(min(width, _SAMPLE_COLUMNS))
        )
    return True


def _filled(row: list[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _numeric_below(body: list[list[str]]) -> list[int]:
    """The columns that hold numbers, as far as a sample of the columns goes."""
    width = len(body[0]) if body else 0
    return [j for j in range(min(width, _SAMPLE_COLUMNS)) if column_is_numeric(body, j)]


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


def unique_names(names: Iterable[str]) -> tuple[tuple[str, ...], list[str]]:
    """Column names without blanks and repeats, and sentences on what was renamed."""
    plain, cut = [], []
    for position, name in enumerate(names, start=1):
        # Twice as much is looked at, as there may be blanks to take out.
        some = str(name)[: 2 * LONGEST_NAME]
        # JSON can hold halves of characters, which cannot be written.
        words = " ".join(some.encode("utf-8", "replace").decode().split())
        if len(words) > LONGEST_NAME or len(str(name)) > 2 * LONGEST_NAME:
            cut.append(position)
            words = f"{words[: LONGEST_NAME - 1]}…"
        plain.append(words)
    given, taken = set(plain), set[str]()
    # For each name the number to try next, so that a name repeated n times costs n steps.
    following: Counter[str] = Counter()
    result: list[str] = []
    notes = [
        f"Column {position} has a longer name: cut to {LONGEST_NAME:,} characters."
        for position in cut
    ]
    for position, name in enumerate(plain, start=1):
        if name and name not in taken:
            taken.add(name)
            result.append(name)
            continue
        base = new = name or f"column {position}"
        while new in given or new in taken:
            following[base] += 1
            new = f"{base} ({following[base] + 1})"
        taken.add(new)
        result.append(new)
        what = f"is a second {name!r}" if name else "has no name"
        notes.append(f"Column {position} {what}: called {new!r} here.")
    if len(notes) > _MOST_NOTES:
        more = len(notes) - _MOST_NOTES
        notes[_MOST_NOTES:] = [f"The names of {more:,} more columns were changed so, too."]
    return tuple(result), notes


def usual_width(rows: Sequence[list[str]]) -> int:
    """The length of the header, or one more if that is what (nearly) all the other rows have."""
    header = len(rows[0])
    lengths = Counter(len(row) for row in rows[1:])
    if lengths and lengths[header] == 0 and set(lengths) == {header + 1}:
        return header + 1
    return header


def is_note(row: list[str], width: int) -> bool:
    """Whether a row below a table is a note to it: one text alone, where there are columns."""
    if width < 2 or not row or not row[0].strip() or _filled(row) > 1:
        return False
    text = row[0].strip()
    if are_numbers([text])[0] or text.lower() in cells.MISSING:
        return False
    return len(row) == 1 or bool(_NOTE.match(text)) or len(text) > 40


def is_total(row: list[str]) -> bool:
    """Whether a row below others is a sum or a mean of them: it says so, and is numbers else."""
    texts = [cell.strip() for cell in row if cell.strip()]
    if len(texts) < 2 or not _TOTAL.fullmatch(texts[0]):
        return False
    return all(
        number or text.lower() in cells.MISSING
        for number, text in zip(are_numbers(texts[1:]), texts[1:], strict=True)
    )


def _first_text(row: list[str]) -> tuple[int, str]:
    """The first cell of a row that is not blank, and its column."""
    return next((j, cell) for j, cell in enumerate(row) if cell.strip())


def without_totals(body: Body, lines: list[int]) -> Body:
    """Without notes and sums in the last rows. lines: where these stand."""
    columns = body.columns
    n_rows = len(columns[0])
    # A table may begin in a later column than its sheet does.
    filled = (j for j, column in enumerate(columns) if pc.any(pc.not_equal(column, "")).as_py())
    own = columns[next(filled, 0) :]
    rows = [
        Record(line, [column[n_rows - len(lines) + i].as_py() for column in own], line)
        for i, line in enumerate(lines)
    ]
    notes, totals = [], []
    while len(rows) > 1 and is_note(rows[-1].cells, len(own)):
        notes.insert(0, rows.pop())
    while len(rows) > 1 and is_total(rows[-1].cells):
        totals.insert(0, rows.pop())
    left = n_rows - len(notes) - len(totals)
    words = [_first_text(record.cells) for record in totals]
    if any(pc.any(pc.equal(own[j].slice(0, left), word)).as_py() for j, word in words):
        # Elsewhere the word is one of those that rows have.
        rows, totals, left = [*rows, *totals], [], left + len(totals)
    return body._replace(
        columns=[column.slice(0, left) for column in columns],
        last=rows[-1].line if rows else body.last,
        totals=tuple(totals),
        notes=(*notes, *body.notes),
    )


def told(head: Head, above: Sequence[Record], body: Body) -> list[str]:
    """Which lines are no rows, in sentences."""
    sentences = []
    if above:
        verb = "is" if len(above) == 1 else "are"
        sentences.append(f"{counted(len(above), 'line')} above the names {verb} not read.")
    sentences += [head.sentence, *head.notes]
    for record in body.totals:
        word = shown(_first_text(record.cells)[1:])
        sentences.append(f"Line {record.line:,}, {word!r}, sums up the rows above: not read.")
    if body.notes:
        verb = "is" if len(body.notes) == 1 else "are"
        sentences.append(
            f"{counted(len(body.notes), 'line')} of notes below the rows {verb} not read."
        )
    return sentences


def shown(row: Sequence[str]) -> str:
    """A line that is not read, as a person may know it again."""
    text = "  ".join(filter(None, (" ".join(cell.split()) for cell in row)))
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"


def numeric_columns(rows: list[list[str]]) -> list[bool]:
    """Which columns hold numbers, as far as a sample of the columns goes."""
    body = rows[1:] or rows
    return [column_is_numeric(body, j) for j in range(min(usual_width(rows), _SAMPLE_COLUMNS))]


def column_is_numeric(body: list[list[str]], position: int) -> bool:
    column = [row[position].strip() for row in body if position < len(row)]
    present = [cell for cell in column if cell.lower() not in cells.MISSING]
    if not present:
        return False
    return all(are_numbers(present)) or all(map(is_decorated, present))


def are_numbers(texts: list[str]) -> list[bool]:
    return cells.is_number(pa.chunked_array([texts], pa.string())).to_pylist()
