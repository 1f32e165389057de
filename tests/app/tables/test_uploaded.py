"""Parquet files that are too long for a table: kept for whoever brought them, within limits."""

import io
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from pages.ui.compute import readings
from pages.ui.tables import uploaded
from pages.ui.tables.answers import AS_IT_IS
from pages.ui.tables.data_set import fingerprint
from pages.ui.tables.served import look_at
from pages.ui.tables.table import DataError, Table
from pages.ui.tables.uploaded import (
    DAY,
    Kept,
    Uploads,
    as_brought,
    delete,
    find,
    is_upload,
    shown,
)


def content(n_rows: int = 1000, seed: int = 0) -> bytes:
    file = io.BytesIO()
    values = np.random.default_rng(seed).normal(size=n_rows)
    parquet.write_table(pa.table({"x": values}), file)
    return file.getvalue()


def of(
    folder: Path,
    person: str = "somebody",
    own: float = 1e6,
    most: float = 1e6,
    visit: str = "a visit",
) -> Uploads:
    return Uploads(str(folder), person, visit, int(own), int(most), days=30)


def kept(uploads: Uploads, filename: str, data: bytes) -> str:
    return uploads.keep(filename, data).name


def test_it_is_found_by_its_name_alone(tmp_path: Path) -> None:
    name = kept(of(tmp_path), "trains 2024.parquet", content())
    assert shown(name) == "trains 2024 (uploaded)"
    found = Path(find(str(tmp_path), name))
    assert found.read_bytes() == content() and as_brought(found.name) == "trains 2024.parquet"
    assert is_upload(str(found), str(tmp_path)) and not is_upload("s3://sets/x", str(tmp_path))
    for wrong in ("trains 2024", name[:-1], f"{name[:-1]}?", "*~*", f"../{name}", ""):
        assert find(str(tmp_path), wrong) == ""
    assert find("", name) == "" and not is_upload(str(found), "")


def test_a_use_leaves_the_files_what_they_are(tmp_path: Path) -> None:
    name = kept(of(tmp_path), "a.parquet", content())
    files = fingerprint(find(str(tmp_path), name))
    assert fingerprint(find(str(tmp_path), name)) == files


def test_the_same_file_is_kept_once_in_a_visit(tmp_path: Path) -> None:
    uploads = of(tmp_path)
    first = uploads.keep("a.parquet", content())
    assert uploads.keep("b.pq", content()) == first
    assert uploads.keep("a.parquet", content(seed=1)) != first
    assert len([*tmp_path.glob("*/*")]) == 2


def test_only_whoever_has_its_owner_token_deletes_it(tmp_path: Path) -> None:
    """Others of the same network have the same quota, and the link."""
    mine = of(tmp_path).keep("a.parquet", content())
    other = of(tmp_path, visit="another").keep("a.parquet", content())
    assert mine.name != other.name
    for token in (mine.name, mine.name.rpartition("~")[2], "", "*", other.owner_token[:-1]):
        assert not delete(str(tmp_path), token)
    assert delete(str(tmp_path), other.owner_token) and not find(str(tmp_path), other.name)
    assert not delete(str(tmp_path), other.owner_token) and not delete("", mine.owner_token)
    assert find(str(tmp_path), mine.name)


@pytest.mark.parametrize(
    ("called", "expected"),
    [
        ("../../etc/passwd.parquet", "etc_passwd"),
        (".hidden.parquet", "hidden"),
        ("_left.PARQUET", "left"),
        ("a\x00b\n<b>.parquet", "a_b_b"),
        ("x" * 300 + ".parquet", "x" * 80),
        ("~~~~.parquet", "table"),
        ("Züge~(2).parquet", "Züge_(2)"),
        ("字" * 100 + ".parquet", "字" * 26),
        ("\N{GOTHIC LETTER AHSA}" * 100 + ".parquet", "\N{GOTHIC LETTER AHSA}" * 20),
    ],
)
def test_no_name_of_a_file_leaves_the_folder(tmp_path: Path, called: str, expected: str) -> None:
    name = kept(of(tmp_path), called, content())
    assert shown(name) == f"{expected} (uploaded)"
    (file,) = tmp_path.glob("*/*")
    assert find(str(tmp_path), name) == str(file)


def test_there_is_so_much_room_for_one_person_and_for_all(tmp_path: Path) -> None:
    size = len(content())
    uploads = of(tmp_path, own=1.5 * size)
    uploads.keep("a.parquet", content())
    with pytest.raises(DataError, match="your uploads of this kind: delete one of them"):
        uploads.keep("b.parquet", content(seed=1))
    with pytest.raises(DataError, match="all uploads of this kind: tell whoever runs it"):
        of(tmp_path, "another", most=1.5 * size).keep("c.parquet", content(seed=2))
    of(tmp_path, "another").keep("c.parquet", content(seed=2))


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.time = time.time()
        monkeypatch.setattr("pages.ui.tables.uploaded.time.time", lambda: self.time)


def test_what_nobody_uses_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, uploads = Clock(monkeypatch), of(tmp_path)
    old, used = (kept(uploads, "a.parquet", content(seed=seed)) for seed in (1, 2))
    left = uploads._home / f".left{uploaded.PART}"
    left.write_bytes(b"")
    for day in range(32):
        clock.time += DAY
        assert find(str(tmp_path), used), "which is a use"
        uploads.keep("a.parquet", content(seed=3))
        assert left.exists() == (day < 1)
        assert bool([*tmp_path.glob(f"*/{old}.parquet")]) == (day < 30)
    assert find(str(tmp_path), used)


@pytest.mark.parametrize("days", [400, 10_000])
def test_a_clock_that_leaps_deletes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    clock, uploads, other = Clock(monkeypatch), of(tmp_path), of(tmp_path, "another")
    for _ in range(3):
        mine = kept(uploads, "a.parquet", content())
        clock.time += DAY
    clock.time += days * DAY
    for seed in range(3):  # it is noticed within the day
        other.keep("b.parquet", content(seed=seed))
        clock.time += DAY / 4
    clock.time -= days * DAY
    for _ in range(3):
        other.keep("b.parquet", content())
        clock.time += DAY
        assert find(str(tmp_path), mine)
    # Nor does a clock that was set back make older what is used meanwhile.
    clock.time -= days * DAY
    assert find(str(tmp_path), mine)
    clock.time += days * DAY
    for _ in range(3):
        other.keep("b.parquet", content())
        clock.time += DAY
    assert find(str(tmp_path), mine)


def test_pieces_larger_than_a_table_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploaded, "MAX_CELLS", 500)
    with pytest.raises(DataError, match=r"row groups of 1,000 rows .* at most 500 rows"):
        of(tmp_path).keep("a.parquet", content())
    assert not list(tmp_path.iterdir())


def test_a_folder_that_has_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be written to .*tell whoever runs it"):
        of(tmp_path / "gone").keep("a.parquet", content())


def read(filename: str, data: bytes, uploads: Uploads | None) -> object:
    job = readings.read(filename, data, AS_IT_IS, uploads)
    while True:
        try:
            next(job)
        except StopIteration as end:
            return end.value


def test_only_parquet_that_is_too_long_goes_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.ui.tables.table.MAX_ROWS", 900)
    refused = "has more than 900 rows, the limit here"
    assert refused in read("a.parquet", content(), None)
    assert refused in read("a.csv", b"x,y\n" + b"1,2\n" * 1000, of(tmp_path))
    assert isinstance(read("a.parquet", content(800), of(tmp_path)), Table)
    assert not list(tmp_path.iterdir())
    found = read("a.parquet", content(), of(tmp_path))
    assert isinstance(found, Kept) and find(str(tmp_path), found.name)


def test_names_longer_than_a_page_shows_are_refused(tmp_path: Path) -> None:
    """They would be written into the page again and again."""
    file = io.BytesIO()
    parquet.write_table(pa.table({"x": [1.0], "n" * 100_000: [2.0]}), file)
    with pytest.raises(DataError, match=r"has a name of 100,000 characters, 'nnn") as refused:
        of(tmp_path, own=1e9, most=1e9).keep("a.parquet", file.getvalue())
    assert len(str(refused.value)) < 500 and not list(tmp_path.glob("*/*"))
    (tmp_path / "set.parquet").write_bytes(file.getvalue())
    with pytest.raises(DataError, match="and the limit is 1,000: rename"):
        look_at("set", str(tmp_path / "set.parquet"), "")


def test_many_small_row_groups_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said of them is read in the server itself."""
    monkeypatch.setattr(uploaded, "MOST_FOOTER", 20_000)
    file = io.BytesIO()
    parquet.write_table(pa.table({"x": np.arange(1000.0)}), file, row_group_size=2)
    with pytest.raises(DataError, match=r"write it with fewer and longer row groups"):
        of(tmp_path).keep("a.parquet", file.getvalue())


def test_the_type_of_a_column_is_said_in_few_words(tmp_path: Path) -> None:
    nested = pa.array([{"f" * 100_000: 1.0}])
    parquet.write_table(pa.table({"x": [1.0], "y": nested}), tmp_path / "set.parquet")
    columns = look_at("set", str(tmp_path / "set.parquet"), "").columns
    assert columns[0] == ("x", "double") and len(columns[1][1]) <= 200
