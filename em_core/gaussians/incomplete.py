"""Gaussian components of rows with missing values (NaN), missing at random.

The missing coordinates of a row are latent variables beside its label. Given the label they are
Gaussian, with the regression on the observed coordinates as their mean (Little & Rubin 2002,
section 11.2). Rows are grouped by which columns are observed; each pattern is factored once.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np

from em_core.gaussians.linear_kernel import NONE
from em_core.gaussians.moments import Moments
from em_core.gaussians.positive_definite import diagonals
from em_core.gaussians.rows import CentredRows


class IncompleteRows(NamedTuple):
    """Centred rows with NaN where a value is missing.

    patterns (P, D): which columns are observed; pattern (N,): which of them each row has.
    """

    centred: CentredRows
    patterns: np.ndarray
    pattern: np.ndarray

    @classmethod
    def of(cls, centred: CentredRows) -> IncompleteRows:
        present = ~np.isnan(centred.values.T)
        patterns, pattern = np.unique(present, axis=0, return_inverse=True)
        return cls(centred, patterns, pattern)

    @property
    def n_rows(self) -> int:
        return self.centred.n_rows

    @property
    def origin(self) -> np.ndarray:
        return self.centred.origin

    @property
    def scale(self) -> np.ndarray:
        return self.centred.scale

    def take(self, start: int, stop: int) -> IncompleteRows:
        return self._replace(
            centred=self.centred.take(start, stop), pattern=self.pattern[start:stop]
        )

    def select(self, order: np.ndarray) -> IncompleteRows:
        return self._replace(centred=self.centred.select(order), pattern=self.pattern[order])


class PatternBlock:
    """The rows with one pattern, and what the components say of their missing coordinates.

    observed, missing: columns; rows: indices; values (D_o, n), about the common origin.
    """

    def __init__(self, kernel: IncompleteKernel, present: np.ndarray, rows: np.ndarray):
        self.rows = rows
        self.n_rows = len(rows)
        self.observed, self.missing = np.flatnonzero(present), np.flatnonzero(~present)
        self.values = kernel.rows.centred.values[np.ix_(self.observed, rows)]
        covariances = kernel.covariances
        own = covariances[:, self.observed[:, None], self.observed]
        cross = covariances[:, self.missing[:, None], self.observed]
        factors = np.linalg.cholesky(own)
        centred = self.values - kernel.means[:, self.observed, None]
        self.white = np.linalg.solve(factors, centred)
        log_diagonals = np.log(np.einsum("kdd->kd", factors)).sum(axis=1)
        self.log_peaks = -0.5 * len(self.observed) * np.log(2 * np.pi) - log_diagonals
        # Regression of the missing on the whitened observed coordinates, and what it leaves open.
        self.slopes = np.linalg.solve(factors, cross.transpose(0, 2, 1)).transpose(0, 2, 1)
        left = covariances[:, self.missing[:, None], self.missing]
        self.left = left - self.slopes @ self.slopes.transpose(0, 2, 1)

    def deviations(self, means: np.ndarray) -> np.ndarray:
        """(K, D, n) rows minus the component's mean, missing coordinates by regression."""
        completed = np.empty((len(means), means.shape[1], self.n_rows))
        completed[:, self.observed] = self.values - means[:, self.observed, None]
        completed[:, self.missing] = self.slopes @ self.white
        return completed


class IncompleteKernel:
    """Components at one set of parameters, with the calls of a `LinearKernel`.

    Moments are those of completed rows, plus the covariance that the missing coordinates keep;
    `entropy` is that of the missing coordinates given the component.
    """

    reference = None
    shift = 0.0
    bounded = False

    def __init__(self, params, rows: IncompleteRows, log_weights, diagonal: bool):
        self.rows = rows
        self.diagonal = diagonal
        self.batch = params.means.shape[:-1]
        dimension = params.means.shape[-1]
        self.n_models, self.n_components = int(np.prod(self.batch[:-1])), self.batch[-1]
        self.means = (params.means - rows.origin).reshape(-1, dimension)
        self.covariances = params.covariances.reshape(-1, dimension, dimension)
        self.log_weights = log_weights.reshape(-1)
        n_components = len(self.means)
        self._counts = np.zeros(n_components)
        self._sums = np.zeros((n_components, dimension))
        self._scatters = np.zeros((n_components, dimension, dimension))
        self._entropy = np.zeros(n_components)

    def blocks(self) -> Iterator[PatternBlock]:
        order = np.argsort(self.rows.pattern, kind="stable")
        ends = np.cumsum(np.bincount(self.rows.pattern, minlength=len(self.rows.patterns)))
        for present, rows in zip(self.rows.patterns, np.split(order, ends[:-1]), strict=True):
            if len(rows):
                yield PatternBlock(self, present, rows)

    def log_joint(self, block: PatternBlock, out: np.ndarray) -> np.ndarray:
        """(K, n) log pi_k + log p(observed x_n | k), written to `out`."""
        np.einsum("kdn,kdn->kn", block.white, block.white, out=out)
        out *= -0.5
        out += (self.log_weights + block.log_peaks)[:, None]
        return out

    def add(self, block: PatternBlock, shares: np.ndarray) -> None:
        """Accumulate the completed moments about each component's own mean."""
        completed = block.deviations(self.means)
        counts = shares.sum(axis=1)
        weighted = completed * shares[:, None]
        scatters = weighted @ completed.transpose(0, 2, 1)
        missing = block.missing
        scatters[:, missing[:, None], missing] += counts[:, None, None] * block.left
        self._counts += counts
        self._sums += weighted.sum(axis=2)
        self._scatters += scatters
        if len(missing):
            # The entropy of a Gaussian: (log det(2 pi e C)) / 2.
            log_determinants = np.linalg.slogdet(2 * np.pi * np.e * block.left)[1]
            self._entropy += 0.5 * counts * log_determinants

    def collapsing(self) -> np.ndarray:
        """None: moments are about each component's own mean already."""
        return NONE

    @property
    def entropy(self) -> np.ndarray:
        """(R,) entropy of the missing coordinates given the components, total, in nats."""
        return self._entropy.reshape(self.n_models, -1).sum(axis=1)

    def left_out(self) -> float:
        """Nothing."""
        return 0.0

    @cached_property
    def moments(self) -> Moments:
        scatters = diagonals(self._scatters) if self.diagonal else self._scatters
        parts = self._counts, self._sums, scatters, self.means
        return Moments.of(*(part.reshape(*self.batch, *part.shape[1:]) for part in parts))
