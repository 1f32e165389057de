"""What values a field of the settings takes, and how each kind of them is written in a link."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, Protocol

from pages.ui.tables.answers import LONGEST_IN_LINK, Reading
from pages.ui.tables.preparation.step import Step
from pages.ui.tables.preparation.table import read_steps, write_steps
from pages.ui.text import number, read_json


class Kind(Protocol):
    """What values a field takes, and how they are written in a link."""

    def read(self, text: str) -> tuple[Any, str]:
        """The value, and a complaint if the nearest valid value had to be taken, else "".

        Raises ValueError with the complaint where no value is near.
        """

    def write(self, value: Any) -> str: ...


def quoted(text: str, otherwise: str = "the value given") -> str:
    """`text` if it is harmless to repeat to a reader (messages are Markdown), else a stand-in."""
    return f"“{text}”" if re.fullmatch(r"[\w +-]{1,24}", text, re.ASCII) else otherwise


@dataclass(frozen=True)
class Choice:
    """One of a few words; `options` maps each to the words a person reads."""

    options: Mapping[str, str]

    def read(self, text: str) -> tuple[str, str]:
        if text in self.options:
            return text, ""
        raise ValueError(f"{quoted(text)} is not one of {', '.join(self.options)}")

    def write(self, value: str) -> str:
        return str(value)


@dataclass(frozen=True)
class Integer:
    """A whole number from `low` to `high`."""

    low: int
    high: int

    def read(self, text: str) -> tuple[int, str]:
        if not re.fullmatch(r"[+-]?[0-9]{1,30}", text):
            raise ValueError(f"{quoted(text)} is not a whole number")
        return clamped(int(text), self.low, self.high)

    def write(self, value: int) -> str:
        return str(int(value))


@dataclass(frozen=True)
class Number:
    """A finite number from `low` to `high`, written so that it round-trips to the last digit."""

    low: float
    high: float
    step: float  # of the buttons beside the number

    def read(self, text: str) -> tuple[float, str]:
        return clamped(_finite(text), self.low, self.high)

    def write(self, value: float) -> str:
        return repr(float(value))


@dataclass(frozen=True)
class YesNo:
    """On or off."""

    def read(self, text: str) -> tuple[bool, str]:
        if text not in ("0", "1"):
            raise ValueError(f"{quoted(text)} is neither 1 (on) nor 0 (off)")
        return text == "1", ""

    def write(self, value: bool) -> str:
        return str(int(value))


@dataclass(frozen=True)
class Text:
    """Free text, such as the name of a column; the whole of it must match `pattern`."""

    pattern: str = rf"(?s).{{0,{LONGEST_IN_LINK}}}"
    meaning: str = f"a text of at most {LONGEST_IN_LINK:,} characters"

    def read(self, text: str) -> tuple[str, str]:
        if not re.fullmatch(self.pattern, text):
            raise ValueError(f"this is not {self.meaning}")
        return text, ""

    def write(self, value: str) -> str:
        return str(value)


@dataclass(frozen=True)
class Names:
    """Several names, joined by commas (a comma in a name is written \\, and a backslash \\\\)."""

    most: int = 256
    longest: int = LONGEST_IN_LINK

    def read(self, text: str) -> tuple[tuple[str, ...], str]:
        found = re.finditer(r"((?:[^\\,]|\\.)*)(?:,|$)", text + ",", re.DOTALL)
        # One more than there may be tells of too many; the last match is the end of the text.
        parts = [name[1] for name in islice(found, self.most + 2)][:-1]
        names = tuple(re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL) for part in parts)
        if len(names) > self.most:
            return names[: self.most], f"only the first {self.most} names are used"
        if any(len(name) > self.longest for name in names):
            cut = tuple(name[: self.longest] for name in names)
            return cut, f"names have at most {self.longest} characters"
        return names, ""

    def write(self, value: tuple[str, ...]) -> str:
        return ",".join(re.sub(r"([\\,])", r"\\\1", str(name)) for name in value)


@dataclass(frozen=True)
class Points:
    """Points in the data's space: coordinates joined by commas, points by semicolons."""

    most: int = 50

    def read(self, text: str) -> tuple[tuple[tuple[float, ...], ...], str]:
        rows = text.split(";")
        points = tuple(tuple(map(_finite, row.split(","))) for row in rows[: self.most])
        if len({len(point) for point in points}) != 1:
            raise ValueError("the points do not all have the same number of coordinates")
        if len(rows) > self.most:
            return points, f"only the first {self.most} points are used"
        return points, ""

    def write(self, value: tuple[tuple[float, ...], ...]) -> str:
        return ";".join(",".join(repr(float(x)) for x in point) for point in value)


@dataclass(frozen=True)
class JsonObject:
    """A JSON object as compact text ("" for none). What is in it is the model's business."""

    def read(self, text: str) -> tuple[str, str]:
        try:
            members = read_json(text, parse_int=_whole)
            compact = json.dumps(members, separators=(",", ":"), allow_nan=False)
        except (ValueError, RecursionError):
            raise ValueError("this is not JSON with finite numbers") from None
        if not isinstance(members, dict):
            raise ValueError("this is not a JSON object, {...}")
        return compact, ""

    def write(self, value: str) -> str:
        return str(value)


@dataclass(frozen=True)
class Steps:
    """Steps of preparation, as a list in JSON ("" for none)."""

    def read(self, text: str) -> tuple[tuple[Step, ...], str]:
        try:
            return (read_steps(text) if text else ()), ""
        except ValueError:
            raise ValueError("this is not a list of steps of preparation") from None

    def write(self, value: tuple[Step, ...]) -> str:
        return write_steps(value)


class Result(NamedTuple):
    """The fingerprint of a result: log-likelihood in nats, a count, and by which em_core.

    count: the iterations of a fit, the starts that reached the best of many, the parameters of the
    model recommended.
    """

    log_likelihood: float
    count: int
    engine: str

    def same(self, other: Result) -> bool:
        """Whether both are one answer: elsewhere the last digits may be rounded otherwise."""
        return self.count == other.count and math.isclose(
            self.log_likelihood, other.log_likelihood, rel_tol=1e-9, abs_tol=1e-9
        )


@dataclass(frozen=True)
class Answers:
    """How a file is read, as a person has said: a `Reading`."""

    def read(self, text: str) -> tuple[Reading, str]:
        return Reading.from_text(text), ""

    def write(self, value: Reading) -> str:
        return value.text


@dataclass(frozen=True)
class Fingerprint:
    """A `Result`, or None: its parts joined by underscores."""

    def read(self, text: str) -> tuple[Result, str]:
        parts = re.fullmatch(r"([^_]*)_([0-9]{1,9})_([0-9.]{1,12})", text, re.ASCII)
        if parts is None:
            raise ValueError("this is not the fingerprint of a result")
        return Result(_finite(parts[1]), int(parts[2]), parts[3]), ""

    def write(self, value: Result) -> str:
        return f"{float(value.log_likelihood)!r}_{value.count}_{value.engine}"


def _whole(text: str) -> int:
    """A whole number of a JSON text, no larger than a number with a point may be."""
    number = int(text)
    if not math.isfinite(float(text)):
        raise ValueError("the number is too large")
    return number


def _finite(text: str) -> float:
    if not re.fullmatch(r"[-+.0-9eE]{1,40}", text):
        raise ValueError(f"{quoted(text)} is not a number")
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{quoted(text)} is not a number") from None
    if not math.isfinite(number):
        raise ValueError("the number is too large")
    return number


def clamped(value: float, low: float, high: float) -> tuple[Any, str]:
    nearest = min(max(value, low), high)
    limits = f"{number(low, 6)} to {number(high, 6)}"
    return nearest, "" if nearest == value else f"{number(value, 6)} is not from {limits}"
