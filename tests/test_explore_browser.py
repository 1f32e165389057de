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
from support.explore import STATUS, follow, ready, status, upload

pytestmark = pytest.mark.browser


def explore(page: Page, app: str, query: str = "") -> Page:
    return follow(page, f"{app}/{query}")


def frame(page: Page) -> int:
    return int(page.locator(".emx").get_attribute("data-frame"))


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def nats(value: float) -> str:
    return f"{value:,.2f}".replace("-", "\N{MINUS SIGN}")


def test_opens_on_a_finished_fit_of_old_faithful(app: str, page: Page) -> None:
    explore(page, app)
    result = fit(Mixture(Gaussian(), 2), load("faithful").values, seed=0)
    assert nats(result.log_likelihood) in status(page)
    assert frame(page) == 2 * result.n_iterations
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_enabled()


def test_keys_step_play_and_jump(app: str, page: Page) -> None:
    explore(page, app)
    last = frame(page)
    page.locator(".emx input[type=range]").focus()
    page.keyboard.press("Home")
    expect(page.locator(".emx")).to_have_attribute("data-frame", "0")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".emx")).to_have_attribute("data-frame", "1")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator(".emx")).to_have_attribute("data-frame", re.compile("^[23]$"))
    page.keyboard.press("End")
    expect(page.locator(".emx")).to_have_attribute("data-frame", str(last))
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    expect(page.locator(".emx")).to_have_attribute("data-frame", str(last), timeout=30_000)


def test_the_frame_shown_is_in_the_link_and_in_the_tables(app: str, visitors: Visitors) -> None:
    page = explore(visitors.open(), app)
    page.locator(".emx input[type=range]").focus()
    page.keyboard.press("Home")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_text("At M-step 2, in the original units")).to_be_visible()
    expect(
        page.get_by_text(re.compile("Gain in log-likelihood .* = gain of the bound"))
    ).to_be_visible()
    page.wait_for_function("new URLSearchParams(location.search).get('f') === '3'")
    other = follow(visitors.open(), page.url)
    assert frame(other) == 3
    expect(other.get_by_text("At M-step 2, in the original units")).to_be_visible()
    assert status(other) == status(page)


def test_every_choice_survives_in_the_link(app: str, visitors: Visitors) -> None:
    link = "?e=iris&k=3&cov=tied&st=k-means&seed=7&z=1&tol=1e-05&ax=principal&col=certainty&dc=1"
    page = explore(visitors.open(), app, link)
    iris = load("iris").values
    scale = iris.std(axis=0)
    result = fit(
        Mixture(Gaussian("tied"), 3), (iris - iris.mean(axis=0)) / scale, seed=7, start="k-means",
        tolerance=1e-5,
    )  # fmt: skip
    expected = result.log_likelihood - len(iris) * np.log(scale).sum()
    assert nats(expected) in status(page)
    again = follow(visitors.open(), page.url)
    assert status(again) == status(page)
    assert query(again) == query(page)


def test_the_next_seed_is_another_start_and_back_returns(app: str, page: Page) -> None:
    explore(page, app, "?e=iris&k=4")
    before = status(page)
    page.get_by_role("button", name="Next seed").click()
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


def test_another_run_is_painted_before_its_axes_are_drawn(app: str, page: Page) -> None:
    explore(page, app, "?e=iris&k=4")
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


def test_no_other_page_may_steer_this_one(app: str, page: Page) -> None:
    told = page.request.get(f"{app}/_stcore/host-config").json()
    assert told["allowedOrigins"] == []


def test_a_link_with_nonsense_opens_and_says_so(app: str, page: Page) -> None:
    explore(page, app, "?k=banana&cov=round&it=-5&zebra=1")
    expect(page.get_by_text("Components:")).to_be_visible()
    expect(page.get_by_text("which EM Explorer does not know")).to_be_visible()


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
    page.get_by_text("Use rows with missing values").click()
    expect(page.get_by_text("mine.csv: 60 rows, 3 columns; 1 row left out")).to_be_visible()
    ready(page)
    expect(page.get_by_text("Cells are separated by semicolons.")).to_be_visible()
    expect(page.get_by_text("Decimal comma.")).to_be_visible()
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


def test_a_pasted_table_is_fitted(app: str, page: Page) -> None:
    explore(page, app)
    page.get_by_text("Table", exact=True).click()
    page.get_by_text("Or paste a table").click()
    pasted = "x,y\n" + "\n".join(f"{i},{i * i % 17}" for i in range(3, 43))
    page.get_by_label("Rows with a header").fill(pasted)
    page.get_by_role("button", name="Use the pasted table").click()
    expect(page.get_by_text("pasted text: 40 rows, 2 columns")).to_be_visible()
    ready(page)


WRONG = [
    ("empty.csv", b"", "is empty"),
    ("words.csv", b"name\nalice\nbob\ncarol\n", "It holds text, not numbers"),
    ("picture.csv", bytes(range(256)) * 20, "isn't a text file"),
    ("gone.csv", b"a,b\n1,\n2,\n4,\n", "It has no values"),
    ("nothing.csv", b"a,b\n1,\n,2\n3,\n,4\n", "No row has a number in every chosen column"),
    ("same.csv", b"a,b\n1,2\n1,2\n1,2\n", "All its values are the same"),
    ("few.csv", b"a,b\n1,2\n1,2\n3,4\n", "distinct rows"),
]


def test_wrong_files_get_a_sentence_and_settings_stay(app: str, page: Page) -> None:
    explore(page, app, "?k=3&cov=diag&seed=5&mv=0")
    for name, content, words in WRONG:
        page.get_by_text("Table", exact=True).click()
        upload(page, name, content)
        expect(page.get_by_text(re.compile(words)).first).to_be_visible()
        idle(page)
        assert {key: query(page)[key] for key in ("k", "cov", "seed")} == {
            "k": ["3"], "cov": ["diag"], "seed": ["5"],
        }  # fmt: skip
        page.get_by_text("Example", exact=True).first.click()
        ready(page)


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


def test_rows_are_counted_as_in_the_table(app: str, page: Page) -> None:
    explore(page, app)
    page.get_by_text("Table", exact=True).click()
    rows = "".join(f"{i},{i * i % 7}\n" for i in range(20))
    upload(page, "gap.csv", b"x,y\n1,\n" + rows.encode())
    expect(page.get_by_text("gap.csv: 21 rows")).to_be_visible()
    page.get_by_text("Use rows with missing values").click()
    ready(page)
    page.get_by_role("tab", name="Points").click()
    row = page.get_by_role("spinbutton", name=re.compile("Row of the table"))
    row.fill("5")
    row.press("Enter")
    expect(page.get_by_text("Row 5 of the table (x = 3, y = 2)")).to_be_visible()
    row.fill("1")
    row.press("Enter")
    expect(page.get_by_text("Row 1 was left out: y is missing.")).to_be_visible()


def test_keys_work_once_the_picture_is_clicked(app: str, page: Page) -> None:
    explore(page, app)
    page.locator('[data-plot="mixture"]').click(position={"x": 200, "y": 40})
    page.keyboard.press("Home")
    expect(page.locator(".emx")).to_have_attribute("data-frame", "0")


def test_hand_placed_means_start_where_they_are_put(app: str, page: Page) -> None:
    explore(page, app, "?st=means&sm=2.0,50.0;4.0,80.0&f=0")
    assert frame(page) == 0
    expect(page.get_by_text("Start: hand-placed means.").first).to_be_visible()
    components = page.get_by_label("Components", exact=True)
    for count in (3, 2):
        components.fill(str(count))
        components.press("Enter")
        page.wait_for_function(
            "n => new URLSearchParams(location.search).get('sm').split(';').length === n", arg=count
        )
        assert query(page)["sm"][0].startswith("2.0,50.0;4.0,80.0")


def test_explicit_parameters_that_cannot_be_used_are_named(app: str, page: Page) -> None:
    page.goto(f"{app}/?st=parameters")
    expect(page.get_by_text("Give the start as JSON with weights, means")).to_be_visible()
    given = page.get_by_role("textbox", name="Parameters as JSON")
    given.fill("xx")
    given.press("Control+Enter")
    wrong = page.get_by_text("this is not JSON")
    expect(wrong).to_be_visible()
    given.fill(
        '{"weights": [0.5, 0.5], "means": [[2, 50], [4, 80]],'
        ' "covariances": [[[1, 0], [0, 9]], [[1, 0], [0, 9]]]}'
    )
    given.press("Control+Enter")
    ready(page)
    expect(wrong).to_have_count(0)


def test_a_family_is_found_as_it_was_left(app: str, page: Page) -> None:
    link = "?e=wine&k=3&c=ash&c=hue"
    explore(page, app, link)
    before = status(page)
    for name in ("Poisson mixture: counts", "Gaussian mixture"):
        page.get_by_label("Model", exact=True).click()
        page.get_by_role("option", name=name, exact=True).click()
        ready(page)
    expect(page.get_by_text(before, exact=True)).to_be_visible()
    assert query(page)["e"] == ["wine"]


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
COLOURS = """chip => [getComputedStyle(chip.querySelector("span")).color,
                        getComputedStyle(chip).backgroundColor]
  .map((colour) => colour.match(/\\d+/g).slice(0, 3).map((c) => Number(c).toString(16)))
  .map((parts) => "#" + parts.map((part) => part.padStart(2, "0")).join(""))"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_chosen_can_be_read(app: str, visitors: Visitors, scheme: str) -> None:
    page = explore(visitors.open(color_scheme=scheme), app, "?e=iris")
    assert contrast(*page.locator("[data-tag]").first.evaluate(COLOURS)) > 4.5


def test_names_of_columns_do_not_meet_on_a_phone(app: str, visitors: Visitors) -> None:
    page = explore(visitors.open(width=390), app, "?e=iris&k=3&ax=pairs")
    for letter in "xy":
        titles = page.locator(f'[data-plot="mixture"] [class^="{letter}"][class$="title"]').all()
        boxes = [title.bounding_box() for title in titles]
        side, length = ("x", "width") if letter == "x" else ("y", "height")
        boxes.sort(key=lambda box: box[side])
        assert len(boxes) > 2
        for box, following in itertools.pairwise(boxes):
            assert box[side] + box[length] <= following[side] + 1


def test_a_long_fit_plays_while_it_runs_and_stops(app: str, page: Page) -> None:
    page.goto(f"{app}/?s=generate&g=overlapping&n=200000&tk=8&k=12&tol=1e-12&it=100000")
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


@pytest.mark.parametrize("example", ["acidity", "iris", "wine", "airquality"])
@pytest.mark.parametrize("width", [390, 1280])
def test_examples_fit_the_screen(app: str, visitors: Visitors, example: str, width: int) -> None:
    page = visitors.open(width=width, height=844, color_scheme="dark")
    explore(page, app, f"?e={example}&k=3")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")


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


def test_columns_that_are_not_chosen_at_first_are_told_and_offered(app: str, page: Page) -> None:
    rng = np.random.default_rng(1)
    names = [f"sensor {i}" for i in range(1, 13)]
    lines = [",".join(f"{x:.3f}" for x in row) for row in rng.normal(size=(80, 12))]
    page.goto(f"{app}/?v=1&s=table&k=2")
    upload(page, "wide.csv", "\n".join([",".join(names), *lines]).encode())
    ready(page)
    told = page.get_by_text("8 of 12 columns are used.")
    expect(told).to_be_visible()
    page.get_by_role("button", name="Use all 12").click()
    expect(told).to_be_hidden()
    ready(page)
    expect(page.get_by_text("181 parameters")).to_be_visible()


def test_a_survey_in_words_is_told_which_models_take_it(app: str, page: Page) -> None:
    rng = np.random.default_rng(2)
    answers = np.array(["Yes", "No"])[rng.integers(2, size=(60, 4))]
    answers[:3, 0] = ""
    page.goto(f"{app}/?v=1&s=table&k=2")
    upload(page, "survey.csv", "\n".join(["a,b,c,d", *map(",".join, answers)]).encode())
    expect(page.get_by_text(re.compile("Choose one that can: .*Bernoulli mixture"))).to_be_visible()
    # None of the answers is taken for a known label.
    page.goto(f"{page.url}&m=bernoulli-mixture")
    upload(page, "survey.csv", "\n".join(["a,b,c,d", *map(",".join, answers)]).encode())
    ready(page)
    expect(page.get_by_text("(9 parameters, n = 60 rows; smaller is better)")).to_be_visible()
    expect(page.get_by_text("can't be used")).to_have_count(0)
    expect(page.get_by_text("p of b = Yes")).to_be_visible()
    page.get_by_role("tab", name="Points").click()
    doubtful = page.get_by_role("table").last
    expect(doubtful).to_contain_text("class 2")
    expect(doubtful).to_contain_text("Yes")


def test_numbers_that_only_count_the_rows_are_told(app: str, page: Page) -> None:
    answers = ["Yes,No", "No,No", "Yes,Yes", "No,Yes"] * 10
    lines = ["id,a,b", *(f"{i},{row}" for i, row in enumerate(answers))]
    page.goto(f"{app}/?v=1&s=table&k=2")
    upload(page, "survey.csv", "\n".join(lines).encode())
    told = page.get_by_text(re.compile("can use only id, which numbers the rows. .*Bernoulli"))
    expect(told).to_be_visible()
    ready(page)
