"""The delta method: from the covariance of coordinates to functions of parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from em_core.coordinates.domains import LIMIT
from em_core.inference.uncertainty.polishing import Top
from em_core.inference.uncertainty.quantities import Quantity, Scale
from em_core.inference.uncertainty.surface import Surface

# A number of whose slope a larger share lies along what the data do not tell is not known.
UNKNOWN = 1e-3


class Reported(NamedTuple):
    """One number: "mean (2, 1)" is of component 2 and column 1; place is that from 0.

    Where there is no interval, as it is held fixed or not identified, the others are NaN.
    """

    name: str
    estimate: float
    standard_error: float
    lower: float
    upper: float
    quantity: str
    place: tuple[int, ...]


def by_delta_method(
    surface: Surface,
    top: Top,
    root: np.ndarray,
    z: float,
    function: Callable[[Any], list[Quantity]],
) -> tuple[list[Reported], np.ndarray]:
    """What a function of parameters is at a top, with intervals of z standard errors to each side,
    and a root (M, s) of the numbers' covariance, from that of the coordinates (P, s)."""

    def numbers(params) -> np.ndarray:
        return np.concatenate([quantity.values for quantity in function(params)])

    slopes = surface.differences(numbers, top.point.vector, ~top.held)
    roots = slopes @ root
    errors = np.linalg.norm(roots, axis=1)
    errors[_share_unknown(slopes, top) > UNKNOWN] = np.nan
    rows = []
    for name, places, scales, values in function(top.point.params):
        for place, scale, estimate in zip(places, scales, values.tolist(), strict=True):
            error = float(errors[len(rows)])
            ends = np.nan, np.nan
            if has_interval(estimate, error, scale):
                ends = interval(estimate, error, z, scale)
            else:
                error = np.nan
            rows.append(Reported(named(name, place), estimate, error, *ends, name, place))
    roots[np.isnan([row.standard_error for row in rows])] = np.nan
    return rows, roots


def named(quantity: str, place: tuple[int, ...]) -> str:
    """ "mean (2, 1)": places are counted from 1."""
    return f"{quantity} ({', '.join(str(i + 1) for i in place)})" if place else quantity


def has_interval(estimate: float, error: float, scale: Scale) -> bool:
    """Whether a number is an estimate with an error, and not at a limit of what it can be."""
    if scale is None or not np.isfinite(estimate) or not error > 0:
        return False
    return scale != "logit" or min(estimate, 1 - estimate) > LIMIT


def _probability(log_odds: float) -> float:
    return np.exp(-np.logaddexp(0, -log_odds))


def interval(estimate: float, error: float, z: float, scale: Scale) -> tuple[float, float]:
    """estimate -+ z errors on the scale of the number, in its own units."""
    if scale == "log":
        # An error of many times the number is no number in the end.
        with np.errstate(over="ignore"):
            factor = np.exp(z * error / estimate)
        return float(estimate / factor), float(estimate * factor)
    if scale == "correlation":
        middle, half = np.arctanh(estimate), z * error / (1 - estimate**2)
        return float(np.tanh(middle - half)), float(np.tanh(middle + half))
    if scale == "logit":
        odds = np.log(estimate) - np.log1p(-estimate)
        half = z * error / (estimate * (1 - estimate))
        return float(_probability(odds - half)), float(_probability(odds + half))
    return estimate - z * error, estimate + z * error


def _share_unknown(slopes: np.ndarray, top: Top) -> np.ndarray:
    """(M,) how much of each number's slope (M, P) lies outside of what the data tell."""
    along = slopes @ top.directions
    outside = np.linalg.norm(slopes - along @ top.directions.T, axis=1)
    in_units = along / top.units
    hidden = np.linalg.norm(in_units @ top.axes[:, ~top.known], axis=1)
    lengths, all_in_units = np.linalg.norm(slopes, axis=1), np.linalg.norm(in_units, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.fmax(outside / lengths, hidden / all_in_units)
    return np.where(lengths > 0, shares, np.inf)
