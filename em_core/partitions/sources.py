"""Where rows come from: arrays, the row groups of Parquet files, or Dask's partitions."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any, NamedTuple, Protocol

import numpy as np

Rows = tuple[np.ndarray, np.ndarray | None]
# The values of a column of levels, in their order: texts, or numbers.
Levels = tuple[str, ...] | tuple[float, ...]
# The size of a file in bytes, and when it was written, in ns since 1970; None where nobody knows.
Written = tuple[int | None, int | None]
NOT_THERE: Written = (None, None)
BATCH_ROWS = 65_536  # in which values are looked at


class Source(Protocol):
    """Consecutive rows of one place; it travels to another process."""

    @property
    def n_rows(self) -> int:
        """How many there are."""

    @property
    def in_memory(self) -> bool:
        """Whether they are held already, so that reading them costs nothing."""

    def read(self, start: int, stop: int) -> Rows:
        """Some of them (n, D) as float64, NaN where a value is missing, and their weights (n,)."""

    def only(self, places: Sequence[int]) -> Source:
        """The same rows with the columns at these places."""


class ArraySource(NamedTuple):
    """values (N, D) and weights (N,), or None, in memory."""

    values: np.ndarray
    weights: np.ndarray | None = None
    in_memory = True

    @property
    def n_rows(self) -> int:
        return len(self.values)

    def read(self, start: int, stop: int) -> Rows:
        weights = None if self.weights is None else self.weights[start:stop]
        return self.values[start:stop], weights

    def only(self, places: Sequence[int]) -> ArraySource:
        return self._replace(values=np.ascontiguousarray(self.values[:, list(places)]))


class ParquetSource(NamedTuple):
    """One row group of a Parquet file, without the rows that the filter leaves out; it is read when
    it is asked for. root: the address of the data set, which says on what it lies. written: the
    size of the file, and when it was written. filters: a pickled expression of `pyarrow.compute`,
    or None. levels: of each column, () for numbers as they are.

    Raises Changed where the file is not the same any more.
    """

    root: str
    path: str
    written: Written
    row_group: int
    columns: tuple[str, ...]
    weights: str | None
    filters: bytes | None
    n_rows: int
    levels: tuple[Levels, ...]
    in_memory = False

    def read(self, start: int, stop: int) -> Rows:
        values, weights = _row_group(self)
        return values[start:stop], None if weights is None else weights[start:stop]

    def only(self, places: Sequence[int]) -> ParquetSource:
        return self._replace(
            columns=tuple(self.columns[place] for place in places),
            levels=tuple(self.levels[place] for place in places),
        )


# Parts of a table need not end where row groups do: the next one begins with the same.
@lru_cache(maxsize=2)
def _row_group(source: ParquetSource) -> Rows:
    wanted = [*source.columns, *([] if source.weights is None else [source.weights])]
    levels = dict(zip(source.columns, source.levels, strict=True))
    schema = partial(_schema, path=source.path, names=wanted, texts=_texts(levels))
    table = _table(source, wanted, schema)
    columns = [
        _places(table, name, levels[name]) if levels.get(name) else _numbers(table, name)
        for name in wanted
    ]
    values = np.stack(columns[: len(source.columns)], axis=1)
    return values, columns[-1] if source.weights is not None else None


def _texts(levels: Mapping[str, Sequence]) -> set[str]:
    """The columns whose levels are texts."""
    return {name for name, values in levels.items() if len(values) and isinstance(values[0], str)}


def _table(source: ParquetSource, names: list[str], schema_of: Callable | None = None):
    """Some columns of a row group. schema_of: its schema, as they are to be read; None for its own.

    Raises Changed for a file that was written again, and ValueError for one that is damaged.
    """
    filters = None if source.filters is None else pickle.loads(source.filters)
    with _unchanged(source), _undamaged(source.root, source.path):
        fragment = _part(source)
        schema = None if schema_of is None else schema_of(fragment)
        return fragment.to_table(schema, columns=names, filter=filters)


def _numbers(table, name: str) -> np.ndarray:
    return doubles(table.column(name)).to_numpy()


def doubles(column):
    """A column of Arrow's as the doubles nearest to its numbers, which it gives itself but for
    decimals. Whole numbers beyond 2^53 lose digits, as wherever a model is given them."""
    import pyarrow as pa

    if pa.types.is_decimal(column.type):
        column = column.cast(pa.string())
    return column.cast("double", safe=False)


def _places(table, name: str, levels: Levels) -> np.ndarray:
    """The place of each cell among the levels, NaN where it is missing. Raises ValueError for a
    cell that is none of them."""
    import pyarrow as pa
    from pyarrow import compute

    if isinstance(levels[0], str):
        cells = table.column(name).cast(pa.string())
    else:
        cells = pa.chunked_array([pa.array(_numbers(table, name), from_pandas=True)])
    places = compute.index_in(cells, value_set=pa.array(levels, cells.type))
    if places.null_count > cells.null_count:
        strange = cells.filter(compute.and_(places.is_null(), cells.is_valid()))[0]
        raise ValueError(f"column {name!r} holds {strange.as_py()!r}, which is none of its levels")
    return places.cast("double").to_numpy()


def _schema(fragment, path: str, names: Sequence[str], texts: Collection[str] = ()):
    """That of a file; columns that came with later files are missing in it. Raises ValueError, in
    words, for a column that does not hold what it has to: numbers, or texts."""
    import pyarrow as pa

    schema = fragment.physical_schema
    for name in names:
        if name not in schema.names:
            kind = pa.string() if name in texts else pa.float64()
            schema = schema.append(pa.field(name, kind))
        _require(holds_texts if name in texts else holds_numbers, schema, name, path)
    return schema


def _require(holds: Callable[[Any], bool], schema, name: str, path: str) -> None:
    kind = schema.field(name).type
    if not holds(kind):
        what = "numbers" if holds is holds_numbers else "text"
        where = os.path.basename(path)
        raise ValueError(f"column {name!r} of {where} holds {kind}, no {what}: leave it out")


def _root(path) -> str:
    return path if "://" in str(path) else os.path.abspath(path)


def _part(source: ParquetSource):
    """The row group of a source."""
    return _file(source.root, source.path, source.written).subset(row_group_ids=[source.row_group])


# Its footer is read once for all of its row groups, of which there may be thousands.
@lru_cache(maxsize=2)
def _file(root: str, path: str, written: Written):
    """A file as it was written then."""
    fragment = _fragment(root, path)
    fragment.ensure_complete_metadata()
    return fragment


def _fragment(root: str, path: str):
    """A file on what `root` lies on: a folder, an object store."""
    from pyarrow import dataset, fs

    filesystem, _ = fs.FileSystem.from_uri(root)
    # Where pages have a checksum, a number that a disk has damaged is none.
    checked = dataset.ParquetFragmentScanOptions(page_checksum_verification=True)
    form = dataset.ParquetFileFormat(default_fragment_scan_options=checked)
    return form.make_fragment(path, filesystem=filesystem)


def parquet_columns(path, without: Sequence[str]) -> list[str]:
    """The columns of a Parquet file, or of a folder of them, but for some. Raises ValueError where
    one of these is not there."""
    from pyarrow import dataset

    names = dataset.dataset(_root(path), format="parquet").schema.names
    for name in without:
        if name not in names:
            raise ValueError(f"there is no column {name!r} in {path}: {', '.join(names)}")
    return [name for name in names if name not in without]


class Unassigned(ValueError):
    """Some rows are in no sequence, by the column that tells which they are in."""


class Apart(ValueError):
    """Rows of one sequence do not stand together. called: which one."""

    def __init__(self, column: str, called: Any):
        super().__init__(column, called)
        self.column, self.called = column, called

    def __str__(self) -> str:
        return (
            f"rows of the sequence {self.called!r} do not stand together: sort the table by "
            f"{self.column!r}"
        )


def parquet_sequences(sources: Sequence[ParquetSource], name: str) -> tuple[np.ndarray, Any]:
    """After how many rows each sequence ends, and what it is called (an array of Arrow's), by the
    column that tells which a row is in.

    Raises Unassigned where it has holes, Apart where a sequence that had ended begins again, and
    ValueError where it holds neither texts nor whole numbers.
    """
    import pyarrow as pa
    from pyarrow import compute

    begins, called, n_rows = [], [], 0
    for source in sources:
        cells = _names(source, name)
        changes = compute.not_equal(cells[1:], cells[:-1]).to_numpy(zero_copy_only=False)
        first = np.append(0, np.flatnonzero(changes) + 1)
        if called and called[-1][-1].as_py() == cells[0].as_py():
            first = first[1:]  # it goes on
        if len(first):
            begins.append(n_rows + first)
            called.append(cells.take(first))
            _require_once(called[-1], name)
        n_rows += source.n_rows
    if not called:
        return np.zeros(0, int), pa.array([], pa.string())
    if len({names.type for names in called}) > 1:
        called = [names.cast(pa.string()) for names in called]
    together = pa.concat_arrays(called)
    _require_once(together, name)
    return np.append(np.concatenate(begins)[1:], n_rows), together


def _names(source: ParquetSource, name: str):
    """What the sequence of each row is called: texts, whole numbers, or true and false."""
    import pyarrow as pa
    from pyarrow import types

    column = _table(source, [name], partial(_with_column, name=name)).column(name)
    column = column.combine_chunks()
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if types.is_floating(column.type):
        column = pa.array(column.to_numpy(zero_copy_only=False), from_pandas=True)
    if column.null_count:
        raise Unassigned(f"column {name!r} does not tell of every row which sequence it is in")
    if holds_texts(column.type):
        return column.cast(pa.string())
    if types.is_floating(column.type) or types.is_decimal(column.type):
        try:
            return column.cast(pa.int64())
        except pa.ArrowInvalid:
            raise ValueError(f"column {name!r} holds numbers that are not whole") from None
    if types.is_uint64(column.type):
        return column.cast(pa.string())  # there is no wider whole number
    if types.is_integer(column.type):
        return column.cast(pa.int64())
    if not types.is_boolean(column.type):
        raise ValueError(f"column {name!r} holds {column.type}, neither text nor whole numbers")
    return column


def _with_column(fragment, name: str):
    """The schema of a file with a column, which came with later files if it is missing in it."""
    import pyarrow as pa

    schema = fragment.physical_schema
    return schema if name in schema.names else schema.append(pa.field(name, pa.string()))


def _require_once(called, name: str) -> None:
    """Raises Apart where several sequences are called alike."""
    from pyarrow import compute

    counts = compute.value_counts(called)
    if len(counts) < len(called):
        again = compute.greater(counts.field("counts"), 1)
        raise Apart(name, counts.field("values").filter(again)[0].as_py())


class DaskSource(NamedTuple):
    """One partition of a Dask DataFrame, computed where it is read, by nobody else. frame: what it
    is made by, as Dask's `Delayed`."""

    frame: Any
    columns: tuple[str, ...]
    weights: str | None
    n_rows: int
    in_memory = False

    def read(self, start: int, stop: int) -> Rows:
        table = self.frame.compute(scheduler="synchronous")
        if len(table) != self.n_rows:
            raise ValueError(
                f"a partition of the Dask DataFrame has {len(table)} rows and had {self.n_rows}: "
                "give one that is the same whenever it is computed"
            )
        table = table.iloc[start:stop]
        values = table[list(self.columns)].to_numpy(dtype=float, na_value=np.nan)
        if self.weights is None:
            return values, None
        return values, table[self.weights].to_numpy(dtype=float, na_value=np.nan)

    def only(self, places: Sequence[int]) -> DaskSource:
        return self._replace(columns=tuple(self.columns[place] for place in places))


def dask_sources(
    frame, columns: Sequence[str] | None, weights: str | None
) -> tuple[tuple[str, ...], list[DaskSource]]:
    """The columns (by default all but that of the weights) and the partitions of a Dask DataFrame,
    whose rows are counted in one pass.

    Raises ValueError, in words, for a column that is not there or holds no numbers, and for a frame
    that a cluster holds already.
    """
    import dask
    from distributed import futures_of
    from pandas.api.types import is_numeric_dtype

    if futures_of(frame):
        raise ValueError(
            "this Dask DataFrame is held by a cluster already: give it as it was before persist() "
            "(the workers keep what they prepare)"
        )
    names = tuple(columns or (name for name in frame.columns if name != weights))
    asked = names if weights is None else (*names, weights)
    for name in asked:
        if name not in frame.columns:
            raise ValueError(f"there is no column {name!r}: {', '.join(map(str, frame.columns))}")
        kind = frame.dtypes[name]
        if not is_numeric_dtype(kind):
            raise ValueError(f"column {name!r} holds {kind}, no numbers: leave it out")
    # Where few columns are read, Dask may have fewer partitions than the frame says.
    parts = frame[list(asked)].to_delayed()
    sizes = dask.compute(*map(dask.delayed(len), parts))
    return names, [
        DaskSource(part, names, weights, size)
        for part, size in zip(parts, sizes, strict=True)
        if size
    ]


def holds_numbers(kind) -> bool:
    """Whether a column of this type of Arrow's is one of numbers, or of true and false."""
    from pyarrow import types

    kinds = types.is_integer, types.is_floating, types.is_decimal, types.is_boolean
    return any(is_kind(kind) for is_kind in kinds)


def holds_texts(kind) -> bool:
    """Whether a column of this type of Arrow's is one of texts."""
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    return types.is_string(kind) or types.is_large_string(kind)


def parquet_levels(path, column: str, most: int) -> Levels | None:
    """The values of a column of a Parquet file, or of a folder of them, in ascending order, but for
    those that are missing; None where there are more than so many, which is known as soon as they
    are seen.

    Raises ValueError, in words, for a file that is damaged.
    """
    import pyarrow as pa
    from pyarrow import compute, dataset

    root, found = _root(path), set()
    for file in sorted(dataset.dataset(root, format="parquet").files):
        fragment = _fragment(root, file)
        with _undamaged(root, file):
            if column not in fragment.physical_schema.names:
                continue
            for batch in fragment.to_batches(columns=[column], batch_size=BATCH_ROWS):
                cells = batch.column(0)
                if pa.types.is_dictionary(cells.type):
                    cells = cells.cast(cells.type.value_type)
                if not holds_texts(cells.type):
                    cells = doubles(cells)
                    cells = cells.filter(compute.invert(compute.is_nan(cells)))
                found.update(cells.unique().drop_null().to_pylist())
                if len(found) > most:
                    return None
    return tuple(sorted(found))


class Changed(ValueError):
    """A file is not the one any more that the table was made from. path: which one."""

    def __init__(self, path: str):
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        name = os.path.basename(self.path)
        return f"the file {name} was written again meanwhile: make the table anew"


@contextmanager
def _unchanged(source: ParquetSource) -> Generator[None]:
    """Raises Changed where a file was written again before, or while, it is read."""
    _require_unchanged(source)
    try:
        yield
    finally:  # what is read of two files may look like a damaged one
        _require_unchanged(source)


def _require_unchanged(source: ParquetSource) -> None:
    (written,) = _written(source.root, [source.path])
    if written not in (source.written, NOT_THERE):  # reading says itself that it is not there
        raise Changed(source.path)


def _written(root: str, paths: Sequence[str]) -> list[Written]:
    from pyarrow import fs

    filesystem, _ = fs.FileSystem.from_uri(root)
    return [(info.size, info.mtime_ns) for info in filesystem.get_file_info(list(paths))]


@contextmanager
def _undamaged(root: str, path: str) -> Generator[None]:
    """Raises ValueError, in words, where a file on this machine is damaged."""
    try:
        yield
    except (FileNotFoundError, PermissionError):
        raise
    except OSError as error:
        if "://" in root:  # it may be the way there
            raise
        name = os.path.basename(path)
        raise ValueError(f"the file {name} is damaged: have it written again") from error


def _row_groups(root: str) -> Iterator[ParquetSource]:
    """Of all files in the order of their names, each with no columns yet."""
    from pyarrow import dataset

    files = sorted(dataset.dataset(root, format="parquet").files)
    for file, written in zip(files, _written(root, files), strict=True):
        for group in _fragment(root, file).row_groups:
            yield ParquetSource(root, file, written, group.id, (), None, None, group.num_rows, ())


def parquet_sources(
    path, columns: Sequence[str], weights: str | None, filters, levels: Mapping[str, Levels]
) -> tuple[tuple[str, ...], list[ParquetSource]]:
    """The columns and the row groups of a Parquet file, or of all files of a folder in the order of
    their names.

    Raises ValueError, in words, for a column that is not there or does not hold what it has to.
    """
    from pyarrow import dataset

    root = _root(path)
    schema = dataset.dataset(root, format="parquet").schema
    names, texts = tuple(columns), _texts(levels)
    asked = names if weights is None else (*names, weights)
    for name in asked:
        if name not in schema.names:
            raise ValueError(f"there is no column {name!r} in {path}: {', '.join(schema.names)}")
        _require(holds_texts if name in texts else holds_numbers, schema, name, str(path))
    kept = None if filters is None else pickle.dumps(filters)
    by_column = tuple(tuple(levels.get(name, ())) for name in names)
    found = []
    for source in _row_groups(root):
        n_rows = source.n_rows
        if filters is not None:
            with _undamaged(source.root, source.path):
                some = _part(source)
                read_as = _schema(some, source.path, asked, texts)
                n_rows = some.scanner(read_as, filter=filters).count_rows()
        if n_rows:
            found.append(
                source._replace(
                    columns=names, weights=weights, filters=kept, n_rows=n_rows, levels=by_column
                )
            )
    return names, found
