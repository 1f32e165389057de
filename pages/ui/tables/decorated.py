"""Numbers that have something beside them: a unit, a currency, brackets for a minus, a limit."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pages.ui.tables import cells
from pages.ui.tables.cells import DASHES, Cells
from pages.ui.tables.units import CURRENCIES, is_unit

_GAP = "[\\s\u00a0\u202f\u2009]*"
_NUMBER = "[0-9](?:[0-9.,'\u2019\u00a0\u202f\u2009 ]*[0-9.,])?|\\.[0-9]+"
# What ends in a point would leave it to the number.
_BEFORE = rf"(?:Rs|Fr|kr)\.|[^0-9\s.,+()<>={DASHES}-]{{0,4}}"
_DECORATED = (
    rf"^(?P<open>\(?){_GAP}(?P<sign>[{DASHES}+-]?){_GAP}(?P<before>{_BEFORE}){_GAP}"
    rf"(?P<minus>[{DASHES}-]?)(?P<number>{_NUMBER})(?P<gap>{_GAP})(?P<after>[^0-9\s().,+<>=-][^()<>=]*?)?"
    rf"{_GAP}(?P<close>\)?)$"
)
LESS, MORE = "<\u2264", ">\u2265"
_SIGNS = f"^[{LESS}{MORE}]=?{_GAP}"
_LIMIT = f"{_SIGNS}({_NUMBER})$"
_BELOW = f"^[{LESS}]"
# Below what could be measured, with no number said.
_NOT_DETECTED = (
    r"(?i)^(n\.? ?[dn]\.?|<? ?(lod|loq|mdl|bdl|bql)|not detected|below detection( limit)?)$"
)
# They would be picometres.
_OF_THE_CLOCK = {"am", "pm", "AM", "PM"}
_FOOTNOTES = {*"*\u2020\u2021#"}
_LOOKED_AT = 20
_LONGEST = 100  # characters of a number and what stands beside it


class Undecorated(NamedTuple):
    """Numbers without what stood beside them. negative: how many stood in brackets."""

    cells: Cells
    unit: str
    negative: int


class Limited(NamedTuple):
    """Numbers without their signs for "less than" and "more than", and where these stood.

    words: cells that say no number, missing now. samples: of both, as they stand.
    """

    cells: Cells
    below: np.ndarray
    above: np.ndarray
    words: int
    samples: tuple[str, ...]


def is_decorated(text: str) -> bool:
    """Whether a cell is a number with something beside it."""
    if len(text) > _LONGEST:
        return False
    if re.match(_LIMIT, text):
        return True
    found = re.match(_DECORATED, text)
    if found is None:
        return False
    before, after = found["before"], found["after"] or ""
    if before:
        return before in CURRENCIES and not after
    if after:
        marked = "." in text or "," in text
        return _may_follow(after, bool(found["gap"]), marked) or {*after} <= _FOOTNOTES
    return bool(found["open"] and found["close"])


def undecorated(shape: cells.Shapes) -> Undecorated | None:
    """The numbers of a column in which each stands beside the same unit; None for other columns."""
    present = shape.cells.filter(pc.invert(shape.missing))
    looked_at = [
        len(cell) <= _LONGEST and re.match(_DECORATED, cell)
        for cell in present.slice(0, _LOOKED_AT).to_pylist()
    ]
    if not looked_at or not all(looked_at):
        return None
    parts = pc.extract_regex(shape.cells, _DECORATED)
    if pc.sum(pc.and_(pc.is_null(parts), pc.invert(shape.missing))).as_py():
        return None
    fields = {
        name: pc.fill_null(pc.struct_field(parts, name), "")
        for name in ("open", "sign", "before", "minus", "number", "gap", "after", "close")
    }
    there = pc.invert(shape.missing)
    before = _only(fields["before"].filter(there))
    after = _only(fields["after"].filter(there))
    brackets = pc.equal(fields["open"], "(")
    if before is None or after is None or (before and after):
        return None
    if before and before not in CURRENCIES:
        return None
    if after:
        apart = pc.all(pc.not_equal(fields["gap"].filter(there), "")).as_py()
        marked = pc.any(pc.match_substring_regex(present, "[.,]")).as_py()
        if not _may_follow(after, apart, marked):
            return None
    if not pc.all(pc.equal(brackets, pc.equal(fields["close"], ")"))).as_py():
        return None
    negative = pc.sum(brackets).as_py() or 0
    if not (before or after or negative):
        return None
    signs = pc.binary_join_element_wise(fields["sign"], fields["minus"], "")
    if pc.any(pc.and_(brackets, pc.not_equal(signs, ""))).as_py():
        return None
    signs = pc.if_else(brackets, "-", pc.replace_substring_regex(signs, f"[{DASHES}]", "-"))
    numbers = pc.binary_join_element_wise(signs, fields["number"], "")
    return Undecorated(pc.if_else(shape.missing, "", numbers), before or after, negative)


def _only(texts: Cells) -> str | None:
    """The one text that all cells hold."""
    different = pc.unique(texts)
    return different[0].as_py() if len(different) == 1 else None


def _may_follow(unit: str, apart: bool, marked: bool) -> bool:
    """Whether a text behind numbers is their unit. apart: whether a space stands between; marked:
    whether a number among them has a point or comma."""
    if not is_unit(unit) or unit in _OF_THE_CLOCK:
        return False
    # `3A` and `3B` are names of things: a letter alone is a unit behind decimals or a space.
    return apart or len(unit) > 1 or not unit.isalpha() or marked


def limited(shape: cells.Shapes) -> Limited | None:
    """The numbers of a column in which some are said to be less or more than; None without."""
    if not any(pc.any(pc.starts_with(shape.cells, sign)).as_py() for sign in LESS + MORE):
        return None
    at_limit = pc.match_substring_regex(shape.cells, _LIMIT)
    if not pc.any(at_limit).as_py():
        return None
    words = pc.match_substring_regex(shape.cells, _NOT_DETECTED)
    below = pc.and_(at_limit, pc.match_substring_regex(shape.cells, _BELOW)).to_numpy()
    above = at_limit.to_numpy() & ~below
    without = pc.if_else(at_limit, pc.replace_substring_regex(shape.cells, _SIGNS, ""), shape.cells)
    samples = [
        found[0].as_py()
        for mask in (pa.chunked_array([below]), pa.chunked_array([above]), words)
        if len(found := shape.cells.filter(mask))
    ]
    without = pc.if_else(words, "", without)
    return Limited(without, below, above, pc.sum(words).as_py() or 0, tuple(samples))


def at_limits(values: pd.Series, found: Limited, answer: str) -> pd.Series:
    """The numbers as a person has said: "missing", the "limit", or "half" of it where they are
    less."""
    changed = values.to_numpy(dtype=float, na_value=np.nan, copy=True)
    if answer == "missing":
        changed[found.below | found.above] = np.nan
    elif answer == "half":
        changed[found.below] /= 2
    return pd.Series(changed)
