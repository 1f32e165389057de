"""Search each landscape with a hundred times the starts of the default search, and keep the best.

Run: python tests/benchmarks/best_known.py [--again] [part of a name ...]
Sixty default searches of 50 starts, and 400 starts of each of five kinds: 5,000 starts. What is
kept is the highest log-likelihood of all sound answers (`landscapes.is_sound`); answers that rest
on few rows, or on the floor of the covariances, are none. Landscapes that are known already are
passed over, or with --again searched with other seeds: only what is higher takes their place.
"""

import argparse
import json
import time

from landscapes import BEST_KNOWN, TOLERANCE, best_known, best_sound, landscapes
from threadpoolctl import threadpool_limits

from em_core import restarts

DEFAULT_SEARCHES, STARTS, OF_A_KIND = 60, 50, 400
KINDS = ("k-means++", "random points", "random responsibilities", "k-means", "short runs")
FIRST_SEED = 1_000_000  # far from those that `optima.py` measures
LATER = 10_000_000


def searches(model, first: int):
    """Seeds and starts of each search."""
    for number in range(DEFAULT_SEARCHES):
        yield range(first + STARTS * number, first + STARTS * (number + 1)), None
    for kind in KINDS:
        if kind in model.starts:
            yield range(first, first + OF_A_KIND), kind


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--again", action="store_true")
    asked = parser.parse_args()
    for name, (model, data) in landscapes().items():
        known = best_known().get(name)
        wanted = not asked.names or any(part in name for part in asked.names)
        if not wanted or (known is not None and not asked.again):
            continue
        began, best = time.perf_counter(), float("-inf") if known is None else known
        for seeds, start in searches(model, FIRST_SEED + LATER * (known is not None)):
            found = restarts(model, data, seeds, start, tolerance=TOLERANCE).landscape.optima
            best = max(best, best_sound(model, data, found, best))
        seconds = time.perf_counter() - began
        if best == float("-inf"):
            print(f"{name:<34} has no sound answer: choose another size   {seconds:.0f} s")
            continue
        told = best_known() | {name: round(best, 4)}
        BEST_KNOWN.write_text(json.dumps(dict(sorted(told.items())), indent=2) + "\n")
        print(f"{name:<34} {best:>12.4f}   {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
