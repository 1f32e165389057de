"""Where a parameter may lie, and coordinates that range over all numbers and never leave it.

Each domain is made at a point of it, the reference: units, zeros and axes are taken from there.
`vector(leaf)` gives the coordinates (P,) of an array; `leaf(vector)` the array, also for vectors
with leading axes; `pull(vector, gradient)` the gradient along the coordinates (P,) from that by the
array. `names` says for each coordinate what it moves, (quantity, place), or None where
that has no plain name; `values(leaf)` is that quantity itself (P,).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from em_core.protocols import Name

# The smallest number that has a logarithm: a probability of 0 is taken for it.
TINY = np.finfo(float).tiny
# Nearer to 0 or 1 than this a probability is at its limit; so is a positive number that is so much
# smaller than the largest of its array.
LIMIT = 1e-6


class Derived(NamedTuple):
    """A parameter without coordinates of its own: `value(*others)` of the others in its tuple.

    pull(params, gradient): the gradient by that tuple of parameters, in which the others have got
    this one's share by the chain rule. Where the model has no analytic gradient it can be left out.
    """

    value: Callable[..., Any]
    pull: Callable[[Any, Any], Any] | None = None


class Fixed:
    """A value that no coordinate moves."""

    names: tuple[Name, ...] = ()

    def __init__(self, leaf):
        self.reference = leaf

    def vector(self, leaf) -> np.ndarray:
        return np.zeros(0)

    def leaf(self, vector: np.ndarray):
        shape = vector.shape[:-1] + np.shape(self.reference)
        return np.broadcast_to(self.reference, shape) if vector.ndim > 1 else self.reference

    def pull(self, vector: np.ndarray, gradient) -> np.ndarray:
        return np.zeros(0)

    def values(self, leaf) -> np.ndarray:
        return np.zeros(0)

    def at_limit(self, leaf) -> np.ndarray:
        return np.zeros(0, dtype=bool)


class Real:
    """Any numbers, in units of their own (an array of the same shape, or one number)."""

    def __init__(self, leaf, quantity: str, unit=1.0):
        self.shape = np.shape(leaf)
        self.unit = np.broadcast_to(unit, self.shape)
        self.names = tuple((quantity, place) for place in np.ndindex(self.shape))

    def vector(self, leaf) -> np.ndarray:
        return np.ravel(leaf / self.unit)

    def leaf(self, vector: np.ndarray) -> np.ndarray:
        return vector.reshape(vector.shape[:-1] + self.shape) * self.unit

    def pull(self, vector: np.ndarray, gradient) -> np.ndarray:
        return np.ravel(gradient * self.unit)

    def values(self, leaf) -> np.ndarray:
        return np.ravel(leaf)

    def at_limit(self, leaf) -> np.ndarray:
        return np.zeros(np.size(leaf), dtype=bool)


class Positive(Real):
    """Positive numbers, by their logarithms."""

    def vector(self, leaf) -> np.ndarray:
        return np.log(np.maximum(np.ravel(leaf), TINY))

    def leaf(self, vector: np.ndarray) -> np.ndarray:
        return np.exp(vector).reshape(vector.shape[:-1] + self.shape)

    def pull(self, vector: np.ndarray, gradient) -> np.ndarray:
        return np.exp(vector) * np.ravel(gradient)

    def at_limit(self, leaf) -> np.ndarray:
        return np.ravel(leaf) <= LIMIT * np.max(leaf, initial=0.0)


class Between(Real):
    """Positive numbers between two others, which are within reach: the sine of the coordinate is
    how far the logarithm is from the middle of its range, -1 and 1 being the ends. Beyond a right
    angle they stay at the end, so that larger coordinates never mean smaller numbers."""

    def __init__(self, leaf, quantity: str, lowest: float, highest: float):
        super().__init__(leaf, quantity)
        self.ends = lowest, highest
        self.middle, self.reach = np.log(highest * lowest) / 2, np.log(highest / lowest) / 2

    def vector(self, leaf) -> np.ndarray:
        return np.arcsin(np.clip((np.log(np.ravel(leaf)) - self.middle) / self.reach, -1, 1))

    def leaf(self, vector: np.ndarray) -> np.ndarray:
        sines = np.sin(np.clip(vector, -np.pi / 2, np.pi / 2))
        numbers = np.clip(np.exp(self.middle + self.reach * sines), *self.ends)
        return numbers.reshape(vector.shape[:-1] + self.shape)

    def pull(self, vector: np.ndarray, gradient) -> np.ndarray:
        cosines = np.cos(np.clip(vector, -np.pi / 2, np.pi / 2))
        return np.ravel(self.leaf(vector) * gradient) * self.reach * cosines

    def at_limit(self, leaf) -> np.ndarray:
        # At a right angle the cosine, and with it the slope, is 0.
        return np.abs(self.vector(leaf)) >= np.pi / 2 - np.sqrt(LIMIT)


class Chances(Real):
    """Numbers between 0 and 1, by the logarithms of their odds."""

    def vector(self, leaf) -> np.ndarray:
        chance = np.ravel(leaf)
        return np.log(np.maximum(chance, TINY)) - np.log(np.maximum(1 - chance, TINY))

    def leaf(self, vector: np.ndarray) -> np.ndarray:
        return np.exp(-np.logaddexp(0, -vector)).reshape(vector.shape[:-1] + self.shape)

    def pull(self, vector: np.ndarray, gradient) -> np.ndarray:
        slopes = np.exp(-np.logaddexp(0, -vector) - np.logaddexp(0, vector))
        return slopes * np.ravel(gradient)

    def at_limit(self, leaf) -> np.ndarray:
        chance = np.ravel(leaf)
        return np.minimum(chance, 1 - chance) <= LIMIT


class Shares:
    """Probabilities that sum to 1 along the last axis, by their logarithms up to a constant.

    One coordinate for each: moving it, the others keep their ratios. allowed: those that can
    differ from 0; all if None.
    """

    def __init__(self, leaf, quantity: str, allowed: np.ndarray | None = None):
        self.allowed = np.ones(np.shape(leaf), bool) if allowed is None else allowed
        self.names = tuple((quantity, tuple(place)) for place in np.argwhere(self.allowed).tolist())

    def vector(self, leaf) -> np.ndarray:
        return np.log(np.maximum(leaf[self.allowed], TINY))

    def leaf(self, vector: np.ndarray) -> np.ndarray:
        logs = np.full((*vector.shape[:-1], *self.allowed.shape), -np.inf)
        logs[..., self.allowed] = vector
        shares = np.exp(logs - logs.max(axis=-1, keepdims=True))
        return shares / shares.sum(axis=-1, keepdims=True)

    def pull(self, vector: np.ndarray, gradient) -> np.ndarray:
        shares = self.leaf(vector)
        pulled = shares * gradient
        return (pulled - shares * pulled.sum(axis=-1, keepdims=True))[self.allowed]

    def values(self, leaf) -> np.ndarray:
        return leaf[self.allowed]

    def at_limit(self, leaf) -> np.ndarray:
        # A share of 1 is where all others are 0.
        return leaf[self.allowed] <= LIMIT


class Covariances:
    """Positive definite matrices (..., D, D): log standard deviations, and the ratios L_ij / L_jj
    of the Cholesky factor to its diagonal after its rows were given length 1.

    So a standard deviation moves alone, the correlations staying what they are.
    pooled: all matrices are one; diagonal: no correlations.
    """

    def __init__(self, leaf, pooled=False, diagonal=False, quantity="standard deviation"):
        self.shape = np.shape(leaf)
        self.pooled = pooled
        self.dimension = self.shape[-1]
        self.lower = np.tril_indices(self.dimension, -1)
        if diagonal:
            self.lower = tuple(part[:0] for part in self.lower)
        groups = [()] if pooled else list(np.ndindex(self.shape[:-2]))
        self.names = tuple((quantity, (*g, d)) for g in groups for d in range(self.dimension)) + (
            tuple(
                # In the first column the ratio alone decides the correlation.
                ("correlation", (*g, int(i), int(j))) if j == 0 else None
                for g in groups
                for i, j in zip(*self.lower, strict=True)
            )
        )

    def _matrices(self, leaf) -> np.ndarray:
        matrices = np.reshape(leaf, (-1, self.dimension, self.dimension))
        return matrices[:1] if self.pooled else matrices

    def vector(self, leaf) -> np.ndarray:
        factors = np.linalg.cholesky(self._matrices(leaf))
        deviations = np.linalg.norm(factors, axis=-1)
        ratios = factors / np.einsum("kdd->kd", factors)[:, :, None]
        return np.concatenate([np.log(deviations).ravel(), ratios[:, *self.lower].ravel()])

    def _rows(self, vector: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of the Cholesky factors: the lengths of the rows (..., n, D, 1), which are the standard
        deviations, the rows of length 1 (..., n, D, D), and what made them so (..., n, D, 1)."""
        batch, d = vector.shape[:-1], self.dimension
        n = vector.shape[-1] // (d + len(self.lower[0]))
        deviations = np.exp(vector[..., : n * d]).reshape(*batch, n, d, 1)
        ratios = np.zeros((*batch, n, d, d))
        ratios[..., *self.lower] = vector[..., n * d :].reshape(*batch, n, -1)
        ratios += np.eye(d)
        lengths = np.linalg.norm(ratios, axis=-1, keepdims=True)
        return deviations, ratios / lengths, lengths

    def leaf(self, vector: np.ndarray) -> np.ndarray:
        deviations, rows, _ = self._rows(vector)
        factors = deviations * rows
        matrices = factors @ factors.swapaxes(-1, -2)
        if self.pooled:
            count = int(np.prod(self.shape[:-2]))
            matrices = np.repeat(matrices, count, axis=-3)
        return matrices.reshape(*vector.shape[:-1], *self.shape)

    def pull(self, vector: np.ndarray, gradient) -> np.ndarray:
        deviations, rows, lengths = self._rows(vector)
        gradient = np.reshape(gradient, (-1, self.dimension, self.dimension))
        if self.pooled:
            gradient = gradient.sum(axis=0, keepdims=True)
        # By a factor L of L L^T it is 2 gradient L.
        by_rows = 2 * deviations * (gradient @ (deviations * rows))
        along = (by_rows * rows).sum(axis=-1, keepdims=True)
        across = (by_rows - along * rows) / lengths
        return np.concatenate([along.ravel(), across[:, *self.lower].ravel()])

    def values(self, leaf) -> np.ndarray:
        matrices = self._matrices(leaf)
        deviations = np.sqrt(np.einsum("kdd->kd", matrices))
        correlations = matrices / (deviations[:, :, None] * deviations[:, None, :])
        return np.concatenate([deviations.ravel(), correlations[:, *self.lower].ravel()])

    def at_limit(self, leaf) -> np.ndarray:
        return np.zeros(len(self.names), dtype=bool)


class Triangular:
    """Lower-triangular matrices (..., q, q) with a positive diagonal, by its logarithm."""

    def __init__(self, leaf):
        self.shape = np.shape(leaf)
        self.lower = np.tril_indices(self.shape[-1], -1)
        self.names = (None,) * self.vector(leaf).size

    def vector(self, leaf) -> np.ndarray:
        logs = np.log(np.einsum("...qq->...q", leaf))
        return np.concatenate([logs.ravel(), leaf[..., *self.lower].ravel()])

    def leaf(self, vector: np.ndarray) -> np.ndarray:
        batch, q = vector.shape[:-1], self.shape[-1]
        n = int(np.prod(self.shape[:-1]))
        diagonal = np.exp(vector[..., :n]).reshape(*batch, *self.shape[:-1])
        matrices = diagonal[..., None] * np.eye(q)
        matrices[..., *self.lower] = vector[..., n:].reshape(*batch, *self.shape[:-2], -1)
        return matrices

    def pull(self, vector: np.ndarray, gradient) -> np.ndarray:
        logs = np.einsum("...qq,...qq->...q", self.leaf(vector), gradient)
        return np.concatenate([logs.ravel(), gradient[..., *self.lower].ravel()])

    def values(self, leaf) -> np.ndarray:
        return self.vector(leaf)

    def at_limit(self, leaf) -> np.ndarray:
        return np.zeros(len(self.names), dtype=bool)


class Oriented:
    """Covariances (K, D, D) under one of mclust's structures: log volumes, log variances along
    the axes about their mean, and the axes, turned from those of the reference by Cayley's
    (I - S)^-1 (I + S) with S skew-symmetric.

    shared_volume, shared_shape, shared_axes: whether all components have the same; shape None
    where they are balls, axes None where they are the coordinate axes.
    """

    def __init__(
        self, leaf, shared_volume: bool, shared_shape: bool | None, shared_axes: bool | None
    ):
        self.n, self.dimension = np.shape(leaf)[:2]
        self.shared = shared_volume, shared_shape, shared_axes
        self.upper = np.triu_indices(self.dimension, 1)
        self.axes = np.eye(self.dimension)[None]
        self.axes = self._axes(leaf)
        groups = [()] if shared_volume else [(k,) for k in range(self.n)]
        rest = self.vector(leaf).size - len(groups)
        self.names = tuple(("size", group) for group in groups) + (None,) * rest

    def _axes(self, leaf) -> np.ndarray:
        """(K or 1, D, D) eigenvectors, their signs those nearest to the reference."""
        shared = self.shared[2]
        if shared is None:
            return self.axes
        volumes = np.exp(np.linalg.slogdet(leaf)[1] / self.dimension)
        shapes = leaf / volumes[:, None, None]
        if shared:
            # Unequal parts, so that axes along which the variances balance out still show.
            shapes = np.tensordot(1 / np.sqrt(np.arange(2, self.n + 2)), shapes, 1)[None]
        axes = np.linalg.eigh(shapes)[1]
        along = np.einsum("kdj,kdj->kj", np.broadcast_to(self.axes, axes.shape), axes)
        axes = axes * np.where(along < 0, -1.0, 1.0)[:, None, :]
        for matrix, cosines in zip(axes, np.abs(along), strict=True):
            if np.linalg.det(matrix) < 0:
                matrix[:, cosines.argmin()] *= -1
        return axes

    def vector(self, leaf) -> np.ndarray:
        axes = self._axes(leaf)
        logs = np.log(np.einsum("kij,kil,klj->kj", np.broadcast_to(axes, leaf.shape), leaf,
                                np.broadcast_to(axes, leaf.shape)))  # fmt: skip
        volumes = logs.mean(axis=1)
        shapes = logs - volumes[:, None]
        parts = [
            volumes.mean(keepdims=True) if self.shared[0] else volumes,
        ]
        if self.shared[1] is not None:
            parts.append((shapes.mean(axis=0) if self.shared[1] else shapes).ravel())
        if self.shared[2] is not None:
            turn = self.axes.swapaxes(-1, -2) @ axes
            one = np.eye(self.dimension)
            parts.append(((turn - one) @ np.linalg.inv(turn + one))[:, *self.upper].ravel())
        return np.concatenate(parts)

    def _spectra(self, vector: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """(..., K or 1, D) variances along the axes (..., K or 1, D, D), and the S of these."""
        batch, d = vector.shape[:-1], self.dimension
        n_volumes = 1 if self.shared[0] else self.n
        n_shapes = {None: 0, True: 1, False: self.n}[self.shared[1]]
        volumes, shapes, turns = np.split(vector, [n_volumes, n_volumes + n_shapes * d], axis=-1)
        shapes = shapes.reshape(*batch, n_shapes, d)
        if n_shapes:
            logs = volumes[..., None] + shapes - shapes.mean(axis=-1, keepdims=True)
        else:
            logs = np.repeat(volumes[..., None], d, axis=-1)
        axes, skew = self.axes, None
        if self.shared[2] is not None:
            skew = np.zeros((*batch, len(axes), d, d))
            skew[..., *self.upper] = turns.reshape(*batch, len(axes), -1)
            skew = skew - skew.swapaxes(-1, -2)
            one = np.eye(d)
            axes = axes @ np.linalg.solve(one - skew, one + skew)
        return np.exp(logs), axes, skew

    def leaf(self, vector: np.ndarray) -> np.ndarray:
        variances, axes, _ = self._spectra(vector)
        matrices = (axes * variances[..., None, :]) @ axes.swapaxes(-1, -2)
        return np.broadcast_to(
            matrices, (*vector.shape[:-1], self.n, self.dimension, self.dimension)
        )

    def pull(self, vector: np.ndarray, gradient) -> np.ndarray:
        variances, axes, skew = self._spectra(vector)
        turned = gradient @ axes
        logs = variances * (axes * turned).sum(axis=-2)
        by_each = [logs.sum(axis=1), logs - logs.mean(axis=1, keepdims=True)]
        if skew is not None:
            by_each.append(2 * turned * variances[:, None, :])
        parts = [
            part.sum(axis=0, keepdims=True) if shared else part
            for part, shared in zip(by_each, self.shared, strict=False)
            if shared is not None
        ]
        if skew is not None:
            # The turn C = (I - S)^-1 (I + S) changes by (I - S)^-1 dS (C + I).
            one, back = np.eye(self.dimension), self.axes.swapaxes(-1, -2)
            by_skew = np.linalg.solve(one + skew, back @ parts[-1])
            by_skew = by_skew @ (back @ axes + one).swapaxes(-1, -2)
            parts[-1] = (by_skew - by_skew.swapaxes(-1, -2))[:, *self.upper]
        return np.concatenate([part.ravel() for part in parts])

    def values(self, leaf) -> np.ndarray:
        """Sizes are geometric means of the standard deviations along the axes: of any covariances,
        also in units in which they are not of this structure."""
        vector = self.vector(leaf)
        n_volumes = 1 if self.shared[0] else self.n
        logs = np.linalg.slogdet(leaf)[1] / (2 * self.dimension)
        sizes = np.exp(logs.mean(keepdims=True) if self.shared[0] else logs)
        return np.concatenate([sizes, vector[n_volumes:]])

    def at_limit(self, leaf) -> np.ndarray:
        return np.zeros(len(self.names), dtype=bool)
