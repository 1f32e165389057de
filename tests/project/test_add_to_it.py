"""What README.md and .github/CONTRIBUTING.md say on adding to the tree, carried out on a copy."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.browser import ROOT, serve
from support.visitor import Visitor

GUIDE = (ROOT / ".github/CONTRIBUTING.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
TREE = ("em_core", "pages", "tests", ".streamlit", "dashboard.py", "pyproject.toml")
# So many new files, and other lines, as the README promises.
PROMISED = {
    "A covariance structure": (0, {"em_core/emissions/covariances/structures.py"}),
    "A start": (0, {"em_core/starts/table.py"}),
    "A figure": (1, set()),
    "An emission": (
        2,
        {
            "em_core/__init__.py",
            "pages/ui/families/table.py",
            "tests/support/families_at_hand.py",
        },
    ),
}


def sections() -> dict[str, list[str]]:
    """The blocks of code under each heading of the guide."""
    _, *parts = re.split(r"^## (.*)$", GUIDE, flags=re.MULTILINE)
    blocks = re.compile(r"^```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return {name: blocks.findall(text) for name, text in zip(*[iter(parts)] * 2, strict=True)}


SECTIONS = sections()


def carry_out(block: str, tree: Path) -> None:
    head, _, code = block.partition("\n")
    path, _, how = head.removeprefix("# ").partition(", ")
    place = tree / path
    if not how:
        assert not place.exists(), f"{path} is there already"
        place.write_text(code, encoding="utf-8")
    elif how.startswith("a copy of: "):
        shutil.copy(tree / how.removeprefix("a copy of: "), place)
    else:
        where, _, line = how.partition(": ")
        text = place.read_text(encoding="utf-8")
        assert text.count(f"\n{line}\n") == 1, f"{path} has not one line {line!r}"
        kept = {"below": f"{line}\n", "in place of": ""}[where]
        text = text.replace(f"\n{line}\n", f"\n{kept}{code}")
        place.write_text(text, encoding="utf-8")


def rows() -> list[str]:
    table = README.partition("## Add to it")[2].partition("Start the app again")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ")][1:]
    return [line.split("|")[1].strip().casefold() for line in lines]


def test_the_guide_has_each_row_of_the_readme() -> None:
    headings = {name.casefold() for name in SECTIONS}
    assert len(rows()) >= 10 and [row for row in rows() if row not in headings] == []
    told = {name for name, blocks in SECTIONS.items() if blocks}
    # Its own tests start the app with one: tests/served/test_own_models.py.
    own = "A model of your own, without touching this tree"
    assert set(rows()) == {name.casefold() for name in {*told, own}}


@pytest.mark.parametrize("what", PROMISED)
def test_no_more_is_needed_than_promised(what: str) -> None:
    heads = [block.partition("\n")[0].removeprefix("# ") for block in SECTIONS[what]]
    new, lines = PROMISED[what]
    assert len([head for head in heads if ", " not in head]) == new
    assert {head.partition(", ")[0] for head in heads if ", " in head} == lines


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy with everything added."""
    copy = tmp_path_factory.mktemp("tree")
    for name in TREE:
        if (ROOT / name).is_dir():
            leave = shutil.ignore_patterns("reference")
            shutil.copytree(ROOT / name, copy / name, ignore=leave)
        else:
            shutil.copy(ROOT / name, copy)
    for blocks in SECTIONS.values():
        for block in blocks:
            carry_out(block, copy)
    return copy


def run(tree: Path, *command: str) -> None:
    environment = os.environ | {"PYTHONPATH": f"{tree}{os.pathsep}{tree / 'tests'}"}
    done = subprocess.run(
        [sys.executable, *command], cwd=tree, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_as_tidy_and_typed_as_the_rest(tree: Path) -> None:
    run(tree, "-m", "ruff", "check", "em_core", "pages", "tests/support")
    run(tree, "-m", "ruff", "format", "--check", "em_core", "pages", "tests/support")
    run(tree, "-m", "ty", "check", "--python", sys.prefix)


LAWS = """
import numpy as np
from em_core import Exponential, Gaussian, Mixture, STARTS, check_model
from em_core.datasets import load
from em_core.models.zero_inflated_poisson import ZeroInflatedPoisson
from em_core.variants.table import VARIANTS, run
from pages.ui.state.links import parse, to_query
from pages.ui.state.settings import Settings
from pages.ui.tables.preparation.table import prepared
from pages.ui.tables.table import from_dataset

flowers = load("iris").values
unit = Mixture(Gaussian("unit"), 3)
for report in (
    check_model(unit, flowers),
    check_model(Mixture(Gaussian(), 3), flowers, start="every so many rows"),
    check_model(Mixture(Exponential(), 2), load("faithful").values),
    check_model(ZeroInflatedPoisson(), np.arange(40.0) % 7),
):
    assert report, str(report)
assert unit.n_parameters(unit.initial_params(flowers, "k-means", np.random.default_rng(0))) == 14
assert load("bulbs").values.shape == (8, 1)
params = unit.initial_params(unit.check(flowers), "k-means", np.random.default_rng(0))
out = list(run(VARIANTS["written-out"], unit, flowers, params, max_passes=20))
exact = list(run(VARIANTS["exact"], unit, flowers, params, max_passes=20))
assert np.isclose(out[-1].log_likelihood, exact[-1].log_likelihood, rtol=1e-9)
there = Settings(cheer=True)
assert parse(to_query(there)) == (there, ()) and parse({"ch": "x"})[1][0].startswith("Cheer: ")
rounded, said = parse({"pr": '[["rounded",{"column":"hours"}]]'})
assert said == () and parse(to_query(rounded)) == (rounded, ())
hours = prepared(from_dataset(load("bulbs")), rounded.preparation).frame["hours"]
assert hours.tolist() == [312, 18, 940, 78, 6, 1210, 466, 132]
"""


def test_the_laws_hold(tree: Path) -> None:
    run(tree, "-c", LAWS)
    run(
        tree, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "exponential",
        "tests/engine/coordinates/test_gradients.py", "tests/engine/emissions/test_columns.py",
        "tests/engine/test_new_data.py",
    )  # fmt: skip


def test_the_app_offers_it(tree: Path, tmp_path: Path) -> None:
    with serve(tree, tmp_path / "log") as url:
        for query, words in (
            ("v=1&e=iris&k=3&cov=unit&st=every+so+many+rows", ("Log-likelihood",)),
            ("v=1&m=exponential-mixture&e=bulbs", ("Log-likelihood", "component 2")),
            ("v=1&m=zero-inflated", ("Log-likelihood", "zero share")),
        ):
            visitor = Visitor(url, query)
            visitor.settle()
            for word in words:
                assert word in visitor.texts, query
            assert "is not one of" not in visitor.texts, "what a link says of what is not offered"
            visitor.close()
        visitor = Visitor(url, "v=1&ch=1", page="cheer")
        assert "Hurray, it climbs!" in visitor.texts
        visitor.close()
        visitor = Visitor(url, "v=1&e=iris&cov=unit", page="variants")
        visitor.settle()
        assert "EM, written out" in visitor.received.decode("utf-8", "ignore")
        visitor.close()
    assert "Traceback" not in (tmp_path / "log").read_text()
