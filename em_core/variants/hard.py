"""Hard EM: q is restricted to one assignment, the most probable one.

The bound of such a q has no entropy and never touches the log-likelihood. With equal round
clusters it is k-means; for a hidden Markov model it is Viterbi training (Celeux & Govaert 1992,
classification EM; Juang & Rabiner 1990, segmental k-means).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from em_core.variants.chains import Chains, Paths, e_step_of
from em_core.variants.steps import Step, alternate


def hard_em(model, data, params, rng) -> Iterator[Step]:
    """Coordinate ascent on E_q[log p(x, z | params)] over q that put all on one z."""
    return alternate(model, params, e_step_of(model, data, most_probable, best_path), model.m_step)


def most_probable(log_joint: np.ndarray, rows, iteration: int) -> np.ndarray:
    """(K, n) 1 for the largest log joint of each row, else 0."""
    return np.eye(len(log_joint))[log_joint.argmax(axis=0)].T.copy()


def best_path(chains: Chains):
    """q puts all on the Viterbi path of each sequence."""

    def choose(params, densities, iteration) -> Paths:
        path = np.concatenate(chains.model.predict(params, chains.data))
        return Paths(*chains.of_paths(path[None]), 0.0)

    return choose
