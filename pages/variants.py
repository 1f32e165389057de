"""EM beside its relatives: one data set, one start, many ways up."""

import streamlit as st

from pages.ui import (
    bound_panel,
    data_panel,
    encoder_panel,
    fit_panel,
    model_panel,
    relatives_panel,
    shell,
)

shell.enter()
shell.header("Relatives")

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
        lanes = relatives_panel.current_race(run)
        if lanes is not None:
            relatives_panel.show_race(lanes, run)
            relatives_panel.show_played(lanes, run, selection, table)
encoder_panel.show_encoder()
