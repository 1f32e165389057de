"""What the session of a visit holds: the one door to Streamlit's session state.

Widgets have their values there under keys of their own (`held`, `put`); all else has a named place
in a `Session`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state import SafeSessionState

from pages.ui.state.settings import Settings

T = TypeVar("T")
_SLOT = "session"


@dataclass(eq=False)
class Session:
    """Everything that outlives a run of a page; it ends with the visit."""

    # The frame around the pages (`shell`): the page at hand, whether one has been shown whole, what
    # widgets show, what each family was left with, sentences to be read, the link as last written.
    page: str | None = None
    settled: bool = False
    settings: Settings | None = None
    # The page that the visit's link led to, "" for none; whether the page on the bound was opened.
    linked_page: str = ""
    bound_opened: bool = False
    shown: dict[str, Any] = field(default_factory=dict)
    left_families: dict[str, dict[str, Any]] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    link: Any = None
    # What was chosen before (`history`).
    history: Any = None
    # The settings as the link had them; values of widgets that the browser brought from before a
    # restart, those given meanwhile (`returning`), and whether something on the page is at work.
    adopted: Settings | None = None
    returned: dict[str, Any] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)
    at_work: bool = False
    # The dialog that is open ("sharing", "methods"), "" for none: whoever runs the page meanwhile
    # must open it again. Whose table is to be deleted, which has a dialog of its own.
    dialog: str = ""
    owner_token: str = ""
    # The table brought and the one before it, what was stored of it, and by whom where quotas count
    # visits.
    own_table: Any = None
    own_table_before: Any = None
    receipts: dict[str, Any] = field(default_factory=dict)
    person: str = ""
    # The data sets that long files of theirs became, by name, each with what deletes it; and what
    # these are made of.
    long_files: dict[str, str] = field(default_factory=dict)
    secret: str = ""
    # What a person wrote about the work, and a file of saved work that waits to be opened.
    notes: str = ""
    saved_work: Any = None
    # A file that waits to be read, the file of the table in use, and what was wrong with the last.
    brought: Any = None
    file: Any = None
    complaint: str = ""
    # Files of new rows and of a model that these are scored by (`score_panel`).
    to_score: dict[str, Any] = field(default_factory=dict)
    # What is at work, by its place on the page; runs, the last one with what it was of; and what
    # was made last, by its name.
    work: dict[str, Any] = field(default_factory=dict)
    runs: Any = None
    fitted: Any = None
    made: dict[str, tuple[Hashable, Any]] = field(default_factory=dict)
    # Which tables of columns were used, by what was first fitted to each; which one opened by
    # itself; how often its grid began anew, and what columns were called in it.
    columns_used: dict[str, Any] = field(default_factory=dict)
    columns_open: str = ""
    columns_grid: tuple[int, tuple[str, ...]] = (0, ())
    # What the table at hand is called, what its columns are used for (`roles.Use`), and what they
    # are in words.
    table_name: str = ""
    use: Any = None
    titles: Mapping[str, str] = field(default_factory=dict)
    # What is counted of all this in bytes (`memory`).
    visit: Any = None
    # Explicit parameters that were refused, and why.
    refused_parameters: tuple[str, str] = ("", "")
    # An example with something to look for; the run that is doubted, and by how many starts.
    preset: Any = None
    opinion_asked: tuple[str, int] = ("", 0)
    # Starts that were pinned (`pins.Pin`).
    pins: list[Any] = field(default_factory=list)
    # Of lessons: the steps that were done, the page that the one at hand is on where it is to be
    # opened, and what is to be called when part of a page has changed a setting.
    lesson_done: set[tuple[str, int]] = field(default_factory=set)
    lesson_page: str | None = None
    heed: Callable[[], None] | None = None
    # The lesson that is made here (`own_lessons`): as in its file, whether the view at hand is to
    # be added, how many steps were made, what was wrong with the last file, and as it was shared;
    # other lessons of people, by name.
    draft: dict[str, Any] = field(
        default_factory=lambda: {"title": "", "about": "", "minutes": 5, "steps": []}
    )
    view_to_add: bool = False
    steps_made: int = 0
    lesson_complaint: str = ""
    lesson_shared: Any = None
    own_lessons: dict[str, Any] = field(default_factory=dict)
    # A lesson whose pictures are made to be saved as one file (`film`), and the last one made.
    film: Any = None
    filmed: Any = None
    # The drawing as the square to draw in has it, and how often that was told another.
    drawn_heard: str = ""
    drawn_wish: int = 0
    # The last that was done by hand to the means of a start.
    hand_heard: int = 0
    # The row marked last, and how often one was typed; how often a frame was asked for outside of
    # the player; the seed picked on a chart, and how often a search was asked for; how often a cell
    # of a grid was opened.
    row_marked: Any = None
    rows_typed: int = 0
    frames_asked: int = 0
    picked: Any = None
    calls: int = 1
    opened: int = 0
    # The half-step by which all rows of a data set on the server are labelled.
    all_rows_asked: str = ""
    # The grid that is begun though it takes long.
    grid_asked: str = ""
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


def widget_states() -> SafeSessionState:
    """All values of widgets by their ids, also of those that were not made yet."""
    context = get_script_run_ctx()
    assert context is not None, "it is called while a page runs"
    return context.session_state
