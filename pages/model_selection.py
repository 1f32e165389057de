"""How many components there are, and of which structure: models compared on the same data."""

import streamlit as st

from pages.ui import data_panel, grid_panel, model_panel, shell

shell.enter()
shell.header("How many?")

with st.sidebar:
    st.subheader("Data", anchor=False)
    table = data_panel.choose_table()
    selection, _ = (None, []) if table is None else data_panel.choose_columns(table)
    model_panel.choose_model(
        selection,
        lambda: grid_panel.choose_grid(selection),
        without=grid_panel.varied(shell.settings()),
    )

if selection is None:
    st.info("Choose an example, generate data, or bring a table of your own in the sidebar.")
else:
    grid = grid_panel.current_grid(shell.settings(), table, selection)
    if grid is not None:
        grid_panel.show_grid(grid)
