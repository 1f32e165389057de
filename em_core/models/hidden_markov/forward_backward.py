"""State probabilities of hidden Markov chains by the forward-backward recursions (Rabiner 1989).

All pieces of a tile (see `sequences`) are stepped through at once. Where sequences are cut into
pieces, each piece is summed up in its transfer matrix, and a scan over these tells in which state
a piece is entered and what follows it (Sarkka & Garcia-Fernandez 2021).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from em_core.emissions.kernels.linear import IMPOSSIBLE
from em_core.models.hidden_markov.scan import (
    LOGARITHMS,
    PROBABILITIES,
    Algebra,
    before_and_after,
    log_sum_exp,
)
from em_core.models.hidden_markov.sequences import FrameDensities, Sequences, Tile, Workspace

TINY = np.finfo(float).tiny
# Probabilities are rescaled to sum to 1 after this many frames. Densities are relative to one that
# is not far below the frame's largest, so only data that the transitions all but exclude come near
# underflow.
RESCALE_AFTER = 8
# Log-densities further than this below the frame's largest are raised.
LOWEST_EXPONENT = -700.0
# The most that may belong to a state whose density was raised, as a share of the sequence.
NEGLIGIBLE = 1e-100
# More than rounding does to probabilities that should sum to 1, or agree where two pieces meet.
TOLERANCE = 1e-8
# The log density of a state that is impossible: as many frames as there can be have a sum of it.
LOWEST = -1e290


class Underflow(ArithmeticError):
    """Probabilities too small for their digits matter: work with logarithms."""


class Densities(NamedTuple):
    """Log-densities (K, n) of a tile's frames as `Frames.log_densities` has them, and what the
    recursions multiply by. raised (K, n): where the densities were raised, or None."""

    logs: np.ndarray
    values: np.ndarray
    raised: np.ndarray | None = None


class Smoothed(NamedTuple):
    """What is known of a tile's states; all but log_scales times the weight of the sequence.

    shares (K, n): p(state | x) of every frame. transitions (K, K): expected number of transitions
    into and within the pieces. log_scales (N,): log p(piece | what came before it). before (K, N):
    p(state before the piece | x), where it does not begin a sequence.
    """

    shares: np.ndarray
    transitions: np.ndarray
    log_scales: np.ndarray
    before: np.ndarray


class Scaled:
    """The recursions in probabilities. Raises Underflow rather than lose what matters."""

    algebra = PROBABILITIES

    def __init__(self, initial_probabilities: np.ndarray, transition_matrix: np.ndarray):
        self.initial = initial_probabilities[:, None]
        self.matrix = np.ascontiguousarray(transition_matrix)
        self.transposed = np.ascontiguousarray(transition_matrix.T)

    def densities(
        self, logs: np.ndarray, out: np.ndarray, reference: int | None = None
    ) -> Densities:
        """The values are written to `out`; what is too low in `logs` is raised in place.

        reference: the state whose log-densities are all 0, if there is one.
        """
        raised = None
        if logs.min() < LOWEST_EXPONENT:
            raised = logs < LOWEST_EXPONENT
            np.maximum(logs, LOWEST_EXPONENT, out=logs)
        if reference is None:
            return Densities(logs, np.exp(logs, out=out), raised)
        out[reference] = 1
        for others in (slice(reference), slice(reference + 1, None)):
            np.exp(logs[others], out=out[others])
        return Densities(logs, out, raised)

    def transfers(self, tile: Tile, densities: Densities) -> np.ndarray:
        """(K, K, N) p(piece, its last state | state before it), up to a factor for each piece."""
        states = np.where(tile.continuing, self.matrix[:, :, None], self.initial)
        states *= densities.values[:, tile.steps[0]]
        stepped = np.empty_like(states)
        log_scales = np.zeros((len(states), len(tile.pieces)))
        for t, step in enumerate(tile.steps[1:], 1):
            n = step.stop - step.start
            np.matmul(self.transposed, states[:, :, :n], out=stepped[:, :, :n])
            np.multiply(stepped[:, :, :n], densities.values[:, step], out=states[:, :, :n])
            if t % RESCALE_AFTER == 0:
                sums = np.maximum(states[:, :, :n].sum(axis=1), TINY)
                states[:, :, :n] /= sums[:, None]
                log_scales[:, :n] += np.log(sums)
        return states * np.exp(log_scales - log_scales.max(axis=0))[:, None]

    def smooth(self, tile: Tile, densities: Densities, enter, leave, weights, alphas) -> Smoothed:
        """enter, leave (K, N): what the scan says comes before and after, up to a factor.

        Overwrites `alphas` (T, K, N), and the values of the densities with the shares.
        """
        values = densities.values
        # What goes out of range here is found out by `_vouch`.
        with np.errstate(all="ignore"):
            enter = enter / enter.sum(axis=0)
            log_scales = self._forward(tile, values, enter, alphas)
            last = tile.last(alphas)
            log_scales += np.log(last.sum(axis=0))
            leave = leave * (weights / (last * leave).sum(axis=0))
            pairs, message = self._backward(tile, values, leave, alphas)
        self._vouch(tile, densities, weights)

        entered, message = enter[:, tile.continuing], message[:, tile.continuing]
        before = np.zeros_like(enter)
        before[:, tile.continuing] = entered * (self.matrix @ message)
        pairs += entered @ message.T
        return Smoothed(values, self.matrix * pairs, log_scales, before)

    def _forward(self, tile: Tile, values, enter, alphas) -> np.ndarray:
        """Writes p(state, frames since the last rescaling | frames before it) to `alphas`.

        Divides the values by the scales too; returns the logarithms of these (N,).
        """
        log_scales = np.zeros(len(tile.pieces))
        states = np.where(tile.continuing, self.transposed @ enter, self.initial)
        for t, step in enumerate(tile.steps):
            n = step.stop - step.start
            states = states[:, :n]
            if t > 0:
                np.matmul(self.transposed, alphas[t - 1, :, :n], out=states)
            alpha = np.multiply(states, values[:, step], out=alphas[t, :, :n])
            if t % RESCALE_AFTER == 0:
                scales = alpha.sum(axis=0)
                alpha /= scales
                values[:, step] /= scales
                log_scales[:n] += np.log(scales)
        return log_scales

    def _backward(self, tile: Tile, values, leave, alphas) -> tuple[np.ndarray, np.ndarray]:
        """Turns the values into state probabilities.

        Returns (K, K) sum of alpha_t x message_{t+1}, and the first frames' message (K, N):
        p(the frame and all later ones | its state), relative to their probability.
        """
        pairs = np.zeros_like(self.matrix)
        betas, messages = leave.copy(), np.empty_like(leave)
        later, beta, message = 0, betas[:, :0], messages[:, :0]
        for alpha, step in zip(reversed(alphas), reversed(tile.steps), strict=True):
            pairs += alpha[:, :later] @ message.T
            np.matmul(self.matrix, message, out=beta)
            n = step.stop - step.start
            if n > later:
                later, beta, message = n, betas[:, :n], messages[:, :n]
            value = values[:, step]
            np.multiply(beta, value, out=message)
            np.multiply(alpha[:, :n], beta, out=value)
        return pairs, messages

    def _vouch(self, tile: Tile, densities: Densities, weights) -> None:
        """Raises Underflow unless nothing that matters was rounded to nothing, or raised.

        Call when the densities' values have become the shares.
        """
        shares = densities.values
        totals = shares[:, tile.steps[0]].sum(axis=0)
        # Not "any differs": NaN must count as a difference.
        if not (np.abs(totals - weights) <= TOLERANCE * weights).all():
            raise Underflow("state probabilities do not sum to 1")
        if densities.raised is not None:
            # Each sequence by itself: to a light one it matters as much as to the heaviest.
            own = np.concatenate([weights[: step.stop - step.start] for step in tile.steps])
            if not (np.where(densities.raised, shares, 0) <= NEGLIGIBLE * own).all():
                raise Underflow("a state has become possible by raising its density")


class Logarithmic:
    """The recursions in logarithms: many times slower, and never out of range.

    algebra: `LOGARITHMS` sums over all paths; `MAXIMA` seeks the best one.
    """

    def __init__(self, initial_probabilities, transition_matrix, algebra: Algebra = LOGARITHMS):
        with np.errstate(divide="ignore"):
            self.initial = np.log(initial_probabilities)[:, None]
            self.matrix = np.log(transition_matrix)[:, :, None]
        self.algebra = algebra

    def densities(
        self, logs: np.ndarray, out: np.ndarray, reference: int | None = None
    ) -> Densities:
        """The values, written to `out`, are the logarithms."""
        out[...] = logs
        # Where a state is impossible its share, 0, must still have a product with the logarithm.
        return Densities(np.maximum(logs, LOWEST, out=logs), out)

    def transfers(self, tile: Tile, densities: Densities) -> np.ndarray:
        """(K, K, N) log p(piece, its last state | state before it) for each state before it."""
        states = np.where(tile.continuing, self.matrix, self.initial)
        states += densities.values[:, tile.steps[0]]
        for step in tile.steps[1:]:
            n = step.stop - step.start
            onward = self.algebra.combine(states[:, :, None, :n], self.matrix, 1)
            np.add(onward, densities.values[:, step], out=states[:, :, :n])
        return states

    def smooth(self, tile: Tile, densities: Densities, enter, leave, weights, alphas) -> Smoothed:
        """enter, leave (K, N): what the scan says comes before and after, up to a constant.

        Overwrites `alphas` (T, K, N), and the values of the densities with the shares.
        """
        values = densities.values
        total = log_sum_exp(enter, axis=0)
        enter = enter - np.where(total > -np.inf, total, 0)
        states = self.entering(tile, enter)
        for t, step in enumerate(tile.steps):
            n = step.stop - step.start
            if t > 0:
                states = self.onward(alphas[t - 1, :, :n])
            np.add(states, values[:, step], out=alphas[t, :, :n])
        last = tile.last(alphas)
        total = log_sum_exp(last + leave, axis=0)
        # What is impossible, or weighs nothing, belongs to no state.
        counting = (total > -np.inf) & (weights > 0)
        factors = np.where(counting, weights, 1)
        # Beside the logarithm of a probability of 0 no other keeps its digits: no share is larger
        # than the weight of its sequence all the same.
        most = None if (total > IMPOSSIBLE / 2).all() else np.log(factors)
        beta = np.where(counting, leave - np.where(counting, total, 0) + np.log(factors), -np.inf)

        transitions = np.zeros(self.matrix.shape[:2])
        message = beta
        later = 0
        for alpha, step in zip(reversed(alphas), reversed(tile.steps), strict=True):
            n = step.stop - step.start
            if later:
                onward = self.matrix + message
                pairs = _exp(alpha[:, None, :later] + onward, most, slice(later))
                transitions += pairs.sum(axis=2)
                beta[:, :later] = log_sum_exp(onward, axis=1)
            message = beta[:, :n] + values[:, step]
            values[:, step] = _exp(alpha[:, :n] + beta[:, :n], most, slice(n))
            later = n
        before = np.zeros_like(enter)
        entered, message = enter[:, tile.continuing], message[:, tile.continuing]
        pairs = _exp(entered[:, None] + self.matrix + message, most, tile.continuing)
        before[:, tile.continuing] = pairs.sum(axis=1)
        transitions += pairs.sum(axis=2)
        scales = log_sum_exp(last, axis=0)
        return Smoothed(
            values, transitions, np.where(scales <= IMPOSSIBLE / 2, -np.inf, scales), before
        )

    def entering(self, tile: Tile, enter: np.ndarray) -> np.ndarray:
        """(K, N) log p(first state of the piece | what came before)."""
        return np.where(tile.continuing, self.onward(enter), self.initial)

    def onward(self, states: np.ndarray) -> np.ndarray:
        """(K, N) one transition further."""
        return self.algebra.combine(states[:, None], self.matrix, 0)


def _exp(logs: np.ndarray, most: np.ndarray | None, pieces) -> np.ndarray:
    """exp of (..., n), of which none is above `most` (N,) of its pieces, where that is given."""
    return np.exp(logs if most is None else np.minimum(logs, most[pieces]))


def smooth(
    chain, sequences: Sequences, all_frames: list[FrameDensities], weights: np.ndarray
) -> Iterator[tuple[FrameDensities, Densities, Smoothed]]:
    """The states of each tile's frames, one tile after the other, overwritten by the next.

    chain: `Scaled` or `Logarithmic`. weights (P,): one for each piece. Raises Underflow as the
    chain does, and after the last tile.
    """
    sequence = sequences.sequence
    workspace = sequences.workspaces.pop() if sequences.workspaces else Workspace()
    densities = evaluate(chain, sequences, all_frames, workspace)
    if sequences.is_cut:
        densities = list(densities)
        enter, leave = enter_and_leave(chain, sequences, densities)
    else:
        enter = leave = np.full((len(chain.initial), len(sequence)), chain.algebra.one)
    before, last = np.zeros((2, len(chain.initial), len(sequence)))
    for frames, given in zip(all_frames, densities, strict=True):
        tile, pieces = frames.tile, frames.tile.pieces
        alphas = workspace.array("alphas", len(tile.steps), len(chain.initial), len(tile.pieces))
        smoothed = chain.smooth(
            tile, given, enter[:, pieces], leave[:, pieces], weights[pieces], alphas
        )
        before[:, pieces], last[:, pieces] = smoothed.before, smoothed.shares[:, tile.ends]
        yield frames, given, smoothed
    sequences.workspaces.append(workspace)
    if sequences.is_cut and isinstance(chain, Scaled):
        met = np.abs(last[:, :-1] - before[:, 1:]) <= TOLERANCE * weights[1:]
        if not met[:, sequence[1:] == sequence[:-1]].all():
            raise Underflow("the pieces of a sequence disagree where they meet")


def evaluate(
    chain, sequences: Sequences, all_frames: list[FrameDensities], workspace: Workspace
) -> Iterator[Densities]:
    """The densities of each tile's frames; those of uncut sequences are overwritten by the next."""
    for i, frames in enumerate(all_frames):
        place = i if sequences.is_cut else 0
        logs = workspace.array(("logs", place), *frames.shape)
        reference = frames.log_densities(logs, workspace.array("highest", frames.shape[1]))
        values = workspace.array(("values", place), *frames.shape)
        yield chain.densities(logs, values, reference)


def enter_and_leave(chain, sequences: Sequences, densities) -> tuple[np.ndarray, np.ndarray]:
    """What every piece is entered with and what follows it, as `before_and_after` has it."""
    n_states = len(chain.initial)
    transfers = np.empty((n_states, n_states, len(sequences.sequence)))
    for tile, given in zip(sequences.tiles, densities, strict=True):
        transfers[:, :, tile.pieces] = chain.transfers(tile, given)
    # What goes out of range is found out by `Scaled._vouch`.
    with np.errstate(all="ignore"):
        return before_and_after(transfers, chain.algebra)
