"""EM iterations of Gaussian mixtures against scikit-learn: same start, iterations and likelihood.

The time of an iteration is the difference between a run of n + 1 iterations and a run of 1, over n,
so that set-up counts for neither. Ours includes all of the bound's bookkeeping.
"""

import time
import tracemalloc
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from em_core import Gaussian, Mixture, em

# rows, columns, components, iterations timed, times scikit-learn
CASES = [
    (1_000_000, 2, 5, 2, 20.0),
    (10_000, 2, 5, 40, 15.0),
    (1_000, 2, 3, 100, 5.0),
    (100_000, 16, 8, 10, 4.5),
    (20_000, 64, 10, 3, 2.3),
]
MEMORY_LIMIT_MB = 100
# Runs on small tables last some ten milliseconds: of so many times as many runs, the median.
SMALL_ROWS, SMALL_REPEATS = 10_000, 5


def make_case(n_rows, n_columns, n_components, rng):
    """Overlapping clusters, and a start near none of the optima."""
    centres = 2.5 * rng.normal(size=(n_components, n_columns)) / np.sqrt(n_columns / 2)
    data = centres[rng.integers(n_components, size=n_rows)] + rng.normal(size=(n_rows, n_columns))
    model = Mixture(Gaussian("full"), n_components)
    means = data[rng.choice(n_rows, n_components, replace=False)]
    covariances = np.repeat(np.eye(n_columns)[None] * 2, n_components, axis=0)
    weights = np.full(n_components, 1 / n_components)
    return data, model, model.params(weights, means=means, covariances=covariances)


def run_ours(data, model, params, iterations):
    start = time.perf_counter()
    for step in em(model, data, params, tolerance=0, max_iterations=iterations):
        last = step
    return time.perf_counter() - start, last.log_likelihood


def run_theirs(data, model, params, iterations):
    estimator = GaussianMixture(
        model.n_components,
        tol=0,
        reg_covar=0,
        max_iter=iterations,
        weights_init=params.weights,
        means_init=params.means,
        precisions_init=np.linalg.inv(params.covariances),
    )
    start = time.perf_counter()
    estimator.fit(data)
    seconds = time.perf_counter() - start
    return seconds, estimator.score(data) * len(data)


def per_iteration(run, case, iterations):
    short, _ = run(*case, 1)
    long, log_likelihood = run(*case, iterations + 1)
    return (long - short) / iterations, log_likelihood


def peak_extra_megabytes(case):
    """What one run allocates at its peak beyond the data."""
    tracemalloc.start()
    run_ours(*case, 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


def compare(repeats: int) -> bool:
    """Prints a line for each case; whether all reach their targets at equal likelihoods."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    fine = True
    print(
        "rows x columns, K        ours ms   scikit-learn ms   ratio   target   likelihoods differ"
    )
    for n_rows, n_columns, n_components, iterations, target in CASES:
        case = make_case(n_rows, n_columns, n_components, np.random.default_rng(0))
        times = {run_ours: [], run_theirs: []}
        values = {}
        for _ in range(repeats * (SMALL_REPEATS if n_rows <= SMALL_ROWS else 1)):
            for run in times:
                seconds, values[run] = per_iteration(run, case, iterations)
                times[run].append(seconds)
        ours, theirs = (np.median(times[run]) * 1e3 for run in (run_ours, run_theirs))
        difference = abs(values[run_ours] / values[run_theirs] - 1)
        ratio = theirs / ours
        ok = ratio >= target and difference < 1e-8
        fine &= ok
        print(
            f"{n_rows:>9,} x {n_columns:<3} K={n_components:<3} {ours:>10.3f} {theirs:>17.3f} "
            f"{ratio:>7.1f} {target:>8.1f}   {difference:.1e}  {'ok' if ok else 'BELOW TARGET'}",
            flush=True,
        )
        if n_rows == 1_000_000:
            memory = peak_extra_megabytes(case)
            ok = memory < MEMORY_LIMIT_MB
            fine &= ok
            print(f"  peak extra memory {memory:.0f} MB, limit {MEMORY_LIMIT_MB} MB")
    return fine
