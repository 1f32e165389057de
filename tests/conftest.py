"""Fixtures: the running app, and a browser that may talk to nothing else."""

import os
import random
from collections.abc import Generator, Iterator

import hypothesis
import pytest
import scipy.linalg  # noqa: F401  # before threadpool_limits, which limits only what is loaded
from playwright.sync_api import Error, Page, expect, sync_playwright
from threadpoolctl import threadpool_limits

from pages.ui import environment
from support.browser import ROOT, Browsers, Visitors, chromium_path, serve
from support.nearest import Nearest

# A busy machine is no failure.
expect.set_options(timeout=30_000)
hypothesis.settings.register_profile("no clock", deadline=None)
hypothesis.settings.load_profile("no clock")
# As the app does: with one test on every core, threads only wait for each other (measured: five
# times as long for an E-step of 1,000 rows and 18 components).
threadpool_limits(limits=1, user_api="blas")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="walks and fuzzers at their full length")
    parser.addoption(
        "--changed", action="store_true", help="what the change since main can reach, for a minute"
    )
    parser.addoption("--seed", type=int, default=0, help="what the fuzzers of files and links draw")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--changed"):
        config.pluginmanager.register(Nearest())


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether walks and fuzzers go their whole way, for hours, or the first steps of it."""
    return request.config.getoption("--long")


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """What the fuzzers draw with."""
    return random.Random(request.config.getoption("--seed"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow ones first: on several cores none is left to end alone.

    A browser on a machine that is busy with something else may miss a wait: twice more, then it
    counts.
    """
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    for item in items:
        if item.get_closest_marker("browser") or item.get_closest_marker("alone"):
            item.add_marker(pytest.mark.flaky(reruns=2))


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
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the real app, started once."""
    with serve(ROOT, tmp_path_factory.mktemp("app") / "log") as url:
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
