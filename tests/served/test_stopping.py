"""Long work is watched, stopped and gone on with, and the page is free for something else."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from support.visitor import Visitor

OVERLAPPING = "v=1&s=generate&g=overlapping"


@contextmanager
def at_work(app: str, query: str, page: str, words: str) -> Iterator[Visitor]:
    """A visitor of a page that works, and says so."""
    visitor = Visitor(app, query, page)
    try:
        visitor.watch(words)
        yield visitor
    finally:
        visitor.close()


def stop(visitor: Visitor) -> None:
    visitor.click("Stop")
    visitor.settle()


def test_five_hundred_starts_are_watched_stopped_and_gone_on_with(app: str) -> None:
    counter = r"\d+ of 1000 starts have ended"
    query = f"{OVERLAPPING}&n=20000&tk=6&k=8&ns=500&tol=1e-9"
    with at_work(app, query, "local_optima", counter) as visitor:
        stop(visitor)
        assert not re.search(counter, visitor.said)
        assert re.search("No start has been run yet|reached|None of", visitor.said)
        visitor.click("Go on")
        visitor.watch(counter)
        # Something else asked for meanwhile: the page is free.
        visitor.enter("Seeds", 3)
        visitor.watch("of 6 starts")


def test_a_long_grid_is_watched_stopped_and_gone_on_with(app: str) -> None:
    query = f"{OVERLAPPING}&n=5000&tk=4&ne=20&tol=1e-8"
    with at_work(app, query, "model_selection", r"[1-9]\d* of 24 models fitted") as visitor:
        stop(visitor)
        assert re.search(r"You stopped this\. \d+ of 24 models are still to", visitor.said)
        visitor.click("Go on")
        visitor.watch(r"\d+ of 24 models fitted")


def test_a_long_race_is_stopped_and_can_be_done_again(app: str) -> None:
    query = "v=1&s=generate&n=20000&k=5&rv=exact,gradient,squarem&rp=3000"
    with at_work(app, query, "variants", "Running all of them") as visitor:
        stop(visitor)
        assert "You stopped this" in visitor.said
        visitor.click("Do it")
        visitor.watch("Running all of them")
