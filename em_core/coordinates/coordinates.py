"""Parameters of any model as points of an unconstrained space.

Every vector of numbers is a valid set of parameters: weights sum to 1, covariances are positive
definite, rates are positive. So any line through it can be walked, and any optimiser used on it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from em_core.coordinates.domains import Derived
from em_core.protocols import optional
from em_core.standardised import Standardised, as_it_is


class Coordinate(NamedTuple):
    """One coordinate with a plain name: its position, what it moves, and where in the array."""

    position: int
    quantity: str
    place: tuple[int, ...]


def has_coordinates(model) -> bool:
    """Whether a model, and the emission it may have, says where its parameters may lie."""
    return all(optional(part, "domains") for part in (model, optional(model, "emission") or model))


class Coordinates:
    """Coordinates of a model's parameters near some of them, in units of their own size there.

    The model says by `domains(params)` where its parameters may lie: a tuple of domains in the
    order of their fields. Those of a `Standardised` model lie there in its own units; parameters,
    values and gradients are in the units of the data. Raises ValueError for a model without.
    """

    def __init__(self, model, params):
        if not has_coordinates(model):
            raise ValueError(
                f"{type(model).__name__} does not say where its parameters may lie: give it a "
                "method `domains(params)`"
            )
        self.standardised = model if isinstance(model, Standardised) else None
        self.reference = self._own(params)
        self.domains = as_it_is(model).domains(self.reference)
        self._told = as_it_is(model).domains(params) if self.standardised else self.domains
        self.size = len(self.vector(params))

    def _own(self, params):
        """Parameters where the domains are."""
        return self.standardised.own_params(params) if self.standardised else params

    def vector(self, params) -> np.ndarray:
        """(P,) the coordinates of parameters."""
        return np.concatenate([np.zeros(0), *_vectors(self.domains, self._own(params))])

    def params(self, vector: np.ndarray):
        """The parameters at coordinates (P,); at (T, P) for T models side by side."""
        own, used = _build(self.domains, self.reference, np.asarray(vector, dtype=float))
        assert used == vector.shape[-1]
        return self.standardised.in_data_units(own) if self.standardised else own

    def gradient(self, vector: np.ndarray, by_params: Callable[[Any], Any]) -> np.ndarray:
        """(P,) the gradient at coordinates (P,), by the chain rule from that by the parameters.

        by_params(params): the derivatives by every entry of every array, as a tuple of the type of
        the parameters. Those by covariances are symmetric: see `em_core.coordinates.gradients`.
        """
        params = self.params(vector)
        gradient = by_params(params)
        if self.standardised:
            gradient = self.standardised.own_gradient(gradient)
        return _pull(self.domains, self._own(params), gradient, vector)

    def values(self, params) -> np.ndarray:
        """(P,) what each coordinate moves (a mean, a weight, a standard deviation), itself."""
        return np.concatenate([domain.values(leaf) for domain, leaf in _leaves(self._told, params)])

    def at_limit(self, params) -> np.ndarray:
        """(P,) which coordinates are at a limit of what they move."""
        leaves = _leaves(self.domains, self._own(params))
        return np.concatenate(
            [np.zeros(0, dtype=bool), *(domain.at_limit(leaf) for domain, leaf in leaves)]
        )

    def value_along(self, position: int, vectors: np.ndarray) -> np.ndarray:
        """(T,) what one coordinate moves, at vectors (T, P): the other arrays are not made."""
        if self.standardised:
            return np.array([self.values(self.params(vector))[position] for vector in vectors])
        at = 0
        for domain, _ in _leaves(self.domains, self.reference):
            n = len(domain.names)
            if position < at + n:
                parts = vectors[:, at : at + n]
                return np.array([domain.values(domain.leaf(v))[position - at] for v in parts])
            at += n
        raise ValueError(f"there are {at} coordinates, and none at position {position}")

    @property
    def named(self) -> tuple[Coordinate, ...]:
        """Those with a plain name."""
        names = [name for domain, _ in _leaves(self.domains, self.reference)
                 for name in domain.names]  # fmt: skip
        return tuple(
            Coordinate(position, *name) for position, name in enumerate(names) if name is not None
        )

    def blocks(self) -> list[slice]:
        """The coordinates of each array of parameters."""
        ends = np.cumsum([len(vector) for vector in _vectors(self.domains, self.reference)])
        starts = np.concatenate([[0], ends[:-1]])
        return [slice(int(a), int(b)) for a, b in zip(starts, ends, strict=True) if b > a]


def _leaves(domains, params) -> list[tuple[Any, Any]]:
    pairs = []
    for domain, part in zip(domains, params, strict=True):
        if isinstance(domain, Derived):
            continue
        pairs += _leaves(domain, part) if isinstance(domain, tuple) else [(domain, part)]
    return pairs


def _vectors(domains, params) -> list[np.ndarray]:
    return [domain.vector(leaf) for domain, leaf in _leaves(domains, params)]


def _build(domains, like, vector: np.ndarray):
    """Parameters of the type of `like`, and how many coordinates they took."""
    parts, used = [], 0
    for domain, part in zip(domains, like, strict=True):
        if isinstance(domain, Derived):
            parts.append(domain)
        elif isinstance(domain, tuple):
            built, n = _build(domain, part, vector[..., used:])
            parts.append(built)
            used += n
        else:
            n = len(domain.names)
            parts.append(domain.leaf(vector[..., used : used + n]))
            used += n
    given = [part for part in parts if not isinstance(part, Derived)]
    parts = [part.value(*given) if isinstance(part, Derived) else part for part in parts]
    return type(like)(*parts), used


def _pull(domains, params, gradient, vector: np.ndarray) -> np.ndarray:
    """The gradient along the coordinates these domains have: the first of the vector's."""
    for domain in domains:
        if isinstance(domain, Derived):
            gradient = domain.pull(params, gradient)
    parts, used = [np.zeros(0)], 0
    for domain, part, by_part in zip(domains, params, gradient, strict=True):
        if isinstance(domain, Derived):
            continue
        if isinstance(domain, tuple):
            parts.append(_pull(domain, part, by_part, vector[used:]))
        else:
            parts.append(domain.pull(vector[used : used + len(domain.names)], by_part))
        used += len(parts[-1])
    return np.concatenate(parts)
