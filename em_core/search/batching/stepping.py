"""Stepping many runs of EM, one iteration of each at a time.

A strategy is a function with the arguments of `one_by_one` that yields such `Advance`s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from em_core.data import prepare
from em_core.em import em
from em_core.half_steps import HalfStep
from em_core.partitions.partitions import Partitions
from em_core.protocols import optional
from em_core.search.batching.advance import Advance
from em_core.search.batching.batch import side_by_side

# So many runs are stepped before the caller is asked again whether to go on.
AT_ONCE = 4


def one_by_one(
    model,
    data,
    starts: Sequence[Any],
    *,
    weights: np.ndarray | None = None,
    tolerance: float = 1e-3,
    max_iterations: int = 1000,
    map: Callable[..., Iterable] = map,
) -> Iterator[list[Advance]]:
    """Step a generator of `em` for each of the starting parameters.

    Each item is one sweep of a few runs: an `Advance` of each of them that had not ended before.
    The results are those of `em`, bit for bit. `map` may be a thread pool's.
    weights: (N,), or (R, N), each run's own.
    """
    own = weights if weights is not None and weights.ndim == 2 else None
    anew = own is not None or isinstance(data, Partitions)
    prepared: Any = model if anew else _Prepared(model, data, weights)
    going = {
        run: em(
            prepared, data, params,
            weights=weights if own is None else own[run],
            tolerance=tolerance, max_iterations=max_iterations,
        )
        for run, params in enumerate(starts)
    }  # fmt: skip
    while going:
        runs = list(going)
        for first in range(0, len(runs), AT_ONCE):
            some = runs[first : first + AT_ONCE]
            advances = list(map(_advance, some, [going[run] for run in some]))
            for advance in advances:
                if advance.stop_reason:
                    del going[advance.run]
            yield advances


def _advance(run: int, steps: Iterator[HalfStep]) -> Advance:
    taken: list[HalfStep] = []
    try:
        taken.append(next(steps))
        while taken[-1].phase == "M":
            taken.append(next(steps))
    except StopIteration as end:
        return Advance(run, tuple(taken), end.value)
    except (ValueError, np.linalg.LinAlgError) as error:
        return Advance(run, tuple(taken), "failed", str(error))
    return Advance(run, tuple(taken))


def strategy(model) -> Callable[..., Iterator[list[Advance]]]:
    """The fastest way to step many runs of a model."""
    return side_by_side_if_sound if optional(model, "batches") else one_by_one


def side_by_side_if_sound(model, data, starts: Sequence[Any], **options) -> Iterator[list[Advance]]:
    """Step all runs as one computation; where a model refuses what it comes to in one of them
    (ValueError, LinAlgError), which ends the computation of all, go on one by one.

    What had not ended is then run again, without telling twice what was told: so the error ends
    only the run that it belongs to. A ValueError that belongs to none of them is one of the
    computation of all, and is raised, as any other error is at once.
    """
    told = dict.fromkeys(range(len(starts)), 0)
    try:
        for advances in side_by_side(model, data, starts, **options):
            for advance in advances:
                told[advance.run] += len(advance.half_steps)
                if advance.stop_reason:
                    del told[advance.run]
            yield advances
        return
    except (ValueError, np.linalg.LinAlgError) as error:
        refusal, rest = error, list(told)
    # A matrix that cannot be factored may be one by the last digit, and not when it is alone.
    explained = isinstance(refusal, np.linalg.LinAlgError)
    weights = options.get("weights")
    if weights is not None and weights.ndim == 2:
        options["weights"] = weights[rest]
    for advances in one_by_one(model, data, [starts[run] for run in rest], **options):
        news = []
        for advance in advances:
            explained |= advance.stop_reason == "failed"
            run, steps = rest[advance.run], advance.half_steps
            news.append(advance._replace(run=run, half_steps=steps[told[run] :]))
            told[run] -= min(told[run], len(steps))
        yield news
    if not explained:
        raise refusal


class _Prepared:
    """A model whose data are prepared already, once for all runs."""

    def __init__(self, model, data, weights):
        self._model = model
        self._rows = prepare(model, data, weights)

    def prepare(self, data, weights=None):
        return self._rows

    def __getattr__(self, name: str):
        return getattr(self._model, name)
