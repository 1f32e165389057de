"""Sums in one fixed order, however the summands are shared out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Summand = TypeVar("Summand")


def tree_sum(summands: Iterable[Summand], add: Callable[[Summand, Summand], Summand]) -> Summand:
    """The sum of neighbours, of neighbouring sums, and so on, an odd one at the end as it is.

    Runs of 2^k summands that begin at a multiple of 2^k may be summed by themselves, elsewhere: the
    sum of their sums is the same, bit for bit, whatever k. Raises ValueError without a summand.
    """
    level = list(summands)
    if not level:
        raise ValueError("there is nothing to add")
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        odd = level[-1:] if len(level) % 2 else []
        level = [add(left, right) for left, right in pairs] + odd
    return level[0]
