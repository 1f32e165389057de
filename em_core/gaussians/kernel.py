"""Log-densities and moments of Gaussian components as matrix products over blocks of rows.

A Gaussian log-density is linear in the features [1, x, upper(x x^T)], so one product gives the
log joint density of a block under all components, and one more gives all expected moments.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache

import numpy as np

from em_core.gaussians.linear_kernel import NONE, LinearKernel
from em_core.gaussians.moments import Moments
from em_core.gaussians.rows import Block, CentredRows
from em_core.gaussians.whitening import Whitening
from em_core.strips import STRIP

BLOCK_ROWS = 16_384
# Features and log joints of one block: measured, smaller ones cost up to 1.5 times as much.
BLOCK_FEATURES = 800_000
# Values of one strip of all components, whitened.
BLOCK_WHITENED = 131_072
# From here on quadratic features cost more than whitening with the components' Cholesky factors.
WHITEN_FROM_DIMENSION = 24
# The quadratic form loses about log10 of (distance from the origin / narrowest width)^2 digits.
# Beyond this many the component is centred on its own mean and whitened instead.
LARGEST_CONDITION = 1e6


class GaussianKernel(LinearKernel):
    """Gaussian components, (R, K) of them, as a `LinearKernel` of quadratic features.

    In many dimensions the features are linear only: squared distances and scatters come from
    whitening all components together. Components too narrow for either are whitened one by one
    about their own mean, and their moments taken about an origin of their own.
    """

    def __init__(self, params, rows: CentredRows, log_weights, diagonal: bool, relative: bool):
        self.params = params
        self.rows = rows
        self.diagonal = diagonal
        self.batch = params.means.shape[:-1]
        self.dimension = params.means.shape[-1]
        self.means = (params.means - rows.origin).reshape(-1, self.dimension)
        peaks = (log_weights + params.log_peaks).reshape(-1, self.batch[-1])
        conditions = params.conditions(rows.scale).reshape(peaks.shape)
        self.narrow = NONE
        if conditions.max() > LARGEST_CONDITION:
            self.narrow = np.flatnonzero(conditions > LARGEST_CONDITION)
        self.whitening = None
        if self.dimension >= WHITEN_FROM_DIMENSION and not diagonal:
            whitening = params.whitening.reshape(-1, self.dimension, self.dimension)
            self.whitening = Whitening(whitening, self.means)
        if relative and self.whitening is None and not len(self.narrow):
            coefficients = self._coefficients(peaks)
            # Of the component with the highest log joint on average (the first coefficient is that
            # at the origin), the density overflows least often when it divides the others'.
            typical = coefficients[:, :, 0] - 0.5 * conditions
            super().__init__(coefficients, reference=typical.argmax(axis=1))
        else:
            shift = peaks.max()
            self.peaks = (peaks - shift).ravel()
            super().__init__(self._coefficients(peaks - shift), shift)
            self.coefficients[self.narrow] = 0
        # Components whose moments are taken about an origin of their own, relative to the rows'.
        self.own_origins = {k: self.means[k] for k in self.narrow}
        self.own_moments = {k: self._no_moments() for k in self.narrow}

    def _coefficients(self, peaks: np.ndarray) -> np.ndarray:
        """(R, K, P) such that coefficients @ features is the log joint density minus the shift, but
        for the squared distances of components that are whitened."""
        if self.whitening is not None:
            linear = np.zeros((*peaks.shape, self.dimension))
            return np.concatenate([peaks[..., None], linear], axis=-1)
        if self.diagonal:
            precisions = self.params.precision_diagonals.reshape(-1, self.dimension)
            linear, quadratic = precisions * self.means, -0.5 * precisions
        else:
            precisions = self.params.precisions.reshape(-1, self.dimension, self.dimension)
            linear = (precisions @ self.means[:, :, None])[:, :, 0]
            i, j, factor, _ = triangle(self.dimension)
            quadratic = factor * precisions[:, i, j]
        ends = 1, 1 + self.dimension
        coefficients = np.empty((peaks.size, ends[1] + quadratic.shape[1]))
        coefficients[:, 0] = peaks.ravel() - 0.5 * (linear * self.means).sum(axis=1)
        coefficients[:, ends[0] : ends[1]] = linear
        coefficients[:, ends[1] :] = quadratic
        return coefficients.reshape(*peaks.shape, -1)

    def _no_moments(self) -> tuple:
        shape = (self.dimension,) if self.diagonal else (self.dimension, self.dimension)
        return 0.0, np.zeros(self.dimension), np.zeros(shape)

    def blocks(self) -> Iterator[Block]:
        n_rows, (n_components, n_features) = self.rows.n_rows, self.coefficients.shape
        if self.whitening is not None:
            quadratic, size = "none", BLOCK_WHITENED // (STRIP * n_components)
        else:
            quadratic = "diagonal" if self.diagonal else "full"
            size = min(BLOCK_ROWS, BLOCK_FEATURES // (n_features + n_components))
        n_blocks = -(-n_rows // max(256, size))
        if n_blocks == 1:
            yield self.rows.only_block(quadratic, n_features)
            return
        size = -(-n_rows // n_blocks)
        workspace = np.empty((n_features, size))
        for start in range(0, n_rows, size):
            rows = slice(start, min(start + size, n_rows))
            yield Block(self.rows.values[:, rows], rows, workspace, quadratic)

    def log_joint(self, block: Block, out: np.ndarray) -> np.ndarray:
        super().log_joint(block, out)
        if self.whitening is not None:
            out -= 0.5 * self.whitening.squared_distances(block.features)
        for k in self.narrow:
            white = block.values - self.means[k, :, None]
            if self.diagonal:
                diagonals = self.params.precision_diagonals.reshape(-1, self.dimension)
                white *= np.sqrt(diagonals[k])[:, None]
            else:
                factors = self.params.factors.reshape(-1, self.dimension, self.dimension)
                white = _solve_lower(factors[k], white)
            out[k] = self.peaks[k] - 0.5 * np.einsum("dn,dn->n", white, white)
        return out

    def add(self, block: Block, shares: np.ndarray) -> None:
        super().add(block, shares)
        if self.whitening is not None:
            self.whitening.add(block.features, shares)
        for k in self.narrow:
            self._add_own(block, k, shares[k])

    def _add_own(self, block: Block, k: int, share: np.ndarray) -> None:
        """Accumulate the moments of component k about its own origin."""
        count, total, scatter = self.own_moments[k]
        centred = block.values - self.own_origins[k][:, None]
        if self.diagonal:
            scatter += (centred * centred) @ share
        else:
            scatter += _weighted_outer(centred, share)
        self.own_moments[k] = (count + share.sum(), total + centred @ share, scatter)

    def collapsing(self) -> np.ndarray:
        """Components that turn out too narrow for moments about an origin as far away as theirs.

        Call after the last block. Their moments must be taken again, by `add_collapsing`: from
        now on about the mean that they are collapsing to.
        """
        moments, unit = self._flat_moments, self.rows.scale
        offsets = moments.offsets / unit
        distances = np.vecdot(offsets, offsets)
        if not self.diagonal and exceed(moments.within, distances / LARGEST_CONDITION, unit):
            return NONE
        within = moments.within / (unit * unit if self.diagonal else unit[:, None] * unit)
        narrow = smallest_eigenvalues(within, self.diagonal) * LARGEST_CONDITION < distances
        found = np.flatnonzero(narrow & (moments.counts > 0))
        if len(found):
            for k in found:
                self.own_origins[k] = moments.origins[k] + moments.offsets[k]
                self.own_moments[k] = self._no_moments()
            del self._flat_moments
        return found

    def add_collapsing(self, block: Block, components, shares: np.ndarray) -> None:
        """Accumulate the moments of collapsing components, in a second pass over the blocks."""
        for k in components:
            self._add_own(block, k, shares[self.places[k]])

    @cached_property
    def _flat_moments(self) -> Moments:
        """Moments of all rows added, (R * K, ...), relative to the rows' common origin."""
        origins = np.zeros_like(self.means)
        totals = self.totals
        counts, sums = totals[:, 0], totals[:, 1 : self.dimension + 1]
        if self.whitening is not None:
            scatters = self.whitening.scatters
        elif self.diagonal:
            scatters = totals[:, self.dimension + 1 :]
        else:
            scatters = totals[:, self.dimension + 1 :][:, triangle(self.dimension)[3]]
        for k, own in self.own_moments.items():
            counts[k], sums[k], scatters[k] = own
            origins[k] = self.own_origins[k]
        return Moments(counts, sums, scatters, origins)

    @property
    def moments(self) -> Moments:
        """The moments of all rows added, relative to the rows' common origin."""
        return self._flat_moments.reshape(self.batch)


@lru_cache(maxsize=64)
def triangle(dimension: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Upper triangle, row by row: indices i and j (P,), the factor of a precision's entry in the
    log-density (P,), and where each entry of a symmetric matrix stands in it (D, D)."""
    i, j = np.triu_indices(dimension)
    place = np.empty((dimension, dimension), dtype=int)
    place[i, j] = place[j, i] = np.arange(len(i))
    return i, j, np.where(i == j, -0.5, -1.0), place


def smallest_eigenvalues(matrices: np.ndarray, diagonal: bool) -> np.ndarray:
    """(K,) of symmetric matrices (K, D, D), or of their diagonals (K, D)."""
    if diagonal:
        return matrices.min(axis=1)
    return np.linalg.eigvalsh(matrices)[:, 0]


def exceed(matrices: np.ndarray, lowest: np.ndarray, unit: np.ndarray) -> bool:
    """Whether all eigenvalues of each symmetric matrix (K, D, D), its columns in units of `unit`
    (D,), exceed the matrix's own bound (K,)."""
    lowered = matrices.copy()
    np.einsum("kdd->kd", lowered)[...] -= lowest[:, None] * (unit * unit)
    try:
        np.linalg.cholesky(lowered)
    except np.linalg.LinAlgError:
        return False
    return True


def _solve_lower(factor: np.ndarray, values: np.ndarray) -> np.ndarray:
    """L^-1 values for lower-triangular L (D, D) and values (D, n), overwriting values."""
    # Importing SciPy's BLAS costs more than `import em_core` may, and few runs come here.
    from scipy.linalg.blas import dtrsm

    return dtrsm(1.0, factor.T, values.T, side=1, lower=0, overwrite_b=1).T


def _weighted_outer(values: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """sum_n shares_n x_n x_n^T (D, D) of values (D, n), by a symmetric rank-n update."""
    from scipy.linalg.blas import dsyrk

    upper = dsyrk(1.0, (values * np.sqrt(shares)).T, trans=1)
    return upper + np.triu(upper, 1).T


def squared_distances(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(N, K) squared Euclidean distances."""
    cross = points @ centres.T
    squares = (points * points).sum(axis=1)[:, None] + (centres * centres).sum(axis=1)
    return np.maximum(squares - 2 * cross, 0)
