"""Buttons for settings worth a look."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.ui import shell
from pages.ui.models.presets import Preset


def offer(title: str, presets: Sequence[Preset]) -> None:
    """A list that unfolds, a button for each; what to look for is said once it is chosen."""
    with st.expander(title, key=f"presets {title}", on_change="rerun") as expander:
        if expander.open:
            for preset in presets:
                key = f"{title}: {preset.title}"
                st.button(preset.title, key=key, on_click=_take, args=(preset,), width="stretch")


def _take(preset: Preset) -> None:
    shell.change(**preset.settings)
    shell.say(f"{preset.title}: {preset.look_for}")
