"""The buttons that take the last change back, and make it again."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.ui.families.family import listed
from pages.ui.state import shell
from pages.ui.state.history import fields_between, history, redo, undo
from pages.ui.state.settings import FIELDS, Settings

MOST_NAMED = 3


def offer() -> None:
    """Undo and redo, each with what it changes; they go through the last changes on all pages."""
    steps = history()
    with st.container(horizontal=True):
        _button("Undo", ":material/undo:", undo, steps.present, [*steps.past][-1:])
        _button("Redo", ":material/redo:", redo, steps.present, [*steps.future][-1:])


def _button(
    label: str, icon: str, take: Callable[[], None], now: Settings, there: list[Settings]
) -> None:
    changed = fields_between(now, there[0]) if there else []
    named = [FIELDS[name].label for name in changed[:MOST_NAMED]]
    more = ["more"] if len(changed) > MOST_NAMED else []
    help = f"Changes {listed([*named, *more])}." if changed else "There is nothing to change."
    shell.button(label, take, key=label.lower(), icon=icon, disabled=not there, help=help)
