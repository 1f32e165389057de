"""Columns described, rows chosen, results joined and written."""

import csv
import io
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from em_core import datasets
from pages.ui.panels.report import confusion_table
from pages.ui.tables.columns import (
    ColumnReport,
    default_columns,
    describe_columns,
    label_candidates,
    suggest_label,
    suggest_sequences,
)
from pages.ui.tables.reading import read_table
from pages.ui.tables.selection import Selection, select, select_levels
from pages.ui.tables.table import DataError, Table, from_dataset
from pages.ui.tables.writing import join_results, to_csv_bytes
from pages.ui.text import cell
from support.drawn import examples

NAN, INF = math.nan, math.inf


def read(text: str) -> Table:
    return read_table("t.csv", text.encode())


def table(**columns: list) -> Table:
    return Table("t", pd.DataFrame(columns), (), "")


def reports(source: Table) -> dict[str, ColumnReport]:
    return {report.name: report for report in describe_columns(source)}


# ---------------------------------------------------------------------------------------------
# Columns


def test_types_and_what_can_be_measured():
    found = reports(
        read(
            "x,n,kind,ok,day,time,same,none,mixed,zip\n"
            "1.5,3,u,True,2020-01-31,12:30,7,,1,012\n"
            "2.5,5,v,False,2020-02-01,12:31,7,,unknown,013\n"
            "NA,9,u,True,2020-02-02,12:32,7,,3,014\n"
        )
    )
    assert {name: report.type for name, report in found.items()} == {
        "x": "number",
        "n": "whole number",
        "kind": "text",
        "ok": "true/false",
        "day": "date",
        "time": "date",
        "same": "whole number",
        "none": "number",
        "mixed": "text",
        "zip": "text",
    }
    assert [name for name, report in found.items() if report.usable] == ["x", "n"]
    assert found["x"].missing == 1 and found["x"].distinct == 2
    assert found["kind"].distinct == 2 and found["kind"].why_not == "It holds text, not numbers."
    assert found["same"].constant and "same" in found["same"].why_not
    assert found["none"].missing == 3 and found["none"].why_not == "It has no values."
    assert found["mixed"].why_not == "1 cell isn't a number: 'unknown' in row 2."
    assert "codes" in found["zip"].why_not
    assert all(report.why_not.endswith(".") for report in found.values() if not report.usable)


def test_infinite_cells_are_counted_apart():
    report = reports(table(a=[1.0, INF, NAN, -INF, 2.0], b=[INF] * 5))
    assert (report["a"].missing, report["a"].infinite, report["a"].distinct) == (1, 2, 2)
    assert report["b"].why_not == "It has no finite values."


@pytest.mark.parametrize(
    "cells",
    [
        ["31.12.2020", "01.01.2021"],
        ["12/31/2020 4:05 PM", "1/1/2021 12:00 AM"],
        ["2020-01-31T12:30:00Z", "2020-01-31 12:30:00.5+01:00"],
        ["2020-01", "2020-02"],
    ],
)
def test_dates_as_text(cells):
    assert reports(table(a=cells))["a"].type == "date"


def test_dates_from_parquet():
    frame = pd.DataFrame({"a": pd.to_datetime(["2020-01-01", "2021-01-01"]), "x": [1.5, 2.5]})
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    source = read_table("t.parquet", buffer.getvalue())
    assert reports(source)["a"].type == "date"


def test_labels_and_columns_are_suggested():
    source = from_dataset(datasets.load("iris"))
    found = describe_columns(source)
    assert suggest_label(source, found) == "species"
    assert default_columns(found, "species") == tuple(datasets.load("iris").columns)
    lines = "".join(f"{i},{i * 7 % 5},{i % 2},{i * 0.37 % 1},c\n" for i in range(1, 41))
    source = read("id,score,class,x,same\n" + lines)
    found = describe_columns(source)
    assert reports(source)["id"].row_number
    assert suggest_label(source, found) == "class"
    assert default_columns(found, "class") == ("score", "x")
    assert label_candidates(found) == ["score", "class"]
    birds = read(
        "species,x,sex\n" + "".join(f"{'ab'[i % 2]},{i},{'mf'[i % 3 % 2]}\n" for i in range(20))
    )
    assert suggest_label(birds, describe_columns(birds)) == "species"


def test_a_missing_value_is_called_so_in_tables():
    assert cell(float("nan")) == cell(None) == "missing" and cell(1.5) == "1.5"


def test_no_label_where_none_stands_out():
    for name in ("faithful", "airquality", "usarrests", "rivers"):
        source = from_dataset(datasets.load(name))
        assert suggest_label(source, describe_columns(source)) is None


def test_several_columns_of_words_are_measurements_and_no_labels():
    lines = "".join(f"{'yn'[i % 2]},{'yn'[i % 3 // 2]},{i % 7}\n" for i in range(40))
    survey = read_table("survey.csv", f"drinks,smokes,visits\n{lines}".encode())
    assert suggest_label(survey, describe_columns(survey)) is None


@pytest.mark.parametrize(
    ("lines", "suggested"),
    [
        ("animal,x\n" + "a,1\n" * 4 + "b,2\n" * 5, "animal"),
        ("x,subject_id\n" + "1,7\n" * 4 + "2,3\n" * 5, "subject_id"),
        ("animal,x\n" + "a,1\nb,2\n" * 5, None),  # not together
        ("visits,x\n" + "3,1\n" * 4 + "5,2\n" * 5, None),  # no words, and no name that says so
        ("species,x\n" + "a,1\n" * 4 + "b,2\n" * 5, None),  # a label
        ("animal,x\n" + "".join(f"{c},1\n" for c in "abcdef"), None),  # a row each
        ("animal,x\n,1\n" + "a,1\n" * 4 + "b,2\n" * 5, None),  # a row without one
    ],
)
def test_a_column_of_sequences_is_suggested(lines, suggested):
    source = read(lines)
    assert suggest_sequences(source, describe_columns(source)) == suggested


def test_at_most_eight_columns_by_default():
    source = from_dataset(datasets.load("wine"))
    assert len(default_columns(describe_columns(source))) == 8


def test_generated_data_take_the_same_road():
    rng = np.random.default_rng(0)
    generated = datasets.generate("separated", 60, 3, 2, rng)
    source = from_dataset(generated)
    label = suggest_label(source, describe_columns(source))
    chosen = select(source, generated.columns, label)
    assert label == "true component"
    np.testing.assert_array_equal(chosen.values, generated.values)
    assert tuple(chosen.labels) == generated.labels
    other = datasets.generate("separated", 60, 3, 2, rng)
    assert from_dataset(other).fingerprint != source.fingerprint


# ---------------------------------------------------------------------------------------------
# Rows


def test_rows_that_can_not_be_used_are_listed_with_reasons():
    source = read("x,y,kind\n1,2,u\nNA,3,v\n4,1e400,u\n,inf,v\n7,8,NA\n")
    chosen = select(source, ["x", "y"], "kind")
    np.testing.assert_array_equal(chosen.values, [[1, 2], [7, 8]])
    assert chosen.columns == ("x", "y") and chosen.rows.tolist() == [0, 4]
    assert chosen.labels.tolist() == ["u", None]
    assert chosen.left_out.to_dict("list") == {
        "row": [2, 3, 4],
        "reason": ["x is missing", "y is infinite", "x is missing; y is infinite"],
    }


def test_of_many_columns_that_a_row_lacks_some_are_named():
    frame = pd.DataFrame({"long " * 30 + str(i): [1.0, NAN, NAN, 2.0] for i in range(9)})
    frame.iloc[1, 8] = 5.0
    frame.iloc[2, :6] = 5.0
    reasons = select(Table("x", frame, (), ""), list(frame.columns)).left_out["reason"].tolist()
    assert reasons[0].count("is missing") == 4 and reasons[0].endswith("; 4 more")
    assert reasons[1].count("is missing") == 3 and "more" not in reasons[1]
    assert len(reasons[0]) < 300


def test_rows_with_holes_are_kept_for_models_that_can_use_them():
    source = read("x,y\n1,2\n,3\n4,1e400\n,\n7,8\n")
    chosen = select(source, ["x", "y"], holes=True)
    np.testing.assert_array_equal(chosen.values, [[1, 2], [np.nan, 3], [7, 8]])
    assert chosen.left_out["reason"].tolist() == ["y is infinite", "all chosen columns are missing"]


def test_rows_of_a_group_stand_together_and_those_of_none_are_listed():
    source = read("x,school\n1,b\n2,a\n3,\n4,b\n5,a\n6,a\n")
    chosen = select(source, ["x"], group_column="school")
    assert chosen.groups == ("b", "a") and chosen.sizes.tolist() == [2, 3]
    assert chosen.rows.tolist() == [0, 3, 1, 4, 5]
    assert [part.ravel().tolist() for part in chosen.parts] == [[1, 4], [2, 5, 6]]
    assert chosen.left_out.to_dict("list") == {"row": [3], "reason": ["school is missing"]}


def test_levels_keep_their_names():
    source = read("answer,grade,item\nyes,3,0\nno,1,1\n,2,1\nno,3,0\n")
    chosen = select_levels(source, ["answer", "grade", "item"])
    np.testing.assert_array_equal(chosen.values[:, 0], [1, 0, np.nan, 0])
    assert chosen.values[:, 1].tolist() == [2, 0, 1, 2]
    assert chosen.levels == (("no", "yes"), ("1", "2", "3"), ())
    answers = chosen.cells(0, np.arange(4))
    assert answers[[0, 1, 3]].tolist() == ["yes", "no", "no"] and np.isnan(answers[2])
    assert chosen.cells(2, np.array([1, 3])).tolist() == [1, 0]


def test_a_third_level_is_left_for_a_binary_model_to_refuse():
    source = read("item\n0\n1\n3\n")
    assert select_levels(source, ["item"], most=2).values.ravel().tolist() == [0, 1, 3]


def test_missing_values_elsewhere_do_not_matter():
    source = read("x,y\n1,\n2,\n3,5\n4,6\n")
    assert select(source, ["x"]).rows.tolist() == [0, 1, 2, 3]


def test_labels_of_every_type_are_text():
    source = read("x,n,ok\n1.5,1,True\n2.5,2,False\n")
    assert select(source, ["x"], "n").labels.tolist() == ["1", "2"]
    assert select(source, ["x"], "ok").labels.tolist() == ["True", "False"]


UNUSABLE = {
    "one column of text": ("a\nred\ngreen\n", [], None, "no column of numbers"),
    "no column chosen": ("a,b\n1,2\n3,4\n", [], None, "choose at least one column"),
    "unknown column": ("a,b\n1,2\n3,4\n", ["c"], None, "no column 'c'"),
    "unknown label": ("a,b\n1,2\n3,4\n", ["a"], "c", "no column 'c'"),
    "all missing": ("a,b\n1,\n2,\n", ["a", "b"], None, "Untick column 'b': it has no values."),
    "text": ("a,b\n1,x\n2,y\n", ["b"], None, "Untick column 'b': it holds text"),
    "dates": ("a,b\n1,2020-01-01\n2,2020-01-02\n", ["b"], None, "'b': dates and times aren't"),
    "true/false": ("a,b\n1,true\n2,false\n", ["b"], None, "'b': true/false isn't"),
    "constant": ("a,b\n1,5\n2,5\n", ["a", "b"], None, "Untick column 'b': all its values"),
    "no row left": ("a,b\n1,\n2,\n,3\n,4\n", ["a", "b"], None, "No row has a number"),
    "constant in the rows left": ("a,b\n1,5\n2,5\n,6\n", ["a", "b"], None, "'b' has the same"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_what_can_not_be_fitted_is_refused_with_a_way_on(case):
    text, columns, label, reason = UNUSABLE[case]
    with pytest.raises(DataError) as caught:
        select(read(text), columns, label)
    assert reason in str(caught.value) and str(caught.value).endswith(".")


# ---------------------------------------------------------------------------------------------
# Results


def fitted(source: Table, columns: list[str]) -> tuple[Selection, pd.DataFrame]:
    chosen = select(source, columns)
    n = len(chosen.values)
    labels = np.arange(n) % 2
    responsibilities = np.column_stack([np.full(n, 0.1) + labels * 0.2, 0.9 - labels * 0.2])
    names = np.array(["component 1", "component 2"], dtype=object)
    results = {"cluster": names[labels]}
    results |= {f"P({name})": responsibilities[:, k] for k, name in enumerate(names)}
    return chosen, join_results(source, chosen, results)


def test_results_join_the_original_rows():
    source = read("id,x,cluster\na,1,old\nb,,old\nc,3,old\n")
    chosen, joined = fitted(source, ["x"])
    assert list(joined) == [
        "id",
        "x",
        "cluster",
        "cluster (2)",
        "P(component 1)",
        "P(component 2)",
    ]
    assert joined["id"].tolist() == ["a", "b", "c"]
    assert joined["cluster (2)"].fillna("").tolist() == ["component 1", "", "component 2"]
    assert joined["P(component 2)"].isna().tolist() == [False, True, False]
    assert list(source.frame) == ["id", "x", "cluster"]
    assert chosen.rows.tolist() == [0, 2]
    written = to_csv_bytes(joined).decode().splitlines()
    assert written[1] == "a,1,old,component 1,0.1,0.9" and written[2] == "b,,old,,,"


PAYLOADS = [
    "=1+1",
    "+1",
    "-1+cmd|' /C calc'!A0",
    "@SUM(1)",
    "\t=1",
    "\x00=1",
    "\r=1",
    " =1",
    "\uff1d1",
    '=HYPERLINK("http://x","y")',
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_text_that_could_run_as_a_formula_gets_an_apostrophe(payload):
    frame = pd.DataFrame({payload: [payload, "plain"], "category": pd.Categorical([payload, "b"])})
    content = to_csv_bytes(frame).decode()
    header, first, second = csv.reader(io.StringIO(content, newline=""))
    assert header == ["'" + payload, "category"]
    assert first == ["'" + payload] * 2 and second == ["plain", "b"]


@examples(100)
@given(
    st.lists(st.tuples(st.floats(allow_nan=False), st.integers(-(2**63), 2**63 - 1)), min_size=1)
)
def test_numbers_are_written_exactly(rows):
    frame = pd.DataFrame(rows, columns=["x", "n"])
    frame["n"] = frame["n"].astype("Int64")
    content = to_csv_bytes(frame).decode()
    written = list(csv.reader(io.StringIO(content)))[1:]
    assert [(float(x), int(n)) for x, n in written] == rows


def test_confusion_table_has_labels_as_rows_and_components_as_columns():
    counted = confusion_table(["b", "a", None, "a"], [1, 0, 0, 0], ["component 1", "c2"])
    assert counted.index.tolist() == ["a", "b"]
    assert counted.to_dict("list") == {"component 1": [2, 0], "c2": [0, 1]}
