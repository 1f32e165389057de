"""A table of rows in pieces, wherever they live.

All that EM asks of data is a sum over rows. Rows are counted through the whole table and cut into
blocks of a fixed number; each block is summed by itself, and the sums are added in a fixed order
(`tree_sum`). So the numbers are the same, bit for bit, however the table is laid out, whoever reads
it and how many read at once.
"""

from __future__ import annotations

import builtins
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from em_core.data import NO_WEIGHTS, as_table, weights_of_some
from em_core.half_steps import Expectation
from em_core.partitions.overview import ColumnTotals, Overview
from em_core.partitions.sources import (
    ArraySource,
    Levels,
    Rows,
    Source,
    dask_sources,
    parquet_columns,
    parquet_sequences,
    parquet_sources,
)
from em_core.partitions.sums import tree_sum
from em_core.protocols import optional
from em_core.trees import add

# Rows that are summed by themselves: a law, since other blocks would round otherwise.
BLOCK_ROWS = 65_536
# Values of a part, which is read, kept and sent for as a whole; a power of two of blocks.
PART_VALUES = 2**21
# Rows that starts and pictures are made from, if there are more.
SAMPLE_ROWS = 20_000
SAMPLE_SEED = 0

Map = Callable[..., Iterable]


class Piece(NamedTuple):
    """Consecutive rows of one source."""

    source: Source
    start: int
    stop: int


class Part(NamedTuple):
    """Consecutive blocks of a table. places: where, within the part, its rows of the sample are.
    bounds: where blocks begin and end; ends: where sequences do, None for a table of rows."""

    pieces: tuple[Piece, ...]
    places: np.ndarray
    bounds: np.ndarray
    ends: np.ndarray | None = None

    @property
    def n_rows(self) -> int:
        return sum(piece.stop - piece.start for piece in self.pieces)

    def read(self) -> Rows:
        """All its rows."""
        return joined([source.read(start, stop) for source, start, stop in self.pieces])

    def row_blocks(self) -> Iterator[Rows]:
        """Block by block, row by row."""
        values, weights = self.read()
        for start, stop in itertools.pairwise(self.bounds.tolist()):
            some = slice(start, stop)
            yield values[some], None if weights is None else weights[some]

    def blocks(self) -> Iterator[tuple[Any, np.ndarray | None]]:
        """Block by block, as models take the data: rows, or whole sequences."""
        for (start, stop), (values, weights) in zip(
            itertools.pairwise(self.bounds.tolist()), self.row_blocks(), strict=True
        ):
            if self.ends is None:
                yield values, weights
            else:
                inside = self.ends[(self.ends > start) & (self.ends <= stop)] - start
                yield as_sequences(values, weights, inside)


class PreparedPart(NamedTuple):
    """The same in the form that a model's E-step reads fastest."""

    prepared: tuple[tuple[Any, np.ndarray | None], ...]

    def blocks(self) -> Iterator[tuple[Any, np.ndarray | None]]:
        return iter(self.prepared)


class UnpreparedPart(NamedTuple):
    """A part that is read and prepared anew whenever its blocks are asked for."""

    part: Part
    model: Any
    columns: ColumnTotals

    def blocks(self) -> Iterator[tuple[Any, np.ndarray | None]]:
        for values, weights in self.part.blocks():
            yield self.model.prepare_block(values, self.columns), weights


def prepare_part(part: UnpreparedPart) -> PreparedPart:
    """Read and prepared once, to be kept."""
    return PreparedPart(tuple(part.blocks()))


def _tables(given: Iterable, what: str) -> list[np.ndarray]:
    """Tables (n, D) with the same columns. what: one of them. Raises ValueError for others."""
    tables = [as_table(table) for table in given]
    if not tables:
        raise ValueError(f"give at least one {what}")
    for number, table in enumerate(tables, 1):
        if table.shape[1] != tables[0].shape[1]:
            raise ValueError(
                f"{what} {number} has {table.shape[1]} columns and the first has "
                f"{tables[0].shape[1]}"
            )
    return tables


def as_sequences(
    values: np.ndarray, weights: np.ndarray | None, ends: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray | None]:
    """Rows as the sequences that end there, and the weight of each.

    Raises ValueError where weights vary within a sequence.
    """
    sequences = np.split(values, ends[:-1])
    if weights is None:
        return sequences, None
    each = weights[ends - 1]
    if not np.array_equal(np.repeat(each, np.diff(ends, prepend=0)), weights):
        raise ValueError("weights vary within a sequence: give each of its rows the same one")
    return sequences, each


class NoRows(ValueError):
    """There is nothing to go over: no rows at all, or none that a filter leaves."""


class Partitions:
    """A table (N, D) in pieces: `from_arrays`, `from_parquet`, `from_dask`; or a list of sequences
    (T, D), or of groups, in pieces of whole ones: `from_sequences`, `from_parquet`.

    `em`, `fit`, `restarts` and `select` take it in the place of data; weights belong to it. `over`
    says who goes over its parts: Python's own `map` one after the other, a thread pool's at once, a
    `Cluster` where they live. What is held in memory is prepared once and kept; files are read
    again in every pass, a few parts at a time.

    A start is drawn from a sample: `SAMPLE_ROWS` of the rows, all equally likely, the same ones
    always; of sequences from about so many rows of whole ones, or the beginning of a longer one.

    ends: after how many rows each sequence ends, None for a table of rows; called: what each is
    called, where a column tells.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        n_columns: int,
        names: Sequence[str] = (),
        ends: np.ndarray | None = None,
        called: Any = None,
    ):
        self.sources = tuple(sources)
        self.ends = ends
        self.called = called
        self.n_rows = sum(source.n_rows for source in self.sources)
        self.n_columns = n_columns
        self.names = tuple(names)
        self._map: Map = map
        self._overview: Overview | None = None
        self._condensed: tuple[Any, Any] | None = None
        if not self.n_rows:
            raise NoRows("the partitions hold no rows")

    @classmethod
    def from_arrays(cls, blocks: Iterable, weights: Iterable | None = None) -> Partitions:
        """From tables (n, D) with the same columns, one after the other, and their weights (n,).

        Raises ValueError where one is no table or has other columns, or for weights that cannot be.
        """
        tables = _tables(blocks, "block")
        each: list = [None] * len(tables) if weights is None else list(weights)
        if len(each) != len(tables):
            raise ValueError(f"give weights for each of {len(tables)} blocks")
        checked = [weights_of_some(w, len(t)) for w, t in zip(each, tables, strict=True)]
        sources = [ArraySource(t, w) for t, w in zip(tables, checked, strict=True) if len(t)]
        return cls(sources, tables[0].shape[1])

    @classmethod
    def from_sequences(cls, sequences: Iterable, weights=None) -> Partitions:
        """From sequences, or groups, (T, D) with the same columns, and a weight (S,) of each.

        Raises ValueError where one is no table or has other columns, or for weights that cannot be.
        """
        tables = _tables(sequences, "sequence")
        lengths = [len(table) for table in tables]
        weights = weights_of_some(weights, len(tables))
        each = None if weights is None else np.repeat(weights, lengths)
        rows = ArraySource(np.concatenate(tables), each)
        return cls([rows], tables[0].shape[1], ends=np.cumsum(lengths))

    @classmethod
    def from_parquet(
        cls,
        path,
        columns: Sequence[str] | None = None,
        weights: str | None = None,
        filters=None,
        sequences: str | None = None,
        levels: Mapping[str, Levels] | None = None,
    ) -> Partitions:
        """From a Parquet file, or a folder of them in the order of their names; needs PyArrow.

        columns: their names; by default all that are not named for something else. filters: an
        expression of `pyarrow.compute` that leaves rows out. sequences: the column that tells which
        sequence, or group, a row is in; its rows stand one after the other. levels: the values of
        some columns, texts or numbers, in their order: a cell becomes the place of its value, 0, 1,
        ... (`parquet_levels` finds them). Raises ValueError for a column that is not there, or
        holds no numbers and has no levels, and where a sequence begins again; when it is read, for
        a cell that is none of the levels.
        """
        if columns is None:
            columns = parquet_columns(path, [n for n in (weights, sequences) if n is not None])
        names, found = parquet_sources(path, columns, weights, filters, levels or {})
        ends, called = (None,) * 2 if sequences is None else parquet_sequences(found, sequences)
        return cls(found, len(names), names, ends, called)

    @classmethod
    def from_dask(
        cls, frame, columns: Sequence[str] | None = None, weights: str | None = None
    ) -> Partitions:
        """From a Dask DataFrame, its partitions in their order; needs Dask.

        Rows are counted at once, by Dask's own scheduler, and computed where they are read: on a
        cluster's workers, `over` it. columns: their names; by default all but that of the weights.
        Raises ValueError for a column that is not there, or holds no numbers, and for a frame that
        a cluster holds already.
        """
        names, sources = dask_sources(frame, columns, weights)
        return cls(sources, len(names), names)

    def over(self, map: Map) -> Partitions:
        """The same table, whose parts are gone over by this `map`."""
        other = copy(self)
        other._map = map
        return other

    def only(self, places: Sequence[int]) -> Partitions:
        """The same rows with the columns at these places; what is known of them stays known."""
        other = copy(self)
        other._condensed = None
        other.sources = tuple(source.only(places) for source in self.sources)
        other.n_columns = len(places)
        other.names = tuple(self.names[place] for place in places) if self.names else ()
        other._overview = None if self._overview is None else self._overview.only(places)
        return other

    def as_one_sequence(self) -> Partitions:
        """The same rows, as one sequence."""
        return Partitions(self.sources, self.n_columns, self.names, np.array([self.n_rows]))

    def knowing(self, overview: Overview) -> Partitions:
        """The same table, of which this is known already."""
        other = copy(self)
        other._overview = overview
        return other

    def loaded(self) -> Partitions:
        """The same table in memory."""
        other = copy(self)
        other.sources = tuple(
            ArraySource(*source.read(0, source.n_rows)) for source in self.sources
        )
        return other

    def __len__(self) -> int:
        return self.n_rows

    @property
    def in_memory(self) -> bool:
        """Whether all rows are held already."""
        return all(source.in_memory for source in self.sources)

    def blocks(self) -> Iterator[tuple[Any, np.ndarray | None]]:
        """The rows, or sequences, and their weights, block by block."""
        for part in self.parts():
            yield from part.blocks()

    def parts(self) -> list[Part]:
        """The table in parts, of one or two, four, eight ... blocks each."""
        n_blocks = 1
        while 2 * n_blocks * BLOCK_ROWS * self.n_columns <= PART_VALUES:
            n_blocks *= 2
        chosen, _ = self._chosen
        blocks = self._block_bounds()
        parts = []
        for first in range(0, len(blocks) - 1, n_blocks):
            bounds = blocks[first : first + n_blocks + 1]
            start, stop = int(bounds[0]), int(bounds[-1])
            a, b = np.searchsorted(chosen, [start, stop])
            ends = None
            if self.ends is not None:
                ends = self.ends[np.searchsorted(self.ends, start, "right") :]
                ends = ends[: np.searchsorted(ends, stop, "right")] - start
            pieces = tuple(self._pieces(start, stop))
            parts.append(Part(pieces, chosen[a:b] - start, bounds - start, ends))
        return parts

    def _block_bounds(self) -> np.ndarray:
        """Where blocks begin and end: at every so many rows, or where the sequence ends that these
        are in."""
        bounds = np.append(np.arange(0, self.n_rows, BLOCK_ROWS), self.n_rows)
        if self.ends is None:
            return bounds
        return np.unique(np.append(0, self.ends[np.searchsorted(self.ends, bounds[1:])]))

    @cached_property
    def _chosen(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Which rows are in the sample, and where in it sequences end."""
        rng = np.random.default_rng(SAMPLE_SEED)
        if self.ends is None:
            if self.n_rows <= SAMPLE_ROWS:
                return np.arange(self.n_rows), None
            return np.sort(rng.choice(self.n_rows, SAMPLE_ROWS, replace=False)), None
        starts, lengths = np.append(0, self.ends[:-1]), np.diff(self.ends, prepend=0)
        order = rng.permutation(len(lengths))
        enough = np.searchsorted(np.cumsum(lengths[order]), SAMPLE_ROWS) + 1
        some = np.sort(order[:enough])
        taken = np.minimum(lengths[some], SAMPLE_ROWS)
        rows = [np.arange(start, start + n) for start, n in zip(starts[some], taken, strict=True)]
        return np.concatenate(rows), np.cumsum(taken)

    @property
    def sampled(self) -> np.ndarray:
        """(S,) which of its sequences are in the sample, in their order."""
        rows, ends = self._chosen
        assert self.ends is not None and ends is not None, "its rows are in sequences"
        return np.searchsorted(self.ends, rows[ends - 1], "right")

    def _pieces(self, start: int, stop: int) -> Iterator[Piece]:
        begin = 0
        for source in self.sources:
            end = begin + source.n_rows
            if begin < stop and start < end:
                yield Piece(source, max(start, begin) - begin, min(stop, end) - begin)
            begin = end

    def first_pass(self) -> Overview:
        """Columns and sample, after one pass over the table; kept."""
        if self._overview is None:
            found = list(self._map(_look, self.parts()))
            columns = tree_sum([columns for columns, *_ in found], ColumnTotals.joined)
            rows, weights = joined([(rows, weights) for _, rows, weights in found])
            self._overview = Overview(columns, rows, weights, self._chosen[1])
        return self._overview

    def overview(self) -> Overview:
        """The same of a table that can be fitted.

        Raises ValueError for weights that cannot be, and where a column holds no values.
        """
        columns = self.first_pass().columns
        if not (np.isfinite(columns.total) and columns.smallest_weight >= 0 < columns.total):
            raise ValueError(NO_WEIGHTS)
        if not columns.counts.all():
            number = columns.counts.argmin() + 1
            raise ValueError(
                f"column {number} holds no values in rows that have weight: leave it out"
            )
        return self.first_pass()

    def require_for(self, model) -> None:
        """Raises ValueError where a model cannot be fitted to a table in pieces, or not to rows, or
        to sequences, as these are."""
        if not takes_pieces(model):
            raise ValueError(
                "this model is not fitted to tables in pieces: give it the rows as one array"
            )
        if (self.ends is None) == bool(optional(model, "grouped")):
            raise ValueError(
                "this model is fitted to rows that belong to nothing: make the pieces without "
                "sequences"
                if self.ends is not None
                else "this model is fitted to sequences, or groups: say where they are, by "
                "Partitions.from_sequences or sequences=..."
            )

    def e_steps(self, model) -> Callable[[Any], Expectation]:
        """The E-step of a model over the whole table, as a function of the parameters.

        Raises ValueError as `require_for`.
        """
        self.require_for(model)
        columns = self.overview().columns
        if (condense := optional(model, "condense_block")) is not None:
            # One pass, and none in the iterations, nor for another start.
            if self._condensed is None or self._condensed[0] != model:
                total = self.total(partial(_condense, condense, columns))
                self._condensed = model, model.condensed(total, columns)
            return partial(model.e_step, data=self._condensed[1])
        parts: Sequence[Any] = [UnpreparedPart(part, model, columns) for part in self.parts()]
        # A cluster keeps them where they are; here files may be larger than memory.
        place = getattr(self._map, "place", None)
        if place is not None:
            parts = place(prepare_part, parts)
        elif self.in_memory:
            parts = list(self._map(prepare_part, parts))
        return partial(_expect, model, parts, self._map)

    def total(self, function: Callable[..., Any]) -> Any:
        """The sum of function(rows, weights) over all blocks, of numbers and trees of arrays."""
        return tree_sum(self._map(partial(_total, function), self.parts()), add)


def takes_pieces(model) -> bool:
    """Whether a model is fitted to tables in pieces."""
    return any(optional(model, name) is not None for name in ("prepare_block", "condense_block"))


def _condense(condense: Callable, columns: ColumnTotals, rows: np.ndarray, weights):
    return condense(rows, weights, columns)


def _expect(model, parts: Sequence[Any], map: Map, params) -> Expectation:
    return tree_sum(map(partial(e_step_of, model, params), parts), add)


def e_step_of(model, params, part: PreparedPart | UnpreparedPart) -> Expectation:
    """The E-step over one part."""
    return tree_sum((model.e_step(params, rows, w) for rows, w in part.blocks()), add)


def _total(function: Callable[..., Any], part: Part):
    return tree_sum((function(rows, weights) for rows, weights in part.blocks()), add)


def _look(part: Part) -> tuple[ColumnTotals, np.ndarray, np.ndarray | None]:
    """The columns of a part, and its rows of the sample with their weights."""
    columns, rows, start = [], [], 0
    for values, weights in part.row_blocks():
        columns.append(ColumnTotals.of(values, weights))
        places = part.places[np.searchsorted(part.places, start) :]
        places = places[: np.searchsorted(places, start + len(values))] - start
        rows.append((values[places], None if weights is None else weights[places]))
        start += len(values)
    return tree_sum(columns, ColumnTotals.joined), *joined(rows)


def joined(pieces: Sequence[Rows]) -> Rows:
    """Rows one after the other; those without weights count once where others have any."""
    if len(pieces) == 1:
        return pieces[0]
    values = np.concatenate([values for values, _ in pieces])
    if all(weights is None for _, weights in pieces):
        return values, None
    each = [np.ones(len(v)) if weights is None else weights for v, weights in pieces]
    return values, np.concatenate(each)


def gone_over(data, map: Map):
    """Data as they are; partitions to be gone over by a `map` that is not Python's own."""
    return data.over(map) if isinstance(data, Partitions) and map is not builtins.map else data
