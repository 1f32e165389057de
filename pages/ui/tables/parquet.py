"""Parquet files."""

import io
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from em_core.partitions.sources import doubles
from pages.ui.tables.column_names import unique_names
from pages.ui.tables.pandas_index import range_index
from pages.ui.tables.table import (
    MAX_CELLS,
    MAX_COLUMNS,
    DataError,
    Table,
    check_size,
    check_unpacked,
)
from pages.ui.text import shortened

YEARS = 1, 9999  # of Python's dates
YEARS_IN_NANOSECONDS = 1678, 2261  # whole ones, so that no time zone leads out of them
# Characters of a column that is neither numbers nor text, and rows of it looked at together.
MOST_WRITTEN, ROWS_WRITTEN = 10_000_000, 100
# Rows that are read before their size is looked at. Arrow cannot read the texts of maps once each.
BATCH_ROWS = 65_536
BATCH_ROWS_OF_MAPS = 256


class TooLong(DataError):
    """A Parquet file with more rows than a table may have; it could be read in pieces."""


def read_parquet(filename: str, content: bytes) -> Table:
    """The table in a Parquet file. Raises DataError, TooLong among them."""
    # The Parquet reader takes 0.1 s to import.
    import pyarrow.parquet as pq

    broken = DataError(
        f"{filename!r} isn't a readable Parquet file, or it is encrypted: write it again, or save "
        "the table as CSV."
    )
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        try:
            _check(filename, file.metadata)
        except DataError as error:
            if file.metadata.num_columns > MAX_COLUMNS:
                raise
            raise TooLong(str(error)) from None
        table = _read(filename, content)
        if not table.num_rows or not table.num_columns:
            raise DataError(f"{filename!r} has no rows: load a table with rows of numbers.")
        index = [r for r in range_index(table.schema.metadata) if r.rows == table.num_rows]
        check_size(filename, table.num_rows, table.num_columns + len(index))
        names, renamed = unique_names([*table.column_names, *(of.name for of in index)])
        series, notes = {}, []
        for name, column in zip(names, table.columns, strict=False):
            series[name], note = series_of(name, column)
            notes += note
        for of in index:
            series[names[-1]] = of.column()
            notes.append(of.told(names[-1]))
    except pa.ArrowMemoryError:
        raise  # it need not be the file's fault
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        raise broken from None
    parsing = ("Parquet.", *renamed, *notes)
    return Table(filename, pd.DataFrame(series), parsing, "", file=filename)


def _check(filename: str, info: Any) -> None:
    """Raise DataError where a file, by its footer, is larger than a table may be."""
    check_size(filename, info.num_rows, info.num_columns)
    groups = [info.row_group(i) for i in range(info.num_row_groups)]
    check_unpacked(filename, sum(group.total_byte_size for group in groups))
    # A list in a cell may hold any number of values.
    values = sum(g.column(j).num_values for g in groups for j in range(g.num_columns))
    if values > MAX_CELLS:
        raise DataError(
            f"{filename!r} has {values:,} values and the limit is {MAX_CELLS:,}: load a part of it."
        )


def _read(filename: str, content: bytes) -> pa.Table:
    """All columns, some rows at a time, until they are too large. Raises DataError.

    A file may hold a value once and name it in every row: texts are read once each, inside lists
    and structures as well, and counted as often as they stand.
    """
    import pyarrow.parquet as pq

    file = pq.ParquetFile(io.BytesIO(content))
    columns = [file.schema.column(i) for i in range(len(file.schema))]
    fixed = sum(c.length for c in columns if c.physical_type == "FIXED_LEN_BYTE_ARRAY")
    check_unpacked(filename, fixed * file.metadata.num_rows)
    texts = [c.path for c in columns if c.physical_type == "BYTE_ARRAY"]
    maps = {field.name for field in file.schema_arrow if "map<" in str(field.type)}
    texts = [path for path in texts if path.partition(".")[0] not in maps]
    file = pq.ParquetFile(
        io.BytesIO(content), read_dictionary=texts, page_checksum_verification=True
    )
    batches, size = [], 0
    rows = BATCH_ROWS_OF_MAPS if maps else BATCH_ROWS
    # Arrow makes no batch of nested texts out of several row groups.
    for group in range(file.num_row_groups):
        for batch in file.iter_batches(batch_size=rows, row_groups=[group], use_threads=False):
            size += sum(map(spread_size, batch.columns))
            check_unpacked(filename, size)
            batches.append(batch)
    return pa.Table.from_batches(batches, file.schema_arrow)


_TEXTS = (
    pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary,
)  # fmt: skip
_SHARED = (
    pa.types.is_run_end_encoded, pa.types.is_union, pa.types.is_list_view,
    pa.types.is_large_list_view,
)  # fmt: skip


def spread_size(column: pa.Array) -> int:
    """Bytes of a column once every row has its own value. Raises DataError where one value may
    stand for many rows in a way that no table needs."""
    kind = column.type
    if pa.types.is_primitive(kind):  # as most are, of which a stream may have very many
        return column.nbytes
    if isinstance(column, pa.ExtensionArray):
        return spread_size(column.storage)
    if any(is_kind(kind) for is_kind in _SHARED):
        raise DataError(
            f"A column of the file is {kind}, which is not read: write it as numbers or text."
        )
    if pa.types.is_dictionary(kind):
        if not any(is_kind(kind.value_type) for is_kind in _TEXTS):
            # Numbers and dates are all of one size; of others each may be the largest.
            largest = _bytes_each(kind.value_type) or spread_size(column.dictionary)
            return len(column) * largest
        lengths = pc.binary_length(column.dictionary.cast(pa.large_binary()))
        return pc.sum(pc.take(lengths, column.indices)).as_py() or 0
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        # Each view of 16 bytes begins with its length; texts may lie over each other.
        views = np.frombuffer(column.buffers()[1], np.int32).reshape(-1, 4)
        return int(views[column.offset :][: len(column), 0].astype(np.int64).sum())
    if pa.types.is_struct(kind):
        return sum(map(spread_size, column.flatten()))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return spread_size(column.flatten())
    return column.nbytes


def _bytes_each(kind: pa.DataType) -> int:
    """Of every value of a type; 0 where they differ."""
    try:
        return -(-kind.bit_width // 8)
    except ValueError:
        return 0


def _in_known_zone(name: str, dates: pa.ChunkedArray) -> tuple[pa.ChunkedArray, list[str]]:
    """Moments stand in UTC in the file: of a zone that nobody knows they stay there."""
    zone = getattr(dates.type, "tz", None) or "UTC"
    try:
        pa.lib.string_to_tzinfo(zone)
    except (ValueError, KeyError):
        said = f"{name!r} is in the time zone {shortened(zone, 100)!r}, which isn't known here: "
        return dates.cast(pa.timestamp(dates.type.unit, "UTC")), [f"{said}read as UTC."]
    return dates, []


def _check_years(name: str, dates: pa.ChunkedArray) -> None:
    """Raise DataError for dates that cannot be written down, in their own time zone."""
    first, last = YEARS
    if getattr(dates.type, "tz", None):
        if dates.type.unit == "ns":
            first, last = YEARS_IN_NANOSECONDS
        else:
            dates = pc.local_timestamp(dates)
    years = dates.drop_null().to_numpy().astype("datetime64[Y]").astype(int) + 1970
    if len(years) and not first <= years.min() <= years.max() <= last:
        raise DataError(
            f"Column {name!r} holds a date outside of the years {first} to {last}: correct it, or "
            "leave the column out, and load the table again."
        )


def _written(name: str, column: pa.ChunkedArray) -> list[str | None]:
    """Values of any kind as text, until that is too much: a few bits may be long as text, and the
    name of a member stands in every cell. Raises DataError."""
    texts: list[str | None] = []
    size = 0
    for start in range(0, len(column), ROWS_WRITTEN):
        values = column.slice(start, ROWS_WRITTEN).to_pylist()
        texts += [None if value is None else str(value) for value in values]
        size += sum(len(text) for text in texts[start:] if text is not None)
        if size > MOST_WRITTEN:
            raise DataError(
                f"Column {name!r} is {shortened(str(column.type), 100)} in the file, and too large "
                "as text: leave it out, or write it as several columns."
            )
    return texts


def series_of(name: str, column: pa.ChunkedArray) -> tuple[pd.Series, list[str]]:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_uint64(kind) or (pa.types.is_decimal(kind) and kind.scale <= 0):
        # Identifiers of many digits stay apart.
        try:
            column = column.cast(pa.int64())
            kind = column.type
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            note = (
                f"{name!r} is {kind} in the file, longer than whole numbers can be, read as text."
            )
            return column.cast(pa.string()).to_pandas(), [note]
    if pa.types.is_decimal(kind) or pa.types.is_float16(kind):
        note = f"{name!r} is {kind} in the file, read as double precision numbers."
        return pd.Series(doubles(column).to_numpy().copy()), [note]
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
        column, note = _in_known_zone(name, column)
        _check_years(name, column)
        return pd.to_datetime(column.to_pandas()), note
    try:
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            column.validate(full=True)
            return column.cast(pa.string()).to_pandas(), []
        text = _written(name, column)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        raise DataError(
            f"Column {name!r} holds text that isn't UTF-8: write the file again, or leave the "
            "column out."
        ) from None
    except (OverflowError, ValueError):
        raise DataError(
            f"Column {name!r} is {kind} in the file and holds a value that can't be: correct it, "
            "or leave the column out, and load the table again."
        ) from None
    return pd.Series(text, dtype="str"), [f"{name!r} is {kind} in the file, read as text."]
