"""Symmetric positive definite matrices, and what follows from them, worked out once."""

from __future__ import annotations

import numpy as np


class PositiveDefinite:
    """matrices (..., D, D), taken to stay as they are, with whitening (..., D, D), the inverse
    Cholesky factors L^-1, inverses (..., D, D) and half_log_determinants (...), in nats.

    Raises LinAlgError where a matrix is not positive definite.
    """

    def __init__(self, matrices: np.ndarray):
        factors = np.linalg.cholesky(matrices)
        whitening = np.linalg.inv(factors)
        self.matrices = matrices
        self.whitening = whitening
        # Of next to no variance the inverse is infinite.
        with np.errstate(over="ignore", invalid="ignore"):
            self.inverses = whitening.swapaxes(-1, -2) @ whitening
        self.half_log_determinants = np.log(diagonals(factors)).sum(axis=-1)
        self._unit = None

    @property
    def inverse_diagonals(self) -> np.ndarray:
        """(..., D)"""
        return diagonals(self.inverses)

    def conditions(self, unit: np.ndarray) -> np.ndarray:
        """(...) traces of the inverses, columns in units of `unit` (D,): at least 1 over the
        smallest eigenvalue."""
        if unit is not self._unit:
            # The E-step, the M-step and its flags ask in turn. `einsum`, unlike products, does not
            # warn of what is infinite.
            self._conditions = np.einsum("...dd,d->...", self.inverses, unit * unit)
            self._highest = float(self._conditions.max())
            self._unit = unit
        return self._conditions

    def highest_condition(self, unit: np.ndarray) -> float:
        """The largest of `conditions`; NaN if one is."""
        if unit is not self._unit:
            self.conditions(unit)
        return self._highest


def diagonals(matrices: np.ndarray) -> np.ndarray:
    """(..., D) of matrices (..., D, D), as a read-only view."""
    return matrices.diagonal(0, -2, -1)
