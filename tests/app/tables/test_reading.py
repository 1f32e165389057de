"""Tables are read right or refused with a sentence, and never changed in silence."""

import csv
import io
import re
import zipfile
from datetime import datetime

import numpy as np
import openpyxl
import openpyxl.chart
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.ui.tables import delimited, excel, packing, reading
from pages.ui.tables import table as tables
from pages.ui.tables.answers import AS_IT_IS, Reading
from pages.ui.tables.column_names import LONGEST_NAME
from pages.ui.tables.columns import describe_columns, suggest_label
from pages.ui.tables.long_texts import LONGEST_TEXT, LONGEST_TITLE
from pages.ui.tables.reading import read_table
from pages.ui.tables.table import DataError, Table
from support.answers import READINGS
from support.bombs import sheet_of
from support.drawn import examples
from support.tables import NAN, READ


def read(content: str | bytes, name: str = "table.csv") -> Table:
    return read_table(name, content.encode() if isinstance(content, str) else content)


def rows_of(table: Table) -> list[list]:
    frame = table.frame.astype(object)
    return frame.where(frame.notna(), None).to_numpy().tolist()


@pytest.mark.parametrize("case", READ)
def test_hand_made_files_are_read_right(case):
    content, names, rows, facts = READ[case]
    table = read(content)
    assert list(table.frame) == names
    assert rows_of(table) == rows
    said = " ".join(table.parsing)
    assert all(fact in said for fact in facts), said
    assert len(table.fingerprint) == 64


REFUSED = {
    "nothing": ("", "is empty"),
    "only white space": (" \n\n", "is empty"),
    "only a byte order mark": (b"\xef\xbb\xbf", "is empty"),
    "only a header": ("a,b\n", "no rows"),
    "long row": ("a,b\n1,2\n1,2,3\n", "line 3 has 3 cells"),
    "short row": ("a,b,c\n1,2,3\n\n1,2\n", "line 4 has 2 cells"),
    "unquoted decimal commas": ("a,b\n1,5,2,5\n", "line 2 has 4 cells"),
    "text with commas": ("I like, apples\nand pears\n", "line 2 has 1 cell"),
    "open quote": ('a,b\n"1,2\n3,4\n', "quote that never ends"),
    "text after a quote": ('a,b\n"1"x,2\n', "line 2 has text after a closing quote"),
    "one number or two": ("1,234\n5,678\n", "one number with thousands"),
    "one number or two, spaces": ("1 234\n5 678\n", "one number with thousands"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "a picture"),
    "Excel called csv": (b"PK\x03\x04" + bytes(100), "give an Excel file the ending .xlsx"),
    "Parquet called csv": (b"PAR1" + bytes(100), "ending .parquet"),
    "compressed": (b"\x1f\x8b\x08" + bytes(100), "unpack it"),
    "bytes": (bytes(range(256)) * 20, "isn't a text file"),
    "a zero byte": (b"a,b\n1,\x002\n" * 100, "isn't a text file"),
    "damaged UTF-16": (b"\xff\xfea", "damaged"),
    "too many columns": (",".join("x" * 200_000), "more than 1,000 columns"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_not_be_read_is_refused_with_the_reason(case):
    content, reason = REFUSED[case]
    with pytest.raises(DataError) as caught:
        read(content)
    sentence = str(caught.value)
    assert reason in sentence and sentence.endswith(".") and "\n" not in sentence


# name -> (content, what is asked of column a, the answer, its numbers by each)
ASKED = {
    "one comma, three digits": (
        "a;b\n1,234;2\n",
        "such as 1,234:",
        {".": [1234], ",": [1.234]},
    ),
    "one point, three digits": ("a;b\n1.234;2,5\n", "such as 1.234:", {".": [1.234], ",": [1234]}),
    "both": (
        'a,b\n"1,234",2\n1.567,2\n',
        "such as 1,234 and 1.567:",
        {".": [1234, 1.567], ",": [1.234, 1567]},
    ),
    "other columns disagree": (
        "a;b;c\n1,234;1,5;1.5\n",
        "such as 1,234:",
        {".": [1234], ",": [1.234]},
    ),
    "mixed decimal marks": (
        "a;b\n1.5;1\n2,5;2\n1,000,000;3\n1.234;4\n",
        "decimal points in others",
        {"both": [1.5, 2.5, 1e6, 1.234]},
    ),
}


@pytest.mark.parametrize("case", ASKED)
def test_a_column_with_a_question_costs_no_table_and_is_read_by_the_answer(case):
    content, asked, meant = ASKED[case]
    table = read(content)
    (question,) = table.questions
    assert question.column == "a" and asked in question.sentence
    assert [answer for answer, _ in question.choices] == list(meant)
    assert table.frame["a"].tolist() == [row.split(";")[0] for row in content.split()[1:]] or (
        case == "both"
    )
    reports = {report.name: report for report in describe_columns(table)}
    assert reports["a"].type == "open" and not reports["a"].usable
    assert reports["b"].type in ("number", "whole number")
    assert not {"a"} & {suggest_label(table, [*reports.values()])}
    for answer, numbers in meant.items():
        reading = Reading(marks=(("a", answer),))
        again = read_table("table.csv", content.encode(), reading)
        assert again.frame["a"].tolist() == numbers and not again.questions
        assert again.fingerprint != table.fingerprint and again.reading == reading
        assert again.frame["b"].equals(table.frame["b"])


def test_what_the_choices_say_is_what_they_do():
    (question,) = read("a;b\n48.130;2,5\n").questions
    assert dict(question.choices) == {".": "48.130 is 48.13", ",": "48.130 is 48,130"}


def test_an_answer_that_cannot_be_changes_nothing():
    content = b"a;b\n1,5;2\n2,25;3\n"
    table = read_table("table.csv", content, Reading(marks=(("a", "."), ("z", ","))))
    assert table.frame["a"].tolist() == [1.5, 2.25]


@given(READINGS)
def test_answers_are_written_and_read_back(reading):
    assert Reading.from_text(reading.text) == reading
    assert eval(reading.code, {"Reading": Reading}) == reading
    assert (reading.text == "") == (reading == AS_IT_IS)


@pytest.mark.parametrize(
    "text",
    [
        *("x", "[]", "1", "null", '{"x":1}', '{"marks":{"a":"x"}}', '{"marks":[]}'),
        *('{"header":-1}', '{"header":1.5}', '{"header":true}', '{"encoding":"zip"}'),
        *('{"sheet":"\\ud800"}', '{"marks":{"a":[]}}', '{"answers":[1]}', '{"encoding":[]}'),
        *('{"limits":{"a":"."}}', '{"sheet":1}', "[" * 100_000),
    ],
)
def test_answers_that_are_none_are_refused(text):
    with pytest.raises(ValueError, match="how a file is read"):
        Reading.from_text(text)


def test_limits(monkeypatch):
    monkeypatch.setattr(reading, "MAX_BYTES", 10)
    with pytest.raises(DataError, match="limit is"):
        read("a,b\n1,2\n3,4\n")
    monkeypatch.setattr(reading, "MAX_BYTES", 10**6)
    monkeypatch.setattr(tables, "MAX_ROWS", 3)
    with pytest.raises(DataError, match="more than 3 rows"):
        read("a\n" + "1\n" * 4)
    assert len(read("a\n" + "1\n" * 3).frame) == 3
    monkeypatch.setattr(tables, "MAX_ROWS", 10**6)
    monkeypatch.setattr(tables, "MAX_CELLS", 5)
    with pytest.raises(DataError, match="more than 5 cells"):
        read("a,b\n" + "1,2\n" * 3)


def test_many_rows_keep_their_order_across_chunks():
    values = np.random.default_rng(0).standard_normal(45_001)
    table = read("a,b\n" + "".join(f"{x!r},{i}\n" for i, x in enumerate(values.tolist())))
    np.testing.assert_array_equal(table.frame["a"], values)
    np.testing.assert_array_equal(table.frame["b"], np.arange(45_001))


def test_pasted_text_and_other_endings_are_read_by_content():
    assert rows_of(read("x\ty\n1\t2\n", "pasted text")) == [[1, 2]]
    assert rows_of(read("x\ty\n1\t2\n", "table.tsv")) == [[1, 2]]
    assert rows_of(read("x y\n1 2\n", "table.dat")) == [[1, 2]]


def test_the_fingerprint_is_that_of_the_content():
    assert read("a\n1\n", "x.csv").fingerprint == read("a\n1\n", "y.csv").fingerprint
    assert read("a\n1\n").fingerprint != read("a\n2\n").fingerprint


# ---------------------------------------------------------------------------------------------
# Round trips

numbers = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=True)
words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=8
)


def is_plain_text(text: str) -> bool:
    """Text that is a label to everyone: it holds a letter, and is no word with a meaning here."""
    reserved = {"inf", "infinity", "true", "false", "nan", "na", "n/a", "#n/a", "null"}
    return (
        any(c.isalpha() and not c.isnumeric() for c in text)
        and text.strip().lower() not in reserved
        and not any(c.isdigit() for c in text)
    )


@examples(70)
@given(
    data=st.data(),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_is_read_back(data, separator, encoding, newline):
    n_rows = data.draw(st.integers(1, 8), "rows")
    kinds = data.draw(st.lists(st.sampled_from("fit"), min_size=1, max_size=4), "columns")
    column = {
        "f": st.one_of(st.none(), numbers),
        "i": st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
        "t": st.one_of(st.none(), words.filter(is_plain_text), st.just('a "b"\nc;d,e|f\tg')),
    }
    columns = [
        data.draw(st.lists(column[k], min_size=n_rows, max_size=n_rows), f"column {j}")
        for j, k in enumerate(kinds)
    ]
    # One header made of words: with numbers in it, it may be data.
    names = [f"name {'abcd'[j]}" for j in range(len(kinds))]
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator, lineterminator=newline, quoting=csv.QUOTE_ALL)
    writer.writerows([names, *zip(*columns, strict=True)])
    table = read(buffer.getvalue().encode(encoding))
    assert list(table.frame) == names
    expected = [list(row) for row in zip(*columns, strict=True)]
    # Rows of several empty cells at the end are none, but where there are no others.
    filled = [
        i for i, row in enumerate(expected) if len(row) == 1 or any(c is not None for c in row)
    ]
    assert rows_of(table) == (expected[: filled[-1] + 1] if filled else expected)


@examples(40)
@given(st.lists(numbers, min_size=1, max_size=20), st.sampled_from([";", "\t", "|"]))
def test_decimal_commas_are_read_right_or_asked_about(values, separator):
    cells = [repr(value).replace(".", ",") for value in values]
    text = f"a{separator}b\n" + "".join(f"{cell}{separator}x\n" for cell in cells)
    table = read(text)
    if table.questions:
        assert "thousands" in table.questions[0].sentence
        assert not any("e" not in c and len(c.split(",")[1]) != 3 for c in cells)
        table = read_table("table.csv", text.encode(), Reading(marks=(("a", ","),)))
    assert table.frame["a"].tolist() == values


@examples(40)
@given(st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=20))
def test_thousands_separators_are_read_right_or_asked_about(values):
    for separator, template in ((",", "a;b\n"), (".", "a;b\n"), (" ", "a;b\n"), ("'", "a;b\n")):
        cells = [f"{value:,}".replace(",", separator) for value in values]
        table = read(template + "".join(f"{cell};x\n" for cell in cells))
        if table.questions:
            assert "thousands" in table.questions[0].sentence
        elif separator == "." and not any(abs(value) >= 10**6 for value in values):
            # `1.234` alone is a number in every program: only more groups show thousands.
            assert table.frame["a"].tolist() == [float(cell) for cell in cells]
        else:
            assert table.frame["a"].tolist() == values


@examples(150)
@given(st.data())
def test_damaged_files_raise_nothing_but_a_data_error(data):
    content = bytearray(data.draw(st.sampled_from(SEEDS), "file"))
    name = data.draw(st.sampled_from(["x.csv", "x.tsv", "x.xlsx", "x.parquet", "pasted text"]))
    for _ in range(data.draw(st.integers(1, 5))):
        position = data.draw(st.integers(0, max(len(content) - 1, 0)))
        action = data.draw(st.sampled_from(["replace", "cut", "insert"]))
        if action == "cut":
            del content[position : position + data.draw(st.integers(1, 30))]
        else:
            end = position + (action == "replace")
            content[position:end] = data.draw(st.binary(min_size=1, max_size=4))
    try:
        table = read_table(name, bytes(content))
    except DataError as error:
        assert str(error).endswith(".")
    else:
        assert len(table.frame) and len(set(table.frame)) == table.frame.shape[1]


@examples(200)
@given(st.text(st.sampled_from("ab1.,;\"' \t\n-e"), max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        table = read(text)
    except DataError as error:
        assert str(error).endswith(".")
    else:
        assert len(table.frame)


# ---------------------------------------------------------------------------------------------
# Excel and Parquet


def workbook(*rows: list, sheets: tuple[str, ...] = ("Measured",)) -> bytes:
    book = openpyxl.Workbook()
    book.active.title = sheets[0]
    for title in sheets[1:]:
        book.create_sheet(title).append(["other"])
    for row in rows:
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


SEEDS = [
    b"a,b,c\n1,2.5,x\n3,4.5,y\n5,NA,x\n",
    "größe;b\n1,5;2\n3,25;4\n".encode("utf-16"),
    workbook(["a", "b"], [1, 2.5], [3, "x"]),
    parquet(pd.DataFrame({"a": [1.5, 2.5], "b": ["x", "y"]})),
]


def test_excel_first_sheet_typed_cells():
    content = workbook(
        ["length", "n", "when", "kind", "ok"],
        [1.234, 1, datetime(2020, 1, 31), "x", True],
        [None, 2, datetime(2020, 2, 1, 12, 30), "y", False],
        [],
        [2.5, 3, None, "x", True],
        sheets=("Measured", "Notes"),
    )
    table = read(content, "t.xlsx")
    assert rows_of(table) == [
        [1.234, 1, "2020-01-31", "x", True],
        [None, 2, "2020-02-01 12:30:00", "y", False],
        [2.5, 3, None, "x", True],
    ]
    said = " ".join(table.parsing)
    assert "sheet 'Measured', the first of 2" in said and "1 blank row skipped" in said


def test_a_minus_of_typesetters_is_one_before_numbers_and_no_other():
    table = read("x,y\n\u22121.5,\u2212a\n2.25,b\n\u22123,c\n")
    assert table.frame["x"].tolist() == [-1.5, 2.25, -3]
    assert table.frame["y"].tolist() == ["\u2212a", "b", "c"]
    assert read("x;y\n\u22121,5;\u22124\n2,25;5\n").frame["x"].tolist() == [-1.5, 2.25]


@pytest.mark.parametrize("has_chart", [True, False])
@pytest.mark.parametrize("place", [0, 1])
def test_excel_sheets_that_are_charts_are_no_tables(has_chart, place):
    book = openpyxl.Workbook()
    book.active.append(["x", "y"])
    book.active.append([1, 2])
    chart = book.create_chartsheet("drawn", place)
    if has_chart:
        chart.add_chart(openpyxl.chart.BarChart())
    content = io.BytesIO()
    book.save(content)
    table = read_table("t.xlsx", content.getvalue())
    assert table.sheets == ("Sheet",) and table.frame["y"].tolist() == [2]


def test_excel_formulas_and_errors_without_a_value_are_missing_and_said():
    content = workbook(["a", "b"], ["=1+1", 1], [2.5, 2], ["#DIV/0!", 3])
    table = read(content, "t.xlsx")
    assert rows_of(table) == [[None, 1], [2.5, 2], [None, 3]]
    said = " ".join(table.parsing)
    assert "1 formula without a saved result" in said and "1 cell with an Excel error" in said


def test_excel_numbers_next_to_text_are_never_taken_for_thousands():
    table = read(workbook(["a"], ["1,5"], [1.234]), "t.xlsx")
    assert table.frame["a"].tolist() == [1.5, 1.234] and not table.questions


def test_excel_without_header_and_without_rows():
    table = read(workbook([1.5, 2], [2.5, 3]), "t.xlsx")
    assert list(table.frame) == ["column 1", "column 2"] and len(table.frame) == 2
    with pytest.raises(DataError, match="is empty"):
        read(workbook(), "t.xlsx")
    with pytest.raises(DataError, match="no rows"):
        read(workbook(["a", "b"]), "t.xlsx")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("t.xlsx", b"a,b\n1,2\n", "readable Excel"),
        ("t.xlsx", b"PK\x03\x04" + bytes(50), "readable Excel"),
        ("t.xlsx", b"\xd0\xcf\x11\xe0" + bytes(50), "password"),
        ("t.xls", b"\xd0\xcf\x11\xe0" + bytes(50), "password"),
        ("t.parquet", b"a,b\n1,2\n", "readable Parquet"),
        ("t.parquet", b"PAR1" + bytes(50) + b"PAR1", "readable Parquet"),
        ("t.parquet", b"PARE" + bytes(50) + b"PARE", "encrypted"),
    ],
)
def test_damaged_excel_and_parquet(name, content, reason):
    with pytest.raises(DataError, match=reason):
        read(content, name)


def test_excel_limits(monkeypatch):
    content = workbook(["a", "b"], *[[i, i] for i in range(50)])
    monkeypatch.setattr(excel, "MAX_EXCEL_CELLS", 20)
    with pytest.raises(DataError, match="save it as CSV"):
        read(content, "t.xlsx")
    # So is a sheet that does not state its size, before a row of it is read.
    unsized = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(unsized, "w") as new:
        for name in old.namelist():
            new.writestr(name, re.sub(rb"<dimension [^>]*>", b"", old.read(name)))
    with pytest.raises(DataError, match="more than 20 cells, the limit for Excel"):
        read(unsized.getvalue(), "t.xlsx")
    monkeypatch.setattr(excel, "MAX_EXCEL_CELLS", 1000)
    assert len(read(unsized.getvalue(), "t.xlsx").frame) == len(read(content, "t.xlsx").frame) == 50
    monkeypatch.setattr(tables, "MAX_UNPACKED", 100)
    with pytest.raises(DataError, match="unpacks to"):
        read(content, "t.xlsx")


def row_of(number: int, *cells: str) -> str:
    """cells: places and values, as in "A2 1.5"."""
    inside = "".join('<c r="{}"><v>{}</v></c>'.format(*cell.split()) for cell in cells)
    return f'<row r="{number}">{inside}</row>'


ROWS = "".join(row_of(i, f"A{i} {i}", f"B{i} {i / 2}") for i in range(2, 12))


@pytest.mark.parametrize("stated", ["A1:A11", "A1:B4", "A1", "B2:B3", "A1:XFD1048576", ""])
def test_the_size_that_a_sheet_states_is_not_believed(stated: str) -> None:
    above = f'<dimension ref="{stated}"/>' if stated else ""
    table = read(sheet_of(ROWS, above), "t.xlsx")
    assert table.frame["x"].tolist() == list(range(2, 12)) and table.frame.shape == (10, 2)


@pytest.mark.parametrize(
    "rows",
    [
        row_of(3, "A3 3", "B3 1") + row_of(2, "A2 2", "B2 2"),
        row_of(2, "A2 2", "B2 1") + row_of(2, "A2 3", "B2 2"),
        row_of(2, "B2 2", "A2 1"),
        row_of(2, "A2 2", "A2 1"),
        row_of(2, "A3 2", "B3 1"),
    ],
)
def test_cells_out_of_order_are_told(rows: str) -> None:
    with pytest.raises(DataError, match="not in order, at row"):
        read(sheet_of(rows), "t.xlsx")


def test_a_row_far_below_is_too_many(monkeypatch) -> None:
    monkeypatch.setattr(tables, "MAX_ROWS", 1000)
    with pytest.raises(DataError, match="more than 1,000 rows"):
        read(sheet_of(ROWS + row_of(1_048_576, "A1048576 1")), "t.xlsx")


def test_what_excel_escapes_is_read_as_it_was() -> None:
    inside = '<row r="{0}"><c r="A{0}" t="inlineStr"><is><t>{1}</t></is></c></row>'
    cells = ["a_x000D_b", "_x005F_x0041_", "plain_x"]
    rows = "".join(inside.format(i, cell) for i, cell in enumerate(cells, 2))
    frame = read(sheet_of(rows + row_of(5, "A5 1", "B5 2")), "t.xlsx").frame
    assert frame["x"].tolist()[1:3] == ["_x0041_", "plain_x"]
    assert frame["x"][0].split() == ["a", "b"]


def test_a_large_sheet_costs_the_small_one_nothing(monkeypatch):
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    for i in range(5):
        book.active.append([i, i / 2])
    other = book.create_sheet("large")
    for i in range(100):
        other.append([i, i])
    content = io.BytesIO()
    book.save(content)
    monkeypatch.setattr(excel, "MAX_EXCEL_CELLS", 150)
    assert len(read(content.getvalue(), "t.xlsx").frame) == 5
    with pytest.raises(DataError, match="the limit for Excel"):
        read_table("t.xlsx", content.getvalue(), Reading(sheet="large"))


def test_nested_texts_come_from_all_row_groups() -> None:
    columns = {
        "x": [float(i) for i in range(20)],
        "words": [["a", f"b{i % 3}"] for i in range(20)],
        "inside": [{"k": f"c{i % 4}"} for i in range(20)],
    }
    content = io.BytesIO()
    pq.write_table(pa.table(columns), content, row_group_size=3)
    frame = read(content.getvalue(), "t.parquet").frame
    assert frame["x"].tolist() == columns["x"]
    assert all(f"b{i % 3}" in text for i, text in enumerate(frame["words"]))
    assert all(f"c{i % 4}" in text for i, text in enumerate(frame["inside"]))


def test_decimals_are_the_nearest_doubles() -> None:
    told = ["-0.40869", "12345678901.23456", "0.00001", "99999.99999"]
    content = io.BytesIO()
    decimals = pa.array(told).cast(pa.decimal128(20, 5))
    pq.write_table(pa.table({"x": decimals}), content)
    assert read(content.getvalue(), "t.parquet").frame["x"].tolist() == list(map(float, told))


def test_parquet_keeps_its_types(monkeypatch):
    frame = pd.DataFrame(
        {
            "x": [1.5, NAN, 2.0],
            "n": pd.array([1, None, 2**60 + 1], "Int64"),
            "when": pd.to_datetime(["2020-01-01", None, "2020-01-02"]),
            "kind": pd.Categorical(["u", None, "v"]),
            "ok": pd.array([True, None, False], "boolean"),
            "list": [[1], None, [2]],
        }
    )
    content = parquet(frame)
    table = read(content, "t.parquet")
    assert rows_of(table)[2][:2] == [2.0, 2**60 + 1]
    assert table.frame["x"].isna().tolist() == [False, True, False]
    assert table.frame["kind"].tolist()[0] == "u"
    assert any("'list' is list" in fact for fact in table.parsing)
    monkeypatch.setattr(tables, "MAX_ROWS", 2)
    with pytest.raises(DataError, match="more than 2 rows"):
        read(content, "t.parquet")


def test_parquet_without_rows():
    with pytest.raises(DataError, match="no rows"):
        read(parquet(pd.DataFrame({"a": [1.0]}).iloc[:0]), "t.parquet")


def test_plain_text_is_split_at_once_as_line_by_line(monkeypatch, rng, long):
    """Alike whatever the lines end with, blank ones among them, with totals and without; and
    whatever is in quotes, if they enclose cells or not."""
    made = []
    for _ in range(300 if long else 60):
        separator, end = rng.choice(",;\t|"), rng.choice(["\n", "\r\n", "\r"])
        width = rng.randrange(2, 5)
        words = ["1", "2.5", "x", "", " y ", "日本", "NA", "-3e2", "1 234", "a b"]
        if rng.random() < 0.5:
            words += ['"q"', '""', f'"a{separator}b"', '"7"']
        if rng.random() < 0.2:
            words += rng.choices(['"x', 'x"', '"', '"a""b"', f'"a{end}b"', ' "q"', '"q" '])
        lines = [separator.join(f"n{j}" for j in range(width))]
        lines += [separator.join(rng.choices(words, k=width)) for _ in range(rng.randrange(1, 9))]
        if rng.random() < 0.3:
            lines += [separator.join(["Total", *["7"] * (width - 1)])]
        for _ in range(rng.choice([0, 0, 0, 1, 2])):
            lines.insert(rng.randrange(len(lines) + 1), rng.choice(["", " ", "\t"]))
        if rng.random() < 0.1:
            lines.insert(rng.randrange(1, len(lines) + 1), rng.choice(["x", separator * width]))
        made.append((end.join(lines) + end * rng.randrange(3)).encode())

    def results() -> list:
        found = []
        for content in made:
            try:
                table = read(content)
                found.append((table.frame.to_json(), table.parsing, table.lines))
            except DataError as error:
                found.append(str(error))
        return found

    at_once = results()
    monkeypatch.setattr(delimited, "PLAIN", ())
    for content, one, other in zip(made, at_once, results(), strict=True):
        assert one == other, content
    assert sum(isinstance(one, tuple) for one in at_once) > 0.5 * len(made)


def test_long_texts_and_names_are_cut_and_it_is_said():
    """A file of 1 kB may hold a text of 1 MB and name it in every row; a page says all of them."""
    long, buffer = "z" * 2**20, io.BytesIO()
    texts = pa.array([long] * 50 + ["short"] * 50).dictionary_encode()
    pq.write_table(pa.table({"x": texts, long: range(100), f"{long}y": range(100)}), buffer)
    table = read_table("x.parquet", buffer.getvalue())
    assert table.frame["x"].tolist() == [long[:LONGEST_TEXT]] * 50 + ["short"] * 50
    assert list(map(len, table.frame)) == [1, LONGEST_NAME, LONGEST_NAME + len(" (2)")]
    assert "50 texts of more than 10,000 characters in 'x': cut to so many." in table.parsing
    assert "Column 2 has a longer name: cut to 1,000 characters." in table.parsing
    titled = table._replace(titles=(("x", long),), units=(long, "", ""))
    again = packing.from_file(packing.to_parquet(titled))
    assert max(map(len, (*again.titles[0], *again.units))) == LONGEST_TITLE


def test_codes_of_which_two_would_be_one_number_stay_texts() -> None:
    for cells in (["01.11", "01.10", "01.1", "46.90"], ["00E5", "01E5", "11E3", "12"]):
        table = read_table("t.csv", "\n".join(["code,n", *(f"{c},1.5" for c in cells)]).encode())
        assert table.frame["code"].tolist() == cells
        assert "'code' holds codes that begin with 0, kept as text." in table.parsing
    table = read_table("t.csv", b"t,n\n01.11,1\n01.25,2\n11.15,3\n")
    assert table.frame["t"].tolist() == [1.11, 1.25, 11.15]
    assert "Numbers of 't' begin with 0, as '01.11': read as numbers." in table.parsing


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.xls", b"<html><table><tr><td>a</td></tr></table></html>"),
        ("t.xls", b"\xef\xbb\xbf<?xml version='1.0'?><Workbook/>"),
        ("t.ods", b"PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet"),
        ("t.xlsb", b"PK\x03\x04"),
    ],
)
def test_what_other_spreadsheet_programs_write_says_what_to_do(name: str, content: bytes) -> None:
    with pytest.raises(DataError, match=r"save it as Excel \(\.xlsx\) or CSV"):
        read_table(name, content)


def test_a_separator_by_which_all_rows_fit_wins() -> None:
    lines = ["Table 3: Results, by region", "", "Unit: 1000 EUR", "Income, net;%"]
    lines += ["10/25/2021;-18055,72", "09/12/2021;44366,41", "08/12/2021;4436,41"]
    frame = read_table("t.csv", "\n".join(lines).encode()).frame
    assert list(frame) == ["Income, net", "%"]
    assert frame["%"].tolist() == [-18055.72, 44366.41, 4436.41]


def test_thousands_between_semicolons_are_asked_about() -> None:
    content = b"Ort;Einwohner\nA;812\nB;1.234\nC;12.345\n"
    (question,) = read_table("t.csv", content).questions
    assert question.column == "Einwohner"
    for mark, values in ((",", [812, 1234, 12345]), (".", [812, 1.234, 12.345])):
        answered = read_table("t.csv", content, Reading(marks=(("Einwohner", mark),)))
        assert answered.frame["Einwohner"].tolist() == values
    # What shows elsewhere settles it, and so do commas between the cells.
    table = read_table("t.csv", content.replace(b"812", b"0.812"))
    assert table.frame["Einwohner"].tolist() == [0.812, 1.234, 12.345]
    table = read_table("t.csv", content.replace(b";", b","))
    assert table.frame["Einwohner"].tolist() == [812, 1.234, 12.345]
