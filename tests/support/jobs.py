"""Jobs for the processes in tests/app/running/test_workers.py, found by import from the root."""

import os
import signal
import time
from dataclasses import dataclass

import numpy as np

from em_core import Mixture


def count(most: int):
    yield from range(most)
    return most


def forever():
    while True:
        yield os.getpid()
        time.sleep(0.01)


def forever_with(_data):
    yield from forever()


def silent_forever():
    yield os.getpid()
    while True:
        sum(range(10_000_000))


def silent_while(seconds: float):
    yield os.getpid()
    time.sleep(seconds)
    return np.ones(1_000_000)


def refuse():
    yield 1
    raise ValueError("this cannot be done")


def talk():
    print("something a model says")
    yield 1


def devour():
    yield 1
    yield np.ones(int(1e10)).sum()


def devour_the_result():
    """Fits into memory itself, but not a second time."""
    yield 1
    return np.ones(int(1.2e8))


def mistake():
    yield 1
    raise KeyError("no such state")


def unspeakable():
    """What it yields cannot travel."""
    yield lambda: None


class Unreadable:
    """An argument that the process cannot read."""

    def __reduce__(self):
        return _no_such_thing, ()


def _no_such_thing():
    raise ImportError("no such thing")


def end_by(how: int):
    yield 1
    os.kill(os.getpid(), how)


@dataclass(frozen=True)
class Killed(Mixture):
    """A model whose process does not survive its M-step while a file is there."""

    while_there: str = os.devnull

    def m_step(self, params, statistics):
        if os.path.exists(self.while_there):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().m_step(params, statistics)


def die():
    yield 1
    os._exit(9)
