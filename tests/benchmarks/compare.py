"""em_core against scikit-learn and hmmlearn, side by side in one run.

Run: python tests/benchmarks/compare.py [part ...] [--repeats 5]
Parts: iterations, starts, whole, hidden-markov, factor-analysis; all without one. One thread, all
interleaved, medians. Exits with 1 where a ratio is below its target or the results differ.
"""

import argparse
import sys
from pathlib import Path

from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[2]))
import factor_analysis
import hidden_markov
import iterations
import starts
import whole

PARTS = {
    "iterations": iterations.compare,
    "starts": starts.compare,
    "whole": whole.compare,
    "hidden-markov": hidden_markov.compare,
    "factor-analysis": factor_analysis.compare,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    if unknown := set(asked.parts) - PARTS.keys():
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    with threadpool_limits(1):
        fine = [PARTS[part](asked.repeats) for part in asked.parts or PARTS]
    return int(not all(fine))


if __name__ == "__main__":
    sys.exit(main())
