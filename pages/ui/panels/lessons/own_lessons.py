"""Lessons beside those that ship: the one that a visit makes, and those that were shared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from pages.ui.lessons.lesson import PAGES, Lesson, lessons
from pages.ui.lessons.own_lesson import MOST_STEPS, OWN, TITLE, read_own, written
from pages.ui.sharing.own_table import person
from pages.ui.sharing.store import Receipt, Refused, the_store
from pages.ui.state import shell
from pages.ui.state.links import to_query
from pages.ui.state.session import session

# What is stored is a lesson, and no table, by how it begins.
MAGIC = b"EM Explorer lesson\n"
# A step is a question, and comes with no answer to be compared with.
_NO_RESULTS: dict[str, Any] = {"result": None, "search_result": None, "grid_result": None}
SHARED = "~"  # begins the name of a lesson in the store: its token follows
GONE = (
    "The lesson of this link is not here: the link is wrong, or the lesson was deleted or has "
    "expired. Ask whoever sent it."
)


def named(name: str) -> Lesson | None:
    """The lesson with this name; None where there is none here, and the page says why."""
    if name in lessons():
        return lessons()[name]
    known = session().own_lessons
    if name not in known and name.startswith(SHARED):
        try:
            known[name] = _fetched(name)
        except (Refused, ValueError) as error:
            shell.say(str(error))
            return None
    return known.get(name)


def _fetched(name: str) -> Lesson:
    content = the_store().fetch(name.removeprefix(SHARED))
    if content is None or not content.startswith(MAGIC):
        raise ValueError(GONE)
    return read_own(content.removeprefix(MAGIC), name)[0]


def share(content: bytes, days: int) -> tuple[str, Receipt]:
    """Store a lesson; its name in a link. Raises Refused where it cannot be stored."""
    receipt = the_store().keep(MAGIC + content, person(), days)
    session().receipts[receipt.token] = receipt
    return SHARED + receipt.token, receipt


# The lesson that is being made


def draft() -> dict[str, Any]:
    """As in its file, and a number for each step that it keeps where it is moved."""
    return session().draft


def take(whole: dict[str, Any]) -> None:
    """Go on with a lesson from a file."""
    steps = [{**step, "id": _number()} for step in whole["steps"]]
    session().draft = {**whole, "steps": steps}
    changed()


def add_view(page: str) -> None:
    """This view as the last step of the lesson that is being made, if that was asked for."""
    if not session().view_to_add:
        return
    session().view_to_add = False
    if page not in PAGES:  # a click on the way to a page that has no view
        shell.say("This view was not added to the lesson: press “Add to lesson” on its page.")
        return
    settings = replace(shell.settings(), lesson="", lesson_step=1, **_NO_RESULTS)
    steps = draft()["steps"]
    if len(steps) >= MOST_STEPS:
        shell.say(f"A lesson may have {MOST_STEPS} steps: this view was not added.")
        return
    steps.append({"page": page, "link": urlencode(to_query(settings)), "text": "", "id": _number()})
    changed()
    st.toast(f"“{PAGES[page]}” is step {len(steps)} of your lesson. Write it on the page Lessons.")


def changed() -> None:
    """The lesson that is being made is another: what was done of it counts no more."""
    session().lesson_done = {done for done in session().lesson_done if done[0] != OWN}
    session().own_lessons.pop(OWN, None)


def text_of_draft() -> bytes:
    """The file of the lesson that is being made."""
    whole = draft()
    steps = [{key: value for key, value in step.items() if key != "id"} for step in whole["steps"]]
    return written({**whole, "title": whole["title"] or TITLE, "steps": steps})


def lesson_of_draft() -> Lesson:
    """The lesson as it stands. Raises ValueError with what it still lacks."""
    for number, step in enumerate(draft()["steps"], 1):
        if not step["text"].strip():
            raise ValueError(f"Step {number} has no words yet.")
        if (question := step.get("question")) and question["answer"] not in question["choices"]:
            raise ValueError(f"The question of step {number} has no answer among its choices yet.")
    lesson, _ = read_own(text_of_draft())
    session().own_lessons[OWN] = lesson
    return lesson


def _number() -> int:
    session().steps_made += 1
    return session().steps_made
