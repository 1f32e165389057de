"""Whole fits of Gaussian mixtures against scikit-learn: an array in, a finished fit out.

Each from its own default start, on clusters so far apart that both end in the same optimum: ours at
its default tolerance of 1e-3 nats, scikit-learn at the loosest power of ten of its `tol` (a mean of
the rows) that ends no more than 1e-3 nats below ours. Times are those of computing, in one thread.
"""

import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from em_core import Gaussian, Mixture, fit

# rows, columns, components, times scikit-learn
CASES = [
    (1_000_000, 2, 5, 15.0),
    (100_000, 2, 5, 12.0),
    (10_000, 2, 5, 7.0),
    (100_000, 16, 8, 3.5),
    (20_000, 64, 10, 2.5),
]
NATS = 1e-3
TIGHTEST = 1e-12
# In units of the clusters' own deviations.
APART = 9.0


def separated(n_rows: int, n_columns: int, size: int, rng) -> np.ndarray:
    """Clusters on a circle of the first two columns, apart in the others as well."""
    angles = 2 * np.pi * np.arange(size) / size
    radius = APART / (2 * np.sin(np.pi / size))
    centres = np.zeros((size, n_columns))
    centres[:, :2] = radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    centres[:, 2:] = rng.normal(size=(size, n_columns - 2))
    return centres[rng.integers(size, size=n_rows)] + rng.normal(size=(n_rows, n_columns))


def ours(data: np.ndarray, size: int) -> tuple[float, float]:
    """Seconds of computing, and the log-likelihood in nats."""
    began = time.process_time()
    result = fit(Mixture(Gaussian("full"), size), data)
    return time.process_time() - began, result.log_likelihood


def theirs(data: np.ndarray, size: int, tol: float) -> tuple[float, float]:
    """The same of scikit-learn."""
    estimator = GaussianMixture(size, tol=tol, max_iter=1000, random_state=0)
    began = time.process_time()
    estimator.fit(data)
    return time.process_time() - began, estimator.score(data) * len(data)


def loosest(data: np.ndarray, size: int, reached: float) -> float:
    """The `tol` at which scikit-learn ends no lower, give or take."""
    tol = 1e-2
    while theirs(data, size, tol)[1] < reached - NATS and tol > TIGHTEST:
        tol /= 10
    return tol


def compare(repeats: int) -> bool:
    """Prints a line for each case; whether all reach their targets in the same optimum."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    fine = True
    print("rows x columns, K          ours s   scikit-learn s    tol   ratio   target   nats more")
    for n_rows, n_columns, size, target in CASES:
        data = separated(n_rows, n_columns, size, np.random.default_rng(0))
        tol = loosest(data, size, ours(data, size)[1])
        mine, other = [], []
        for _ in range(repeats):
            mine.append(ours(data, size))
            other.append(theirs(data, size, tol))
        seconds = [float(np.median([took for took, _ in runs])) for runs in (mine, other)]
        more = mine[0][1] - other[0][1]
        ratio = seconds[1] / seconds[0]
        # Another optimum is no comparison.
        ok = ratio >= target and abs(more) < 1
        fine &= ok
        print(
            f"{n_rows:>9,} x {n_columns:<3} K={size:<3} {seconds[0]:>10.3f} {seconds[1]:>16.3f} "
            f"{tol:>6.0e} {ratio:>7.1f} {target:>8.1f} {more:>11.4f}  "
            f"{'ok' if ok else 'BELOW TARGET'}",
            flush=True,
        )
    return fine
