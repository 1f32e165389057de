"""Who goes over the rows of a data set on the server: the workers of a cluster, or this process."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

from em_core.partitions.partitions import Partitions
from pages.ui import environment
from pages.ui.compute.worker import Unavailable
from pages.ui.text import shortened

SECONDS_TO_CONNECT = 5
NUMBER_BYTES = 8
# Rows as they are read, as they are prepared and as they are on their way; and what share of the
# memory that one computation may have, or the workers have, they may take.
TIMES_HELD, SHARE = 3, 0.25
CHANGED = (
    "The data set could not be read: its files have changed or gone meanwhile. Load the page again "
    "to see it as it is now."
)
UNREADABLE = (
    "The data set could not be read. Choose other columns, or tell whoever runs this server what "
    "the program that reads it says"
)
LOST = (
    "The cluster that computes for this server cannot be reached. Nothing that you have chosen is "
    "lost: try again in a moment, or tell whoever runs this server."
)
NOBODY = (
    "The cluster that computes for this server has no workers at the moment. Nothing that you have "
    "chosen is lost: try again in a moment, or tell whoever runs this server."
)
UNFIT = (
    "A worker of the cluster lacks em_core, or what it needs, in the version of this server: tell "
    "whoever runs it."
)
KILLED = (
    "The workers of the cluster were lost again and again while they computed this, as they are "
    "where memory runs out: use fewer columns, or tell whoever runs this server."
)


class Over(NamedTuple):
    """rows: to be gone over. n_workers: how many do so at the moment, 0 where there is no
    cluster."""

    rows: Partitions
    n_workers: Callable[[], int]


@contextmanager
def readable() -> Generator[None]:
    """Raises ValueError, with a sentence, where a data set cannot be read."""
    from pyarrow import ArrowException

    from em_core.partitions.sources import Changed

    try:
        yield
    except (Changed, FileNotFoundError, PermissionError) as error:
        raise ValueError(CHANGED) from error
    # An object store that refuses is an OSError without a kind of its own.
    except (ArrowException, OSError) as error:
        if isinstance(error, MemoryError):
            raise
        raise ValueError(f"{UNREADABLE}: {shortened(str(error), 200)}") from error


@contextmanager
def going_over(rows: Partitions) -> Generator[Over]:
    """Rows, to be gone over by whoever does that here.

    Raises as `readable`, and Unavailable where the cluster cannot be had.
    """
    with readable(), _reachable():
        if cluster := environment.cluster():
            client = _client(cluster)
            yield Over(rows.over(_workers(client, rows)), lambda: len(client.nthreads()))
        else:
            yield Over(rows.loaded() if _is_light(rows) else rows, _nobody)


@contextmanager
def at_hand(data: Any) -> Generator[Any]:
    """Data as they are; rows of a data set as they are gone over."""
    if not isinstance(data, Partitions):
        yield data
        return
    with going_over(data) as over:
        yield over.rows


@contextmanager
def _reachable() -> Generator[None]:
    """Raises Unavailable where the cluster, if there is one, cannot be had."""
    if not environment.cluster():
        yield
        return
    sentences = _sentences()
    try:
        yield
    except (FileNotFoundError, PermissionError):
        raise  # of the data
    except tuple(sentences) as error:
        why = next(words for kind, words in sentences.items() if isinstance(error, kind))
        raise Unavailable(why) from error


def _nobody() -> int:
    return 0


def _bytes(rows: Partitions) -> int:
    return TIMES_HELD * NUMBER_BYTES * rows.n_rows * rows.n_columns


def _is_light(rows: Partitions) -> bool:
    """Whether they may stay in the memory of this process."""
    return _bytes(rows) < SHARE * environment.number("FIT_MB") * 1e6


def _client(address: str) -> Any:
    """One for all jobs of this process; it goes with it, and the scheduler forgets what it had."""
    client = _connected(address)
    if client.status != "running":  # the scheduler was lost; it may be back
        _connected.cache_clear()
        client.close(timeout=SECONDS_TO_CONNECT)
        client = _connected(address)
    return client


@cache
def _connected(address: str) -> Any:
    import logging

    from distributed import Client

    # What it says of lost connections is told to the person who waits.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    return Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)


def _workers(client: Any, rows: Partitions) -> Any:
    """Its workers, which keep the rows where all have room for them."""
    from em_core.partitions.cluster import Cluster

    # Without a connection it knows nothing.
    known = client.scheduler_info(n_workers=-1).get("workers")
    if known is None:
        raise ConnectionError("the scheduler was lost just now")
    room = sum(worker["memory_limit"] or 0 for worker in known.values())
    return Cluster(client, keep=_bytes(rows) < 2 * SHARE * room)


def _sentences() -> dict[type[Exception], str]:
    """Why a cluster cannot be had, by the errors that tell it."""
    from concurrent.futures import CancelledError

    from distributed import KilledWorker
    from distributed.comm.core import CommClosedError

    from em_core.partitions.cluster import NoWorkers

    lost = OSError, TimeoutError, CancelledError, CommClosedError
    unfit = ImportError, AttributeError
    return (
        {NoWorkers: NOBODY, KilledWorker: KILLED}
        | dict.fromkeys(unfit, UNFIT)
        | dict.fromkeys(lost, LOST)
    )
