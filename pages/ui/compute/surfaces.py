"""Bound and likelihood over two parameters, and the way of the iterates."""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple

import numpy as np

from em_core.coordinates.coordinates import Coordinate, Coordinates
from em_core.coordinates.slices import bounds, log_likelihoods
from pages.ui.compute.climbing import Ended

GRID = 31
# Of two parameters that share a constraint neither moves alone.
APART = ("mean", "standard deviation", "rate", "loading", "noise variance", "degrees of freedom")


class BoundSurface(NamedTuple):
    """Heights over two parameters: x, y (G,), likelihood and bound (G, G) with a row for each y;
    path (I, 2): the iterates, the one shown is path[at]."""

    x: np.ndarray
    y: np.ndarray
    likelihood: np.ndarray
    bound: np.ndarray
    path: np.ndarray
    at: int


def seconds_for(first: Coordinate, coordinates: Coordinates) -> tuple[Coordinate, ...]:
    """The parameters that can be drawn against a first one."""
    block = next(b for b in coordinates.blocks() if b.start <= first.position < b.stop)
    return tuple(
        other
        for other in coordinates.named
        if other.position != first.position
        and (
            not block.start <= other.position < block.stop
            or {first.quantity, other.quantity} <= set(APART)
        )
    )


def surface_work(
    run: Ended, index: int, first: Coordinate, second: Coordinate
) -> Generator[float, None, BoundSurface]:
    """Work on the surface around the parameters of a half-step."""
    model, steps = run.model, run.trace
    step = steps[index]
    data, weights = run.rows
    coordinates = Coordinates(model, step.params)
    origin = coordinates.vector(step.params)
    iterates = [s for s in steps if s.phase != "E"]
    places = [first.position, second.position]
    ways = np.array([coordinates.vector(s.params)[places] for s in iterates]) - origin[places]
    low, high = np.clip(ways.min(axis=0), -4, -0.5) - 0.4, np.clip(ways.max(axis=0), 0.5, 4) + 0.4
    grids = np.linspace(low, high, GRID)
    axes = []
    for grid, place in zip(grids.T, places, strict=True):
        vectors = np.repeat(origin[None], GRID, axis=0)
        vectors[:, place] += grid
        axes.append(coordinates.value_along(place, vectors))
    q = model.e_step(step.posterior_params, data, weights)
    likelihood, bound = np.empty((2, GRID, GRID))
    for line, offset in enumerate(grids[:, 1]):
        vectors = np.repeat(origin[None], GRID, axis=0)
        vectors[:, places[0]] += grids[:, 0]
        vectors[:, places[1]] += offset
        likelihood[line] = log_likelihoods(model, data, coordinates, vectors, weights)
        bound[line] = bounds(model, coordinates, vectors, q)
        yield (line + 1) / GRID
    path = np.array([coordinates.values(s.params)[places] for s in iterates])
    at = max(i for i, s in enumerate(iterates) if s.iteration <= step.iteration)
    return BoundSurface(*axes, likelihood, bound, path, at)
