"""How probable each frame of a sequence is by the frames before it."""

from __future__ import annotations

import numpy as np


def log_densities_of_states(emission, params, frames: np.ndarray, n_states: int) -> np.ndarray:
    """(K, N) log p(x_n | state) of frames (N, D), in nats."""
    kernel = emission.kernel(params, emission.prepare(frames, None, params))
    found = np.empty((n_states, len(frames)))
    for block in kernel.blocks():
        part = kernel.log_joint(block, out=found[:, block.rows])
        if not isinstance(block.rows, slice):
            found[:, block.rows] = part
    found += kernel.shift
    if kernel.impossible is not None:
        found[:, kernel.impossible[0]] = -np.inf
    return found


def log_forecasts(
    initial: np.ndarray, matrix: np.ndarray, densities: np.ndarray, lengths: np.ndarray
) -> np.ndarray:
    """(N,) log p(x_t | x_1 ... x_(t-1)) of all frames, sequence after sequence, by the forward
    recursion in logarithms: sum_k p(state k | before) p(x_t | k). After a frame of probability 0
    the states are as if it had not been seen."""
    starts = np.cumsum(lengths) - lengths
    told = np.empty(densities.shape[1])
    with np.errstate(divide="ignore"):
        ahead = np.log(np.tile(initial, (len(lengths), 1)))
        for t in range(int(lengths.max(initial=0))):
            active = lengths > t
            at = starts[active] + t
            joint = ahead[active] + densities[:, at].T
            highest = joint.max(axis=1, keepdims=True)
            shares = np.exp(joint - np.where(np.isfinite(highest), highest, 0))
            sums = shares.sum(axis=1, keepdims=True)
            told[at] = (highest + np.log(sums))[:, 0]
            before = np.where(sums > 0, shares / np.where(sums > 0, sums, 1), np.exp(ahead[active]))
            ahead[active] = np.log(before @ matrix)
    return told
