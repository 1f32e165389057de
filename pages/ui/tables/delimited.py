"""Text split into cells: which separator, is there a header, and are all rows of one length."""

import csv
import re
from collections import Counter, deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pages.ui.tables.answers import Reading
from pages.ui.tables.beginning import fits, start_of, without_notes
from pages.ui.tables.below import (
    MOST_BELOW,
    MOST_TOTALS,
    empty_rows_at_end,
    is_note,
    without_repeats,
    without_totals,
)
from pages.ui.tables.heading import headed
from pages.ui.tables.lines import (
    Body,
    Head,
    Record,
    is_comment,
    numeric_columns,
    usual_width,
)
from pages.ui.tables.records import (
    RECORD_CHARACTERS,
    SPACES,
    Malformed,
    Unended,
    offset,
    records_of,
)
from pages.ui.tables.spaced import is_better_by_spaces, is_grouped

# In order of preference where two fit equally well: `1,5;2,5` is two decimals, not three cells.
_SEPARATORS = ("\t", ";", "|", ",")
PLAIN = _SEPARATORS  # by which a text is split at once, unless quotes stand inside its cells
_NAMES = {
    "\t": "Cells are separated by tabs.",
    ";": "Cells are separated by semicolons.",
    "|": "Cells are separated by vertical bars.",
    ",": "Cells are separated by commas.",
    SPACES: "Cells are separated by spaces.",
    "": "One column: no separator found.",
}
_SAMPLE_CHARACTERS = 262_144
_SAMPLE_RECORDS = 200
_CHUNK = 20_000
_DECLARED = re.compile(r'"?sep=(.)"?[ ;,\t]*(?:\r\n|\r|\n)', re.IGNORECASE)


class _Sample(NamedTuple):
    """The first records of a text; whole: they end where the sample does, and not at an error."""

    records: list[Record]
    whole: bool


class _Fit(NamedTuple):
    """How well a text is a table with a separator, what counts most first.

    whole: as of a sample. all_rows: they are as long as the first says; share: of the records.
    Where two separators stand in each line, that is meant by which there are numbers, and more
    columns.
    """

    whole: bool
    all_rows: bool
    any_numbers: bool
    share: float
    only_numbers: bool
    columns: int


_NO_FIT = _Fit(False, False, False, 0.0, False, 0)


class Layout(NamedTuple):
    """How a text is laid out. above: what stands in lines that are not read, by their numbers."""

    separator: str  # "" for a single column, " " for any run of spaces
    padded: bool  # a space follows every separator
    declared: bool  # the first line names the separator
    head: Head
    above: tuple[Record, ...]

    @property
    def separator_sentence(self) -> str:
        if self.declared:
            sentence = _NAMES.get(self.separator, f"Cells are separated by {self.separator!r}.")
            return f"{sentence} The first line, “sep={self.separator}”, says so."
        return _NAMES[self.separator]


def sniff(text: str, check_size: Callable[[int, int], None], reading: Reading) -> Layout:
    """Decide on separator and header from the beginning of the text.

    `check_size(rows, columns)` may refuse a table of so many columns with an exception of its own,
    before anything is worked out for each of them.
    """
    declared = _DECLARED.match(text)
    if declared:
        records = _sample(text, declared[1], reading.begins or 2).records
        if not records:
            raise Malformed("it holds only empty cells: load a table with numbers.")
        check_size(1, _width(records))
        return _laid_out(text, declared[1], True, records, check_size, reading)
    begins = reading.begins or 1
    best, best_records, best_fit = "", _sample(text, "", begins).records, _NO_FIT
    for separator in _SEPARATORS:
        records, whole = _sample(text, separator, begins)
        fit = _fit(records, separator, whole)
        if fit.share and fit > best_fit and len(_rows(records)[0]) > 1:
            best, best_records, best_fit = separator, records, fit
    if best:
        check_size(1, _width(best_records))
    if best in ("", ",", "\t"):
        records = _sample(text, SPACES, begins).records
        rows, best_rows = ([r.cells for r in some] for some in (records, best_records))
        fails = not best_fit.all_rows or best_fit.share < 0.5
        if is_better_by_spaces(rows, _share(records), best, best_rows, fails):
            best, best_records = SPACES, records
    if not best_records:
        for _ in records_of(text[: RECORD_CHARACTERS + 2], "", False):
            pass  # a quote that never ends is reported here
        raise Malformed("it holds only empty cells: load a table with numbers.")
    _refuse_thousands(best, [record.cells for record in best_records])
    return _laid_out(text, best, False, best_records, check_size, reading)


def _laid_out(
    text: str,
    separator: str,
    declared: bool,
    records: list[Record],
    check_size: Callable[[int, int], None],
    reading: Reading,
) -> Layout:
    padded = separator not in ("", SPACES) and _is_padded(records)
    if padded:
        records = [r._replace(cells=[cell.strip(" ") for cell in r.cells]) for r in records]
    check_size(1, _width(records))
    head = headed(records, reading)
    if reading.begins is not None:
        records = _sample(text, separator, 1 + declared).records
    above = tuple(record for record in records if record.line < head.begins)
    return Layout(separator, padded, declared, head, above)


def _is_padded(records: list[Record]) -> bool:
    """Whether a space follows every separator."""
    later = [cell for record in records for cell in record.cells[1:] if cell]
    return bool(later) and all(cell[0] == " " for cell in later)


def _rows(records: list[Record]) -> list[list[str]]:
    """From the names on, as far as they can be told."""
    return [record.cells for record in records[start_of(records) :]]


def _width(records: list[Record]) -> int:
    return usual_width(_rows(records))


def _refuse_thousands(separator: str, rows: list[list[str]]) -> None:
    """Without a header, `1,234` in every line may be one number or two: refuse to guess."""
    if separator in (",", SPACES) and all(is_grouped(row, separator) for row in rows):
        sample = separator.join(rows[0])
        raise Malformed(
            f"{sample!r} and the other lines may hold one number with thousands set apart, or "
            f"{len(rows[0])} columns: add a line with the column names and load it again."
        )


def read(
    text: str, layout: Layout, check_size: Callable[[int, int], None], last: int | None = None
) -> Body:
    """All cells below the names, up to the line `last` or the end of the table.

    `check_size(rows, columns)` may stop the reading with an exception of its own. Raises Malformed
    where a row is longer or shorter than the others.
    """
    width = len(layout.head.names)
    check_size(1, width)
    body = _read_plain(text, layout, check_size, last)
    if body is None:
        body = _read_slowly(text, layout, check_size, last)
    return without_repeats(layout.head, body)


def _read_slowly(
    text: str, layout: Layout, check_size: Callable[[int, int], None], last: int | None
) -> Body:
    """Line by line, whatever stands in them. Raises Malformed."""
    width = len(layout.head.names)
    chunks: list[list[pa.Array]] = []
    buffer: list[list[str]] = []
    rows = blank = comments = 0
    odd = 0  # of what may be notes, those that are no comments
    pending = 0  # blank lines of a single column: missing values, unless only blank lines follow
    held: list[tuple[int, list[str]]] = []  # rows of empty cells, the same
    below: list[Record] = []  # what may be notes, unless a row follows
    lines: deque[int] = deque(maxlen=MOST_TOTALS)
    for line, row, end in records_of(text, layout.separator, layout.padded):
        if last is not None and line > last:
            break
        if len(row) <= 1 and not (row and row[0].strip()) and not (width == 1 and row == [""]):
            if width == 1 and line >= layout.head.first and (rows or layout.head.line):
                pending += 1
            else:
                blank += 1
            continue
        if line < layout.head.first:
            continue
        if len(row) != width:
            below.append(Record(line, row, end))
            odd += not is_comment(row)
            if odd and (odd > MOST_BELOW or not (is_note(row, width) or is_comment(row))):
                raise Malformed(_ragged(below, layout))
            continue
        if odd:
            raise Malformed(_ragged(below, layout))
        comments += len(below)
        below.clear()
        if width > 1 and not any(map(str.strip, row)):
            held.append((line, row))
            continue
        buffer += [[""]] * pending + [row for _, row in held] + [row]
        rows += pending + len(held) + 1
        lines += [line for line, _ in held] + [line]
        pending, held = 0, []
        if len(buffer) >= _CHUNK:
            check_size(rows, width)
            chunks.append(_transposed(buffer))
            buffer = []
    if below and not rows:
        raise Malformed(_ragged(below, layout))
    if not rows:
        buffer = [row for _, row in held]
        lines += [line for line, _ in held]
        held = []
    check_size(rows, width)
    if buffer:
        chunks.append(_transposed(buffer))
    columns = [pa.chunked_array([c[j] for c in chunks], pa.string()) for j in range(width)]
    body = Body(columns, blank + pending + len(held), lines[-1] if lines else 0, notes=tuple(below))
    body = body._replace(comments=comments)
    return body if last is not None else without_totals(body, [*lines])


def _read_plain(
    text: str, layout: Layout, check_size: Callable[[int, int], None], last: int | None
) -> Body | None:
    """As `read` at ten times the speed; None where a text has more to it than cells and ends."""
    head, width = layout.head, len(layout.head.names)
    start = offset(text, head.first)
    end = len(text) if last is None else offset(text, last + 1)
    rows, end_of_rows = text[start:end], _stripped(text[start:end])
    if layout.separator not in PLAIN or layout.padded or width < 2 or not end_of_rows:
        return None
    content = rows.encode()
    quoted = '"' in rows
    if quoted and not _quotes_enclose(content, layout.separator):
        return None
    # It takes 0.1 s to import.
    from pyarrow import csv as arrow_csv

    names = [str(j) for j in range(width)]

    def odd(row: arrow_csv.InvalidRow) -> str:
        return "error" if row.text.strip() else "skip"

    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(content),
            arrow_csv.ReadOptions(column_names=names, block_size=RECORD_CHARACTERS),
            arrow_csv.ParseOptions(
                delimiter=layout.separator,
                quote_char='"' if quoted else False,
                double_quote=False,
                invalid_row_handler=odd,
            ),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), check_utf8=False
            ),
        )
    except pa.ArrowInvalid:
        return None  # what is wrong, or longer than a row may be, is found line by line
    check_size(table.num_rows, width)
    columns = table.columns
    longest = max(pc.max(pc.binary_length(column)).as_py() or 0 for column in columns)
    n_lines = _ends(rows[:end_of_rows]) + 1
    if longest > csv.field_size_limit() or n_lines != table.num_rows:
        return None
    above = sum(
        len(row) <= 1 and not any(cell.strip() for cell in row)
        for _, row, _ in records_of(text[:start], layout.separator, False)
    )
    empty = empty_rows_at_end(columns)
    columns = [column.slice(0, table.num_rows - empty) for column in columns]
    n_lines -= empty
    ending = head.first + n_lines - 1
    below = _ends(rows) + (not rows.endswith(("\n", "\r"))) - n_lines
    body = Body(columns, above + below, ending)
    if last is not None:
        return body
    return without_totals(body, [*range(max(ending - MOST_TOTALS + 1, head.first), ending + 1)])


def _quotes_enclose(content: bytes, separator: str) -> bool:
    """Whether every quote begins or ends a cell: every second one stands before a separator or the
    end of a line, those between behind one."""
    text = np.frombuffer(content, np.uint8)
    edges = np.zeros(256, bool)
    edges[[ord(separator), *b"\r\n"]] = True
    inside = 0
    for begin in range(0, len(text), RECORD_CHARACTERS):
        quotes = begin + np.flatnonzero(text[begin : begin + RECORD_CHARACTERS] == ord('"'))
        opening, closing = quotes[inside::2], quotes[1 - inside :: 2]
        before, after = opening[opening > 0] - 1, closing[closing < len(text) - 1] + 1
        if not (edges[text[before]].all() and edges[text[after]].all()):
            return False
        inside = (inside + len(quotes)) % 2
    return not inside


def _stripped(text: str) -> int:
    """Where a text ends without the blank lines at its end."""
    end = len(text.rstrip(" \r\n"))
    return end if end == len(text) or text[end] != " " else len(text.rstrip("\r\n"))


def _ends(text: str) -> int:
    """How many lines end in a text."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _transposed(rows: list[list[str]]) -> list[pa.Array]:
    return [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]


def _ragged(records: list[Record], layout: Layout) -> str:
    """What is to be said of records of which one or all are no rows."""
    others = (record for record in records if not is_comment(record.cells))
    line, row, _ = next(others, records[0])
    found = len(row)
    cells_found = "1 cell" if found == 1 else f"{found:,} cells"
    expected = "the header" if layout.head.line else "the first line"
    hint = "put text or decimals that hold the separator in quotes"
    if layout.separator == ",":
        hint = "numbers with decimal commas and texts with commas need quotes"
    return (
        f"line {line:,} has {cells_found} but {expected} has {len(layout.head.names):,}: "
        f"correct that line ({hint}) and load the table again."
    )


def _sample(text: str, separator: str, begins: int) -> _Sample:
    """The first records from a line on that aren't blank; the last of a cut text is left out."""
    start = offset(text, begins)
    sample = text[start : start + _SAMPLE_CHARACTERS]
    cut = len(text) > start + len(sample)
    records, whole = [], True
    try:
        for record in records_of(sample, separator, False, begins):
            if any(cell.strip() for cell in record.cells) or len(record.cells) > 1:
                records.append(record)
            if len(records) > _SAMPLE_RECORDS:
                return _Sample(records[:-1], True)
    except Malformed as error:
        # Wrong for this separator, or a quote cut in two: judge by what came before.
        whole = cut and isinstance(error, Unended)
    if cut and len(records) > 1:
        records.pop()
    records = _without_comment_signs(records) if separator == SPACES else records
    return _Sample(_without_comments(records), whole)


def _without_comments(records: list[Record]) -> list[Record]:
    """Without comments below the first line that is as long as most, unless they may be rows."""
    rows = [record for record in records if not is_comment(record.cells)]
    lengths = Counter(len(record.cells) for record in rows).most_common(1)
    usual = lengths[0][0] if lengths else 0
    first = next((record.line for record in rows if len(record.cells) == usual), 0)
    return [
        record
        for record in records
        if record.line <= first or len(record.cells) == usual or not is_comment(record.cells)
    ]


def _without_comment_signs(records: list[Record]) -> list[Record]:
    """Without the "#" that NumPy's savetxt puts before names, where rows have no cell for it."""
    signs = 0
    while signs < len(records) and records[signs].cells[0] == "#":
        signs += 1
    if not 0 < signs < len(records):
        return records
    if len(records[signs - 1].cells) != len(records[signs].cells) + 1:
        return records
    return [r._replace(cells=r.cells[1:] or [""]) for r in records[:signs]] + records[signs:]


def _fit(records: list[Record], separator: str, whole: bool) -> _Fit:
    """How well a text is a table with a separator, of which these are the first records."""
    share = _share(records)
    if not share:
        return _NO_FIT
    rows = _rows(records)
    all_rows = fits(without_notes(rows))
    if separator == "\t":  # which is part of no name or number
        return _Fit(whole, all_rows, True, share, True, len(rows[0]))
    numeric = [] if _is_padded(records) else numeric_columns(rows)
    only = bool(numeric) and all(numeric)
    return _Fit(whole, all_rows, any(numeric), share, only, len(rows[0]))


def _share(records: list[Record]) -> float:
    """The share of the records that are rows as long as the header says."""
    if not records:
        return 0.0
    rows = _rows(records)
    width = usual_width(rows)
    if width < 2:
        return 0.0
    body = rows[1:] or rows
    # The header counts: a text that fits nowhere else is read with the separator it has. Lines
    # above a table count against it, but for comments.
    n_others = max(sum(not is_comment(record.cells) for record in records) - 1, 1)
    return (1e-6 + sum(len(row) == width for row in body)) / n_others
