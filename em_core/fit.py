"""A run of EM from its start to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from em_core.data import WeightsKind, as_numbers, check, rows_at, rows_that_count
from em_core.em import check_no_weights, em, n_observations_of
from em_core.half_steps import HalfStep, StopReason, has_collapsed
from em_core.impossible import require_possible
from em_core.partitions.partitions import Partitions, as_sequences, gone_over
from em_core.protocols import Model, Start, optional

MANY_ROWS = 50_000


@dataclass(frozen=True)
class Fit:
    """A finished run of EM: its model, its whole trace and why it stopped.

    n_observations is the number of rows, or the total of the weights. label_entropy is H(q) of the
    labels alone, in nats, total, where something else is hidden besides them; else None.
    weights_kind: "frequencies" (also where there are no weights): a row of weight 3 is three rows,
    in every number. "sampling": weights are scaled to sum to the rows; log-likelihood and criteria
    are those of a pseudo-likelihood (Skinner 1989), which do not measure evidence.
    """

    model: Any
    trace: tuple[HalfStep, ...]
    stop_reason: StopReason
    n_observations: float
    label_entropy: float | None
    weights_kind: WeightsKind = field(default="frequencies", kw_only=True)

    @property
    def params(self):
        return self.trace[-1].params

    @property
    def entropy(self) -> float:
        """H(q) of the last posterior, in nats, total."""
        return self.trace[-1].entropy

    @property
    def log_likelihood(self) -> float:
        """log p(x | params), natural logarithm, total over the rows."""
        return self.trace[-1].log_likelihood

    @property
    def n_iterations(self) -> int:
        return self.trace[-1].iteration

    @property
    def flags(self) -> tuple[str, ...]:
        return self.trace[-1].flags

    @property
    def collapsed(self) -> bool:
        """Whether a component has degenerated: empty, or with next to no volume.

        Other flags, such as a column without noise of its own in factor analysis, are told but
        taken for an answer.
        """
        return has_collapsed(self.flags)

    @property
    def n_parameters(self) -> int:
        """Free parameters, those at a bound among them (see `Model.n_parameters`)."""
        return self.model.n_parameters(self.params)

    @property
    def aic(self) -> float:
        """-2 log L + 2 k; smaller is better."""
        return -2 * self.log_likelihood + 2 * self.n_parameters

    @property
    def bic(self) -> float:
        """-2 log L + k log n; smaller is better (mclust reports its negative)."""
        return -2 * self.log_likelihood + self.n_parameters * np.log(self.n_observations)

    @property
    def sabic(self) -> float:
        """-2 log L + k log((n + 2) / 24), the sample-size adjusted BIC (Sclove 1987); smaller is
        better. n is that of BIC, which is the total of the weights where there are any."""
        return -2 * self.log_likelihood + self.n_parameters * np.log((self.n_observations + 2) / 24)

    @property
    def caic(self) -> float:
        """-2 log L + k (log n + 1), the consistent AIC (Bozdogan 1987); smaller is better."""
        return self.bic + self.n_parameters

    @property
    def aic3(self) -> float:
        """-2 log L + 3 k, AIC with a stiffer price (Bozdogan 1994); smaller is better."""
        return self.aic + self.n_parameters

    @property
    def icl(self) -> float:
        """BIC + 2 H(q) at the posterior q of the labels: BIC with a price on overlap (McLachlan &
        Peel 2000). What else is hidden, as missing values are, has no part in it."""
        labels = self.entropy if self.label_entropy is None else self.label_entropy
        return self.bic + 2 * labels

    def posterior(self, data):
        """p(z | x, params) of any data with the same columns."""
        return self.model.posterior(self.params, data)

    def predict(self, data) -> np.ndarray:
        """(N,) the most probable component (or state path) of each row, counted from 0."""
        return self.model.predict(self.params, data)

    def impute(self, data):
        """The data with missing values filled by their conditional means, and the deviations."""
        return self.model.impute(self.params, data)


def fit(
    model: Model,
    data,
    *,
    seed: int | np.random.Generator = 0,
    start=None,
    tolerance: float = 1e-3,
    max_iterations: int = 1000,
    weights=None,
    weights_kind: WeightsKind = "frequencies",
    chunks: int = 1,
    map: Callable[..., Iterable] = map,
) -> Fit:
    """Run EM from one start to its end; where it only slowed down, on to where little is left.

    start: a method's name (by default `usual_start`: "k-means++" for a mixture), the model's
        parameters, or responsibilities (N, K).
    weights: (N,), one for each row (sequence, group), not negative. weights_kind: as of `Fit`.
    The other arguments are those of `em`. Raises ValueError for data, weights or a start that
    the model cannot use, as are parameters that give a row probability 0.
    """
    model, all_rows = ready(model, gone_over(data, map))
    given = weights
    data, weights = counted(model, all_rows, weights, weights_kind)
    if isinstance(start, np.ndarray | list) and given is not None:
        there = np.flatnonzero(as_numbers(given))
        start = rows_at(as_numbers(start), _frames(all_rows, there))
    drawn = to_start_from(data, weights)
    if start is None:
        start = usual_start(model, data)
    params = starting_params(model, drawn[0], start, np.random.default_rng(seed), drawn[1])
    if params is not start:
        params = opened_to_all(model, params, data)
    else:
        optional(model, "check_start")(params, *drawn)
        sample = isinstance(data, Partitions)
        require_possible(model, params, *(drawn if sample else (all_rows, given)))
    steps = em(
        model, data, params, weights=weights, tolerance=tolerance,
        max_iterations=max_iterations, confirm=True, chunks=chunks, map=map,
    )  # fmt: skip
    trace = []
    while True:
        try:
            trace.append(next(steps))
        except StopIteration as stop:
            return finished(model, trace, stop.value, data, weights, weights_kind)


def ready(model, data) -> tuple[Any, Any]:
    """The model and checked data. Of partitions, what a model reads off all rows, such as how many
    levels a column has, is settled here: those a start is drawn from need not show it.

    Raises ValueError for data that cannot be fitted.
    """
    if not isinstance(data, Partitions):
        return model, model.check(data)
    data.require_for(model)
    return optional(model, "settled")(data.overview().columns), data


def counted(
    model, data, weights, weights_kind: WeightsKind = "frequencies"
) -> tuple[Any, np.ndarray | None]:
    """As `rows_that_count`, of checked data; partitions bring their own weights, which are
    frequencies."""
    if isinstance(data, Partitions):
        check_no_weights(weights)
        if weights_kind != "frequencies":
            raise ValueError(
                "weights of partitions are frequencies: scale sampling weights so that they sum to "
                "the number of rows before the partitions are made"
            )
        return data, None
    left, weights = rows_that_count(model, data, weights, weights_kind)
    if len(left) < len(data):
        # By themselves: a row without weight, far away, would take the digits of all others.
        left = check(model, left if isinstance(left, list) else np.asarray(left))
    return left, weights


def to_start_from(data, weights) -> tuple[Any, np.ndarray | None]:
    """The rows that starts are made from, and their weights: all, or those of the sample of
    partitions that count."""
    if not isinstance(data, Partitions):
        return data, weights
    sample = data.overview()
    if sample.ends is None:
        if sample.weights is None or not sample.weights.any():
            return sample.rows, sample.weights
        there = sample.weights > 0
        return sample.rows[there], sample.weights[there]
    return as_sequences(sample.rows, sample.weights, sample.ends)


def opened_to_all(model, params, data):
    """Parameters made from the sample of partitions, opened to what their other rows may hold; of
    other data as they are."""
    if not isinstance(data, Partitions):
        return params
    n_rows = len(data.overview().rows)
    return params if n_rows == data.n_rows else optional(model, "opened")(params, n_rows)


def _frames(data, places: np.ndarray) -> np.ndarray:
    """Where the rows with these places, or those of the sequences, stand among all."""
    if not isinstance(data, list):
        return places
    ends = np.cumsum([len(part) for part in data])
    return np.concatenate([np.arange(ends[i] - len(data[i]), ends[i]) for i in places])


def usual_start(model, data) -> str:
    """The first method of `model.starts`; of more than 50,000 rows (frames, members) the one that
    is for many, where there is one: a pass over all costs more than to fit a sample."""
    n_rows = sum(map(len, data)) if isinstance(data, list) else len(data)
    usual = next(iter(model.starts))
    if n_rows <= MANY_ROWS:
        return usual
    suited = (name for name, start in model.starts.items() if optional(start, "for_many", Start))
    return next(suited, usual)


def starting_params(model, data, start, rng: np.random.Generator, weights=None):
    """Parameters to start from, however the start was given: name, parameters, responsibilities."""
    if start is None:
        start = next(iter(model.starts))
    if isinstance(start, str):
        return model.initial_params(data, start, rng, weights)
    if isinstance(start, np.ndarray | list):
        return model.params_from_responsibilities(data, as_numbers(start), weights)
    return start


def finished(
    model,
    trace: Sequence[HalfStep],
    stop_reason: StopReason,
    data,
    weights=None,
    weights_kind: WeightsKind = "frequencies",
) -> Fit:
    """The Fit of a trace; data, weights: what EM went by (see `em_core.data.rows_that_count`)."""
    entropy = label_entropy(model, trace[-1].params, data, weights)
    n_observations = n_observations_of(model, data, weights)
    kind = "frequencies" if weights is None else weights_kind
    return Fit(model, tuple(trace), stop_reason, n_observations, entropy, weights_kind=kind)


def label_entropy(model, params, data, weights=None) -> float | None:
    """H(q) of the labels alone, in nats, total; None where nothing else is hidden, or no labels."""
    entropy = optional(model, "label_entropy")
    if not isinstance(data, Partitions):
        return entropy(params, data, weights)
    # Whether anything else is hidden is asked of two rows: with a hole if there are any.
    columns = data.overview().columns
    rows = np.array([columns.lowest, columns.highest])
    if not columns.complete:
        rows[0, 0] = np.nan
    if entropy(params, rows if data.ends is None else [rows]) is None:
        return None
    return data.total(partial(_block_entropy, model, params, columns))


def _block_entropy(model, params, columns, rows, weights) -> float:
    return model.label_entropy(params, model.prepare_block(rows, columns), weights)
