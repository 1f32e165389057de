"""The picture of a mixture of items or counts: its parameters as shades, in images or a table."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from pages.ui.figures.mixture import caption, frames_shown
from pages.ui.figures.picture import Matrix, Picture, Scene
from pages.ui.text import component_names

PIXEL = re.compile(r"row \d+ pixel \d+")


def items_picture(scene: Scene) -> tuple[Picture, np.ndarray]:
    """The picture of a run, and which half-step each of its frames shows."""
    steps, n_components = scene.steps, scene.model.n_components
    shown = frames_shown(len(steps), 0)
    frames = [steps[i] for i in shown]
    notes = []
    if len(shown) < len(steps):
        notes.append(f"{len(shown) // 2} of {(len(steps) - 1) // 2} iterations are shown.")
    picture = Picture(
        run=scene.run,
        columns=(),
        positions=np.zeros((0, 0)),
        rows=np.zeros(0, dtype=int),
        panels=(),
        components=component_names(n_components),
        iterations=np.array([step.iteration for step in frames]),
        phases=tuple(step.phase for step in frames),
        elbo=np.array([step.elbo for step in frames]),
        log_likelihood=np.array([step.log_likelihood for step in frames]),
        weights=np.array([step.params.weights for step in frames]),
        means=np.zeros((len(frames), n_components, 0)),
        covariances=np.zeros((len(frames), n_components, 0, 0)),
        posterior=np.zeros(len(frames), dtype=int),
        responsibilities=(np.zeros((0, n_components)),),
        captions=tuple(caption(steps, i, scene.opening) for i in shown),
        flags=tuple(step.flags for step in frames),
        running=scene.running,
        note=" ".join(notes),
        matrices=_matrices([step.params for step in frames], scene.columns),
    )
    return picture, shown


def _matrices(params: Sequence, columns: tuple[str, ...]) -> tuple[Matrix, ...]:
    named = [shades(p, columns) for p in params]
    names, values = named[0][0], np.stack([cells for _, cells in named])
    high = 1.0 if values.max() <= 1 else float(values.max())
    side = math.isqrt(len(names))
    if side**2 == len(names) > 1 and all(map(PIXEL.fullmatch, names)):
        lines = tuple(f"row {i + 1}" for i in range(side))
        pixels = tuple(f"pixel {j + 1}" for j in range(side))
        images = values.reshape(*values.shape[:2], side, side)
        return tuple(
            Matrix(lines, pixels, images[:, k], 0.0, high, k) for k in range(values.shape[1])
        )
    return (Matrix(component_names(values.shape[1]), names, values, 0.0, high, None),)


def shades(params, columns: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """What is drawn of parameters: names of the P cells of a component, and their values (K, P)."""
    if hasattr(params, "rates"):
        return tuple(columns), params.rates
    if not hasattr(params, "levels"):
        return tuple(columns), params.probabilities
    names = tuple(
        f"{column} = {level}"
        for column, n in zip(columns, params.levels, strict=True)
        for level in range(n)
    )
    used = np.arange(params.probabilities.shape[-1]) < params.levels[:, None]
    return names, params.probabilities[:, used]
