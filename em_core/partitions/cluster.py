"""Passes on the workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any


class Cluster:
    """`map` on the workers of a Dask cluster: `fit(model, partitions, map=Cluster(client))`.

    client: a `distributed.Client`. keep: whether what is prepared on a worker stays in its memory
    (as far as Dask lets it; a lost worker's is made again elsewhere); else files are read again in
    every pass.
    """

    def __init__(self, client, keep: bool = True):
        self.client = client
        self.keep = keep

    def __call__(self, function: Callable[..., Any], *iterables: Iterable) -> Iterator:
        """The results, in order; what is not wanted any more is given up."""
        futures = self.client.map(function, *map(list, iterables), pure=False)
        try:
            yield from self.client.gather(futures)
        finally:
            self.client.cancel(futures)

    def place(self, function: Callable[..., Any], items: Iterable) -> Sequence[Any]:
        """What function makes of each item, kept on the workers; to be mapped over."""
        if not self.keep:
            return list(items)
        return self.client.map(function, list(items), pure=False)
