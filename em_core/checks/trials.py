"""A short run of a model, and what of it the laws of EM compare."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from em_core.data import check, copies, prepare, split
from em_core.em import em, expect, size
from em_core.fit import starting_params
from em_core.half_steps import Expectation
from em_core.protocols import optional
from em_core.trees import blends

# How far towards other parameters the parameters at hand are moved, and how many others there are.
SHARES = (1e-3, 1e-2, 0.1, 0.5)
MOST_OTHERS = 6
FURTHER_SEEDS = 3


@dataclass(frozen=True)
class Trial:
    """A run of a model from one start, and other valid parameters to compare with.

    raw: the data as they were given; data: what `model.check` makes of them.
    convex: whether any mean of valid parameters, leaf by leaf, is valid.
    """

    model: Any
    raw: Any
    data: Any
    prepared: Any
    start: Any
    seed: int
    steps: list
    others: list
    convex: bool

    @classmethod
    def of(cls, model, raw, start, seed: int, iterations: int, convex: bool) -> Trial:
        """start: a method's name or parameters; None for the first of `model.starts`."""
        data = check(model, raw)
        methods = list(optional(model, "starts") or ())
        if start is None and not methods:
            raise ValueError("no start is given, and the model has no table `starts` of them")
        start = methods[0] if start is None else start
        methods = dict.fromkeys([start, *methods] if isinstance(start, str) else methods)
        params = starting_params(model, data, start, np.random.default_rng(seed))
        steps = list(em(model, data, params, tolerance=0, max_iterations=iterations))
        run = [step.params for step in steps if step.phase == "E"]
        starts = [
            model.initial_params(data, method, np.random.default_rng(seed + further))
            for further in range(1, 1 + FURTHER_SEEDS)
            for method in methods
        ]
        others = [*run[1:3], *run[-1:], *starts[:MOST_OTHERS]]
        prepared = prepare(model, data)
        return cls(model, raw, data, prepared, start, seed, steps, others, convex)

    def prepare(self, weights=None):
        return prepare(self.model, self.data, weights)

    def copied(self, weights: np.ndarray):
        """The data with each row as many times as its integer weight says."""
        return check(self.model, copies(self.raw, weights))

    def e_step(self, params) -> Expectation:
        return self.model.e_step(params, self.prepared)

    def size(self, step) -> float:
        return size(step.log_likelihood, len(self.data))

    def near(self, params) -> Iterator:
        """The other parameters and, where means of parameters are valid, some on the way there."""
        for other in self.others:
            yield other
            for share in SHARES if self.convex else ():
                yield from blends(params, other, share)


def falls(steps) -> np.ndarray:
    """By how many nats the bound falls from each half-step to the next; negative for a rise."""
    return -np.diff([step.elbo for step in steps])


def gaps(steps) -> np.ndarray:
    """KL(q || p(z | x, params)) after each half-step, in nats."""
    return np.array([step.kl for step in steps])


def gain_errors(steps) -> np.ndarray:
    """For each M half-step: gain in log-likelihood less the bound's gain and the KL, in nats."""
    return np.array(
        [
            after.log_likelihood - before.log_likelihood - (after.elbo - before.elbo) - after.kl
            for before, after in itertools.pairwise(steps)
            if after.phase == "M"
        ]
    )


def in_chunks(model, params, data, n_chunks: int, weights=None) -> Expectation:
    """The E-step of consecutive chunks, added up."""
    return expect(model, params, split(data, weights, n_chunks))
