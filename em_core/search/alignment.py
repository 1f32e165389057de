"""Which component of one fit is which of another, and on how many rows they disagree."""

from __future__ import annotations

import numpy as np


def assignment_shares(model, params, data) -> np.ndarray | None:
    """(N, K) probabilities of the component (or state) of each row, sequence after sequence.

    They are what the model's posterior calls `responsibilities` or `state_probabilities`; None
    where it has neither, as in factor analysis.
    """
    posterior = model.posterior(params, data)
    for name in ("responsibilities", "state_probabilities"):
        if hasattr(posterior, name):
            shares = getattr(posterior, name)
            return np.concatenate(shares) if isinstance(shares, list) else shares
    return None


def align(reference: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(K,) the component of `other` (N, K) that matches each component of `reference` (N, K).

    The assignment that maximises the expected number of rows on which both agree,
    sum_k (reference^T other)[k, alignment[k]] (Kuhn 1955).
    """
    # SciPy's optimisers take longer to import than all of em_core may.
    from scipy.optimize import linear_sum_assignment

    return linear_sum_assignment(reference.T @ other, maximize=True)[1]


def relabelled(params, order: np.ndarray):
    """Parameters of a mixture or a hidden Markov model with component order[k] in place k."""
    moved = {}
    for name, part in zip(params._fields, params, strict=True):
        if isinstance(part, tuple):
            moved[name] = relabelled(part, order)
        elif name != "levels":
            moved[name] = part[order]
    if "transition_matrix" in moved:
        moved["transition_matrix"] = moved["transition_matrix"][:, order]
    return type(params)(**{**params._asdict(), **moved})


def disagreement(reference: np.ndarray, aligned: np.ndarray) -> float:
    """Share of rows that belong elsewhere: half the mean absolute difference of the shares.

    For hard labels this is the share of rows whose labels differ.
    """
    return float(np.abs(reference - aligned).sum(axis=1).mean() / 2)


def some_rows(data, most: int, rng: np.random.Generator):
    """At most `most` rows drawn without replacement, in order; all of them where there are fewer.

    Of a list of sequences or groups whole ones are drawn, the last cut short.
    """
    if not isinstance(data, list):
        if len(data) <= most:
            return data
        return data[np.sort(rng.choice(len(data), most, replace=False))]
    if sum(map(len, data)) <= most:
        return data
    drawn = []
    for index in rng.permutation(len(data)):
        drawn.append(data[index][:most])
        most -= len(drawn[-1])
        if most == 0:
            break
    return drawn
