"""What an emission may say of single columns, for whoever draws or tabulates it.

Nobody finds out what an emission is by how its parameters are spelled: it is asked.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class Columns(Protocol):
    """Single columns of rows of a component, whatever the other columns hold."""

    def column_means(self, params) -> np.ndarray:
        """(K, D) means of the columns, as those of many samples would be."""

    def column_deviations(self, params) -> np.ndarray:
        """(K, D) standard deviations of the columns; inf where there is none."""

    def column_log_density(self, params, column: int, values: np.ndarray) -> np.ndarray:
        """(K, n) log-density of values (n,) of one column, counted from 0; of whole numbers where
        the emission says `discrete`, their log-probability."""


@runtime_checkable
class Levels(Columns, Protocol):
    """Columns that are items: every value is one of the levels 0, 1, 2, ...

    binary: whether by its kind every item is answered 0 or 1, so that the mean says all.
    """

    binary: bool

    def level_probabilities(self, params) -> tuple[np.ndarray, ...]:
        """For each column (K, C): the probability of each of its C levels."""


def is_discrete(emission) -> bool:
    """Whether values are whole numbers, by the emission's attribute `discrete`."""
    return getattr(emission, "discrete", False)
