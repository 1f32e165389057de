"""The picture of a mixture of items or counts: images, profiles, stacked bars or rates."""

from __future__ import annotations

import math
import re

import numpy as np

from em_core.protocols import Levels, is_discrete
from pages.ui.pictures.emissions import (
    answer_name,
    cells,
    has_levels,
    is_binary,
    level_name,
    says_columns,
)
from pages.ui.pictures.frames import Frames, frames_of, share_change
from pages.ui.pictures.own import own_picture
from pages.ui.pictures.picture import INK, MUTED, Axis, Chart, Marks, Matrix, Picture, Scene
from pages.ui.text import number

PIXEL = re.compile(r"row \d+ pixel \d+")
# More columns than this have no room for a profile: their shades stand alone.
MOST_PROFILED = 40
DOT = 4.5
# More different counts than this are drawn as ranges.
MOST_COUNTS = 400
MOST_BARS = 60
CURVE_POINTS = 240
HIGHEST_CURVE = 2.0
# Opacity of the lowest and the highest level of an item.
FAINT, STRONG = 0.15, 0.95
# Groups of items whose levels are listed, and the items of each that are named.
MOST_LISTED, MOST_NAMED = 4, 3


def items_picture(scene: Scene) -> tuple[Picture, np.ndarray]:
    """The picture of a run, and which half-step each of its frames shows.

    An emission that says nothing of its columns is drawn as the way of its parameters.
    """
    if not says_columns(scene.model):
        return own_picture(scene)
    frames = frames_of(scene, 0)
    matrices = _matrices(frames)
    charts = _charts(frames)
    n_components = len(scene.components)
    picture = frames.picture(
        share_change(scene.unit, scene.components),
        weights=np.array([step.params.weights for step in frames.steps]),
        matrices=matrices,
        charts=charts,
        arrangement=_arrangement(charts, scene),
        summary=f"Parameters of {n_components} {scene.plural} as shades at the half-step shown",
    )
    if has_levels(scene.model) and charts:
        picture = picture._replace(note=" ".join([*frames.notes, levels_note(frames)]))
    return picture, frames.shown


def _arrangement(charts: tuple[Chart, ...], scene: Scene) -> tuple:
    if not charts:
        return ()
    if len(scene.columns) == 1:
        return ((1.0, (0,)),)
    return ((3.0, (0,)), (2.0, ("matrices",)))


def _matrices(frames: Frames) -> tuple[Matrix, ...]:
    scene = frames.scene
    named = [cells(scene.model, s.params, scene.columns, scene.levels) for s in frames.steps]
    names, values = named[0][0], np.stack([found for _, found in named])
    low, high = _shading(scene.model, values)
    side = math.isqrt(len(names))
    pixels = len(names) == len(scene.columns) and all(map(PIXEL.fullmatch, scene.columns))
    if side**2 == len(names) > 1 and pixels:
        lines = tuple(f"row {i + 1}" for i in range(side))
        places = tuple(f"pixel {j + 1}" for j in range(side))
        images = values.reshape(*values.shape[:2], side, side)
        return tuple(
            Matrix(lines, places, images[:, k], low, high, k) for k in range(values.shape[1])
        )
    groups = ()
    if has_levels(scene.model):
        chances = scene.model.emission.level_probabilities(frames.steps[0].params.emission)
        counts = [of_item.shape[1] for of_item in chances]
        groups = tuple(zip(scene.columns, counts, strict=True))
    return (Matrix(scene.components, names, values, low, high, None, groups=groups),)


def levels_note(frames: Frames) -> str:
    """Which shade is which level, palest first: items that have the same levels together."""
    scene, emission = frames.scene, frames.scene.model.emission
    items: dict[tuple[str, ...], list[str]] = {}
    chances = emission.level_probabilities(frames.steps[0].params.emission)
    for item, of_item in enumerate(chances):
        names = tuple(level_name(scene.levels, item, level) for level in range(of_item.shape[1]))
        items.setdefault(names, []).append(scene.columns[item])
    if len(items) == 1:
        (names,) = items
        return f"Levels, palest first: {', '.join(names)}."
    said = [f"{_few(of)}: {', '.join(names)}" for names, of in items.items()][:MOST_LISTED]
    more = " …" if len(items) > MOST_LISTED else "."
    return f"Levels, palest first, of {'; of '.join(said)}{more}"


def _few(items: list[str]) -> str:
    """Some items, and how many more."""
    if len(items) <= MOST_NAMED + 1:
        return ", ".join(items)
    return f"{', '.join(items[:MOST_NAMED])} and {len(items) - MOST_NAMED} others"


def _shading(model, values: np.ndarray) -> tuple[float, float]:
    """The values of the palest and the strongest shade; negative ones have a colour of their own,
    as strong as positive ones as far from zero."""
    if isinstance(model.emission, Levels):
        return 0.0, 1.0
    high = float(np.abs(values).max()) or 1.0
    return (-high if values.min() < 0 else 0.0), high


def _charts(frames: Frames) -> tuple[Chart, ...]:
    scene = frames.scene
    columns = scene.columns
    if all(map(PIXEL.fullmatch, columns)) or len(columns) > MOST_PROFILED:
        return ()
    if has_levels(scene.model):
        return (stacked_bars(frames),)
    if len(columns) == 1 and not is_binary(scene.model):
        return (_densities(frames),)
    return (_profiles(frames),)


def _profiles(frames: Frames) -> Chart:
    """A line for each component through its probability of a yes, or mean, of every column."""
    scene = frames.scene
    values = np.stack([cells(scene.model, s.params, scene.columns)[1] for s in frames.steps])
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
    if not is_binary(scene.model):
        what, low, high = "mean", min(1.15 * values.min(), 0.0), max(1.15 * values.max(), 0.0)
    else:
        what, low, high = "probability", 0.0, 1.03
        answers = {answer_name(scene.levels, d) for d in range(n_items)}
        if len(answers) == 1:
            what += f" of {answers.pop()}"
        else:
            titles = cells(scene.model, frames.steps[0].params, scene.columns, scene.levels)[0]
    return Chart(
        tuple(marks),
        Axis("", -0.4, n_items - 0.6, titles),
        Axis(what, low - 0.03 * (high - low), high),
    )


def stacked_bars(frames: Frames) -> Chart:
    """For each item and component a bar, stacked from the probabilities of its levels."""
    scene = frames.scene
    emission = scene.model.emission
    found = [emission.level_probabilities(step.params.emission) for step in frames.steps]
    chances = [np.stack(of_item) for of_item in zip(*found, strict=True)]
    n_components = len(scene.components)
    width = 0.8 / n_components
    bars, owners, labels = [], [], []
    for item, (column, shares) in enumerate(zip(scene.columns, chances, strict=True)):
        n_levels = shares.shape[2]
        for k in range(n_components):
            tops = np.cumsum(shares[:, k], axis=1)
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
        Axis("", -0.5, len(chances) - 0.5, scene.titles),
        Axis("share", 0.0, 1.0),
        title="Levels, palest first",
    )


def _densities(frames: Frames) -> Chart:
    """How often each value occurs, and how often each component and all together say it does."""
    scene = frames.scene
    emission, title = scene.model.emission, scene.titles[0]
    observed = scene.values[:, 0]
    there = np.isfinite(observed)
    observed = observed[there]
    weights = None if scene.weights is None else scene.weights[there]
    counted = is_discrete(emission) and np.ptp(observed) < MOST_COUNTS
    if counted:
        values = np.arange(observed.min(), observed.max() + 1)
        places = (observed - values[0]).astype(int)
        shares = np.bincount(places, weights, minlength=len(values))
        shares = shares / (len(observed) if weights is None else weights.sum())
        edges = np.stack([values - 0.4, values + 0.4])
        labels = tuple(f"{title} {number(value)}: observed" for value in values)
        low, high = values[0] - 0.7, values[-1] + 0.7
    else:
        n_bars = min(len(np.histogram_bin_edges(observed, "auto")), MOST_BARS)
        shares, bounds = np.histogram(observed, n_bars, density=True, weights=weights)
        edges = np.stack([bounds[:-1], bounds[1:]])
        labels = tuple(f"{title} {number(a, 4)} to {number(b, 4)}: observed" for a, b in edges.T)
        low, high = bounds[0], bounds[-1]
        values = np.linspace(low, high, CURVE_POINTS)
        values = np.unique(np.rint(values)) if is_discrete(emission) else values
    densities = np.stack(
        [
            step.params.weights[:, None]
            * np.exp(emission.column_log_density(step.params.emission, 0, values))
            for step in frames.steps
        ]
    )
    total = densities.sum(axis=1)
    bars = np.stack(np.broadcast_arrays(edges[0], 0.0, edges[1], shares, 0.35), axis=-1)
    marks = [Marks("bars", bars[None], np.full(len(shares), MUTED), labels)]
    for k in range(densities.shape[1]):
        marks.append(Marks("line", _curve(values, densities[:, k]), np.full(len(values), k)))
    marks.append(Marks("line", _curve(values, total), np.full(len(values), INK)))
    # A density without bound at an end of its range leaves the rest its room.
    top = 1.1 * max(shares.max(), min(total[-1].max(), HIGHEST_CURVE * shares.max()))
    return Chart(
        tuple(marks), Axis(title, low, high),
        Axis("share of rows" if counted else "density", 0.0, top),
    )  # fmt: skip


def _curve(across: np.ndarray, heights: np.ndarray) -> np.ndarray:
    return np.stack([np.broadcast_to(across, heights.shape), heights], axis=-1)
