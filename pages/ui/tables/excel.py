"""Excel files (.xlsx, .xlsm)."""

import io
import logging
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice, pairwise
from operator import and_, lt
from typing import Any

import pyarrow as pa

from pages.ui.tables.answers import Reading
from pages.ui.tables.beginning import start_of
from pages.ui.tables.below import MOST_TOTALS, rows_left, without_repeats, without_totals
from pages.ui.tables.column_names import with_cells
from pages.ui.tables.framing import framed, read_from
from pages.ui.tables.heading import headed
from pages.ui.tables.lines import Body, Head, Record, are_numbers, numeric_columns, told
from pages.ui.tables.long_texts import check_text_size
from pages.ui.tables.table import (
    DataError,
    Table,
    check_size,
    check_unpacked,
    most_unpacked,
    too_large,
)
from pages.ui.text import counted

MAX_EXCEL_CELLS = 1_000_000  # the reader manages about 100,000 a second
SAMPLE_RECORDS, LOOKED_AT, MOST_NAMED = 200, 50, 8
MOST_TAG = 10_000  # bytes
MOST_HEAD = 10_000  # bytes of a sheet in which its size is stated
_HIDDEN = re.compile(rb"<row [^<>]*hidden=\"(?:1|true)\"")
_MERGED = re.compile(rb"<mergeCell [^<>]*ref=\"([A-Z]{1,3}[0-9]{1,7}:[A-Z]{1,3}[0-9]{1,7})\"")
_NUMBER_AS_TEXT = re.compile(r"\s*[-+]?[0-9][0-9.,']*\s*$")
_Range = tuple[int, int, int, int]
_Cell = tuple[Any, str]  # a value and openpyxl's letter for its type
_EMPTY: _Cell = None, "n"
log = logging.getLogger(__name__)


class _NumberCell(str):
    """The text of a cell that is a number in the file itself."""

    __slots__ = ()


def read_excel(filename: str, content: bytes, reading: Reading) -> Table:
    """A sheet of an Excel file: that chosen, or the first that holds a table.

    Raises DataError.
    """
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise DataError(
            f"{filename!r} is an old or password-protected Excel file: save it as .xlsx without a "
            "password, or as CSV."
        )
    broken = DataError(
        f"{filename!r} isn't a readable Excel file: open it in a spreadsheet program and save it "
        "again as .xlsx or CSV."
    )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            if "xl/workbook.xml" not in archive.namelist():
                raise broken
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
        raise broken from None
    check_unpacked(filename, unpacked)
    if unpacked > most_unpacked(len(content)):
        raise too_large(filename, unpacked)
    try:
        return _read_workbook(filename, content, reading)
    except (DataError, MemoryError):
        raise
    except Exception as error:
        # openpyxl has no error of its own: damaged XML surfaces as whatever it tripped over.
        log.warning("An Excel file could not be read: %s", type(error).__name__)
        raise broken from None


def _read_workbook(filename: str, content: bytes, reading: Reading) -> Table:
    _check_unsized(filename, content)
    book = _workbook(content, data_only=True)
    names = tuple(sheet.title for sheet in book.worksheets)
    place = _chosen(filename, book.worksheets, reading.sheet)
    sheet = book.worksheets[place]
    # The name of its part in the archive, which nothing public tells.
    hidden, merged = _marked(filename, content, sheet._worksheet_path)
    formulas = _formula_cells(filename, content, place)
    rows, unsaved, errors, width, size = [], 0, 0, 0, 0
    texts: list[tuple[int, int]] = []  # numbers kept as text
    for i, cells_of_row in _rows(filename, sheet):
        rows += [[] for _ in range(len(rows), i)]
        row = []
        for j, (value, kind) in enumerate(cells_of_row):
            error = kind == "e"
            # An empty text that a formula gives is a result: its cell has the type of a text.
            no_result = value is None and kind != "str" and (i, j) in formulas
            errors += error
            unsaved += no_result
            row.append("NA" if error or no_result else _excel_text(value))
            if isinstance(value, str) and _NUMBER_AS_TEXT.match(value):
                texts.append((i, j))
        while row and not row[-1]:
            row.pop()
        rows.append(row)
        # Many cells may share one text of the file.
        size += sum(map(len, row))
        check_unpacked(filename, size)
        width = max(width, len(row))
        check_size(filename, len(rows), width)
    while rows and not rows[-1]:
        rows.pop()
    if not any(rows):
        raise DataError(f"Sheet {sheet.title!r} of {filename!r} is empty: fill it.")
    blank = sum(not row for row in rows)
    rows = [row + [""] * (width - len(row)) if row else row for row in rows]
    _fill(filename, rows, merged, width, size, len(content))
    records = [Record(line, row, line) for line, row in enumerate(rows, 1) if row]
    below = [record for record in records if record.line >= (reading.begins or 1)] or records[-1:]
    head = headed(below[:SAMPLE_RECORDS], reading)
    above = [record for record in records[:SAMPLE_RECORDS] if record.line < head.begins]
    body, natives = _body(records, head, reading.last)
    kept_as_text = _kept_as_text(texts, rows, head)
    head, places = with_cells(head, body.columns)
    columns, natives = ([of[place] for place in places] for of in (body.columns, natives))
    made = framed(filename, head.names, columns, reading, natives)
    parsing = [_which(names, place)]
    parsing += [*told(head, above, body), *made.notes, *kept_as_text]
    if made.marks:
        parsing.append(f"In numbers kept as text: {made.marks_in_words}.")
    if merged:
        parsing.append(f"{counted(len(merged), 'merged range')}: each cell has the value of all.")
    if hidden:
        verb = "is" if hidden == 1 else "are"
        parsing.append(f"{counted(hidden, 'hidden row')} {verb} read like the others.")
    if unsaved:
        parsing.append(f"{counted(unsaved, 'formula')} without a saved result: missing.")
    if errors:
        parsing.append(f"{counted(errors, 'cell')} with an Excel error: missing.")
    if blank:
        parsing.append(f"{counted(blank, 'blank row')} skipped.")
    return read_from(filename, made, parsing, head, above, body)._replace(
        sheets=names, sheet=sheet.title
    )


def _workbook(content: bytes, data_only: bool = False) -> Any:
    """As openpyxl's `load_workbook` gives it to read, but for charts, which are no tables: one of
    its own sheet without a chart would make the file unreadable."""
    # openpyxl takes 0.2 s to import and only Excel files need it.
    from openpyxl.chartsheet import Chartsheet
    from openpyxl.reader.excel import ExcelReader

    class Reader(ExcelReader):
        def read_chartsheet(self, sheet: Any, rel: Any) -> None:
            self.wb._add_sheet(Chartsheet(parent=self.wb, title=sheet.name))

    reader = Reader(io.BytesIO(content), read_only=True, data_only=data_only)
    reader.read()
    return reader.wb


def _check_unsized(filename: str, content: bytes) -> None:
    """Raise DataError where a sheet that does not state its size has too many cells: openpyxl would
    go through all of them to find out."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if not name.startswith("xl/worksheets/") or not name.endswith(".xml"):
                continue
            cells, tail = 0, b""
            with archive.open(name) as file:
                if b"<dimension" in (block := file.read(MOST_HEAD)):
                    continue
                while block:
                    cells += (tail + block).count(b"<c ")
                    if cells > MAX_EXCEL_CELLS:
                        raise _too_many(filename)
                    tail, block = block[-2:], file.read(1_000_000)


def _chosen(filename: str, sheets: Sequence[Any], name: str) -> int:
    """The place of the sheet of this name; for "" that of the first of those most like a table, and
    of a hidden one only where no other has cells."""
    if not sheets:
        raise DataError(f"{filename!r} has no sheet with cells: add one, or save it as CSV.")
    places = {sheet.title: place for place, sheet in enumerate(sheets)}
    if name in places:
        return places[name]
    likeness = [_how_like_a_table(filename, sheet) for sheet in sheets]
    found = [
        (like > 0, sheet.sheet_state == "visible", like)
        for like, sheet in zip(likeness, sheets, strict=True)
    ]
    return found.index(max(found))


def _how_like_a_table(filename: str, sheet: Any) -> int:
    """How much the top of a sheet looks like a table; 0 for an empty one."""
    records = []
    for place, cells_of_row in islice(_rows(filename, sheet), LOOKED_AT):
        row = [_excel_text(value) for value, _ in cells_of_row[:LOOKED_AT]]
        if any(row):
            records.append(Record(place, row, place))
    width = max((len(record.cells) for record in records), default=0)
    records = [r._replace(cells=r.cells + [""] * (width - len(r.cells))) for r in records]
    # Titles above are no part of it.
    rows = [record.cells for record in records[start_of(records) if records else 0 :]]
    filled = [sum(map(bool, row)) for row in rows]
    numbers = list(map(are_numbers, rows))
    columns_of_numbers = len(rows) > 1 and any(numeric_columns(rows))
    numbers_below = any(any(map(and_, one, other)) for one, other in pairwise(numbers))
    several_columns = sum(n > 1 for n in filled) > 1
    all_named = several_columns and filled[0] == max(filled)
    signs = (
        columns_of_numbers,
        numbers_below,
        all_named,
        several_columns,
        len(rows) > 1,
        bool(rows),
    )
    return next((len(signs) - i for i, holds in enumerate(signs) if holds), 0)


def _which(names: tuple[str, ...], place: int) -> str:
    ordinals = ("first", "second", "third")
    ordinal = ordinals[place] if place < len(ordinals) else f"{place + 1}th"
    others = [repr(name) for i, name in enumerate(names) if i != place]
    more = f" The others: {', '.join(others[:MOST_NAMED])}" if others else ""
    more += f" and {len(others) - MOST_NAMED:,} more" if len(others) > MOST_NAMED else ""
    return f"Excel, sheet {names[place]!r}, the {ordinal} of {len(names)}.{more}{'.' * bool(more)}"


def _kept_as_text(texts: list[tuple[int, int]], rows: list[list[str]], head: Head) -> list[str]:
    """Which columns hold numbers that the file has as text."""
    are = are_numbers([rows[i][j].strip() for i, j in texts])
    texts = [place for place, number in zip(texts, are, strict=True) if number]
    found = Counter(j for i, j in texts if i + 1 >= head.first)
    said = []
    for j, n in list(found.items())[:MOST_NAMED]:
        sample = next(rows[i][j] for i, k in texts if k == j and i + 1 >= head.first)
        said.append(
            f"{counted(n, 'number')} of {head.names[j]!r} kept as text in the file, such as "
            f"{sample!r}."
        )
    return said


def _marked(
    filename: str, content: bytes, part: str
) -> tuple[int, list[tuple[int, int, int, int]]]:
    """How many rows of a sheet are hidden, and which ranges are merged: first and last row and
    column, from 0.

    Raises DataError where the sheet has too many cells, in a hundredth of the time that it would
    take to read so many.
    """
    from openpyxl.utils.cell import range_boundaries

    hidden, merged, cells, tail = 0, [], 0, b""
    with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(part) as file:
        while block := file.read(1_000_000):
            block = tail + block
            end = block.rfind(b">") + 1
            hidden += len(_HIDDEN.findall(block, 0, end))
            cells += block.count(b"<c ", 0, end)
            if cells > MAX_EXCEL_CELLS:
                raise _too_many(filename)
            for reference in _MERGED.findall(block, 0, end):
                left, top, right, bottom = range_boundaries(reference.decode("ascii", "replace"))
                merged.append((top - 1, bottom - 1, left - 1, right - 1))
                check_size(filename, len(merged), 1)
            tail = block[end:][-MOST_TAG:]
    return hidden, merged


def _fill(
    filename: str, rows: list[list[str]], merged: list[_Range], width: int, size: int, packed: int
) -> None:
    """Give every cell of a merged range its value; a title alone in its row stays one cell.

    size: characters of all cells so far; packed: bytes of the file. Raises DataError where they
    would be too many.
    """
    n_filled = 0
    for top, bottom, left, right in merged:
        if top >= len(rows) or left >= width or (bottom == top and sum(map(bool, rows[top])) == 1):
            continue
        value = rows[top][left] if rows[top] else ""
        n_cells = (min(bottom + 1, len(rows)) - top) * (min(right + 1, width) - left)
        n_filled += n_cells
        size += n_cells * len(value)
        if n_filled > MAX_EXCEL_CELLS:  # those of sound files do not lie over each other
            raise _too_many(filename)
        check_text_size(filename, size, packed)
        for row in rows[top : bottom + 1]:
            if row:
                for j in range(left, min(right + 1, width)):
                    row[j] = value


def _body(
    records: list[Record], head: Head, last: int | None
) -> tuple[Body, list[pa.ChunkedArray]]:
    """The cells of the rows of a table, and for each column which of them the file has as
    numbers."""
    rows = [r for r in records if head.first <= r.line and (last is None or r.line <= last)]
    columns, natives = [], []
    for column in zip(*(record.cells for record in rows), strict=True):
        columns.append(pa.chunked_array([pa.array(column, pa.string())]))
        natives.append(pa.chunked_array([[isinstance(cell, _NumberCell) for cell in column]]))
    body = Body(columns, 0, rows[-1].line if rows else 0)
    if last is None and rows:
        body = without_totals(body, [record.line for record in rows[-MOST_TOTALS:]])
        natives = [native.slice(0, len(body.columns[0])) for native in natives]
    if rows and (left := rows_left(head, body.columns)) is not None:
        natives = [native.filter(left) for native in natives]
    return without_repeats(head, body) if rows else body, natives


def _rows(filename: str, sheet: Any) -> Iterator[tuple[int, list[_Cell]]]:
    """The rows that a sheet has, each with its place from 0 and its cells from the first column on.

    openpyxl's own iteration believes the size that a sheet states, and leaves out in silence what
    stands beyond it or out of order. Raises DataError where they are too many, or in no order.
    """
    from openpyxl.worksheet._reader import WorkSheetParser

    book, last, visited = sheet.parent, 0, 0
    with sheet._get_source() as source:
        parser = WorkSheetParser(
            source,
            sheet._shared_strings,
            data_only=book.data_only,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        for number, cells in parser.parse():
            columns = [cell["column"] for cell in cells]
            in_order = all(map(lt, columns, columns[1:]))
            if number <= last or not in_order or any(cell["row"] != number for cell in cells):
                raise DataError(
                    f"Sheet {sheet.title!r} of {filename!r} has cells that are not in order, at "
                    f"row {number:,}: open it in a spreadsheet program and save it again."
                )
            last = number
            check_size(filename, number, 1)
            visited += columns[-1] if columns else 0
            if visited > MAX_EXCEL_CELLS:
                raise _too_many(filename)
            row = [_EMPTY] * (columns[-1] if columns else 0)
            for cell in cells:
                row[cell["column"] - 1] = cell["value"], cell["data_type"]
            yield number - 1, row


def _too_many(filename: str) -> DataError:
    return DataError(
        f"{filename!r} has more than {MAX_EXCEL_CELLS:,} cells, the limit for Excel: save it as "
        "CSV."
    )


def _formula_cells(filename: str, content: bytes, place: int) -> set[tuple[int, int]]:
    """Positions of the formulas in a sheet; only openpyxl's other mode shows them."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheets = [n for n in archive.namelist() if n.startswith("xl/worksheets/")]
        if not any(_contains(archive, name, b"<f") for name in sheets):
            return set()
    sheet = _workbook(content).worksheets[place]
    return {
        (i, j)
        for i, row in _rows(filename, sheet)
        for j, (_, kind) in enumerate(row)
        if kind == "f"
    }


def _contains(archive: zipfile.ZipFile, name: str, needle: bytes) -> bool:
    """Whether a file of the archive holds these bytes, without holding all of it in memory."""
    tail = b""
    with archive.open(name) as file:
        while block := file.read(1_000_000):
            if needle in tail + block:
                return True
            tail = block[1 - len(needle) :]
    return False


def _unescaped(text: str) -> str:
    """As it was: a carriage return stands as _x000D_ in the file."""
    from openpyxl.utils.escape import unescape

    return unescape(text)


def _excel_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _unescaped(value) if "_x" in value else value
    text = str(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _NumberCell(text)
    if isinstance(value, timedelta):
        return _hours(value)
    if isinstance(value, datetime):
        return text.removesuffix(" 00:00:00")
    return text


def _hours(duration: timedelta) -> str:
    """As a spreadsheet shows it and writes it to CSV: 25:03:00 for a day and more."""
    sign = "-" if duration < timedelta(0) else ""
    minutes, seconds = divmod(abs(duration), timedelta(minutes=1))
    hours, minutes = divmod(minutes, 60)
    text = f"{sign}{hours}:{minutes:02}:{seconds.seconds:02}"
    return f"{text}.{seconds.microseconds:06}".rstrip("0") if seconds.microseconds else text
