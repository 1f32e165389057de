"""What the rows of series are counted by."""

import numpy as np
import pandas as pd
import pytest

from pages.ui.families.table import family_of
from pages.ui.pictures.payload import pack
from pages.ui.state.clocks import along
from pages.ui.state.scenes import scene_of
from pages.ui.state.settings import Settings
from pages.ui.tables.preparation.table import prepared
from pages.ui.tables.preparation.time_order import TimeOrder
from pages.ui.tables.selection import select
from pages.ui.tables.table import Table
from support.packed import unpack
from support.runs import run_of

WAVES = pd.DataFrame(
    {
        "who": ["a", "b", "a", "b", "a", "b"],
        "wave": [1, 3, 2, 4, 3, 5],
        "x": [1.0, 5.0, np.nan, 5.5, 1.5, 6.0],
    }
)


def test_each_sequence_has_its_own_times_one_after_the_other() -> None:
    table = Table("t", WAVES, (), "")
    selection = select(table, ["x"], None, "who")
    found = along(table, selection)
    # A wave is missing, and the axis knows.
    assert found.places.tolist() == [0, 2, 3, 4, 5] and found.words == ("1", "3", "3", "4", "5")
    settings = Settings(family="gaussian-hmm", n_components=2, max_iterations=3)
    run = run_of(settings, selection)
    scene = scene_of(
        "run", run.model, run.data, run.trace, selection, settings, most=4, table=table
    )
    picture, _ = family_of(settings).picture(scene)
    assert picture.moments == ((0, "1"), (3, "3"))
    assert picture.columns[0] == "wave, one who after the other"
    assert picture.names == tuple(f"who {who}, wave {w}" for who, w in ("a1", "a3", "b3", "b4"))


def test_dates_of_sequences_are_told_as_dates() -> None:
    days = ["2024-03-01", "2024-03-02", "2024-03-09", "2023-12-31", "2024-01-02"]
    frame = pd.DataFrame({"day": days, "who": list("aaabb"), "x": np.arange(5.0)})
    table = prepared(Table("t", frame, (), ""), (TimeOrder("day"),))
    selection = select(table, ["x"], None, "who")
    found = along(table, selection)
    assert selection.groups == ("b", "a") and found.words == (*days[3:], *days[:3])
    assert found.places == pytest.approx([0, 2, 4, 5, 12]) and not found.dates


@pytest.mark.parametrize(
    ("columns", "clock"),
    [({"year": [1990, 1991, 1992, 1993]}, "year"), ({"year": [1990, 1992, 1993, 1994]}, "row")],
)
def test_one_sequence_is_counted_by_a_column_that_counts(columns, clock: str) -> None:
    table = Table("t", pd.DataFrame(columns | {"x": [1.0, np.nan, 3.0, 4.0]}), (), "")
    found = along(table, select(table, ["x"]))
    assert found.clock == clock and found.words == ()
    if clock == "year":
        assert found.places.tolist() == [1990, 1992, 1993]


@pytest.mark.parametrize(
    "times",
    [
        np.arange(8) / 2,
        np.arange(8),
        20240301 + np.arange(8),
        [f"2024-03-0{i}" for i in range(1, 9)],
        [f"2024-03-01 0{i}:30" for i in range(1, 9)],
        [f"0{i}:30" for i in range(1, 9)],
        pd.date_range("2024-03-01", periods=8, freq="h"),
    ],
    ids=["halves", "whole", "packed", "dates", "moments", "times of day", "timestamps"],
)
def test_a_series_in_order_of_any_time_is_drawn(times) -> None:
    table = prepared(
        Table("t", pd.DataFrame({"at": times, "x": [1.0, 2, 1, 2, 8, 9, 8, 9]}), (), ""),
        (TimeOrder("at"),),
    )
    selection = select(table, ["x"])
    settings = Settings(family="gaussian-hmm", n_components=2, max_iterations=3)
    run = run_of(settings, selection)
    scene = scene_of(
        "run", run.model, run.data, run.trace, selection, settings, most=8, table=table
    )
    packed = unpack(pack(family_of(settings).picture(scene)[0]))
    assert packed["columns"] == ["at", "x"]
    assert isinstance(packed["dates"], bool)
