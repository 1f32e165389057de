"""The frame around the pages, on a running app without a browser: the link and what it says."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from support.browser import ROOT, serve
from support.small_app import build_small_app
from support.visitor import Visitor


@pytest.fixture(scope="module")
def small_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("small-app")
    build_small_app(folder)
    with serve(folder, folder / "log") as url:
        yield url


def test_a_first_visit_to_an_inner_page(small_app: str) -> None:
    """On a fresh server, inside the frame."""
    visitor = Visitor(small_app, "v=1&k=4", "second")
    assert "The second page" in visitor.texts and "Share" in visitor.texts
    assert [*visitor.places] == ["", "second"] and visitor.shown("Components") == 4
    visitor.enter("Components", 5)
    assert visitor.shown("Components") == 5 and visitor.written == "v=1&k=5"
    visitor.close()


def test_the_usual_columns_stay_out_of_the_link(small_app: str) -> None:
    visitor = Visitor(small_app)
    assert "columns ('a', 'd') axis a" in visitor.texts and visitor.written == "v=1"
    visitor.choose("Columns", "a", "d", "b, c")
    assert "columns ('a', 'd', 'b, c') axis a" in visitor.texts
    assert dict(parse_qsl(visitor.written)) == {"v": "1", "c": "a,d,b\\, c"}
    again = Visitor(small_app, visitor.written)
    assert "columns ('a', 'd', 'b, c') axis a" in again.texts
    for one in (visitor, again):
        one.close()


def test_a_name_that_is_not_there_gives_way(small_app: str) -> None:
    visitor = Visitor(small_app, "x=height")
    said = "Across: “height” is not among the choices here, so “a” is used."
    assert said in visitor.said and visitor.written == "v=1&x=a"
    other = Visitor(small_app, "c=d,weight")
    assert "columns ('d',) axis d" in other.texts
    assert "Columns: “weight” is not among the choices here." in other.said
    assert other.written == "v=1&c=d"
    for one in (visitor, other):
        one.close()


def test_what_is_wrong_in_a_link_is_said_once(small_app: str) -> None:
    visitor = Visitor(small_app, "v=1&k=99&cov=round&whatever=1&seed=4&embed_options=show_padding")
    for sentence in (
        "Components: 99 is not from 1 to 50, so 50 is used.",
        "Components: 50 is not from 1 to 40, so 40 is used.",
        "Covariance: “round” is not one of full, tied",
        "“whatever”, which EM Explorer does not know",
    ):
        assert sentence in visitor.said
    assert visitor.written == "v=1&k=40&seed=4"
    visitor.click("Dismiss")
    assert "is not one of" not in visitor.said
    again = Visitor(small_app, visitor.written)
    assert "is not one of" not in again.said and "does not know" not in again.said
    for one in (visitor, again):
        one.close()


def test_a_first_start_has_nothing_to_warn_of(tmp_path: Path) -> None:
    """Nor has the first visit to a fresh clone."""
    for name in ("em_core", "pages", ".streamlit"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "dashboard.py", tmp_path)
    with serve(tmp_path, tmp_path / "log") as url:
        visitor = Visitor(url, "")
        visitor.settle()
        assert "Log-likelihood" in visitor.texts
        visitor.close()
    assert "warn" not in (tmp_path / "log").read_text().lower()
