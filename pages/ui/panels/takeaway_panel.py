"""The part of a page from which the half-step shown is taken away: rows, parameters, animation,
Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import pandas as pd
import streamlit as st

from pages.ui.families.collapse import why_collapsed
from pages.ui.families.table import family_of
from pages.ui.pictures.picture import View
from pages.ui.running.runs import Run
from pages.ui.sharing import standalone, takeaway
from pages.ui.sharing.naming import half_step, opening, stem, title
from pages.ui.state.settings import Settings
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from pages.ui.tables.writing import to_csv_bytes, to_parquet_bytes
from pages.ui.text import counted, nats

# Ways of ending that no setting says.
ENDED_EARLY = "stopped", "time", "memory"
MIME = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
    "html": "text/html",
}


class Shown(NamedTuple):
    """What the player shows: its packed picture, and a frame of it, which is half-step `index`.

    view: in which view it does at the moment.
    """

    payload: bytes
    view: Callable[[], View]
    frame: int
    index: int


def show_takeaway(
    run: Run, shown: Shown, settings: Settings, selection: Selection, table: Table
) -> None:
    """Downloads of the half-step shown, and the Python for it to those who ask."""
    index = shown.index
    if run.stop_reason in ENDED_EARLY:
        settings = replace(settings, max_iterations=run.finished_fit.n_iterations)
    name = stem(settings, table, half_step(run.trace[index]))
    said = f"Of the half-step shown: {takeaway.half_step_shown(run, index)}."

    def rows() -> pd.DataFrame:
        return takeaway.with_results(settings, table, selection, run, index)

    with st.container(horizontal=True, key="takeaway"):
        _download("Rows with results (CSV)", f"{name}.csv", said, lambda: to_csv_bytes(rows()))
        _download(
            "Rows with results (Parquet)",
            f"{name}.parquet",
            said,
            lambda: to_parquet_bytes(rows()),
        )
        _download(
            "Parameters and trace (JSON)",
            f"{name}.json",
            said,
            lambda: takeaway.parameters_as_json(settings, selection, run, index),
        )
        _download(
            "Animation (HTML)",
            f"{stem(settings, table)}.html",
            f"All half-steps. It opens at {_opens_at(run, shown)[1]}.",
            lambda: _standalone(run, shown, settings, selection, table),
        )
    st.caption(
        f"{said} In rows, text that a spreadsheet would run as a formula has an apostrophe before."
    )
    label = "Python that gives these numbers"
    with st.expander(label, key="python", on_change="rerun") as expander:
        if expander.open:
            code = takeaway.script(settings, selection, table, run, index, f"{name}.parquet")
            st.code(code, language="python")


def _download(label: str, file_name: str, help: str, make: Callable[[], bytes]) -> None:
    mime = MIME[file_name.rpartition(".")[2]]
    st.download_button(
        label, data=make, file_name=file_name, mime=mime, help=help, on_click="ignore", key=label
    )


def _opens_at(run: Run, shown: Shown) -> tuple[int, str]:
    """The frame that the animation opens at, and its half-step. To the end it is to be played."""
    at_end = shown.index == len(run.trace) - 1
    return (0, "the start") if at_end else (shown.frame, half_step(run.trace[shown.index]))


def _standalone(
    run: Run, shown: Shown, settings: Settings, selection: Selection, table: Table
) -> bytes:
    frame, at = _opens_at(run, shown)
    fit = run.finished_fit
    collapsed = why_collapsed(
        run.model, fit.params, fit.flags, run.data, selection, family_of(settings)
    )
    return standalone.page(
        shown.payload,
        shown.view(),
        frame,
        title(settings, table),
        f"{f'Collapsed: this is no answer. {collapsed} ' if collapsed else ''}"
        f"{opening(settings)} Log-likelihood {nats(fit.log_likelihood)} nats after "
        f"{counted(fit.n_iterations, 'iteration')}. Shown first: {at}. Made with EM Explorer.",
    )
