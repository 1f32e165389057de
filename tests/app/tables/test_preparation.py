"""Steps between reading a table and choosing its columns."""

from pathlib import Path

import pandas as pd
import pytest

from pages.ui.tables import packing
from pages.ui.tables.answers import Reading
from pages.ui.tables.preparation.filtering import Filter
from pages.ui.tables.preparation.levels import Ordered, Renamed, Spelling
from pages.ui.tables.preparation.long import WideToLong
from pages.ui.tables.preparation.missing import Missing
from pages.ui.tables.preparation.table import (
    StepError,
    prepared,
    read_steps,
    with_step,
    write_steps,
)
from pages.ui.tables.preparation.time_order import TimeOrder
from pages.ui.tables.preparation.transformed_column import Transform
from pages.ui.tables.reading import read_table
from pages.ui.tables.selection import select

TABLES = Path(__file__).parents[2] / "tables"
MEANS = [2.9048, 2.9524, 3.0, 3.1818]


@pytest.mark.parametrize(
    ("file", "codes"),
    [
        ("05a-codes-99-and-minus9.csv", ("99", "-9")),
        ("05c-words-for-missing.csv", ("Refused ", "-")),
    ],
)
def test_codes_and_words_for_missing_leave_numbers(file: str, codes: tuple[str, ...]) -> None:
    table = prepared(read_table(file, (TABLES / file).read_bytes()), (Missing(codes),))
    numbers = table.frame.select_dtypes("number").iloc[:, -4:]
    assert numbers.mean().round(4).tolist() == MEANS
    assert int(numbers.isna().sum().sum()) == 10
    assert "cells in" in table.parsing[-1]


def test_what_spreadsheets_and_statistics_programs_write_for_missing_needs_no_step() -> None:
    table = read_table("05b.csv", (TABLES / "05b-spss-null.csv").read_bytes())
    numbers = table.frame.select_dtypes("number").iloc[:, -4:]
    assert numbers.mean().round(4).tolist() == MEANS
    assert any("'#NULL!'" in said for said in table.parsing)
    lines = ["a,b", "1.5,.a", "#DIV/0!,.Z", "#REF!,3", "#VALUE!,4", "2.5,."]
    table = read_table("x.csv", "\n".join(lines).encode())
    assert table.frame["a"].isna().tolist() == [False, True, True, True, False]
    assert table.frame["b"].isna().tolist() == [True, True, False, False, True]
    assert any("'.a' 1 time in 'b'" in said for said in table.parsing)


def test_a_step_in_a_column_that_is_not_there_names_the_step() -> None:
    table = read_table("t.csv", b"a,b\n1,2\n3,99\n")
    with pytest.raises(StepError, match="no column 'c'") as caught:
        prepared(table, (Missing(("99",)), Missing(("1",), ("c",))))
    assert caught.value.place == 1


def test_a_prepared_table_has_a_fingerprint_of_its_own_and_leaves_the_one_before() -> None:
    table = read_table("t.csv", b"a,b\n1,2\n3,99\n")
    one, two = (prepared(table, (Missing((code,)),)) for code in ("99", "2"))
    assert len({table.fingerprint, one.fingerprint, two.fingerprint}) == 3
    assert pd.isna(one.frame["b"][1]) and table.frame["b"][1] == 99


@pytest.mark.parametrize(
    "text", ["{", "{}", "[1]", '[["no",{}]]', '[["missing",{}]]', '[["missing",{"codes":9}]]']
)
def test_damaged_steps_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_steps(text)


def test_steps_come_back_as_they_were_written() -> None:
    steps = (Missing(("99", "Ümlaut")), Missing(("x",), ("a", "b")))
    assert read_steps(write_steps(steps)) == steps


PRICES = b"id;preis;menge\n1;1.234;2,5\n2;k.A.;3,5\n3;2.500;4,5\n"


@pytest.mark.parametrize(
    "step", [Missing(("k.A.",)), Renamed("preis", ("k.A.",), ("7.000",)), Spelling()]
)
def test_numbers_among_words_are_read_by_the_marks_of_their_table(step) -> None:
    content = PRICES.replace(b"4,5", b"4,5\n4; 7.000;2,5\n5;7.000;1,5")
    content = content.replace(b"k.A.", b" 7.000") if isinstance(step, Spelling) else content
    table = prepared(read_table("x.csv", content), [step])
    (question,) = table.questions
    assert question.column == "preis" and [answer for answer, _ in question.choices] == [".", ","]
    for mark, value in ((",", 1234), (".", 1.234)):
        reading = Reading(marks=(("preis", mark),))
        read = prepared(read_table("x.csv", content, reading), [step])
        assert read.frame["preis"][0] == value and not read.questions


def test_numbers_among_words_are_settled_where_the_table_settles_them() -> None:
    text = b'id,price,n\n1,"1,007",1.5\n9,refused,3.5\n2,"2,250",2.5\n'
    read = prepared(read_table("x.csv", text), [Missing(("refused",))])
    assert read.frame["price"].fillna(0).tolist() == [1007, 0, 2250]
    assert "Commas inside the numbers of 'price' separate thousands." in read.parsing


def test_numbers_with_something_beside_them_are_numbers_once_words_are_gone() -> None:
    shares = prepared(
        read_table("x.csv", b"id,w\n1,12.5%\n2,refused\n3,13.5%\n"), [Missing(("refused",))]
    )
    assert shares.frame["w"].fillna(0).tolist() == [12.5, 0, 13.5] and shares.units == ("", "%")
    content = b"id,w\n1,<0.5\n2,refused\n3,13.5\n"
    (question,) = prepared(read_table("x.csv", content), [Missing(("refused",))]).questions
    assert question.about == "limits" and question.column == "w"
    read = read_table("x.csv", content, Reading(limits=(("w", "half"),)))
    found = prepared(read, [Missing(("refused",))])
    assert found.frame["w"].fillna(0).tolist() == [0.25, 0, 13.5] and not found.questions


def test_the_marks_of_a_table_go_with_it() -> None:
    table = read_table("x.csv", PRICES)
    text = packing.to_text(table)
    assert text is not None and table.marks == (",",)
    for packed in (packing.from_text(text), packing.from_parquet(packing.to_parquet(table))):
        assert packed.marks == (",",) and prepared(packed, [Missing(("k.A.",))]).questions


@pytest.mark.parametrize(
    "steps", [(Filter("g", "is", ("a",)), TimeOrder("when")), (TimeOrder("when"),) * 2]
)
def test_a_row_is_left_out_once(steps) -> None:
    lines = ["when,g,x,y", "2024-01-01,a,1,2", "2024-01-02,a,2,5", "2024-01-03,a,3,4"]
    lines += [f",b,{i},{i % 3}" for i in range(4)]
    table = prepared(read_table("t.csv", "\n".join(lines).encode()), steps)
    selection = select(table, ["x", "y"])
    assert selection.left_out["row"].tolist() == [4, 5, 6, 7]
    assert len(selection.rows) == 3


RENAMED = Renamed("ans", ("low",), ("Low",))


@pytest.mark.parametrize("further", [(RENAMED,), (Spelling(),), (RENAMED, Spelling())])
def test_levels_keep_their_order_under_other_names(further) -> None:
    lines = ["ans,x", "low,1", "mid,2", "high,3", "Low,4", "Low,2"]
    table = read_table("t.csv", "\n".join(lines).encode())
    order = Ordered("ans", ("low", "mid", "high"))
    levels = prepared(table, (order, *further)).frame["ans"].cat
    assert levels.ordered and levels.categories.tolist() == ["Low", "mid", "high"]
    assert levels.codes.tolist() == [0, 1, 2, 0, 0]


CODED = b"a,d,x\n1,2024-01-03,5\n2,2024-01-01,7\n3,2024-01-02,99\n4,2024-01-05,6\n5,2024-01-04,99\n"


@pytest.mark.parametrize("how", ["log", "ranks", "difference"])
@pytest.mark.parametrize("further", [Missing(("99",)), Missing(("99",), ("x",)), TimeOrder("d")])
def test_a_column_is_made_of_what_there_is_after_a_further_step(how: str, further) -> None:
    table = read_table("t.csv", CODED)
    made = Transform("x", how)
    steps = with_step((made,), further)
    assert steps == (further, made)
    expected = made.apply(further.apply(table)).frame
    pd.testing.assert_frame_equal(prepared(table, steps).frame, expected)


def test_a_further_step_stays_behind_those_that_make_its_column() -> None:
    log, of_log = Transform("x", "log"), Transform("log(x)", "ranks")
    coded = Missing(("4.6",), ("log(x)",))
    assert with_step((log, of_log), coded) == (log, coded, of_log)
    named = Renamed("x", ("k.A.",), ("99",))
    assert with_step((named, log), Missing(("99",))) == (named, Missing(("99",)), log)
    kept = Filter("x", "is at most", ("5",))
    assert with_step((log,), kept) == (log, kept)
    in_order = TimeOrder("when")
    assert with_step((in_order,), Missing(("99",))) == (Missing(("99",)), in_order)
    assert with_step((in_order,), Missing(("99",), ("x",))) == (in_order, Missing(("99",), ("x",)))
    assert with_step((in_order,), Spelling()) == (Spelling(), in_order)
    long = WideToLong(("a", "b"))
    assert with_step((log, long), Missing(("99",))) == (log, long, Missing(("99",)))


def test_what_was_made_of_a_column_before_it_changed_is_said() -> None:
    steps = (Transform("x", "log"), Missing(("99",)))
    said = prepared(read_table("t.csv", CODED), steps).parsing
    assert said[-1] == "Made before that, of what was there then: log(x)."
    steps = (TimeOrder("x"), Missing(("99",)))
    said = prepared(read_table("t.csv", CODED), steps).parsing
    assert said[-1] == "The rows stay in the order that x gave before that."


def test_codes_are_found_with_a_decimal_comma() -> None:
    table = read_table("t.csv", b"x;y\n1,5;1\n-99,0;2\n2,5;3\n")
    for code in ("-99", "-99,0", "-99.0", "\u221299"):
        assert prepared(table, (Missing((code,)),)).frame["x"].isna().tolist() == [0, 1, 0]
