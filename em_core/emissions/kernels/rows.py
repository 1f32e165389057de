"""Rows of continuous columns about a common origin, in blocks, with the features that a Gaussian
log-density is linear in."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from em_core.emissions.kernels.quadratic import Quadratic


class _CentredFields(NamedTuple):
    values: np.ndarray
    origin: np.ndarray
    scale: np.ndarray


class CentredRows(_CentredFields):
    """values (D, N): the rows minus `origin` (D,), component-major.

    scale (D,): the columns' standard deviations, never 0: the unit of each column.
    keeps: whether these are a whole table, whose features may be kept if they make one block. Those
    of all chunks of a large one would be many times the data.
    """

    keeps = True

    @classmethod
    def of(cls, data: np.ndarray, origin: np.ndarray, variances: np.ndarray) -> CentredRows:
        values = np.empty(data.shape[::-1])
        np.subtract(data.T, origin[:, None], out=values)
        return cls(values, origin, np.sqrt(units_of(variances, origin)))

    @property
    def n_rows(self) -> int:
        return self.values.shape[1]

    @cached_property
    def reach(self) -> np.ndarray:
        """(D,) the largest distance of a row from the origin in each column."""
        return np.maximum(self.values.max(axis=1), -self.values.min(axis=1))

    @cached_property
    def farthest(self) -> float:
        """No row's squared distance from the origin is larger, columns in units of `scale`."""
        reach = self.reach / self.scale
        return float(reach @ reach)

    def largest_features(self, layout: Quadratic) -> np.ndarray:
        """(P,) no row's features are larger in size."""
        known = self.__dict__.setdefault("_largest_features", {})
        if layout not in known:
            features = np.empty((layout.n_features, 1))
            layout.write(self.reach[:, None], features)
            known[layout] = features[:, 0]
        return known[layout]

    def take(self, start: int, stop: int) -> CentredRows:
        if (start, stop) == (0, self.n_rows):
            return self
        return self._part(self.values[:, start:stop])

    def select(self, order: np.ndarray) -> CentredRows:
        return self._part(np.ascontiguousarray(self.values[:, order]))

    def _part(self, values: np.ndarray) -> CentredRows:
        part = self._replace(values=values)
        part.keeps = False
        return part

    def only_block(self, layout: Quadratic | None, n_features: int) -> Block:
        """All rows as one block, kept so that iterations find its features ready."""
        known = self.__dict__.setdefault("_only_blocks", {})
        block = known.get(layout)
        if block is None:
            workspace = np.empty((n_features, self.n_rows))
            block = Block(self.values, slice(0, self.n_rows), workspace, layout)
            if self.keeps:
                block = known.setdefault(layout, block)
        return block

    def __getstate__(self) -> dict:
        return {"keeps": self.keeps}


def units_of(variances: np.ndarray, origin: np.ndarray | float = 0.0) -> np.ndarray:
    """(..., D) variances about an origin, never 0: a constant column gets the largest of the
    others', or 1. What rounding leaves of it is then of the size of rounding in the others."""
    constant = variances <= (1e-13 * origin) ** 2
    if not constant.any():
        return variances
    largest = variances.max(axis=-1, keepdims=True)
    instead = np.where(constant.all(axis=-1, keepdims=True), 1.0, largest)
    return np.where(constant, instead, variances)


class Block:
    """One block of rows: values (D, n), its place in the data and, on demand, its features.

    workspace (P, n or more): where they are written. layout: None if they are 1 and x only.
    """

    def __init__(self, values: np.ndarray, rows: slice, workspace, layout: Quadratic | None):
        self.values = values
        self.rows = rows
        self._workspace = workspace
        self._layout = layout

    @property
    def n_rows(self) -> int:
        return self.values.shape[1]

    @cached_property
    def features(self) -> np.ndarray:
        """(P, n): 1, x, and the products of the layout."""
        features = self._workspace[:, : self.n_rows]
        if self._layout is None:
            features[0], features[1:] = 1, self.values
        else:
            self._layout.write(self.values, features)
        return features
