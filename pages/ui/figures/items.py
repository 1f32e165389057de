"""The picture of a mixture of items or counts: images, profiles, stacked bars or rates."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from pages.ui.figures.frames import Frames, frames_of, share_change
from pages.ui.figures.picture import INK, MUTED, Axis, Chart, Marks, Matrix, Picture, Scene

PIXEL = re.compile(r"row \d+ pixel \d+")
# More columns than this have no room for a profile: their shades stand alone.
MOST_PROFILED = 40
DOT = 4.5
# Opacity of the lowest and the highest level of an item.
FAINT, STRONG = 0.15, 0.95


def items_picture(scene: Scene) -> tuple[Picture, np.ndarray]:
    """The picture of a run, and which half-step each of its frames shows."""
    frames = frames_of(scene, 0)
    matrices = _matrices(frames)
    charts = _charts(frames)
    n_components = len(scene.components)
    picture = frames.picture(
        share_change(scene.unit),
        weights=np.array([step.params.weights for step in frames.steps]),
        matrices=matrices,
        charts=charts,
        arrangement=_arrangement(charts, scene),
        summary=f"Parameters of {n_components} {scene.plural} as shades at the half-step shown",
    )
    return picture, frames.shown


def _arrangement(charts: tuple[Chart, ...], scene: Scene) -> tuple:
    if not charts:
        return ()
    if len(scene.columns) == 1:
        return ((1.0, (0,)),)
    return ((3.0, (0,)), (2.0, ("matrices",)))


def _matrices(frames: Frames) -> tuple[Matrix, ...]:
    scene = frames.scene
    named = [shades(step.params, scene.columns, scene.levels) for step in frames.steps]
    names, values = named[0][0], np.stack([cells for _, cells in named])
    high = 1.0 if values.max() <= 1 else float(values.max())
    side = math.isqrt(len(names))
    pixels = len(names) == len(scene.columns) and all(map(PIXEL.fullmatch, scene.columns))
    if side**2 == len(names) > 1 and pixels:
        lines = tuple(f"row {i + 1}" for i in range(side))
        places = tuple(f"pixel {j + 1}" for j in range(side))
        images = values.reshape(*values.shape[:2], side, side)
        return tuple(
            Matrix(lines, places, images[:, k], 0.0, high, k) for k in range(values.shape[1])
        )
    return (Matrix(scene.components, names, values, 0.0, high, None),)


def shades(
    params, columns: Sequence[str], levels: Sequence[Sequence[str]] = ()
) -> tuple[tuple[str, ...], np.ndarray]:
    """What is drawn of parameters: names of the P cells of a component, and their values (K, P).

    levels: for each column the names of its levels, if they have names.
    """
    if hasattr(params, "rates"):
        return tuple(columns), params.rates
    if not hasattr(params, "levels"):
        names = tuple(
            f"{column} = {answer_name(levels, d)}" if levels and levels[d] else column
            for d, column in enumerate(columns)
        )
        return names, params.probabilities
    names = tuple(
        f"{column} = {level_name(levels, d, level)}"
        for d, (column, n) in enumerate(zip(columns, params.levels, strict=True))
        for level in range(n)
    )
    used = np.arange(params.probabilities.shape[-1]) < params.levels[:, None]
    return names, params.probabilities[:, used]


def level_name(levels: Sequence[Sequence[str]], column: int, level: int) -> str:
    named = column < len(levels) and level < len(levels[column])
    return levels[column][level] if named else str(level)


def answer_name(levels: Sequence[Sequence[str]], column: int) -> str:
    """What the answer 1 to a yes-or-no item is called."""
    if levels and len(levels[column]) == 1:
        return f"not {levels[column][0]}"
    return level_name(levels, column, 1)


def _charts(frames: Frames) -> tuple[Chart, ...]:
    scene, first = frames.scene, frames.steps[0].params
    columns = scene.columns
    if all(map(PIXEL.fullmatch, columns)) or len(columns) > MOST_PROFILED:
        return ()
    if hasattr(first, "levels"):
        return (stacked_bars(frames),)
    if hasattr(first, "rates") and len(columns) == 1:
        return (_counts(frames),)
    return (_profiles(frames),)


def _profiles(frames: Frames) -> Chart:
    """A line for each component through its probability or rate of every item."""
    scene = frames.scene
    values = np.stack([shades(step.params, scene.columns)[1] for step in frames.steps])
    _, n_components, n_items = values.shape
    places = np.broadcast_to(np.arange(n_items, dtype=float), values.shape)
    points = np.stack([places, values, np.full(values.shape, DOT)], axis=-1)
    marks = []
    for k in range(n_components):
        owner = np.full(n_items, k)
        labels = tuple(f"{scene.components[k]}, {column}" for column in scene.columns)
        marks += [
            Marks("line", points[:, k, :, :2], owner),
            Marks("dots", points[:, k], owner, labels),
        ]
    titles = scene.titles
    if hasattr(frames.steps[0].params, "rates"):
        what, high = "rate", 1.15 * values.max()
    else:
        what, high = "probability", 1.03
        answers = {answer_name(scene.levels, d) for d in range(n_items)}
        if len(answers) == 1:
            what += f" of {answers.pop()}"
        else:
            titles = shades(frames.steps[0].params, scene.columns, scene.levels)[0]
    return Chart(
        tuple(marks), Axis("", -0.4, n_items - 0.6, titles), Axis(what, -0.03 * high, high)
    )


def stacked_bars(frames: Frames) -> Chart:
    """For each item and component a bar, stacked from the probabilities of its levels."""
    scene = frames.scene
    levels = frames.steps[0].params.levels
    shares = np.stack([step.params.probabilities for step in frames.steps])
    n_components = shares.shape[1]
    width = 0.8 / n_components
    bars, owners, labels = [], [], []
    for item, (column, n_levels) in enumerate(zip(scene.columns, levels, strict=True)):
        for k in range(n_components):
            tops = np.cumsum(shares[:, k, item, :n_levels], axis=1)
            left = item - 0.4 + k * width
            for level in range(n_levels):
                bottom = tops[:, level - 1] if level else np.zeros(len(tops))
                opacity = FAINT + (STRONG - FAINT) * level / max(n_levels - 1, 1)
                bars.append(
                    np.stack(
                        np.broadcast_arrays(
                            left, bottom, left + 0.94 * width, tops[:, level], opacity
                        ),
                        axis=-1,
                    )
                )
                owners.append(k)
                named = level_name(scene.levels, item, level)
                labels.append(f"{scene.components[k]}, {column} = {named}")
    marks = Marks("bars", np.stack(bars, axis=1), np.array(owners), tuple(labels))
    return Chart(
        (marks,),
        Axis("", -0.5, len(levels) - 0.5, scene.titles),
        Axis("share", 0.0, 1.0),
        title="Levels, palest first",
    )


def _counts(frames: Frames) -> Chart:
    """How often each count occurs, and how often each component and all together say it does."""
    from scipy.special import gammaln, xlogy

    scene = frames.scene
    observed = scene.values[:, 0]
    observed = observed[np.isfinite(observed)].astype(int)
    counts = np.arange(observed.min(), observed.max() + 1)
    shares = np.bincount(observed - counts[0], minlength=len(counts)) / len(observed)
    densities = np.stack(
        [
            step.params.weights[:, None]
            * np.exp(xlogy(counts, step.params.rates) - step.params.rates - gammaln(counts + 1))
            for step in frames.steps
        ]
    )
    total = densities.sum(axis=1)
    bars = np.stack(np.broadcast_arrays(counts - 0.4, 0.0, counts + 0.4, shares, 0.35), axis=-1)
    labels = tuple(f"{scene.titles[0]} {count}: observed" for count in counts)
    marks = [Marks("bars", bars[None], np.full(len(counts), MUTED), labels)]
    for k in range(densities.shape[1]):
        marks.append(Marks("line", _curve(counts, densities[:, k]), np.full(len(counts), k)))
    marks.append(Marks("line", _curve(counts, total), np.full(len(counts), INK)))
    high = 1.1 * max(shares.max(), total[-1].max())
    return Chart(
        tuple(marks),
        Axis(scene.titles[0], counts[0] - 0.7, counts[-1] + 0.7),
        Axis("share of rows", 0.0, high),
    )


def _curve(counts: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.stack([np.broadcast_to(counts, values.shape), values], axis=-1)
