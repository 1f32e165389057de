"""About how long a grid of models takes: before it begins, and while it goes on."""

from __future__ import annotations

import time

import numpy as np

from em_core.data import check, n_rows, prepare
from pages.ui.running.searches import Grid

# An E-step is timed on so many rows; a run takes about so many of them, its start among them.
MOST_TIMED, ITERATIONS = 4_096, 120
# With fewer rows, each times the models, the starts and the folds, nobody asks.
MANY = 2_000_000
USUAL = "k-means++"


def seconds_of(grid: Grid) -> float:
    """A guess from one E-step of the largest model on some of the rows; 0 where it is small, or
    where nothing can be timed."""
    runs = grid.n_starts * (1 + grid.folds)
    if grid.n_rows * len(grid.models) * runs < MANY:
        return 0.0
    sizes = [size for _, size in grid.models]
    model = grid.models[max(grid.models, key=lambda label: label[1])]
    part = _first(grid.data, MOST_TIMED)
    start = USUAL if USUAL in model.starts else next(iter(model.starts))
    try:
        rows = check(model, part)
        params = model.initial_params(rows, start, np.random.default_rng(0))
        ready = prepare(model, rows, None)
        seconds = min(_timed(model, params, ready) for _ in range(2))
    except ValueError:  # what is wrong with the rows the grid says
        return 0.0
    return seconds * grid.n_rows / n_rows(part) * ITERATIONS * runs * sum(sizes) / max(sizes)


def seconds_left(grid: Grid) -> float | None:
    """How long it goes on, by the models that have been fitted since it began; None before that
    tells anything. Larger models take longer."""
    done = [cell.label[1] for cell in grid.cells if cell.status != "not run"]
    fitted, all_sizes = sum(done) - grid.begun_with, sum(size for _, size in grid.models)
    if fitted <= 0:
        return None
    return grid.elapsed / fitted * (all_sizes - sum(done))


def in_words(seconds: float) -> str:
    """ "3 minutes": to a digit or two."""
    if seconds < 90:
        return f"{max(10 * round(seconds / 10), 10)} seconds"
    minutes = seconds / 60
    if minutes < 90:
        return f"{minutes:.0f} minutes"
    return f"{minutes / 60:.0f} hours"


def _first(data, most: int):
    if not isinstance(data, list):
        return data[:most]
    taken, parts = 0, []
    for part in data:
        if taken >= most:
            break
        parts.append(part[: most - taken])
        taken += len(parts[-1])
    return parts


def _timed(model, params, rows) -> float:
    began = time.perf_counter()
    model.e_step(params, rows)
    return time.perf_counter() - began
