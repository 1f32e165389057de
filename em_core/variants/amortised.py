"""An amortised posterior: a network that maps a row to its q, learned along with the model.

A variational auto-encoder: z ~ N(0, I), x given z from a decoder with one hidden layer (or none),
q(z | x) = N(mean(x), diag(deviation(x)^2)) from an encoder of the same kind. Both climb the ELBO by
its gradient, taken through z = mean + deviation * noise (Kingma & Welling 2014). Without hidden
layers the best it can do is probabilistic PCA (Lucas et al. 2019).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from em_core.models.factor_analysis.statistics import FactorParams
from em_core.variants.steps import Step

Weights = dict[str, np.ndarray]
# Adam's usual decay rates (Kingma & Ba 2015).
DECAY, SQUARE_DECAY, TINY = 0.9, 0.999, 1e-8
LENGTH = 0.02
STEPS = 3000
STEPS_SHOWN = 20


class NoiseNodes(NamedTuple):
    """Noise to take expectations over N(0, I) with: values (S, n or 1, q), shares (S,)."""

    values: np.ndarray
    shares: np.ndarray


def quadrature(n_latent: int, order: int) -> NoiseNodes:
    """Gauss-Hermite nodes: exact for polynomials up to degree 2 order - 1 in each direction."""
    points, shares = np.polynomial.hermite_e.hermegauss(order)
    grid = np.stack(np.meshgrid(*[points] * n_latent, indexing="ij"), axis=-1)
    weight = np.stack(np.meshgrid(*[shares / shares.sum()] * n_latent, indexing="ij"), axis=-1)
    return NoiseNodes(grid.reshape(-1, 1, n_latent), weight.prod(axis=-1).ravel())


def antithetic(n_rows: int, n_latent: int, rng) -> NoiseNodes:
    """One draw and its mirror image for every row."""
    noise = rng.standard_normal((1, n_rows, n_latent))
    return NoiseNodes(np.concatenate([noise, -noise]), np.full(2, 0.5))


class Decoded(NamedTuple):
    """Factors (S, n, q) drawn from q, the decoder's hidden units (S, n, H), or again the factors
    where it has none, and its outputs (S, n, D)."""

    factors: np.ndarray
    units: np.ndarray
    outputs: np.ndarray


@dataclass(frozen=True)
class Autoencoder:
    """n_columns of x, n_latent of z; hidden: units of each hidden layer, 0 for a linear model.

    likelihood: "gaussian", with one noise variance for all columns, or "bernoulli", for rows of
    0 and 1.
    """

    n_columns: int
    n_latent: int
    hidden: int = 0
    likelihood: str = "gaussian"

    def weights(self, rng) -> Weights:
        """Random weights to start from."""
        d, q, h = self.n_columns, self.n_latent, self.hidden

        def layer(inputs: int, outputs: int) -> np.ndarray:
            return rng.standard_normal((inputs, outputs)) / np.sqrt(inputs)

        weights = {
            "mean": layer(h or d, q), "mean shift": np.zeros(q), "spread shift": np.zeros(q),
            "output": layer(h or q, d), "output shift": np.zeros(d),
        }  # fmt: skip
        if h:
            weights |= {"spread": 0.1 * layer(h, q)}
            weights |= {"encode": layer(d, h), "encode shift": np.zeros(h)}
            weights |= {"decode": layer(q, h), "decode shift": np.zeros(h)}
        if self.likelihood == "gaussian":
            weights["log noise"] = np.zeros(1)
        return weights

    def encode(self, w: Weights, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean (n, q) and log standard deviation (n, q) of q(z | row)."""
        units = np.tanh(rows @ w["encode"] + w["encode shift"]) if self.hidden else rows
        means = units @ w["mean"] + w["mean shift"]
        spreads = np.broadcast_to(w["spread shift"], means.shape)
        return means, spreads + units @ w["spread"] if self.hidden else spreads

    def decode(self, w: Weights, factors: np.ndarray) -> np.ndarray:
        """(..., D) expected values, or for Bernoulli columns log odds, at factors (..., q)."""
        units = np.tanh(factors @ w["decode"] + w["decode shift"]) if self.hidden else factors
        return units @ w["output"] + w["output shift"]

    def log_likelihood(self, w: Weights, rows: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """(...) log p(row | outputs) in nats."""
        if self.likelihood == "bernoulli":
            return np.einsum("...d,...d->...", rows, outputs) - log_normaliser(outputs)
        variance = np.exp(w["log noise"][0])
        squares = ((rows - outputs) ** 2).sum(axis=-1)
        return -0.5 * (self.n_columns * np.log(2 * np.pi * variance) + squares / variance)

    def elbos(self, w: Weights, rows: np.ndarray, nodes: NoiseNodes) -> np.ndarray:
        """(n,) ELBO of every row in nats, its expectation taken over the nodes."""
        means, spreads = self.encode(w, rows)
        factors = means + np.exp(spreads) * nodes.values
        return self._elbos_of(w, rows, means, spreads, nodes, self.decode(w, factors))

    def _elbos_of(self, w: Weights, rows, means, spreads, nodes: NoiseNodes, outputs) -> np.ndarray:
        heights = self.log_likelihood(w, rows, outputs)
        return nodes.shares @ heights - kl_to_prior(means, spreads)

    def gradient(self, w: Weights, rows: np.ndarray, nodes: NoiseNodes) -> Weights:
        """The gradient of the rows' total ELBO by every weight."""
        means, spreads = self.encode(w, rows)
        there = self._there(w, means, spreads, nodes)
        error = self._error(w, rows, there.outputs, nodes)
        to_means, to_spreads = self._back(w, there, error, means, spreads, nodes)
        grown = self._by_decoder(w, rows, there, error, nodes)
        units = np.tanh(rows @ w["encode"] + w["encode shift"]) if self.hidden else rows
        grown["mean"], grown["mean shift"] = units.T @ to_means, to_means.sum(axis=0)
        grown["spread shift"] = to_spreads.sum(axis=0)
        if self.hidden:
            grown["spread"] = units.T @ to_spreads
            inner = to_means @ w["mean"].T + to_spreads @ w["spread"].T
            inner *= 1 - units**2
            grown["encode"], grown["encode shift"] = rows.T @ inner, inner.sum(axis=0)
        return grown

    def _there(self, w: Weights, means, spreads, nodes: NoiseNodes) -> Decoded:
        """From q to what the decoder makes of it."""
        factors = means + np.exp(spreads) * nodes.values
        units = np.tanh(factors @ w["decode"] + w["decode shift"]) if self.hidden else factors
        return Decoded(factors, units, units @ w["output"] + w["output shift"])

    def _error(self, w: Weights, rows, outputs, nodes: NoiseNodes) -> np.ndarray:
        """(S, n, D) the gradient of the expected log-likelihood by the outputs."""
        if self.likelihood == "bernoulli":
            error = rows - chances(outputs)
        else:
            error = (rows - outputs) / np.exp(w["log noise"][0])
        error *= nodes.shares[:, None, None]
        return error

    def _to_units(self, w: Weights, there: Decoded, error) -> np.ndarray:
        """The gradient by what goes into the decoder's hidden units, or without these, by z."""
        inner = error @ w["output"].T
        return inner * (1 - there.units**2) if self.hidden else inner

    def _back(self, w: Weights, there: Decoded, error, means, spreads, nodes: NoiseNodes):
        """Gradients of the total ELBO by q's means and log deviations."""
        inner = self._to_units(w, there, error)
        inner = inner @ w["decode"].T if self.hidden else inner
        deviations = np.exp(spreads)
        to_means = inner.sum(axis=0) - means
        return to_means, (inner * nodes.values).sum(axis=0) * deviations + 1 - deviations**2

    def _by_decoder(self, w: Weights, rows, there: Decoded, error, nodes: NoiseNodes) -> Weights:
        """The gradient of the total ELBO by the decoder's weights."""
        grown = {
            "output": sum_of_products(there.units, error),
            "output shift": error.sum(axis=(0, 1)),
        }
        if self.likelihood == "gaussian":
            squares = nodes.shares @ ((rows - there.outputs) ** 2).sum(axis=(-1, -2))
            variance = np.exp(w["log noise"][0])
            grown["log noise"] = np.array([0.5 * (squares / variance - rows.size)])
        if self.hidden:
            inner = self._to_units(w, there, error)
            grown["decode"] = sum_of_products(there.factors, inner)
            grown["decode shift"] = inner.sum(axis=(0, 1))
        return grown

    def best_q(self, w: Weights, rows: np.ndarray, steps: int = 300) -> np.ndarray:
        """(n,) the ELBO of every row under the best q for it alone, from the encoder's on."""
        nodes = quadrature(self.n_latent, 6)
        means, spreads = (part.copy() for part in self.encode(w, rows))
        climb, best = Adam({"means": means, "spreads": spreads}), np.full(len(rows), -np.inf)
        for step in range(steps + 1):
            there = self._there(w, means, spreads, nodes)
            found = self._elbos_of(w, rows, means, spreads, nodes, there.outputs)
            best = np.maximum(best, found)
            error = self._error(w, rows, there.outputs, nodes)
            to_means, to_spreads = self._back(w, there, error, means, spreads, nodes)
            gradient = {"means": to_means, "spreads": to_spreads}
            q = climb({"means": means, "spreads": spreads}, gradient, 0.05 * (1 - step / steps))
            means, spreads = q["means"], q["spreads"]
        return best

    def evidence(self, w: Weights, rows: np.ndarray, reach=6.0, points=161) -> np.ndarray:
        """(n,) log p(row) in nats, by a sum over a grid of factors: the exact E-step's evidence.

        For two latent factors at most: the grid has points^q places. They must be closer than the
        narrowest posterior is wide: half as many were 0.06 nats off for some of the digits.
        """
        if self.n_latent > 2:
            raise ValueError("the sum over all factors needs at most 2 of them")
        axis = np.linspace(-reach, reach, points)
        grid: np.ndarray = np.stack(np.meshgrid(*[axis] * self.n_latent), axis=-1)
        grid = grid.reshape(-1, self.n_latent)
        cell = self.n_latent * np.log(axis[1] - axis[0])
        prior = -0.5 * (grid**2).sum(axis=1) - self.n_latent * 0.5 * np.log(2 * np.pi)
        outputs = self.decode(w, grid)
        heights = self._log_likelihoods_of_all(w, rows, outputs)
        return np.array([np.logaddexp.reduce(prior + row) + cell for row in heights])

    def _log_likelihoods_of_all(self, w: Weights, rows, outputs) -> Iterator[np.ndarray]:
        """For every row its log-likelihood (G,) under each of the outputs (G, D)."""
        if self.likelihood == "bernoulli":
            normalisers = log_normaliser(outputs)
            return (outputs @ row - normalisers for row in rows)
        return (self.log_likelihood(w, row, outputs) for row in rows)


def log_normaliser(odds: np.ndarray) -> np.ndarray:
    """(...) log of 1 + exp, added over Bernoulli columns with these log odds (..., D).

    np.logaddexp(0, odds) is the same and takes several times as long.
    """
    parts = np.abs(odds)
    np.exp(np.negative(parts, out=parts), out=parts)
    np.log(np.add(parts, 1, out=parts), out=parts)
    return np.maximum(odds, 0).sum(axis=-1) + parts.sum(axis=-1)


def chances(odds: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-odds)), in one array."""
    parts = np.negative(odds)
    np.add(np.exp(parts, out=parts), 1, out=parts)
    return np.divide(1, parts, out=parts)


def sum_of_products(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(A, B) products of (S, n, A) and (S, n, B), added over the nodes and rows."""
    return left.reshape(-1, left.shape[-1]).T @ right.reshape(-1, right.shape[-1])


def kl_to_prior(means: np.ndarray, spreads: np.ndarray) -> np.ndarray:
    """(n,) KL(N(mean, exp(spread)^2) || N(0, I)) in nats."""
    return 0.5 * (np.exp(2 * spreads) + means**2 - 1 - 2 * spreads).sum(axis=-1)


class Adam:
    """Steps up a noisy gradient, each weight at its own pace (Kingma & Ba 2015)."""

    def __init__(self, weights: Weights):
        self.slopes = {name: np.zeros_like(value) for name, value in weights.items()}
        self.squares = {name: np.zeros_like(value) for name, value in weights.items()}
        self.count = 0

    def __call__(self, weights: Weights, gradient: Weights, length: float) -> Weights:
        self.count += 1
        moved = {}
        for name, value in weights.items():
            slope = gradient[name]
            self.slopes[name] = DECAY * self.slopes[name] + (1 - DECAY) * slope
            self.squares[name] = (
                SQUARE_DECAY * self.squares[name] + (1 - SQUARE_DECAY) * slope * slope
            )
            mean = self.slopes[name] / (1 - DECAY**self.count)
            square = self.squares[name] / (1 - SQUARE_DECAY**self.count)
            moved[name] = value + length * mean / (np.sqrt(square) + TINY)
        return moved


def climb(
    network: Autoencoder, weights: Weights, rows: np.ndarray, rng, steps: int, batch: int = 256
) -> Iterator[Weights]:
    """Weights after every step of stochastic gradient ascent; steps grow shorter to the end."""
    ascend = Adam(weights)
    for step in range(steps):
        chosen = rows
        if len(rows) > batch:
            chosen = rows[rng.choice(len(rows), batch, replace=False)]
        nodes = antithetic(len(chosen), network.n_latent, rng)
        gradient = network.gradient(weights, chosen, nodes)
        scale = 1 / len(chosen)
        length = LENGTH * 0.5 * (1 + np.cos(np.pi * step / steps))
        weights = ascend(weights, {name: scale * g for name, g in gradient.items()}, length)
        yield weights


def amortised(model, data, params, rng) -> Iterator[Step]:
    """Probabilistic PCA whose E-step is a linear encoder, both climbing the ELBO together."""
    rows = np.asarray(data, dtype=float)
    centre, unit = rows.mean(axis=0), np.sqrt(rows.var(axis=0).mean())
    rows = (rows - centre) / unit
    network = Autoencoder(rows.shape[1], model.n_factors)
    weights = network.weights(rng) | {
        "mean": np.zeros((rows.shape[1], model.n_factors)),
        "output": params.loadings.T / unit,
        "output shift": (params.mean - centre) / unit,
        "log noise": np.log(np.atleast_1d(params.noise_variance) / unit**2),
    }
    # Of a linear decoder the expectation is that of a quadratic: two nodes are exact.
    exact = quadrature(model.n_factors, 2)
    passes = 0.0
    for count, now in enumerate(climb(network, weights, rows, rng, STEPS)):
        if count % STEPS_SHOWN == 0:
            bound = network.elbos(now, rows, exact).sum() - rows.size * np.log(unit)
            there = FactorParams(
                centre + unit * now["output shift"],
                unit * now["output"].T,
                unit**2 * np.exp(now["log noise"][0]),
            )
            phase = "M" if count else "start"
            iteration = count // STEPS_SHOWN
            yield Step(iteration, phase, there, there, float(bound), np.nan, (), passes)
        passes += min(256 / len(rows), 1)
