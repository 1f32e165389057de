"""Every family of models in a real browser: its example, the player, the link."""

import itertools
import os
import re
from urllib.parse import urlencode, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from pages.ui.state.changes import changed
from pages.ui.state.links import to_query
from pages.ui.state.presets import GALLERY
from pages.ui.state.settings import Settings
from support.browser import ROOT, Visitors, idle, serve
from support.explore import ready, step_to
from support.runs import expected
from support.visitor import Visitor

pytestmark = pytest.mark.browser

PARTS = 2  # on a page each, one example after another
# Of most examples as many iterations as it takes to draw: what a whole fit says is read without a
# browser, in tests/served/test_families_served.py. This one is whole, and leaves half-steps out.
FEW = 12
WHOLE = "lsat6"
# What is in the picture for those who cannot see it.
DESCRIBED = {
    "digits": "Parameters of 10 classes as shades",
    "pupils": "Averages of 30 groups",
}


def opened(page: Page, link: str) -> Page:
    page.goto(link)
    return ready(drawn(page))


def shown(page: Page) -> int:
    return int(page.locator(".emx").get_attribute("data-frame"))


@pytest.mark.parametrize("part", range(PARTS))
def test_examples_player_and_link(app: str, visitors: Visitors, part: int) -> None:
    """Half-steps are drawn, and a link to one opens the same fit; of each part one in a browser."""
    page = visitors.open()
    if part == 0:
        by_one_click(page, app)
    for place, preset in enumerate(GALLERY[part::PARTS]):
        settings = changed(Settings(), **preset.settings)
        if settings.example != WHOLE:
            settings = changed(settings, max_iterations=FEW)
        likelihood, iterations = expected(settings)
        follow(page, f"{app}/?{urlencode(to_query(settings))}")
        expect(page.get_by_text(likelihood)).to_be_visible()
        expect(page.locator(".emx-caption")).to_contain_text(f"E-step {iterations}:")
        expect(page.locator('[data-plot="mixture"]')).to_have_attribute(
            "aria-label", re.compile(DESCRIBED.get(settings.example, "."))
        )
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
        page.wait_for_url(re.compile(f"[?&]f={2 * iterations - 1}(&|$)"))  # not still one before
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


def by_one_click(page: Page, app: str) -> None:
    """To an example of the gallery, from the page as it opens."""
    opened(page, app)
    page.get_by_text("One example of every model").click()
    idle(page)
    page.get_by_role("button", name="Pupils in schools").click()
    expect(page.get_by_text("Averages of small schools")).to_be_visible()
    expect(page.locator('[data-plot="mixture"]')).to_have_attribute(
        "aria-label", re.compile(DESCRIBED["pupils"])
    )
    page.wait_for_url(re.compile("m=two-level"))
    ready(page)


def follow(page: Page, link: str) -> Page:
    return opened(page, link) if page.url == "about:blank" else drawn(step_to(page, link))


def drawn(page: Page) -> Page:
    expect(page.locator('.emx[data-axes="drawn"]')).to_be_visible(timeout=60_000)
    return page


# The names along each axis of a picture that are written level, from left to right.
LEVEL_NAMES = """() => [...document.querySelectorAll(".emx .xaxislayer-above")].map((axis) =>
  [...axis.querySelectorAll("text")]
    .filter((name) => !/rotate\\(-/.test(name.getAttribute("transform") ?? ""))
    .map((name) => [name.textContent, name.getBoundingClientRect()])
    .map(([text, box]) => ({ text, left: box.left, right: box.right, top: box.top })))"""


def test_names_along_the_axes_do_not_run_into_each_other(app: str, visitors: Visitors) -> None:
    page = visitors.open(width=390, height=1600)
    for example in ("m=probabilistic-pca&e=ratings&q=3", "m=poisson-hmm&e=earthquakes&k=3"):
        axes = follow(page, f"{app}/?v=1&it={FEW}&{example}").evaluate(LEVEL_NAMES)
        assert sum(map(len, axes)) > 4
        for names in axes:
            for one, other in itertools.pairwise(sorted(names, key=lambda name: name["left"])):
                assert one["right"] < other["left"], (one, other)
    # The earthquakes' axis is one of years.
    assert "1920" in [name["text"] for name in axes[0]]


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


def test_a_model_of_ones_own_is_a_family_like_any_other(tmp_path, visitors, monkeypatch) -> None:
    example = ROOT / "em_core" / "examples" / "zero_inflated_poisson.py"
    files = (example, ROOT / "tests/support/own_model.py", tmp_path / "missing.py")
    monkeypatch.setenv("EM_EXPLORER_MODELS", os.pathsep.join(map(str, files)))
    with serve(ROOT, tmp_path / "app.log") as own:
        page = opened(
            visitors.open(keep=False), f"{own}/?v=1&m=own-zero_inflated_poisson&e=earthquakes"
        )
        expect(page.get_by_role("heading", name="Zero-inflated Poisson")).to_be_visible()
        expect(page.locator(".emx-caption")).to_contain_text("E-step")
        page.close()
        visitor = Visitor(own, "v=1&m=own-zero_inflated_poisson&e=earthquakes")
        visitor.settle()
        assert "missing.py does not exist" in visitor.said
        # The bound needs to know where its parameters may lie.
        visitor.go("lower_bound")
        assert "where its parameters may lie" in visitor.said
        visitor.close()
        visitor = Visitor(own, "v=1&m=own-own_model&e=earthquakes&lp=rate", "lower_bound")
        visitor.settle()
        assert "slope of the log-likelihood" in visitor.said
        visitor.close()
    assert visitors.problems == []
