"""Starts beside an answer: two of its components merged, a third split in two.

EM moves components but cannot carry one across a gap: where two share a cluster and another covers
two, it stays. Such an answer is left by a merge and a split together, so that the number of
components is the same (Ueda, Nakano, Ghahramani & Hinton 2000).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import combinations, islice
from typing import Any, NamedTuple

import numpy as np

from em_core.data import all_rows
from em_core.half_steps import HalfStep
from em_core.protocols import optional
from em_core.search.alignment import assignment_shares
from em_core.search.batching.ends import sound_ends

# Iterations of two components on the rows of one.
ITERATIONS = 15
# Ways to cut a component in two before these iterations: along its longest axis, then at random.
CUTS = 4
# Of a cut at random, at least such a share of the rows lies on either side.
LEAST_SIDE = 0.25
# Rows of a part for each of its D columns and one more: what has fewer is fitted to single rows.
ROWS_PER_COLUMN = 2
# Starts beside an answer are tried so many at a time, for a few iterations each; the best of them
# are handed out.
TRIED, HANDED_OUT, SHORT = 24, 6, 6


class Split(NamedTuple):
    """Component `of` in two: gain, how many nats two components explain its rows better than one;
    shares (N, 2): of each row, of what it gave to the component."""

    of: int
    gain: float
    shares: np.ndarray


class Merge(NamedTuple):
    """Two components as one; loss: how many nats it explains their rows worse than they do."""

    pair: tuple[int, int]
    loss: float


class _Rows(NamedTuple):
    """What merges and splits are tried on: the rows and their weights, sequence after sequence,
    and to what share (N, K) each belongs to each component of the answer."""

    mixture: Any
    values: np.ndarray
    points: np.ndarray
    weights: np.ndarray
    shares: np.ndarray

    def under_one(self, own: np.ndarray) -> float:
        """The log-likelihood, in nats, of the rows under the one component that suits them best,
        where each counts so much."""
        one = self.mixture.with_size(1)
        params = one.params_from_responsibilities(self.values, np.ones((len(own), 1)), own)
        return one.e_step(params, self.values, own).log_likelihood


def can_split_and_merge(model) -> bool:
    """Whether a model has components that can be merged and split, and more than one of them."""
    as_mixture = optional(model, "as_mixture")
    return as_mixture is not None and as_mixture().n_components > 1


def split_and_merge(model, data, params, rng: np.random.Generator, weights=None) -> Iterator[Any]:
    """Parameters from which EM may climb higher than to `params`, the most promising first.

    What a split gains and a merge loses, in nats, is estimated with all other components as they
    are. Every split comes with the merge that costs least before any comes with its second.
    weights (N,): of rows, or of sequences. Two components cannot be merged while one of them is
    split, unless there are no others: then the rows are cut anew.
    """
    rows = _rows(model, data, params, weights)
    splits = sorted(_splits(rows, rng), key=lambda split: -split.gain)
    merges = sorted(_merges(rows), key=lambda merge: merge.loss)
    n_components = rows.shares.shape[1]
    for place in range(len(merges)):
        pairs = []
        for split in splits:
            others = [m for m in merges if n_components == 2 or split.of not in m.pair]
            if place < len(others):
                pairs.append((split, others[place]))
        for split, merge in sorted(pairs, key=lambda pair: pair[1].loss - pair[0].gain):
            shares = _moved(rows.shares, split, merge)
            try:
                start = model.params_from_responsibilities(data, shares, weights)
            except (ValueError, np.linalg.LinAlgError):
                continue
            yield start


def least_rows(points: np.ndarray) -> int:
    """How many rows a component needs at least so that it is more than a fit to single rows."""
    return ROWS_PER_COLUMN * (points.shape[1] + 1)


class Neighbourhood:
    """The starts beside one answer, handed out one by one, the most promising first: of two
    dozen, those that a few iterations bring highest."""

    def __init__(self, model, data, params, weights=None):
        self._asked = model, data, params
        self._weights = weights
        self._starts: Iterator[Any] | None = None
        self._tried: list[Any] = []

    @cached_property
    def rests_on_enough(self) -> bool:
        """Whether every component of the answer has as many rows as `least_rows` says, each counted
        by its share."""
        rows = _rows(*self._asked, self._weights)
        return bool((rows.weights @ rows.shares).min() >= least_rows(rows.points))

    def next(self, rng: np.random.Generator) -> Any:
        """Parameters not handed out before; None where there are no more. The first Generator is
        the one that all of them are drawn with."""
        if self._starts is None:
            self._starts = split_and_merge(*self._asked, rng, self._weights)
        while not self._tried:
            if not (starts := list(islice(self._starts, TRIED))):
                return None
            self._tried = self._best_of(starts)
        return self._tried.pop(0)

    def _best_of(self, starts: list[Any]) -> list[Any]:
        """What a few iterations make of the best of some starts, best first."""
        model, data, _ = self._asked
        ends = sound_ends(model, data, starts, self._weights, SHORT)
        return [end.params for end in sorted(ends, key=_height)[:HANDED_OUT]]


def _rows(model, data, params, weights) -> _Rows:
    shares = assignment_shares(model, params, data)
    assert shares is not None, "what is merged are components"
    values, each = all_rows(data, weights)
    mixture = model.as_mixture()
    points = mixture.emission.coordinates(values, each)
    return _Rows(mixture, values, points, each, shares)


def _splits(rows: _Rows, rng: np.random.Generator) -> Iterator[Split]:
    """The best way found to split each component that has rows enough for two."""
    two = rows.mixture.with_size(2)
    least = least_rows(rows.points)
    for k, share in enumerate(rows.shares.T):
        own = share * rows.weights
        if own.sum() < 2 * least:
            continue
        starts = []
        for side in _cuts(rows.points, own, rng):
            halves = np.stack([side, ~side], axis=1).astype(float)
            starts.append(two.params_from_responsibilities(rows.values, halves, own))
        found = _climbed(two, rows.values, starts, own, least / own.sum())
        if found is not None:
            halves = two.component_shares(found.params, rows.values)
            yield Split(k, found.log_likelihood - rows.under_one(own), halves)


def _cuts(points: np.ndarray, own: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Ways (N,) to cut rows in two: by the longest axis of what counts of them, then along
    directions at random once they are sphered, at a quantile at random."""
    share = own / own.sum()
    about = points - share @ points
    values, vectors = np.linalg.eigh((about.T * share) @ about)
    yield about @ vectors[:, -1] > 0
    keep = values > 1e-10 * values[-1]
    sphered = about @ vectors[:, keep] / np.sqrt(values[keep])
    for _ in range(CUTS - 1):
        along = sphered @ rng.normal(size=sphered.shape[1])
        order = along.argsort()
        quantile = rng.uniform(LEAST_SIDE, 1 - LEAST_SIDE)
        place = np.searchsorted(share[order].cumsum(), quantile)
        yield along > along[order[min(place, len(order) - 1)]]


def _climbed(two, values, starts, own, least_share: float):
    """The highest half-step that a few iterations lead to; None where all of them end with a part
    of less than `least_share`."""
    ends = sound_ends(two, values, starts, own, ITERATIONS)
    sound = [end for end in ends if end.params.weights.min() >= least_share]
    return min(sound, key=_height, default=None)


def _height(end: HalfStep) -> float:
    """Orders half-steps, the highest first."""
    return -end.log_likelihood


def _merges(rows: _Rows) -> Iterator[Merge]:
    """Every pair, and what the bound loses where one component takes the place of both."""
    own = rows.shares * rows.weights[:, None]
    counts = own.sum(axis=0)
    alone = [rows.under_one(each) for each in own.T] + _x_log_x(counts)
    for pair in combinations(range(len(counts)), 2):
        each = rows.shares[:, pair]
        # What is uncertain between the two is so no more.
        between = rows.weights @ (_x_log_x(each.sum(axis=1)) - _x_log_x(each).sum(axis=1))
        together = rows.under_one(own[:, pair].sum(axis=1)) + _x_log_x(counts[[*pair]].sum())
        yield Merge(pair, float(alone[[*pair]].sum() + between - together))


def _x_log_x(x):
    return x * np.log(np.where(x > 0, x, 1))


def _moved(shares: np.ndarray, split: Split, merge: Merge) -> np.ndarray:
    """(N, K) shares after a merge and a split: the second of the pair gets the second half."""
    if shares.shape[1] == 2:
        return split.shares
    moved = shares.copy()
    first, second = merge.pair
    moved[:, first] += shares[:, second]
    moved[:, [split.of, second]] = shares[:, [split.of]] * split.shares
    return moved
