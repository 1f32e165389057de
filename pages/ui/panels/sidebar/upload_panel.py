"""A table of one's own: upload or paste it, see how far it is being read, and how it is kept."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from typing import Any, NamedTuple

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pages.ui.compute import readings
from pages.ui.running.pools import readers
from pages.ui.running.work import Work, current, progress_line, watch
from pages.ui.running.workers import Job
from pages.ui.sharing import own_table
from pages.ui.state import shell
from pages.ui.state.memory import Full, visit
from pages.ui.state.session import session
from pages.ui.tables.reading import MAX_BYTES
from pages.ui.tables.table import Table
from pages.ui.text import plain

COMPLAINT = "table complaint"
BROUGHT = "brought file"
READING = "reading"


class _Brought(NamedTuple):
    """A file, or text that a person pasted, that waits to be read. key: names its arrival."""

    key: str
    name: str
    content: bytes
    pasted: bool


@dataclass(kw_only=True)
class _Reading(Work):
    """A file being read by a process: its table in the end, or the sentence why there is none."""

    file: _Brought
    table: Table | None = None

    def job(self) -> Job:
        return readers().job(readings.read, self.file.name, self.file.content)

    def take(self, told: object) -> None:
        """Nothing is told before the end."""

    def take_all(self, result: Table | str) -> None:
        if isinstance(result, str):
            self.error = result
        else:
            self.table = result


def choose() -> Table | None:
    """Widgets for a table of one's own; the table, or None while there is none yet."""
    shell.box(
        st.file_uploader,
        "Upload a table",
        _take_upload,
        key="upload",
        help="CSV, TSV, Excel (.xlsx) or Parquet. It is stored only if you share it.",
        max_upload_size=math.ceil(MAX_BYTES / 2**20),
    )
    with st.expander("Or paste a table"):
        st.text_area(
            "Rows with a header", key="pasted", height=140, placeholder="height,weight\n171,65\n…"
        )
        take = shell.heard("pasted", _take_pasted)
        shell.button("Use the pasted table", take, key="use pasted")
    _read()
    if complaint := session().complaint:
        st.error(plain(complaint))
    expected = shell.settings().fingerprint
    own = own_table.current()
    if own is None:
        if expected:
            st.info(
                "This link was made with a table that is not in the link. Upload the same table "
                f"(fingerprint {expected}) to see the same picture."
            )
        return None
    # The box above forgets the file when the page changes.
    st.caption(f"In use: {plain(own.table.name)}.")
    if own.carried:
        st.caption("The table is in the link: whoever has the link has the table.")
    elif own.shared:
        st.caption("The table is stored on this server for those who have the link.")
    elif expected and not own.table.fingerprint.startswith(expected):
        st.warning(
            "The link was made with another table: the fingerprints differ, so the numbers may too."
        )
    else:
        st.caption("The table is too large for the link. **Share** can store it for colleagues.")
    return own.table


def _take_upload(upload: Any) -> None:
    # Streamlit calls this again when it finds that the content has gone.
    if isinstance(upload, UploadedFile):
        _bring(upload.name, upload.getvalue())
        # The box goes on to name the file, without Streamlit keeping its content.
        context = get_script_run_ctx()
        assert context is not None, "callbacks are part of a run"
        files = context.uploaded_file_mgr
        assert isinstance(files, MemoryUploadedFileManager)
        files.remove_file(context.session_id, upload.file_id)


def _take_pasted(text: str) -> None:
    _bring("pasted text", text.encode(), pasted=True)


def _bring(name: str, content: bytes, pasted: bool = False) -> None:
    """Have a file read; the one before it, if it is being read still, is not wanted any more."""
    session().complaint = ""
    session().brought = None
    try:
        visit().hold(BROUGHT, len(content))
    except Full as full:
        session().complaint = str(full)
        return
    session().brought = _Brought(secrets.token_hex(8), name, content, pasted)


def _read() -> None:
    """Read the file that waits; where it cannot be read, the table before it stays."""
    file: _Brought | None = session().brought
    if file is None:
        return
    reading = current(READING, _Reading(key=file.key, file=file))
    if reading.running:
        watch(reading, _progress, reading)
        return
    session().brought = None
    session().work.pop(READING, None)
    visit().let_go(BROUGHT)
    visit().let_go(READING)
    try:
        if reading.table is not None:
            own_table.take(reading.table._replace(file="") if file.pasted else reading.table)
        else:
            session().complaint = _complaint(reading)
    except Full as full:
        session().complaint = str(full)


def _progress(reading: _Reading) -> None:
    progress_line(reading, f"Reading {plain(reading.file.name)} …")


def _complaint(reading: _Reading) -> str:
    if reading.stopped:
        return f"{reading.file.name!r} was not read: you stopped it. Load it again to read it."
    return reading.error
