"""Journeys through the Explore page, in a real browser."""

import itertools
import json
import re
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from em_core import Gaussian, Mixture, fit
from em_core.datasets import load
from support.browser import Visitors, idle
from support.colours import contrast
from support.explore import STATUS, follow, ready, status, step_to, upload
from support.visitor import Visitor

pytestmark = pytest.mark.browser


def explore(page: Page, app: str, query: str = "?v=1") -> Page:
    return follow(page, f"{app}/{query}")


def frame(page: Page) -> int:
    return int(page.locator(".emx").get_attribute("data-frame"))


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def nats(value: float) -> str:
    return f"{value:,.2f}".replace("-", "\N{MINUS SIGN}")


def test_opens_on_a_finished_fit_and_keys_step_play_and_jump(app: str, page: Page) -> None:
    explore(page, app)
    result = fit(Mixture(Gaussian(), 2), load("faithful").values, seed=0)
    assert nats(result.log_likelihood) in status(page)
    last = frame(page)
    assert last == 2 * result.n_iterations
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_enabled()
    # A click in the picture is enough for the keys to be its own.
    page.locator('[data-plot="mixture"]').click(position={"x": 200, "y": 40})
    page.keyboard.press("Home")
    expect(page.locator(".emx")).to_have_attribute("data-frame", "-1")
    page.locator(".emx input[type=range]").focus()
    page.keyboard.press("End")
    expect(page.locator(".emx")).to_have_attribute("data-frame", str(last))
    page.keyboard.press("Home")
    expect(page.locator(".emx")).to_have_attribute("data-frame", "-1")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".emx")).to_have_attribute("data-frame", "1")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator(".emx")).to_have_attribute("data-frame", re.compile("^[23]$"))
    page.keyboard.press("End")
    expect(page.locator(".emx")).to_have_attribute("data-frame", str(last))
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    expect(page.locator(".emx")).to_have_attribute("data-frame", str(last), timeout=30_000)


def test_the_frame_shown_is_in_the_link_and_in_the_tables(app: str, page: Page) -> None:
    explore(page, app)
    page.locator(".emx input[type=range]").focus()
    page.keyboard.press("Home")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_text("At M-step 2, in the original units")).to_be_visible()
    expect(
        page.get_by_text(re.compile("Gain in log-likelihood .* = gain of the bound"))
    ).to_be_visible()
    page.wait_for_function("new URLSearchParams(location.search).get('f') === '3'")
    other = Visitor(app, urlsplit(page.url).query)
    other.settle()
    assert re.findall(rb'"frame": (-?\d+|null)', bytes(other.received))[-1] == b"3"
    assert "At M-step 2, in the original units" in other.said and status(page) in other.said
    other.close()


def test_the_next_seed_is_another_start_and_back_returns(app: str, page: Page) -> None:
    """Its points are painted before its axes are drawn."""
    explore(page, app, "?e=iris&k=4")
    before = status(page)
    page.evaluate(
        """() => {
          const root = document.querySelector('.emx'), run = root.dataset.run;
          root.addEventListener('emx-painted', () => {
            if (root.dataset.run === run) return;
            const expecting = [...root.querySelectorAll('.emx-expecting')];
            window.first ??= [root.dataset.axes ?? 'none', ...expecting.map((p) => p.dataset.plot)];
          });
        }"""
    )
    page.get_by_role("button", name="Next seed").click()
    page.wait_for_function("window.first")
    assert page.evaluate("window.first") == ["none", "bound"]
    expect(page.locator(".emx")).to_have_attribute("data-axes", "drawn")
    expect(page.locator(".emx-expecting")).to_have_count(0)
    page.wait_for_function("new URLSearchParams(location.search).get('seed') === '1'")
    ready(page)
    expect(page.get_by_text("Start: k-means++, seed 1.")).to_have_count(0)
    page.go_back()
    page.wait_for_function("!new URLSearchParams(location.search).has('seed')")
    expect(page.get_by_text(STATUS).first).to_have_text(before)


def test_the_next_seed_is_seen_at_its_start_from_a_start(app: str, page: Page) -> None:
    explore(page, app, "?e=iris&k=4&f=0")
    for seed in ("1", "2"):
        page.get_by_role("button", name="Next seed").click()
        expect(page.locator(".emx-caption")).to_contain_text(f"seed {seed}.")
        expect(page.locator(".emx")).to_have_attribute("data-frame", "0")
    page.get_by_role("button", name="End", exact=True).click()
    page.wait_for_function("!new URLSearchParams(location.search).has('f')")
    page.get_by_role("button", name="Next seed").click()
    page.wait_for_function("new URLSearchParams(location.search).get('seed') === '3'")
    expect(page.locator(".emx-caption")).to_contain_text("E-step")


def test_an_uploaded_table_is_read_shown_fitted_and_taken_away(app: str, page: Page) -> None:
    explore(page, app)
    rng = np.random.default_rng(0)
    rows = [
        f"{i % 2 * 5 + x:.3f};{y:.3f};{'ab'[i % 2]}"
        for i, (x, y) in enumerate(rng.normal(size=(60, 2)))
    ]
    rows[4] = ";1,5;a"
    text = "width;height;kind\n" + "\n".join(row.replace(".", ",") for row in rows)
    page.get_by_text("Table", exact=True).click()
    upload(page, "mine.csv", text.encode())
    ready(page)
    expect(page.get_by_text("mine.csv: 60 rows, 3 columns")).to_be_visible()
    page.get_by_role("tab", name="How it was read").click()
    expect(page.get_by_text("Cells are separated by semicolons.")).to_be_visible()
    expect(page.get_by_text("Decimal comma.")).to_be_visible()
    page.get_by_text("Use rows with missing values").click()
    expect(page.get_by_text("mine.csv: 60 rows, 3 columns; 1 row left out")).to_be_visible()
    ready(page)
    # Who goes on to another fit has the table of columns closed.
    expect(page.get_by_text("Cells are separated by semicolons.")).to_have_count(0)
    expect(page.get_by_text("Each ellipse")).to_have_count(0)
    assert "n = 59 rows" in status(page)
    page.get_by_role("tab", name="Known labels").click()
    expect(page.get_by_text("Adjusted Rand index with")).to_be_visible()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Rows with results (CSV)").click()
    lines = waiting.value.path().read_text().splitlines()
    assert lines[0] == "width,height,kind,half-step,cluster,P(component 1),P(component 2)"
    assert len(lines) == 61 and lines[5].endswith(",,,,")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Parameters and trace (JSON)").click()
    content = json.loads(waiting.value.path().read_text())
    assert content["rows"] == 59 and nats(content["log_likelihood"]) in status(page)


def test_results_are_near_whatever_is_asked_of_a_table(app: str, page: Page) -> None:
    """Codes, spellings, copies, limits and twenty columns: the table of them scrolls by itself."""
    rng = np.random.default_rng(0)
    columns = {f"item {i}": rng.choice(["1", "2", "3", "4", "99"], 200) for i in range(16)}
    columns["said"] = rng.choice(["Yes", "yes ", "No", "no"], 200)
    columns["number"] = np.arange(200).astype(str)
    columns["same"] = np.full(200, "7")
    columns["limit"] = rng.choice(["<0.5", "1.25", "2.5"], 200)
    lines = [",".join(columns), *map(",".join, zip(*columns.values(), strict=True))]
    page.goto(f"{app}/?v=1&s=table")
    upload(page, "asked.csv", "\n".join(lines).encode())
    ready(page)
    expect(page.get_by_role("button", name="Make them one")).to_be_visible()
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        box = page.get_by_text("Axes", exact=True).bounding_box()
        scrolled = page.get_by_test_id("stMain").evaluate("main => main.scrollTop")
        assert box["y"] + scrolled < 1000
    # All of it is there for who scrolls in it.
    page.get_by_role("button", name="Levels", exact=True).click()
    expect(page.get_by_text("Two levels of one name become one level.")).to_be_visible()


MARKED = "document.querySelector('.emx').__player.selected"


def click_a_point(page: Page, index: int) -> None:
    x, y = page.evaluate(
        """index => {
          const { painter, mixturePlot } = document.querySelector(".emx").__player;
          const [{ panel, x, y }] = painter.laid;
          const left = painter.places(x, panel[0], false), top = painter.places(y, panel[1], true);
          const box = mixturePlot.getBoundingClientRect();
          return [box.left + left(index), box.top + top(index)];
        }""",
        index,
    )
    page.mouse.click(x, y)


def test_a_point_clicked_or_typed_shows_its_arithmetic(app: str, visitors: Visitors) -> None:
    page = explore(visitors.open(), app, "?e=iris&k=3&f=5")
    click_a_point(page, 41)
    expect(page.get_by_role("tab", name="Points")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_text("Row 42 of the table")).to_be_visible()
    expect(page.get_by_text("The rows whose component is the least sure")).to_be_visible()
    assert "by the parameters before this M-step" in page.get_by_test_id("stMain").inner_text()
    row = page.get_by_role("spinbutton", name=re.compile("Row of the table"))
    expect(row).to_have_value("42")
    row.fill("150")
    row.press("Enter")
    expect(page.get_by_text("Row 150 of the table")).to_be_visible()
    page.wait_for_function(f"{MARKED} === 149")
    page.wait_for_function("new URLSearchParams(location.search).get('pt') === '149'")
    idle(page)
    assert frame(page) == 5
    other = follow(visitors.open(), page.url)
    expect(other.get_by_text("Row 150 of the table")).to_be_visible()
    assert other.evaluate(MARKED) == 149
    click_a_point(other, 41)
    expect(other.get_by_text("Row 42 of the table")).to_be_visible()


def test_the_address_has_the_settings_while_another_page_works(app: str, page: Page) -> None:
    explore(page, app, "?e=wine&k=5&seed=4&cov=tied")
    heading = page.get_by_role("heading", name="Explore")
    place = heading.bounding_box()
    page.get_by_text("Standardise", exact=True).click()
    ready(page)
    assert heading.bounding_box() == place  # what writes the address takes no room
    for title in ("How many?", "Theory"):
        page.get_by_role("link", name=title, exact=True).click()
        expect(page.get_by_role("heading", name=title)).to_be_visible()
        page.wait_for_function(
            "new URLSearchParams(location.search).get('e') === 'wine'", timeout=3_000
        )
        assert query(page)["seed"] == ["4"]


# Ink and ground, as #rrggbb.
COLOURS = """chip => [getComputedStyle(chip.querySelector("span, p")).color,
                        getComputedStyle(chip).backgroundColor]
  .map((colour) => colour.match(/\\d+/g).slice(0, 3).map((c) => Number(c).toString(16)))
  .map((parts) => "#" + parts.map((part) => part.padStart(2, "0")).join(""))"""


def test_what_is_chosen_can_be_read(app: str, page: Page) -> None:
    # Of a lesson whose first step is done: its way on is a button that stands out.
    explore(page, app, "?e=faithful&k=2&f=0&le=what-em-does")
    ground = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
    for scheme in ("light", "dark"):
        before = page.evaluate(ground)
        page.emulate_media(color_scheme=scheme)
        if scheme == "dark":
            page.wait_for_function(f"before => {ground} !== before", arg=before)
        for what in ("[data-tag]", "[data-testid=stBaseButton-primary]"):
            assert contrast(*page.locator(what).first.evaluate(COLOURS)) > 4.5, what


def test_a_long_fit_plays_while_it_runs_and_stops(app: str, page: Page) -> None:
    page.goto(f"{app}/?s=generate&g=overlapping&n=50000&tk=8&k=12&tol=1e-12&it=100000")
    expect(page.get_by_text(re.compile("Fitting: iteration"))).to_be_visible(timeout=60_000)
    expect(page.locator(".emx[data-frame]")).to_be_visible(timeout=60_000)
    main = page.get_by_test_id("stMain")
    main.get_by_role("button", name="Stop").click()
    expect(page.get_by_text(re.compile("You stopped this fit after"))).to_be_visible(timeout=30_000)
    stopped = page.get_by_text(re.compile("Who opens a link to it sees it go on")).inner_text()
    (count,) = re.findall("says ([0-9]+)[.]", stopped)
    page.get_by_text("Python that gives these numbers").click()
    expect(page.get_by_text(f"max_iterations={count})")).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text(re.compile("Fitting: iteration"))).to_be_visible(timeout=30_000)
    page.get_by_text("Example", exact=True).first.click()
    ready(page)
    expect(page.get_by_text("Old Faithful: 272 rows, 2 columns")).to_be_visible()


def test_examples_fit_the_screen(app: str, visitors: Visitors) -> None:
    page = visitors.open(width=390, height=844, color_scheme="dark")
    fits = "document.documentElement.scrollWidth <= innerWidth + 1"
    for number, example in enumerate(["acidity", "wine", "airquality", "iris"]):
        link = f"{app}/?v=1&e={example}&k=3"
        if number:
            page.set_viewport_size({"width": 390, "height": 844})
            step_to(page, link)
        else:
            follow(page, link)
        page.wait_for_function(fits)
        page.set_viewport_size({"width": 1280, "height": 844})
        page.wait_for_function(fits)
    # On a phone the names of columns do not meet.
    page.set_viewport_size({"width": 390, "height": 900})
    step_to(page, f"{app}/?v=1&e=iris&k=3&ax=pairs")
    titles = page.locator('[data-plot="mixture"] [class^="x"][class$="title"]')
    expect(titles.nth(2)).to_be_attached()
    for letter in "xy":
        titles = page.locator(f'[data-plot="mixture"] [class^="{letter}"][class$="title"]').all()
        boxes = [title.bounding_box() for title in titles]
        side, length = ("x", "width") if letter == "x" else ("y", "height")
        boxes.sort(key=lambda box: box[side])
        assert len(boxes) > 2
        for box, following in itertools.pairwise(boxes):
            assert box[side] + box[length] <= following[side] + 1


def test_rounding_is_not_drawn_as_a_climb(app: str, page: Page) -> None:
    """Clusters so far apart that the first iteration finds them: nothing is left to gain then."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(600, 4)) + 100 * rng.integers(3, size=(600, 1))
    page.goto(f"{app}/?v=1&s=table&k=3&tol=1e-12&it=30")
    content = "\n".join(["a,b,c,d", *(",".join(f"{x:.6f}" for x in row) for row in rows)])
    upload(page, "far.csv", content.encode())
    ready(page)
    bottom, top = page.evaluate(
        "[...document.querySelectorAll('.emx .js-plotly-plot')].at(-1)._fullLayout.yaxis.range"
    )
    said = re.search(r"[Ll]og-likelihood (\S+) nats", status(page))[1]
    end = float(said.replace("\N{MINUS SIGN}", "-").replace(",", ""))
    assert bottom < end < top and top - bottom > 0.01
