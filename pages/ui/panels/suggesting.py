"""What suggests itself on a page: a sentence, and buttons that take it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.ui.state import shell
from pages.ui.text import plain


def suggest(sentence: str, *ways: tuple[str, partial[None]]) -> None:
    """A sentence, in Markdown, with a button for each way on: what it says, and what it does."""
    # Two sentences may suggest the same.
    with st.container(
        horizontal=True, vertical_alignment="center", key=f"suggestion {ways[0][0]} {sentence}"
    ):
        st.markdown(f":material/help: {sentence}", width="stretch")
        for label, take in ways:
            shell.button(plain(label), take, key=f"suggested {label} {sentence}")
