"""The ELBO in its four forms, each computed in its own way, for tiny data.

    joint over q               E_q[log(p(x, z) / q(z))], over every z there is
    expected joint + entropy   E_q[log p(x, z)] + H(q), from the statistics
    reconstruction - prior     E_q[log p(x | z)] - KL(q || p(z))
    evidence - posterior       log p(x) - KL(q || p(z | x))

q is the posterior at other parameters than those priced, so that no KL divergence is zero. They
are equal by algebra; that these four computations agree says that each of them is right.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from em_core.models.factor_analysis.statistics import FactorParams
from em_core.models.mixture import Mixture, MixtureParams
from em_core.protocols import optional

# Enumerated one by one: 2^12, or 3^10.
MOST_ASSIGNMENTS = 60_000


class Forms(NamedTuple):
    """The four numbers in nats, totals, and the log-likelihood they are at most."""

    joint_over_q: float
    expected_joint_plus_entropy: float
    reconstruction_minus_prior: float
    evidence_minus_posterior: float
    log_likelihood: float

    @property
    def disagreement(self) -> float:
        """The largest difference of any two forms, in nats."""
        return float(np.ptp(self[:4]))


def elbo_forms(model, params, q_params, data) -> Forms:
    """The bound at `params` of q = p(z | x, q_params).

    Raises ValueError where the assignments are too many, or for a model that is not a mixture, a
    hidden Markov model or a factor model.
    """
    data = model.check(data)
    latent = optional(model, "latent")
    if latent == "factors":
        # q is about z ~ N(0, I), not about factors on another scale.
        params = FactorParams(*params[:3], q_params.factor_scale)
    q = model.e_step(q_params, data)
    expected = float(model.expected_log_joint(params, q.statistics) + q.entropy)
    evidence = float(model.e_step(params, data).log_likelihood)
    if latent == "labels":
        forms = _of_labels(*_mixture_tables(model, params, q_params, data))
    elif latent == "path":
        forms = _of_labels(*_chain_tables(model, params, q_params, data))
    elif latent == "factors":
        forms = _of_factors(params, q_params, data.data)
    else:
        raise ValueError(f"{type(model).__name__} has no q whose forms could be listed")
    joint, reconstruction, posterior = forms
    return Forms(joint, expected, reconstruction, evidence - posterior, evidence)


def enumerated_log_likelihood(model: Mixture, params: MixtureParams, data) -> float:
    """log of the sum of p(x, z | params) over all K^N assignments z, term by term, in nats."""
    joint = model.log_joint(params, model.check(data))
    rows = np.arange(len(joint))
    return float(np.logaddexp.reduce([joint[rows, z].sum() for z in _assignments(*joint.shape)]))


def _assignments(n: int, k: int) -> np.ndarray:
    """(k^n, n) all assignments."""
    if k**n > MOST_ASSIGNMENTS:
        raise ValueError(f"{k}^{n} assignments are too many to list: use fewer rows")
    return np.array(list(itertools.product(range(k), repeat=n)))


def _mixture_tables(model, params, q_params, data):
    """Log prior, log p(x | z) and log q of all assignments, (K^N,) each."""
    joint = model.log_joint(params, data)
    log_weights = np.log(params.weights)
    with np.errstate(divide="ignore"):
        shares = np.log(model.posterior(q_params, data).responsibilities)
    assignments, rows = _assignments(*joint.shape), np.arange(len(joint))
    prior = log_weights[assignments].sum(axis=1)
    return (
        prior,
        joint[rows, assignments].sum(axis=1) - prior,
        shares[rows, assignments].sum(axis=1),
    )


def _chain_tables(model, params, q_params, data):
    """The same of all paths through one sequence."""
    (rows,) = data
    paths = _assignments(len(rows), model.n_states)

    def tables(these):
        equal = np.full(model.n_states, 1 / model.n_states)
        mixture = Mixture(model.emission, model.n_states)
        densities = mixture.log_joint(MixtureParams(equal, these.emission), rows)
        densities = densities + np.log(model.n_states)
        steps = np.log(these.transition_matrix)[paths[:, :-1], paths[:, 1:]].sum(axis=1)
        prior = np.log(these.initial_probabilities)[paths[:, 0]] + steps
        return prior, densities[np.arange(len(rows)), paths].sum(axis=1)

    q_joint = sum(tables(q_params))
    return *tables(params), q_joint - np.logaddexp.reduce(q_joint)


def _of_labels(prior, given, log_q) -> tuple[float, float, float]:
    # What q rules out has no part in its averages, and no logarithm.
    evidence = np.logaddexp.reduce(prior + given)
    possible = log_q > -np.inf
    prior, given, log_q = prior[possible], given[possible], log_q[possible]
    q = np.exp(log_q)
    joint = q @ (prior + given - log_q)
    reconstruction = q @ given - q @ (log_q - prior)
    posterior = prior + given - evidence
    return float(joint), float(reconstruction), float(q @ (log_q - posterior))


def _of_factors(params, q_params, rows) -> tuple[float, float, float]:
    means, covariance = _posterior(q_params, rows)
    q = covariance.shape[0]
    factor = np.linalg.cholesky(covariance)
    # Every log-density is quadratic in z, so these nodes give exact expectations.
    points, shares = np.polynomial.hermite_e.hermegauss(3)
    nodes = np.array(list(itertools.product(points, repeat=q)))
    weights = np.prod(list(itertools.product(shares / shares.sum(), repeat=q)), axis=1)
    z = means[:, None] + nodes @ factor.T
    log_q = _log_normal(nodes, np.eye(q)) - np.log(np.diag(factor)).sum()
    prior = _log_normal(z, np.eye(q))
    noise = np.diag(params.noise)
    given = _log_normal(rows[:, None] - params.mean - z @ params.loadings.T, noise)
    joint = ((prior + given - log_q) @ weights).sum()
    to_prior = _divergence(means, covariance, np.zeros_like(means), np.eye(q))
    reconstruction = (given @ weights).sum() - to_prior
    to_posterior = _divergence(means, covariance, *_posterior(params, rows))
    return float(joint), float(reconstruction), float(to_posterior)


def _posterior(params, rows) -> tuple[np.ndarray, np.ndarray]:
    scaled = params.loadings / params.noise[:, None]
    covariance = np.linalg.inv(np.eye(scaled.shape[1]) + params.loadings.T @ scaled)
    return (rows - params.mean) @ scaled @ covariance, covariance


def _log_normal(values: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    squares = np.einsum("...i,ij,...j->...", values, np.linalg.inv(covariance), values)
    return -0.5 * (squares + np.linalg.slogdet(2 * np.pi * covariance)[1])


def _divergence(means, covariance, other_means, other) -> float:
    """Total KL of rows of N(means, covariance) from N(other_means, other)."""
    inverse, apart = np.linalg.inv(other), means - other_means
    squares = np.einsum("ni,ij,nj->", apart, inverse, apart)
    spread = np.trace(inverse @ covariance) - len(other)
    ratio = np.linalg.slogdet(other)[1] - np.linalg.slogdet(covariance)[1]
    return 0.5 * (squares + len(means) * (spread + ratio))
