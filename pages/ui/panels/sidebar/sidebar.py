"""The sidebar that pages share: data, columns, model and start."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

import streamlit as st

from pages.ui.panels import collapse_panel, presets_panel
from pages.ui.panels.drawing import drawing_panel
from pages.ui.panels.preparing import forms, notes
from pages.ui.panels.sidebar import (
    columns_panel,
    data_panel,
    history_panel,
    model_panel,
    preparation_panel,
    work_panel,
)
from pages.ui.panels.sidebar.data_panel import Columns
from pages.ui.state import shell
from pages.ui.state.presets import GALLERY
from pages.ui.state.session import session
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from pages.ui.text import plain


class Chosen(NamedTuple):
    """table and selection are None while there is nothing yet that could be fitted."""

    table: Table | None
    selection: Selection | None


def choose(
    starts: Callable[[Selection | None], None] | None = None,
    without: Collection[str] = (),
    preparing: bool = False,
) -> Chosen:
    """The widgets of the sidebar, and what is chosen; without data the page says how to come by it.

    starts, without: as of `model_panel.choose_model`. preparing: whether the page offers to change
    how a file is read, and further steps; what is open or suspicious is asked on every page.
    """
    with st.sidebar:
        work_panel.open_brought()
        history_panel.offer()
        presets_panel.offer("One example of every model", GALLERY)
        work_panel.offer()
        st.subheader("Data", anchor=False)
        found = data_panel.choose_table()
        table = None if found is None else preparation_panel.prepare(found)
        session().table_name = "" if table is None else table.name
        session().titles = {} if table is None else dict(table.titles)
        columns = data_panel.choose_columns(table) if table is not None else Columns(None, [])
        selection = columns.selection
        model_panel.choose_model(selection, starts, without)
    if preparing and shell.settings().source == "draw":
        drawing_panel.show()
    if found is None:
        st.info(_what_to_load())
    elif table is not None:
        if not shell.in_a_lesson():
            columns_panel.show(found, table, columns, preparing)
        if preparing and not shell.in_a_lesson() and table.whole is None:
            forms.offer(table, columns.reports)
        if columns.problem:
            st.info(f"Nothing is fitted yet. {columns.problem}")
        if selection is not None:
            collapse_panel.show_heap(table, selection, shell.settings())
        notes.show(table, selection, columns.reports)
    return Chosen(table, selection)


def _what_to_load() -> str:
    """How to come by data, where there are none yet; or which are on their way."""
    if (brought := session().brought) is not None:
        return f"{plain(brought.file.name)} is being read. What it holds will be shown here."
    awaited = shell.settings().awaited
    if shell.settings().source == "table" and shell.settings().fingerprint:
        table = f": **{plain(awaited)}**" if awaited else ""
        return (
            f"This link was made with a table that is not in the link{table}. Load that file in "
            "the sidebar to see the same, or ask for a link with the table: “Share” makes one."
        )
    if shell.settings().source == "server":
        return "Choose a data set of the server in the sidebar: a sample of it is drawn first."
    if shell.settings().source == "draw":
        return "Nothing is drawn yet: draw points on the page “Explore”, in the square there."
    return "Choose an example, generate data, or bring a table of your own in the sidebar."
