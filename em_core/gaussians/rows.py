"""Rows of continuous columns about a common origin, in blocks, with the features that a Gaussian
log-density is linear in."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np


class _CentredFields(NamedTuple):
    values: np.ndarray
    origin: np.ndarray
    scale: np.ndarray


class CentredRows(_CentredFields):
    """values (D, N): the rows minus `origin` (D,), component-major.

    scale (D,): the columns' standard deviations, never 0: the unit of each column.
    """

    @classmethod
    def of(cls, data: np.ndarray, origin: np.ndarray, variances: np.ndarray) -> CentredRows:
        values = np.empty(data.shape[::-1])
        np.subtract(data.T, origin[:, None], out=values)
        return cls(values, origin, np.sqrt(units_of(variances, origin)))

    @property
    def n_rows(self) -> int:
        return self.values.shape[1]

    def take(self, start: int, stop: int) -> CentredRows:
        return self._replace(values=self.values[:, start:stop])

    def select(self, order: np.ndarray) -> CentredRows:
        return self._replace(values=np.ascontiguousarray(self.values[:, order]))

    def only_block(self, quadratic: str, n_features: int) -> Block:
        """All rows as one block, kept so that iterations find its features ready."""
        if quadratic not in self._only_blocks:
            workspace = np.empty((n_features, self.n_rows))
            block = Block(self.values, slice(0, self.n_rows), workspace, quadratic)
            self._only_blocks[quadratic] = block
        return self._only_blocks[quadratic]

    @cached_property
    def _only_blocks(self) -> dict[str, Block]:
        return {}


def units_of(variances: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """(D,) variances, never 0: a constant column gets the largest of the others', or 1."""
    constant = variances <= (1e-13 * origin) ** 2
    if not constant.any():
        return variances
    return np.where(constant, 1.0 if constant.all() else variances.max(), variances)


class Block:
    """One block of rows: values (D, n), its place in the data and, on demand, its features."""

    def __init__(self, values: np.ndarray, rows: slice, workspace: np.ndarray, quadratic: str):
        self.values = values
        self.rows = rows
        self._workspace = workspace
        self._quadratic = quadratic

    @property
    def n_rows(self) -> int:
        return self.values.shape[1]

    @cached_property
    def features(self) -> np.ndarray:
        """(P, n): 1, x, then nothing, the squares ("diagonal") or the upper triangle of x x^T row
        by row ("full")."""
        x = self.values
        dimension = len(x)
        features = self._workspace[:, : x.shape[1]]
        features[0] = 1
        features[1 : dimension + 1] = x
        if self._quadratic == "diagonal":
            np.multiply(x, x, out=features[dimension + 1 :])
        if self._quadratic != "full":
            return features
        at = dimension + 1
        for i in range(dimension):
            np.multiply(x[i], x[i:], out=features[at : at + dimension - i])
            at += dimension - i
        return features
