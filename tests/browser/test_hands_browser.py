"""What is done by hand in the picture: the means of a start are dragged, added and taken away."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from support.explore import follow, ready

pytestmark = pytest.mark.browser

# Where the first mean is on the screen.
FIRST = """() => {
    const { hands, picture, mixturePlot } = document.querySelector('.emx').__player;
    const { x, y } = hands.laid, box = mixturePlot.getBoundingClientRect();
    const [across, up] = picture.low.map((low, i) => low + picture.span[i] * picture.means[i]);
    return [box.left + x._offset + x.l2p(across), box.top + y._offset + y.l2p(up)];
}"""


def test_means_are_dragged_added_and_taken_away(page: Page, app: str) -> None:
    follow(page, f"{app}/?v=1&e=faithful&k=2&f=3")
    root = page.locator(".emx")
    root.get_by_role("button", name="Place means").click()
    expect(root).to_have_attribute("data-frame", "-1")
    ready(page)  # what is dragged is where it is drawn
    x, y = page.evaluate(FIRST)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=3)
    page.mouse.up()
    expect(page).to_have_url(re.compile("st=means&sm=.*&f=-1"))
    ready(page)
    assert page.evaluate(FIRST) == pytest.approx([x + 60, y + 40], abs=2)
    # Where it is now a click takes it away, and one beside it adds another.
    click(root, x + 120, y - 60)
    start_of(page, 3)
    for left in (2, 1):
        click(root, *page.evaluate(FIRST))
        start_of(page, left)
    # Playing ends it: a click is a click on a point again.
    page.keyboard.press("End")
    expect(root.get_by_role("button", name="Place means")).to_have_attribute(
        "aria-pressed", "false"
    )


def start_of(page: Page, components: int) -> None:
    """Wait until as many components stand at their start, and the page says so."""
    page.wait_for_function(
        "count => document.querySelector('.emx').__player.picture.components.length === count",
        arg=components,
    )
    ready(page)
    expect(page.get_by_label("Components", exact=True)).to_have_value(str(components))
    expect(page.locator(".emx")).to_have_attribute("data-frame", "-1")


def test_the_keys_are_the_players_while_a_run_from_placed_means_goes_on(
    page: Page, app: str
) -> None:
    follow(page, f"{app}/?v=1&s=generate&g=overlapping&n=20000&tk=9&k=9&it=600&tol=1e-9")
    root = page.locator(".emx")
    root.get_by_role("button", name="Place means").click()
    expect(root).to_have_attribute("data-frame", "-1")
    ready(page)
    x, y = page.evaluate(FIRST)
    click(root, x, y)
    # The button that had the focus is no use until the run has ended.
    page.wait_for_function("document.querySelector('.emx').__player?.picture?.running")
    expect(root.get_by_role("button", name="Play", exact=True)).to_be_focused()
    page.keyboard.press("End")
    expect(root).not_to_have_attribute("data-frame", "-1")


def test_what_comes_is_guessed_by_keyboard_and_by_click_and_then_seen(page: Page, app: str) -> None:
    follow(page, f"{app}/?v=1&e=faithful&k=2&f=0&hc=1")
    root, body = page.locator(".emx"), page.locator("body")
    verdict = root.locator(".emx-verdict")
    expect(body).to_contain_text("What comes is hidden.")
    expect(body).not_to_contain_text("Converged after")
    root.get_by_label("Guess: eruptions").fill("2.5")
    page.keyboard.press("Tab")
    page.keyboard.type("60")
    expect(verdict).to_be_hidden()
    page.keyboard.press("Enter")
    expect(verdict).to_contain_text("M-step 1: mean 1 went to")
    expect(verdict).to_contain_text("in a straight line")
    expect(root).to_have_attribute("data-frame", "1")
    # On by a half-step, and a guess by a click: of the mean nearest to which one clicks first.
    page.keyboard.press("ArrowRight")
    plot = root.locator('[data-plot="mixture"]')
    box = plot.bounding_box()
    assert box
    plot.click(position={"x": 0.3 * box["width"], "y": 0.2 * box["height"]})
    expect(verdict).to_be_hidden()
    root.get_by_role("button", name="See").click()
    expect(verdict).to_contain_text("M-step 2: mean 1 went to")
    # At the end all is said, as without the switch.
    page.keyboard.press("End")
    expect(body).to_contain_text("Converged after")
    expect(page).to_have_url(re.compile("hc=1"))
    page.keyboard.press("h")
    expect(page).not_to_have_url(re.compile("hc=1"))
    expect(body).to_contain_text("Is this the best answer?")


def click(root: Locator, x: float, y: float) -> None:
    """A click in the picture, once what it did is on the screen."""
    run = root.get_attribute("data-run")
    root.page.mouse.click(x, y)
    expect(root).not_to_have_attribute("data-run", run or "")


def test_data_are_drawn_sprayed_rubbed_out_and_undone(page: Page, app: str) -> None:
    page.goto(f"{app}/?v=1&s=draw&k=1&cov=spherical")
    canvas = page.get_by_role("img", name="A square from 0 to 10")
    box = canvas.bounding_box()
    assert box is not None
    x, y, side = box["x"], box["y"], box["width"]
    status = page.get_by_role("status").filter(has_text="of 500 points")
    for n, place in enumerate([0.1, 0.2, 0.3], 1):
        page.mouse.click(x + place * side, y + 0.9 * side)
        expect(status).to_have_text(f"{n} of 500 points")
    ready(page)
    page.mouse.move(x + 0.5 * side, y + 0.3 * side)
    page.mouse.down()
    page.mouse.move(x + 0.9 * side, y + 0.3 * side, steps=30)
    page.mouse.up()
    expect(page.get_by_text(re.compile(r"Drawn points: [1-9]\d rows, 2 columns"))).to_be_visible()
    ready(page)
    sprayed = status.inner_text()
    page.get_by_role("button", name="Rubber").click()
    page.mouse.click(x + 0.1 * side, y + 0.9 * side)
    expect(status).not_to_have_text(sprayed)
    left = int(sprayed.split()[0])
    expect(page.get_by_text(f"Drawn points: {left - 1} rows, 2 columns")).to_be_visible()
    ready(page)
    page.get_by_role("button", name="Undo").click()
    expect(status).to_have_text(sprayed)
    expect(page.get_by_text(f"Drawn points: {left} rows, 2 columns")).to_be_visible()
    ready(page)
    page.goto(page.url)
    expect(page.get_by_text(f"Drawn points: {left} rows, 2 columns")).to_be_visible()
    expect(status).to_have_text(sprayed)
