"""What a visit brought is there again after a reload, for as long as the server still has it.

A reload is a visit of its own, and the one before it stays for a while with all that it holds. Both
come from one browser, which names itself by a token that nobody can guess. Nothing is kept here:
only which visits a browser has made.
"""

from __future__ import annotations

import threading
from weakref import WeakSet

import streamlit as st

from pages.ui.state.session import Session, session

# It goes when the browser is closed; no script and no other site reads it.
COOKIE = "em_explorer_browser"


class Browsers:
    """Which visits come from one browser, while they are there. It keeps none of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._visits: dict[str, WeakSet[Session]] = {}

    def __len__(self) -> int:
        """Browsers with visits that are noted."""
        return len(self._visits)

    def note(self, browser: str, visit: Session) -> None:
        """Others of this browser may ask for what a visit holds. Without a token, nobody may."""
        with self._lock:
            for other in [token for token, visits in self._visits.items() if not len(visits)]:
                del self._visits[other]
            if browser:
                self._visits.setdefault(browser, WeakSet()).add(visit)

    def others(self, browser: str, visit: Session) -> list[Session]:
        """The visits noted of this browser, but for one."""
        with self._lock:
            return [other for other in self._visits.get(browser, ()) if other is not visit]


_browsers = Browsers()


def note() -> None:
    """After a reload the browser at work may ask for what its visit holds now."""
    _browsers.note(_browser(), session())


def before() -> list[Session]:
    """Other visits of the browser at work that hold something and are still there."""
    return _browsers.others(_browser(), session())


def _browser() -> str:
    """The token of the browser at work; "" where it has none."""
    return st.context.cookies.get(COOKIE, "")
