"""What nobody foresaw: a plain sentence for the person, the whole story in the log."""

from __future__ import annotations

import logging
import secrets

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.ui.state import shell
from pages.ui.state.memory import Full

log = logging.getLogger(__name__)


def on_script_error(error: Exception) -> bool:
    """For `st.App`: an error that nothing has caught. True, for nothing else need be shown."""
    if isinstance(error, Full):
        sentence = str(error)
    else:
        number = secrets.token_hex(3).upper()
        log.error("Error %s", number, exc_info=error)
        sentence = (
            f"Something went wrong here that should not (error {number}). Whoever runs this server "
            "finds it in the log by that number. The rest goes on: choose something else, or "
            "reload."
        )
    context = get_script_run_ctx()
    if context is not None and context.has_script_started:
        st.error(sentence)
    else:
        # It was in a callback: Streamlit does not run the page then, and shows no more of it.
        shell.say(sentence)
        st.rerun()
    return True
