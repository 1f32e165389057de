"""Codes and words for missing and levels spelt alike are found in drawn tables; answers are not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from em_core import datasets
from pages.ui.tables.preparation.codes import declared, find_codes
from pages.ui.tables.preparation.levels import Ordered, Renamed, Spelling, spelt_alike
from pages.ui.tables.preparation.missing import Missing
from pages.ui.tables.preparation.table import prepared, read_steps, write_steps
from pages.ui.tables.reading import read_table
from pages.ui.tables.selection import select_levels
from pages.ui.tables.table import Table, from_dataset

TABLES = Path(__file__).parents[2] / "tables"


def table_of(columns) -> Table:
    text = pd.DataFrame(columns).to_csv(index=False)
    return read_table("t.csv", text.encode())


def scales(rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    """Columns of answers: on scales, in words, of measurements and of counts."""
    return {
        "scale": rng.integers(1, 6, rows),
        "seven": rng.integers(1, 8, rows),
        "binary": rng.integers(0, 2, rows),
        "change": rng.choice([-1, 0, 1], rows),
        "age": rng.integers(18, 100, rows),
        "height": rng.normal(170, 9, rows).round(1),
        "visits": rng.poisson(2, rows),
        "celsius": rng.normal(0, 12, rows).round(),
    }


@pytest.mark.parametrize("seed", range(20))
def test_answers_are_not_taken_for_codes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = scales(rng, int(rng.integers(20, 200)))
    words = rng.choice(["yes", "no", "maybe"], len(columns["scale"]))
    assert find_codes(table_of(columns | {"words": words})) == ()


@pytest.mark.parametrize(
    "codes", [("99",), ("-9", "99"), ("999", "998"), ("8888",), ("-99", "-98")]
)
@pytest.mark.parametrize("seed", range(3))
def test_codes_far_from_the_rest_are_found_and_declared(codes: list[str], seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = {n: v for n, v in scales(rng, 60).items() if n in ("scale", "binary", "seven")}
    whole = table_of(columns)
    places = {name: rng.choice(60, 2 * len(codes), replace=False) for name in columns}
    coded = {name: values.copy() for name, values in columns.items()}
    for name, rows in places.items():
        coded[name][rows] = np.repeat([int(code) for code in codes], 2)
    found = find_codes(table_of(coded))
    assert {one.code for one in found} == set(codes)
    assert all(set(one.columns) == set(columns) and one.cells == 6 for one in found)
    cleaned = prepared(table_of(coded), declared(found)).frame
    for name, rows in places.items():
        assert cleaned[name].isna().to_numpy().nonzero()[0].tolist() == sorted(rows)
        assert cleaned[name].drop(rows).tolist() == whole.frame[name].drop(rows).tolist()


@pytest.mark.parametrize("word", ["refused", "-", "No answer", "n.d.", "keine Angabe"])
def test_words_in_a_column_of_numbers_are_found_and_leave_numbers(word: str) -> None:
    cells = [str(1 + i % 5) for i in range(30)]
    cells[3] = cells[17] = word
    table = table_of({"q": cells, "x": range(30)})
    (found,) = find_codes(table)
    assert (found.code, found.columns, found.cells) == (word, ("q",), 2)
    numbers = prepared(table, declared((found,))).frame["q"]
    assert pd.api.types.is_numeric_dtype(numbers) and numbers.isna().sum() == 2


def test_a_code_that_is_an_answer_elsewhere_is_declared_where_it_is_none() -> None:
    scale = [1, 2, 3, 4, 5] * 6
    coded = [*scale[:-3], 9, 9, 9]
    table = table_of({"q": coded, "ten": [1 + i % 10 for i in range(30)]})
    assert declared(find_codes(table)) == (Missing(("9",), ("q",)),)


@pytest.mark.parametrize("name", datasets.EXAMPLES)
def test_examples_hold_no_codes(name: str) -> None:
    table = from_dataset(datasets.load(name))
    assert find_codes(table) == () and spelt_alike(table) == ()


@pytest.mark.parametrize("seed", range(5))
def test_levels_that_differ_by_spaces_and_capitals_are_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    meant = rng.choice(["Yes", "No", "Don't know"], 80)
    ways = (str, str.upper, str.lower, lambda t: f" {t}", lambda t: f"{t}  ")
    written = [ways[way](cell) for way, cell in zip(rng.integers(5, size=80), meant, strict=True)]
    table = Table("t", pd.DataFrame({"a": pd.Series(written, dtype="str")}), (), "f")
    (found,) = spelt_alike(table)
    assert found.meant == 3 and found.levels == len(set(written))
    merged = prepared(table, (Spelling(),))
    assert pd.crosstab(merged.frame["a"], meant).gt(0).sum().tolist() == [1, 1, 1]
    assert spelt_alike(merged) == ()


def test_one_spelling_is_used_in_all_columns() -> None:
    frame = pd.DataFrame(
        {"a": ["Yes", "yes", "No"] * 5, "b": ["yes ", "yes", "no"] * 5}, dtype="str"
    )
    made = prepared(Table("t", frame, (), "f"), (Spelling(),)).frame
    assert set(made["a"]) == {"yes", "No"} and set(made["b"]) == {"yes", "no"}


def test_levels_get_names_and_an_order_and_come_back_from_a_link() -> None:
    table = table_of({"q": [1, 2, 3, 99, 2], "s": ["high", "low", "low", "middle", "high"]})
    steps = (
        Missing(("99",)),
        Renamed("q", ("1", "2", "3"), ("agree", "agree", "disagree")),
        Ordered("s", ("high", "middle", "low")),
    )
    steps = read_steps(write_steps(steps))
    made = prepared(table, steps)
    assert made.frame["q"].dropna().tolist() == ["agree", "agree", "disagree", "agree"]
    selection = select_levels(made, ["q", "s"])
    assert selection.levels == (("disagree", "agree"), ("high", "middle", "low"))
    assert all(
        step.told()[:-1] in fact for step, fact in zip(steps, made.parsing[-3:], strict=True)
    )
    # A step after the order finds the levels still.
    assert prepared(table, (*steps, Missing(("low",)))).frame["s"].isna().sum() == 2


@pytest.mark.parametrize(
    "step", [Renamed("gone", ("a",), ("b",)), Ordered("gone", ("a",)), Spelling(("gone",))]
)
def test_a_step_needs_its_column(step) -> None:
    with pytest.raises(Exception, match="no column 'gone'"):
        prepared(table_of({"a": [1, 2]}), (step,))


def test_a_code_of_two_columns_is_one_in_a_third_that_it_ends() -> None:
    frame = pd.DataFrame(
        {
            "length": [39.1, 40.2, 38.3, 41.0, 999.0, 40.5],
            "depth": [18.1, 17.2, 18.3, 999.0, 17.9, 18.5],
            "mass": [2700, 6300, 3900, 4100, 999, 5200],
            "places": [999, 1200, 3, 5000, 40, 9],
        }
    )
    (found,) = find_codes(Table("t", frame, (), ""))
    assert (found.code, set(found.columns)) == ("999", {"length", "depth", "mass"})
