"""Whether the person who asked for something is still there."""

from __future__ import annotations

import time

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.ui.running.workers import Visitor

# A connection that broke is soon there again; who closed the page is not.
AWAY_SECONDS = 10


def visitor() -> Visitor:
    """Of the session at work. It has gone once its browser has been found without a connection for
    `AWAY_SECONDS`."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return Visitor.unknown()
    session, away_since = context.session_id, None

    def gone() -> bool:
        nonlocal away_since
        if runtime.get_instance().is_active_session(session):
            away_since = None
        elif away_since is None:
            away_since = time.monotonic()
        return away_since is not None and time.monotonic() - away_since > AWAY_SECONDS

    return Visitor(session, gone)
