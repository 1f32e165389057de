"""Long computations beside the page: a process each, watched and stopped by the page."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import streamlit as st

from pages.ui.compute.worker import failure
from pages.ui.running.workers import PATIENCE, Cancelled, Job, Lost, OutOfTime
from pages.ui.state import shell
from pages.ui.state.fragments import fragment
from pages.ui.state.memory import Full, Holding, visit, weakly
from pages.ui.state.session import session
from pages.ui.text import told

NOTHING_YET = "This was stopped before there was anything to show: change a setting to begin again."

# Between two looks at work whose charts take a browser a third of a second.
CHARTS_SECONDS = 1.2

AtWork = TypeVar("AtWork", bound="Work")


@dataclass(kw_only=True)
class Work:
    """Something computed by a process, which tells how far it is; a thread listens.

    key: names what was asked. error: the sentence of what went wrong; lost: which may go right the
    next time; stopped: a person stopped it.
    """

    key: str
    error: str = ""
    lost: bool = False
    stopped: bool = False
    done: threading.Event = field(default_factory=threading.Event)
    holding: Holding | None = None  # where what it tells is counted
    _job: Job | None = None
    _begun: float = 0.0

    def job(self) -> Job:
        """What the process does."""
        raise NotImplementedError

    def take(self, told: Sequence[Any]) -> None:
        """What it has told since the last time, oldest first."""
        raise NotImplementedError

    def take_all(self, result: Any) -> None:
        """What it tells in the end."""
        raise NotImplementedError

    def end_early(self, why: Literal["stopped", "time"]) -> None:
        """It has ended with nothing to tell: it was cancelled, or its time is over."""
        assert self._job is not None, "it has begun"
        self.fail(NOTHING_YET if why == "stopped" else self._job.out_of_time, lost=True)

    def fail(self, error: str, lost: bool) -> None:
        """It has ended with an error."""
        self.error, self.lost = error, lost

    def no_room(self, why: str) -> None:
        """It has ended since the server has no room for what it tells next; why: a sentence."""
        self.fail(why, lost=False)

    def expect(self, size: int) -> None:
        """What it tells next has so many bytes, and takes the place of what it told before."""
        if self.holding is not None:
            self.holding.set(size)

    def begin(self) -> None:
        """Start; after a stop, again from the start, to the same numbers. Once, if asked twice."""
        if self._job is not None and self.running:
            return
        self.error, self.lost, self.stopped = "", False, False
        self.done.clear()
        self._begun = time.monotonic()
        self._job = self.job()
        threading.Thread(target=self._work, name=type(self).__name__, daemon=True).start()

    def await_quick_end(self) -> None:
        """Wait as long as what ends soon takes, from its beginning."""
        self.done.wait(max(0.0, self._begun + PATIENCE - time.monotonic()))

    def stop(self) -> None:
        """End it now, with nothing to show."""
        self.stopped = True
        self.leave()
        self.done.wait(PATIENCE)

    def leave(self) -> None:
        """End it now, if it has begun: nobody is there to see it."""
        if self._job is not None:
            self._job.cancel()

    @property
    def elapsed(self) -> float:
        """Seconds since it was begun the last time."""
        return time.monotonic() - self._begun

    @property
    def running(self) -> bool:
        return not self.done.is_set()

    @property
    def given_up(self) -> bool:
        """Whether it made room for others while nobody was there to see it."""
        cancelled = self._job is not None and self._job.ended is Cancelled
        return cancelled and not self.running and not self.stopped

    @property
    def queued(self) -> int:
        """Its place in the queue, counted from 1; 0 once it is at work."""
        return self._job.ahead if self._job is not None else 0

    @property
    def seconds_to_wait(self) -> float | None:
        """About how long it stays in the queue; None where nothing tells."""
        return self._job.seconds_to_wait if self._job is not None else None

    def _work(self) -> None:
        try:
            self._listen()
        except ValueError as error:
            self.fail(str(error), lost=False)
        except Lost as error:
            self.fail(str(error), lost=True)
        except Exception as error:  # at the top of a thread: the page must not wait for ever
            self.fail(failure(error).sentence, lost=True)
        finally:
            self.done.set()

    def _listen(self) -> None:
        assert self._job is not None
        results = self._job.results(self.expect)
        while True:
            try:
                self.take(next(results))
            except StopIteration as end:
                return self.take_all(end.value)
            except Cancelled:
                return self.end_early("stopped")
            except OutOfTime:
                return self.end_early("time")
            except Full as full:
                return self.no_room(str(full))


class Held(Generic[AtWork]):
    """What a session has at work. A thread keeps its work alive, but not this: it ends with the
    session, and its process at once with it."""

    def __init__(self, work: AtWork) -> None:
        self.work: AtWork | None = work
        self._end = weakref.finalize(self, work.leave)

    def forget(self) -> None:
        """End it, and free its memory for something newer."""
        self.work = None
        self._end()


def current(slot: str, wanted: AtWork) -> AtWork:
    """The work asked for: the one this session has in `slot`, or else `wanted`, begun now."""
    held: Held[AtWork] | None = session().work.get(slot)
    if held is None or held.work is None or held.work.key != wanted.key:
        if held is not None and held.work is not None:
            held.work.stop()
        held = Held(wanted)
        wanted.holding = visit().holding(slot, weakly(held.forget))
        session().work[slot] = held
        wanted.begin()
        wanted.await_quick_end()
    elif held.work.given_up:
        held.work.begin()
    return held.work or wanted


def _minutes(seconds: float) -> str:
    return "a minute" if seconds < 90 else f"{seconds / 60:,.0f} minutes"


def progress_line(work: Work, text: str) -> None:
    """How far work is, or why it has not begun; and a button to stop it."""
    if place := work.queued:
        before = {1: "nothing waits", 2: "1 other waits"}.get(place, f"{place - 1} others wait")
        wait = work.seconds_to_wait
        about = "" if wait is None else f", about {_minutes(wait)}"
        text = f"All processors are busy with other work; {before} before yours{about} …"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(text)
        # Several may be at work on one page.
        shell.button("Stop", work.stop, key=f"stop {work.key}", icon=":material/stop:")


def show_error(work: Work, columns: Sequence[str] = ()) -> None:
    """What went wrong, with the names of the columns; and the way on where there is one."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.error(told(work.error, columns))
        if work.lost:
            shell.button(
                "Try again",
                work.begin,
                key=f"again {type(work).__name__} {work.key}",
                icon=":material/refresh:",
            )


def watch(work: Work, show: Callable[..., None], *arguments: Any, seconds: float = 0.5) -> None:
    """Show work as a part of the page that draws itself again every so often while it runs.

    When it begins or ends the whole page runs: only that starts or ends the polling.
    """
    every = seconds if work.running else None
    session().at_work |= work.running
    fragment(_look, run_every=every)(work, work.running, show, arguments)


def _look(work: Work, live: bool, show: Callable[..., None], arguments: tuple) -> None:
    if live != work.running:
        st.rerun()
    show(*arguments)
