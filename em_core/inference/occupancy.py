"""How often a model is in each of its classes."""

from __future__ import annotations

import numpy as np

from em_core.models.hidden_markov.sequences import check_sequences, lengths_of
from em_core.protocols import optional
from em_core.standardised import as_it_is


def class_shares(model, params, data, weights=None) -> np.ndarray:
    """(K,) the weights of a mixture; of a hidden Markov model the average over the frames of data
    of the probability of each state before anything is seen.

    weights: one for each sequence. Raises ValueError for another model.
    """
    latent = optional(model, "latent")
    if latent != "path":
        if latent != "labels":
            raise ValueError(f"{type(as_it_is(model)).__name__} has no classes")
        return params.weights
    lengths = lengths_of(check_sequences(data))
    weights = np.ones(len(lengths)) if weights is None else weights
    state, total = params.initial_probabilities, np.zeros(model.n_states)
    for step in range(lengths.max()):
        total += state * weights[lengths > step].sum()
        state = state @ params.transition_matrix
    return total / total.sum()
