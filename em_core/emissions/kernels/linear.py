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

from em_core.emissions.kernels.extremes import smallest

BLOCK_FEATURES = 200_000
# The logarithm of a probability of 0: no other factor makes up for it, and times a feature of 0 it
# is 0, which minus infinity is not.
IMPOSSIBLE = -1e100
# Probabilities that the M-step finds below this are what underflow has left of 0.
SMALLEST_PROBABILITY = 1e-290
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
    # (R, N) the rows, of the blocks so far, that have probability 0; None where there are none.
    impossible = None
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
        assert self.places is not None, "log joints are relative to a reference"
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


def log_probability(probabilities: np.ndarray) -> np.ndarray:
    """Logarithms in nats, `IMPOSSIBLE` for 0."""
    if smallest(probabilities) > 0:
        return np.log(probabilities)
    ruled_out = probabilities <= 0
    return np.where(ruled_out, IMPOSSIBLE, np.log(np.where(ruled_out, 1, probabilities)))


class FeatureRows(NamedTuple):
    """features (P, N), component-major; the first is 1. unseen (N,): which rows have a value that
    no feature stands for, and so probability 0 under every component; None where there are none.
    large: whether they are counts too large for linear log-densities."""

    features: np.ndarray
    unseen: np.ndarray | None = None
    large: bool = False

    @property
    def n_rows(self) -> int:
        return self.features.shape[1]

    def take(self, start: int, stop: int) -> FeatureRows:
        unseen = None if self.unseen is None else self.unseen[start:stop]
        return self._replace(features=self.features[:, start:stop], unseen=unseen)

    def select(self, order: np.ndarray) -> FeatureRows:
        unseen = None if self.unseen is None else self.unseen[order]
        features = np.ascontiguousarray(self.features[:, order])
        return self._replace(features=features, unseen=unseen)


class FeatureBlock(NamedTuple):
    """Some rows' features (P, n), and which rows they are."""

    features: np.ndarray
    rows: slice

    @property
    def n_rows(self) -> int:
        return self.features.shape[1]


class FeatureKernel(LinearKernel):
    """A `LinearKernel` of features that were made once, for all iterations.

    Where a row has probability 0 under all components, its log joints are those of the limit in
    which every probability of 0 is the same vanishing number, less what these have in common: a
    level that no component can show tells as little of the component as a missing value.
    """

    def __init__(self, coefficients: np.ndarray, rows: FeatureRows):
        self.batch = coefficients.shape[:-1]
        self.rows = rows
        if coefficients.shape[-1] != len(rows.features):
            raise ValueError(
                "the parameters have other columns, or other levels, than the data: give an "
                "emission the levels of both, as in Categorical(levels=(3, 4))"
            )
        super().__init__(coefficients.reshape(-1, *coefficients.shape[-2:]))
        self.ruling_out = self.coefficients.min() <= IMPOSSIBLE
        if rows.unseen is not None:
            self.impossible = np.tile(rows.unseen, (self.n_models, 1))

    def blocks(self) -> Iterator[FeatureBlock]:
        n_features, n_rows = self.rows.features.shape
        size = max(256, BLOCK_FEATURES // (n_features + len(self.coefficients)))
        for start in range(0, n_rows, size):
            rows = slice(start, min(start + size, n_rows))
            yield FeatureBlock(self.rows.features[:, rows], rows)

    def log_joint(self, block: FeatureBlock, out: np.ndarray) -> np.ndarray:
        self.write(block, out)
        if self.ruling_out:
            highest = out.reshape(self.n_models, self.n_components, -1).max(axis=1)
            for model, row in np.argwhere(highest <= IMPOSSIBLE / 2):
                self._to_the_limit(block, model, row, out)
        return out

    def write(self, block: FeatureBlock, out: np.ndarray) -> None:
        """The log joints, if possible, of a block."""
        super().log_joint(block, out)

    def _to_the_limit(self, block: FeatureBlock, model: int, row: int, out: np.ndarray) -> None:
        """Write the log joints of a row of the block that every component of a model rules out."""
        own = slice(model * self.n_components, (model + 1) * self.n_components)
        ruled_out = self.coefficients[own] <= IMPOSSIBLE
        features = block.features[:, row]
        zeros = ruled_out @ features
        others = np.where(ruled_out, 0, self.coefficients[own]) @ features
        out[own, row] = np.where(zeros == zeros.min(), others, IMPOSSIBLE)
        if self.impossible is None:
            self.impossible = np.zeros((self.n_models, self.rows.n_rows), bool)
        self.impossible[model, block.rows.start + row] = True
