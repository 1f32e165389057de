"""Weighted counts, sums and second moments of rows, each component about an origin of its own.

Leading axes, if any, run over models of the same data that are fitted side by side.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

TINY = np.finfo(float).tiny


class Moments:
    """Expected moments of rows that belong to K components by shares r_nk.

    counts (K,) = sum_n r_nk; sums (K, D) = sum_n r_nk (x_n - o_k); scatters (K, D, D) =
    sum_n r_nk (x_n - o_k)(x_n - o_k)^T, or its diagonal (K, D); origins (K, D) = o_k.
    Moments about different origins add as well: an origin near its component keeps the digits
    that a common one would lose.
    """

    def __init__(self, counts, sums, scatters, origins):
        self.counts = counts
        self.sums = sums
        self.scatters = scatters
        self.origins = origins

    def __add__(self, other: Moments) -> Moments:
        # The origin of the more: rows that hardly belong to a component may lie far from it.
        more = (self.counts >= other.counts)[..., None]
        origins = np.where(more, self.origins, other.origins)
        own, others = self.about(origins), other.about(origins)
        return Moments(
            own.counts + others.counts,
            own.sums + others.sums,
            own.scatters + others.scatters,
            origins,
        )

    def __mul__(self, factor: float) -> Moments:
        return Moments(
            self.counts * factor, self.sums * factor, self.scatters * factor, self.origins
        )

    def about(self, origins: np.ndarray) -> Moments:
        """The same moments about other origins (K, D)."""
        if origins is self.origins or np.array_equal(origins, self.origins):
            return self
        shift = self.origins - origins
        added = self.counts[..., None] * shift
        if self.diagonal:
            scatters = self.scatters + shift * (2 * self.sums + added)
        else:
            cross = shift[..., :, None] * self.sums[..., None, :]
            scatters = self.scatters + cross + cross.swapaxes(-1, -2)
            scatters = scatters + shift[..., :, None] * added[..., None, :]
        return Moments(self.counts, self.sums + added, scatters, origins)

    def __getitem__(self, models) -> Moments:
        """The moments of some of several models."""
        return Moments(
            self.counts[models], self.sums[models], self.scatters[models], self.origins[models]
        )

    def reshape(self, batch: tuple[int, ...]) -> Moments:
        """The same moments with other leading axes: those of counts become `batch`."""
        if batch == self.counts.shape:
            # With what was worked out of them.
            return self
        at = self.counts.ndim
        return Moments(
            *(
                part.reshape(batch + part.shape[at:])
                for part in (self.counts, self.sums, self.scatters, self.origins)
            )
        )

    @property
    def diagonal(self) -> bool:
        return self.scatters.ndim == self.sums.ndim

    @cached_property
    def offsets(self) -> np.ndarray:
        """(K, D) mean of each component minus its origin; 0 for one without rows."""
        return self.sums / self._divisors[..., None]

    @cached_property
    def within(self) -> np.ndarray:
        """(K, D, D) or (K, D): scatter about the component's own mean, per count."""
        if self.diagonal:
            return self.scatters / self._divisors[..., None] - self.offsets * self.offsets
        outer = self.offsets[..., :, None] * self.offsets[..., None, :]
        return self.scatters / self._divisors[..., None, None] - outer

    @cached_property
    def _divisors(self) -> np.ndarray:
        """(K,) counts, not quite 0 for a component without rows."""
        return np.maximum(self.counts, TINY)
