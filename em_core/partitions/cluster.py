"""Passes on the workers of a Dask cluster."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

# How often a pass that goes on is looked at, and how long a cluster may have no worker at all.
LOOK_SECONDS = 1.0
ALONE_SECONDS = 20.0


class NoWorkers(Exception):
    """A cluster has had no worker for too long."""


class Cluster:
    """`map` on the workers of a Dask cluster: `fit(model, partitions, map=Cluster(client))`.

    client: a `distributed.Client`. keep: whether what is prepared on a worker stays in its memory
    (as far as Dask lets it; a lost worker's is made again elsewhere); else files are read again in
    every pass. Raises NoWorkers where there is none for `ALONE_SECONDS`.
    """

    def __init__(self, client, keep: bool = True):
        self.client = client
        self.keep = keep

    def __call__(self, function: Callable[..., Any], *iterables: Iterable) -> Iterator:
        """The results, in order; what is not wanted any more is given up."""
        futures = self.client.map(function, *map(list, iterables), pure=False)
        try:
            self._await(futures)
            yield from self.client.gather(futures)
        finally:
            self.client.cancel(futures)

    def place(self, function: Callable[..., Any], items: Iterable) -> Sequence[Any]:
        """What function makes of each item, kept on the workers; to be mapped over."""
        if not self.keep:
            return list(items)
        return self.client.map(function, list(items), pure=False)

    def _await(self, futures: Sequence[Any]) -> None:
        """Until all are done, or one has failed."""
        from distributed import wait

        since = time.monotonic()
        while True:
            try:
                with self.client.as_current():
                    wait(futures, timeout=LOOK_SECONDS)
                return
            except TimeoutError:
                if any(future.status == "error" for future in futures):
                    return  # gathered, it is raised
                if self.client.nthreads():
                    since = time.monotonic()
                elif time.monotonic() - since > ALONE_SECONDS:
                    raise NoWorkers("the cluster has no workers") from None
