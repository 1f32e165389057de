"""Log joint densities that are linear in features of the row, and the expected features.

Every exponential family has this form: `log p(x, k) = coefficients_k . features(x)`. One matrix
product gives the log joints of a block of rows under all components, one more gives everything
that the M-step needs. Several models of the same data, the restarts of a batch, are stacked:
R models of K components are R * K rows of the same two products.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

BLOCK_FEATURES = 200_000
# Log weights of components that all weigh alike.
UNWEIGHTED = np.zeros(1)
UNWEIGHTED.setflags(write=False)


class LinearKernel:
    """R models of K components at one set of parameters: log joints out, expected features in.

    coefficients (R, K, P) or (K, P). For each block of `blocks()`: `log_joint(block, out)` gives
    log pi_k + log p(x | k) - `shift`, `add(block, shares)` accumulates the expected features.
    With `reference` (R,) given, log joints are relative to that component's, which is put first:
    its exponential is known to be 1. `left_out()` gives what log joints lack by either.
    """

    # Entropy of further latent variables within the components, total, (R,) in nats.
    entropy = 0.0
    shift = 0.0
    # Whether no log joint can lie beyond `responsibilities.SAFE_EXPONENT`.
    bounded = False

    def __init__(self, coefficients: np.ndarray, reference: np.ndarray | None = None):
        self.n_components, n_features = coefficients.shape[-2:]
        self.n_models = coefficients.size // (self.n_components * n_features)
        self.coefficients = coefficients.reshape(-1, n_features)
        self.reference = self.places = None
        if reference is not None:
            coefficients = coefficients.reshape(self.n_models, self.n_components, n_features)
            self.reference = coefficients[np.arange(self.n_models), reference]
            order, self.places = reference_first(reference.tobytes(), self.n_components)
            relative = coefficients - self.reference[:, None]
            self.coefficients = relative.reshape(self.coefficients.shape)[order]
        self.expected = np.zeros(self.coefficients.shape)

    def blocks(self) -> Iterator:
        """Blocks of rows, each with its `rows` (a slice or indices) and `features` (P, n)."""
        raise NotImplementedError

    def log_joint(self, block, out: np.ndarray) -> np.ndarray:
        """(R * K, n) log joints less `shift`, or relative to the reference, written to `out`."""
        return np.matmul(self.coefficients, block.features, out=out)

    def add(self, block, shares: np.ndarray) -> None:
        """Accumulate the features of a block whose rows belong to components by (R * K, n)."""
        self.expected += shares.dot(block.features.T)

    def collapsing(self) -> np.ndarray:
        """Components whose features lost too many digits and must be added again."""
        return NONE

    def in_own_order(self) -> int:
        """Put the components of one model back in their own order; the place of its reference.

        Call before the first block.
        """
        reference = int(self.places.argmin())
        self.coefficients = self.coefficients[self.places]
        self.places = None
        return reference

    @property
    def totals(self) -> np.ndarray:
        """(R * K, P) expected features, components in their own order."""
        return self.expected if self.places is None else self.expected[self.places]

    def left_out(self) -> np.ndarray | float:
        """(R,) the shift, or the reference's log joint, total over the rows added; 0 if neither."""
        if self.reference is None and self.shift == 0:
            return 0.0
        expected = self.expected.reshape(self.n_models, self.n_components, -1)
        if self.reference is None:
            return self.shift * expected[:, :, 0].sum(axis=1)
        return np.matvec(expected, self.reference).sum(axis=1)


NONE = np.arange(0)


@lru_cache(maxsize=64)
def reference_first(references: bytes, n_components: int) -> tuple[np.ndarray, np.ndarray]:
    """(R * K,) the components' flat positions, each model's reference before its others; and in
    this order where each component stands. references: the bytes of (R,) places."""
    reference = np.frombuffer(references, dtype=np.intp)
    others = np.arange(n_components) != reference[:, None]
    order = np.argsort(others, axis=1, kind="stable")
    order = (order + n_components * np.arange(len(reference))[:, None]).ravel()
    return order, np.argsort(order)


class FeatureRows(NamedTuple):
    """features (P, N), component-major; the first is 1."""

    features: np.ndarray

    @property
    def n_rows(self) -> int:
        return self.features.shape[1]

    def take(self, start: int, stop: int) -> FeatureRows:
        return FeatureRows(self.features[:, start:stop])

    def select(self, order: np.ndarray) -> FeatureRows:
        return FeatureRows(np.ascontiguousarray(self.features[:, order]))


class FeatureBlock(NamedTuple):
    """Some rows' features (P, n), and which rows they are."""

    features: np.ndarray
    rows: slice

    @property
    def n_rows(self) -> int:
        return self.features.shape[1]


class FeatureKernel(LinearKernel):
    """A `LinearKernel` of features that were made once, for all iterations."""

    def __init__(self, coefficients: np.ndarray, rows: FeatureRows):
        self.batch = coefficients.shape[:-1]
        self.rows = rows
        super().__init__(coefficients.reshape(-1, *coefficients.shape[-2:]))

    def blocks(self) -> Iterator[FeatureBlock]:
        n_features, n_rows = self.rows.features.shape
        size = max(256, BLOCK_FEATURES // (n_features + len(self.coefficients)))
        for start in range(0, n_rows, size):
            rows = slice(start, min(start + size, n_rows))
            yield FeatureBlock(self.rows.features[:, rows], rows)
