"""Many runs of one model on the same data as one computation.

R starts of K components are R * K rows of the same matrix products: one pass over the data serves
all of them, and runs that have ended leave the batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from em_core.em import HalfStep, Shared, why_stop
from em_core.stepping import Advance


def side_by_side(
    model,
    data,
    starts: Sequence[Any],
    *,
    weights: np.ndarray | None = None,
    tolerance: float = 1e-3,
    max_iterations: int = 1000,
) -> Iterator[list[Advance]]:
    """Step all runs at once; for models whose parameters may have a leading axis (`batches`).

    Each item is one sweep: an `Advance` of every run that had not ended before. The results are
    those of `em`, but for the order in which sums are rounded.
    """
    rows = model.prepare(data, weights)
    going = np.arange(len(starts))
    params = stack(starts)
    q = model.e_step(params, rows, weights)
    elbos = model.expected_log_joint(params, q.statistics) + q.entropy
    paths = [[value] for value in q.log_likelihood.tolist()]
    advances = [
        Advance(
            run,
            (HalfStep(0, "start", start, start, float(elbos[run]), paths[run][0], ()),),
            why_stop(paths[run], tolerance),
        )
        for run, start in enumerate(starts)
    ]
    current = list(starts)
    for iteration in range(1, max_iterations + 1):
        keep = [place for place, advance in enumerate(advances) if not advance.stop_reason]
        yield advances
        if len(keep) < len(going):
            if not keep:
                return
            going, current = going[keep], [current[place] for place in keep]
            params, q = take(params, keep), take(q, keep)
        params = model.m_step(params, q.statistics)
        bounds = model.expected_log_joint(params, q.statistics) + q.entropy
        flags = raised(model, params, q.statistics)
        q = model.e_step(params, rows, weights)
        elbos = model.expected_log_joint(params, q.statistics) + q.entropy
        advances = []
        for place, run in enumerate(going.tolist()):
            old, new = current[place], take(params, place)
            log_likelihood = float(q.log_likelihood[place])
            paths[run].append(log_likelihood)
            reason = why_stop(paths[run], tolerance)
            if reason is None and iteration == max_iterations:
                reason = "max_iterations"
            moved = HalfStep(
                iteration, "M", new, old, float(bounds[place]), log_likelihood, flags[place]
            )
            touched = moved._replace(phase="E", posterior_params=new, elbo=float(elbos[place]))
            advances.append(Advance(run, (moved, touched), reason))
            current[place] = new
    yield advances


def raised(model, params, statistics) -> list[tuple[str, ...]]:
    """The flags of every run; asked of one by one only where there is something to say."""
    n_runs = len(params.weights)
    if not model.flags(params, statistics):
        return [()] * n_runs
    return [model.flags(take(params, run), take(statistics, run)) for run in range(n_runs)]


def stack(trees: Sequence[Any]):
    """Parameters of several runs as one, with a leading axis."""
    first = trees[0]
    if isinstance(first, tuple):
        return type(first)(*map(stack, zip(*trees, strict=True)))
    return np.stack(trees)


def take(tree, runs):
    """Parameters or statistics of some runs (a list of places), or of one (a place)."""
    if isinstance(tree, tuple):
        return type(tree)(*(take(part, runs) for part in tree))
    return tree if isinstance(tree, Shared) else tree[runs]
