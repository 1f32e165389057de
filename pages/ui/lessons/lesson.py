"""Lessons: steps that each show a view, say what to do there, and know when it is done.

A lesson is a file beside this one, or one that a person made (`own_lesson`). Its views are links as
`.github/LINKS.md` has them, and what counts as done is said of the settings.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from pages.ui.state.kinds import Integer, Number
from pages.ui.state.links import parse
from pages.ui.state.settings import FIELDS, Settings
from pages.ui.text import plain

FOLDER = Path(__file__).parent
PAGES = {
    "": "Explore",
    "local_optima": "Local optima",
    "model_selection": "How many?",
    "describe": "What are they?",
    "lower_bound": "The bound",
    "variants": "Relatives",
    "theory": "Theory",
}


class Question(NamedTuple):
    """A question with choices, of which one is right (from 0), and why it is."""

    asked: str
    choices: tuple[str, ...]
    answer: int
    why: str


class Step(NamedTuple):
    """One view. looks_at: the part of the page it speaks of, or a field; done: what the fields have
    to be, see `satisfied`."""

    text: str
    page: str
    settings: Settings
    looks_at: str
    done: Mapping[str, Any]
    question: Question | None


class Lesson(NamedTuple):
    """A lesson, by the name of its file. own: a person made it, and its texts are no Markdown."""

    name: str
    title: str
    about: str
    minutes: int
    steps: tuple[Step, ...]
    own: bool = False

    def words(self, text: str) -> str:
        """A text of it, as Markdown."""
        return plain(text) if self.own else text


@cache
def lessons() -> Mapping[str, Lesson]:
    """All lessons by name, in the order in which they are to be taken."""
    files = sorted(FOLDER.glob("*.toml"))
    found = [read(file.stem.partition("-")[2], file.read_text(encoding="utf-8")) for file in files]
    return {lesson.name: lesson for lesson in found}


def read(name: str, text: str) -> Lesson:
    """A lesson from the text of its file. Raises ValueError with what is wrong in it."""
    return made(name, tomllib.loads(text))


def made(name: str, whole: Mapping[str, Any], own: bool = False) -> Lesson:
    """A lesson from what its file holds. Raises ValueError with what is wrong in it."""
    steps = tuple(_step(about, number) for number, about in enumerate(whole["steps"], 1))
    return Lesson(name, whole["title"], whole["about"], whole["minutes"], steps, own)


def _step(about: Mapping[str, Any], number: int) -> Step:
    page = about.get("page", "")
    if page not in PAGES:
        raise ValueError(f"step {number} is on a page {page!r}, which there is not")
    settings, complaints = parse(dict(parse_qsl(about["link"])))
    if complaints:
        raise ValueError(f"the link of step {number}: {' '.join(complaints)}")
    done = about.get("done", {})
    if unknown := done.keys() - FIELDS.keys():
        raise ValueError(f"step {number} waits for {sorted(unknown)}, which are no settings")
    for field, wanted in done.items():
        if not _can_be_wanted(field, wanted):
            raise ValueError(f"step {number} waits for a {field} that there cannot be")
    asked = about.get("question")
    question = None
    if asked is not None:
        choices = tuple(asked["choices"])
        question = Question(asked["asked"], choices, choices.index(asked["answer"]), asked["why"])
    return Step(about["text"], page, settings, about.get("looks_at", ""), done, question)


def _can_be_wanted(field: str, wanted: Any) -> bool:
    """Whether a field can be told to be what a step waits for."""
    if not isinstance(wanted, str | int | float):
        return False
    if not isinstance(wanted, str) or not wanted.startswith(">="):
        return True
    about = FIELDS[field]
    numbers = isinstance(about.kind, Integer | Number)
    return numbers and (about.default is not None or field == "frame") and _is_number(wanted[2:])


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def satisfied(step: Step, settings: Settings) -> bool:
    """Whether the settings are what a step waits for.

    A field is to be "changed" from what it was, "chosen" where it was open, at the "end" of the
    half-steps, at least a number (">= 3"), or just so. What waits for nothing is done.
    """
    return all(
        _holds(getattr(settings, name), wanted, getattr(step.settings, name), name)
        for name, wanted in step.done.items()
    )


def _holds(value: Any, wanted: Any, at_first: Any, name: str) -> bool:
    if wanted == "changed":
        return value != at_first
    if wanted == "chosen":
        return value not in (None, "", ())
    if wanted == "end":
        return value is None
    if isinstance(wanted, str) and wanted.startswith(">="):
        least = float(wanted.removeprefix(">="))
        return (math.inf if name == "frame" and value is None else value) >= least
    return value == wanted
