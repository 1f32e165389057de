"""A table of one's own: upload or paste it, see how far it is being read, and how it is kept."""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import streamlit as st

from pages.ui.compute import readings
from pages.ui.panels.sidebar import long_files, work_panel
from pages.ui.running.pools import readers
from pages.ui.running.work import Work, current, progress_line, watch
from pages.ui.running.workers import Job
from pages.ui.sharing import own_file, own_table
from pages.ui.sharing.own_file import File
from pages.ui.state import shell
from pages.ui.state.memory import Full, visit
from pages.ui.state.session import session
from pages.ui.state.uploads import Upload, file_box
from pages.ui.tables.answers import AS_IT_IS, Reading
from pages.ui.tables.reading import MAX_BYTES, fingerprint
from pages.ui.tables.saved_work import is_saved_work
from pages.ui.tables.table import Table
from pages.ui.tables.uploaded import Kept
from pages.ui.text import plain

COMPLAINT = "table complaint"
BROUGHT = "brought file"
READING = "reading"


class _Brought(NamedTuple):
    """A file that waits to be read. key: names its arrival. again: its table is in use."""

    key: str
    file: File
    content: bytes
    reading: Reading
    again: bool


@dataclass(kw_only=True)
class _Read(Work):
    """A file being read by a process: its table in the end, or the name that it has as a data set
    on the server, or the sentence why there is none."""

    brought: _Brought
    table: Table | None = None
    kept: Kept | None = None

    def job(self) -> Job:
        brought = self.brought
        named = brought.file.name, brought.content, brought.reading
        return readers().job(readings.read, *named, long_files.uploads())

    def take(self, told: object) -> None:
        """Nothing is told before the end."""

    def take_all(self, result: Table | Kept | str) -> None:
        if isinstance(result, str):
            self.error = result
        elif isinstance(result, Kept):
            self.kept = result
        else:
            self.table = result


def choose() -> Table | None:
    """Widgets for a table of one's own; the table, or None while there is none yet."""
    file_box(
        "Upload a table",
        _take_upload,
        key="upload",
        help="CSV and other text (also gzipped), Excel (.xlsx), Parquet, Arrow, JSON lines, Stata "
        "(.dta), SPSS (.sav), SAS (.xpt, .sas7bdat). It is stored only if you share it"
        + (", and as Parquet if it is too long for a table" if long_files.are_taken() else "")
        + ".",
        max_upload_size=math.ceil(MAX_BYTES / 2**20),
    )
    with st.expander("Or paste a table"):
        st.text_area(
            "Rows with a header",
            key="pasted",
            height=140,
            max_chars=shell.MOST_TYPED,
            placeholder="height,weight\n171,65\n…",
        )
        # The box stays as it is where more is pasted, and says nothing itself.
        st.caption(f"At most {shell.MOST_TYPED:,} characters: upload what is longer as a file.")
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


def _take_upload(upload: Upload | None) -> None:
    if upload is None:
        return  # the table stays in use until another one is
    if is_saved_work(upload.content):
        work_panel.bring(upload.content)
    else:
        _bring(upload.name, upload.content)


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
    file = File(name, content, hashlib.sha256(content).hexdigest(), pasted)
    # Whoever gets a link loads the file, and has it read as whoever made the link did.
    reading = shell.settings().reading if _is_meant(file) else AS_IT_IS
    session().brought = _Brought(secrets.token_hex(8), file, content, reading, again=False)


def _is_meant(file: File) -> bool:
    """Whether the settings speak of this file, as it is read by them."""
    settings = shell.settings()
    named = own_table.short(fingerprint(file.digest, settings.reading))
    return settings.fingerprint == named


def can_read_again() -> bool:
    """Whether the file of the table in use is at hand."""
    file: File | None = session().file
    own: own_table.OwnTable | None = session().own_table
    if file is None or file.content is None or own is None:
        return False
    is_of_it = own.table.fingerprint == fingerprint(file.digest, own.table.reading)
    return is_of_it and shell.settings().source == "table"


def is_waiting() -> bool:
    """Whether a file is to be read by the page."""
    return session().brought is not None


def content() -> bytes:
    """The file of the table in use; nothing where it is not at hand."""
    return session().file.content if can_read_again() else b""


def complaint() -> str:
    """Why the file of the table in use could not be read by the last answer; "" where it was."""
    return session().file.complaint if can_read_again() else ""


def read_again(change: Callable[[Reading], Reading]) -> None:
    """Have the file of the table in use read by other answers: `change` of those there are."""
    file: File | None = session().file
    brought: _Brought | None = session().brought
    if file is None or file.content is None or (brought is not None and not brought.again):
        return  # another file has been brought, and this answer is of the one before
    own = own_table.current()
    reading = shell.settings().reading if own is None else own.table.reading
    if brought is not None:  # the answer before this one is being taken still
        reading = brought.reading
    _have_read(file, file.content, change(reading))


def _have_read(file: File, content: bytes, reading: Reading) -> None:
    session().complaint = file.complaint = ""
    session().brought = _Brought(secrets.token_hex(8), file, content, reading, again=True)


def _read() -> None:
    """Read the file that waits; where it cannot be read, the table before it stays."""
    file: File | None = session().file
    own: own_table.OwnTable | None = session().own_table
    if session().brought is None and file is not None and file.content is not None and own:
        reading = shell.settings().reading
        # Back in the browser's history, to what was answered before.
        if own.table.reading != reading and _is_meant(file):
            _have_read(file, file.content, reading)
    brought: _Brought | None = session().brought
    if brought is None:
        return
    read = current(READING, _Read(key=brought.key, brought=brought))
    if read.running:
        watch(read, _progress, read)
        return
    session().brought = None
    session().work.pop(READING, None)
    visit().let_go(BROUGHT)
    visit().let_go(READING)
    if read.kept:
        long_files.use(read.kept)
    try:
        if read.table is not None:
            table = read.table._replace(file="") if brought.file.pasted else read.table
            own_table.take(table, brought.again)
            own_file.keep(brought.file)
        elif brought.again:
            brought.file.complaint = _complaint(read)
        else:
            session().complaint = _complaint(read)
    except Full as full:
        session().complaint = str(full)


def _progress(read: _Read) -> None:
    progress_line(read, f"Reading {plain(read.brought.file.name)} …")


def _complaint(read: _Read) -> str:
    if read.stopped:
        name = read.brought.file.name
        return f"{name!r} was not read: you stopped it. Load it again to read it."
    return f"{read.brought.file.name!r} was not read. {read.error}" if read.lost else read.error
