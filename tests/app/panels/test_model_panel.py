"""The model part of the sidebar."""

from streamlit.testing.v1 import AppTest

from pages.ui.state.session import Session
from pages.ui.state.settings import Settings


def page() -> None:
    from pages.ui.panels.sidebar import model_panel

    model_panel._choose_start(None)


def test_no_help_at_the_button_of_the_next_seed_covers_the_number_that_it_changes() -> None:
    app = AppTest.from_function(page)
    app.session_state["session"] = Session(settings=Settings(), settled=True, page="Explore")
    app.run()
    assert not app.exception
    (button,) = app.button
    (number,) = app.number_input
    assert button.label == "Next seed" and not button.help
    assert "“Next seed” takes the same data from another start" in number.help
