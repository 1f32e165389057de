"""Data drawn by hand: the square to draw in, and the points of other data to begin with."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from pages.ui.state import shell
from pages.ui.state.session import session
from pages.ui.state.settings import FIELDS
from pages.ui.tables.drawn import in_the_square, text_of
from pages.ui.text import plain

KEY = "board"


def show() -> None:
    """The square, with what is drawn. A stroke is a step that can be undone."""
    drawn = shell.settings().drawn
    with st.expander("Draw the data", expanded=True):
        st.caption(
            "A click adds a point, a drag sprays points, the rubber takes them away. They travel "
            "in the link; “Undo” in the sidebar takes a stroke back."
        )
        if drawn != session().drawn_heard:
            session().drawn_heard, session().drawn_wish = drawn, session().drawn_wish + 1
        data = {"points": drawn, "wish": session().drawn_wish}
        _board()(key=KEY, data=data, on_drawn_change=shell.heard(KEY, _take))
        _offer_points()


def _take(told: Any) -> None:
    text = told.get("drawn") if hasattr(told, "get") else None
    if isinstance(text, str) and FIELDS["drawn"].takes(text):
        session().drawn_heard = text
        shell.change(drawn=text)


def _offer_points() -> None:
    """Begin with the points that were fitted last, if they are of other data."""
    if session().fitted is None or shell.settings().drawn:
        return
    settings, table, selection, _ = session().fitted
    if settings.source == "draw" or selection.values.shape[1] < 2:
        return
    begin = partial(_begin_with, selection.values[:, :2])
    shell.button(f"Begin with {plain(table.name)}", begin, key="begin with points")
    first, second = map(plain, selection.columns[:2])
    st.caption(f"Its points by {first} and {second}, moved and stretched into the square.")


def _begin_with(values: np.ndarray) -> None:
    shell.change(drawn=text_of(in_the_square(values)))


def components() -> None:
    """Make the square, once for all visitors."""
    _board()


@cache
def _board() -> Callable[..., Any]:
    parts: dict[str, Any] = {
        kind: Path(__file__).with_name(f"board.{kind}").read_text(encoding="utf-8")
        for kind in ("html", "css", "js")
    }
    return st.components.v2.component("drawing_board", **parts)
