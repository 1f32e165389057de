"""Means and covariances of Gaussian components."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from em_core.emissions.kernels.linear import UNWEIGHTED
from em_core.emissions.kernels.positive_definite import PositiveDefinite
from em_core.emissions.kernels.quadratic import Quadratic

NOTHING_KNOWN = None, None, None, None
HALF_LOG_2_PI = 0.5 * float(np.log(2 * np.pi))


class _MeansAndCovariances(NamedTuple):
    means: np.ndarray
    covariances: np.ndarray


class GaussianParams(_MeansAndCovariances):
    """means (K, D) and covariances (K, D, D), in the units of the data.

    The arrays are read-only copies, so that what is derived from them is worked out once. They
    may have leading axes, one entry for each of several models fitted side by side.
    """

    def __new__(cls, means, covariances):
        means, covariances = np.array(means, dtype=float), np.array(covariances, dtype=float)
        means.setflags(write=False)
        covariances.setflags(write=False)
        return super().__new__(cls, means, covariances)

    @classmethod
    def with_spread(cls, means: np.ndarray, spread: PositiveDefinite) -> GaussianParams:
        """From covariances that have been worked out already; nothing is copied."""
        means.setflags(write=False)
        params = super().__new__(cls, means, spread.matrices)
        params.spread = spread
        return params

    def __getstate__(self) -> None:
        """Nothing but the two arrays travels to another process: the rest is worked out again."""

    @cached_property
    def spread(self) -> PositiveDefinite:
        """The covariances, and what follows from them. Raises LinAlgError where rounding has left
        one that is not positive definite."""
        return PositiveDefinite(self.covariances)

    @property
    def precisions(self) -> np.ndarray:
        """(K, D, D) inverse covariances."""
        return self.spread.inverses

    @property
    def log_peaks(self) -> np.ndarray:
        """(K,) log-density at the mean, in nats: -(D log 2 pi + log|Sigma|) / 2."""
        dimension = self.means.shape[-1]
        return -dimension * HALF_LOG_2_PI - self.spread.half_log_determinants

    def coefficients(
        self, layout: Quadratic, centre: np.ndarray, origins=None, log_weights=UNWEIGHTED
    ) -> np.ndarray:
        """(K, P) natural parameters: the log-densities plus log_weights (K,) are linear in the
        features of rows about `centre` (D,), or about centre + origins (K, D). Read-only."""
        if origins is not None:
            # In this order: a small offset from a large origin keeps its digits.
            return self._coefficients(layout, self.means - centre - origins, log_weights)
        # The bound asks before and after the E-step, and the E-step itself.
        slot = "_of_densities" if log_weights is UNWEIGHTED else "_of_joints"
        of_layout, of_centre, of_weights, found = self.__dict__.get(slot, NOTHING_KNOWN)
        if layout is of_layout and centre is of_centre and log_weights is of_weights:
            return found
        found = self._coefficients(layout, self.means - centre, log_weights)
        self.__dict__[slot] = layout, centre, log_weights, found
        return found

    def _coefficients(self, layout: Quadratic, means: np.ndarray, log_weights) -> np.ndarray:
        found = layout.coefficients(self.log_peaks + log_weights, means, self.precisions)
        found.setflags(write=False)
        return found
