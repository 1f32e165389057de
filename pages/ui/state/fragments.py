"""Parts of a page that run again by themselves."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.ui.state.session import session


def fragment(function: Callable[..., Any], run_every: float | None = None) -> Callable[..., None]:
    """A function of elements that runs again alone where they are used, or every so many seconds.

    `st.fragment` in a block of the page's own, and under a name of its own on every page. Where a
    run of a fragment follows that of the page closely, Streamlit leaves out what the page had to
    say about it and not yet sent: without the block what comes after would be out of place. And
    where a person uses a fragment of the page they are leaving, Streamlit would run the one of the
    same name on the next page, as if on the last. Either ends in a blank page.
    """

    @wraps(function)
    def placed(*arguments: Any) -> None:
        @wraps(function)
        def of_this_page(*arguments: Any) -> None:
            function(*arguments)

        of_this_page.__qualname__ += f" on {session().page}"
        with st.container():
            st.fragment(of_this_page, run_every=run_every)(*arguments)

    return placed


def runs_alone() -> bool:
    """Whether parts of the page run, and not the whole of it."""
    context = get_script_run_ctx()
    return context is not None and bool(context.fragment_ids_this_run)


def forget_fragments() -> None:
    """Refuse runs of the fragments there are: the page they are on is being left."""
    context = get_script_run_ctx()
    assert context is not None, "it is called while a page runs"
    context.fragment_storage.clear()
