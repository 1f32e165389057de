"""The same data from many starts: which optima there are, how often each is found, and why."""

import streamlit as st

from pages.ui import data_panel, model_panel, optima_panel, shell

shell.enter()
shell.header("Local optima")

with st.sidebar:
    st.subheader("Data", anchor=False)
    table = data_panel.choose_table()
    selection, _ = (None, []) if table is None else data_panel.choose_columns(table)
    model_panel.choose_model(selection, optima_panel.choose_starts)

if selection is None:
    st.info("Choose an example, generate data, or bring a table of your own in the sidebar.")
else:
    search = optima_panel.current_search(shell.settings(), table, selection)
    if search is not None:
        optima_panel.show_search(search, selection)
        optima_panel.show_picked(shell.settings(), search, selection, table)
