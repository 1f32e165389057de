"""Processes that compute beside the dashboard: a few, with a queue before them.

Short work does not wait for long: where all places are taken, a job begins in a lane of its own for
a moment, then in another for some seconds, and what takes longer waits for a place, which the
visitors get in turn. What leaves a lane begins again later, to the same numbers.

A job that is no longer wanted, or takes too much time or memory, ends with its process, and another
process takes its place: nothing that a person asks for can hold up the dashboard or take it down.
"""

from __future__ import annotations

import atexit
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Hashable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from pages.ui import environment
from pages.ui.compute.worker import SIZE, Failed, Message, Returned, Yielded

ROOT = Path(__file__).parents[3]
# What ends within so many seconds is shown finished, without a picture of how far it is.
PATIENCE = 0.4
GRACE_SECONDS = 15  # to group what many starts found takes a while
SECONDS_TO_END = 5  # of a process that has closed its output
# Where all places are taken, so many seconds in a lane of its own for each job in turn, then in the
# next lane. The first is for what a person watches, the second for what a person awaits.
LANES = (0.5, 10.0)
# From so many bytes on a process that has ended its job is replaced: it would keep them.
HEAVY = 400_000_000
CANNOT_START = (
    "The server cannot start another process at the moment: it has too many of them, too many open "
    "files or too little memory. Try again in a minute; whoever runs it finds why in its log."
)
log = logging.getLogger(__name__)
# How often one who waits asks whether those at work are still wanted.
LOOK_SECONDS = 1.0


class Limits(NamedTuple):
    """How many processes there are, and the most that one job may take.

    out_of_time: what is told of a job that took longer; crashed: of one whose process crashed, and
    by what signal in brackets before it.
    """

    workers: int
    seconds: float  # infinite: as long as it likes
    memory: int  # bytes of address space
    out_of_time: str = (
        "The time that one computation may take here is over: use less data, or fewer starts or "
        "components."
    )
    crashed: str = "The process that computed this crashed ({}). Try again, or another setting."

    @classmethod
    def configured(cls) -> Limits:
        """From the environment."""
        return cls(
            workers=int(environment.number("WORKERS")),
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
            out_of_time=(
                "The time that reading one file may take here is over: use fewer rows or columns, "
                "or save the table as CSV."
            ),
            crashed=(
                "What reads such files crashed on it ({}): most likely it is damaged. Write it "
                "again, or save the table as CSV."
            ),
        )


class Cancelled(Exception):
    """The job is not wanted any more."""


class OutOfTime(Exception):
    """The job took longer than one may."""


class _LeavesLane(Exception):
    """The job has had its time in a lane, and others wait."""


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
        function: Callable[..., Generator[Any, None, Any]],
        arguments: tuple,
        visitor: Visitor,
        again: Callable[[], tuple] | None = None,
    ):
        self._pool = pool
        self._call = function, arguments
        self.size = _bytes_of(arguments)
        self._again = again
        self.visitor = visitor
        self.level = 0  # how many lanes it has been through
        self.lane: int | None = None  # the one it is in; None for a place without an end
        self._leaves = False
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        self._speaks = False
        self.ended: type[Exception] | None = None

    @property
    def out_of_time(self) -> str:
        """What is told where it takes too long."""
        return self._pool.limits.out_of_time

    @property
    def ahead(self) -> int:
        """How many jobs are in the queue before this one and not yet at work, itself included."""
        return self._pool.place(self)

    @property
    def seconds_to_wait(self) -> float | None:
        """About how long until it is at work; None where nothing tells."""
        return self._pool.seconds_to_wait(self)

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
        while True:
            process = self._pool.take(self)
            try:
                return (yield from self._results_of(process, expect))
            except _LeavesLane:
                self.level += 1
                if self._again is not None:
                    self._call = self._call[0], self._again()

    def result(self, expect: Callable[[int], None] = lambda size: None) -> Any:
        """What the function returns, waited for. Raises as `results` does."""
        results = self.results(expect)
        while True:
            try:
                next(results)
            except StopIteration as end:
                return end.value

    def _results_of(
        self, process: subprocess.Popen, expect: Callable[[int], None]
    ) -> Generator[list[Any], None, Any]:
        """The same from one process; raises _LeavesLane where others are to have their turn."""
        seconds = min(self._pool.limits.seconds, threading.TIMEOUT_MAX)
        alarms = [threading.Timer(seconds, self._end, (OutOfTime,))]
        if self.lane is not None:
            alarms.append(threading.Timer(LANES[self.lane], self._leave_lane))
        for alarm in alarms:
            alarm.daemon = True
        sound, self._speaks, self._leaves = False, False, False
        try:
            with self._lock:
                self._process = process
            message: Message | None = None
            assert process.stdin is not None and process.stdout is not None, "both are pipes"
            if self.ended is None:
                pickle.dump(self._call, process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
                process.stdin.flush()
                while isinstance(message := _received(process.stdout, expect), Yielded):
                    if not self._speaks:
                        # A new process takes its time to load before it can begin.
                        self._speaks = True
                        for alarm in alarms:
                            alarm.start()
                    if message.items:
                        yield message.items
            if self.ended:
                raise self.ended
            sound = not isinstance(message, Failed) or message.why == "refused"
            if isinstance(message, Failed):
                raise self._what_failed(message)
            assert isinstance(message, Returned)
            return message.value
        except (EOFError, OSError, pickle.UnpicklingError):
            # The process was ended: by this job, by the system or by itself.
            if self._leaves and self.ended is None:
                raise _LeavesLane from None
            raise (self.ended or Lost(how_it_ended(process, self._pool.limits.crashed))) from None
        finally:
            for alarm in alarms:
                alarm.cancel()
            with self._lock:
                self._process = None
            self._pool.give_back(self, process, sound and self.ended is None)

    def _leave_lane(self) -> None:
        """Its time there is over; where a place is free and nobody waits, it goes on in that."""
        if self._pool.moves_to_a_place(self):
            return
        with self._lock:
            if self._process is not None:
                self._leaves = True
                self._process.kill()

    def _what_failed(self, failed: Failed) -> Exception:
        if failed.why == "refused":
            return ValueError(failed.sentence)
        if failed.why == "unavailable":
            return Lost(failed.sentence)
        if failed.why == "memory":
            most = self._pool.limits.memory / 1e6
            return Lost(
                f"This takes more than the {most:,.0f} MB of memory that one computation may have "
                "here. Use fewer rows, columns, starts or components."
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


def _bytes_of(arguments: Any) -> int:
    """What the arrays among the arguments of a job take: with less of them most end sooner."""
    if isinstance(arguments, np.ndarray):
        return arguments.nbytes
    return sum(map(_bytes_of, arguments)) if isinstance(arguments, tuple | list) else 0


def _received(results: IO[bytes], expect: Callable[[int], None]) -> Any:
    """The next message of a process."""
    header = results.read(SIZE.size)
    if len(header) < SIZE.size:
        raise EOFError
    expect(SIZE.unpack(header)[0])
    return pickle.load(results)


def _is_heavy(process: subprocess.Popen) -> bool:
    """Whether a process keeps much memory, where the system tells."""
    try:
        pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    except OSError:
        return False
    return pages * os.sysconf("SC_PAGE_SIZE") > HEAVY


def how_it_ended(process: subprocess.Popen, crashed: str) -> str:
    """Why a process that nobody here has ended said no more, in a sentence. crashed: as of
    `Limits`."""
    try:
        status = process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        return "The process that computed this no longer answers. Try again."
    if status == -signal.SIGKILL:
        return (
            "The process that computed this was killed from outside, as systems do when the memory "
            "of the whole machine runs out. Try again, or use fewer rows, columns, starts or "
            "components."
        )
    if status < 0:
        return crashed.format(signal.Signals(-status).name)
    return f"The process that computed this ended by itself (status {status}). Try again."


class Visitor(NamedTuple):
    """Whoever wants a job. gone: whether nobody is there any more, asked only while others wait;
    then the job is cancelled."""

    name: Hashable
    gone: Callable[[], bool]

    @classmethod
    def unknown(cls) -> Visitor:
        """One that nobody else is, and who stays."""
        return cls(object(), lambda: False)


class Pool:
    """The processes and the queue before them.

    whose: called where a job is made, for whoever wants it.
    modules: what the jobs come from, loaded before somebody waits for them.
    """

    def __init__(
        self,
        limits: Limits,
        whose: Callable[[], Visitor] = Visitor.unknown,
        modules: tuple[str, ...] = (),
    ):
        self.limits = limits
        self._modules = modules
        self._whose = whose
        self._queue: list[Job] = []
        self._at_work: list[Job] = []
        self._closed = False
        self._turns: dict[Hashable, int] = {}  # when each visitor was last given something
        self._turn = 0
        self._seconds: deque[float] = deque(maxlen=20)  # that jobs have held a place
        self._begun: dict[Job, float] = {}
        self._all: set[subprocess.Popen] = set()
        self._idle = [self._start()]
        self._changed = threading.Condition()
        atexit.register(self.close)

    @property
    def processes(self) -> list[int]:
        """The numbers that the system knows the processes by."""
        with self._changed:
            return [process.pid for process in self._all]

    def job(
        self,
        function: Callable[..., Generator[Any, None, Any]],
        *arguments: Any,
        again: Callable[[], tuple] | None = None,
    ) -> Job:
        """A call to be made by a process; it queues when its results are asked for.

        again: the arguments for the next time, where it leaves a lane: it may go on from what it
        has told. Without it the job begins anew, with these arguments.
        """
        return Job(self, function, arguments, self._whose(), again)

    def take(self, job: Job) -> subprocess.Popen:
        """A process for this job once it is its turn. Raises Cancelled where it ends before, and
        Lost where the system gives none."""
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
            process = self._ready_process()
            self._at_work.append(job)
            self._begun[job] = time.monotonic()
            self._turn += 1
            self._turns = {name: turn for name, turn in self._turns.items() if self._waits(name)}
            self._turns[job.visitor.name] = self._turn
            return process

    def _ready_process(self) -> subprocess.Popen:
        """One that has nothing to do. Raises Lost where none can be had now."""
        while self._idle:
            process = self._idle.pop()
            if process.poll() is None:
                return process
            self._end(process)  # it was killed while it had nothing to do
        try:
            return self._start()
        except OSError as error:
            log.error("A process cannot be started.", exc_info=error)
            raise Lost(CANNOT_START) from None

    def _is_ready(self, job: Job) -> bool:
        """Whether it is the turn of a job that waits; then the job knows where it goes."""
        if job.ended is not None or self._closed:
            return True
        for lane in (None, *range(len(LANES))):
            if self._is_free(lane) and self._next(lane) is job:
                job.lane = lane
                return True
        return False

    def _is_free(self, lane: int | None) -> bool:
        room = self.limits.workers if lane is None else 1
        return sum(job.lane == lane for job in self._at_work) < room

    def _next(self, lane: int | None) -> Job | None:
        """Who of those that wait goes into a lane, or into a place: what has been through all lanes
        first, for it can go nowhere else. Visitors take turns, those with nothing at work before
        the others, and of those who had none yet whoever brings the least data."""
        waiting = [job for job in self._queue if lane is None or job.level == lane]
        at_work = Counter(job.visitor.name for job in self._at_work if job.lane is None)

        def turn(job: Job) -> tuple[int, int, int, int]:
            name = job.visitor.name
            return at_work[name], -job.level, self._turns.get(name, 0), job.size

        return min(waiting, key=turn, default=None)

    def _waits(self, name: Hashable) -> bool:
        return any(job.visitor.name == name for job in (*self._queue, *self._at_work))

    def moves_to_a_place(self, job: Job) -> bool:
        """Let a job go on in a place without an end, if one is free and nobody waits for it."""
        with self._changed:
            if self._queue or not self._is_free(None) or job not in self._at_work:
                return False
            job.lane = None
            self._changed.notify_all()  # its lane is free
            return True

    def _make_room(self) -> None:
        for job in [*self._at_work, *self._queue]:
            if job.visitor.gone():
                job.cancel()

    def give_back(self, job: Job, process: subprocess.Popen, sound: bool) -> None:
        """A process whose job has ended: kept for the next, or replaced where it is not sound."""
        with self._changed:
            self._at_work.remove(job)
            begun = self._begun.pop(job)
            if job.lane is None:
                self._seconds.append(time.monotonic() - begun)
            keep = sound and not _is_heavy(process)
            if not keep:
                self._end(process)
            if not self._closed:
                with suppress(OSError):  # the next job tries again, and says so
                    self._idle.append(process if keep else self._start())
            self._changed.notify_all()

    def place(self, job: Job) -> int:
        """Its place in the queue, from 1; 0 where it is not in it."""
        with self._changed:
            if job not in self._queue:
                return 0
            before = [other for other in self._queue if other.level <= job.level]
            return before.index(job) + 1

    def seconds_to_wait(self, job: Job) -> float | None:
        """About how long a job that has been through all lanes waits for a place."""
        place = self.place(job)
        with self._changed:
            if not place or job.level < len(LANES) or not self._seconds:
                return None
            return place * sum(self._seconds) / len(self._seconds) / self.limits.workers

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
        names = ", ".join(("pages.ui.compute.worker", *self._modules))
        code = f"import {names}; pages.ui.compute.worker.serve({self.limits.memory})"
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
