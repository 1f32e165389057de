"""A model of your own, complete: counts with more zeros than a Poisson distribution gives."""

from collections import namedtuple
from typing import ClassVar

import numpy as np
from scipy.special import entr, expit, gammaln, log_expit, logit, xlog1py, xlogy

from em_core import Expectation

Params = namedtuple("Params", "zero_share rate")
Statistics = namedtuple("Statistics", "rows sure_zeros total log_factorials")


class ZeroInflatedPoisson:
    """Zero-inflated Poisson"""

    starts: ClassVar = {"half": "half of the zeros are sure", "few": "1 %", "random": "any share"}

    def check(self, data):
        data = np.asarray(data, dtype=float)
        if data.ndim != 1 or not ((data >= 0) & (data == np.floor(data))).all():
            raise ValueError("give one column of counts: whole numbers, none negative")
        return data

    def initial_params(self, data, method, rng, weights=None):
        share = {"half": 0.5, "few": 0.01, "random": rng.uniform()}[method]
        share *= np.average(data == 0, weights=weights)
        return Params(share, np.average(data, weights=weights) / (1 - share))

    def posterior(self, params, data):  # of every row: p(z = 1 | x), a sure zero, and log p(x)
        log_odds = np.where(data == 0, logit(params.zero_share) + params.rate, -np.inf)
        log_poisson = xlogy(data, params.rate) - params.rate - gammaln(data + 1)
        return expit(log_odds), np.log1p(-params.zero_share) + log_poisson - log_expit(-log_odds)

    def e_step(self, params, data, weights=None):
        weights = np.ones(len(data)) if weights is None else weights
        q, log_p = self.posterior(params, data)
        sums = weights @ np.stack([np.ones(len(q)), q, data, gammaln(data + 1)], axis=1)
        return Expectation(Statistics(*sums), weights @ (entr(q) + entr(1 - q)), weights @ log_p)

    def m_step(self, params, statistics):
        rows, zeros, total, _ = statistics
        return Params(zeros / rows, total / (rows - zeros))

    def expected_log_joint(self, params, statistics):
        rows, zeros, total, log_factorials = statistics
        prior = xlogy(zeros, params.zero_share) + xlog1py(rows - zeros, -params.zero_share)
        return prior + xlogy(total, params.rate) - (rows - zeros) * params.rate - log_factorials

    def n_parameters(self, params):
        return 2

    def sample(self, params, n, rng):
        sure = rng.uniform(size=n) < params.zero_share
        return np.where(sure, 0, rng.poisson(params.rate, n)), sure


model = ZeroInflatedPoisson()
