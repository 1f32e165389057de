"""What is to be said about the frame shown: its parameters, single rows, and known labels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.elements.lib.mutable_tab_container import TabContainer

from em_core import HalfStep
from pages.ui.families.interval_columns import Ways, with_intervals
from pages.ui.families.numbering import numbering_rule
from pages.ui.families.table import family_of
from pages.ui.panels import report, tables, uncertainty
from pages.ui.pictures.picture import BEGINNING
from pages.ui.running.runs import Run
from pages.ui.sharing.naming import half_step
from pages.ui.state import shell
from pages.ui.state.session import has, held, memo, put, session
from pages.ui.state.settings import FIELDS, Settings
from pages.ui.tables.preparation.said import units_said
from pages.ui.tables.selection import Selection
from pages.ui.text import counted, number, plain

POINTS = "Points"


def show_frame(
    run: Run, index: int, point: int | None, selection: Selection, settings: Settings
) -> None:
    """Tables at the frame shown. Only those of the open tab are made."""
    step, family = run.trace[index], family_of(settings)
    name = "the start" if step.phase == "start" else half_step(step)
    st.markdown(report.gain_sentence(run.trace, index))
    numbers = _numbers(run, index, selection, settings)
    ways = uncertainty.known_ways(run) if index == len(run.trace) - 1 else {}
    titles = [title for title, _ in numbers] + [POINTS] * (family.point is not None)
    titles += ["Known labels"] * (selection.labels is not None)
    tabs = dict(zip(titles, _tabs(titles, settings.details), strict=True))
    for title, frame in numbers:
        if tabs[title].open:
            with tabs[title]:
                if ways:
                    frame = _beside(run, ways, title, frame, selection, settings)
                tables.show(frame, f"At {name}, {units_said(selection)}", title, name)
                if rule := numbering_rule(run.model, selection, family):
                    st.caption(plain(rule))
    if POINTS in tabs and tabs[POINTS].open:
        with tabs[POINTS]:
            _points(run, index, point, selection, settings)
    if selection.labels is not None and tabs["Known labels"].open:
        with tabs["Known labels"]:
            _agreement(run, index, selection)


def frame_of(shown: np.ndarray, step: int | None) -> int | None:
    """The frame that shows a half-step, or the first after it; None for the last, and BEGINNING
    for itself.

    shown (F,): which half-step each frame shows. Says so where a link asks for one that the run
    does not have.
    """
    if step is None or step == BEGINNING:
        return step
    if step > shown[-1]:
        shell.say(
            f"{FIELDS['frame'].label}: half-step {step:,} is not from 0 to {shown[-1]:,}, so the "
            "last is shown."
        )
        shell.change(frame=None)
        return None
    return int(np.searchsorted(shown, step))


def half_step_at(shown: np.ndarray, frame: int | None) -> int:
    """The half-step that a frame shows; the beginning has the parameters of the start."""
    last = len(shown) - 1
    return int(shown[last if frame is None else min(max(frame, 0), last)])


def remembered(shown: np.ndarray, frame: int | None) -> int | None:
    """What a link says of the frame shown: its half-step, None at the end."""
    if frame is None or frame >= len(shown) - 1:
        return None
    return BEGINNING if frame == BEGINNING else int(shown[frame])


def point_of(selection: Selection, point: int | None) -> int | None:
    """The row marked. Says so where a link, made with other data, asks for one that is not here."""
    n_rows = len(selection.values)
    if point is None or point < n_rows:
        return point
    shell.say(
        f"{FIELDS['point'].label}: row {point + 1:,} is not among the {n_rows:,} that are fitted, "
        "so none is marked."
    )
    shell.change(point=None)
    return None


def _numbers(run: Run, index: int, selection: Selection, settings: Settings):
    """The tables of the parameters; the same ones while nothing of them has changed."""
    asked = _numbered(run), index, settings.rotation, settings.names

    def made():
        params = run.trace[index].params
        return family_of(settings).tables(run.model, params, selection, settings)

    return memo("numbers", asked, made)


def _beside(
    run: Run, ways: Ways, title: str, frame: pd.DataFrame, selection: Selection, settings: Settings
) -> pd.DataFrame:
    """A table of the last half-step with intervals after its numbers."""
    family, params = family_of(settings), run.trace[-1].params
    profile = None
    if family.profile is not None:
        profile = family.profile(run.model, params, run.data, selection, settings)
    return with_intervals(title, frame, ways, run.model, params, selection, profile)


def _tabs(titles: Sequence[str], chosen: str) -> Sequence[TabContainer]:
    opened = chosen if chosen in titles else titles[0]
    if held("details", opened) != opened:
        put("details", opened)
    # With another default they would be other tabs to a browser, and whoever goes by keyboard would
    # not be on them any more.
    default = memo("tabs", tuple(titles), lambda: opened)
    tabs: list[TabContainer] = []

    def make(*arguments: Any, **more: Any) -> str:
        tabs.extend(st.tabs(*arguments, **more))
        return held("details")

    shell.box(make, titles, _open_tab, opened, key="details", default=default)
    return tabs


def _open_tab(title: str) -> None:
    shell.change(details=title)


def _points(
    run: Run, index: int, point: int | None, selection: Selection, settings: Settings
) -> None:
    step, family = run.trace[index], family_of(settings)
    n_rows = len(selection.values)
    _choose_row(run, point, selection)
    # q is the posterior at the parameters before an M half-step.
    before = step.phase == "M" and not step.is_leap
    given = " by the parameters before this M-step" if before else ""
    if point is not None:
        values = ", ".join(
            f"{name} = {_cell(selection, d, point)}" for d, name in enumerate(selection.columns)
        )
        called = f"Row {selection.rows[point] + 1} of the table{_called(selection, point)}"
        st.markdown(f"**{plain(called)}** ({plain(values)})")
        if family.point is not None:
            names = family.components(run.model, settings.names)
            said = family.point(run.model, step.posterior_params, run.data, selection, point, names)
            st.latex(said[0])
            row = f"row {selection.rows[point] + 1}"
            tables.show(said[1], f"Its posterior{given}", "Posterior", row, half_step(step))
    if not family.unit:
        return
    doubtful, looked_at = _doubtful(
        _numbered(run),
        index,
        run.model,
        run.data,
        step,
        selection,
        family.components(run.model, settings.names),
        selection.identifier,
    )
    scope = "" if looked_at == n_rows else f" of {looked_at:,} rows looked at"
    title = f"The rows whose {family.unit} is the least sure{scope}{given and ',' + given}"
    tables.show(doubtful, title, "Least sure rows", half_step(step), index=False)


def _choose_row(run: Run, point: int | None, selection: Selection) -> None:
    """A row by its number in the table, as the lists of rows have it."""
    key = f"row {run.key}"
    marked = None if point is None else int(selection.rows[point]) + 1
    if session().row_marked != (run.key, point) and has(key):
        put(key, marked)
    session().row_marked = run.key, point
    left_out = selection.left_out.set_index("row")["reason"]
    row = shell.box(
        st.number_input,
        "Row of the table, or click a point in the picture",
        partial(_take_row, selection),
        marked,
        key=key,
        value=marked,
        min_value=1,
        max_value=int(np.nanmax([selection.rows.max() + 1, left_out.index.max()])),
        width=330,
    )
    if row is not None and row - 1 not in selection.rows:
        st.warning(plain(f"Row {row:,} was left out: {left_out[row]}."))


def _take_row(selection: Selection, row: int | None) -> None:
    found = np.flatnonzero(selection.rows == (row or 0) - 1)
    if row is None or len(found):
        shell.change(point=int(found[0]) if len(found) else None)
        session().rows_typed += 1


def rows_typed() -> int:
    """How often a row was chosen by its number: the player marks it then."""
    return session().rows_typed


def _called(selection: Selection, row: int) -> str:
    """What a row is called, after a comma; "" where no column says so."""
    return "".join(f", {selection.identifier} {n}" for n in selection.called(np.array([row])) if n)


def _cell(selection: Selection, column: int, row: int) -> str:
    (value,) = selection.cells(column, np.array([row]))
    return value if isinstance(value, str) else number(value, 6)


def _agreement(run: Run, index: int, selection: Selection) -> None:
    settings, step = shell.settings(), run.trace[index]
    names = family_of(settings).components(run.model, settings.names)
    adjusted_rand, confusion = _agreement_at(
        _numbered(run), index, _labelled(selection), names, run.model, run.data, step, selection
    )
    st.markdown(
        f"Adjusted Rand index with **{plain(_labelled(selection))}**: "
        f"**{number(adjusted_rand, 3)}** (1: the same groups; about 0: no better than chance)."
    )
    assert selection.labels is not None
    unlabelled = int(sum(label is None for label in selection.labels))
    without = f"; {counted(unlabelled, 'row')} without one left out" if unlabelled else ""
    unit = family_of(settings).unit
    caption = f"Rows by known label and {unit}{without}"
    tables.show(confusion, caption, "Known labels", _labelled(selection), half_step(step))


def _numbered(run: Run) -> str:
    """What stands for a run, its data and the numbers of its components."""
    return f"{run.key} {len(run.trace)}"


def _labelled(selection: Selection) -> str:
    """The name of the column of known labels."""
    return selection.label_name or ""


# Both take a pass over the data.


@st.cache_data(max_entries=64, show_spinner=False)
def _doubtful(
    run: str,
    index: int,
    _model,
    _data,
    _step: HalfStep,
    _selection: Selection,
    names: tuple[str, ...],
    identifier: str,
):
    return report.doubtful_points(_model, _step.posterior_params, _data, _selection, names)


@st.cache_data(max_entries=64, show_spinner=False)
def _agreement_at(
    run: str, index: int, label: str, names: tuple[str, ...], _model, _data, _step, _selection
):
    return report.agreement_with_labels(_model, _step.posterior_params, _data, _selection, names)
