"""A link shows elsewhere what it showed here, or says why not."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from pages.ui.sharing import store
from support.browser import ROOT, Visitors, idle, serve
from support.explore import STATUS, follow, ready, status
from support.sharing import CLIPBOARD, bring, copied, rows, share, shared_table

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
    receiver.reload()
    ready(receiver)
    assert status(receiver) == status(sender)


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


def test_a_larger_table_is_stored_on_request_and_deleted_at_once(
    app: str, visitors: Visitors
) -> None:
    sender, receiver = visitors.open(permissions=CLIPBOARD), visitors.open()
    shared_table(sender, app)
    link = copied(sender, "Copy this link")
    sender.keyboard.press("Escape")
    expect(sender.get_by_text("The table is stored on this server for those")).to_be_visible()
    follow(receiver, link)
    assert status(receiver) == status(sender)
    expect(receiver.get_by_text("mine.csv: 400 rows, 2 columns")).to_be_visible()
    share(sender)
    sender.get_by_role("button", name="Delete it now").click()
    expect(sender.get_by_role("button", name="Store the table")).to_be_visible()
    expect(sender).not_to_have_url(re.compile("sh="))
    sender.keyboard.press("Escape")
    expect(sender.get_by_text("The shared table is deleted: links")).to_be_visible()
    late = visitors.open()
    late.goto(link)
    expect(late.get_by_text(store.GONE)).to_be_visible()


def test_the_owner_link_deletes_from_anywhere(app: str, visitors: Visitors) -> None:
    owner, elsewhere = visitors.open(permissions=CLIPBOARD), visitors.open()
    shared_table(owner, app)
    link, owner_link = copied(owner, "Copy this link"), copied(owner, "Copy owner link")
    assert parse_qs(urlsplit(owner_link).query).keys() == {"own"}
    elsewhere.goto(owner_link)
    elsewhere.get_by_role("button", name="Delete the table").click()
    expect(elsewhere.get_by_text("The shared table is deleted.")).to_be_visible()
    assert "own=" not in elsewhere.url, "it must not be sent on by mistake"
    elsewhere.goto(link)
    expect(elsewhere.get_by_text(store.GONE)).to_be_visible()
    elsewhere.goto(owner_link)
    elsewhere.get_by_role("button", name="Delete the table").click()
    expect(elsewhere.get_by_text("There is no such table")).to_be_visible()


def test_wrong_expired_and_deleted_get_the_same_sentence(app: str, page: Page) -> None:
    kept = store.open_store()
    old = store.Store(str(Path(kept._engine.url.database).parent), kept.quotas, lambda: 1e9)
    deleted = kept.keep(b"deleted", "me", 1)
    kept.delete(deleted.owner_token)
    expired = old.keep(b"expired", "me", 1)
    said = set()
    for token in (deleted.token, expired.token, "wrong", "A" * 24):
        page.goto(f"{app}/?v=1&s=table&sh={token}")
        expect(page.get_by_text(store.GONE)).to_be_visible()
        idle(page)
        said.add(page.get_by_role("alert").first.inner_text())
    assert len(said) == 1


def test_a_link_survives_a_restart_of_the_server(visitors: Visitors, tmp_path: Path) -> None:
    page = visitors.open(permissions=CLIPBOARD, keep=False)
    with serve(ROOT, tmp_path / "log") as url:
        shared_table(page, url)
        link, seen = copied(page, "Copy this link"), status(page)
        page.close()
    later = visitors.open(keep=False)
    with serve(ROOT, tmp_path / "log", port=urlsplit(url).port):
        follow(later, link)
        assert status(later) == seen
        later.close()


def test_another_result_is_told_with_both_numbers(app: str, page: Page) -> None:
    follow(page, app)
    page.wait_for_url(re.compile(r"[?&]r="))
    result = parse_qs(urlsplit(page.url).query)["r"][0]
    assert re.fullmatch(r"-1130\.26\d+_\d+_[\d.]+", result)
    changed = result.replace("-1130.26", "-1130.25")
    follow(page, f"{app}/?v=1&r={changed}")
    said = page.get_by_text("This is not what the link was made with")
    expect(said).to_contain_text("1,130.25")
    expect(said).to_contain_text("1,130.26")
    page.reload()
    expect(said).to_be_visible()
    page.get_by_role("button", name="Next seed").click()
    expect(said).to_have_count(0)
    rounded = result.replace(result.split("_")[0], f"{float(result.split('_')[0]):.11g}")
    follow(page, f"{app}/?v=1&r={rounded}")
    expect(said).to_have_count(0)


@pytest.mark.parametrize(
    "place, key, what",
    [
        ("local_optima?v=1&ns=4", "rr", "of 8 starts"),
        ("model_selection?v=1&kf=1&kt=2&cov2=full&ne=2", "rg", "smallest BIC"),
    ],
)
def test_so_it_is_on_every_page_with_a_result(app: str, page: Page, place, key, what) -> None:
    page.goto(f"{app}/{place}")
    page.wait_for_url(re.compile(rf"[?&]{key}="), timeout=60_000)
    value, count, engine = parse_qs(urlsplit(page.url).query)[key][0].split("_")
    said = page.get_by_text("This is not what the link was made with")
    expect(said).to_have_count(0)
    page.goto(f"{app}/{place}&{key}={float(value) - 1}_{count}_{engine}")
    expect(said).to_contain_text(what, timeout=60_000)
    expect(said).to_contain_text(f"{float(value):,.2f}".replace("-", "\N{MINUS SIGN}"))


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


LINKS_OF_OLD = {
    # As they were written when the format was new: they must go on working.
    "?v=1&e=iris&k=3&cov=tied&seed=7&f=12&col=certainty": r"iris|Iris",
    "?v=1&s=generate&g=overlapping&n=300&tk=4&ds=5&k=4&c=x1%2Cx2": r"300 rows",
    "?v=1&s=table&fp=9f2b": r"Upload the same table",
}


@pytest.mark.parametrize("link", LINKS_OF_OLD)
def test_links_of_old_go_on_working(app: str, page: Page, link: str) -> None:
    page.goto(f"{app}/{link}")
    expect(page.get_by_text(re.compile(LINKS_OF_OLD[link])).first).to_be_visible()
    idle(page)
    expect(page.get_by_text("does not know")).to_have_count(0)
    expect(page.get_by_text("so the usual")).to_have_count(0)


def test_a_damaged_table_in_a_link_is_said(app: str, page: Page) -> None:
    page.goto(f"{app}/?v=1&s=table&t=ABCD")
    expect(page.get_by_text("The table in this link is damaged")).to_be_visible()
    page.get_by_text("Example", exact=True).first.click()
    ready(page)
    expect(page.get_by_text(STATUS).first).to_be_visible()
