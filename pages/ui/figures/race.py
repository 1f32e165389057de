"""Two runs side by side on one clock, in matched colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from em_core import HalfStep
from pages.ui.figures.picture import Marks, Matrix, Picture
from pages.ui.figures.sequence import TRANSITIONS
from pages.ui.text import nats


def on_one_clock(
    first: Sequence[HalfStep], second: Sequence[HalfStep]
) -> tuple[list[HalfStep], list[HalfStep]]:
    """Both runs with as many half-steps: one that has ended rests where it is."""
    longest = max(len(first), len(second))
    return _rested(first, longest), _rested(second, longest)


def _rested(steps: Sequence[HalfStep], n_steps: int) -> list[HalfStep]:
    last = steps[-1]
    rest = [
        last._replace(iteration=(place + 1) // 2, phase="M" if place % 2 else "E")
        for place in range(len(steps), n_steps)
    ]
    return [*steps, *rest]


def race(
    pictures: tuple[Picture, Picture],
    ends: tuple[int, int],
    names: tuple[str, str],
    shown: np.ndarray,
    order: np.ndarray | None,
) -> tuple[Picture, Picture]:
    """The pictures of two runs with as many frames, the second in the first one's colours.

    ends: the last half-step of each run; shown (F,): the half-step of each frame; order (K,):
    component order[k] of the second run matches component k of the first, None where there are no
    components to match.
    """
    first, second = pictures
    if order is not None:
        second = matched(second, order)
    captions = tuple(
        _caption(first, second, frame, half_step, ends, names)
        for frame, half_step in enumerate(shown)
    )
    flags = tuple(
        tuple(f"{name}: {flag}" for name, said in zip(names, both, strict=True) for flag in said)
        for both in zip(first.flags, second.flags, strict=True)
    )
    return first._replace(captions=captions, flags=flags), second._replace(note="")


def _caption(
    first: Picture,
    second: Picture,
    frame: int,
    half_step: int,
    ends: tuple[int, int],
    names: tuple[str, str],
) -> str:
    values = first.log_likelihood[frame], second.log_likelihood[frame]
    parts = [
        f"{which}: {nats(value)} nats{', ended' if half_step >= end else ''}"
        for which, value, end in zip(("First", "Second"), values, ends, strict=True)
    ]
    ahead = "" if values[0] == values[1] else "First" if values[0] > values[1] else "Second"
    lead = f"{ahead} is {nats(abs(values[0] - values[1]))} ahead." if ahead else "They are level."
    return f"{'; '.join(parts)}. {lead}"


def matched(picture: Picture, order: np.ndarray) -> Picture:
    """The same picture with component order[k] in the place, and so the colour, of component k."""
    places = np.argsort(order)

    def renamed(marks: Marks) -> Marks:
        components = np.asarray(marks.components)
        own = components >= 0
        return marks._replace(components=np.where(own, places[components * own], components))

    def reordered(matrix: Matrix) -> Matrix:
        if matrix.component is not None or matrix.values.shape[1] != len(order):
            return matrix
        values = matrix.values[:, order]
        return matrix._replace(values=values[..., order] if matrix.title == TRANSITIONS else values)

    matrices = tuple(map(reordered, picture.matrices))
    own = [matrix for matrix in matrices if matrix.component is not None]
    if len(own) == len(order) == len(matrices):
        matrices = tuple(own[k]._replace(component=at) for at, k in enumerate(order))
    return picture._replace(
        weights=picture.weights[:, order],
        means=picture.means[:, order],
        covariances=picture.covariances[:, order],
        responsibilities=(shares[:, order] for shares in picture.responsibilities),
        paths=[places[path] for path in picture.paths],
        matrices=matrices,
        charts=tuple(
            chart._replace(marks=tuple(map(renamed, chart.marks))) for chart in picture.charts
        ),
    )
