"""The picture of a hidden Markov model: the series, its states, and how they follow each other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from em_core import HalfStep
from em_core.search.alignment import align
from pages.ui.pictures.emissions import has_levels, moments, says_columns
from pages.ui.pictures.frames import Change, Frames, frames_of, largest_change
from pages.ui.pictures.items import levels_note, stacked_bars
from pages.ui.pictures.leaders import Leaders, leaders_of
from pages.ui.pictures.mixture import mixture_picture
from pages.ui.pictures.own import own_picture
from pages.ui.pictures.picture import UNKNOWN, Axis, Chart, Marks, Matrix, Picture, Scene
from pages.ui.text import percent

MOST_SERIES = 4
WIDEST = 7.0  # pixels, of a transition of probability 1
NODE_RADIUS = 13.0
# Below this a transition is not drawn.
LEAST_SHOWN = 0.01

TRANSITIONS = "Transition matrix"


def hidden_markov_picture(scene: Scene) -> tuple[Picture, np.ndarray]:
    """The series with its states, or what it looks like without its order, as the settings ask.

    An emission that says nothing of its columns is drawn as the way of its parameters.
    """
    if not says_columns(scene.model):
        return own_picture(scene)
    if scene.axes == "series":
        return sequence_picture(scene)
    frames = frames_of(scene, len(scene.sample))
    occupied = frames.of_each(
        "occupancy", lambda steps: (_shares(scene, step.params).mean(axis=0) for step in steps)
    )
    return mixture_picture(
        scene, transition_change(scene), np.array(list(occupied))[frames.posterior]
    )


def sequence_picture(scene: Scene) -> tuple[Picture, np.ndarray]:
    """The picture of a run, and which half-step each of its frames shows."""
    frames = frames_of(scene, len(scene.sample))
    n_rows, n_columns = scene.values.shape
    chosen = np.arange(min(n_columns, MOST_SERIES))
    drawn = scene.values[scene.sample][:, chosen]
    hollow = np.isnan(drawn).any(axis=1)
    states = _states(scene, frames)
    spreads = [moments(scene.model, step.params) for step in frames.steps]
    means = np.array([mean[:, chosen] for mean, _ in spreads])
    deviations = np.array([deviation[:, chosen] for _, deviation in spreads])
    notes = list(frames.notes)
    if n_columns > MOST_SERIES:
        notes.append(f"The first {MOST_SERIES} of {n_columns} columns are drawn.")
    if len(scene.sample) < n_rows:
        notes.append(f"The first {len(scene.sample):,} of {n_rows:,} rows are drawn.")
    known = _known(scene, frames.posteriors[-1].params)
    labels = "" if known is None else (
        "the known labels, each in the colour of the state that matches it best; "
    )  # fmt: skip
    notes.append(
        "Bands: each state's mean and one standard deviation. Ribbons, from above: "
        f"{labels}the most probable path (Viterbi); the probability of the states."
    )
    ends = np.cumsum([len(part) for part in scene.data])
    breaks = np.intersect1d(ends, scene.sample)
    if len(breaks):
        notes.append("Dashed lines, where there is room for them: a new sequence begins.")
    charts = (_graph(frames),)
    if has_levels(scene.model):
        charts += (stacked_bars(frames),)
        notes.append(levels_note(frames))
    positions = np.column_stack([scene.times[scene.sample], drawn])
    picture = frames.picture(
        transition_change(scene),
        columns=(scene.clock, *(scene.titles[c] for c in chosen)),
        positions=np.where(np.isnan(positions), np.nanmean(positions, axis=0), positions),
        hollow=hollow,
        panels=tuple((0, 1 + c) for c in range(len(chosen))),
        weights=np.array([at.occupancy for at in states])[frames.posterior],
        means=np.concatenate([np.zeros_like(means[..., :1]), means], axis=2),
        covariances=_diagonal(deviations),
        leaders=[at.leaders for at in states],
        paths=[at.path for at in states],
        time=True,
        known=known,
        dates=scene.dates,
        breaks=breaks,
        moments=scene.moments,
        note=" ".join(notes),
        matrices=(_transitions(frames),),
        charts=charts,
        arrangement=((3.0, ("points",)), (2.0, ("matrices", *range(len(charts))))),
        ticks=((), *(scene.levels[c] for c in chosen)) if scene.levels else (),
        summary=(
            f"{', '.join(scene.columns[:MOST_SERIES])} over {len(scene.sample):,} rows with "
            f"{len(scene.components)} states, and the transition matrix, at the half-step shown"
        ),
    )
    return picture, frames.shown


class _States(NamedTuple):
    """Of the rows drawn, at one half-step: whom they belong to, the most probable path (n,) and how
    much of them each state has (K,)."""

    leaders: Leaders
    path: np.ndarray
    occupancy: np.ndarray


def _states(scene: Scene, frames: Frames) -> list[_States]:
    """Of each of the frames' posteriors."""

    def found(step: HalfStep) -> _States:
        shares = _shares(scene, step.params)
        path = np.concatenate(scene.model.predict(step.params, scene.data))[scene.sample]
        return _States(leaders_of(shares), path.astype(np.uint8), shares.mean(axis=0))

    return list(frames.of_each("states", lambda steps: map(found, steps)))


def _shares(scene: Scene, params) -> np.ndarray:
    """(n, K) probabilities of the states of the rows drawn."""
    return np.concatenate(scene.model.posterior(params, scene.data).state_probabilities)[
        scene.sample
    ]


def _known(scene: Scene, params) -> np.ndarray | None:
    """(n,) the state that matches a row's known label, no other label's where there are as many
    states; None without labels."""
    if scene.labels is None:
        return None
    shares = _shares(scene, params)
    labels = scene.labels[scene.sample]
    names = sorted({label for label in labels if label is not None})
    rows = np.array([labels == name for name in names], dtype=float).reshape(-1, len(labels)).T
    own = len(names) <= shares.shape[1]
    states = align(rows, shares) if own else (rows.T @ shares).argmax(axis=1)
    return np.where(rows.any(axis=1), rows @ states, UNKNOWN).astype(int)


def transition_change(scene: Scene) -> Change:
    """Which transition's probability changed the most."""
    names = [
        f"the chance to stay in {a}" if a == b else f"the chance to go from {a} to {b}"
        for a in scene.components
        for b in scene.components
    ]
    return largest_change(names, lambda params: params.transition_matrix.ravel())


def _diagonal(deviations: np.ndarray) -> np.ndarray:
    """(F, K, d + 1, d + 1) covariances of time, which has none, and of each column alone."""
    n_frames, n_states, d = deviations.shape
    covariances = np.zeros((n_frames, n_states, d + 1, d + 1))
    index = np.arange(1, d + 1)
    covariances[..., index, index] = deviations**2
    return covariances


def _transitions(frames: Frames) -> Matrix:
    values = np.array([step.params.transition_matrix for step in frames.steps])
    states = range(1, values.shape[1] + 1)
    return Matrix(
        tuple(f"from {k}" for k in states),
        tuple(f"to {k}" for k in states),
        values,
        0.0,
        1.0,
        None,
        TRANSITIONS,
    )


def _graph(frames: Frames) -> Chart:
    """States on a circle, and an arrow for each transition, as wide as it is probable."""
    values = np.array([step.params.transition_matrix for step in frames.steps])
    n_states = values.shape[1]
    angles = np.pi * (1 - 2 * np.arange(n_states) / n_states)
    places = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    pairs = [(i, j) for i in range(n_states) for j in range(n_states) if i != j]
    arrows = np.zeros((len(values), len(pairs), 5))
    for a, (i, j) in enumerate(pairs):
        step = places[j] - places[i]
        step /= np.hypot(*step)
        # Beside the line between the states, so that both directions are seen.
        side = 0.09 * np.array([-step[1], step[0]])
        arrows[:, a, :4] = [*places[i] + side + 0.25 * step, *places[j] + side - 0.27 * step]
        shares = values[:, i, j]
        arrows[:, a, 4] = np.where(shares < LEAST_SHOWN, 0, 1 + WIDEST * shares)
    names = tuple(str(k + 1) for k in range(n_states))
    nodes = np.column_stack([places, np.full(n_states, NODE_RADIUS)])
    marks = [Marks("dots", nodes[None], np.arange(n_states), names)]
    if pairs:
        marks.insert(0, Marks("arrows", arrows, np.array([i for i, _ in pairs])))
    across, up = Axis("", -1.4, 1.4, visible=False), Axis("", -1.4, 1.4, visible=False)
    left_out = ((values > 0) & (values < LEAST_SHOWN)).any()
    title = f"Transitions of {percent(LEAST_SHOWN)} or more" if left_out else "Transitions"
    return Chart(tuple(marks), across, up, title=title)
