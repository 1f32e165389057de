"""SQUAREM: two iterations of EM point out where the next ones would lead, and one jumps there.

The jump is taken only if the log-likelihood there is at least what it was: the climb is monotone
(Varadhan & Roland 2008, scheme S3). Jumps are made in `Coordinates`, so they cannot leave the
domain.
"""

from __future__ import annotations

from collections.abc import Iterator

from em_core.coordinates.coordinates import Coordinates
from em_core.coordinates.extrapolation import extrapolate
from em_core.data import prepare
from em_core.variants.steps import Step, flags_of

LONGEST_FIRST = 16.0
GROWTH = 4.0


def squarem(model, data, params, rng) -> Iterator[Step]:
    """EM, accelerated by `extrapolate`."""
    data = prepare(model, data)
    q, passes, iteration = model.e_step(params, data), 1, 0
    longest = LONGEST_FIRST
    yield _step(model, iteration, "start", params, params, q, q, passes)
    while True:
        coordinates = Coordinates(model, params)
        first = model.m_step(params, q.statistics)
        after = model.e_step(first, data)
        iteration += 1
        yield _step(model, iteration, "M", first, params, q, after, passes)
        passes += 1
        yield _step(model, iteration, "E", first, first, after, after, passes)
        second = model.m_step(first, after.statistics)
        points = [coordinates.vector(p) for p in (params, first, second)]
        jump, length = extrapolate(*points, longest)
        iteration += 1
        goal = coordinates.params(jump) if length > 1 else second
        reached = model.e_step(goal, data)
        if length > 1 and not reached.log_likelihood >= after.log_likelihood:
            passes += 1
            longest = max(LONGEST_FIRST, longest / GROWTH)
            goal, reached = second, model.e_step(second, data)
        elif length == longest:
            longest *= GROWTH
        yield _step(model, iteration, "M", goal, first, after, reached, passes)
        passes += 1
        yield _step(model, iteration, "E", goal, goal, reached, reached, passes)
        params, q = goal, reached


def _step(model, iteration, phase, params, old, q, after, passes) -> Step:
    bound = float(model.expected_log_joint(params, q.statistics) + q.entropy)
    flags = flags_of(model, params, q.statistics)
    return Step(
        iteration, phase, params, old, bound, float(after.log_likelihood), flags, float(passes)
    )
