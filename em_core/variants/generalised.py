"""Generalised EM: the M-step improves the expected log joint without maximising it.

Any rise of the bound keeps the climb monotone (Dempster, Laird & Rubin 1977, section 3). Here it is
one step up its gradient, or its maximum over one array of parameters, the others held: ECM with an
E-step before each conditional maximisation (Meng & Rubin 1993, multicycle).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from em_core.coordinates.coordinates import Coordinates
from em_core.coordinates.slices import bound_gradient, bounds
from em_core.data import prepare
from em_core.half_steps import Expectation
from em_core.variants.steps import Step, alternate

FIRST_LENGTH = 0.1
MOST_HALVINGS = 40
# No model here has more arrays of parameters.
MOST_BLOCKS = 4
MOST_ASCENTS = 15


def gradient_em(model, data, params, rng) -> Iterator[Step]:
    """EM whose M-step is one step along the gradient of the bound, in `Coordinates`."""
    length = FIRST_LENGTH

    def m_step(params, statistics):
        nonlocal length
        coordinates = Coordinates(model, params)
        here, q = coordinates.vector(params), Expectation(statistics, 0.0, np.nan)
        gradient = bound_gradient(model, coordinates, here, q)
        height = model.expected_log_joint(params, statistics)
        size = np.linalg.norm(gradient)
        for _ in range(MOST_HALVINGS if size > 0 else 0):
            moved = coordinates.params(here + length * gradient / size)
            if model.expected_log_joint(moved, statistics) > height:
                length *= 2
                return moved
            length /= 2
        return params

    prepared = prepare(model, data)
    return alternate(model, params, lambda params, _: model.e_step(params, prepared), m_step)


def conditional_em(model, data, params, rng) -> Iterator[Step]:
    """EM whose M-step maximises over one array of parameters at a time, in turn."""
    turn = -1

    def m_step(params, statistics):
        nonlocal turn
        turn += 1
        coordinates = Coordinates(model, params)
        blocks = coordinates.blocks()
        return maximise_block(model, coordinates, blocks[turn % len(blocks)], params, statistics)

    prepared = prepare(model, data)
    return alternate(model, params, lambda params, _: model.e_step(params, prepared), m_step)


def maximise_block(model, coordinates: Coordinates, block: slice, params, statistics):
    """The parameters with the largest expected log joint that differ in one block only."""
    from scipy.optimize import minimize

    q = Expectation(statistics, 0.0, np.nan)
    start = coordinates.vector(params)

    def descent(part):
        vector = start.copy()
        vector[block] = part
        height = bounds(model, coordinates, vector[None], q)[0]
        gradient = bound_gradient(model, coordinates, vector, q, block)
        return -height, -gradient

    found = minimize(
        descent, start[block], jac=True, method="L-BFGS-B", options={"maxiter": MOST_ASCENTS}
    )
    if not -found.fun > model.expected_log_joint(params, statistics):
        return params
    best = start.copy()
    best[block] = found.x
    return coordinates.params(best)
