"""Work beside the page ends with the session that asked for it."""

import gc
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from pages.ui.work.work import Held, Work


@dataclass(kw_only=True)
class Endless(Work):
    def steps(self) -> Iterator[int]:
        return itertools.count()


def test_work_ends_with_its_session() -> None:
    work = Endless(key="endless")
    session = {"search": Held(work)}
    work.begin()
    assert not work.done.wait(0.05)
    session.clear()
    gc.collect()
    assert work.done.wait(10) and work.stopped
