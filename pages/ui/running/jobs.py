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
    where: Callable[[], workers.Pool] = pool
    progress: float = 0.0
    result: Any = None

    def job(self) -> workers.Job:
        function, arguments = self.call
        return self.where().job(function, *arguments)

    def take(self, told: Sequence[float]) -> None:
        self.progress = told[-1]

    def take_all(self, result: Any) -> None:
        self.result = result


def run_job(
    slot: str,
    key: str,
    what: str,
    function: Callable[..., Generator[float, None, Any]],
    *arguments,
    where: Callable[[], workers.Pool] = pool,
) -> Any:
    """The result of some work, begun if its key is new; None while it goes on, failed or stopped.

    slot: the place of this kind of work on the page; a new key there ends what went on before.
    function, arguments: what a process calls (see `workers.Job`); where: one of which pool.
    While it goes on the page shows its progress and a button to stop it.
    """
    job = begin_job(slot, key, function, *arguments, where=where)
    slot = f"job {slot}"
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


def begin_job(
    slot: str,
    key: str,
    function: Callable[..., Generator[float, None, Any]],
    *arguments: Any,
    where: Callable[[], workers.Pool] = pool,
) -> Computation:
    """The work of `run_job`, begun if its key is new, with nothing shown of it yet."""
    # Several kinds of work may be about one fit.
    asked = Computation(key=f"{slot} {key}", call=(function, arguments), where=where)
    return current(f"job {slot}", asked)


def finished_job(slot: str, key: str) -> Any:
    """The result of work with this key, if it was done and is still at hand."""
    held = session().work.get(f"job {slot}")
    if held is None or held.work is None or held.work.running:
        return None
    if held.work.key != f"{slot} {key}":
        return None
    return held.work.result


def _progress(job: Computation, what: str) -> None:
    progress_line(job, f"{what[:1].upper()}{what[1:]} …")
    st.progress(min(max(job.progress, 0.0), 1.0))
