"""Buttons for settings worth a look, and what there is to see."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from em_core.datasets import generate
from pages.ui.charts.axes import COLOURS
from pages.ui.charts.strewn import strewn
from pages.ui.state import shell
from pages.ui.state.changes import changed
from pages.ui.state.presets import Preset
from pages.ui.state.session import session
from pages.ui.state.settings import FIELDS, Settings


def offer(title: str, presets: Sequence[Preset]) -> None:
    """A list that unfolds, a button for each; what to look for is said once it is chosen."""
    with st.expander(title, key=f"presets {title}", on_change="rerun") as expander:
        if expander.open:
            for preset in presets:
                key = f"{title}: {preset.title}"
                shell.button(preset.title, partial(_take, preset), key=key, width="stretch")


def offer_as_pictures(line: str, presets: Sequence[Preset]) -> None:
    """A picture of the data of each, with a button, for the whole page and not only a fragment."""
    st.markdown(line)
    for column, preset in zip(st.columns(len(presets)), presets, strict=True):
        with column:
            st.plotly_chart(
                strewn(*_drawn(preset), COLOURS),
                key=f"picture of {preset.title}",
                config={"staticPlot": True},
            )
            if st.button(preset.title, key=f"pictured {preset.title}", width="stretch"):
                _take(preset)
                st.rerun()


def _drawn(preset: Preset) -> tuple[np.ndarray, np.ndarray]:
    """Generated rows, and the true component of each."""
    made = changed(Settings(), **preset.settings)
    rng = np.random.default_rng(made.data_seed)
    data = generate(made.generator, made.n_rows, made.true_components, made.n_columns, rng)
    return data.values, np.unique(np.array(data.labels), return_inverse=True)[1]


def _take(preset: Preset) -> None:
    shell.change(**preset.settings)
    session().preset = preset


def show_what_to_look_for() -> None:
    """What there is to see in the last example chosen, beside its picture, while its data and its
    model are."""
    preset: Preset | None = session().preset
    if preset is None:
        return
    settings = shell.settings()
    its_own = {"preparation": ()} | preset.settings
    kept = (
        getattr(settings, name) == value
        for name, value in its_own.items()
        if FIELDS[name].group in ("data", "preparation", "columns", "family")
    )
    if all(kept):
        st.markdown(f"**{preset.title}.** {preset.look_for}")
    else:
        session().preset = None
