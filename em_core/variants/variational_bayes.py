"""Variational Bayes for Gaussian mixtures: parameters are latent too, and components switch off.

Priors: weights ~ Dirichlet, means and precisions ~ normal-Wishart. q(z, parameters) = q(z)
q(parameters); the bound is on the evidence log p(x), parameters integrated out, which nobody can
compute. With a small Dirichlet concentration, components that explain little lose all their rows
(Bishop 2006, section 10.2).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from em_core.emissions.kernels.parameters import GaussianParams
from em_core.emissions.kernels.responsibilities import entropy_of
from em_core.models.mixture import MixtureParams
from em_core.variants.steps import Step

# Of the Dirichlet: well below 1, so that weights of 0 are welcome.
CONCENTRATION = 1e-2
# How many rows the prior on a mean is worth.
MEAN_ROWS = 1e-2


class Belief(NamedTuple):
    """Dirichlet and normal-Wishart distributions of K components.

    concentrations (K,); means (K, D) are worth mean_rows (K,) rows; precisions ~
    Wishart(scale (K, D, D), degrees (K,)).
    """

    concentrations: np.ndarray
    mean_rows: np.ndarray
    means: np.ndarray
    scales: np.ndarray
    degrees: np.ndarray

    @property
    def log_weights(self) -> np.ndarray:
        """(K,) E[log weight]."""
        from scipy.special import psi

        return psi(self.concentrations) - psi(self.concentrations.sum())

    @property
    def log_precisions(self) -> np.ndarray:
        """(K,) E[log|precision|]."""
        from scipy.special import psi

        d = self.means.shape[1]
        halves = (self.degrees[:, None] - np.arange(d)) / 2
        return psi(halves).sum(axis=1) + d * np.log(2) + np.linalg.slogdet(self.scales)[1]

    def log_joint(self, rows: np.ndarray) -> np.ndarray:
        """(N, K) E[log weight + log N(row | mean, precision^-1)] in nats."""
        d = rows.shape[1]
        apart = rows[:, None] - self.means
        squares = np.einsum("nki,kij,nkj->nk", apart, self.scales, apart)
        expected = d / self.mean_rows + self.degrees * squares
        constant = self.log_weights + (self.log_precisions - d * np.log(2 * np.pi)) / 2
        return constant - expected / 2

    @property
    def params(self) -> MixtureParams:
        """The mean weights and means, and the inverse of the mean precisions."""
        covariances = np.linalg.inv(self.scales) / self.degrees[:, None, None]
        weights = self.concentrations / self.concentrations.sum()
        return MixtureParams(weights, GaussianParams(self.means, covariances))


def prior_of(model, rows: np.ndarray, concentration: float = CONCENTRATION) -> Belief:
    """Components anywhere in the data, each about 1 / K of their variance."""
    n, (_, d) = model.n_components, rows.shape
    guess = np.diag(rows.var(axis=0)) / n
    return Belief(
        np.full(n, concentration),
        np.full(n, MEAN_ROWS),
        np.repeat(rows.mean(axis=0)[None], n, axis=0),
        np.repeat(np.linalg.inv(guess * d)[None], n, axis=0),
        np.full(n, float(d)),
    )


def updated(prior: Belief, rows: np.ndarray, shares: np.ndarray) -> Belief:
    """What rows that belong to components by shares (N, K) make of a belief."""
    counts = shares.sum(axis=0)
    averages = shares.T @ rows / np.maximum(counts, np.finfo(float).tiny)[:, None]
    apart = rows[:, None] - averages
    scatters = np.einsum("nk,nki,nkj->kij", shares, apart, apart)
    shift = averages - prior.means
    mean_rows = prior.mean_rows + counts
    pull = (prior.mean_rows * counts / mean_rows)[:, None, None]
    inverse = np.linalg.inv(prior.scales) + scatters + pull * shift[:, :, None] * shift[:, None]
    means = prior.means + (counts / mean_rows)[:, None] * shift
    return Belief(
        prior.concentrations + counts,
        mean_rows,
        means,
        np.linalg.inv(inverse),
        prior.degrees + counts,
    )


def divergence(belief: Belief, prior: Belief) -> float:
    """KL(belief || prior) in nats."""
    d = belief.means.shape[1]
    weights = _log_dirichlet(belief.concentrations) - _log_dirichlet(prior.concentrations)
    weights += (belief.concentrations - prior.concentrations) @ belief.log_weights
    apart = belief.means - prior.means
    squares = np.einsum("ki,kij,kj->k", apart, belief.scales, apart)
    ratio = prior.mean_rows / belief.mean_rows
    means = (d * (ratio - 1 - np.log(ratio)) + prior.mean_rows * belief.degrees * squares) / 2
    traces = np.einsum("kij,kji->k", np.linalg.inv(prior.scales), belief.scales)
    spreads = _log_wishart(belief) - _log_wishart(prior)
    spreads += (belief.degrees - prior.degrees) / 2 * belief.log_precisions
    spreads += belief.degrees * (traces - d) / 2
    return float(weights + (means + spreads).sum())


def _log_dirichlet(concentrations: np.ndarray) -> float:
    from scipy.special import gammaln

    return gammaln(concentrations.sum()) - gammaln(concentrations).sum()


def _log_wishart(belief: Belief) -> np.ndarray:
    from scipy.special import multigammaln

    d = belief.means.shape[1]
    halves = belief.degrees / 2
    log_gammas = np.array([multigammaln(half, d) for half in halves])
    return -halves * np.linalg.slogdet(belief.scales)[1] - halves * d * np.log(2) - log_gammas


def variational_bayes(model, data, params, rng) -> Iterator[Step]:
    """Coordinate ascent on the bound of the evidence, over q(z) and q(parameters)."""
    rows = np.asarray(data, dtype=float)
    prior = prior_of(model, rows)
    belief = updated(prior, rows, model.posterior(params, rows).responsibilities)
    shares = _shares(belief.log_joint(rows))
    iteration = 0
    params = belief.params
    yield Step(
        0, "start", params, params, evidence_bound(belief, prior, rows, shares), np.nan, (), 1
    )
    while True:
        iteration += 1
        old, belief = belief.params, updated(prior, rows, shares)
        params = belief.params
        bound = evidence_bound(belief, prior, rows, shares)
        yield Step(iteration, "M", params, old, bound, np.nan, (), iteration)
        shares = _shares(belief.log_joint(rows))
        bound = evidence_bound(belief, prior, rows, shares)
        yield Step(iteration, "E", params, params, bound, np.nan, (), iteration + 1)


def evidence_bound(belief: Belief, prior: Belief, rows: np.ndarray, shares: np.ndarray) -> float:
    """E[log p(x, z | parameters)] + H(q(z)) - KL(q(parameters) || prior), at most log p(x)."""
    expected = float((shares * belief.log_joint(rows)).sum())
    return expected + entropy_of(shares) - divergence(belief, prior)


def _shares(log_joint: np.ndarray) -> np.ndarray:
    shares = np.exp(log_joint - log_joint.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)
