"""Making a lesson without code: its steps, their words and questions, and ways to take it away."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from pages.ui.lessons.lesson import PAGES, Lesson
from pages.ui.lessons.own_lesson import (
    LONGEST_CHOICE,
    LONGEST_TEXT,
    LONGEST_TITLE,
    MOST_BYTES,
    MOST_CHOICES,
    read_own,
)
from pages.ui.panels.lessons import own_lessons
from pages.ui.panels.lessons.own_lessons import draft
from pages.ui.sharing.store import Refused
from pages.ui.state import shell
from pages.ui.state.session import session
from pages.ui.state.uploads import Upload, file_box
from pages.ui.text import counted, plain

HOW = (
    "Open any view and press **Add to lesson** beside *Share*: it becomes a step here. Then say in "
    "a sentence or two what there is to do or to see."
)
DAYS = 90
Begin = Callable[[Lesson, int], None]


def show(begin: Begin, offer_film: Callable[[Lesson], None]) -> None:
    """The lesson that is being made. begin: opens a lesson at a step; offer_film: saves one."""
    st.subheader("Make a lesson", anchor=False)
    st.markdown(HOW)
    steps = draft()["steps"]
    if steps:
        _box(st.text_input, "Title", draft(), "title", "lesson title", max_chars=LONGEST_TITLE)
        _box(
            st.text_input, "What it is about", draft(), "about", "lesson about",
            max_chars=LONGEST_TEXT,
        )  # fmt: skip
        for number, step in enumerate(steps, 1):
            with st.container(border=True):
                _show_step(number, step)
        _take_away(begin, offer_film)
    file_box(
        "Open a lesson file" + (", in place of this one" if steps else ""),
        _open_file,
        key="lesson file",
        type=["toml"],
        max_upload_size=1 + MOST_BYTES // 2**20,
    )
    if session().lesson_complaint:
        st.error(plain(session().lesson_complaint))


def _show_step(number: int, step: dict[str, Any]) -> None:
    key, last = step["id"], len(draft()["steps"])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**Step {number}**: {PAGES[step['page']]}", width="stretch")
        for label, icon, deed, possible in (
            ("Up", "arrow_upward", partial(_move, number - 1, -1), number > 1),
            ("Down", "arrow_downward", partial(_move, number - 1, 1), number < last),
            ("Remove", "delete", partial(_remove, number - 1), True),
        ):
            shell.button(
                f":material/{icon}:", deed, key=f"lesson {label} {key}", disabled=not possible,
                help=f"{label}: step {number}",
            )  # fmt: skip
    _box(
        st.text_area, f"What step {number} says", step, "text", f"lesson text {key}",
        max_chars=LONGEST_TEXT, height=90,
    )  # fmt: skip
    asks = st.toggle("Ask a question", value="question" in step, key=f"lesson asks {key}")
    if asks != ("question" in step):
        if asks:
            step["question"] = {"asked": "", "choices": ["", ""], "answer": "", "why": ""}
        else:
            del step["question"]
        own_lessons.changed()
    if asks:
        _show_question(step["question"], key)


def _show_question(question: dict[str, Any], key: int) -> None:
    _box(st.text_input, "Question", question, "asked", f"asked {key}", max_chars=LONGEST_TEXT)
    listed = "\n".join(question["choices"])
    shell.box(
        st.text_area, f"Choices, one on a line, at most {MOST_CHOICES}",
        partial(_take_choices, question), listed, key=f"choices {key}", value=listed,
        max_chars=MOST_CHOICES * (LONGEST_CHOICE + 1), height=110,
    )  # fmt: skip
    choices = [choice for choice in question["choices"] if choice]
    chosen = choices.index(question["answer"]) if question["answer"] in choices else None
    picked = st.selectbox(
        "The right one", range(len(choices)), chosen, format_func=lambda i: choices[i],
        key=f"answer {key} {choices}",
    )  # fmt: skip
    if picked != chosen:
        question["answer"] = "" if picked is None else choices[picked]
        own_lessons.changed()
    _box(st.text_input, "Why", question, "why", f"why {key}", max_chars=LONGEST_TEXT)


def _take_choices(question: dict[str, Any], text: str) -> None:
    lines = dict.fromkeys(line.strip()[:LONGEST_CHOICE] for line in text.split("\n"))
    question["choices"] = [line for line in lines if line][:MOST_CHOICES]
    if question["answer"] not in question["choices"]:
        question["answer"] = ""
    own_lessons.changed()


def _box(
    make: Callable[..., Any], label: str, of: dict[str, Any], name: str, key: str, **more: Any
) -> None:
    """A box for one of the texts."""

    def take(text: str) -> None:
        of[name] = text
        own_lessons.changed()

    shell.box(make, label, take, of[name], key=key, value=of[name], **more)


def _move(at: int, by: int) -> None:
    steps = draft()["steps"]
    if 0 <= at + by < len(steps):
        steps[at], steps[at + by] = steps[at + by], steps[at]
        own_lessons.changed()


def _remove(at: int) -> None:
    steps = draft()["steps"]
    if at < len(steps):
        del steps[at]
        own_lessons.changed()


def _take_away(begin: Begin, offer_film: Callable[[Lesson], None]) -> None:
    try:
        lesson = own_lessons.lesson_of_draft()
    except ValueError as error:
        st.info(plain(str(error)))
        return
    content = own_lessons.text_of_draft()
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Try it", key="try lesson", type="primary"):
            begin(lesson, 1)
        st.download_button(
            "Save as a file",
            data=lambda: content,
            file_name="lesson.toml",
            mime="application/toml",
            on_click="ignore",
            key="save lesson",
            help="It opens here, below, or in another EM Explorer.",
        )
        shell.button(
            "Share as a link", _share, key="share lesson",
            help=f"{counted(len(lesson.steps), 'step')} are stored on this server for {DAYS} days: "
            "everyone who has the link can take the lesson.",
        )  # fmt: skip
        offer_film(lesson)
    shared = session().lesson_shared
    if shared and shared[0] == content:
        _, name, receipt = shared
        with st.container(horizontal=True, vertical_alignment="center"):
            shell.copy_link("Copy the lesson's link", instead={"v": "1", "le": name})
            shell.copy_link("Copy its owner link", instead={shell.OWNER_KEY: receipt.owner_token})
        st.caption("With the owner link, which you give to nobody, you delete it from the server.")


def _share() -> None:
    content = own_lessons.text_of_draft()
    try:
        session().lesson_shared = (content, *own_lessons.share(content, DAYS))
    except Refused as error:
        shell.say(str(error))


def _open_file(upload: Upload | None) -> None:
    session().lesson_complaint = ""
    if upload is None:
        return
    try:
        own_lessons.take(read_own(upload.content)[1])
    except ValueError as error:
        session().lesson_complaint = str(error)
