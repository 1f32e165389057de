"""Weighted counts, sums and second moments of rows, each component about an origin of its own.

Leading axes, if any, run over models of the same data that are fitted side by side.
"""

from __future__ import annotations

import numpy as np

from em_core.emissions.kernels.positive_definite import PositiveDefinite
from em_core.emissions.kernels.quadratic import Quadratic, quadratic

TINY = np.finfo(float).tiny


class Moments:
    """Expected features of rows that belong to K components by shares r_nk.

    features (K, P) = sum_n r_nk [1, x_n - o_k, products of x_n - o_k], as `layout` orders them;
    origins (K, D) = o_k, or None where all are 0.
    Moments about different origins add as well: an origin near its component keeps the digits
    that a common one would lose.
    """

    def __init__(self, features: np.ndarray, layout: Quadratic, origins: np.ndarray | None = None):
        self.features = features
        self.layout = layout
        self.origins = origins
        self._known = None

    @classmethod
    def of(cls, counts, sums, scatters, origins=None) -> Moments:
        """From counts (K,) = sum_n r_nk, sums (K, D) = sum_n r_nk (x_n - o_k) and scatters
        (K, D, D) = sum_n r_nk (x_n - o_k)(x_n - o_k)^T, or their diagonals (K, D)."""
        layout = quadratic(sums.shape[-1], diagonal=scatters.ndim == sums.ndim)
        return cls(layout.pack(counts, sums, scatters), layout, origins)

    def __add__(self, other: Moments) -> Moments:
        if self.origins is None and other.origins is None:
            return Moments(self.features + other.features, self.layout)
        own, others = self._own_origins, other._own_origins
        # The origin of the more: rows that hardly belong to a component may lie far from it.
        origins = np.where((self.counts >= other.counts)[..., None], own, others)
        features = self.about(origins).features + other.about(origins).features
        return Moments(features, self.layout, origins)

    def __mul__(self, factor: float) -> Moments:
        return Moments(self.features * factor, self.layout, self.origins)

    def __getitem__(self, models) -> Moments:
        """The moments of some of several models."""
        origins = None if self.origins is None else self.origins[models]
        return Moments(self.features[models], self.layout, origins)

    def leaves(self) -> list[np.ndarray]:
        """Counts, sums and scatters about 0: chunks may have chosen different origins."""
        plain = self.about(np.zeros_like(self.sums))
        return [plain.counts, plain.sums, plain.scatters]

    def about(self, origins: np.ndarray) -> Moments:
        """The same moments about other origins (K, D)."""
        shift = self._own_origins - origins
        if not shift.any():
            return Moments(self.features, self.layout, origins)
        added = self.counts[..., None] * shift
        if self.layout.diagonal:
            scatters = self.scatters + shift * (2 * self.sums + added)
        else:
            cross = shift[..., :, None] * self.sums[..., None, :]
            scatters = self.scatters + cross + cross.swapaxes(-1, -2)
            scatters = scatters + shift[..., :, None] * added[..., None, :]
        return Moments.of(self.counts, self.sums + added, scatters, origins)

    @property
    def _own_origins(self) -> np.ndarray:
        return np.zeros_like(self.sums) if self.origins is None else self.origins

    @property
    def counts(self) -> np.ndarray:
        """(K,) = sum_n r_nk."""
        return self.features[..., 0]

    @property
    def sums(self) -> np.ndarray:
        """(K, D) = sum_n r_nk (x_n - o_k)."""
        return self.features[..., self.layout.linear]

    @property
    def scatters(self) -> np.ndarray:
        """(K, D, D) = sum_n r_nk (x_n - o_k)(x_n - o_k)^T, or their diagonals (K, D)."""
        return self.layout.second(self.features)

    @property
    def offsets(self) -> np.ndarray:
        """(K, D) mean of each component minus its origin; 0 for one without rows."""
        return self._central[0]

    @property
    def means(self) -> np.ndarray:
        """(K, D) mean of each component; its origin for one without rows."""
        return self.offsets if self.origins is None else self.origins + self.offsets

    def from_origins(self, points: np.ndarray) -> np.ndarray:
        """Points (K, D), or one (D,), seen from each component's origin."""
        return points if self.origins is None else points - self.origins

    @property
    def within(self) -> np.ndarray:
        """(K, D, D) or (K, D): scatter about the component's own mean, per count; read-only."""
        return self._central[1]

    @property
    def spread(self) -> PositiveDefinite | None:
        """`within` (K, D, D), and what follows from it; None where it is not positive definite."""
        return self._central[2]

    @property
    def _central(self) -> tuple[np.ndarray, np.ndarray, PositiveDefinite | None]:
        # Not a `cached_property`: in Python 3.11 that takes a lock, which costs more than all of a
        # small table's divisions here.
        if self._known is None:
            self._known = self._offsets_within_spread()
        return self._known

    def _offsets_within_spread(self):
        averages = self.features / np.maximum(self.features[..., :1], TINY)
        offsets = averages[..., self.layout.linear]
        squares = offsets * offsets if self.layout.diagonal else _outer(offsets)
        within = np.subtract(self.layout.second(averages), squares, out=squares)
        within.setflags(write=False)
        if self.layout.diagonal:
            return offsets, within, None
        try:
            return offsets, within, PositiveDefinite(within)
        except np.linalg.LinAlgError:
            return offsets, within, None


def _outer(vectors: np.ndarray) -> np.ndarray:
    return vectors[..., :, None] * vectors[..., None, :]
