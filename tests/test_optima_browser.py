"""Journeys through the page on local optima, in a real browser."""

import re
import time

import pytest
from browser import Visitors, idle
from playwright.sync_api import Page, expect

from em_core import Gaussian, Mixture, restarts
from em_core.datasets import load

pytestmark = pytest.mark.browser

VERDICT = re.compile(r"\d+ of \d+ starts reached the best optimum")
IRIS = "local_optima?v=1&e=iris&k=3"


def searched(page: Page, link: str) -> str:
    """Follow a link to the page; the verdict once all starts have ended."""
    page.goto(link)
    verdict = page.get_by_text(VERDICT).first
    expect(verdict).to_be_visible(timeout=60_000)
    idle(page)
    return verdict.inner_text()


def test_iris_from_fifty_starts_to_the_second_best_and_back_by_its_link(
    app: str, visitors: Visitors
) -> None:
    page = visitors.open()
    verdict = searched(page, f"{app}/{IRIS}")
    runs = restarts(Mixture(Gaussian(), 3), load("iris").values, range(50))
    assert verdict == runs.verdict
    second = runs.optima[1]
    page.get_by_role("button", name="Play").nth(1).click()
    expect(page.locator(".emx[data-frame]")).to_be_visible()
    likelihood = f"{second.log_likelihood:,.2f}".replace("-", "\N{MINUS SIGN}")
    expect(page.get_by_text(f"Log-likelihood {likelihood} nats")).to_be_visible()
    expect(page.get_by_text(f"Played: k-means++, seed {second.fit.seed}")).to_be_visible()
    idle(page)

    other = visitors.open()
    assert searched(other, page.url) == verdict
    expect(other.get_by_text(f"Log-likelihood {likelihood} nats")).to_be_visible()
    assert visitors.problems == []


def test_several_starts_are_compared(app: str, page: Page) -> None:
    searched(page, f"{app}/{IRIS}&ns=10&cs=k-means%2B%2B,random%20points")
    table = page.get_by_role("table").filter(has_text="Which start is better?")
    expect(table.get_by_role("rowheader").or_(table.get_by_role("row"))).not_to_have_count(0)
    expect(table).to_contain_text("random points")
    expect(table).to_contain_text("of 10")


def test_a_long_search_can_be_watched_and_stopped(app: str, page: Page) -> None:
    page.goto(f"{app}/local_optima?v=1&s=generate&g=overlapping&n=20000&tk=6&k=8&ns=500&tol=1e-9")
    counter = page.get_by_text(re.compile(r"\d+ of 500 starts have ended"))
    expect(counter).to_be_visible(timeout=60_000)
    stop = page.get_by_role("button", name="Stop")
    stop.click()
    asked = time.monotonic()
    expect(stop).to_have_count(0, timeout=20_000)
    assert time.monotonic() - asked < 10
    expect(page.get_by_role("button", name="Go on")).to_be_visible(timeout=20_000)


def test_a_preset_says_what_to_look_for_and_is_searched(app: str, page: Page) -> None:
    searched(page, f"{app}/{IRIS}&ns=5")
    page.get_by_text("Data that trap EM").click()
    page.get_by_role("button", name="Nested clusters").click()
    expect(page.get_by_text("All clusters share one centre")).to_be_visible()
    expect(
        page.get_by_text(VERDICT).or_(page.get_by_text("reached an optimum")).first
    ).to_be_visible(timeout=60_000)


def test_too_many_components_is_a_sentence(app: str, page: Page) -> None:
    page.goto(f"{app}/local_optima?v=1&s=generate&n=10&k=20&ns=3")
    expect(page.get_by_text("distinct rows").first).to_be_visible(timeout=30_000)
