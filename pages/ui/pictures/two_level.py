"""The picture of the two-level model: every group's mean, drawn towards the population's."""

from __future__ import annotations

import numpy as np

from pages.ui.pictures.frames import frames_of, largest_change
from pages.ui.pictures.picture import INK, MUTED, Axis, Chart, Marks, Picture, Scene

MOST_GROUPS = 60
MOST_COLUMNS = 2
RING, DOT = 4.5, 4.5


def shrinkage_picture(scene: Scene) -> tuple[Picture, np.ndarray]:
    """The picture of a run, and which half-step each of its frames shows."""
    frames = frames_of(scene, 0)
    posteriors = [scene.model.posterior(step.params, scene.data) for step in frames.posteriors]
    n_groups, n_columns = posteriors[0].group_means.shape
    order = np.argsort(posteriors[0].group_means[:, 0], kind="stable")
    if n_groups > MOST_GROUPS:
        order = order[np.linspace(0, n_groups - 1, MOST_GROUPS).round().astype(int)]
    notes = list(frames.notes)
    if n_groups > MOST_GROUPS:
        notes.append(f"{MOST_GROUPS} of {n_groups} groups are drawn.")
    if n_columns > MOST_COLUMNS:
        notes.append(f"The first {MOST_COLUMNS} of {n_columns} columns are drawn.")
    notes.append(
        "Rings: the average of a group's rows. Dots: what the model expects of the group, with one "
        "standard deviation, drawn towards the line, the mean of all groups."
    )
    charts = tuple(
        _shrinkage(scene, frames, posteriors, order, d) for d in range(min(n_columns, MOST_COLUMNS))
    )
    picture = frames.picture(
        variance_change(scene),
        charts=charts,
        arrangement=tuple((1.0, (c,)) for c in range(len(charts))),
        note=" ".join(notes),
        summary=(
            f"Averages of {n_groups} groups and what the model expects of each, at the half-step "
            "shown"
        ),
    )
    return picture, frames.shown


def variance_change(scene: Scene):
    names = [f"the standard deviation between groups of {c}" for c in scene.columns]
    names += [f"the standard deviation within groups of {c}" for c in scene.columns]
    return largest_change(
        names,
        lambda params: np.sqrt(
            np.concatenate([np.diag(params.between_covariance), np.diag(params.within_covariance)])
        ),
    )


def _shrinkage(scene: Scene, frames, posteriors, order: np.ndarray, d: int) -> Chart:
    averages = posteriors[0].group_means[order, d]
    # A group may have no value in this column at all.
    seen = np.flatnonzero(~np.isnan(averages))
    averages = averages[seen]
    means = np.stack([q.means[order, d] for q in posteriors])[frames.posterior]
    deviations = np.sqrt(np.stack([q.covariances[order, d, d] for q in posteriors]))
    deviations = deviations[frames.posterior]
    places = np.broadcast_to(np.arange(len(order), dtype=float), means.shape)
    one = np.ones_like(means)
    population = np.array([step.params.mean[d] for step in frames.steps])
    ends = np.array([-0.6, len(order) - 0.4])
    line = np.stack(np.broadcast_arrays(ends, population[:, None]), axis=-1)
    groups = tuple(scene.groups[g] for g in order)
    own = np.zeros(len(order), dtype=int)
    muted = np.full(len(seen), MUTED)
    still = np.stack([places[0, seen], averages, np.full(len(seen), RING)], axis=-1)[None]
    drawn = places[:, seen], np.broadcast_to(averages, (len(means), len(seen)))
    marks = (
        Marks("line", line, np.full(2, INK)),
        Marks(
            "segments",
            np.stack([places, means - deviations, places, means + deviations, 3 * one], axis=-1),
            own,
        ),
        Marks(
            "segments",
            np.stack([*drawn, drawn[0], means[:, seen], one[:, seen]], axis=-1),
            muted,
        ),
        Marks("rings", still, muted, tuple(f"{groups[g]}: average of its rows" for g in seen)),
        Marks(
            "dots",
            np.stack([places, means, DOT * one], axis=-1),
            own,
            tuple(f"{group}: expected" for group in groups),
        ),
    )
    shown = np.concatenate([averages, (means - deviations)[-1], (means + deviations)[-1]])
    margin = 0.06 * np.ptp(shown)
    return Chart(
        marks,
        Axis(
            "groups, by their average" if d == 0 else "groups, in the same order",
            float(ends[0]),
            float(ends[1]),
            groups,
        ),
        Axis(scene.titles[d], shown.min() - margin, shown.max() + margin),
    )
