"""Mean-field variational EM: q is a product where the posterior is not.

For a hidden Markov model q(z) = prod_t q_t(z_t), for factor analysis q(z_n) = prod_j q(z_nj). The
bound climbs, and stays below the log-likelihood by a KL divergence that can be seen here, as the
likelihood is known (Saul & Jordan 1996; Wainwright & Jordan 2008). For a hidden Markov model no
step can close it. Factors can be turned without changing the likelihood: the climb turns them
until their posterior is a product, and the gap closes.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from em_core.data import prepare
from em_core.emissions.kernels.responsibilities import entropy_of
from em_core.models.factor_analysis.posterior import FactorInference
from em_core.variants.chains import Chains, Paths, logs
from em_core.variants.steps import Step, alternate

MOST_SWEEPS = 30
SETTLED = 1e-9


def mean_field_em(model, data, params, rng) -> Iterator[Step]:
    """Coordinate ascent on the ELBO over product q and parameters."""
    if model.latent == "path":
        chains = Chains(model, data)
        factors = FramesApart(chains)
        return alternate(
            model, params, lambda params, _: chains.e_step(params, factors), model.m_step
        )
    prepared = prepare(model, data)
    return alternate(
        model,
        params,
        lambda params, _: model.e_step_with(params, prepared, factors_apart),
        lambda params, statistics: _unturned_m_step(model, params, statistics),
    )


def factors_apart(q: FactorInference) -> FactorInference:
    """The product of Gaussians nearest to q in KL(product || q): its means, and the inverse
    diagonal of its precision."""
    precisions = np.einsum("pqq->pq", np.linalg.inv(q.covariances))
    covariances = (1 / precisions)[:, :, None] * np.eye(precisions.shape[1])
    return q._replace(covariances=covariances, log_precisions=np.log(precisions).sum(axis=1))


def _unturned_m_step(model, params, statistics):
    """The M-step without a turn of the factors, which would make q no product of the new ones."""
    scales = np.diag(np.diag(statistics.factor_moments))
    return model.m_step(params, statistics._replace(factor_moments=scales))


class FramesApart:
    """q(z) = prod_t q_t(z_t) of all frames; each E-step goes on from the q of the last one."""

    def __init__(self, chains: Chains):
        self.chains = chains
        n_frames = int(chains.lengths.sum())
        self.shares = None
        self.has_before = np.ones(n_frames, bool)
        self.has_before[chains.firsts] = False
        self.has_after = np.ones(n_frames, bool)
        self.has_after[chains.lasts] = False
        place = np.arange(n_frames) - np.repeat(chains.firsts, chains.lengths)
        # Frames of one parity do not see each other, so all of them can move at once.
        self.halves = [np.flatnonzero(place % 2 == parity) for parity in (0, 1)]

    def __call__(self, params, densities: np.ndarray) -> Paths:
        initial, matrix = logs(params)
        if self.shares is None:
            self.shares = _normalised(densities)
        shares = self.shares
        for _ in range(MOST_SWEEPS):
            before = shares.copy()
            for half in self.halves:
                field = densities[half].copy()
                field[~self.has_before[half]] += initial
                late, early = half[self.has_before[half]], half[self.has_after[half]]
                field[self.has_before[half]] += shares[late - 1] @ matrix
                field[self.has_after[half]] += shares[early + 1] @ matrix.T
                shares[half] = _normalised(field)
            if np.abs(shares - before).max() <= SETTLED:
                break
        early = np.flatnonzero(self.has_after)
        transitions = shares[early].T @ shares[early + 1]
        return Paths(shares.copy(), transitions, entropy_of(shares))


def _normalised(logs: np.ndarray) -> np.ndarray:
    shares = np.exp(logs - logs.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)
