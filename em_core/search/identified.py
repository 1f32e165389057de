"""Whether data of a model, however many, could tell its parameters.

Parameters are locally identified where the expected information, the covariance of the scores
s(x) = d log p(x) / d params, has full rank (Rothenberg 1971): else there is a direction in which
the parameters move and the distribution does not.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from em_core.coordinates.coordinates import Coordinates, has_coordinates
from em_core.coordinates.slices import FOURTH, STEP, central
from em_core.fit import Fit
from em_core.protocols import Levels, is_discrete, optional

# Eigenvalues below this share of the largest are 0.
RANK = 1e-8
# Tables of at most so many cells are summed over; of larger ones and all else rows are drawn.
MOST_CELLS = 4096
# So many draws for each parameter, and more besides: the rank is that of any so many.
DRAWS, MORE_DRAWS = 4, 200
LONGEST_SEQUENCE = 12
# Rows times parameters: beyond, a person would wait for many seconds.
MOST_SCORES = 2_000_000
# Eigenvalues above this share of the largest are not taken for those of a ridge not yet reached.
SOUND = 1e-2
# Steps up to the ridge, and the longest of them, in coordinates.
MOST_STEPS, LONGEST_STEP, SMALLEST_STEP = 40, 2.0, 1e-7
# In nats; below it a step is along the ridge.
LEAST_GAIN = 1e-7
ROUNDING = 1e-12
# Of the information's trace: keeps steps along the ridge small.
DAMPING = 1e-12


class Identification(NamedTuple):
    """rank: that of the expected information. n_parameters: free parameters of the model, of which
    n_at_limit lie at a limit (a probability of 0 or 1, an empty class) and are left out: with them
    there is no direction to move in. cells: free cells of the table of all rows that there can be,
    one less than there are; None where they are not finitely many.
    identified: whether the rank is that of the parameters left; None where it was not looked at,
    for the reason in `problem`.
    """

    identified: bool | None
    rank: int | None
    n_parameters: int
    n_at_limit: int
    cells: int | None
    problem: str = ""

    @property
    def sentence(self) -> str:
        """ "not identified: 11 parameters, 7 cells"; the reason where it was not looked at."""
        if self.identified is None:
            return self.problem
        if self.identified:
            return "identified"
        if self.cells is not None and self.cells < self.n_parameters - self.n_at_limit:
            return f"not identified: {self.n_parameters} parameters, {self.cells} cells"
        left = f", of which {self.n_at_limit} at a limit" if self.n_at_limit else ""
        return (
            f"not identified: {self.n_parameters} parameters{left}, "
            f"and only {self.rank} can be told"
        )


def identified(
    result: Fit, data, weights=None, *, most_scores: int = MOST_SCORES
) -> Identification:
    """Whether the model of a fit is identified at its parameters (locally, and up to the order of
    components and the rotation of factors, which `n_parameters` does not count).

    Where rows are items of so few levels that all 4,096 possible rows or fewer can be listed, the
    information is an exact sum; otherwise that of 4 draws for each parameter and 200 more (seed 0),
    of sequences of up to 12 rows. Scores are central differences, good to 1e-9. Of rows of items
    and counts, as EM stops short of the top of a ridge, Fisher's scoring first goes on to it.
    Above `most_scores` rows times parameters it is not looked at.
    """
    model, params = result.model, result.params
    n_parameters = model.n_parameters(params)
    unknown = Identification(None, None, n_parameters, 0, free_cells(model, params))
    if not np.isfinite(result.log_likelihood):
        return unknown._replace(problem="its log-likelihood is not a finite number")
    if not has_coordinates(model):
        return unknown._replace(problem="the model does not say where its parameters may lie")
    n_coordinates = Coordinates(model, params).size
    listed = all_rows(model, params)
    n_rows = DRAWS * n_coordinates + MORE_DRAWS if listed is None else len(listed)
    if n_rows * n_coordinates > most_scores:
        problem = f"not looked at, as it would take long for {n_parameters:,} parameters"
        return unknown._replace(problem=problem)

    def ridge_at(params) -> _Ridge:
        if listed is not None:
            return _Ridge.at(model, params, listed, np.exp(log_densities(model, params, listed)))
        return _Ridge.at(
            model, params, _drawn(model, params, data, n_rows), np.full(n_rows, 1 / n_rows)
        )

    top = ridge_at(params)
    if is_discrete(optional(model, "emission")) and not isinstance(data, list):
        patterns, which = np.unique(model.check(data), axis=0, return_inverse=True)
        if len(patterns) * n_coordinates <= most_scores:
            counts = np.bincount(which.ravel(), weights).astype(float)
            top = _climbed(model, top, ridge_at, patterns, counts)
    return unknown._replace(
        identified=top.rank >= top.n_free, rank=top.rank, n_at_limit=top.n_at_limit
    )


def free_cells(model, params) -> int | None:
    """How many cells the table of all rows has, less one; None where it has no end."""
    if optional(model, "latent") != "labels" or not isinstance(model.emission, Levels):
        return None
    levels = model.emission.level_probabilities(params.emission)
    return math.prod(chances.shape[1] for chances in levels) - 1


def all_rows(model, params) -> np.ndarray | None:
    """(M, D) every row that there can be; None where there are too many."""
    cells = free_cells(model, params)
    if cells is None or cells >= MOST_CELLS:
        return None
    levels = model.emission.level_probabilities(params.emission)
    ranges = (np.arange(chances.shape[1], dtype=float) for chances in levels)
    return np.array(list(itertools.product(*ranges)))


def _drawn(model, params, data, n: int) -> Any:
    """n rows, or sequences or groups about as long as those of the data, drawn from the model."""
    rng = np.random.default_rng(0)
    if not isinstance(data, list):
        return model.sample(params, n, rng)[0]
    sizes = np.minimum([len(part) for part in data], LONGEST_SEQUENCE)
    return model.sample(params, np.resize(sizes, n), rng)[0]


def log_densities(model, params, rows) -> np.ndarray:
    """(N,) log p of each row, sequence or group, in nats."""
    posterior = model.posterior(params, rows)
    # What a row, or a group, and what a sequence has; a model of one's own may tell neither.
    for name in ("log_densities", "log_likelihoods"):
        if name in getattr(posterior, "_fields", ()):
            return getattr(posterior, name)
    alone = (rows[n : n + 1] for n in range(len(rows)))
    return np.array([model.e_step(params, row).log_likelihood for row in alone])


class _Ridge(NamedTuple):
    """Some parameters, and the expected information there along the coordinates that are free.

    free (P,): which are not at a limit. information (P, P): 0 along the others.
    """

    params: Any
    coordinates: Coordinates
    free: np.ndarray
    information: np.ndarray
    n_parameters: int

    @classmethod
    def at(cls, model, params, rows, shares: np.ndarray) -> _Ridge:
        """shares (N,): how much each row counts, as often as it occurs under the model."""
        coordinates = Coordinates(model, params)
        free = ~coordinates.at_limit(params)
        found = scores(model, coordinates, params, rows, free)
        # A row of probability 0 has no score, and counts for nothing.
        found = np.where(shares[:, None] > 0, found, 0.0)
        information = (found * shares[:, None]).T @ found
        return cls(params, coordinates, free, information, model.n_parameters(params))

    @property
    def n_at_limit(self) -> int:
        return int((~self.free).sum())

    @property
    def n_free(self) -> int:
        return max(self.n_parameters - self.n_at_limit, 0)

    @property
    def shares_of_largest(self) -> np.ndarray:
        """Eigenvalues over the largest, by falling size."""
        values = np.linalg.eigvalsh(self.information)[::-1]
        return values / max(values[0], np.finfo(float).tiny) if len(values) else values

    @property
    def rank(self) -> int:
        return int((self.shares_of_largest > RANK).sum())


def scores(model, coordinates: Coordinates, params, rows, free: np.ndarray) -> np.ndarray:
    """(N, P) derivatives of the log-density of each row along the free coordinates, else 0."""
    origin = coordinates.vector(params)
    offsets, differences = central(FOURTH)
    found = np.zeros((len(rows), coordinates.size))
    rows = _at_hand(model, params, rows)
    for position in np.flatnonzero(free):
        for offset, weight in zip(offsets, differences, strict=True):
            vector = origin.copy()
            vector[position] += STEP * offset
            there = log_densities(model, coordinates.params(vector), rows)
            found[:, position] += np.where(np.isfinite(there), there, 0.0) * weight / STEP
    return found


def _at_hand(model, params, rows) -> Any:
    """Rows of items and counts made ready once, for parameters as near as differences take: that
    takes as long as their densities do."""
    prepare = optional(model, "prepare_new")
    return rows if prepare is None or not is_discrete(model.emission) else prepare(rows, params)


def _climbed(
    model, ridge: _Ridge, ridge_at: Callable[[Any], _Ridge], patterns, counts: np.ndarray
) -> _Ridge:
    """The top of the ridge that parameters are on, by Fisher's scoring.

    patterns (U, D): the different rows of the data, each so often: counts (U,).
    Where parameters are not identified EM slows down for good: it comes as near to the top as its
    tolerance asks, and the information there is small, and not yet singular.
    """
    height, gain = counts @ log_densities(model, ridge.params, patterns), np.inf
    for _ in range(MOST_STEPS):
        n_free, eigenvalues = ridge.n_free, ridge.shares_of_largest
        if n_free == 0 or (ridge.rank >= n_free and eigenvalues[n_free - 1] > SOUND):
            break
        # A flat ridge has a top everywhere; what goes to a limit only looks flat, and still gains.
        if ridge.rank < n_free and gain < LEAST_GAIN:
            break
        coordinates = ridge.coordinates
        slopes = counts @ scores(model, coordinates, ridge.params, patterns, ridge.free)
        damping = DAMPING * np.trace(ridge.information) * np.eye(len(slopes))
        step = np.linalg.solve(ridge.information + damping, slopes / counts.sum())
        step *= min(1.0, LONGEST_STEP / max(np.abs(step).max(), LONGEST_STEP))
        before, origin = height, coordinates.vector(ridge.params)
        for part in (1.0, 0.5, 0.25, 0.1):
            moved = coordinates.params(origin + part * step)
            height = counts @ log_densities(model, moved, patterns)
            if height >= before - ROUNDING * abs(before):
                break
        else:
            break
        gain, ridge = height - before, ridge_at(moved)
        if np.abs(step).max() < SMALLEST_STEP:
            break
    return ridge
