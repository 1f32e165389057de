"""Every family of models in a real browser: its example, the player, the link."""

import re

import pytest
from browser import Visitors, idle
from playwright.sync_api import Page, expect

from em_core import Bernoulli, Categorical, Mixture, Poisson, fit
from em_core.datasets import load

pytestmark = pytest.mark.browser

# family, its link, and the model it should be
FAMILIES = {
    "bernoulli-mixture": ("e=digits&k=10", Bernoulli(), 10, "digits", slice(None)),
    "categorical-mixture": ("e=lsat6&k=2&it=200", Categorical(), 2, "lsat6", slice(None)),
    "poisson-mixture": ("e=earthquakes&k=3", Poisson(), 3, "earthquakes", slice(1, 2)),
}


def opened(page: Page, link: str) -> Page:
    page.goto(link)
    expect(page.locator('.emx[data-axes="drawn"]')).to_be_visible(timeout=60_000)
    idle(page)
    return page


def shown(page: Page) -> int:
    return int(page.locator(".emx").get_attribute("data-frame"))


@pytest.mark.parametrize("family", FAMILIES)
def test_example_player_and_link(app: str, visitors: Visitors, family: str) -> None:
    query, emission, n_components, example, columns = FAMILIES[family]
    page = opened(visitors.open(), f"{app}/?v=1&m={family}&{query}")
    most = 200 if "it=" in query else 1000
    result = fit(
        Mixture(emission, n_components), load(example).values[:, columns], max_iterations=most
    )
    likelihood = f"{result.log_likelihood:,.2f}".replace("-", "\N{MINUS SIGN}")
    expect(page.get_by_text(f"Log-likelihood {likelihood} nats")).to_be_visible()

    last = shown(page)
    page.get_by_role("button", name=re.compile("Previous half-step")).click()
    expect(page.locator(".emx")).to_have_attribute("data-frame", str(last - 1))
    expect(page.locator(".emx-caption")).to_contain_text("M-step")
    page.wait_for_url(re.compile("[?&]f="))
    idle(page)
    said = page.locator(".emx-caption").inner_text()

    other = opened(visitors.open(), page.url)
    assert shown(other) == last - 1
    expect(other.locator(".emx-caption")).to_have_text(said)
    expect(other.get_by_text(f"Log-likelihood {likelihood} nats")).to_be_visible()
    assert visitors.problems == []


def test_shades_are_described_to_those_who_cannot_see_them(app: str, page: Page) -> None:
    opened(page, f"{app}/?v=1&m=poisson-mixture&e=earthquakes&k=3")
    expect(page.locator('[data-plot="mixture"]')).to_have_attribute(
        "aria-label", re.compile("Parameters of 3 components as shades")
    )


def test_a_three_in_a_binary_table_names_the_column(app: str, page: Page) -> None:
    page.goto(f"{app}/?v=1&m=bernoulli-mixture&s=generate")
    expect(page.get_by_text(re.compile(r"Bernoulli items are 0 or 1")).first).to_be_visible(
        timeout=30_000
    )
