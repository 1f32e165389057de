"""Expectation-Maximization as coordinate ascent on one functional.

`ELBO(q, params) = E_q[log p(x, z | params)] + H(q)` is at most `log p(x | params)`, and the gap is
`KL(q || p(z | x, params))`. The E-step maximises it over q, the M-step over the parameters
(Neal & Hinton 1998). This module is the loop; every model brings its own two steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial, reduce

import numpy as np

from em_core.data import check_weights, count_observations, split
from em_core.half_steps import Expectation, HalfStep, StopReason
from em_core.protocols import Model, optional
from em_core.trees import add

# Rounding stays far below this share of the total, or of a nat an observation where that is more,
# as the observations' log-likelihoods may cancel; anything larger is a real fall.
ROUNDING = 1e-10
# A gain of less than this share of it is rounding, and no sign of what is left to gain.
ROUNDING_PER_STEP = 1e-13
# So many iterations EM goes by itself before a leap and between two of them, and so many after one
# before it may be called converged. A leap must gain so many times what an iteration gains, and
# this share of the tolerance.
ALONE = 20
SETTLED = 10
CREEPING = 10
LEAST_LEAP = 0.1


def expect(model, params, parts, map: Callable[..., Iterable] = map) -> Expectation:
    """The E-step over all chunks: `model.e_step` mapped over them and added."""
    return reduce(add, map(partial(model.e_step, params), *zip(*parts, strict=True)))


def remaining_gain(log_likelihoods: list[float], n_observations: float = 0.0) -> float:
    """Aitken's estimate of how much log-likelihood is left to gain, in nats; inf while unknown.

    With gains shrinking at the rate a, what is left after the last gain g is g a / (1 - a)
    (Boehning et al. 1994). The larger of the last two rates is used: one step that happens to
    gain little must not look like convergence. n_observations: how many these are the total of.
    """
    if len(log_likelihoods) < 4:
        return np.inf
    first, second, third, last = log_likelihoods[-4:]
    gains = second - first, third - second, last - third
    noise = ROUNDING_PER_STEP * max(abs(last), n_observations)
    if abs(gains[2]) <= noise and abs(gains[1]) <= noise:
        return 0.0
    if min(gains) <= 0:
        return np.inf
    rate = max(gains[2] / gains[1], gains[1] / gains[0])
    return gains[2] * rate / (1 - rate) if rate < 1 else np.inf


def em(
    model: Model,
    data,
    params,
    *,
    weights: np.ndarray | None = None,
    tolerance: float = 1e-3,
    max_iterations: int = 1000,
    chunks: int = 1,
    map: Callable[..., Iterable] = map,
) -> Generator[HalfStep, None, StopReason]:
    """Coordinate ascent on the ELBO, yielded half-step by half-step: start, M 1, E 1, M 2, E 2, ...

    One pass over the data per iteration: the E-step at the new parameters prices the M half-step
    just taken and is the next E half-step. Where EM creeps and the model has a `leap`, that is an
    iteration, and its flags say so.

    weights: (N,) non-negative; an integer weight equals that many copies of the row.
    tolerance: stop once Aitken's estimate of the log-likelihood still to gain (nats, total) is
        below it; 0 never stops early.
    chunks, map: `model.e_step` is mapped over this many consecutive chunks with `map`, which may
        be a thread pool's or a cluster's.
    Returns (as the generator's value) why it stopped: "converged", "max_iterations",
    "decreased" (the log-likelihood fell by more than rounding; the fall is yielded first) or
    "not_finite". Raises ValueError for data or weights that the model cannot use.
    """
    flags = optional(model, "flags")
    weights = check_weights(weights, len(data))
    parts = split(optional(model, "prepare")(data, weights), weights, chunks)
    n_observations = count_observations(model, data, weights)

    q = expect(model, params, parts, map)
    elbo = model.expected_log_joint(params, q.statistics) + q.entropy
    log_likelihoods = [q.log_likelihood]
    yield HalfStep(0, "start", params, params, elbo, q.log_likelihood, (), q.entropy)
    if reason := why_stop(log_likelihoods, tolerance, n_observations):
        return reason

    iteration, alone, settled, reason = 0, 0, 0, None
    at = partial(expect, model, parts=parts, map=map)
    while iteration < max_iterations:
        due = reason == "converged" or (alone > 0 and alone % ALONE == 0)
        leapt = _leap(model, params, q, log_likelihoods, tolerance, at) if due else None
        if reason and not leapt:
            return reason
        iteration += 1
        if leapt:
            params, q, leaps = leapt
            raised = (*flags(params, q.statistics), *leaps)
            yield from _half_steps(model, iteration, params, q, raised)
            log_likelihoods, alone, settled, reason = [q.log_likelihood], 0, SETTLED, None
            continue
        old, params = params, model.m_step(params, q.statistics)
        raised = flags(params, q.statistics)
        elbo = model.expected_log_joint(params, q.statistics) + q.entropy
        entropy = q.entropy
        q = at(params)
        log_likelihood = q.log_likelihood
        yield HalfStep(iteration, "M", params, old, elbo, log_likelihood, raised, entropy)
        elbo = model.expected_log_joint(params, q.statistics) + q.entropy
        yield HalfStep(iteration, "E", params, params, elbo, log_likelihood, raised, q.entropy)

        log_likelihoods.append(log_likelihood)
        alone += 1
        reason = why_stop(log_likelihoods, tolerance, n_observations)
        if reason == "converged" and alone < settled:
            reason = None
    return reason or "max_iterations"


def _leap(model, params, q: Expectation, climbed: list[float], tolerance: float, at):
    """Where a model would go in the place of EM's next steps, the E-step there, `at(params)`, and
    the flags that say what that is; None where EM does not creep."""
    leap = optional(model, "leap")(params, q.statistics)
    if leap is None:
        return None
    gain = climbed[-1] - climbed[-2]
    if not leap.gain > max(CREEPING * gain, LEAST_LEAP * tolerance, ROUNDING * abs(climbed[-1])):
        return None
    reached = at(leap.params)
    higher = reached.log_likelihood > q.log_likelihood
    return (leap.params, reached, leap.flags) if higher else None


def _half_steps(model, iteration: int, params, q: Expectation, flags) -> Iterator[HalfStep]:
    """Both half-steps of a leap: all has moved with the first."""
    elbo = model.expected_log_joint(params, q.statistics) + q.entropy
    for phase in ("M", "E"):
        yield HalfStep(iteration, phase, params, params, elbo, q.log_likelihood, flags, q.entropy)


def why_stop(
    log_likelihoods: list[float], tolerance: float, n_observations: float = 0.0
) -> StopReason | None:
    """Why a run with these log-likelihoods, one per iteration, has ended; None if it has not.

    n_observations: how many these are the total of.
    """
    last = log_likelihoods[-1]
    if not math.isfinite(last):
        return "not_finite"
    rounding = ROUNDING * max(abs(last), n_observations)
    if len(log_likelihoods) > 1 and last < log_likelihoods[-2] - rounding:
        return "decreased"
    return "converged" if remaining_gain(log_likelihoods, n_observations) < tolerance else None


def size(log_likelihood: float, n_rows: int = 1) -> float:
    """What rounding is relative to: the log-likelihood, or a nat a row where that is more."""
    return max(abs(log_likelihood), n_rows)
