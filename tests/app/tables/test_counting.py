"""Columns that count rows."""

import numpy as np
import pandas as pd
import pytest

from pages.ui.tables.counting import counting_columns
from pages.ui.tables.table import Table


def counting(group: str = "", **columns) -> list[str]:
    return list(counting_columns(Table("t", pd.DataFrame(columns), (), ""), group))


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_column_that_counts_the_rows_of_each_group_is_found(shuffled: bool) -> None:
    who = list("aaabbbb")
    columns = {"who": who, "wave": [1, 2, 3, 4, 5, 6, 7], "own": [3, 4, 5, 0, 1, 2, 3]}
    columns |= {"gap": [1, 3, 4, 0, 1, 2, 3], "x": [0.5, 1.5, 2.5, 1, 2, 3, 4.5]}
    if shuffled:  # by time: the rows of the groups take turns
        order = [0, 3, 1, 4, 2, 5, 6]
        columns = {name: [values[i] for i in order] for name, values in columns.items()}
    assert counting("who", **columns) == ["wave", "own"]
    assert counting(**columns) == ([] if shuffled else ["wave"])


def test_groups_of_one_row_are_counted_by_nothing() -> None:
    assert counting("who", who=list("abcde"), x=[1, 2, 3, 4, 5]) == []


def test_what_is_no_number_counts_nothing() -> None:
    assert counting(a=[True, False, True], b=["1", "2", "3"], c=[1.0, np.nan, 3.0]) == []
