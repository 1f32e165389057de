"""What the server has once, for all its visitors: made before the first, ended after the last."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

# Both libraries of linear algebra, NumPy's and SciPy's, must be loaded to be limited.
import scipy.linalg  # noqa: F401
import streamlit as st
from streamlit import config
from threadpoolctl import threadpool_limits

from pages.ui import environment
from pages.ui.families.own_models import own_models
from pages.ui.panels.drawing import drawing_panel
from pages.ui.player import component
from pages.ui.running.pools import pool, readers
from pages.ui.server import errors, manners
from pages.ui.server.downloads import keep_downloads
from pages.ui.server.leaving import more_descriptors, see_off_visits
from pages.ui.server.sound_values import take_sound_values
from pages.ui.server.whole_parts import drop_parts_whole
from pages.ui.sharing.store import Refused, the_store
from pages.ui.state import shell
from pages.ui.state.memory import memory
from pages.ui.tables.reading import MAX_BYTES

log = logging.getLogger(__name__)


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncGenerator[None]:
    """For `st.App`: around the life of the server.

    Several people share the machine, and on a busy one the threads of linear algebra made
    everything 2 to 28 times slower: they are kept to one. em_core runs its own where they pay.
    """
    for sentence in (*environment.complaints(), *own_models().problems):
        log.warning(sentence)
    # Streamlit refuses what is larger than its own limit, whatever that of a widget.
    config.set_option("server.maxUploadSize", math.ceil(MAX_BYTES / 2**20))
    errors.log_once()
    more_descriptors()
    drop_parts_whole()
    unfetched = keep_downloads()
    take_sound_values()
    manners.ask_nobody_outside()
    manners.end_in_time()
    manners.take_in_no_more()
    memory()
    component.components()
    shell.components()
    drawing_panel.components()
    with suppress(Refused):  # it is in the log, and tried again when somebody shares
        the_store()
    with threadpool_limits(limits=1, user_api="blas"):
        pools = pool(), readers()
        leaving = asyncio.create_task(see_off_visits(unfetched))
        manners.say_where()
        try:
            yield
        finally:
            leaving.cancel()
            for ended in pools:
                ended.close()
