"""Processes that compute beside the dashboard: a few, with a queue before them.

A job that is no longer wanted, or takes too much time or memory, ends with its process, and another
process takes its place: nothing that a person asks for can hold up the dashboard or take it down.
"""

from __future__ import annotations

import atexit
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from functools import cache, partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from pages.ui import environment
from pages.ui.work.worker import SIZE, Failed, Yielded

ROOT = Path(__file__).parents[3]
# What the jobs of those that read come from.
READING = ("pages.ui.work.readings",)
# What ends within so many seconds is shown finished, without a picture of how far it is.
PATIENCE = 0.4
GRACE_SECONDS = 15  # to group what many starts found takes a while
SECONDS_TO_END = 5  # of a process that has closed its output
# How often one who waits asks whether those at work are still wanted.
LOOK_SECONDS = 1.0


class Limits(NamedTuple):
    """How many processes there are, and the most that one job may take."""

    workers: int
    seconds: float  # infinite: as long as it likes
    memory: int  # bytes of address space

    @classmethod
    def configured(cls) -> Limits:
        """From the environment."""
        return cls(
            workers=environment.number("WORKERS"),
            seconds=environment.number("FIT_SECONDS"),
            memory=round(environment.number("FIT_MB") * 1e6),
        )

    @classmethod
    def for_reading(cls) -> Limits:
        """Of what reads files, from the environment."""
        return cls(
            workers=2,
            seconds=environment.number("READ_SECONDS"),
            memory=round(environment.number("READ_MB") * 1e6),
        )


class Cancelled(Exception):
    """The job is not wanted any more."""


class OutOfTime(Exception):
    """The job took longer than one may."""


class Lost(Exception):
    """The job ended without its result, and not because it refused what it was asked: why."""


class Job:
    """One call of a generator function by a process: in the queue, at work or ended.

    The function and the classes of its arguments must be at the top of modules, where the process
    finds them too.
    """

    def __init__(
        self,
        pool: Pool,
        function: Callable[..., Generator],
        arguments: tuple,
        abandoned: Callable[[], bool],
    ):
        self._pool = pool
        self._call = function, arguments
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        self._speaks = False
        self.ended: type[Exception] | None = None
        # Asked only while others wait: whether whoever wanted it has gone. Then it is cancelled.
        self.abandoned = abandoned

    @property
    def ahead(self) -> int:
        """How many jobs are in the queue before this one and not yet at work, itself included."""
        return self._pool.place(self)

    def cancel(self) -> None:
        """End it now, wherever it is."""
        self._end(Cancelled)

    def ask_to_stop(self) -> None:
        """Let it end with what it has; where that takes long, or it has nothing, as `cancel`."""
        with self._lock:
            listens = self._process is not None and self._speaks and os.name == "posix"
            if listens:
                self._process.send_signal(signal.SIGUSR1)
        if not listens:
            self.cancel()
            return
        alarm = threading.Timer(GRACE_SECONDS, self.cancel)
        alarm.daemon = True
        alarm.start()

    def results(
        self, expect: Callable[[int], None] = lambda size: None
    ) -> Generator[list[Any], None, Any]:
        """What the function yields, in lists as it comes; in the end its value.

        expect: called with the size of each message in bytes before it is taken; an exception of
        its own ends the job.
        Raises Cancelled, OutOfTime, Lost, or ValueError with the function's own sentence.
        """
        process = self._pool.take(self)
        seconds = min(self._pool.limits.seconds, threading.TIMEOUT_MAX)
        alarm = threading.Timer(seconds, self._end, (OutOfTime,))
        alarm.daemon = True
        sound = False
        try:
            with self._lock:
                self._process = process
            message = None
            if self.ended is None:
                pickle.dump(self._call, process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
                process.stdin.flush()
                while isinstance(message := _received(process.stdout, expect), Yielded):
                    if not self._speaks:
                        # A new process takes its time to load before it can begin.
                        self._speaks = True
                        alarm.start()
                    if message.items:
                        yield message.items
            if self.ended:
                raise self.ended
            sound = not isinstance(message, Failed) or message.why == "refused"
            if isinstance(message, Failed):
                raise self._what_failed(message)
            return message.value
        except (EOFError, OSError, pickle.UnpicklingError):
            # The process was ended: by this job, by the system or by itself.
            raise (self.ended or Lost(how_it_ended(process))) from None
        finally:
            alarm.cancel()
            with self._lock:
                self._process = None
            self._pool.give_back(self, process, sound and self.ended is None)

    def _what_failed(self, failed: Failed) -> Exception:
        if failed.why == "refused":
            return ValueError(failed.sentence)
        if failed.why == "memory":
            most = self._pool.limits.memory / 1e6
            return Lost(
                f"This takes more than the {most:,.0f} MB of memory that one computation may have "
                "here. Use fewer rows, starts or components."
            )
        return Lost(
            f"An error that nobody expected ended this: {failed.sentence}. It is in the server's "
            "log with all that led to it; please report it. Another setting may avoid it."
        )

    def _end(self, why: type[Exception]) -> None:
        with self._lock:
            self.ended = self.ended or why
            if self._process is not None:
                self._process.kill()
        self._pool.wake()


def _received(results: BinaryIO, expect: Callable[[int], None]) -> Any:
    """The next message of a process."""
    header = results.read(SIZE.size)
    if len(header) < SIZE.size:
        raise EOFError
    expect(SIZE.unpack(header)[0])
    return pickle.load(results)


def how_it_ended(process: subprocess.Popen) -> str:
    """Why a process that nobody here has ended said no more, in a sentence."""
    try:
        status = process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        return "The process that computed this no longer answers. Try again."
    if status == -signal.SIGKILL:
        return (
            "The process that computed this was killed from outside, as systems do when the memory "
            "of the whole machine runs out. Try again, or use fewer rows, starts or components."
        )
    if status < 0:
        name = signal.Signals(-status).name
        return f"The process that computed this crashed ({name}). Try again, or another setting."
    return f"The process that computed this ended by itself (status {status}). Try again."


class Pool:
    """The processes and the queue before them: first come, first served.

    absence: called where a job is made; gives what says whether whoever wants it has gone.
    modules: what the jobs come from, loaded before somebody waits for them.
    """

    def __init__(
        self,
        limits: Limits,
        absence: Callable[[], Callable[[], bool]] = lambda: lambda: False,
        modules: tuple[str, ...] = (),
    ):
        self.limits = limits
        self._modules = modules
        self._absence = absence
        self._queue: list[Job] = []
        self._at_work: list[Job] = []
        self._closed = False
        self._all: set[subprocess.Popen] = set()
        self._idle = [self._start()]
        self._changed = threading.Condition()
        atexit.register(self.close)

    @property
    def processes(self) -> list[int]:
        """The numbers that the system knows the processes by."""
        with self._changed:
            return [process.pid for process in self._all]

    def job(self, function: Callable[..., Generator], *arguments: Any) -> Job:
        """A call to be made by a process; it queues when its results are asked for."""
        return Job(self, function, arguments, self._absence())

    def take(self, job: Job) -> subprocess.Popen:
        """A process for this job once it is its turn. Raises Cancelled where it ends before."""
        with self._changed:
            self._queue.append(job)
            try:
                ready = partial(self._is_ready, job)
                while not self._changed.wait_for(ready, LOOK_SECONDS):
                    self._make_room()
            finally:
                self._queue.remove(job)
                self._changed.notify_all()
            if job.ended or self._closed:
                raise job.ended or Cancelled
            self._at_work.append(job)
            if self._idle:
                return self._idle.pop()
            return self._start()

    def _is_ready(self, job: Job) -> bool:
        room = bool(self._idle) or len(self._all) < self.limits.workers
        return job.ended is not None or self._closed or (room and self._queue[0] is job)

    def _make_room(self) -> None:
        for job in [*self._at_work, *self._queue]:
            if job.abandoned():
                job.cancel()

    def give_back(self, job: Job, process: subprocess.Popen, sound: bool) -> None:
        """A process whose job has ended: kept for the next, or replaced where it is not sound."""
        with self._changed:
            self._at_work.remove(job)
            if not sound:
                self._end(process)
            if not self._closed:
                self._idle.append(process if sound else self._start())
            self._changed.notify_all()

    def place(self, job: Job) -> int:
        with self._changed:
            return self._queue.index(job) + 1 if job in self._queue else 0

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """End all processes, for good."""
        with self._changed:
            self._closed = True
            for process in list(self._all):
                self._end(process)
            self._changed.notify_all()

    def _start(self) -> subprocess.Popen:
        names = ", ".join(("pages.ui.work.worker", *self._modules))
        code = f"import {names}; pages.ui.work.worker.serve({self.limits.memory})"
        process = subprocess.Popen(
            # Arguments of the dashboard may name models of its owner.
            [sys.executable, "-c", code, *sys.argv[1:]],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._all.add(process)
        return process

    def _end(self, process: subprocess.Popen) -> None:
        self._all.discard(process)
        process.kill()
        process.wait()


@cache
def readers() -> Pool:
    """The processes that read files: apart from the fits, so that no file waits for them."""
    from pages.ui.work.presence import absence

    return Pool(Limits.for_reading(), absence, READING)


@cache
def pool() -> Pool:
    """The processes of this server."""
    # The processes themselves load this module too, and are to be quick without Streamlit.
    from pages.ui.work.presence import absence

    return Pool(Limits.configured(), absence)
