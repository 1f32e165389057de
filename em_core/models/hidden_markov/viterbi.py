"""The most probable path through the states of a hidden Markov chain (Viterbi 1967)."""

from __future__ import annotations

import numpy as np

from em_core.models.hidden_markov.forward_backward import Logarithmic, enter_and_leave, evaluate
from em_core.models.hidden_markov.scan import MAXIMA
from em_core.models.hidden_markov.sequences import FrameDensities, Sequences, Tile, Workspace


def best_path(
    initial_probabilities, transition_matrix, sequences: Sequences, all_frames: list[FrameDensities]
) -> np.ndarray:
    """(T,) the most probable states of all frames, sequence after sequence, counted from 0."""
    chain = Logarithmic(initial_probabilities, transition_matrix, MAXIMA)
    tiles = sequences.tiles
    densities = evaluate(chain, sequences, all_frames, Workspace())
    n_states, n_pieces = len(chain.initial), len(sequences.sequence)
    enter = np.zeros((n_states, n_pieces))
    if sequences.is_cut:
        densities = list(densities)
        enter, _ = enter_and_leave(chain, sequences, densities)

    best_last = np.empty(n_pieces, dtype=int)
    # The state before the piece on the best path to each of its last states.
    origins = np.empty((n_states, n_pieces), dtype=int)
    pointers = []
    for tile, given in zip(tiles, densities, strict=True):
        came_from, best_last[tile.pieces] = _forward(chain, tile, given, enter[:, tile.pieces])
        pointers.append(came_from)
        if sequences.is_cut:
            every_last = np.repeat(np.arange(n_states)[:, None], len(tile.pieces), axis=1)
            origins[:, tile.pieces] = _walk_back(tile, came_from, every_last)

    lasts = _join(best_last, origins, sequences.sequence)
    result = np.empty(sequences.bounds[-1], dtype=int)
    for tile, came_from in zip(tiles, pointers, strict=True):
        path = np.empty(came_from.shape[1], dtype=int)
        _walk_back(tile, came_from, lasts[tile.pieces], path)
        result[tile.frames()] = path
    return result


def _forward(chain: Logarithmic, tile: Tile, densities, enter) -> tuple[np.ndarray, np.ndarray]:
    """(K, n) the best state before each frame for each of its states, and (N,) the best last."""
    came_from = np.empty(densities.values.shape, dtype=np.int16)
    came_from[:, tile.steps[0]] = (enter[:, None] + chain.matrix).argmax(axis=0)
    scores = chain.entering(tile, enter) + densities.values[:, tile.steps[0]]
    for step in tile.steps[1:]:
        candidates = scores[:, None, : step.stop - step.start] + chain.matrix
        came_from[:, step] = candidates.argmax(axis=0)
        scores[:, : step.stop - step.start] = candidates.max(axis=0) + densities.values[:, step]
    return came_from, scores.argmax(axis=0)


def _walk_back(tile: Tile, came_from, states: np.ndarray, path=None) -> np.ndarray:
    """From last states of the pieces (..., N) to the states before them.

    Overwrites `states`; notes those in between in `path` (n,).
    """
    for step in reversed(tile.steps):
        here = states[..., : step.stop - step.start]
        if path is not None:
            path[step] = here
        here[...] = came_from[here, np.arange(step.start, step.stop)]
    return states


def _join(best_last: np.ndarray, origins: np.ndarray, sequence: np.ndarray) -> np.ndarray:
    """(P,) last states of all pieces: each sequence's best, and what each of them came from."""
    lasts = best_last.copy()
    for piece in range(len(sequence) - 1, 0, -1):
        if sequence[piece] == sequence[piece - 1]:
            lasts[piece - 1] = origins[lasts[piece], piece]
    return lasts
