"""Journeys through the page "How many?", in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from em_core import Gaussian, Mixture, select
from em_core.datasets import load
from support.browser import Visitors, idle

pytestmark = pytest.mark.browser

RECOMMENDS = re.compile(r"BIC recommends .*")
FAITHFUL = "model_selection?v=1&e=faithful&kt=3&ne=3&cov2=full,tied"


def recommended(page: Page, link: str) -> str:
    """Follow a link to the page; what is recommended once the grid is complete."""
    page.goto(link)
    heading = page.get_by_role("heading", name=RECOMMENDS)
    expect(heading).to_be_visible(timeout=60_000)
    idle(page)
    return heading.inner_text()


def cell(page: Page, text: str):
    return page.locator(".js-plotly-plot .textpoint").filter(has_text=re.compile(f"^{text}$"))


def test_the_recommendation_what_comes_close_and_a_cell_opened_in_explore(
    app: str, visitors: Visitors
) -> None:
    page = visitors.open()
    said = recommended(page, f"{app}/{FAITHFUL}")
    models = {
        (name, k): Mixture(Gaussian(name), k) for name in ("full", "tied") for k in range(1, 4)
    }
    grid = select(models, load("faithful").values, range(3), "short runs")
    structure, size = grid.best().label
    assert said == f"BIC recommends {size} components, {structure}"
    for close in grid.runners_up():
        structure, size = close.label
        expect(page.get_by_text(f"{size} components, {structure}").first).to_be_visible()
    expect(page.get_by_role("table")).to_contain_text("3 of 3 starts")

    other = visitors.open()
    assert recommended(other, page.url) == said

    cell(page, "best").click(force=True)
    expect(page).to_have_url(re.compile(r"/\?|explore"))
    expect(page.get_by_role("heading", name="Explore")).to_be_visible()
    bic = f"{grid.best().score('bic'):,.2f}"
    expect(page.get_by_text(f"BIC {bic}")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name=RECOMMENDS)).to_be_visible(timeout=60_000)
    assert visitors.problems == []


def test_what_collapsed_is_marked_and_the_reason_is_told(app: str, page: Page) -> None:
    link = f"{app}/model_selection?v=1&s=generate&g=near-singular&n=60&kf=1&kt=3&ne=3&cov2=full"
    assert recommended(page, link).startswith("BIC recommends 1 component")
    expect(cell(page, "✕")).to_have_count(2)
    expect(page.get_by_text("None of these is ever recommended.")).to_be_visible()
    cell(page, "✕").first.click(force=True)
    expect(page.get_by_role("heading", name="Explore")).to_be_visible()
    expect(page.locator(".emx-flags")).to_be_visible()
