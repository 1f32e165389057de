"""The frame around the pages, in a real browser: the link, the history, the settings."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from pages.ui.state.shell import SECONDS_UNTIL_HEARD, STYLE
from pages.ui.tables.writing import as_html
from support.browser import ROOT, Visitors, idle, serve
from support.small_app import build_small_app

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def small_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real front door and frame around two small pages, whatever the real pages are."""
    folder = tmp_path_factory.mktemp("small-app")
    build_small_app(folder)
    with serve(folder, folder / "log") as url:
        yield url


def expect_query(page: Page, query: dict[str, str]) -> None:
    """The address is written a moment after the page: wait for it."""
    page.wait_for_function(
        "query => JSON.stringify([...new URLSearchParams(location.search)].sort()) === query",
        arg=json.dumps(sorted(map(list, query.items())), separators=(",", ":")),
    )


def components(page: Page):
    return page.get_by_label("Components", exact=True)


def choose_components(page: Page, count: int) -> None:
    components(page).fill(str(count))
    components(page).press("Enter")
    expect(page).to_have_url(re.compile(rf"[?&]k={count}(&|$)"))
    idle(page)


def open_at(page: Page, url: str, title: str = "The first page") -> None:
    page.goto(url)
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    idle(page)


def test_settings_live_in_the_address_and_survive_a_reload(small_app: str, page: Page) -> None:
    open_at(page, f"{small_app}/?v=1")
    expect_query(page, {"v": "1"})
    choose_components(page, 5)
    page.get_by_role("button", name="Next seed").click()
    expect(page).to_have_url(re.compile("seed=1"))
    expect_query(page, {"v": "1", "k": "5", "seed": "1"})
    page.reload()
    expect(components(page)).to_have_value("5")
    expect(page.get_by_label("Seed", exact=True)).to_have_value("1")


def test_a_change_costs_one_run(small_app: str, page: Page) -> None:
    open_at(page, f"{small_app}/?v=1")
    choose_components(page, 5)
    expect(page.get_by_text("run 2", exact=True)).to_be_visible()
    page.get_by_role("button", name="Next frame").click()
    expect(page).to_have_url(re.compile("f=1"))
    expect(page.get_by_text("run 2", exact=True)).to_be_visible()


def test_frames_add_no_steps_to_the_history(small_app: str, page: Page) -> None:
    open_at(page, f"{small_app}/?v=1")
    choose_components(page, 5)
    steps = page.evaluate("history.length")
    for frame in (1, 2, 3):
        page.get_by_role("button", name="Next frame").click()
        expect(page).to_have_url(re.compile(f"f={frame}"))
    assert page.evaluate("history.length") == steps
    page.reload()
    expect(page.get_by_text("frame 3", exact=True)).to_be_visible()


def test_back_and_forward(small_app: str, page: Page) -> None:
    open_at(page, f"{small_app}/?v=1")
    choose_components(page, 5)
    choose_components(page, 7)
    page.go_back()
    expect(components(page)).to_have_value("5")
    page.go_back()
    expect(components(page)).to_have_value("2")
    page.go_forward()
    expect(components(page)).to_have_value("5")
    idle(page)
    choose_components(page, 9)
    page.go_back()
    expect(components(page)).to_have_value("5")


def test_settings_survive_a_change_of_page_and_the_way_back(small_app: str, page: Page) -> None:
    open_at(page, f"{small_app}/?v=1")
    choose_components(page, 5)
    page.get_by_role("button", name="Next frame").click()
    expect(page).to_have_url(re.compile("f=1"))
    page.get_by_role("link", name="second").click()
    expect(page.get_by_role("heading", name="The second page")).to_be_visible()
    expect(components(page)).to_have_value("5")
    expect(page).to_have_url(re.compile(r"/second\?v=1&k=5&f=1"))
    idle(page)
    choose_components(page, 6)
    page.go_back()
    expect(components(page)).to_have_value("5")
    expect(page.get_by_role("heading", name="The second page")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="The first page")).to_be_visible()
    expect(components(page)).to_have_value("5")


def test_the_link_opens_the_same_elsewhere(small_app: str, visitors: Visitors) -> None:
    sender, receiver = visitors.open(), visitors.open()
    open_at(sender, small_app)
    choose_components(sender, 8)
    sender.get_by_role("button", name="Next frame").click()
    expect(sender).to_have_url(re.compile("f=1"))
    open_at(receiver, sender.url)
    expect(components(receiver)).to_have_value("8")
    expect(receiver.get_by_text("frame 1", exact=True)).to_be_visible()
    assert receiver.url == sender.url


def test_two_quick_changes_both_stay(small_app: str, page: Page) -> None:
    """The second is asked for while the first is still running, with the address from before it."""
    open_at(page, f"{small_app}/?v=1")
    page.get_by_role("button", name="Next seed").click()
    components(page).fill("6")
    components(page).press("Enter")
    page.get_by_role("button", name="Next seed").click()
    expect(page).to_have_url(re.compile(r"v=1&k=6&seed=2"))
    expect(page.get_by_label("Seed", exact=True)).to_have_value("2")


def test_a_change_the_browser_has_not_heard_of_stays(small_app: str, page: Page) -> None:
    """The browser names the seed it knows with the next change, and that is the one before."""
    held: list[bytes] = []
    browsers: list[WebSocketRoute] = []
    holding = False

    def connect(browser: WebSocketRoute) -> None:
        server = browser.connect_to_server()
        browser.on_message(server.send)
        server.on_message(lambda said: held.append(said) if holding else browser.send(said))
        browsers.append(browser)

    def await_held(words: bytes) -> None:
        deadline = time.monotonic() + 30
        while not any(words in said for said in held):
            assert time.monotonic() < deadline, f"the server never said {words}"
            page.wait_for_timeout(10)

    page.route_web_socket(re.compile("_stcore/stream"), connect)
    open_at(page, f"{small_app}/?v=1")
    holding = True
    page.get_by_role("button", name="Next seed").click()
    await_held(b"setting seed")
    components(page).fill("6")
    components(page).press("Enter")
    await_held(b"k=6")
    holding = False
    for said in held:
        browsers[-1].send(said)
    expect(page).to_have_url(re.compile(r"v=1&k=6&seed=1"))
    expect(page.get_by_label("Seed", exact=True)).to_have_value("1")
    # Taken back by hand, later, the same value counts.
    idle(page)
    page.wait_for_timeout(1000 * SECONDS_UNTIL_HEARD)
    page.get_by_label("Seed", exact=True).fill("0")
    page.get_by_label("Seed", exact=True).press("Enter")
    expect_query(page, {"v": "1", "k": "6"})


POLLING = """
def poll(live):
    st.session_state["polls"] = st.session_state.get("polls", 0) + 1
    if live and st.session_state["polls"] > 3:
        st.rerun()

live = st.session_state.get("polls", 0) < 3
st.fragment(poll, run_every=0.05 if live else None)(live)
"""


def test_widgets_show_the_settings_where_runs_overtake_the_browser(
    visitors: Visitors, tmp_path: Path
) -> None:
    """As at the end of a short live fit. Streamlit says a widget's value in its first message."""
    build_small_app(tmp_path)
    path = tmp_path / "pages/first.py"
    path.write_text(path.read_text().replace("time.sleep(0.3)", POLLING))
    page = visitors.open(keep=False)
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 8})
    with serve(tmp_path, tmp_path / "log") as url:
        page.goto(f"{url}/?v=1&k=5&cov=tied&seed=7&c=d&x=d")
        expect(page.get_by_text("run 2", exact=True)).to_be_visible(timeout=60_000)
        expect(components(page)).to_have_value("5")
        expect(page.get_by_label("Seed", exact=True)).to_have_value("7")
        page.close()  # before its server goes


def test_markup_in_a_link_stays_text(small_app: str, page: Page) -> None:
    payload = "![x](http://example.com/x.png)<img src=x onerror=alert(1)>"
    open_at(page, f"{small_app}/?cov={payload}&{payload}=1&embed_options=show_padding")
    expect(page.get_by_role("alert")).to_contain_text("the value given is not one of full")
    expect(page.get_by_role("alert").locator("a, img")).to_have_count(0)
    expect_query(page, {"v": "1", "embed_options": "show_padding"})  # that is Streamlit's


def test_copy_link(small_app: str, visitors: Visitors) -> None:
    page = visitors.open(permissions=["clipboard-read", "clipboard-write"])
    open_at(page, small_app + "/?v=1&k=3")
    button = page.get_by_role("button", name="Copy link")
    button.click()
    expect(page.get_by_role("status").filter(has_text="Link copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    choose_components(page, 4)
    button.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Link copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_copy_link_where_the_browser_forbids_it(small_app: str, visitors: Visitors) -> None:
    page = visitors.open(keep=False)
    page.add_init_script(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined});"
        "document.execCommand = () => false;"
    )
    open_at(page, small_app + "/?v=1&k=3")
    page.get_by_role("button", name="Copy link").click()
    field = page.get_by_label("Link to this view")
    expect(field).to_have_value(page.url)
    expect(field).to_be_focused()


def test_settings_and_frame_survive_a_restart_of_the_server(
    visitors: Visitors, tmp_path: Path
) -> None:
    """In a tab that stays open: Streamlit reconnects by itself."""
    build_small_app(tmp_path)
    page = visitors.open()
    with serve(tmp_path, tmp_path / "log") as url:
        open_at(page, f"{url}/?v=1")
        choose_components(page, 5)
        page.get_by_role("button", name="Next frame").click()
        expect(page).to_have_url(re.compile("f=1"))
        idle(page)
    with serve(tmp_path, tmp_path / "log", port=urlsplit(url).port):
        # The new server's first, or the next where the browser was slow to tell what it had.
        expect(page.get_by_text(re.compile("^run [12]$"))).to_be_visible(timeout=30_000)
        expect(page.get_by_text("frame 1", exact=True)).to_be_visible()
        expect(components(page)).to_have_value("5")
        expect_query(page, {"v": "1", "k": "5", "f": "1"})
        visitors.problems.clear()  # of the time without a server
        page.close()


def test_what_streamlit_shows_by_itself_while_a_page_is_made(
    tmp_path: Path, visitors: Visitors
) -> None:
    """No list of files, and no Stop that would leave half a page."""
    page = visitors.open(keep=False)
    page.add_init_script(
        """window.listed = false;
        new MutationObserver(() => {
          window.listed ||= Boolean(document.querySelector("[data-testid=stSidebarNav]"));
        }).observe(document, { subtree: true, childList: true });"""
    )
    with serve(ROOT, tmp_path / "log") as url:
        page.goto(f"{url}/lower_bound?v=1&s=generate&g=separated&n=1000000&tc=8&it=2")
        page.wait_for_function(
            """() => {
              const stop = document.querySelector("[data-testid=stStatusWidget] button");
              return stop && getComputedStyle(stop).display === "none";
            }"""
        )
        expect(page.get_by_role("heading", name="The bound")).to_be_visible()
        assert not page.evaluate("window.listed")
        page.close()


def test_what_a_table_is_called_leaves_its_numbers_room_on_a_phone(visitors: Visitors) -> None:
    """Long names of lines are wrapped, short ones take no more than they need, and a caption is in
    sight as a whole."""
    names = ["mean of How_often_have_you_been_here_in_the_last_twelve_months", "share of the rows"]
    caption = "Each component by itself, in the units of the table as it was brought along"
    tables = [
        as_html(pd.DataFrame({"one": [1.5] * 2, "two": 2.5}, index=lines), words, True)
        for lines, words in ((names, caption), (["a", "b"], "Rows"))
    ]
    page = visitors.open(width=390, keep=False)
    page.set_content(f"<style>{STYLE.read_text()}</style>{''.join(tables)}")
    for table in page.locator(".table").all():
        assert table.evaluate("table => table.scrollWidth <= table.clientWidth")
    assert page.locator("caption").first.bounding_box()["height"] > 30, "on two lines"
    assert page.locator("th[scope=row]").last.bounding_box()["width"] < 60
