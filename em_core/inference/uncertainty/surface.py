"""The log-likelihood of given data as a smooth surface over the coordinates of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from em_core.coordinates.coordinates import Coordinates
from em_core.coordinates.domains import LIMIT, Derived, Shares
from em_core.coordinates.slices import bound_gradient
from em_core.em import e_steps
from em_core.half_steps import Expectation
from em_core.protocols import optional
from em_core.search.identified import log_densities
from em_core.standardised import as_it_is

# Of central differences of scores and of rows' log-densities, in units of the coordinates, which
# are those of the parameters' own size: truncation and rounding are both about 1e-8 of the result.
STEP = 1e-4
# Of what parameters do to the distribution, directions of less than this share do nothing.
FLAT = 1e-6


class Point(NamedTuple):
    """Coordinates (P,), the parameters there, and the E-step of the data at them."""

    vector: np.ndarray
    params: Any
    q: Expectation

    @property
    def height(self) -> float:
        """The log-likelihood, in nats."""
        return self.q.log_likelihood


class Surface:
    """log p(data | params) of a model with coordinates near some parameters.

    data: as the model checks them, or a table in pieces. e_step(params): over all of them.
    """

    def __init__(self, model, data, weights, params):
        self.model, self.data, self.weights = model, data, weights
        self.e_step = e_steps(model, data, weights)
        self.coordinates = Coordinates(model, params)

    def at(self, vector: np.ndarray) -> Point:
        """The point at coordinates (P,)."""
        params = self.coordinates.params(vector)
        return Point(vector, params, self.e_step(params))

    def score(self, point: Point) -> np.ndarray:
        """(P,) gradient of the log-likelihood by Fisher's identity: that of Q where it touches."""
        return bound_gradient(self.model, self.coordinates, point.vector, point.q)

    def held(self, point: Point) -> np.ndarray:
        """(P,) which coordinates have no room to one side: a probability of 0, a variance at its
        floor. At a floor of a covariance all that makes this covariance is held."""
        held = self.coordinates.at_limit(point.params)
        masks = optional(self.model, "at_floor")(point.params, point.q.statistics)
        if any(mask.any() for mask in masks.values()):
            there = self.differences(
                lambda params: np.concatenate(
                    [np.ravel(_leaf(params, name)[mask]) for name, mask in masks.items()]
                ),
                point.vector,
                ~held,
            )
            held = held | (np.abs(there) > 0).any(axis=0)
        return held

    def directions(self, point: Point, held: np.ndarray) -> np.ndarray:
        """(P, r) orthonormal directions in which the distribution changes: what is left of all by
        leaving out what is held, and those in which parameters move and the distribution does not
        (a rotation of factors, all shares of a sum times a number)."""
        slopes = self.differences(_told, point.vector, ~held)
        domains = as_it_is(self.model).domains(point.params)
        slopes = slopes[np.concatenate(list(_there(domains, point.params)))]
        lengths = np.linalg.norm(slopes, axis=1, keepdims=True)
        _, sizes, axes = np.linalg.svd(
            slopes / np.where(lengths > 0, lengths, 1), full_matrices=False
        )
        return axes[sizes > FLAT * max(sizes.max(initial=0), np.finfo(float).tiny)].T

    def differences(
        self, function: Callable[[Any], np.ndarray], vector: np.ndarray, free: np.ndarray
    ) -> np.ndarray:
        """(M, P) derivatives of a function (M,) of parameters along the free coordinates, else 0;
        those that are rounding are 0, and those of a number that is infinite here or next to here,
        as a standard deviation of heavy tails can be."""
        found = []
        middle = function(self.coordinates.params(vector))
        finite = np.isfinite(middle)
        for position in range(len(vector)):
            if not free[position]:
                found.append(np.zeros(len(middle)))
                continue
            shift = np.zeros(len(vector))
            shift[position] = STEP
            above, below = (
                function(self.coordinates.params(vector + sign * shift)) for sign in (1, -1)
            )
            finite &= np.isfinite(above) & np.isfinite(below)
            found.append(
                np.subtract(above, below, out=np.zeros(len(middle)), where=finite) / (2 * STEP)
            )
        slopes = np.stack(found, axis=1) if found else np.zeros((len(middle), 0))
        tells = finite[:, None] & (np.abs(slopes) > 1e-10 * np.abs(middle)[:, None])
        return np.where(tells, slopes, 0.0)

    def information(self, point: Point, directions: np.ndarray) -> np.ndarray:
        """(r, r) observed information, minus the second derivatives, along directions (P, r): by
        differences of the exact score."""
        columns = []
        for direction in directions.T:
            above, below = (
                self.score(self.at(point.vector + sign * STEP * direction)) for sign in (1, -1)
            )
            columns.append(directions.T @ (below - above) / (2 * STEP))
        found = np.stack(columns, axis=1) if columns else np.zeros((0, 0))
        return (found + found.T) / 2

    def row_scores(self, point: Point, directions: np.ndarray) -> np.ndarray:
        """(N, r) derivatives of the log-density of each row, sequence or group along directions."""
        columns = []
        for direction in directions.T:
            above, below = (
                log_densities(
                    self.model,
                    self.coordinates.params(point.vector + sign * STEP * direction),
                    self.data,
                )
                for sign in (1, -1)
            )
            columns.append((above - below) / (2 * STEP))
        return np.stack(columns, axis=1)


def _leaf(params, name: str) -> np.ndarray:
    for field, part in zip(params._fields, params, strict=True):
        if field == name:
            return np.asarray(part)
        if isinstance(part, tuple) and name in part._fields:
            return _leaf(part, name)
    raise KeyError(name)


def _told(params) -> np.ndarray:
    """(M,) all that the distribution depends on: of factors only the covariance they give."""
    return np.concatenate([np.ravel(part) for _, part in _parts(params)])


def _parts(params) -> Iterator[tuple[tuple[str, ...], np.ndarray]]:
    for name, part in zip(params._fields, params, strict=True):
        if isinstance(part, tuple):
            yield from (((name, *path), found) for path, found in _parts(part))
        elif name == "loadings":
            yield (name,), part @ np.swapaxes(part, -1, -2)
        elif name not in ("factor_scale", "factor_scales"):
            yield (name,), np.asarray(part, dtype=float)


def _there(domains, params) -> Iterator[np.ndarray]:
    """Which of these count: a probability at its limit of 0 moves only because others do."""
    for path, part in _parts(params):
        domain, fields = domains, params
        for name in path:
            place = fields._fields.index(name)
            domain, fields = domain[place], fields[place]
        of_shares = isinstance(domain, Shares | Derived)
        yield np.ravel(part) > LIMIT if of_shares else np.ones(part.size, dtype=bool)
