"""Covariance structures of Gaussian components: one row of `STRUCTURES` each.

The 14 codes of mclust say how volume, shape and orientation are tied: E all components share it,
V each has its own, I there is none (round, or along the coordinate axes). The numbers are worked
out in `volume_shape_orientation.py`. To add another structure, write its `estimate`, count its
free parameters, and add a row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from em_core.volume_shape_orientation import (
    VARIANCES,
    common_axes,
    compose,
    pool,
    price,
    principal_axes,
    proportional,
    root,
    spreads_along,
)

# Without a floor, what keeps logarithms finite: this share of a column's own variance.
NEGLIGIBLE = 1e-40
# A rise of the cost by less than this, in nats per row, is rounding and no other structure.
ROUNDING = 1e-6


class Structure(NamedTuple):
    """How component covariances are tied together.

    estimate(within, shares, minimum=None, current=None): covariances (K, D, D) maximising the
        expected log-density. Every array may have further leading axes.
        within: weighted scatter of each component about its own mean, divided by its count:
        (K, D, D), or its diagonal (K, D) where `diagonal`; shares (K,): the component's share of
        all rows; minimum (D,): Sigma - diag(minimum) must stay positive semi-definite, or None
        where that is known to hold; current (K, D, D): the covariances so far, of this structure,
        from which structures without a closed form continue, and on whose expected log-density
        they only improve. A component with share 0 has no say: `current` stands for its scatter.
    n_parameters(K, D): free parameters of all covariances together.
    diagonal: covariances are diagonal, so only the diagonal of the scatter is needed.
    pooled: all components share one covariance.
    meaning: one plain line for people.
    """

    estimate: Callable[..., np.ndarray]
    n_parameters: Callable[[int, int], int]
    diagonal: bool
    pooled: bool
    meaning: str


def floor_eigenvalues(covariances: np.ndarray, minimum: np.ndarray | None) -> np.ndarray:
    """The closest covariances (in likelihood) with Sigma - diag(minimum) positive semi-definite.

    Eigenvalues below 1 in units of `minimum` are raised to 1: the exact maximiser of
    -log|Sigma| - tr(Sigma^-1 S) under the bound.
    """
    if minimum is None:
        return covariances
    unit = _units(minimum)
    values, vectors = np.linalg.eigh(covariances / unit)
    raised = compose(vectors, np.maximum(values, 1)) * unit
    return np.where(values[..., :1, None] < 1, raised, covariances)


def extreme_eigenvalues(covariances: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """(2, K): smallest and largest eigenvalue of each covariance, columns in units of `scale`."""
    values = np.linalg.eigvalsh(covariances / (scale[:, None] * scale))
    return np.stack([values[..., 0], values[..., -1]])


def _own_everything(variances, within, shares, minimum, current):
    return floor_eigenvalues(within, minimum)


def _shared_everything(variances, within, shares, minimum, current):
    pooled = floor_eigenvalues(pool(within, shares, 2), minimum)
    return np.repeat(pooled[..., None, :, :], shares.shape[-1], axis=-3)


def _coordinate_axes(variances, within, shares, minimum, current):
    lowest = _or_negligible(minimum, within, shares)[..., None, :]
    volumes = _volumes(current, shares)
    values = variances(within, lowest, shares, volumes)
    return values[..., None] * np.eye(within.shape[-1])


# Shape and orientation that are both shared or both free do not depend on the columns' units:
# eigenvalues in units of the floor make it 1 in every direction.


def _own_axes_and_shapes(variances, within, shares, minimum, current):
    unit = _units(_or_negligible(minimum, within, shares))[..., None, :, :]
    values, axes = np.linalg.eigh(within / unit)
    return compose(axes, variances(values, np.ones(1), shares, None)) * unit


def _shared_axes_and_shapes(variances, within, shares, minimum, current):
    unit = _units(_or_negligible(minimum, within, shares))[..., None, :, :]
    return proportional(within / unit, 1, shares, _volumes(current, shares)) * unit


# Other axes that are not the coordinate axes are found first, their floor follows from them.


def _own_axes(variances, within, shares, minimum, current):
    minimum = _or_negligible(minimum, within, shares)
    # Taking them all in order of size is optimal for variances in one common order.
    axes, spreads = principal_axes(within)
    lowest = _lowest_along(axes, minimum[..., None, :])
    values = variances(spreads, lowest, shares, _volumes(current, shares))
    return _unless_worse_by_rounding(compose(axes, values), within, shares, current)


def _shared_axes(variances, within, shares, minimum, current):
    minimum = _or_negligible(minimum, within, shares)
    # Any axes could be a local optimum's: the best of several candidates is where to start.
    starts = [pool(within, shares, 2), *np.moveaxis(within, -3, 0)]
    if current is not None:
        # Unequal parts, so that axes along which the variances balance out still show.
        unequal = 1 / np.sqrt(np.arange(2, shares.shape[-1] + 2))
        starts.append(pool(current, unequal / _volumes(current, shares), 2))
    starts = principal_axes(np.stack(starts))[0]
    factors = root(within)
    axes = common_axes(factors, starts, variances, minimum.min(axis=-1), shares)
    lowest = _lowest_along(axes, minimum)[..., None, :]
    axes = axes[..., None, :, :]
    along = np.swapaxes(axes, -1, -2) @ factors
    values = variances((along * along).sum(axis=-1), lowest, shares, None)
    return _unless_worse_by_rounding(compose(axes, values), within, shares, current)


def _units(minimum):
    unit = np.sqrt(minimum)
    return unit[..., :, None] * unit[..., None, :]


def _or_negligible(minimum, within, shares):
    if minimum is not None:
        return minimum
    if within.ndim > shares.ndim + 1:
        within = np.einsum("...dd->...d", within)
    variances = pool(within, shares, 1)
    largest = variances.max(axis=-1, keepdims=True)
    largest = np.where(largest > 0, largest, 1)
    return NEGLIGIBLE * np.where(variances > NEGLIGIBLE * largest, variances, largest)


def _volumes(current, shares):
    """(..., K) geometric mean of the current variances of each component; 1 where unknown."""
    if current is None:
        return np.ones(shares.shape)
    return np.exp(np.linalg.slogdet(current)[1] / current.shape[-1])


def _lowest_along(axes, minimum):
    """(..., D) variances along given axes that are enough for Sigma - diag(minimum) >= 0.

    The least there are where the axes are the coordinate axes or `minimum` is a constant.
    """
    bound = np.swapaxes(axes, -1, -2) @ (minimum[..., :, None] * axes)
    diagonal = np.einsum("...dd->...d", bound)
    return diagonal * np.linalg.eigvalsh(bound / _units(diagonal))[..., -1:]


def _unless_worse_by_rounding(covariances, within, shares, current):
    """Where a finished maximisation has only rounding to offer, the current covariances."""
    if current is None:
        return covariances
    unit = _units(np.einsum("...dd->...d", current))
    rise = _cost(covariances / unit, within / unit, shares)
    rise = rise - _cost(current / unit, within / unit, shares)
    stay = (rise > 0) & (rise < ROUNDING)
    return np.where(stay[..., None, None, None], current, covariances)


def _cost(covariances, within, shares):
    values, axes = np.linalg.eigh(covariances)
    definite = (values > 0).all(axis=(-2, -1))
    values = np.where(values > 0, values, 1)
    return np.where(definite, price(values, spreads_along(axes, within), shares), np.inf)


def _structure(code: str, meaning: str) -> Structure:
    volume, shape, orientation = code
    if orientation == "I":
        solve = _coordinate_axes
    elif orientation == "V":
        solve = {"VVV": _own_everything, "EVV": _own_axes_and_shapes}.get(code, _own_axes)
    else:
        solve = {"EEE": _shared_everything, "VEE": _shared_axes_and_shapes}.get(code, _shared_axes)
    variances = VARIANCES[volume + shape]

    def estimate(within, shares, minimum=None, current=None):
        within = _heard(within, shares, current)
        return solve(variances, within, shares, minimum, current)

    def n_parameters(k: int, d: int) -> int:
        volumes = {"E": 1, "V": k}[volume]
        shapes = {"I": 0, "E": 1, "V": k}[shape]
        orientations = {"I": 0, "E": 1, "V": k}[orientation]
        return volumes + shapes * (d - 1) + orientations * (d * (d - 1) // 2)

    return Structure(estimate, n_parameters, orientation == "I", "V" not in code, meaning)


def _heard(within, shares, current):
    """The scatter, and for components without rows the current covariance in its place."""
    silent = (shares <= 0).reshape(shares.shape + (1,) * (within.ndim - shares.ndim))
    if not silent.any():
        return within
    within = np.where(silent, 0, within)
    if current is None:
        stand_in = pool(within, shares, within.ndim - shares.ndim)
        stand_in = np.expand_dims(stand_in, shares.ndim - 1)
    elif current.ndim > within.ndim:
        stand_in = np.einsum("...dd->...d", current)
    else:
        stand_in = current
    return np.where(silent, stand_in, within)


MCLUST = {
    code: _structure(code, meaning)
    for code, meaning in {
        "EII": "round, all of one size",
        "VII": "round, each with its own size",
        "EEI": "one size and shape, aligned with the axes",
        "VEI": "own size, one shape, aligned with the axes",
        "EVI": "one size, own shape, aligned with the axes",
        "VVI": "own size and shape, aligned with the axes",
        "EEE": "all components share one size, shape and direction",
        "VEE": "own size, one shape and direction",
        "EVE": "one size and direction, own shape",
        "VVE": "own size and shape, one direction",
        "EEV": "one size and shape, own direction",
        "VEV": "own size and direction, one shape",
        "EVV": "one size, own shape and direction",
        "VVV": "every component has its own size, shape and direction",
    }.items()
}
# Other names of the same structures: the usual ones, and mclust's in one dimension.
ALIASES = {
    "full": "VVV", "tied": "EEE", "diag": "VVI", "spherical": "VII", "E": "EII", "V": "VII",
}  # fmt: skip
STRUCTURES = {name: MCLUST[code] for name, code in ALIASES.items()} | MCLUST
