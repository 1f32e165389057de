"""Kinds of steps of preparation: transformed columns, filters, time, wide to long."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from em_core import TRANSFORMATIONS
from pages.ui.tables import times
from pages.ui.tables.columns import describe, describe_columns
from pages.ui.tables.preparation.filtering import CONDITIONS, Filter
from pages.ui.tables.preparation.long import WideToLong, identifier_in, series_in
from pages.ui.tables.preparation.missing import Missing
from pages.ui.tables.preparation.table import StepError, prepared, read_steps, write_steps
from pages.ui.tables.preparation.time_order import TimeOrder
from pages.ui.tables.preparation.transformed_column import ALONG_TIME, LABELS, Transform
from pages.ui.tables.reading import read_table
from pages.ui.tables.selection import select, select_levels
from pages.ui.tables.table import DataError, Table
from pages.ui.tables.writing import join_results

TABLES = Path(__file__).parents[2] / "tables"


def of_file(name: str) -> Table:
    (path,) = TABLES.glob(f"{name}-*.csv")
    return read_table(path.name, path.read_bytes())


def of_frame(**columns) -> Table:
    return Table("t", pd.DataFrame(columns), (), "0")


# Transformed columns


@pytest.mark.parametrize("how", LABELS)
@pytest.mark.parametrize("seed", range(3))
def test_a_column_is_made_beside_the_one_it_is_of(how: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.where(rng.random(30) < 0.1, np.nan, rng.uniform(0.1, 0.9, 30))
    table = of_frame(a=rng.normal(size=30), x=values, who=np.repeat(["p", "q", "r"], 10))
    within = "who" * (how in ALONG_TIME)
    made = prepared(table, (Transform("x", how, within),))
    name = LABELS[how].format("x")
    assert list(made.frame) == ["a", "x", name, "who"] and list(table.frame) == ["a", "x", "who"]
    column = made.frame[name].to_numpy()
    if how in TRANSFORMATIONS:
        np.testing.assert_allclose(TRANSFORMATIONS[how].inverse(column), values, rtol=1e-12)
    elif how == "ranks":
        np.testing.assert_array_equal(column, pd.Series(values).rank())
    else:
        assert np.isnan(column[[0, 10, 20]]).all()
        before, here = values[1:10], values[2:11]
        assert np.isfinite(column).sum() == (np.isfinite(values[1:]) & np.isfinite(values[:-1])
                                             & (np.arange(1, 30) % 10 > 0)).sum()  # fmt: skip
        change = {"difference": here - before, "return": here / before - 1,
                  "log_return": np.log(here / before)}[how]  # fmt: skip
        np.testing.assert_allclose(column[2:10], change[:8], rtol=1e-9)
    selection = select(made, [name, "a"], holes=True)
    assert selection.transformations == ((how, "") if how in TRANSFORMATIONS else ())
    assert ("can't be compared" in made.parsing[-1]) == (how not in TRANSFORMATIONS)


@pytest.mark.parametrize(
    ("values", "how", "said"),
    [
        ([1, 0, -2, 5], "log", "2 rows of 'x' can't .* above 0: 0 in row 2, .*2 in row 3. Use log"),
        ([1, 0, 4, 5], "sqrt", "1 row of 'x' .* above 0: 0 in row 2"),
        ([0.5, 1, 0.2, 0.1], "logit", "between 0 and 1: 1 in row 2. Use logit of percent"),
        ([1, 0, 4, 5], "log_return", "2 rows .* above 0"),
        ([1, 0, 4, 5], "return", "1 row .* other than 0 in the row before"),
        ([1.0, np.inf, 4, 5], "log", "1 row of 'x'"),
        (["a", "b", "c", "d"], "log", "doesn't hold numbers"),
        ([1, 2, 3, 4], "cube", "no such transformation"),
    ],
)
def test_what_cannot_be_transformed_is_counted_by_row(values, how: str, said: str) -> None:
    with pytest.raises(StepError, match=said):
        prepared(of_frame(x=values), (Transform("x", how),))


def test_rows_filtered_out_may_be_what_cannot_be_transformed() -> None:
    table = prepared(
        of_frame(x=[1.0, 0, 4]), (Filter("x", "is at least", ("1",)), Transform("x", "log"))
    )
    assert np.isnan(table.frame["log(x)"][1])
    assert select(table, ["log(x)"]).rows.tolist() == [0, 2]


def test_the_same_step_twice_and_a_step_on_a_step_are_refused() -> None:
    table = of_frame(x=[1.0, 2, 3])
    for second, said in (
        (Transform("x", "log"), "column 'log.x.' already"),
        (Transform("log(x)", "sqrt"), "transform 'x' instead"),
    ):
        with pytest.raises(StepError, match=said) as caught:
            prepared(table, (Transform("x", "log"), second))
        assert caught.value.place == 1


def test_levels_have_no_slope() -> None:
    table = prepared(of_frame(x=[1.0, 2, 2, 3] * 5), (Transform("x", "log"),))
    assert select_levels(table, ["log(x)"]).transformations == ()


# Filters

PEOPLE = {
    "age": [18.0, 30, np.nan, 44, 60],
    "sex": ["f", "m", None, "m", "f "],
    "born": ["01.02.2006", "03.04.1994", "05.06.1990", None, "07.08.1964"],
    "in": [True, False, True, True, False],
}


@pytest.mark.parametrize(
    ("column", "condition", "values", "left"),
    [
        ("age", "is", ("30",), [1]),
        ("age", "is", ("30.0",), [1]),
        ("age", "is not", ("30",), [0, 2, 3, 4]),
        ("age", "is at least", ("30",), [1, 3, 4]),
        ("age", "is at most", ("30",), [0, 1]),
        ("age", "is between", ("30", "44"), [1, 3]),
        ("age", "is one of", ("18", "60", "7"), [0, 4]),
        ("age", "is missing", (), [2]),
        ("age", "is not missing", (), [0, 1, 3, 4]),
        ("sex", "is", ("f",), [0, 4]),
        ("sex", "is not", ("f",), [1, 2, 3]),
        ("sex", "is one of", ("m", "d"), [1, 3]),
        ("born", "is at least", ("01.01.1990",), [0, 1, 2]),
        ("born", "is between", ("01.01.1960", "31.12.1990"), [2, 4]),
        ("in", "is", ("True",), [0, 2, 3]),
    ],
)
def test_rows_that_meet_a_condition_are_left(column, condition, values, left) -> None:
    table = of_frame(**PEOPLE, x=[1.0, 2, 3, 4, 6])
    made = prepared(table, (Filter(column, condition, values),))
    assert made.taken.tolist() == left
    assert f"{len(left)} row" in made.parsing[-1] and "of 5 left" in made.parsing[-1]
    selection = select(made, ["x"]) if len(left) > 1 else select_levels(made, ["x"])
    assert selection.rows.tolist() == left
    out = selection.left_out
    assert out["row"].tolist() == [r + 1 for r in range(5) if r not in left]
    assert all(column in reason for reason in out["reason"])
    exported = join_results(made, selection, {"r": 10.0 * selection.rows})
    assert exported["r"].isna().tolist() == [r not in left for r in range(5)]
    assert exported["r"].dropna().tolist() == [10.0 * r for r in left]


def test_several_conditions_are_joined_and_levels_are_those_left() -> None:
    made = prepared(
        of_frame(**PEOPLE),
        (Filter("age", "is at least", ("20",)), Filter("sex", "is", ("m",))),
    )
    assert made.taken.tolist() == [1, 3]
    assert select_levels(made, ["sex"]).levels == (("m",),)
    assert {r.name: r.distinct for r in describe_columns(made)}["sex"] == 1
    reasons = select_levels(made, ["sex"]).left_out
    assert reasons["row"].tolist() == [1, 3, 5]
    assert reasons["reason"].tolist() == ["filter: age is at least 20"] * 2 + ["filter: sex is m"]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Filter("age", "is", ("99",)), "No row is left: in none of 5 rows age is 99"),
        (Filter("age", "is", ("old",)), "'old' is not a number"),
        (Filter("born", "is at least", ("soon",)), "'soon' is not a date"),
        (Filter("sex", "is at least", ("m",)), "'m' is not a date|is not a date"),
        (Filter("age", "is between", ("1",)), "needs 2 values"),
        (Filter("age", "is one of"), "at least one value"),
        (Filter("age", "looks like", ("1",)), "no such condition"),
        (Filter("gone", "is missing"), "no column 'gone'"),
    ],
)
def test_conditions_that_cannot_be(step: Filter, said: str) -> None:
    with pytest.raises(StepError, match=said):
        prepared(of_frame(**PEOPLE), (step,))


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("seed", range(3))
def test_a_filter_never_keeps_what_does_not_meet_it(condition: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = np.where(rng.random(40) < 0.2, np.nan, rng.integers(0, 5, 40))
    n = CONDITIONS[condition]
    values = tuple(map(str, sorted(rng.integers(0, 5, 2 if n is None else n).tolist())))
    try:
        left = prepared(of_frame(x=x), (Filter("x", condition, values),)).taken
    except DataError:
        left = np.zeros(0, int)
    numbers = [float(v) for v in values]

    def meets(cell: float) -> bool:
        if np.isnan(cell):
            return condition in ("is missing", "is not")
        return {
            "is": lambda: cell == numbers[0],
            "is not": lambda: cell != numbers[0],
            "is at least": lambda: cell >= numbers[0],
            "is at most": lambda: cell <= numbers[0],
            "is between": lambda: numbers[0] <= cell <= numbers[-1],
            "is one of": lambda: cell in numbers,
            "is missing": lambda: False,
            "is not missing": lambda: True,
        }[condition]()

    assert left.tolist() == [row for row, cell in enumerate(x) if meets(cell)]


# Cells as they stand in a file, and values in the order of their cells, in the notations in which
# they can be typed.
KINDS: dict[str, tuple[list[str], list[list[str]]]] = {
    "packed dates": (
        ["20200101", "20200102", "20210103"],
        [["20200101", "2020-01-01"], ["20200102", "2020-01-02"], ["20210103", "03.01.2021"]],
    ),
    "dates": (
        ["2020-01-01", "2020-01-02", "2021-01-03"],
        [["2020-01-01"], ["2020-01-02"], ["2021-01-03"]],
    ),
    "months": (["202401", "202402", "202501"], [["202401"], ["202402", "202402.0"], ["202501"]]),
    "years": (["1999", "2000", "2024"], [["1999"], ["2000"], ["2024"]]),
    "times of day": (["09:00", "12:30", "23:59"], [["09:00"], ["12:30"], ["23:59"]]),
    "decimals": (["1,5", "2,25", "10,5"], [["1.5", "1,5"], ["2.25", "2,25"], ["10.5", "10,50"]]),
    "yes and no": (["no", "yes"], [["no"], ["yes"]]),
    "texts": (["apple", "pear", "plum"], [["apple"], ["pear"], ["plum"]]),
}
ORDERED = ("is at least", "is at most", "is between")


def left_by(condition: str, ranks: list[int | None], limits: list[int]) -> list[int]:
    """Rows that meet a condition, by the places of their cells and of its values in order."""
    meets = {
        "is": lambda rank: rank == limits[0],
        "is not": lambda rank: rank != limits[0],
        "is at least": lambda rank: rank is not None and rank >= limits[0],
        "is at most": lambda rank: rank is not None and rank <= limits[0],
        "is between": lambda rank: rank is not None and limits[0] <= rank <= limits[-1],
        "is one of": lambda rank: rank in limits,
        "is missing": lambda rank: rank is None,
        "is not missing": lambda rank: rank is not None,
    }[condition]
    return [row for row, rank in enumerate(ranks) if meets(rank)]


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_condition_compares_in_the_units_of_its_column(kind: str, condition: str) -> None:
    if condition in ORDERED and kind in ("yes and no", "texts"):
        return
    cells, notations = KINDS[kind]
    ranks: list[int | None] = [1, 0, None, *range(len(cells)), 1]
    rows = [f"{'' if rank is None else cells[rank]};{row}" for row, rank in enumerate(ranks)]
    table = read_table("x.csv", "\n".join(["cell;row", *rows]).encode())
    number = CONDITIONS[condition]
    limits = [0, 1][-number:] if number else [0, 1] if number is None else []
    for notation in range(max(map(len, notations))):
        values = tuple(notations[limit][notation % len(notations[limit])] for limit in limits)
        made = prepared(table, (Filter("cell", condition, values),))
        assert made.taken.tolist() == left_by(condition, ranks, limits), values


@pytest.mark.parametrize("shown", [str, lambda day: str(day)[:10]])
@pytest.mark.parametrize("condition", ["is", "is not", "is one of", "is at least", "is at most"])
def test_dates_are_compared_as_they_are_shown(condition: str, shown) -> None:
    days = pd.Series(pd.to_datetime(["2020-01-01", "2020-01-02", "2021-01-03"]))
    table = prepared(of_frame(day=days), (Filter("day", condition, (shown(days[1]),)),))
    assert table.taken.tolist() == left_by(condition, [0, 1, 2], [1])
    moments = days + pd.Timedelta("13:07:09.123457")
    table = prepared(of_frame(at=moments), (Filter("at", condition, (str(moments[1]),)),))
    assert table.taken.tolist() == left_by(condition, [0, 1, 2], [1])


@pytest.mark.parametrize(
    ("cells", "value", "said"),
    [
        ([20200101, 20210103], "20200230", "'20200230' is not a date"),
        ([20200101, 20210103], "2020", "'2020' is not a date"),
        ([20200101, 20210103], "soon", "'soon' is not a date"),
        ([1.5, 2.5], "1,500", "'1,500' is not a number"),
        ([1.5, 2.5], "nan", "'nan' is not a number"),
    ],
)
def test_values_that_could_mean_something_else_are_refused(cells, value: str, said: str) -> None:
    with pytest.raises(StepError, match=said):
        prepared(of_frame(x=cells), (Filter("x", "is not", (value,)),))


def test_numbers_like_dates_of_which_one_is_no_day_of_the_calendar_stay_numbers() -> None:
    column = pd.Series([20200101, 20200231], name="x")
    assert not times.is_dated(column)
    assert times.numbers_of(column).tolist() == [20200101, 20200231]


# Time


def test_newest_first_is_turned_and_says_so() -> None:
    table = prepared(of_file("10"), (TimeOrder("date"),))
    assert "ran backwards" in table.parsing[-1]
    assert table.taken.tolist() == list(range(19, -1, -1))
    selection = select(table, ["level"])
    assert selection.rows.tolist() == table.taken.tolist()
    np.testing.assert_array_equal(selection.values[::-1, 0], table.frame["level"])


@pytest.mark.parametrize("seed", range(5))
def test_rows_are_in_the_order_of_time_within_each_sequence(seed: int) -> None:
    rng = np.random.default_rng(seed)
    when = rng.integers(0, 15, 40).astype(float)
    when[rng.integers(0, 40, 3)] = np.nan
    who = rng.choice(["a", "b", "c"], 40)
    table = prepared(of_frame(when=when, who=who, x=rng.normal(size=40)), (TimeOrder("when"),))
    selection = select(table, ["x"], group_column="who")
    bounds = np.cumsum([0, *selection.sizes])
    for name, a, b in zip(selection.groups, bounds, bounds[1:], strict=False):
        rows = selection.rows[a:b]
        assert set(who[rows]) == {name} and (np.diff(when[rows]) >= 0).all()
    assert sorted([*selection.rows, *(selection.left_out["row"] - 1)]) == list(range(40))
    assert set(selection.left_out["reason"]) == {"when is missing"}


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (["2022-03-29", "1970-01-02"], [19080, 1]),
        (["29.03.2022", "02.01.1970"], [19080, 1]),
        (["01.02.1970", "02.01.1970"], [31, 1]),
        (["3/29/2022", "1/2/1970"], [19080, 1]),
        (["29/3/22", "2/1/70"], [19080, 1]),
        (["2022-03-29 12:00", "1970-01-02T06:00:00Z"], [19080.5, 1.25]),
        (["1970-01-02 02:00 PM", "1970-01-02 00:00"], [1 + 14 / 24, 1]),
        (["1970-02", "1970-01"], [31, 0]),
        (["12:00", "18:30"], [0.5, 18.5 / 24]),
        (["19700102T0600", "19700101T000000"], [1.25, 0]),
        (["19700102T2400", "1970-01-01 24:00"], [2, 1]),
        (["19700102T060000+0600", "1970-01-01 23:59:60"], [1, 1]),
        (["29 Mar 2022", "2. Januar 1970"], [19080, 1]),
        (["29-MAR-22", "02-Jan-70"], [19080, 1]),
        (["March 29, 2022", "Jan. 2, 1970"], [19080, 1]),
        (["Feb 1970", "Dez-1970"], [31, 334]),
        (["1970Q2", "1970-Q1"], [90, 0]),
        (["Q2 1970", "Q1/1970"], [90, 0]),
        (["1970M02", "1970-M01"], [31, 0]),
        (["1970-W02", "1970W03"], [4, 11]),
    ],
)
def test_dates_are_days(cells: list[str], days: list[float]) -> None:
    column = pd.Series([*cells, None], name="d", dtype="str")
    np.testing.assert_allclose(times.numbers_of(column), [*days, np.nan])
    assert describe("d", column).type == "date"


def test_numbers_that_are_dates_are_days() -> None:
    column = pd.Series([20220329, 19700102, None], name="d", dtype="Int64")
    np.testing.assert_allclose(times.numbers_of(column), [19080, 1, np.nan])
    assert times.is_dated(column) and not times.is_dated(pd.Series([2021, 2022]))


def test_dates_that_nobody_can_decide_are_asked_about() -> None:
    table = of_frame(d=["03/04/2022", "05/06/2022"], x=[1.0, 2.0])
    with pytest.raises(StepError, match=r"'03/04/2022' .* day or the month first"):
        prepared(table, (TimeOrder("d"),))
    april = prepared(table, (TimeOrder("d", times.DAY),)).clock
    march = prepared(table, (TimeOrder("d", times.MONTH),)).clock
    assert april is not None and march is not None
    assert times.written(april.times[0], True) == "2022-04-03"
    assert times.written(march.times[0], True) == "2022-03-04"


def test_dates_of_several_notations_are_never_read_by_one_of_them() -> None:
    with pytest.raises(DataError, match="two notations, such as '01"):
        times.numbers_of(pd.Series(["2024-03-01", "01.04.2024", "5/13/2024"], name="day"))
    mixed = pd.Series(["2024-03-01", "02.03.2024", "3/3/2024"], name="day")
    assert np.diff(times.numbers_of(mixed, times.DAY)).tolist() == [1, 1]


@pytest.mark.parametrize(
    "cells", [["31.02.2022"], ["soon", "2022-01-01"], ["2020-W54"], ["May 13"], [""], [None]]
)
def test_what_is_no_time_is_refused(cells: list[str]) -> None:
    with pytest.raises(StepError):
        prepared(of_frame(d=cells), (TimeOrder("d"),))


@pytest.mark.parametrize(
    "bad",
    [
        *("20240102T2401", "20241301T0000", "20240101T1260", "20240102T12345", "00000000T0000"),
        *("20240101T0000+9900", "99999999T999999", "2024-01-01 25:00", "2024-01-01 12:60"),
        *("2024-01-01 10:00:61", "2024-01-01 13:00 am", "2024-01-01 10:00+99:99"),
    ],
)
@pytest.mark.parametrize("good", ["20240101T1000", "2024-01-01 10:00"])
def test_a_time_that_no_clock_shows_is_a_sentence(good: str, bad: str) -> None:
    """In a cell, and in what is typed into a filter (which leaves zones alone); 25:00 alone may be
    how long something took."""
    for cells, value in (([good, bad], good), ([good, good], bad)):
        with suppress(StepError) if "+99:99" in bad else pytest.raises(StepError):
            prepared(of_frame(d=cells, x=[1.0, 2.0]), (Filter("d", "is at least", (value,)),))
    with pytest.raises(StepError, match="'d' is no time"):
        prepared(of_frame(d=[good, bad]), (TimeOrder("d"),))
    with pytest.raises(StepError, match="'d' is no time"):
        prepared(of_frame(d=["10:00", "10:60"]), (TimeOrder("d"),))
    assert times.numbers_of(pd.Series(["25:00"], name="d")).tolist() == [25 / 24]


def test_gaps_and_times_that_stand_twice_are_said_within_sequences() -> None:
    table = prepared(
        of_frame(
            t=[1.0, 2, 3, 9, 9, 1, 2, 3], who=[*"aaaaa", *"bbb"], x=np.arange(8.0)
        ),
        (TimeOrder("t"),),
    )  # fmt: skip
    selection = select(table, ["x"], group_column="who")
    assert table.clock is not None
    said = times.irregular(table.clock, selection.rows, selection.sizes)
    assert said[0] == "1 row has the same t as the row before, the first 9."
    assert said[1].startswith("1 gap in t: rows are usually 1 apart, at most 6 (after 3).")
    regular = prepared(of_file("10"), (TimeOrder("date"),))
    assert regular.clock is not None
    assert times.irregular(regular.clock, regular.taken, [20]) == []


# Wide to long


def test_a_row_becomes_a_sequence_that_ends_with_its_values() -> None:
    table = of_file("28c")
    columns = series_in(describe_columns(table))
    assert columns == ("t1", "t2", "t3", "t4") and identifier_in(table, columns) == "person"
    long = prepared(table, (WideToLong(columns, "score", "wave"),))
    assert list(long.frame) == ["person", "wave", "score"] and len(long.frame) == 18
    selection = select(long, ["score"], group_column="person")
    assert selection.sizes.tolist() == [4, 2, 4, 3, 1, 4]
    assert "6 sequences, 18 rows. Trailing missing cells" in long.parsing[-1]


@pytest.mark.parametrize("seed", range(5))
def test_every_value_is_kept_in_its_place(seed: int) -> None:
    rng = np.random.default_rng(seed)
    wide = np.where(rng.random((12, 5)) < 0.3, np.nan, rng.normal(size=(12, 5)))
    names = [f"y_{1990 + 2 * t}" for t in range(5)]
    table = of_frame(k=range(12), **dict(zip(names, wide.T, strict=True)))
    table = prepared(table, (Filter("k", "is at least", ("3",)),))
    long = prepared(table, (WideToLong(tuple(names), "y", "year", "sequence"),))
    back = long.frame.pivot(index="k", columns="year", values="y")
    there = ~np.isnan(wide).all(axis=1)
    assert back.columns.tolist() == [1990 + 2 * t for t in range(back.shape[1])]
    expected = wide[there][:, : back.shape[1]]
    np.testing.assert_array_equal(back.to_numpy(float), expected)
    assert (long.frame["sequence"] == long.frame["k"] + 1).all()
    assert (long.frame["k"].to_numpy()[long.taken] >= 3).all()
    assert len(long.taken) == (long.frame["k"] >= 3).sum()
    last = long.frame.groupby("k")["y"].last()
    assert last.notna().all()


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (WideToLong(("t1",)), "at least two"),
        (WideToLong(("t1", "t1")), "two different"),
        (WideToLong(("t1", "person")), "doesn't hold numbers"),
        (WideToLong(("t1", "gone")), "no column 'gone'"),
        (WideToLong(("t1", "t2"), "person"), "a column 'person' already"),
        (WideToLong(("t1", "t2"), "same", "same"), "each another"),
    ],
)
def test_series_that_cannot_be(step: WideToLong, said: str) -> None:
    with pytest.raises(StepError, match=said):
        prepared(of_file("28c"), (step,))


def test_columns_that_are_no_series_are_not_taken_for_one() -> None:
    frame = {"x1": [1.0, 2], "x2": [2.0, 3], "y": [3.0, 4], "b3": ["u", "v"]}
    assert series_in(describe_columns(of_frame(**frame))) == ()


def test_steps_come_back_from_a_link() -> None:
    steps = (
        Transform("a", "log"),
        Transform("ü", "difference", "who"),
        Filter("a", "is between", ("1", "2")),
        TimeOrder("d", times.DAY),
        WideToLong(("t1", "t2"), "v"),
    )
    assert read_steps(write_steps(steps)) == steps


LONG = ["1234567890123456789", "1234567890123456790", "1234567890123456800"]


@pytest.mark.parametrize(
    ("condition", "left"), [("is", [1]), ("is not", [0, 2]), ("is at least", [1, 2])]
)
def test_identifiers_longer_than_a_double_are_told_apart(condition: str, left: list[int]) -> None:
    lines = ["id,x", *(f"{name},{i}" for i, name in enumerate(LONG))]
    table = read_table("t.csv", "\n".join(lines).encode())
    kept = prepared(table, (Filter("id", condition, (LONG[1],)),))
    assert kept.taken.tolist() == left
    missing = prepared(table, (Missing((LONG[1],)),)).frame["id"].isna()
    assert missing.tolist() == [False, True, False]


def test_times_without_a_zone_are_those_of_the_clock_in_the_cells() -> None:
    cells = ["2024-07-01T00:30:00+02:00", "2024-07-01T12:00:00+02:00", "2024-07-02T00:30:00+02:00"]
    lines = ["t,x", *(f"{t},{i}" for i, t in enumerate(cells))]
    text = read_table("t.csv", "\n".join(lines).encode())
    instants = pd.to_datetime(pd.Series(cells)).dt.tz_convert("Europe/Vienna")
    dated = text._replace(frame=text.frame.assign(t=instants))
    for table in (text, dated):
        for value, left in (
            ("2024-07-01", [0, 1, 2]),
            ("2024-07-02", [2]),
            ("2024-07-01 12:00", [1, 2]),
            ("2024-07-01T10:00Z", [1, 2]),
        ):
            kept = prepared(table, (Filter("t", "is at least", (value,)),))
            assert kept.taken.tolist() == left, (value, kept.parsing[-1])


def test_numbers_of_single_precision_are_those_that_are_typed() -> None:
    table = read_table("t.csv", b"f,x\n0.1,1\n-99.9,2\n0.3,3\n")
    single = table._replace(frame=table.frame.astype({"f": "float32"}))
    assert prepared(single, (Filter("f", "is", ("0.1",)),)).taken.tolist() == [0]
    found = prepared(single, (Missing(("-99.9",)),)).frame["f"].isna()
    assert found.tolist() == [False, True, False]


def test_a_number_has_no_underscores() -> None:
    with pytest.raises(DataError, match="is not a number"):
        prepared(read_table("t.csv", b"a,x\n1000,1\n2,2\n"), (Filter("a", "is", ("1_000",)),))
