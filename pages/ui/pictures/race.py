"""Two runs side by side on one clock."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from em_core import HalfStep
from pages.ui.pictures.picture import Picture
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
) -> tuple[Picture, Picture]:
    """The pictures of two runs with as many frames, made one race.

    ends: the last half-step of each run; shown (F,): the half-step of each frame.
    """
    first, second = pictures
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
