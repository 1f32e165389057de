"""Is the default search as good as any peer on tables that nobody chose?

Run: python tests/benchmarks/unseen.py FOLDER [--tables 20] [--seed 0]
FOLDER: CSV files with a header, hundreds of them; those of
https://github.com/vincentarelbundock/Rdatasets, for one. Which tables, columns, structures and
numbers of components are tried is drawn. Beside the default search of 50 starts, each in twice its
seconds: scikit-learn from k-means and from rows at random, again and again, and our own 400 starts
of k-means++. What counts is the best sound answer of each (`landscapes.is_sound`). Exits with 1
where the default search is more than 0.1 nats below the best of them on more than 1 of 20 tables.
"""

import argparse
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from landscapes import NATS, TOLERANCE, best_sound, peer
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from em_core import Gaussian, Mixture, restarts

ROWS, MOST_COLUMNS, LEAST_VALUES = (60, 2000), 4, 20
STRUCTURES, SIZES = ("full", "diag", "tied", "spherical"), (2, 3, 4, 5)
# Rows for each number of a component, or a model is too large for the table.
ROWS_A_NUMBER = 10
STARTS, ALLOWED = 50, 1 / 20


def measurements(path: Path) -> np.ndarray | None:
    """Some columns of numbers that vary, in rows without holes, in standard deviations (as
    scikit-learn needs them); None where there are none."""
    try:
        frame = pd.read_csv(path).select_dtypes("number")
    except (ValueError, UnicodeDecodeError):
        return None
    kept = [
        name
        for name, column in frame.items()
        if column.nunique() >= LEAST_VALUES and not column.is_monotonic_increasing
    ]
    values = frame[kept[:MOST_COLUMNS]].dropna().to_numpy(float)
    if not (len(kept) >= 2 and ROWS[0] <= len(values) <= ROWS[1] and np.isfinite(values).all()):
        return None
    spread = np.linalg.eigvalsh(np.corrcoef(values, rowvar=False))
    if spread[0] < 1e-6:
        return None  # a column follows from others
    return (values - values.mean(axis=0)) / values.std(axis=0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tables", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    warnings.simplefilter("ignore", ConvergenceWarning)
    rng = np.random.default_rng(asked.seed)
    files = sorted(asked.folder.rglob("*.csv"))
    n_done = n_missed = 0
    print(f"{'table':<44} {'rows':>6} {'model':<12} {'default':>11}  others above it, nats")
    for place in rng.permutation(len(files)):
        structure, size = str(rng.choice(STRUCTURES)), int(rng.choice(SIZES))
        values = measurements(files[place])
        if values is None:
            continue
        model = Mixture(Gaussian(structure), size)
        n_numbers = 1 + values.shape[1] * (values.shape[1] + 3) / 2
        if len(values) < ROWS_A_NUMBER * size * n_numbers:
            continue
        began = time.perf_counter()
        found = restarts(model, values, range(STARTS), tolerance=TOLERANCE).landscape.optima
        seconds = time.perf_counter() - began
        best = best_sound(model, values, found)
        many = restarts(model, values, range(8 * STARTS), "k-means++", tolerance=TOLERANCE)
        others = [
            peer(model, values, 2 * seconds, 0, "kmeans"),
            peer(model, values, 2 * seconds, 0, "random_from_data"),
            best_sound(model, values, many.landscape.optima),
        ]
        if max(others) == -np.inf:
            continue  # a model that nobody can fit soundly
        n_done += 1
        n_missed += max(others) - best > NATS
        above = " ".join(f"{other - best:>9.2f}" for other in others)
        name = f"{files[place].parent.name}/{files[place].stem}"[-44:]
        told = f"{structure} {size}"
        print(f"{name:<44} {len(values):>6} {told:<12} {best:>11.2f}  {above}", flush=True)
        if n_done == asked.tables:
            break
    print(f"more than {NATS} nats below the best of the others: {n_missed} of {n_done}")
    return int(n_missed > ALLOWED * n_done)


if __name__ == "__main__":
    with threadpool_limits(1):
        sys.exit(main())
