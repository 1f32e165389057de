"""The picture of a model of a person's own: the path of every parameter."""

from __future__ import annotations

import numpy as np

from pages.ui.pictures.frames import frames_of, largest_change
from pages.ui.pictures.picture import MUTED, Axis, Chart, Marks, Picture, Scene

MOST_PATHS = 12
DOT = 5.0
MARGIN = 0.1
# A path that covers less than this share of its size does not move.
ROUNDING = 1e-9


def own_picture(scene: Scene) -> tuple[Picture, np.ndarray]:
    """The picture of a run, and which half-step each of its frames shows."""
    frames = frames_of(scene, 0)
    names = parameter_names(scene.steps[0].params)
    values = np.stack([parameter_values(step.params) for step in frames.steps])
    notes = list(frames.notes)
    if len(names) > MOST_PATHS:
        notes.append(f"The first {MOST_PATHS} of {len(names)} parameters are drawn.")
    iterations = np.array([step.iteration for step in frames.steps], dtype=float)
    charts = tuple(
        _path(name, iterations, values[:, i]) for i, name in enumerate(names[:MOST_PATHS])
    )
    across = 1 if len(charts) <= 3 else 2 if len(charts) <= 8 else 3
    lines = [range(i, min(i + across, len(charts))) for i in range(0, len(charts), across)]
    picture = frames.picture(
        largest_change(names, parameter_values),
        charts=charts,
        arrangement=tuple((1.0, tuple(line)) for line in lines),
        note=" ".join(notes),
        summary=f"The path of {len(charts)} parameters up to the half-step shown",
    )
    return picture, frames.shown


def parameter_names(params, before: str = "") -> list[str]:
    """A name for every single number among the parameters."""
    names = []
    for field, value in zip(params._fields, params, strict=True):
        if hasattr(value, "_fields"):
            names += parameter_names(value, f"{before}{field} ")
            continue
        size = np.size(value)
        words = f"{before}{field}".replace("_", " ")
        names += [words] if size == 1 else [f"{words} {i + 1}" for i in range(size)]
    return names


def parameter_values(params) -> np.ndarray:
    """All numbers among the parameters, in the order of their names."""
    parts = [
        parameter_values(value) if hasattr(value, "_fields") else np.ravel(value)
        for value in params
    ]
    return np.concatenate(parts).astype(float)


def shown_range(values: np.ndarray) -> tuple[float, float]:
    """The axis of a path: what it covers and a tenth more at each end. One that does not move, but
    for rounding, is in the middle of a tenth of its size; 0, of which most are a share, of 0.1."""
    low, high = float(values.min()), float(values.max())
    size = max(abs(low), abs(high))
    moves = high - low > ROUNDING * size
    margin = MARGIN * ((high - low) if moves else size or 1.0)
    return low - margin, high + margin


def _path(name: str, iterations: np.ndarray, values: np.ndarray) -> Chart:
    """The way of one parameter, and where it is now."""
    low, high = shown_range(values)
    line = np.stack([iterations, values], axis=1)[None]
    here = np.stack([iterations, values, np.full(len(values), DOT)], axis=1)[:, None]
    last = max(iterations[-1], 1.0)
    return Chart(
        (
            Marks("line", line, np.full(len(values), MUTED)),
            Marks("dots", here, np.zeros(1, dtype=int), (name,)),
        ),
        Axis("iteration", -0.03 * last, 1.03 * last),
        Axis("", low, high),
        title=name,
    )
