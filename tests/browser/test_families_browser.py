"""Every family of models in a real browser: its example, the player, the link."""

import itertools
import os
import re
from urllib.parse import urlencode, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from em_core import fit
from pages.ui.families.table import family_of
from pages.ui.state.beginnings import method_of
from pages.ui.state.presets import GALLERY
from pages.ui.state.settings import Settings, changed, to_query
from support.browser import ROOT, Visitors, idle, serve
from support.explore import ready
from support.runs import read
from support.visitor import Visitor

pytestmark = pytest.mark.browser

PARTS = 4  # on a page each, one example after another


def opened(page: Page, link: str) -> Page:
    page.goto(link)
    expect(page.locator('.emx[data-axes="drawn"]')).to_be_visible(timeout=60_000)
    return ready(page)


def shown(page: Page) -> int:
    return int(page.locator(".emx").get_attribute("data-frame"))


def expected(settings: Settings) -> tuple[str, int]:
    """The log-likelihood as the page writes it, and the number of iterations, fitted here."""
    _, selection = read(settings)
    family = family_of(settings)
    result = fit(
        family.build(settings),
        family.data(selection),
        seed=settings.seed,
        start=method_of(settings),
    )
    likelihood = f"{result.log_likelihood:,.2f}".replace("-", "\N{MINUS SIGN}")
    return f"Log-likelihood {likelihood} nats", result.n_iterations


@pytest.mark.parametrize("part", range(PARTS))
def test_examples_player_and_link(app: str, visitors: Visitors, part: int) -> None:
    """Half-steps are drawn, and a link to one opens the same fit; of each part one in a browser."""
    page = visitors.open()
    for place, preset in enumerate(GALLERY[part::PARTS]):
        settings = changed(Settings(), **preset.settings)
        likelihood, iterations = expected(settings)
        follow(page, f"{app}/?{urlencode(to_query(settings))}")
        expect(page.get_by_text(likelihood)).to_be_visible(timeout=60_000)
        ready(page)
        expect(page.locator(".emx-caption")).to_contain_text(f"E-step {iterations}:")
        last = shown(page)
        for button, frame in [
            ("Start", -1),
            ("Next half-step", 0),
            ("Next half-step", 1),
            ("End", last),
            ("Previous half-step", last - 1),
        ]:
            page.get_by_role("button", name=button, exact=True).click()
            expect(page.locator(".emx")).to_have_attribute("data-frame", str(frame))
        expect(page.locator(".emx-caption")).to_contain_text("M-step")
        page.wait_for_url(re.compile("[?&]f=(?![012](&|$))"))  # not still one of the first
        said = page.locator(".emx-caption").inner_text()
        assert len(painted(page)) > 8  # colours: something is drawn

        if place:
            other = Visitor(app, urlsplit(page.url).query)
            other.settle()
            assert likelihood in other.said
            other.close()
        else:
            other = opened(visitors.open(), page.url)
            expect(other.get_by_text(likelihood)).to_be_visible(timeout=60_000)
            expect(other.locator(".emx")).to_have_attribute("data-frame", str(last - 1))
            expect(other.locator(".emx-caption")).to_have_text(said)


def follow(page: Page, link: str) -> None:
    """By loading a page, or, where one is there, as Back and Forward do: without another load."""
    if page.url == "about:blank":
        page.goto(link)
    else:
        idle(page)
        page.evaluate(
            """link => {
              history.pushState(history.state, "", link);
              dispatchEvent(new PopStateEvent("popstate", { state: history.state }));
            }""",
            link,
        )
    expect(page.locator('.emx[data-axes="drawn"]')).to_be_visible(timeout=60_000)


# The names along each axis of a picture that are written level, from left to right.
LEVEL_NAMES = """() => [...document.querySelectorAll(".emx .xaxislayer-above")].map((axis) =>
  [...axis.querySelectorAll("text")]
    .filter((name) => !/rotate\\(-/.test(name.getAttribute("transform") ?? ""))
    .map((name) => [name.textContent, name.getBoundingClientRect()])
    .map(([text, box]) => ({ text, left: box.left, right: box.right, top: box.top })))"""


@pytest.mark.parametrize(
    "example", ["m=probabilistic-pca&e=ratings&q=3", "m=poisson-hmm&e=earthquakes&k=3"]
)
def test_names_along_the_axes_do_not_run_into_each_other(
    app: str, visitors: Visitors, example
) -> None:
    page = opened(visitors.open(width=390, height=1600), f"{app}/?v=1&{example}")
    axes = page.evaluate(LEVEL_NAMES)
    assert sum(map(len, axes)) > 4
    for names in axes:
        for one, other in itertools.pairwise(sorted(names, key=lambda name: name["left"])):
            assert one["right"] < other["left"], (one, other)
    # The earthquakes' axis is one of years.
    assert "earthquakes" not in example or "1920" in [name["text"] for name in axes[0]]


def painted(page: Page) -> set[int]:
    """The colours on the left canvas."""
    values = page.evaluate(
        """() => {
            const canvas = document.querySelector('[data-plot="mixture"] canvas');
            const { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            return [...new Set(new Int32Array(data.buffer))];
        }"""
    )
    return set(np.array(values).tolist())


def test_the_gallery_is_one_click_away(app: str, page: Page) -> None:
    opened(page, app)
    page.get_by_text("One example of every model").click()
    idle(page)
    page.get_by_role("button", name="Pupils in schools").click()
    expect(page.get_by_text("Averages of small schools")).to_be_visible()
    expect(page.locator('[data-plot="mixture"]')).to_have_attribute(
        "aria-label", re.compile("Averages of 30 groups")
    )
    page.wait_for_url(re.compile("m=two-level"))


def test_shades_are_described_to_those_who_cannot_see_them(app: str, page: Page) -> None:
    opened(page, f"{app}/?v=1&m=bernoulli-mixture&e=digits&k=3")
    expect(page.locator('[data-plot="mixture"]')).to_have_attribute(
        "aria-label", re.compile("Parameters of 3 classes as shades")
    )


def test_a_row_typed_by_its_number_shows_its_posterior(app: str, page: Page) -> None:
    opened(page, f"{app}/?v=1&m=poisson-hmm&e=earthquakes&k=3")
    page.get_by_role("tab", name="Points").click()
    page.get_by_role("spinbutton", name=re.compile("Row of the table")).fill("44")
    page.keyboard.press("Enter")
    expect(page.get_by_text("probability given the whole sequence")).to_be_visible()
    expect(page.get_by_text("Row 44 of the table")).to_be_visible()


def test_a_model_of_ones_own_is_a_family_like_any_other(tmp_path, visitors, monkeypatch) -> None:
    example = ROOT / "em_core" / "examples" / "zero_inflated_poisson.py"
    files = (example, ROOT / "tests/support/own_model.py", tmp_path / "missing.py")
    monkeypatch.setenv("EM_EXPLORER_MODELS", os.pathsep.join(map(str, files)))
    with serve(ROOT, tmp_path / "app.log") as own:
        page = opened(
            visitors.open(keep=False), f"{own}/?v=1&m=own-zero_inflated_poisson&e=earthquakes"
        )
        expect(page.get_by_role("heading", name="Zero-inflated Poisson")).to_be_visible()
        expect(page.get_by_text("missing.py does not exist")).to_be_visible()
        expect(page.locator(".emx-caption")).to_contain_text("E-step")
        # The bound needs to know where its parameters may lie.
        page.get_by_role("link", name="The bound").click()
        expect(page.get_by_text("where its parameters may lie")).to_be_visible()
        opened(page, f"{own}/lower_bound?v=1&m=own-own_model&e=earthquakes&lp=rate")
        expect(page.get_by_role("table").first).to_contain_text("slope of the log-likelihood")
        assert visitors.problems == []
        page.close()
