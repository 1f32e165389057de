"""Lessons that people make: as a file, and read again from whoever may have written it."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from pages.ui.lessons.lesson import Lesson, made
from pages.ui.text import number

MOST_BYTES = 1_000_000
MOST_STEPS = 100  # as a link counts them
LONGEST_TITLE, LONGEST_TEXT, LONGEST_CHOICE, LONGEST_LINK = 120, 2_000, 300, 20_000
MOST_CHOICES = 8
LARGEST = 2**63  # of whole numbers: TOML has no others
OWN = "own"  # what the lesson that is being made is called
TITLE = "A lesson"
# Several times what a lesson of `MOST_STEPS` steps has outside its texts, of what begins a key, its
# next part, a list, a table, another item or a line.
MOST_SIGNS = {"=": 3_000, ".": 300, "[": 1_000, "{": 500, ",": 3_000, "\n": 5_000}

_PLACE = re.compile(r"[a-z_]{0,40}")
# Texts and remarks of TOML. One that does not end goes on as far as it can: what has begun to be
# one is never gone over again.
TEXT = re.compile(
    r"""
    \#[^\n]*+
    | \"{3} (?: [^"\\] | \\. | "{1,2}(?!") )*+ (?: "{3,5} )?+
    | '{3} (?: [^'] | '{1,2}(?!') )*+ (?: '{3,5} )?+
    | " (?: [^"\\\n] | \\. )*+ "?+
    | ' [^'\n]*+ '?+
    """,
    re.VERBOSE | re.DOTALL,
)
_NO_LESSON = "This is no lesson of EM Explorer"


def read_own(content: bytes, name: str = OWN) -> tuple[Lesson, dict[str, Any]]:
    """A lesson from its file, and the file as a mapping to be changed.

    Raises ValueError with one sentence on what is wrong with it.
    """
    if len(content) > MOST_BYTES:
        raise ValueError(
            f"A lesson may take {number(MOST_BYTES / 1e6)} MB, and this file takes more."
        )
    try:
        text = content.decode("utf-8").replace("\r\n", "\n")
        _require_plain(text)
        whole = tomllib.loads(text)
    # What is nested deeper than Python goes, and numbers longer than it reads, too.
    except (ValueError, RecursionError):
        raise ValueError(f"{_NO_LESSON}: it cannot be read as TOML.") from None
    checked = _checked(whole)
    try:
        return made(name, checked, own=True), checked
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"{_NO_LESSON}: {error}.") from None


def written(whole: Mapping[str, Any]) -> bytes:
    """The file of a lesson."""
    lines = [f"{key} = {_value(whole[key])}" for key in ("title", "about", "minutes")]
    for step in whole["steps"]:
        lines += ["", "[[steps]]"]
        lines += [f"{key} = {_value(step[key])}" for key in step if key != "question"]
        if question := step.get("question"):
            lines += ["[steps.question]"]
            lines += [f"{key} = {_value(value)}" for key, value in question.items()]
    return ("\n".join(lines) + "\n").encode()


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):
        # Strings are written as in JSON but for a character that JSON leaves as it is.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    return json.dumps(value)


def _checked(whole: Mapping[str, Any]) -> dict[str, Any]:
    """What a lesson has, and nothing else, each of the kind and the size that it may have."""
    steps = whole.get("steps")
    if not isinstance(steps, list) or not steps:
        raise ValueError(f"{_NO_LESSON}: it has no steps.")
    if len(steps) > MOST_STEPS:
        raise ValueError(f"A lesson may have {MOST_STEPS} steps, and this one has {len(steps):,}.")
    minutes = whole.get("minutes", 5)
    if not isinstance(minutes, int) or not 0 < minutes < 1000:
        raise ValueError(f"{_NO_LESSON}: its minutes are not a number from 1 to 999.")
    return {
        "title": _text(whole, "title", LONGEST_TITLE, "it", TITLE),
        "about": _text(whole, "about", LONGEST_TEXT, "it", ""),
        "minutes": minutes,
        "steps": [_checked_step(step, f"step {number}") for number, step in enumerate(steps, 1)],
    }


def _checked_step(step: Any, where: str) -> dict[str, Any]:
    if not isinstance(step, dict):
        raise ValueError(f"{_NO_LESSON}: {where} is not one.")
    found: dict[str, Any] = {
        "page": _text(step, "page", 40, where, ""),
        "link": _text(step, "link", LONGEST_LINK, where, ""),
        "text": _text(step, "text", LONGEST_TEXT, where, ""),
    }
    looks_at = _text(step, "looks_at", 40, where, "")
    if not _PLACE.fullmatch(looks_at):
        raise ValueError(f"{_NO_LESSON}: {where} looks at what is no part of a page.")
    done = step.get("done", {})
    if not isinstance(done, dict) or not all(map(_is_kept, done.values())):
        raise ValueError(f"{_NO_LESSON}: what {where} waits for is not a list of settings.")
    found |= ({"looks_at": looks_at} if looks_at else {}) | ({"done": done} if done else {})
    if (question := step.get("question")) is not None:
        found["question"] = _checked_question(question, where)
    return found


def _is_kept(value: Any) -> bool:
    """Whether a file can say it again."""
    if isinstance(value, int):
        return abs(value) < LARGEST
    return isinstance(value, str) or (isinstance(value, float) and math.isfinite(value))


def _checked_question(question: Any, where: str) -> dict[str, Any]:
    choices = question.get("choices") if isinstance(question, dict) else None
    if not isinstance(choices, list) or not 2 <= len(choices) <= MOST_CHOICES:
        raise ValueError(
            f"{_NO_LESSON}: the question of {where} has not 2 to {MOST_CHOICES} choices."
        )
    numbered = {str(number): choice for number, choice in enumerate(choices, 1)}
    texts = [_text(numbered, number, LONGEST_CHOICE, where, "") for number in numbered]
    answer = _text(question, "answer", LONGEST_CHOICE, where, "")
    if len({*texts}) < len(texts) or "" in texts:
        raise ValueError(f"{_NO_LESSON}: the choices of {where} are empty or alike.")
    if answer not in texts:
        raise ValueError(f"{_NO_LESSON}: no choice of {where} is its answer.")
    return {
        "asked": _text(question, "asked", LONGEST_TEXT, where, ""),
        "choices": texts,
        "answer": answer,
        "why": _text(question, "why", LONGEST_TEXT, where, ""),
    }


def _text(of: Mapping[str, Any], name: str, longest: int, where: str, usual: str) -> str:
    value = of.get(name, usual)
    if not isinstance(value, str) or len(value) > longest:
        raise ValueError(f"{_NO_LESSON}: {where} has no {name} of at most {longest:,} characters.")
    return value


def _require_plain(text: str) -> None:
    """Raises ValueError for far more keys, parts of keys, lists and lines than a lesson has: TOML's
    reader takes time and memory by the square of some."""
    bare = TEXT.sub('""', text)
    if any(bare.count(sign) > most for sign, most in MOST_SIGNS.items()):
        raise ValueError("this is more than a lesson is made of")
