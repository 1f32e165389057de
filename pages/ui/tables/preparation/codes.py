"""Codes and words in a table that more likely stand for a missing value than for an answer.

They are pointed out, never acted on: a 9 may be a 9.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pages.ui.tables import cells
from pages.ui.tables.cells_again import holds_texts
from pages.ui.tables.preparation.missing import Missing, holders
from pages.ui.tables.table import Table

# What survey programs write besides repeated sevens, eights and nines.
_ENDS = (96, 97, 98, 996, 997, 998, 9996, 9997, 9998)
HIGH = frozenset((*_ENDS, *(int(digit * times) for digit in "789" for times in range(1, 10))))
LOW = frozenset((*range(-9, 0), *(-code for code in HIGH)))
WORDS = frozenset(
    (
        *("-", "--", "---", "*", "/", "#null!", "#n/d", "#value!", "#div/0!", "#ref!", "(null)"),
        *("missing", "missing value", "no answer", "none given", "not given", "not available"),
        *("not applicable", "not asked", "not stated", "refused", "refusal", "refused to answer"),
        *("declined", "unknown", "prefer not to say", "prefer not to answer"),
        *("n.a.", "n.d.", "n.r.", "nd", "n/d", "nk", "dk", "d/k"),
        *("keine angabe", "k.a.", "k. a.", "ka", "weiß nicht", "weiss nicht", "verweigert"),
        *("sans réponse", "sin respuesta", "no contesta"),
    )
)
ELSEWHERE = 2  # columns in which a code is one, to be looked for in others
MOST_ON_A_SCALE = 10  # of answers; a code above is none of them
MOST_LEVELS = 30  # of whole numbers that may be a scale
MOST_WORDS = 6  # different ones in a column of numbers
LEAST_NUMBERS = 0.5  # of the cells of a column that is one of numbers but for some words


class Found(NamedTuple):
    """A code or a word, and in how many cells of which columns it seems to stand for missing."""

    code: str
    columns: tuple[str, ...]
    cells: int
    everywhere: bool  # whether no other column holds it


def find_codes(table: Table) -> tuple[Found, ...]:
    """The codes and words that seem to stand for missing, those of the most cells first."""
    where: dict[str, dict[str, int]] = {}
    waiting = {question.column for question in table.questions}
    for name, column in table.frame.drop(columns=list(waiting & {*table.frame})).items():
        for code, count in _of_column(column).items():
            where.setdefault(code, {})[str(name)] = count
    further = [code for code, counts in where.items() if len(counts) >= ELSEWHERE]
    ends = _ends_of(table, waiting) if further else {}
    for code in further:
        where[code] |= _outermost(code, ends, where[code])
    # In how many columns there are codes must not matter for each of them.
    held = holders(table.frame, tuple(where))
    found = [
        # Whether counting the code as missing in all columns alike takes no other cell away.
        Found(code, tuple(counts), sum(counts.values()), held[code] <= counts.keys())
        for code, counts in where.items()
    ]
    return tuple(sorted(found, key=lambda one: -one.cells))


def declared(found: tuple[Found, ...]) -> tuple[Missing, ...]:
    """The steps that count all of these as missing: in all columns where no other holds them."""
    everywhere = tuple(one.code for one in found if one.everywhere)
    steps = [Missing(everywhere)] if everywhere else []
    some: dict[tuple[str, ...], list[str]] = {}
    for one in found:
        if not one.everywhere:
            some.setdefault(one.columns, []).append(one.code)
    return (*steps, *(Missing(tuple(codes), columns) for columns, codes in some.items()))


def _ends_of(table: Table, waiting: Collection[str]) -> dict[str, dict[float, int]]:
    """The smallest and the largest number of each column of numbers, with their cells. waiting:
    columns that are left out until something is answered."""
    found = {}
    for name, column in table.frame.items():
        if name in waiting or not pd.api.types.is_numeric_dtype(column):
            continue
        values = column.to_numpy(dtype=float, na_value=np.nan)
        values = values[np.isfinite(values)]
        if len(values):
            ends = values.min(), values.max()
            found[str(name)] = {float(end): int((values == end).sum()) for end in ends}
    return found


def _outermost(
    code: str, ends: Mapping[str, Mapping[float, int]], others: Collection[str]
) -> dict[str, int]:
    """Further columns of numbers in which a code is the smallest or the largest, with its cells: as
    near to the rest as there it would be none by itself."""
    value = float(code) if re.fullmatch(r"-?[0-9]+", code) else np.nan
    if not (value < 0 or value > MOST_ON_A_SCALE):
        return {}
    return {
        name: cells[value] for name, cells in ends.items() if value in cells and name not in others
    }


def _of_column(column: pd.Series) -> dict[str, int]:
    """Codes or words of one column, each with the number of its cells."""
    if pd.api.types.is_bool_dtype(column):
        return {}
    if pd.api.types.is_numeric_dtype(column):
        values = column.to_numpy(dtype=float, na_value=np.nan)
        return _far_numbers(values[np.isfinite(values)])
    return _words(column.dropna()) if holds_texts(column) else {}


def _far_numbers(values: np.ndarray) -> dict[str, int]:
    """Numbers used as codes that are far outside the rest."""
    if not len(values) or not (values.max() in HIGH or values.min() in LOW):
        return {}
    distinct, counts = np.unique(values, return_counts=True)
    return {
        str(int(distinct[i])): int(counts[i])
        for i in np.flatnonzero(_coded(distinct))
        # The end of a tail of counts stands once.
        if counts[i] > 1 or not 0 < distinct[i] < 10
    }


def _coded(distinct: np.ndarray) -> np.ndarray:
    """Which of these numbers, sorted, are codes: the outermost ones that programs use as such, as
    far from the rest as the rest is wide, or the only negative ones."""
    number = len(distinct)
    high = low = 0
    for tail in range(_run(distinct[::-1], HIGH), 0, -1):
        if _apart(distinct[: number - tail], distinct[number - tail]):
            high = tail
            break
    inner = distinct[: number - high]
    for head in range(_run(inner, LOW), 0, -1):
        rest = inner[head:]
        if _apart(rest, inner[head - 1]) or _only_negative(rest, inner[head - 1]):
            low = head
            break
    found = np.zeros(number, bool)
    found[:low], found[number - high :] = True, True
    return found


def _run(numbers: np.ndarray, codes: frozenset[int]) -> int:
    """How many numbers from the first on are codes."""
    count = 0
    while count < len(numbers) and numbers[count] in codes:
        count += 1
    return count


def _apart(rest: np.ndarray, code: float) -> bool:
    if len(rest) < 2:
        return False
    width = rest[-1] - rest[0]
    gap = max(code - rest[-1], rest[0] - code)
    # On a scale of 1 to 5 a 9 is far, a 7 is not; of 0 and 1, nothing below 3 is.
    return gap >= max(width, 2)


def _only_negative(rest: np.ndarray, code: float) -> bool:
    """Whether a code is negative where nothing else is, on a scale that has no such side."""
    return len(rest) >= 3 and bool(rest[0] > 0 or (rest[0] == 0 and code < -1))


def _words(present: pd.Series) -> dict[str, int]:
    """Words in a column that holds numbers besides, and known ones in a column of levels."""
    counts = present.str.strip().value_counts()
    texts = pa.chunked_array([pa.array(counts.index.tolist(), pa.string())])
    numeric = np.asarray(pc.fill_null(cells.is_number(texts), False).to_numpy(), bool)
    words = counts[~numeric]
    said = np.asarray(pc.is_in(pc.utf8_lower(texts), pa.array(sorted(WORDS))), bool)
    known = {str(word): int(count) for word, count in counts[~numeric & said].items()}
    if not numeric.any():
        return known if len(counts) <= MOST_LEVELS else {}
    if counts[numeric].sum() < LEAST_NUMBERS * len(present):
        return known
    if len(words) > MOST_WORDS or any(any(map(str.isdigit, str(w))) for w in words.index):
        return known
    return {str(word): int(count) for word, count in words.items()}
