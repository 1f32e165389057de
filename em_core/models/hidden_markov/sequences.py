"""Sequences of unequal length, laid out so that many are stepped through at once.

Sequences are cut into pieces where they are few and long. Pieces of similar length form a tile, in
which frame t of all pieces stands side by side: one step of a recursion is one matrix product.
"""

from __future__ import annotations

import math
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from em_core.data import as_numbers

# With fewer sequences than this at a time, the steps themselves cost more than what they do.
FEWEST_CHAINS = 100
SHORTEST_PIECE, LONGEST_PIECE = 16, 100
# Densities relative to one state's may be that large: so many frames in a row stay in range.
LARGEST_LOG_RATIO = 75.0
# The states of this many pieces stay in the processor's second-level cache.
TILE_CHAINS = 2000
TILE_FRAMES = 250_000


class Tile(NamedTuple):
    """Pieces, longest first, with their frames in lockstep order.

    rows: the emission's rows, frame by frame: all first frames, then all second ones, ...
    pieces (N,): which pieces. starts (N,): their first frame in the data. lengths (N,) of them.
    steps: where each step's frames stand among the rows; the pieces that reach it come first.
    ends (N,): where each piece's last frame stands. continuing (N,): whether the piece continues
    the one before it, or begins a sequence.
    """

    rows: Any
    pieces: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    steps: list[slice]
    ends: np.ndarray
    continuing: np.ndarray

    def totals(self, values: np.ndarray) -> np.ndarray:
        """(N,) sums over the frames of each piece of values (n,), one for each row."""
        totals = np.zeros(len(self.pieces))
        for step in self.steps:
            totals[: step.stop - step.start] += values[step]
        return totals

    def last(self, stepped: np.ndarray) -> np.ndarray:
        """(K, N) what belongs to the last frame of each piece, of values (T, K, N) by step."""
        return stepped[self.lengths - 1, :, np.arange(len(self.lengths))].T

    def frames(self) -> np.ndarray:
        """(n,) which frame of the data each row is."""
        return lockstep_order(self.starts, self.steps)


class Sequences:
    """Prepared data: the emission's rows, sequence by sequence; can be sliced by sequences."""

    def __init__(self, rows, lengths: np.ndarray):
        self.rows = rows
        self.lengths = lengths
        # One for each E-step that runs at the same time.
        self.workspaces: list[Workspace] = []

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, part: slice) -> Sequences:
        start, stop, _ = part.indices(len(self))
        bounds = self.bounds
        return Sequences(self.rows.take(bounds[start], bounds[stop]), self.lengths[start:stop])

    @cached_property
    def bounds(self) -> np.ndarray:
        """(S + 1,) where each sequence begins among the frames, and where the last one ends."""
        return np.concatenate([[0], np.cumsum(self.lengths)])

    @cached_property
    def sequence(self) -> np.ndarray:
        """(P,) the sequence of each piece; pieces are in the order of the data."""
        return np.repeat(np.arange(len(self)), self._n_pieces)

    @property
    def is_cut(self) -> bool:
        return len(self.sequence) > len(self)

    @cached_property
    def _n_pieces(self) -> np.ndarray:
        """(S,) into how many pieces each sequence is cut."""
        total, longest = self.lengths.sum(), self.lengths.max()
        if total >= FEWEST_CHAINS * longest:
            return np.ones(len(self), dtype=int)
        size = np.clip(0.2 * np.sqrt(total), SHORTEST_PIECE, LONGEST_PIECE)
        return np.ceil(self.lengths / size).astype(int)

    @cached_property
    def tiles(self) -> list[Tile]:
        n_pieces = self._n_pieces
        first = np.cumsum(n_pieces) - n_pieces
        place = np.arange(n_pieces.sum()) - np.repeat(first, n_pieces)
        shortest, longer = np.divmod(self.lengths, n_pieces)
        lengths = shortest[self.sequence] + (place < longer[self.sequence])
        starts = np.cumsum(lengths) - lengths
        order = np.argsort(-lengths, kind="stable")
        tiles = []
        while len(order):
            size = min(TILE_CHAINS, max(1, TILE_FRAMES // lengths[order[0]]))
            pieces, order = order[:size], order[size:]
            tiles.append(self._tile(pieces, starts[pieces], lengths[pieces], place[pieces] > 0))
        return tiles

    def _tile(self, pieces, starts, lengths, continuing) -> Tile:
        # How many of the pieces, longest first, are longer than t.
        counts = np.searchsorted(-lengths, -np.arange(lengths[0]), side="left")
        stops = np.cumsum(counts)
        steps = [slice(stop - n, stop) for stop, n in zip(stops.tolist(), counts, strict=True)]
        ends = (stops - counts)[lengths - 1] + np.arange(len(pieces))
        rows = self.rows.select(lockstep_order(starts, steps))
        return Tile(rows, pieces, starts, lengths, steps, ends, continuing)


def lockstep_order(starts: np.ndarray, steps: list[slice]) -> np.ndarray:
    """(n,) the frames of pieces that begin at `starts`: all first ones, all second ones, ..."""
    return np.concatenate([starts[: s.stop - s.start] + t for t, s in enumerate(steps)])


class Workspace:
    """Large arrays to be used again: touching fresh memory costs as much as what is done in it."""

    def __init__(self):
        self._arrays: dict[Any, np.ndarray] = {}

    def array(self, name, *shape: int) -> np.ndarray:
        """An array of that shape with anything in it; the last one of that name is given up."""
        size = math.prod(shape)
        if name not in self._arrays or len(self._arrays[name]) < size:
            self._arrays[name] = np.empty(size)
        return self._arrays[name][:size].reshape(shape)


class FrameDensities:
    """The frames of a tile under the emission of every state.

    relative: whether log-densities may be relative to one state's, which costs less.
    """

    def __init__(self, emission, params, tile: Tile, n_states: int, relative: bool = False):
        self.tile = tile
        self.shape = n_states, tile.rows.n_rows
        self._kernel = partial(emission.kernel, params, tile.rows)
        self.kernel = self._kernel(relative=relative)

    def log_densities(self, out: np.ndarray, highest: np.ndarray) -> int | None:
        """Writes log p(x | state) (K, n), each frame less what all its states have in common.

        That is the log-density of one state, whose place is returned; or else each frame's largest,
        and then `highest` (n,) is overwritten. Notes what each piece lost by that as `levels` (N,),
        but for the state's.
        """
        self.levels = self.kernel.shift * self.tile.lengths
        if self.kernel.reference is not None:
            reference = self.kernel.in_own_order()
            self._write(out)
            if out.max() < LARGEST_LOG_RATIO:
                return reference
            self.kernel = self._kernel(relative=False)
            self.levels = self.kernel.shift * self.tile.lengths
        self._write(out)
        np.maximum.reduce(out, axis=0, out=highest)
        self.levels += self.tile.totals(highest)
        if self.kernel.impossible is not None:
            self.levels += self.tile.totals(np.where(self.kernel.impossible[0], -np.inf, 0))
        # Where no state is possible, all stay at -inf.
        out -= highest if highest.min() > -np.inf else np.where(highest > -np.inf, highest, 0)
        return None

    def _write(self, out: np.ndarray) -> None:
        for block in self.kernel.blocks():
            part = self.kernel.log_joint(block, out=out[:, block.rows])
            if not isinstance(block.rows, slice):
                # Then `part` is no view, but a copy.
                out[:, block.rows] = part

    def level(self, weights: np.ndarray) -> float:
        """What all pieces lost, times their weights (N,). Call after `add`."""
        lost = total(weights, self.levels)
        return lost if self.kernel.reference is None else lost + float(self.kernel.left_out()[0])

    def add(self, shares: np.ndarray) -> None:
        """Accumulate the emission's statistics of frames that belong to states by (K, n) shares."""
        for block in self.kernel.blocks():
            self.kernel.add(block, shares[:, block.rows])
        if len(collapsing := self.kernel.collapsing()):
            for block in self.kernel.blocks():
                self.kernel.add_collapsing(block, collapsing, shares[:, block.rows])


def total(weights: np.ndarray, values: np.ndarray) -> float:
    """The weighted sum, in which values of no weight do not count even if they are infinite."""
    return float(weights @ np.where(weights > 0, values, 0))


def check_sequences(data) -> list[np.ndarray]:
    """A list of sequences, or one sequence, as arrays (T, D). Raises ValueError."""
    alone = not isinstance(data, list | tuple) or all(np.ndim(x) == 0 for x in data)
    sequences = [as_numbers(x) for x in ([data] if alone else data)]
    sequences = [x[:, None] if x.ndim == 1 else x for x in sequences]
    for i, x in enumerate(sequences):
        if x.ndim != 2 or x.size == 0:
            raise ValueError(
                f"sequence {i + 1} has shape {x.shape}: a table with a row for every frame is "
                "needed, with one row at least"
            )
        if x.shape[1] != sequences[0].shape[1]:
            raise ValueError(
                f"sequence {i + 1} has {x.shape[1]} columns and sequence 1 has "
                f"{sequences[0].shape[1]}: all need the same ones"
            )
    return sequences


def lengths_of(sequences: list[np.ndarray]) -> np.ndarray:
    return np.array([len(x) for x in sequences])


def split_frames(frames: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
    """A table (sum of lengths, ...) as one array for each sequence."""
    return np.split(frames, np.cumsum(lengths)[:-1])
