"""Incremental and online EM: the M-step after a part of the data, on statistics that are kept.

Incremental EM replaces the share that one part of the data has in the statistics: its bound climbs
with every part (Neal & Hinton 1998). Online EM lets old statistics fade: it needs no memory of the
parts and forgets its start, but nothing guarantees a climb (Cappe & Moulines 2009).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

import numpy as np

from em_core.data import prepare, split
from em_core.trees import add
from em_core.variants.steps import Step, flags_of, scaled, shuffled

PARTS = 10
# The weight of new statistics is (2 + number of parts so far) ** -FADING: between 1/2 and 1.
FADING = 0.7


def incremental_em(model, data, params, rng) -> Iterator[Step]:
    """One E-step on one part of the data, then an M-step on the statistics of all parts."""
    parts = [chunk for chunk, _ in split(prepare(model, shuffled(data, rng)), None, PARTS)]
    kept = [model.e_step(params, part) for part in parts]
    q = reduce(add, kept)
    bound = model.expected_log_joint(params, q.statistics) + q.entropy
    yield Step(0, "start", params, params, float(bound), float(q.log_likelihood), (), 1.0)
    turn = 0
    while True:
        old, params = params, model.m_step(params, q.statistics)
        flags = flags_of(model, params, q.statistics)
        bound = model.expected_log_joint(params, q.statistics) + q.entropy
        passes = 1 + turn / len(parts)
        yield Step(turn + 1, "M", params, old, float(bound), np.nan, flags, passes)
        place = turn % len(parts)
        kept[place] = model.e_step(params, parts[place])
        q = reduce(add, kept)
        bound = model.expected_log_joint(params, q.statistics) + q.entropy
        turn += 1
        passes = 1 + turn / len(parts)
        yield Step(turn, "E", params, params, float(bound), np.nan, flags, passes)


def online_em(model, data, params, rng) -> Iterator[Step]:
    """Statistics that fade, blended with those of one part of the data after the other."""
    parts = [chunk for chunk, _ in split(prepare(model, shuffled(data, rng)), None, PARTS)]
    whole = reduce(add, [model.e_step(params, part) for part in parts])
    statistics = whole.statistics
    yield Step(0, "start", params, params, np.nan, float(whole.log_likelihood), (), 1.0)
    turn = 0
    while True:
        for place in rng.permutation(len(parts)):
            part = parts[place]
            new = scaled(model.e_step(params, part).statistics, len(data) / len(part))
            weight = (2 + turn) ** -FADING
            statistics = add(scaled(statistics, 1 - weight), scaled(new, weight))
            old, params = params, model.m_step(params, statistics)
            flags = flags_of(model, params, statistics)
            turn += 1
            yield Step(turn, "M", params, old, np.nan, np.nan, flags, 1 + turn / len(parts))
