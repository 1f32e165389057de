"""Data like the data of a fit: drawn from them, or from the model; and fits to many of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import replace
from functools import partial, update_wrapper
from inspect import signature
from typing import Any, NamedTuple, ParamSpec, TypeVar, get_args

import numpy as np

from em_core.data import WeightsKind, copies
from em_core.half_steps import has_collapsed
from em_core.protocols import Emission, Levels, is_discrete, optional
from em_core.search.batching.stepping import one_by_one, strategy
from em_core.standardised import Standardised

P = ParamSpec("P")
T = TypeVar("T")
# So many different rows of all replicates are one table for all; of more, each has its own.
MOST_PATTERNS = 2000


class Ended(NamedTuple):
    """Where one run has come to. collapsed: a component has degenerated, or the run failed."""

    params: Any
    log_likelihood: float
    stop_reason: str
    collapsed: bool


class Table(NamedTuple):
    """Data as a model checks them, and the weights of rows, sequences or groups, or None."""

    data: Any
    weights: np.ndarray | None


def ends_of(
    model,
    data,
    starts: Sequence[Any],
    weights: np.ndarray | None = None,
    *,
    tolerance: float = 1e-3,
    max_iterations: int = 1000,
    map: Callable[..., Iterable] = map,
) -> list[Ended]:
    """Where EM ends from each of some starting parameters on the same data, with weights (N,), or
    (R, N), each run's own."""
    if not starts:
        return []
    stepping = strategy(model)
    if stepping is one_by_one:
        stepping = partial(one_by_one, map=map)
    last, reasons = list(starts), ["failed"] * len(starts)
    heights = np.full(len(starts), -np.inf)
    flags: list[tuple[str, ...]] = [()] * len(starts)
    for advances in stepping(
        model, data, starts, weights=weights, tolerance=tolerance, max_iterations=max_iterations
    ):
        for run, steps, reason, _ in advances:
            if steps:
                last[run], heights[run] = steps[-1].params, steps[-1].log_likelihood
                flags[run] = steps[-1].flags
            reasons[run] = reason or reasons[run]
    return [
        Ended(params, float(height), reason, reason == "failed" or has_collapsed(raised))
        for params, height, reason, raised in zip(last, heights, reasons, flags, strict=True)
    ]


def ends_of_each(
    model,
    tables: Sequence[Table],
    starts: Sequence[Sequence[Any]],
    *,
    map: Callable[..., Iterable] = map,
    **options,
) -> list[list[Ended]]:
    """Where EM ends from each of some starting parameters on each of some tables.

    Tables of the same rows (see `together`) are one computation.
    """
    first = tables[0].data if tables else None
    if tables and all(table.data is first and table.weights is not None for table in tables):
        counts = [len(of_table) for of_table in starts]
        weights = np.repeat([table.weights for table in tables], counts, axis=0)
        together = [start for part in starts for start in part]
        flat = ends_of(model, first, together, weights, map=map, **options)
        bounds = np.cumsum([0, *counts])
        return [flat[a:b] for a, b in itertools.pairwise(bounds)]

    def one(table: Table, own: Sequence[Any]) -> list[Ended]:
        try:
            return ends_of(model, table.data, own, table.weights, **options)
        except ValueError:
            # Rows that the model cannot be fitted to, as a column that does not vary.
            return [Ended(params, -np.inf, "failed", True) for params in own]

    return list(map(one, tables, starts))


def settled(model, params):
    """The model with what it would otherwise learn from data: the levels of its items."""
    if isinstance(model, Standardised):
        return replace(model, model=settled(model.model, params))
    emission = optional(model, "emission")
    if not isinstance(emission, Levels) or "levels" not in (
        optional(emission, "DIMS", Emission) or {}
    ):
        return model
    levels = tuple(int(n) for n in params.emission.levels)
    return replace(model, emission=replace(emission, levels=levels))


def simulated(model, params, table: Table, rng: np.random.Generator) -> Table:
    """A table drawn from the model, of the same size: as many rows, sequences or groups of the same
    lengths, with the same cells missing. Whole weights are copies, each drawn by itself; other
    weights stay those of their rows."""
    data, weights = table
    if weights is not None and (weights == np.round(weights)).all():
        data, weights = copies(data, weights.astype(int)), None
    if isinstance(data, list):
        drawn = model.sample(params, [len(part) for part in data], rng)[0]
        for like, part in zip(data, drawn, strict=True):
            part[np.isnan(like)] = np.nan
        return Table(list(drawn), weights)
    drawn = model.sample(params, len(data), rng)[0]
    drawn[np.isnan(data)] = np.nan
    return Table(drawn, weights)


def refitted(
    model,
    params,
    table: Table,
    replicates: int,
    seed: int,
    map: Callable[..., Iterable] = map,
) -> list[tuple[Table, Any]]:
    """Tables drawn from the model at these parameters (see `simulated`), each with the parameters
    where EM ends that starts from them; without those where that collapses."""
    tables = together(
        model, [simulated(model, params, table, rng) for rng in seeds_of(seed, replicates)]
    )
    ends = ends_of_each(model, tables, [[params]] * replicates, map=map)
    return [
        (drawn, own[0].params)
        for drawn, own in zip(tables, ends, strict=True)
        if not own[0].collapsed
    ]


def require_frequencies(weights_kind: WeightsKind, what: str) -> None:
    """Raises ValueError where weights are sampling weights, and so the likelihood is none."""
    if weights_kind == "sampling":
        raise ValueError(
            f"{what} needs a likelihood, and sampling weights give a pseudo-likelihood: its "
            "distribution is not that of the model"
        )


def resampled(table: Table, rng: np.random.Generator, sampling: bool = False) -> Table:
    """The same rows, sequences or groups, each as often as it is drawn with replacement; weights
    are copies, or (sampling) stay with their rows."""
    n = len(table.data)
    if sampling and table.weights is not None:
        counts = rng.multinomial(n, np.full(n, 1 / n))
        return Table(table.data, counts * table.weights)
    total = n if table.weights is None else float(table.weights.sum())
    shares = None if table.weights is None else table.weights / total
    size = max(1, round(total))
    counts = rng.multinomial(size, np.full(n, 1 / n) if shares is None else shares)
    return Table(table.data, counts * (total / size))


def together(model, tables: Sequence[Table]) -> list[Table]:
    """Tables of items or counts as one table of all different rows, with as many weights of these;
    others, and where there are too many of them, as they are."""
    discrete = is_discrete(optional(model, "emission"))
    if not discrete or not tables or isinstance(tables[0].data, list):
        return list(tables)
    found = [patterns(table) for table in tables]
    rows, _ = patterns(Table(np.concatenate([rows for rows, _ in found]), None))
    if len(rows) > MOST_PATTERNS:
        return [Table(*pair) for pair in found]
    place = {row.tobytes(): i for i, row in enumerate(rows)}
    merged = []
    for own, counts in found:
        weights = np.zeros(len(rows))
        weights[[place[row.tobytes()] for row in own]] = counts
        merged.append(Table(rows, weights))
    return merged


def patterns(table: Table) -> tuple[np.ndarray, np.ndarray]:
    """The different rows (M, D) of items or counts, and the weight (M,) of each."""
    # Numbers that are missing are not equal to each other; no item or count is negative.
    coded = np.where(np.isnan(table.data), -1.0, table.data) + 0.0
    rows, which = np.unique(coded, axis=0, return_inverse=True)
    counts = np.bincount(which.ravel(), table.weights).astype(float)
    return np.where(rows < 0, np.nan, rows), counts


def at_once(steps: Callable[P, Generator[float, None, T]]) -> Callable[P, T]:
    """The function of a computation that tells its share done (`..._steps`) for those who need not
    watch it: of the same arguments, it returns what that returns in the end."""

    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        computation = steps(*args, **kwargs)
        while True:
            try:
                next(computation)
            except StopIteration as end:
                return end.value

    update_wrapper(run, steps)
    run.__name__ = run.__qualname__ = run.__name__.removesuffix("_steps")
    told = signature(steps, eval_str=True)
    _, _, returned = get_args(told.return_annotation)
    vars(run)["__signature__"] = told.replace(return_annotation=returned)
    return run


def seeds_of(seed: int, n: int) -> list[np.random.Generator]:
    """A generator for each of n replicates: whatever is done to one leaves the others alone."""
    return [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(n)]
