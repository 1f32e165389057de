"""Work beside the page ends with the session that asked for it, and when it is stopped."""

import gc
import os
import time

from pages.ui.running.jobs import Computation
from pages.ui.running.work import NOTHING_YET, Held
from pages.ui.running.workers import PATIENCE
from tests.support import jobs


def there_is(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_work_ends_with_its_session() -> None:
    work = Computation(key="silent", call=(jobs.silent_forever, ()))
    session = {"search": Held(work)}
    work.begin()
    while not work.progress:
        assert not work.done.wait(0.05)
    session.clear()
    gc.collect()
    assert work.done.wait(10) and work.error == NOTHING_YET
    assert not there_is(work.progress)


def test_work_that_is_stopped_ends_its_process_at_once() -> None:
    work = Computation(key="silent", call=(jobs.silent_forever, ()))
    work.begin()
    while not work.progress:
        assert not work.done.wait(0.05)
    work.stop()
    assert work.done.wait(10) and work.stopped and work.error == NOTHING_YET
    assert not there_is(work.progress)


def test_work_is_done_elsewhere_to_the_same_result() -> None:
    work = Computation(key="count", call=(jobs.count, (1000,)))
    work.begin()
    assert work.done.wait(60) and work.result == 1000 and not work.error
    assert work.progress == 999


def test_only_what_ends_soon_is_awaited() -> None:
    work = Computation(key="silent", call=(jobs.silent_forever, ()))
    work.begin()
    began = time.monotonic()
    work.await_quick_end()
    waited = time.monotonic()
    assert waited - began > PATIENCE / 2
    for _ in range(100):
        work.await_quick_end()
    assert time.monotonic() - waited < 50 * PATIENCE
    work.stop()


def test_work_that_fails_is_a_sentence() -> None:
    work = Computation(key="refuse", call=(jobs.refuse, ()))
    work.begin()
    assert work.done.wait(60)
    assert (work.error, work.result) == ("this cannot be done", None)
