"""A process that computes for the dashboard, one job at a time.

It reads jobs from its input and writes what they yield to its output, pickled: both ends are this
program. It has less right to the processor than the dashboard, and a limit on its memory.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from pages.ui.families.own_models import own_models

NICENESS = 10
EXTREME = (
    "The numbers have become too extreme to compute with: use another start, or columns whose "
    "values are of a similar size."
)
SIZE = struct.Struct("<Q")  # bytes of the message that follows
# Messages cost more than most half-steps.
SECONDS_PER_MESSAGE = 0.05


class Yielded(NamedTuple):
    """Some of what a job yields."""

    items: list[Any]


class Returned(NamedTuple):
    """The end of a job: the value of its generator."""

    value: Any


class Failed(NamedTuple):
    """The end of a job that cannot be done.

    why: "refused" by the job itself, with a sentence for people; "unavailable", as "refused", but
    it may be done another time; "memory", which another process may have; or an "error" that nobody
    expected: the sentence is Python's, the log has all of it.
    """

    why: Literal["refused", "unavailable", "memory", "error"]
    sentence: str


class Unavailable(Exception):
    """What a job needs cannot be had at the moment; str() is a sentence for people."""


Message = Yielded | Returned | Failed


_asked_to_stop = False


def asked_to_stop() -> bool:
    """Whether the job at work should end soon, with what it has."""
    return _asked_to_stop


def _ask(_signal: int, _frame: Any) -> None:
    global _asked_to_stop
    _asked_to_stop = True


def serve(memory: int) -> None:
    """Work off jobs until the input ends. memory: the most address space in bytes."""
    # Whatever a model prints must not get between the messages.
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends the dashboard, and this with it
    # Loaded before somebody waits for it.
    import scipy.linalg  # noqa: F401

    import em_core  # noqa: F401

    own_models()
    if os.name == "posix":
        import resource

        signal.signal(signal.SIGUSR1, _ask)
        os.nice(NICENESS)
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    with threadpool_limits(limits=1, user_api="blas"), suppress(BrokenPipeError):
        _work_off(sys.stdin.buffer, results)
    os._exit(0)  # nothing more is read: what is still to be written could only fail


def _work_off(jobs: BinaryIO, results: BinaryIO) -> None:
    def send(message: Message) -> None:
        # Made whole before any of it is written, for nothing can follow the half of a message; its
        # size goes before it: the dashboard takes what it has room for.
        content = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        results.write(SIZE.pack(len(content)))
        results.write(content)
        results.flush()

    while True:
        try:
            function, arguments = pickle.load(jobs)
        except (EOFError, pickle.UnpicklingError):  # it was ended, maybe in the midst of a job
            return
        except Exception as error:
            send(failure(error))
            return  # what follows in the input may be the rest of this
        try:
            send(Yielded([]))  # it has begun
            _work(function, arguments, send)
        except BrokenPipeError:  # the dashboard was ended
            raise
        except Exception as error:  # at the top of a process: whatever it is, it is to be told
            send(failure(error))
        del function, arguments


def _work(function: Callable, arguments: tuple, send: Callable[[Message], None]) -> None:
    global _asked_to_stop
    _asked_to_stop = False
    steps = function(*arguments)
    items, sent = [], 0.0
    while True:
        try:
            items.append(next(steps))
        except StopIteration as end:
            if items:
                send(Yielded(items))
            send(Returned(end.value))
            return
        if time.monotonic() - sent > SECONDS_PER_MESSAGE:
            send(Yielded(items))
            items, sent = [], time.monotonic()


def failure(error: Exception) -> Failed:
    """What to tell of an error; one that nobody expected is written to the log with its way."""
    if isinstance(error, np.linalg.LinAlgError):
        return Failed("refused", EXTREME)
    if isinstance(error, ValueError):
        return Failed("refused", str(error))
    if isinstance(error, Unavailable):
        traceback.print_exception(error)  # whoever runs the server may know what to do
        return Failed("unavailable", str(error))
    if isinstance(error, MemoryError):
        return Failed("memory", "")
    traceback.print_exception(error)
    return Failed("error", f"{type(error).__name__}: {error}")
