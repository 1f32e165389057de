"""Points drawn by hand in a square from 0 to 10, and the short text that holds them in a link."""

from __future__ import annotations

import base64
import hashlib

import numpy as np
import pandas as pd

from pages.ui.tables.table import Table

SIDE = 10.0
MOST_POINTS = 500
COLUMNS = ("x", "y")
# A number is one of 0 to 4000, in 12 bits; a point is two of them, in four letters.
_STEPS = 4000
_LETTERS = 4
MOST_LETTERS = _LETTERS * MOST_POINTS
_MARGIN = 0.05  # of the square, around points of a table


def points_of(text: str) -> np.ndarray:
    """(N, 2) the points that a text holds; an unfinished last one is left out."""
    whole = text[: len(text) // _LETTERS * _LETTERS]
    raw = np.frombuffer(base64.urlsafe_b64decode(whole), dtype=np.uint8).reshape(-1, 3).astype(int)
    numbers = np.stack([raw[:, 0] << 4 | raw[:, 1] >> 4, (raw[:, 1] & 15) << 8 | raw[:, 2]], axis=1)
    return np.minimum(numbers, _STEPS) * (SIDE / _STEPS)


def text_of(points: np.ndarray) -> str:
    """The text that holds points (N, 2) of the square, the first of them where they are many."""
    numbers = np.clip(np.rint(points[:MOST_POINTS] * (_STEPS / SIDE)), 0, _STEPS).astype(int)
    x, y = numbers[:, 0], numbers[:, 1]
    raw = np.stack([x >> 4, (x & 15) << 4 | y >> 8, y & 255], axis=1).astype(np.uint8)
    return base64.urlsafe_b64encode(raw.tobytes()).decode()


def table_of(text: str) -> Table | None:
    """The points as a table; None where there are none."""
    points = points_of(text)
    if not len(points):
        return None
    digest = hashlib.sha256(b"drawn " + text.encode()).hexdigest()
    frame = pd.DataFrame(points, columns=list(COLUMNS))
    facts = ("Drawn by hand, in a square from 0 to 10.", f"{len(frame):,} rows, 2 columns.")
    return Table("Drawn points", frame, facts, digest, known=True)


def in_the_square(values: np.ndarray) -> np.ndarray:
    """(n, 2) rows of (N, 2), moved and stretched into the square: evenly chosen where they are
    many, without those that miss a value."""
    rows = values[np.isfinite(values).all(axis=1)]
    if len(rows) > MOST_POINTS:
        rows = rows[np.linspace(0, len(rows) - 1, MOST_POINTS).round().astype(int)]
    if not len(rows):
        return rows
    low, span = rows.min(axis=0), np.ptp(rows, axis=0)
    shares = np.where(span > 0, (rows - low) / np.where(span > 0, span, 1), 0.5)
    return SIDE * (_MARGIN + (1 - 2 * _MARGIN) * shares)
