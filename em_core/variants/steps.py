"""What every relative of EM yields: half-steps with what they cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

import numpy as np

from em_core.half_steps import Expectation, HalfStep
from em_core.protocols import optional


class Step(NamedTuple):
    """A `HalfStep` of an algorithm, and what it took to get there.

    elbo: the algorithm's own bound, total, in nats; NaN for one that has none.
    log_likelihood: log p(x | params), total, in nats; NaN while nobody has asked for it: it may
        take a pass over the data that the algorithm has no use for.
    passes: passes over the data so far, those that only price a step left out.
    seconds: time the algorithm has taken so far, pricing left out.
    """

    iteration: int
    phase: Literal["start", "E", "M"]
    params: Any
    posterior_params: Any
    elbo: float
    log_likelihood: float
    flags: tuple[str, ...] = ()
    passes: float = 0.0
    seconds: float = 0.0

    @property
    def kl(self) -> float:
        """How far the bound is below the log-likelihood, in nats."""
        return self.log_likelihood - self.elbo

    is_leap = HalfStep.is_leap


def alternate(
    model,
    params,
    e_step: Callable[[Any, int], Expectation],
    m_step: Callable[[Any, Any], Any],
    passes: float = 1.0,
) -> Iterator[Step]:
    """Coordinate ascent with another q, or another M-step: start, M 1, E 1, M 2, E 2, ... for ever.

    e_step(params, iteration) may give NaN as log-likelihood where it does not know it; each takes
    so many `passes` over the data. m_step(params, statistics) need not maximise.
    """
    q = e_step(params, 0)
    spent, iteration = passes, 0
    phase, old, bound = "start", params, _bound(model, params, q)
    while True:
        yield Step(iteration, phase, params, params, bound, float(q.log_likelihood), (), spent)
        iteration += 1
        old, params = params, m_step(params, q.statistics)
        flags = flags_of(model, params, q.statistics)
        moved = _bound(model, params, q)
        q = e_step(params, iteration)
        yield Step(iteration, "M", params, old, moved, float(q.log_likelihood), flags, spent)
        spent += passes
        phase, bound = "E", _bound(model, params, q)


def flags_of(model, params, statistics) -> tuple[str, ...]:
    """What the model says of an M-step, if it says anything."""
    return optional(model, "flags")(params, statistics)


def _bound(model, params, q: Expectation) -> float:
    return float(model.expected_log_joint(params, q.statistics) + q.entropy)


def scaled(tree, factor: float):
    """Statistics times a number, leaf by leaf."""
    if isinstance(tree, tuple):
        return type(tree)(*(scaled(part, factor) for part in tree))
    return tree * factor


def shuffled(data, rng: np.random.Generator):
    """The same rows or sequences in random order."""
    order = rng.permutation(len(data))
    return data[order] if isinstance(data, np.ndarray) else [data[i] for i in order]
