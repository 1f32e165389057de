"""What was chosen before: the last changes of settings, to be taken back and made again.

A step is what a person does between two runs of a page, or a table that is brought. What a page
puts right by itself belongs to the step before, and where one looks (the half-step, the view of the
player) to none. Nothing of it is in the link.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

from pages.ui.pictures.picture import View
from pages.ui.state.session import session
from pages.ui.state.settings import FIELDS, Settings

MOST_STEPS = 100
_LOOKS = {*View._fields, "details", "bare"}
_TRACKED = [
    name for name, about in FIELDS.items() if about.group != "moment" and name not in _LOOKS
]


@dataclass
class History:
    """past, future: settings, the nearest last. present: those of the last run of a page."""

    present: Settings
    past: deque[Settings] = field(default_factory=lambda: deque(maxlen=MOST_STEPS))
    future: deque[Settings] = field(default_factory=lambda: deque(maxlen=MOST_STEPS))

    def note(self, now: Settings) -> None:
        """Take a change that was made since the last run of a page as a step of its own."""
        if fields_between(self.present, now):
            self.past.append(self.present)
            self.future.clear()
        self.present = now

    def back(self, now: Settings) -> Settings:
        """The settings before the last step."""
        self.note(now)
        return self._gone(self.past, self.future)

    def forth(self, now: Settings) -> Settings:
        """The settings after the last step that was taken back."""
        self.note(now)
        return self._gone(self.future, self.past)

    def _gone(self, source: deque[Settings], left: deque[Settings]) -> Settings:
        if not source:
            return self.present
        looks = {name: getattr(self.present, name) for name in _LOOKS}
        left.append(self.present)
        self.present = replace(source.pop(), **looks)
        return self.present


def fields_between(before: Settings, after: Settings) -> list[str]:
    """The names of the fields that a step from one to the other changes."""
    return [name for name in _TRACKED if getattr(before, name) != getattr(after, name)]


def history() -> History:
    """That of the visit at work."""
    if session().history is None:
        session().history = History(_now())
    return session().history


def _now() -> Settings:
    settings = session().settings
    assert settings is not None, "pages run within the frame, which takes the settings of the link"
    return settings


def note() -> None:
    """As `History.note`: at the beginning of a run, and where a page takes a table."""
    history().note(_now())


def settle() -> None:
    """What a run of a page has changed by itself belongs to the last step."""
    history().present = _now()


def undo() -> None:
    """Take back the last step."""
    session().settings = history().back(_now())


def redo() -> None:
    """Make the step again that was taken back last."""
    session().settings = history().forth(_now())
