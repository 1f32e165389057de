"""Log-densities and moments of Gaussian components as matrix products over blocks of rows.

A Gaussian log-density is linear in the features [1, x, upper(x x^T)], so one product gives the
log joint density of a block under all components, and one more gives all expected moments.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from em_core.emissions.kernels.extremes import largest
from em_core.emissions.kernels.linear import NONE, LinearKernel
from em_core.emissions.kernels.moments import Moments
from em_core.emissions.kernels.quadratic import quadratic
from em_core.emissions.kernels.responsibilities import SAFE_EXPONENT
from em_core.emissions.kernels.rows import Block, CentredRows
from em_core.emissions.kernels.strips import STRIP
from em_core.emissions.kernels.whitening import Whitening

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
# Of fewer log joints in all, leaving a component out costs more than it saves.
FEWEST_RELATIVE = 16_384


class GaussianKernel(LinearKernel):
    """Gaussian components, (R, K) of them, as a `LinearKernel` of quadratic features.

    In many dimensions the features are linear only: squared distances and scatters come from
    whitening all components together. Components too narrow for either are whitened one by one
    about their own mean, and their moments taken about an origin of their own.
    """

    def __init__(self, params, rows: CentredRows, log_weights, diagonal: bool, relative: bool):
        self.params = params
        self.rows = rows
        self.batch = params.means.shape[:-1]
        self.dimension = params.means.shape[-1]
        self.layout = quadratic(self.dimension, diagonal)
        self.narrow = NONE
        if params.spread.highest_condition(rows.scale) > LARGEST_CONDITION:
            conditions = params.spread.conditions(rows.scale)
            self.narrow = np.flatnonzero(conditions > LARGEST_CONDITION)
        self.whitening = None
        if self.dimension >= WHITEN_FROM_DIMENSION and not diagonal:
            self.whitening = Whitening(self._by_component(params.spread.whitening), self.means)
            coefficients = np.zeros((*self.batch, 1 + self.dimension))
            coefficients[..., 0] = log_weights + params.log_peaks
        else:
            coefficients = params.coefficients(self.layout, rows.origin, log_weights=log_weights)
        linear = self.whitening is None and not len(self.narrow)
        reference = None
        if linear and relative and rows.n_rows * coefficients[..., 0].size >= FEWEST_RELATIVE:
            # Of the component with the highest log joint on average (the first coefficient is that
            # at the origin), the density overflows least often when it divides the others'.
            typical = coefficients[..., 0] - 0.5 * params.spread.conditions(rows.scale)
            reference = typical.reshape(-1, self.batch[-1]).argmax(axis=1)
        super().__init__(coefficients, reference)
        if linear:
            bounds = np.dot(np.abs(self.coefficients), rows.largest_features(self.layout))
            self.bounded = largest(bounds) < SAFE_EXPONENT
        if not self.bounded and reference is None:
            peaks = (log_weights + params.log_peaks).ravel()
            self.shift = peaks.max()
            self.peaks = peaks - self.shift
            # The parameters keep theirs for the bound.
            self.coefficients = self.coefficients.copy()
            self.coefficients[:, 0] -= self.shift
        self._moments = None
        # Components whose moments are taken about an origin of their own, relative to the rows'.
        self.own_origins, self.own_moments = {}, {}
        if len(self.narrow):
            self.coefficients[self.narrow] = 0
            self._begin_own(self.narrow, self.means)

    @cached_property
    def means(self) -> np.ndarray:
        """(R * K, D), relative to the rows' origin."""
        return self._by_component(self.params.means - self.rows.origin)

    def _by_component(self, values: np.ndarray) -> np.ndarray:
        """(R * K, ...) of (R, K, ...)"""
        return values.reshape(-1, *values.shape[len(self.batch) :])

    def _begin_own(self, components, means: np.ndarray) -> None:
        """Take the moments of some components about their own means, of these (R * K, D)."""
        shape = (self.dimension,) if self.layout.diagonal else (self.dimension, self.dimension)
        for k in components:
            self.own_origins[k] = means[k]
            self.own_moments[k] = 0.0, np.zeros(self.dimension), np.zeros(shape)

    def blocks(self) -> Iterator[Block]:
        n_rows, (n_components, n_features) = self.rows.n_rows, self.coefficients.shape
        if self.whitening is not None:
            layout, size = None, BLOCK_WHITENED // (STRIP * n_components)
        else:
            layout = self.layout
            size = min(BLOCK_ROWS, BLOCK_FEATURES // (n_features + n_components))
        n_blocks = -(-n_rows // max(256, size))
        if n_blocks == 1:
            yield self.rows.only_block(layout, n_features)
            return
        size = -(-n_rows // n_blocks)
        workspace = np.empty((n_features, size))
        for start in range(0, n_rows, size):
            rows = slice(start, min(start + size, n_rows))
            yield Block(self.rows.values[:, rows], rows, workspace, layout)

    def log_joint(self, block: Block, out: np.ndarray) -> np.ndarray:
        super().log_joint(block, out)
        if self.whitening is not None:
            out -= 0.5 * self.whitening.squared_distances(block.features)
        for k in self.narrow:
            white = block.values - self.means[k, :, None]
            if self.layout.diagonal:
                precisions = self._by_component(self.params.spread.inverse_diagonals)
                white *= np.sqrt(precisions[k])[:, None]
            else:
                white = self._by_component(self.params.spread.whitening)[k] @ white
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
        if self.layout.diagonal:
            scatter += (centred * centred) @ share
        else:
            scatter += _weighted_outer(centred, share)
        self.own_moments[k] = (count + share.sum(), total + centred @ share, scatter)

    def collapsing(self) -> np.ndarray:
        """Components that turn out too narrow for moments about an origin as far away as theirs.

        Call after the last block. Their moments must be taken again, by `add_collapsing`: from
        now on about the mean that they are collapsing to.
        """
        if self._all_wider_than(self.rows.farthest / LARGEST_CONDITION):
            return NONE
        moments, unit = self.moments, self.rows.scale
        if self.layout.diagonal:
            smallest = (moments.within / (unit * unit)).min(axis=-1)
        else:
            smallest = np.linalg.eigvalsh(moments.within / (unit[:, None] * unit))[..., 0]
        offsets = moments.offsets / unit
        distances = np.vecdot(offsets, offsets)
        found = np.flatnonzero((smallest * LARGEST_CONDITION < distances) & (moments.counts > 0))
        if len(found):
            self._begin_own(found, self._by_component(moments.means))
            self._moments = None
        return found

    def _all_wider_than(self, width: float) -> bool:
        """Whether no component's smallest eigenvalue can be below this, in the columns' units."""
        moments, unit = self.moments, self.rows.scale
        if self.layout.diagonal:
            return bool((moments.within / (unit * unit)).min() > width)
        return moments.spread is not None and moments.spread.highest_condition(unit) * width < 1

    def add_collapsing(self, block: Block, components, shares: np.ndarray) -> None:
        """Accumulate the moments of collapsing components, in a second pass over the blocks."""
        for k in components:
            self._add_own(block, k, shares[k if self.places is None else self.places[k]])

    @property
    def moments(self) -> Moments:
        """The moments of the rows, relative to their common origin. Ask after the last block."""
        if self._moments is None:
            self._moments = self._take_moments()
        return self._moments

    def _take_moments(self) -> Moments:
        features = self.totals
        if self.whitening is not None:
            counts, sums = features[:, 0], features[:, self.layout.linear]
            features = self.layout.pack(counts, sums, self.whitening.scatters)
        origins = None
        if self.own_moments:
            origins = np.zeros_like(self.means)
            for k, (count, total, scatter) in self.own_moments.items():
                features[k] = self.layout.pack(np.array(count), total, scatter)
                origins[k] = self.own_origins[k]
            origins = origins.reshape(*self.batch, -1)
        return Moments(features.reshape(*self.batch, -1), self.layout, origins)


def _weighted_outer(values: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """sum_n shares_n x_n x_n^T (D, D) of values (D, n), by a symmetric rank-n update."""
    # Importing SciPy's BLAS costs more than `import em_core` may, and few runs come here.
    from scipy.linalg.blas import dsyrk

    upper = dsyrk(1.0, (values * np.sqrt(shares)).T, trans=1)
    return upper + np.triu(upper, 1).T
