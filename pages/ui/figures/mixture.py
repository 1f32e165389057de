"""The picture of a Gaussian mixture: which half-steps are shown, and what each one did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from em_core import HalfStep
from pages.ui.figures.coordinates import coordinates_of
from pages.ui.figures.picture import Picture, Scene
from pages.ui.text import component_names, nats

# Half-steps drawn one by one; of the iterations after these, evenly spaced ones.
DENSE_ITERATIONS = 60
MOST_ITERATIONS = 240
# A posterior of this many points and frames in total is what a browser takes in within a second.
MOST_POINT_FRAMES = 8_000_000


def frames_shown(n_steps: int, n_points: int) -> np.ndarray:
    """Indices of the half-steps drawn: all of the first iterations, then evenly spaced ones.

    Both half-steps of an iteration are shown or neither, and always the first and the last.
    """
    last = (n_steps - 1) // 2
    most = int(np.clip(MOST_POINT_FRAMES // max(n_points, 1), 40, MOST_ITERATIONS))
    if last <= most:
        return np.arange(n_steps)
    dense = min(DENSE_ITERATIONS, most // 2)
    later = np.linspace(dense + 1, last, most - dense).round().astype(int)
    iterations = np.concatenate([np.arange(1, dense + 1), later])
    return np.concatenate([[0], np.stack([2 * iterations - 1, 2 * iterations], axis=1).ravel()])


def mixture_picture(scene: Scene) -> tuple[Picture, np.ndarray]:
    """The picture of a run, and which half-step each of its frames shows."""
    steps, model, sample = scene.steps, scene.model, scene.sample
    coordinates = coordinates_of(scene)
    shown = frames_shown(len(steps), len(sample))
    frames = [steps[i] for i in shown]
    # In an M half-step the responsibilities are still those of the E half-step before it.
    source = [i - 1 if steps[i].phase == "M" else i for i in shown]
    distinct, posterior = np.unique(source, return_inverse=True)
    drawn = scene.data[sample]
    notes = [coordinates.note]
    if len(sample) < len(scene.data):
        notes.append(f"{len(sample):,} of {len(scene.data):,} rows are drawn; the fit uses all.")
    if len(shown) < len(steps):
        last = (len(steps) - 1) // 2
        notes.append(f"{len(shown) // 2} of {last} iterations are shown.")
    picture = Picture(
        run=scene.run,
        columns=coordinates.names,
        positions=coordinates.positions(drawn),
        rows=scene.rows[sample],
        panels=coordinates.panels,
        components=component_names(model.n_components),
        iterations=np.array([step.iteration for step in frames]),
        phases=tuple(step.phase for step in frames),
        elbo=np.array([step.elbo for step in frames]),
        log_likelihood=np.array([step.log_likelihood for step in frames]),
        weights=np.array([step.params.weights for step in frames]),
        means=np.array([coordinates.positions(step.params.means) for step in frames]),
        covariances=np.array([coordinates.covariances(step.params.covariances) for step in frames]),
        posterior=posterior,
        responsibilities=_responsibilities(model, steps, distinct, drawn),
        captions=tuple(caption(steps, i, scene.opening) for i in shown),
        flags=tuple(step.flags for step in frames),
        running=scene.running,
        note=" ".join(filter(None, notes)),
    )
    return picture, shown


def _responsibilities(
    model, steps: Sequence[HalfStep], distinct: np.ndarray, drawn: np.ndarray
) -> Iterator[np.ndarray]:
    for i in distinct:
        yield model.posterior(steps[i].params, drawn).responsibilities


def caption(steps: Sequence[HalfStep], index: int, opening: str) -> str:
    """What one half-step did, in a sentence or two."""
    step = steps[index]
    if step.phase == "start":
        return f"{opening} Log-likelihood {nats(step.log_likelihood)} nats."
    before = steps[index - 1]
    if step.phase == "M":
        gain = step.log_likelihood - before.log_likelihood
        return (
            f"M-step {step.iteration}: {_largest_change(before.params, step.params)}, "
            f"log-likelihood {nats(gain, signed=True)}, KL gap {nats(max(step.kl, 0))} nats."
        )
    return (
        f"E-step {step.iteration}: the bound rose {nats(max(step.elbo - before.elbo, 0))} nats to "
        f"touch the log-likelihood, {nats(step.log_likelihood)}."
    )


def _largest_change(before, after) -> str:
    """The component whose share of the rows changed the most."""
    change = after.weights - before.weights
    k = int(np.abs(change).argmax())
    if abs(change[k]) < 5e-4:
        return "no component's share changed by 0.1 %"
    verb = "grew" if change[k] > 0 else "shrank"
    percent = 100 * after.weights[k]
    return f"component {k + 1} {verb} to {percent:.{0 if percent >= 10 else 1}f} %"
