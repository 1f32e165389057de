"""Text, Excel and Parquet become one Table. Nothing is guessed in silence.

How a file was understood is said in `Table.parsing`; what can't be understood without a guess is
refused with a DataError, one sentence that a person can act on.
"""

import hashlib
import io
import logging
import os
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from em_core.datasets import Dataset
from pages.ui.table import cells, delimited


def _configured(what: str, usual: float) -> int:
    return int(float(os.environ.get(f"EM_EXPLORER_{what}") or usual))


MAX_BYTES = _configured("UPLOAD_MB", 100) * 1_000_000
MAX_ROWS = _configured("ROWS", 2e6)
MAX_COLUMNS = _configured("COLUMNS", 1e3)
MAX_CELLS = _configured("CELLS", 2e7)
MAX_EXCEL_CELLS = 1_000_000  # the reader manages about 100,000 a second
MAX_UNPACKED = 400_000_000  # bytes of an Excel or Parquet file once decompressed
# Excel's own files shrink to a twentieth at best.
MAX_SHRINKAGE, SHRUNK_AT_LEAST = 100, 20_000_000
log = logging.getLogger(__name__)


class DataError(Exception):
    """A table that can't be used; str() is one plain sentence: what is wrong and what to do."""


class Table(NamedTuple):
    """A table as it was read, rows in their original order."""

    name: str
    frame: pd.DataFrame
    parsing: tuple[str, ...]  # how it was understood, fact by fact
    fingerprint: str  # sha256 of the content, hexadecimal
    units: tuple[str, ...] = ()  # one for each column of the frame, "" where unknown


def read_table(filename: str, content: bytes) -> Table:
    """Read CSV and its relatives, Excel (.xlsx) or Parquet; DataError says why it can't be read."""
    size = len(content)
    if size > MAX_BYTES:
        raise DataError(
            f"{filename!r} has {size / 1e6:,.0f} MB and the limit is {MAX_BYTES / 1e6:,.0f} MB: "
            "load fewer rows or columns."
        )
    if not content.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise DataError(f"{filename!r} is empty: load a file with a header and rows of numbers.")
    suffix = filename.lower().rpartition(".")[2] if "." in filename else ""
    if suffix in ("xlsx", "xlsm"):
        frame, parsing = _read_excel(filename, content)
    elif suffix in ("parquet", "pq"):
        frame, parsing = _read_parquet(filename, content)
    else:
        _refuse_binary(filename, content)
        frame, parsing = _read_text(filename, content)
    parsing = (*parsing, f"{_count(len(frame), 'row')}, {_count(frame.shape[1], 'column')}.")
    return Table(filename, frame, parsing, hashlib.sha256(content).hexdigest())


def from_dataset(dataset: Dataset) -> Table:
    """An example or a generated data set as a table, its labels in a last column."""
    frame = pd.DataFrame(dataset.values, columns=list(dataset.columns), copy=True)
    for name in frame:
        values = frame[name]
        present = values.dropna()
        if len(present) and (present == np.floor(present)).all() and present.abs().max() < 2**53:
            frame[name] = values.astype("Int64")
    digest = hashlib.sha256(np.ascontiguousarray(dataset.values).tobytes())
    digest.update(repr((dataset.values.shape, dataset.columns, dataset.label_name)).encode())
    units = (*dataset.units, *[""] * (len(dataset.columns) - len(dataset.units)))
    if dataset.labels is not None:
        frame[dataset.label_name] = pd.Series(dataset.labels, dtype="str")
        digest.update("\x1f".join(dataset.labels).encode())
        units = (*units, "")
    parsing = (
        f"Source: {dataset.source}.",
        f"{len(frame):,} rows, {frame.shape[1]:,} columns.",
    )
    return Table(dataset.name, frame, parsing, digest.hexdigest(), units)


def check_size(filename: str, rows: int, columns: int) -> None:
    """Raise DataError if a table is larger than this page takes."""
    for number, limit, what in (
        (columns, MAX_COLUMNS, "columns"),
        (rows, MAX_ROWS, "rows"),
        (rows * columns, MAX_CELLS, "cells"),
    ):
        if number > limit:
            raise DataError(
                f"{filename!r} has more than {limit:,} {what}, the limit here: load a part of it."
            )


# ---------------------------------------------------------------------------------------------
# Text


def _read_text(filename: str, content: bytes) -> tuple[pd.DataFrame, tuple[str, ...]]:
    text, encoding = _decode(filename, content)
    try:
        layout = delimited.sniff(text)
        columns, blank = delimited.read(
            text, layout, lambda rows, width: check_size(filename, rows, width)
        )
    except delimited.Malformed as error:
        raise DataError(f"{filename!r}: {error}") from None
    frame, notes, marks = _frame(filename, layout.names, columns)
    parsing = [f"Text in {encoding}.", layout.separator_sentence]
    if len(marks) == 2:
        parsing.append("Decimal comma in some columns, decimal point in others.")
    elif marks:
        parsing.append("Decimal comma." if marks == {","} else "Decimal point.")
    parsing += [layout.header_sentence, *layout.notes, *notes]
    if blank:
        parsing.append(f"{_count(blank, 'blank line')} skipped.")
    return frame, tuple(parsing)


def _frame(
    filename: str, names: tuple[str, ...], columns: list[pa.ChunkedArray]
) -> tuple[pd.DataFrame, list[str], set[str]]:
    """Text columns become a frame; also the notes, and the decimal marks met."""
    if not columns or not len(columns[0]):
        raise DataError(f"{filename!r} has a header but no rows: add the rows and load it again.")
    shapes = [cells.shapes(column) for column in columns]
    shown = cells.marks_shown(shapes)
    series, notes, marks = {}, [], set()
    for name, column, shape in zip(names, columns, shapes, strict=True):
        try:
            result = cells.typed(name, column, shape, shown)
        except cells.Ambiguous as error:
            raise DataError(str(error)) from None
        series[name] = result.values
        notes += result.notes
        marks |= {result.mark} - {""}
    if any(shape.missing_words for shape in shapes):
        notes.append("Empty cells, NA, NaN, null, ? and a lone point count as missing.")
    return pd.DataFrame(series), notes, marks


def _decode(filename: str, content: bytes) -> tuple[str, str]:
    """The text and the name of its encoding."""
    for mark, codec, name in (
        (b"\xef\xbb\xbf", "utf-8-sig", "UTF-8 with a byte order mark"),
        (b"\xff\xfe", "utf-16", "UTF-16"),
        (b"\xfe\xff", "utf-16", "UTF-16"),
    ):
        if content.startswith(mark):
            try:
                return content.decode(codec), name
            except UnicodeDecodeError:
                raise DataError(
                    f"{filename!r} begins as {name} but is damaged: save it again as UTF-8."
                ) from None
    codec = _bare_utf16(content)
    if codec:
        return content.decode(codec), "UTF-16 without a byte order mark"
    controls = sum(content[:65536].count(byte) for byte in _CONTROLS)
    if b"\x00" in content or controls > 0.01 * min(len(content), 65536):
        raise DataError(
            f"{filename!r} isn't a text file: load a table saved as CSV, Excel (.xlsx) or Parquet."
        )
    try:
        return content.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        pass
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return text, "Western European letters (Latin-1), because it isn't UTF-8"


def _bare_utf16(content: bytes) -> str | None:
    """The byte order of UTF-16 without a mark: in Latin text every second byte is zero."""
    sample = content[:4096]
    for odd, codec in ((1, "utf-16-le"), (0, "utf-16-be")):
        if sample[odd::2].count(0) > 0.4 * len(sample) and not sample[1 - odd :: 2].count(0):
            try:
                text = content.decode(codec)
            except UnicodeDecodeError:
                return None
            return None if "\x00" in text else codec
    return None


# Control characters that no text table holds.
_CONTROLS = tuple(byte for byte in range(32) if byte not in b"\t\n\v\f\r\x1a")
_SIGNATURES = (
    (
        b"PK\x03\x04",
        "an Excel file or a zip archive",
        "give an Excel file the ending .xlsx, or unpack the archive",
    ),
    (b"PAR1", "a Parquet file", "give it the ending .parquet"),
    (
        b"\xd0\xcf\x11\xe0",
        "an old or password-protected Excel file",
        "save it as .xlsx without a password, or as CSV",
    ),
    (b"\x1f\x8b", "a compressed file", "unpack it first"),
    (b"BZh", "a compressed file", "unpack it first"),
    (b"\xfd7zXZ", "a compressed file", "unpack it first"),
    (b"7z\xbc\xaf", "an archive", "unpack it first"),
    (b"Rar!", "an archive", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a compressed file", "unpack it first"),
    (b"%PDF", "a PDF document", "save its table as CSV"),
    (b"\x89PNG", "a picture", "load a table saved as CSV, Excel (.xlsx) or Parquet"),
    (b"\xff\xd8\xff", "a picture", "load a table saved as CSV, Excel (.xlsx) or Parquet"),
    (b"GIF8", "a picture", "load a table saved as CSV, Excel (.xlsx) or Parquet"),
)


def _refuse_binary(filename: str, content: bytes) -> None:
    for signature, what, remedy in _SIGNATURES:
        if content.startswith(signature):
            raise DataError(f"{filename!r} is {what}, not text: {remedy}.")


# ---------------------------------------------------------------------------------------------
# Excel


def _read_excel(filename: str, content: bytes) -> tuple[pd.DataFrame, tuple[str, ...]]:
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
    shrunk = unpacked > SHRUNK_AT_LEAST and unpacked > MAX_SHRINKAGE * len(content)
    if unpacked > MAX_UNPACKED or shrunk:
        raise _too_large(filename, unpacked)
    try:
        return _read_workbook(filename, content)
    except DataError:
        raise
    except Exception as error:
        # openpyxl has no error of its own: damaged XML surfaces as whatever it tripped over.
        log.warning("An Excel file could not be read: %s", type(error).__name__)
        raise broken from None


def _too_large(filename: str, unpacked: int) -> DataError:
    return DataError(
        f"{filename!r} unpacks to {unpacked / 1e6:,.0f} MB, too much for this page: load a part of "
        "it, or save it as CSV."
    )


def _read_workbook(filename: str, content: bytes) -> tuple[pd.DataFrame, tuple[str, ...]]:
    # openpyxl takes 0.2 s to import and only Excel files need it.
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    sheet = book.worksheets[0]
    formulas = _formula_cells(filename, content)
    rows, unsaved, errors, width = [], 0, 0, 0
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
    frame, notes, _ = _frame(filename, layout.names, columns)
    parsing = [f"Excel, sheet {sheet.title!r}, the first of {len(book.sheetnames)}."]
    parsing += [layout.header_sentence, *layout.notes, *notes]
    if unsaved:
        parsing.append(f"{_count(unsaved, 'formula')} without a saved result: missing.")
    if errors:
        parsing.append(f"{_count(errors, 'cell')} with an Excel error: missing.")
    if blank:
        parsing.append(f"{_count(blank, 'blank row')} skipped.")
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


# ---------------------------------------------------------------------------------------------
# Parquet


def _read_parquet(filename: str, content: bytes) -> tuple[pd.DataFrame, tuple[str, ...]]:
    # The Parquet reader takes 0.1 s to import.
    import pyarrow.parquet as pq

    broken = DataError(
        f"{filename!r} isn't a readable Parquet file, or it is encrypted: write it again, or save "
        "the table as CSV."
    )
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        info = file.metadata
        check_size(filename, info.num_rows, info.num_columns)
        groups = [info.row_group(i) for i in range(info.num_row_groups)]
        unpacked = sum(group.total_byte_size for group in groups)
        if unpacked > MAX_UNPACKED:
            raise _too_large(filename, unpacked)
        # A list in a cell may hold any number of values.
        values = sum(g.column(j).num_values for g in groups for j in range(g.num_columns))
        if values > MAX_CELLS:
            raise DataError(
                f"{filename!r} has {values:,} values and the limit is {MAX_CELLS:,}: load a part "
                "of it."
            )
        # Texts are read once each, and spread over the rows only where that is not too much.
        texts = [f.name for f in file.schema_arrow if pa.types.is_string(f.type)]
        file = pq.ParquetFile(io.BytesIO(content), read_dictionary=texts)
        table = file.read(use_threads=False)
        spread = sum(map(_spread_size, table.columns))
        if spread > MAX_UNPACKED:
            raise _too_large(filename, spread)
        if not table.num_rows or not table.num_columns:
            raise DataError(f"{filename!r} has no rows: load a table with rows of numbers.")
        names, renamed = delimited.unique_names(table.column_names)
        series, notes = {}, []
        for name, column in zip(names, table.columns, strict=True):
            series[name], note = _parquet_column(name, column)
            notes += note
    except (pa.ArrowException, OSError):
        raise broken from None
    return pd.DataFrame(series), ("Parquet.", *renamed, *notes)


def _spread_size(column: pa.ChunkedArray) -> int:
    """Bytes of a column of texts once every row has its own; 0 of other columns."""
    if not pa.types.is_dictionary(column.type) or not pa.types.is_string(column.type.value_type):
        return 0
    return sum(
        pc.sum(pc.take(pc.binary_length(chunk.dictionary), chunk.indices)).as_py() or 0
        for chunk in column.chunks
    )


def _parquet_column(name: str, column: pa.ChunkedArray) -> tuple[pd.Series, list[str]]:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_uint64(kind) or pa.types.is_decimal(kind) or pa.types.is_float16(kind):
        note = f"{name!r} is {kind} in the file, read as double precision numbers."
        return pd.Series(column.cast(pa.float64(), safe=False).to_numpy().copy()), [note]
    if pa.types.is_integer(kind):
        values = column.cast(pa.int64())
        return values.to_pandas(types_mapper=lambda _: pd.Int64Dtype()), []
    if pa.types.is_floating(kind):
        return pd.Series(column.cast(pa.float64()).to_numpy().copy()), []
    if pa.types.is_boolean(kind):
        return column.to_pandas(types_mapper=lambda _: pd.BooleanDtype()), []
    if pa.types.is_null(kind):
        return pd.Series(np.full(len(column), np.nan)), []
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return pd.to_datetime(column.to_pandas()), []
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column.cast(pa.string()).to_pandas(), []
    text = [None if value is None else str(value) for value in column.to_pylist()]
    return pd.Series(text, dtype="str"), [f"{name!r} is {kind} in the file, read as text."]


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
