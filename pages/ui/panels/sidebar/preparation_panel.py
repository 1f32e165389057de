"""What is done to the table between reading it and choosing its columns."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.ui.state import shell
from pages.ui.state.memory import Full, kept
from pages.ui.tables.preparation.table import StepError, prepared
from pages.ui.tables.table import Table, table_bytes
from pages.ui.text import plain


def prepare(table: Table) -> Table | None:
    """The table after the steps of the settings; None where one can't be taken, with the reason and
    a way on."""
    steps = shell.settings().preparation
    if not steps:
        return table
    if table.whole is not None:
        shell.say("A data set on the server is taken as it is, without the steps of preparation.")
        shell.change(preparation=())
        return table
    asked = table.fingerprint, steps
    expected = table_bytes(table)
    try:
        return kept("prepared table", asked, partial(prepared, table, steps), table_bytes, expected)
    except Full as full:
        st.error(plain(str(full)))
    except StepError as error:
        step = steps[error.place]
        st.error(f"“{plain(step.told())}” can't be done here. {plain(str(error))}")
        rest = (*steps[: error.place], *steps[error.place + 1 :])
        leave_out = partial(shell.change, preparation=rest)
        shell.button("Leave out this step", leave_out, key="leave out step")
    return None
