"""Where EM of a hidden Markov model starts: each start is a row of `STARTS`.

States begin as components of a mixture of all frames, by any start that mixtures have; transitions
are counted along the labels of these, or drawn. All draw only from the Generator given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from em_core.models.mixture import Mixture
from em_core.protocols import Turns
from em_core.starts.table import STARTS as MIXTURE_STARTS

# The share of each frame that is spread over all states where frames are assigned to one.
MIXED = 0.1


class ChainStart(NamedTuple):
    """propose(mixture, frames (N, D), lengths (S,), rng, weights (N,) or None): the emission's
    parameters, and shares or counts of transitions (K, K), any of them positive."""

    propose: Callable[..., tuple]
    meaning: str
    turns: Turns = "many"
    for_many: bool = False


def of_mixture(method: str, random_transitions: bool = False) -> Callable[..., tuple]:
    """A mixture's start, and transitions counted along its labels, or drawn at random."""

    def propose(mixture, frames, lengths, rng, weights):
        start, n_states = mixture.initial_params(frames, method, rng, weights), mixture.n_components
        if random_transitions:
            return start.emission, rng.dirichlet(np.ones(n_states), size=n_states)
        labels = mixture.predict(start, frames)
        return start.emission, count_transitions(labels, lengths, n_states, weights)

    return propose


def segments(mixture, frames, lengths, rng, weights):
    n_states = mixture.n_components
    labels = np.concatenate(
        [np.searchsorted(np.sort(rng.random(n_states - 1)), np.arange(n) / n) for n in lengths]
    )
    # A stretch without any spread of its own would collapse at once.
    shares = (1 - MIXED) * np.eye(n_states)[labels] + MIXED / n_states
    start = mixture.params_from_responsibilities(frames, shares, weights)
    return start.emission, count_transitions(labels, lengths, n_states, weights)


def count_transitions(labels, lengths, n_states: int, weights=None) -> np.ndarray:
    """(K, K) transitions counted along labels (N,), and one more to share out in each row."""
    ends = np.cumsum(lengths)[:-1]
    before, after = np.delete(labels[:-1], ends - 1), np.delete(labels[1:], ends - 1)
    counts = np.full((n_states, n_states), 1 / n_states)
    np.add.at(counts, (before, after), 1 if weights is None else np.delete(weights[1:], ends - 1))
    return counts


# A mixture's starts whose labels say nothing of the order of the frames.
RANDOM = {"random points", "random responsibilities"}
STARTS = {
    name: ChainStart(
        of_mixture(name, random_transitions=name in RANDOM),
        f"{start.meaning.replace('component', 'state')}; transitions "
        f"{'drawn at random' if name in RANDOM else 'counted'}",
        start.turns,
        start.for_many,
    )
    for name, start in MIXTURE_STARTS.items()
} | {
    "segments": ChainStart(
        segments, "every sequence cut at random into one stretch for each state"
    ),
}


def start_hidden_markov(model, sequences: list, method: str, rng, weights=None):
    """Parameters of a hidden Markov model from a method of STARTS.

    Raises ValueError for an unknown method, or fewer distinct frames than states.
    """
    if method not in STARTS:
        names = ", ".join(STARTS)
        raise ValueError(f"unknown start {method!r}: choose one of {names}")
    lengths = np.array([len(sequence) for sequence in sequences])
    frames = np.concatenate(sequences)
    if weights is not None:
        weights = np.repeat(weights, lengths)
    mixture = Mixture(model.emission, model.n_states)
    propose = STARTS[method].propose
    emission, transitions = propose(mixture, frames, lengths, rng, weights)
    return model.with_emission(emission, transitions)
