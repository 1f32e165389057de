"""From log joint densities to responsibilities, log-likelihood and entropy, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

# Exponentials within these bounds neither overflow nor become subnormal, which would cost half the
# speed. Where a row's sum comes near them, the row's own maximum is subtracted first.
LOWEST_EXPONENT, HIGHEST_EXPONENT = -700.0, 700.0
SMALLEST_SUM, LARGEST_SUM = 1e-100, 1e280
# A share of the rows at most so large may be nothing but what these bounds have raised: of a
# component with no more than that, nothing can be estimated.
LEAST_SHARE = 1e-200
# Sums of exponentials known to lie within this keep their digits.
SAFE_EXPONENT = 600.0
# So many sums, all at least 1, share one logarithm, as long as their product cannot overflow.
LOG_GROUP = 16
LARGEST_GROUPED_SUM = 1e17
# Of fewer sums, finding that out costs as much as their logarithms.
FEWEST_GROUPED = 4096


class Responded(NamedTuple):
    """A block of rows and what R models of K components say of it.

    shares (R * K, n): responsibilities times the rows' weights; the next block overwrites them.
    log_sums, entropy (R,): the log of the summed joints, and the entropy of the responsibilities,
    in nats, each summed over the block's rows times their weights.
    """

    block: Any
    shares: np.ndarray
    log_sums: np.ndarray
    entropy: np.ndarray


def respond(kernel, weights: np.ndarray | None = None) -> Iterator[Responded]:
    """The E-step of every block of a `LinearKernel`.

    weights: (N,) of the rows; or (R, N), each model's own.
    """
    relative = kernel.reference is not None
    normalised = normalise_relative if relative else normalise
    log_joint = np.empty((kernel.n_models, kernel.n_components, 0))
    for block in kernel.blocks():
        n_rows = block.n_rows
        of_rows = None if weights is None else weights[..., block.rows]
        if n_rows != log_joint.shape[2]:
            # In one piece: two are given back to the system after every E-step, and asked for anew.
            log_joint, shares = np.empty((2, kernel.n_models, kernel.n_components, n_rows))
        kernel.log_joint(block, out=log_joint.reshape(-1, n_rows))
        if (sums := normalised(log_joint, shares, kernel.bounded)) is not None:
            log_sums = log_total(sums, of_rows, relative)
        else:
            # What one block needs the next is likely to need as well.
            normalised = _give_up
            each = normalise_shifted(log_joint, shares)
            log_sums = each.sum(axis=-1) if of_rows is None else _weighted(each, of_rows)
        if of_rows is not None:
            shares *= of_rows[..., None, :]
        # H(q) = log Z - E_q[log q~] for q = q~ / Z: from q alone, at no further logarithm.
        flat = kernel.n_models, -1
        entropy = log_sums - np.vecdot(shares.reshape(flat), log_joint.reshape(flat))
        yield Responded(block, shares.reshape(-1, n_rows), log_sums, entropy)


def normalise(log_joint: np.ndarray, shares: np.ndarray, bounded: bool) -> np.ndarray | None:
    """Responsibilities (R, K, n) of log joints; the sums of their exponentials (R, n).

    bounded: whether no log joint can lie beyond `SAFE_EXPONENT`. None where a row's exponentials
    are too small or too large to keep their digits.
    """
    _exponentials(log_joint, shares, bounded)
    sums = _over_components(shares)
    if not bounded and not (sums.min() > SMALLEST_SUM and sums.max() < LARGEST_SUM):
        return None
    shares /= sums[:, None]
    return sums


def normalise_relative(
    log_joint: np.ndarray, shares: np.ndarray, bounded: bool
) -> np.ndarray | None:
    """The same for log joints less those of the first component, whose exponential is 1."""
    others = shares[:, 1:]
    _exponentials(log_joint[:, 1:], others, bounded)
    sums = _over_components(others)
    sums += 1
    if not bounded and not sums.max() < LARGEST_SUM:
        return None
    np.divide(1, sums, out=shares[:, 0])
    others *= shares[:, :1]
    return sums


def _exponentials(values: np.ndarray, out: np.ndarray, bounded: bool) -> None:
    if not bounded:
        values = values.clip(LOWEST_EXPONENT, HIGHEST_EXPONENT, out=out)
    np.exp(values, out=out)


_ones = lru_cache(np.ones)


def _over_components(values: np.ndarray) -> np.ndarray:
    """(R, n) sums of (R, K, n) over the components: as a product, a quarter faster than `sum`."""
    return _ones(values.shape[1]) @ values


def _give_up(log_joint: np.ndarray, shares: np.ndarray, bounded: bool) -> None:
    return None


def normalise_shifted(log_joint: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Responsibilities (R, K, n) of any log joints; the logs of their sums (R, n)."""
    highest = log_joint.max(axis=1)
    np.subtract(log_joint, highest[:, None], out=shares)
    np.maximum(shares, LOWEST_EXPONENT, out=shares)
    np.exp(shares, out=shares)
    sums = shares.sum(axis=1)
    shares *= (1 / sums)[:, None]
    return np.log(sums) + highest


def log_total(values: np.ndarray, weights: np.ndarray | None, at_least_1: bool) -> np.ndarray:
    """(R,) sum of the logs of (R, n) positive values, times weights (n,) or (R, n) if any.

    at_least_1: whether no value is smaller.
    """
    if weights is not None:
        return _weighted(np.log(values), weights)
    grouping = at_least_1 and values.size >= FEWEST_GROUPED
    if not grouping or values.max() >= LARGEST_GROUPED_SUM:
        return np.log(values).sum(axis=1)
    grouped = values.shape[1] - values.shape[1] % LOG_GROUP
    groups = values[:, :grouped].reshape(len(values), LOG_GROUP, -1)
    products = np.multiply.reduce(groups, axis=1)
    return np.log(products).sum(axis=1) + np.log(values[:, grouped:]).sum(axis=1)


def _weighted(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(R,) sums of (R, n) values times weights (n,) or (R, n)."""
    return values @ weights if weights.ndim == 1 else np.vecdot(values, weights)


def entropy_of(shares: np.ndarray) -> float:
    """H(q) = -sum q log q in nats, of probabilities of any shape."""
    positive = shares[shares > 0]
    return -float(positive @ np.log(positive))
