"""Watch EM climb on your data."""

import streamlit as st

from pages.ui import (
    data_panel,
    fit_panel,
    model_panel,
    presets_panel,
    replay,
    second_opinion,
    shell,
)
from pages.ui.presets import GALLERY

shell.enter()
shell.header("Explore")

with st.sidebar:
    presets_panel.offer("One example of every model", GALLERY)
    st.subheader("Data", anchor=False)
    table = data_panel.choose_table()
    selection, reports = (None, []) if table is None else data_panel.choose_columns(table)
    model_panel.choose_model(selection)

settings = shell.settings()
if table is None:
    st.info("Choose an example, generate data, or bring a table of your own in the sidebar.")
else:
    data_panel.show_table(table, selection, reports, settings)
if selection is not None:
    run = fit_panel.current_run(settings, table, selection)
    if run is not None:
        fit_panel.choose_axes(selection)
        replay.check(run)
        fit_panel.show_run(run, selection, table)
        if run.fit is not None:
            second_opinion.show_opinion(run, settings, selection, table)
            fit_panel.show_takeaway(run, settings, selection, table)
