"""Parameters and statistics as trees: NamedTuples of numbers, arrays and NamedTuples."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def add(left, right):
    """Sum of two NamedTuples of numbers, arrays and NamedTuples, leaf by leaf."""
    if isinstance(left, tuple):
        return type(left)(*map(add, left, right))
    return left + right


def leaves(tree) -> list[np.ndarray]:
    """The numbers of a tree, as one array for each leaf."""
    if isinstance(tree, tuple):
        return [leaf for part in tree for leaf in leaves(part)]
    if hasattr(tree, "leaves"):
        return tree.leaves()
    return [np.asarray(getattr(tree, "value", tree))]


def distance(left, right) -> float:
    """The largest difference of two trees, each relative to its number and its leaf's largest."""
    worst = 0.0
    for a, b in zip(leaves(left), leaves(right), strict=True):
        if a.shape != b.shape:
            return np.inf
        if a.size and not np.array_equal(a, b):
            relative = np.max(np.abs(a - b) / (1 + np.abs(b) + np.abs(b).max()))
            worst = max(worst, np.nan_to_num(relative, nan=np.inf))
    return float(worst)


def same_bits(left, right) -> bool:
    """Whether two trees hold the same numbers."""
    return all(map(np.array_equal, leaves(left), leaves(right)))


def changed(left, right, name: str = "the parameters") -> list[str]:
    """The names of the leaves in which two trees differ."""
    if isinstance(left, tuple):
        parts = zip(left._fields, left, right, strict=True)
        return [found for field, a, b in parts for found in changed(a, b, field)]
    return [] if np.array_equal(left, right) else [name]


def blend(left, right, share: float):
    """left moved towards right by this share of the way."""
    if isinstance(left, tuple):
        return type(left)(*(blend(a, b, share) for a, b in zip(left, right, strict=True)))
    return left if np.array_equal(left, right) else left + share * (right - left)


def blends(left, right, share: float) -> Iterator:
    """left moved towards right by this share: as a whole, then every part of it by itself."""
    yield blend(left, right, share)
    if isinstance(left, tuple):
        for i, (a, b) in enumerate(zip(left, right, strict=True)):
            for part in blends(a, b, share):
                yield type(left)(*left[:i], part, *left[i + 1 :])
