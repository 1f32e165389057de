"""Pictures and animations to take away, made by a real browser."""

import io
import json
import re
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from em_core import Gaussian, Mixture, fit
from em_core.datasets import load
from pages.ui.text import MINUS, nats
from support.browser import Visitors
from support.explore import follow
from support.pictures import saved, shapes

pytestmark = pytest.mark.browser


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
        "Old-Faithful-one-after-another-gaussian-hmm-full-2-states-seed-0-E-step-9",
        "Old Faithful, one after another: Hidden Markov model, 2 states, full",
        "Start: k-means++, seed 0. At E-step 9 of 9.",
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
    # Both show the same: twice as many pixels, or as many as one asks for.
    page.set_content(f"<style>body {{ margin: 0 }}</style>{svg.read_text()}")
    shot = page.locator("body > svg").screenshot()
    with Image.open(png) as picture, Image.open(io.BytesIO(shot)) as drawn:
        assert picture.size == tuple(2 * side for side in drawn.size)
        small = picture.convert("RGB").resize(drawn.size, Image.Resampling.BOX)
        difference = np.abs(np.asarray(small, float) - np.asarray(drawn.convert("RGB"), float))
    assert difference.mean() < 6  # letters differ


def test_what_is_beyond_the_axis_of_the_bound_is_told_at_its_edge(
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


def test_the_animation_holds_every_half_step(app: str, page: Page, tmp_path: Path) -> None:
    follow(page, f"{app}/?v=1&e=iris&k=3&f=4")
    last = int(page.get_by_role("slider", name="Half-step").get_attribute("max"))
    path = saved(page, "gif", tmp_path)
    assert path.name == "Iris-flowers-gaussian-mixture-full-3-components-seed-0.gif"
    with Image.open(path) as animation:
        assert animation.n_frames == last + 1
        assert animation.info["loop"] == 0 and colours(animation) > 50
        pictures = []
        for frame in (0, last // 2, last):
            animation.seek(frame)
            pictures.append(animation.convert("RGB").tobytes())
        assert len(set(pictures)) == 3
    assert page.locator(".emx").get_attribute("data-frame") == "4"


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
    expect(alone.locator(".emx[data-axes=drawn][data-frame='0']")).to_be_visible()
    alone.get_by_role("button", name="End", exact=True).click()
    expect(alone.locator(".emx")).not_to_have_attribute("data-frame", "0")
    expect(alone.get_by_role("button", name="Late progress")).to_have_attribute(
        "aria-pressed", "true"
    )
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []
    visitors.problems[:] = [p for p in visitors.problems if "file://" not in p]
