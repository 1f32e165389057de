"""The picture of a Gaussian mixture: which half-steps, which coordinates, what each one did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from em_core import HalfStep, Mixture
from pages.ui.figures.picture import Picture

# Half-steps drawn one by one; of the iterations after these, evenly spaced ones.
DENSE_ITERATIONS = 60
MOST_ITERATIONS = 240
# A posterior of this many points and frames in total is what a browser takes in within a second.
MOST_POINT_FRAMES = 8_000_000
MOST_PAIRED_COLUMNS = 4
MINUS = "\N{MINUS SIGN}"


class Coordinates(NamedTuple):
    """A linear map from the data's D columns to the d drawn ones: (x - shift) @ directions."""

    names: tuple[str, ...]
    panels: tuple[tuple[int, ...], ...]
    shift: np.ndarray  # (D,)
    directions: np.ndarray  # (D, d)
    note: str

    def positions(self, data: np.ndarray) -> np.ndarray:
        return (data - self.shift) @ self.directions

    def covariances(self, covariances: np.ndarray) -> np.ndarray:
        return self.directions.T @ covariances @ self.directions


def chosen_columns(columns: Sequence[str], chosen: Sequence[int]) -> Coordinates:
    """One column (a histogram) or two, as they are."""
    directions = np.eye(len(columns))[:, list(chosen)]
    note = ""
    if len(columns) > len(chosen):
        shown = " and ".join(columns[i] for i in chosen)
        note = f"Each ellipse is the projection of one in {len(columns)} columns onto {shown}."
    names = tuple(columns[i] for i in chosen)
    return Coordinates(
        names, (tuple(range(len(chosen))),), np.zeros(len(columns)), directions, note
    )


def principal_components(columns: Sequence[str], data: np.ndarray) -> Coordinates:
    """The two directions in which the standardised columns spread the most."""
    spread = data.std(axis=0)
    scale = np.where(spread > 0, spread, 1)
    centre = data.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov((data - centre) / scale, rowvar=False))
    order = np.argsort(values)[::-1][:2]
    # The sign of an eigenvector is arbitrary: make its largest entry positive.
    largest = np.abs(vectors[:, order]).argmax(axis=0)
    vectors = vectors[:, order] * np.sign(vectors[largest, order])
    share = values[order] / values.sum()
    names = tuple(f"Principal component {i + 1} ({share[i]:.0%} of variance)" for i in range(2))
    note = f"Each ellipse is the projection of one in {len(columns)} columns onto two directions."
    return Coordinates(names, ((0, 1),), centre, vectors / scale[:, None], note)


def all_pairs(columns: Sequence[str]) -> Coordinates:
    """A matrix of pairs of the first few columns, with a histogram of each."""
    d = min(len(columns), MOST_PAIRED_COLUMNS)
    panels = tuple((i,) if i == j else (i, j) for j in range(d) for i in range(j + 1))
    note = "Each ellipse is a projection onto two columns."
    if d < len(columns):
        note += f" The first {d} of {len(columns)} columns are shown."
    directions = np.eye(len(columns))[:, :d]
    return Coordinates(tuple(columns[:d]), panels, np.zeros(len(columns)), directions, note)


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


def mixture_picture(
    run: str,
    model: Mixture,
    steps: Sequence[HalfStep],
    data: np.ndarray,
    sample: np.ndarray,
    rows: np.ndarray,
    coordinates: Coordinates,
    running: bool,
    opening: str,
) -> tuple[Picture, np.ndarray]:
    """The picture of a run, and which half-step each of its frames shows.

    data (N, D) and steps in the same units; sample (n,): the rows drawn; rows (N,): the number of
    each row as a person counts; opening: how the run began.
    """
    shown = frames_shown(len(steps), len(sample))
    frames = [steps[i] for i in shown]
    # In an M half-step the responsibilities are still those of the E half-step before it.
    source = [i - 1 if steps[i].phase == "M" else i for i in shown]
    distinct, posterior = np.unique(source, return_inverse=True)
    drawn = data[sample]
    notes = [coordinates.note]
    if len(sample) < len(data):
        notes.append(f"{len(sample):,} of {len(data):,} rows are drawn; the fit uses all.")
    if len(shown) < len(steps):
        last = (len(steps) - 1) // 2
        notes.append(f"{len(shown) // 2} of {last} iterations are shown.")
    picture = Picture(
        run=run,
        columns=coordinates.names,
        positions=coordinates.positions(drawn),
        rows=rows[sample],
        panels=coordinates.panels,
        components=tuple(f"component {k + 1}" for k in range(model.n_components)),
        iterations=np.array([step.iteration for step in frames]),
        phases=tuple(step.phase for step in frames),
        elbo=np.array([step.elbo for step in frames]),
        log_likelihood=np.array([step.log_likelihood for step in frames]),
        weights=np.array([step.params.weights for step in frames]),
        means=np.array([coordinates.positions(step.params.means) for step in frames]),
        covariances=np.array([coordinates.covariances(step.params.covariances) for step in frames]),
        posterior=posterior,
        responsibilities=_responsibilities(model, steps, distinct, drawn),
        captions=tuple(caption(steps, i, opening) for i in shown),
        flags=tuple(step.flags for step in frames),
        running=running,
        note=" ".join(filter(None, notes)),
    )
    return picture, shown


def _responsibilities(
    model: Mixture, steps: Sequence[HalfStep], distinct: np.ndarray, drawn: np.ndarray
) -> Iterator[np.ndarray]:
    for i in distinct:
        yield model.posterior(steps[i].params, drawn).responsibilities


def nats(value: float, signed: bool = False) -> str:
    """A log-likelihood, or with its sign a gain, to as many digits as mean something."""
    size = abs(value)
    digits = 2 if size >= 1 or size == 0 else 4
    text = f"{value:+,.{digits}f}" if signed else f"{value:,.{digits}f}"
    if size and size < 1e-3:
        text = f"{value:+.1e}" if signed else f"{value:.1e}"
    return text.replace("-", MINUS)


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
