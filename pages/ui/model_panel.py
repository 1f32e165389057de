"""The model part of a page: components, structure, start and stopping."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui import shell
from pages.ui.data import Selection
from pages.ui.families import COVARIANCE_MEANINGS, FAMILIES

SEEDS = 2**32


def choose_model(selection: Selection | None) -> None:
    """Widgets for everything that decides the fit apart from the data."""
    family = FAMILIES["gaussian-mixture"]
    st.subheader(family.title, anchor=False)
    shell.widget("n_components")
    covariance = shell.widget("covariance")
    st.caption(f"{COVARIANCE_MEANINGS[covariance].capitalize()}.")
    start = shell.widget("start")
    st.caption(f"{family.starts[start].capitalize()}.")
    if start == "means":
        if selection is not None:
            _place_means(selection)
    elif start == "parameters":
        st.text_area(
            "Parameters as JSON",
            key="start parameters",
            value=shell.settings().start_params,
            help="weights, means and covariances, in the units of the data",
            on_change=_take_parameters,
        )
    else:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            seed = shell.widget("seed")
            st.button(
                "Next seed",
                icon=":material/casino:",
                help="The same data from another start",
                on_click=lambda: shell.change(seed=(shell.settings().seed + 1) % SEEDS),
            )
        del seed
    with st.expander("Stopping"):
        shell.widget("tolerance", format="%g")
        shell.widget("max_iterations")


def _take_parameters() -> None:
    text = st.session_state["start parameters"]
    try:
        shell.change(start_params=text)
        st.session_state["parameters complaint"] = ""
    except ValueError as error:
        shell.say(f"Explicit parameters: {error}.")


def _place_means(selection: Selection) -> None:
    """A table of K means; until all are placed, rows spread over the data are proposed."""
    n_components, n_columns = shell.settings().n_components, len(selection.columns)
    placed = np.array(shell.settings().start_means, dtype=float)
    if placed.shape != (n_components, n_columns):
        order = np.argsort(selection.values[:, 0], kind="stable")
        spread = np.linspace(0, len(order) - 1, n_components + 2)[1:-1].round().astype(int)
        placed = selection.values[order[spread]]
        shell.change(start_means=tuple(map(tuple, placed.tolist())))
    table = pd.DataFrame(
        placed,
        columns=list(selection.columns),
        index=[f"component {k + 1}" for k in range(n_components)],
    )
    edited = st.data_editor(table, key=f"means {n_components} {selection.columns}")
    means = edited.to_numpy(dtype=float)
    if np.isfinite(means).all():
        if not np.array_equal(means, placed):
            shell.change(start_means=tuple(map(tuple, means.tolist())))
    else:
        st.error("Every mean needs a number in each column.")
