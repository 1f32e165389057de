"""Parquet files."""

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pages.ui.table import delimited
from pages.ui.table.table import MAX_CELLS, DataError, check_size, check_unpacked

YEARS = 1, 9999  # of Python's dates
YEARS_IN_NANOSECONDS = 1678, 2261  # whole ones, so that no time zone leads out of them


def read_parquet(filename: str, content: bytes) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """A Parquet file as a frame, and how it was understood. Raises DataError."""
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
        check_unpacked(filename, unpacked)
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
        check_unpacked(filename, sum(map(_spread_size, table.columns)))
        if not table.num_rows or not table.num_columns:
            raise DataError(f"{filename!r} has no rows: load a table with rows of numbers.")
        names, renamed = delimited.unique_names(table.column_names)
        series, notes = {}, []
        for name, column in zip(names, table.columns, strict=True):
            series[name], note = _series(name, column)
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


def _series(name: str, column: pa.ChunkedArray) -> tuple[pd.Series, list[str]]:
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
        _check_years(name, column)
        return pd.to_datetime(column.to_pandas()), []
    try:
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            column.validate(full=True)
            return column.cast(pa.string()).to_pandas(), []
        text = [None if value is None else str(value) for value in column.to_pylist()]
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
