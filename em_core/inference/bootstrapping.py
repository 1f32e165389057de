"""Standard errors and intervals from fits to data that are drawn again (Efron 1979)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from em_core.data import check, n_rows, rows_that_count
from em_core.fit import Fit
from em_core.inference.replicates import (
    Ended,
    Table,
    at_once,
    ends_of,
    ends_of_each,
    require_frequencies,
    resampled,
    seeds_of,
    settled,
    simulated,
    together,
)
from em_core.inference.uncertainty.delta import Reported, named
from em_core.inference.uncertainty.quantities import (
    Quantity,
    entries,
    in_canonical_form,
    quantities,
    shaped,
)
from em_core.search.alignment import align, assignment_shares, disagreement, relabelled, some_rows

# Rows, sequences or groups: of fewer, what was drawn again says little of what could have been.
FEWEST = 10
# Of fewer replicates that stay in their optimum, those that do are no sample of all.
STABLE = 0.9
# Two runs to one optimum differ by at most this, as in `em_core.search.optima`.
SAME_ASSIGNMENT, SAME_HEIGHT = 0.01, 10.0
MOST_ROWS_COMPARED = 2000
# Rows times replicates that are held at once.
MOST_NUMBERS = 20_000_000
# So many replicates are fitted together, between two reports of how far it is.
AT_ONCE = 50


class Bootstrap(NamedTuple):
    """What fits to data drawn again say of a fit.

    params: those of the fit, factors unrotated. standard_errors, lower, upper: in their shape, the
    standard deviation of the replicates that stayed, and their quantiles; all NaN where less than
    90 % did. reported: the same of what people report; estimates (S, M): of each replicate that
    stayed. stayed of replicates have the optimum of the fit: from their end EM on the data
    themselves leads back to it. left: the others, of which failed collapsed or could not be fitted.
    parametric: whether data were drawn from the model. sentences: what a person should know.
    """

    params: Any
    standard_errors: Any
    lower: Any
    upper: Any
    reported: tuple[Reported, ...]
    estimates: np.ndarray
    stayed: int
    left: int
    failed: int
    replicates: int
    parametric: bool
    level: float
    sentences: tuple[str, ...]

    @property
    def stable(self) -> bool:
        """Whether so many replicates stayed that their spread is that of the answer."""
        return self.stayed >= STABLE * self.replicates

    @property
    def names(self) -> tuple[str, ...]:
        """(M,) of what is reported: "mean (2, 1)"."""
        return tuple(row.name for row in self.reported)

    @property
    def covariance(self) -> np.ndarray:
        """(M, M) of what is reported, over the replicates that stayed."""
        if not self.stable:
            return np.full((len(self.reported), len(self.reported)), np.nan)
        return np.atleast_2d(np.cov(self.estimates, rowvar=False))


def bootstrap_steps(
    result: Fit,
    data,
    replicates: int = 200,
    seed: int = 0,
    parametric: bool = False,
    weights=None,
    map: Callable[..., Iterable] = map,
    *,
    level: float = 0.95,
    tolerance: float = 1e-3,
) -> Generator[float, None, Bootstrap]:
    """Percentile intervals and standard errors of a fit (Efron & Tibshirani 1993, chapter 13).

    Rows, or whole sequences or groups, are drawn with replacement; frequencies are copies, each of
    which is drawn by itself, and sampling weights stay with their rows. Or data are drawn from the
    model (parametric), with the same lengths, groups and missing cells. Each replicate is fitted
    from the parameters of the fit, and its components are matched to them (O'Hagan et al. 2019).
    With fewer than ten rows, sequences or groups only `parametric` is done.
    map: for models whose runs are stepped one by one. Raises ValueError for fewer than 2
    replicates, a level that is none, and a parametric one with sampling weights.

    `bootstrap_steps` is a generator of the share that is done, 0 to 1, and returns the same.
    """
    if replicates < 2:
        raise ValueError(f"{replicates} replicates have no spread: choose at least 2")
    if not 0 < level < 1:
        raise ValueError(f"a level of {level} is none: choose one between 0 and 1, as 0.95")
    data = check(result.model, data)
    table = Table(*rows_that_count(result.model, data, weights, result.weights_kind))
    data, sampling = table.data, result.weights_kind == "sampling"
    n_units = len(data) if sampling or table.weights is None else table.weights.sum()
    few = n_units < FEWEST and not parametric
    parametric = parametric or few
    if parametric:
        require_frequencies(result.weights_kind, "a parametric bootstrap")
    model = settled(result.model, result.params)
    rngs = seeds_of(seed, replicates)
    # Weights of all replicates at once, or their rows, must not fill the memory.
    together_at_most = max(1, min(MOST_NUMBERS // n_rows(data), AT_ONCE))
    found: list[Ended] = []
    for begin in range(0, replicates, together_at_most):
        yield 0.9 * begin / replicates
        some = rngs[begin : begin + together_at_most]
        if parametric:
            drawn = [simulated(model, result.params, table, rng) for rng in some]
            tables = together(model, drawn)
        else:
            tables = [resampled(table, rng, sampling) for rng in some]
        starts = [[result.params]] * len(some)
        ends = ends_of_each(model, tables, starts, tolerance=tolerance, map=map)
        found += [own[0] for own in ends]
    sound = [end for end in found if not end.collapsed and np.isfinite(end.log_likelihood)]
    yield 0.9
    back = ends_of(
        model, table.data, [end.params for end in sound], table.weights,
        tolerance=tolerance, map=map,
    )  # fmt: skip
    compared, of_rows = some_rows(data, table.weights, MOST_ROWS_COMPARED, np.random.default_rng(0))
    reference = assignment_shares(model, result.params, compared)
    stayed = [
        _aligned(model, end.params, compared, of_rows, reference)
        for end, returned in zip(sound, back, strict=True)
        if _same(model, result, returned, compared, of_rows, reference, tolerance)
    ]
    return _summary(
        result, model, stayed, len(found) - len(sound), replicates, level, parametric, few
    )


bootstrap = at_once(bootstrap_steps)


def _same(model, result: Fit, end: Ended, rows, weights, reference, tolerance: float) -> bool:
    """Whether a run on the data themselves ends in the optimum of the fit."""
    near = abs(end.log_likelihood - result.log_likelihood) <= SAME_HEIGHT * tolerance
    if end.collapsed or not near:
        return False
    shares = assignment_shares(model, end.params, rows)
    if shares is None:
        return True
    aligned = shares[:, align(reference, shares, weights)]
    return disagreement(reference, aligned, weights) <= SAME_ASSIGNMENT


def _aligned(model, params, rows, weights, reference: np.ndarray | None):
    """Parameters with the components in the order of the fit's."""
    if reference is None or not model.DIMS:
        return params
    shares = assignment_shares(model, params, rows)
    assert shares is not None, "the fit has some"
    return relabelled(params, align(reference, shares, weights), model.DIMS)


def _summary(
    result: Fit, model, stayed: Sequence[Any], failed: int, replicates: int, level: float,
    parametric: bool, few: bool,
) -> Bootstrap:  # fmt: skip
    at = in_canonical_form(result.params)
    stable = len(stayed) >= STABLE * replicates
    told = [_numbers(quantities(model, params, at)) for params in stayed]
    parts = [_numbers(entries(model, params, at)) for params in stayed]
    reported = quantities(model, at, at)
    estimates = np.array(told).reshape(len(told), len(_numbers(reported)))
    errors, lower, upper = _spread(estimates, level, stable)
    rows, place_at = [], 0
    for name, places, _, values in reported:
        for place, value in zip(places, values.tolist(), strict=True):
            ends = (float(part[place_at]) for part in (errors, lower, upper))
            rows.append(Reported(named(name, place), value, *ends, name, place))
            place_at += 1
    n_parts = len(_numbers(entries(model, at, at)))
    trees = _spread(np.array(parts).reshape(len(parts), n_parts), level, stable)
    return Bootstrap(
        at, *(shaped(at, part) for part in trees), tuple(rows), estimates, len(stayed),
        replicates - len(stayed), failed, replicates, parametric, level,
        tuple(_sentences(len(stayed), failed, replicates, stable, few)),
    )  # fmt: skip


def _numbers(found: list[Quantity]) -> np.ndarray:
    return np.concatenate([quantity.values for quantity in found])


def _spread(estimates: np.ndarray, level: float, stable: bool) -> tuple[np.ndarray, ...]:
    """Standard deviations, lower and upper quantiles of the columns; NaN of what never varies."""
    if not stable or len(estimates) < 2:
        return (np.full(estimates.shape[1], np.nan),) * 3
    varies = np.ptp(estimates, axis=0) > 0
    ends = np.quantile(estimates, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return tuple(np.where(varies, part, np.nan) for part in (estimates.std(axis=0, ddof=1), *ends))


def _sentences(stayed: int, failed: int, replicates: int, stable: bool, few: bool) -> Iterator[str]:
    if few:
        yield (
            f"With fewer than {FEWEST} rows, sequences or groups to draw from, data were drawn "
            "from the model."
        )
    left = replicates - stayed
    if left:
        of_these = f" ({failed} of them collapsed or could not be fitted)" if failed else ""
        yield f"{stayed} of {replicates} replicates stayed in this optimum, {left} left{of_these}."
    if not stable:
        yield "So the answer is not stable: there are no intervals."
