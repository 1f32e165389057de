"""Whether a link shows here what it showed where it was made."""

from __future__ import annotations

import streamlit as st

import em_core
from pages.ui import shell
from pages.ui.settings import Result
from pages.ui.text import counted, nats
from pages.ui.work.runs import Run


def check(run: Run) -> None:
    """Put the fingerprint of a finished run into the link; where the link brought another, say so.

    The link's own stays in it: whoever gets the link next should learn of the difference too.
    """
    if run.fit is None or run.stop_reason == "stopped":
        return
    here = Result(run.fit.log_likelihood, run.fit.n_iterations, em_core.__version__)
    there = shell.settings().result
    if there is None:
        shell.change(result=here)
    elif not there.same(here):
        st.warning(
            f"This is not what the link was made with: there {_told(there)}, here {_told(here)}. "
            "The data, the settings or the engine are not the same."
        )


def _told(result: Result) -> str:
    return (
        f"log-likelihood **{nats(result.log_likelihood)}** nats after "
        f"{counted(result.iterations, 'iteration')} (em_core {result.engine})"
    )
