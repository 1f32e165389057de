"""What a person says about how a file is to be read, where the file itself leaves it open."""

from __future__ import annotations

import json
from collections.abc import Callable, Container
from typing import Any, NamedTuple

from pages.ui.text import read_json

# Python's names, and what a person calls them.
ENCODINGS = {
    "utf-8": "UTF-8",
    "cp1252": "Western European (Windows)",
    "iso8859-15": "Western European (ISO)",
    "mac-roman": "Western European (old Mac)",
    "cp437": "Western European (DOS)",
    "cp1250": "Central European (Windows)",
    "cp1251": "Cyrillic (Windows)",
    "koi8-r": "Cyrillic (KOI8)",
    "cp1253": "Greek (Windows)",
    "cp1254": "Turkish (Windows)",
    "cp1255": "Hebrew (Windows)",
    "cp1256": "Arabic (Windows)",
    "shift-jis": "Japanese (Shift JIS)",
    "gb18030": "Chinese (GB 18030)",
    "big5": "Chinese (Big5)",
    "euc-kr": "Korean (EUC-KR)",
    "utf-16": "UTF-16",
}
MARKS = (".", ",", "both")
LIMITS = ("missing", "limit", "half")
_MOST_COLUMNS = 1_000
LONGEST_IN_LINK = 10_000  # characters of a name


class Reading(NamedTuple):
    """Answers to what a file leaves open; what was not asked, or not answered, is empty.

    Lines are counted from 1 as they stand in the file, rows of a sheet too.
    """

    encoding: str = ""  # of ENCODINGS
    sheet: str = ""
    header: int | None = None  # the first line of column names; 0 where there is none
    header_lines: int | None = None
    first: int | None = None  # the line of the first row of data
    last: int | None = None  # and of the last
    # Of columns: the decimal mark (one of MARKS); what "<0.5" becomes (one of LIMITS); where a word
    # such as NA is an answer.
    marks: tuple[tuple[str, str], ...] = ()
    limits: tuple[tuple[str, str], ...] = ()
    answers: tuple[str, ...] = ()

    @classmethod
    def from_text(cls, text: str) -> Reading:
        """What `text` made JSON of. Raises ValueError with a clause where it is none."""
        try:
            members = read_json(text or "{}")
            if not isinstance(members, dict):
                raise TypeError(f"{type(members).__name__} is no object")
            return cls(**{name: _CHECKS[name](value) for name, value in members.items()})
        except (ValueError, TypeError, KeyError, RecursionError):
            raise ValueError("this does not say how a file is read") from None

    @property
    def begins(self) -> int | None:
        """The line where the table begins."""
        return self.header or (self.first if self.header == 0 else None)

    @property
    def text(self) -> str:
        """As compact JSON; "" where nothing was said."""
        members = {
            name: dict(value) if name in ("marks", "limits") else value
            for name, value in self._said.items()
        }
        return json.dumps(members, ensure_ascii=False, separators=(",", ":")) if members else ""

    @property
    def code(self) -> str:
        """As the Python that makes it."""
        return f"Reading({', '.join(f'{name}={value!r}' for name, value in self._said.items())})"

    @property
    def _said(self) -> dict[str, Any]:
        return {
            name: value
            for name, value in self._asdict().items()
            if value != Reading._field_defaults[name]
        }


# Nothing is said.
AS_IT_IS = Reading()


def answered(pairs: tuple[tuple[str, str], ...], column: str, answer: str) -> tuple:
    """The answers on columns with another one, in the place of that there was."""
    return tuple(sorted((dict(pairs) | {column: answer}).items()))


def _line(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 10**9:
        raise ValueError(f"{value!r} is no line")
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_IN_LINK:
        raise ValueError(f"{value!r} is no name")
    value.encode()  # half a character is no text
    return value


def _one_of(allowed: Container[str]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"{value!r} is no choice")
        return value

    return check


def _by_column(allowed: Container[str]) -> Callable[[Any], tuple[tuple[str, str], ...]]:
    check = _one_of(allowed)

    def pairs(value: Any) -> tuple[tuple[str, str], ...]:
        if not isinstance(value, dict) or len(value) > _MOST_COLUMNS:
            raise ValueError(f"{value!r} is no answer by column")
        return tuple(sorted((_name(name), check(answer)) for name, answer in value.items()))

    return pairs


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MOST_COLUMNS:
        raise ValueError(f"{value!r} is no list of names")
    return tuple(sorted(set(map(_name, value))))


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "encoding": _one_of(ENCODINGS),
    "sheet": _name,
    **dict.fromkeys(("header", "header_lines", "first", "last"), _line),
    "marks": _by_column(MARKS),
    "limits": _by_column(LIMITS),
    "answers": _names,
}
