"""What columns are used for, as words, and what a change of words changes."""

import numpy as np
import pandas as pd
import pytest

from pages.ui.families.table import FAMILIES
from pages.ui.panels.sidebar.steps_panel import timed
from pages.ui.tables.preparation.filtering import Filter
from pages.ui.tables.preparation.time_order import TimeOrder
from pages.ui.tables.profile import profile
from pages.ui.tables.roles import (
    IDENTIFIER,
    LABELS,
    OUT,
    TIME,
    WEIGHT,
    Use,
    Words,
    assigned,
    summed_up,
)

NAMES = ("id", "a", "b", "c", "species", "w", "person", "day")
WORDS = Words("measurement", "sequence")
USE = Use(("a", "b"), "species", "person", "w", "id", "day")


def words(use: Use, names=NAMES) -> list[str]:
    return [WORDS.of(name, use) for name in names]


def test_words_say_what_is_chosen() -> None:
    measured = ["measurement"] * 2
    assert words(USE) == [IDENTIFIER, *measured, OUT, LABELS, WEIGHT, "sequence", TIME]
    told = "2 measurements, known labels, sequence, time, weight, identifier, 1 left out"
    assert summed_up(NAMES, USE, WORDS) == told


def test_every_meaning_that_a_column_can_have_is_a_word_of_some_model() -> None:
    all_words = {w for f in FAMILIES.values() for w in Words(f.use, f.grouping).all}
    assert all_words == {
        *("measurement", "yes-or-no", "levels", "ordered levels", "count", "known labels"),
        *("group", "sequence", "time", "weight", "identifier", "left out"),
    }


def test_the_time_is_one_step_and_another_takes_its_place() -> None:
    few, day, hour = Filter("a", "is less than", ("3",)), TimeOrder("day"), TimeOrder("hour")
    assert timed((few,), "", "day") == (few, day)
    assert timed((hour, few, day, few), "day", "hour") == (few, hour, few)
    assert timed((day, few), "day", "") == (few,)
    assert timed((TimeOrder("day", "day first"),), "day", "day")[0].dates == "day first"


@pytest.mark.parametrize("seed", range(30))
def test_any_words_are_taken_and_each_kind_of_one_column_stays_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    use = USE
    for _ in range(10):
        name, word = str(rng.choice(NAMES)), str(rng.choice(WORDS.all))
        use = assigned(use, NAMES, {name: word}, "measurement")
        said = WORDS.of(name, use)
        assert said == word
        every = words(use)
        assert all(every.count(one) <= 1 for one in (LABELS, TIME, WEIGHT, IDENTIFIER, "sequence"))
        assert list(use.columns) == [n for n in NAMES if n in use.columns]


def test_words_unchanged_change_nothing() -> None:
    told = {name: WORDS.of(name, USE) for name in NAMES}
    assert assigned(USE, NAMES, told, "measurement") == USE


@pytest.mark.parametrize("seed", range(10))
def test_a_profile_counts_every_cell_that_is_there(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=50)
    values[rng.integers(50, size=5)] = np.nan
    values[0] = np.inf
    found = profile(pd.Series(values))
    assert sum(found.histogram) == np.isfinite(values).sum() and found.levels == ""
    levels = profile(pd.Series(rng.choice(["b", "a"], 40)))
    assert sum(levels.histogram) == 40 and levels.levels.startswith("a: ")
    codes = pd.Series([10115, 80331] * 4)
    assert profile(codes, codes=True).levels == "10115: 4, 80331: 4"
    assert profile(pd.Series([np.nan, np.nan])).histogram == ()
    # A spread of the size of rounding, and one that no float holds.
    steps = np.arange(16.0)
    for odd in (
        1 + steps * 2.0**-52,
        steps * 5e-324,
        (steps - 7.5) * 2.2e307,
        1.7e18 + 256 * steps,
    ):
        found = profile(pd.Series(odd))
        assert sum(found.histogram) == 16 and len(found.histogram) == 16 and found.least != ""
    late = pd.Series(np.datetime64("9999-01-01", "us") + np.arange(16))
    assert sum(profile(late).histogram) == 16


def test_dates_are_counted_by_intervals_from_the_first_to_the_last() -> None:
    days = pd.date_range("2024-01-01", periods=160, freq="D").to_series(index=range(160))
    found = profile(days.sample(frac=1, random_state=0))
    assert found.histogram == (10,) * 16 and not found.levels
    assert (found.least, found.most) == ("2024-01-01", "2024-06-08")
    zoned = pd.concat([days, pd.Series([pd.NaT])]).dt.tz_localize("Europe/Rome")
    assert sum(profile(zoned).histogram) == 160
    few = profile(
        pd.to_datetime(pd.Series(["2024-05-01", "2024-05-01", "2023-01-02 10:30"]), format="mixed")
    )
    assert few.levels == "2023-01-02 10:30:00: 1, 2024-05-01: 2" and few.histogram == (1, 2)
    assert profile(pd.Series([pd.NaT] * 3)).histogram == ()
