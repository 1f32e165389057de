"""The part of a page from which the half-step shown is taken away: rows, parameters, animation,
Python."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import streamlit as st

from em_core.saved import can_be_saved
from pages.ui import environment
from pages.ui.compute.labelling import label_all, write_all
from pages.ui.families.collapse import why_collapsed
from pages.ui.families.table import family_of
from pages.ui.pictures.picture import BEGINNING, View
from pages.ui.running.jobs import run_job
from pages.ui.running.runs import Run, WholeRun
from pages.ui.sharing import standalone, takeaway
from pages.ui.sharing.naming import half_step, opening, stem, title
from pages.ui.state import shell
from pages.ui.state.session import session
from pages.ui.state.settings import Settings
from pages.ui.tables.preparation.said import rows_said, scales_said
from pages.ui.tables.reading import MAX_BYTES
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from pages.ui.tables.uploaded import is_upload
from pages.ui.tables.writing import to_csv_bytes, to_parquet_bytes
from pages.ui.text import counted, nats, plain

# Ways of ending that no setting says.
ENDED_EARLY = "stopped", "time", "memory"
MIME = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
    "html": "text/html",
}


class Shown(NamedTuple):
    """What the player shows: its packed picture, and a frame of it (None: the last one), which is
    half-step `index`.

    view: in which view it does at the moment.
    """

    payload: bytes
    view: Callable[[], View]
    frame: int | None
    index: int


def show_takeaway(
    run: Run, shown: Shown, settings: Settings, selection: Selection, table: Table
) -> None:
    """Downloads of the half-step shown, and the Python for it to those who ask."""
    index = shown.index
    if run.stop_reason in ENDED_EARLY:
        settings = replace(settings, max_iterations=run.finished_fit.n_iterations)
    name = stem(settings, table.name, half_step(run.trace[index]))
    if index < len(run.trace) - 1:
        _offer_the_end(run, index)
    said = f"Of the half-step shown: {takeaway.half_step_shown(run, index)}."

    def rows() -> pd.DataFrame:
        return takeaway.with_results(settings, table, selection, run, index)

    with st.container(horizontal=True, key="takeaway"):
        what = "Sample" if isinstance(run, WholeRun) else "Rows"
        _download(f"{what} with results (CSV)", f"{name}.csv", said, lambda: to_csv_bytes(rows()))
        _download(
            f"{what} with results (Parquet)",
            f"{name}.parquet",
            said,
            lambda: to_parquet_bytes(rows()),
        )
        _download(
            "Parameters and trace (JSON)",
            f"{name}.json",
            said,
            lambda: takeaway.parameters_as_json(settings, selection, table, run, index),
        )
        if can_be_saved(run.model):
            _download(
                "Model (JSON)",
                f"{name}-model.json",
                f"{said} For “Score new rows” on the page What are they?, and for em_core.load.",
                lambda: takeaway.model_as_json(settings, selection, table, run, index),
            )
        _download(
            "Animation (HTML)",
            f"{stem(settings, table.name)}.html",
            f"All half-steps. It opens at {_opens_at(run, shown)[1]}.",
            lambda: _standalone(run, shown, settings, selection, table),
        )
    st.caption(
        f"{said} In rows, text that a spreadsheet would run as a formula has an apostrophe before."
    )
    if isinstance(run, WholeRun):
        whole = table.whole
        private = whole is not None and is_upload(whole.data_set.root, environment.uploads())
        _offer_all_rows(run, index, settings, selection.group_name, name, private)
    label = "Python that gives these numbers"
    with st.expander(label, key="python", on_change="rerun") as expander:
        if expander.open:
            code = takeaway.script(settings, selection, table, run, index, f"{name}.parquet")
            st.code(code, language="python")


def _offer_all_rows(
    run: WholeRun,
    index: int,
    settings: Settings,
    group: str | None,
    name: str,
    is_private: bool,
) -> None:
    """All rows of a data set on the server, labelled for those who ask: to be downloaded, or, where
    whoever runs the server has a folder for it, written there. is_private: whether those only see
    them who have the link."""
    key = f"{run.key} {len(run.trace)} {index} {settings.names}"
    rows, folder = counted(run.n_rows, "row"), "" if is_private else environment.results()
    ways = {f"label {key}": f"Label all {rows} …"}
    if folder:
        ways[f"write {key}"] = f"Write all {rows} on the server …"
    asked = session().all_rows_asked
    with st.container(horizontal=True):
        for way, label in ways.items():
            if way != asked:
                shell.button(label, partial(_ask_for_all, way), key=way.partition(" ")[0] + " all")
    params = run.trace[index].posterior_params
    labelled = settings, run.model, params, run.whole, group
    said = f"Of the half-step shown: {takeaway.half_step_shown(run, index)}."
    if asked == f"label {key}":
        content = run_job("all rows", asked, f"labelling {rows}", label_all, *labelled, MAX_BYTES)
        if content is not None:
            label = "All rows with results (Parquet)"
            _download(label, f"{name}-all-rows.parquet", said, lambda: content)
    elif asked == f"write {key}" and not folder:
        st.error(
            "The folder of results on the server has gone, or cannot be written to any more: tell "
            "whoever runs it, or download all rows."
        )
    elif asked == f"write {key}":
        # The same results have the same name, so that nobody writes them twice.
        digest = hashlib.sha256(key.encode()).hexdigest()[:8]
        target = f"{name}-all-rows-{digest}"
        path = run_job("all rows", asked, f"writing {rows}", write_all, *labelled, folder, target)
        if path is not None:
            also = " It is one of its data sets now." * (folder in environment.datasets())
            name = plain(Path(path).name)
            st.success(f"{said} On the server, in its folder of results: {name}.{also}")


def _ask_for_all(way: str) -> None:
    session().all_rows_asked = way


def _offer_the_end(run: Run, index: int) -> None:
    """Rows and parameters from before the end are seldom what is wanted."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**The fit is not shown at its end, but at {takeaway.half_step_shown(run, index)}.** "
            "What is taken away is of the half-step shown."
        )
        shell.button("Go to the end", _to_the_end, key="to the end", icon=":material/last_page:")


def _to_the_end() -> None:
    shell.change(frame=None)
    session().frames_asked += 1


def _download(label: str, file_name: str, help: str, make: Callable[[], bytes]) -> None:
    mime = MIME[file_name.rpartition(".")[2]]
    st.download_button(
        label, data=make, file_name=file_name, mime=mime, help=help, on_click="ignore", key=label
    )


def _opens_at(run: Run, shown: Shown) -> tuple[int, str]:
    """The frame that the animation opens at, and its half-step. To the end it is to be played."""
    at_end = shown.index == len(run.trace) - 1
    if shown.frame is None or shown.frame == BEGINNING or at_end:
        return BEGINNING, "the beginning"
    return shown.frame, half_step(run.trace[shown.index])


def _standalone(
    run: Run, shown: Shown, settings: Settings, selection: Selection, table: Table
) -> bytes:
    frame, at = _opens_at(run, shown)
    fit = run.finished_fit
    collapsed = why_collapsed(
        run.model, fit.params, fit.flags, run.data, selection, family_of(settings)
    )
    said = "".join(f"{words} " for words in [rows_said(table), *scales_said(selection)] if words)
    return standalone.page(
        shown.payload,
        shown.view(),
        frame,
        title(settings, table),
        f"{f'Collapsed: this is no answer. {collapsed} ' if collapsed else ''}"
        f"{opening(settings)} Log-likelihood {nats(fit.log_likelihood)} nats after "
        f"{counted(fit.n_iterations, 'iteration')}. {said}Shown first: {at}. Made with EM "
        "Explorer.",
    )
