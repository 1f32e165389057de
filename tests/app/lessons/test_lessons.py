"""Lessons: their files, and when a step is done."""

from dataclasses import replace

import pytest

from pages.ui.lessons.lesson import Lesson, lessons, read, satisfied
from pages.ui.state.links import parse, to_query
from pages.ui.state.settings import Settings

ONE = """
title = "One"
about = "A lesson."
minutes = 1
[[steps]]
link = "{link}"
text = "Do."
done = {{ {done} }}
"""


@pytest.mark.parametrize("lesson", lessons().values(), ids=lambda lesson: lesson.name)
def test_a_lesson_that_ships_is_long_enough_and_begins_undone(lesson: Lesson) -> None:
    assert len(lesson.steps) >= 5 and 5 <= lesson.minutes <= 10
    for step in lesson.steps:
        assert not step.done or not satisfied(step, step.settings), step.text
        if step.question:
            assert len(set(step.question.choices)) == len(step.question.choices) > 1


def test_there_are_five() -> None:
    assert len(lessons()) == 5


@pytest.mark.parametrize(
    ("done", "enough", "not_enough"),
    [
        ("frame = 2", {"frame": 2}, {"frame": 3}),
        ('frame = "end"', {"frame": None}, {"frame": 7}),
        ('frame = ">= 3"', {"frame": None}, {"frame": 2}),
        ('frame = ">= 3"', {"frame": 3}, {"frame": -1}),
        ('seed = "changed"', {"seed": 5}, {"seed": 4}),
        ('picked_seed = "chosen"', {"picked_seed": 0}, {"picked_seed": None}),
        ('n_components = ">= 5"', {"n_components": 6}, {"n_components": 4}),
        ("contours = true", {"contours": True}, {"contours": False}),
        ('frame = "end"\nseed = 9'.replace("\n", ", "), {"frame": None, "seed": 9}, {"seed": 9}),
    ],
)
def test_a_step_is_done_when_the_settings_are_so(done: str, enough: dict, not_enough: dict) -> None:
    (step,) = read("one", ONE.format(link="seed=4&f=0", done=done)).steps
    assert not satisfied(step, step.settings)
    assert satisfied(step, replace(step.settings, **enough))
    assert not satisfied(step, replace(step.settings, **not_enough))


@pytest.mark.parametrize(
    ("link", "done", "words"),
    [
        ("k=99", "seed = 1", "the link of step 1"),
        ("colour=red", "seed = 1", "the link of step 1"),
        ("k=2", "speling = 1", "which are no settings"),
        ("k=2", 'family = ">= 3"', "there cannot be"),
    ],
)
def test_what_is_wrong_in_a_lesson_is_said(link: str, done: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read("one", ONE.format(link=link, done=done))


def test_the_place_is_in_the_link() -> None:
    there = Settings(lesson="what-em-does", lesson_step=3)
    assert parse(to_query(there)) == (there, ())
