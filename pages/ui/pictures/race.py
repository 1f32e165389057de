"""Two runs side by side on one clock, in matched colours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from em_core import HalfStep
from em_core.em import Collapse
from em_core.search.alignment import relabelled
from pages.ui.pictures.picture import Picture
from pages.ui.text import nats

# How a flag begins that is about one component.
NUMBERED = re.compile(r"^((?:component|state) )(\d+)")


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


def matched(steps: Iterable[HalfStep], order: np.ndarray) -> list[HalfStep]:
    """The same half-steps with component order[k] in the place, and so the colour, of component k.

    order (K,): as `alignment.align` gives it.
    """
    known: dict[int, tuple[Any, Any]] = {}

    def relabel(params):
        if id(params) not in known:
            # Kept with what they became: else their id could be given to others.
            known[id(params)] = params, relabelled(params, order)
        return known[id(params)][1]

    def renumber(flag: str) -> str:
        said = NUMBERED.sub(lambda m: f"{m[1]}{places[int(m[2]) - 1] + 1}", flag)
        if not isinstance(flag, Collapse):
            return said
        component = flag.component
        return Collapse(said, None if component is None else int(places[component]))

    places = np.argsort(order)
    return [
        step._replace(
            params=relabel(step.params),
            posterior_params=relabel(step.posterior_params),
            flags=tuple(map(renumber, step.flags)),
        )
        for step in steps
    ]


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
