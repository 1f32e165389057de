"""A column of weights: what looks like one, what can be one, and what is left out for it."""

import numpy as np
import pandas as pd
import pytest

from em_core import datasets
from pages.ui.tables.columns import describe_columns
from pages.ui.tables.reading import read_table
from pages.ui.tables.selection import select, select_items
from pages.ui.tables.table import DataError, Table, from_dataset
from pages.ui.tables.weights import NotWhole, suggest_weights, weight_candidates, weighted
from pages.ui.text import MINUS
from support.tables import TABLES


def table_of(**columns) -> Table:
    return Table("t", pd.DataFrame(columns), (), "")


def suggested(table: Table) -> str | None:
    return next(iter(suggest_weights(table, describe_columns(table))), None)


ANSWERS = {"a": [0, 1, 0, 1], "b": [1, 1, 0, 0]}
LENGTHS = {"length": [1.5, 2.25, 3.125, 7.0]}


@pytest.mark.parametrize("name", ["freq", "Frequency", "n", "count", "Häufigkeit", "weight", "w"])
def test_a_name_and_whole_numbers_beside_answers_look_like_a_weight(name: str):
    assert suggested(table_of(**ANSWERS, **{name: [3, 0, 12, 4]})) == name


@pytest.mark.parametrize(
    "columns, found",
    [
        (LENGTHS | {"freq": [3, 0, 12, 4]}, "freq"),
        (LENGTHS | {"freq": [3.5, 0, 12, 4]}, None),
        (LENGTHS | {"freq": [3, -1, 12, 4]}, None),
        (LENGTHS | {"freq": [3, np.nan, 12, 4]}, None),
        (LENGTHS | {"freq": [0, 0, 0, 0]}, None),
        (LENGTHS | {"freq": ["3", "0", "x", "4"]}, None),
        # What was measured may have the same name.
        (LENGTHS | {"weight": [60.5, 71, 88, 59]}, None),
        (LENGTHS | {"count": [60, 71, 88, 59]}, None),
        (LENGTHS | {"weight": [0.5, 1.5, 1.25, 0.75]}, "weight"),
        (LENGTHS | {"survey_weight": [605.5, 71, 88, 59]}, "survey_weight"),
        # Nothing else could be fitted.
        ({"count": [3, 0, 12, 4]}, None),
    ],
)
def test_whether_it_is_one_depends_on_its_values_and_what_it_stands_beside(columns, found):
    assert suggested(table_of(**columns)) == found


def test_of_two_weights_both_are_found():
    table = table_of(**ANSWERS, fweight=[3, 1, 12, 4], pweight=[0.5, 1.5, 1.25, 0.75])
    assert suggest_weights(table, describe_columns(table)) == ["fweight", "pweight"]


def test_no_column_of_the_examples_is_taken_for_weights():
    for name in datasets.EXAMPLES:
        assert suggested(from_dataset(datasets.load(name))) is None, name


def test_of_the_suite_of_tables_only_the_patterns_have_weights():
    found = {}
    for path in sorted(TABLES.glob("*.csv")):
        try:
            found[path.name] = suggested(read_table(path.name, path.read_bytes()))
        except DataError:
            continue
    assert {name for name, column in found.items() if column} == {"25-patterns-with-counts.csv"}


def test_rows_without_a_weight_are_left_out_and_a_weight_of_zero_stays():
    table = table_of(x=[1.0, 2.0, 4.0, 8.0], kind=list("abab"), w=[2.0, np.nan, 0.0, 3.0])
    found = weighted(select(table, ["x"], "kind"), table, "w", "frequencies")
    assert found.weights is not None and found.labels is not None
    assert found.weights.tolist() == [2, 0, 3] and found.rows.tolist() == [0, 2, 3]
    assert found.values[:, 0].tolist() == [1, 4, 8] and found.labels.tolist() == ["a", "a", "b"]
    assert found.left_out.to_numpy().tolist() == [[2, "w is missing"]]
    assert (found.weight_name, found.weights_kind) == ("w", "frequencies")
    # Those that are left out for another reason need none.
    table.frame.loc[1, "x"] = np.nan
    found = weighted(select(table, ["x"]), table, "w", "sampling")
    assert found.left_out.to_numpy().tolist() == [[2, "x is missing"]]


@pytest.mark.parametrize(
    "cells, why",
    [
        ([1, -2, 3, -4], rf"{MINUS}2 in row 2 \(and 1 more\) can't be less than 0"),
        ([1, np.inf, 3, 4], "∞ in row 2 isn't finite"),
        ([0, 0, 0, 0], "all 0"),
        ([np.nan] * 4, "all missing"),
        (list("abcd"), "does not hold numbers"),
        ([True, False, True, True], "does not hold numbers"),
    ],
)
def test_what_cannot_be_weights_is_refused_with_the_reason(cells: list, why: str):
    table = table_of(x=[1.0, 2.0, 4.0, 8.0], w=cells)
    for kind in ("frequencies", "sampling"):
        with pytest.raises(DataError, match=why) as caught:
            weighted(select(table, ["x"]), table, "w", kind)
        assert not isinstance(caught.value, NotWhole)
    with pytest.raises(DataError, match="no column 'v'"):
        weighted(select(table, ["x"]), table, "v", "frequencies")


def test_frequencies_are_whole_numbers_else_they_may_be_sampling_weights():
    table = table_of(x=[1.0, 2.0, 4.0], w=[1.5, 2.0, 0.25])
    with pytest.raises(NotWhole, match=r"1.5 in row 1 \(and 1 more\) isn't a whole number. Are"):
        weighted(select(table, ["x"]), table, "w", "frequencies")
    found = weighted(select(table, ["x"]), table, "w", "sampling")
    assert found.weights is not None and found.weights.tolist() == [1.5, 2, 0.25]


def test_a_sequence_or_a_group_has_one_weight():
    frame = {"x": [1.0, 2, 3, 4, 5, 6], "id": list("abaabb"), "w": [3, 1, 3, 3, 1, 1]}
    table = table_of(**frame)
    found = weighted(select_items(table, ["x"], None, "id"), table, "w", "frequencies", "sequence")
    assert found.weights is not None and found.weights_of_parts is not None
    assert found.weights.tolist() == [3, 3, 3, 1, 1, 1]
    assert found.weights_of_parts.tolist() == [3, 1]
    table.frame["w"] = [3, 1, 3, 3, 2, 1]
    with pytest.raises(DataError, match="differ within the group 'b': 1 in row 2 and 2 in row 5"):
        weighted(select_items(table, ["x"], None, "id"), table, "w", "frequencies", "group")
    with pytest.raises(DataError, match="within the sequence: 3 in row 1 and 1 in row 2"):
        weighted(select_items(table, ["x"]), table, "w", "frequencies", "sequence")
    # One without a weight is left out whole; in part it is not known what the sequence counts.
    table.frame["w"] = [np.nan, 1, np.nan, np.nan, 1, 1]
    found = weighted(select_items(table, ["x"], None, "id"), table, "w", "frequencies", "sequence")
    assert found.groups == ("b",) and found.sizes.tolist() == [3]
    assert found.left_out["row"].tolist() == [1, 3, 4]
    table.frame["w"] = [3, 1, 3, np.nan, 1, 1]
    with pytest.raises(DataError, match="3 in row 1 and missing in row 4"):
        weighted(select_items(table, ["x"], None, "id"), table, "w", "frequencies", "sequence")


def test_all_numbers_and_no_others_could_be_weights():
    table = table_of(**LENGTHS, word=list("abab"), w=[1, 2, 3, 4], yes=[True, False] * 2)
    assert weight_candidates(describe_columns(table)) == ["length", "w"]
