"""What a fitted model rules out: which values of a row make its probability 0."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Impossible(NamedTuple):
    """Why a row has probability 0.

    columns, values: the column (counted from 0) that no component can explain, with its value; or
    several, each of them ruled out by some of the components.
    """

    columns: tuple[int, ...]
    values: tuple[float, ...]

    @classmethod
    def of(cls, excluded: np.ndarray, row: np.ndarray) -> Impossible:
        """From which columns each component rules out, (K, D) with one of every component."""
        by_all = np.flatnonzero(excluded.all(axis=0))
        columns = by_all[:1] if by_all.size else np.unique(excluded.argmax(axis=1))
        return cls(tuple(columns.tolist()), tuple(row[columns].tolist()))


def impossible_row(excluded: np.ndarray, rows: np.ndarray, weights: np.ndarray):
    """The first of some rows (N, D) that every component of a mixture rules out, or None.

    excluded (K, N, D): which cells have probability 0; weights (K,) of the components.
    """
    excluded = excluded[weights > 0]
    found = np.flatnonzero(excluded.any(axis=2).all(axis=0))
    return Impossible.of(excluded[:, found[0]], rows[found[0]]) if found.size else None


def impossible_frame(excluded: np.ndarray, frames: np.ndarray, initial, transitions):
    """The first frame (T, D) of a sequence that no path of a Markov chain leads through, or None.

    excluded (K, T, D): which cells have probability 0; initial (K,), transitions (K, K).
    """
    reached = initial > 0
    for t, row in enumerate(frames):
        going = reached & ~excluded[:, t].any(axis=1)
        if not going.any():
            return Impossible.of(excluded[reached, t], row)
        reached = (transitions[going] > 0).any(axis=0)
    return None
