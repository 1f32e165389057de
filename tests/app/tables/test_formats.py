"""Files of other programs: their labels, their codes for missing, and what is wrong with them."""

import datetime
import gzip
import io
import json
import random
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest

from pages.ui.compute import readings
from pages.ui.running.pools import READING
from pages.ui.running.workers import Limits, Lost, Pool
from pages.ui.tables import packing
from pages.ui.tables.parquet import spread_size
from pages.ui.tables.preparation.levels import named_in_the_file
from pages.ui.tables.preparation.table import prepared
from pages.ui.tables.reading import read_table
from pages.ui.tables.selection import select_levels
from pages.ui.tables.table import DataError, Table
from support.bombs import arrow
from support.tables import damaged, of_others

FRAME = pd.DataFrame(
    {
        "sex": [1.0, 2, 1, np.nan, 2],
        "age": [30.5, 40, 99, 20, -3],
        "name": ["a", "", "c", "größer", "e"],
        "day": [datetime.date(2020, 1, day) for day in range(1, 6)],
    }
)
TITLES = {"sex": "What is your sex?", "age": "How old are you?"}
LABELS = {"sex": {1: "male", 2: "female"}}
WRITE: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "sav": lambda frame, path: pyreadstat.write_sav(
        frame,
        path,
        column_labels=TITLES,
        variable_value_labels=LABELS,
        missing_ranges={"age": [99, {"lo": -9, "hi": -1}]},
    ),
    "zsav": lambda frame, path: pyreadstat.write_sav(
        frame, path, column_labels=TITLES, variable_value_labels=LABELS, compress=True
    ),
    "dta": lambda frame, path: pyreadstat.write_dta(
        frame, path, column_labels=TITLES, variable_value_labels=LABELS
    ),
    "xpt": lambda frame, path: pyreadstat.write_xport(frame, path, column_labels=TITLES),
}


def written(frame: pd.DataFrame, ending: str, folder: Path) -> bytes:
    path = folder / f"x.{ending}"
    WRITE[ending](frame, path)
    return path.read_bytes()


@pytest.mark.parametrize("ending", WRITE)
def test_statistics_programs(ending: str, tmp_path: Path) -> None:
    table = read_table(f"x.{ending}", written(FRAME, ending, tmp_path))
    frame = table.frame
    assert frame["sex"].tolist()[:3] == [1, 2, 1] and frame["sex"].isna().tolist()[3]
    assert frame["name"].tolist()[3] == "größer" and frame["name"].isna().tolist()[1]
    assert frame["day"].dt.day.tolist() == [1, 2, 3, 4, 5]
    assert dict(table.titles) == TITLES
    declared = ending == "sav"
    assert frame["age"].isna().tolist() == [False, False, declared, False, declared]
    if declared:
        assert table.missing_codes == (("age", ("-9 to -1", "99")),)
        assert "declares as missing: -9 to -1, 99 in 'age' (2 cells)" in " ".join(table.parsing)
    if ending != "xpt":
        assert dict(table.value_labels) == {"sex": (("1", "male"), ("2", "female"))}
    again = packing.from_parquet(packing.to_parquet(table))
    assert (again.titles, again.value_labels) == (table.titles, table.value_labels)
    numbers = table._replace(frame=frame[["sex", "age", "name"]])
    again = packing.from_text(packing.to_text(numbers) or "")
    assert (again.titles, again.value_labels) == (table.titles, table.value_labels)


@pytest.mark.parametrize("ending", WRITE)
def test_drawn_numbers_and_texts_come_back(ending: str, tmp_path: Path, rng: random.Random) -> None:
    for _ in range(25):
        n = rng.randrange(1, 30)
        frame = pd.DataFrame(
            {
                "x": [rng.gauss(0, 10.0 ** rng.randrange(-3, 6)) for _ in range(n)],
                "k": [float(rng.randrange(-5, 100)) for _ in range(n)],
                "t": [rng.choice(["ash", "birch, silver", "日本", "x;y"]) for _ in range(n)],
            }
        )
        if ending == "sav":
            frame["k"] = frame["k"].clip(0)
        path = tmp_path / f"x.{ending}"
        write = {"dta": pyreadstat.write_dta, "xpt": pyreadstat.write_xport}
        write.get(ending, pyreadstat.write_sav)(frame, path)
        table = read_table(path.name, path.read_bytes())
        # The numbers of SAS have a few bits more or fewer.
        np.testing.assert_allclose(table.frame["x"].astype(float), frame["x"], rtol=1e-15)
        assert table.frame["k"].tolist() == frame["k"].tolist()
        assert table.frame["t"].tolist() == frame["t"].tolist()


def test_files_that_are_none_and_empty_ones_are_refused(tmp_path: Path) -> None:
    for ending in (*WRITE, "sas7bdat", "por"):
        with pytest.raises(DataError, match="isn't a readable"):
            read_table(f"x.{ending}", b"a,b\n1,2\n" * 100)
    empty = pd.DataFrame({"x": pd.Series([], dtype=float)})
    pyreadstat.write_sav(empty, tmp_path / "x.sav")
    with pytest.raises(DataError, match="no rows"):
        read_table("x.sav", (tmp_path / "x.sav").read_bytes())
    with pytest.raises(DataError, match=r"write\.csv"):
        read_table("x.rds", gzip.compress(b"X\n\x00"))


def test_damaged_files_of_statistics_programs_end_in_a_sentence(
    tmp_path: Path, rng: random.Random, long: bool
) -> None:
    """By processes, as in the app: whatever a library of C makes of them."""
    originals = [(f"x.{ending}", written(FRAME, ending, tmp_path)) for ending in WRITE]
    originals += [(name, of_others(name)) for name in ("datetime.sas7bdat", "sample.por")]
    pool = Pool(Limits.for_reading()._replace(workers=1), modules=READING)
    for _ in range(1_000 if long else 100):
        name, content = rng.choice(originals)
        try:
            result = pool.job(readings.read, name, damaged(rng, content)).result()
        except Lost:
            continue
        assert isinstance(result, Table) or result.endswith(".")
    pool.close()


JSON = [
    {"height": 171, "name": "a", "ok": True, "weight": 65.5, "more": {"a": [1]}},
    {"height": 180, "name": None, "ok": False, "weight": 70},
    {"height": None, "name": "ü", "ok": None, "weight": None, "late": 3},
]


@pytest.mark.parametrize(
    ("columns", "missing"),
    [
        ({"d": [13e9, 13.1e9, 1e15]}, {"d": [1e15]}),
        ({"d": [13e9, 13.1e9, 99.0], "e": [13e9, 1e15, 13e9]}, {"d": [99]}),
        ({"d": [13e9, 1e15, 99.0]}, {"d": [{"lo": 0, "hi": 1000}]}),
    ],
    ids=["the same cell", "another column", "a range"],
)
@pytest.mark.parametrize("ending", ["sav", "zsav"])
def test_a_date_that_cannot_be_beside_declared_missing_codes(
    columns, missing, ending: str, tmp_path: Path
) -> None:
    path = tmp_path / f"x.{ending}"
    formats = dict.fromkeys(columns, "DATE11")
    pyreadstat.write_sav(
        pd.DataFrame(columns), path, variable_format=formats, missing_ranges=missing
    )
    frame = read_table(path.name, path.read_bytes()).frame
    for name, given in columns.items():
        lost = [value in (1e15, 99.0) for value in given]
        assert frame[name].isna().tolist() == lost
        assert str(frame[name].iloc[0]).startswith("1994-09-2")


@pytest.mark.parametrize("as_list", [True, False])
def test_json(as_list: bool) -> None:
    lines = "\n".join(json.dumps(record) for record in JSON)
    text = json.dumps(JSON) if as_list else lines
    frame = read_table("x.json" if as_list else "x.jsonl", text.encode()).frame
    assert list(frame) == ["height", "name", "ok", "weight", "more", "late"]
    assert str(frame["height"].dtype) == "Int64" and frame["height"].tolist()[:2] == [171, 180]
    assert frame["weight"].tolist()[:2] == [65.5, 70] and frame["late"].tolist()[2] == 3
    assert frame["ok"].tolist()[:2] == [True, False] and frame["ok"].isna().tolist()[2]
    assert frame["name"].isna().tolist() == [False, True, False]
    assert frame["more"].tolist()[0] == '{"a": [1]}'


def test_json_of_many_lines_keeps_its_order() -> None:
    records = [{"i": i} | ({"odd": i / 2} if i % 2 else {}) for i in range(25_001)]
    content = "\n".join(map(json.dumps, records)).encode()
    frame = read_table("x.ndjson", content).frame
    np.testing.assert_array_equal(frame["i"], np.arange(25_001))
    assert frame["odd"].isna().sum() == 12_501 and frame["odd"].tolist()[3] == 1.5


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a":1}\n{"a":', "line 2 isn't JSON"),
        ('{"a":1}\n[2]', "line 2 isn't an object"),
        ("[1,2]", "item 1 isn't an object"),
        ('[{"a":1}', "isn't whole JSON"),
        ("[]", "no rows"),
        ("{}", "no rows"),
    ],
)
def test_json_that_is_no_table_is_refused(text: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        read_table("x.jsonl", text.encode())


def test_arrow_files_and_streams() -> None:
    columns = {"x": [1.5, None], "n": pa.array([1, 2], pa.int8()), "k": pa.array(["u", "v"])}
    for ending in ("feather", "arrow"):
        frame = read_table(f"x.{ending}", arrow(columns)).frame
        assert frame["n"].tolist() == [1, 2] and frame["k"].tolist() == ["u", "v"]
        assert frame["x"].isna().tolist() == [False, True]
    table = pa.table({**columns, "c": pa.array(["a", "b"]).dictionary_encode()})
    buffer = io.BytesIO()
    with pa.ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table, max_chunksize=1)
    assert read_table("x.arrow", buffer.getvalue()).frame["c"].tolist() == ["a", "b"]
    for content in (b"ARROW1\x00\x00" + bytes(50), buffer.getvalue()[:60], b"nothing"):
        with pytest.raises(DataError, match="readable Arrow"):
            read_table("x.feather", content)


def test_gzipped_text() -> None:
    plain = "a;b\n1,5;2\n3,25;4\n".encode("utf-16")
    for name in ("x.csv.gz", "x.csv", "x.gz"):
        table = read_table(name, gzip.compress(plain[:8]) + gzip.compress(plain[8:]))
        assert table.frame["a"].tolist() == [1.5, 3.25] and table.name == table.file == name
    with pytest.raises(DataError, match="damaged compressed"):
        read_table("x.csv.gz", gzip.compress(plain)[:-12])
    with pytest.raises(DataError, match="compressed file in another"):
        read_table("x.csv.gz", gzip.compress(gzip.compress(plain)))
    with pytest.raises(DataError, match="is empty"):
        read_table("x.csv.gz", gzip.compress(b""))


def test_marks_of_files_that_were_joined_are_no_cells() -> None:
    one, other = ("a,b\n1,2\n".encode("utf-8-sig"), "3,4\n5,6\n".encode("utf-8-sig"))
    frame = read_table("x.csv.gz", gzip.compress(one) + gzip.compress(other)).frame
    assert frame["a"].tolist() == [1, 3, 5]


@pytest.mark.parametrize("unit", ["ms", "ns"])
@pytest.mark.parametrize("ending", ["arrow", "parquet"])
def test_a_time_zone_that_nobody_knows_is_said(ending: str, unit: str) -> None:
    at = pa.array([0, 3600], pa.timestamp(unit, "Atlantis/Capital"))
    buffer = io.BytesIO()
    if ending == "arrow":
        buffer.write(arrow({"at": at, "y": [1.0, 2.0]}))
    else:
        pq.write_table(pa.table({"at": at, "y": [1.0, 2.0]}), buffer)
    table = read_table(f"x.{ending}", buffer.getvalue())
    assert str(table.frame["at"].dtype) == f"datetime64[{unit}, UTC]"
    assert any("'Atlantis/Capital'" in said and "read as UTC" in said for said in table.parsing)


def test_names_of_levels_in_the_file_are_two_steps(tmp_path: Path) -> None:
    table = read_table("x.dta", written(FRAME, "dta", tmp_path))
    (named,) = named_in_the_file(table)
    assert named.column == "sex"
    again = prepared(table, named.steps)
    assert again.frame["sex"].astype(object).tolist()[:3] == ["male", "female", "male"]
    assert again.frame["sex"].isna().tolist()[3] and not named_in_the_file(again)
    assert select_levels(again, ["sex"]).levels == (("male", "female"),)
    # A level that has no name: as it is.
    more = FRAME.assign(sex=[1.0, 2, 3, 1, 2])
    assert not named_in_the_file(read_table("x.dta", written(more, "dta", tmp_path)))


def test_a_stream_of_many_columns_and_batches_is_the_table_that_was_written() -> None:
    rng = np.random.default_rng(3)
    columns: dict[str, pa.Array] = {f"x{j}": pa.array(rng.normal(size=20)) for j in range(70)}
    columns["k"] = pa.array([f"level {i % 3}" for i in range(20)]).dictionary_encode()
    table = pa.table(columns)
    buffer = io.BytesIO()
    with pa.ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table, max_chunksize=3)
    frame = read_table("x.arrows", buffer.getvalue()).frame
    assert list(frame) == table.column_names and frame["k"].tolist() == table["k"].to_pylist()
    assert all(frame[f"x{j}"].tolist() == table[f"x{j}"].to_pylist() for j in range(70))


def test_a_second_arrow_stream_in_a_file_is_said() -> None:
    streams = []
    for values in ([1.0, 2.0], [3.0]):
        buffer = io.BytesIO()
        with pa.ipc.new_stream(buffer, pa.schema({"x": pa.float64()})) as writer:
            writer.write_table(pa.table({"x": values}))
        streams.append(buffer.getvalue())
    table = read_table("x.arrows", b"".join(streams))
    assert table.frame["x"].tolist() == [1, 2]
    (said,) = (line for line in table.parsing if "after the first stream" in line)
    assert said.startswith(f"{len(streams[1]):,} bytes")
    assert read_table("x.arrows", streams[0]).parsing == ("Arrow.", "2 rows, 1 column.")


@pytest.mark.parametrize("new", [pa.ipc.new_file, pa.ipc.new_stream])
@pytest.mark.parametrize(
    ("said", "false"),
    [
        ((0, 3, 5, 6), (0, 1 << 30, 5, 6)),  # where texts begin
        ((0, 3, 5, 6), (0, 3, 5, 1 << 20)),
        ((0, 1, 2, 3), (0, 1, 2, 1 << 20)),  # where lists do
        ((0, 1, 0), (0, 77, 0)),  # which of the levels
    ],
)
def test_arrow_gives_nothing_of_what_else_is_in_memory(new, said, false) -> None:
    """A file says where its values are: a false place would show what others have had read here."""
    columns = {"x": ["abc", "de", "f"], "l": [[1], [2], [3]], "y": [1.5, 2.5, 3.5]}
    table = pa.table(columns | {"d": pa.array(["p", "q", "p"]).dictionary_encode()})
    buffer = io.BytesIO()
    with new(buffer, table.schema) as writer:
        writer.write_table(table)
    content, places = buffer.getvalue(), struct.pack(f"<{len(said)}i", *said)
    assert read_table("x.arrow", content).frame["l"].tolist() == ["[1]", "[2]", "[3]"]
    assert places in content
    with pytest.raises(DataError, match="isn't a readable Arrow"):
        read_table("x.arrow", content.replace(places, struct.pack(f"<{len(false)}i", *false)))


def feather(**columns: pa.Array) -> bytes:
    table, file = pa.table(columns), io.BytesIO()
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


@pytest.mark.parametrize(
    "values",
    [[1, 2], [1.5, 2.5], [True, False], ["a", "b"], [datetime.date(2020, 1, 1)] * 2],
    ids=["whole", "numbers", "truths", "texts", "dates"],
)
def test_categories_of_any_kind_are_read_from_arrow(values: list[object]) -> None:
    plain = pa.array(values * 3)
    table = read_table("a.feather", feather(x=plain.dictionary_encode(), y=plain))
    assert table.frame["x"].tolist() == table.frame["y"].tolist()


def test_many_categories_of_one_size_take_no_more_room_than_their_rows() -> None:
    days = pa.array(np.arange(300_000) % 10_000, pa.int32()).cast(pa.date32())
    assert len(read_table("a.feather", feather(day=days.dictionary_encode())).frame) == 300_000
    assert spread_size(days.dictionary_encode()) == 4 * 300_000
    lists = pa.DictionaryArray.from_arrays(pa.array([0] * 9), pa.array([["a" * 50] * 2, []]))
    assert spread_size(lists) == 9 * spread_size(lists.dictionary)


def test_views_of_texts_are_read_and_counted_as_long_as_they_are() -> None:
    texts = ["a", None, "b" * 100] * 2
    table = read_table("a.feather", feather(x=pa.array(texts, pa.string_view())))
    assert table.frame["x"].dropna().tolist() == ["a", "b" * 100] * 2
    assert spread_size(pa.array(["b" * 100] * 7, pa.string_view()).slice(2)) == 500


def test_a_value_that_stands_for_many_rows_by_itself_is_refused() -> None:
    """12,000 rows of 100 kB each in a file of 100 kB."""
    text = pa.array(["x" * 100_000])
    many = 12_000
    bombs = (
        pa.RunEndEncodedArray.from_arrays([many], text),
        pa.UnionArray.from_dense(
            pa.array([0] * many, pa.int8()), pa.array([0] * many, pa.int32()), [text]
        ),
        pa.ListViewArray.from_arrays([0] * many, [1] * many, text),
    )
    for bomb in bombs:
        with pytest.raises(DataError, match="not read: write it as numbers or text"):
            read_table("a.feather", feather(x=bomb))


def of_frame(frame: pd.DataFrame, name: str) -> bytes:
    """As pandas writes it, or as a stream of Arrow."""
    buffer = io.BytesIO()
    if name.endswith("arrows"):
        table = pa.Table.from_pandas(frame)
        with pa.ipc.new_stream(buffer, table.schema) as writer:
            writer.write_table(table)
    else:
        (frame.to_parquet if name.endswith("parquet") else frame.to_feather)(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["t.parquet", "t.feather", "t.arrows"])
@pytest.mark.parametrize(
    ("index", "called"),
    [
        (pd.RangeIndex(1900, 1902, name="year"), "year"),
        (pd.RangeIndex(0, 2, name="id"), "id"),
        (pd.RangeIndex(7, 9), "column 3"),
        (pd.RangeIndex(10, 4, -5), "column 3"),
        (pd.RangeIndex(0, 20, 10, name=5), "5"),
        (pd.RangeIndex(3, 5, name="x"), "x (2)"),
        (pd.RangeIndex(2), None),
        (pd.RangeIndex(-(2**62), 2**62, 2**62, name="far"), "far"),
    ],
)
def test_what_pandas_calls_rows_by_a_range_is_a_column_unless_it_counts_them(
    name: str, index: pd.RangeIndex, called: str | None
) -> None:
    frame = pd.DataFrame({"x": [1.5, 2.5], "y": ["a", "b"]}, index=index)
    table = read_table(name, of_frame(frame, name))
    assert list(table.frame) == ["x", "y", *[called] * (called is not None)]
    assert table.frame["x"].tolist() == [1.5, 2.5]
    said = [line for line in table.parsing if line.startswith("What the rows are called")]
    if called is None:
        assert not said
    else:
        assert table.frame[called].tolist() == index.tolist()
        sentence = f"What the rows are called, {index[0]} to {index[1]}, is the column {called!r}."
        assert said == [sentence]


@pytest.mark.parametrize("write", ["parquet", "stream"])
@pytest.mark.parametrize(
    "said",
    [
        "no JSON",
        "[1]",
        '{"index_columns": 5}',
        '{"index_columns": [{"kind": "range", "name": "a", "start": 0, "stop": 9, "step": 1}]}',
        '{"index_columns": [{"kind": "range", "name": "a", "start": 0, "stop": 2, "step": 0}]}',
        '{"index_columns": [{"kind": "range", "name": "a", "start": 0.5, "stop": 2, "step": 1}]}',
        '{"index_columns": [{"kind": "range", "name": "a", "start": 1, "stop": %s, "step": 1}]}'
        % ("9" * 30),
    ],
)
def test_what_the_metadata_of_a_file_say_wrongly_is_no_index(write: str, said: str) -> None:
    table = pa.table({"x": [1.5, 2.5]}).replace_schema_metadata({"pandas": said})
    buffer = io.BytesIO()
    if write == "parquet":
        pq.write_table(table, buffer)
    else:
        with pa.ipc.new_stream(buffer, table.schema) as writer:
            writer.write_table(table)
    name = "t.parquet" if write == "parquet" else "t.arrows"
    assert list(read_table(name, buffer.getvalue()).frame) == ["x"]


def test_a_name_of_a_column_that_is_no_text_is_a_damaged_file() -> None:
    table = pa.table({"heixght": [1.0, 2.0], "mass": [3.0, 4.0]})
    parquet, arrow = io.BytesIO(), io.BytesIO()
    pq.write_table(table, parquet, store_schema=False)
    with pa.ipc.new_file(arrow, table.schema) as file:
        file.write_table(table)
    for name, content in (("t.parquet", parquet), ("t.arrow", arrow)):
        spoilt = content.getvalue().replace(b"heixght", b"hei\xe7ght")
        with pytest.raises(DataError, match="isn't a readable"):
            read_table(name, spoilt)


@pytest.mark.parametrize("kind", [pa.uint64(), pa.decimal128(20, 0), pa.decimal128(38, 0)], ids=str)
def test_identifiers_of_many_digits_stay_apart(kind: pa.DataType) -> None:
    people = [1_700_000_000_000_000_000 + i // 10 for i in range(200)]
    table = pa.table({"person": pa.array([*people, None]).cast(kind), "x": np.arange(201.0)})
    for name, content in (("t.parquet", _parquet(table)), ("t.arrow", arrow(table))):
        person = read_table(name, content).frame["person"]
        assert person.dtype == "Int64" and person.dropna().tolist() == people
    # Longer ones are texts; and so are texts that would not be the same number.
    longer = [2**63 + i // 2 for i in range(8)]
    as_numbers = pa.array(longer, pa.uint64()).cast(kind)
    for cells in (as_numbers, pa.array(map(str, longer))):
        read = read_table("t.parquet", _parquet(pa.table({"person": cells, "x": np.arange(8.0)})))
        assert read.frame["person"].tolist() == [str(person) for person in longer]
        assert "as text" in read.parsing[1] and "'person'" in read.parsing[1]


def test_texts_that_become_one_number_are_told() -> None:
    versions = pa.table({"v": ["1.1", "1.10", "1.2", " 1.2"], "x": ["1", "2", None, "2"]})
    read = read_table("t.parquet", _parquet(versions))
    assert read.frame["v"].tolist() == [1.1, 1.1, 1.2, 1.2]
    said = next(line for line in read.parsing if "Kept as text" in line)
    assert said.endswith("'v', 'x'. '1.1' and '1.10' are one number now.")


def _parquet(table: pa.Table) -> bytes:
    content = io.BytesIO()
    pq.write_table(table, content)
    return content.getvalue()
