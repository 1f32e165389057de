"""The laws of EM: each measures by how much a model breaks it, and says so in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from em_core.checks.trials import Trial, falls, gain_errors, gaps, in_chunks
from em_core.coordinates.coordinates import Coordinates, has_coordinates
from em_core.coordinates.slices import bound_gradient
from em_core.data import split
from em_core.em import size
from em_core.fit import starting_params
from em_core.half_steps import Expectation
from em_core.trees import changed, distance, same_bits

# Sums over rows are rounded: relative to the log-likelihood, or to a nat a row where that is more.
MONOTONE = 1e-10
TOUCH = 1e-9
# Sums in another order, and what an M-step makes of them.
SUMS = 1e-10
M_STEP = 1e-6
# Coordinates are logarithms and angles; differences are of fourth order.
COORDINATES = 1e-6
CHUNKS = 7
# So many sums that all agree to the last bit are no coincidence.
COINCIDENCES = 30

# Everything a law compared: the violation relative to what was compared, and the sentence on it.
Measured = Iterator[tuple[float, str]]


class Law(NamedTuple):
    """measure(trial): everything it compared; tolerance: what rounding may do; kept: what to say
    where it is kept; needs_weights: whether the model must take weights; applies(model): whether it
    has what the law is about."""

    measure: Callable[[Trial], Measured]
    tolerance: float
    kept: str
    needs_weights: bool = False
    applies: Callable[[Any], bool] = lambda model: True


def worst(measured: Iterable[tuple[float, str]]) -> tuple[float, str]:
    """The largest violation, at least 0; inf where one is not a number."""
    found = [
        (np.inf if np.isnan(value) else float(value), sentence) for value, sentence in measured
    ]
    return max([(0.0, ""), *found], key=lambda pair: pair[0])


def _finite(trial: Trial) -> Measured:
    for step in trial.steps:
        if not np.isfinite([step.elbo, step.log_likelihood]).all():
            values = f"the bound is {step.elbo} and the log-likelihood {step.log_likelihood}"
            yield np.inf, f"{_place(step)} {values}"


def _never_falls(trial: Trial) -> Measured:
    reasons = {
        "M": "the M-step lowers the expected log joint",
        "E": "q is worse than the one before, or its entropy is wrong",
    }
    for nats, step in zip(falls(trial.steps), trial.steps[1:], strict=True):
        sentence = f"{_place(step)} the bound falls by {nats:.3g} nats: {reasons[step.phase]}"
        yield nats / trial.size(step), sentence


def _touches(trial: Trial) -> Measured:
    steps = [step for step in trial.steps if step.phase != "M"]
    apart = gaps(steps)
    touch = (np.abs(apart) <= [TOUCH * trial.size(step) for step in steps]).all()
    reason = "" if touch else _why_apart(trial, apart)
    for nats, step in zip(apart, steps, strict=True):
        distance = f"{abs(nats):.3g} nats {'below' if nats > 0 else 'above'}"
        sentence = f"{_place(step)} the bound ends {distance} the log-likelihood: {reason}"
        yield abs(nats) / trial.size(step), sentence


def _why_apart(trial: Trial, apart: np.ndarray) -> str:
    if np.ptp(apart) <= 1e-6 * np.abs(apart).max():
        return (
            "always as much, so a constant is missing from expected_log_joint, the entropy or "
            "log_likelihood"
        )
    if worst(_promises(trial))[0] <= TOUCH:
        return "log_likelihood and expected_log_joint fit each other, so the entropy is wrong"
    return "q is not the posterior, or log_likelihood or expected_log_joint is wrong"


def _stays_below(trial: Trial) -> Measured:
    for step in trial.steps:
        if step.phase == "M":
            sentence = f"{_place(step)} the bound ends {-step.kl:.3g} nats above the log-likelihood"
            yield -step.kl / trial.size(step), sentence


def _gains_agree(trial: Trial) -> Measured:
    steps = [step for step in trial.steps if step.phase == "M"]
    for nats, step in zip(gain_errors(trial.steps), steps, strict=True):
        sides = "the gain in log-likelihood and the bound's gain plus KL"
        sentence = f"in iteration {step.iteration} {sides} differ by {abs(nats):.3g} nats"
        yield abs(nats) / trial.size(step), sentence


def _place(step) -> str:
    if step.phase == "start":
        return "in the first E half-step"
    return f"in the {step.phase} half-step of iteration {step.iteration}"


def _promises(trial: Trial) -> Measured:
    """KL(q || posterior) >= 0 without the entropy: log p gains at least what E_q log p does."""
    expected = trial.model.expected_log_joint
    for params in (trial.steps[0].params, trial.steps[-1].params):
        q = trial.e_step(params)
        for other in trial.near(params):
            promised = expected(other, q.statistics) - expected(params, q.statistics)
            if promised == -np.inf:
                continue
            there = trial.e_step(other).log_likelihood
            nats = promised - (there - q.log_likelihood)
            sentence = (
                f"between two parameters expected_log_joint gains {nats:.3g} nats more than "
                "log_likelihood: q is not the posterior, or one of the two is wrong"
            )
            yield nats / size(there, len(trial.data)), sentence


def _is_a_maximum(trial: Trial) -> Measured:
    expected = trial.model.expected_log_joint
    hint = " (or a mean of valid parameters is not valid: then say convex=False)"
    for step in [step for step in trial.steps if step.phase != "M"][:3]:
        q = trial.e_step(step.params)
        best = trial.model.m_step(step.params, q.statistics)
        together, alone = [], []
        for other in [trial.model.m_step(best, q.statistics), *trial.near(best)]:
            nats = expected(other, q.statistics) - expected(best, q.statistics)
            names = changed(best, other)
            sentence = (
                f"in iteration {step.iteration + 1} the expected log joint can be raised by "
                f"another {nats:.3g} nats, by moving {' and '.join(names)}"
            )
            moves = alone if len(names) == 1 else together
            moves.append((nats / trial.size(step), sentence + hint * trial.convex))
        # A move of one leaf says more than a larger gain by moving several.
        yield from alone if worst(alone)[0] > MONOTONE else together


def _entropy_is_its_own(trial: Trial) -> Measured:
    """An entropy that is log-likelihood minus expected log joint agrees with them to the bit."""
    agreements = []
    for params in [step.params for step in trial.steps if step.phase != "M"] + trial.others:
        for chunk, _ in split(trial.prepared, None, CHUNKS):
            q = trial.model.e_step(params, chunk)
            expected = trial.model.expected_log_joint(params, q.statistics)
            if q.entropy != 0:
                largest = max(abs(expected), abs(q.entropy), abs(q.log_likelihood))
                gap = abs(expected + q.entropy - q.log_likelihood)
                agreements.append(gap <= np.spacing(largest))
    if len(agreements) >= COINCIDENCES and all(agreements):
        sentence = (
            f"bound and log-likelihood are the same to the last bit, {len(agreements)} times out "
            f"of {len(agreements)}: the entropy seems to be computed from the likelihood, and then "
            "proves nothing; compute it from q"
        )
        yield 1.0, sentence


def _chunks_add(trial: Trial) -> Measured:
    model, data, params = trial.model, trial.data, trial.steps[0].params
    whole, prepared = model.e_step(params, data), trial.e_step(params)
    for left, right in [
        (in_chunks(model, params, data, CHUNKS), whole),
        (in_chunks(model, params, trial.prepared, CHUNKS), prepared),
        (prepared, whole),
    ]:
        for value, what in _differences(trial, left, right):
            yield value, f"added over chunks, or of prepared data, {what} of the whole data"


def _weights_are_copies(trial: Trial) -> Measured:
    model, params = trial.model, trial.steps[0].params
    integers = np.random.default_rng(trial.seed).permutation(np.arange(len(trial.data)) % 4)
    weights, copied = integers.astype(float), trial.copied(integers)
    prepared = trial.prepare(weights)
    for left, right in [
        (model.e_step(params, trial.data, weights), model.e_step(params, copied)),
        (in_chunks(model, params, prepared, CHUNKS, weights), model.e_step(params, copied)),
    ]:
        for value, what in _differences(trial, left, right):
            yield value, f"with integer weights {what} of rows copied as often"


def _differences(trial: Trial, left: Expectation, right: Expectation) -> Measured:
    """How far two expectations differ in everything they are used for."""
    model, params = trial.model, trial.steps[0].params
    unit = size(right.log_likelihood, len(trial.data))
    pairs = {"log_likelihood": (left.log_likelihood, right.log_likelihood)}
    pairs["the entropy"] = left.entropy, right.entropy
    for other in [params, *trial.others]:
        values = [model.expected_log_joint(other, q.statistics) for q in (left, right)]
        if np.isfinite(values).any():
            pairs[f"expected_log_joint of the statistics ({len(pairs)})"] = values
    for name, (one, two) in pairs.items():
        yield abs(one - two) / unit, f"{name} differs by {abs(one - two):.3g} nats from that"
    moved = distance(*(model.m_step(params, q.statistics) for q in (left, right)))
    # An M-step may magnify rounding.
    yield moved * SUMS / M_STEP, f"what the M-step gives differs by {moved:.3g} from that"


def _same_seed(trial: Trial) -> Measured:
    model = trial.model
    rngs = [np.random.default_rng(trial.seed) for _ in range(2)]
    starts = [starting_params(model, trial.data, trial.start, rng) for rng in rngs]
    if not same_bits(*starts):
        sentence = "two starts from one seed differ: draw from nothing but the `rng` that is given"
        yield distance(*starts), sentence
    runs = [model.m_step(starts[0], trial.e_step(starts[0]).statistics) for _ in range(2)]
    if not same_bits(*runs):
        yield distance(*runs), "two iterations from the same parameters differ"


def _parameters_count(trial: Trial) -> Measured:
    number = trial.model.n_parameters(trial.steps[-1].params)
    if not isinstance(number, int | np.integer) or number < 1:
        yield np.inf, f"n_parameters is {number!r}: a positive whole number is needed"


def _coordinates_fit(trial: Trial) -> Measured:
    """Between two parameters that EM visits, where no gradient is zero."""
    model, params = trial.model, trial.steps[0].params
    coordinates = Coordinates(model, params)
    vector = coordinates.vector(params)
    moved = distance(params, coordinates.params(vector))
    yield moved, f"`domains` lead from the first parameters to others, {moved:.3g} from them"
    q = trial.e_step(params)
    vector = (vector + coordinates.vector(trial.steps[1].params)) / 2
    given = bound_gradient(model, coordinates, vector, q)
    found = bound_gradient(model, coordinates, vector, q, by_differences=True)
    unit = max(np.abs(found).max(), size(q.log_likelihood, len(trial.data)) * COORDINATES)
    for place, (one, two) in enumerate(zip(given, found, strict=True)):
        sentence = (
            f"along coordinate {place} of `domains` the gradient is {one:.6g}, and the differences "
            f"of expected_log_joint say {two:.6g}"
        )
        yield abs(one - two) / unit, sentence


LAWS = {
    "all is finite": Law(_finite, 0, "bound and log-likelihood are finite numbers"),
    "the bound never falls": Law(_never_falls, MONOTONE, "no half-step lowers it"),
    "the bound touches after an E half-step": Law(
        _touches, TOUCH, "expected_log_joint plus entropy is the log-likelihood"
    ),
    "the bound stays below after an M half-step": Law(
        _stays_below, TOUCH, "the KL divergence is never negative"
    ),
    "an iteration gains what the bound gains, plus KL": Law(
        _gains_agree, TOUCH, "the two sides agree in every iteration"
    ),
    "the likelihood gains what is promised": Law(
        _promises, TOUCH, "it rises by at least as much as expected_log_joint, wherever tried"
    ),
    "the M-step is a maximum": Law(
        _is_a_maximum, MONOTONE, "no parameters tried have a larger expected log joint"
    ),
    "the entropy is that of q": Law(
        _entropy_is_its_own, 0, "it is not seen to be computed from the likelihood"
    ),
    "chunks add up": Law(_chunks_add, SUMS, "the E-step of any split is that of the whole"),
    "integer weights are copies": Law(
        _weights_are_copies, SUMS, "a row of weight 2 is that row twice", needs_weights=True
    ),
    "the same seed gives the same bits": Law(_same_seed, 0, "two runs agree to the last bit"),
    "coordinates and gradient fit the bound": Law(
        _coordinates_fit,
        COORDINATES,
        "`domains` lead back to the parameters, and the gradient is that of the bound",
        applies=has_coordinates,
    ),
    "parameters are counted": Law(_parameters_count, 0, "n_parameters is a positive whole number"),
}
