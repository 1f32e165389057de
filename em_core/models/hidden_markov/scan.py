"""Products of many small matrices, all prefixes and suffixes at once: an associative scan.

A product of matrices can add up products of entries (sums over paths), the same in logarithms, or
take the maximum of sums of logarithms (best paths): each is a row of the algebras below.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


def log_sum_exp(values: np.ndarray, axis: int) -> np.ndarray:
    """log sum exp along an axis; -inf where all of them are."""
    highest = values.max(axis=axis, keepdims=True)
    highest[highest == -np.inf] = 0
    with np.errstate(divide="ignore"):
        sums = np.log(np.exp(values - highest).sum(axis=axis))
    return sums + highest.squeeze(axis)


class Algebra(NamedTuple):
    """combine(left, right, axis): sum over an axis of left times right, as the algebra has it.

    relative(values, axis): the values up to a factor, so that long products stay in range.
    """

    combine: Callable[..., np.ndarray]
    relative: Callable[..., np.ndarray]
    one: float


def _relative_logarithms(values, axis):
    highest = values.max(axis=axis, keepdims=True)
    return values - np.where(highest == -np.inf, 0, highest)


PROBABILITIES = Algebra(
    lambda left, right, axis: (left * right).sum(axis=axis),
    lambda values, axis: values / values.max(axis=axis, keepdims=True),
    1.0,
)
LOGARITHMS = Algebra(
    lambda left, right, axis: log_sum_exp(left + right, axis), _relative_logarithms, 0.0
)
MAXIMA = Algebra(lambda left, right, axis: (left + right).max(axis=axis), _relative_logarithms, 0.0)


def before_and_after(matrices: np.ndarray, algebra: Algebra) -> tuple[np.ndarray, np.ndarray]:
    """The products of all matrices before each of N, and of all after it, with a vector of ones.

    matrices (K, K, N) to be multiplied in this order. Returns row vectors and column vectors, both
    (K, N), each up to a factor. Products of pairs are half as many matrices; what is before and
    after these is so for their outer sides.
    """
    combine, relative, one = algebra
    n_states, _, n = matrices.shape
    before, after = np.full((2, n_states, n), one)
    if n == 1:
        return before, after
    even = slice(0, n - 1, 2)
    left, right = matrices[:, :, even], matrices[:, :, 1::2]
    pairs = relative(combine(left[:, :, None], right, 1), (0, 1))
    if n % 2:
        pairs = np.concatenate([pairs, matrices[:, :, -1:]], axis=2)
    before[:, 0::2], outer = before_and_after(pairs, algebra)
    after[:, 1::2] = outer[:, : n // 2]
    before[:, 1::2] = relative(combine(before[:, None, even], left, 0), 0)
    after[:, even] = relative(combine(right, after[:, 1::2], 1), 0)
    return before, after
