"""Means placed by hand in the picture of a run."""

import numpy as np
import pandas as pd
import pytest

from pages.ui.panels.hands_panel import could_be_placed, placed
from pages.ui.player.component import Deed
from pages.ui.state.settings import Settings
from pages.ui.tables.selection import Selection

MEANS = np.array([[1.0, 10.0, 100.0], [2.0, 20.0, 200.0]])


@pytest.fixture
def selection() -> Selection:
    values = np.array([[0.0, 0.0, 0.0], [4.0, np.nan, 40.0]])
    return Selection(values, ("a", "b", "c"), np.arange(2), pd.DataFrame(), None, None)


def test_a_mean_is_moved_in_the_columns_drawn(selection: Selection) -> None:
    deed = Deed(1, "move", 1, (7.0, 8.0))
    settings = Settings(axis_x="c", axis_y="a")
    moved = placed(deed, MEANS, selection, settings)
    np.testing.assert_array_equal(moved, [[1, 10, 100], [8, 20, 7]])
    np.testing.assert_array_equal(MEANS[1], [2, 20, 200])


def test_a_mean_is_added_at_the_average_of_what_is_not_drawn(selection: Selection) -> None:
    added = placed(Deed(1, "add", 0, (7.0, 8.0)), MEANS, selection, Settings())
    np.testing.assert_array_equal(added, [*MEANS, [7, 8, 20]])


def test_a_mean_is_removed_but_not_the_last(selection: Selection) -> None:
    gone = placed(Deed(1, "remove", 0, ()), MEANS, selection, Settings())
    np.testing.assert_array_equal(gone, MEANS[1:])
    assert placed(Deed(1, "remove", 0, ()), MEANS[:1], selection, Settings()) is None


@pytest.mark.parametrize(
    "deed",
    [
        Deed(1, "move", 2, (1.0, 1.0)),
        Deed(1, "move", -1, (1.0, 1.0)),
        Deed(1, "move", 0, (1.0,)),
        Deed(1, "add", 0, ()),
        Deed(1, "remove", 5, ()),
    ],
)
def test_what_no_picture_can_have_told_changes_nothing(deed: Deed, selection: Selection) -> None:
    assert placed(deed, MEANS, selection, Settings()) is None


def test_no_more_are_added_than_a_model_may_have(selection: Selection) -> None:
    most = np.zeros((50, 3))
    assert placed(Deed(1, "add", 0, (1.0, 1.0)), most, selection, Settings()) is None


def test_only_columns_as_they_are_show_where_a_mean_is() -> None:
    assert could_be_placed(Settings(), 2)
    assert could_be_placed(Settings(axes="columns"), 4)
    assert not could_be_placed(Settings(axes="pairs"), 4)
    assert not could_be_placed(Settings(family="bernoulli-mixture"), 2)
