"""What many starts say of the optima that none of them has found.

That one kind of start ends where it has ended before is no evidence that nothing else is there. How
often independent starts of a kind end where no other of them does tells how much that kind has not
seen; and how many later starts have found nothing better bounds how likely the next one is to.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from em_core.search.optima import Landscape
from em_core.search.success import NORMAL_QUANTILE, Interval

# One-sided 95 %: none in n trials bounds the chance by about 3/n.
DOUBT = 0.05
# So many starts of a kind say something of what it has not found: an interval from 0 to 100 % is
# nothing to read.
LEAST_STARTS = 5


class Unseen(NamedTuple):
    """One kind of start: how likely its next one is to end in an optimum where none of it has.

    n_starts: independent ones of this kind that ended in an optimum. n_seen_once: how many of the
    optima they found one of them alone has found. chance = n_seen_once / n_starts (Good 1953,
    equation 9, by Turing), NaN without a start; interval: 95 %.
    """

    start: str
    n_starts: int
    n_seen_once: int
    chance: float
    interval: Interval


def unseen(found: Landscape, start: str) -> Unseen:
    """Good and Turing's estimate for one kind of start, from its own independent starts alone.

    The interval is that of Robbins (1968), chance +- z sqrt(n_seen_once + 2 n_seen_twice) / n; it
    goes at least up to the chance at which none is seen once in 5 % of such searches.
    """
    counts = []
    for optimum in found.optima:
        counts.append(sum(fit.is_independent and fit.start == start for fit in optimum.fits))
    n_starts, once, twice = sum(counts), counts.count(1), counts.count(2)
    if not n_starts:
        return Unseen(start, 0, 0, np.nan, Interval(0.0, 1.0))
    half = NORMAL_QUANTILE * np.sqrt(once + 2 * twice) / n_starts
    high = max(once / n_starts + half, at_most(n_starts))
    low = max(0.0, once / n_starts - half)
    return Unseen(start, n_starts, once, once / n_starts, Interval(low, min(1.0, high)))


def at_most(n_trials: int) -> float:
    """The upper 95 % bound on the chance of what has not happened in `n_trials` trials, 1 -
    0.05^(1/n), about 3/n (Hanley & Lippman-Hand 1983).

    It holds for what is better than the best of n independent trials as well: more than a share p
    lies above the best of n with probability (1 - p)^n.
    """
    return 1 - DOUBT ** (1 / n_trials) if n_trials else 1.0


def kinds_that_agree(found: Landscape) -> tuple[str, ...]:
    """The kinds of independent start that reached the best optimum, the most frequent first."""
    best = found.optima[0].fits if found.optima else ()
    reached = [fit.start for fit in best if fit.is_independent]
    return tuple(sorted(dict.fromkeys(reached), key=lambda start: -reached.count(start)))


def evidence(found: Landscape) -> tuple[str, ...]:
    """Sentences on what speaks for the best optimum of many starts, and on what they cannot know.

    None where the best is not known or not identified.
    """
    if not found.optima or found.ahead or not found.is_identified:
        return ()
    fits = [fit for fit in found.fits if fit.is_independent]
    kinds = list(dict.fromkeys(fit.start for fit in fits))
    agree = kinds_that_agree(found)
    said = []
    if len(kinds) > 1:
        names = f": {', '.join(agree)}" if agree else ""
        said.append(f"{len(agree)} of {len(kinds)} kinds of start reached the best{names}.")
    elif kinds:
        said.append(f"All are of one kind, {kinds[0]}: others may find what it never does.")
    if len(fits) > 1:
        said.append(
            f"A further start like these {len(fits)} finds a better one with a chance of at most "
            f"{_percent(at_most(len(fits)))} (95\N{NO-BREAK SPACE}% bound)."
        )
    for kind in kinds:
        known = unseen(found, kind)
        if known.n_starts >= LEAST_STARTS:
            low, high = known.interval
            said.append(
                f"The chance that a further {kind} start ends in an optimum that none of these "
                f"{known.n_starts} has found is about {_percent(known.chance)} "
                f"({_percent(low)} to {_percent(high)})."
            )
    return tuple(said)


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"
