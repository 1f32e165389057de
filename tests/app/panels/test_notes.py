"""What is suggested about a table before it is fitted."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from pages.ui.state.session import Session
from pages.ui.state.settings import Settings
from pages.ui.tables.reading import read_table
from pages.ui.tables.selection import select

TABLES = Path(__file__).parents[2] / "tables"


def page() -> None:
    import streamlit as st

    from pages.ui.panels.preparing import notes

    notes._offer_to_leave_out(*st.session_state["table"])


def test_two_equations_that_end_in_the_same_column_are_both_told() -> None:
    table = read_table("a.csv", (TABLES / "09a-percent-currency.csv").read_bytes())
    names = ["margin", "revenue", "share"]
    app = AppTest.from_function(page)
    app.session_state["table"] = table, select(table, names, None)
    app.session_state["session"] = Session(settings=Settings(), settled=True, page="Explore")
    app.run()
    assert not app.exception
    labels = [button.label for button in app.button]
    assert len(labels) == 2 > len(set(labels))
