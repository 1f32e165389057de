"""The model part of a page: components, structure, start and stopping."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui.families.own_models import own_models
from pages.ui.families.table import family_of
from pages.ui.state import shell
from pages.ui.state.beginnings import MEANS
from pages.ui.state.session import session
from pages.ui.state.settings import FIELDS, limits
from pages.ui.tables.selection import Selection
from pages.ui.text import component_names, counted, plain

SEEDS = 2**32
SHORT = "%.6g"  # of a number in a narrow column
NEXT_SEED = "“Next seed” takes the same data from another start."


def choose_model(
    selection: Selection | None,
    choose_start: Callable[[Selection | None], None] | None = None,
    without: Collection[str] = (),
) -> None:
    """Widgets for everything that decides the fit apart from the data.

    choose_start: widgets of a page that makes its starts another way; without: fields that this
    page varies itself.
    """
    family = family_of(shell.settings())
    st.subheader(family.heading, anchor=False)
    shell.widget("family")
    for problem in own_models().problems:
        st.warning(plain(problem))
    for name, meanings in family.controls.items():
        if name == "n_factors" and name not in without:
            _choose_factors(selection)
        elif name not in without and (name != "missing" or _has_holes(selection)):
            _choose(name, meanings)
    if choose_start is None:
        _choose_start(selection)
    else:
        choose_start(selection)
    with st.expander("Stopping", key="stopping", on_change="rerun") as stopping:
        if stopping.open:
            shell.widget("tolerance")
            shell.widget("max_iterations")


def _choose_factors(selection: Selection | None) -> None:
    """How many factors, up to what so many columns can tell."""
    family = family_of(shell.settings())
    most = limits("n_factors").high
    n_columns = len(selection.columns) if selection else 0
    of_columns = family.most_factors(n_columns) if family.most_factors else 0
    if n_columns and 0 < of_columns < most:
        most = of_columns
    # The usual number gives way without a word: nobody has asked for it.
    if shell.settings().n_factors == FIELDS["n_factors"].default > most:
        shell.change(n_factors=most)
    shell.widget("n_factors", max_value=most, label=family.labels.get("n_factors", "Factors"))
    if shell.settings().n_factors == most == of_columns:
        st.caption(
            f"The most for {n_columns} columns: more would have more parameters than a Gaussian "
            "with any covariance."
        )


def _choose_start(selection: Selection | None) -> None:
    family = family_of(shell.settings())
    start = _choose("start", family.starts)
    if start == MEANS:
        if selection is not None:
            _place_means(selection)
    elif start == "parameters":
        text = shell.box(
            st.text_area,
            "Parameters as JSON",
            _take_parameters,
            shell.settings().start_params,
            key="start parameters",
            value=shell.settings().start_params,
            max_chars=shell.MOST_TYPED,
            help=f"{', '.join(family.parameters)}, in the units of the data; at most "
            f"{shell.MOST_TYPED:,} characters",
        )
        refused, problem = session().refused_parameters
        if problem and text == refused:
            st.error(plain(problem))
        shell.widget("frozen")
    else:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            # Help at the button would cover the number.
            shell.widget("seed", help=f"{FIELDS['seed'].help} {NEXT_SEED}")
            shell.button("Next seed", _next_seed, key="next seed", icon=":material/casino:")


def _next_seed() -> None:
    """Another start on the same data, seen where one was looking: at its start, say."""
    now = shell.settings()
    shell.change(seed=(now.seed + 1) % SEEDS, frame=now.frame)


def _has_holes(selection: Selection | None) -> bool:
    """Whether some rows miss a value, be they used or left out."""
    if selection is None:
        return False
    return len(selection.left_out) > 0 or bool(np.isnan(selection.values).any())


def _choose(name: str, meanings: Mapping[str, str]) -> Any:
    """The widget of a setting, and under it what the value in force means."""
    labels = family_of(shell.settings()).labels
    more = {"label": labels[name]} if name in labels else {}
    if not meanings:
        return shell.widget(name, **more)
    value = shell.widget(name, options=list(meanings), **more)
    st.caption(f"{meanings[value][:1].upper()}{meanings[value][1:]}.")
    return value


def _take_parameters(text: str) -> None:
    try:
        shell.change(start_params=text)
    except ValueError as error:
        session().refused_parameters = text, f"Explicit parameters: {error}."


def _place_means(selection: Selection) -> None:
    """A table of K means; for those not placed yet, rows spread over the data are proposed."""
    n_components, n_columns = shell.settings().n_components, len(selection.columns)
    placed = shell.settings().start_means[:n_components]
    if placed and len(placed[0]) != n_columns:
        shell.say(
            f"{FIELDS['start_means'].label}: each has {counted(len(placed[0]), 'number')} where "
            f"{n_columns} {'is' if n_columns == 1 else 'are'} needed, so rows of the data are used."
        )
        placed = ()
    proposed = _spread_rows(selection.values, n_components)
    means = np.array([*placed, *proposed[len(placed) :]])
    _take_means(means)
    st.caption(
        "Change the numbers to place a mean, or use “Place means” at the picture. Those not placed "
        "yet are rows of the data."
    )
    table = pd.DataFrame(
        means,
        columns=list(selection.columns),
        # Not the names of components: those are numbered by where the run ends.
        index=list(component_names(n_components, "mean")),
    )
    # Streamlit's usual format writes 1e-9 as 0.000000001, of which a narrow column shows the zeros.
    short = st.column_config.NumberColumn(format=SHORT)
    edited = st.data_editor(
        table,
        key=f"means {n_components} {selection.columns} {session().hand_heard}",
        column_config=dict.fromkeys(table.columns, short),
    )
    edited = edited.to_numpy(dtype=float)
    if not np.isfinite(edited).all():
        st.error("Every mean needs a number in each column.")
    else:
        _take_means(edited)


def _take_means(means: np.ndarray) -> None:
    shell.change(start_means=tuple(map(tuple, means.tolist())))


def _spread_rows(values: np.ndarray, number: int) -> np.ndarray:
    """(number, D) rows spread over the data (N, D) along the first column, holes at the mean."""
    order = np.argsort(values[:, 0], kind="stable")
    spread = np.linspace(0, len(order) - 1, number + 2)[1:-1].round().astype(int)
    rows = values[order[spread]]
    return np.where(np.isnan(rows), np.nanmean(values, axis=0), rows)
