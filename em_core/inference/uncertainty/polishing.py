"""From where EM stopped to the top itself, by Newton's method on the exact score."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from em_core.inference.uncertainty.surface import Point, Surface

# Half the square of the way to the top in standard errors, about, is what is left to gain there.
LEAST_GAIN = 1e-10
MOST_STEPS, MOST_HALVINGS, LONGEST_STEP = 40, 30, 2.0
ROUNDING = 1e-12
# With every coordinate in units of its own information, directions of less than this have none.
SINGULAR = 1e-7


class Top(NamedTuple):
    """A maximum of the log-likelihood, and its curvature.

    held (P,): coordinates at a limit. directions (P, r): in which it could move. units (r,) and
    values (r,), axes (r, r): the information along them is units axes diag(values) axes^T units.
    known (r,): which of the values are not 0. moved: how far it was from where EM stopped, in
    standard errors.
    """

    point: Point
    held: np.ndarray
    directions: np.ndarray
    units: np.ndarray
    values: np.ndarray
    axes: np.ndarray
    known: np.ndarray
    moved: float

    @property
    def root(self) -> np.ndarray:
        """(P, s) a root of the covariance of the coordinates: root root^T, without what is not
        known."""
        own = self.axes[:, self.known] / np.sqrt(self.values[self.known])
        return self.directions @ (own / self.units[:, None])


def polished(surface: Surface, vector: np.ndarray) -> Top:
    """The top near coordinates (P,).

    Where the information is not positive definite, the step goes up along all its axes; a step that
    goes down is cut in half. Raises ValueError where no top is reached.
    """
    point, moved = surface.at(vector), 0.0
    for _ in range(MOST_STEPS):
        held = surface.held(point)
        directions = surface.directions(point, held)
        score = directions.T @ surface.score(point)
        information = surface.information(point, directions)
        diagonal = np.abs(np.diag(information))
        units = np.sqrt(np.maximum(diagonal, 1e-14 * diagonal.max(initial=1e-300)))
        values, axes = np.linalg.eigh(information / (units[:, None] * units))
        slopes = axes.T @ (score / units)
        known = np.abs(values) > SINGULAR
        gain = float((slopes[known] ** 2 / np.abs(values[known])).sum())
        if gain < LEAST_GAIN:
            break
        moved += np.sqrt(gain)
        step = directions @ (axes @ (slopes / np.maximum(np.abs(values), SINGULAR)) / units)
        step *= min(1.0, LONGEST_STEP / np.abs(step).max())
        further = _along(surface, point, step)
        if further is None:
            raise ValueError(_no_top("cannot be climbed on from where the fit ended"))
        point = further
    else:
        raise ValueError(_no_top("goes on rising beyond where the fit ended"))
    if (values < -SINGULAR).any():
        raise ValueError(_no_top("is a saddle where the fit ended"))
    return Top(point, held, directions, units, values, axes, values > SINGULAR, moved)


def _along(surface: Surface, point: Point, step: np.ndarray) -> Point | None:
    """The furthest of ever shorter steps at which the log-likelihood does not fall."""
    least = point.height - ROUNDING * max(abs(point.height), 1.0)
    for _ in range(MOST_HALVINGS):
        try:
            there = surface.at(point.vector + step)
        except np.linalg.LinAlgError:
            there = None  # so far out that a covariance is singular to rounding
        if there is not None and there.height >= least:
            return there
        step = step / 2
    return None


def _no_top(why: str) -> str:
    return (
        f"the log-likelihood {why}: run EM for longer, or with a smaller tolerance, before asking "
        "for intervals"
    )
