"""Work as a file: what goes in comes out, and any other file costs one sentence."""

import io
import itertools
import json
import zipfile

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from em_core import datasets
from pages.ui.tables import saved_work
from pages.ui.tables.saved_work import DAMAGED, FOREIGN, NEWER, TOO_LARGE, SavedWork, pack, unpack
from pages.ui.tables.table import DataError, Table, from_dataset

FRAME = pd.DataFrame(
    {
        "x": [1.5, np.nan, -2.0],
        "n": pd.array([1, None, 3], dtype="Int64"),
        "word": pd.Series(["=a", None, "ü"], dtype="str"),
        "yes": pd.array([True, None, False], dtype="boolean"),
        "day": pd.to_datetime(["2020-01-02", None, "1999-12-31"]),
    }
)
TABLE = Table(
    "mine.csv", FRAME, ("Read.",), "00", ("cm", "", "", "", ""), titles=(("x", "a length"),)
)
WORK = SavedWork({"v": "1", "k": "3", "nm": "small,large"}, "Looks like\ntwo kinds.", TABLE)


def archive(**parts: str | bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name.replace("_", "."), content)
    return buffer.getvalue()


def refusal(content: bytes) -> str:
    with pytest.raises(DataError) as error:
        unpack(content)
    return str(error.value)


def test_work_comes_back_with_every_cell_its_notes_and_settings() -> None:
    again = unpack(pack(WORK))
    assert (again.link, again.notes) == (WORK.link, WORK.notes)
    assert again.table is not None
    assert_frame_equal(again.table.frame, FRAME, check_exact=True, check_dtype=False)
    assert again.table.frame.dtypes.astype(str).tolist()[:4] == [
        "float64",
        "Int64",
        "str",
        "boolean",
    ]
    for name in ("name", "parsing", "units", "titles"):
        assert getattr(again.table, name) == getattr(TABLE, name)
    assert unpack(pack(again)).table.fingerprint == again.table.fingerprint
    example = SavedWork({"v": "1", "e": "iris"}, "")
    assert unpack(pack(example)) == example
    iris = from_dataset(datasets.load("iris"))
    found = unpack(pack(SavedWork({}, "", iris, model="{}"))).table
    assert_frame_equal(found.frame, iris.frame, check_exact=True)


def test_other_files_are_told_apart() -> None:
    told = {"format": saved_work.FORMAT, "version": 1, "link": {}, "notes": "", "table": ""}
    assert refusal(b"") == refusal(b"a,b\n1,2\n") == FOREIGN
    assert refusal(archive(other_json="{}")) == FOREIGN
    assert refusal(archive(work_json="[1]")) == FOREIGN
    assert refusal(archive(work_json='{"format": "another"}')) == FOREIGN
    assert refusal(archive(work_json="{")) == DAMAGED
    assert refusal(archive(work_json=json.dumps(told | {"version": 2, "link": 3}))) == NEWER
    for wrong in (
        {"link": {"k": 3}},
        {"link": []},
        {"notes": None},
        {"version": "1"},
        {"table": "table.parquet"},
        {"notes": "\ud800"},
        {"link": {"nm": "a\udfff"}},
    ):
        assert refusal(archive(work_json=json.dumps(told | wrong))) == DAMAGED
    assert refusal(archive(work_json=" " * (saved_work.MOST_WORK + 1))) == TOO_LARGE
    for squeezed in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", squeezed) as file:
            file.writestr("work.json", json.dumps(told))
        for spoilt in (b"", b"\xff" * 20):
            content = bytearray(buffer.getvalue())
            content[45 : 45 + len(spoilt)] = spoilt
            assert refusal(bytes(content)) == DAMAGED
    told["table"] = "table.parquet"
    odd = archive(work_json=json.dumps(told), table_parquet=b"PAR1 and no more")
    assert "isn't a readable Parquet file" in refusal(odd)
    plain = io.BytesIO()
    FRAME.to_parquet(plain)
    odd = archive(work_json=json.dumps(told), table_parquet=plain.getvalue())
    assert refusal(odd) == "The table in this file is damaged: have it saved or sent again."


def test_a_damaged_file_is_refused_or_read_right() -> None:
    whole, rng = pack(WORK), np.random.default_rng(0)
    for end in rng.integers(4, len(whole), 40):
        assert refusal(whole[:end]) == DAMAGED
    # Every byte of the directory at its end, and some of the rest.
    ends = (*range(len(whole) - 220, len(whole)), *rng.integers(0, len(whole), 150))
    for place, changed in itertools.product(ends, (1, 128, 255)):
        spoilt = bytearray(whole)
        spoilt[place] ^= changed
        try:
            again = unpack(bytes(spoilt))
        except DataError:
            continue
        # The bits that decide nothing: dates of files, say.
        assert (again.link, again.notes) == (WORK.link, WORK.notes)
        assert again.table is not None and again.table.frame.equals(unpack(whole).table.frame)
