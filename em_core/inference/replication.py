"""Whether halves of the data lead to the same classes, each without the other."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple

import numpy as np

from em_core.data import all_rows, check, rows_at, rows_that_count
from em_core.fit import Fit
from em_core.half_steps import has_collapsed
from em_core.inference.crossing import crossed_partitions
from em_core.inference.replicates import Table, at_once, seeds_of, settled
from em_core.search.alignment import assignment_shares
from em_core.search.restarts import restarts

# Of fewer sequences each is cut in the middle: halves of so few would be of other sequences.
FEWEST_SEQUENCES = 4


class SplitHalf(NamedTuple):
    """How well fits to halves of the data agree, S splits, K classes.

    adjusted_rand (S, 2): of the rows of each half the index of Hubert & Arabie between their
    classes by the fit to that half and by the fit to the other; 1 where they are the same, about 0
    by chance. stayed (S, 2): the share of them that both put into matching classes. shares
    (S, 2, K): of the classes of either fit, averages of posteriors over all rows, those of the
    second half in the order in which they match those of the first. NaN where a half has no sound
    fit; failed: in how many splits. splits: S. sentences: what a person should know.
    """

    adjusted_rand: np.ndarray
    stayed: np.ndarray
    shares: np.ndarray
    failed: int
    splits: int
    sentences: tuple[str, ...]

    @property
    def mean(self) -> float:
        """The mean of the indices; NaN where no split has any."""
        return _mean(self.adjusted_rand)

    @property
    def mean_stayed(self) -> float:
        """The mean share of rows that both fits put into matching classes."""
        return _mean(self.stayed)


def split_half_steps(
    result: Fit,
    data,
    splits: int = 5,
    seed: int = 0,
    starts: int = 10,
    *,
    start: str | None = None,
    weights=None,
    tolerance: float = 1e-3,
) -> Generator[float, None, SplitHalf]:
    """Split-half replication of a fit's number of classes (McIntyre & Blashfield 1980; Breckenridge
    1989): halves are fitted by themselves, and each row is assigned by both fits.

    Rows, or whole sequences, are split at random, those of a frequency as so many copies; of fewer
    than four sequences each is cut in the middle, once. Each half is fitted from `starts` seeds of
    a start (by default the model's first). Classes that agree are those of other data of the same
    kind; that they do agree does not show that this number of them is right.
    Raises ValueError for a model without classes, and for fewer than one split or start.

    `split_half_steps` is a generator of the share that is done, 0 to 1, and returns the same.
    """
    if splits < 1 or starts < 1:
        raise ValueError("choose at least one split and one start")
    data = check(result.model, data)
    whole = Table(*rows_that_count(result.model, data, weights, result.weights_kind))
    shares = assignment_shares(result.model, result.params, whole.data)
    if shares is None:
        raise ValueError("this model has no classes that rows are assigned to: nothing is split")
    model = settled(result.model, result.params)
    cut = isinstance(whole.data, list) and len(whole.data) < FEWEST_SEQUENCES
    splits = 1 if cut else splits
    agreed, stayed = np.full((2, splits, 2), np.nan)
    sizes = np.full((splits, 2, shares.shape[1]), np.nan)
    failed = 0
    copies = result.weights_kind == "frequencies"
    for place, rng in enumerate(seeds_of(seed, splits)):
        halves = _cut(whole) if cut else _drawn(whole, copies, rng)
        fits = []
        for half in halves:
            fits.append(_fitted(model, half, result, range(starts), start, tolerance))
            yield (place + len(fits) / 2) / splits
        if any(params is None for params in fits):
            failed += 1
            continue
        for h, half in enumerate(halves):
            own, other = (_shares(model, fits[i], half) for i in (h, 1 - h))
            found = crossed_partitions(own, other, all_rows(*half)[1])
            agreed[place, h], stayed[place, h] = found.adjusted_rand, found.stayed
        sizes[place] = _sizes(model, fits, whole)
    said = _sentences(cut, failed, splits)
    return SplitHalf(agreed, stayed, sizes, failed, splits, said)


split_half = at_once(split_half_steps)


def _fitted(model, half: Table, result: Fit, seeds, start: str | None, tolerance: float) -> Any:
    """The best sound parameters for a half; None where there are none."""
    try:
        runs = restarts(
            model, half.data, seeds, start, tolerance=tolerance, weights=half.weights,
            weights_kind=result.weights_kind, confirm=False,
        )  # fmt: skip
        best = runs.best
    except ValueError:
        # Rows that the model cannot be fitted to, as too few of them.
        return None
    sound = np.isfinite(best.log_likelihood) and not has_collapsed(best.flags)
    return best.params if sound else None


def _drawn(whole: Table, copies: bool, rng: np.random.Generator) -> tuple[Table, Table]:
    """Two random halves of the rows or sequences, or of their copies where weights count these."""
    data, weights = whole
    n = len(data)
    counts = np.ones(n, int)
    if weights is not None and copies and (weights == np.round(weights)).all():
        counts = weights.astype(int)
        weights = None
    first = rng.multivariate_hypergeometric(counts, int(counts.sum()) // 2, method="marginals")
    return _part(data, weights, first), _part(data, weights, counts - first)


def _part(data, weights: np.ndarray | None, counts: np.ndarray) -> Table:
    there = np.flatnonzero(counts)
    part = rows_at(data, there)
    if weights is not None:
        return Table(part, weights[there])
    counts = counts[there]
    return Table(part, None if (counts == 1).all() else counts.astype(float))


def _cut(whole: Table) -> tuple[Table, Table]:
    """The first and the second halves of all sequences."""
    middles = [len(part) // 2 for part in whole.data]
    first = [part[:m] for part, m in zip(whole.data, middles, strict=True)]
    second = [part[m:] for part, m in zip(whole.data, middles, strict=True)]
    return Table(first, whole.weights), Table(second, whole.weights)


def _shares(model, params, part: Table) -> np.ndarray:
    found = assignment_shares(model, params, part.data)
    assert found is not None, "rows belong to classes"
    return found


def _sizes(model, fits, whole: Table) -> np.ndarray:
    """(2, K) how large the classes of two fits are, the second's matched to the first's."""
    one, two = (_shares(model, params, whole) for params in fits)
    _, weights = all_rows(*whole)
    order = crossed_partitions(one, two, weights).matched[:, 1]
    return np.array([np.average(part, axis=0, weights=weights) for part in (one, two[:, order])])


def _mean(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else np.nan


def _sentences(cut: bool, failed: int, splits: int) -> tuple[str, ...]:
    said = []
    if cut:
        said.append(
            f"with fewer than {FEWEST_SEQUENCES} sequences each was cut in the middle: where their "
            "course changes, halves differ for that reason alone"
        )
    if failed:
        said.append(f"in {failed} of {splits} splits a half had no sound fit: it is left out")
    return tuple(said)
