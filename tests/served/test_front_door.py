"""The server around the pages: addresses, headers, what it refuses, and errors nobody foresaw."""

import re
import shutil
import socket
from collections.abc import Iterator, Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from pages.ui.player import assets
from support.browser import ROOT, Visitors, serve
from support.visitor import Visitor

MAIN = """
import streamlit as st
from pages.ui.state import shell

page = st.navigation([st.Page("broken.py", default=True), st.Page("sound.py")])
with shell.frame(page.url_path):
    page.run()
"""
BROKEN = """
import streamlit as st
from pages.ui.state import shell

def fail():
    raise RuntimeError("marked failure")

st.text("before")
st.button("Fail", on_click=lambda: st.session_state.update(failing=True))
if st.session_state.pop("failing", False):
    fail()
if st.button("Fail in a part"):
    st.fragment(fail)()
st.button("Fail before", on_click=fail)
shell.widget("seed")
"""


@pytest.fixture(scope="module")
def deep_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real app, under a base path, nobody having visited it yet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EM_EXPLORER_UPLOAD_MB", "2")
        with serve(ROOT, tmp_path_factory.mktemp("deep") / "log", base="/stats/em") as url:
            yield url


@pytest.mark.parametrize(
    ("page", "title"), [("theory", "Theory"), ("local_optima", "Local optima"), ("", "Explore")]
)
def test_a_first_visit_to_any_page_is_inside_the_frame(
    deep_app: str, page: str, title: str
) -> None:
    visitor = Visitor(deep_app, page=page)
    assert "Share" in visitor.texts
    assert any(title == text.strip() for text in visitor.texts.splitlines())
    visitor.close()


def test_scripts_come_from_where_they_are_installed_and_may_be_kept(deep_app: str) -> None:
    for address, path in assets._files().items():
        answer = requests.get(f"{deep_app}/{address}", timeout=20)
        assert answer.content == path.read_bytes()
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Type"].startswith("text/javascript")
        assert answer.headers["Content-Encoding"] == "gzip"
    # Neither another version nor anything beside them; nor the page in its place, as elsewhere.
    for name in ("plotly-1.0.min.js", "player-0/index.js", "player.css", ""):
        assert requests.get(f"{deep_app}/assets/{name}", timeout=20).status_code == 404


@pytest.mark.parametrize(
    ("query", "frames"),
    [
        ("", "'self'"),
        ("v=1&k=4&embed=true", "*"),
        ("embed=false", "'self'"),
        ("k=embed=true", "'self'"),
        ("embed=true&own=x", "'self'"),
    ],
)
def test_every_answer_has_the_headers(app: str, query: str, frames: str) -> None:
    for page in ("", "theory", "_stcore/health", "assets/none"):
        headers = requests.get(f"{app}/{page}?{query}", timeout=20).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Content-Security-Policy"] == f"frame-ancestors {frames}"


def test_no_other_page_may_steer_this_one(app: str) -> None:
    told = requests.get(f"{app}/_stcore/host-config", timeout=20).json()
    assert told["allowedOrigins"] == []


@pytest.mark.browser
def test_a_link_for_embedding_shows_in_a_page_of_another_site(
    app: str, visitors: Visitors, tmp_path: Path
) -> None:
    frame = f'<iframe src="{app}/?embed=true" width="1200" height="800"></iframe>'
    (tmp_path / "index.html").write_text(frame)
    handler = partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("localhost", 0), handler) as other:
        Thread(target=other.serve_forever).start()
        page = visitors.open(keep=False)
        page.goto(f"http://localhost:{other.server_port}/index.html")
        player = page.frame_locator("iframe").locator(".emx[data-axes=drawn]")
        expect(player).to_be_visible()
        page.close()
        other.shutdown()


def test_what_is_too_large_is_refused_before_it_is_read(deep_app: str) -> None:
    """The limit of this server is 2 MB."""
    visitor = Visitor(deep_app)
    target = f"/stats/em/_stcore/upload_file/{visitor._session}/x"
    token = visitor._http.cookies["_streamlit_xsrf"]
    head = (
        f"PUT {target} HTTP/1.1\r\nHost: x\r\nX-Xsrftoken: {token}\r\n"
        f"Cookie: _streamlit_xsrf={token}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    )
    part = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    end = b"\r\n--x--\r\n"
    whole = part + bytes(2_000_000) + end
    assert "204" in answered(deep_app, f"{head}Content-Length: {len(whole)}\r\n\r\n", whole)
    # None of it is sent, or asked for.
    refusal = answered(deep_app, f"{head}Content-Length: 150000000\r\n\r\n")
    assert "413" in refusal and "A file may have at most 2 MB here." in refusal
    # Where its length is not told: as soon as it is too much.
    chunks = (part, bytes(2_000_000), bytes(1_000_000 - len(part)), b"!")
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    assert "413" in answered(deep_app, f"{head}Transfer-Encoding: chunked\r\n\r\n", body)
    visitor.close()


def answered(url: str, head: str, body: bytes = b"") -> str:
    """The answer to a request written by hand, of which no more is sent than this."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(head.encode() + body)
        answer = connection.recv(2000)
        while b"\r\n\r\n" not in answer or (b"413" in answer and b"file" not in answer.lower()):
            answer += connection.recv(2000)
        return answer.decode()


def test_an_error_nobody_foresaw_is_a_sentence_with_its_number_in_the_log(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    for name in ("pages/ui", "em_core", ".streamlit"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "dashboard.py", tmp_path)
    (tmp_path / "pages/main.py").write_text(MAIN)
    (tmp_path / "pages/broken.py").write_text(BROKEN)
    (tmp_path / "pages/sound.py").write_text("import streamlit as st\nst.text('sound')")
    with serve(tmp_path, tmp_path / "log") as url:
        visitor = Visitor(url)
        numbers: list[str] = []
        for button in ("Fail", "Fail in a part", "Fail before"):
            visitor.click(button)
            numbers.append(said_number(visitor, numbers))
            assert "before" in visitor.texts
        while "Seed" not in visitor.texts:
            visitor.receive()
        visitor.click("Dismiss")
        visitor.enter("Seed", 7)
        assert visitor.shown("Seed") == 7 and "error" not in visitor.texts
        visitor.close()
    log = (tmp_path / "log").read_text()
    assert len(set(numbers)) == 3
    for number in numbers:
        assert re.search(rf"Error {number}\nTraceback[^\0]*?RuntimeError: marked failure", log)


def said_number(visitor: Visitor, known: Sequence[str] = ()) -> str:
    """That of an error not known yet. A run that nobody has asked for may end before it is said."""
    while True:
        said = re.findall(r"Something went wrong .*\(error (\w{6})\)", visitor.texts)
        if new := [number for number in said if number not in known]:
            break
        visitor.receive()
    assert "Traceback" not in visitor.texts and "marked failure" not in visitor.texts
    (number,) = new
    return number


def test_nobody_outside_is_asked_for_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither at the start nor where a page of another site asks for a connection."""
    with socket.create_server(("localhost", 0)) as outside:
        outside.setblocking(False)
        proxy = f"http://localhost:{outside.getsockname()[1]}"
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy)
        monkeypatch.setenv("no_proxy", "localhost")
        log = tmp_path / "log"
        with serve(ROOT, log) as url:
            with pytest.raises(InvalidStatus, match="403"):
                connect(f"ws{url[4:]}/_stcore/stream", origin="https://other.example")
            Visitor(url, "v=1", "theory").close()
        with pytest.raises(BlockingIOError):
            outside.accept()
    assert f"EM Explorer: {url}" in log.read_text()


def test_a_message_gets_places_for_a_few_files_only(app: str) -> None:
    """Each of them costs the thread that serves everybody."""
    visitor = Visitor(app)
    visitor.settle()
    message = BackMsg()
    message.file_urls_request.session_id = visitor._session
    message.file_urls_request.file_names.extend(["x"] * 300_000)
    visitor._socket.send(message.SerializeToString())
    answers = []
    while not answers:
        answer = ForwardMsg.FromString(visitor._socket.recv(timeout=60))
        answers = [*answer.file_urls_response.file_urls]
    assert len(answers) == 100
    visitor.close()
