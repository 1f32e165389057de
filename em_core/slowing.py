"""Whether EM has arrived or only slowed down, and where it would go in the second case.

Aitken's estimate takes the rate at which gains shrink for the one they will go on at. A direction
in which EM creeps shows late: the rate still rises when little seems to be left. So two rates are
told apart, a few iterations later; where they leave too much, EM goes on, and where it would take
long, its last steps are extrapolated as SQUAREM does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from em_core.coordinates.coordinates import Coordinates, has_coordinates
from em_core.coordinates.extrapolation import extrapolate
from em_core.half_steps import Leap, Leapt
from em_core.trees import leaves

# So many iterations are looked ahead before a fit is taken for finished.
AHEAD = 2
# What is left by the outlook is a little more where the rates themselves still rise.
SURELY = 0.97
# Gains whose rates differ by less than this share are those of one direction.
ALIKE = 1e-4
# Where no more iterations than this are left, EM goes by itself.
FEW = 10
# How far a stride may go at first, in steps of EM, and how its length grows where it did well; how
# many steps are between two.
LONGEST_FIRST, GROWTH, BETWEEN = 64.0, 4.0, 3


class Outlook(NamedTuple):
    """left: how much is left to gain, in nats, inf while unknown; rate: at which the gains will
    shrink in the end, one or more where they will grow."""

    left: float
    rate: float

    def iterations_to(self, tolerance: float) -> float:
        """How many more until no more than so much is left."""
        if self.left <= tolerance:
            return 0.0
        if self.left == math.inf:
            return math.inf
        return math.log(tolerance / self.left) / math.log(self.rate)


UNKNOWN = Outlook(math.inf, 1.0)


def outlook(log_likelihoods: Sequence[float]) -> Outlook:
    """What to expect if the gains are those of two directions, each of which shrinks, or grows, at
    a rate of its own: the second transformation of Shanks (1955), from the last four gains."""
    gains = _last_gains(log_likelihoods)
    if gains is None:
        return UNKNOWN
    first, second, third, last = gains
    # gain[t] = p gain[t - 1] + q gain[t - 2]
    determinant = second**2 - first * third
    if abs(determinant) > ALIKE * second**2:
        p = (second * third - first * last) / determinant
        q = (second * last - third**2) / determinant
        if (discriminant := p**2 / 4 + q) >= 0:
            rate = p / 2 + math.sqrt(discriminant)
            left = (p * last + q * (last + third)) / (1 - p - q) if rate < 1 else math.inf
            return Outlook(max(left, 0.0), rate)
    rate = max(last / third, third / second)
    return Outlook(last * rate / (1 - rate), rate) if rate < 1 else Outlook(math.inf, rate)


def cautious_outlook(log_likelihoods: Sequence[float]) -> Outlook:
    """The same where `outlook` may not be trusted, as it was wrong before: if the rate goes on
    rising as it does, by less and less, to the limit of that."""
    gains = _last_gains(log_likelihoods)
    if gains is None:
        return UNKNOWN
    first, second, third = (gain / before for before, gain in pairwise(gains))
    rate, rise = max(second, third), third - second
    if rise > 0:
        share = rise / (second - first) if second > first else 0.5
        rate = max(rate, third + rise * share / (1 - share)) if share < 1 else 1.0
    return Outlook(gains[-1] * rate / (1 - rate) if rate < 1 else math.inf, rate)


def _last_gains(log_likelihoods: Sequence[float]) -> list[float] | None:
    """The last four; None where there are not as many, or one is none."""
    gains = [after - before for before, after in pairwise(log_likelihoods[-5:])]
    return gains if len(gains) == 4 and min(gains) > 0 else None


class Strides:
    """Steps of EM extrapolated, each as long as the ones before it did well."""

    def __init__(self, model) -> None:
        self._model = model if has_coordinates(model) else None
        self._longest = LONGEST_FIRST
        self._hit = False

    def propose(self, points: Sequence[Any]) -> Leap | None:
        """Where the last two of three successive parameters point to; None where no further than
        EM goes by itself. Gain: inf, as it is known only there."""
        if self._model is None or len(points) < 3:
            return None
        try:
            coordinates = Coordinates(self._model, points[-3])
            vectors = [coordinates.vector(params) for params in points[-3:]]
        except np.linalg.LinAlgError:
            return None  # a covariance that is singular to rounding
        if not np.isfinite(vectors).all():
            return None
        jump, length = extrapolate(*vectors, self._longest)
        if length <= 1:
            return None
        self._hit = length == self._longest
        with np.errstate(over="ignore", invalid="ignore"):
            params = coordinates.params(jump)
        if not all(np.isfinite(leaf).all() for leaf in leaves(params)):
            return None
        words = (
            "a leap, not an M-step: EM had only slowed down, and this is where its last steps lead"
        )
        return Leap(params, math.inf, (Leapt(words),))

    def learn(self, did_well: bool) -> None:
        """What became of the last stride proposed."""
        if did_well and self._hit:
            self._longest *= GROWTH
        elif not did_well:
            self._longest = max(LONGEST_FIRST, self._longest / GROWTH)
