"""A file becomes a Table. Nothing is guessed in silence.

How it was understood is said in `Table.parsing`; what can't be understood without a guess is
refused with a DataError, one sentence that a person can act on. To read another format, write a
function as in `excel.py` or `parquet.py`, and call it for its endings in `read_table`.
"""

import hashlib
from functools import partial

import pandas as pd

from pages.ui import environment
from pages.ui.tables import delimited
from pages.ui.tables.excel import read_excel
from pages.ui.tables.parquet import read_parquet
from pages.ui.tables.table import DataError, Table, check_size, framed
from pages.ui.text import counted

MAX_BYTES = round(environment.number("UPLOAD_MB") * 1e6)


def read_table(filename: str, content: bytes) -> Table:
    """Read CSV and its relatives, Excel (.xlsx) or Parquet; DataError says why it can't be read."""
    size = len(content)
    if size > MAX_BYTES:
        raise DataError(
            f"{filename!r} has {size / 1e6:,.3g} MB and the limit is {MAX_BYTES / 1e6:,.3g} MB: "
            "load fewer rows or columns."
        )
    if not content.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise DataError(f"{filename!r} is empty: load a file with a header and rows of numbers.")
    suffix = filename.lower().rpartition(".")[2] if "." in filename else ""
    if suffix in ("xlsx", "xlsm"):
        frame, parsing = read_excel(filename, content)
    elif suffix in ("parquet", "pq"):
        frame, parsing = read_parquet(filename, content)
    else:
        _refuse_binary(filename, content)
        frame, parsing = _read_text(filename, content)
    parsing = (*parsing, f"{counted(len(frame), 'row')}, {counted(frame.shape[1], 'column')}.")
    fingerprint = hashlib.sha256(content).hexdigest()
    return Table(filename, frame, parsing, fingerprint, file=filename)


def _read_text(filename: str, content: bytes) -> tuple[pd.DataFrame, tuple[str, ...]]:
    text, encoding = _decode(filename, content)
    check = partial(check_size, filename)
    try:
        layout = delimited.sniff(text, check)
        columns, blank = delimited.read(text, layout, check)
    except delimited.Malformed as error:
        raise DataError(f"{filename!r}: {error}") from None
    frame, notes, marks = framed(filename, layout.names, columns)
    parsing = [f"Text in {encoding}.", layout.separator_sentence]
    if len(marks) == 2:
        parsing.append("Decimal comma in some columns, decimal point in others.")
    elif marks:
        parsing.append("Decimal comma." if marks == {","} else "Decimal point.")
    parsing += [layout.header_sentence, *layout.notes, *notes]
    if blank:
        parsing.append(f"{counted(blank, 'blank line')} skipped.")
    return frame, tuple(parsing)


def _decode(filename: str, content: bytes) -> tuple[str, str]:
    """The text and the name of its encoding."""
    for mark, codec, name in (
        (b"\xef\xbb\xbf", "utf-8-sig", "UTF-8 with a byte order mark"),
        # Before UTF-16, whose mark the first of these begins with.
        (b"\xff\xfe\x00\x00", "utf-32", "UTF-32"),
        (b"\x00\x00\xfe\xff", "utf-32", "UTF-32"),
        (b"\xff\xfe", "utf-16", "UTF-16"),
        (b"\xfe\xff", "utf-16", "UTF-16"),
    ):
        if content.startswith(mark):
            try:
                text = content.decode(codec)
            except UnicodeDecodeError:
                text = "\x00"
            if "\x00" in text:
                raise DataError(
                    f"{filename!r} begins as {name} but is damaged: save it again as UTF-8."
                )
            return text, name
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
