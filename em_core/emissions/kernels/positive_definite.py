"""Symmetric positive definite matrices, and what follows from them, worked out once."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from em_core.emissions.kernels.extremes import largest, smallest

# Products of two variances in between, and their inverses in any unit, do not overflow.
SMALLEST_IN_RANGE, LARGEST_IN_RANGE = 1e-80, 1e80
# Times a matrix of two columns turned by half a turn: its determinant times its inverse.
ADJUGATE_SIGNS = np.array([[1.0, -1.0], [-1.0, 1.0]])


class PositiveDefinite:
    """matrices (..., D, D), taken to stay as they are, with whitening (..., D, D), the inverse
    Cholesky factors L^-1, inverses (..., D, D) and half_log_determinants (...), in nats.

    Raises LinAlgError where a matrix is not positive definite.
    """

    def __init__(self, matrices: np.ndarray):
        self.matrices = matrices
        self._unit = None
        self._in_range = matrices.shape[-1] <= 2 and self._eliminate()
        if self._in_range:
            return
        self.whitening, self.half_log_determinants = _factorised(matrices)
        # Of next to no variance the inverse is infinite.
        with np.errstate(over="ignore", invalid="ignore"):
            self.inverses = self.whitening.swapaxes(-1, -2) @ self.whitening

    def _eliminate(self) -> bool:
        """The closed form of one or two columns: of a few matrices LAPACK needs twice as long. As
        exact, as the pivots are the squares of the Cholesky factors' diagonals. False where a
        pivot is not positive, or out of range."""
        variances = diagonals(self.matrices)
        # NaN is not positive either.
        if not (smallest(variances) > SMALLEST_IN_RANGE and largest(variances) < LARGEST_IN_RANGE):
            return False
        first = variances[..., 0]
        if variances.shape[-1] == 1:
            determinants, adjugates = first, 1.0
        else:
            cross = self.matrices[..., 0, 1]
            last = variances[..., 1] - cross / first * cross
            if not smallest(last) > SMALLEST_IN_RANGE:
                return False
            determinants, adjugates = first * last, self.matrices[..., ::-1, ::-1] * ADJUGATE_SIGNS
        self.inverses = adjugates / determinants[..., None, None]
        self.half_log_determinants = 0.5 * np.log(determinants)
        return True

    @cached_property
    def whitening(self) -> np.ndarray:
        """(..., D, D) inverse Cholesky factors L^-1."""
        return _factorised(self.matrices)[0]

    @property
    def inverse_diagonals(self) -> np.ndarray:
        """(..., D)"""
        return diagonals(self.inverses)

    def conditions(self, unit: np.ndarray) -> np.ndarray:
        """(...) traces of the inverses, columns in units of `unit` (D,): at least 1 over the
        smallest eigenvalue."""
        if unit is not self._unit:
            # The E-step, the M-step and its flags ask in turn.
            if self._in_range:
                self._conditions = np.vecdot(diagonals(self.inverses), unit * unit)
            else:
                # Slower, but does not warn of what is infinite.
                self._conditions = np.einsum("...dd,d->...", self.inverses, unit * unit)
            self._highest = largest(self._conditions)
            self._unit = unit
        return self._conditions

    def highest_condition(self, unit: np.ndarray) -> float:
        """The largest of `conditions`; NaN if one is."""
        if unit is not self._unit:
            self.conditions(unit)
        return self._highest


def _factorised(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inverse Cholesky factors (..., D, D) and half the log-determinants (...), in nats.

    In units of the columns' deviations: where those differ by a factor of 1e12, inverting the
    factors as they are would lose as many digits.
    """
    variances = diagonals(matrices)
    # Not "any is 0 or less": NaN is not positive either.
    if not smallest(variances) > 0:
        raise np.linalg.LinAlgError("a variance is not positive")
    deviations = np.sqrt(variances)
    correlations = matrices / deviations[..., :, None] / deviations[..., None, :]
    factors = np.linalg.cholesky(correlations)
    whitening = np.linalg.inv(factors) / deviations[..., None, :]
    logs = np.log(diagonals(factors)) + np.log(deviations)
    return whitening, logs.sum(axis=-1)


def diagonals(matrices: np.ndarray) -> np.ndarray:
    """(..., D) of matrices (..., D, D), as a read-only view."""
    return matrices.diagonal(0, -2, -1)
