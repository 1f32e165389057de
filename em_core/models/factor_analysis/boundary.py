"""The boundary of factor models, where a column has next to no noise of its own: a step straight to
it, and whether the likelihood there is the data's or the floor's."""

from __future__ import annotations

import numpy as np

from em_core.half_steps import Leap, Leapt
from em_core.models.factor_analysis.statistics import FactorParams, FactorStatistics

# A column with less noise than this share of its variance is rarely what it seems: the usual bound
# of factor analysis programs. EM nears the bound of zero but slowly, so it is said early.
HEYWOOD = 0.005
# From further away nothing leaps: the loadings are not yet those of the boundary.
NEAR = 0.1
# And nothing that EM does not want much smaller.
TOWARDS = 0.95
# At the floor, give or take this share.
NEAR_FLOOR = 1e-3
# Each direction without variance counts as 1 (see `lost_directions`), an ordinary Heywood case as
# little as the floor.
LOST = 0.5
MOST_NAMED = 5


def at_floor(params: FactorParams, lowest: np.ndarray) -> np.ndarray:
    """(D,) whether a column's noise variance is the lowest (D,) that it may be."""
    return params.noise <= lowest * (1 + NEAR_FLOOR)


def leap_at_boundary(
    params: FactorParams, statistics: FactorStatistics, lowest: np.ndarray
) -> Leap | None:
    """Straight to the best noise variance of the column that gains most by it, of those with next
    to no noise, and to the best mean along the factors; None where there is no such column.

    Next to no noise pins the factors to the rows, and EM, which sees the factors, moves neither.
    statistics: of the E-step at `params`; lowest (D,): no noise variance is below.
    """
    columns = np.flatnonzero(params.noise <= NEAR * np.diag(params.covariance))
    if not len(columns):
        return None
    noise, gains = _best_noise(params, statistics, lowest, columns)
    place = int(gains.argmax())
    # Factors of this mean are factors of mean 0 about another mean of the rows: parameter-expanded
    # EM (Liu, Rubin & Wu 1998), of which this is the gain of the bound.
    factor_mean = statistics.factor_sums / statistics.count
    gain = statistics.count / 2 * float(factor_mean @ factor_mean)
    mean, column = params.mean + params.loadings @ factor_mean, columns[place]
    words = "a leap, not an M-step: straight to the best mean, where EM would creep"
    variances = params.noise.copy()
    if gains[place] > 0:
        gain += float(gains[place])
        variances[column] = noise[place]
        words = (
            f"a leap, not an M-step: straight to the best noise variance of column {column + 1}, "
            "where EM would creep"
        )
    return Leap(params._replace(mean=mean, noise_variance=variances), gain, (Leapt(words),))


def _best_noise(params, statistics, lowest, columns) -> tuple[np.ndarray, np.ndarray]:
    """Where the log-likelihood is largest along the noise variance of each of some columns, when it
    alone moves, and what that gains, in nats: 0 where EM finds its way.

    With S the moments of the rows about the mean, B the inverse of the columns' covariance, b =
    B_jj and s = (B S B)_jj, a change of noise_j alone adds n (change s / (1 + change b) - log(1 +
    change b)) / 2, which is largest at (s - b) / b^2 (Zhao, Yu & Jiang 2008). s comes from the
    derivative of the bound, which is that of the log-likelihood at the parameters that gave q: with
    values missing, or other components, the step is about right.
    """
    variances = np.diag(params.covariance)
    units = np.sqrt(variances)
    correlations = params.covariance / (units[:, None] * units)
    b = np.diag(np.linalg.solve(correlations, np.eye(len(units))[:, columns])[columns])
    noise, least = params.noise[columns] / variances[columns], lowest[columns] / variances[columns]
    counts = statistics.counts[columns]
    s = b - (1 - statistics.residual_squares[columns] / (counts * params.noise[columns])) / noise
    best = np.maximum(noise + (s - b) / b**2, least)
    grown = 1 + (best - noise) * b
    gains = counts / 2 * ((best - noise) * s / grown - np.log(grown))
    gains[(best > TOWARDS * noise) & ~at_floor(params, lowest)[columns]] = 0
    return np.maximum(best * variances[columns], lowest[columns]), gains


def heywood_words(column: int, n_factors: int) -> str:
    """What a column, counted from 0, without noise of its own means."""
    fewer = "use fewer factors, or leave the column out"
    return (
        f"column {column + 1} has next to no noise of its own (a Heywood case): "
        f"{fewer if n_factors > 1 else 'leave the column out, or take it for the factor itself'}"
    )


def columns_named(which: np.ndarray) -> str:
    """ "column 1, column 2 and 5 others", of (D,) booleans."""
    names = [f"column {column + 1}" for column in np.flatnonzero(which)]
    if len(names) > MOST_NAMED:
        names[MOST_NAMED - 1 :] = [f"{len(names) - MOST_NAMED + 1} others"]
    return " and ".join([", ".join(names[:-1]), *names[-1:]] if len(names) > 1 else names)


def lost_directions(
    params: FactorParams, statistics: FactorStatistics, lowest: np.ndarray
) -> float:
    """By how much the log-likelihood changes with the floor: its derivative by log(floor), in units
    of -n / 2.

    It is the number of directions in which the columns have no variance but the floor's, and next
    to 0 where columns are at the floor and yet the likelihood is the data's (a Heywood case).
    statistics: those whose M-step gave `params`.
    """
    columns = at_floor(params, lowest)
    if not columns.any():
        return 0.0
    _, squares = statistics.regress()
    wanted = squares[columns] / (statistics.counts[columns] * params.noise[columns])
    return float((1 - wanted).sum())


def degrees_of_freedom(n_columns: int, n_factors: int) -> int:
    """How many numbers fewer than any covariance that of the factors has; negative where it has
    more."""
    return ((n_columns - n_factors) ** 2 - n_columns - n_factors) // 2


def most_factors(n_columns: int) -> int:
    """How many factors, each column with noise of its own, a covariance can tell; maybe none."""
    return max((q for q in range(n_columns) if degrees_of_freedom(n_columns, q) >= 0), default=0)


def check_fewer(n_columns: int, n_factors: int) -> None:
    """Raises ValueError where there are not fewer factors than columns."""
    if n_factors >= n_columns:
        need = f"{n_factors} factors need" if n_factors > 1 else "1 factor needs"
        raise ValueError(
            f"{need} at least {n_factors + 1} columns, and these data have {n_columns}: use "
            f"{'fewer factors' if n_columns > 1 else 'more columns'}"
        )


def check_number(n_columns: int, n_factors: int) -> None:
    """Raises ValueError where factors, each column with noise of its own, have more parameters than
    a Gaussian of any covariance: these cannot all be told, and add nothing to it."""
    check_fewer(n_columns, n_factors)
    excess = -degrees_of_freedom(n_columns, n_factors)
    if excess <= 0:
        return
    any_covariance = n_columns + n_columns * (n_columns + 1) // 2
    most = most_factors(n_columns)
    advice = f"use at most {most}" if most else "use at least 3 columns"
    raise ValueError(
        f"{n_factors} factor{'s' if n_factors > 1 else ''} of {n_columns} columns would have "
        f"{any_covariance + excess} parameters, more than the {any_covariance} of a Gaussian with "
        f"any covariance: {advice}"
    )
