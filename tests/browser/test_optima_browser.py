"""Journeys through the page on local optima, in a real browser."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from em_core import Gaussian, Mixture, restarts
from em_core.datasets import load
from em_core.search.alignment import align
from pages.ui.panels.local_optima.gallery import rivals
from support.browser import Visitors, idle
from support.pictures import saved, shapes

pytestmark = pytest.mark.browser

VERDICT = re.compile(r"\d+ of \d+ starts reached the best optimum of these starts")
IRIS = "local_optima?v=1&e=iris&k=3&cs=k-means%2B%2B"


def searched(page: Page, link: str) -> str:
    """Follow a link to the page; the verdict once all starts have ended."""
    page.goto(link)
    verdict = page.get_by_text(VERDICT).first
    expect(verdict).to_be_visible(timeout=60_000)
    idle(page)
    return verdict.inner_text()


def looked_at(page: Page) -> None:
    """The page has scrolled to the player, and the keys are its own."""
    expect(page.locator(".emx")).to_be_in_viewport(ratio=0.5)
    play = page.locator(".emx").get_by_role("button", name="Play", exact=True)
    expect(play).to_be_focused()


def test_iris_from_fifty_starts_to_the_second_best_and_back_by_its_link(
    app: str, visitors: Visitors, tmp_path: Path
) -> None:
    page = visitors.open()
    verdict = searched(page, f"{app}/{IRIS}")
    runs = restarts(Mixture(Gaussian(), 3), load("iris").values, range(50), "k-means++")
    assert verdict == runs.verdict
    fits = {(fit.start, fit.seed): fit for fit in runs.fits}
    climb = fits[rivals(runs.landscape, 1)[1]]
    page.get_by_role("button", name="Play").nth(1).click()
    expect(page.locator(".emx[data-frame]")).to_be_visible()
    likelihood = f"{climb.log_likelihood:,.2f}".replace("-", "\N{MINUS SIGN}")
    expect(page.get_by_text(f"Log-likelihood {likelihood} nats")).to_be_visible()
    expect(page.get_by_text(f"Played: k-means++, seed {climb.seed}")).to_be_visible()
    looked_at(page)
    idle(page)

    # The best races against the most frequent other, both from their beginnings: as many iterations
    # as the longer of the two, on one scrubber.
    page.get_by_role("button", name="Race").first.click()
    race = page.locator(".emx.emx-race[data-axes=drawn]")
    expect(race).to_be_visible(timeout=30_000)
    best, climb = (fits[run] for run in rivals(runs.landscape))
    title = f"The race: k-means++, seed {best.seed} against k-means++, seed {climb.seed}"
    expect(page.get_by_text(title)).to_be_visible()
    looked_at(page)
    gap = f"{best.log_likelihood - climb.log_likelihood:.2f}"
    expect(page.get_by_text(f"The first ends {gap} nats higher")).to_be_visible()
    scrub = race.get_by_role("slider")
    longest = max(len(best.trace), len(climb.trace))
    expect(scrub).to_have_attribute("max", str(longest - 1))
    expect(race).to_have_attribute("data-frame", "-1")
    race.get_by_role("button", name="End", exact=True).click()
    shares = [fit.posterior(load("iris").values).responsibilities for fit in (best, climb)]
    shares[1] = shares[1][:, align(*shares)]
    assert rings(page) == (shares[0].argmax(axis=1) != shares[1].argmax(axis=1)).sum() > 0
    race.get_by_role("button", name="Start", exact=True).click()
    expect(race).to_have_attribute("data-frame", "-1")
    expect(race.locator(".emx-caption")).to_contain_text("Before the first E-step")
    for half_step in ("0", "1"):
        race.get_by_role("button", name="Next half-step").click()
        expect(race).to_have_attribute("data-frame", half_step)
        expect(race.locator(".emx-caption")).to_contain_text("ahead")
    idle(page)
    expect(page).to_have_url(re.compile(r"[?&]f=1(&|$)"))

    # Pictures to take away have both runs: points and axes of three panels.
    tags, words = shapes(saved(page, "svg", tmp_path))
    assert tags["image"] == 0 and tags["circle"] > 2 * 150
    assert {"First", "Second", "second run"} <= set(words)

    other = visitors.open()
    assert searched(other, page.url) == verdict
    again = other.locator(".emx.emx-race[data-axes=drawn]")
    expect(again).to_be_visible(timeout=30_000)
    expect(again).to_have_attribute("data-frame", "1")
    looked_at(other)
    caption = race.locator(".emx-caption").inner_text()
    expect(again.locator(".emx-caption")).to_have_text(caption)
    assert rings(other) == rings(page)
    assert visitors.problems == []


def rings(page: Page) -> int:
    """How many points the race rings at the frame shown."""
    return page.evaluate(
        """() => {
          const player = document.querySelector('.emx').__player;
          return player.rival.disagreement(player.picture, player.frame).length;
        }"""
    )


def test_a_preset_says_what_to_look_for_and_is_searched(app: str, page: Page) -> None:
    searched(page, f"{app}/{IRIS}&ns=5")
    page.get_by_text("Data that trap EM").click()
    page.get_by_role("button", name="Nested clusters").click()
    expect(page.get_by_text("All clusters share one centre")).to_be_visible()
    expect(
        page.get_by_text(VERDICT).or_(page.get_by_text("reached an optimum")).first
    ).to_be_visible(timeout=60_000)
