"""A file becomes a Table. Nothing is guessed in silence.

How it was understood is said in `Table.parsing`; what can't be understood without a guess is
refused with a DataError, one sentence that a person can act on. To read another format, write a
function as in `excel.py` or `parquet.py`, and call it for its endings in `read_table`.
"""

import gzip
import hashlib
import io
import re
import zlib
from functools import partial

import pandas as pd

from pages.ui.tables import delimited
from pages.ui.tables.answers import AS_IT_IS, ENCODINGS, Reading
from pages.ui.tables.arrow import read_arrow
from pages.ui.tables.cells_again import holds_texts, typed_again
from pages.ui.tables.column_names import with_cells
from pages.ui.tables.excel import read_excel
from pages.ui.tables.framing import framed, read_from
from pages.ui.tables.json_lines import is_json, read_json_lines
from pages.ui.tables.lines import column_is_numeric, told
from pages.ui.tables.long_texts import check_text, without_long_texts
from pages.ui.tables.parquet import read_parquet
from pages.ui.tables.records import Malformed
from pages.ui.tables.ruled import ruled
from pages.ui.tables.statistical import PROGRAMS, read_statistical
from pages.ui.tables.table import MAX_BYTES, DataError, Table, check_size, most_unpacked
from pages.ui.text import counted, number, sentence

GZIP = b"\x1f\x8b"
MOST_LINES = 5  # named
MOST_NAMED = 8
MOST_TEXTS = 200  # of a column, by which most are told
MOST_LOOKED_AT, SAMPLE_CHARACTERS = 4_000_000, 40
_REPLACED = re.compile("\ufffd")
_BROKEN, _NO_ASCII = re.compile("[\udc80-\udcff]"), re.compile("[^\x00-\x7f]")


def fingerprint(content: str, reading: Reading) -> str:
    """What names a table: the sha256 of its file and of what was said about it, hexadecimal.

    content: the sha256 of the file, hexadecimal.
    """
    if not reading.text:
        return content
    return hashlib.sha256(f"{content} {reading.text}".encode()).hexdigest()


def read_table(filename: str, content: bytes, reading: Reading = AS_IT_IS) -> Table:
    """Read CSV and its relatives (also gzipped), Excel, Parquet, Arrow, JSON lines, or what Stata,
    SPSS and SAS write; DataError says why it can't be read.

    reading: what a person has said about how.
    """
    size = len(content)
    if size > MAX_BYTES:
        raise DataError(
            f"{filename!r} has {number(size / 1e6, 3)} MB and the limit is "
            f"{number(MAX_BYTES / 1e6, 3)} MB: load fewer rows or columns."
        )
    if not content.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise DataError(f"{filename!r} is empty: load a file with a header and rows of numbers.")
    try:
        table = without_long_texts(_read(filename, content, reading))
    except MemoryError:  # a damaged file may claim any size
        raise DataError(
            f"{filename!r} is damaged, or takes more memory to read than one file may have here: "
            "write it again, or with fewer rows or columns."
        ) from None
    check_text(filename, table, size)
    table = _with_numbers_of_texts(table._replace(reading=reading))
    rows, columns = table.frame.shape
    return table._replace(
        parsing=(*table.parsing, f"{counted(rows, 'row')}, {counted(columns, 'column')}."),
        fingerprint=fingerprint(hashlib.sha256(content).hexdigest(), reading),
    )


def _with_numbers_of_texts(table: Table) -> Table:
    """The table of a file whose cells have types, as it would be as text: numbers that it keeps as
    text are numbers."""
    coded = {name for name, _ in (*table.value_labels, *table.missing_codes)}
    texts = {
        str(name): column
        for name, column in table.frame.items()
        if holds_texts(column) and name not in coded and _begins_with_numbers(column)
    }
    if table.lines is not None or not texts:
        return table
    read = typed_again(table, texts)
    long = [name for name in texts if _would_lose_digits(texts[name], read.frame[name])]
    if long:
        read = typed_again(table, {n: column for n, column in texts.items() if n not in long})
        named = ", ".join(map(repr, long[:MOST_NAMED])) + " …" * (len(long) > MOST_NAMED)
        told = f"Left as text, as numbers keep 16 digits and these have more: {named}."
        read = read._replace(parsing=(*read.parsing, told))
    if numbers := [name for name in texts if not holds_texts(read.frame[name])]:
        named = ", ".join(map(repr, numbers[:MOST_NAMED]))
        more = len(numbers) - MOST_NAMED
        named += f" and {more:,} more" * (more > 0)
        alike = [_one_number(texts[name], read.frame[name]) for name in numbers]
        told = [f"{pair[0]!r} and {pair[1]!r} are one number now." for pair in alike if pair]
        said = " ".join((f"Kept as text in the file: {named}.", *told[:MOST_NAMED]))
        return read._replace(parsing=(*read.parsing, said))
    return read


def _one_number(texts: pd.Series, read: pd.Series) -> tuple[str, str] | None:
    """Two different texts, such as versions may be, that became the same number, if any did."""
    pairs = pd.DataFrame({"text": texts.str.strip(), "number": read}).dropna().drop_duplicates()
    again = pairs[pairs.duplicated("number")]
    if again.empty:
        return None
    first, second, *_ = pairs["text"][pairs["number"] == again["number"].iloc[0]]
    return first, second


def _would_lose_digits(texts: pd.Series, read: pd.Series) -> bool:
    """Whether whole numbers that are kept as text, as long identifiers are, became others."""
    if holds_texts(read) or not pd.api.types.is_float_dtype(read):
        return False
    return bool(texts.dropna().str.fullmatch(r"\s*[+-]?\d{16,}\s*").any())


def _begins_with_numbers(column: pd.Series) -> bool:
    """Whether the first texts of a column are numbers, so that it is worth to look at all."""
    return column_is_numeric([[text] for text in column.dropna().iloc[:MOST_TEXTS]], 0)


def _read(filename: str, content: bytes, reading: Reading, packed: bool = False) -> Table:
    """By the ending of its name, which may be behind that of a compressed file."""
    ending = _ending(filename)
    if ending in PROGRAMS and not packed:
        return read_statistical(filename, content, ending)
    if ending in ("xlsx", "xlsm"):
        return read_excel(filename, content, reading)
    if ending in ("parquet", "pq"):
        return read_parquet(filename, content)
    if ending in ("feather", "arrow", "ipc", "arrows"):
        return read_arrow(filename, content)
    if ending in _OTHER_SPREADSHEETS:
        raise DataError(
            f"{filename!r} is a file of a spreadsheet program in a format that is not read here: "
            "open it there and save it as Excel (.xlsx) or CSV."
        )
    if ending in ("rds", "rda", "rdata"):
        raise DataError(
            f"{filename!r} is an R file, which only R reads safely: save the table there with "
            "write.csv, or with arrow::write_parquet, and load that."
        )
    if content.startswith(GZIP) and not packed:
        name = filename[: -len(".gz")] if ending == "gz" else filename
        return _read(name, _unpacked(filename, content), reading, packed=True)._replace(
            name=filename, file=filename
        )
    _refuse_binary(filename, content)
    text, *encoding = _decode(filename, content, reading.encoding)
    if ending in ("jsonl", "ndjson", "json") or is_json(text):
        table = read_json_lines(filename, text)
        return table._replace(parsing=(*encoding, *table.parsing))
    return _read_text(filename, text, encoding, reading)


def _ending(filename: str) -> str:
    return filename.lower().rpartition(".")[2] if "." in filename else ""


def _unpacked(filename: str, content: bytes) -> bytes:
    """What a file compressed by gzip holds, as long as an uncompressed one might be, and in
    proportion to the file."""
    most = min(MAX_BYTES, most_unpacked(len(content)))
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            unpacked = file.read(most + 1)
    except (OSError, EOFError, zlib.error):
        raise DataError(
            f"{filename!r} is a damaged compressed file: compress it again, or unpack it first."
        ) from None
    if len(unpacked) > most:
        raise DataError(
            f"{filename!r} unpacks to more than {number(most / 1e6, 3)} MB, the limit for a file "
            "of its size: load fewer rows or columns, or unpack it first."
        )
    if not unpacked.strip():
        raise DataError(f"{filename!r} is empty: load a file with a header and rows of numbers.")
    return unpacked


def _read_text(filename: str, text: str, encoding: list[str], reading: Reading) -> Table:
    # Of files that were joined, each may begin with a mark.
    text = text.replace("\n\ufeff", "\n").replace("\r\ufeff", "\r")
    drawn = ruled(text)
    text, rules = (drawn.text, drawn.rules) if drawn else (text, 0)
    check = partial(check_size, filename)
    try:
        layout = delimited.sniff(text, check, reading)
        body = delimited.read(text, layout, check, reading.last)
    except Malformed as error:
        raise DataError(f"{filename!r}: {error}") from None
    head, places = with_cells(layout.head, body.columns)
    columns = [body.columns[place] for place in places]
    comma_usual = layout.separator == ";"
    made = framed(filename, head.names, columns, reading, comma_usual=comma_usual)
    parsing = [*encoding, drawn.sentence if drawn else layout.separator_sentence]
    if made.marks:
        parsing.append(sentence(made.marks_in_words))
    parsing += [*told(head, layout.above, body), *made.notes]
    if body.blank > rules:
        parsing.append(f"{counted(body.blank - rules, 'blank line')} skipped.")
    return read_from(filename, made, parsing, head, layout.above, body)


def _decode(filename: str, content: bytes, chosen: str) -> tuple[str, ...]:
    """The text, and sentences on its encoding. chosen: by a person, "" if by nobody."""
    if chosen:
        text, *said = _decoded(content, chosen, f"Text in {ENCODINGS[chosen]}, as you chose.")
        if "\x00" in text:
            raise DataError(f"{filename!r} isn't {ENCODINGS[chosen]}: choose another encoding.")
        return text, *said
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
            if "\x00" not in text:
                return text, f"Text in {name}."
            if codec != "utf-8-sig" or b"\x00" in content:
                raise DataError(
                    f"{filename!r} begins as {name} but is damaged: save it again as UTF-8."
                )
            return _decoded(content[len(mark) :], "utf-8", f"Text in {name}.")
    codec = _bare_utf16(content)
    if codec:
        return content.decode(codec), "Text in UTF-16 without a byte order mark."
    controls = sum(content[:65536].count(byte) for byte in _CONTROLS)
    if b"\x00" in content or controls > 0.01 * min(len(content), 65536):
        raise DataError(
            f"{filename!r} isn't a text file: load a table saved as CSV, Excel (.xlsx) or Parquet."
        )
    try:
        return content.decode("utf-8"), "Text in UTF-8."
    except UnicodeDecodeError:
        pass
    if _is_broken_utf8(content):
        return _decoded(content, "utf-8", "Text in UTF-8.")
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return text, "Text in Western European letters (Latin-1), because it isn't UTF-8."


def _is_broken_utf8(content: bytes) -> bool:
    """Whether characters of several bytes are most of what is no ASCII: no other encoding has
    them."""
    text = content.decode("utf-8", "surrogateescape")
    broken = len(_BROKEN.findall(text))
    return broken * 4 <= len(_NO_ASCII.findall(text)) - broken


def _decoded(content: bytes, codec: str, sentence: str) -> tuple[str, ...]:
    """A text in which bytes that are no characters are shown as such, and the lines named."""
    if codec == "utf-8":  # which may hold the sign for it by itself
        text = content.decode(codec, "surrogateescape").removeprefix("\ufeff")
        return _BROKEN.sub("\ufffd", text), sentence, *_broken_in(text, _BROKEN)
    text = content.decode(codec, "replace").removeprefix("\ufeff")
    return text, sentence, *_broken_in(text, _REPLACED)


def _broken_in(text: str, pattern: re.Pattern) -> tuple[str, ...]:
    """Where bytes are that the encoding does not have."""
    n, lines = 0, []
    for at, line in enumerate(re.split("\r\n|\r|\n", text), start=1):
        if found := len(pattern.findall(line)):
            n += found
            lines.append(f"{at:,}")
    if not n:
        return ()
    where = ", ".join(lines[:MOST_LINES]) + (", …" if len(lines) > MOST_LINES else "")
    line = "line" if len(lines) == 1 else "lines"
    return (f"{counted(n, 'byte')} in {line} {where} that this encoding lacks: shown as \ufffd.",)


def samples(content: bytes) -> dict[str, str]:
    """For each encoding how it makes the first line look that needs one; empty if none does."""
    found = re.search(
        rb"([\x00-\x09\x0b\x0c\x0e-\x7f]*)([\x80-\xff][^\r\n]*)", content[:MOST_LOOKED_AT]
    )
    if found is None:
        return {}
    before, rest = found[1][-SAMPLE_CHARACTERS // 2 :], found[2][: SAMPLE_CHARACTERS // 2]
    line = before + rest
    return {codec: line.decode(codec, "replace").strip() for codec in ENCODINGS}


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
_MARKUP = re.compile(
    rb"(\xef\xbb\xbf)?\s*<(\?xml|!doctype|html|head|body|table|meta|div)\b", re.IGNORECASE
)
_OTHER_SPREADSHEETS = ("ods", "numbers", "xlsb", "fods")
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
    (GZIP, "a compressed file in another", "unpack it first"),
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
    if _MARKUP.match(content):
        raise DataError(
            f"{filename!r} holds a web page or XML, whatever its name says: open it in a "
            "spreadsheet program and save it as Excel (.xlsx) or CSV."
        )
    for signature, what, remedy in _SIGNATURES:
        if content.startswith(signature):
            raise DataError(f"{filename!r} is {what}, not text: {remedy}.")
