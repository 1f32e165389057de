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
from urllib.parse import urlsplit

from playwright.sync_api import (
    BrowserContext,
    BrowserType,
    ConsoleMessage,
    Dialog,
    Error,
    Page,
    Request,
    WebSocket,
    expect,
)

ROOT = Path(__file__).parents[2]
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
# What a page runs for seconds is not worth compiling a second time, better: measured, a third of
# what a page costs. Nor are more threads on few cores, least of all one that draws sixty times in a
# second what fades in and out while the page still loads: measured, half of all drawing.
BRIEFLY = ["--js-flags=--no-opt --single-threaded-gc", "--disable-threaded-animation"]
LOCAL = ("http://localhost:", "ws://localhost:", "data:", "blob:")


def chromium_path() -> str | None:
    """The machine's own Chromium or Chrome."""
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


@contextmanager
def serve(
    folder: Path,
    log: Path,
    port: int | None = None,
    *,
    script: str = "dashboard.py",
    base: str = "",
    host: str = "",
) -> Iterator[str]:
    """`streamlit run dashboard.py` in `folder`, on a free port if none is given; its address.

    base: the path it is served from, as in "/stats". host: the address it listens at.
    """
    port = port or free_port()
    url = f"http://{f'[{host}]' if ':' in host else host or 'localhost'}:{port}{base}"
    command = [sys.executable, "-m", "streamlit", "run", script]
    command += ["--server.headless", "true", "--server.port", str(port)]
    command += ["--server.baseUrlPath", base, *(["--server.address", host] if host else [])]
    with log.open("wb") as output:
        environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
        server = subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=subprocess.STDOUT, env=environment
        )
        try:
            await_health(server, url, log)
            yield url
        finally:
            server.terminate()
            server.wait(timeout=60)


def process_of(url: str) -> int:
    """The server that listens at an address of serve()."""
    port = urlsplit(url).port
    found = subprocess.run(
        ["pgrep", "-f", f"streamlit run .*--server.port {port} "],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(found.stdout.split()[0])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def await_health(server: subprocess.Popen, url: str, log: Path) -> None:
    """Wait until the app answers at `url`, from the server itself or from a proxy before it."""
    deadline = time.monotonic() + 300  # on a machine that is busy with something else
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"The app did not start:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"The app did not answer within five minutes:\n{log.read_text()}")


class Browsers:
    """Browsers that have nothing in common, as of two people, and are handed on once emptied.

    All but what they keep of scripts. Compiled already, these take a third of the time; only a
    browser with a folder of its own keeps them so, and a page that stays open keeps them at hand.
    briefly: whether pages are up for seconds, not for measurements.
    """

    def __init__(self, chromium: BrowserType, folder: Path, briefly: bool = True) -> None:
        self.chromium, self.briefly = chromium, briefly
        self.folder = folder
        self._all: list[BrowserContext] = []
        self._idle: dict[bool, list[Page]] = {False: [], True: []}
        self._experience: Path | None = None

    def learn(self, address: str) -> None:
        """Visit a page, so that every browser to come has its scripts compiled."""
        folder = self.folder / "experience"
        browser = self._launch(folder)
        # Chromium keeps what it compiled the second time, and has it at hand the third.
        for _ in range(3):
            page = browser.new_page()
            page.goto(address)
            page.locator(".emx[data-axes=drawn]").wait_for(timeout=60_000)
            idle(page)
            page.close()
        browser.close()
        self._experience = folder

    def take(self, has_touch: bool, keep: bool) -> Page:
        if self._idle[has_touch]:
            page = self._idle[has_touch].pop()
            if keep:
                return page
            page.close()
            return page.context.new_page()
        folder = self.folder / str(len(self._all))
        if self._experience:
            shutil.copytree(self._experience, folder)
        browser = self._launch(folder, has_touch=has_touch)
        self._all.append(browser)
        return browser.new_page()

    def _launch(self, folder: Path, **options: bool) -> BrowserContext:
        return self.chromium.launch_persistent_context(
            folder,
            executable_path=chromium_path(),
            args=[*CHROMIUM_FLAGS, *(BRIEFLY if self.briefly else [])],
            **options,
        )

    def give_back(self, page: Page, has_touch: bool, keep: bool) -> None:
        browser = page.context
        for other in browser.pages:
            if other.url.startswith("http"):
                browser.new_cdp_session(other).send(
                    "Storage.clearDataForOrigin",
                    {"origin": other.url, "storageTypes": "cookies,local_storage,indexeddb"},
                )
                other.evaluate("sessionStorage.clear()")
            # The first, empty one keeps the browser open.
            if other.url != "about:blank" and not (keep and other is page):
                other.close()
        browser.unroute_all()
        browser.clear_permissions()
        browser.set_offline(False)
        if page.is_closed():
            page = browser.new_page()
        page.goto("about:blank")
        page.mouse.move(0, 0)
        self._idle[has_touch].append(page)

    def close(self) -> None:
        for browser in self._all:
            browser.close()


class Visitors:
    """Opens browsers that have nothing in common, and keeps what went wrong."""

    def __init__(self, browsers: Browsers) -> None:
        self.browsers = browsers
        self.taken: list[tuple[Page, bool, bool]] = []
        self.problems: list[str] = []

    def open(
        self,
        *,
        width: int = 1280,
        height: int = 900,
        has_touch: bool = False,
        permissions: Sequence[str] = (),
        offline: bool = False,
        keep: bool = True,
        color_scheme: str = "light",
        reduced_motion: str = "no-preference",
    ) -> Page:
        """A page in a browser of its own.

        keep: whether the page itself comes from others and is handed on, rather than a new one: not
        if it is given scripts or listeners of its own, or visits a server of its own.
        """
        page = self.browsers.take(has_touch, keep)
        self.taken.append((page, has_touch, keep))
        browser = page.context
        browser.grant_permissions(permissions)
        browser.set_offline(offline)
        browser.on("request", self._request)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=color_scheme, reduced_motion=reduced_motion)
        page.on("websocket", self._request)
        page.on("console", self._console)
        page.on("pageerror", self._page_error)
        page.on("dialog", self._dialog)
        page.set_default_timeout(20_000)
        return page

    def close(self) -> None:
        for page, has_touch, keep in self.taken:
            page.context.remove_listener("request", self._request)
            page.remove_listener("websocket", self._request)
            page.remove_listener("console", self._console)
            page.remove_listener("pageerror", self._page_error)
            page.remove_listener("dialog", self._dialog)
            self.browsers.give_back(page, has_touch, keep)
        self.taken.clear()

    def _request(self, asked: Request | WebSocket) -> None:
        if not asked.url.startswith(LOCAL):
            self._note("request to another machine", asked.url)

    def _console(self, said: ConsoleMessage) -> None:
        # On an inner page Streamlit tries /page/_stcore/... before /_stcore/...: expected.
        probing = said.text.endswith("404 (Not Found)") and "/_stcore/" in said.location["url"]
        if said.type == "error" and not probing:
            self._note("console", f"{said.text} ({said.location['url']})")

    def _page_error(self, error: Error) -> None:
        self._note("script error", str(error))

    def _dialog(self, shown: Dialog) -> None:
        self._note("a dialog of the browser", shown.message)
        shown.dismiss()

    def _note(self, kind: str, what: str) -> None:
        self.problems.append(f"{kind}: {what}")


def idle(page: Page) -> None:
    """Wait until the script has run: nothing is under way and nothing is waiting to be sent."""
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-connection-state", "CONNECTED", timeout=20_000)
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=30_000)
