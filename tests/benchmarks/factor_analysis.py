"""Whole fits of factor analysis against scikit-learn, each from its own start to its own end.

Medians of processor time, so that a busy machine counts for neither.
Ours counts everything from the rows on: checks, moments, the start, every half-step with its bound.
The last lines fit a table of ratings, which scikit-learn cannot.
"""

import time

import numpy as np
from sklearn.decomposition import FactorAnalysis as TheirFactorAnalysis

from em_core.fit import fit
from em_core.models.factor_analysis.model import FactorAnalysis, ProbabilisticPCA

START = "squared multiple correlations"
# rows, columns, factors, how the table is made, times scikit-learn
CASES = [
    (100_000, 50, 5, "noise variances from e^N(0, 1)", 150.0),
    (100_000, 50, 5, "noise variances from 0.5 to 2", 150.0),
    (100_000, 50, 5, "communalities from 0.2 to 0.9", 150.0),
]
# Of the log-likelihood, in nats: scikit-learn's default.
TOLERANCE = 1e-2


def make_table(n_rows, n_columns, n_factors, making):
    """Loadings from a normal distribution, and noise as `making` says."""
    rng = np.random.default_rng(0)
    loadings = rng.normal(size=(n_columns, n_factors))
    if making.startswith("communalities"):
        communalities = rng.uniform(0.2, 0.9, size=n_columns)
        loadings *= np.sqrt(communalities / (loadings**2).sum(axis=1))[:, None]
        variances = 1 - communalities
    elif "e^N" in making:
        variances = np.exp(rng.normal(size=n_columns))
    else:
        variances = rng.uniform(0.5, 2, size=n_columns)
    noise = rng.normal(size=(n_rows, n_columns)) * np.sqrt(variances)
    factors = rng.normal(size=(n_rows, n_factors))
    return rng.normal(size=n_columns) + factors @ loadings.T + noise


def run_ours(data, n_factors):
    start = time.process_time()
    result = fit(FactorAnalysis(n_factors), data, start=START, tolerance=TOLERANCE)
    return time.process_time() - start, result.log_likelihood, result.n_iterations


def run_theirs(data, n_factors):
    estimator = TheirFactorAnalysis(n_factors, tol=TOLERANCE)
    start = time.process_time()
    estimator.fit(data)
    seconds = time.process_time() - start
    return seconds, estimator.score(data) * len(data), estimator.n_iter_


def ratings():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(2000, 3)) @ rng.normal(size=(3, 100)) + rng.normal(size=(2000, 100))
    return np.where(rng.random(size=table.shape) < 0.9, np.nan, table)


def compare(repeats: int) -> bool:
    """Prints a line for each table; whether all reach their targets at no lower likelihood."""
    fine = True
    print(
        "rows x columns, factors   ours ms (iterations)   scikit-learn ms   ratio   target   gain"
    )
    for n_rows, n_columns, n_factors, making, target in CASES:
        data = make_table(n_rows, n_columns, n_factors, making)
        times, values, counts = {run_ours: [], run_theirs: []}, {}, {}
        for _ in range(repeats):
            for run in times:
                seconds, values[run], counts[run] = run(data, n_factors)
                times[run].append(seconds)
        ours, theirs = (np.median(times[run]) * 1e3 for run in (run_ours, run_theirs))
        gain = values[run_ours] - values[run_theirs]
        ok = theirs / ours >= target and gain >= -TOLERANCE
        fine &= ok
        print(
            f"{n_rows:>7,} x {n_columns}, {n_factors} {ours:>12.1f} ({counts[run_ours]:>3}) "
            f"{theirs:>16.0f} ({counts[run_theirs]:>3}) {theirs / ours:>9.0f} {target:>8.0f}   "
            f"{gain:+.1e}  {making}  {'ok' if ok else 'BELOW TARGET'}",
            flush=True,
        )
    table = ratings()
    for kind in (FactorAnalysis, ProbabilisticPCA):
        start = time.process_time()
        result = fit(kind(3), table, start=START)
        seconds = time.process_time() - start
        print(
            f"  2,000 x 100 ratings, 90 % missing, {kind.__name__}(3): {seconds:.2f} s, "
            f"{result.n_iterations} iterations"
        )
    return fine
