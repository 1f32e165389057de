"""Columns that were transformed, and a model of them that tells densities in the units before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from em_core.data import as_numbers, as_table
from em_core.standardised import Standardised


class Transformation(NamedTuple):
    """An increasing y = of(x), for numbers x between lowest and highest, these excluded.

    log_slope(y): log dy/dx, in nats. label: y as a person writes it, "log({})"; meaning: what it is
    for.
    """

    of: Callable[[np.ndarray], np.ndarray]
    inverse: Callable[[np.ndarray], np.ndarray]
    log_slope: Callable[[np.ndarray], np.ndarray]
    lowest: float
    highest: float
    label: str
    meaning: str

    def outside(self, values: np.ndarray) -> np.ndarray:
        """Which values can't be transformed; those that are missing can."""
        return (values <= self.lowest) | (values >= self.highest)


def _softplus(y: np.ndarray) -> np.ndarray:
    return np.maximum(y, 0) + np.log1p(np.exp(-np.abs(y)))


TRANSFORMATIONS: Mapping[str, Transformation] = {
    "log": Transformation(
        np.log, np.exp, np.negative, 0, np.inf, "log({})", "natural logarithm, of numbers above 0"
    ),
    "log1p": Transformation(
        np.log1p, np.expm1, np.negative, -1, np.inf, "log(1 + {})",
        "natural logarithm of 1 and the number: 0 stays 0",
    ),
    # The square of a negative y is an x as well: a model of y gives those a share of its mass.
    "sqrt": Transformation(
        np.sqrt, np.square, lambda y: -np.log(2 * y), 0, np.inf, "√({})",
        "square root, of numbers above 0",
    ),
    "logit": Transformation(
        lambda x: np.log(x) - np.log1p(-x), lambda y: np.exp(-_softplus(-y)),
        lambda y: _softplus(y) + _softplus(-y), 0, 1, "logit({})",
        "log of the odds, of shares between 0 and 1",
    ),
    "logit_percent": Transformation(
        lambda x: np.log(x) - np.log(100 - x), lambda y: 100 * np.exp(-_softplus(-y)),
        lambda y: _softplus(y) + _softplus(-y) - np.log(100), 0, 100, "logit({} / 100)",
        "log of the odds, of percent between 0 and 100",
    ),
}  # fmt: skip


def transform(data, transformations: Sequence[str]):
    """Data (N, D), or a list of them, with every column transformed as `TRANSFORMATIONS` names it;
    "" leaves it as it is. Raises ValueError where a column has values outside of where it may."""
    if isinstance(data, list):
        return [transform(part, transformations) for part in data]
    columns = np.array(as_numbers(data))
    for number, (name, column) in enumerate(zip(transformations, columns.T, strict=True), 1):
        if not name:
            continue
        how = TRANSFORMATIONS[name]
        if count := np.count_nonzero(how.outside(column)):
            raise ValueError(
                f"column {number} has {count} values outside ({how.lowest:g}, {how.highest:g}), "
                f"where {how.label.format('x')} is defined"
            )
        column[:] = how.of(column)
    return columns


@dataclass(frozen=True)
class Transformed(Standardised):
    """`model` for columns that were transformed before: y = t(x), told as densities of x.

    It takes the rows as `transform` leaves them, and its parameters are of these; log-likelihood
    and bound, in nats, are those of x: by the change of variables they have the logarithms of
    dy/dx of all values there are added. So fits to differently transformed columns can be compared,
    criteria and held-out rows too. transformations: for each column a name of `TRANSFORMATIONS`,
    or "". `of` standardises the transformed columns as well.

    Whatever goes on within the model (log_joint, sample, impute) is of y. Of a square root, whose
    y cannot be negative, the densities of x lack what the model puts below 0.
    """

    transformations: tuple[str, ...] = ()

    @classmethod
    def by(
        cls, model, transformations: Sequence[str], standardised_by=None, weights=None
    ) -> Transformed:
        """standardised_by: transformed data (with weights), to be fitted with mean 0 and standard
        deviation 1; None for columns as they are."""
        n = len(transformations)
        shift, scale = (0.0,) * n, (1.0,) * n
        if standardised_by is not None:
            own = Standardised.of(model, standardised_by, weights)
            shift, scale = own.shift, own.scale
        return cls(model, shift, scale, tuple(transformations))

    def logs(self, data) -> np.ndarray:
        """(N,) by how many nats the log-density of each row (or sequence) is higher in the model's
        own units than that of the rows before they were transformed."""
        if isinstance(data, list):
            return np.array([self.logs(part).sum() for part in data])
        rows = as_table(data)
        own = super().logs(rows)
        for name, column in zip(self.transformations, rows.T, strict=True):
            if name:
                there = ~np.isnan(column)
                own[there] -= TRANSFORMATIONS[name].log_slope(column[there])
        return own

    # Where it is not standardised, a model that can't be told in other units stays as it is.

    @property
    def _as_it_is(self) -> bool:
        return not any(self.shift) and set(self.scale) == {1.0}

    def own_rows(self, data):
        return data if self._as_it_is else super().own_rows(data)

    def _rescaled(self, params, shift, scale):
        return params if self._as_it_is else super()._rescaled(params, shift, scale)
