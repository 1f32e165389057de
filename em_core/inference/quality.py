"""How well the classes of a fit are told apart, and how large they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from em_core.data import rows_that_count
from em_core.fit import Fit
from em_core.models.hidden_markov.model import HiddenMarkov
from em_core.models.hidden_markov.sequences import check_sequences, lengths_of
from em_core.protocols import Emission, optional
from em_core.search.alignment import assignment_shares, relabelled
from em_core.standardised import as_it_is


class ClassQuality(NamedTuple):
    """r_nk are the rows' posteriors, w_n their weights, N = sum w; each row is assigned to its most
    probable class.

    relative_entropy: 1 - H / (N log K), NaN for one class (Celeux & Soromenho 1996; Mplus).
        It measures how separate the classes are, not how many there should be.
    entropy: H = -sum_nk w_n r_nk log r_nk of the labels, in nats, total.
    path_entropy: of a hidden Markov model, whose rows are frames and whose H is that of each
        frame's state by itself, the entropy of the paths, which ICL uses; else None.
    average_posteriors (K, K): [k, j] is the mean posterior of class j among rows assigned to k; NaN
        where there are none.
    shares (K,): sum_n w_n r_nk / N. smallest_share: the least of them.
    assigned_shares (K,): of the rows assigned to each class. rows (K,): their weight.
    classification_error: 1 - sum_n w_n max_k r_nk / N, the share of rows expected in the wrong
        class (Vermunt & Magidson 2016).
    odds_of_correct_classification (K,): p / (1 - p) over s / (1 - s) for p the mean posterior of
        class k among rows assigned to it and s its share (Nagin 2005: above 5 is good). Infinite
        where p is 1; NaN without rows, or for one class.
    parameters (K,): free parameters that describe a class, shared ones counted for each of them;
        None where the model does not say what the axes of its emission's arrays are.
    """

    relative_entropy: float
    average_posteriors: np.ndarray
    shares: np.ndarray
    assigned_shares: np.ndarray
    smallest_share: float
    classification_error: float
    odds_of_correct_classification: np.ndarray
    rows: np.ndarray
    parameters: np.ndarray | None
    entropy: float
    path_entropy: float | None


def class_quality(result: Fit, data, weights=None) -> ClassQuality:
    """The quality of the classes of a fit on data with the same columns (see `ClassQuality`).

    weights: one for each row, or each sequence of a hidden Markov model, of the kind that the fit
    has. Raises ValueError for a model without classes.
    """
    data, weights = rows_that_count(result.model, data, weights, result.weights_kind)
    shares, weights, path_entropy = _posteriors(result, data, weights)
    n_classes, total = shares.shape[1], weights.sum()
    assigned = np.eye(n_classes, dtype=bool)[shares.argmax(axis=1)]
    rows = weights @ assigned
    averages = (assigned * weights[:, None]).T @ shares
    with np.errstate(invalid="ignore", divide="ignore"):
        averages /= rows[:, None]
        sizes = weights @ shares / total
        right = np.diag(averages)
        # A sum of small numbers keeps the digits that 1 less a large one has lost.
        wrong = averages.sum(axis=1, where=~np.eye(n_classes, dtype=bool))
        odds = right / wrong / (sizes / (1 - sizes))
    entropy = _entropy(shares, weights)
    return ClassQuality(
        1 - entropy / (total * np.log(n_classes)) if n_classes > 1 else np.nan,
        averages,
        sizes,
        rows / total,
        float(sizes.min()),
        float(1 - weights @ shares.max(axis=1) / total),
        odds if n_classes > 1 else np.full(1, np.nan),
        rows,
        _parameters(result, n_classes),
        entropy,
        path_entropy,
    )


def _posteriors(result: Fit, data, weights) -> tuple[np.ndarray, np.ndarray, float | None]:
    """(N, K) of each row, (N,) weights, and the entropy of the paths of sequences."""
    model, params = result.model, result.params
    shares = assignment_shares(model, params, data)
    if shares is None:
        raise ValueError(f"{type(as_it_is(model)).__name__} has no classes: there is no quality")
    if not isinstance(as_it_is(model), HiddenMarkov):
        return shares, np.ones(len(shares)) if weights is None else weights, None
    data = check_sequences(data)
    path_entropy = model.label_entropy(params, data, weights)
    if path_entropy is None:
        path_entropy = model.e_step(params, data, weights).entropy
    each = np.ones(len(data)) if weights is None else weights
    return shares, np.repeat(each, lengths_of(data)), path_entropy


def _entropy(shares: np.ndarray, weights: np.ndarray) -> float:
    """-sum_n w_n sum_k r_nk log r_nk, in nats."""
    logs = np.log(np.where(shares > 0, shares, 1))
    return -float(weights @ np.vecdot(shares, logs)) + 0.0


def _parameters(result: Fit, n_classes: int) -> np.ndarray | None:
    emission = optional(result.model, "emission")
    dims = optional(emission, "DIMS", Emission)
    if dims is None:
        return None
    alone = (relabelled(result.params.emission, np.array([k]), dims) for k in range(n_classes))
    return np.array([emission.n_parameters(params) for params in alone])
