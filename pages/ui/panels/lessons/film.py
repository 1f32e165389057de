"""The pictures of a lesson, to be saved as one file: each step is opened on Explore in turn."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from pages.ui.lessons.lesson import Lesson
from pages.ui.pictures.picture import View
from pages.ui.sharing.standalone import Shot
from pages.ui.state import shell
from pages.ui.state.memory import Full, visit
from pages.ui.state.session import session
from pages.ui.state.settings import Settings, differing

KEPT = "film"


@dataclass
class Film:
    """A lesson, the pictures made of it, and the settings and their history from before."""

    lesson: Lesson
    before: Settings
    history: Any
    shots: list[Shot | None] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        return len(self.shots) == len(self.lesson.steps)


def begin(lesson: Lesson) -> None:
    """Make the pictures of a lesson; the page Explore is to come next."""
    session().filmed = None
    session().film = Film(lesson, shell.settings(), deepcopy(session().history))
    _set_the_scene()


def show(page: str) -> None:
    """How far it is; once it has ended, the way back."""
    film: Film | None = session().film
    if film is None:
        return
    if film.ended or page:
        _stop()
        session().filmed = film if film.ended else None
        st.switch_page(f"{shell.LESSONS}.py")
    st.progress(len(film.shots) / len(film.lesson.steps))
    count = f"{len(film.shots) + 1} of {len(film.lesson.steps)}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Making the pictures of “{film.lesson.words(film.lesson.title)}”: {count}.")
        shell.button("Stop", _stop, key="stop film")


def take(run: str, payload: bytes, view: View, frame: int | None) -> None:
    """A picture of a run was drawn, in this view, at a frame: it is taken if it is of the step.

    Part of the page may run once more as it was before.
    """
    film: Film | None = session().film
    if film is None or film.ended:
        return
    settings, _, _, fitted = session().fitted
    asked = "data", "preparation", "columns", "family", "fit"
    if run != fitted or differing(settings, shell.settings(), *asked):
        return
    size = len(payload) + sum(len(shot.payload) for shot in film.shots if shot is not None)
    try:
        visit().hold(KEPT, size)
    except Full as full:
        shell.say(str(full))
        _stop()
        st.rerun()
    _on(Shot(payload, view, frame))


def go_on_without() -> None:
    """The page was made whole, and there was no picture: the step has none."""
    if session().film is not None and not session().film.ended and not session().at_work:
        _on(None)


def _on(shot: Shot | None) -> None:
    film: Film = session().film
    film.shots.append(shot)
    if not film.ended:
        _set_the_scene()
    st.rerun()


def _set_the_scene() -> None:
    film: Film = session().film
    session().settings = replace(film.lesson.steps[len(film.shots)].settings, window="page")
    session().preset = None


def _stop() -> None:
    film: Film | None = session().film
    if film is not None:
        session().film, session().settings, session().history = None, film.before, film.history
