"""A mixture of two Gaussians on a handful of numbers: small enough to list all that is hidden."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
from scipy.special import entr

from em_core import FactorAnalysis, Gaussian, HalfStep, HiddenMarkov, Mixture, MixtureParams, em
from em_core.checks.elbo_forms import Forms, elbo_forms, enumerated_log_likelihood
from em_core.coordinates.coordinates import Coordinates
from em_core.coordinates.slices import bounds, line_along, line_between, log_likelihoods
from em_core.variants.hard import most_probable
from pages.ui.state.settings import FIELDS, Settings

MODEL: Any = Mixture(Gaussian(), 2)
MOST_NUMBERS = 12
PLACES = 121


class Tiny(NamedTuple):
    """The numbers (N,), the parameters of the sliders, and the posterior there (N, 2)."""

    rows: np.ndarray
    params: MixtureParams
    shares: np.ndarray

    @property
    def data(self) -> np.ndarray:
        return self.rows[:, None]

    @property
    def log_joint(self) -> np.ndarray:
        """(N, 2) log p(x_n, z_n | params) in nats."""
        return MODEL.log_joint(self.params, self.data)


def numbers_in(text: str) -> np.ndarray:
    """The numbers of a list. Raises ValueError where it is none, or too short or too long."""
    parts = [part for part in re.split(r"[,; ]+", text) if part]
    try:
        rows = np.array([float(part) for part in parts])
    except ValueError:
        raise ValueError("Give numbers separated by commas, such as 0.2, 0.8, 3.9.") from None
    if not 2 <= len(rows) <= MOST_NUMBERS:
        raise ValueError(f"Give from 2 to {MOST_NUMBERS} numbers; these are {len(rows)}.")
    if not np.isfinite(rows).all() or np.abs(rows).max() > 1e9:
        raise ValueError("Give finite numbers below a thousand million.")
    if rows.min() == rows.max():
        raise ValueError("Give at least two different numbers.")
    return rows


def tiny_of(settings: Settings) -> Tiny:
    """What the settings describe. Raises ValueError with a sentence where the numbers are none."""
    rows = numbers_in(settings.tiny_data or FIELDS["tiny_data"].default)
    span = np.ptp(rows)
    means = rows.min() + span * np.array([settings.tiny_place_1, settings.tiny_place_2])
    params = MODEL.params(
        [settings.tiny_weight, 1 - settings.tiny_weight],
        means=means[:, None],
        covariances=np.full((2, 1, 1), (span / 5) ** 2),
    )
    return Tiny(rows, params, MODEL.posterior(params, rows[:, None]).responsibilities)


class Hardness(NamedTuple):
    """The sum over all assignments, and heights over the first mean (T,).

    complete: log p(x, z) for the assignment z that is most probable now.
    """

    n_assignments: int
    enumerated: float
    product: float
    means: np.ndarray
    likelihood: np.ndarray
    complete: np.ndarray


def hardness(tiny: Tiny) -> Hardness:
    """Why the log-likelihood is hard to maximise, and what it would be if labels were known."""
    coordinates = Coordinates(MODEL, tiny.params)
    position = next(c.position for c in coordinates.named if c.quantity == "mean")
    line = line_along(MODEL, tiny.params, position)
    unit = np.sqrt(tiny.params.covariances[0, 0, 0])
    span = np.ptp(tiny.rows)
    means = np.linspace(tiny.rows.min() - 0.3 * span, tiny.rows.max() + 0.3 * span, PLACES)
    vectors = line.vectors((means - tiny.params.means[0, 0]) / unit)
    known = MODEL.e_step_with(
        tiny.params, tiny.data, lambda joint, rows: most_probable(joint, rows, 0)
    )
    return Hardness(
        2 ** len(tiny.rows),
        enumerated_log_likelihood(MODEL, tiny.params, tiny.data),
        float(MODEL.e_step(tiny.params, tiny.data).log_likelihood),
        means,
        log_likelihoods(MODEL, tiny.data, coordinates, vectors),
        # All of this q is on one assignment: its bound is log p(x, z).
        bounds(MODEL, coordinates, vectors, known),
    )


class Jensen(NamedTuple):
    """One number under a q of its own: ratios (2,) = p(x, z) / q(z), and what follows, in nats."""

    q: np.ndarray
    ratios: np.ndarray
    posterior: np.ndarray
    log_density: float
    bound: float


def jensen(tiny: Tiny, row: int, q: float) -> Jensen:
    joint = tiny.log_joint[row]
    shares = np.array([q, 1 - q])
    ratios = np.exp(joint) / shares
    bound = float(shares @ (joint - np.log(shares)))
    return Jensen(shares, ratios, tiny.shares[row], float(np.logaddexp.reduce(joint)), bound)


def bound_over_q(tiny: Tiny, row: int) -> tuple[np.ndarray, np.ndarray]:
    """q (T,) and the bound of one number's log-density at each."""
    q = np.linspace(0.005, 0.995, PLACES)
    shares = np.stack([q, 1 - q])
    return q, (shares * (tiny.log_joint[row][:, None] - np.log(shares))).sum(axis=0)


class FormsOfModel(NamedTuple):
    """The four forms of one model, at the parameters after an M-step."""

    forms: Forms
    after: Any


def three_forms(tiny: Tiny) -> dict[str, FormsOfModel]:
    """The four forms for a mixture of the numbers, a chain along them, and a factor behind each
    number and the next two; q is the posterior at the sliders, priced after one M-step."""
    chain = HiddenMarkov(Gaussian(), 2)
    sticky = chain.params(
        [[0.8, 0.2], [0.2, 0.8]],
        means=tiny.params.means,
        covariances=tiny.params.covariances,
    )
    forms = {"mixture": _after_one_step(MODEL, tiny.params, tiny.data)}
    forms["hidden Markov chain"] = _after_one_step(chain, sticky, [tiny.data])
    threes = np.stack([np.roll(tiny.rows, -after) for after in range(3)], axis=1)
    if len(threes) >= 3:
        factor = FactorAnalysis(1)
        spread = threes.std(axis=0)
        start = factor.params(threes.mean(axis=0), spread[:, None] / 2, spread**2 / 2)
        forms["factor analysis"] = _after_one_step(factor, start, threes)
    return forms


def _after_one_step(model, params, data) -> FormsOfModel:
    after = model.m_step(params, model.e_step(params, model.check(data)).statistics)
    return FormsOfModel(elbo_forms(model, after, params, data), after)


def climb(tiny: Tiny, iterations: int) -> list[HalfStep]:
    """EM from the sliders' parameters: its half-steps up to an iteration, or to its end."""
    return list(em(MODEL, tiny.data, tiny.params, tolerance=0, max_iterations=iterations))


class Risen(NamedTuple):
    """Heights along the way of one M-step (T,), 0 where it begins and 1 where it ends, in nats: the
    log-likelihood, and the bound that touches it at 0."""

    places: np.ndarray
    likelihood: np.ndarray
    bound: np.ndarray
    before: HalfStep
    after: HalfStep


ALONG = (-0.5, 1.6)


def along_the_m_step(tiny: Tiny, iteration: int) -> Risen:
    """Why an iteration does not go down: its M-step, seen from the side."""
    *_, before, after, _ = climb(tiny, iteration)
    line = line_between(MODEL, before.params, after.params)
    places = np.union1d(np.linspace(*ALONG, PLACES), [0.0, 1.0])
    vectors, coordinates = line.vectors(places), Coordinates(MODEL, before.params)
    q = MODEL.e_step(before.params, tiny.data)
    return Risen(
        places,
        log_likelihoods(MODEL, tiny.data, coordinates, vectors),
        bounds(MODEL, coordinates, vectors, q),
        before,
        after,
    )


class Weighted(NamedTuple):
    """Q and the bound over the first mean (T,), in nats; the weighted mean is where both peak.

    after: where the M-step goes.
    """

    means: np.ndarray
    expected: np.ndarray
    entropy: float
    weighted_mean: float
    after: MixtureParams


def weighted(tiny: Tiny) -> Weighted:
    q = MODEL.e_step(tiny.params, tiny.data)
    coordinates = Coordinates(MODEL, tiny.params)
    position = next(c.position for c in coordinates.named if c.quantity == "mean")
    line = line_along(MODEL, tiny.params, position)
    unit = np.sqrt(tiny.params.covariances[0, 0, 0])
    means = np.linspace(tiny.rows.min(), tiny.rows.max(), PLACES)
    vectors = line.vectors((means - tiny.params.means[0, 0]) / unit)
    shares = tiny.shares[:, 0]
    return Weighted(
        means,
        bounds(MODEL, coordinates, vectors, q) - q.entropy,
        float(q.entropy),
        float(shares @ tiny.rows / shares.sum()),
        MODEL.m_step(tiny.params, q.statistics),
    )


class Staircase(NamedTuple):
    """ELBO (G, H) of two points over q (G,) and theta (H,); EM's corners (S, 2) = (theta, q)."""

    theta: np.ndarray
    q: np.ndarray
    elbo: np.ndarray
    corners: np.ndarray


def staircase(apart: float, start: float, iterations: int = 12) -> Staircase:
    """Two points at -apart and +apart; components N(-theta, 1) and N(theta, 1), equally likely.

    By symmetry one q will do: the probability that a point belongs to the component on its side.
    """

    def elbo(q, theta):
        own = -0.5 * (apart - theta) ** 2
        other = -0.5 * (apart + theta) ** 2
        shares = q * own + entr(q) + (1 - q) * other + entr(1 - q)
        return 2 * (shares - np.log(2) - 0.5 * np.log(2 * np.pi))

    theta = np.linspace(0.0, max(3.0, 1.2 * apart), 51)
    q = np.linspace(0.0, 1.0, 51)
    corners = [(start, 0.5)]
    for _ in range(iterations):
        now = corners[-1][0]
        best_q = 1 / (1 + np.exp(-2 * now * apart))
        corners += [(now, best_q), (apart * (2 * best_q - 1), best_q)]
    return Staircase(theta, q, elbo(q[:, None], theta), np.array(corners))
