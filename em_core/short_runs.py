"""Short runs of EM from many starts, followed by the best of them: the start known as em-EM."""

from __future__ import annotations

import numpy as np

from em_core.restarts import strategy

# Short runs end once an iteration gains less than this share of all that a run has gained so far.
LEAST_SHARE_GAINED = 0.01
LONGEST = 100


def short_runs(
    model, data, rng: np.random.Generator, weights=None, *, start: str = "k-means++", n_runs=10
):
    """The parameters that the best of `n_runs` short runs of EM from `start` has come to.

    The runs go side by side until an iteration gains each of them at most a hundredth of the
    log-likelihood it has gained since its start (the rule of Biernacki, Celeux & Govaert 2003).
    Runs that fail or raise flags (a component empty or at its floor) lose against all others.
    """
    starts = [model.initial_params(data, start, rng, weights) for _ in range(n_runs)]
    step = strategy(model)
    traces = [[] for _ in starts]
    sweeps = step(model, data, starts, weights=weights, tolerance=0, max_iterations=LONGEST)
    for advances in sweeps:
        for advance in advances:
            traces[advance.run] += [s for s in advance.half_steps if s.phase != "M"]
        if all(map(_short, traces)):
            break
    return max((trace[-1] for trace in traces), key=_merit).params


def _short(trace) -> bool:
    if len(trace) < 2:
        return False
    first, before, last = (trace[at].log_likelihood for at in (0, -2, -1))
    # Not ">": a run that is not finite any more need not go on.
    return not last - before > LEAST_SHARE_GAINED * (last - first)


def _merit(step) -> tuple[bool, float]:
    """Orders half-steps: without flags first, then by log-likelihood; not finite last of all."""
    finite = bool(np.isfinite(step.log_likelihood))
    return finite and not step.flags, step.log_likelihood if finite else -np.inf
