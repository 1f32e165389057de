"""Annealed EM: q is the posterior to a power below 1, which is raised to 1 in the course of it.

A flat q does not commit to the start, so fewer starts end in poor optima. Each E-step maximises
E_q[log p(x, z)] + H(q) / power: a bound that is not the ELBO until the power is 1 (Ueda & Nakano
1998, deterministic annealing).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from em_core.variants.chains import e_step_of
from em_core.variants.steps import Step, alternate

FIRST_POWER = 0.2
GROWTH = 1.15


def power_of(iteration: int) -> float:
    """The power of the posterior at an iteration: rising to 1, and 1 from then on."""
    return min(1.0, FIRST_POWER * GROWTH**iteration)


def annealed_em(model, data, params, rng) -> Iterator[Step]:
    """EM with tempered responsibilities; EM itself from the iteration on where the power is 1."""
    return alternate(model, params, e_step_of(model, data, tempered, None), model.m_step)


def tempered(log_joint: np.ndarray, rows, iteration: int) -> np.ndarray:
    """(K, n) proportional to the joints to the power of the iteration."""
    logs = power_of(iteration) * log_joint
    shares = np.exp(logs - logs.max(axis=0))
    return shares / shares.sum(axis=0)
