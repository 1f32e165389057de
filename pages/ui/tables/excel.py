"""Excel files (.xlsx, .xlsm)."""

import io
import logging
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from pages.ui.tables import delimited
from pages.ui.tables.table import DataError, check_size, check_unpacked, framed, too_large
from pages.ui.text import counted

MAX_EXCEL_CELLS = 1_000_000  # the reader manages about 100,000 a second
# Excel's own files shrink to a twentieth at best.
MAX_SHRINKAGE, SHRUNK_AT_LEAST = 100, 20_000_000
log = logging.getLogger(__name__)


def read_excel(filename: str, content: bytes) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The first sheet of an Excel file as a frame, and how it was understood.

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
    except zipfile.BadZipFile:
        raise broken from None
    check_unpacked(filename, unpacked)
    if unpacked > SHRUNK_AT_LEAST and unpacked > MAX_SHRINKAGE * len(content):
        raise too_large(filename, unpacked)
    try:
        return _read_workbook(filename, content)
    except DataError:
        raise
    except Exception as error:
        # openpyxl has no error of its own: damaged XML surfaces as whatever it tripped over.
        log.warning("An Excel file could not be read: %s", type(error).__name__)
        raise broken from None


def _read_workbook(filename: str, content: bytes) -> tuple[pd.DataFrame, tuple[str, ...]]:
    # openpyxl takes 0.2 s to import and only Excel files need it.
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    sheet = book.worksheets[0]
    formulas = _formula_cells(filename, content)
    rows, unsaved, errors, width, size = [], 0, 0, 0, 0
    for i, cells_of_row in enumerate(_rows(filename, sheet)):
        row = []
        for j, cell in enumerate(cells_of_row):
            error = cell.data_type == "e"
            no_result = cell.value is None and (i, j) in formulas
            errors += error
            unsaved += no_result
            row.append("NA" if error or no_result else _excel_text(cell.value))
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
    blank = sum(not row for row in rows)
    rows = [row + [""] * (width - len(row)) for row in rows if row]
    if not rows:
        raise DataError(f"The first sheet of {filename!r}, {sheet.title!r}, is empty: fill it.")
    layout = delimited.headed(rows[:200], width)
    if layout.has_header:
        rows = rows[1:]
    columns = [pa.chunked_array([pa.array(c, pa.string())]) for c in zip(*rows, strict=True)]
    frame, notes, _ = framed(filename, layout.names, columns)
    parsing = [f"Excel, sheet {sheet.title!r}, the first of {len(book.sheetnames)}."]
    parsing += [layout.header_sentence, *layout.notes, *notes]
    if unsaved:
        parsing.append(f"{counted(unsaved, 'formula')} without a saved result: missing.")
    if errors:
        parsing.append(f"{counted(errors, 'cell')} with an Excel error: missing.")
    if blank:
        parsing.append(f"{counted(blank, 'blank row')} skipped.")
    return frame, tuple(parsing)


def _rows(filename: str, sheet: Any) -> Iterator[tuple]:
    """The rows of a sheet, until they are too many: a sheet may claim billions of empty cells."""
    visited = 0
    for row in sheet.iter_rows():
        visited += len(row)
        if visited > MAX_EXCEL_CELLS:
            raise DataError(
                f"{filename!r} has more than {MAX_EXCEL_CELLS:,} cells, the limit for Excel: save "
                "it as CSV."
            )
        yield row


def _formula_cells(filename: str, content: bytes) -> set[tuple[int, int]]:
    """Positions of the formulas in the first sheet; only openpyxl's other mode shows them."""
    from openpyxl import load_workbook

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheets = [n for n in archive.namelist() if n.startswith("xl/worksheets/")]
        if not any(_contains(archive, name, b"<f") for name in sheets):
            return set()
    sheet = load_workbook(io.BytesIO(content), read_only=True).worksheets[0]
    return {
        (i, j)
        for i, row in enumerate(_rows(filename, sheet))
        for j, cell in enumerate(row)
        if cell.data_type == "f"
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


def _excel_text(value: object) -> str:
    if value is None:
        return ""
    text = str(value)
    if isinstance(value, float) and re.fullmatch(r"-?[1-9][0-9]{0,2}\.[0-9]{3}", text):
        # Excel knows that 1.234 is no thousand: the extra 0 says so.
        return text + "0"
    if isinstance(value, datetime):
        return text.removesuffix(" 00:00:00")
    return text
