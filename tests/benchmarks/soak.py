"""Visitors who come, use the app and go, for as long as wanted: does it stay flat?

Run: python tests/benchmarks/soak.py [--minutes 30] [--visitors 20]
Starts the app itself. Prints a table, a line a minute, the most of each within it: memory of the
server and of its workers in MB, descriptors, threads, processes; visits and actions so far, and the
load of the machine. In the first minutes, five or half of them, what is kept for a while fills up.
Visits that have ended are kept for ten seconds, so that their number matters little.
Exits with 1 where later on anything is a tenth above its most until then, or something went wrong.
"""

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.browser import process_of, serve
from support.walk import TOO_LONG, Walk, places

FIRST_MINUTES = 5
MOST_GROWTH = 0.1
SECONDS_TO_LOOK = (0.2, 1.5)  # between two actions of a person


class Sample(NamedTuple):
    """What the server takes at a moment."""

    memory: float  # MB of the server
    working: float  # MB of its workers
    descriptors: int
    threads: int
    processes: int


def sample(process: int) -> Sample:
    """Of a server and the processes it started, from /proc."""
    children = [
        int(child)
        for thread in Path(f"/proc/{process}/task").iterdir()
        for child in _children(thread)
    ]
    return Sample(
        megabytes(process),
        sum(map(megabytes, children)),
        len(os.listdir(f"/proc/{process}/fd")),
        len(os.listdir(f"/proc/{process}/task")),
        1 + len(children),
    )


def _children(thread: Path) -> list[str]:
    try:
        return (thread / "children").read_text().split()
    except FileNotFoundError:  # it has ended
        return []


def megabytes(process: int) -> float:
    """Of memory that a process has; none where it has just ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return 0.0
    return int(status.partition("VmRSS:")[2].split()[0]) / 1000 if "VmRSS:" in status else 0.0


@contextmanager
def crowd(walk: Walk, visitors: int, seed: int) -> Iterator[None]:
    """So many people at a time, each on some page, with some of its widgets, then another."""
    done = threading.Event()
    everywhere = places()

    def person(number: int) -> None:
        rng = random.Random(f"{seed} {number}")
        while not done.wait(rng.uniform(*SECONDS_TO_LOOK)):
            page, query, *_ = rng.choice(everywhere)
            walk.visit(page, query, n_uses=rng.randrange(5), rng=rng)

    with ThreadPoolExecutor(visitors) as several:
        people = [several.submit(person, number) for number in range(visitors)]
        try:
            yield
        finally:
            done.set()
            for one in people:
                one.result()


def growth(first: Sequence[Sample], rest: Sequence[Sample]) -> dict[str, float]:
    """By how much the most of the rest is above the most of the first part, as a share."""
    return {
        name: max(getattr(s, name) for s in rest) / max(getattr(s, name) for s in first) - 1
        for name in Sample._fields
    }


def soak(
    minutes: float, visitors: int, seed: int = 0, samples: int = 0, most_growth: float = MOST_GROWTH
) -> bool:
    """Prints the table and the verdict: whether what the server takes stayed flat.

    samples: lines of the table; else one a minute.
    """
    samples = samples or max(2, round(minutes))
    print("minute  MB  workers MB  descriptors  threads  processes  visits  actions  load")
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with serve(ROOT, log) as url:
            walk, process, taken = Walk(url, log), process_of(url), []
            with crowd(walk, visitors, seed):
                # Until processes have been started for them.
                while walk.uses < visitors and not walk.found:
                    time.sleep(0.2)
                for number in range(samples):
                    taken.append(highest(process, 60 * minutes / samples))
                    minute = minutes * (number + 1) / samples
                    line = "  ".join(f"{value:.0f}" for value in taken[-1])
                    load = os.getloadavg()[0]
                    print(f"{minute:g}  {line}  {walk.visits}  {walk.uses}  {load:.1f}", flush=True)
        late = sum(found.what == TOO_LONG for found in walk.found)
        troubles = len(walk.found) - late + log.read_text().count("Traceback")
    first = min(round(FIRST_MINUTES * samples / minutes), max(1, samples // 2))
    grown = growth(taken[:first], taken[first:])
    flat = max(grown.values()) <= most_growth and not troubles
    words = ", ".join(f"{name} {share:+.0%}" for name, share in grown.items())
    print(f"{'flat' if flat else 'NOT FLAT'}: {words}; {troubles} errors, {late} too long")
    return flat


def highest(process: int, seconds: float) -> Sample:
    """The most of each within so many seconds."""
    until, most = time.monotonic() + seconds, sample(process)
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 2))
        most = Sample(*map(max, most, sample(process)))
    return most


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--visitors", type=int, default=20)
    asked = parser.parse_args()
    os.environ.setdefault("EM_EXPLORER_FIT_SECONDS", "10")
    os.environ.setdefault("STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL", "10")
    sys.exit(not soak(asked.minutes, asked.visitors))
