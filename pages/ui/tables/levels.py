"""In which order the levels of a column stand: as they are declared, as a scale of answers has
them, or by number and alphabet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

# Answers of which each says more than the one before.
SCALES = tuple(
    tuple(scale.split(", "))
    for scale in (
        "no, not sure, don't know, maybe, yes",
        "false, true",
        "never, almost never, hardly ever, rarely, seldom, occasionally, sometimes, often, "
        "frequently, very often, usually, mostly, almost always, nearly always, always",
        "not at all, hardly, a little, slightly, somewhat, moderately, quite, quite a bit, a lot, "
        "very, very much, extremely",
        "none, very mild, mild, moderate, severe, very severe",
        "very poor, poor, fair, average, good, very good, excellent",
        "very low, low, medium, moderate, high, very high",
        "tiny, small, medium, large, huge",
        "xs, s, m, l, xl, xxl",
        "much worse, worse, slightly worse, the same, same, slightly better, better, much better",
        "child, young, middle-aged, adult, old",
        "none, primary, secondary, tertiary",
        "monday, tuesday, wednesday, thursday, friday, saturday, sunday",
        "mon, tue, wed, thu, fri, sat, sun",
        "january, february, march, april, may, june, july, august, september, october, november, "
        "december",
        "jan, feb, mar, apr, may, jun, jul, aug, sep, oct, nov, dec",
        "spring, summer, autumn, fall, winter",
    )
)
# Answers of two directions: how far, then which way. Without an adverb they are between the two.
_STRENGTHS: dict[str, int] = {
    **dict.fromkeys(("extremely", "completely", "totally", "fully"), 5),
    **dict.fromkeys(("very", "strongly", "definitely", "highly"), 4),
    "": 3,
    **dict.fromkeys(
        ("moderately", "mostly", "rather", "quite", "fairly", "probably", "tend to"), 2
    ),
    **dict.fromkeys(("slightly", "somewhat", "a little", "partly", "mildly"), 1),
}
_DIRECTIONS: dict[str, int] = {
    word: sign
    for sign, words in (
        (-1, "disagree inaccurate dissatisfied unlikely unimportant negative bad unhappy untrue "
             "false uncomfortable difficult never no oppose weak"),
        (1, "agree accurate satisfied likely important positive good happy true comfortable easy "
            "always yes support strong"),
    )
    for word in words.split()
}  # fmt: skip
_BETWEEN = re.compile(r"(neither|neutral|undecided|unsure|no opinion|mixed)\b.*")
_TWO_WAYS = re.compile(rf"(?:({'|'.join(filter(None, _STRENGTHS))}) )?({'|'.join(_DIRECTIONS)})")


def coded(column: pd.Series) -> tuple[np.ndarray, tuple[str, ...]]:
    """The place of every cell's level (N,), NaN where it is missing, and what the levels are
    called."""
    declared = isinstance(column.dtype, pd.CategoricalDtype) and column.dtype.ordered
    cells = column.astype("category").cat.remove_unused_categories()
    if not declared:
        cells = cells.cat.reorder_categories(in_order(cells.cat.categories))
    codes = np.where(cells.isna(), np.nan, cells.cat.codes.astype(float))
    return codes, tuple(map(str, cells.cat.categories))


def in_order(levels: Sequence[Any]) -> list[Any]:
    """Numbers by their size; answers as their scale has them; other text by the alphabet, numbers
    in it by their size, capitals or not."""
    levels = list(levels)
    if not all(isinstance(level, str) for level in levels):
        return sorted(levels)
    answers = {
        level: " ".join(level.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())
        for level in levels
    }
    for scale in SCALES:
        if set(answers.values()) <= set(scale):
            return sorted(levels, key=lambda level: scale.index(answers[level]))
    found = ((level, _place(answer)) for level, answer in answers.items())
    places = {level: place for level, place in found if place is not None}
    if len(set(places.values())) == len(levels) > 1:
        return sorted(levels, key=lambda level: places[level])
    return sorted(levels, key=_natural)


def _place(answer: str) -> int | None:
    """How far from the middle of a scale of two directions; None for what is none."""
    if _BETWEEN.fullmatch(answer):
        return 0
    found = _TWO_WAYS.fullmatch(answer)
    return _STRENGTHS[found[1] or ""] * _DIRECTIONS[found[2]] if found else None


def _natural(text: str) -> tuple:
    parts = re.split(r"(\d+)", text.casefold())
    return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p), text


def tidy(level: Any) -> str:
    """A level without needless spaces."""
    return " ".join(str(level).split())
