"""Pictures and animations to take away, made by a real browser."""

import base64
import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from em_core import Gaussian, Mixture, fit
from em_core.datasets import load
from pages.ui.charts.still import svg
from pages.ui.lessons.lesson import lessons
from pages.ui.lessons.own_lesson import read_own, written
from pages.ui.pictures.payload import pack
from pages.ui.pictures.picture import View
from pages.ui.sharing.report import Drawing, Grid
from pages.ui.sharing.report import page as report
from pages.ui.sharing.standalone import Shot, lesson_page
from pages.ui.text import MINUS, nats
from support.browser import Visitors
from support.explore import follow, ready, upload
from support.picture_demo import demo_picture
from support.pictures import saved, shapes

pytestmark = pytest.mark.browser


def run(*command: str | Path) -> bytes:
    """What a program of the system says."""
    return subprocess.run(command, check=True, capture_output=True).stdout


def colours(picture: Image.Image) -> int:
    return len(picture.convert("RGB").resize((200, 120)).getcolors(200 * 120))


PICTURES = {
    "v=1&e=iris&k=3&f=4": (
        "Iris-flowers-gaussian-mixture-full-3-components-seed-0-E-step-2",
        "Iris flowers: Gaussian mixture, 3 components, full",
        "Start: k-means++, seed 0. At E-step 2 of 16.",
        150,
    ),
    "v=1&e=iris&k=2&ax=pairs&seed=3&f=0": (
        "Iris-flowers-gaussian-mixture-full-2-components-seed-3-start",
        "Iris flowers: Gaussian mixture, 2 components, full",
        "Start: k-means++, seed 3. At the start.",
        6 * 150,
    ),
    "v=1&m=gaussian-hmm&e=geyser": (
        "Old-Faithful-one-after-another-gaussian-hmm-full-2-states-seed-0-E-step-153",
        "Old Faithful, one after another: Hidden Markov model, 2 states, full",
        "Start: k-means++, seed 0. At E-step 153 of 153.",
        2 * 299,
    ),
}


@pytest.mark.parametrize("link", PICTURES)
def test_pictures_of_what_is_on_screen(link: str, app: str, page: Page, tmp_path: Path) -> None:
    name, title, at, points = PICTURES[link]
    follow(page, f"{app}/?{link}")
    png, svg = saved(page, "png", tmp_path), saved(page, "svg", tmp_path)
    assert png.name == f"{name}.png" and svg.name == f"{name}.svg"
    tags, words = shapes(svg)
    assert tags["image"] == 0 and tags["circle"] >= points
    assert {title, at, "log-likelihood", "ELBO", "KL gap"} <= set(words)
    assert {"component 2", "state 2"} & set(words)
    if shutil.which("rsvg-convert"):
        with Image.open(io.BytesIO(run("rsvg-convert", svg))) as elsewhere, Image.open(png) as here:
            assert all(abs(2 * a - b) <= 2 for a, b in zip(elsewhere.size, here.size, strict=True))
            assert colours(elsewhere) > 50
    # Both show the same: twice as many pixels, or as many as one asks for.
    page.set_content(f"<style>body {{ margin: 0 }}</style>{svg.read_text()}")
    shot = page.locator("body > svg").screenshot()
    with Image.open(png) as picture, Image.open(io.BytesIO(shot)) as drawn:
        assert picture.size == tuple(2 * side for side in drawn.size)
        small = picture.convert("RGB").resize(drawn.size, Image.Resampling.BOX)
        difference = np.abs(np.asarray(small, float) - np.asarray(drawn.convert("RGB"), float))
    assert difference.mean() < 6  # letters differ


def test_names_that_xml_has_no_place_for_cost_no_picture(
    app: str, page: Page, tmp_path: Path
) -> None:
    """Plotly's axes are SVG, of which a browser draws nothing where one character is none."""
    odd, other = "a\x01b\x08", "c\ufffed\x7f"
    rows = [{odd: i % 7 + i / 10, other: i * i % 11} for i in range(30)]
    page.goto(f"{app}/?v=1&s=table&k=2&it=6")
    upload(page, "odd.json", json.dumps(rows).encode())
    ready(page)
    _, words = shapes(saved(page, "svg", tmp_path))
    assert "a\ufffdb\ufffd" in words and "c\ufffdd\x7f" in words
    with Image.open(saved(page, "png", tmp_path)) as picture:
        assert colours(picture) > 50


def test_what_is_below_the_broken_axis_of_the_bound_is_told_there(
    app: str, page: Page, tmp_path: Path
) -> None:
    follow(page, f"{app}/?v=1&e=iris&k=3&f=0")
    _, words = shapes(saved(page, "svg", tmp_path))
    beyond = nats(fit(Mixture(Gaussian(), 3), load("iris").values).trace[0].log_likelihood)
    assert beyond == f"{MINUS}454.06" and beyond in words
    page.get_by_role("button", name="Next half-step").click()
    _, words = shapes(saved(page, "svg", tmp_path))
    assert beyond not in words


EXPLICIT = {
    "weights": [0.3, 0.7],
    "means": [[2, 55], [4, 80]],
    "covariances": [[[1, 0], [0, 30]], [[1, 0], [0, 30]]],
}


def test_downloads_are_of_the_half_step_shown(app: str, page: Page, tmp_path: Path) -> None:
    start = quote(json.dumps(EXPLICIT))
    follow(page, f"{app}/?v=1&e=faithful&st=parameters&sp={start}&f=0")
    page.get_by_text("Python that gives these numbers").click()
    expect(page.get_by_text("result.trace[0] # start")).to_be_visible()
    content = {}
    for at in ("start", "M-step-1"):
        for kind in ("Rows with results (CSV)", "Parameters and trace (JSON)"):
            with page.expect_download() as waiting:
                page.get_by_role("button", name=kind).click()
            name = waiting.value.suggested_filename
            assert name.startswith("Old-Faithful-gaussian-mixture-full-2-components-parameters-")
            assert at in name
            content[at, kind[:4]] = waiting.value.path().read_text()
        if at == "start":
            page.get_by_role("button", name="Next half-step").click()
            expect(page.get_by_text("Of the half-step shown: M-step 1 of 4.")).to_be_visible()
    first = json.loads(content["start", "Para"])
    assert first["half_step"] == "start"
    assert {name: first[name] for name in EXPLICIT} == EXPLICIT
    header, row = content["start", "Rows"].splitlines()[:2]
    assert header.split(",")[2] == "half-step" and row.split(",")[2] == "start"
    second = json.loads(content["M-step-1", "Para"])
    assert second["half_step"] == "M-step 1 of 4" and second["means"] != EXPLICIT["means"]
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Animation (HTML)").click()
    assert "Shown first: M-step 1." in waiting.value.path().read_text()


def test_the_animation_holds_every_half_step_or_those_of_a_range(
    app: str, page: Page, tmp_path: Path
) -> None:
    follow(page, f"{app}/?v=1&e=iris&k=3&f=4")
    last = int(page.get_by_role("slider", name="Half-step").get_attribute("max"))
    path = saved(page, "gif", tmp_path)
    assert path.name == "Iris-flowers-gaussian-mixture-full-3-components-seed-0.gif"
    with Image.open(path) as animation:
        assert animation.n_frames == last + 2  # and what is before the first half-step
        assert animation.info["loop"] == 0 and colours(animation) > 50
        pictures = []
        for frame in (0, 1, last // 2, last):
            animation.seek(frame)
            pictures.append(animation.convert("RGB").tobytes())
        assert len(set(pictures)) == 4
        # The frame shown is the picture of it: title, seed, legend and half-step are there, too.
        animation.seek(4 + 1)
        moving = animation.convert("RGB")
    with Image.open(saved(page, "png", tmp_path)) as still:
        small = still.convert("RGB").resize(moving.size, Image.Resampling.BOX)
        assert all(0 <= a - 2 * b <= 2 for a, b in zip(still.size, moving.size, strict=True))
    difference = np.abs(np.asarray(small, float) - np.asarray(moving, float))
    assert difference.mean() < 6
    few = {"From_half-step": "2", "to_half-step": "5", "Size": "1280x720"}
    with Image.open(saved(page, "gif", tmp_path, **few)) as animation:
        assert (animation.n_frames, animation.size) == (4, (1280, 720)) != (last + 2, moving.size)
        assert colours(animation) > 50
    assert page.locator(".emx").get_attribute("data-frame") == "4"


def test_a_video_is_as_long_as_its_half_steps_play(app: str, page: Page, tmp_path: Path) -> None:
    """What it holds is read by the browser: no other program that reads videos is always there."""
    follow(page, f"{app}/?v=1&e=iris&k=3&f=0")
    few = {"From_half-step": "0", "to_half-step": "3", "Size": "1280x720"}
    path = saved(page, "video", tmp_path, Speed_of_the_animation="3", **few)
    assert path.name.startswith("Iris-flowers-gaussian-mixture") and path.suffix in (
        ".mp4",
        ".webm",
    )
    content = base64.b64encode(path.read_bytes()).decode()
    kind = f"video/{path.suffix[1:]}"
    width, height, seconds = page.evaluate(
        """([kind, content]) => new Promise((done, failed) => {
            const video = document.createElement('video');
            video.onerror = () => failed(video.error.message);
            // A recording says how long it is once its end has been looked for.
            video.onloadedmetadata = () => { video.currentTime = 1e6; };
            video.onseeked = () => done([video.videoWidth, video.videoHeight, video.currentTime]);
            video.src = URL.createObjectURL(new Blob(
                [Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], { type: kind }));
        })""",
        [kind, content],
    )
    assert (width, height) == (1280, 720)
    # Three half-steps at three times the speed, and up to two seconds on the last: of a still
    # picture a busy browser records less.
    assert seconds > 0.6
    if shutil.which("ffprobe"):
        read = run("ffprobe", "-v", "error", "-show_entries", "stream=width,height", path)
        assert b"width=1280" in read and b"height=720" in read
    assert page.locator(".emx").get_attribute("data-frame") == "0"


def test_the_html_file_plays_without_a_network(
    app: str, visitors: Visitors, tmp_path: Path
) -> None:
    page = visitors.open()
    follow(page, f"{app}/?v=1&e=iris&k=3&cu=gap")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Animation (HTML)").click()
    path = tmp_path / "animation.html"
    waiting.value.save_as(path)
    assert not re.search(rb'(src|href)="(?!data:)', path.read_bytes()[:20_000])
    page.close()
    # A browser that has no network at all, and a file that asks for nothing.
    alone = visitors.open(offline=True, color_scheme="dark", keep=False)
    requests = []
    alone.on("request", lambda request: requests.append(request.url))
    alone.goto(path.as_uri())
    expect(alone.get_by_role("heading", name="Iris flowers: Gaussian mixture")).to_be_visible()
    expect(alone.locator(".emx[data-axes=drawn][data-frame='-1']")).to_be_visible()
    alone.get_by_role("button", name="End", exact=True).click()
    expect(alone.locator(".emx")).not_to_have_attribute("data-frame", "-1")
    expect(alone.get_by_role("button", name="Late progress")).to_have_attribute(
        "aria-pressed", "true"
    )
    _printed_as_shapes_and_letters(alone, tmp_path)
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []
    visitors.problems[:] = [p for p in visitors.problems if "file://" not in p]


def _printed_as_shapes_and_letters(page: Page, folder: Path) -> None:
    """The browser's own way to print makes the PDF; without a screen it asks for no printer."""
    stays = (
        "addEventListener('afterprint', (told) => told.stopImmediatePropagation(), {once: true})"
    )
    page.evaluate(stays)
    page.get_by_label("Save", exact=True).select_option("pdf")
    page.locator("body > .emx-paper").wait_for(state="attached")
    expect(page).to_have_title(re.compile("^Iris-flowers-gaussian-mixture.*-E-step-"))
    content = page.pdf(path=folder / "picture.pdf", prefer_css_page_size=True)
    expect(page.locator(".emx-paper")).to_have_count(0)
    assert b"/Subtype /Image" not in content and b"/Font" in content
    assert re.findall(rb"/Count (\d+)", content) == [b"1"]
    if shutil.which("pdftotext"):
        said = run("pdftotext", folder / "picture.pdf", "-").decode()
        for words in (
            "Iris flowers: Gaussian mixture",
            "seed 0. At E-step",
            "KL gap",
            "component 3",
        ):
            assert words in said


def test_a_lesson_in_one_file_is_taken_without_a_network_by_keyboard(
    visitors: Visitors, tmp_path: Path
) -> None:
    """It needs no app: what is in the file is all there is."""
    question = {
        "asked": "Which?",
        "choices": ["<i>this</i>", "that"],
        "answer": "that",
        "why": "So.",
    }
    steps = [
        {"page": "", "link": "v=1&f=2&hc=1", "text": "**First** <b>step</b>"},
        {"page": "local_optima", "link": "v=1", "text": "Second", "question": question},
        {"page": "", "link": "v=1", "text": "Third"},
    ]
    whole = {"title": "Ours </title>", "about": "All of it", "minutes": 5, "steps": steps}
    lesson, _ = read_own(written(whole))
    payload = pack(demo_picture(60, n_components=2, n_iterations=6, n_columns=2))
    shots = [Shot(payload, View(hidden=True), 2), Shot(payload, View(), None), None]
    path = tmp_path / "lesson.html"
    path.write_bytes(lesson_page(lesson, shots))
    assert path.stat().st_size < 10e6
    alone = visitors.open(offline=True, keep=False)
    requests = []
    alone.on("request", lambda request: requests.append(request.url))
    alone.goto(path.as_uri())
    root, body = alone.locator(".emx"), alone.locator("main")
    expect(alone.locator(".emx[data-axes=drawn][data-frame='2']")).to_be_visible()
    expect(body).to_contain_text("**First** <b>step</b>")
    expect(body).to_contain_text("Where will mean")
    alone.keyboard.press("ArrowRight")
    expect(root).to_have_attribute("data-frame", "3")
    alone.keyboard.press("Control+Enter")
    expect(body).to_contain_text("Step 2 of 3")
    expect(body).to_contain_text("this step is on the page “Local optima”")
    expect(alone.locator(".emx[data-axes=drawn]:not([data-frame='2'])")).to_be_visible()
    alone.get_by_label("<i>this</i>").focus()
    alone.keyboard.press("Space")
    expect(body).to_contain_text("Not quite")
    alone.keyboard.press("ArrowDown")
    expect(body).to_contain_text("Yes. So.")
    alone.keyboard.press("Control+Enter")
    expect(body).to_contain_text("It has no picture here.")
    expect(root).to_have_count(0)
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []
    visitors.problems[:] = [p for p in visitors.problems if "file://" not in p]


def test_where_a_lesson_was_made_into_a_file_no_empty_sidebar_stays(app: str, page: Page) -> None:
    follow(page, f"{app}/?v=1&e=faithful&k=2")
    page.get_by_role("button", name="Add to lesson").click()
    page.get_by_role("link", name="Lessons").click()
    page.get_by_label("What step 1 says").fill("Look.")
    page.keyboard.press("Tab")
    offered = page.get_by_role("button", name="Save as one HTML file")
    expect(offered).to_have_count(len(lessons()) + 1)
    offered.last.click()
    done = page.get_by_role("button", name="Download the HTML file")
    expect(done).to_be_visible(timeout=60_000)
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()


def test_on_paper_no_column_of_a_report_is_cut_off(page: Page) -> None:
    """A table of all models has the most columns, and paper does not scroll."""
    names = ["classes", "reached by", "status", "converged", "parameters", "rows a parameter"]
    names += ["log-likelihood (nats)", "BIC", "AIC", "SABIC", "CAIC", "AIC3", "smallest share"]
    row = ["4", "10 of 10 starts", "unconverged", "no", *[f"{MINUS}12,706.94"] * 9]
    frame = pd.DataFrame([row] * 3, columns=names)
    page.set_viewport_size({"width": 720, "height": 1000})  # of A4, less its margins
    page.set_content(report("Report", [("How many", [Grid(frame, "All", index=False)])]).decode())
    page.emulate_media(media="print")
    wide = "table => [table.scrollWidth, table.parentElement.clientWidth]"
    needed, there = page.locator("table").evaluate(wide)
    assert needed <= there


def test_a_report_is_pasted_with_its_tables_and_pictures(visitors: Visitors) -> None:
    """Into whatever takes what a browser copies, as programs that write documents do."""
    frame = pd.DataFrame({"class": ["one", "two"], "share": ["0.4", "0.6"]})
    drawn = svg(['<rect width="40" height="20" fill="#334"/>'], 120, "A <title>")
    page = visitors.open(keep=False)
    page.set_content(report("R", [("S", [Grid(frame, "Shares"), Drawing(drawn, "")])]).decode())
    page.keyboard.press("Control+A")
    page.keyboard.press("Control+C")
    page.set_content("<div contenteditable style='min-height: 3rem'></div>")
    there = page.locator("[contenteditable]")
    there.focus()
    page.keyboard.press("Control+V")
    expect(there.locator("tbody td")).to_have_text(["one", "0.4", "two", "0.6"])
    picture = there.get_by_role("img", name="A <title>")
    expect(picture).to_be_visible()
    page.wait_for_function("[...document.images].every(image => image.naturalWidth > 100)")
