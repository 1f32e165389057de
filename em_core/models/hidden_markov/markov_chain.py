"""Markov chains by themselves: their parameters, stationary distributions and paths."""

from __future__ import annotations

import numpy as np

from em_core.coordinates.gradients import by_shares
from em_core.magnitudes import shares_of

TINY = np.finfo(float).tiny
MAX_ASCENTS = 300
MAX_HALVINGS = 30
# A probability that moves by less gains less than rounding takes.
SMALLEST_MOVE = 1e-9


# Which transitions can happen, by name.
SHAPES = {
    "any": "from every state to every state",
    "forward": "a state stays or moves on to any later state, and never comes back",
    "next": "a state stays or moves on to the one after it, and never comes back",
}


def allowed_transitions(shape: str, n_states: int) -> np.ndarray | None:
    """(K, K) booleans for a name in SHAPES; None where all transitions can happen."""
    if shape == "any":
        return None
    state = np.arange(n_states)
    ahead = state - state[:, None]
    return (ahead >= 0) & (ahead <= (1 if shape == "next" else n_states))


def check_allowed(transitions, n_states: int) -> np.ndarray:
    """(K, K) booleans, which transitions can happen; all, if None. Raises ValueError."""
    shape = n_states, n_states
    allowed = np.ones(shape, bool) if transitions is None else np.asarray(transitions, bool)
    if allowed.shape != shape:
        raise ValueError(
            f"the allowed transitions have shape {allowed.shape}: give {n_states} rows and "
            f"{n_states} columns of true and false"
        )
    if not allowed.any(axis=1).all():
        state = allowed.any(axis=1).argmin() + 1
        raise ValueError(f"no transition out of state {state} is allowed: allow at least one")
    return allowed


def check_matrix(matrix, allowed: np.ndarray) -> np.ndarray:
    """A transition matrix (K, K), its rows scaled to sum to 1. Raises ValueError."""
    matrix = np.asarray(matrix, dtype=float)
    if matrix.shape != allowed.shape:
        raise ValueError(
            f"the transition matrix has shape {matrix.shape}: give {len(allowed)} rows and columns"
        )
    if not np.isfinite(matrix).all() or matrix.min() < 0 or (matrix.max(axis=1) <= 0).any():
        raise ValueError("transitions must not be negative, nor a whole row of them zero")
    if (matrix[~allowed] > 0).any():
        raise ValueError("the transition matrix has transitions that the model rules out")
    return shares_of(matrix)


def check_initial(initial, n_states: int) -> np.ndarray:
    """Initial probabilities (K,), scaled to sum to 1. Raises ValueError."""
    initial = np.asarray(initial, dtype=float)
    if initial.shape != (n_states,):
        raise ValueError(
            f"initial probabilities have shape {initial.shape}: give one number for each of "
            f"{n_states} states"
        )
    if not np.isfinite(initial).all() or initial.min() < 0 or initial.max() <= 0:
        raise ValueError("initial probabilities must not be negative, and not all zero")
    return shares_of(initial)


def require_one_stationary(matrix: np.ndarray) -> None:
    """Raises ValueError where more than one distribution is stationary."""
    if (n := n_stationary_distributions(matrix)) > 1:
        raise ValueError(
            f"the transitions fall apart into {n} groups of states that are never left, so that "
            "more than one distribution is stationary: use initial='free'"
        )


def rows_to_shares(
    counts: np.ndarray, otherwise: np.ndarray | float, least: float = 0.0
) -> np.ndarray:
    """Rows divided by their sums; where a sum is not above `least`, what `otherwise` has."""
    totals = counts.sum(axis=1, keepdims=True)
    kept = totals <= least
    return np.where(kept, otherwise, counts / np.where(kept, 1, totals))


def expected_log_path(initial, matrix, starts: np.ndarray, transitions: np.ndarray) -> float:
    """E_q[log p(path)] in nats, from expected starts (K,) and transitions (K, K)."""
    log_initial, log_matrix = (np.log(np.maximum(part, TINY)) for part in (initial, matrix))
    return starts @ log_initial + np.vdot(transitions, log_matrix)


def n_stationary_distributions(matrix: np.ndarray) -> int:
    """How many groups of states are never left; one means a single stationary distribution."""
    reach = np.eye(len(matrix), dtype=bool) | (matrix > 0)
    for _ in range(len(matrix).bit_length()):
        reach = (reach.astype(int) @ reach) > 0
    never_left = (reach <= reach.T).all(axis=1)
    return len(np.unique(reach[never_left], axis=0))


def stationary_distribution(matrix: np.ndarray) -> np.ndarray:
    """(K,) pi with pi A = pi, every entry to full relative precision (Grassmann et al. 1985).

    States are eliminated one by one, without a subtraction. Where several distributions are
    stationary it is one of them.
    """
    rates = np.array(matrix, dtype=float)
    first = 0
    for n in range(len(rates) - 1, 0, -1):
        leaving = rates[n, :n].sum()
        if leaving == 0:
            first = n
            break
        rates[:n, n] /= leaving
        rates[:n, :n] += np.outer(rates[:n, n], rates[n, :n])
    shares = np.zeros(len(rates))
    shares[first] = 1
    for n in range(first + 1, len(rates)):
        shares[n] = shares[:n] @ rates[:n, n]
    return shares / shares.sum()


def best_transitions(starts: np.ndarray, counts: np.ndarray, current: np.ndarray) -> np.ndarray:
    """The transition matrix A (K, K) that maximises sum_i starts_i log pi_i(A) + sum_ij counts_ij
    log A_ij, pi(A) being its stationary distribution. Never worse than `current`.

    Ascent from the better of `current` and the shares of `counts`: each row moves to what the
    gradient makes of its entries (Baum & Eagon 1967), or by half as much until the sum rises. A
    handful of moves, unless there are far more starts than transitions.
    """

    def value(matrix):
        return expected_log_path(stationary_distribution(matrix), matrix, starts, counts)

    best = max(current, rows_to_shares(counts, current), key=value)
    height = value(best)
    for _ in range(MAX_ASCENTS):
        pull = stationary_gradient(best, by_shares(starts, stationary_distribution(best)))
        move = rows_to_shares(counts + best * pull, best) - best
        if np.abs(move).max() <= SMALLEST_MOVE:
            break
        for halving in range(MAX_HALVINGS):
            moved = best + 0.5**halving * move
            if (reached := value(moved)) > height:
                best, height = moved, reached
                break
        else:
            break
    return best


def stationary_gradient(matrix: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """(K, K) derivatives by the transitions A from those g (K,) by its stationary distribution pi,
    up to a constant for each row that makes them positive, and that rows which keep their sum do
    not feel: pi_i (Z g)_j with Z = (I - A + 1 pi)^-1 (Schweitzer 1968)."""
    initial = stationary_distribution(matrix)
    fundamental = np.eye(len(matrix)) - matrix + initial
    slopes = np.linalg.lstsq(fundamental, gradient, rcond=None)[0]
    return initial[:, None] * (slopes - slopes.min())


def random_paths(initial_probabilities, transition_matrix, lengths, rng) -> np.ndarray:
    """(sum of lengths,) states drawn from the chain, sequence after sequence."""
    order = np.argsort(-lengths, kind="stable")
    starts = (np.cumsum(lengths) - lengths)[order]
    path = np.empty(lengths.sum(), dtype=int)
    cumulative = initial_probabilities.cumsum()[None]
    limits = transition_matrix.cumsum(axis=1)
    states = np.zeros(len(lengths), dtype=int)
    for t in range(lengths.max()):
        n = np.searchsorted(-lengths[order], -t, side="left")
        reached = rng.random(n)[:, None] * cumulative[..., -1:] >= cumulative
        states = reached.sum(axis=1)
        path[starts[:n] + t] = states
        cumulative = limits[states[: np.searchsorted(-lengths[order], -t - 1, side="left")]]
    return path
