"""How large and how small the numbers may be that models reckon with.

A squared distance in units of the smallest deviation, summed over any number of rows, stays below
the largest double: so nothing that is accepted overflows on the way to a density.
"""

from __future__ import annotations

import numpy as np

LARGEST_VALUE = 1e60
# In standard deviations of the rows: at twice as many digits as this has, nothing is left of what
# the rows differ by where their squares about a point so far away are subtracted.
FARTHEST_MEAN = 1e6
SMALLEST_DEVIATION, LARGEST_DEVIATION = 1e-60, 1e60
# By so much at least the rows differ in a column that varies: the smallest deviation of a component
# is far less than that of the column.
LEAST_SPREAD = 1e-50
# Between the two halves of a covariance, in units of the columns' deviations.
ASYMMETRY = 1e-9
# Of so many rows it is seen first: nearly all columns vary there.
FIRST_ROWS = 100


def require_values(values: np.ndarray, name: str) -> None:
    """Raises ValueError where numbers in the data's units, such as means and loadings, are not
    finite or too large."""
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite numbers")
    if np.abs(values).max(initial=0) > LARGEST_VALUE:
        raise ValueError(
            f"{name} must lie between -{LARGEST_VALUE:g} and {LARGEST_VALUE:g}: use another unit"
        )


def require_spread(data: np.ndarray) -> None:
    """Raises ValueError where a column of rows (N, D), of which values may be missing, varies, but
    by so little that nothing would be left of its squares."""
    narrow = np.flatnonzero(~(_spans(data[:FIRST_ROWS]) >= LEAST_SPREAD))
    spans = _spans(data[:, narrow])
    if (tiny := narrow[(spans > 0) & (spans < LEAST_SPREAD)]).size:
        raise ValueError(
            f"column {tiny[0] + 1} varies by less than {LEAST_SPREAD:g}: use a smaller unit"
        )


def _spans(data: np.ndarray) -> np.ndarray:
    """(D,) the largest value of each column less the smallest; NaN where there is none."""
    with np.errstate(invalid="ignore"):  # infinite values are found by others
        return np.fmax.reduce(data, axis=0) - np.fmin.reduce(data, axis=0)


def require_variances(variances: np.ndarray, name: str) -> None:
    """Raises ValueError where variances, such as the diagonals of covariances, are not positive and
    finite, too small or too large."""
    if not np.isfinite(variances).all() or np.min(variances) <= 0:
        raise ValueError(f"{name} must be positive and finite")
    lowest, highest = SMALLEST_DEVIATION**2, LARGEST_DEVIATION**2
    if np.min(variances) < lowest or np.max(variances) > highest:
        raise ValueError(f"{name} must lie between {lowest:g} and {highest:g}: use another unit")


def require_symmetric(covariance: np.ndarray, name: str) -> None:
    """Raises ValueError where a covariance (D, D) is not symmetric, by more than rounding leaves in
    columns of such deviations."""
    deviations = np.sqrt(np.abs(np.diag(covariance)))
    apart = np.abs(covariance - covariance.T)
    if (apart > ASYMMETRY * np.outer(deviations, deviations)).any():
        raise ValueError(f"{name} is not symmetric")


def require_near(mean: np.ndarray, rows: np.ndarray) -> None:
    """Raises ValueError where a mean (D,) to start from is too far from the rows (N, D) for their
    squares about it to tell anything else."""
    deviations = np.nanstd(rows, axis=0)
    deviations = np.where(deviations > 0, deviations, deviations.max() or 1.0)
    distances = np.abs(mean - np.nanmean(rows, axis=0)) / deviations
    if distances.max() > FARTHEST_MEAN:
        column = int(distances.argmax())
        raise ValueError(
            f"the mean of column {column + 1} lies {distances[column]:.2g} standard deviations "
            f"from the rows: take one within {FARTHEST_MEAN:,.0f}"
        )


def shares_of(values: np.ndarray) -> np.ndarray:
    """Numbers (..., K) that are not negative and of which not all are 0, divided by their sum
    along the last axis."""
    if values.max() > LARGEST_VALUE:  # sums of any numbers up to this are finite
        values = values / values.max(axis=-1, keepdims=True)
    return values / values.sum(axis=-1, keepdims=True)
