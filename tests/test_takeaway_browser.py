"""Pictures and animations to take away, made by a real browser."""

import re
from pathlib import Path

import pytest
from browser import Visitors
from PIL import Image
from playwright.sync_api import Page, expect
from test_explore_browser import follow

pytestmark = pytest.mark.browser


def saved(page: Page, kind: str, folder: Path) -> Path:
    with page.expect_download(timeout=60_000) as waiting:
        page.get_by_label("Save", exact=True).select_option(kind)
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def colours(picture: Image.Image) -> int:
    return len(picture.convert("RGB").resize((200, 120)).getcolors(200 * 120))


def test_pictures_of_what_is_on_screen(app: str, page: Page, tmp_path: Path) -> None:
    follow(page, f"{app}/?v=1&e=iris&k=3&f=4")
    with Image.open(saved(page, "png", tmp_path)) as picture:
        assert picture.format == "PNG" and picture.width > 1200 and colours(picture) > 50
    drawn = saved(page, "svg", tmp_path).read_text()
    assert "M-step 2" in drawn or "E-step 2" in drawn
    page.set_content(drawn)
    expect(page.locator("svg image")).to_have_count(4)


def test_the_animation_holds_every_half_step(app: str, page: Page, tmp_path: Path) -> None:
    follow(page, f"{app}/?v=1&e=iris&k=3&f=4")
    last = int(page.get_by_role("slider", name="Half-step").get_attribute("max"))
    with Image.open(saved(page, "gif", tmp_path)) as animation:
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
