"""The player in a real browser: its transport, its keys, its switches, and what Python hears."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from support.browser import ROOT, Visitors, idle, serve

pytestmark = pytest.mark.browser

PLAYER = "document.querySelector('.emx').__player"
LAST = 120


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of tests/support/player_demo.py."""
    with serve(
        ROOT, tmp_path_factory.mktemp("demo") / "log", script="tests/support/player_app.py"
    ) as url:
        yield url


def opened(page: Page, url: str, query: str = "") -> Locator:
    page.goto(f"{url}/?{query}")
    root = page.locator(".emx[data-axes]")
    expect(root).to_be_visible(timeout=20_000)
    idle(page)
    return root


def at_frame(root: Locator, frame: int) -> None:
    expect(root).to_have_attribute("data-frame", str(frame))


def button(root: Locator, name: str) -> Locator:
    return root.get_by_role("button", name=name, exact=True)


def colours(page: Page) -> int:
    """How many colours the left panel has: an empty one has a handful."""
    return page.evaluate(
        """() => { const c = document.querySelector('[data-plot="mixture"] canvas');
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        return new Set(new Uint32Array(d.buffer)).size; }"""
    )


def test_a_second_visit_asks_for_no_script_again(page: Page, demo: str) -> None:
    asked = """performance.getEntriesByType('resource')
      .filter(({ name }) => name.includes('/assets/')).map((entry) => entry.transferSize)"""
    for _ in range(2):
        expect(opened(page, demo).locator(".xtick").first).to_be_visible()
        bytes_sent = page.evaluate(asked)
        page.goto("about:blank")
    assert len(bytes_sent) > 10 and not any(bytes_sent)


def test_opens_on_the_finished_picture_and_is_stepped_through(page: Page, demo: str) -> None:
    root = opened(page, demo)
    at_frame(root, LAST)
    expect(root.locator(".emx-caption")).to_contain_text("E-step 60")
    expect(root.get_by_role("status")).to_contain_text("E-step 60")
    expect(page.get_by_text("frame=None point=None")).to_be_visible()
    expect(root.locator(".xtick").first).to_be_visible()
    assert colours(page) > 100
    # Names of columns are text, whatever is in them.
    expect(root.locator(".xtitle")).to_have_text(["<b>price</b> in $ & $", "iteration"])
    assert page.evaluate("window.Plotly") is None
    for name, frame in [
        ("Start", -1),
        ("Next half-step", 0),
        ("Previous iteration", -1),
        ("Next iteration", 0),
        ("Next half-step", 1),
        ("Next half-step", 2),
        ("Next iteration", 4),
        ("Previous half-step", 3),
        ("Previous iteration", 2),
        ("Next half-step", 3),
        ("Next iteration", 4),
        ("End", LAST),
    ]:
        button(root, name).click()
        at_frame(root, frame)
    root.get_by_role("slider").fill("7")
    at_frame(root, 7)
    slider = root.get_by_role("slider")
    expect(slider).to_have_attribute("aria-valuetext", "M-step 4, half-step 7 of 120")
    expect(root.locator(".emx-flags")).to_have_text(
        "Component 2 is collapsing onto one point.\nComponent 3 is flat.", use_inner_text=True
    )
    expect(page.get_by_text(re.compile("frame=7 point=None"))).to_be_visible()


def test_keys(page: Page, demo: str) -> None:
    root = opened(page, demo)
    root.get_by_role("slider").focus()
    for key, frame in [
        ("Home", -1),
        ("ArrowLeft", -1),
        ("ArrowRight", 0),
        ("ArrowRight", 1),
        ("Shift+ArrowRight", 2),
        ("ArrowUp", 4),
        ("ArrowDown", 2),
        ("ArrowLeft", 1),
        ("PageDown", 2),
        ("PageDown", 3),
        ("PageUp", 2),
        ("End", LAST),
    ]:
        page.keyboard.press(key)
        at_frame(root, frame)
    page.keyboard.press("Space")
    expect(button(root, "Pause")).to_be_visible()
    page.keyboard.press("Space")
    expect(button(root, "Play")).to_be_visible()
    # Keys elsewhere on the page are not the player's.
    frame = root.get_attribute("data-frame")
    field = page.get_by_label("elsewhere")
    field.fill("ab")
    field.press("Home")
    field.press("Space")
    assert root.get_attribute("data-frame") == frame
    expect(field).to_have_value(" ab")


def test_space_plays_wherever_the_focus_is_and_enter_presses(page: Page, demo: str) -> None:
    root = opened(page, demo)
    button(root, "Start").click()
    for name, frame in [("Next half-step", 0), ("Next iteration", 2)]:
        button(root, name).click()
        at_frame(root, frame)
        for playing in ("true", "false"):
            page.keyboard.press("Space")
            expect(root).to_have_attribute("data-playing", playing)
        button(root, "Start").click()
        button(root, "Next iteration").click()
    button(root, "Contours").click()
    page.keyboard.press("Space")
    expect(root).to_have_attribute("data-playing", "true")
    page.keyboard.press("Space")
    expect(button(root, "Contours")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Home")
    button(root, "Previous half-step").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    frame = int(root.get_attribute("data-frame") or 0)
    page.keyboard.press("Enter")
    at_frame(root, frame + 1)
    expect(root).to_have_attribute("data-playing", "false")
    for playing, place in [("true", "contours"), ("false", "loop")]:
        root.locator(f"[data-toggle={place}]").focus()
        page.keyboard.press("Space")
        expect(root).to_have_attribute("data-playing", playing)
    for playing in ("true", "false"):
        root.get_by_label("Speed", exact=True).focus()
        page.keyboard.press("Space")
        expect(root).to_have_attribute("data-playing", playing)


TOGETHER = """() => ['[data-plot=mixture]', '[data-plot=bound]', '.emx-caption', '.emx-place',
    '[data-do=start]', '[data-do=present]'].every((part) => {
        const box = document.querySelector(`.emx ${part}`).getBoundingClientRect();
        return box.left >= 0 && box.top >= 0 && box.width > 30 && box.height > 16
            && box.right <= innerWidth && box.bottom <= innerHeight;
    })"""

TWENTY_PIXELS = """() => {
    const root = document.querySelector('.emx');
    const scale = root.getBoundingClientRect().width / root.offsetWidth;
    const tick = getComputedStyle(root.querySelector('.xtick text'));
    return scale * parseFloat(tick.fontSize) >= 19.99;
}"""


def test_presented_all_is_seen_at_once_and_all_keys_are_the_players(page: Page, demo: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    root = opened(page, demo)
    elsewhere = page.get_by_label("elsewhere")
    expect(elsewhere).to_be_visible()
    root.get_by_role("slider").focus()
    page.keyboard.press("p")
    expect(page.get_by_text("window='class'")).to_be_attached()
    expect(elsewhere).not_to_be_visible()
    for width, height in [(1280, 720), (1024, 768), (640, 360)]:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function(TOGETHER)
    page.set_viewport_size({"width": 1280, "height": 720})
    page.wait_for_function(TWENTY_PIXELS)
    # Whatever had the focus is not seen any more.
    page.evaluate("document.activeElement.blur()")
    for key, frame in [("Home", -1), ("PageDown", 0), ("PageDown", 1), ("PageUp", 0)]:
        page.keyboard.press(key)
        at_frame(root, frame)
    page.keyboard.press("?")
    expect(root.get_by_role("dialog")).to_contain_text("full screen")
    page.keyboard.press("Escape")
    # A click goes to the half-step under it, magnified as it is.
    box = root.locator("[data-plot=bound] .nsewdrag").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    assert abs(int(root.get_attribute("data-frame") or 0) - LAST / 2) < LAST / 20
    page.keyboard.press("Escape")
    expect(elsewhere).to_be_visible()
    expect(page.get_by_text("window='page'")).to_be_attached()


def test_playing_shows_every_frame_and_survives_reruns(page: Page, demo: str) -> None:
    root = opened(page, demo)
    page.evaluate(
        """() => { window.seen = []; document.querySelector('.emx').addEventListener('emx-painted',
        (event) => window.seen.push(event.detail.frame)); }"""
    )
    root.get_by_label("Speed", exact=True).select_option("3")
    expect(page.get_by_text("speed=3")).to_be_visible()
    button(root, "Play").click()
    for name in ("rerun the fragment", "rerun the page", "rerun the fragment"):
        page.get_by_role("button", name=name).click()
    expect(root).to_have_attribute("data-playing", "true")
    at_frame(root, LAST)
    expect(button(root, "Play")).to_be_visible()
    seen = page.evaluate("window.seen")
    played = seen[seen.index(-1) :]
    assert sorted(set(played)) == [*range(-1, LAST + 1)]
    assert played == sorted(played)


def test_scrubbing_reruns_nothing_until_it_rests(page: Page, demo: str) -> None:
    root = opened(page, demo)
    page.evaluate("""() => {
        const slider = document.querySelector('.emx-scrub');
        for (const value of [100, 80, 60, 40, 20, 10]) {
            slider.value = value;
            slider.dispatchEvent(new Event('input', { bubbles: true }));
        }
        slider.dispatchEvent(new Event('change', { bubbles: true }));
    }""")
    at_frame(root, 10)
    expect(page.get_by_text("frame=10 point=None runs=2")).to_be_visible()


def test_clicks_on_a_point_the_curve_and_the_switches(page: Page, demo: str) -> None:
    root = opened(page, demo, "n=300")
    left, top = page.evaluate(
        f"""() => {{ const {{ laid: [laid], ratio: r, canvas }} = {PLAYER}.painter;
        const at = laid.offsets[laid.which.indexOf(17)], w = canvas.width;
        return [(at % w) / r, Math.floor(at / w) / r]; }}"""
    )
    plot = root.locator('[data-plot="mixture"]')
    plot.hover(position={"x": left, "y": top})
    expect(plot.locator(".emx-tip")).to_contain_text("row ")
    plot.click(position={"x": left, "y": top})
    expect(page.get_by_text(re.compile(r"point=\d+ "))).to_be_visible()
    bound = root.locator('[data-plot="bound"]')
    box = bound.bounding_box()
    assert box is not None
    bound.click(position={"x": box["width"] / 2, "y": box["height"] / 3})
    frame = int(root.get_attribute("data-frame") or -1)
    assert 30 < frame < 80
    expect(page.get_by_text(re.compile(f"frame={frame} "))).to_be_visible()
    # Switches repaint, and reach Python.
    button(root, "Certainty").click()
    expect(page.get_by_text("colour='certainty'")).to_be_visible()
    button(root, "Contours").click()
    button(root, "Uncertainty").click()
    button(root, "Late progress").click()
    button(root, "Loop").click()
    view = "contours=True, uncertainty=True, curve='gap', speed=1, loop=True"
    expect(page.get_by_text(view)).to_be_visible()
    for name in ("Certainty", "Contours", "Uncertainty", "Late progress", "Loop"):
        expect(button(root, name)).to_have_attribute("aria-pressed", "true")
    expect(button(root, "Blended")).to_have_attribute("aria-pressed", "false")
    expect(root.locator(".ytitle").last).to_contain_text("log")
    assert colours(page) > 100


def test_points_follow_a_zoom(page: Page, demo: str) -> None:
    root = opened(page, demo)
    visible = f"{PLAYER}.painter.laid[0].which.length"
    assert page.evaluate(visible) == 500
    box = root.locator('[data-plot="mixture"]').bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 150, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 320, box["y"] + 260, steps=4)
    page.mouse.up()
    page.wait_for_function(f"{visible} < 450")
    frame = root.get_attribute("data-frame")
    assert frame == str(LAST), "a drag is not a click"
    page.mouse.dblclick(box["x"] + 200, box["y"] + 150)
    page.wait_for_function(f"{visible} === 500")


@pytest.mark.parametrize("panel", ["mixture", "bound"])
def test_the_buttons_of_the_axes_zoom_and_do_nothing_else(
    page: Page, demo: str, panel: str
) -> None:
    root = opened(page, demo)
    plot = root.locator(f'[data-plot="{panel}"]')
    ticks = plot.locator(".ytick text")
    before = ticks.all_text_contents()
    plot.hover(position={"x": 150, "y": 100})
    for name in ("Pan", "Zoom", "Zoom in"):
        plot.locator(f".modebar-btn[data-title='{name}']").click()
    expect(ticks).not_to_have_text(before)
    at_frame(root, LAST)
    button(root, "Loop").click()
    view = "contours=False, uncertainty=False, curve='likelihood', speed=1, loop=True"
    expect(page.get_by_text(view)).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("runs=2")).to_be_visible()


def test_python_can_ask_for_a_frame_and_the_person_can_leave_it(page: Page, demo: str) -> None:
    root = opened(page, demo)
    button(root, "Start").click()
    expect(page.get_by_text(re.compile("frame=-1 "))).to_be_visible()
    wish = page.get_by_label("frame", exact=True)
    wish.fill("33")
    wish.press("Enter")
    at_frame(root, 33)
    expect(page.get_by_text(re.compile("frame=33 "))).to_be_visible()
    button(root, "Next half-step").click()
    expect(page.get_by_text(re.compile("frame=34 "))).to_be_visible()
    page.get_by_role("button", name="rerun the page").click()
    idle(page)
    at_frame(root, 34)


def test_a_remounted_player_is_where_it_was_and_a_new_run_at_its_end(page: Page, demo: str) -> None:
    root = opened(page, demo)
    root.get_by_role("slider").fill("9")
    expect(page.get_by_text(re.compile("frame=9 "))).to_be_visible()
    toggle = page.get_by_text("show the player")
    toggle.click()
    expect(root).to_have_count(0)
    toggle.click()
    at_frame(root, 9)
    # A new run replaces the picture and keeps the view.
    button(root, "Contours").click()
    button(root, "Start").click()
    expect(page.get_by_text(re.compile("frame=-1 "))).to_be_visible()
    page.get_by_label("seed").fill("3")
    page.get_by_label("seed").press("Enter")
    expect(root).to_have_attribute("data-run", re.compile("-3-False$"))
    at_frame(root, LAST)
    expect(page.get_by_text("frame=None point=None")).to_be_visible()
    expect(button(root, "Contours")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("query", ["d=1&k=3", "d=4&k=3&matrix=1", "k=1", "n=20&k=12"])
def test_other_pictures(page: Page, demo: str, query: str) -> None:
    root = opened(page, demo, query)
    assert colours(page) > 50
    for name in ("Certainty", "Contours", "Uncertainty", "Start", "Next half-step"):
        button(root, name).click()
    at_frame(root, 0)
    expect(root.locator(".emx-problem")).to_be_hidden()


def test_reduced_motion_steps_calmly(visitors: Visitors, demo: str) -> None:
    page = visitors.open(reduced_motion="reduce")
    root = opened(page, demo)
    button(root, "Play").click()
    assert page.evaluate(f"{PLAYER}.duration()") >= 500


def test_fits_a_phone(visitors: Visitors, demo: str) -> None:
    page = visitors.open(width=390, height=844, has_touch=True)
    root = opened(page, demo)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    boxes = [root.locator(".emx-panel:visible").nth(i).bounding_box() for i in (0, 1)]
    assert boxes[0] and boxes[1] and boxes[1]["y"] >= boxes[0]["y"] + boxes[0]["height"]
    for i in range(root.get_by_role("button").count()):
        box = root.get_by_role("button").nth(i).bounding_box()
        assert box and box["height"] >= 44 and box["x"] >= 0 and box["x"] + box["width"] <= 390


# Pixels that a list has beside what it says, and that Chromium's arrow takes.
ROOM = """list => {
  const style = getComputedStyle(list);
  const context = document.createElement('canvas').getContext('2d');
  context.font = style.font;
  const said = context.measureText(list.selectedOptions[0].text).width;
  return list.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - said;
}"""
ARROW = 18


@pytest.mark.parametrize("query", ["", "d=4&k=3&matrix=1"])
def test_its_buttons_are_in_sight_in_a_low_frame(visitors: Visitors, demo: str, query: str) -> None:
    root = opened(visitors.open(width=900, height=640), demo, query)
    for name in ("Start", "Play", "End", "Loop"):
        expect(button(root, name)).to_be_in_viewport(ratio=1)
    root.scroll_into_view_if_needed()
    for name in ("Start", "Play", "End", "Loop"):
        expect(button(root, name)).to_be_in_viewport(ratio=1)
    for name in ("Speed", "Save"):
        assert root.get_by_label(name, exact=True).evaluate(ROOM) >= ARROW


def test_follows_the_theme(visitors: Visitors, demo: str) -> None:
    page = visitors.open(color_scheme="light")
    opened(page, demo)
    corner = """() => [...document.querySelector('[data-plot="mixture"] canvas')
        .getContext('2d').getImageData(2, 2, 1, 1).data]"""
    assert min(page.evaluate(corner)[:3]) > 200
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"() => Math.max(...({corner})().slice(0, 3)) < 80")


def test_sixty_reruns_do_not_hang_it(page: Page, demo: str) -> None:
    root = opened(page, demo)
    page.evaluate("window.errors = []")
    for i in range(60):
        if i % 10 == 0:
            root.locator('[data-do="play"]').click()  # plays, or pauses where it still plays
        page.get_by_role("button", name="rerun the page" if i % 3 else "rerun the fragment").click()
    idle(page)
    button(root, "Start").click()
    at_frame(root, -1)
    button(root, "End").click()
    at_frame(root, LAST)
    expect(root).to_have_count(1)
