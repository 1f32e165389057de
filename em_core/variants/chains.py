"""E-steps of hidden Markov models under another q over paths than the posterior."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from em_core.emissions.kernels.linear import IMPOSSIBLE
from em_core.emissions.kernels.responsibilities import entropy_of
from em_core.half_steps import Expectation
from em_core.models.hidden_markov.model import (
    HiddenMarkov,
    HiddenMarkovParams,
    HiddenMarkovStatistics,
)
from em_core.models.hidden_markov.scan import log_sum_exp
from em_core.models.hidden_markov.sequences import lengths_of
from em_core.models.mixture import Mixture, MixtureParams

TINY = np.finfo(float).tiny


class Paths(NamedTuple):
    """A q over the paths of all sequences.

    shares (T, K): of each state in every frame; transitions (K, K): expected steps; entropy in
    nats; log_likelihood where it is a by-product, else NaN.
    """

    shares: np.ndarray
    transitions: np.ndarray
    entropy: float
    log_likelihood: float = np.nan


class Chains:
    """The sequences of one data set end to end, ready for one E-step after the other."""

    def __init__(self, model: HiddenMarkov, data):
        self.model = model
        self.data = model.check(data)
        self.lengths = lengths_of(self.data)
        ends = np.cumsum(self.lengths)
        self.firsts, self.lasts = ends - self.lengths, ends - 1
        self.mixture = Mixture(model.emission, model.n_states)
        self.rows = self.mixture.prepare(np.concatenate(self.data))

    def _equal(self, params: HiddenMarkovParams) -> MixtureParams:
        n = self.model.n_states
        return MixtureParams(np.full(n, 1 / n), params.emission)

    def log_densities(self, params: HiddenMarkovParams) -> np.ndarray:
        """(T, K) log p(x_t | state) in nats, `IMPOSSIBLE` where that is 0."""
        joint = np.maximum(self.mixture.log_joint(self._equal(params), self.rows), IMPOSSIBLE)
        return joint + np.log(self.model.n_states)

    def e_step(
        self, params: HiddenMarkovParams, choose: Callable[[HiddenMarkovParams, np.ndarray], Paths]
    ) -> Expectation:
        """The statistics of q = choose(params, log densities (T, K))."""
        q = choose(params, self.log_densities(params))
        emission = self.mixture.e_step_with(
            self._equal(params), self.rows, lambda _, rows: np.ascontiguousarray(q.shares[rows].T)
        )
        statistics = HiddenMarkovStatistics(
            q.shares[self.firsts].sum(axis=0), q.transitions, emission.statistics.emission
        )
        # What is latent within the emissions, beyond the states.
        within = emission.entropy - entropy_of(q.shares)
        return Expectation(statistics, q.entropy + within, q.log_likelihood)

    def of_paths(self, paths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shares (T, K) of each state and steps (K, K), on average over paths (n, T)."""
        n = self.model.n_states
        shares = np.stack([(paths == k).mean(axis=0) for k in range(n)], axis=1)
        inside = np.ones(paths.shape[1] - 1, bool)
        inside[self.lasts[:-1]] = False
        steps = n * paths[:, :-1][:, inside] + paths[:, 1:][:, inside]
        counts = np.bincount(steps.ravel(), minlength=n * n)
        return shares, counts.reshape(n, n) / len(paths)


def logs(params: HiddenMarkovParams) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of initial probabilities (K,) and transitions (K, K)."""
    initial, matrix = params[:2]
    return np.log(np.maximum(initial, TINY)), np.log(np.maximum(matrix, TINY))


def draw_paths(
    chains: Chains, params, densities: np.ndarray, n: int, rng
) -> tuple[np.ndarray, float]:
    """Paths (n, T) drawn from the posterior, forward and then back (Carter & Kohn 1994), and the
    log-likelihood. In logarithms, for a state may be the only one that can follow and the least
    likely by far at once."""
    with np.errstate(divide="ignore"):  # what cannot be stays out, however unlikely the rest
        log_initial, log_matrix = (np.log(probabilities) for probabilities in params[:2])
    log_filtered = np.empty_like(densities)
    log_likelihood = 0.0
    paths = np.empty((n, len(densities)), dtype=int)
    for first, last in zip(chains.firsts, chains.lasts, strict=True):
        ahead = log_initial
        for t in range(first, last + 1):
            joint = ahead + densities[t]
            total = log_sum_exp(joint, 0)
            log_filtered[t] = joint - total
            log_likelihood += total
            ahead = log_sum_exp(log_filtered[t][:, None] + log_matrix, 0)
        log_chances = np.broadcast_to(log_filtered[last], (n, len(log_initial)))
        for t in range(last, first - 1, -1):
            if t < last:
                log_chances = log_filtered[t] + log_matrix[:, paths[:, t + 1]].T
            chances = np.exp(log_chances - log_chances.max(axis=1, keepdims=True))
            cumulative = chances.cumsum(axis=1)
            drawn = rng.random((n, 1)) * cumulative[:, -1:]
            paths[:, t] = (drawn >= cumulative[:, :-1]).sum(axis=1)
    return paths, float(log_likelihood)


def e_step_of(model, data, mixture_q, chain_q: Callable[[Chains], Any] | None):
    """e_step(params, iteration) of a mixture, by mixture_q(log joints, rows, iteration), or of a
    hidden Markov model, by chain_q(chains)(params, log densities, iteration)."""
    if model.latent == "path":
        chains = Chains(model, data)
        assert chain_q is not None, "it is for mixtures only"
        choose = chain_q(chains)
        return lambda params, iteration: chains.e_step(
            params, lambda params, densities: choose(params, densities, iteration)
        )
    rows = model.prepare(data)
    return lambda params, iteration: model.e_step_with(
        params, rows, lambda log_joint, rows: mixture_q(log_joint, rows, iteration)
    )
