"""Changes that are taken back, and made again."""

from dataclasses import replace

from pages.ui.state.changes import changed
from pages.ui.state.history import MOST_STEPS, History
from pages.ui.state.settings import Settings

FIRST = Settings()


def test_steps_go_back_and_forth_and_a_new_one_ends_what_was_ahead() -> None:
    steps = History(FIRST)
    two, three = changed(FIRST, n_components=4), changed(FIRST, n_components=4, seed=7)
    steps.note(two)
    steps.note(two)
    steps.note(three)
    assert steps.back(three) == two and steps.back(two) == FIRST and steps.back(FIRST) == FIRST
    assert steps.forth(FIRST) == two and steps.forth(two) == three and steps.forth(three) == three
    assert steps.back(three) == two
    other = changed(two, n_components=5)
    assert steps.forth(other) == other and steps.back(other) == two


def test_where_one_looks_is_no_step_and_stays_as_it_is() -> None:
    steps = History(FIRST)
    now = changed(FIRST, n_components=4)
    steps.note(now)
    looked = replace(now, frame=3, point=1, colour="certainty")
    steps.note(looked)
    assert len(steps.past) == 1
    back = steps.back(looked)
    assert back == replace(FIRST, colour="certainty")


def test_what_a_page_puts_right_belongs_to_the_step_before() -> None:
    steps = History(FIRST)
    steps.note(changed(FIRST, n_components=4))
    steps.present = changed(FIRST, n_components=4, columns=("a",))
    assert steps.back(steps.present) == FIRST and not steps.past


def test_only_so_many_steps_are_kept() -> None:
    steps = History(FIRST)
    for seed in range(1, MOST_STEPS + 11):
        steps.note(replace(FIRST, seed=seed))
    assert len(steps.past) == MOST_STEPS and steps.past[0].seed == 10
