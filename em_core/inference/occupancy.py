"""How often a model is in each of its classes."""

from __future__ import annotations

import numpy as np

from em_core.data import n_rows
from em_core.models.hidden_markov.sequences import check_sequences, lengths_of
from em_core.protocols import optional
from em_core.standardised import as_it_is

# EM has converged to within it: 2.9999 rows are three.
WHOLE = 1e-3


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


def smallest_class(model, params, data, weights=None) -> tuple[float, int] | None:
    """(n, m): the expected rows n of the smallest class, where they are fewer than m = D + 1: so
    few rows of D columns always lie on a plane, and say nothing of a group. Else None, also of a
    model without classes.

    data, weights: those that count in the fit (`rows_that_count`); frames of sequences are rows.
    """
    if optional(model, "latent") not in ("labels", "path"):
        return None
    sequences = isinstance(data, list)
    if weights is None:
        total = float(n_rows(data))
    else:
        total = float(weights @ lengths_of(data)) if sequences else float(weights.sum())
    first = np.asarray(data[0])
    needed = (first.shape[-1] if first.ndim > sequences else 1) + 1
    least = float(class_shares(model, params, data, weights).min()) * total
    return (least, needed) if least < needed - WHOLE else None
