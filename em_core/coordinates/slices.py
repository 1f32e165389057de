"""A slice through parameter space: the log-likelihood along a line, and the bound under it.

The line runs through `Coordinates`, so every point of it is a valid model. The bound of a given q
costs no pass over the data: `expected_log_joint(params, statistics) + entropy`. It touches the
log-likelihood where q is the posterior, with the same slope (Fisher's identity), and is below it
everywhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from em_core.coordinates.coordinates import Coordinates
from em_core.data import prepare
from em_core.half_steps import Expectation
from em_core.protocols import Emission, optional

# So many models share one pass over the data, where the model can be batched.
SIDE_BY_SIDE = 32
# Central differences at 1, 2, ... steps to either side: of eighth order, and of fourth for whole
# gradients, which need one for each coordinate where a model does not give them itself.
EIGHTH = np.array([4 / 5, -1 / 5, 4 / 105, -1 / 280])
FOURTH = np.array([2 / 3, -1 / 12])
# In units of a coordinate: truncation, about STEP^4, and rounding / STEP are both far below the
# 1e-6 that slopes are compared to.
STEP = 2e-3


class Line(NamedTuple):
    """The points origin + t * direction (P,) of some coordinates."""

    coordinates: Coordinates
    origin: np.ndarray
    direction: np.ndarray

    def vectors(self, positions) -> np.ndarray:
        """(T, P) the points at positions t (T,)."""
        return self.origin + np.multiply.outer(np.asarray(positions, dtype=float), self.direction)

    def params(self, position: float):
        """The parameters at one position."""
        return self.coordinates.params(self.vectors(position))


class Slice(NamedTuple):
    """Heights along a line in nats, totals: the bound and the log-likelihood at positions (T,)."""

    positions: np.ndarray
    bound: np.ndarray
    log_likelihood: np.ndarray


def line_between(model, start, end) -> Line:
    """The line from `start`, at position 0, to `end`, at position 1."""
    coordinates = Coordinates(model, start)
    origin = coordinates.vector(start)
    return Line(coordinates, origin, coordinates.vector(end) - origin)


def line_along(model, params, position: int) -> Line:
    """The line through `params` along one coordinate: see `Coordinates.named`."""
    coordinates = Coordinates(model, params)
    direction = np.zeros(coordinates.size)
    direction[position] = 1
    return Line(coordinates, coordinates.vector(params), direction)


def slice_of(model, data, line: Line, positions, q: Expectation, weights=None) -> Slice:
    """Bound of q and log-likelihood along a line; data may be prepared, with their weights."""
    positions = np.asarray(positions, dtype=float)
    vectors = line.vectors(positions)
    return Slice(
        positions,
        bounds(model, line.coordinates, vectors, q),
        log_likelihoods(model, data, line.coordinates, vectors, weights),
    )


def slice_between(model, data, start, end, positions, q: Expectation | None = None) -> Slice:
    """The slice through `start` (position 0) and `end` (1), under the bound of the posterior at
    `start`, or of another q."""
    q = model.e_step(start, data) if q is None else q
    return slice_of(model, data, line_between(model, start, end), positions, q)


def bounds(model, coordinates: Coordinates, vectors: np.ndarray, q: Expectation) -> np.ndarray:
    """(T,) ELBO(q, params) in nats at coordinates (T, P), without a pass over the data."""
    return q.entropy + _heights(
        model, coordinates, vectors, lambda params: model.expected_log_joint(params, q.statistics)
    )


def log_likelihoods(
    model, data, coordinates: Coordinates, vectors: np.ndarray, weights=None
) -> np.ndarray:
    """(T,) log p(data | params) in nats at coordinates (T, P), in few passes over the data."""
    if isinstance(data, np.ndarray):
        data = prepare(model, data, weights)
    return _heights(
        model,
        coordinates,
        vectors,
        lambda params: model.e_step(params, data, weights).log_likelihood,
    )


def _heights(
    model, coordinates: Coordinates, vectors: np.ndarray, height: Callable[[Any], Any]
) -> np.ndarray:
    if not optional(model, "batches"):
        return np.array([height(coordinates.params(vector)) for vector in vectors])
    parts = [vectors[i : i + SIDE_BY_SIDE] for i in range(0, len(vectors), SIDE_BY_SIDE)]
    return np.concatenate([height(coordinates.params(part)) for part in parts])


def has_gradient(model) -> bool:
    """Whether a model, and the emission it may have, gives the gradient of its Q."""
    emission = optional(model, "emission")
    return bool(optional(model, "expected_log_joint_gradient")) and (
        emission is None or bool(optional(emission, "expected_log_density_gradient", Emission))
    )


def bound_gradient(
    model,
    coordinates: Coordinates,
    vector: np.ndarray,
    q: Expectation,
    block: slice = slice(None),
    *,
    by_differences: bool = False,
) -> np.ndarray:
    """(P,) gradient of the bound of q at coordinates (P,), in nats, or a block of it.

    Where q is the posterior it is the gradient of the log-likelihood (Fisher's identity:
    grad log p(x) = E_q[grad log p(x, z)]), at no pass over the data beyond the one that gave q.
    A model that does not give its `expected_log_joint_gradient` is taken by differences, good to
    eight digits or more, at four bounds for each coordinate; `by_differences` any model.
    """
    if has_gradient(model) and not by_differences:
        return coordinates.gradient(
            vector, lambda params: model.expected_log_joint_gradient(params, q.statistics)
        )[block]
    directions = np.eye(len(vector))[block]
    offsets, differences = central(FOURTH)
    points = (vector + STEP * directions[:, None] * offsets[:, None]).reshape(-1, len(vector))
    heights = bounds(model, coordinates, points, q).reshape(len(directions), -1)
    return heights @ differences / STEP


def slopes(model, data, line: Line, q: Expectation, weights=None) -> tuple[float, float]:
    """Slopes of the bound of q and of the log-likelihood at position 0, in nats per unit."""
    step = STEP / max(np.abs(line.direction).max(), STEP**2)
    offsets, differences = central(EIGHTH)
    at = slice_of(model, data, line, step * offsets, q, weights)
    of_bound, of_likelihood = (h @ differences / step for h in (at.bound, at.log_likelihood))
    return float(of_bound), float(of_likelihood)


def central(half: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The steps to either side, and what the heights there count for."""
    steps = np.arange(1.0, len(half) + 1)
    return np.concatenate([-steps[::-1], steps]), np.concatenate([-half[::-1], half])
