"""The Table that files, examples and generated data become, and how large one may be."""

import hashlib
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from em_core.datasets import Dataset
from pages.ui import environment
from pages.ui.tables import cells

MAX_ROWS = environment.number("ROWS")
MAX_COLUMNS = environment.number("COLUMNS")
MAX_CELLS = environment.number("CELLS")
MAX_UNPACKED = 400_000_000  # bytes of an Excel or Parquet file once decompressed


class DataError(Exception):
    """A table that can't be used; str() is one plain sentence: what is wrong and what to do."""


class Table(NamedTuple):
    """A table as it was read, rows in their original order."""

    name: str
    frame: pd.DataFrame
    parsing: tuple[str, ...]  # how it was understood, fact by fact
    fingerprint: str  # sha256 of the content, hexadecimal
    units: tuple[str, ...] = ()  # one for each column of the frame, "" where unknown
    file: str = ""  # the file it was read from; "" where nobody need have it


def table_bytes(table: Table) -> int:
    """What a table takes in memory."""
    return int(table.frame.memory_usage(deep=True).sum())


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


def check_unpacked(filename: str, unpacked: int) -> None:
    """Raise DataError if a file is too large once decompressed, in bytes."""
    if unpacked > MAX_UNPACKED:
        raise too_large(filename, unpacked)


def too_large(filename: str, unpacked: int) -> DataError:
    return DataError(
        f"{filename!r} unpacks to {unpacked / 1e6:,.0f} MB, too much for this page: load a part of "
        "it, or save it as CSV."
    )


def framed(
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
