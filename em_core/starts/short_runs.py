"""Short runs of EM from many starts, followed by the best of them: the start known as em-EM."""

from __future__ import annotations

import numpy as np

from em_core.half_steps import has_collapsed
from em_core.search.batching.stepping import strategy
from em_core.starts.samples import on_sample

# Short runs end once an iteration gains less than this share of all that a run has gained so far.
LEAST_SHARE_GAINED = 0.01
LONGEST = 100


def short_runs(
    model, data, rng: np.random.Generator, weights=None, *, start: str = "k-means++", n_runs=10
):
    """The parameters that the best of `n_runs` short runs of EM from `start` has come to.

    The runs go side by side until each of them has once gained, in an iteration, at most a
    hundredth of the log-likelihood gained since its start (the rule of Biernacki, Celeux & Govaert
    2003). Those in which a component has degenerated lose against all others. Of more than 10,000
    rows a random sample serves the short runs (`on_sample`).
    Raises ValueError where every run fails.
    """

    def best(model, rows, rng, weights):
        return _best_of(model, rows, rng, weights, start, n_runs)

    return on_sample(best, model, data, rng, weights)


def _best_of(model, data, rng: np.random.Generator, weights, start: str, n_runs: int):
    starts = [model.initial_params(data, start, rng, weights) for _ in range(n_runs)]
    traces, waiting, failures = [[] for _ in starts], set(range(n_runs)), {}
    step = strategy(model)
    sweeps = step(model, data, starts, weights=weights, tolerance=0, max_iterations=LONGEST)
    for advances in sweeps:
        for advance in advances:
            trace = traces[advance.run]
            trace += [move for move in advance.half_steps if move.phase != "M"]
            if advance.failure:
                failures[advance.run] = advance.failure
            if advance.stop_reason or _is_short(trace):
                waiting.discard(advance.run)
        if not waiting:
            break
    ends = [trace[-1] for run, trace in enumerate(traces) if trace and run not in failures]
    if not ends:
        raise ValueError(next(iter(failures.values())))
    return max(ends, key=_merit).params


def _is_short(trace) -> bool:
    if len(trace) < 2:
        return False
    first, before, last = (trace[at].log_likelihood for at in (0, -2, -1))
    return last - before <= LEAST_SHARE_GAINED * (last - first)


def _merit(step) -> tuple[bool, float]:
    """Orders half-steps: without a collapse first, then by log-likelihood; not finite last."""
    finite = bool(np.isfinite(step.log_likelihood))
    return finite and not has_collapsed(step.flags), step.log_likelihood if finite else -np.inf
