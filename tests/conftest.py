"""Fixtures: the running app, and a browser that may talk to nothing else."""

import gc
import os
import random
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import scipy.linalg  # noqa: F401  # before threadpool_limits, which limits only what is loaded
from playwright.sync_api import Error, Page, expect, sync_playwright
from threadpoolctl import threadpool_limits

from pages.ui import environment
from support import drawn
from support.browser import ROOT, Browsers, Visitors, chromium_path, serve
from support.nearest import Nearest

# A busy machine is no failure.
expect.set_options(timeout=30_000)
# As the app does: with one test on every core, threads only wait for each other (measured: five
# times as long for an E-step of 1,000 rows and 18 components).
threadpool_limits(limits=1, user_api="blas")
# Thousands of tests are collected, and none of them goes before the end.
gc.disable()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="walks and fuzzers at their full length")
    parser.addoption(
        "--changed", action="store_true", help="what the change since main can reach, for a minute"
    )
    parser.addoption("--seed", type=int, default=0, help="what the fuzzers of files and links draw")


def pytest_configure(config: pytest.Config) -> None:
    drawn.load(config.getoption("--long"))
    if config.getoption("--changed"):
        config.pluginmanager.register(Nearest())


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether walks and fuzzers go their whole way, for hours, or the first steps of it."""
    return request.config.getoption("--long")


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """What the fuzzers draw with."""
    return random.Random(request.config.getoption("--seed"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long ones first: on several cores none is left to end alone.

    Those marked as long are left to --long. Those of a file that share what is made once go to one
    process, which makes it. A browser on a machine that is busy with something else may miss a
    wait: twice more, then it counts.
    """
    if not config.getoption("--long"):
        short = [item for item in items if not item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=[i for i in items if i.get_closest_marker("long")])
        items[:] = short
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=2))
        fixtures = item._fixtureinfo.name2fixturedefs.values()
        if any(fixture.scope == "module" for (*_, fixture) in fixtures):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    long = {"slow", "browser", "xdist_group"}
    items.sort(key=lambda item: long.isdisjoint(mark.name for mark in item.iter_markers()))


PAGES = "what the pages said"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure in a browser comes with what stood on the pages."""
    report = yield
    visitors = item.funcargs.get("visitors") if report.when == "call" and report.failed else None
    for page, *_ in visitors.taken if visitors else ():
        try:
            said = page.inner_text("body")[:3000]
        except Error as error:  # closed, or crashed
            said = str(error)
        report.sections.append((PAGES, f"{page.url}\n{said}"))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what a second try forgave: what often needs one is not right."""
    for report in terminalreporter.stats.get("rerun", []):
        reason = str(getattr(report.longrepr, "reprcrash", report.longrepr))
        terminalreporter.section(f"needed another try: {report.nodeid}")
        terminalreporter.line(reason[:1500])
        for title, content in report.sections:
            if title == PAGES:
                terminalreporter.line(content)


@pytest.fixture(scope="session", autouse=True)
def _store_apart(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Shared tables go to a folder of the tests, from every process they start."""
    os.environ[environment.STORE] = str(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="session")
def app_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the real app writes down, all tests of this process together."""
    return tmp_path_factory.mktemp("app") / "log"


@pytest.fixture(scope="session")
def app(app_log: Path) -> Iterator[str]:
    """The address of the real app, started once.

    What those who have left began ends with them, soon: else it takes the cores from the tests
    after, for two minutes.
    """
    with ExitStack() as started:
        with pytest.MonkeyPatch.context() as environ:
            environ.setenv("STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL", "10")
            url = started.enter_context(serve(ROOT, app_log))
        yield url


@pytest.fixture(scope="session")
def browsers(app: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browsers]:
    if chromium_path() is None:
        pytest.fail("The browser tests need Chromium or Chrome on the PATH. See tests/run.")
    with sync_playwright() as playwright:
        browsers = Browsers(playwright.chromium, tmp_path_factory.mktemp("browsers"))
        browsers.learn(app)
        yield browsers
        browsers.close()


@pytest.fixture
def visitors(browsers: Browsers) -> Iterator[Visitors]:
    """Opens browsers; the test fails on any console error and any request that leaves."""
    visitors = Visitors(browsers)
    yield visitors
    visitors.close()
    assert not visitors.problems, "\n".join(visitors.problems)


@pytest.fixture
def page(visitors: Visitors) -> Page:
    """A page in a fresh browser."""
    return visitors.open()
