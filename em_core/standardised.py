"""A model in units of its own: fitted to columns of mean 0 and standard deviation 1.

Volumes, shapes and orientations that components share are shared in the units of the fit, and are
others in the units of the data. So all that EM and its bound do happens in the model's own units;
parameters, densities and log-likelihoods are told for the data as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from em_core.half_steps import Expectation, Leap
from em_core.magnitudes import LEAST_SPREAD
from em_core.protocols import optional


@dataclass(frozen=True)
class StandardisedRows:
    """own: the rows as the model's e_step takes them, in its units. logs (N,): by how many nats
    the log-density of each row is higher there."""

    own: Any
    logs: np.ndarray

    def __len__(self) -> int:
        return len(self.own)

    def __getitem__(self, part: slice) -> StandardisedRows:
        return StandardisedRows(self.own[part], self.logs[part])


class StandardisedSum(NamedTuple):
    """own: what the model condensed rows to, in its units. logs: by how many nats all their
    log-densities together are higher there."""

    own: Any
    logs: float


class StandardisedStatistics(NamedTuple):
    """own: the model's statistics in its units. logs: by how many nats all log-densities together
    are higher there."""

    own: Any
    logs: Any


@dataclass(frozen=True)
class Standardised:
    """`model` for (x - shift) / scale, told in the units of x; `Standardised.of` takes both from
    data. It must have a method `rescale`; that of probabilistic PCA, whose noise is one number only
    while all columns have one unit, raises ValueError.

    Whatever a density says of rows is the same in all units: what is not defined here (posterior,
    predict, sample, impute ...) is the model's own, at parameters in the units of the data.
    """

    model: Any
    shift: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def of(cls, model, data, weights=None) -> Standardised:
        """In units that give every column of data mean 0 and standard deviation 1, by the values
        there are, each counted by the weight of its row (sequence, group); a column that never
        varies keeps its unit."""
        values = np.concatenate(data) if isinstance(data, list) else np.asarray(data, dtype=float)
        values = values[:, None] if values.ndim == 1 else values
        if weights is None:
            shift, scale = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
        else:
            if isinstance(data, list):
                weights = np.repeat(weights, [len(part) for part in data])
            counted = np.asarray(weights, dtype=float)[:, None] * ~np.isnan(values)
            totals = counted.sum(axis=0)
            shift = (counted * np.nan_to_num(values)).sum(axis=0) / totals
            squares = counted * np.nan_to_num(values - shift) ** 2
            scale = np.sqrt(squares.sum(axis=0) / totals)
        return cls._by(model, shift, scale)

    @classmethod
    def of_columns(cls, model, columns) -> Standardised:
        """The same by what is known of columns (`partitions.overview.ColumnTotals`)."""
        return cls._by(model, columns.means, np.sqrt(columns.variances))

    @classmethod
    def _by(cls, model, means: np.ndarray, deviations: np.ndarray) -> Standardised:
        varies = deviations > 1e-13 * np.abs(means)
        if (tiny := np.flatnonzero(varies & (deviations < LEAST_SPREAD))).size:
            raise ValueError(f"column {tiny[0] + 1} varies by too little: use a smaller unit")
        return cls(model, tuple(means.tolist()), tuple(np.where(varies, deviations, 1.0).tolist()))

    def __getstate__(self) -> dict[str, Any]:
        """For another process: what was worked out last stays here."""
        return {name: part for name, part in self.__dict__.items() if name != "_last"}

    def __getattr__(self, name: str):
        # While it is unpickled there is no model yet.
        if name.startswith("__") or name == "model":
            raise AttributeError(name)
        return getattr(self.model, name)

    @property
    def _units(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self.shift), np.array(self.scale)

    def own_rows(self, data):
        """Data in the model's own units: a table, or a list of them."""
        shift, scale = self._units
        if isinstance(data, list):
            return [(part - shift) / scale for part in data]
        return (data - shift) / scale

    def own_params(self, params):
        """Parameters in the model's own units, from those in the units of the data."""
        # An iteration asks several times for the same, from which inverses are derived.
        last, own = self.__dict__.get("_last", (None, None))
        if last is not params:
            shift, scale = self._units
            own = self._rescaled(params, -shift / scale, 1 / scale)
            self.__dict__["_last"] = params, own
        return own

    def in_data_units(self, params):
        """Parameters in the units of the data, from those in the model's own."""
        return self._rescaled(params, *self._units)

    def own_gradient(self, gradient):
        """Derivatives by the model's own parameters, from those by parameters in the units of the
        data: every array is scaled entry by entry."""
        shift, scale = self._units
        return self._rescaled(gradient, np.zeros_like(shift), scale)

    def _rescaled(self, params, shift, scale):
        return self.model.rescale(params, shift, scale)

    def logs(self, data) -> np.ndarray:
        """(N,) by how many nats the log-density of each row (or sequence) is higher in the model's
        own units: the logarithms of the scales of the values there are."""
        each = np.log(self.scale)
        if isinstance(data, list):
            return np.array([((~np.isnan(part)) @ each).sum() for part in data])
        return (~np.isnan(data)) @ each

    # Starts

    def initial_params(self, data, method: str, rng, weights=None):
        """Starting parameters by the model's own method of this name."""
        rows = self.own_rows(self.model.check(data))
        return self.in_data_units(self.model.initial_params(rows, method, rng, weights))

    def params_from_responsibilities(self, data, responsibilities, weights=None):
        """The M-step of a given q."""
        rows = self.own_rows(self.model.check(data))
        own = self.model.params_from_responsibilities(rows, responsibilities, weights)
        return self.in_data_units(own)

    def params_around(self, shares, data, means, weights=None):
        """Parameters with these weights and means, and the rows' spread about them."""
        rows, means = self.own_rows(data), self.own_rows(means)
        return self.in_data_units(self.model.params_around(shares, rows, means, weights))

    # EM

    def prepare(self, data, weights=None) -> StandardisedRows:
        """The rows in the form the E-step reads fastest."""
        return StandardisedRows(self.model.prepare(self.own_rows(data), weights), self.logs(data))

    def settled(self, columns) -> Any:
        """With the model for tables whose columns, in its own units, are such."""
        own = optional(self.model, "settled")(columns.in_units(*self._units))
        return replace(self, model=own)

    @property
    def prepare_block(self):
        """As of the model, where it has it."""
        return None if optional(self.model, "prepare_block") is None else self._prepare_block

    def _prepare_block(self, data, columns) -> StandardisedRows:
        own = columns.in_units(*self._units)
        return StandardisedRows(self.model.prepare_block(self.own_rows(data), own), self.logs(data))

    @property
    def condense_block(self):
        """As of the model, where it has it."""
        return None if optional(self.model, "condense_block") is None else self._condense_block

    def _condense_block(self, data, weights, columns) -> StandardisedSum:
        own, logs = columns.in_units(*self._units), self.logs(data)
        total = logs.sum() if weights is None else weights @ logs
        condensed = self.model.condense_block(self.own_rows(data), weights, own)
        return StandardisedSum(condensed, float(total))

    def condensed(self, total: StandardisedSum, columns) -> StandardisedRows:
        """A table in pieces, by the sum of what its blocks were condensed to."""
        own = self.model.condensed(total.own, columns.in_units(*self._units))
        return StandardisedRows(own, np.array([total.logs]))

    def e_step(self, params, data, weights=None) -> Expectation:
        """The model's, of the rows in its own units; the log-likelihood is that of the data."""
        if isinstance(data, StandardisedRows):
            own, logs = data.own, data.logs
        else:
            own, logs = self.own_rows(data), self.logs(data)
        q = self.model.e_step(self.own_params(params), own, weights)
        total = logs.sum() if weights is None else weights @ logs
        log_likelihood = q.log_likelihood - total
        # One for each model, where several go side by side.
        one = np.ndim(log_likelihood) == 0
        total = float(total) if one else np.full_like(log_likelihood, total)
        return Expectation(StandardisedStatistics(q.statistics, total), q.entropy, log_likelihood)

    def label_entropy(self, params, data, weights=None) -> float | None:
        """H(q) of the labels alone, which is the same in all units."""
        entropy = optional(self.model, "label_entropy")
        if isinstance(data, StandardisedRows):
            return entropy(self.own_params(params), data.own, weights)
        return entropy(params, data, weights)

    def m_step(self, params, statistics: StandardisedStatistics):
        """The model's, in its own units."""
        return self.in_data_units(self.model.m_step(self.own_params(params), statistics.own))

    def expected_log_joint(self, params, statistics: StandardisedStatistics):
        """E_q[log p(x, z | params)] in nats, for x in the units of the data."""
        own = self.model.expected_log_joint(self.own_params(params), statistics.own)
        return own - statistics.logs

    def expected_log_joint_gradient(self, params, statistics: StandardisedStatistics):
        """Derivatives of `expected_log_joint` by every entry of every array."""
        shift, scale = self._units
        own = self.model.expected_log_joint_gradient(self.own_params(params), statistics.own)
        return self._rescaled(own, np.zeros_like(shift), 1 / scale)

    def flags(self, params, statistics: StandardisedStatistics) -> tuple[str, ...]:
        return self.model.flags(self.own_params(params), statistics.own)

    def at_floor(self, params, statistics: StandardisedStatistics) -> dict[str, np.ndarray]:
        """What is at a bound that the model has in its own units."""
        return optional(self.model, "at_floor")(self.own_params(params), statistics.own)

    def leap(self, params, statistics: StandardisedStatistics) -> Leap | None:
        """The model's, if it has any, in its own units."""
        leap = optional(self.model, "leap")(self.own_params(params), statistics.own)
        return leap and leap._replace(params=self.in_data_units(leap.params))


def as_it_is(model):
    """The model for data as they are: of the same densities, though its M-step may be another."""
    return model.model if isinstance(model, Standardised) else model
