"""The Table that files, examples and generated data become, and how large one may be."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from em_core.datasets import Dataset
from pages.ui import environment
from pages.ui.tables.answers import AS_IT_IS, Reading
from pages.ui.tables.data_set import Whole

MAX_ROWS = environment.number("ROWS")
MAX_COLUMNS = environment.number("COLUMNS")
MAX_CELLS = environment.number("CELLS")
MAX_BYTES = round(environment.number("UPLOAD_MB") * 1e6)  # of an uploaded file
MAX_UNPACKED = 400_000_000  # bytes of an Excel or Parquet file once decompressed
# The files of programs shrink to a twentieth at best; and a few megabytes do not matter.
MAX_SHRINKAGE, SHRUNK_AT_LEAST = 100, 20_000_000


class DataError(Exception):
    """A table that can't be used; str() is one plain sentence: what is wrong and what to do."""


class Question(NamedTuple):
    """What a file leaves open about a column, which is left out until it is answered.

    about: the field of `Reading` that holds the answer. choices: answers, and what each means.
    """

    column: str
    about: Literal["marks", "limits"]
    sentence: str
    choices: tuple[tuple[str, str], ...]


class Scale(NamedTuple):
    """That a column was made of another one.

    how: by which of `em_core.TRANSFORMATIONS`; "" where densities of the one say nothing of those
    of the other, as of ranks and differences.
    """

    column: str
    of: str
    how: str


class LeftOut(NamedTuple):
    """Rows (n,), 0-based positions, that no model is to see, and why."""

    rows: np.ndarray
    reason: str


class Clock(NamedTuple):
    """The column that says when a row was, and its values (N,) as numbers, NaN where it is missing.

    dates: whether they are days since 1970. order: the rows that have one, by time.
    """

    name: str
    times: np.ndarray
    dates: bool
    order: np.ndarray


class Lines(NamedTuple):
    """Where in a file the parts of its table stand, by numbers of lines from 1.

    header: the first line of names, 0 without; first, last: of the rows. above, below: lines that
    are not read, and their beginnings.
    """

    header: int
    header_lines: int
    first: int
    last: int
    above: tuple[tuple[int, str], ...] = ()
    below: tuple[tuple[int, str], ...] = ()


class Table(NamedTuple):
    """A table as it was read, rows in their original order."""

    name: str
    frame: pd.DataFrame
    parsing: tuple[str, ...]  # how it was understood, fact by fact
    fingerprint: str  # sha256 of the content, and of what was said about it; hexadecimal
    units: tuple[str, ...] = ()  # one for each column of the frame, "" where unknown
    file: str = ""  # the file it was read from; "" where nobody need have it
    known: bool = False  # an example or generated: what its columns mean is no question
    reading: Reading = AS_IT_IS  # what was said about how it is read
    questions: tuple[Question, ...] = ()
    titles: tuple[tuple[str, str], ...] = ()  # columns, and what they are in words
    words: tuple[tuple[str, tuple[str, ...]], ...] = ()  # columns, and what counts as missing there
    # By columns: what their codes mean, and codes that the file declares as missing.
    value_labels: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    missing_codes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    lines: Lines | None = None  # None where a file has none
    sheets: tuple[str, ...] = ()  # of a workbook
    sheet: str = ""  # which of them it was read from
    scales: tuple[Scale, ...] = ()  # the columns that were made of others
    left_out: tuple[LeftOut, ...] = ()
    clock: Clock | None = None  # by which the rows are taken; None for the order of the file
    as_read: pd.DataFrame | None = None  # before its steps of preparation, if there were any
    units_as_read: tuple[tuple[str, str], ...] = ()  # of its columns, as far as they are known
    # The decimal marks that its numbers were written with, as far as they show.
    marks: tuple[str, ...] = ()
    whole: Whole | None = None  # of which data set on the server these rows are a sample

    @property
    def known_units(self) -> dict[str, str]:
        """The units of its columns, and of those that it had before its steps of preparation, as
        far as they are known."""
        now = zip(self.frame, self.units, strict=False)
        return dict(self.units_as_read) | {name: unit for name, unit in now if unit}

    @property
    def taken(self) -> np.ndarray:
        """The positions of the rows a model may see, in the order in which they are taken."""
        order = np.arange(len(self.frame)) if self.clock is None else self.clock.order
        kept = np.ones(len(self.frame), bool)
        for out in self.left_out:
            kept[out.rows] = False
        return order[kept[order]]

    @property
    def taken_frame(self) -> pd.DataFrame:
        """These rows, in that order."""
        plain = self.clock is None and not self.left_out
        return self.frame if plain else self.frame.iloc[self.taken]

    def scale(self, column: str) -> Scale | None:
        """What a column was made of, if it was."""
        return next((scale for scale in self.scales if scale.column == column), None)


def with_columns(frame: pd.DataFrame, columns: Mapping[str, pd.Series]) -> pd.DataFrame:
    """A frame with other columns in the place of its own; `assign` takes none that is called
    self."""
    changed = frame.copy(deep=False)
    for name, column in columns.items():
        changed[name] = column
    return changed


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
    return Table(dataset.name, frame, parsing, digest.hexdigest(), units, known=True)


def require_columns(table: Table, names: Iterable[str]) -> None:
    """Raise DataError where a table lacks one of these columns."""
    for name in names:
        if name not in table.frame:
            raise DataError(f"This table has no column {name!r}: choose one of its own.")


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


def most_unpacked(packed: int) -> int:
    """Bytes that there is sense in for a file of so many."""
    return max(MAX_SHRINKAGE * packed, SHRUNK_AT_LEAST)


def too_large(filename: str, unpacked: int) -> DataError:
    return DataError(
        f"{filename!r} unpacks to {unpacked / 1e6:,.0f} MB, too much for this page: load a part of "
        "it, or save it as CSV."
    )
