"""Files that nobody here wrote: tests/tables/others."""

import gzip
import io
import json
import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from pages.ui.tables.answers import Reading
from pages.ui.tables.columns import default_columns, describe_columns
from pages.ui.tables.preparation.levels import Spelling
from pages.ui.tables.preparation.table import prepared
from pages.ui.tables.profile import short_texts
from pages.ui.tables.reading import read_table
from pages.ui.tables.selection import select
from pages.ui.tables.statistical_dates import with_dates
from pages.ui.tables.table import DataError, Table
from support.tables import TABLES, of_others


def read(name: str) -> Table:
    return read_table(name, of_others(name))


def test_codes_that_a_file_declares_are_missing_and_labels_are_kept() -> None:
    table = read("sample_missing.sav")
    assert table.frame["mynum"].isna().sum() == 2 and table.frame["myord"].isna().sum() == 2
    assert dict(table.missing_codes)["mynum"] == ("2000 to 3000", "-1")
    assert dict(table.value_labels)["mylabl"][1:] == (("1", "Male"), ("2", "Female"))
    assert dict(table.titles)["myord"] == "ordinal"
    columns = default_columns(describe_columns(table))
    assert columns == ("mynum", "mylabl", "myord", "mytime")
    assert len(select(table, columns[:3]).values) == 5


def test_names_and_labels_in_other_scripts_come_through() -> None:
    assert list(read("hebrews.sav").frame) == ["ותק_ב"]
    table = read("umlauts.sav")
    assert table.titles == (("var1", "This is an ä-umlaut"),)
    assert [label for _, label in table.value_labels[0][1]] == [
        f"the {letter} umlaut" for letter in "äüö"
    ]
    for tagged in map(read, ("tagged-na-double.dta", "tagged-na-int.dta")):
        assert tagged.frame["x"].dropna().tolist() == [1, 2, 3, 4, 5]
    assert read("sample.xpt").frame["MYDATE"].dt.year.tolist()[:4] == [2018, 1880, 1960, 1583]


@pytest.mark.parametrize(
    "name", ["sample.sas7bdat", "sample_bincompressed.sas7bdat", "sample.por", "sample.xpt"]
)
def test_one_table_is_the_same_from_every_program(name: str) -> None:
    """As Stata has it: nothing here writes files of SAS and portable ones of SPSS."""
    here, there = read(name).frame, read("sample.dta").frame
    here.columns = here.columns.str.lower()
    assert list(here) == list(there)
    for column in there:
        one, other = here[column], there[column]
        assert one.isna().tolist() == other.isna().tolist()
        if pd.api.types.is_datetime64_any_dtype(other):
            one, other = one.astype("datetime64[s]"), other.astype("datetime64[s]")
        near = pytest.approx if pd.api.types.is_float_dtype(other) else list
        assert one.dropna().tolist() == near(other.dropna().tolist()), column


def test_drawn_numbers_come_back_from_a_file_of_sas(rng: random.Random) -> None:
    """Nothing here writes such files: drawn numbers take the places of those in a real one."""
    content = of_others("sample.sas7bdat")
    places = [content.index(struct.pack("<d", x)) for x in (1.1, 1.2, -1000.3, -1.4, 1000.3)]
    for _ in range(100):
        drawn = [rng.choice([rng.gauss(0, 1), rng.randint(-9, 99), 1e300, 2**53]) for _ in places]
        changed = bytearray(content)
        for place, x in zip(places, drawn, strict=True):
            changed[place : place + 8] = struct.pack("<d", x)
        assert read_table("x.sas7bdat", bytes(changed)).frame["mynum"].tolist() == drawn


def test_a_survey_of_sas_goes_from_file_to_selection() -> None:
    table = read("hadley.sas7bdat")
    columns = default_columns(describe_columns(table))
    assert {"q1", "q2", "q3", "q4"} <= {*columns} and "id" not in columns
    assert dict(table.titles)["q1"] and len(select(table, ["q1", "q2"]).values) == 8


def test_a_date_that_no_calendar_has_costs_its_cell() -> None:
    table = read("datetime.sav")
    assert table.frame["date.posix"].isna().tolist() == [True, False]
    assert table.frame["date"].dt.day.tolist() == [22, 23]
    assert "1 cell of 'date.posix' with a date that no calendar has: missing." in table.parsing


@pytest.mark.parametrize(
    ("name", "read_it"),
    [("sample_missing.sav", pyreadstat.read_sav), ("sample.xpt", pyreadstat.read_xport)],
)
def test_dates_are_those_of_the_library_that_reads_them(name: str, read_it) -> None:
    path = TABLES / "others" / name
    whole, about = read_it(path, dates_as_pandas_datetime=True)
    numbers, _ = read_it(path, disable_datetime_conversion=True)
    found, said, _ = with_dates(numbers, about.original_variable_types, name.rpartition(".")[2])
    dates = [c for c in whole if pd.api.types.is_datetime64_any_dtype(whole[c])]
    assert len(dates) == 2 and not said
    for column in dates:
        assert found[column].equals(whole[column].astype(found[column].dtype))


@pytest.mark.parametrize("suffix", ["sav", "xpt"])
def test_durations_keep_their_days(tmp_path: Path, suffix: str) -> None:
    seconds = [3600.0, 90_000.0, 180_000.0, -3600.0]
    frame = pd.DataFrame({"took": seconds, "y": [1.0, 2.0, 3.0, 4.0]})
    path = tmp_path / f"x.{suffix}"
    write = {"sav": pyreadstat.write_sav, "xpt": pyreadstat.write_xport}[suffix]
    write(frame, path, variable_format={"took": "TIME8"})
    table = read_table(path.name, path.read_bytes())
    assert table.frame["took"].tolist() == seconds and table.units == ("s", "")
    assert "'took' holds times: read as seconds." in table.parsing


def written(tmp_path: Path, frame: pd.DataFrame, ending: str = "sav", **more) -> Table:
    """A table of pyreadstat's, read."""
    path = tmp_path / f"x.{ending}"
    writers = {"dta": pyreadstat.write_dta, "xpt": pyreadstat.write_xport}
    writers.get(ending, pyreadstat.write_sav)(frame, path, **more)
    return read_table(path.name, path.read_bytes())


def test_a_code_declared_for_a_time_is_missing(tmp_path: Path) -> None:
    frame = pd.DataFrame({"at": [3723.0, 90_000.0, np.nan], "y": [1.0, 2.0, 3.0]})
    table = written(tmp_path, frame, variable_format={"at": "TIME8"}, missing_ranges={"at": [3723]})
    assert table.frame["at"].fillna(-1).tolist() == [-1, 90_000, -1]
    assert dict(table.missing_codes) == {"at": ("3723",)}


@pytest.mark.parametrize("how", ["MOYR8", "QYR8", "WKYR10", "ADATE10", "DATE11"])
def test_dates_of_every_format_of_spss_are_dates(tmp_path: Path, how: str) -> None:
    days = pd.to_datetime(["2020-01-01", "1999-12-01", "1901-07-01"])
    seconds = (days - pd.Timestamp("1582-10-14")) / pd.Timedelta(seconds=1)
    table = written(
        tmp_path, pd.DataFrame({"day": seconds, "y": [1.0, 2, 3]}), variable_format={"day": how}
    )
    assert table.frame["day"].tolist() == days.tolist()


def test_the_day_of_a_moment_of_sas_is_a_date(tmp_path: Path) -> None:
    days = pd.to_datetime(["1960-01-02", "2020-01-01"])
    seconds = (days - pd.Timestamp("1960-01-01")) / pd.Timedelta(seconds=1)
    frame = pd.DataFrame({"at": seconds, "y": [1.0, 2.0]})
    path = tmp_path / "x.xpt"
    pyreadstat.write_xport(frame, path, variable_format={"at": "DTDATE9."})
    assert read_table("x.xpt", path.read_bytes()).frame["at"].tolist() == days.tolist()


@pytest.mark.parametrize("first", ["at", "took"])
def test_times_and_days_of_moments_of_sas_keep_apart(tmp_path: Path, first: str) -> None:
    both = {"at": [86_400.0, 172_800.0], "took": [90_000.0, 60.0]}
    order = sorted(both, key=lambda name: name != first)
    path = tmp_path / "x.xpt"
    formats = {"at": "DTDATE9.", "took": "TIME8."}
    pyreadstat.write_xport(pd.DataFrame(both)[order], path, variable_format=formats)
    frame = read_table("x.xpt", path.read_bytes()).frame
    assert frame["took"].tolist() == both["took"]
    assert frame["at"].tolist() == pd.to_datetime(["1960-01-02", "1960-01-03"]).tolist()


MARKED = [
    *(f"{days}{mark}10." for days in ("DDMMYY", "MMDDYY", "YYMMDD") for mark in "BCDNPS"),
    *(f"{parts}{mark}7." for parts in ("MMYY", "YYMM", "YYQ", "YYQR") for mark in ["", *"CDNPS"]),
]
DAYS_OF_SAS = [
    *("DATE", "DATE9.", "MONYY7.", "YYMON7.", "WORDDATE18.", "WORDDATX18.", "WEEKDATE29."),
    *("WEEKDATX29.", "JULIAN7.", "YYQZ6.", "NLDATE20.", "NLDATEW20.", "B8601DA8.", "E8601DA10."),
    *("IS8601DA10.", "EURDFDD10.", "DEUDFWKX20.", "MINGUO8.", "WEEKV11.", *MARKED),
]
MOMENTS_OF_SAS = [
    *("DATETIME22.3", "DATEAMPM22.", "MDYAMPM22.", "NLDATM30.", "E8601DN10.", "E8601DZ20."),
    *("B8601DT15.", "B8601DN8.", "FRADFDT18.", "DTMONYY7.", "dtdate9."),
]


@pytest.mark.parametrize(
    ("how", "seconds"),
    [*((how, 86_400) for how in DAYS_OF_SAS), *((how, 1) for how in MOMENTS_OF_SAS)],
)
def test_dates_of_every_format_of_sas_are_dates(tmp_path: Path, how: str, seconds: int) -> None:
    days = pd.to_datetime(["2014-10-04", "1950-06-01"])
    since = (days - pd.Timestamp("1960-01-01")) / pd.Timedelta(seconds=seconds)
    frame = pd.DataFrame({"at": [*since, np.nan], "y": [1.0, 2, 3]})
    table = written(tmp_path, frame, "xpt", variable_format={"at": how})
    assert table.frame["at"].dropna().tolist() == days.tolist() and table.units == ()


@pytest.mark.parametrize(
    ("how", "unit"),
    [("WEEKDAY1.", "days"), ("QTR1.", "days"), ("YEAR4.", "days"), ("NLDATMMN10.", "seconds")],
)
def test_a_part_of_a_date_stays_a_number_of_which_is_said_what_it_counts(
    tmp_path: Path, how: str, unit: str
) -> None:
    frame = pd.DataFrame({"at": [20_000.0, 1.0], "y": [1.0, 2.0]})
    table = written(tmp_path, frame, "xpt", variable_format={"at": how})
    assert table.frame["at"].tolist() == [20_000, 1]
    said = f"'at' counts {unit} since 1960, of which the file shows a part: read as numbers."
    assert said in table.parsing


@pytest.mark.parametrize(
    ("ending", "how", "counted", "seconds"),
    [
        ("xpt", "TOD8.", [1.7e9, 90_060.5], [1.7e9 % 86_400, 3_660.5]),
        ("xpt", "NLDATMTM8.", [1.7e9, 60.0], [1.7e9 % 86_400, 60.0]),
        ("xpt", "MMSS5.", [90_000.0, 60.0], [90_000.0, 60.0]),
        ("xpt", "HOUR2.", [90_000.0, 60.0], [90_000.0, 60.0]),
        ("sav", "MTIME5", [90_000.0, 60.0], [90_000.0, 60.0]),
        ("dta", "%-tcHH:MM", [86_401_500.0, 0.0], [1.5, 0.0]),
        ("dta", "%tchh:MM_am", [86_401_500.0, 0.0], [1.5, 0.0]),
        ("dta", "%tCHH:MM", [86_401_500.0, 0.0], [1.5, 0.0]),
    ],
)
def test_times_of_every_format_are_seconds(
    tmp_path: Path, ending: str, how: str, counted: list[float], seconds: list[float]
) -> None:
    frame = pd.DataFrame({"at": counted, "y": [1.0, 2.0]})
    table = written(tmp_path, frame, ending, variable_format={"at": how})
    assert table.frame["at"].tolist() == seconds and table.units == ("s", "")
    assert "'at' holds times: read as seconds." in table.parsing


def test_times_beside_a_date_that_no_calendar_has_are_said(tmp_path: Path) -> None:
    frame = pd.DataFrame({"day": [1e17, 0.0], "took": [3600.0, 60.0]})
    formats = {"day": "DATE11", "took": "TIME8"}
    table = written(tmp_path, frame, variable_format=formats)
    assert table.units == ("", "s") and table.frame["day"].isna().tolist() == [True, False]


def test_a_date_declared_as_missing_is_named_as_one(tmp_path: Path) -> None:
    frame = pd.DataFrame({"day": [86_400.0, 172_800.0], "y": [1.0, 2.0]})
    formats, missing = {"day": "DATE11"}, {"day": [86_400]}
    table = written(tmp_path, frame, variable_format=formats, missing_ranges=missing)
    assert table.frame["day"].isna().tolist() == [True, False]
    assert dict(table.missing_codes) == {"day": ("1582-10-15 00:00:00",)}


def test_whole_numbers_with_a_missing_one_are_dates_too(tmp_path: Path) -> None:
    frame = pd.DataFrame({"day": [20_000, None], "y": [1.0, 2.0]}, dtype=object)
    frame["day"] = frame["day"].astype("Int32")
    table = written(tmp_path, frame, "dta", variable_format={"day": "%td"})
    assert table.frame["day"].dropna().tolist() == [pd.Timestamp("2014-10-04")]


STATA = ["%td", "%tdDD/NN/CCYY", "%tcCCYY-NN-DD_HH:MM:SS", "%-td", "%-tdCCYY.NN.DD", "%-tc"]
STATA += ["%d", "%-d", "%dD_m_Y", "%dDNCY", "%tcHH:MM_DD/NN/YY", "%-tC"]


@pytest.mark.parametrize("how", STATA)
def test_dates_of_every_format_of_stata_are_dates(tmp_path: Path, how: str) -> None:
    days = pd.to_datetime(["2020-01-01", "1950-06-01"])
    since = (days - pd.Timestamp("1960-01-01")) / pd.Timedelta(days=1)
    unit = 86_400_000 if "tc" in how.lower() else 1
    frame = pd.DataFrame({"at": since * unit, "y": [1.0, 2.0]})
    table = written(tmp_path, frame, "dta", variable_format={"at": how})
    assert table.frame["at"].tolist() == days.tolist()


@pytest.mark.parametrize("how", ["%tw", "%tm", "%tq", "%th", "%tmCCYY-NN"])
def test_periods_of_stata_are_their_first_days(tmp_path: Path, how: str) -> None:
    at = [0.0, -1.0, 731.0, 52.0, np.nan]
    table = written(
        tmp_path, pd.DataFrame({"at": at, "y": 1.0}), "dta", variable_format={"at": how}
    )
    assert table.frame["at"].equals(pd.read_stata(tmp_path / "x.dta")["at"].astype("M8[us]"))
    assert any("'at' counts" in said and "first days" in said for said in table.parsing)


def test_a_period_that_no_calendar_has_costs_its_cell(tmp_path: Path) -> None:
    frame = pd.DataFrame({"at": [1e6, 1e300, -1e6, 3.0], "y": 1.0})
    table = written(tmp_path, frame, "dta", variable_format={"at": "%tm"})
    assert table.frame["at"].isna().tolist() == [True, True, True, False]
    assert any("3 cells of 'at' with a date that no calendar has" in x for x in table.parsing)


def test_leap_seconds_are_said(tmp_path: Path) -> None:
    frame = pd.DataFrame({"at": [1.9e12, 1.8e12], "y": [1.0, 2]})
    table = written(tmp_path, frame, "dta", variable_format={"at": "%tC"})
    assert any("'at' counts leap seconds" in said for said in table.parsing)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("x.jsonl", '{"x": 1, "x": 2}\n{"x": 3, "x": 4}', "'x' twice"),
        ("x.json", '[{"y": {"x": 1, "x": 2}}]', "'x' twice"),
        ("x.json", '{"x": [1, 2], "x": [3, 4]}', "'x' twice"),
        ("x.json", '{"columns": ["x", "x"], "data": [[1, 2], [3, 4]]}', "two columns 'x'"),
    ],
)
def test_a_name_with_two_values_is_told(name: str, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_table(name, text.encode())


def test_lists_and_objects_in_cells_of_json_are_said_to_be_texts() -> None:
    table = read_table("x.jsonl", b'{"x": 1, "at": {"u": 1}}\n{"x": 2, "at": [3]}\n')
    assert table.frame["at"].tolist() == ['{"u": 1}', "[3]"]
    assert "'at' holds lists or objects: each is read as a text." in table.parsing


def test_lines_of_json_end_where_json_says() -> None:
    text = '{"a": "x\u2028y\x85z", "b": 1}\r\n{"a": "w", "b": 2}\r{"a": "v", "b": 3}'
    table = read_table("x.jsonl", text.encode())
    assert table.frame["b"].tolist() == [1, 2, 3] and table.frame["a"][0] == "x\u2028y\x85z"


def test_words_of_json_and_halves_of_characters_are_what_they_say() -> None:
    text = rb'[{"x": Infinity, "y": "\ud800"}, {"x": NaN, "y": "b"}, {"x": -Infinity, "y": "c"}]'
    table = read_table("x.json", text)
    assert table.frame["x"].fillna(0).tolist() == [np.inf, 0, -np.inf]
    assert table.frame["y"].tolist() == ["?", "b", "c"]
    said = "'y' holds halves of characters, each read as a question mark."
    assert said in table.parsing and said not in read_table("x.json", b'[{"y": "b"}]').parsing


@pytest.mark.parametrize("ids", ["[9007199254740993, 0.5]", "[12345678901234567890, 1]"])
def test_digits_that_a_number_of_json_loses_are_told(ids: str) -> None:
    first, second = json.loads(ids)
    text = json.dumps([{"id": first}, {"id": second}])
    said = "'id' holds whole numbers too long to be exact: rounded to 16 digits."
    assert said in read_table("x.json", text.encode()).parsing
    exact = read_table("x.json", b'[{"id": 9007199254740993}, {"id": 1}]')
    assert exact.frame["id"][0] == 9007199254740993 and said not in exact.parsing


ROWS = [{"x": 1.0, "k": "a"}, {"x": 2.0, "k": "b"}, {"x": 3.5, "k": None}]


def test_halves_of_characters_in_json_are_told_as_such_wherever_they_stand() -> None:
    table = read_table("x.json", rb'[{"a\ud800": "b\udfff", "in": {"\udc00": 1}}]')
    assert table.frame.iloc[0, 0] == "b?"
    assert list(table.frame) == ["a?", "in"]


@pytest.mark.parametrize("orient", ["columns", "index", "split", "records", "table"])
def test_one_json_object_with_a_table_in_it(orient: str) -> None:
    frame = pd.DataFrame(ROWS)
    table = read_table("x.json", frame.to_json(orient=orient).encode())
    assert table.frame["x"].tolist() == [1, 2, 3.5]
    assert table.frame["k"].fillna("").tolist() == ["a", "b", ""]
    by_place = read_table("x.json", b'{"x": [1, 2, 3.5], "k": ["a", "b", null]}').frame
    assert by_place["x"].tolist() == table.frame["x"].tolist()
    nested = read_table("x.json", b'{"made": 2024, "values": [{"x": 1}, {"x": 2}]}').frame
    assert nested["x"].tolist() == [1, 2] and list(nested) == ["x"]


NAMED = pd.DataFrame(
    {"x": [1.5, 2.5, 3.0, None], "n": [1, 2, 3, 4], "k": list("abca")}, index=["p", "q", "r", "s"]
)


@pytest.mark.parametrize("orient", ["columns", "index"])
@pytest.mark.parametrize("columns", [["x", "n", "k"], ["x", "n"]])
def test_rows_that_have_names_in_json_keep_them(orient: str, columns: list[str]) -> None:
    """By columns or by rows: values of one kind, or else the fewer, are columns."""
    frame = NAMED[columns]
    table = read_table("x.json", frame.to_json(orient=orient).encode())
    assert table.frame.iloc[:, 0].tolist() == [*frame.index]
    for name in columns:
        assert table.frame[name].fillna("").tolist() == frame[name].fillna("").tolist()
    assert "rows are called 'p', 'q', 'r', …." in " ".join(table.parsing)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": {"x": 1, "y": 2}, "b": {"u": 1, "v": 2}, "c": {"w": 1}}',
        '{"a": {"x": 1}, "b": {"x": 2}}',
        '{"a": [{"x": 1}], "b": [{"x": 2}]}',
        '{"a": [[1]]}',
    ],
)
def test_an_object_without_one_table_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="no table was found"):
        read_table("x.json", text.encode())


def test_a_single_line_of_plain_values_is_one_row() -> None:
    assert np.array_equal(read_table("x.jsonl", b'{"x": 1, "y": 2}').frame, [[1, 2]])


@pytest.mark.parametrize(
    ("content", "columns", "rows"),
    [
        ('{"gdp":{"2019":1.5,"2020":2.5},"pop":{"2019":8,"2020":9}}', ["gdp", "pop"], [2019, 2020]),
        ('{"1017":{"x":1,"y":2},"1002":{"x":2,"y":5}}', ["x", "y"], [1017, 1002]),
    ],
)
def test_what_rows_of_objects_are_called_is_a_column(content, columns, rows) -> None:
    table = read_table("t.json", content.encode())
    assert list(table.frame) == ["column 1", *columns]
    assert table.frame["column 1"].tolist() == rows
    assert any(
        said.startswith("Columns are 'gdp', 'pop'" if rows[0] == 2019 else "Columns are 'x'")
        for said in table.parsing
    )


SPLIT = '{"columns":%s,"index":%s,"data":[[1,2],[3,4]]%s}'


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (
            SPLIT % ('["x","y"]', '["2024-01-01","2024-01-02"]', ""),
            {"column 1": ["2024-01-01", "2024-01-02"], "x": [1, 3], "y": [2, 4]},
        ),
        (SPLIT % ('["x","y"]', "[7,5]", ""), {"column 1": [7, 5], "x": [1, 3], "y": [2, 4]}),
        (
            SPLIT % ('["x","y"]', "[0.5,1.5]", ""),
            {"column 1": [0.5, 1.5], "x": [1, 3], "y": [2, 4]},
        ),
        (SPLIT % ('["x","y"]', "[0,1]", ""), {"x": [1, 3], "y": [2, 4]}),
        (
            SPLIT % ("[2019,2020]", "[1,2]", ""),
            {"column 1": [1, 2], "2019": [1, 3], "2020": [2, 4]},
        ),
        (
            SPLIT % ('["","y"]', '["a","b"]', ""),
            {"column 1": ["a", "b"], "column 2": [1, 3], "y": [2, 4]},
        ),
        (
            SPLIT % ('[["m","x"],["m","y"]]', '[["a",1],["b",2]]', ""),
            {"column 1": ["a", "b"], "column 2": [1, 2], "m x": [1, 3], "m y": [2, 4]},
        ),
        (
            SPLIT
            % (
                '["x","y"]',
                '[["a",1],["b",2]]',
                ',"index_names":["who",null],"column_names":[null]',
            ),
            {"who": ["a", "b"], "column 2": [1, 2], "x": [1, 3], "y": [2, 4]},
        ),
        (
            SPLIT % ('["x","y"]', "[1900,1901]", ',"index_names":["x"],"column_names":[null]'),
            {"x": [1900, 1901], "x (2)": [1, 3], "y": [2, 4]},
        ),
        (
            '{"":{"2019":1,"2020":3},"y":{"2019":2,"2020":4}}',
            {"column 1": [2019, 2020], "column 2": [1, 3], "y": [2, 4]},
        ),
        (
            '{"17":{"":1,"y":2},"12":{"":3,"y":4}}',
            {"column 1": [17, 12], "column 2": [1, 3], "y": [2, 4]},
        ),
    ],
)
def test_what_rows_are_called_by_pandas_is_a_column_unless_it_counts_them(content, columns) -> None:
    assert read_table("t.json", content.encode()).frame.to_dict("list") == columns


@pytest.mark.parametrize(
    "index",
    [
        pd.Index(["b", "a"], name="who"),
        pd.Index([3, 4], name="n"),
        pd.MultiIndex.from_tuples([("a", 1), ("a", 2)], names=["who", "n"]),
    ],
)
def test_frames_written_as_json_of_each_orientation_keep_what_rows_are_called(index) -> None:
    frame = pd.DataFrame({"x": [1.5, 2.5]}, index=index)
    keys = [list(key) for key in frame.reset_index()[index.names].itertuples(index=False)]
    for content in (
        frame.to_json(orient="split"),
        frame.to_json(orient="table"),
        json.dumps(frame.to_dict(orient="tight")),
    ):
        table = read_table("t.json", content.encode())
        assert list(map(list, zip(*table.frame.to_dict("list").values(), strict=True))) == [
            [*key, x] for key, x in zip(keys, [1.5, 2.5], strict=True)
        ]
        named = "index_names" in content or "schema" in content
        assert not named or list(table.frame) == [*index.names, "x"]


@pytest.mark.parametrize("orient", ["index", "columns"])
def test_years_as_columns_of_pandas_are_not_turned(orient: Any) -> None:
    frame = pd.DataFrame({"2019": [1, 2, 3], "2020": [4, 5, 6]})
    table = read_table("t.json", frame.to_json(orient=orient).encode())
    assert table.frame.to_dict("list") == frame.to_dict("list")


def test_numbers_that_a_typed_file_keeps_as_text_are_numbers() -> None:
    frame = pd.DataFrame({"mag": ["4.5", "5.1"], "zip": ["01", "02"], "name": ["a", "b"]})
    parquet = io.BytesIO()
    frame.to_parquet(parquet)
    for name, content in (
        ("t.json", frame.to_json(orient="records").encode()),
        ("t.parquet", parquet.getvalue()),
    ):
        table = read_table(name, content)
        assert table.frame["mag"].tolist() == [4.5, 5.1]
        assert table.frame["zip"].tolist() == ["01", "02"]
        assert "Kept as text in the file: 'mag'." in table.parsing


def test_texts_of_a_typed_file_that_can_be_read_in_two_ways_are_asked() -> None:
    content = b'[{"a":"1,234"},{"a":"5,678"}]'
    table = read_table("t.json", content)
    (question,) = table.questions
    assert question.column == "a" and question.about == "marks"
    for mark, values in ((",", [1.234, 5.678]), (".", [1234, 5678])):
        answered = read_table("t.json", content, Reading(marks=(("a", mark),)))
        assert answered.frame["a"].tolist() == values


def test_columns_may_be_called_as_functions_call_their_arguments() -> None:
    rows = [{"self": "http://a", "columns": "2.5", "x": 1.5}, {"self": "b", "columns": "3", "x": 2}]
    table = read_table("t.json", json.dumps(rows).encode())
    assert table.frame["self"].tolist() == ["http://a", "b"]
    assert table.frame["columns"].tolist() == [2.5, 3]
    step = Spelling()
    assert list(prepared(read_table("t.csv", b"self,x\na,1\nA ,2\n"), (step,)).frame) == [
        "self",
        "x",
    ]
    long = read_table("t.json", json.dumps([{"self": "z" * 2000, "x": 1}]).encode())
    assert len(short_texts(long.frame)["self"][0]) < 2000


def test_lists_of_which_the_first_names_the_columns() -> None:
    table = read_table("t.json", b'[["NAME","POP"],["Alabama",5],["Alaska",7]]')
    assert table.frame.to_dict("list") == {"NAME": ["Alabama", "Alaska"], "POP": [5, 7]}
    with pytest.raises(DataError, match="item 3 isn't an object"):
        read_table("t.json", b'[["a","b"],[1,2],[3]]')


FEATURES = b"""{
  "type": "FeatureCollection", "features": [
    {"type": "Feature", "properties": {"x": 1}, "x": 1}, {"type": "Feature", "x": 2}]}"""


@pytest.mark.parametrize(
    "name", ["t.geojson", "t.txt", "t.csv", "pasted text", "t.log", "t.json.txt", "t", "t.csv.gz"]
)
@pytest.mark.parametrize(
    "content",
    [
        FEATURES,
        b"\xef\xbb\xbf" + FEATURES,
        b'[{"x": 1}, {"x": 2}]',
        b'[\n  {\n    "x": 1, "y": "a, b"}, {"x": 2}\n]\n',
        b'{"x": 1}\n{"x": 2}\n',
        b'{"x":{"0":1,"1":2}}',
        b'[["x","y"],[1,2],[2,3]]',
    ],
)
def test_json_is_read_as_such_whatever_its_file_is_called(name: str, content: bytes) -> None:
    table = read_table(name, gzip.compress(content) if name.endswith("gz") else content)
    assert "JSON." in table.parsing and table.frame["x"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"x": 1}\n{"x": 2', "line 2 isn't JSON"),
        ('[{"x": 1}, {"x": 2', "isn't whole JSON"),
        ('{"x": {"y": {"z": 1}}, "a": {"b": "c"}}', "one JSON object"),
        ('{"x": 1, "x": 2}', "twice"),
    ],
)
def test_json_of_another_ending_that_is_no_table_is_refused_as_json(content, reason) -> None:
    with pytest.raises(DataError, match=reason):
        read_table("t.txt", content.encode())


@pytest.mark.parametrize(
    "content",
    [
        '{"a": 1}\tx\n{"a": 2}\ty\n',
        "{a},[b]\n1,2\n3,4\n",
        "[mm],[kg]\n1,2\n3,4\n",
        '"{""a"": 1}",x\n1,2\n',
    ],
)
def test_a_table_that_begins_with_a_bracket_is_no_json(content: str) -> None:
    table = read_table("t.csv", content.encode())
    assert "JSON." not in table.parsing and len(table.frame.columns) == 2
