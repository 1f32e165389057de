"""Levels stand in the order that people would put them in, and in the script in the same one."""

import random

import numpy as np
import pandas as pd
import pytest

from pages.ui.families.table import family_of
from pages.ui.sharing import takeaway
from pages.ui.state.settings import Settings
from pages.ui.tables.levels import SCALES, coded, in_order
from pages.ui.tables.table import Table
from pages.ui.tables.writing import from_parquet_bytes, to_parquet_bytes

ORDERS = {
    "a scale of accuracy": (
        "Very inaccurate, Moderately inaccurate, Slightly inaccurate, Neither, Slightly accurate, "
        "Moderately accurate, Very accurate"
    ),
    "a scale of agreement": (
        "Strongly disagree, Disagree, Neither agree nor disagree, Agree, Strongly agree"
    ),
    "part of it, in capitals": "STRONGLY DISAGREE, DISAGREE, STRONGLY AGREE",
    "how often": "never, sometimes, often, always",
    "how good": "Poor, Fair, Good, Very good, Excellent",
    "a typographer's apostrophe": "No, Don\N{RIGHT SINGLE QUOTATION MARK}t know, Yes",
    "months": "Jan, Feb, Mar, Dec",
    "numbers in text": "Item 1, item 2, item 10",
    "ages": "5-9, 10-19, 20-29",
    "no scale": "apple, Banana, cherry",
    "two scales at once": "agree, never, often",
}


@pytest.mark.parametrize("name", ORDERS)
def test_levels_are_put_in_order_however_they_come(name: str) -> None:
    order = ORDERS[name].split(", ")
    for seed in range(5):
        levels = random.Random(seed).sample(order, len(order))
        assert in_order(levels) == order


def test_every_scale_is_in_its_own_order_and_numbers_in_theirs() -> None:
    for scale in SCALES:
        assert in_order(sorted(scale)) == list(scale)
    assert in_order([10, 2, 1]) == [1, 2, 10] and in_order([True, False]) == [False, True]
    assert in_order(["2", "10", "b"]) == ["2", "10", "b"]


def test_a_declared_order_is_kept() -> None:
    column = pd.Series(pd.Categorical(list("acb"), categories=list("cbad"), ordered=True))
    codes, names = coded(column)
    assert names == ("c", "b", "a") and codes.tolist() == [2, 0, 1]


def test_codes_are_those_of_the_script() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "a": rng.choice(["often", "never", "always", None], 30),
            "b": rng.choice(["often", "never", "always"], 30),
            "c": pd.Series(rng.choice([3, 5, 10], 30), dtype="Int64").mask(rng.random(30) < 0.2),
            "d": rng.choice([True, False], 30),
            # Of texts pandas' order is that of the alphabet, and of a scale that of all its levels.
            "e": rng.choice(["2", "010", "1e3"], 30),
            "f": pd.Categorical(rng.choice(["a", "c"], 30), ["a", "b", "c"], ordered=True),
            "y": pd.Categorical(rng.choice(["no", "yes"], 30), ["yes", "no"], ordered=True),
            "g": pd.Series(rng.choice(["2", "010"], 30), dtype="category"),
            "h": pd.Series(rng.choice([0.1, 10.5, 2.25], 30)).mask(rng.random(30) < 0.2),
        }
    )
    settings = Settings(family="categorical-mixture")
    family = family_of(settings)
    selection = family.read(Table("t", frame, (), ""), list(frame), None, None, True)
    assert selection.levels[0] == ("never", "often", "always")
    assert selection.levels[2] == ("3", "5", "10")
    assert selection.levels[4] == ("1e3", "2", "010")
    cells = selection.cells(0, np.arange(30))
    assert [cell if isinstance(cell, str) else None for cell in cells] == [
        cell if isinstance(cell, str) else None for cell in frame["a"]
    ]
    # Of the rows taken away no order is declared.
    taken = from_parquet_bytes(to_parquet_bytes(frame))
    for table in (frame.copy(), taken):
        made = {"np": np, "pd": pd, "table": table}
        exec("\n".join(takeaway.rows_used(selection, selection.values, frame)), made)
        np.testing.assert_array_equal(made["data"], selection.values)


def test_levels_with_digits_that_are_no_numbers_have_an_order() -> None:
    levels = ["10²", "①", "10³", "2"]
    assert in_order(levels) == in_order(levels[::-1])
    assert in_order(levels)[0] == "2"
