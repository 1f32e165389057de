"""Whom the points of a picture belong to, small enough to be kept and sent for every half-step."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

# Posteriors looked at together have no more rows than this, or are one.
ROWS_AT_ONCE = 8_192


class Leaders(NamedTuple):
    """Of n points the two most responsible components, and the responsibility of the first."""

    first: np.ndarray  # (n,) uint8
    second: np.ndarray  # (n,) uint8; 0 where there is but one component
    share: np.ndarray  # (n,) float32


NO_POINTS = (Leaders(np.zeros(0, np.uint8), np.zeros(0, np.uint8), np.zeros(0, np.float32)),)


def leaders_of_each(posteriors: Iterable[np.ndarray]) -> Iterator[Leaders]:
    """Of each posterior (n, K), read once and in order. Small ones are looked at together: each
    call has its price."""
    posteriors = iter(posteriors)
    for posterior in posteriors:
        n_rows = len(posterior)
        stack = [posterior, *itertools.islice(posteriors, ROWS_AT_ONCE // max(n_rows, 1))]
        all_of_them = leaders_of(np.concatenate(stack))
        for i in range(len(stack)):
            yield Leaders(*(part[i * n_rows : (i + 1) * n_rows] for part in all_of_them))


def leaders_of(posterior: np.ndarray) -> Leaders:
    """Of one posterior (n, K); the first of equals leads."""
    by_component = np.ascontiguousarray(np.asarray(posterior, dtype=np.float32).T)
    best = by_component[0].copy()
    first = np.zeros(best.shape, dtype=np.uint8)
    second = np.zeros(best.shape, dtype=np.uint8)
    runner_up = np.full_like(best, -1.0)
    for k, responsibility in enumerate(by_component[1:], start=1):
        leads = responsibility > best
        follows = ~leads & (responsibility > runner_up)
        second = np.where(leads, first, np.where(follows, np.uint8(k), second))
        runner_up = np.where(leads, best, np.maximum(runner_up, responsibility))
        first = np.where(leads, np.uint8(k), first)
        best = np.maximum(best, responsibility)
    return Leaders(first, second, best)
