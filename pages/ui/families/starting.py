"""Where a run begins, as it travels to the process that fits: no more than it needs there."""

from typing import Any, NamedTuple

import numpy as np

from em_core import from_means


class ByMethod(NamedTuple):
    """A start drawn by the model's own method of this name."""

    model: Any
    method: str
    seed: int

    def __call__(self, data, weights=None):
        rng = np.random.default_rng(self.seed)
        return self.model.initial_params(data, self.method, rng, weights)


class FromMeans(NamedTuple):
    """A start from means (K, D) placed by hand."""

    model: Any
    means: np.ndarray

    def __call__(self, data, weights=None):
        return from_means(self.model, data, self.means, weights)


class FromParams(NamedTuple):
    """A start from explicit parameters."""

    params: Any

    def __call__(self, data, weights=None):
        return self.params


# (the data, their weights) -> starting parameters. It travels to a process.
Beginning = ByMethod | FromMeans | FromParams
