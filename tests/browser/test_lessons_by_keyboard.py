"""Lessons taken from beginning to end without a pointer: what has the focus, and what keys do."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from pages.ui.lessons.lesson import Step, lessons
from support.browser import idle

pytestmark = pytest.mark.browser

MOST_STOPS = 300  # of the tabulator from one control to another
HAS_FOCUS = "element => element.contains(document.activeElement)"


def reach(control: Locator) -> None:
    """Press the tabulator until the control has the focus."""
    page = control.page
    idle(page)  # until then what was there before stands beside it
    expect(control).to_be_visible(timeout=30_000)
    idle(page)
    for _ in range(MOST_STOPS):
        if control.evaluate(HAS_FOCUS):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{control} cannot be reached with the tabulator")


def press(control: Locator, key: str = "Enter") -> None:
    reach(control)
    control.page.keyboard.press(key)


def another_seed(page: Page) -> None:
    press(page.get_by_role("button", name="Next seed", exact=True))


def four_seeds(page: Page) -> None:
    for _ in range(3):
        another_seed(page)
        idle(page)


def half_step(page: Page) -> None:
    player = page.locator(".emx[data-axes=drawn]")
    frame = player.get_attribute("data-frame")
    press(player, "ArrowRight")
    expect(player).not_to_have_attribute("data-frame", frame)


def late(page: Page) -> None:
    press(page.get_by_role("button", name="Late progress"))


def lower_answer(page: Page) -> None:
    press(page.get_by_role("button", name="Play", exact=True).nth(1))


def race(page: Page) -> None:
    press(page.get_by_role("button", name="Race", exact=True).first)


def other_starts(page: Page) -> None:
    box = page.get_by_role("combobox", name=re.compile("^Starts"))
    for _ in range(2):
        reach(box)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        idle(page)
    page.keyboard.press("Escape")  # closes the list


DONE = {
    ("frame", 1): half_step,
    ("frame", 2): half_step,
    ("frame", "changed"): half_step,
    ("curve", "gap"): late,
    ("seed", "changed"): another_seed,
    ("seed", ">= 4"): four_seeds,
    ("picked_seed", "chosen"): lower_answer,
    ("rival_seed", "chosen"): race,
    ("starts_compared", "changed"): other_starts,
}


@pytest.mark.parametrize(
    "name", ["why-it-never-falls", pytest.param("local-optima", marks=pytest.mark.long)]
)
def test_a_lesson_is_taken_by_keyboard_alone(page: Page, app: str, name: str) -> None:
    lesson = lessons()[name]
    page.goto(f"{app}/lessons")
    begin = page.get_by_role("button", name="Begin")
    expect(begin).to_have_count(len(lessons()), timeout=30_000)
    press(begin.nth(list(lessons()).index(name)))
    for number, step in enumerate(lesson.steps, 1):
        place = page.get_by_text(f"{lesson.title}: step {number} of {len(lesson.steps)}")
        expect(place).to_be_visible(timeout=30_000)
        take(page, step)
        if number < len(lesson.steps):
            expect(page.get_by_text("not done yet")).to_have_count(0, timeout=30_000)
            press(page.get_by_role("button", name="Next step"))
    # Another one follows.
    names = list(lessons())
    following = lessons()[names[names.index(name) + 1]]
    press(page.get_by_role("button", name=f"Next lesson: {following.title}"))
    expect(page.get_by_text(f"{following.title}: step 1 of")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("button", name="Leave", exact=True)).to_have_count(1)
    scale = page.get_by_role("button", name="Bound", exact=True)
    expect(scale).to_have_attribute("aria-pressed", "true")  # as its first step has it
    press(page.get_by_role("button", name="Leave", exact=True))
    expect(page.get_by_text(f"{following.title}: step")).to_have_count(0)


def take(page: Page, step: Step) -> None:
    """Do what a step asks for, and answer its question."""
    for condition in step.done.items():
        DONE[condition](page)
        idle(page)
    if step.question is not None:
        choices = page.get_by_role("radiogroup", name=step.question.asked).get_by_role("radio")
        press(choices.first, "Space")
        for _ in range(step.question.answer):
            page.keyboard.press("ArrowDown")
        expect(page.get_by_text("Yes.", exact=True)).to_be_visible(timeout=30_000)
