"""What visits hold in the server is counted, and bounded for each and for all."""

import gc
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from em_core import Gaussian, Mixture, em
from em_core.datasets import load
from em_core.search.alignment import in_order
from pages.ui.families.starting import ByMethod
from pages.ui.running.runs import Run
from pages.ui.sharing.store import Quotas, Store
from pages.ui.state.memory import Full, Memory, Visit
from pages.ui.tables import packing
from pages.ui.tables.table import Table
from support.browser import ROOT, process_of, serve
from support.visitor import Visitor


def test_what_can_be_had_again_goes_first_the_longest_unused_before() -> None:
    memory = Memory(100, 1000)
    visit, gone = Visit(memory), []
    visit.hold("table", 40)
    for name in ("first", "second", "third"):
        visit.hold(name, 20, lambda name=name: gone.append(name))
    visit.hold("first", 20, lambda: gone.append("first"))  # used again
    visit.hold("fourth", 30, lambda: gone.append("fourth"))
    assert gone == ["second", "third"] and memory.held == 90


def test_nothing_goes_for_what_has_no_room_anyway_but_what_was_there_before_stays() -> None:
    memory = Memory(100, 1000)
    visit, gone = Visit(memory), []
    visit.hold("table", 80)
    visit.hold("run", 10, lambda: gone.append("run"))
    with pytest.raises(Full, match="one visit may hold"):
        visit.hold("other", 30)
    with pytest.raises(Full):
        visit.hold("table", 200)
    assert memory.held == 90 and not gone
    visit.let_go("run")
    visit.let_go("table")
    visit.hold("other", 100)
    assert memory.held == 100


def test_another_visit_never_pays() -> None:
    memory = Memory(100, 150)
    one, gone = Visit(memory), []
    one.hold("run", 90, lambda: gone.append("run"))
    newcomer = Visit(memory)
    newcomer.hold("table", 50)
    with pytest.raises(Full, match="other visits"):
        newcomer.hold("run", 20)
    assert not gone and memory.held == 140


def test_a_visit_that_has_ended_holds_nothing() -> None:
    memory = Memory(100, 150)
    session = {"visit": Visit(memory)}
    session["visit"].hold("table", 100)
    session["itself"] = session  # goes only with a collection
    del session
    gc.collect()  # the server does so every few seconds
    other = Visit(memory)
    other.hold("table", 100)
    assert memory.held == 100


def test_at_the_limit_of_all_nobody_waits_for_collections() -> None:
    """Each message of each fit asks there: a collection of everything takes a tenth of a second."""
    memory = Memory(100, 150)
    first, second = Visit(memory), Visit(memory)
    first.hold("table", 100)
    collections = []

    def note(phase: str, about: dict[str, int]) -> None:
        collections.append(about["generation"])

    gc.callbacks.append(note)
    try:
        for _ in range(50):
            with pytest.raises(Full, match="other visits"):
                second.hold("run", 60)
    finally:
        gc.callbacks.remove(note)
    assert 2 not in collections


def test_what_a_visit_lets_go_does_not_keep_it() -> None:
    """A run knows where it is counted, and what is counted knows how to drop the run."""
    memory = Memory(100, 150)
    runs: dict[str, object] = {}
    visit = Visit(memory)
    runs["run"] = visit.holding("run", runs.clear)
    runs["run"].set(100)
    del visit, runs
    gc.collect()
    assert memory.held == 0


def test_many_threads_count_together() -> None:
    memory = Memory(10**9, 10**9)
    visits = [Visit(memory) for _ in range(8)]

    def work(visit: Visit) -> None:
        holding = visit.holding("run")
        for _ in range(500):
            holding.add(3)

    with ThreadPoolExecutor(8) as several:
        list(several.map(work, visits))
    assert memory.held == 8 * 500 * 3


def test_a_run_ends_where_its_half_steps_have_no_room() -> None:
    """What it has stays, to be played and explained."""
    model = Mixture(Gaussian(), 3)
    run = Run(
        key="run",
        model=model,
        data=load("iris").values[:, :4],
        start=ByMethod(model, "random responsibilities", 0),
        tolerance=1e-12,
        max_iterations=100_000,
    )
    visit = Visit(Memory(100_000, 10**9))
    run.holding = visit.holding("run")
    run.begin()
    assert run.done.wait(60)
    assert (run.stop_reason, run.error) == ("memory", "")
    assert run.trace and run.fit.stop_reason == "memory"
    assert np.isfinite(run.fit.log_likelihood)


def arrays(params) -> list[np.ndarray]:
    """Those of which parameters are made."""
    if isinstance(params, tuple):
        return [array for part in params for array in arrays(part)]
    return [np.asarray(params)]


def test_the_parameters_of_an_iteration_travel_and_are_kept_once() -> None:
    """Else a trace of 50 components in 64 columns takes twice as much."""
    rng = np.random.default_rng(0)
    model, data = Mixture(Gaussian(), 20), rng.normal(size=(3_000, 48))
    start = ByMethod(model, "random points", 0)
    run = Run(
        key="run", model=model, data=data, start=start, tolerance=1e-12, max_iterations=30
    )  # fmt: skip
    one = sum(array.nbytes for array in arrays(start(data)))
    memory = Memory(10**9, 10**9)
    visit = Visit(memory)
    run.holding = visit.holding("run")
    run.begin()
    assert run.done.wait(60)
    n_iterations = run.fit.n_iterations
    assert n_iterations == 30
    assert memory.held < 1.05 * one * (n_iterations + 1)
    kept = {id(p) for step in run.trace for p in (step.params, step.posterior_params)}
    assert len(kept) == n_iterations + 1
    # The same numbers as without a process, those of q too.
    whole = list(em(model, data, start(data), tolerance=1e-12, max_iterations=30))
    whole = in_order(whole, run.order, model.DIMS)
    for ours, theirs in zip(run.trace, whole, strict=True):
        for name in ("params", "posterior_params"):
            pairs = zip(arrays(getattr(ours, name)), arrays(getattr(theirs, name)), strict=True)
            assert all(np.array_equal(*pair) for pair in pairs)
    del visit


def server_megabytes(url: str) -> float:
    """Of the process that listens there."""
    status = Path(f"/proc/{process_of(url)}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1000


def stored(folder: Path, frame: pd.DataFrame) -> str:
    """The token of a table in the store, packed with one copy of what is in many cells."""
    content = packing.to_parquet(Table("kept.csv", frame, (), ""))
    return Store(str(folder), Quotas(10**8, 10**9, 10**9, 30)).keep(content, "me", 1).token


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_stored_table_is_unpacked_beside_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = stored(tmp_path, pd.DataFrame(load("iris").values[:, :2], columns=["x", "y"]))
    bomb = stored(tmp_path, pd.DataFrame({"x": np.ones(12_000), "t": ["x" * 100_000] * 12_000}))
    monkeypatch.setenv("EM_EXPLORER_STORE", str(tmp_path))
    monkeypatch.setenv("EM_EXPLORER_READ_MB", "1000")
    with serve(ROOT, tmp_path / "log") as url:
        with closing(Visitor(url, f"v=1&s=table&k=2&sh={sound}")) as visitor:
            visitor.settle()
            assert "Log-likelihood" in visitor.texts
        before = server_megabytes(url)
        with closing(Visitor(url, f"v=1&s=table&k=2&sh={bomb}")) as visitor:
            assert "The stored table takes more memory to read than one" in visitor.texts
        assert server_megabytes(url) < before + 200


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_thirty_greedy_visitors_stay_under_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each asks for tables and runs as large as may be; those without room are told so."""
    monkeypatch.setenv("STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL", "1")
    monkeypatch.setenv("EM_EXPLORER_VISIT_MB", "60")
    monkeypatch.setenv("EM_EXPLORER_MEMORY_MB", "150")
    with serve(ROOT, tmp_path / "log") as url:
        first = Visitor(url, "v=1")
        first.settle()
        before = server_megabytes(url)

        def visit(number: int) -> Visitor:
            rows = f"s=generate&n=300000&tc=4&ds={number}&it=2&k=2"
            visitor = Visitor(url, f"v=1&{rows}")
            visitor.settle()
            return visitor

        with ThreadPoolExecutor(4) as several:
            visitors = list(several.map(visit, range(30)))
        grown = server_megabytes(url) - before
        told = [visitor for visitor in visitors if "memory is taken by other" in visitor.texts]
        fitted = [visitor for visitor in visitors if "Log-likelihood" in visitor.texts]
        print(f"{len(fitted)} fitted, {len(told)} told, grown by {grown:.0f} MB")
        assert len(told) >= 10 and len(fitted) >= 3
        # What is at work at the moment comes on top. Without the limit these take 800 MB.
        assert grown < 150 + 200
        # Whoever is there goes on working, and room comes back with those who leave.
        assert "Log-likelihood" in first.texts
        for visitor in visitors:
            visitor.close()
        until = time.monotonic() + 300  # it never comes then, however busy the machine
        while time.monotonic() < until:
            late = Visitor(url, "v=1&s=generate&n=300000&tc=4&it=2")
            late.settle()
            if "Log-likelihood" in late.texts:
                break
            late.close()
        assert "Log-likelihood" in late.texts
    assert "Traceback" not in (tmp_path / "log").read_text()
