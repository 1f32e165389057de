"""How well two partitions of the same rows agree."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# One label for each row.
Labels = Sequence | np.ndarray


class Confusion(NamedTuple):
    """Counts of rows by known label and by cluster."""

    labels: tuple[str, ...]  # (R,) in natural order: numbers by size, else alphabetically
    counts: np.ndarray  # (R, K) int


def adjusted_rand_index(a: Labels, b: Labels, weights=None) -> float:
    """The adjusted Rand index of two partitions (N,): 1 where they are equal, about 0 by chance.

    Hubert & Arabie (1985). Rows where either label is None are left out. Two partitions that both
    put every row alone, or all rows together, agree by definition: 1. weights (N,): whole numbers,
    as often as which each row is there. Raises ValueError if the lengths differ or no row has both
    labels.
    """
    first, second, known = _paired(a, b)
    counted = np.ones(len(first)) if weights is None else np.asarray(weights)[known]
    _, rows = np.unique(first, return_inverse=True)
    _, columns = np.unique(second, return_inverse=True)
    n_columns = int(columns.max()) + 1
    _, cells = np.unique(rows * n_columns + columns, return_inverse=True)

    # Python integers: n * (n - 1) squared overflows 64 bits from about 65,000 rows.
    def pairs(counts: np.ndarray) -> int:
        return sum(c * (c - 1) // 2 for c in map(round, counts.tolist()))

    together = pairs(np.bincount(cells, counted))
    in_first = pairs(np.bincount(rows, counted))
    in_second = pairs(np.bincount(columns, counted))
    total = pairs(counted.sum(keepdims=True))
    # (index - expected) / (maximum - expected), all times 2 * total.
    chance = 2 * in_first * in_second
    most = (in_first + in_second) * total
    if most == chance:
        return 1.0
    return (2 * together * total - chance) / (most - chance)


def confusion(labels: Labels, clusters: Labels, n_components: int, weights=None) -> Confusion:
    """Count the rows of each known label (N,) in each cluster 0..K-1; labels of None are left out.
    weights (N,): whole numbers, as often as which each row is there.

    Raises ValueError if the lengths differ, no row has a label, or a cluster is out of range.
    """
    known, cluster, there = _paired(labels, clusters)
    counted = None if weights is None else np.asarray(weights)[there]
    cluster = cluster.astype(int)
    if cluster.min() < 0 or cluster.max() >= n_components:
        raise ValueError(f"Clusters must be numbered 0 to {n_components - 1}.")
    names, rows = np.unique(known.astype(str), return_inverse=True)
    places = rows * n_components + cluster
    counts = np.bincount(places, counted, minlength=len(names) * n_components)
    counts = counts.astype(int).reshape(len(names), n_components)
    order = sorted(range(len(names)), key=lambda i: _natural(names[i]))
    return Confusion(tuple(str(names[i]) for i in order), counts[order])


def _paired(a: Labels, b: Labels) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    first, second = np.asarray(a, dtype=object), np.asarray(b, dtype=object)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError("Both partitions must have one label for each row.")
    known = np.array([x is not None and y is not None for x, y in zip(first, second, strict=True)])
    if not known.any():
        raise ValueError("No row has a known label.")
    # np.unique cannot sort mixed types: compare everything as text.
    return first[known].astype(str), second[known].astype(str), known


def _natural(name: str) -> tuple[int, float, str]:
    try:
        return (0, float(name), name)
    except ValueError:
        return (1, 0.0, name)
