"""The lesson that is being taken: its step above every page, and what it speaks of outlined."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import streamlit as st

from pages.ui.lessons.lesson import PAGES, Lesson, Question, Step, lessons, satisfied
from pages.ui.panels.lessons.own_lessons import named
from pages.ui.state import shell
from pages.ui.state.kinds import quoted
from pages.ui.state.session import session
from pages.ui.state.settings import Settings

# Parts of the page that a step may speak of, besides the widgets of settings.
PARTS = {
    "player": ".emx-transport",
    "play": '.emx [data-do="play"]',
    "next": '.emx [data-do="next"]',
    "picture": '.emx [data-plot="mixture"]',
    "curve": '.emx [data-plot="bound"]',
    "late": '.emx [data-curve="gap"]',
    "contours": '.emx [data-toggle="contours"]',
}
STYLE = """<style>
body:has(.st-key-lesson) .emx-plot { height: clamp(240px, 100vh - 420px, 430px); }
%s { outline: 3px solid #d9822b; outline-offset: 3px; border-radius: 8px; }
</style>"""


def begin(lesson: Lesson, step: int = 1) -> None:
    """Take a lesson from one of its steps on: all settings are those of the step."""
    at = lesson.steps[step - 1]
    session().settings = _at(at, lesson, step)
    session().lesson_page = at.page
    session().preset = None
    session().frames_asked += 1


def _at(step: Step, lesson: Lesson, number: int) -> Settings:
    """What the page shows as a step begins."""
    return replace(step.settings, lesson=lesson.name, lesson_step=number)


def _alone(settings: Settings) -> bool:
    """Whether these name a step and nothing else, as a link written by hand does."""
    return settings == Settings(lesson=settings.lesson, lesson_step=settings.lesson_step)


def show(page: str) -> None:
    """The step at hand, above the page with this address; nothing outside of a lesson."""
    settings = shell.settings()
    session().heed = None
    if not settings.lesson or settings.window != "page" or page == shell.LESSONS:
        return
    lesson = named(settings.lesson)
    if lesson is None:
        shell.say(f"There is no lesson called {quoted(settings.lesson)} here.")
        shell.change(lesson="")
        return
    number = min(settings.lesson_step, len(lesson.steps))
    step = lesson.steps[number - 1]
    if settings == session().adopted and settings != _at(step, lesson, number) and _alone(settings):
        begin(lesson, number)
        st.rerun()
    asked = session().lesson_page
    if asked is not None and asked != page:
        st.switch_page(path_of(asked))
    session().lesson_page = None
    session().heed = partial(_heed, lesson.name, number, step)
    with st.container(border=True, key="lesson"):
        _show_step(lesson, number, step, page)


def path_of(page: str) -> str:
    """The file of the page with this address."""
    return f"{page or 'explore'}.py"


def _show_step(lesson: Lesson, number: int, step: Step, page: str) -> None:
    st.markdown(lesson.words(step.text))
    if page != step.page:
        st.markdown(f"This step is on the page “{PAGES[step.page]}”.")
        shell.button("Go there", partial(begin, lesson, number), key="lesson page")
    answered = step.question is None or _ask(lesson, step.question, number)
    if page == step.page and satisfied(step, shell.settings()):
        session().lesson_done.add((lesson.name, number))
    carried_out = (lesson.name, number) in session().lesson_done
    done = answered and carried_out
    _outline("" if carried_out else step.looks_at)
    _steer(lesson, number, done)


def _outline(part: str) -> None:
    selector = PARTS.get(part) or (f'[class*="st-key-setting-{part}-on"]' if part else ".none")
    st.html(STYLE % selector)


def _ask(lesson: Lesson, question: Question, number: int) -> bool:
    """Ask, and say whether the choice is the right one; whether it is."""
    choices = [lesson.words(choice) for choice in question.choices]
    key = f"lesson {lesson.name} {number}"
    asked = lesson.words(question.asked)
    chosen = st.radio(asked, choices, index=None, key=key, horizontal=True)
    if chosen is None:
        return False
    right = chosen == choices[question.answer]
    if right:
        st.markdown(f":material/check: **Yes.** {lesson.words(question.why)}")
    else:
        st.markdown(":material/close: Not quite: look again, and choose another.")
    return right


def _steer(lesson: Lesson, number: int, done: bool) -> None:
    last = number == len(lesson.steps)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        place = f"{lesson.words(lesson.title)}: step {number} of {len(lesson.steps)}"
        st.markdown(f"**{place}** · {_how_it_stands(done, last)}", width="content")
        if number > 1:
            back = partial(begin, lesson, number - 1)
            shell.button("Back", back, key="lesson back")
        if not last:
            label, kind = ("Next step", "primary") if done else ("Skip this step", "secondary")
            onward = partial(begin, lesson, number + 1)
            shell.button(label, onward, key="lesson on", type=kind, shortcut="Ctrl+Enter")
        elif done and (following := _following(lesson)):
            label = f"Next lesson: {lesson.words(following.title)}"
            shell.button(label, partial(begin, following), key="lesson following", type="primary")
        shell.button("Restart", partial(begin, lesson), key="lesson restart")
        shell.button("Leave", _leave, key="lesson leave")


def _following(lesson: Lesson) -> Lesson | None:
    """The lesson that ships after this one, if one does."""
    names = list(lessons())
    if lesson.own or lesson.name not in names[:-1]:
        return None
    return lessons()[names[names.index(lesson.name) + 1]]


def _how_it_stands(done: bool, last: bool) -> str:
    if not done:
        return "not done yet"
    return ":material/check: done" + (", and that was the last step" if last else "")


def _leave() -> None:
    shell.change(lesson="", lesson_step=1)


def _heed(name: str, number: int, step: Step) -> None:
    """Part of the page has changed a setting: where that ends the step, the whole page says so."""
    if (name, number) in session().lesson_done:
        return
    if session().page == step.page and satisfied(step, shell.settings()):
        session().lesson_done.add((name, number))
        st.rerun()
