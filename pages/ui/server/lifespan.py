"""What the server has once, for all its visitors: made before the first, ended after the last."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

# Both libraries of linear algebra, NumPy's and SciPy's, must be loaded to be limited.
import scipy.linalg  # noqa: F401
import streamlit as st
from threadpoolctl import threadpool_limits

from pages.ui.models.own_models import own_models
from pages.ui.work.workers import pool


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """For `st.App`: around the life of the server.

    Several people share the machine, and on a busy one the threads of linear algebra made
    everything 2 to 28 times slower: they are kept to one. em_core runs its own where they pay.
    """
    with threadpool_limits(limits=1, user_api="blas"):
        own_models()
        pool()
        try:
            yield
        finally:
            pool().close()
