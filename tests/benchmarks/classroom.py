"""A class that takes one lesson at once: how long each waits for the page after a click.

Run: python tests/benchmarks/classroom.py [--students 30 60] [--seconds 8] [--lesson what-em-does]
Starts the app itself. So many students open the lesson within half a minute, and go on to its next
step or begin again, each after about so many seconds. Prints a line for each size of class: the
median and the 95 % of seconds until a page is whole, for the first one and for each after a click,
and the load of the machine. The visitors that stand for browsers take of the same cores.
"""

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from pages.ui.lessons.lesson import lessons
from support.browser import serve
from support.visitor import Visitor

SECONDS_TO_COME = 30.0
CLICKS = 10
WAYS_ON = ("Next step", "Skip this step", "Restart")


def take(url: str, name: str, seed: int, seconds: float) -> tuple[float, list[float]]:
    """One student: seconds until the lesson is there, and after each click."""
    rng = random.Random(seed)
    time.sleep(rng.uniform(0, SECONDS_TO_COME))
    began = time.monotonic()
    visitor = Visitor(url, f"v=1&le={name}", lessons()[name].steps[0].page)
    visitor.settle()
    first, later = time.monotonic() - began, []
    for _ in range(CLICKS):
        time.sleep(rng.uniform(0.5, 1.5) * seconds)
        there = [label for label in WAYS_ON if f" {label} " in f" {visitor.texts} "]
        began = time.monotonic()
        visitor.click(there[0])
        visitor.settle()
        later.append(time.monotonic() - began)
    visitor.close()
    return first, later


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--students", type=int, nargs="+", default=[30, 60])
    parser.add_argument(
        "--seconds", type=float, default=8.0, help="between two clicks of a student"
    )
    parser.add_argument("--lesson", default="what-em-does", choices=lessons())
    asked = parser.parse_args()
    print("students  first median   95 %   click median   95 %   load")
    with tempfile.TemporaryDirectory() as folder:
        for n_students in asked.students:
            with serve(ROOT, Path(folder) / "log") as url, ThreadPoolExecutor(n_students) as class_:
                Visitor(url).close()  # the first visit of all compiles what the others run
                seeds = range(n_students)
                each = [
                    class_.submit(take, url, asked.lesson, seed, asked.seconds) for seed in seeds
                ]
                found = [student.result() for student in each]
            firsts = [first for first, _ in found]
            clicks = [seconds for _, later in found for seconds in later]
            told = [*_spread(firsts), *_spread(clicks), os.getloadavg()[0]]
            print(f"{n_students:8d}", *(f"{value:11.2f}" for value in told), flush=True)


def _spread(seconds: list[float]) -> tuple[float, float]:
    return statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]


if __name__ == "__main__":
    main()
