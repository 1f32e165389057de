"""Many people at once, on the running app: nobody sees, starves or takes down anybody else."""

import os
import random
import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from support.browser import ROOT, serve
from support.visitor import Visitor

pytestmark = pytest.mark.slow

SESSIONS = 50  # the first 20 of them, but with --long
ACTIONS = 20
USERS = 20
# As large as a table may be, and fitted as heavily as can be chosen.
MAXIMAL = (
    "v=1&s=generate&g=overlapping&n=1000000&tk=20&tc=20&k=50&tol=1e-12&it=100000&st=random+rows"
)


def marked_table(marker: str, rng: random.Random) -> str:
    header = f"{marker}a,{marker}b,kind"
    lines = [f"{rng.gauss(0, 1)!r},{rng.gauss(5, 1)!r},{marker}{i % 3}" for i in range(30)]
    return "\n".join([header, *lines])


def session(url: str, marker: str) -> bytes:
    """Twenty actions with data of one's own; all that the server ever sent."""
    rng = random.Random(marker)
    visitor = Visitor(url, "v=1&s=table&it=5")
    visitor.type("Rows with a header", marked_table(marker, rng))
    visitor.click("Use the pasted table")
    visitor.settle()
    for _ in range(ACTIONS - 2):
        if rng.random() < 0.5:
            visitor.click("Next seed")
        else:
            visitor.enter("Components", rng.randrange(1, 6))
        visitor.settle()
    assert f"{marker}a" in visitor.texts and "nats" in visitor.texts
    visitor.close()
    return bytes(visitor.received)


def test_no_session_is_sent_a_cell_of_another(tmp_path: Path, long: bool) -> None:
    markers = [f"mark{number:02d}x" for number in range(SESSIONS if long else 20)]
    with serve(ROOT, tmp_path / "log") as url, ThreadPoolExecutor(10) as several:
        received = list(several.map(lambda marker: session(url, marker), markers))
    for marker, content in zip(markers, received, strict=True):
        assert marker.encode() in content
        for other in markers:
            assert other == marker or other.encode() not in content
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log and "mark" not in log


def test_the_fits_of_those_who_left_make_room_for_those_who_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EM_EXPLORER_WORKERS", "2")
    endless = "v=1&s=generate&g=overlapping&n=20000&tk=9&k=20&tol=1e-12&it=100000"
    with serve(ROOT, tmp_path / "log") as url:
        early = [Visitor(url, f"{endless}&seed={seed}") for seed in range(2)]
        pages = "", "lower_bound", "local_optima", "model_selection"
        late = [Visitor(url, "v=1&e=iris&k=3&ns=3&ne=1&kt=2&rp=20", page) for page in pages]
        for visitor in late:
            visitor.settle()
            assert "Log-likelihood" in visitor.texts or "nats" in visitor.texts
        for visitor in early:
            assert visitor._polling, "it is at work"
            visitor.close()
        late[0].settle()
        assert "Log-likelihood" in late[0].texts
        for visitor in late:
            visitor.close()


def workers() -> int:
    """How many processes compute for servers that this process has started."""
    parents, computing = {}, set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            process = int(folder.name)
            parents[process] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if b"worker.serve(" in (folder / "cmdline").read_bytes():
                computing.add(process)
    return sum(parents.get(parents[process]) == os.getpid() for process in computing)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are counted in /proc")
def test_thirty_first_visitors_at_once_share_one_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EM_EXPLORER_WORKERS", "2")
    before = workers()
    with serve(ROOT, tmp_path / "log") as url:
        assert workers() == before + 2, "one to fit and one to read, before the first of them"
        with ThreadPoolExecutor(30) as several:
            visitors = list(several.map(lambda k: Visitor(url, f"v=1&e=iris&k={k}"), range(1, 31)))
        assert workers() <= before + 5, "two that fit, one in each lane, one that reads"
        for visitor in visitors:
            visitor.close()
    assert workers() == before
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.alone
def test_one_maximal_fit_starves_nobody(tmp_path: Path) -> None:
    with serve(ROOT, tmp_path / "log") as url:
        greedy = Visitor(url, MAXIMAL)
        assert greedy._polling, "it is at work"
        visitors = [Visitor(url, f"v=1&e=iris&k={2 + i % 4}") for i in range(USERS)]
        with ThreadPoolExecutor(USERS) as several:
            took = [t for times in several.map(clicks, visitors) for t in times]
        greedy.run(greedy._polling)
        assert greedy._polling, "it still is"
        began = time.monotonic()
        greedy.click("Stop")
        cancelled = time.monotonic() - began
        for visitor in [greedy, *visitors]:
            visitor.close()
    percentile = statistics.quantiles(took, n=20)[-1]
    print(
        f"95th percentile {percentile:.2f} s of {len(took)} clicks; cancelled in {cancelled:.2f} s"
    )
    assert percentile < 2 and cancelled < 2
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.alone
def test_thirty_endless_fits_starve_nobody(tmp_path: Path) -> None:
    """Whoever looks at a small table has every answer while thirty others wait for theirs."""
    endless = "v=1&s=generate&g=overlapping&n=20000&tk=9&tc=4&k=30&tol=1e-12&it=100000"
    with serve(ROOT, tmp_path / "log") as url:
        with ThreadPoolExecutor(6) as several:
            seeds = range(30)
            greedy = list(several.map(lambda seed: Visitor(url, f"{endless}&seed={seed}"), seeds))
        assert all(visitor._polling for visitor in greedy)
        waiting = [visitor for visitor in greedy if "before yours" in visitor.texts]
        visitor, took = Visitor(url, "v=1&e=iris&k=3"), []
        visitor.settle()
        for _ in range(20):
            began = time.monotonic()
            visitor.click("Next seed")
            visitor.settle()
            took.append(time.monotonic() - began)
            assert "Log-likelihood" in visitor.texts
        for other in [visitor, *greedy]:
            other.close()
    percentile = statistics.quantiles(took, n=20)[-1]
    print(f"{len(waiting)} of 30 wait; 95th percentile {percentile:.2f} s of {len(took)} answers")
    assert len(waiting) > 20 and percentile < 2
    assert "Traceback" not in (tmp_path / "log").read_text()


def clicks(visitor: Visitor) -> list[float]:
    """A person who looks at each result for a while."""
    rng = random.Random(id(visitor))
    took = []
    for _ in range(8):
        threading.Event().wait(rng.uniform(2, 4))
        took.append(visitor.click("Next seed"))
        visitor.settle()
    return took
