"""Expectation-Maximization as coordinate ascent on one functional.

`ELBO(q, params) = E_q[log p(x, z | params)] + H(q)` is at most `log p(x | params)`, and the gap is
`KL(q || p(z | x, params))`. The E-step maximises it over q, the M-step over the parameters
(Neal & Hinton 1998). This module is the loop; every model brings its own two steps.
"""

from __future__ import annotations

import builtins
import itertools
import math
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any, Literal, NamedTuple, Protocol, Self

import numpy as np

from em_core.data import as_numbers

# The last two only among many starts: the caller went away, or the start raised an error.
StopReason = Literal["converged", "max_iterations", "decreased", "not_finite", "stopped", "failed"]

# Rounding stays far below this share of the total, or of a nat an observation where that is more,
# as the observations' log-likelihoods may cancel; anything larger is a real fall.
ROUNDING = 1e-10
# A gain of less than this share of it is rounding, and no sign of what is left to gain.
ROUNDING_PER_STEP = 1e-13
# So many iterations EM goes by itself before a leap and between two of them, and so many after one
# before it may be called converged. A leap must gain so many times what an iteration gains, and
# this share of the tolerance.
ALONE = 20
SETTLED = 10
CREEPING = 10
LEAST_LEAP = 0.1


class Shared:
    """A value that all chunks of the data have in common: adding chunks leaves it as it is.

    Statistics add leaf by leaf; the origin about which moments were taken must not.
    """

    def __init__(self, value: np.ndarray):
        self.value = value

    def __add__(self, other: Shared) -> Shared:
        if self.value is not other.value and not np.array_equal(self.value, other.value):
            raise ValueError(
                "these statistics were taken about different origins and cannot be added"
            )
        return self

    def __mul__(self, factor: float) -> Shared:
        return self


class Expectation(NamedTuple):
    """What one chunk of data contributes to the E-step. Chunks add, leaf by leaf.

    statistics: NamedTuple of the expected complete-data sufficient statistics under q.
    entropy: H(q) in nats, total, computed from q itself.
    log_likelihood: log p(x | params) in nats, total, at the parameters that gave q.
    """

    statistics: Any
    entropy: float
    log_likelihood: float


class Model(Protocol):
    """What a latent-variable model brings. `Params` and `Statistics` are NamedTuples of its own."""

    def initial_params(self, data, method, rng, weights=None) -> Any:
        """Starting parameters by the named method, drawn with the Generator `rng`."""

    def e_step(self, params, data, weights=None) -> Expectation:
        """Expected statistics under q = p(z | x, params)."""

    def m_step(self, params, statistics) -> Any:
        """argmax over parameters of `expected_log_joint`; `params` are the ones that gave q."""

    def expected_log_joint(self, params, statistics) -> float:
        """Q(params, q) = E_q[log p(x, z | params)] in nats, total, without a pass over the data."""

    def posterior(self, params, data) -> Any:
        """p(z | x, params) for display."""

    def n_parameters(self, params) -> int:
        """Number of free parameters, for AIC and BIC. One at its bound counts like any other: which
        are there is not known before the data are. But the degrees of freedom of a t distribution
        count only where it is not the Gaussian, which has none."""

    def prepare(self, data, weights=None) -> Any:
        """The data in the form the E-step reads fastest; can be sliced by rows and has a length."""
        return data

    def flags(self, params, statistics) -> tuple[str, ...]:
        """Plain sentences on what a person should know about the M-step that gave `params`; where
        a component has degenerated, a `Collapse`."""
        return ()

    def leap(self, params, statistics) -> Leap | None:
        """A step up the log-likelihood itself where EM would creep; None where EM does well.

        statistics: of the E-step at `params`. It is taken only if the log-likelihood rises.
        """
        return None

    def at_floor(self, params, statistics) -> dict[str, np.ndarray]:
        """By the name of their array, which entries are where a bound of the model holds them (in
        a covariance, all): booleans of its shape. statistics: of the E-step at `params`."""
        return {}

    def component_shares(self, params, data) -> np.ndarray | None:
        """(N, K) probabilities of the component (or state) of each row, sequence after sequence,
        by `posterior`; None where what is hidden is no label."""
        return None

    @property
    def DIMS(self) -> Mapping[str, tuple[str, ...]] | None:
        """What the last axes of each array of the parameters run over, by the array's name:
        `{"means": ("component", "column")}`; None where the model does not say."""
        return None

    def interchangeable(self) -> bool:
        """Whether any component may have any number. Asked only where `DIMS` has components."""
        return True

    def n_observations(self, data, weights=None) -> float:
        """How many observations BIC counts: the rows, or the total of their weights."""
        return len(data) if weights is None else float(weights.sum())


class Flag(str):
    """A plain sentence on an M-step. One about a single component begins with it: "component 2".

    component: which one, from 0; None where it is about all of them. unit: what it calls one.
    """

    component: int | None
    unit: str

    def __new__(cls, text: str, component: int | None = None, unit: str = "component") -> Self:
        flag = super().__new__(cls, text)
        flag.component, flag.unit = None if component is None else int(component), unit
        return flag

    def renumbered(self, component: int) -> Self:
        """The same of a component that has another number, from 0."""
        said = self.removeprefix(f"{self.unit} {self.component + 1}")
        return type(self)(f"{self.unit} {component + 1}{said}", component, self.unit)


class Collapse(Flag):
    """A flag saying that a component has degenerated: the likelihood tells more of the floor than
    of the data, and such an answer must not win."""


def called(sentence: str, unit: str) -> str:
    """A sentence that calls what rows belong to a component, where it is called otherwise: "state",
    "class"; "" where rows belong to nothing. A flag stays one."""
    if not unit:
        return sentence
    several = f"{unit}es" if unit.endswith("s") else f"{unit}s"
    said = sentence
    for case in (str, str.capitalize):
        said = said.replace(case("components"), case(several)).replace(
            case("component"), case(unit)
        )
    return type(sentence)(said, sentence.component, unit) if isinstance(sentence, Flag) else said


def has_collapsed(flags: tuple[str, ...]) -> bool:
    """Whether one of the flags is a `Collapse`."""
    return any(isinstance(flag, Collapse) for flag in flags)


class Leapt(Flag):
    """A flag saying that this was no M-step but a leap, and what it does."""


class Leap(NamedTuple):
    """A step up the log-likelihood itself, which a model proposes where EM would creep: q and the
    parameters move together (ECME: Liu & Rubin 1994).

    params: where to; gain: by how many nats the log-likelihood should rise; flags: what it does.
    """

    params: Any
    gain: float
    flags: tuple[Leapt, ...]


class HalfStep(NamedTuple):
    """One coordinate move: "E" moved q, "M" moved the parameters.

    "start" is the first q, the posterior at the starting parameters, so its KL is zero.
    In a leap "M" moved both, to where the log-likelihood is higher: there is no KL after it, and
    the E half-step that follows finds nothing to do (see `leap` of a `Model`).
    elbo, log_likelihood and entropy are totals in nats; log_likelihood is always at `params`,
    q = p(z | x, posterior_params), and entropy is H(q). flags say what a person should know of the
    M-step; a `Collapse` among them, that the answer is none.
    """

    iteration: int
    phase: Literal["start", "E", "M"]
    params: Any
    posterior_params: Any
    elbo: float
    log_likelihood: float
    flags: tuple[str, ...]
    entropy: float

    @property
    def kl(self) -> float:
        """KL(q || p(z | x, params)) = log_likelihood - elbo, in nats."""
        return self.log_likelihood - self.elbo

    @property
    def is_leap(self) -> bool:
        """Whether this "M" is no M-step, but moved q and the parameters together."""
        return self.phase == "M" and any(isinstance(flag, Leapt) for flag in self.flags)


def add(left, right):
    """Sum of two NamedTuples of numbers, arrays and NamedTuples, leaf by leaf."""
    if isinstance(left, tuple):
        return type(left)(*builtins.map(add, left, right))
    return left + right


def split(data, weights, n_chunks: int) -> list[tuple[Any, np.ndarray | None]]:
    """Cut data (anything with a length that can be sliced) and weights into consecutive chunks."""
    bounds = np.linspace(0, len(data), n_chunks + 1).astype(int)
    return [
        (data[a:b], None if weights is None else weights[a:b])
        for a, b in itertools.pairwise(bounds)
        if b > a
    ]


def expect(model, params, parts, map: Callable[..., Iterable] = map) -> Expectation:
    """The E-step over all chunks: `model.e_step` mapped over them and added."""
    return reduce(add, map(partial(model.e_step, params), *zip(*parts, strict=True)))


def remaining_gain(log_likelihoods: list[float], n_observations: float = 0.0) -> float:
    """Aitken's estimate of how much log-likelihood is left to gain, in nats; inf while unknown.

    With gains shrinking at the rate a, what is left after the last gain g is g a / (1 - a)
    (Boehning et al. 1994). The larger of the last two rates is used: one step that happens to
    gain little must not look like convergence. n_observations: how many these are the total of.
    """
    if len(log_likelihoods) < 4:
        return np.inf
    first, second, third, last = log_likelihoods[-4:]
    gains = second - first, third - second, last - third
    noise = ROUNDING_PER_STEP * max(abs(last), n_observations)
    if abs(gains[2]) <= noise and abs(gains[1]) <= noise:
        return 0.0
    if min(gains) <= 0:
        return np.inf
    rate = max(gains[2] / gains[1], gains[1] / gains[0])
    return gains[2] * rate / (1 - rate) if rate < 1 else np.inf


def em(
    model: Model,
    data,
    params,
    *,
    weights: np.ndarray | None = None,
    tolerance: float = 1e-3,
    max_iterations: int = 1000,
    chunks: int = 1,
    map: Callable[..., Iterable] = map,
) -> Generator[HalfStep, None, StopReason]:
    """Coordinate ascent on the ELBO, yielded half-step by half-step: start, M 1, E 1, M 2, E 2, ...

    One pass over the data per iteration: the E-step at the new parameters prices the M half-step
    just taken and is the next E half-step. Where EM creeps and the model has a `leap`, that is an
    iteration, and its flags say so.

    weights: (N,) non-negative; an integer weight equals that many copies of the row.
    tolerance: stop once Aitken's estimate of the log-likelihood still to gain (nats, total) is
        below it; 0 never stops early.
    chunks, map: `model.e_step` is mapped over this many consecutive chunks with `map`, which may
        be a thread pool's or a cluster's.
    Returns (as the generator's value) why it stopped: "converged", "max_iterations",
    "decreased" (the log-likelihood fell by more than rounding; the fall is yielded first) or
    "not_finite". Raises ValueError for data or weights that the model cannot use.
    """
    prepare = getattr(model, "prepare", lambda data, weights: data)
    flags = getattr(model, "flags", lambda params, statistics: ())
    weights = check_weights(weights, len(data))
    parts = split(prepare(data, weights), weights, chunks)
    n_observations = count_observations(model, data, weights)

    q = expect(model, params, parts, map)
    elbo = model.expected_log_joint(params, q.statistics) + q.entropy
    log_likelihoods = [q.log_likelihood]
    yield HalfStep(0, "start", params, params, elbo, q.log_likelihood, (), q.entropy)
    if reason := why_stop(log_likelihoods, tolerance, n_observations):
        return reason

    iteration, alone, settled, reason = 0, 0, 0, None
    at = partial(expect, model, parts=parts, map=map)
    while iteration < max_iterations:
        due = reason == "converged" or (alone > 0 and alone % ALONE == 0)
        leapt = _leap(model, params, q, log_likelihoods, tolerance, at) if due else None
        if reason and not leapt:
            return reason
        iteration += 1
        if leapt:
            params, q, leaps = leapt
            raised = (*flags(params, q.statistics), *leaps)
            yield from _half_steps(model, iteration, params, q, raised)
            log_likelihoods, alone, settled, reason = [q.log_likelihood], 0, SETTLED, None
            continue
        old, params = params, model.m_step(params, q.statistics)
        raised = flags(params, q.statistics)
        elbo = model.expected_log_joint(params, q.statistics) + q.entropy
        entropy = q.entropy
        q = at(params)
        log_likelihood = q.log_likelihood
        yield HalfStep(iteration, "M", params, old, elbo, log_likelihood, raised, entropy)
        elbo = model.expected_log_joint(params, q.statistics) + q.entropy
        yield HalfStep(iteration, "E", params, params, elbo, log_likelihood, raised, q.entropy)

        log_likelihoods.append(log_likelihood)
        alone += 1
        reason = why_stop(log_likelihoods, tolerance, n_observations)
        if reason == "converged" and alone < settled:
            reason = None
    return reason or "max_iterations"


def _leap(model, params, q: Expectation, climbed: list[float], tolerance: float, at):
    """Where a model would go in the place of EM's next steps, the E-step there, `at(params)`, and
    the flags that say what that is; None where EM does not creep."""
    propose = getattr(model, "leap", None)
    leap = propose(params, q.statistics) if propose else None
    if leap is None:
        return None
    gain = climbed[-1] - climbed[-2]
    if not leap.gain > max(CREEPING * gain, LEAST_LEAP * tolerance, ROUNDING * abs(climbed[-1])):
        return None
    reached = at(leap.params)
    higher = reached.log_likelihood > q.log_likelihood
    return (leap.params, reached, leap.flags) if higher else None


def _half_steps(model, iteration: int, params, q: Expectation, flags) -> Iterator[HalfStep]:
    """Both half-steps of a leap: all has moved with the first."""
    elbo = model.expected_log_joint(params, q.statistics) + q.entropy
    for phase in ("M", "E"):
        yield HalfStep(iteration, phase, params, params, elbo, q.log_likelihood, flags, q.entropy)


def why_stop(
    log_likelihoods: list[float], tolerance: float, n_observations: float = 0.0
) -> StopReason | None:
    """Why a run with these log-likelihoods, one per iteration, has ended; None if it has not.

    n_observations: how many these are the total of.
    """
    last = log_likelihoods[-1]
    if not math.isfinite(last):
        return "not_finite"
    rounding = ROUNDING * max(abs(last), n_observations)
    if len(log_likelihoods) > 1 and last < log_likelihoods[-2] - rounding:
        return "decreased"
    return "converged" if remaining_gain(log_likelihoods, n_observations) < tolerance else None


def count_observations(model, data, weights=None) -> float:
    """How many observations BIC counts: the model's number, or the rows or their weights."""
    count = getattr(model, "n_observations", partial(Model.n_observations, model))
    return count(data, weights)


def check_weights(weights, n_rows: int) -> np.ndarray | None:
    """The weights as (N,) float64, or None. Raises ValueError where they cannot be weights."""
    if weights is None:
        return None
    weights = as_numbers(weights)
    if weights.shape != (n_rows,):
        raise ValueError(
            f"weights have shape {weights.shape}: give one number for each of {n_rows} rows"
        )
    if not np.all(np.isfinite(weights)) or weights.min() < 0 or weights.sum() == 0:
        raise ValueError("weights must be finite, not negative and not all zero")
    return weights


@dataclass(frozen=True)
class Fit:
    """A finished run of EM: its model, its whole trace and why it stopped.

    n_observations is the number of rows, or the total of the weights. label_entropy is H(q) of the
    labels alone, in nats, total, where something else is hidden besides them; else None.
    """

    model: Any
    trace: tuple[HalfStep, ...]
    stop_reason: StopReason
    n_observations: float
    label_entropy: float | None

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
    chunks: int = 1,
    map: Callable[..., Iterable] = map,
) -> Fit:
    """Run EM from one start to its end.

    start: a method's name (by default the first of `model.starts`: "k-means++" for a mixture), the
        model's parameters, or responsibilities (N, K).
    The other arguments are those of `em`. Raises ValueError for data, weights or a start that
    the model cannot use.
    """
    data = model.check(data)
    weights = check_weights(weights, len(data))
    params = starting_params(model, data, start, np.random.default_rng(seed), weights)
    steps = em(
        model, data, params, weights=weights, tolerance=tolerance,
        max_iterations=max_iterations, chunks=chunks, map=map,
    )  # fmt: skip
    trace = []
    while True:
        try:
            trace.append(next(steps))
        except StopIteration as stop:
            return finished(model, trace, stop.value, data, weights)


def starting_params(model, data, start, rng: np.random.Generator, weights=None):
    """Parameters to start from, however the start was given: name, parameters, responsibilities."""
    if start is None:
        start = next(iter(model.starts))
    if isinstance(start, str):
        return model.initial_params(data, start, rng, weights)
    if isinstance(start, np.ndarray | list):
        return model.params_from_responsibilities(data, as_numbers(start), weights)
    return start


def finished(model, trace: list[HalfStep], stop_reason: StopReason, data, weights=None) -> Fit:
    """The Fit of a trace."""
    labels = getattr(model, "label_entropy", lambda *arguments: None)
    label_entropy = labels(trace[-1].params, data, weights)
    n_observations = count_observations(model, data, weights)
    return Fit(model, tuple(trace), stop_reason, n_observations, label_entropy)
