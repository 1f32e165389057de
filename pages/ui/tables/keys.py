"""Columns of numbers or texts that say which row it is, or where or when, and measure nothing.

They can be used all the same: by whoever chooses them. Values tell most of it; a name tells the
rest, and never alone.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

ROW_NUMBERS = "row numbers"
SAME = "one value only"
DATES = "dates written as numbers"
YEARS = "years"
POSTAL = "postal codes"
TELEPHONE = "telephone numbers"
CODES = "codes of five or more digits that recur"
NUMBERED = "an identifier: every row has another whole number"
NAMED = "an identifier: every row has another text"
WHOSE = "an identifier: it says whose a row is"

FEWEST_ROWS = 8  # of which all being different says something
CHANCE = 0.01  # of as many whole numbers drawn from as wide a range being all different
FEWEST_OWNERS = 5
FEWEST_DIGITS = 5  # of a number that is written like a key
NEARLY_ALL = 0.95

_IDENTIFIER = re.compile(
    r"\b(ids?|identifier|key|uuid|guid|kennung|kennziffer|nummer|nr|no|num|number(?! of)|"
    r"respondent|participant|proband|subject|person|customer|kunde|kundin|client|patient|"
    r"account|konto|matricule|numero|caseid|ssn|isbn|ean|barcode|imei)\b",
    re.IGNORECASE,
)
# Others of these words count something as often as they name it.
_OWNER = re.compile(
    r"\b(ids?|identifier|respondent|participant|proband|subject|person|customer|client|patient|"
    r"caseid|animal)\b",
    re.IGNORECASE,
)
_POSTAL = re.compile(
    r"\b(zip|zip ?codes?|post(al)? ?codes?|plz|postleitzahl|cap|code postal|pin ?code)\b",
    re.IGNORECASE,
)
_TELEPHONE = re.compile(r"\b(tele)?(phone|fon|fax|mobile|handy|tel|cell)\b", re.IGNORECASE)
_YEAR = re.compile(r"\b(years?|jahr|jahre|année|annee|año|ano|anno|yr|fiscal)\b", re.IGNORECASE)


def _begins_as_a_number(texts: pd.Series) -> bool:
    """Whether any of these texts does."""
    found = pc.match_substring_regex(pa.array(texts, pa.string()), r"^\s*[-+.]?\d")
    return bool(pc.any(found).as_py())


def why_no_measurement(name: str, column: pd.Series, values: np.ndarray) -> str:
    """What a column of numbers or texts holds that nothing should be clustered by unasked, in few
    words; "" where nothing speaks against it.

    values: of a column of numbers its finite values (N,); of texts, empty.
    """
    words = re.sub(r"[_\W]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
    if not len(values):
        present = column.dropna()
        texts = pd.api.types.is_string_dtype(column) and len(present) >= FEWEST_ROWS
        different = texts and present.nunique() >= NEARLY_ALL * len(present)
        return NAMED if different and not _begins_as_a_number(present) else ""
    if (values == values[0]).all():
        return SAME
    if not (values == np.floor(values)).all():
        return ""
    if len(values) == len(column) >= 3 and (np.diff(values) == 1).all():
        return ROW_NUMBERS
    distinct, counts = np.unique(values, return_counts=True)
    if are_dates(distinct):
        return DATES
    if _are_years(words, values, distinct):
        return YEARS
    if _POSTAL.search(words) and distinct[0] >= 0:
        return POSTAL
    digits = _digits(distinct)
    if digits.min() >= 6 and (_TELEPHONE.search(words) or 10 <= digits.min() <= 15):
        return TELEPHONE
    unrounded = bool((distinct % 10).any())
    of_one_length = digits.min() == digits.max() >= FEWEST_DIGITS and distinct[0] > 0
    if counts.max() == 1:
        named = _IDENTIFIER.search(words) and distinct[0] >= 0
        keys = of_one_length and unrounded and len(values) >= FEWEST_ROWS
        return NUMBERED if named or keys or _are_no_chance(distinct) else ""
    repeated = 2 * len(distinct) <= len(values) >= FEWEST_ROWS
    if repeated and len(distinct) >= FEWEST_OWNERS and distinct[0] >= 0 and _OWNER.search(words):
        return WHOSE
    return CODES if of_one_length and unrounded and repeated else ""


def are_dates(distinct: np.ndarray) -> bool:
    """Whether all numbers are dates of 1800 to 2100 written as yyyymmdd."""
    if not (distinct[0] >= 18000101 and distinct[-1] <= 21001231):
        return False
    month, day = distinct // 100 % 100, distinct % 100
    return bool(((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)).all())


def _are_years(words: str, values: np.ndarray, distinct: np.ndarray) -> bool:
    """Whether all numbers are years, by name, or because they go up by ones without a gap."""
    if not (distinct[0] >= 1500 and distinct[-1] <= 2200):
        return False
    steps = np.diff(values)
    counts_on = len(distinct) >= 3 and (np.diff(distinct) == 1).all()
    in_order = bool((steps >= 0).all() or (steps <= 0).all())
    return bool(_YEAR.search(words)) or bool(counts_on and in_order)


def _digits(distinct: np.ndarray) -> np.ndarray:
    return np.floor(np.log10(np.maximum(np.abs(distinct), 1))).astype(int) + 1


def _are_no_chance(distinct: np.ndarray) -> bool:
    """Whether so many different numbers in so narrow a range can hardly be measured."""
    number, width = len(distinct), distinct[-1] - distinct[0] + 1
    if number < FEWEST_ROWS:
        return False
    log_chance = np.log1p(-np.arange(number) / width).sum()
    return bool(log_chance < np.log(CHANCE))
