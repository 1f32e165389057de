"""Journeys through the pages on the bound, the relatives and the theory, in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from em_core import Gaussian, Mixture, fit
from em_core.coordinates.slices import line_along, slopes
from em_core.datasets import load
from pages.ui.state.settings import THEORY_STEPS
from support.browser import Visitors, idle

pytestmark = pytest.mark.browser

FAITHFUL = "v=1&e=faithful&k=2"
PLAYER = ".emx[data-axes]"


def minus(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")


def drawn(page: Page, link: str) -> None:
    page.goto(link)
    expect(page.locator(PLAYER)).to_be_visible(timeout=60_000)
    idle(page)


def test_the_bound_touches_with_the_same_slope_and_plays(app: str, visitors: Visitors) -> None:
    page = visitors.open()
    drawn(page, f"{app}/lower_bound?{FAITHFUL}&f=4&lp=mean%200%200")
    rows = load("faithful").values
    model = Mixture(Gaussian(), 2)
    step = fit(model, rows).trace[4]
    q = model.e_step(step.params, rows)
    # The first mean of the first component, in its own units.
    line = line_along(model, step.params, 2)
    of_bound, _ = slopes(model, model.prepare(rows), line, q)
    of_bound /= step.params.covariances[0, 0, 0] ** 0.5
    table = page.get_by_role("table").first
    for name in ("slope of the bound", "slope of the log-likelihood"):
        expect(table.get_by_role("row").filter(has_text=name)).to_contain_text(
            minus(f"{of_bound:,.6g}")
        )
    expect(table).to_contain_text("M-step 3: gain of the bound")
    # The next half-step: the parameters move, and the KL gap opens.
    page.get_by_role("button", name="Next half-step").click()
    expect(page.get_by_text("At M-step 3")).to_be_visible()
    expect(page.get_by_text(re.compile("M-step 3: to the top of the bound")).first).to_be_visible()
    idle(page)
    other = visitors.open()
    drawn(other, page.url)
    expect(other.get_by_text("At M-step 3")).to_be_visible()


def test_a_slice_is_drawn(app: str, page: Page) -> None:
    drawn(page, f"{app}/lower_bound?{FAITHFUL}&li=other&ls=5")
    painted = page.locator('[data-plot="mixture"] canvas').evaluate(
        "c => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " const s = new Set(); for (let i = 0; i < d.length; i += 4)"
        " s.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]); return s.size; }"
    )
    assert painted > 20


def test_items_have_a_bound_too_and_a_surface(app: str, page: Page) -> None:
    drawn(page, f"{app}/lower_bound?v=1&m=poisson-mixture&e=earthquakes&k=2")
    page.get_by_text("As a surface over two parameters").click()
    expect(page.get_by_text(re.compile("shades are the log-likelihood"))).to_be_visible()
    expect(page.get_by_test_id("stPlotlyChart").locator("svg").first).to_be_visible()


def test_theory_shows_the_numbers_of_the_reader(app: str, page: Page) -> None:
    page.goto(f"{app}/theory?v=1&td=1,2,6,7,7.5")
    expect(page.get_by_text("32 assignments of 5 numbers")).to_be_visible(timeout=30_000)
    every_point = re.compile(r"(L[^L]*){100}")
    expect(page.locator(".scatterlayer .js-line").first).to_have_attribute("d", every_point)
    page.get_by_role("button", name="Next: Jensen").click()
    slider = page.get_by_role("slider", name="q(component 1)")
    slider.focus()
    shown = page.locator(".katex-html").filter(has_text="gap").first
    before = shown.inner_text()
    slider.press("ArrowRight")
    expect(shown).not_to_have_text(before)
    expect(page).to_have_url(re.compile("tq=0.31"))
    page.get_by_role("radio", name="3 Four forms").click()
    expect(page.get_by_role("table").first).to_contain_text("largest difference of the four")
    numbers = page.get_by_label("Numbers: two to twelve")
    numbers.fill("1, two")
    numbers.press("Enter")
    expect(page.get_by_text("this is not a list of numbers").first).to_be_visible()
    numbers.fill("4")
    numbers.press("Enter")
    expect(page.get_by_text("Give from 2 to 12 numbers; these are 1.")).to_be_visible()


# The parts of formulas, which are not broken themselves, that are cut off on the right.
CUT_OFF = """() => [...document.querySelectorAll(".katex-html .base")]
  .filter((part) => part.getBoundingClientRect().right > innerWidth)
  .map((part) => part.textContent)"""


# Whether every name in a chart's legend lies within the chart.
NAMED = """plot => {
  const frame = plot.getBoundingClientRect();
  return [...plot.querySelectorAll(".legendtext")].every((name) => {
    const box = name.getBoundingClientRect();
    return box.top >= frame.top && box.left >= frame.left && box.right <= frame.right;
  });
}"""


def test_every_step_of_the_derivation_is_drawn_and_fits_a_phone(
    app: str, visitors: Visitors
) -> None:
    page = visitors.open(width=390)
    page.goto(f"{app}/theory?v=1")
    for step, title in THEORY_STEPS.items():
        if step == "questions":
            break
        page.get_by_role("radio", name=title).click()
        page.wait_for_function(
            "step => (new URLSearchParams(location.search).get('th') ?? 'sum') === step", arg=step
        )
        idle(page)
        expect(page.locator(".katex").first).to_be_visible(timeout=60_000)
        if step != "forms":
            expect(page.get_by_test_id("stPlotlyChart").locator("svg").first).to_be_visible()
            expect(page.locator(".legendtext").first).to_be_visible(timeout=60_000)
        assert page.evaluate(CUT_OFF) == []
        for plot in page.locator(".js-plotly-plot").all():
            assert plot.evaluate(NAMED)


def test_a_question_opens_the_page_that_shows_it(app: str, page: Page) -> None:
    page.goto(f"{app}/theory?v=1&th=questions")
    # While these load, what is below them moves, and a click misses.
    expect(page.get_by_role("slider")).to_have_count(3)
    idle(page)
    page.get_by_text("Does EM find the best parameters?").click()
    page.get_by_role("link", name="Run many starts").click()
    expect(page.get_by_role("heading", name="Local optima")).to_be_visible(timeout=30_000)


def test_relatives_race_and_one_is_played(app: str, page: Page) -> None:
    page.goto(f"{app}/variants?{FAITHFUL}&rv=exact,hard,squarem&rp=30")
    expect(page.get_by_text("Promised, and seen here")).to_be_visible(timeout=60_000)
    table = page.get_by_role("table").first
    best = fit(Mixture(Gaussian(), 2), load("faithful").values, tolerance=1e-9).log_likelihood
    expect(table.get_by_role("row").filter(has_text="SQUAREM")).to_contain_text(
        minus(f"{best:,.2f}")
    )
    expect(page.get_by_text("bound never fell; likelihood never fell").first).to_be_visible()
    expect(page.locator(PLAYER)).to_be_visible()
    page.get_by_text("Log-likelihood", exact=True).click()
    idle(page)
    expect(page).to_have_url(re.compile("rz=likelihood"))
