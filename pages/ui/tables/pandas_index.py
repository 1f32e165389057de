"""What pandas calls the rows of a Parquet or Arrow file without a column for it: a range."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

_KEY = b"pandas"
_LARGEST = 2**63


class Range(NamedTuple):
    """Numbers of rows that a file says in a few words."""

    name: str  # "" for none
    start: int
    step: int
    rows: int

    @property
    def last(self) -> int:
        return self.start + self.step * (self.rows - 1)

    def column(self) -> pd.Series:
        numbers = self.start + self.step * np.arange(self.rows, dtype=np.int64)
        return pd.Series(numbers, dtype="Int64")

    def told(self, name: str) -> str:
        """name: what the column is called here."""
        return f"What the rows are called, {self.start} to {self.last}, is the column {name!r}."


def range_index(metadata: Mapping[bytes, bytes] | None) -> list[Range]:
    """The range that the metadata of a schema say, if they say one that does more than count the
    rows from 0."""
    try:
        whole = json.loads((metadata or {}).get(_KEY, b"{}"))
    except (ValueError, RecursionError):  # it is not what holds the rows
        return []
    indexes = whole.get("index_columns") if isinstance(whole, dict) else None
    found = indexes[0] if isinstance(indexes, list) and indexes else None
    if not isinstance(found, dict) or found.get("kind") != "range":
        return []
    start, stop, step = (found.get(key) for key in ("start", "stop", "step"))
    if not (_is_whole(start) and _is_whole(stop) and _is_whole(step) and step):
        return []
    name = found.get("name")
    if name is None and start == 0 and step == 1:
        return []
    return [
        Range("" if name is None else str(name), start, step, max(-((start - stop) // step), 0))
    ]


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST
