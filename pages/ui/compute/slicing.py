"""The slice of every half-step of a run, ready to be played."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple

import numpy as np

from em_core import HalfStep
from em_core.coordinates.coordinates import Coordinate, Coordinates
from em_core.coordinates.domains import TINY
from em_core.coordinates.slices import (
    Line,
    bounds,
    line_along,
    line_between,
    log_likelihoods,
    slopes,
)
from em_core.protocols import optional
from em_core.trees import same_bits
from pages.ui.compute.climbing import Ended, Rows
from pages.ui.families.parameter_names import CHANCES
from pages.ui.pictures.frames import caption_of_leap, caption_of_touch, frames_shown
from pages.ui.pictures.leaders import NO_POINTS
from pages.ui.pictures.picture import Curves, Picture
from pages.ui.text import component_names, nats

# Rows times places times iterations: a few seconds of work for a mixture.
MOST_EVALUATIONS = 5e7
# What a pass of a model costs that cannot be put side by side with others, however few the rows.
ROWS_OF_A_PASS = 15_000
PLACES = 49
FEWEST_PLACES = 17
MOST_ITERATIONS = 60
# In coordinates, which have units of their own size: far enough to see the whole hill.
REACH = 1.5
ALONG_THE_WAY = (-0.75, 2.0)
TO_THE_END = (-0.35, 1.35)
# The heights shown move only when the climb needs another window than the last one.
CROWDED = 0.3
# Of the heights shown, what the mark above the top of the bound takes on a phone.
MARK = 0.07
SMALL = 1e-4
# So far to either side the bound should be in sight.
NEAR = 0.6
# Nearer to a limit a slope for each unit says nothing.
SMALLEST_RATE = 1e-6


class Asked(NamedTuple):
    """Which slice: its kind (a key of `settings.LINES`); the coordinate of a "parameter", None for
    the others; the other end."""

    kind: str
    coordinate: Coordinate | None
    other: Any
    title: str


class Heights(NamedTuple):
    """One half-step's slice."""

    positions: np.ndarray
    across: np.ndarray
    likelihood: np.ndarray
    bound: np.ndarray
    here: float


def line_of(model, steps: Sequence[HalfStep], index: int, asked: Asked) -> tuple[Line, float]:
    """The line through the parameters of a half-step, and where on it they are."""
    step = steps[index]
    if asked.coordinate is not None:
        return line_along(model, step.params, asked.coordinate.position), 0.0
    if asked.kind == "next":
        if step.phase == "M":
            return line_between(model, steps[index - 1].params, step.params), 1.0
        after = steps[index + 1].params if index + 1 < len(steps) else None
        return line_between(model, step.params, after or _beyond(model, steps)), 0.0
    end = steps[-1].params if asked.kind == "end" else asked.other
    if same_bits(end, step.params):
        others = (s.params for s in reversed(steps) if not same_bits(end, s.params))
        return line_between(model, next(others, end), end), 1.0
    return line_between(model, step.params, end), 0.0


def _beyond(model, steps: Sequence[HalfStep]):
    """At the end of a run the last way gone stands for the next one."""
    last = steps[-1]
    places = (i for i in range(len(steps) - 1, 0, -1) if steps[i].phase == "M")
    before = next((steps[i - 1].params for i in places), last.params)
    coordinates = Coordinates(model, last.params)
    here = coordinates.vector(last.params)
    return coordinates.params(2 * here - coordinates.vector(before))


def heights_of(
    model,
    rows: Rows,
    params,
    line: Line,
    here: float,
    asked: Asked,
    q,
    places: int,
    likelihood=None,
) -> Heights:
    """The slice of one half-step along its line, which passes its parameters at `here`.

    likelihood: where it is known from the half-step before.
    """
    if asked.coordinate is not None:
        here = float(line.coordinates.values(params)[asked.coordinate.position])
        positions = _offsets(asked.coordinate, here, places)
    else:
        positions = np.linspace(*(ALONG_THE_WAY if asked.kind == "next" else TO_THE_END), places)
        positions = np.union1d(positions, [0.0, 1.0])
    vectors = line.vectors(positions)
    across = positions
    if asked.coordinate is not None:
        across = line.coordinates.value_along(asked.coordinate.position, vectors)
    if likelihood is None:
        data, weights = rows
        likelihood = log_likelihoods(model, data, line.coordinates, vectors, weights)
    return Heights(positions, across, likelihood, bounds(model, line.coordinates, vectors, q), here)


def _offsets(coordinate: Coordinate, here: float, places: int) -> np.ndarray:
    """Where along a coordinate to look, from its value now."""
    if coordinate.quantity not in CHANCES:
        return np.linspace(-REACH, REACH, places)
    values = np.linspace(0, 1, places + 2)[1:-1]
    odds = np.log(max(here, TINY)) - np.log(max(1 - here, TINY))
    return np.union1d(np.log(values) - np.log1p(-values) - odds, [0.0])[:places]


class Numbers(NamedTuple):
    """Slopes at the half-step's parameters, in nats; per: for each what."""

    slope_of_bound: float
    slope_of_likelihood: float
    per: str


class Slices(NamedTuple):
    """The picture of a run's slices, which half-step each frame shows, and each frame's slopes."""

    picture: Picture
    shown: np.ndarray
    numbers: tuple[Numbers, ...]


def slice_work(run: Ended, asked: Asked, opening: str) -> Generator[float, None, Slices]:
    """Work on the slices of a run."""
    model, steps = run.model, list(run.trace)
    rows = run.rows
    n_rows = run.n_observations
    if not optional(model, "batches"):
        n_rows += ROWS_OF_A_PASS
    last = (len(steps) - 1) // 2
    most = int(np.clip(MOST_EVALUATIONS / (n_rows * PLACES), 3, MOST_ITERATIONS))
    places = PLACES if n_rows * PLACES * min(most, last) <= MOST_EVALUATIONS else FEWEST_PLACES
    shown = frames_shown(len(steps), 0)
    if last > most:
        # Where there is most to see: early.
        kept = np.unique(np.geomspace(1, last + 1, most).round().astype(int) - 1)[1:]
        shown = np.concatenate([[0], np.stack([2 * kept - 1, 2 * kept], axis=1).ravel()])
    found: list[Heights] = []
    numbers: list[Numbers] = []
    q, q_of, line_of_last = None, None, None
    for count, index in enumerate(shown):
        step = steps[index]
        before_m = step.iteration - (step.phase == "M")
        if q_of != (q_of := step.iteration if step.is_leap else before_m):
            q = model.e_step(step.posterior_params, *rows)
        # Two half-steps in turn share a line: M and E, or where it leads to the next, E and M.
        which = before_m if asked.kind == "next" else step.iteration
        known = found[-1].likelihood if which == line_of_last else None
        line_of_last = which
        line, here = line_of(model, steps, index, asked)
        found.append(heights_of(model, rows, step.params, line, here, asked, q, places, known))
        numbers.append(numbers_at(model, rows, line, here, asked, q))
        yield count / len(shown)
    picture = _picture(run, asked, opening, shown, found)
    return Slices(picture, shown, tuple(numbers))


def _picture(
    run: Ended, asked: Asked, opening: str, shown: np.ndarray, found: Sequence[Heights]
) -> Picture:
    steps = run.trace
    frames = [steps[i] for i in shown]
    notes = []
    if len(shown) < len(steps):
        notes.append(f"{len(shown) // 2} of {(len(steps) - 1) // 2} iterations are shown.")
    if asked.kind == "parameter":
        notes.append("All other parameters stay what they are at the half-step shown.")
    notes.append("The open triangle: where the bound is highest on this line.")
    return Picture(
        run=f"{run.key} {asked.kind} {asked.title}",
        columns=(),
        positions=np.zeros((0, 0)),
        rows=np.zeros(0, dtype=int),
        panels=(),
        components=component_names(1),
        iterations=np.array([step.iteration for step in frames]),
        phases=tuple(step.phase for step in frames),
        elbo=np.array([step.elbo for step in frames]),
        log_likelihood=np.array([step.log_likelihood for step in frames]),
        weights=np.ones((len(frames), 1)),
        means=np.zeros((len(frames), 1, 0)),
        covariances=np.zeros((len(frames), 1, 0, 0)),
        posterior=np.zeros(len(frames), dtype=int),
        leaders=NO_POINTS,
        captions=tuple(_caption(steps, i, opening) for i in shown),
        flags=tuple(step.flags for step in frames),
        running=False,
        note=" ".join(notes),
        summary=f"Log-likelihood and bound along {asked.title} at the half-step shown",
        slice=_curves(found, frames, asked),
    )


def _caption(steps: Sequence[HalfStep], index: int, opening: str) -> str:
    step = steps[index]
    if step.is_leap:
        return caption_of_leap(steps, index)
    if step.phase == "M":
        before = steps[index - 1]
        return (
            f"M-step {step.iteration}: to the top of the bound, {nats(step.elbo - before.elbo)} "
            f"nats up; the log-likelihood gains {nats(step.log_likelihood - before.log_likelihood)}"
            ", by the KL gap more."
        )
    return caption_of_touch(steps, index, opening)


def _curves(found: Sequence[Heights], frames: Sequence[HalfStep], asked: Asked) -> Curves:
    low, high, window = [], [], None
    for heights, step in zip(found, frames, strict=True):
        wanted = _window(heights, step)
        if (
            window is None
            or wanted[1] > window[1] - MARK * (window[1] - window[0])
            or wanted[0] < window[0]
            or wanted[1] - wanted[0] < CROWDED * (window[1] - window[0])
        ):
            room = 0.25 * (wanted[1] - wanted[0])
            window = wanted[0] - room, wanted[1] + room
        low.append(window[0])
        high.append(window[1])
    across = np.stack([heights.across for heights in found])
    here = np.array([heights.here for heights in found])
    if asked.coordinate is None:
        ends = float(across.min()), float(across.max())
    elif asked.coordinate.quantity in CHANCES:
        ends = 0.0, 1.0
    else:
        # A wide component at the start would leave the narrow ones at the end no room.
        reach = np.median(across.max(axis=1) - here), np.median(here - across.min(axis=1))
        ends = float(here.min() - reach[1]), float(here.max() + reach[0])
    margin = 0.02 * (ends[1] - ends[0])
    return Curves(
        title=asked.title,
        across=across,
        likelihood=_finite(np.stack([h.likelihood for h in found])),
        bound=_finite(np.stack([h.bound for h in found])),
        here=here,
        low=np.array(low),
        high=np.array(high),
        range=(ends[0] - margin, ends[1] + margin),
    )


def _window(heights: Heights, step: HalfStep) -> tuple[float, float]:
    """Heights worth seeing: from well below where we are to the top of the hill."""
    top = max(float(np.max(heights.likelihood)), step.log_likelihood)
    near = heights.bound[np.abs(heights.positions) <= NEAR]
    return min(2 * step.elbo - top, float(near[np.isfinite(near)].min(initial=step.elbo))), top


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, -1e30)


def numbers_at(model, rows: Rows, line: Line, here: float, asked: Asked, q) -> Numbers:
    """Both slopes where a line passes the parameters of a half-step."""
    line = Line(line.coordinates, line.vectors([here])[0], line.direction)
    data, weights = rows
    of_bound, of_likelihood = slopes(model, data, line, q, weights)
    if asked.coordinate is None:
        return Numbers(of_bound, of_likelihood, "whole way")
    ends = line.coordinates.value_along(asked.coordinate.position, line.vectors([-SMALL, SMALL]))
    rate = float(ends[1] - ends[0]) / (2 * SMALL)
    if abs(rate) < SMALLEST_RATE:
        return Numbers(of_bound, of_likelihood, "log unit")
    return Numbers(of_bound / rate, of_likelihood / rate, "unit")
