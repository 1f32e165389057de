"""What visits leave behind goes soon after they have ended, whether or not somebody comes next."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys
from collections.abc import Callable
from contextlib import suppress

from streamlit import runtime
from streamlit.runtime.caching.ttl_cache import TTLCache
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

from pages.ui.server.downloads import Unfetched

SECONDS = 5
DESCRIPTORS = 16_384
# Places from which glibc gives out memory, and the number of that setting (malloc.h).
ARENAS, M_ARENA_MAX = 2, -8


def more_descriptors() -> None:
    """As many as the system allows, up to DESCRIPTORS: often 256 or 1,024 are given at first.

    A visit takes four, and three of them until it can no longer be gone on with.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(ValueError, OSError):  # a system with another limit of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def memory_given_back() -> Callable[[], object]:
    """What gives the system back the memory that is free; of glibc, which would keep most of it.

    It has a store of free memory for each of eight threads a core, and every visit is a thread.
    """
    if sys.platform != "linux":
        return lambda: None
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "malloc_trim"):  # another C library, such as musl
        return lambda: None
    libc.mallopt(M_ARENA_MAX, ARENAS)
    return lambda: libc.malloc_trim(0)


async def see_off_visits(unfetched: Unfetched) -> None:
    """For the loop of the server: end visits whose time is up, every few seconds, for ever.

    Streamlit keeps a visit for `server.disconnectedSessionTTL` seconds after its window was closed,
    with all that it holds and an event loop (three descriptors). It ends those whose time is up
    only when another window is closed, and what refers to itself goes only with a full collection,
    which Python makes when a quarter more objects are there than at the last.
    """
    gc.collect()
    gc.freeze()  # what there is before the first visit stays: no collection need look through it
    sessions = runtime.get_instance()._session_mgr
    assert isinstance(sessions, WebsocketSessionManager)
    storage = sessions._session_storage
    assert isinstance(storage, MemorySessionStorage)
    stored = storage._cache
    assert isinstance(stored, TTLCache)
    media = runtime.get_instance().media_file_mgr._storage
    assert isinstance(media, MemoryMediaFileStorage)
    give_back = memory_given_back()
    while True:
        await asyncio.sleep(SECONDS)
        for _, ended in stored.expire():
            ended.session.shutdown()
        unfetched.clear_away(media)
        gc.collect()
        await asyncio.to_thread(give_back)
