"""Parts of a page that run again by themselves."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import streamlit as st


def fragment(function: Callable[..., Any], run_every: float | None = None) -> Callable[..., None]:
    """A function of elements that runs again alone where they are used, or every so many seconds.

    `st.fragment` in a block of the page's own. Where a run of a fragment follows that of the page
    closely, Streamlit leaves out what the page had to say about it and not yet sent: without the
    block there would be a hole, and what comes after it would be out of place ("Bad delta path
    index", and a blank page).
    """

    @wraps(function)
    def placed(*arguments: Any) -> None:
        with st.container():
            st.fragment(function, run_every=run_every)(*arguments)

    return placed
