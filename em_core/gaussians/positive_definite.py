"""Symmetric positive definite matrices, and what follows from them, worked out once."""

from __future__ import annotations

from functools import cached_property

import numpy as np


class PositiveDefinite:
    """matrices (..., D, D), taken to stay as they are.

    What needs the Cholesky factors raises LinAlgError where a matrix is not positive definite.
    """

    def __init__(self, matrices: np.ndarray):
        self.matrices = matrices

    @cached_property
    def factors(self) -> np.ndarray:
        """(..., D, D) lower Cholesky factors L."""
        return np.linalg.cholesky(self.matrices)

    @property
    def whitening(self) -> np.ndarray:
        """(..., D, D) inverse Cholesky factors L^-1; not kept, as every half-step has its own."""
        return np.linalg.inv(self.factors)

    @cached_property
    def inverses(self) -> np.ndarray:
        """(..., D, D)"""
        whitening = self.whitening
        return whitening.swapaxes(-1, -2) @ whitening

    @property
    def inverse_diagonals(self) -> np.ndarray:
        """(..., D), read-only."""
        return self.inverses.diagonal(axis1=-2, axis2=-1)

    @cached_property
    def half_log_determinants(self) -> np.ndarray:
        """(...) log|matrix| / 2, in nats."""
        return np.log(self.factors.diagonal(axis1=-2, axis2=-1)).sum(axis=-1)

    def conditions(self, unit: np.ndarray) -> np.ndarray:
        """(...) traces of the inverses, columns in units of `unit` (D,): at least 1 over the
        smallest eigenvalue."""
        return self._in_units(unit)[1]

    def highest_condition(self, unit: np.ndarray) -> float:
        """The largest of `conditions`; NaN if one is."""
        return self._in_units(unit)[2]

    def _in_units(self, unit: np.ndarray) -> tuple:
        known = self.__dict__.get("_known")
        if known is None or known[0] is not unit:
            # The E-step, the M-step and its flags ask in turn. Of next to no variance the inverse
            # is infinite.
            with np.errstate(over="ignore", invalid="ignore"):
                traces = self.inverse_diagonals @ (unit * unit)
            known = self.__dict__["_known"] = unit, traces, float(traces.max())
        return known
