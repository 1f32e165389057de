"""Processes that compute beside the dashboard: nothing takes them down for good."""

import gc
import pickle
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from math import inf
from pathlib import Path

import numpy as np
import pytest

from em_core import Gaussian, Mixture, em, restarts, select
from em_core.datasets import load
from em_core.search.alignment import in_order
from pages.ui.families.starting import ByMethod
from pages.ui.families.table import FAMILIES
from pages.ui.running.runs import Run, Runs
from pages.ui.running.searches import Grid, Search
from pages.ui.running.work import NOTHING_YET
from pages.ui.running.workers import LANES, Cancelled, Job, Limits, Lost, OutOfTime, Pool, Visitor
from pages.ui.state.settings import Settings
from tests.support import jobs


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    pool = Pool(Limits(workers=2, seconds=60, memory=2_000_000_000))
    yield pool
    pool.close()


def items(job: Job) -> list:
    return [item for items in job.results() for item in items]


def begun(job: Job) -> Iterator[list]:
    results = job.results()
    next(results)
    return results


def test_results_come_in_order_and_with_the_value(pool: Pool) -> None:
    results = pool.job(jobs.count, 10_000).results()
    got = []
    while True:
        try:
            got += next(results)
        except StopIteration as end:
            assert end.value == 10_000
            break
    assert got == list(range(10_000))


def test_what_cannot_be_done_is_said_and_the_process_goes_on(pool: Pool) -> None:
    before = set(pool._all)
    for _ in range(3):
        with pytest.raises(ValueError, match="this cannot be done"):
            items(pool.job(jobs.refuse))
    assert items(pool.job(jobs.talk)) == [1]
    assert set(pool._all) == before


@pytest.mark.parametrize(
    ("job", "arguments", "why"),
    [
        (jobs.devour, (), "more than the 2,000 MB of memory that one computation may have"),
        (jobs.devour_the_result, (), "more than the 2,000 MB of memory"),
        (jobs.die, (), r"ended by itself \(status 9\)"),
        (jobs.end_by, (signal.SIGKILL,), "was killed from outside, as systems do when the memory"),
        (jobs.end_by, (signal.SIGSEGV,), r"crashed \(SIGSEGV\)"),
        (jobs.mistake, (), r"nobody expected ended this: KeyError: 'no such state'.*log"),
        (jobs.unspeakable, (), "nobody expected ended this: .*lambda"),
        (
            jobs.count,
            (jobs.Unreadable(),),
            "nobody expected ended this: ImportError: no such thing",
        ),
    ],
)
def test_a_job_that_is_lost_says_why_and_is_lost_alone(pool: Pool, job, arguments, why) -> None:
    other = begun(pool.job(jobs.forever))
    with pytest.raises(Lost, match=why):
        items(pool.job(job, *arguments))
    assert next(other)
    other.close()
    assert items(pool.job(jobs.count, 3)) == [0, 1, 2]


@pytest.mark.parametrize("job", [jobs.forever, jobs.silent_forever])
def test_a_cancelled_job_ends_at_once(pool: Pool, job) -> None:
    cancelled = pool.job(job)
    results = begun(cancelled)
    cancelled.cancel()
    with pytest.raises(Cancelled):
        list(results)
    assert items(pool.job(jobs.count, 3)) == [0, 1, 2]


def test_a_job_cancelled_before_its_turn_never_runs(pool: Pool) -> None:
    job = pool.job(jobs.count, 3)
    job.cancel()
    with pytest.raises(Cancelled):
        items(job)


def test_what_nobody_expected_is_in_the_log_with_the_way_to_it(capfd) -> None:
    pool = Pool(Limits(workers=1, seconds=60, memory=2_000_000_000))
    with pytest.raises(Lost):
        items(pool.job(jobs.mistake))
    pool.close()
    said = capfd.readouterr().err
    assert "Traceback" in said and "in mistake" in said and "KeyError: 'no such state'" in said


@pytest.mark.parametrize("call", [(jobs.forever, ()), (jobs.silent_while, (0.5,)), None])
def test_a_process_whose_dashboard_was_ended_ends_without_a_word(capfd, call) -> None:
    """Be it in the midst of a job or of its message: kill -9 closes both pipes at once."""
    pool = Pool(Limits(workers=1, seconds=60, memory=2_000_000_000))
    (process,) = pool._all
    if call is None:
        process.stdin.write(pickle.dumps((jobs.count, (3,)))[:-5])
    else:
        pickle.dump(call, process.stdin)
        process.stdin.flush()
        process.stdout.read(1)
    process.stdout.close()
    process.stdin.close()
    assert process.wait(timeout=30) == 0
    assert capfd.readouterr().err == ""
    pool.close()


def test_a_job_has_so_much_time() -> None:
    pool = Pool(Limits(workers=1, seconds=1.5, memory=2_000_000_000))
    with pytest.raises(OutOfTime):
        items(pool.job(jobs.silent_forever))
    assert items(pool.job(jobs.count, 3)) == [0, 1, 2]
    pool.close()


@pytest.fixture
def short_lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.ui.running.workers.LANES", (0.3, 0.6))


def one_place(whose: Callable[[], Visitor] = Visitor.unknown) -> Pool:
    """One place whose jobs never run out of time, however long the machine takes for the test."""
    return Pool(Limits(workers=1, seconds=inf, memory=2_000_000_000), whose)


def told(job: Job, taken: list) -> threading.Thread:
    """Take what a job tells until it ends, in a thread."""

    def listen() -> None:
        with suppress(Cancelled):
            for some in job.results():
                taken.extend(some)

    thread = threading.Thread(target=listen)
    thread.start()
    return thread


def wait_for(pool: Pool, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    with pool._changed:
        while not condition():
            assert time.monotonic() < deadline
            pool._changed.wait(0.05)  # who joins the queue tells nobody


def test_short_work_does_not_wait_for_long() -> None:
    pool = one_place()
    long = [begun(pool.job(jobs.forever))]
    for number in (2, 3, 4):
        assert len(items(pool.job(jobs.count, number))) == number
    assert next(long[0]), "which goes on meanwhile"
    long[0].close()
    pool.close()


def test_of_those_who_had_no_turn_yet_the_least_data_is_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Many who come at once with much to do would have their first moment before anybody else."""
    monkeypatch.setattr("pages.ui.running.workers.LANES", (600.0, 600.0))
    pool, data = one_place(), (np.ones(100_000), [np.ones(10)])
    wanted = [pool.job(jobs.forever)]
    threads = [told(wanted[0], [])]
    wait_for(pool, lambda: wanted[0] in pool._at_work)
    for _ in range(5):
        wanted.append(pool.job(jobs.forever_with, data))
        threads.append(told(wanted[-1], []))
    wait_for(pool, lambda: len(pool._queue) == 4 and len(pool._at_work) == 2)
    waiting = list(pool._queue)
    small = pool.job(jobs.forever)
    threads.append(told(small, []))
    wait_for(pool, lambda: small in pool._queue)
    next(job for job in pool._at_work if job.lane == 0).cancel()
    wait_for(pool, lambda: any(job in pool._at_work for job in (small, *waiting)))
    assert small in pool._at_work and pool._queue == waiting
    for job in (*wanted, small):
        job.cancel()
    for thread in threads:
        thread.join()
    pool.close()


@pytest.mark.usefixtures("short_lanes")
def test_what_takes_longer_leaves_its_lane_and_waits_for_a_place() -> None:
    pool, taken = one_place(), []
    first, second = pool.job(jobs.forever), pool.job(jobs.silent_forever)
    results = begun(first)
    thread = told(second, taken)
    wait_for(pool, lambda: second.level == 2 and second in pool._queue)
    assert second.ahead == 1 and second.seconds_to_wait is None
    assert len(set(taken)) == 2, "a process in each lane, and none any more"
    # Short work goes on as before.
    assert items(pool.job(jobs.count, 3)) == [0, 1, 2]
    first.cancel()
    with pytest.raises(Cancelled):
        list(results)
    wait_for(pool, lambda: second in pool._at_work and second.lane is None)
    third = pool.job(jobs.forever)
    other = told(third, [])
    wait_for(pool, lambda: third.level == 2 and third in pool._queue)
    assert third.seconds_to_wait > 0, "as long as others held the place"
    for job in (second, third):
        job.cancel()
    for ended in (thread, other):
        ended.join()
    pool.close()


@pytest.mark.usefixtures("short_lanes")
def test_a_lane_is_left_for_a_free_place_without_a_break() -> None:
    pool, taken = one_place(), []
    first, second = pool.job(jobs.forever), pool.job(jobs.forever)
    results = begun(first)
    thread = told(second, taken)
    wait_for(pool, lambda: second in pool._at_work and second.lane == 0)
    first.cancel()
    with pytest.raises(Cancelled):
        list(results)
    wait_for(pool, lambda: second.lane is None)
    second.cancel()
    thread.join()
    assert second.level == 0 and len(set(taken)) == 1
    pool.close()


@pytest.mark.usefixtures("short_lanes")
def test_visitors_take_turns() -> None:
    """Who has asked for much waits with the second until the others have had their first."""
    asking = []
    pool = one_place(lambda: Visitor(asking[-1], lambda: False))
    asking.append("first")
    holding = pool.job(jobs.forever)
    wanted, threads = [], [told(holding, [])]
    wait_for(pool, lambda: holding in pool._at_work)
    for name in ("greedy", "greedy", "greedy", "modest"):
        asking.append(name)
        wanted.append(pool.job(jobs.forever))
        threads.append(told(wanted[-1], []))
        wait_for(pool, lambda: wanted[-1].level == 2 and wanted[-1] in pool._queue)
    order = []
    for _ in wanted:
        holding.cancel()
        wait_for(pool, lambda: any(job in pool._at_work for job in wanted if job.ended is None))
        holding = next(job for job in pool._at_work if job.ended is None)
        order.append(holding.visitor.name)
    holding.cancel()
    for thread in threads:
        thread.join()
    assert order.index("modest") <= 1, order
    pool.close()


@pytest.mark.usefixtures("short_lanes")
def test_what_nobody_wants_any_more_makes_room_for_those_who_wait() -> None:
    left = []
    pool = one_place(lambda: Visitor("somebody", lambda: bool(left)))
    first = pool.job(jobs.forever)
    results = begun(first)
    left.append("the page")
    assert next(results), "as long as nobody waits, it goes on"

    def listen() -> None:
        with pytest.raises(Cancelled):
            list(results)

    leaving = threading.Thread(target=listen)
    leaving.start()
    pool._whose = Visitor.unknown
    second = pool.job(jobs.forever)
    thread = told(second, [])
    wait_for(pool, lambda: second in pool._at_work and second.lane is None)
    leaving.join()
    assert first.ended is Cancelled
    second.cancel()
    thread.join()
    pool.close()


def test_a_run_that_left_its_lanes_goes_on_to_the_same_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = np.random.default_rng(0).normal(size=(60_000, 4))
    pool = one_place()
    monkeypatch.setattr("pages.ui.running.runs.pool", lambda: pool)
    monkeypatch.setattr("pages.ui.running.workers.LANES", (0.1, 600.0))
    first = pool.job(jobs.forever)
    results = begun(first)
    run = run_of(values, tolerance=1e-12, max_iterations=800)
    run.begin()
    wait_for(pool, lambda: run._job.lane == 1 and run._job in pool._at_work)
    # What was told in the first lane stays: a trace does not show that the second process speaks.
    while not run.trace or run._job._process is None or not run._job._speaks:
        run.done.wait(0.01)
    run._job._leave_lane()
    wait_for(pool, lambda: run._job.level == 2 and run._job in pool._queue)
    assert run.trace, "what it has told stays on the screen"
    first.cancel()
    with pytest.raises(Cancelled):
        list(results)
    run.done.wait()
    alone = run_of(values, tolerance=1e-12, max_iterations=800)
    alone.begin()
    alone.done.wait()
    assert len(run.trace) == len(alone.trace) and run.stop_reason == alone.stop_reason
    for one, other in zip(run.trace, alone.trace, strict=True):
        assert same(tuple(one), tuple(other))
    pool.close()


def test_a_process_that_keeps_much_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = one_place()
    items(pool.job(jobs.count, 1))
    before = pool.processes
    items(pool.job(jobs.count, 1))
    assert pool.processes == before
    monkeypatch.setattr("pages.ui.running.workers.HEAVY", 1_000_000)
    items(pool.job(jobs.count, 1))
    assert pool.processes != before
    pool.close()


def test_a_process_that_was_killed_while_it_had_nothing_to_do_is_replaced() -> None:
    pool = one_place()
    items(pool.job(jobs.count, 1))
    (idle,) = pool._idle
    idle.kill()
    idle.wait()
    assert items(pool.job(jobs.count, 3)) == [0, 1, 2]
    assert idle not in pool._all
    pool.close()


def test_where_no_process_can_be_started_the_place_is_free_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool = one_place()
    items(pool.job(jobs.count, 1))
    start, fails = pool._start, [True]

    def begin() -> subprocess.Popen:
        if fails:
            raise OSError(24, "Too many open files")
        return start()

    monkeypatch.setattr(pool, "_start", begin)
    # The process of this job has ended, and there is no other for the next: what it said stays.
    with pytest.raises(Lost, match=r"ended by itself \(status 9\)"):
        items(pool.job(jobs.die))
    for _ in range(2):
        with pytest.raises(Lost, match="cannot start another process at the moment"):
            items(pool.job(jobs.count, 3))
    assert not pool._at_work and not pool._queue
    fails.clear()
    assert items(pool.job(jobs.count, 3)) == [0, 1, 2]
    pool.close()


VALUES = load("iris").values
MODEL = Mixture(Gaussian(), 3)
START = ByMethod(MODEL, "k-means++", 0)


def run_of(values: np.ndarray, **options) -> Run:
    usual = {"tolerance": 1e-3, "max_iterations": 1000}
    return Run(key="", model=MODEL, data=values, start=START, **usual | options)


def same(one, other) -> bool:
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return np.array_equal(one, other)


def test_a_fit_in_a_process_is_the_fit_bit_for_bit() -> None:
    run = run_of(VALUES)
    run.begin()
    run.done.wait()
    params = MODEL.initial_params(VALUES, "k-means++", np.random.default_rng(0))
    whole = in_order(em(MODEL, VALUES, params), run.order, MODEL.DIMS)
    assert same(tuple(run.trace), tuple(whole))
    assert run.stop_reason == "converged" and run.fit.n_iterations == run.trace[-1].iteration


def test_a_stopped_run_goes_on_to_the_same_numbers() -> None:
    values = np.random.default_rng(0).normal(size=(60_000, 4))
    run = run_of(values, tolerance=0.0, max_iterations=60)
    run.begin()
    while not run.trace:
        run.done.wait(0.01)
    run.stop()
    run.done.wait()
    assert run.stop_reason == "stopped" and run.trace[-1].phase != "M"
    assert run.fit.n_iterations < 60
    run.begin()
    run.done.wait()
    assert run.stop_reason == "max_iterations"
    whole = run_of(values, tolerance=0.0, max_iterations=60)
    whole.begin()
    whole.done.wait()
    assert same(tuple(run.trace), tuple(whole.trace))


def test_a_run_begun_twice_is_one() -> None:
    """As by two quick clicks on “Try again”."""
    run = run_of(VALUES)
    run.begin()
    run.done.wait()
    run.begin()
    first = run._job
    run.begin()
    assert run._job is first
    run.done.wait()


def test_a_run_that_cannot_start_says_so() -> None:
    run = run_of(np.ones((5, 2)))
    run.begin()
    run.done.wait()
    assert "distinct rows" in run.error


def test_the_fits_of_a_session_end_with_it() -> None:
    values = np.random.default_rng(0).normal(size=(60_000, 4))
    runs = Runs()
    run = runs.get(run_of(values, tolerance=0.0, max_iterations=100_000))
    assert run.running
    del runs
    gc.collect()
    run.done.wait()
    assert run.stop_reason == "stopped"


def search_of(values: np.ndarray, n_seeds: int, **options) -> Search:
    usual = {"starts": ("k-means++",), "tolerance": 1e-3, "max_iterations": 1000}
    return Search(key="", model=MODEL, data=values, seeds=range(n_seeds), **usual | options)


def test_many_starts_in_a_process_are_those_in_this_one() -> None:
    search = search_of(VALUES, 12)
    search.begin()
    search.done.wait()
    here = restarts(MODEL, VALUES, range(12), "k-means++", number_components=True)
    assert same(search.runs.best.params, here.best.params)
    assert search.runs.verdict == here.verdict and not search.stopped
    assert [len(o.fits) for o in search.runs.optima] == [len(o.fits) for o in here.optima]


def test_stopped_starts_tell_what_they_found() -> None:
    values = np.random.default_rng(0).normal(size=(20_000, 4))
    search = search_of(values, 40, tolerance=0.0, max_iterations=100_000)
    search.begin()
    while search.runs is None or not any(len(t.log_likelihoods) for t in search.runs.traces):
        search.done.wait(0.05)
    search.stop()
    search.done.wait()
    assert search.stopped and (search.error == NOTHING_YET or search.runs.landscape.unconverged)


def test_a_process_that_is_lost_costs_a_grid_one_model_and_a_search_says_why(
    tmp_path: Path,
) -> None:
    there = tmp_path / "there"
    there.touch()
    usual = {"starts": ("k-means++",), "seeds": range(3), "tolerance": 1e-3, "max_iterations": 500}
    models = {("full", k): Mixture(Gaussian(), k) for k in (1, 2, 3)}
    models["full", 2] = jobs.Killed(Gaussian(), 2, str(there))
    grid = Grid(key="", models=models, data=VALUES, folds=0, **usual)
    grid.begin()
    grid.done.wait()
    # It stays to be fitted: what is recommended meanwhile is of the others.
    assert [cell.status for cell in grid.cells] == ["usable", "not run", "usable"]
    assert "killed from outside" in grid.error and grid.lost and not grid.complete
    search = Search(key="", model=models["full", 2], data=VALUES, **usual)
    search.begin()
    search.done.wait()
    assert "killed from outside" in search.error and search.lost
    there.unlink()
    grid.begin()
    grid.done.wait()
    assert [cell.status for cell in grid.cells] == 3 * ["usable"]
    assert grid.complete and not grid.error


def test_a_stopped_grid_keeps_what_it_has_and_goes_on_with_the_rest() -> None:
    values = np.random.default_rng(0).normal(size=(20_000, 4))
    models = {("full", k): Mixture(Gaussian(), k) for k in (1, 12)}
    grid = Grid(
        key="", models=models, data=values, starts=("k-means++",), seeds=range(2), folds=0,
        tolerance=0.0, max_iterations=100,
    )  # fmt: skip
    grid.begin()
    while grid.n_done < 1:
        assert not grid.done.wait(0.02)
    grid.stop()
    grid.done.wait()
    assert not grid.complete and grid.n_done == 1
    first = grid.cells[0]
    grid.begin()
    grid.done.wait()
    assert grid.complete and grid.cells[0].fit.seconds == first.fit.seconds
    assert grid.cells[1].status == "unconverged" and grid.cells[1].fit.n_iterations == 100


def test_a_grid_in_a_process_is_that_in_this_one() -> None:
    models = {("full", k): Mixture(Gaussian(), k) for k in (1, 2, 3)}
    grid = Grid(
        key="", models=models, data=VALUES, starts=("k-means++",), seeds=range(4),
        tolerance=1e-3, max_iterations=500, folds=0,
    )  # fmt: skip
    grid.begin()
    grid.done.wait()
    here = select(models, VALUES, range(4), "k-means++", max_iterations=500)
    assert [cell.score("bic") for cell in grid.cells] == [cell.score("bic") for cell in here.cells]
    assert grid.selection.best().label == here.best().label


@pytest.mark.parametrize("name", FAMILIES)
def test_every_model_travels_to_a_process(name: str) -> None:
    model = FAMILIES[name].build(Settings(family=name))
    assert pickle.loads(pickle.dumps(model)) is not None


def test_a_pool_that_is_closed_begins_nothing() -> None:
    pool = Pool(Limits(workers=1, seconds=60, memory=2_000_000_000))
    at_work, waiting = begun(pool.job(jobs.forever)), pool.job(jobs.count, 1)
    waiting.level = len(LANES)  # as if it had been through them
    ended = []

    def wait() -> None:
        with pytest.raises(Cancelled):
            items(waiting)
        ended.append(True)

    asked = threading.Thread(target=wait)
    asked.start()
    with pool._changed:
        assert pool._changed.wait_for(lambda: waiting in pool._queue, timeout=20)
    pool.close()
    asked.join(10)
    assert ended
    with pytest.raises(Lost):
        list(at_work)
    assert not pool._all
