"""Long computations beside the page: one thread each, watched and stopped by the page."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st

# What ends within this is shown finished, without a picture of how far it is.
PATIENCE = 0.4


@dataclass(kw_only=True)
class Work:
    """Something computed step by step in a thread of its own.

    key: names what was asked. error: the sentence of what went wrong; stopped: a person stopped it.
    """

    key: str
    error: str = ""
    stopped: bool = False
    done: threading.Event = field(default_factory=threading.Event)
    wanted: threading.Event = field(default_factory=threading.Event)

    def steps(self) -> Iterator[Any]:
        """What is left to do, in steps short enough to stop between them."""
        raise NotImplementedError

    def conclude(self) -> None:
        """What is made of the steps taken so far, however far they came."""

    def begin(self) -> None:
        """Start, or go on after a stop."""
        self.error, self.stopped = "", False
        self.done.clear()
        self.wanted.set()
        threading.Thread(target=self._work, name=type(self).__name__, daemon=True).start()

    def stop(self) -> None:
        """Ask it to end, and wait a moment: mostly the page can show at once how far it came."""
        self.wanted.clear()
        self.done.wait(PATIENCE)

    @property
    def running(self) -> bool:
        return not self.done.is_set()

    def _work(self) -> None:
        try:
            for _ in self.steps():
                if not self.wanted.is_set():
                    self.stopped = True
                    break
            self.conclude()
        except (ValueError, MemoryError, np.linalg.LinAlgError) as error:
            self.error = str(error) or "There is not enough memory: use fewer starts or rows."
        finally:
            self.done.set()


class Held:
    """What a session has at work. A thread keeps its work alive, but not this: it ends with the
    session, and the work with it."""

    def __init__(self, work: Work) -> None:
        self.work = work
        weakref.finalize(self, work.wanted.clear)


def current(slot: str, wanted: Work) -> Work:
    """The work asked for: the one this session has in `slot`, or else `wanted`, begun now."""
    held: Held | None = st.session_state.get(slot)
    if held is None or held.work.key != wanted.key:
        if held is not None:
            held.work.stop()
        held = st.session_state[slot] = Held(wanted)
        wanted.begin()
        wanted.done.wait(PATIENCE)
    return held.work
