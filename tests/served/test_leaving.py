"""What visits leave behind is gone soon, however they end: descriptors, files, what they sent."""

import os
import re
import select
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmarks.soak import soak
from support.browser import ROOT, process_of, serve
from support.visitor import Visitor

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted in /proc"),
]

PATIENCE = 120.0  # seconds, however busy the machine: what is waited for never comes then
# More than a megabyte: from there on what arrives is put on disk.
ROWS = b"x,y\n" + b"".join(b"%d.5,%d\n" % (i % 17, i % 5) for i in range(170_000))
BEFORE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.csv"\r\n\r\n'
BODY = BEFORE + ROWS + b"\r\n--b--\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("leaving") / "log"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL", "1")
        environment.setenv("EM_EXPLORER_MEMORY_MB", "100")  # uploads not yet taken: 25 MB
        with serve(ROOT, log) as url:
            yield url
    assert "Traceback" not in log.read_text()


def descriptors(url: str) -> dict[str, int]:
    """What visits have open: event loops, and files on their way."""
    folder = Path(f"/proc/{process_of(url)}/fd")
    links = []
    for descriptor in os.listdir(folder):
        with suppress(OSError):  # it has been closed
            links.append(os.readlink(folder / descriptor))
    loops = sum("eventpoll" in link for link in links) - 1  # one is the server's
    return {"loops": loops, "files": sum("(deleted)" in link for link in links)}


def assert_gone(url: str, *kinds: str) -> None:
    """Without another visit, which would have the server look after those before it."""
    until = time.monotonic() + PATIENCE
    while any(descriptors(url)[kind] for kind in kinds) and time.monotonic() < until:
        time.sleep(0.2)
    assert not any(descriptors(url)[kind] for kind in kinds)


def await_files(url: str, most: int) -> None:
    until = time.monotonic() + PATIENCE
    while descriptors(url)["files"] < most and time.monotonic() < until:
        time.sleep(0.1)


def test_closed_visits_leave_no_descriptors(server: str) -> None:
    def visit(number: int) -> None:
        with closing(Visitor(server, f"v=1&it=3&seed={number}")) as visitor:
            if number % 2:  # the others leave in the middle
                visitor.settle()

    with ThreadPoolExecutor(4) as several:
        list(several.map(visit, range(40)))
    assert_gone(server, "loops", "files")


def begun(url: str, visitor: Visitor, n_bytes: int, length: int = len(BODY)) -> socket.socket:
    """A file of which so many bytes were sent."""
    place, address = visitor.place_for("x.csv").upload_url, urlsplit(url)
    head = {"Host": address.netloc, "Content-Length": str(length), **visitor.token}
    head |= {"Content-Type": "multipart/form-data; boundary=b"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    connection = socket.create_connection((address.hostname, address.port), timeout=PATIENCE)
    connection.sendall(f"PUT {place} HTTP/1.1\r\n{lines}\r\n".encode() + BODY[:n_bytes])
    return connection


def status(connection: socket.socket) -> int:
    return int(re.match(rb"HTTP/1.1 (\d+)", connection.recv(4096))[1])


def test_uploads_cut_off_leave_the_visit_as_it_was(server: str) -> None:
    with closing(Visitor(server, "v=1&s=table&seed=5&it=2")) as visitor:
        for n_bytes in (0, 20, len(BEFORE), 5_000, len(BODY) - 1):
            for _ in range(5):
                begun(server, visitor, n_bytes).close()
        visitor.upload("Upload a table", "x.csv", ROWS)
        visitor.settle()
        assert "Log-likelihood" in visitor.texts and visitor.shown("Seed") == 5
    assert_gone(server, "loops", "files")


def test_a_slow_upload_holds_up_nobody_and_arrives(server: str) -> None:
    with (
        closing(Visitor(server, "v=1&s=table")) as slow,
        closing(begun(server, slow, 100)) as connection,
    ):
        for place in range(100, 1_000, 300):
            connection.sendall(BODY[place : place + 300])
            with closing(Visitor(server, "v=1&e=iris&it=2")) as other:
                other.settle()
                assert "Log-likelihood" in other.texts
        connection.sendall(BODY[1_000:])
        assert status(connection) == 204


def test_a_reload_while_fitting_and_uploading_begins_again(server: str) -> None:
    link = "v=1&s=generate&g=overlapping&n=20000&tk=9&k=20&tol=1e-12&it=100000"
    with closing(Visitor(server, link)) as fitting:
        assert fitting._polling
    with closing(Visitor(server, "v=1&s=table&it=2")) as uploading:
        connection = begun(server, uploading, 5_000)
    with closing(Visitor(server, link)) as fitting, closing(connection):
        assert fitting._polling, "it is fitted again"
        with closing(Visitor(server, "v=1&s=table&it=2")) as visitor:
            visitor.upload("Upload a table", "x.csv", ROWS)
            visitor.settle()
            assert "Log-likelihood" in visitor.texts
            with suppress(OSError):  # nobody is there to whom it belongs
                connection.sendall(BODY[5_000:])
    assert_gone(server, "loops", "files")


def test_the_server_ends_whatever_is_under_way(tmp_path: Path) -> None:
    """`serve` waits for its end: an upload that hangs would keep it for ever."""
    with serve(ROOT, tmp_path / "log") as url:
        visitor = Visitor(url, "v=1&s=generate&n=20000&tk=9&k=20&tol=1e-12&it=100000")
        uploading = begun(url, visitor, 100)
    uploading.close()
    visitor.close()


def test_files_on_their_way_count_and_make_room_again(server: str) -> None:
    """As far as they have come: two at once would pass the limit, 25 MB."""
    content = BEFORE + b"x" * 14_000_000 + b"\r\n--b--\r\n"
    with closing(Visitor(server, "v=1&s=table&it=2")) as visitor:
        coming = [begun(server, visitor, 0, len(content)) for _ in range(2)]
        for connection in coming:
            with suppress(OSError):  # it is not taken to its end
                connection.sendall(content[:-1])
        (refused,), _, _ = select.select(coming, [], [], PATIENCE)
        assert status(refused) == 507
        for connection in coming:
            connection.close()
        assert_gone(server, "files")
        visitor.upload("Upload a table", "x.csv", ROWS)
        visitor.settle()
        assert "Log-likelihood" in visitor.texts


def test_files_that_arrive_after_their_visits_do_not_stay(server: str) -> None:
    """Else three would fill what all may send, 25 MB, for good."""
    content = BEFORE + b"x" * 7_000_000 + b"\r\n--b--\r\n"
    for _ in range(2):
        visitors = [Visitor(server, "v=1&s=table") for _ in range(3)]
        connections = [begun(server, visitor, 0, len(content)) for visitor in visitors]
        for connection in connections:
            connection.sendall(content[:2_000_000])
        await_files(server, 3)
        for visitor in visitors:
            visitor.close()
        assert_gone(server, "loops")
        for connection in connections:
            connection.sendall(content[2_000_000:])
            assert status(connection) == 204
            connection.close()


def test_four_visitors_for_a_while_take_no_more_at_its_end(
    monkeypatch: pytest.MonkeyPatch, long: bool
) -> None:
    """A minute, or its first 15 seconds. So short a time has more chance in it.

    tests/benchmarks/soak.py is the longest form.
    """
    monkeypatch.setenv("STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL", "1")
    monkeypatch.setenv("EM_EXPLORER_FIT_SECONDS", "5")
    assert soak(minutes=1 if long else 0.25, visitors=4, samples=6, most_growth=0.5)
