"""Bernoulli items: yes or no, with NaN for a missing value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from em_core.coordinates.domains import Chances
from em_core.coordinates.gradients import by_shares
from em_core.emissions.exponential_family import shaped
from em_core.emissions.items import Items
from em_core.imputation import Imputation, filled


class BernoulliParams(NamedTuple):
    """probabilities (K, D) = p(x_d = 1 | k)."""

    probabilities: np.ndarray


@dataclass(frozen=True)
class Bernoulli(Items):
    """Independent binary items: x_d = 1 with probability p_kd, else 0. NaN is missing."""

    binary: ClassVar = True
    DIMS: ClassVar = {"probabilities": ("component", "column")}

    def _check_column(self, number: int, values: np.ndarray, to_fit: bool) -> None:
        wrong = values[(values != 0) & (values != 1)]
        if len(wrong):
            raise ValueError(
                f"column {number} holds {wrong[0]:g}: Bernoulli items are 0 or 1; use Categorical "
                "for more levels, or leave the column out"
            )

    def _levels(self, data, params) -> np.ndarray:
        return np.full(data.shape[1], 2)

    def impossible(self, params, data) -> np.ndarray:
        ones = params.probabilities[:, None]
        return ((data == 1) & (ones == 0)) | ((data == 0) & (ones == 1))

    def _flat(self, params) -> np.ndarray:
        ones = params.probabilities
        return np.stack([1 - ones, ones], axis=-1).reshape(*ones.shape[:-1], -1)

    def _estimate(self, features, fallback) -> BernoulliParams:
        zeros, ones = features[..., 1::2], features[..., 2::2]
        seen = zeros + ones
        old = 0.5 if fallback is None else fallback.probabilities
        return BernoulliParams(np.where(seen > 0, ones / np.where(seen > 0, seen, 1), old))

    def _gradient(self, params, features) -> np.ndarray:
        chances = params.probabilities
        zeros, ones = features[..., 1::2], features[..., 2::2]
        return by_shares(ones, chances) - by_shares(zeros, 1 - chances)

    def params(self, n_components: int, probabilities) -> BernoulliParams:
        """Checked parameters from an array (K, D); raises ValueError naming what is wrong."""
        return BernoulliParams(shaped(probabilities, n_components, 2, "probabilities", 1.0))

    def domains(self, params) -> tuple:
        """Where the parameters may lie, for `Coordinates`."""
        return (Chances(params.probabilities, "probability"),)

    def of_columns(self, columns):
        """One component with the shares of the columns."""
        return BernoulliParams(columns.means[None])

    def sample(self, params, labels: np.ndarray, rng) -> np.ndarray:
        """(N, D): one row for each label (N,) of a component."""
        wanted = params.probabilities[labels]
        return (rng.random(wanted.shape) < wanted).astype(float)

    def column_means(self, params) -> np.ndarray:
        """(K, D) p(x = 1)."""
        return params.probabilities

    def column_deviations(self, params) -> np.ndarray:
        """(K, D) standard deviations."""
        return np.sqrt(params.probabilities * (1 - params.probabilities))

    def opened(self, params, n_rows: int) -> BernoulliParams:
        """As if one more row had been a half."""
        return BernoulliParams((n_rows * params.probabilities + 0.5) / (n_rows + 1))

    def level_probabilities(self, params) -> tuple[np.ndarray, ...]:
        """For each column (K, 2): p(x = 0) and p(x = 1)."""
        ones = params.probabilities
        return tuple(np.moveaxis(np.stack([1 - ones, ones], axis=-1), 1, 0))

    def impute(self, params, data, responsibilities) -> Imputation:
        """Missing values filled with p(x = 1), and the standard deviation of x."""
        # Shares that sum to 1 give a little more than 1 where it is rounded.
        means = np.minimum(responsibilities @ params.probabilities, 1)
        return filled(data, means, np.sqrt(means * (1 - means)))

    def n_parameters(self, params) -> int:
        """K D."""
        return int(np.prod(params.probabilities.shape[-2:]))
