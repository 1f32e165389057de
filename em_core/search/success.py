"""How often a start leads to the best optimum, with an interval, and what a success costs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

# Two-sided 95 % of the standard normal distribution.
NORMAL_QUANTILE = 1.959963984540054


class Interval(NamedTuple):
    """A 95 % confidence interval."""

    low: float
    high: float


class SuccessRate(NamedTuple):
    """How often one start reaches the best optimum of all.

    n_starts counts those that collapsed, did not converge or failed as well. The costs are those
    of all of them for each success, NaN without one: iterations (a start's own are not counted)
    and seconds (a start's own are).
    """

    start: Any
    n_starts: int
    n_successes: int
    rate: float
    interval: Interval
    iterations_per_success: float
    seconds_per_success: float


def wilson(successes: int, trials: int) -> Interval:
    """The 95 % score interval of a binomial proportion (Wilson 1927)."""
    square = NORMAL_QUANTILE**2
    centre = (successes + square / 2) / (trials + square)
    spread = successes * (trials - successes) / trials + square / 4
    half = NORMAL_QUANTILE * np.sqrt(spread) / (trials + square)
    return Interval(max(0.0, float(centre - half)), min(1.0, float(centre + half)))


def success_rate(landscape, start) -> SuccessRate:
    """The success rate of one start among all those of a `Landscape`."""
    failures = [failure for failure in landscape.failures if failure.start == start]
    runs = [fit for fit in landscape.fits if fit.start == start]
    trials = len(runs) + len(failures)
    best = landscape.optima[0].fits if landscape.optima else ()
    successes = sum(fit.start == start for fit in best)
    runs += [failure.fit for failure in failures if failure.fit]
    per_success = 1 / successes if successes else np.nan
    return SuccessRate(
        start,
        trials,
        successes,
        successes / trials,
        wilson(successes, trials),
        sum(fit.n_iterations for fit in runs) * per_success,
        sum(fit.seconds for fit in runs) * per_success,
    )
