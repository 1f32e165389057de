"""Expectation-Maximization as coordinate ascent on one functional.

`ELBO(q, params) = E_q[log p(x, z | params)] + H(q)` is at most `log p(x | params)`, and the gap is
`KL(q || p(z | x, params))`. The E-step maximises it over q, the M-step over the parameters
(Neal & Hinton 1998). This module is the loop; every model brings its own two steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial, reduce
from typing import Any

import numpy as np

from em_core.data import check_weights, count_observations, split
from em_core.half_steps import Expectation, HalfStep, Leap, StopReason, has_collapsed
from em_core.partitions.partitions import Partitions, gone_over
from em_core.protocols import Model, optional
from em_core.slowing import AHEAD, BETWEEN, FEW, SURELY, Strides, cautious_outlook, outlook
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


def e_steps(
    model, data, weights=None, chunks: int = 1, map: Callable[..., Iterable] = map
) -> Callable[[Any], Expectation]:
    """The E-step over all data, as a function of the parameters; data are prepared here, once."""
    if isinstance(data, Partitions):
        check_no_weights(weights)
        return data.e_steps(model)
    parts = split(optional(model, "prepare")(data, weights), weights, chunks)
    return partial(expect, model, parts=parts, map=map)


def check_no_weights(weights) -> None:
    """Raises ValueError where weights come beside partitions, which bring their own."""
    if weights is not None:
        raise ValueError("weights of partitions are given where these are made: weights=...")


def n_observations_of(model, data, weights=None) -> float:
    """How many observations BIC counts: the model's number, or the rows or their weights."""
    if isinstance(data, Partitions):
        return data.overview().columns.total
    return count_observations(model, data, weights)


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
    confirm: bool = False,
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
    confirm: whether to look a few iterations ahead then. Where they leave more than the tolerance,
        EM had only slowed down: it goes on, with leaps along its last steps, as their flags say.
    chunks, map: `model.e_step` is mapped over this many consecutive chunks with `map`, which may
        be a thread pool's. data that are `Partitions` bring their own weights and parts.
    Returns (as the generator's value) why it stopped: "converged", "max_iterations",
    "decreased" (the log-likelihood fell by more than rounding; the fall is yielded first) or
    "not_finite". Raises ValueError for data or weights that the model cannot use.
    """
    flags = optional(model, "flags")
    data = gone_over(data, map)
    weights = check_weights(weights, len(data))
    at = e_steps(model, data, weights, chunks, map)
    n_observations = n_observations_of(model, data, weights)

    q = at(params)
    elbo = model.expected_log_joint(params, q.statistics) + q.entropy
    log_likelihoods = [q.log_likelihood]
    yield HalfStep(0, "start", params, params, elbo, q.log_likelihood, (), q.entropy)
    if reason := why_stop(log_likelihoods, tolerance, n_observations):
        return reason

    iteration, alone, settled, reason, raised = 0, 0, 0, None, ()
    while iteration < max_iterations:
        due = reason == "converged" or (alone > 0 and alone % ALONE == 0)
        leapt = _leap(model, params, q, log_likelihoods, tolerance, at) if due else None
        if reason and not leapt:
            if reason != "converged" or not confirm or has_collapsed(raised):
                return reason
            return (yield from _confirmed(
                model, iteration, params, q, log_likelihoods, tolerance, n_observations,
                max_iterations, at,
            ))  # fmt: skip
        iteration += 1
        if leapt:
            params, q, leaps = leapt
            raised = (*flags(params, q.statistics), *leaps)
            yield from _half_steps(model, iteration, params, q, raised)
            log_likelihoods, alone, settled, reason = [q.log_likelihood], 0, SETTLED, None
            continue
        params, q, half_steps = _iteration(model, iteration, params, q, at)
        yield from half_steps
        raised = half_steps[-1].flags
        log_likelihoods.append(q.log_likelihood)
        alone += 1
        reason = why_stop(log_likelihoods, tolerance, n_observations)
        if reason == "converged" and alone < settled:
            reason = None
    return reason or "max_iterations"


def _iteration(model, iteration: int, params, q: Expectation, at):
    """The parameters and q after one iteration of EM, and its two half-steps."""
    old, params = params, model.m_step(params, q.statistics)
    raised = optional(model, "flags")(params, q.statistics)
    elbo = model.expected_log_joint(params, q.statistics) + q.entropy
    entropy = q.entropy
    q = at(params)
    higher = q.log_likelihood
    moved = HalfStep(iteration, "M", params, old, elbo, higher, raised, entropy)
    elbo = model.expected_log_joint(params, q.statistics) + q.entropy
    touched = HalfStep(iteration, "E", params, params, elbo, higher, raised, q.entropy)
    return params, q, (moved, touched)


def _confirmed(
    model, iteration: int, params, q: Expectation, climbed: list[float], tolerance: float,
    n_observations: float, max_iterations: int, at,
) -> Generator[HalfStep, None, StopReason]:  # fmt: skip
    """On from where EM seems to have converged: nothing where it has, else all the way there.

    climbed: the log-likelihoods of its iterations, from its last leap on.
    """
    if not remaining_gain(climbed, n_observations):
        return "converged"
    reached, climbed, points, ahead = climbed[-1], list(climbed), [params], []
    for _ in range(AHEAD):
        if iteration == max_iterations:
            return "converged"
        iteration += 1
        params, q, half_steps = _iteration(model, iteration, params, q, at)
        climbed.append(q.log_likelihood)
        points.append(params)
        ahead += half_steps
        if reason := why_stop(climbed, 0.0, n_observations):
            yield from ahead
            return reason
    if climbed[-1] - reached + outlook(climbed).left < SURELY * tolerance:
        return "converged"
    yield from ahead
    strides, alone, wait = Strides(model), AHEAD, AHEAD
    while iteration < max_iterations:
        if _has_arrived(climbed, tolerance, n_observations):
            return "converged"
        iteration += 1
        if alone >= wait and cautious_outlook(climbed).iterations_to(tolerance) > FEW:
            wait += BETWEEN
            if leap := strides.propose(points):
                there = _risen(model, leap, q, half_steps[-1].flags, at)
                strides.learn(there is not None)
                if there is not None:
                    much = there.log_likelihood - q.log_likelihood > tolerance
                    params, q, points = leap.params, there, [leap.params]
                    raised = (*half_steps[-1].flags, *leap.flags)
                    yield from _half_steps(model, iteration, params, q, raised)
                    climbed, alone, wait = [q.log_likelihood], 0, BETWEEN if much else FEW
                    continue
        params, q, half_steps = _iteration(model, iteration, params, q, at)
        yield from half_steps
        climbed.append(q.log_likelihood)
        points = [*points[-2:], params]
        alone += 1
        if reason := why_stop(climbed, 0.0, n_observations):
            return reason
    return "max_iterations"


def _has_arrived(climbed: list[float], tolerance: float, n_observations: float) -> bool:
    """Whether less than the tolerance is left, and was after the iterations before."""
    ends = (climbed[: len(climbed) - back] for back in range(AHEAD + 1))
    return not remaining_gain(climbed, n_observations) or all(
        max(outlook(end).left, cautious_outlook(end).left) < tolerance for end in ends
    )


def _risen(model, leap: Leap, q: Expectation, known: tuple[str, ...], at) -> Expectation | None:
    """The E-step where a leap leads, if that is higher and no further flag is raised there: what
    lies beyond a floor is no answer of EM's."""
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            there = at(leap.params)
    except np.linalg.LinAlgError:
        return None  # so far out that a covariance is singular to rounding
    raised = optional(model, "flags")(leap.params, there.statistics)
    if there.log_likelihood <= q.log_likelihood or not {*raised} <= {*known}:
        return None
    return None if known and _is_beyond_a_floor(model, leap.params, there) else there


def _is_beyond_a_floor(model, params, q: Expectation) -> bool:
    """Whether the best parameters that an M-step may give are worse than these."""
    best = model.expected_log_joint(model.m_step(params, q.statistics), q.statistics)
    here = model.expected_log_joint(params, q.statistics)
    return best < here - ROUNDING * max(abs(here), 1.0)


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
