"""How often 95 % intervals hold the truth; level and power of the likelihood-ratio test; speeds.

    .venv/bin/python tests/benchmarks/coverage.py [intervals] [test] [speed] [--sets 1000]

A word of a design's name (`intervals factor`) leaves the others out. Slow: an hour for all. Every
design is a model with known parameters; a data set is drawn from it, fitted from the truth, so that
components have its numbers, and the intervals of all that is reported are counted. A number that is
always known (a weight of 1) is not counted.
"""

import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from em_core import (
    Bernoulli,
    FactorAnalysis,
    Gaussian,
    HiddenMarkov,
    Mixture,
    fit,
    inference,
    restarts,
)
from em_core.inference.uncertainty.quantities import quantities

MIXTURE, ITEMS = Mixture(Gaussian("full"), 2), Mixture(Bernoulli(), 2)
CHAIN, FACTORS = HiddenMarkov(Gaussian("tied"), 2), FactorAnalysis(2)
DESIGNS = {
    "mixture of two normal distributions, 500 x 2": (
        MIXTURE,
        MIXTURE.params(
            [0.4, 0.6],
            means=[[0, 0], [3, 2]],
            covariances=[[[1, 0.3], [0.3, 1]], [[1.5, -0.4], [-0.4, 0.8]]],
        ),
        500,
    ),
    "two latent classes, 1,000 x 6 items": (
        ITEMS,
        ITEMS.params([0.4, 0.6], probabilities=[[0.8, 0.7, 0.8, 0.75, 0.85, 0.7],
                                                [0.2, 0.3, 0.25, 0.2, 0.3, 0.15]]),
        1000,
    ),
    "hidden Markov model of two states, 50 sequences of 30": (
        CHAIN,
        CHAIN.params(
            [[0.85, 0.15], [0.25, 0.75]], [0.4, 0.6], means=[[-1.5], [1]], covariances=[[[1.0]]] * 2
        ),
        [30] * 50,
    ),
    "factor analysis of two factors, 500 x 8": (
        FACTORS,
        FACTORS.params(
            np.zeros(8),
            np.array([[0.8, 0.1], [0.7, 0], [0.75, 0.2], [0.6, 0],
                      [0.1, 0.6], [0, 0.5], [0.2, 0.55], [0, 0.65]]),
            np.full(8, 0.5),
        ),
        500,
    ),
}  # fmt: skip
# So many tables are drawn between two reports.
EVERY = 25
CLASSES = np.array([[0.9] * 6, [0.1] * 6, [0.9, 0.9, 0.9, 0.1, 0.1, 0.1]])


def coverage(name: str, n_sets: int) -> None:
    """Prints the coverage of every reported number, and how many data sets had no intervals."""
    model, truth, size = DESIGNS[name]
    held, counted, without, why = defaultdict(int), Counter(), 0, Counter()
    began = time.perf_counter()
    for seed in range(n_sets):
        data = model.sample(truth, size, np.random.default_rng(seed))[0]
        try:
            found = inference.intervals(fit(model, data, start=truth), data)
        except ValueError as error:
            without += 1
            why[str(error)] += 1
            continue
        of_truth = [
            value for q in quantities(model, truth, found.params) for value in q.values.tolist()
        ]
        for row, value in zip(found.reported, of_truth, strict=True):
            if np.isfinite(row.standard_error):
                counted[row.name] += 1
                held[row.name] += row.lower <= value <= row.upper
    shares = {row: held[row] / n for row, n in counted.items() if n >= n_sets / 2}
    values = np.array(list(shares.values()))
    low, high = min(shares, key=shares.get), max(shares, key=shares.get)
    print(f"{name}: {n_sets} data sets, {time.perf_counter() - began:.0f} s")
    print(f"  of {len(values)} numbers the median is {np.median(values):.1%}, the lowest")
    print(f"  {values.min():.1%} ({low}), the highest {values.max():.1%} ({high})")
    print(f"  {without} data sets without intervals")
    for said, n in why.items():
        print(f"    {n} x {said}")


def answers(rng, shares, n: int = 1000) -> np.ndarray:
    labels = rng.choice(len(shares), size=n, p=shares)
    return (rng.random((n, 6)) < CLASSES[labels]).astype(float)


def likelihood_ratio(n_tables: int) -> None:
    """Prints how often two classes are rejected for three, where there are two and three."""
    models = Mixture(Bernoulli(), 2), Mixture(Bernoulli(), 3)
    for said, shares in (("two", [0.5, 0.5]), ("three", [0.4, 0.3, 0.3])):
        rejected = 0
        for seed in range(n_tables):
            data = answers(np.random.default_rng(seed), shares)
            rejected += inference.likelihood_ratio(*models, data, seed=seed).p_value <= 0.05
            if (seed + 1) % EVERY == 0 or seed + 1 == n_tables:
                of = f"{rejected} of {seed + 1} tables"
                print(f"{said} classes: {of} reject two for three at 5 %", flush=True)


def speed() -> None:
    """Prints what the bootstrap and the test take, beside 50 k-means++ starts."""
    rng = np.random.default_rng(0)
    corners = 2 * np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
    data = corners[rng.integers(4, size=2_000)] + rng.normal(size=(2_000, 2))
    model = Mixture(Gaussian("full"), 4)
    best, starts = timed(lambda: restarts(model, data, range(50)).best)
    found, drawn = timed(lambda: inference.bootstrap(best, data))
    print(f"4 components, 2,000 x 2: 50 starts {starts:.2f} s, 200 replicates {drawn:.2f} s "
          f"({drawn / starts:.1f} times), {found.stayed} stayed")  # fmt: skip
    _, taken = timed(lambda: inference.intervals(best, data))
    print(f"  intervals {taken:.2f} s")
    models = Mixture(Bernoulli(), 2), Mixture(Bernoulli(), 3)
    table = answers(rng, [0.5, 0.5])
    _, taken = timed(lambda: inference.likelihood_ratio(*models, table, sequential=False))
    print(f"two against three classes, 1,000 x 6: 99 replicates {taken:.1f} s")


def timed(work):
    """Its result, and the seconds of this process that it took."""
    began = time.process_time()
    result = work()
    return result, time.process_time() - began


if __name__ == "__main__":
    arguments = sys.argv[1:]
    n_sets = int(arguments.pop(arguments.index("--sets") + 1)) if "--sets" in arguments else 1000
    asked = [word for word in arguments if word != "--sets"]
    parts = [part for part in ("intervals", "test", "speed") if part in asked or not asked]
    designs = [name for name in DESIGNS if any(word in name.split() for word in asked)]
    if "speed" in parts:
        speed()
    if "intervals" in parts:
        for design in designs or DESIGNS:
            coverage(design, n_sets)
    if "test" in parts:
        likelihood_ratio(max(1, n_sets // 5))
