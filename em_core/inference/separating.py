"""What tells the classes of a fit apart: which columns, and which classes are hardly told."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from em_core.data import rows_that_count
from em_core.fit import Fit
from em_core.inference.occupancy import class_shares
from em_core.inference.quadrature import nodes
from em_core.models.mixture import Mixture, MixtureParams
from em_core.protocols import Columns, optional

# Rows that are drawn of each class for the errors of pairs of classes.
DRAWS = 20_000


class Separation(NamedTuple):
    """columns (D,): mutual information I(class; column) over the entropy of the class, from 0 (the
    column tells nothing) to 1 (it tells the class). Columns tell the same things: shares need not
    add up to one. NaN where there is one class.
    nats (D,): the mutual informations; class_entropy: H(class), in nats.
    bayes_errors (K, K): of rows of two classes only, the share that the best rule gives the wrong
        one of them; 0 on the diagonal. Good to about 0.003: an average over 20,000 rows of each.
    """

    columns: np.ndarray
    nats: np.ndarray
    class_entropy: float
    bayes_errors: np.ndarray


def separation(result: Fit, data, weights=None, *, seed: int = 0) -> Separation:
    """How much each column tells of the class of a row under the model of a fit.

    I(class; x) = sum_k s_k sum_x p(x | k) log(p(x | k) / sum_j s_j p(x | j)), by sums over the
    levels of an item or the counts there can be, by quadrature of all else (Cover & Thomas 2006,
    section 2.3). s are the model's weights, or how often it is in each state in sequences as long
    as those of the data, each counted by its weight. seed: for the rows drawn. Raises ValueError
    for a model without classes.
    """
    emission, params = optional(result.model, "emission"), result.params
    if not isinstance(emission, Columns):
        raise ValueError("only classes with columns can be told apart by columns")
    if weights is not None:
        data, weights = rows_that_count(result.model, data, weights, result.weights_kind)
    shares = class_shares(result.model, params, data, weights)
    n_columns = emission.column_means(params.emission).shape[1]
    nats = np.array([_information(emission, params.emission, shares, d) for d in range(n_columns)])
    positive = shares[shares > 0]
    entropy = -float(positive @ np.log(positive)) + 0.0
    return Separation(
        nats / entropy if entropy > 0 else np.full(n_columns, np.nan),
        nats,
        entropy,
        _bayes_errors(emission, params.emission, shares, np.random.default_rng(seed)),
    )


def _information(emission, params, shares: np.ndarray, column: int) -> float:
    _, weights, logs = nodes(emission, params, column)
    with np.errstate(divide="ignore"):
        log_shares = np.log(shares)[:, None]
    overall = np.logaddexp.reduce(logs + log_shares, axis=0)
    densities = np.exp(logs)
    gains = np.where(densities > 0, logs - np.where(densities > 0, overall, 0), 0)
    return max(float(shares @ (densities * gains) @ weights), 0.0)


def _bayes_errors(emission, params, shares: np.ndarray, rng) -> np.ndarray:
    n_classes = len(shares)
    mixture, errors = Mixture(emission, n_classes), np.zeros((n_classes, n_classes))
    if n_classes == 1:
        return errors
    wrong = np.zeros((n_classes, n_classes))
    joint = MixtureParams(shares, params)
    for k in range(n_classes):
        rows = emission.sample(params, np.full(DRAWS, k), rng)
        logs = mixture.log_joint(joint, rows)
        # The share of the other class at a row of this one, whichever of both is the smaller.
        with np.errstate(over="ignore", invalid="ignore"):
            odds = np.exp(logs - logs[:, [k]])
            wrong[k] = np.minimum(odds / (1 + odds), 1 / (1 + odds)).mean(axis=0)
    weighted = shares[:, None] * np.nan_to_num(wrong)
    both = shares[:, None] + shares
    errors = (weighted + weighted.T) / np.where(both > 0, both, 1)
    np.fill_diagonal(errors, 0)
    return errors
