"""A whole piece of work as one file, saved and opened: table, settings, names, fit and notes."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from typing import NamedTuple

import streamlit as st

from em_core.saved import can_be_saved
from pages.ui.compute import readings
from pages.ui.running.jobs import run_job
from pages.ui.running.pools import readers
from pages.ui.sharing import own_table, takeaway
from pages.ui.sharing.naming import stem
from pages.ui.state import history, shell
from pages.ui.state.links import parse, to_query
from pages.ui.state.memory import Full, visit
from pages.ui.state.session import Session, has, held, put, session
from pages.ui.state.settings import Settings, differing
from pages.ui.state.uploads import Upload, file_box
from pages.ui.tables.reading import MAX_BYTES
from pages.ui.tables.saved_work import MOST_NOTES, SavedWork, pack
from pages.ui.text import plain

NOTES, SAVED = "notes", "saved work"


class _Brought(NamedTuple):
    """A file that waits to be opened, or why it was not."""

    content: bytes
    complaint: str = ""


def offer() -> None:
    """Notes, the button that saves everything, and the box that takes it again."""
    with st.expander("Save or open work", key="keep", on_change="rerun") as expander:
        if not expander.open:
            return
        notes = session().notes
        if has(NOTES) and held(NOTES) != notes:
            put(NOTES, notes)
        shell.box(
            st.text_area, "Notes", _take_notes, notes, key=NOTES, value=notes, height=100,
            max_chars=MOST_NOTES, help="They are in the file and in the report, not in the link.",
        )  # fmt: skip
        here = session()
        st.download_button(
            "Save this work",
            data=lambda: pack(_work(here)),
            file_name=f"{_name(here)}.zip",
            mime="application/zip",
            on_click="ignore",
            key="save this work",
            icon=":material/save:",
            help="One file with the table, all settings, names, the fit and the notes.",
        )
        file_box("Open saved work", _take, key=SAVED, max_upload_size=math.ceil(MAX_BYTES / 2**20))


def open_brought() -> None:
    """Take up the work of a file once a process has read it; call it before widgets of settings."""
    brought: _Brought | None = session().saved_work
    if brought is None:
        return
    if brought.complaint:
        st.error(plain(brought.complaint))
        return
    key = hashlib.sha256(brought.content).hexdigest()
    what = "opening the saved work"
    found = run_job(SAVED, key, what, readings.open_work, brought.content, where=readers)
    if found is None:
        return
    session().saved_work = None
    if isinstance(found, str):
        _complain(found)
        return
    try:
        _adopt(found)
    except Full as full:
        _complain(str(full))
    finally:
        visit().let_go(SAVED)


def _complain(complaint: str) -> None:
    session().saved_work = _Brought(b"", complaint)
    st.error(plain(complaint))


def _adopt(work: SavedWork) -> None:
    settings, ignored = parse(work.link)
    if work.table is not None:
        settings = own_table.adopt(work.table, settings)
    session().settings = replace(settings, bare=False)
    session().left_families.clear()
    session().notes = work.notes
    shell.say(*ignored)
    history.note()


def _take(upload: Upload | None) -> None:
    if upload is None:
        session().saved_work = None
    else:
        bring(upload.content)


def bring(content: bytes) -> None:
    """Have a file of saved work opened; call it in a callback."""
    try:
        visit().hold(SAVED, 2 * len(content))
    except Full as full:
        session().saved_work = _Brought(b"", str(full))
        return
    session().saved_work = _Brought(content)


def _take_notes(text: str) -> None:
    session().notes = text


def _work(here: Session) -> SavedWork:
    """Everything at hand. A table of one's own goes as it is, not by the link or the store."""
    settings, own = here.settings, here.own_table
    assert settings is not None, "the button stands on a page"
    if settings.source != "table" or own is None or not own_table.is_meant(own, settings):
        return SavedWork(to_query(settings), here.notes, None, _model(here, settings))
    settings = replace(settings, carried="", shared="")
    return SavedWork(to_query(settings), here.notes, own.table, _model(here, settings))


def _model(here: Session, settings: Settings) -> str:
    """The fit that was shown last, if it is of these settings and has ended."""
    if here.fitted is None:
        return ""
    before, table, selection, key = here.fitted
    run = here.runs.there(key)
    asked = "data", "preparation", "columns", "family", "fit"
    ended = run is not None and run.fit is not None and can_be_saved(run.model)
    if not ended or differing(before, settings, *asked):
        return ""
    return takeaway.model_as_json(settings, selection, table, run, len(run.trace) - 1).decode()


def _name(here: Session) -> str:
    if here.fitted is None:
        return "work"
    settings, table, *_ = here.fitted
    return stem(settings, table.name, "work")
