"""What a fitted model rules out: which values of a row make its probability 0."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from em_core.protocols import optional


class Impossible(NamedTuple):
    """Why a row has probability 0.

    columns, values: the column (counted from 0) that no component can explain, with its value; or
    several, each of them ruled out by some of the components. row: the row, counted from 0 (of
    sequences: the frame, counted through all of them).
    """

    columns: tuple[int, ...]
    values: tuple[float, ...]
    row: int

    @classmethod
    def of(cls, excluded: np.ndarray, rows: np.ndarray, at: int) -> Impossible:
        """Of rows[at], from which columns each component rules out: (K, D), one of each or more."""
        by_all = np.flatnonzero(excluded.all(axis=0))
        columns = by_all[:1] if by_all.size else np.unique(excluded.argmax(axis=1))
        return cls(tuple(columns.tolist()), tuple(rows[at][columns].tolist()), at)


def impossible_row(excluded: np.ndarray, rows: np.ndarray, weights: np.ndarray):
    """The first of some rows (N, D) that every component of a mixture rules out, or None.

    excluded (K, N, D): which cells have probability 0; weights (K,) of the components.
    """
    excluded = excluded[weights > 0]
    found = np.flatnonzero(excluded.any(axis=2).all(axis=0))
    return Impossible.of(excluded[:, found[0]], rows, int(found[0])) if found.size else None


def impossible_frame(excluded: np.ndarray, frames: np.ndarray, initial, transitions):
    """The first frame (T, D) of a sequence that no path of a Markov chain leads through, or None.

    excluded (K, T, D): which cells have probability 0; initial (K,), transitions (K, K).
    """
    reached = initial > 0
    for t in range(len(frames)):
        going = reached & ~excluded[:, t].any(axis=1)
        if not going.any():
            return Impossible.of(excluded[reached, t], frames, t)
        reached = (transitions[going] > 0).any(axis=0)
    return None


def ruled_out(model: Any, params: Any, data: Any, weights: np.ndarray | None) -> Impossible | None:
    """Which row of checked data, of those that have weight, has probability 0 at these parameters,
    as far as the model can tell; None without one."""
    if optional(model, "impossible") is None:
        return None
    counting = np.arange(len(data)) if weights is None else np.flatnonzero(weights)
    if isinstance(data, list):
        found = model.impossible(params, [data[part] for part in counting])
        begin = np.cumsum([0, *map(len, data)])
        rows = np.concatenate([begin[part] + np.arange(len(data[part])) for part in counting])
    else:
        found, rows = model.impossible(params, data[counting]), counting
    return None if found is None else found._replace(row=int(rows[found.row]))


def require_possible(model: Any, params: Any, data: Any, weights: np.ndarray | None) -> None:
    """Raises ValueError where parameters to start from give a row probability 0: EM would have no
    posterior to begin with."""
    found = ruled_out(model, params, data, weights)
    if found is not None:
        cells = " with ".join(
            f"{value:g} in column {column + 1}"
            for column, value in zip(found.columns, found.values, strict=True)
        )
        raise ValueError(
            f"the start gives row {found.row + 1} probability 0, because of {cells}: where its "
            "parameters are exactly 0 or 1, take a little more or less"
        )
