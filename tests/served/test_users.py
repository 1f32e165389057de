"""Many people at once, on the running app: nobody sees, starves or takes down anybody else."""

import random
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from support.browser import ROOT, process_of, serve
from support.visitor import Visitor

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are counted in /proc"),
]

SESSIONS, ACTIONS = 50, 20  # the first 10 of each, but with --long
USERS = 20
ENDLESS = 600.0  # seconds: whoever has no answer by then is starved, however busy the machine
# As large as a table may be, and fitted as heavily as can be chosen.
MAXIMAL = (
    "v=1&s=generate&g=overlapping&n=1000000&tk=20&tc=20&k=50&tol=1e-12&it=100000&st=random+rows"
)


def workers(url: str) -> set[int]:
    """The processes that compute for a server."""
    server, computing = process_of(url), set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == server and b"worker.serve(" in (folder / "cmdline").read_bytes():
                computing.add(int(folder.name))
    return computing


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One for all of them, with places for two fits. Its processes go with it."""
    log = tmp_path_factory.mktemp("users") / "log"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("EM_EXPLORER_WORKERS", "2")
        with serve(ROOT, log) as url:
            assert len(workers(url)) == 2, "one to fit and one to read, before the first visitor"
            yield url
            last = workers(url)
    assert not [process for process in last if Path(f"/proc/{process}").exists()]
    said = log.read_text()
    assert "Traceback" not in said and "mark" not in said


def test_thirty_first_visitors_at_once_share_one_pool(server: str) -> None:
    with ThreadPoolExecutor(30) as several:
        visitors = list(several.map(lambda k: Visitor(server, f"v=1&e=iris&k={k}"), range(1, 31)))
    assert len(workers(server)) <= 5, "two that fit, one in each lane, one that reads"
    for visitor in visitors:
        visitor.close()


def marked_table(marker: str, rng: random.Random) -> str:
    header = f"{marker}a,{marker}b,kind"
    lines = [f"{rng.gauss(0, 1)!r},{rng.gauss(5, 1)!r},{marker}{i % 3}" for i in range(30)]
    return "\n".join([header, *lines])


def session(url: str, marker: str, n_actions: int) -> bytes:
    """So many actions with data of one's own; all that the server ever sent."""
    rng = random.Random(marker)
    visitor = Visitor(url, "v=1&s=table&it=5")
    visitor.type("Rows with a header", marked_table(marker, rng))
    visitor.click("Use the pasted table")
    visitor.settle()
    for _ in range(n_actions - 2):
        if rng.random() < 0.5:
            visitor.click("Next seed")
        else:
            visitor.enter("Components", rng.randrange(1, 6))
        visitor.settle()
    assert f"{marker}a" in visitor.texts and "nats" in visitor.texts
    visitor.close()
    return bytes(visitor.received)


def test_no_session_is_sent_a_cell_of_another(server: str, long: bool) -> None:
    n_actions = ACTIONS if long else 10
    markers = [f"mark{number:02d}x" for number in range(SESSIONS if long else 10)]
    with ThreadPoolExecutor(10) as several:
        received = list(several.map(lambda marker: session(server, marker, n_actions), markers))
    for marker, content in zip(markers, received, strict=True):
        assert marker.encode() in content
        for other in markers:
            assert other == marker or other.encode() not in content


def test_the_fits_of_those_who_left_make_room_for_those_who_wait(server: str) -> None:
    endless = "v=1&s=generate&g=overlapping&n=20000&tk=9&k=20&tol=1e-12&it=100000"
    early = [Visitor(server, f"{endless}&seed={seed}") for seed in range(2)]
    pages = "", "lower_bound", "local_optima", "model_selection"
    late = [Visitor(server, "v=1&e=iris&k=3&ns=3&ne=1&kt=2&rp=20", page) for page in pages]
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


def quick(usual: list[float]) -> float:
    """The longest that an answer may take: two seconds, more where without a crowd it takes long.

    usual: what answers took before the crowd came, in seconds.
    """
    return max(2.0, 20 * statistics.median(usual))


def test_one_maximal_fit_starves_nobody(server: str, long: bool) -> None:
    """Everybody has their answers while it is at work; with --long, soon."""
    n_clicks = 8 if long else 3
    visitors = [Visitor(server, f"v=1&e=iris&k={2 + i % 4}") for i in range(USERS)]
    usual = [visitor.click("Next seed") for visitor in visitors]
    greedy = Visitor(server, MAXIMAL)
    assert greedy._polling, "it is at work"
    with ThreadPoolExecutor(USERS) as several:
        times = several.map(lambda visitor: clicks(visitor, n_clicks, long), visitors)
        took = [seconds for each in times for seconds in each]
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
    assert not long or (percentile < quick(usual) and cancelled < quick(usual))


def test_endless_fits_starve_nobody(server: str, long: bool) -> None:
    """Whoever looks at a small table has every answer while sixteen others wait for theirs.

    With --long thirty, and on a machine of its own within two seconds; else at all: theirs never
    come.
    """
    crowd = 30 if long else 16
    endless = "v=1&s=generate&g=overlapping&n=20000&tk=9&tc=4&k=30&tol=1e-12&it=100000"
    visitor = Visitor(server, "v=1&e=iris&k=3")
    visitor.settle()
    with ThreadPoolExecutor(6) as several:
        seeds = range(crowd)
        greedy = list(several.map(lambda seed: Visitor(server, f"{endless}&seed={seed}"), seeds))
    assert all(other._polling for other in greedy)
    waiting = [other for other in greedy if "before yours" in other.texts]
    took = [answered(visitor) for _ in range(20 if long else 2)]
    for other in [visitor, *greedy]:
        other.close()
    longest = statistics.quantiles(took, n=20)[-1] if long else max(took)
    print(
        f"{len(waiting)} of {crowd} wait; the longest of {len(took)} answers took {longest:.2f} s"
    )
    assert len(waiting) > crowd - 10 and (not long or longest < 2)


def answered(visitor: Visitor) -> float:
    """How long another seed takes, to its end."""
    began = time.monotonic()
    visitor.click("Next seed")
    while visitor._polling:
        assert time.monotonic() - began < ENDLESS
        time.sleep(0.25)
        visitor.run(visitor._polling)
    assert "Log-likelihood" in visitor.texts
    return time.monotonic() - began


def clicks(visitor: Visitor, number: int, patient: bool) -> list[float]:
    """A person who looks at each result, for a while where patient."""
    rng = random.Random(id(visitor))
    took = []
    for _ in range(number):
        threading.Event().wait(rng.uniform(2, 4) * patient)
        took.append(visitor.click("Next seed"))
        visitor.settle()
    return took
