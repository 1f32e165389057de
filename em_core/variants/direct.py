"""Direct maximisation of the log-likelihood, without a bound: gradient ascent and L-BFGS.

The gradient is that of the bound where it touches (Fisher's identity), so one E-step gives the
log-likelihood and its gradient. Every trial of a length is a pass over the data.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from em_core.checks.trials import prepare
from em_core.theory.coordinates import Coordinates
from em_core.theory.slices import bound_gradient
from em_core.variants.steps import Step

FIRST_LENGTH = 0.1
MOST_HALVINGS = 40
# Of the rise that the slope promises, so much must come (Armijo 1966).
SUFFICIENT = 1e-4
MOST_EVALUATIONS = 300


def gradient_ascent(model, data, params, rng) -> Iterator[Step]:
    """Steps up the gradient of the log-likelihood, each as long as it keeps what it promises."""
    data = prepare(model, data)
    coordinates = Coordinates(model, params)
    here, q, passes, length = coordinates.vector(params), model.e_step(params, data), 1, None
    yield _step(0, params, q, passes)
    for iteration in range(1, MOST_EVALUATIONS):
        gradient = bound_gradient(model, coordinates, here, q)
        square = gradient @ gradient
        if length is None:
            length = FIRST_LENGTH / max(np.sqrt(square), 1e-300)
        for _ in range(MOST_HALVINGS):
            there = here + length * gradient
            params = coordinates.params(there)
            passes += 1
            try:
                reached = model.e_step(params, data)
                rise = reached.log_likelihood - q.log_likelihood
                if rise >= SUFFICIENT * length * square:
                    break
            except np.linalg.LinAlgError:
                pass  # so far out that a covariance is singular to rounding
            length /= 2
        else:
            return
        here, q = there, reached
        length *= 2
        yield _step(iteration, params, q, passes)


def l_bfgs(model, data, params, rng) -> Iterator[Step]:
    """SciPy's L-BFGS-B on the log-likelihood (Liu & Nocedal 1989). Steps come once it has ended."""
    from time import perf_counter

    from scipy.optimize import minimize

    began = perf_counter()
    data = prepare(model, data)
    coordinates = Coordinates(model, params)
    steps: list[Step] = []
    passes = 0

    def descent(vector):
        nonlocal passes
        passes += 1
        try:
            q = model.e_step(coordinates.params(vector), data)
            return -q.log_likelihood, -bound_gradient(model, coordinates, vector, q)
        except np.linalg.LinAlgError:
            # A trial so far out that a covariance is singular to rounding.
            return np.inf, np.zeros(len(vector))

    def note(intermediate_result):
        height = -float(intermediate_result.fun)
        there = coordinates.params(intermediate_result.x)
        time = perf_counter() - began
        steps.append(
            Step(len(steps) + 1, "M", there, there, np.nan, height, (), float(passes), time)
        )

    first = model.e_step(params, data)
    yield _step(0, params, first, 1)
    minimize(
        descent,
        coordinates.vector(params),
        jac=True,
        method="L-BFGS-B",
        callback=note,
        options={"maxfun": MOST_EVALUATIONS, "maxiter": MOST_EVALUATIONS, "ftol": 1e-14},
    )
    yield from steps


def _step(iteration: int, params, q, passes: int) -> Step:
    height = float(q.log_likelihood)
    phase = "M" if iteration else "start"
    return Step(iteration, phase, params, params, np.nan, height, (), float(passes))
