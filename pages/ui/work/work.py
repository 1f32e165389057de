"""Long computations beside the page: a process each, watched and stopped by the page."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import streamlit as st

from pages.ui.fragments import fragment
from pages.ui.work.workers import PATIENCE, Cancelled, Job, OutOfTime

NOTHING_YET = "This was stopped before there was anything to show: change a setting to begin again."
OUT_OF_TIME = "The time that one computation may take here is over: use fewer starts or rows."

# Between two looks at work whose charts take a browser a third of a second.
CHARTS_SECONDS = 1.2


@dataclass(kw_only=True)
class Work:
    """Something computed by a process, which tells how far it is; a thread listens.

    key: names what was asked. error: the sentence of what went wrong; stopped: a person stopped it.
    """

    key: str
    error: str = ""
    stopped: bool = False
    done: threading.Event = field(default_factory=threading.Event)
    _job: Job | None = None

    def job(self) -> Job:
        """What the process does."""
        raise NotImplementedError

    def take(self, told: Any) -> None:
        """What it tells while it goes on."""
        raise NotImplementedError

    def take_all(self, result: Any) -> None:
        """What it tells in the end."""
        raise NotImplementedError

    def begin(self) -> None:
        """Start; after a stop, again from the start, to the same numbers."""
        self.error, self.stopped = "", False
        self.done.clear()
        self._job = self.job()
        threading.Thread(target=self._work, name=type(self).__name__, daemon=True).start()

    def stop(self) -> None:
        """End it now, with nothing to show."""
        self.stopped = True
        self._job.cancel()
        self.done.wait(PATIENCE)

    def leave(self) -> None:
        """End it now, if it has begun: nobody is there to see it."""
        if self._job is not None:
            self._job.cancel()

    @property
    def running(self) -> bool:
        return not self.done.is_set()

    @property
    def given_up(self) -> bool:
        """Whether it made room for others while nobody was there to see it."""
        return self._job.ended is Cancelled and not self.running and not self.stopped

    def _work(self) -> None:
        try:
            self._listen()
        except Cancelled:
            self.error = NOTHING_YET
        except OutOfTime:
            self.error = OUT_OF_TIME
        except (ValueError, MemoryError) as error:
            self.error = str(error) or "There is not enough memory: use fewer starts or rows."
        finally:
            self.done.set()

    def _listen(self) -> None:
        results = self._job.results()
        while True:
            try:
                items = next(results)
            except StopIteration as end:
                self.take_all(end.value)
                return
            self.take(items[-1])


class Held:
    """What a session has at work. A thread keeps its work alive, but not this: it ends with the
    session, and its process at once with it."""

    def __init__(self, work: Work) -> None:
        self.work = work
        weakref.finalize(self, work.leave)


def current(slot: str, wanted: Work) -> Work:
    """The work asked for: the one this session has in `slot`, or else `wanted`, begun now."""
    held: Held | None = st.session_state.get(slot)
    if held is None or held.work.key != wanted.key:
        if held is not None:
            held.work.stop()
        held = st.session_state[slot] = Held(wanted)
        wanted.begin()
        wanted.done.wait(PATIENCE)
    elif held.work.given_up:
        held.work.begin()
    return held.work


class Watched(Protocol):
    """Work whose progress a page shows."""

    @property
    def running(self) -> bool: ...


def watch(work: Watched, show: Callable[..., None], *arguments: Any, seconds: float = 0.5) -> None:
    """Show work as a part of the page that draws itself again every so often while it runs.

    When it begins or ends the whole page runs: only that starts or ends the polling.
    """
    every = seconds if work.running else None
    fragment(_look, run_every=every)(work, work.running, show, arguments)


def _look(work: Watched, live: bool, show: Callable[..., None], arguments: tuple) -> None:
    if live != work.running:
        st.rerun()
    show(*arguments)
