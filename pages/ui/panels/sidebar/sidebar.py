"""The sidebar that pages share: data, columns, model and start."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

import streamlit as st

from pages.ui.panels import collapse_panel, presets_panel
from pages.ui.panels.sidebar import data_panel, model_panel
from pages.ui.state import shell
from pages.ui.state.presets import GALLERY
from pages.ui.tables.columns import ColumnReport
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table


class Chosen(NamedTuple):
    """table and selection are None while there is nothing yet that could be fitted."""

    table: Table | None
    selection: Selection | None
    reports: list[ColumnReport]


def choose(
    starts: Callable[[Selection | None], None] | None = None, without: Collection[str] = ()
) -> Chosen:
    """The widgets of the sidebar, and what is chosen; without data the page says how to come by it.

    starts, without: as of `model_panel.choose_model`.
    """
    with st.sidebar:
        presets_panel.offer("One example of every model", GALLERY)
        st.subheader("Data", anchor=False)
        table = data_panel.choose_table()
        selection, reports = (None, []) if table is None else data_panel.choose_columns(table)
        model_panel.choose_model(selection, starts, without)
    if table is None:
        st.info("Choose an example, generate data, or bring a table of your own in the sidebar.")
    elif selection is not None:
        collapse_panel.show_heap(table, selection, shell.settings())
    return Chosen(table, selection, reports)
