"""A small variational auto-encoder on the digits, and how good its posteriors are."""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple

import numpy as np

from em_core.datasets import load
from em_core.variants.amortised import Autoencoder, Weights, climb, quadrature

HIDDEN = 48
STEPS = 1500
PRICED_EVERY = 50
# Evidence is a sum over a grid for each row: of some rows only.
PRICED_ROWS = 120
SEED = 0


class Encoded(NamedTuple):
    """elbos (T,): ELBO per row in nats at steps (T,); evidence, best_q, encoder (n,): log p(x), the
    ELBO under the best q of each row, and under the encoder's; means (N, 2), labels (N,): where
    the encoder puts each row, and what digit it is; images (G, G, pixels): decoded from a grid."""

    steps: np.ndarray
    elbos: np.ndarray
    evidence: np.ndarray
    best_q: np.ndarray
    encoder: np.ndarray
    means: np.ndarray
    labels: np.ndarray
    images: np.ndarray

    @property
    def approximation_gap(self) -> float:
        """What no product of Gaussians could reach, nats per row."""
        return float((self.evidence - self.best_q).mean())

    @property
    def amortisation_gap(self) -> float:
        """What the encoder loses to the best q of each row, nats per row."""
        return float((self.best_q - self.encoder).mean())


def encoder_work(units: int = HIDDEN) -> Generator[float, None, Encoded]:
    """Work on training the auto-encoder, and on its gaps."""
    digits = load("digits")
    rows = np.asarray(digits.values, dtype=float)
    rng = np.random.default_rng(SEED)
    network = Autoencoder(rows.shape[1], 2, units, "bernoulli")
    nodes = quadrature(2, 8)
    priced = rows[rng.choice(len(rows), PRICED_ROWS, replace=False)]
    steps, elbos = [], []
    weights = network.weights(rng)
    for step, now in enumerate(climb(network, weights, rows, rng, STEPS)):
        weights = now
        if step % PRICED_EVERY == 0:
            steps.append(step)
            elbos.append(network.elbos(now, priced, nodes).mean())
        yield 0.7 * step / STEPS
    evidence = network.evidence(weights, priced)
    yield 0.8
    best = network.best_q(weights, priced)
    encoder = network.elbos(weights, priced, nodes)
    return Encoded(
        np.array(steps),
        np.array(elbos),
        evidence,
        best,
        encoder,
        network.encode(weights, rows)[0],
        np.asarray(digits.labels),
        _images(network, weights),
    )


def _images(network: Autoencoder, weights: Weights, across: int = 8) -> np.ndarray:
    axis = np.linspace(-2, 2, across)
    grid = np.stack(np.meshgrid(axis, axis[::-1]), axis=-1)
    return 1 / (1 + np.exp(-network.decode(weights, grid)))
