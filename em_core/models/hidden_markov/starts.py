"""Where EM of a hidden Markov model starts: each start is a row of `STARTS`.

States begin as components of a mixture of all frames, whatever the order of these; the starts
differ in how they choose them and in the transitions. All draw only from the Generator given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from em_core.models.mixture import Mixture

# The share of each frame that is spread over all states where frames are assigned to one.
MIXED = 0.1


class FrameStart(NamedTuple):
    """propose(mixture, frames (N, D), lengths (S,), rng, weights (N,) or None): the emission's
    parameters, and shares or counts of transitions (K, K), any of them positive."""

    propose: Callable[..., tuple]
    meaning: str


def k_means_plus_plus(mixture, frames, lengths, rng, weights):
    start = mixture.initial_params(frames, "k-means++", rng, weights)
    labels = mixture.predict(start, frames)
    return start.emission, counted(labels, lengths, mixture.n_components, weights)


def random_points(mixture, frames, lengths, rng, weights):
    start = mixture.initial_params(frames, "random points", rng, weights)
    n_states = mixture.n_components
    return start.emission, rng.dirichlet(np.ones(n_states), size=n_states)


def random_responsibilities(mixture, frames, lengths, rng, weights):
    start = mixture.initial_params(frames, "random responsibilities", rng, weights)
    n_states = mixture.n_components
    return start.emission, rng.dirichlet(np.ones(n_states), size=n_states)


def k_means(mixture, frames, lengths, rng, weights):
    start = mixture.initial_params(frames, "k-means", rng, weights)
    labels = mixture.predict(start, frames)
    return start.emission, counted(labels, lengths, mixture.n_components, weights)


def segments(mixture, frames, lengths, rng, weights):
    n_states = mixture.n_components
    labels = np.concatenate(
        [np.searchsorted(np.sort(rng.random(n_states - 1)), np.arange(n) / n) for n in lengths]
    )
    # A stretch without any spread of its own would collapse at once.
    shares = (1 - MIXED) * np.eye(n_states)[labels] + MIXED / n_states
    start = mixture.params_from_responsibilities(frames, shares, weights)
    return start.emission, counted(labels, lengths, n_states, weights)


def counted(labels, lengths, n_states: int, weights=None) -> np.ndarray:
    """(K, K) transitions counted along labels (N,), and one more to share out in each row."""
    ends = np.cumsum(lengths)[:-1]
    before, after = np.delete(labels[:-1], ends - 1), np.delete(labels[1:], ends - 1)
    counts = np.full((n_states, n_states), 1 / n_states)
    np.add.at(counts, (before, after), 1 if weights is None else np.delete(weights[1:], ends - 1))
    return counts


STARTS = {
    "k-means++": FrameStart(
        k_means_plus_plus, "frames far from each other, drawn at random; transitions counted"
    ),
    "random points": FrameStart(random_points, "frames and transitions drawn at random"),
    "random responsibilities": FrameStart(
        random_responsibilities, "every frame split at random among states; random transitions"
    ),
    "k-means": FrameStart(k_means, "k-means run to its end; transitions counted"),
    "segments": FrameStart(
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
