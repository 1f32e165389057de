"""Direct maximisation of the log-likelihood, without a bound: gradient ascent and L-BFGS.

The gradient is that of the bound where it touches (Fisher's identity), so one E-step gives the
log-likelihood and its gradient. Every trial of a length is a pass over the data.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from contextvars import copy_context
from queue import SimpleQueue
from threading import Thread
from typing import Any

import numpy as np

from em_core.coordinates.coordinates import Coordinates
from em_core.coordinates.slices import bound_gradient
from em_core.data import prepare
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
    yield _step(0, params, q.log_likelihood, passes)
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
        yield _step(iteration, params, q.log_likelihood, passes)


def l_bfgs(model, data, params, rng) -> Iterator[Step]:
    """SciPy's L-BFGS-B on the log-likelihood (Liu & Nocedal 1989), step by step."""
    from scipy.optimize import minimize

    data = prepare(model, data)
    coordinates = Coordinates(model, params)
    # The start counts once: SciPy sees it a second time.
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

    def climb(reached):
        minimize(
            descent,
            coordinates.vector(params),
            jac=True,
            method="L-BFGS-B",
            # SciPy tells the height only to a parameter of this name.
            callback=lambda intermediate_result: reached(intermediate_result),
            options={"maxfun": MOST_EVALUATIONS, "maxiter": MOST_EVALUATIONS, "ftol": 1e-14},
        )

    yield _step(0, params, model.e_step(params, data).log_likelihood, 1)
    with closing(handed_over(climb)) as points:
        for iteration, point in enumerate(points, start=1):
            yield _step(iteration, coordinates.params(point.x), -point.fun, passes)


def handed_over(work: Callable[[Callable[[Any], None]], Any]) -> Generator[Any, None, None]:
    """What `work(hand_over)` hands over, one thing at a time, as they are asked for.

    For functions that call back and cannot be iterated, as SciPy's minimisers. They run in a thread
    of their own, and only while this waits for them. Where this is closed `hand_over` raises
    StopIteration, which such a minimiser takes as the wish to stop. Raises what `work` raises.
    """
    given: SimpleQueue[tuple[bool, Any]] = SimpleQueue()
    wanted: SimpleQueue[bool] = SimpleQueue()

    def hand_over(thing):
        given.put((True, thing))
        if not wanted.get():
            raise StopIteration

    def run():
        error = None
        try:
            work(hand_over)
        except BaseException as raised:
            error = raised
        given.put((False, error))

    # In the context of the caller, who may have said how NumPy handles overflows.
    thread = Thread(target=copy_context().run, args=(run,), daemon=True)
    thread.start()
    try:
        while (found := given.get())[0]:
            yield found[1]
            wanted.put(True)
    finally:
        wanted.put(False)
        thread.join()
    if found[1] is not None:
        raise found[1]


def _step(iteration: int, params, height: float, passes: int) -> Step:
    phase = "M" if iteration else "start"
    return Step(iteration, phase, params, params, np.nan, float(height), (), float(passes))
