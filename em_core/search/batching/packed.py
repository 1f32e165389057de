"""Traces of many runs, kept small: what hundreds of starts leave behind is held and sent as a few
arrays each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

import numpy as np

from em_core.half_steps import HalfStep
from em_core.search.batching.batch import stack, take


class PackedTrace(Sequence):
    """The half-steps of a run as one array for each of their fields, made anew when asked for.

    phases (T,) "start", "M" or "E"; iterations, elbos, log_likelihoods and entropies (T,).
    """

    def __init__(self, trace: Sequence[HalfStep]):
        self.phases = tuple(step.phase for step in trace)
        self.iterations = np.array([step.iteration for step in trace])
        self.elbos = np.array([step.elbo for step in trace])
        self.log_likelihoods = np.array([step.log_likelihood for step in trace])
        self.entropies = np.array([step.entropy for step in trace])
        self._flags = {i: step.flags for i, step in enumerate(trace) if step.flags}
        # An E half-step leaves the parameters alone: the same ones are kept once.
        pairs = [(step.params, step.posterior_params) for step in trace]
        distinct = {id(params): params for pair in pairs for params in pair}
        place = {known: i for i, known in enumerate(distinct)}
        self._places = np.array([[place[id(params)] for params in pair] for pair in pairs])
        self._params = stack(list(distinct.values()))

    def __len__(self) -> int:
        return len(self.phases)

    def __getitem__(self, which):
        if isinstance(which, slice):
            return tuple(map(self._step, range(*which.indices(len(self)))))
        return self._step(range(len(self))[which])

    def with_components(
        self, params: Callable[[Any], Any], flag: Callable[[str], str]
    ) -> PackedTrace:
        """The same trace with other parameters and flags; params is given all of them at once,
        with a leading axis."""
        other = copy(self)
        other._params = params(self._params)
        other._flags = {i: tuple(map(flag, flags)) for i, flags in self._flags.items()}
        return other

    def _step(self, i: int) -> HalfStep:
        params, posterior_params = (take(self._params, place) for place in self._places[i])
        return HalfStep(
            int(self.iterations[i]),
            self.phases[i],
            params,
            posterior_params,
            float(self.elbos[i]),
            float(self.log_likelihoods[i]),
            self._flags.get(i, ()),
            float(self.entropies[i]),
        )


def climbed(trace: Sequence[HalfStep]) -> np.ndarray:
    """The log-likelihoods of a trace in nats, one for each iteration from 0."""
    if isinstance(trace, PackedTrace):
        return trace.log_likelihoods[[phase != "M" for phase in trace.phases]]
    return np.array([step.log_likelihood for step in trace if step.phase != "M"])
