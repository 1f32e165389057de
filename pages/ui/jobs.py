"""Work that takes longer than a glance: a thread each, its progress, and a way to stop it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st

from pages.ui.text import sentence

# Work that ends within this is shown finished, without a progress bar before it.
PATIENCE = 0.4
REFRESH_SECONDS = 0.3


@dataclass
class Job:
    """work() yields the share done so far, from 0 to 1, and returns the result."""

    key: str
    work: Callable[[], Generator[float, None, Any]]
    progress: float = 0.0
    result: Any = None
    error: str = ""
    stopped: bool = False
    done: threading.Event = field(default_factory=threading.Event)
    _wanted: bool = True

    def begin(self) -> None:
        threading.Thread(target=self._run, name="em work", daemon=True).start()

    def stop(self) -> None:
        self._wanted = False

    def _run(self) -> None:
        steps = self.work()
        try:
            while self._wanted:
                self.progress = next(steps)
            self.stopped = True
        except StopIteration as end:
            self.result = end.value
        except (ValueError, MemoryError, np.linalg.LinAlgError) as error:
            self.error = str(error) or "There is not enough memory: use fewer rows."
        finally:
            self.done.set()


def run_job(slot: str, key: str, what: str, work: Callable[[], Generator[float, None, Any]]) -> Any:
    """The result of some work, begun if its key is new; None while it goes on, failed or stopped.

    slot: the place of this kind of work on the page; a new key there ends what went on before.
    While it goes on the page shows its progress and a button to stop it.
    """
    job: Job | None = st.session_state.get(f"job {slot}")
    if job is None or job.key != key:
        if job is not None:
            job.stop()
        job = st.session_state[f"job {slot}"] = Job(key, work)
        job.begin()
        job.done.wait(PATIENCE)
    if not job.done.is_set():
        st.fragment(_watch, run_every=REFRESH_SECONDS)(job, slot, what)
        return None
    if job.error:
        st.error(sentence(job.error))
    elif job.stopped:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.info(f"You stopped this: {what}.")
            st.button(
                "Do it", key=f"again {slot}", on_click=st.session_state.pop, args=(f"job {slot}",)
            )
    return job.result


def _watch(job: Job, slot: str, what: str) -> None:
    if job.done.is_set():
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{what[:1].upper()}{what[1:]} …")
        st.button("Stop", key=f"stop {slot}", icon=":material/stop:", on_click=job.stop)
    st.progress(min(max(job.progress, 0.0), 1.0))
