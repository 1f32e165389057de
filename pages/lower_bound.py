"""The bound under the likelihood, along a slice through parameter space."""

import streamlit as st

from pages.ui import bound_panel, data_panel, fit_panel, model_panel, shell

shell.enter()
shell.header("The bound")

with st.sidebar:
    st.subheader("Data", anchor=False)
    table = data_panel.choose_table()
    selection, _ = (None, []) if table is None else data_panel.choose_columns(table)
    model_panel.choose_model(selection)

if selection is None:
    st.info("Choose an example, generate data, or bring a table of your own in the sidebar.")
else:
    run = fit_panel.current_run(shell.settings(), table, selection)
    if run is not None and bound_panel.finished(run):
        asked = bound_panel.choose_line(run, selection, table)
        if asked is not None:
            bound_panel.show_slice(run, asked, selection)
            bound_panel.show_surface(run, asked, selection)
