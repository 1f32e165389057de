"""A table of one's own is there after a reload, and nobody else has it."""

import random
from contextlib import closing

import pytest
import requests

from support.visitor import Visitor

pytestmark = pytest.mark.slow

LOAD_IT = "not in the link"
NAME = "reload.csv"


def rows() -> bytes:
    """More than a link carries."""
    draw = random.Random(0)
    lines = [f"{draw.random()},{draw.random()},{i % 2 + 1}" for i in range(3_000)]
    return "\n".join(["x,y,z", *lines]).encode()


def browser(url: str) -> str:
    """What a browser that asks for a page is told to say from then on."""
    answer = requests.get(url, headers={"Accept": "text/html,*/*"})
    (told,) = (c for c in answer.headers["Set-Cookie"].split(", ") if c.startswith("em_explorer"))
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= {*told.split("; ")}
    cookie = told.partition(";")[0]
    again = requests.get(url, headers={"Accept": "text/html", "Cookie": cookie})
    assert "em_explorer" not in again.headers.get("Set-Cookie", "")
    assert "em_explorer" not in requests.get(f"{url}/_stcore/health").headers.get("Set-Cookie", "")
    return cookie


def brought(url: str, cookie: str) -> Visitor:
    visitor = Visitor(url, "v=1&s=table&m=gaussian-mixture&k=1", cookie=cookie)
    visitor.upload("Upload a table", NAME, rows())
    visitor.settle()
    assert LOAD_IT not in visitor.said and "too large for the link" in visitor.said
    return visitor


def test_a_reload_keeps_the_table_and_its_file_and_nobody_else_gets_them(app: str) -> None:
    mine, other = browser(app), browser(app)
    assert mine != other
    visitor = brought(app, mine)
    link = visitor.written
    visitor.close()
    with closing(Visitor(app, link, cookie=mine)) as reloaded:
        reloaded.settle()
        assert f"In use: {NAME}" in reloaded.said and LOAD_IT not in reloaded.said
        reloaded.open("Change how the file is read")
        reloaded.enter("Last row: line", 2_001)
        reloaded.settle()
        assert "2,000 rows" in reloaded.said
        changed = reloaded.written
    # And after one more, with what was changed.
    with closing(Visitor(app, changed, cookie=mine)) as again:
        again.settle()
        assert "2,000 rows" in again.said and LOAD_IT not in again.said
    for cookie in (other, "", "em_explorer_browser="):
        with closing(Visitor(app, link, cookie=cookie)) as stranger:
            stranger.settle()
            assert LOAD_IT in stranger.said and f"In use: {NAME}" not in stranger.said
    # Nor does another window of the same browser that was not told of it.
    with closing(Visitor(app, "v=1&s=table", cookie=mine)) as window:
        assert f"In use: {NAME}" not in window.said
