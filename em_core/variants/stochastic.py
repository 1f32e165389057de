"""Stochastic and Monte-Carlo EM: the E-step draws from the posterior and takes the draws for it.

One draw for each row never settles but can leave poor optima (Celeux & Diebolt 1985); more and
more draws come as close to EM as one likes (Wei & Tanner 1990). Expected statistics are estimated
without bias. The bound is that of the draws' own distribution.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from em_core.variants.chains import Chains, Paths, draw_paths, e_step_of
from em_core.variants.steps import Step, alternate

FIRST_DRAWS = 5
GROWTH = 1.25
MOST_DRAWS = 1000
# Paths are drawn step by step.
MOST_PATHS = 50


def stochastic_em(model, data, params, rng) -> Iterator[Step]:
    """EM with one draw of every row's component, or of every sequence's path."""
    return _sampled(model, data, params, rng, lambda iteration: 1)


def monte_carlo_em(model, data, params, rng) -> Iterator[Step]:
    """EM with a growing number of draws."""
    return _sampled(
        model, data, params, rng, lambda i: min(int(FIRST_DRAWS * GROWTH**i), MOST_DRAWS)
    )


def _sampled(model, data, params, rng, draws) -> Iterator[Step]:
    def drawn(log_joint: np.ndarray, rows, iteration: int) -> np.ndarray:
        return draw_shares(log_joint, draws(iteration), rng)

    def drawn_paths(chains: Chains):
        return lambda params, densities, iteration: paths_of(
            chains, params, densities, min(draws(iteration), MOST_PATHS), rng
        )

    return alternate(model, params, e_step_of(model, data, drawn, drawn_paths), model.m_step)


def draw_shares(log_joint: np.ndarray, n: int, rng) -> np.ndarray:
    """(K, n) how often each component was drawn for each row, as a share of n draws."""
    chances = np.exp(log_joint - log_joint.max(axis=0))
    chances = (chances / chances.sum(axis=0)).T
    return np.ascontiguousarray((rng.multinomial(n, chances) / n).T)


def paths_of(chains: Chains, params, densities: np.ndarray, n: int, rng) -> Paths:
    """The distribution of n paths drawn for every sequence."""
    paths, log_likelihood = draw_paths(chains, params, densities, n, rng)
    shares, transitions = chains.of_paths(paths)
    entropy = 0.0
    for first, last in zip(chains.firsts, chains.lasts, strict=True):
        share = np.unique(paths[:, first : last + 1], axis=0, return_counts=True)[1] / n
        entropy -= share @ np.log(share)
    return Paths(shares, transitions, float(entropy), log_likelihood)
