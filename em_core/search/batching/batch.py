"""Many runs of one model on the same data as one computation.

R starts of K components are R * K rows of the same matrix products: one pass over the data serves
all of them, and runs that have ended leave the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from em_core.em import e_steps, n_observations_of, why_stop
from em_core.half_steps import Expectation, HalfStep, Shared
from em_core.partitions.partitions import Partitions
from em_core.search.batching.advance import Advance

# Rows times components of the runs stepped at once, a quarter of a second's work on a busy machine.
# More would not be faster (measured up to 500 runs).
LARGEST_SWEEP = 2_000_000


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

    Each item is one sweep of a slice of the runs: an `Advance` of every run in it that had not
    ended before. The slices take turns, and are so small that a caller need not wait long to stop.
    weights: (N,), or (R, N), each run's own; then the floors are those of unweighted rows.
    The results are those of `em`, but for the order in which sums are rounded.
    """
    own = weights is not None and weights.ndim == 2
    counted = weights.mean(axis=0) if own else weights
    stopping = {"tolerance": tolerance, "n_observations": n_observations_of(model, data, counted)}
    most = max(1, LARGEST_SWEEP // max(1, len(data) * starts[0].weights.size))
    # A pass over partitions is what costs: all runs share each.
    n_slices = 1 if isinstance(data, Partitions) else -(-len(starts) // most)
    e_step = _over_all(model, data, None if own else weights)
    slices = []
    for runs in np.array_split(np.arange(len(starts)), n_slices):
        some = [starts[run] for run in runs], weights[runs] if own else weights
        slices.append(_sweeps(model, e_step, runs, *some, stopping, max_iterations))
    while slices:
        for sweeps in list(slices):
            advances = next(sweeps, None)
            if advances is None:
                slices.remove(sweeps)
            else:
                yield advances


def _over_all(model, data, weights) -> Callable[..., Expectation]:
    """(parameters, weights) -> the E-step over all data, which are prepared once for all runs."""
    if isinstance(data, Partitions):
        at = e_steps(model, data, weights)
        return lambda params, weights: at(params)
    rows = model.prepare(data, weights)
    return lambda params, weights: model.e_step(params, rows, weights)


def _sweeps(
    model, e_step, going: np.ndarray, starts, weights, stopping: dict, max_iterations: int
) -> Iterator[list[Advance]]:
    """Step the runs `going` as one computation to their ends; stopping: arguments of `why_stop`."""
    params = stack(starts)
    q = e_step(params, weights)
    elbos = model.expected_log_joint(params, q.statistics) + q.entropy
    paths = {run: [value] for run, value in zip(going, q.log_likelihood.tolist(), strict=True)}
    current, advances = list(starts), []
    for run, start, elbo, entropy in zip(going, starts, elbos, q.entropy, strict=True):
        step = HalfStep(0, "start", start, start, float(elbo), paths[run][0], (), float(entropy))
        advances.append(Advance(int(run), (step,), why_stop(paths[run], **stopping)))
    for iteration in range(1, max_iterations + 1):
        keep = [place for place, advance in enumerate(advances) if not advance.stop_reason]
        yield advances
        if len(keep) < len(going):
            if not keep:
                return
            going, current = going[keep], [current[place] for place in keep]
            params, q = take(params, keep), take(q, keep)
            if weights is not None and weights.ndim == 2:
                weights = weights[keep]
        params = model.m_step(params, q.statistics)
        bounds = model.expected_log_joint(params, q.statistics) + q.entropy
        flags, entropies = flags_of_each(model, params, q.statistics), q.entropy
        q = e_step(params, weights)
        elbos = model.expected_log_joint(params, q.statistics) + q.entropy
        advances, before, current = [], current, apart(params)
        for run, old, new, raised, bound, elbo, log_likelihood, entropy, left in zip(
            going.tolist(), before, current, flags, bounds.tolist(), elbos.tolist(),
            q.log_likelihood.tolist(), entropies.tolist(), q.entropy.tolist(), strict=True,
        ):  # fmt: skip
            paths[run].append(log_likelihood)
            reason = why_stop(paths[run], **stopping)
            if reason is None and iteration == max_iterations:
                reason = "max_iterations"
            moved = HalfStep(iteration, "M", new, old, bound, log_likelihood, raised, entropy)
            touched = HalfStep(iteration, "E", new, new, elbo, log_likelihood, raised, left)
            advances.append(Advance(run, (moved, touched), reason))
    yield advances


def flags_of_each(model, params, statistics) -> list[tuple[str, ...]]:
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
    return np.array(trees)


def apart(tree) -> list:
    """Parameters of every run of several, as views: `stack` undone."""
    if isinstance(tree, tuple):
        return list(map(type(tree)._make, zip(*map(apart, tree), strict=True)))
    return list(tree)


def take(tree, runs):
    """Parameters or statistics of some runs (a list of places), or of one (a place)."""
    if isinstance(tree, tuple):
        return type(tree)(*(take(part, runs) for part in tree))
    return tree if isinstance(tree, Shared) else tree[runs]
