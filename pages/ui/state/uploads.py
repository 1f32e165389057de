"""Boxes for files that a person brings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pages.ui.state import shell


class Upload(NamedTuple):
    """A file that was brought."""

    name: str
    content: bytes


def file_box(label: str, take: Callable[[Upload | None], None], *, key: str, **more: Any) -> None:
    """A box for a file. `take` gets what a person brings, once, and None when they take it away.

    The box goes on to name the file, without Streamlit keeping its content: whoever takes it keeps
    it, and counts it. It is empty once the page was left.
    """

    def taken(upload: Any) -> None:
        if upload is None:
            take(None)
        elif isinstance(upload, UploadedFile):  # else Streamlit tells that its content has gone
            file = Upload(upload.name, upload.getvalue())
            _forget(upload)
            take(file)

    shell.box(st.file_uploader, label, taken, key=key, **more)


def _forget(upload: UploadedFile) -> None:
    context = get_script_run_ctx()
    assert context is not None, "callbacks are part of a run"
    files = context.uploaded_file_mgr
    assert isinstance(files, MemoryUploadedFileManager)
    files.remove_file(context.session_id, upload.file_id)
