"""Arrow files (Feather) and streams."""

import math
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from pages.ui.tables.column_names import unique_names
from pages.ui.tables.pandas_index import range_index
from pages.ui.tables.parquet import series_of, spread_size
from pages.ui.tables.table import DataError, Table, check_size, check_unpacked

_FILE = b"ARROW1"
# Each time through a file Arrow goes over all columns of every batch, whichever are read.
_MOST_PASSES = 32


def read_arrow(filename: str, content: bytes) -> Table:
    """The table in an Arrow file or stream. Raises DataError."""
    broken = DataError(
        f"{filename!r} isn't a readable Arrow or Feather file: write it again, or save the table "
        "as CSV."
    )
    if content.startswith(b"FEA1"):
        raise DataError(f"{filename!r} is Feather of version 1: write it again as version 2.")
    try:
        schema = _opened(content, None).schema
        index = range_index(schema.metadata)
        check_size(filename, 1, len(schema) + len(index))
        if not len(schema):
            raise DataError(f"{filename!r} has no columns: load a table with rows of numbers.")
        names, renamed = unique_names([*schema.names, *(of.name for of in index)])
        columns, notes, size = {}, [], 0
        # A few at a time: compressed, each may be far larger than the file.
        width = math.ceil(len(schema) / _MOST_PASSES)
        for first in range(0, len(schema), width):
            some = names[first : min(first + width, len(schema))]
            places = range(first, first + len(some))
            found, size = _columns(filename, content, places, size)
            for name, column in zip(some, found, strict=True):
                check_size(filename, len(column), len(names))
                columns[name], note = series_of(name, column)
                notes += note
    except pa.ArrowMemoryError:
        raise  # it need not be the file's fault
    except (pa.ArrowException, OSError, IndexError, UnicodeDecodeError):
        raise broken from None
    if not len(columns[names[0]]):
        raise DataError(f"{filename!r} has no rows: load a table with rows of numbers.")
    for of in index:
        if of.rows == len(columns[names[0]]):
            columns[names[-1]] = of.column()
            notes.append(of.told(names[-1]))
    if rest := _after_the_first(content):
        notes.append(f"{rest:,} bytes after the first stream of the file are not read.")
    parsing = ("Arrow.", *renamed, *notes)
    return Table(filename, pd.DataFrame(columns), parsing, "", file=filename)


def _after_the_first(content: bytes) -> int:
    """How many bytes follow the end of a stream: another one may have been joined to it."""
    if content.startswith(_FILE):
        return 0
    source = pa.BufferReader(content)
    for _ in pa.ipc.open_stream(source, options=_only([0])):
        pass
    return len(content) - source.tell()


def _opened(content: bytes, places: Sequence[int] | None):
    opened = pa.ipc.open_file if content.startswith(_FILE) else pa.ipc.open_stream
    return opened(pa.BufferReader(content), options=_only(places))


def _only(places: Sequence[int] | None) -> pa.ipc.IpcReadOptions:
    """To read some of the columns, or all of them."""
    fields = None if places is None else list(places)
    return pa.ipc.IpcReadOptions(included_fields=fields, use_threads=False)


def _columns(
    filename: str, content: bytes, places: Sequence[int], before: int
) -> tuple[list[pa.ChunkedArray], int]:
    """Some of the columns, and how many bytes they are with those read before them."""
    reader = _opened(content, places)
    if isinstance(reader, pa.ipc.RecordBatchFileReader):
        batches = (reader.get_batch(i) for i in range(reader.num_record_batches))
    else:
        batches = iter(reader)
    chunks: list[list[pa.Array]] = [[] for _ in places]
    size, rows = before, 0
    for batch in batches:
        for own, column in zip(chunks, batch.columns, strict=True):
            own.append(_sound(column))
            size += spread_size(own[-1])
            check_unpacked(filename, size)
        rows += batch.num_rows
        check_size(filename, rows, 1)
    types = reader.schema.types
    columns = [pa.chunked_array(own, kind) for own, kind in zip(chunks, types, strict=True)]
    return columns, size


def _sound(column: pa.Array) -> pa.Array:
    """A column that lies within its file: Arrow believes what a file says of where its values are,
    and would give what else is in memory there. Raises ArrowInvalid."""
    as_bytes = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}.get(column.type)
    # Whether texts are UTF-8 is looked at later, with a sentence of its own.
    (column if as_bytes is None else column.view(as_bytes)).validate(full=True)
    return column
