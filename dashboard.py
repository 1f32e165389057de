"""EM Explorer: the front door. `streamlit run dashboard.py`"""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from pages.ui.player import assets
from pages.ui.server.errors import on_script_error
from pages.ui.server.lifespan import lifespan
from pages.ui.server.middleware import (
    KnownBrowsers,
    LateEvents,
    LimitedBodies,
    LimitedUploads,
    SecurityHeaders,
    SoundMessages,
)
from pages.ui.state.memory import memory
from pages.ui.tables.reading import MAX_BYTES

app = st.App(
    Path(__file__).parent / "pages/main.py",
    lifespan=lifespan,
    routes=assets.routes(),
    middleware=[
        Middleware(SecurityHeaders),
        Middleware(KnownBrowsers),
        Middleware(LimitedBodies, limit=MAX_BYTES),
        Middleware(SoundMessages),
        Middleware(LateEvents),
        Middleware(LimitedUploads, limit=memory().for_all // 4),
    ],
    on_script_error=on_script_error,
)

if __name__ == "__main__":
    app.run()
