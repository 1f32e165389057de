"""Work with a result: its progress on the page while it goes on, and a button to stop it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from pages.ui.running import workers
from pages.ui.running.pools import pool
from pages.ui.running.work import Work, current, progress_line, show_error, watch
from pages.ui.state import shell
from pages.ui.state.session import session


@dataclass(kw_only=True)
class Computation(Work):
    """A call that yields the share done so far, from 0 to 1, and returns the result."""

    call: tuple[Callable[..., Generator[float, None, Any]], tuple]
    progress: float = 0.0
    result: Any = None

    def job(self) -> workers.Job:
        function, arguments = self.call
        return pool().job(function, *arguments)

    def take(self, told: Sequence[float]) -> None:
        self.progress = told[-1]

    def take_all(self, result: Any) -> None:
        self.result = result


def run_job(
    slot: str, key: str, what: str, function: Callable[..., Generator[float, None, Any]], *arguments
) -> Any:
    """The result of some work, begun if its key is new; None while it goes on, failed or stopped.

    slot: the place of this kind of work on the page; a new key there ends what went on before.
    function, arguments: what a process calls (see `workers.Job`).
    While it goes on the page shows its progress and a button to stop it.
    """
    slot = f"job {slot}"
    job = current(slot, Computation(key=key, call=(function, arguments)))
    if job.running:
        watch(job, _progress, job, what)
        return None
    if job.stopped:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.info(f"You stopped this: {what}.")
            again = partial(session().work.pop, slot, None)
            shell.button("Do it", again, key=f"again {slot}")
    elif job.error:
        show_error(job)
    elif job.result is None:
        st.error(f"Something went wrong in {what}. Please report this.")
    return job.result


def _progress(job: Computation, what: str) -> None:
    progress_line(job, f"{what[:1].upper()}{what[1:]} …")
    st.progress(min(max(job.progress, 0.0), 1.0))
