"""The picture of a factor model: loadings, what is unique to each column, and a biplot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from em_core.models.factor_analysis.rotation import promax, varimax
from pages.ui.pictures.frames import Frames, frames_of, largest_change
from pages.ui.pictures.picture import INK, MUTED, Axis, Chart, Marks, Matrix, Picture, Scene
from pages.ui.text import component_names

MOST_SCORES = 400
MOST_COLUMNS = 40
# More arrows than this have no names, which would cover each other.
MOST_NAMES = 14
DOT = 2.6
ROTATIONS = {"varimax": varimax, "promax": promax}


def factors_picture(scene: Scene) -> tuple[Picture, np.ndarray]:
    """The picture of a run, and which half-step each of its frames shows.

    Loadings are those of columns in units of their standard deviations, rotated for all frames as
    the last one asks for, so that the picture does not turn about.
    """
    sample = scene.sample[:: -(-len(scene.sample) // MOST_SCORES)]
    frames = frames_of(scene, len(sample))
    turn = rotation(frames.steps[-1].params, scene.look.rotation)
    loadings = np.stack([standard_loadings(step.params) @ turn for step in frames.steps])
    notes = list(frames.notes)
    drawn = slice(0, MOST_COLUMNS)
    if len(scene.columns) > MOST_COLUMNS:
        notes.append(f"The first {MOST_COLUMNS} of {len(scene.columns)} columns are drawn.")
    if len(sample) < len(scene.values):
        notes.append(f"The biplot shows {len(sample):,} of {len(scene.values):,} rows.")
    factors = component_names(loadings.shape[2], "factor", scene.look.names)
    most = max(1.0, float(np.abs(loadings).max()))
    picture = frames.picture(
        loading_change(scene, turn, factors),
        matrices=(
            Matrix(
                scene.columns[drawn], factors, loadings[:, drawn], -most, most, None, "Loadings"
            ),
        ),
        charts=(_uniquenesses(frames, drawn), _biplot(frames, sample, loadings, turn)),
        arrangement=((5.0, ("matrices", 0)), (6.0, (1,))),
        note=" ".join(notes),
        summary=(
            f"Loadings of {len(scene.columns)} columns on {len(factors)} factors, what is unique "
            "to each column, and the rows' scores, at the half-step shown"
        ),
    )
    return picture, frames.shown


def rotation(params, name: str) -> np.ndarray:
    """(q, q) what to multiply loadings with; where there is nothing to turn it, at most, mirrors
    factors: most loadings of each are then positive."""
    if name not in ROTATIONS or params.loadings.shape[1] < 2:
        return np.diag(np.where(standard_loadings(params).sum(axis=0) < 0, -1.0, 1.0))
    return ROTATIONS[name](standard_loadings(params)).matrix


def standard_loadings(params) -> np.ndarray:
    """(D, q) loadings of the columns in units of their standard deviations."""
    return params.loadings / _deviations(params)[:, None]


def _deviations(params) -> np.ndarray:
    return np.sqrt((params.loadings**2).sum(axis=1) + params.noise)


def loading_change(scene: Scene, turn: np.ndarray, factors: Sequence[str]):
    names = [
        f"the loading of {column} on {factor}" for column in scene.columns for factor in factors
    ]
    return largest_change(names, lambda params: (standard_loadings(params) @ turn).ravel())


def _uniquenesses(frames: Frames, drawn: slice) -> Chart:
    """For each column the share of its variance that no factor explains."""
    names = frames.scene.columns[drawn]
    shares = np.stack(
        [(step.params.noise / _deviations(step.params) ** 2)[drawn] for step in frames.steps]
    )
    lines = np.arange(len(names), dtype=float)
    bars = np.stack(np.broadcast_arrays(0.0, lines - 0.36, shares, lines + 0.36, 0.75), axis=-1)
    labels = tuple(f"{name}: unique" for name in names)
    return Chart(
        (Marks("bars", bars, np.full(len(names), MUTED), labels),),
        Axis("", 0.0, 1.0),
        Axis("", len(names) - 0.5, -0.5, names),
        title="Uniqueness",
    )


def _biplot(frames: Frames, sample: np.ndarray, loadings: np.ndarray, turn: np.ndarray) -> Chart:
    """Scores of the rows on the first two factors, and an arrow for each column."""
    scene = frames.scene
    back = np.linalg.inv(turn).T
    scores = np.stack(
        [scene.model.posterior(step.params, scene.data[sample]).means @ back
         for step in frames.posteriors]
    )[frames.posterior]  # fmt: skip
    n_factors = loadings.shape[2]
    if n_factors == 1:
        # Without a second factor, rows stand above each other in their order.
        order = np.broadcast_to(np.linspace(-1, 1, len(sample))[:, None], scores.shape)
        scores = np.concatenate([scores, 2 * order], axis=2)
        loadings = np.concatenate([loadings, np.zeros_like(loadings)], axis=2)
    reach = float(np.quantile(np.abs(scores[-1, :, :2]), 0.995)) * 1.15 or 1.0
    tips = loadings[..., :2] * (0.72 * reach / max(float(np.abs(loadings[..., :2]).max()), 1e-9))
    few = len(scene.columns) <= MOST_NAMES
    width = np.full((*tips.shape[:2], 1), 1.8 if few else 0.8)
    arrows = np.concatenate([np.zeros_like(tips), tips, width], axis=2)
    dots = np.concatenate([scores[..., :2], np.full((*scores.shape[:2], 1), DOT)], axis=2)
    owners = np.full(len(sample), 0)
    rows = tuple(f"row {row:,}" for row in scene.rows[sample])
    names = scene.columns if few else ()
    colour = np.full(len(scene.columns), INK if few else MUTED)
    return Chart(
        (
            Marks("dots", dots, owners, rows),
            Marks("arrows", arrows, colour, names),
        ),
        Axis("score on factor 1", -reach, reach),
        Axis("score on factor 2" if n_factors > 1 else "rows in order", -reach, reach),
        title="Biplot: rows and columns",
    )
