"""Categorical items: answers of several levels, with NaN for a missing value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import numpy as np

from em_core.coordinates.domains import Fixed, Shares
from em_core.coordinates.gradients import by_shares
from em_core.emissions.exponential_family import shaped
from em_core.emissions.items import Items
from em_core.imputation import Imputation, filled

MOST_LEVELS = 1000


class CategoricalParams(NamedTuple):
    """probabilities (K, D, C) = p(x_d = c | k), 0 for c from levels_d on; levels (D,).

    Leading axes are for models fitted side by side, all with the same levels.
    """

    probabilities: np.ndarray
    levels: np.ndarray


@dataclass(frozen=True)
class Categorical(Items):
    """Independent items of several levels, coded 0, 1, 2, ...: x_d = c with probability p_kdc.

    levels: number of levels of each column; by default as many as the data show. In new data any
    other level has probability 0.
    """

    levels: tuple[int, ...] | None = None
    binary: ClassVar = False
    DIMS: ClassVar = {"probabilities": ("component", "column", "level"), "levels": ("column",)}

    def _check_column(self, number: int, values: np.ndarray, to_fit: bool) -> None:
        beyond = MOST_LEVELS if to_fit else np.inf
        wrong = values[(values < 0) | (values != np.floor(values)) | (values >= beyond)]
        if len(wrong):
            raise ValueError(
                f"column {number} holds {wrong[0]:g}: levels are coded 0, 1, 2, ... up to "
                f"{MOST_LEVELS - 1}; recode it or leave it out"
            )
        if to_fit and self.levels is not None and values.max() >= self.levels[number - 1]:
            raise ValueError(
                f"column {number} holds {values.max():g}, and has only "
                f"{self.levels[number - 1]} levels, 0 to {self.levels[number - 1] - 1}"
            )

    def settled(self, columns) -> Categorical:
        """With as many levels as the columns show, where they are not given."""
        levels = tuple((columns.highest + 1).astype(int).tolist())
        return self if self.levels is not None else replace(self, levels=levels)

    def opened(self, params, n_rows: int) -> CategoricalParams:
        """As if one more row had shown all levels alike."""
        there = np.arange(params.probabilities.shape[-1]) < params.levels[..., None]
        alike = there / params.levels[..., None]
        opened = (n_rows * params.probabilities + alike) / (n_rows + 1)
        return params._replace(probabilities=opened)

    def of_columns(self, columns) -> CategoricalParams:
        """One component to which all levels of the columns are alike."""
        return self._levels_of(columns.highest[None])

    def _levels(self, data, params) -> np.ndarray:
        if params is not None:
            return params.levels
        if self.levels is not None:
            return np.array(self.levels)
        return np.nanmax(data, axis=0).astype(int) + 1

    def _n_columns(self, params) -> int:
        return params.levels.shape[-1]

    def _unseen(self, data, params) -> np.ndarray | None:
        if params is None:
            return None
        # NaN is beyond nothing.
        unseen = (data >= params.levels).any(axis=1)
        return unseen if unseen.any() else None

    def _levels_of(self, data) -> CategoricalParams:
        levels = self._levels(data, None)
        uniform = (np.arange(levels.max()) < levels[:, None]) / levels[:, None]
        return CategoricalParams(uniform, levels)

    def impossible(self, params, data) -> np.ndarray:
        missing, beyond = np.isnan(data), data >= params.levels
        levels = np.where(missing | beyond, 0, data).astype(int)
        chances = params.probabilities[:, np.arange(data.shape[1]), levels]
        return beyond | (~missing & (chances == 0))

    def _flat(self, params) -> np.ndarray:
        return params.probabilities[..., *_used(params.levels)]

    def _estimate(self, features, fallback) -> CategoricalParams:
        counts = _by_level(features, fallback.levels)
        seen = counts.sum(axis=-1, keepdims=True)
        probabilities = counts / np.where(seen > 0, seen, 1)
        probabilities = np.where(seen > 0, probabilities, fallback.probabilities)
        return CategoricalParams(probabilities, fallback.levels)

    def _gradient(self, params, features) -> np.ndarray:
        return by_shares(_by_level(features, params.levels), params.probabilities)

    def params(self, n_components: int, probabilities, levels=None) -> CategoricalParams:
        """Checked parameters from an array (K, D, C); raises ValueError naming what is wrong.

        levels (D,): by default those of the emission, or all C of them.
        """
        probabilities = shaped(probabilities, n_components, 3, "probabilities", 1.0)
        if not np.allclose(probabilities.sum(axis=-1), 1):
            raise ValueError("the probabilities of each component and column must sum to 1")
        levels = self.levels if levels is None else levels
        if levels is None:
            levels = np.full(probabilities.shape[1], probabilities.shape[2])
        given = np.asarray(levels)
        if given.shape != probabilities.shape[1:2] or given.dtype.kind not in "iu":
            raise ValueError(
                f"levels must be one whole number for each of {probabilities.shape[1]} columns"
            )
        beyond = np.arange(probabilities.shape[2]) >= given[:, None]
        fits = given.min() >= 1 and given.max() == probabilities.shape[2]
        if not fits or probabilities[:, beyond].any():
            raise ValueError(
                f"levels must be from 1 to {probabilities.shape[2]}, the highest of them as many "
                "as there are probabilities, and probabilities beyond a column's levels 0"
            )
        return CategoricalParams(probabilities, given.copy())

    def domains(self, params) -> tuple:
        """Where the parameters may lie, for `Coordinates`."""
        chances = params.probabilities
        there = np.arange(chances.shape[-1]) < params.levels[:, None]
        allowed = np.broadcast_to(there, chances.shape)
        return Shares(chances, "probability", allowed), Fixed(params.levels)

    def sample(self, params, labels: np.ndarray, rng) -> np.ndarray:
        """(N, D): one row for each label (N,) of a component."""
        cumulative = params.probabilities.cumsum(axis=-1)[labels]
        draws = rng.random(cumulative.shape[:2])[..., None] * cumulative[..., -1:]
        return (draws >= cumulative).sum(axis=-1).astype(float)

    def column_means(self, params) -> np.ndarray:
        """(K, D) means of the levels' codes."""
        return params.probabilities @ np.arange(params.probabilities.shape[-1])

    def column_deviations(self, params) -> np.ndarray:
        """(K, D) standard deviations of the levels' codes."""
        squares = params.probabilities @ np.arange(params.probabilities.shape[-1]) ** 2
        return np.sqrt(np.maximum(squares - self.column_means(params) ** 2, 0))

    def level_probabilities(self, params) -> tuple[np.ndarray, ...]:
        """For each column (K, C): the probability of each of its levels."""
        return tuple(params.probabilities[:, d, :n] for d, n in enumerate(params.levels))

    def impute(self, params, data, responsibilities) -> Imputation:
        """Missing values filled with the most probable level; the deviation of its indicator."""
        chances = np.einsum("nk,kdc->ndc", responsibilities, params.probabilities)
        # Shares that sum to 1 give a little more than 1 where it is rounded.
        highest = np.minimum(chances.max(axis=-1), 1)
        return filled(data, chances.argmax(axis=-1), np.sqrt(highest * (1 - highest)))

    def n_parameters(self, params) -> int:
        """K times the levels of all columns less one each."""
        return params.probabilities.shape[-3] * int((params.levels - 1).sum())


def _used(levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns and levels of the flat list of all columns' levels (..., D)."""
    levels = levels.reshape(-1, levels.shape[-1])[0]
    columns, places = np.nonzero(np.arange(levels.max()) < levels[:, None])
    return columns, places


def _by_level(features: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """(..., K, D, C) expected number of each level, from the features (..., K, P)."""
    counts = np.zeros((*features.shape[:-1], levels.shape[-1], levels.max()))
    counts[..., *_used(levels)] = features[..., 1:]
    return counts
