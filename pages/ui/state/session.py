"""What the session of a visit holds: the one door to Streamlit's session state.

Widgets have their values there under keys of their own (`held`, `put`); all else has a named place
in a `Session`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import streamlit as st

from pages.ui.state.settings import Settings

T = TypeVar("T")
_SLOT = "session"


@dataclass
class Session:
    """Everything that outlives a run of a page; it ends with the visit."""

    # The frame around the pages (`shell`): the page at hand, whether one has been shown whole, what
    # widgets show, what each family was left with, sentences to be read, the link as last written.
    page: str | None = None
    settled: bool = False
    settings: Settings | None = None
    shown: dict[str, Any] = field(default_factory=dict)
    left_families: dict[str, dict[str, Any]] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    link: Any = None
    # Sharing: whether it was just asked for, and whose table is to be deleted; the table brought,
    # what was stored of it, and by whom where quotas count visits.
    sharing: bool = False
    owner_token: str = ""
    own_table: Any = None
    receipts: dict[str, Any] = field(default_factory=dict)
    person: str = ""
    # A file that waits to be read, and what was wrong with the last one.
    brought: Any = None
    complaint: str = ""
    # What is at work, by its place on the page; runs, the last one with what it was of; and what
    # was made last, by its name.
    work: dict[str, Any] = field(default_factory=dict)
    runs: Any = None
    fitted: Any = None
    made: dict[str, tuple[Hashable, Any]] = field(default_factory=dict)
    # What is counted of all this in bytes (`memory`).
    visit: Any = None
    # Explicit parameters that were refused, and why.
    refused_parameters: tuple[str, str] = ("", "")
    # An example with something to look for; the run that is doubted, and by how many starts.
    preset: Any = None
    opinion_asked: tuple[str, int] = ("", 0)
    # The row marked last, and how often one was typed; the seed picked on a chart, and how often a
    # search was asked for; how often a cell of a grid was opened.
    row_marked: Any = None
    rows_typed: int = 0
    picked: Any = None
    calls: int = 1
    opened: int = 0
    # What players were last sent, by their keys; in which view the fit is
    # looked at; whether plotly.js was asked for ahead of need.
    sent: dict[str, Any] = field(default_factory=dict)
    looks: Any = None
    preloaded: bool = False


def session() -> Session:
    """That of the visit at work."""
    return st.session_state.setdefault(_SLOT, Session())


def memo(name: str, key: Hashable, make: Callable[[], T]) -> T:
    """What was made last under a name; made again where the key is another."""
    made = session().made
    if name not in made or made[name][0] != key:
        # What it replaces goes before there are two.
        made.pop(name, None)
        made[name] = key, make()
    return made[name][1]


def has(key: str) -> bool:
    """Whether the widget with this key has a value."""
    return key in st.session_state


def held(key: str, default: Any = None) -> Any:
    """The value of the widget with this key."""
    return st.session_state.get(key, default)


def put(key: str, value: Any) -> None:
    """Give the widget with this key a value, before it is made."""
    st.session_state[key] = value


def forget(key: str) -> None:
    """The widget with this key starts anew."""
    st.session_state.pop(key, None)
