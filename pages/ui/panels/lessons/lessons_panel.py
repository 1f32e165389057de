"""The list of lessons."""

from __future__ import annotations

import streamlit as st

from pages.ui.lessons.lesson import Lesson, lessons
from pages.ui.panels.lessons import film, lesson_panel, maker_panel
from pages.ui.panels.lessons.own_lessons import SHARED, named
from pages.ui.sharing.standalone import lesson_page
from pages.ui.state import shell
from pages.ui.state.session import session
from pages.ui.text import counted

OFFLINE = (
    "Its pictures and questions in one page that needs no server and no network. Making it opens "
    "every step in turn."
)


def show() -> None:
    """A card for each, first of one that a link brings; and below what one is made with."""
    st.markdown(
        "Each step shows a view, says what to do there, and notices when it is done. The place in "
        "the lesson is in the address: a copied link opens it there. Keys: → and ← go through the "
        "half-steps, Ctrl and Enter on to the next step; after a question Tab leads there."
    )
    if (name := shell.settings().lesson).startswith(SHARED) and (shared := named(name)):
        _show(shared)
    for lesson in lessons().values():
        _show(lesson)
    maker_panel.show(_open, _offer_film)


def _show(lesson: Lesson) -> None:
    with st.container(border=True):
        st.subheader(lesson.words(lesson.title), anchor=False)
        length = f"{counted(len(lesson.steps), 'step')}, about {lesson.minutes} minutes"
        st.markdown(f"{lesson.words(lesson.about)} *{length}.*")
        with st.container(horizontal=True):
            _offer(lesson)


def _offer(lesson: Lesson) -> None:
    done = {step for name, step in session().lesson_done if name == lesson.name}
    further = min(max(done, default=0) + 1, len(lesson.steps))
    if further > 1 and st.button(f"Go on at step {further}", key=f"go on {lesson.name}"):
        _open(lesson, further)
    label = "Begin" if further == 1 else "Begin again"
    if st.button(label, key=f"begin {lesson.name}"):
        _open(lesson, 1)
    _offer_film(lesson)


def _offer_film(lesson: Lesson) -> None:
    made: film.Film | None = session().filmed
    if made is None or made.lesson != lesson:
        if st.button("Save as one HTML file", key=f"film {lesson.name}", help=OFFLINE):
            film.begin(lesson)
            st.switch_page(lesson_panel.path_of(""))
        return
    st.download_button(
        "Download the HTML file",
        data=lambda: lesson_page(made.lesson, made.shots),
        file_name=f"{lesson.name.strip(SHARED)}.html",
        mime="text/html",
        on_click="ignore",
        key=f"filmed {lesson.name}",
        type="primary",
    )


def _open(lesson: Lesson, step: int) -> None:
    lesson_panel.begin(lesson, step)
    st.switch_page(lesson_panel.path_of(lesson.steps[step - 1].page))
