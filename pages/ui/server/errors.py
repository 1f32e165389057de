"""What nobody foresaw: a plain sentence for the person, the whole story in the log."""

from __future__ import annotations

import logging
import secrets
import traceback
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.ui.state import shell
from pages.ui.state.memory import Full

log = logging.getLogger(__name__)

STREAMLIT = Path(st.__file__).parent
# Where Streamlit reads what a browser says that a widget holds, and says it back.
READS_VALUES = {"deserialize", "unpack_widget_state_value", "get_serialized", "expander"}


def log_once() -> None:
    """Streamlit writes each error into the log before it asks `on_script_error`, which does."""
    logging.getLogger("streamlit.error_util").addFilter(
        lambda record: record.msg != "Uncaught app execution"
    )


def on_script_error(error: Exception) -> bool:
    """For `st.App`: an error that nothing has caught. True, for nothing else need be shown."""
    if isinstance(error, Full):
        sentence = str(error)
    elif _is_of_no_widget(error):
        log.warning("A browser sent what is no value of its widget: %s", error)
        sentence = "Your browser has sent something that this page cannot read: reload it."
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


def _is_of_no_widget(error: Exception) -> bool:
    """Whether Streamlit could not read what came as a widget's value; none of ours sends such."""
    return any(
        frame.f_code.co_name in READS_VALUES and STREAMLIT in Path(frame.f_code.co_filename).parents
        for frame, _ in traceback.walk_tb(error.__traceback__)
    )
