"""Data sets on the server: which there are, what they hold, and which rows can be used."""

import os
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from em_core.inference.replicates import at_once
from em_core.partitions import partitions
from pages.ui import environment
from pages.ui.compute import surveying
from pages.ui.tables import served
from pages.ui.tables.columns import describe_columns
from pages.ui.tables.data_set import DataSet, Grouping, Whole
from pages.ui.tables.selection import recoded, select_levels
from pages.ui.tables.served import files_of, look_at, offered, table_of
from pages.ui.tables.table import DataError, Table
from support.data_sets import N_ROWS, write_answers, write_flights, write_gaps, write_trips


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_flights(tmp_path)
    write_gaps(tmp_path)
    (tmp_path / "_hidden.parquet").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("no data")
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv(environment.DATASETS, f"{tmp_path}, /nowhere")
    monkeypatch.delenv(environment.CLUSTER, raising=False)
    return tmp_path


def found(name: str) -> DataSet:
    root = offered()[name]
    return look_at(name, root, files_of(root))


def surveyed(name: str, grouping: Grouping | None = None) -> Table:
    data_set = found(name)
    told = at_once(surveying.survey)(data_set, grouping)
    return table_of(data_set, told, "" if grouping is None else grouping.word)


def in_sequences(column: str | None) -> Grouping:
    return Grouping("sequence", True, column)


def in_groups(column: str | None) -> Grouping:
    return Grouping("group", False, column)


def whole_of(table: Table) -> Whole:
    assert isinstance(table.whole, Whole)
    return table.whole


def test_what_is_there_is_listed_with_what_its_files_say(folder: Path) -> None:
    assert list(offered()) == ["flights", "gaps"]
    flights = found("flights")
    assert (flights.n_rows, flights.n_files) == (N_ROWS, 4)
    assert flights.numbers == ("delay", "distance", "kind")
    assert dict(flights.columns)["carrier"] == "string"


def test_data_sets_of_one_name_are_told_apart_by_their_folders(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [folder / "a", folder / "b", folder / "c" / "b"]
    for number, other in enumerate(folders):
        other.mkdir(parents=True)
        parquet.write_table(pa.table({"x": [1.0 + number, 2.0]}), other / "same.parquet")
    monkeypatch.setenv(environment.DATASETS, ", ".join(map(str, folders)))
    assert list(offered()) == ["same", "same (b)", "same (b, 2)"]
    roots = [str(path / "same.parquet") for path in folders]
    assert sorted(root.partition("://")[2] or root for root in offered().values()) == roots


def test_a_data_set_of_too_many_columns_and_columns_of_later_files_are_said(folder: Path) -> None:
    path = folder / "grown"
    path.mkdir()
    parquet.write_table(pa.table({"x": [1.0, 2.0]}), path / "0.parquet")
    parquet.write_table(pa.table({"x": [3.0], "z": [1.0]}), path / "1.parquet")
    assert "Not in the first file, so not read: z." in surveyed("grown").parsing
    wide = {f"x{i}": [1.0] for i in range(1001)}
    parquet.write_table(pa.table(wide), folder / "wide.parquet")
    with pytest.raises(DataError, match="has 1,001 columns and the limit is 1,000"):
        found("wide")


def test_files_that_changed_have_another_fingerprint(folder: Path) -> None:
    root = offered()["flights"]
    before = files_of(root)
    assert files_of(root) == before
    part = folder / "flights" / "part-1.parquet"
    os.utime(part, ns=(1, part.stat().st_mtime_ns + 1))
    assert files_of(root) != before


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no Parquet at all" * 10])
def test_what_is_no_parquet_is_refused_with_a_sentence(folder: Path, content: bytes) -> None:
    (folder / "broken.parquet").write_bytes(content)
    with pytest.raises(DataError, match="'broken' cannot be read"):
        found("broken")


def test_a_data_set_that_has_gone_is_said(folder: Path) -> None:
    root = offered()["gaps"]
    (folder / "gaps.parquet").unlink()
    with pytest.raises(DataError, match="cannot be read"):
        files_of(root)


def test_the_sample_is_a_table(folder: Path) -> None:
    table = surveyed("flights")
    assert len(table.frame) == partitions.SAMPLE_ROWS
    assert f"a sample of 20,000 of {N_ROWS:,} rows" in table.name
    assert {r.name: r.type for r in describe_columns(table)}["kind"] == "whole number"
    assert set(table.frame["carrier"]) == {"AA", "BB", "CC"}
    assert surveyed("gaps").name == "gaps"


def test_texts_with_few_values_are_columns_of_the_table(folder: Path) -> None:
    path = write_answers(folder)
    table = surveyed("answers")
    read = parquet.read_table(path).to_pandas()
    assert list(table.frame) == ["rating", "code", "member", "often", "region"]
    assert (
        table.frame["often"].fillna("").tolist() == read["often"].astype("str").fillna("").tolist()
    )
    assert any("so not read: comment" in said for said in table.parsing)
    assert isinstance(table.whole, Whole)
    # Answers stand in the order of their scale.
    assert table.whole.levels["often"] == ("never", "sometimes", "often", "always")


def test_levels_of_all_files_are_found_and_long_texts_cost_nothing(folder: Path) -> None:
    path = folder / "parts"
    path.mkdir()
    parts = [
        {"x": [1.0, 2.0], "word": ["b", None], "long": ["y" * 1000] * 2},
        {"x": [3.0, 4.0]},
        {"x": [5.0], "word": pa.array(["a"]).dictionary_encode(), "long": ["z"]},
    ]
    for number, part in enumerate(parts):
        parquet.write_table(pa.table(part), path / f"{number}.parquet")
    table = surveyed("parts")
    assert table.frame["word"].fillna("").tolist() == ["b", "", "", "", "a"]
    assert isinstance(table.whole, Whole) and table.whole.levels["word"] == ("a", "b")
    whole = table.whole.as_it_is(("x",))
    assert whole is not None and len(whole) == 5
    found = at_once(surveying.levels_of)(table.whole.data_set, ("x", "word"))
    assert found == {"x": (1, 2, 3, 4, 5), "word": ("a", "b")}
    (folder / "parts" / "2.parquet").write_bytes(b"PAR1" + bytes(99) + b"PAR1")
    with pytest.raises(ValueError, match=r"the file 2.parquet is damaged|could not be read"):
        at_once(surveying.levels_of)(table.whole.data_set, ("word",))


def test_levels_that_a_sample_lacks_keep_their_places(folder: Path) -> None:
    write_answers(folder)
    table = surveyed("answers")
    few = table._replace(frame=table.frame[table.frame["rating"] != 2])
    selection = select_levels(few, ["rating", "often", "member"])
    assert selection.levels[0] == ("1", "3", "4")
    levels = {"rating": (1.0, 2.0, 3.0, 4.0), "member": (0.0, 1.0)}
    again = recoded(few, selection, levels)
    assert again.levels[0] == ("1", "2", "3", "4") and again.levels[2] == ("False", "True")
    there = few.frame["rating"].iloc[again.rows].to_numpy(dtype=float, na_value=np.nan)
    assert np.array_equal(again.values[:, 0] + 1, there, equal_nan=True)
    assert np.array_equal(again.values[:, 1:], selection.values[:, 1:], equal_nan=True)


def test_columns_without_gaps_are_taken_without_another_pass(folder: Path) -> None:
    whole = surveyed("flights").whole
    assert isinstance(whole, Whole)
    rows = whole.as_it_is(("distance", "delay"))
    assert rows is not None and rows.names == ("distance", "delay")
    again = partitions.Partitions.from_parquet(folder / "flights", ["distance", "delay"])
    for known, read in zip(rows.overview().columns, again.overview().columns, strict=True):
        assert np.array_equal(known, read)
    assert np.array_equal(rows.overview().rows, again.overview().rows)


@pytest.mark.parametrize("holes", [False, True])
def test_rows_that_cannot_be_used_are_left_out(folder: Path, holes: bool) -> None:
    whole = surveyed("gaps").whole
    assert isinstance(whole, Whole)
    columns = "delay", "distance"
    assert whole.as_it_is(columns) is None
    rows = at_once(surveying.used_rows)(whole.data_set, columns, holes, "", {})
    read = parquet.read_table(folder / "gaps.parquet", columns=list(columns))
    values = np.stack([column.to_numpy() for column in read.columns], axis=1)
    there = ~np.isnan(values)
    used = (there.any(axis=1) if holes else there.all(axis=1)) & ~np.isinf(values).any(axis=1)
    assert len(rows) == used.sum()
    assert np.array_equal(rows.overview().rows, values[used], equal_nan=True)


def test_weights_come_along(folder: Path) -> None:
    rows = at_once(surveying.used_rows)(found("flights"), ("delay",), True, "kind", {})
    assert rows.overview().columns.total == rows.total(_weight)


def _weight(values: np.ndarray, weights: np.ndarray) -> float:
    return float(weights.sum())


def test_whole_numbers_beyond_what_a_double_holds_are_said_and_cost_no_other_column(
    folder: Path,
) -> None:
    keys = {
        "long": pa.array([2**63 + i for i in range(50)], pa.uint64()),
        "time": pa.array([-(2**60) - i for i in range(50)], pa.int64()),
    }
    parquet.write_table(pa.table({"x": range(50), **keys}), folder / "keys.parquet")
    table = surveyed("keys")
    assert table.frame["x"].tolist() == [*range(50)]
    assert table.frame["long"].tolist() == [float(2**63 + i) for i in range(50)]
    assert table.frame["time"].tolist() == [float(-(2**60) - i) for i in range(50)]
    (said,) = (line for line in table.parsing if "2^53" in line)
    assert "'long', 'time'." in said


def test_columns_that_cannot_be_read_are_said_and_cost_no_other_one(folder: Path) -> None:
    path = folder / "mixed"
    path.mkdir()
    price = pa.array([1, 2, None], pa.decimal128(10, 2))
    for number, odd in enumerate(([1.0, 2.0, 3.0], ["a", "b", "c"])):
        columns = {"x": [1, 2, 3], "odd": odd, "price": price, "": [0.0] * 3}
        parquet.write_table(pa.table(columns), path / f"{number}.parquet")
    table = surveyed("mixed")
    assert list(table.frame) == ["x", "price"]
    assert table.frame["price"].tolist()[:2] == [1, 2]
    assert "Neither numbers nor texts, so not read: odd (double or string)." in table.parsing
    assert "A column has no name, so it is not read." in table.parsing


def test_a_column_of_several_kinds_of_numbers_has_all_its_digits(folder: Path) -> None:
    path = folder / "kinds"
    path.mkdir()
    kinds = pa.int64(), pa.float64(), pa.int16(), pa.bool_()
    for number, kind in enumerate(kinds):
        x = (
            pa.array([1, 0])
            if kind == pa.bool_()
            else pa.array([1.5, 2] if number == 1 else [1, 2])
        )
        whole = pa.array([3, 4], pa.int8() if number else pa.uint32())
        table = pa.table({"x": x.cast(kind), "whole": whole})
        parquet.write_table(table, path / f"{number}.parquet")
    table = surveyed("kinds")
    assert sorted(table.frame["x"]) == [0, 1, 1, 1, 1.5, 2, 2, 2]
    assert table.frame["whole"].dtype == "Int64"


def test_columns_of_one_name_are_said(folder: Path) -> None:
    twice = pa.table([[1.0], [2.0], [3.0]], names=["x", "x", "y"])
    parquet.write_table(twice, folder / "twice.parquet")
    with pytest.raises(DataError, match="several of its columns are called 'x'"):
        found("twice")


@pytest.mark.parametrize(("holes", "why"), [(False, "one is missing"), (True, "all are missing")])
def test_columns_of_which_no_row_can_be_used_are_said(folder: Path, holes: bool, why: str) -> None:
    none = pa.array([None] * 9, pa.float64())
    parquet.write_table(pa.table({"x": range(9), "none": none}), folder / "none.parquet")
    with pytest.raises(ValueError, match=f"No row can be used with the columns 'none'.*{why}"):
        at_once(surveying.used_rows)(found("none"), ("none",), holes, "", {})


def test_a_file_that_is_damaged_is_said(folder: Path) -> None:
    path = folder / "flights" / "part-1.parquet"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[40:middle] = b"\xff" * (middle - 40)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"the file part-1.parquet is damaged"):
        surveyed("flights")


def test_the_sample_is_of_whole_sequences_and_says_what_they_are_called(folder: Path) -> None:
    read = parquet.read_table(write_trips(folder, 900)).to_pandas()
    table = surveyed("trips", in_sequences("number"))
    frame, whole = table.frame, whole_of(table)
    sizes = read.groupby("number", sort=False).size()
    some = frame["number"].astype(int).value_counts(sort=False)
    assert whole.group == "number" and whole.rows.called.to_pylist() == sizes.index.tolist()
    assert partitions.SAMPLE_ROWS <= len(frame) < len(read) and len(some) < len(sizes)
    assert (sizes[some.index] == some).all() and sizes.index.isin(some.index).sum() == len(some)
    there = read[read["number"].isin(some.index)]
    assert frame["speed"].tolist() == there["speed"].tolist()
    assert frame["number"].tolist() == there["number"].tolist()
    (said,) = (line for line in table.parsing if "sample" in line)
    assert f"a sample of {len(some):,} whole sequences of 900, all equally likely" in said
    assert f"a sample of {len(frame):,} of {len(read):,} rows" in table.name


def test_a_column_of_many_names_tells_and_rows_without_one_are_left_out(folder: Path) -> None:
    read = parquet.read_table(write_trips(folder)).to_pandas()
    table = surveyed("trips", in_sequences("trip"))
    assert table.frame["trip"].tolist() == read["trip"].dropna().tolist()
    missing = int(read["trip"].isna().sum())
    assert f"Left out: {missing} rows, in which trip is missing." in table.parsing
    assert not any("so not read: trip" in line for line in table.parsing)
    rows = at_once(surveying.used_rows)(
        whole_of(table).data_set, ("speed", "heart"), False, "", {}, "trip"
    )
    used = read.dropna(subset=["trip", "heart"])
    assert rows.ends.tolist() == np.cumsum(used.groupby("trip", sort=False).size()).tolist()
    assert rows.called.to_pylist() == used["trip"].unique().tolist()


def test_longer_sequences_are_shown_by_their_beginnings(folder: Path) -> None:
    x = np.arange(50_000.0)
    columns = {"x": x, "who": np.repeat(["a", "b"], 25_000)}
    parquet.write_table(pa.table(columns), folder / "long.parquet", row_group_size=7000)
    table = surveyed("long", in_sequences("who"))
    assert len(table.frame) == 20_000 and table.frame["who"].nunique() == 1
    assert any("1 whole" in t and "of a longer one 20,000 rows" in t for t in table.parsing)
    one = surveyed("long", in_sequences(""))
    assert one.frame["x"].tolist() == x[:20_000].tolist()
    assert any("the first 20,000 rows of one sequence" in line for line in one.parsing)


@pytest.mark.parametrize(
    ("grouping", "column", "why"),
    [
        # Some rows have no name, and a number may be anything: nothing is taken unasked.
        (in_sequences(None), "", ""),
        (in_sequences("nowhere"), "", ""),
        (in_sequences("trip"), "trip", ""),
        (in_sequences("turns"), "turns", "The rows of sequence '[0-6]' do not stand together"),
        (in_sequences("speed"), "speed", "Column 'speed' holds numbers that are not whole, so it"),
        (in_groups(None), "trip", ""),
        (in_groups(""), "trip", ""),
        (in_groups("number"), "number", ""),
        (in_groups("road"), "road", "The rows of group '(wide|narrow)' do not stand together"),
    ],
)
def test_the_column_that_is_asked_for_tells_or_it_is_said_why_not(
    folder: Path, grouping: Grouping, column: str, why: str
) -> None:
    write_trips(folder)
    whole = whole_of(surveyed("trips", grouping))
    assert whole.group == column and bool(whole.no_groups) == bool(why)
    assert re.match(why, whole.no_groups)
    assert (whole.rows.ends is None) == bool(why)
    could = {"trip", "number", "stops", "road", "riders", "turns"}
    assert {*whole.groups} == could | {column} - {""}


def test_groups_that_tell_nothing_of_two_levels_are_said(folder: Path) -> None:
    columns = {"x": [1.0, 2.0, 3.0], "same": ["a"] * 3, "each": ["a", "b", "c"]}
    columns["none"] = pa.array([None] * 3, pa.string())
    parquet.write_table(pa.table(columns), folder / "few.parquet")
    same, each, none = (
        whole_of(surveyed("few", in_groups(name))).no_groups for name in ("same", "each", "none")
    )
    assert "By 'same' all rows are in one group, so that the variance" in same
    assert "By 'each' every group has one row, so that the variance" in each
    assert "The column 'none' is missing in all rows: choose another column under “Groups”" in none
    # For sequences that is no trouble.
    assert not whole_of(surveyed("few", in_sequences("same"))).no_groups
    assert len(whole_of(surveyed("few", in_sequences("each"))).rows.ends) == 3


def test_weights_that_vary_within_a_sequence_are_said(folder: Path) -> None:
    write_trips(folder)
    asked = found("trips"), ("speed",), True
    rows = at_once(surveying.used_rows)(*asked, "number", {}, "number")
    assert rows.overview().columns.total > len(rows)
    with pytest.raises(ValueError, match="weights vary within a sequence"):
        at_once(surveying.used_rows)(*asked, "stops", {}, "number")


def test_numbers_of_sequences_keep_all_their_digits(folder: Path) -> None:
    far = 2**60
    columns = {"who": [far + 1, far + 1, far + 2], "x": [1.0, 2.0, 3.0]}
    parquet.write_table(pa.table(columns), folder / "far.parquet")
    table = surveyed("far", in_sequences("who"))
    assert table.frame["who"].tolist() == columns["who"]


def test_many_short_sequences_are_read_soon(folder: Path) -> None:
    n = 50_000
    columns = {"who": [f"person {i // 2}" for i in range(2 * n)], "x": np.arange(2.0 * n)}
    parquet.write_table(pa.table(columns), folder / "many.parquet", row_group_size=9999)
    table = surveyed("many", in_groups("who"))
    whole = whole_of(table)
    assert len(whole.rows.ends) == n and len(table.frame) == partitions.SAMPLE_ROWS
    assert (table.frame.groupby("who").size() == 2).all()


def test_a_name_of_a_column_that_is_no_text_is_said_as_damage(tmp_path: Path) -> None:
    path = tmp_path / "latin.parquet"
    parquet.write_table(pa.table({"heixght": [1.0, 2.0]}), path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"heixght", b"hei\xe7ght"))
    with pytest.raises(DataError, match="cannot be read"):
        look_at("latin", str(path), "")


def test_what_has_a_name_that_is_no_text_is_left_out_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gaps = (folder / "gaps.parquet").read_bytes()
    (folder / "M\udcfcller.parquet").write_bytes(gaps)
    for name, within in (("Z\udcfcrich", "a"), ("inner", "\udcfc")):
        (folder / name).mkdir()
        (folder / name / f"{within}.parquet").write_bytes(gaps)
    assert list(offered()) == ["flights", "gaps"]
    said = [line for line in environment.complaints() if "is no text" in line]
    assert ["inner" in line for line in said] == [False, False, True]
    assert all(line.isascii() for line in said)
    # Such a file that comes later.
    root = offered()["flights"]
    (folder / "flights" / "\udcfc.parquet").write_bytes(gaps)
    with pytest.raises(DataError, match="cannot be read"):
        files_of(root)
    monkeypatch.setenv(environment.DATASETS, f"{folder}/Z\udcfcrich")
    assert list(offered()) == []
    (line,) = (line for line in environment.complaints() if "is no text" in line)
    assert line.isascii() and str(folder) in line


def test_texts_that_are_all_different_are_no_columns_to_fit(folder: Path) -> None:
    names = pa.table({"name": [f"name {i}" for i in range(60)], "note": pa.nulls(60, pa.string())})
    parquet.write_table(names, folder / "names.parquet")
    with pytest.raises(ValueError, match="'names' has no column that can be fitted"):
        surveyed("names")


def test_whole_numbers_that_doubles_do_not_tell_apart_are_no_levels(folder: Path) -> None:
    ids = pa.table({"id": [2**53 + i % 2 for i in range(200)], "b": [i % 3 for i in range(200)]})
    parquet.write_table(ids, folder / "ids.parquet")
    table = surveyed("ids")
    assert "Whole numbers beyond 2^53, read to 16 digits: 'id'." in table.parsing
    assert table.whole is not None
    with pytest.raises(ValueError, match="'id' has whole numbers beyond"):
        at_once(surveying.levels_of)(table.whole.data_set, ("b", "id"))


def test_what_is_in_a_folder_of_an_object_store_has_an_address_of_its_own() -> None:
    folder = "s3://key:secret@bucket/my%20sets/?region=here&endpoint_override=127.0.0.1%3A1"
    root = served._within(folder, "a ?b#.parquet")
    assert root == (
        "s3://key:secret@bucket/my%20sets/a%20%3Fb%23.parquet"
        "?region=here&endpoint_override=127.0.0.1%3A1"
    )
    assert served.called(root) == "a ?b#.parquet" and served.called(folder) == "my sets"
    assert served.called("s3://key:secret@bucket?region=here") == "bucket"
    assert served.called("s3://key:sec%2Fret@bucket") == "bucket"
    assert served._within("/sets?/", "a?b") == "/sets?/a?b" and served.called("/x/sets?") == "sets?"


def test_where_files_cannot_be_had_no_key_is_shown(tmp_path: Path) -> None:
    nobody = "s3://key:secret@bucket/sets?scheme=http&endpoint_override=127.0.0.1%3A1&region=x"
    for root in (
        f"file://{tmp_path}/none",
        f"{tmp_path}/none",
        nobody.replace("s3://", "nothing://"),
    ):
        with pytest.raises(DataError) as refused:
            files_of(root)
        assert "secret" not in str(refused.value) and str(tmp_path) not in str(refused.value)
