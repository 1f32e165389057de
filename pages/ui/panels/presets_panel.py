"""Buttons for settings worth a look, and what there is to see."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from pages.ui.state import shell
from pages.ui.state.presets import Preset
from pages.ui.state.session import session
from pages.ui.state.settings import FIELDS


def offer(title: str, presets: Sequence[Preset]) -> None:
    """A list that unfolds, a button for each; what to look for is said once it is chosen."""
    with st.expander(title, key=f"presets {title}", on_change="rerun") as expander:
        if expander.open:
            for preset in presets:
                key = f"{title}: {preset.title}"
                shell.button(preset.title, partial(_take, preset), key=key, width="stretch")


def _take(preset: Preset) -> None:
    shell.change(**preset.settings)
    session().preset = preset


def show_what_to_look_for() -> None:
    """What there is to see in the last example chosen, while its data and its model are."""
    preset: Preset | None = session().preset
    if preset is None:
        return
    settings = shell.settings()
    kept = (
        getattr(settings, name) == value
        for name, value in preset.settings.items()
        if name == "family" or FIELDS[name].group in ("data", "columns")
    )
    if all(kept):
        st.info(f"**{preset.title}.** {preset.look_for}", icon=":material/lightbulb:")
    else:
        session().preset = None
