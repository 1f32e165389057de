"""The picture of a mixture in continuous columns: points, and an ellipse for each component."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from em_core import HalfStep
from em_core.protocols import optional
from em_core.search.alignment import assignment_shares
from pages.ui.pictures.frames import Change, Frames, frames_of, share_change
from pages.ui.pictures.leaders import leaders_of_each
from pages.ui.pictures.picture import INK, Chart, Marks, Picture, Scene
from pages.ui.pictures.projections import Projection, coordinates_of
from pages.ui.text import counted

# Rows with holes are drawn one by one, in every frame: more than these nobody could tell apart.
MOST_HOLLOW = 300
HOLLOW_RADIUS = 3.6
AXIS_WIDTH = 2.4
# Of t densities: there may be no standard deviation to draw. The words are those of the table.
SCALES_DRAWN = (
    "Ellipses are one and two scales from the mean: as the scale matrices in the tables, and not "
    "standard deviations, which are larger."
)


# In each of these a mean lies with 95 %, of both coordinates together: chi-square with 2 degrees.
SURE_DRAWN = (
    "Thin outlines about the means at the last half-step: where each lies with 95 %, as in the "
    "intervals."
)
SURE_RADIUS, SURE_WIDTH = 5.991464547107979**0.5, 1.4
OUTLINE = np.linspace(0, 2 * np.pi, 41)


def factor_analysers_picture(scene: Scene) -> tuple[Picture, np.ndarray]:
    """The picture of a mixture of factor analysers: its components have axes."""
    return mixture_picture(scene, marks=_principal_axes)


def student_picture(scene: Scene) -> tuple[Picture, np.ndarray]:
    """The picture of a mixture of Student-t components."""
    return mixture_picture(scene, degrees=lambda params: params.degrees_of_freedom)


def mixture_picture(
    scene: Scene,
    change: Change | None = None,
    weights: np.ndarray | None = None,
    marks: Callable[[Frames, Projection], list[Chart]] | None = None,
    degrees: Callable[[Any], np.ndarray] | None = None,
) -> tuple[Picture, np.ndarray]:
    """The picture of a run, and which half-step each of its frames shows.

    weights (F, K): of the components, if not those of their parameters. marks: what is drawn over
    the panels besides. degrees(params) (K,): of freedom, where densities are t and not Gaussian.
    """
    model, sample = scene.model, scene.sample
    coordinates = coordinates_of(scene)
    frames = frames_of(scene, len(sample))
    drawn, ready = scene.values[sample], _ready(scene)
    notes = [coordinates.note]
    if len(sample) < len(scene.values):
        notes.append(f"{len(sample):,} of {len(scene.values):,} rows are drawn; the fit uses all.")
    notes += frames.notes
    hollow = coordinates.missing(drawn)
    charts: list[Chart] = []
    positions = coordinates.positions(drawn)
    if hollow.any():
        charts, ends = _holes(frames, coordinates, np.flatnonzero(hollow), ready)
        positions[hollow] = ends
        shown = min(int(hollow.sum()), MOST_HOLLOW)
        notes.append(
            f"{counted(int(hollow.sum()), 'row')} without a value in a column drawn: hollow, at "
            "the expected place, with one standard deviation. Missing at random is assumed."
        )
        if shown < hollow.sum():
            notes[-1] += f" {shown} of them are drawn."
    if marks is not None:
        charts += marks(frames, coordinates)
    if scene.spread is not None and (sure := _how_sure(scene, frames, coordinates)):
        charts += sure
        notes.append(SURE_DRAWN)
    sizes: list[np.ndarray] = []
    if optional(optional(model, "emission"), "latent_weights"):
        weighed = frames.of_each(
            "sizes", lambda steps: (_latent_weights(model, step, drawn) for step in steps)
        )
        sizes = list(weighed)
        notes.append("Small points have little weight in the fit: outliers.")
    if degrees is not None and any(len(axes) > 1 for axes in coordinates.panels):
        notes.append(SCALES_DRAWN)
    picture = frames.picture(
        change or share_change(scene.unit, scene.components),
        columns=coordinates.names,
        positions=positions,
        hollow=hollow,
        panels=coordinates.panels,
        weights=np.array([step.params.weights for step in frames.steps])
        if weights is None
        else weights,
        means=coordinates.positions(np.array([step.params.means for step in frames.steps])),
        covariances=coordinates.covariances(
            np.array([step.params.covariances for step in frames.steps])
        ),
        degrees=None if degrees is None else np.array([degrees(s.params) for s in frames.steps]),
        leaders=frames.of_each(
            "leaders", lambda steps: leaders_of_each(_shares(scene, s, ready) for s in steps)
        ),
        sizes=sizes,
        charts=tuple(charts),
        note=" ".join(filter(None, notes)),
    )
    return picture, frames.shown


def _ready(scene: Scene) -> Any:
    """The rows drawn, or the whole sequences they are in, made ready once for all frames."""
    if isinstance(scene.data, list):
        return scene.data
    drawn = scene.data[scene.sample]
    # Rows drawn from many may all lack a column that the fit has values of.
    if optional(scene.model, "latent") != "labels" or np.isnan(drawn).all(axis=0).any():
        return drawn
    return scene.model.prepare(drawn)


def _shares(scene: Scene, step: HalfStep, ready: Any) -> np.ndarray:
    """(n, K) probabilities of the components of the rows drawn, of these as `_ready` has them."""
    shares = assignment_shares(scene.model, step.params, ready)
    assert shares is not None, "rows belong to components"
    return shares[scene.sample] if isinstance(scene.data, list) else shares


def _latent_weights(model, step: HalfStep, drawn: np.ndarray) -> np.ndarray:
    shares = model.posterior(step.params, drawn).responsibilities
    return model.emission.latent_weights(step.params.emission, drawn, shares)


def _holes(
    frames: Frames, coordinates: Projection, holes: np.ndarray, ready: Any
) -> tuple[list[Chart], np.ndarray]:
    """Rings where rows with holes are expected, over every panel; and their places at the end."""
    scene = frames.scene
    drawn = scene.values[scene.sample]
    last = frames.steps[-1].params
    imputed = scene.model.impute(last, scene.data).values
    if isinstance(scene.data, list):
        imputed = np.concatenate(imputed)
    ends = coordinates.positions(imputed[scene.sample][holes])
    rows = holes[:MOST_HOLLOW]
    colours = _shares(scene, frames.steps[-1], ready)[rows].argmax(axis=1)
    places, spreads = [], []
    for filled in frames.of_each(
        "holes", lambda steps: (_imputed(scene, step, drawn, rows) for step in steps)
    ):
        places.append(coordinates.positions(filled.values))
        squares = (filled.deviations**2) @ coordinates.directions**2
        spreads.append(np.sqrt(squares))
    at = np.array(places)[frames.posterior]
    spread = np.array(spreads)[frames.posterior]
    charts = []
    for panel, axes in enumerate(coordinates.panels):
        if len(axes) == 1:
            continue
        centre, half = at[..., list(axes)], spread[..., list(axes)]
        bars = [
            np.concatenate(
                [centre - half * unit, centre + half * unit, np.ones((*at.shape[:2], 1))], axis=2
            )
            for unit in np.eye(2)
        ]
        rings = np.concatenate([centre, np.full((*at.shape[:2], 1), HOLLOW_RADIUS)], axis=2)
        marks = (
            Marks("segments", np.concatenate(bars, axis=1), np.tile(colours, 2)),
            Marks("rings", rings, colours),
        )
        charts.append(Chart(marks, panel=panel))
    return charts, ends


def _imputed(scene: Scene, step: HalfStep, drawn: np.ndarray, rows: np.ndarray):
    if not isinstance(scene.data, list):
        return scene.model.impute(step.params, drawn[rows])
    filled = scene.model.impute(step.params, scene.data)
    chosen = scene.sample[rows]
    return type(filled)(*(np.concatenate(table)[chosen] for table in filled))


def _principal_axes(frames: Frames, coordinates: Projection) -> list[Chart]:
    """The loadings of every component, from its mean to either side."""
    means = coordinates.positions(np.array([step.params.means for step in frames.steps]))
    loadings = np.array(
        [
            np.einsum("kdq,de->kqe", step.params.loadings, coordinates.directions)
            for step in frames.steps
        ]
    )
    n_frames, n_components, n_factors, _ = loadings.shape
    owners = np.repeat(np.arange(n_components), n_factors)
    charts = []
    for panel, axes in enumerate(coordinates.panels):
        if len(axes) == 1:
            continue
        centre = means[:, :, None, list(axes)]
        reach = loadings[..., list(axes)]
        width = np.full((*reach.shape[:-1], 1), AXIS_WIDTH)
        ends = np.concatenate([centre - reach, centre + reach, width], axis=-1)
        segments = ends.reshape(n_frames, n_components * n_factors, 5)
        charts.append(Chart((Marks("segments", segments, owners),), panel=panel))
    return charts


def _how_sure(scene: Scene, frames: Frames, coordinates: Projection) -> list[Chart]:
    """How far the means may be off at the end: an outline about each whose spread is known."""
    assert scene.spread is not None, "as the caller has found"
    means = coordinates.positions(np.asarray(frames.steps[-1].params.means))
    spread = coordinates.covariances(np.nan_to_num(scene.spread))
    circle = SURE_RADIUS * np.column_stack([np.cos(OUTLINE), np.sin(OUTLINE)])
    told = [k for k in range(len(means)) if np.isfinite(scene.spread[k]).all()]
    charts = []
    for panel, axes in enumerate(coordinates.panels):
        if len(axes) == 1 or not told:
            continue
        parts = []
        for k in told:
            values, directions = np.linalg.eigh(spread[k][np.ix_(axes, axes)])
            root = directions * np.sqrt(np.maximum(values, 0))
            outline = means[k, list(axes)] + circle @ root.T
            width = np.full((len(outline) - 1, 1), SURE_WIDTH)
            parts.append(np.column_stack([outline[:-1], outline[1:], width]))
        segments = np.concatenate(parts)[None]
        marks = Marks("segments", segments, np.full(segments.shape[1], INK))
        charts.append(Chart((marks,), panel=panel, at_end=True))
    return charts
