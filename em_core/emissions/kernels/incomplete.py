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

from em_core.emissions.kernels.linear import NONE
from em_core.emissions.kernels.moments import Moments
from em_core.emissions.kernels.positive_definite import diagonals
from em_core.emissions.kernels.rows import CentredRows
from em_core.imputation import Imputation, filled


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

    reference = impossible = None
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
        self.log_priors = log_weights.reshape(-1)
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
        out += (self.log_priors + block.log_peaks)[:, None]
        return out

    def add(self, block: PatternBlock, shares: np.ndarray) -> None:
        """Accumulate the completed moments about each component's own mean."""
        self._complete(block, shares, shares.sum(axis=1))

    def _complete(self, block: PatternBlock, shares: np.ndarray, n_rows: np.ndarray) -> None:
        """Moments of completed rows by (K, n) shares, which belong to components n_rows (K,)."""
        completed = block.deviations(self.means)
        weighted = completed * shares[:, None]
        scatters = weighted @ completed.transpose(0, 2, 1)
        missing = block.missing
        scatters[:, missing[:, None], missing] += n_rows[:, None, None] * block.left
        self._counts += shares.sum(axis=1)
        self._sums += weighted.sum(axis=2)
        self._scatters += scatters
        if len(missing):
            # The entropy of a Gaussian: (log det(2 pi e C)) / 2.
            log_determinants = np.linalg.slogdet(2 * np.pi * np.e * block.left)[1]
            self._entropy += 0.5 * n_rows * log_determinants

    def spread(self, block: PatternBlock) -> np.ndarray | float:
        """(K, n) how many times `left` is the covariance of what a row misses."""
        return 1.0

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


class IncompleteStudentTKernel(IncompleteKernel):
    """t components, their moments weighted by E[u], as those of a `StudentTKernel`.

    What is there of a row has a t distribution with the same degrees of freedom. Given the label
    and u, what is missing is Gaussian, with `left` / u as its covariance (Liu & Rubin 1995).
    """

    def __init__(self, params, rows: IncompleteRows, log_weights, diagonal: bool):
        super().__init__(params.gaussian, rows, log_weights, diagonal)
        self.degrees = params.degrees_of_freedom.reshape(-1, 1)
        self._n_rows, self._logs = np.zeros((2, self.degrees.size))

    def _shapes(self, block: PatternBlock) -> np.ndarray:
        return (self.degrees + len(block.observed)) / 2

    def _rates(self, block: PatternBlock) -> np.ndarray:
        return (self.degrees + np.einsum("kdn,kdn->kn", block.white, block.white)) / 2

    def weights(self, block: PatternBlock) -> np.ndarray:
        """(K, n) E[u] of every row under every component."""
        return self._shapes(block) / self._rates(block)

    def spread(self, block: PatternBlock) -> np.ndarray:
        """E[1 / u]; infinite for a t distribution that has no variance."""
        shapes = self._shapes(block)
        return np.where(
            shapes > 1, self._rates(block) / np.where(shapes > 1, shapes - 1, 1), np.inf
        )

    def log_joint(self, block: PatternBlock, out: np.ndarray) -> np.ndarray:
        from scipy.special import gammaln

        halves, shapes = self.degrees / 2, self._shapes(block)
        peaks = (self.log_priors + block.log_peaks)[:, None]
        peaks = peaks + gammaln(shapes) - gammaln(halves) + halves * np.log(halves)
        np.subtract(peaks, shapes * np.log(self._rates(block)), out=out)
        return out

    def add(self, block: PatternBlock, shares: np.ndarray) -> None:
        """Accumulate a block whose rows belong to components by (K, n) shares."""
        from scipy.special import gammaln, psi

        n_rows, shapes = shares.sum(axis=1), self._shapes(block)[:, 0]
        self._complete(block, shares * self.weights(block), n_rows)
        logs = n_rows * psi(shapes) - np.vecdot(shares, np.log(self._rates(block)))
        self._n_rows += n_rows
        self._logs += logs
        # Of Gamma(a, b): a - log b + log Gamma(a) + (1 - a) psi(a); E[log u] = psi(a) - log b.
        self._entropy += n_rows * (shapes + gammaln(shapes) - shapes * psi(shapes)) + logs
        self._entropy -= len(block.missing) / 2 * logs

    @property
    def counts(self) -> np.ndarray:
        """(K,) expected number of rows of each component."""
        return self._n_rows.reshape(self.batch)

    @property
    def log_weights(self) -> np.ndarray:
        """(K,) sum over rows of r E[log u]."""
        return self._logs.reshape(self.batch)


def impute_by(kernel: IncompleteKernel, data: np.ndarray, responsibilities) -> Imputation:
    """Missing values filled by their conditional means, and their standard deviations."""
    means, squares = np.empty((2, *data.shape))
    for block in kernel.blocks():
        shares = responsibilities[block.rows].T[:, None]
        values = block.deviations(kernel.means) + kernel.means[:, :, None]
        left = np.zeros(values.shape)
        spread = np.broadcast_to(kernel.spread(block), (len(values), block.n_rows))
        left[:, block.missing] = diagonals(block.left)[:, :, None] * spread[:, None]
        mean = (shares * values).sum(axis=0)
        means[block.rows] = mean.T
        squares[block.rows] = (shares * ((values - mean) ** 2 + left)).sum(axis=0).T
    return filled(data, means + kernel.rows.origin, np.sqrt(squares))
