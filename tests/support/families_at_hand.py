"""Every model family with a small data set of its own, for tests that hold for all of them."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from em_core import (
    Bernoulli,
    Categorical,
    FactorAnalyser,
    FactorAnalysis,
    Gaussian,
    HiddenMarkov,
    Mixture,
    Poisson,
    ProbabilisticPCA,
    StudentT,
    TwoLevel,
)
from em_core.emissions.covariances.structures import MCLUST


class Case(NamedTuple):
    model: Any
    data: Any

    def start(self, seed: int, iterations: int = 0):
        """Starting parameters by the first method, and some iterations of EM on."""
        data = self.model.check(self.data)
        method = next(iter(self.model.starts))
        params = self.model.initial_params(data, method, np.random.default_rng(seed))
        for _ in range(iterations):
            params = self.model.m_step(params, self.model.e_step(params, data).statistics)
        return params

    @property
    def prepared(self):
        return self.model.prepare(self.model.check(self.data))


@cache
def cases() -> dict[str, Case]:
    rng = np.random.default_rng(0)
    rows = np.concatenate(
        [
            rng.normal(size=(60, 3)),
            rng.normal(size=(50, 3)) @ rng.normal(size=(3, 3)) + 3,
            rng.normal(size=(40, 3)) / 2 - 2,
        ]
    )
    holes = np.where(rng.random(rows.shape) < 0.05, np.nan, rows)
    holes[:, 0] = rows[:, 0]
    sequences = [rows[:70], rows[70:]]
    answers = (rng.random((120, 4)) < rng.random((3, 4))[rng.integers(3, size=120)]).astype(float)
    levels = rng.integers(0, 3, size=(120, 4)) * [1.0, 0.5, 1, 1] // 1
    counts = rng.poisson(np.array([[2, 9], [8, 3]])[rng.integers(2, size=100)]).astype(float)
    banded = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], bool)
    named = {f"Gaussian {code}": Case(Mixture(Gaussian(code), 3), rows) for code in MCLUST}
    return named | {
        "Gaussian with holes": Case(Mixture(Gaussian(), 2), holes),
        "Bernoulli": Case(Mixture(Bernoulli(), 2), answers),
        "Categorical": Case(Mixture(Categorical(), 2), levels),
        "Poisson": Case(Mixture(Poisson(), 2), counts),
        "Student t": Case(Mixture(StudentT(), 2), rows),
        "Student t, given tails": Case(Mixture(StudentT("diag", 4.0), 2), rows),
        "Student t with holes": Case(Mixture(StudentT(), 2), holes),
        "factor analysers": Case(Mixture(FactorAnalyser(1), 2), rows),
        "hidden Markov": Case(HiddenMarkov(Gaussian(), 2), sequences),
        "banded hidden Markov": Case(HiddenMarkov(Gaussian("diag"), 3, banded), sequences),
        "stationary hidden Markov": Case(
            HiddenMarkov(Gaussian("tied"), 2, initial="stationary"), sequences
        ),
        "factor analysis": Case(FactorAnalysis(1), rows),
        "probabilistic PCA": Case(ProbabilisticPCA(2), rows),
        "factor analysis with holes": Case(FactorAnalysis(1), holes),
        "two levels": Case(TwoLevel(), [rows[i::10] for i in range(10)]),
        "two levels with holes": Case(TwoLevel(), [holes[i::10] for i in range(10)]),
    }
