"""Driving an app in a real browser: what the browser tests share besides the fixtures."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import (
    BrowserContext,
    BrowserType,
    ConsoleMessage,
    Page,
    Request,
    WebSocket,
    expect,
)

ROOT = Path(__file__).parents[1]
CHROMIUM_NAMES = (
    "chromium-headless-shell",  # draws no window around the page: a third quicker
    "chromium",
    "google-chrome",
    "chromium-browser",
    "google-chrome-stable",
)
# What Chromium needs to run without a desktop, and to leave the network alone.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOCAL = ("http://localhost:", "ws://localhost:", "data:", "blob:")


def chromium_path() -> str | None:
    """The machine's own Chromium or Chrome."""
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


@contextmanager
def serve(folder: Path, log: Path, port: int | None = None) -> Iterator[str]:
    """`streamlit run dashboard.py` in `folder`, on a free port if none is given; its address."""
    port = port or _free_port()
    url = f"http://localhost:{port}"
    command = [sys.executable, "-m", "streamlit", "run", "dashboard.py"]
    command += ["--server.headless", "true", "--server.port", str(port)]
    command += ["--server.fileWatcherType", "none"]
    with log.open("wb") as output:
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        server = subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=subprocess.STDOUT, env=environment
        )
        try:
            _await_health(server, url, log)
            yield url
        finally:
            server.terminate()
            server.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def _await_health(server: subprocess.Popen, url: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"The app did not start:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"The app did not answer within a minute:\n{log.read_text()}")


class Browsers:
    """Browsers that have nothing in common, as of two people, and are handed on once emptied.

    All but what they keep of scripts. Compiled already, these take a third of the time; only a
    browser with a folder of its own keeps them so.
    """

    def __init__(self, chromium: BrowserType, folder: Path) -> None:
        self.chromium = chromium
        self.folder = folder
        self._all: list[BrowserContext] = []
        self._idle: dict[bool, list[BrowserContext]] = {False: [], True: []}

    def take(self, has_touch: bool) -> BrowserContext:
        if self._idle[has_touch]:
            return self._idle[has_touch].pop()
        browser = self.chromium.launch_persistent_context(
            self.folder / str(len(self._all)),
            executable_path=chromium_path(),
            args=CHROMIUM_FLAGS,
            has_touch=has_touch,
        )
        self._all.append(browser)
        return browser

    def give_back(self, browser: BrowserContext, has_touch: bool) -> None:
        for page in browser.pages:
            if page.url.startswith("http"):
                browser.new_cdp_session(page).send(
                    "Storage.clearDataForOrigin",
                    {"origin": page.url, "storageTypes": "cookies,local_storage,indexeddb"},
                )
            # The first, empty one keeps the browser open.
            if page.url != "about:blank":
                page.close()
        browser.unroute_all()
        browser.clear_permissions()
        browser.set_offline(False)
        self._idle[has_touch].append(browser)

    def close(self) -> None:
        for browser in self._all:
            browser.close()


class Visitors:
    """Opens browsers that have nothing in common, and keeps what went wrong."""

    def __init__(self, browsers: Browsers) -> None:
        self.browsers = browsers
        self.taken: list[tuple[BrowserContext, bool]] = []
        self.problems: list[str] = []

    def open(
        self,
        *,
        width: int = 1280,
        height: int = 900,
        has_touch: bool = False,
        permissions: Sequence[str] = (),
        offline: bool = False,
        **media: str,
    ) -> Page:
        """A page in a browser of its own; `media` is what Playwright emulates: color_scheme, ..."""
        browser = self.browsers.take(has_touch)
        self.taken.append((browser, has_touch))
        browser.grant_permissions(permissions)
        browser.set_offline(offline)
        browser.on("request", self._request)
        page = browser.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(**media)
        page.on("websocket", self._request)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._note("script error", str(error)))
        page.set_default_timeout(20_000)
        return page

    def close(self) -> None:
        for browser, has_touch in self.taken:
            browser.remove_listener("request", self._request)
            self.browsers.give_back(browser, has_touch)
        self.taken.clear()

    def _request(self, asked: Request | WebSocket) -> None:
        if not asked.url.startswith(LOCAL):
            self._note("request to another machine", asked.url)

    def _console(self, said: ConsoleMessage) -> None:
        # On an inner page Streamlit tries /page/_stcore/... before /_stcore/...: expected.
        probing = said.text.endswith("404 (Not Found)") and "/_stcore/" in said.location["url"]
        if said.type == "error" and not probing:
            self._note("console", f"{said.text} ({said.location['url']})")

    def _note(self, kind: str, what: str) -> None:
        self.problems.append(f"{kind}: {what}")


def idle(page: Page) -> None:
    """Wait until the script has run: nothing is under way and nothing is waiting to be sent."""
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-connection-state", "CONNECTED", timeout=20_000)
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=30_000)
