"""The frames of a picture, whatever the model: which half-steps they show, what each one did."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from em_core import HalfStep
from pages.ui.pictures.leaders import NO_POINTS
from pages.ui.pictures.picture import Picture, Scene
from pages.ui.text import counted, gap, nats, number, percent

T = TypeVar("T")
# Half-steps drawn one by one; of the iterations after these, evenly spaced ones.
DENSE_ITERATIONS = 60
MOST_ITERATIONS = 240
# A posterior of this many points and frames in total is what a browser takes in within a second.
MOST_POINT_FRAMES = 8_000_000

# (parameters before an M half-step, after it) -> what changed the most, as part of a sentence.
Change = Callable[[Any, Any], str]


class Frames(NamedTuple):
    """F frames: the half-steps `shown` of a scene's run.

    posteriors: the G half-steps whose `params` gave a posterior of their own; posterior (F,): which
    of these each frame shows.
    """

    scene: Scene
    shown: np.ndarray
    posteriors: tuple[HalfStep, ...]
    posterior: np.ndarray

    @property
    def steps(self) -> list[HalfStep]:
        return [self.scene.steps[i] for i in self.shown]

    @property
    def notes(self) -> tuple[str, ...]:
        """That some iterations are left out, if so."""
        n_steps = len(self.scene.steps)
        if len(self.shown) == n_steps:
            return ()
        return (f"{len(self.shown) // 2} of {(n_steps - 1) // 2} iterations are shown.",)

    def of_each(self, kind: str, work: Callable[[Iterable[HalfStep]], Iterable[T]]) -> Iterator[T]:
        """What `work` finds of each posterior's half-step; of a run that is watched it keeps that,
        by its kind, and is asked for new half-steps only."""
        kept = self.scene.kept
        if kept is None:
            yield from work(self.posteriors)
            return
        named = [(kind, step.iteration, step.phase) for step in self.posteriors]
        for name in {name for name in kept if name[0] == kind}.difference(named):
            del kept[name]  # it is not shown any more
        pairs = zip(named, self.posteriors, strict=True)
        found = iter(work([step for name, step in pairs if name not in kept]))
        for name in named:
            if name not in kept:
                kept[name] = next(found)
            yield kept[name]

    def picture(self, change: Change, **drawn) -> Picture:
        """The picture of these frames; what it does not say is drawn of it is left empty."""
        scene, steps, n_frames = self.scene, self.steps, len(self.shown)
        n_components = len(scene.components)
        common: dict[str, Any] = {
            "run": scene.run,
            "columns": (),
            "positions": np.zeros((0, 0)),
            "panels": (),
            "components": scene.components,
            "iterations": np.array([step.iteration for step in steps]),
            "phases": tuple(step.phase for step in steps),
            "elbo": np.array([step.elbo for step in steps]),
            "log_likelihood": np.array([step.log_likelihood for step in steps]),
            "weights": np.zeros((n_frames, n_components)),
            "means": np.zeros((n_frames, n_components, 0)),
            "covariances": np.zeros((n_frames, n_components, 0, 0)),
            "posterior": self.posterior,
            "captions": tuple(caption(scene, i, change) for i in self.shown),
            "flags": tuple(tuple(map(scene.named, step.flags)) for step in steps),
            "running": scene.running,
            "note": " ".join(self.notes),
            "words": {name: scene.words[name] for name in scene.columns if name in scene.words},
            "before": beginning(scene, "positions" in drawn),
        }
        if "positions" in drawn:
            common["rows"] = scene.rows[scene.sample]
            common |= {"counts": scene.counts, "names": scene.names}
        else:
            common["rows"] = np.zeros(0, dtype=int)
            common["posterior"] = np.zeros(n_frames, dtype=int)
            common["leaders"] = NO_POINTS
        return Picture(**(common | drawn))


def frames_of(scene: Scene, n_points: int) -> Frames:
    """The frames of a scene in which this many points are drawn."""
    shown = frames_shown(len(scene.steps), n_points, scene.running)
    # In an M half-step q is still that of the E half-step before it, save in a leap.
    still = [scene.steps[i].phase == "M" and not scene.steps[i].is_leap for i in shown]
    source = shown - np.array(still)
    distinct, posterior = np.unique(source, return_inverse=True)
    return Frames(scene, shown, tuple(scene.steps[i] for i in distinct), posterior)


def frames_shown(n_steps: int, n_points: int, running: bool = False) -> np.ndarray:
    """Indices of the half-steps drawn: all of the first iterations, then evenly spaced ones.

    Both half-steps of an iteration are shown or neither, and always the first and the last. While
    it is running, the distance is a power of two, so that most of what is shown was shown before.
    """
    last = (n_steps - 1) // 2
    most = int(np.clip(MOST_POINT_FRAMES // max(n_points, 1), 40, MOST_ITERATIONS))
    if last <= most:
        return np.arange(n_steps)
    dense = min(DENSE_ITERATIONS, most // 2)
    if running:
        apart = 2 ** math.ceil(math.log2((last - dense) / (most - dense)))
        later = np.append(np.arange(dense + apart, last, apart), last)
    else:
        later = np.linspace(dense + 1, last, most - dense).round().astype(int)
    iterations = np.concatenate([np.arange(1, dense + 1), later])
    return np.concatenate([[0], np.stack([2 * iterations - 1, 2 * iterations], axis=1).ravel()])


def beginning(scene: Scene, has_points: bool) -> str:
    """What is seen before the first E-step."""
    if not scene.unit:
        return "Before the first E-step: the parameters as they start."
    started = f"the {counted(len(scene.components), scene.unit)} as they start"
    if not has_points:
        return f"Before the first E-step: {started}."
    return f"Before the first E-step: the data, and {started}. No point belongs to any of them yet."


def caption(scene: Scene, index: int, change: Change) -> str:
    """What one half-step did, in a sentence or two."""
    step = scene.steps[index]
    if step.is_leap:
        return caption_of_leap(scene.steps, index)
    if step.phase != "M":
        return caption_of_touch(scene.steps, index, scene.opening)
    before = scene.steps[index - 1]
    gain = step.log_likelihood - before.log_likelihood
    return (
        f"M-step {step.iteration}: {change(before.params, step.params)}, "
        f"log-likelihood {nats(gain, signed=True)}, KL gap {gap(step)} nats."
    )


def caption_of_touch(steps: Sequence[HalfStep], index: int, opening: str) -> str:
    """The start, or what an E half-step did: after both the bound touches the likelihood."""
    step = steps[index]
    if step.phase == "start":
        return (
            f"{opening} E-step 0: the bound touches the log-likelihood, "
            f"{nats(step.log_likelihood)} nats."
        )
    before = steps[index - 1]
    return (
        f"E-step {step.iteration}: the bound rose {nats(max(step.elbo - before.elbo, 0))} nats to "
        f"touch the log-likelihood, {nats(step.log_likelihood)}."
    )


def caption_of_leap(steps: Sequence[HalfStep], index: int) -> str:
    """What a leap in the place of an M-step did."""
    gain = steps[index].log_likelihood - steps[index - 1].log_likelihood
    return (
        f"Leap {steps[index].iteration}, no M-step: parameters and posterior move together where "
        f"EM would creep, log-likelihood {nats(gain, signed=True)}, no KL gap."
    )


def share_change(unit: str, names: Sequence[str]) -> Change:
    """Which component's share of the rows changed the most; names: what each is called, unit: what
    all are."""

    def change(before, after) -> str:
        change = after.weights - before.weights
        k = int(np.abs(change).argmax())
        if abs(change[k]) < 5e-4:
            return f"no {unit}'s share changed by {percent(0.001, 1)}"
        verb = "grew" if change[k] > 0 else "shrank"
        weight = after.weights[k]
        return f"{names[k]} {verb} to {percent(weight, 0 if weight >= 0.1 else 1)}"

    return change


def largest_change(names: Sequence[str], read: Callable[[Any], np.ndarray]) -> Change:
    """Which of some numbers changed the most; `read` gives them from parameters, as named."""

    def change(before, after) -> str:
        old, new = read(before), read(after)
        i = int(np.abs(new - old).argmax())
        verb = "rose" if new[i] > old[i] else "fell"
        return f"{names[i]} {verb} to {number(new[i], 3)}"

    return change
