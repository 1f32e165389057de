"""A grid that takes long is begun by a click."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.ui.running.duration import in_words, seconds_of
from pages.ui.running.searches import Grid
from pages.ui.state import shell
from pages.ui.state.session import memo, session
from pages.ui.text import counted

LONG = 120  # seconds


def may_begin(wanted: Grid) -> bool:
    """Whether a grid may begin: one that takes long waits for a click."""
    held = session().work.get("grid")
    there = held is not None and held.work is not None and held.work.key == wanted.key
    if there or session().grid_asked == wanted.key:
        return True
    seconds = memo("seconds of the grid", wanted.key, partial(seconds_of, wanted))
    if seconds <= LONG:
        return True
    starts = counted(wanted.n_starts, "start")
    st.info(
        f"{counted(len(wanted.models), 'model')} from {starts} each take about "
        f"**{in_words(seconds)}** with so many rows. Compare fewer in the sidebar, or begin: it "
        "can be stopped at any time, and keeps what it has."
    )
    begin = partial(setattr, session(), "grid_asked", wanted.key)
    shell.button("Compare them", begin, key="compare them", icon=":material/play_arrow:")
    return False
