"""Does the default search find the best optimum that is known, and again with other seeds?

Run: python tests/benchmarks/optima.py [--searches 20] [--starts 50] [part of a name ...]
For each landscape (a table and a model) and each of so many sets of seeds: the default search, the
same number of k-means++ starts, and scikit-learn with as many `n_init` as fit into the seconds that
the default search took. Best known: what `best_known.py` has found with a hundred times the starts.
Misses: searches whose best sound answer (`landscapes.is_sound`) is more than 0.1 nats below it.
Unsound first: default searches whose first answer is another, higher one that rests on few rows or
on the floor of the covariances. Exits with 1 where the default search misses more than 1 in 100.
"""

import argparse
import sys
import time
import warnings

import numpy as np
from landscapes import NATS, TOLERANCE, best_known, best_sound, landscapes, peer
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from em_core import restarts

ALLOWED = 0.01


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--searches", type=int, default=20)
    parser.add_argument("--starts", type=int, default=50)
    asked = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(f"{'landscape':<34} {'best known':>11}   misses of {asked.searches} (worst, nats)")
    print(
        f"{'':<46}   {'default':>14} {'k-means++':>14} {'scikit-learn':>14}   unsound first, "
        "seconds a search"
    )
    misses, spent, n = np.zeros(3, int), np.zeros(2), 0
    known = best_known()
    for name, (model, data) in landscapes().items():
        if name not in known or (asked.names and not any(part in name for part in asked.names)):
            continue
        ends, seconds = np.full((3, asked.searches), -np.inf), np.empty((2, asked.searches))
        unsound = 0
        for search in range(asked.searches):
            seeds = range(asked.starts * search, asked.starts * (search + 1))
            for place, start in enumerate((None, "k-means++")):
                began = time.perf_counter()
                found = restarts(model, data, seeds, start, tolerance=TOLERANCE).landscape.optima
                seconds[place, search] = time.perf_counter() - began
                ends[place, search] = best_sound(model, data, found)
                if start is None and found:
                    unsound += found[0].log_likelihood > ends[place, search]
            ends[2, search] = peer(model, data, seconds[0, search], seeds[0])
        below = known[name] - ends
        missed = (below > NATS).sum(axis=1)
        misses, spent, n = misses + missed, spent + seconds.sum(axis=1), n + asked.searches
        told = (f"{m} ({max(b.max(), 0):.1f})" for m, b in zip(missed, below, strict=True))
        typical = " ".join(f"{s:.2f}" for s in np.median(seconds, axis=1))
        cells = " ".join(f"{cell:>14}" for cell in told)
        better = f"   {-below.min():.2f} above" if below.min() < -NATS else ""
        print(
            f"{name:<34} {known[name]:>11.2f}   {cells}   {unsound} {typical}{better}", flush=True
        )
    print(f"{f'all {n}':<46}   " + " ".join(f"{m:>14}" for m in misses))
    print(f"time of the default search to that of k-means++: {spent[0] / spent[1]:.2f}")
    return int(misses[0] > ALLOWED * n)


if __name__ == "__main__":
    with threadpool_limits(1):
        sys.exit(main())
