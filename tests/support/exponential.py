"""An emission of one's own: exponential waiting times, whose `rates` are no means."""

from typing import NamedTuple

import numpy as np

from em_core import Mixture
from em_core.coordinates.domains import Positive
from em_core.emissions.exponential_family import ExponentialFamily


class ExponentialParams(NamedTuple):
    """rates (K, D): one over the mean of each column."""

    rates: np.ndarray


class Exponential(ExponentialFamily):
    """p(x_d | k) = rate_kd exp(-rate_kd x_d), x_d >= 0."""

    def _check_column(self, number, values, to_fit):
        if to_fit and values.min() < 0:
            raise ValueError(f"column {number} holds {values.min():g}: times are not negative")

    def _features(self, data, params):
        return np.column_stack([np.ones(len(data)), np.nan_to_num(data), ~np.isnan(data)])

    def _coefficients(self, params):
        zeros = np.zeros((*params.rates.shape[:-1], 1))
        return np.concatenate([zeros, -params.rates, np.log(params.rates)], axis=-1)

    def _estimate(self, features, fallback):
        totals, seen = np.split(features[..., 1:], 2, axis=-1)
        return ExponentialParams(seen / np.maximum(totals, 1e-300))

    def coordinates(self, data, weights=None):
        return np.log1p(data)

    def params(self, n_components, rates):
        return ExponentialParams(np.asarray(rates, dtype=float))

    def domains(self, params):
        return (Positive(params.rates, "rate"),)

    def sample(self, params, labels, rng):
        return rng.exponential(1 / params.rates[labels])

    def n_parameters(self, params):
        return params.rates.size


class SaysColumns(Exponential):
    """The same, and what a picture and a table need to know of its columns."""

    def column_means(self, params):
        return 1 / params.rates

    def column_deviations(self, params):
        return 1 / params.rates

    def column_log_density(self, params, column, values):
        rates = params.rates[:, column, None]
        return np.where(values >= 0, np.log(rates) - rates * values, -np.inf)


model = Mixture(Exponential(), 2)
