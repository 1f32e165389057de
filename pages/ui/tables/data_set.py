"""What a data set on the server is: Parquet files, known by what stands in their footers."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from pyarrow import fs

from em_core.partitions.partitions import Partitions
from em_core.partitions.sources import Changed, Levels, ParquetSource

SUFFIX = ".parquet"


def files_in(system: Any, path: str) -> list[Any]:
    """The Parquet files below a folder, or the file itself, in the order of their names. Raises
    OSError or ArrowException where they cannot be had, as where a name is no text."""
    (at,) = system.get_file_info([path])
    if at.type == fs.FileType.File:
        return [at]
    found = system.get_file_info(fs.FileSelector(path, recursive=True))
    try:
        files = [f for f in found if f.type == fs.FileType.File and f.path.endswith(SUFFIX)]
    except UnicodeDecodeError as error:
        raise FileNotFoundError("a file has a name that is no text") from error
    return sorted(files, key=lambda file: file.path)


def fingerprint(root: str) -> str:
    """What tells the files of a data set from others: their names, sizes and times. Raises OSError
    or ArrowException where they cannot be had."""
    system, path = fs.FileSystem.from_uri(root)
    told = [
        (file.path.removeprefix(path), file.size, file.mtime_ns) for file in files_in(system, path)
    ]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


class DataSet(NamedTuple):
    """root: the folder, file or address that holds its rows. columns: each with its type, in the
    words of Parquet. numbers: those that hold numbers. texts: those that hold texts. later: what
    only other files than the first have. files: a fingerprint of the files."""

    name: str
    root: str
    n_rows: int
    n_files: int
    columns: tuple[tuple[str, str], ...]
    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    later: tuple[str, ...]
    files: str

    def read(
        self,
        columns: Sequence[str],
        weights: str | None = None,
        filters: Any = None,
        levels: Mapping[str, Levels] | None = None,
        group: str | None = None,
    ) -> Partitions:
        """Some of its columns in pieces, those with levels by their places.

        group: the column that tells which sequence or group a row is in; "" where all rows are one
        sequence, None where they are in nothing. Raises Changed or OSError where it has changed,
        and as `Partitions.from_parquet`.
        """
        rows = Partitions.from_parquet(
            self.root, list(columns), weights, filters, group or None, levels
        )
        if fingerprint(self.root) != self.files:
            raise Changed(self.root)
        return rows.as_one_sequence() if group == "" else rows


class Surveyed(NamedTuple):
    """rows: the columns of numbers, and those of texts with few levels by the places of these, of
    which the sample and the totals are known. levels: of these columns of texts.

    group: the column that tells which sequence or group a row is in, "" where all are one sequence;
    None where nothing is asked for or could tell. no_groups: why rows are in no groups by it, so
    that the sample is one of rows; "" where they are. groups: the columns that could tell.
    """

    rows: Partitions
    levels: Mapping[str, Levels]
    group: str | None = None
    no_groups: str = ""
    groups: tuple[str, ...] = ()


class Grouping(NamedTuple):
    """What a model asks of the rows of a data set: that they are in sequences, or groups.

    word: which of the two. alone: whether all rows can be one. column: the one that is to tell;
    None for the usual one. weight: the column of the weights, which is not the usual one then.
    """

    word: str
    alone: bool
    column: str | None
    weight: str = ""


def levels_read(rows: Partitions) -> dict[str, Levels]:
    """The levels by whose places columns of a data set are read."""
    source = rows.sources[0]
    assert isinstance(source, ParquetSource), "a data set on the server is of Parquet"
    return {name: of for name, of in zip(source.columns, source.levels, strict=True) if of}


class Whole(NamedTuple):
    """A data set and what a first pass over it has found: see `Surveyed`."""

    data_set: DataSet
    rows: Partitions
    levels: Mapping[str, Levels]
    group: str | None
    no_groups: str
    groups: tuple[str, ...]

    def as_it_is(self, columns: Sequence[str]) -> Partitions | None:
        """Some columns with all rows, without reading them again; None where rows must be left
        out."""
        some = self.rows.only([self.rows.names.index(name) for name in columns])
        totals = some.first_pass().columns
        finite = np.isfinite(totals.lowest).all() and np.isfinite(totals.highest).all()
        return some if totals.complete and finite else None


def can_be_used(
    columns: Sequence[str],
    holes: bool,
    weights: str = "",
    texts: Collection[str] = (),
    group: str = "",
) -> Any:
    """Which rows a model takes, as an expression of PyArrow: those without an infinite number that
    have a value in every column, or with holes in one at least; and a weight and a group, if there
    are any.

    texts: those of the columns that hold texts.
    """
    from functools import reduce
    from operator import and_, or_

    from pyarrow import compute

    def there(name: str) -> Any:
        if name in texts:
            return compute.field(name).is_valid()
        column = compute.field(name).cast("double", safe=False)
        return column.is_valid() & ~compute.is_nan(column)

    def finite(name: str) -> Any:
        column = compute.field(name).cast("double", safe=False)
        return column.is_null() | ~compute.is_inf(column)

    some = reduce(or_ if holes else and_, map(there, columns))
    used = reduce(and_, (finite(name) for name in columns if name not in texts), some)
    used = used & there(weights) & finite(weights) if weights else used
    return used & there(group) if group else used
