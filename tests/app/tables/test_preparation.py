"""Steps between reading a table and choosing its columns."""

from pathlib import Path

import pandas as pd
import pytest

from pages.ui.tables.preparation.missing import Missing
from pages.ui.tables.preparation.table import StepError, prepared, read_steps, write_steps
from pages.ui.tables.reading import read_table

TABLES = Path(__file__).parents[2] / "tables"
MEANS = [2.9048, 2.9524, 3.0, 3.1818]


@pytest.mark.parametrize(
    ("file", "codes"),
    [
        ("05a-codes-99-and-minus9.csv", ("99", "-9")),
        ("05b-spss-null.csv", ("#null!",)),
        ("05c-words-for-missing.csv", ("Refused ", "-")),
    ],
)
def test_codes_and_words_for_missing_leave_numbers(file: str, codes: tuple[str, ...]) -> None:
    table = prepared(read_table(file, (TABLES / file).read_bytes()), (Missing(codes),))
    numbers = table.frame.select_dtypes("number").iloc[:, -4:]
    assert numbers.mean().round(4).tolist() == MEANS
    assert int(numbers.isna().sum().sum()) == 10
    assert "cells in" in table.parsing[-1]


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
