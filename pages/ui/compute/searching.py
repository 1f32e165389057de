"""Many starts and grids of models, as jobs for a process: what they tell while they go on.

Both end early, with what there is to tell by then, when the process is asked to stop.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from typing import Any

from em_core import restarts
from em_core.search import selection as grids
from em_core.search.restarts import Restarts, Trace
from pages.ui.compute import worker
from pages.ui.compute.going_over import at_hand

SECONDS_BETWEEN = 0.3


def search(model, rows, seeds, starts, options) -> Generator[tuple[Trace, ...], None, Restarts]:
    """Many starts of one model; every so often how far they are."""
    with at_hand(rows) as data:
        runs = restarts(model, data, seeds, starts, **options)
        for _ in _every(SECONDS_BETWEEN, runs):
            yield runs.traces
        # The grouping takes a pass over the rows: here, not while a person waits.
        _ = runs.landscape
        return runs


def grid(
    selection: grids.ModelSelection, rows, weights, times: int, only: tuple[str, int] | None = None
) -> Generator[tuple[grids.Progress, grids.ModelSelection | None], None, grids.ModelSelection]:
    """A grid of models taken up where it is, until what climbs has been gone on with so many times;
    or one model of it.

    Every so often how far it is, and the grid where a cell is new.
    """
    with at_hand(rows) as data:
        while True:
            selection, told = selection.go_on(data, weights, times=times, only=only), None
            for progress in _every(SECONDS_BETWEEN, selection):
                yield progress, None if progress.n_done == told else selection
                told = progress.n_done
            waiting = selection.waiting if only is None else {only} & {*selection.waiting}
            if worker.asked_to_stop() or not waiting:
                return selection


def _every(seconds: float, steps: Iterator[Any]) -> Iterator[Any]:
    """The first step and then one every so many seconds, until asked to stop."""
    last = -seconds
    for step in steps:
        if time.monotonic() - last >= seconds:
            last = time.monotonic()
            yield step
        if worker.asked_to_stop():
            return
