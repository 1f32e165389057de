"""How long a grid takes is told before it begins where it has very many rows, and while it runs."""

from dataclasses import replace

import numpy as np
import pytest

from pages.ui.running import duration
from pages.ui.running.duration import in_words, seconds_left, seconds_of
from pages.ui.running.searches import grid_of
from pages.ui.state.settings import Settings
from support.runs import read

SETTINGS = Settings(example="faithful", largest=3, structures_compared=("full",))


def grid(rows: int, settings: Settings = SETTINGS):
    table, selection = read(settings)
    wanted = grid_of(settings, table, selection)
    wanted.data = np.resize(wanted.data, (rows, 2)) + np.arange(rows)[:, None] * 1e-6
    return wanted


def test_only_many_rows_are_timed_and_time_grows_with_what_is_asked(monkeypatch) -> None:
    assert seconds_of(grid(272)) == 0
    monkeypatch.setattr(duration, "_timed", lambda *_: 0.01)
    rows = 100_000
    told = seconds_of(grid(rows))
    # 120 E-steps of 4,096 rows at 10 ms, from 10 starts, of models of 1, 2 and 3 of 3 components.
    assert told == pytest.approx(0.01 * rows / 4096 * 120 * 10 * 2, rel=1e-9)
    assert seconds_of(grid(rows, replace(SETTINGS, folds=4))) == pytest.approx(5 * told)


def test_a_real_e_step_is_timed_of_rows_and_of_sequences() -> None:
    assert 0 < seconds_of(grid(100_000)) < 10_000
    chain = Settings(family="gaussian-hmm", example="geyser", largest=2)
    table, selection = read(chain)
    wanted = grid_of(replace(chain, n_starts_each=100), table, selection)
    wanted.data = [np.resize(part, (6_000, part.shape[1])) for part in wanted.data]
    assert 0 < seconds_of(wanted) < 10_000


def test_what_is_left_goes_by_the_sizes_of_the_models() -> None:
    wanted = grid(272)
    assert seconds_left(wanted) is None
    wanted.begin()
    wanted.done.wait()
    assert seconds_left(wanted) == 0
    assert [in_words(s) for s in (3, 44, 200, 9000)] == [
        "10 seconds", "40 seconds", "3 minutes", "2 hours"
    ]  # fmt: skip
