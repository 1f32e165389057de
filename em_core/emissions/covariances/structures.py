"""Covariance structures of Gaussian components: one row of `STRUCTURES` each.

The 14 codes of mclust say how volume, shape and orientation are tied: E all components share it,
V each has its own, I there is none (round, or along the coordinate axes). The numbers are worked
out in `volume_shape_orientation.py` and `orientations.py`. To add another structure, write its
`estimate`, count its free parameters, and add a row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from em_core.coordinates.domains import Covariances, Oriented
from em_core.emissions.covariances.orientations import (
    common_axes,
    compose,
    principal_axes,
    proportional,
    root,
)
from em_core.emissions.covariances.volume_shape_orientation import VARIANCES, pool, volumes_so_far
from em_core.emissions.kernels.extremes import smallest
from em_core.emissions.kernels.rows import units_of
from em_core.protocols import Domain

# A rise of the cost by less than this, in nats per row, is rounding and no other structure.
ROUNDING = 1e-6
# Give or take this factor, an eigenvalue is at its floor.
AT_FLOOR = 1 + 1e-3


class Structure(NamedTuple):
    """How component covariances are tied together.

    estimate(within, shares, minimum=None, current=None): covariances (K, D, D) maximising the
        expected log-density. Every array but `minimum` may have further leading axes.
        within: weighted scatter of each component about its own mean, divided by its count:
        (K, D, D), or its diagonal (K, D) where `diagonal`.
        shares (K,): the component's share of all rows.
        minimum (D,): Sigma - diag(minimum) must stay positive semi-definite (for EEV, VEV, EVE
        and VVE: along the axes of Sigma, so that its eigenvalues in units of `minimum` may be as
        small as 1 / D), or None where that is known to hold.
        current (K, D, D): the covariances so far, of this structure. Where there is no closed
        form the search goes on from them, and never ends worse. A component with share 0 has no
        say: its current covariance stands for its scatter.
    n_parameters(K, D): free parameters of all covariances together.
    diagonal: covariances are diagonal, so only the diagonal of the scatter is needed.
    pooled: all components share one covariance.
    domain(covariances): where these (K, D, D) may lie, for `Coordinates`.
    meaning: one plain line for people.
    """

    estimate: Callable[..., np.ndarray]
    n_parameters: Callable[[int, int], int]
    diagonal: bool
    pooled: bool
    domain: Callable[[np.ndarray], Domain]
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
    lowest = np.zeros((1, 1)) if minimum is None else minimum[..., None, :]
    values = variances(within, lowest, shares, current)
    return values[..., None] * np.eye(within.shape[-1])


# Shape and orientation that are both shared or both free do not depend on the columns' units:
# eigenvalues in units of the floor make it 1 in every direction.


def _own_axes_and_shapes(variances, within, shares, minimum, current):
    unit, lowest = _floor_as_unit(minimum, within, shares)
    values, axes = np.linalg.eigh(within / unit)
    return compose(axes, variances(values, np.full((1, 1), lowest), shares, None)) * unit


def _shared_axes_and_shapes(variances, within, shares, minimum, current):
    unit, lowest = _floor_as_unit(minimum, within, shares)
    return proportional(within / unit, lowest, shares, current) * unit


# Other axes that are not the coordinate axes are found first. Their floor follows from them.


def _own_axes(variances, within, shares, minimum, current):
    # Taking them all in order of size is optimal for variances in one common order.
    axes, spreads = principal_axes(within)
    values = variances(spreads, _along(axes, minimum), shares, current)
    return compose(axes, values)


def _shared_axes(variances, within, shares, minimum, current):
    # The axes have local optima: the best of several candidates is where to start.
    starts = [pool(within, shares, 2), *np.moveaxis(within, -3, 0)]
    if current is not None:
        # Unequal parts, so that axes along which the variances balance out still show.
        unequal = 1 / np.sqrt(np.arange(2, shares.shape[-1] + 2))
        starts.append(pool(current, unequal / volumes_so_far(current, shares), 2))
    starts = principal_axes(np.stack(starts))[0]
    factors = root(within)
    smallest = 0 if minimum is None else minimum.min()
    axes = common_axes(factors, starts, variances, smallest, shares)[..., None, :, :]
    along = np.swapaxes(axes, -1, -2) @ factors
    spreads = (along * along).sum(axis=-1)
    values = variances(spreads, _along(axes, minimum), shares, None)
    return compose(axes, values)


def _units(minimum):
    unit = np.sqrt(minimum)
    return unit[..., :, None] * unit[..., None, :]


def _floor_as_unit(minimum, within, shares):
    """(..., 1, D, D) units in which the floor is the second result, 1 or 0."""
    if minimum is not None:
        return _units(minimum), 1.0
    variances = np.einsum("...dd->...d", pool(within, shares, 2))
    return _units(units_of(variances))[..., None, :, :], 0.0


def _along(axes, minimum):
    """(..., D) variance of `minimum` along given axes; 0 for None."""
    if minimum is None:
        return np.zeros((1, 1))
    return (axes * axes * minimum[:, None]).sum(axis=-2)


def _unless_worse_by_rounding(covariances, within, shares, current):
    """Where a finished maximisation has only rounding to offer, the current covariances."""
    try:
        # Of next to no variance the precision is infinite: then nothing is known of a rise.
        with np.errstate(over="ignore", invalid="ignore"):
            rise = _cost(covariances, within, shares) - _cost(current, within, shares)
    except np.linalg.LinAlgError:
        return covariances
    stay = (rise > 0) & (rise < ROUNDING)
    return np.where(stay[..., None, None, None], current, covariances)


def _cost(covariances, within, shares):
    factors = np.linalg.cholesky(covariances)
    whitening = np.linalg.inv(factors)
    precisions = np.swapaxes(whitening, -1, -2) @ whitening
    logs = 2 * np.log(np.einsum("...dd->...d", factors)).sum(axis=-1)
    return (shares * (logs + (precisions * within).sum(axis=(-1, -2)))).sum(axis=-1)


def _structure(code: str, meaning: str) -> Structure:
    volume, shape, orientation = code
    if orientation == "I":
        solve = _coordinate_axes
    elif orientation == "V":
        solve = {"VVV": _own_everything, "EVV": _own_axes_and_shapes}.get(code, _own_axes)
    else:
        solve = {"EEE": _shared_everything, "VEE": _shared_axes_and_shapes}.get(code, _shared_axes)
    variances = VARIANCES[volume + shape]
    exact = orientation == "I" or code in ("EEE", "VVV")

    def estimate(within, shares, minimum=None, current=None):
        within = _heard(within, shares, current)
        covariances = solve(variances, within, shares, minimum, current)
        if exact or current is None:
            return covariances
        return _unless_worse_by_rounding(covariances, within, shares, current)

    def n_parameters(k: int, d: int) -> int:
        volumes = {"E": 1, "V": k}[volume]
        shapes = {"I": 0, "E": 1, "V": k}[shape]
        orientations = {"I": 0, "E": 1, "V": k}[orientation]
        return volumes + shapes * (d - 1) + orientations * (d * (d - 1) // 2)

    def domain(covariances) -> Domain:
        if code in ("VVV", "EEE", "VVI", "EEI"):
            return Covariances(covariances, pooled=volume == "E", diagonal=orientation == "I")
        tied = {"I": None, "E": True, "V": False}
        return Oriented(covariances, volume == "E", tied[shape], tied[orientation])

    pooled, diagonal = "V" not in code, orientation == "I"
    return Structure(estimate, n_parameters, diagonal, pooled, domain, meaning)


def _heard(within, shares, current):
    """The scatter, and for components without rows the current covariance in its place."""
    if smallest(shares) > 0:
        return within
    silent = (shares <= 0).reshape(shares.shape + (1,) * (within.ndim - shares.ndim))
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
