"""What may be set in the environment of the server: used, or said why not, and it starts."""

import math
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from pages.ui.environment import (
    CLUSTER,
    DATASETS,
    NUMBERS,
    PREFIX,
    RESULTS,
    UPLOADS,
    cluster,
    complaints,
    datasets,
    number,
    results,
    uploads,
)
from pages.ui.running.workers import Limits, Pool
from pages.ui.text import plain
from support.browser import ROOT, serve
from support.visitor import Visitor
from tests.support import jobs

NONSENSE = ("abc", "nan", "1,5", "10 MB", "0x10", "--1")


def said(name: str, text: str) -> tuple[float, list[str]]:
    environ = {PREFIX + name: text}
    return number(name, environ), list(complaints(environ))


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_is_used_or_gives_way_with_a_sentence(name: str) -> None:
    about = NUMBERS[name]
    assert about.low <= about.usual <= about.high
    for text in ("", " ", f"{about.usual}", f" {about.usual:.0e} ", f"{about.low}"):
        value, sentences = said(name, text)
        assert value == (float(text) if text.strip() else about.usual) and not sentences
        assert isinstance(value, int) or not about.whole
    for text in NONSENSE:
        value, (sentence,) = said(name, text)
        assert value == about.usual
        assert sentence == (
            f"{PREFIX}{name}={text} is no number: {about.usual:,.12g}, the usual, is used."
        )
    for text in ("-1", "-1e300", "-inf", *(["0", "1e-300"] if about.low else [])):
        value, (sentence,) = said(name, text)
        assert value == about.low
        assert f"is below {about.low:,.12g}, the least: {about.low:,.12g} is used" in sentence
    for text in ("inf", "1e309"):
        value, (sentence,) = said(name, text)
        assert value == about.high
        if math.isinf(about.high):
            assert sentence == f"{PREFIX}{name}={text}: {about.limitless}."
        else:
            assert f"is above {about.high:,.12g}, the most: " in sentence
    if about.whole:
        value, (sentence,) = said(name, f"{about.low + 2.5}")
        assert value == about.low + 2 and "is not a whole number: " in sentence


def test_a_slip_in_a_name_is_said() -> None:
    names = ("UPLOADS_MB", "FIT_SECOND", "DATASET", "CLUSTERS", "STOR", "MODEL", "QUOTABY")
    assert list(complaints({PREFIX + name: "1" for name in names})) == [
        f"{PREFIX}CLUSTERS is not read: {PREFIX}CLUSTER is.",
        f"{PREFIX}DATASET is not read: {PREFIX}DATASETS is.",
        f"{PREFIX}FIT_SECOND is not read: {PREFIX}FIT_SECONDS is.",
        f"{PREFIX}MODEL is not read: {PREFIX}MODELS is.",
        f"{PREFIX}QUOTABY is not read: {PREFIX}QUOTA_BY is.",
        f"{PREFIX}STOR is not read: {PREFIX}STORE is.",
        f"{PREFIX}UPLOADS_MB is not read: {PREFIX}UPLOAD_MB is.",
    ]


def test_nothing_is_said_of_what_kubernetes_sets() -> None:
    names = ("PORT", "PORT_8501_TCP", "PORT_8501_TCP_ADDR", "SERVICE_HOST", "SERVICE_PORT")
    assert not list(complaints({PREFIX + name: "1" for name in names}))


def test_folders_of_data_sets_are_used_or_left_out_with_a_sentence(tmp_path: Path) -> None:
    environ = {DATASETS: f" {tmp_path}, /nowhere,s3://bucket/sets,"}
    assert datasets(environ) == (str(tmp_path), "s3://bucket/sets")
    assert list(complaints(environ)) == [
        f"{DATASETS}: /nowhere is no folder that can be read: it is left out."
    ]
    assert datasets({}) == () and list(complaints({DATASETS: ""})) == []


def test_a_folder_for_results_is_used_or_left_out_with_a_sentence(tmp_path: Path) -> None:
    environ = {RESULTS: f" {tmp_path} ", DATASETS: str(tmp_path)}
    assert results(environ) == str(tmp_path) and list(complaints(environ)) == []
    assert results({}) == ""
    for folder in ("/nowhere", "s3://bucket/results", __file__):
        environ[RESULTS] = folder
        assert results(environ) == ""
        (sentence,) = complaints(environ)
        assert (
            sentence
            == f"{RESULTS}: {folder} is no folder that can be written to: results are downloaded."
        )
    (sentence,) = complaints({RESULTS: str(tmp_path)})
    assert "is not used" in sentence


def test_a_folder_for_long_files_is_used_or_left_out_with_a_sentence(tmp_path: Path) -> None:
    sets, apart = tmp_path / "sets", tmp_path / "uploads"
    sets.mkdir()
    apart.mkdir()
    environ = {UPLOADS: f" {apart} ", DATASETS: str(sets)}
    assert uploads(environ) == str(apart) and list(complaints(environ)) == []
    assert uploads({UPLOADS: str(apart)}) == str(apart) and uploads({}) == ""
    for folder in ("/nowhere", "s3://bucket/uploads", __file__):
        environ[UPLOADS] = folder
        assert uploads(environ) == ""
        (sentence,) = complaints(environ)
        assert "is no folder that can be written to: long files are refused." in sentence
    (sets / "within").mkdir()
    (tmp_path / "link").symlink_to(sets)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert uploads({UPLOADS: str(apart), DATASETS: str(tmp_path / "loop")}) == str(apart)
    assert uploads({UPLOADS: str(tmp_path / "loop")}) == ""
    for folder in (sets, sets / "within", tmp_path / "link"):
        environ[UPLOADS] = str(folder)
        assert uploads(environ) == ""
        (sentence,) = complaints(environ)
        assert "where everybody would see what one person uploads" in sentence


@pytest.mark.parametrize("address", ["nonsense", "tcp://host", "http://host:1/path", "a b:1"])
def test_what_is_no_address_of_a_scheduler_is_said(tmp_path: Path, address: str) -> None:
    environ = {CLUSTER: address, DATASETS: str(tmp_path)}
    assert cluster(environ) == ""
    (sentence,) = complaints(environ)
    assert sentence.endswith("data sets are read on this machine.")


@pytest.mark.cluster
def test_the_address_of_a_scheduler_is_used_where_there_are_data_sets(tmp_path: Path) -> None:
    environ = {CLUSTER: "tls://host:8786", DATASETS: str(tmp_path)}
    assert cluster(environ) == "tls://host:8786" and not list(complaints(environ))
    del environ[DATASETS]
    (sentence,) = complaints(environ)
    assert "is not used" in sentence


def test_the_readme_tells_of_each() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in (DATASETS, RESULTS, UPLOADS, CLUSTER))
    untold = {name for name in NUMBERS if f"`{PREFIX}{name}`" not in text}
    assert {name for name in untold if f"`_{name}`" not in text} == set()


def test_a_job_may_take_as_long_as_it_likes() -> None:
    pool = Pool(Limits(workers=1, seconds=math.inf, memory=2_000_000_000))
    with closing(pool):
        results = pool.job(jobs.count, 3).results()
        assert [item for items in results for item in items] == [0, 1, 2]


def test_it_starts_wherever_it_is_put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written beside the code; no home, plain ASCII, IPv6, a base path, all at once."""
    tree = tmp_path / "tree"
    for name in ("em_core", "pages", ".streamlit"):
        shutil.copytree(ROOT / name, tree / name)
    shutil.copy(ROOT / "dashboard.py", tree)
    before = sorted(tree.rglob("*"))
    for path in [tree, *before]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    setting = {"HOME": "/nonexistent", "LC_ALL": "C", "PYTHONUTF8": "0"}
    setting |= {"PYTHONCOERCECLOCALE": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    setting |= {f"{PREFIX}{name}": "-1" for name in NUMBERS}
    setting |= {f"{PREFIX}FIT_SECONDS": "inf", f"{PREFIX}FIT_MB": "nonsense"}
    setting |= {f"{PREFIX}STORE": "/proc/nowhere", f"{PREFIX}MODELS": "/nowhere.py"}
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    log = tmp_path / "log"
    with serve(tree, log, base="/a/b", host="::1") as url:
        assert url.startswith("http://[::1]:")
        visitor = Visitor(url, "v=1&s=table&t=x", page="local_optima")
        assert "Upload a table" in visitor.texts and "went wrong" not in visitor.texts
        visitor.close()
        visitor = Visitor(url, "v=1&e=iris&k=2")
        visitor.settle()
        assert "Log-likelihood" in visitor.texts
        visitor.close()
    said = log.read_text()
    for sentence in complaints(setting):
        assert said.count(sentence) == 1
    assert "The model file /nowhere.py does not exist." in said
    assert "has gone, or its folder cannot be made or used." in said
    assert "MemoryError" not in said
    assert sorted(tree.rglob("*")) == before


def test_a_name_that_is_no_text_can_be_said() -> None:
    assert plain("The file \udcfc*.py") == r"The file ?\*\.py"
    assert plain("Zürich 😀") == "Zürich 😀"
