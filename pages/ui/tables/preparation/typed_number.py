"""A number as a person types it."""

import re

import numpy as np


def typed_number(text: str) -> int | float:
    """Also with a decimal comma, unless it may stand between thousands; whole ones exactly, which
    may be longer than what a double holds. Raises ValueError."""
    text = text.strip().replace("\u2212", "-")
    if re.fullmatch("[+-]?[0-9]{1,19}", text) and abs(int(text)) < 2**63:
        return int(text)
    if re.fullmatch(r"[+-]?(\d*,\d{1,2}|\d*,\d{4,}|0+,\d{3})", text):
        text = text.replace(",", ".")
    number = float(text)
    if np.isnan(number) or "_" in text:
        raise ValueError
    return number
