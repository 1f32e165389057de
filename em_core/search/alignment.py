"""How components are numbered, and which component of one fit is which of another.

What EM calls component 1 is what happened to begin there. So that one answer has the same numbers
whichever start led there, components are numbered by where the run ends: by their mean of the first
column, the smallest first; by the further columns, then by standard deviations, where these are
about equal (`numbering`). The numbers hold for all half-steps of a run. States that follow each
other in one direction only keep the order in which they do, and a model that does not say what the
axes of its arrays are (`DIMS`), or what its columns are like, keeps the numbers of its start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from em_core.fit import Fit
from em_core.half_steps import Flag, HalfStep
from em_core.protocols import Columns, optional
from em_core.search.batching.packed import PackedTrace

# Means that differ by less than about this share of the largest standard deviation are equal: runs
# into one optimum end that far apart where a probability nears 0, say.
EQUAL = 1e-3

SomeFit = TypeVar("SomeFit", bound=Fit)


def assignment_shares(model, params, data) -> np.ndarray | None:
    """(N, K) probabilities of the component (or state) of each row, sequence after sequence; None
    where what is hidden is no label, as in factor analysis."""
    return optional(model, "component_shares")(params, data)


def is_numbered(model) -> bool:
    """Whether the rule above numbers the components of a model, or they keep the numbers they
    have."""
    dims = optional(model, "DIMS") or {}
    return (
        any("component" in axes for axes in dims.values())
        and model.interchangeable()
        and isinstance(optional(model, "emission"), Columns)
    )


def numbering(model, params) -> np.ndarray | None:
    """(K,) the component of `params` that has number k by the rule above; None where components
    keep the numbers they have."""
    if not is_numbered(model):
        return None
    emission = model.emission
    means = emission.column_means(params.emission)
    deviations = emission.column_deviations(params.emission)
    units = EQUAL * deviations.max(axis=0, where=np.isfinite(deviations), initial=0)
    exact = units == 0
    keys = [
        np.where(exact, each, np.round(each / np.where(exact, 1, units)))
        for each in (means, deviations)
    ]
    return np.lexsort(np.concatenate(keys, axis=1).T[::-1])


def ordered(fit: SomeFit) -> SomeFit:
    """The same fit with its components numbered by the rule above."""
    order = numbering(fit.model, fit.params)
    if order is None or (order == np.arange(len(order))).all():
        return fit
    dims, trace = fit.model.DIMS, fit.trace
    if isinstance(trace, PackedTrace):
        packed = trace.with_components(
            lambda params: relabelled(params, order, dims), lambda flag: renumbered(flag, order)
        )
        return replace(fit, trace=packed)
    return replace(fit, trace=tuple(in_order(trace, order, dims)))


def in_order(
    steps: Iterable[HalfStep], order: np.ndarray, dims: Mapping[str, tuple[str, ...]]
) -> list[HalfStep]:
    """The same half-steps with component order[k] in the place of component k.

    order (K,): as `numbering` and `align` give it. dims: the `DIMS` of the model. What has no
    parameters of its q (None) has none after.
    """
    known = {}

    def moved(params):
        if params is None:
            return None
        if id(params) not in known:
            # Kept with what they became: else their id could be given to others.
            known[id(params)] = params, relabelled(params, order, dims)
        return known[id(params)][1]

    return [
        step._replace(
            params=moved(step.params),
            posterior_params=moved(step.posterior_params),
            flags=tuple(renumbered(flag, order) for flag in step.flags),
        )
        for step in steps
    ]


def renumbered(flag: str, order: np.ndarray) -> str:
    """A flag of component order[k] as one of component k."""
    if not isinstance(flag, Flag) or flag.component is None:
        return flag
    return flag.renumbered(int(np.flatnonzero(order == flag.component)[0]))


def align(reference: np.ndarray, other: np.ndarray, weights=None) -> np.ndarray:
    """(K,) the component of `other` (N, K) that matches each component of `reference` (N, K).

    The assignment that maximises the expected number of rows, each counted by its weight (N,), on
    which both agree, sum_k (reference^T other)[k, alignment[k]] (Kuhn 1955).
    """
    # SciPy's optimisers take longer to import than all of em_core may.
    from scipy.optimize import linear_sum_assignment

    if weights is not None:
        other = weights[:, None] * other
    return linear_sum_assignment(reference.T @ other, maximize=True)[1]


def relabelled(params, order: np.ndarray, dims: Mapping[str, tuple[str, ...]]):
    """Parameters with component order[k] in place k. dims: the `DIMS` of their model; the arrays
    may have leading axes besides, one entry for each of several models."""
    parts = []
    for name, part in zip(params._fields, params, strict=True):
        if isinstance(part, tuple):
            parts.append(relabelled(part, order, dims))
            continue
        axes = dims[name]
        for axis, what in enumerate(axes, start=-len(axes)):
            if what == "component":
                part = np.take(part, order, axis=axis)
        parts.append(part)
    return type(params)(*parts)


def disagreement(reference: np.ndarray, aligned: np.ndarray, weights=None) -> float:
    """Share of rows, each counted by its weight (N,), that belong elsewhere: half the mean absolute
    difference of the shares.

    For hard labels this is the share of rows whose labels differ.
    """
    differ = np.abs(reference - aligned).sum(axis=1)
    return float((differ.mean() if weights is None else np.average(differ, weights=weights)) / 2)


def some_rows(data, weights, most: int, rng: np.random.Generator) -> tuple[Any, np.ndarray | None]:
    """At most `most` rows drawn without replacement, in order, all of them where there are fewer;
    and the weight of each row, sequence after sequence.

    Of a list of sequences or groups whole ones are drawn, the last cut short.
    """
    if not isinstance(data, list):
        if len(data) <= most:
            return data, weights
        drawn = np.sort(rng.choice(len(data), most, replace=False))
        return data[drawn], None if weights is None else weights[drawn]
    chosen = range(len(data))
    if sum(map(len, data)) > most:
        chosen = rng.permutation(len(data))
    parts, places = [], []
    for index in chosen:
        parts.append(data[index][:most])
        places += [index] * len(parts[-1])
        most -= len(parts[-1])
        if most == 0:
            break
    return parts, None if weights is None else weights[places]
