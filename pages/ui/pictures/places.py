"""Where in a picture something is, in words."""

from __future__ import annotations

import numpy as np

from pages.ui.pictures.picture import Picture

# Of the width and the height: nearer to the middle it is neither left nor right.
SIDE = 1 / 3


def places_of_means(picture: Picture) -> tuple[str, ...]:
    """Where each component is at the last frame: "at the lower left"; "" where nothing is drawn
    at a place."""
    if not picture.panels or picture.time or not len(picture.positions):
        return ("",) * len(picture.components)
    axes = list(picture.panels[0])
    drawn = picture.positions[:, axes]
    low, span = drawn.min(axis=0), np.ptp(drawn, axis=0)
    shares = (picture.means[-1][:, axes] - low) / np.where(span > 0, span, 1)
    return tuple(_place(*share) for share in shares)


def _place(across: float, up: float | None = None) -> str:
    side = _one_of(across, "left", "right")
    if up is None:
        return f"on the {side}" if side else "in the middle"
    level = _one_of(up, "lower", "upper")
    if level and side:
        return f"at the {level} {side}"
    if side:
        return f"on the {side}"
    return {"lower": "at the bottom", "upper": "at the top", "": "in the middle"}[level]


def _one_of(share: float, low: str, high: str) -> str:
    return low if share < SIDE else high if share > 1 - SIDE else ""
