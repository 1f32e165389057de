"""What a link brings, on the running app without a browser: the same result, or the reason."""

import os
import re
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from pages.ui import environment
from pages.ui.sharing import store
from pages.ui.text import MINUS
from support.browser import ROOT, serve
from support.explore import STATUS
from support.postgres import cluster
from support.sharing import rows
from support.visitor import Visitor

NOT_THE_SAME = "This is not what the link was made with"


def opened(app: str, query: str, page: str = "") -> Visitor:
    visitor = Visitor(app, query, page)
    visitor.settle()
    return visitor


def link(visitor: Visitor) -> dict[str, list[str]]:
    """The settings that the address was last told."""
    return parse_qs(re.findall(rb"v=1[\w=&%.,+-]*", visitor.received)[-1].decode())


def test_wrong_expired_and_deleted_get_the_same_sentence(app: str) -> None:
    kept = store.open_store()
    old = store.Store(os.environ[environment.STORE], kept.quotas, lambda: 1e9)
    deleted = kept.keep(b"deleted", "me", 1)
    kept.delete(deleted.owner_token)
    expired = old.keep(b"expired", "me", 1)
    said = set()
    for token in (deleted.token, expired.token, "wrong", "A" * 24):
        visitor = opened(app, f"v=1&s=table&sh={token}")
        assert store.GONE in visitor.said
        said.add(visitor.said)
        visitor.close()
    assert len(said) == 1


def test_another_result_is_told_with_both_numbers(app: str) -> None:
    first = opened(app, "v=1")
    (result,) = link(first)["r"]
    first.close()
    assert re.fullmatch(r"-1130\.26\d+_\d+_[\d.]+", result)
    visitor = opened(app, f"v=1&r={result.replace('-1130.26', '-1130.25')}")
    sentence = visitor.said[visitor.said.index(NOT_THE_SAME) :].split("\n")[0]
    assert "1,130.25" in sentence and "1,130.26" in sentence
    visitor.click("Next seed")
    visitor.settle()
    assert NOT_THE_SAME not in visitor.said
    visitor.close()
    rounded = result.replace(result.split("_")[0], f"{float(result.split('_')[0]):.11g}")
    visitor = opened(app, f"v=1&r={rounded}")
    assert STATUS.search(visitor.said) and NOT_THE_SAME not in visitor.said
    visitor.close()


@pytest.mark.parametrize(
    "page, query, key, what",
    [
        ("local_optima", "v=1&ns=4", "rr", "of 8 starts"),
        ("model_selection", "v=1&kf=1&kt=2&cov2=full&ne=2", "rg", "smallest BIC"),
    ],
)
def test_so_it_is_on_every_page_with_a_result(app: str, page, query, key, what) -> None:
    visitor = opened(app, query, page)
    value, count, engine = link(visitor)[key][0].split("_")
    assert NOT_THE_SAME not in visitor.said
    visitor.close()
    visitor = opened(app, f"{query}&{key}={float(value) - 1}_{count}_{engine}", page)
    sentence = visitor.said[visitor.said.index(NOT_THE_SAME) :].split("\n")[0]
    assert what in sentence and f"{float(value):,.2f}".replace("-", MINUS) in sentence
    visitor.close()


LINKS_OF_OLD = {
    # As they were written when the format was new: they must go on working.
    "v=1&e=iris&k=3&cov=tied&seed=7&f=12&col=certainty": r"iris|Iris",
    "v=1&s=generate&g=overlapping&n=300&tk=4&ds=5&k=4&c=x1%2Cx2": r"n = 300 rows",
    "v=1&s=table&fp=9f2b": r"Upload the same table",
}


@pytest.mark.parametrize("query", LINKS_OF_OLD)
def test_links_of_old_go_on_working(app: str, query: str) -> None:
    visitor = opened(app, query)
    assert re.search(LINKS_OF_OLD[query], visitor.said)
    assert "does not know" not in visitor.said and "so the usual" not in visitor.said
    visitor.close()


def test_a_damaged_table_in_a_link_is_said(app: str) -> None:
    visitor = opened(app, "v=1&s=table&t=ABCD")
    assert "The table in this link is damaged" in visitor.said
    visitor.switch("Data", "Example")
    visitor.settle()
    assert STATUS.search(visitor.said), "whoever goes on to an example has one"
    visitor.close()


def with_a_stored_table(url: str) -> Visitor:
    """A visitor whose table is too large for a link and was stored on request."""
    visitor = Visitor(url, "v=1&s=table&k=2")
    visitor.upload("Upload a table", "mine.csv", rows(400))
    visitor.settle()
    visitor.click("Share")
    visitor.press("Store the table and complete the link")
    assert "is stored on this server until" in visitor.texts
    visitor.run()
    assert "sh=" in visitor.written
    return visitor


def status(visitor: Visitor) -> str:
    return STATUS.search(visitor.said)[0]


def test_a_link_survives_a_restart_of_the_server(tmp_path: Path) -> None:
    with serve(ROOT, tmp_path / "log") as url:
        visitor = with_a_stored_table(url)
        link, seen = visitor.written, status(visitor)
        visitor.close()
    with serve(ROOT, tmp_path / "log", port=urlsplit(url).port):
        later = opened(url, link)
        assert status(later) == seen
        later.close()


@pytest.mark.postgresql
def test_two_servers_with_one_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder)) as database:
        monkeypatch.setenv(environment.STORE, database)
        with serve(ROOT, tmp_path / "one") as one, serve(ROOT, tmp_path / "other") as other:
            sender = with_a_stored_table(one)
            receiver = opened(other, sender.written)
            assert status(receiver) == status(sender)
            (owner,) = set(re.findall(rb'"own": ?"([\w-]{24,})"', bytes(sender.received)))
            deleting = opened(other, f"own={owner.decode()}")
            deleting.press("Delete the table")
            assert "The shared table is deleted." in deleting.said
            late = opened(one, sender.written)
            assert store.GONE in late.said
            for visitor in (sender, receiver, deleting, late):
                visitor.close()
