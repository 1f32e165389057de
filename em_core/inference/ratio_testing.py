"""The test of a smaller against a larger model by replicates drawn from the smaller one."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from em_core.data import WeightsKind, check, rows_that_count
from em_core.inference.nesting import is_nested
from em_core.inference.replicates import (
    Ended,
    Table,
    at_once,
    ends_of_each,
    require_frequencies,
    seeds_of,
    settled,
    simulated,
    together,
)

# Sequential: so many replicates as large as what was observed are enough (Besag & Clifford 1991).
ENOUGH = 10
# So many replicates are fitted together.
AT_ONCE = 20
# Where the larger model ends lower, or no start is sound, so many times as many starts follow.
MORE_STARTS = 4
# All starts go on until so many nats are left to gain, and then so many of the best to the end.
COARSE, KEPT = 0.1, 3
# In nats, twice what stopping EM at its tolerance explains.
LOWER = 2e-2


class LikelihoodRatio(NamedTuple):
    """statistic: 2 (log L of the larger model - log L of the smaller), of the data.

    p_value: (b + 1) / (B + 1) for b of B replicates with a statistic at least as large; stopped
    early at the h-th such one, which was the l-th replicate, h / l. NaN where the data themselves
    have no sound fit. statistics (B,): of the replicates. negative: in how many replicates the
    larger model ended lower at first, and was run again with more starts. failed: how many had no
    sound fit and are left out. smaller, larger: where both ended on the data. sentences: what a
    person should know.
    """

    statistic: float
    p_value: float
    statistics: np.ndarray
    exceeding: int
    negative: int
    failed: int
    stopped_early: bool
    smaller: Ended
    larger: Ended
    sentences: tuple[str, ...]


def likelihood_ratio_steps(
    smaller,
    larger,
    data,
    replicates: int = 99,
    seed: int = 0,
    starts: int = 10,
    sequential: bool = True,
    map: Callable[..., Iterable] = map,
    *,
    weights=None,
    weights_kind: WeightsKind = "frequencies",
    tolerance: float = 1e-3,
) -> Generator[float, None, LikelihoodRatio]:
    """Whether the data call for the larger of two nested models: the parametric bootstrap of the
    likelihood ratio (McLachlan 1987; Nylund, Asparouhov & Muthen 2007).

    Data are drawn from the smaller model at its estimate, with the same lengths, groups, weights
    and missing cells, and both models are fitted to each replicate as to the data: by `starts`
    seeds of the model's first start, the best that has not collapsed; where the larger model ends
    lower, or none is sound, by four times as many besides. starts: more find better optima, of the
    data as of the replicates. sequential: whether to stop at the 10th replicate that is as large as
    the data (Besag & Clifford 1991). map: for models whose runs are stepped one by one.

    The ratio has no chi-square distribution, as the smaller model lies at the edge of the larger;
    nor is the test of Vuong, Lo, Mendell and Rubin right for mixtures: its conditions do not hold
    for them (Jeffries 2003). Raises ValueError for models that are not nested, no replicates, and
    with sampling weights, under which the ratio is that of pseudo-likelihoods.

    `likelihood_ratio_steps` is a generator of the share that is done, 0 to 1, and returns the same.
    """
    if weights is not None:
        require_frequencies(weights_kind, "the likelihood-ratio test")
    if not is_nested(smaller, larger):
        raise ValueError(
            "the smaller model is no special case of the larger one: compare models by criteria "
            "such as BIC where they are not nested"
        )
    if replicates < 1 or starts < 1:
        raise ValueError("choose at least one replicate and one start")
    data = check(smaller, data)
    check(larger, data)
    table = Table(*rows_that_count(smaller, data, weights))
    yield 0.0
    search = _Search(starts, tolerance, map)
    first, *rngs = seeds_of(seed, 1 + replicates)
    (observed,) = search.both((smaller, larger), together(smaller, [table]), [first])
    below = settled(smaller, observed.smaller.params)
    above = settled(larger, observed.larger.params)
    found: list[_Pair] = []
    exceeding, stopped_early = 0, False
    for begin in range(0, replicates if observed.sound else 0, AT_ONCE):
        yield begin / replicates
        some = rngs[begin : begin + AT_ONCE]
        drawn = [simulated(below, observed.smaller.params, table, rng) for rng in some]
        for pair in search.both((below, above), together(below, drawn), some):
            found.append(pair)
            exceeding += pair.sound and pair.statistic >= observed.statistic
            if sequential and exceeding == ENOUGH and len(found) < replicates:
                stopped_early = True
                break
        if stopped_early:
            break
    statistics = np.array([pair.statistic for pair in found if pair.sound])
    n, failed = len(statistics), len(found) - len(statistics)
    p_value = exceeding / n if stopped_early else (exceeding + 1) / (n + 1)
    negative = sum(pair.negative for pair in found)
    return LikelihoodRatio(
        observed.statistic if observed.sound else np.nan,
        p_value if observed.sound else np.nan,
        statistics, exceeding, negative, failed, stopped_early,
        observed.smaller, observed.larger,
        tuple(_sentences(observed, negative, failed, len(found), stopped_early)),
    )  # fmt: skip


likelihood_ratio = at_once(likelihood_ratio_steps)


class _Pair(NamedTuple):
    """The best sound ends of both models; negative: the larger one ended lower at first."""

    smaller: Ended
    larger: Ended
    negative: bool

    @property
    def sound(self) -> bool:
        return not (self.smaller.collapsed or self.larger.collapsed)

    @property
    def statistic(self) -> float:
        return 2 * (self.larger.log_likelihood - self.smaller.log_likelihood)

    @property
    def lower(self) -> bool:
        return not self.sound or self.statistic < -LOWER


class _Search:
    """How data and replicates alike are fitted."""

    def __init__(self, starts: int, tolerance: float, map):
        self.starts, self.tolerance, self.map = starts, tolerance, map

    def both(self, models, tables: Sequence[Table], rngs) -> list[_Pair]:
        """The ends of two models on each of some tables."""
        smaller, larger = (self.best(model, tables, rngs, self.starts) for model in models)
        pairs = [_Pair(*ends, False) for ends in zip(smaller, larger, strict=True)]
        again = [i for i, pair in enumerate(pairs) if pair.lower]
        if not again:
            return pairs
        some = [tables[i] for i in again], [rngs[i] for i in again], MORE_STARTS * self.starts
        further = zip(again, *(self.best(model, *some) for model in models), strict=True)
        for i, *ends in further:
            better = (max(two, key=_rank) for two in zip(pairs[i][:2], ends, strict=True))
            pairs[i] = _Pair(*better, pairs[i].sound)
        return pairs

    def best(self, model, tables: Sequence[Table], rngs, n: int) -> list[Ended]:
        """Of each table the best end that has not collapsed."""
        method = next(iter(model.starts))
        starts = [self._starts(model, *part, method, n) for part in zip(tables, rngs, strict=True)]
        coarse = max(COARSE, self.tolerance)
        for tolerance, kept in ((coarse, KEPT), (self.tolerance, 1)):
            found = ends_of_each(model, tables, starts, tolerance=tolerance, map=self.map)
            ranked = [sorted(ends, key=_rank, reverse=True)[:kept] for ends in found]
            starts = [[end.params for end in ends if not end.collapsed] for ends in ranked]
        nothing = Ended(None, -np.inf, "failed", True)
        return [ends[0] if ends else nothing for ends in ranked]

    def _starts(self, model, table: Table, rng, method: str, n: int) -> list:
        starts = []
        for _ in range(n):
            try:
                starts.append(model.initial_params(table.data, method, rng, table.weights))
            except (ValueError, np.linalg.LinAlgError):
                break  # data that the model cannot be fitted to
        return starts


def _rank(end: Ended) -> tuple[bool, float]:
    """What has not collapsed comes before all that has; then by height."""
    return not end.collapsed, end.log_likelihood


def _sentences(
    observed: _Pair, negative: int, failed: int, n: int, stopped_early: bool
) -> Iterator[str]:
    if not observed.sound:
        yield "No start of one of the models led to a fit without a collapse: there is no test."
        return
    if stopped_early:
        yield (
            f"Stopped after {n} replicates: {ENOUGH} of them had a ratio as large as the data's."
        )
    if observed.statistic < -LOWER:
        yield "The larger model ended lower than the smaller one on the data: use more starts."
    if negative:
        yield (
            f"In {negative} of {n} replicates the larger model ended lower at first, and was run "
            "again with more starts."
        )
    if failed:
        yield f"{failed} of {n} replicates had no fit without a collapse, and are left out."
