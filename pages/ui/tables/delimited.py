"""Text split into cells: which separator, is there a header, and are all rows of one length."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa

from pages.ui.tables import cells

# In order of preference where two fit equally well: `1,5;2,5` is two decimals, not three cells.
_SEPARATORS = ("\t", ";", "|", ",")
_SPACES = " "
_NAMES = {
    "\t": "Cells are separated by tabs.",
    ";": "Cells are separated by semicolons.",
    "|": "Cells are separated by vertical bars.",
    ",": "Cells are separated by commas.",
    _SPACES: "Cells are separated by spaces.",
    "": "One column: no separator found.",
}
_MOST_NOTES = 20
_SAMPLE_CHARACTERS = 262_144
_SAMPLE_RECORDS = 200
_SAMPLE_COLUMNS = 1_000
_CHUNK = 20_000
_RECORD_CHARACTERS = 1_000_000
_LINE = re.compile(r"(?!\Z)[^\r\n]*+(?:\r\n|\r|\n|\Z)")
_WORD = re.compile(r'"((?:[^"]|"")*)"|(\S+)')


class Malformed(Exception):
    """Text that is not a table; str() is a clause for the person, naming the line."""


class Layout(NamedTuple):
    """How a text is laid out."""

    separator: str  # "" for a single column, " " for any run of spaces
    padded: bool  # a space follows every separator
    has_header: bool
    names: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def separator_sentence(self) -> str:
        return _NAMES[self.separator]

    @property
    def header_sentence(self) -> str:
        if self.has_header:
            return "The first line holds the column names."
        return "No column names found: the first line is read as data."


def sniff(text: str, check_size: Callable[[int, int], None]) -> Layout:
    """Decide on separator and header from the beginning of the text.

    `check_size(rows, columns)` may refuse a table of so many columns with an exception of its own,
    before anything is worked out for each of them.
    """
    sample = text[:_SAMPLE_CHARACTERS]
    best, best_records, best_fit = "", _sample(sample, "", len(text)), 0.0
    for separator in _SEPARATORS:
        records = _sample(sample, separator, len(text))
        if records and len(records[0]) > 1 and _fit(records) > best_fit:
            best, best_records, best_fit = separator, records, _fit(records)
    if best:
        check_size(1, _usual_width(best_records))
    if best in ("", ","):
        records = _sample(sample, _SPACES, len(text))
        if _better_by_spaces(records, best, best_records):
            best, best_records = _SPACES, records
    if not best_records:
        for _ in _records(text, "", False):
            pass  # a quote that never ends is reported here
        raise Malformed("it holds only empty cells: load a table with numbers.")
    _refuse_thousands(best, best_records)
    later = [cell for row in best_records for cell in row[1:] if cell]
    padded = best not in ("", _SPACES) and bool(later) and all(c[0] == " " for c in later)
    if padded:
        best_records = [[cell.strip(" ") for cell in row] for row in best_records]
    width = _usual_width(best_records)
    check_size(1, width)
    layout = headed(best_records, width)
    return layout._replace(separator=best, padded=padded)


def _better_by_spaces(records: list[list[str]], best: str, best_records: list[list[str]]) -> bool:
    """Whether the text is a table of numbers with spaces between them, and of nothing else."""
    fit = _fit(records)
    if fit < 0.5 or _one_grouped_column(records):
        return False
    numeric = _numeric_columns(records)
    if not best:
        return any(numeric)
    # `1,5 2,5` is two numbers with spaces between, but no numbers with commas between.
    return fit >= 1 and all(numeric) and not all(_numeric_columns(best_records))


def _one_grouped_column(records: list[list[str]]) -> bool:
    """One name over numbers such as `1 234`."""
    body = records[1:]
    return len(records[0]) == 1 and bool(body) and all(_grouped(row) for row in body)


def _refuse_thousands(separator: str, records: list[list[str]]) -> None:
    """Without a header, `1,234` in every line may be one number or two: refuse to guess."""
    if separator in (",", _SPACES) and all(_grouped(row) for row in records):
        sample = separator.join(records[0])
        raise Malformed(
            f"{sample!r} and the other lines may hold one number with thousands set apart, or "
            f"{len(records[0])} columns: add a line with the column names and load it again."
        )


def _grouped(row: list[str]) -> bool:
    head, *groups = row
    return (
        bool(groups)
        and re.fullmatch("[+-]?[1-9][0-9]{0,2}", head) is not None
        and all(re.fullmatch("[0-9]{3}", group) for group in groups)
    )


def headed(records: list[list[str]], width: int) -> Layout:
    """Decide whether the first of these records holds names, and make the names usable.

    It does if it has text and no number; or if its numbers count up by one, as years and the
    default names of pandas do, and can't be measurements like those below.
    """
    first, body = records[0], records[1:]
    extra = ""
    if width == len(first) + 1:
        # R writes row names without a heading; other programs end every row with a separator.
        extra = "last" if all(not row[-1].strip() for row in body) else "first"
        first = [*first, ""] if extra == "last" else ["", *first]
    if not _holds_names(first, body):
        names = tuple(f"column {j + 1}" for j in range(width))
        return Layout("", False, False, names, ())
    names, renamed = unique_names(first)
    note = f"Every row has one cell more than the header: the {extra} one has no name."
    return Layout("", False, True, names, tuple([note, *renamed] if extra else renamed))


def _holds_names(first: list[str], body: list[list[str]]) -> bool:
    stripped = [cell.strip() for cell in first]
    missing = [cell.lower() in cells.MISSING for cell in stripped]
    numeric = _are_numbers(stripped)
    text = [not m and not n for m, n in zip(missing, numeric, strict=True)]
    if any(numeric):
        return _counts_up([c for c, n in zip(stripped, numeric, strict=True) if n], body)
    if any(missing):
        # A first row with holes may be data, unless a text stands over numbers.
        return any(t and _column_is_numeric(body, j) for j, t in enumerate(text))
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
    plain = [" ".join(str(name).split()) for name in names]
    given, taken = set(plain), set[str]()
    # For each name the number to try next, so that a name repeated n times costs n steps.
    following: Counter[str] = Counter()
    result: list[str] = []
    notes = []
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
        notes[_MOST_NOTES:] = [f"{more:,} more columns without a name of their own got one."]
    return tuple(result), notes


def read(
    text: str, layout: Layout, check_size: Callable[[int, int], None]
) -> tuple[list[pa.ChunkedArray], int]:
    """All cells after the header, as text columns, and the number of blank lines left out.

    `check_size(rows, columns)` may stop the reading with an exception of its own. Raises Malformed
    where a row is longer or shorter than the others.
    """
    width = len(layout.names)
    check_size(1, width)
    chunks: list[list[pa.Array]] = []
    buffer: list[list[str]] = []
    rows = blank = 0
    pending = 0  # blank lines of a single column: missing values, unless only blank lines follow
    header_due = layout.has_header
    for line, row in _records(text, layout.separator, layout.padded):
        if len(row) <= 1 and not (row and row[0].strip()) and not (width == 1 and row == [""]):
            if width == 1 and not header_due and (rows or layout.has_header):
                pending += 1
            else:
                blank += 1
            continue
        if header_due:
            header_due = False
            continue
        if len(row) != width:
            raise Malformed(_ragged(line, len(row), layout))
        buffer += [[""]] * pending
        rows += pending + 1
        pending = 0
        buffer.append(row)
        if len(buffer) >= _CHUNK:
            check_size(rows, width)
            chunks.append(_transposed(buffer))
            buffer = []
    check_size(rows, width)
    if buffer:
        chunks.append(_transposed(buffer))
    columns = [pa.chunked_array([c[j] for c in chunks], pa.string()) for j in range(width)]
    return columns, blank + pending


def _transposed(rows: list[list[str]]) -> list[pa.Array]:
    return [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]


def _ragged(line: int, found: int, layout: Layout) -> str:
    cells_found = "1 cell" if found == 1 else f"{found:,} cells"
    expected = "the header" if layout.has_header else "the first line"
    hint = "put text or decimals that hold the separator in quotes"
    if layout.separator == ",":
        hint = "numbers with decimal commas and texts with commas need quotes"
    return (
        f"line {line:,} has {cells_found} but {expected} has {len(layout.names):,}: correct that "
        f"line ({hint}) and load the table again."
    )


def _records(text: str, separator: str, padded: bool) -> Iterator[tuple[int, list[str]]]:
    """Line numbers (of the last line of each record, from 1) and cells."""
    lines = _Lines(text)
    if separator == _SPACES:
        for number, line in enumerate(lines, start=1):
            lines.record_ended()
            yield number, _words(line)
        return
    # A single column has quotes and line breaks too: a separator that can't occur.
    reader = csv.reader(
        lines,
        delimiter=separator or "\x1f",
        skipinitialspace=padded,
        strict=True,
    )
    try:
        for row in reader:
            lines.record_ended()
            yield reader.line_num, row
    except csv.Error as error:
        if "field larger" in str(error):
            problem = "has a cell of more than 131,072 characters, or a quote that never ends"
        elif "unexpected end" in str(error):
            problem = "opens a quote that never ends"
        else:
            problem = "has text after a closing quote"
        raise Malformed(
            f"line {reader.line_num:,} {problem}: correct the quotes and load the table again."
        ) from None


class _Lines:
    """The lines of a text with their ends, one at a time: none may be so long that its cells alone
    would fill the memory, nor may the lines that one record takes."""

    def __init__(self, text: str):
        self._ends = _LINE.finditer(text)
        self._number = 0
        self._open = 0  # characters of the record that has not ended

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        found = next(self._ends)
        self._number += 1
        self._open += found.end() - found.start()
        if self._open > _RECORD_CHARACTERS:
            raise Malformed(
                f"the row at line {self._number:,} has more than {_RECORD_CHARACTERS:,} "
                "characters: put every row on a line of its own, end every quote, and load the "
                "table again."
            )
        return found[0]

    def record_ended(self) -> None:
        self._open = 0


def _words(line: str) -> list[str]:
    return [
        quoted.replace('""', '"') if quoted or not bare else bare
        for quoted, bare in _WORD.findall(line)
    ]


def _sample(sample: str, separator: str, length: int) -> list[list[str]]:
    """The first records that aren't blank; the last of a cut text is left out."""
    records = []
    try:
        for _, row in _records(sample, separator, False):
            if any(cell.strip() for cell in row) or len(row) > 1:
                records.append(row)
            if len(records) > _SAMPLE_RECORDS:
                return records[:-1]
    except Malformed:
        # Wrong for this separator, or a quote cut in two: judge by what came before.
        pass
    if length > len(sample) and len(records) > 1:
        records.pop()
    return records


def _usual_width(records: list[list[str]]) -> int:
    """The length of the header, or one more if that is what (nearly) all the other rows have."""
    header = len(records[0])
    lengths = Counter(len(row) for row in records[1:])
    if lengths and lengths[header] == 0 and set(lengths) == {header + 1}:
        return header + 1
    return header


def _fit(records: list[list[str]]) -> float:
    """The share of the records that are as long as the header says."""
    if not records:
        return 0.0
    width = _usual_width(records)
    if width < 2:
        return 0.0
    body = records[1:] or records
    # The header counts: a text that fits nowhere else is read with the separator it has.
    return (1e-6 + sum(len(row) == width for row in body)) / len(body)


def _numeric_columns(records: list[list[str]]) -> list[bool]:
    """Which columns hold numbers, as far as a sample of the columns goes."""
    body = records[1:] or records
    return [_column_is_numeric(body, j) for j in range(min(_usual_width(records), _SAMPLE_COLUMNS))]


def _column_is_numeric(body: list[list[str]], position: int) -> bool:
    column = [row[position].strip() for row in body if position < len(row)]
    present = [cell for cell in column if cell.lower() not in cells.MISSING]
    return bool(present) and all(_are_numbers(present))


def _are_numbers(texts: list[str]) -> list[bool]:
    return cells.is_number(pa.chunked_array([texts], pa.string())).to_pylist()
