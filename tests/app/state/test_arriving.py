"""A first run that Streamlit ends at any place leaves nothing behind that the next trips over."""

import pytest

from pages.ui.state import shell
from pages.ui.state.session import Session


class Ended(BaseException):
    """What Streamlit raises in a run that another one follows."""


@pytest.mark.parametrize("runs", range(1, 12))
def test_what_a_run_that_is_ended_began_the_next_does(runs: int, monkeypatch) -> None:
    """Wherever the session is asked for, Streamlit may end the run."""
    session, asked = Session(), 0

    def ending() -> Session:
        nonlocal asked
        asked += 1
        if asked == runs:
            raise Ended
        return session

    monkeypatch.setattr(shell, "session", ending)
    try:
        shell._adopt_link("")
    except Ended:
        shell._adopt_link("")
    assert session.settings is not None and session.link is not None
    assert session.settings.n_components == 4
