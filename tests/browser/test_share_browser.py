"""A link shows elsewhere what it showed here, or says why not."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from pages.ui.sharing import store
from support.browser import Visitors, idle
from support.explore import follow, ready, status
from support.sharing import CLIPBOARD, bring, copied, rows, share, shared_table, store_table
from support.visitor import Visitor

pytestmark = pytest.mark.browser


def test_a_small_table_travels_in_the_link(app: str, visitors: Visitors) -> None:
    sender, receiver = visitors.open(permissions=CLIPBOARD), visitors.open()
    bring(sender, app, rows(50))
    sender.keyboard.press("Escape")
    link = copied(sender, "Copy link")
    assert len(link) < 2_000
    follow(receiver, link)
    assert status(receiver) == status(sender)
    expect(receiver.get_by_text("mine.csv: 50 rows, 2 columns")).to_be_visible()
    expect(receiver.get_by_text("The table is in the link")).to_be_visible()
    assert receiver.url == link
    again = elsewhere(app, receiver.url)
    assert status(sender) in again.said
    again.close()


def elsewhere(app: str, link: str) -> Visitor:
    """Who follows a link, without a browser."""
    visitor = Visitor(app, urlsplit(link).query)
    visitor.settle()
    return visitor


def test_other_data_leaves_the_table_out_of_the_link_and_back_brings_it(
    app: str, page: Page
) -> None:
    bring(page, app, rows(50))
    with_table = status(page)
    page.get_by_text("Example", exact=True).first.click()
    page.wait_for_url(lambda url: "t=" not in url and "fp=" not in url)
    ready(page)
    page.get_by_text("Table", exact=True).click()
    page.wait_for_url(re.compile(r"[?&]t="))
    ready(page)
    assert status(page) == with_table


def test_a_larger_table_is_stored_on_request_and_deleted_at_once_or_from_anywhere(
    app: str, visitors: Visitors
) -> None:
    sender = visitors.open(permissions=CLIPBOARD)
    shared_table(sender, app)
    link = copied(sender, "Copy this link")
    sender.keyboard.press("Escape")
    expect(sender.get_by_text("The table is stored on this server for those")).to_be_visible()
    receiver = elsewhere(app, link)
    assert status(sender) in receiver.said
    assert "mine.csv: 400 rows, 2 columns" in receiver.said
    receiver.close()
    share(sender)
    sender.get_by_role("button", name="Delete it now").click()
    expect(sender.get_by_role("button", name="Store the table")).to_be_visible()
    expect(sender).not_to_have_url(re.compile("sh="))
    sender.keyboard.press("Escape")
    expect(sender.get_by_text("The shared table is deleted: links")).to_be_visible()
    is_gone(app, link)

    # Once more, and from anywhere by the link of its owner.
    share(sender)
    store_table(sender)
    link, owner_link = copied(sender, "Copy this link"), copied(sender, "Copy owner link")
    assert parse_qs(urlsplit(owner_link).query).keys() == {"own"}
    owner = visitors.open()
    owner.goto(owner_link)
    owner.get_by_role("button", name="Delete the table").click()
    expect(owner.get_by_text("The shared table is deleted.")).to_be_visible()
    assert "own=" not in owner.url, "it must not be sent on by mistake"
    is_gone(app, link)
    late = elsewhere(app, owner_link)
    late.press("Delete the table")
    assert "There is no such table" in late.said
    late.close()


def is_gone(app: str, link: str) -> None:
    late = elsewhere(app, link)
    assert store.GONE in late.said
    late.close()


@pytest.mark.parametrize("path", ["", "local_optima"])
def test_a_teacher_can_hide_the_controls_and_embed(app: str, visitors: Visitors, path: str) -> None:
    page = visitors.open(permissions=CLIPBOARD)
    page.goto(f"{app}/{path}?v=1&e=iris&k=3&ns=4")
    expect(page.get_by_role("button", name="Share")).to_be_visible()
    idle(page)
    share(page)
    for words in ("Without the controls", "For embedding in another page"):
        page.get_by_role("dialog").get_by_label(words).check()
    link = copied(page, "Copy this link")
    assert parse_qs(urlsplit(link).query).items() >= {"bare": ["1"], "embed": ["true"]}.items()
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
    pupil = visitors.open()
    pupil.goto(link)
    expect(pupil.get_by_role("heading", level=1)).to_be_visible()
    idle(pupil)
    expect(pupil.get_by_test_id("stSidebar")).to_be_hidden()
    expect(pupil.get_by_role("button", name="Share")).to_have_count(0)
    pupil.get_by_role("button", name="Show the controls").click()
    expect(pupil.get_by_test_id("stSidebar")).to_be_visible()


def test_a_dialog_stays_open_when_a_search_ends_behind_it(app: str, visitors: Visitors) -> None:
    page = visitors.open(permissions=CLIPBOARD)
    page.goto(f"{app}/local_optima?v=1&e=wreath&k=10&ns=40")
    page.get_by_role("button", name="Share").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Without the controls").check()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0, timeout=90_000)
    idle(page)
    expect(dialog.get_by_label("Without the controls")).to_be_checked()
    assert parse_qs(urlsplit(copied(page, "Copy this link")).query)["bare"] == ["1"]
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.goto(f"{app}/model_selection?v=1&e=iris")
    page.get_by_role("button", name="Methods").click()
    expect(dialog).to_contain_text("How every number on these pages is worked out")
    expect(page.get_by_role("button", name="Stop")).to_have_count(0, timeout=90_000)
    idle(page)
    expect(dialog).to_be_visible()


RACE = "local_optima?v=1&e=iris&k=3&ns=4&ps=k-means%2B%2B&pk=0&rs=k-means%2B%2B&rk=1"


@pytest.mark.parametrize(("path", "what"), [("?v=1&e=iris&k=3", "player"), (RACE, "race")])
def test_a_frame_of_another_page_shows_the_player_only(
    app: str, visitors: Visitors, path: str, what: str
) -> None:
    page = visitors.open(permissions=CLIPBOARD)
    page.goto(f"{app}/{path}")
    expect(page.locator(".emx[data-axes]")).to_be_visible()
    idle(page)
    share(page)
    frame = copied(page, f"Copy a frame with the {what} only")
    reader = visitors.open(keep=False)
    reader.route("**/course", lambda route: route.fulfill(body=frame, content_type="text/html"))
    reader.goto(f"{app}/course")
    root = reader.frame_locator("iframe").locator(".emx")
    for width in (900, 700):
        reader.set_viewport_size({"width": width, "height": 600})
        expect(root).to_have_attribute("data-axes", "drawn")
        reader.wait_for_function(FILLED)
    expect(reader.frame_locator("iframe").get_by_test_id("stSidebar")).to_be_hidden()
    reader.close()


# The player takes its frame, and its panels and what is below them all of the player.
FILLED = """() => {
    const page = document.querySelector('iframe').contentDocument;
    const box = (part) => page.querySelector(part).getBoundingClientRect();
    const [width, height] = [page.documentElement.clientWidth, page.documentElement.clientHeight];
    const seen = box('.emx'), panels = box('.emx-panels'), buttons = box('.emx-transport');
    return seen.width === width && seen.height === height && panels.top < 20
        && panels.height > 0.65 * height
        && buttons.bottom <= height && buttons.bottom > height - 20;
}"""
