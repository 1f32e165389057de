"""Poisson counts so large that their log-probability is a small difference of huge numbers.

log p(x | rate) = log p(x | x) - deviance(x, rate), where neither part loses digits (Loader 2000,
Fast and accurate computation of binomial probabilities): at counts of 1e10 the usual form is off by
1e-5 nats.
"""

from __future__ import annotations

import numpy as np

from em_core.emissions.kernels.linear import IMPOSSIBLE, SMALLEST_PROBABILITY, FeatureKernel

# Beyond it a double does not hold all digits of what is summed over rows.
LARGEST_COUNT = 10**12
# What underflow leaves of a share of 0, of the largest counts there may be.
SMALLEST_MEAN = SMALLEST_PROBABILITY * LARGEST_COUNT
# From this rate on; below it the linear form is right to 1e-10 nats, and faster.
LARGE = 10_000
# Up to this relative difference the deviance is summed as a series, and so many terms suffice.
CLOSE, TERMS = 0.1, 9


def deviance(counts: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """counts log(counts / rates) + rates - counts >= 0, to full relative precision: what the
    log-probability of a count lacks to that at the best rate, the count itself."""
    counts, rates = np.broadcast_arrays(counts, rates)
    total = np.maximum(counts + rates, SMALLEST_PROBABILITY)
    share = (counts - rates) / total
    squared, series = share * share, 0.0
    for term in range(TERMS, 0, -1):
        series = squared * (1 / (2 * term + 1) + series)
    close = (counts - rates) * share + 2 * counts * share * series
    ruled_out = (rates == 0) & (counts > 0)
    apart = counts * log_ratio(counts, rates) + rates - counts
    found = np.where(np.abs(share) < CLOSE, close, apart)
    return np.where(ruled_out, -IMPOSSIBLE, found)


def log_ratio(counts: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """log(counts / rates) where both are above 0, also where their ratio overflows; else 0."""
    there = (counts > 0) & (rates > 0)
    counts, rates = np.where(there, counts, 1), np.where(there, rates, 1)
    tiny = rates < SMALLEST_PROBABILITY
    ratios = np.log(counts / np.where(tiny, 1, rates))
    return np.where(tiny, ratios - np.log(rates), ratios)


def log_of_best(counts: np.ndarray) -> np.ndarray:
    """log p(x | rate x) in nats; 0 for a count of 0."""
    from scipy.special import gammaln

    some = np.maximum(counts, 1)
    # Stirling's series: its next term is 1e-20 of a count of 1,000.
    left = (1 - (1 / 30 - 1 / (105 * some * some)) / (some * some)) / (12 * some)
    large = -0.5 * np.log(2 * np.pi * some) - left
    small = some * np.log(some) - some - gammaln(some + 1)
    return np.where(counts > 0, np.where(counts > 1000, large, small), 0)


class CountSpreads:
    """How far the counts of components are from their means; adds over chunks of the data.

    seen, totals (K, D): expected number of counts of each column, and their sum. spreads (K,):
    expected sum of the counts' deviances from the component's means, less their `log_of_best`.
    """

    def __init__(self, seen: np.ndarray, totals: np.ndarray, spreads: np.ndarray):
        self.seen, self.totals, self.spreads = seen, totals, spreads

    @property
    def means(self) -> np.ndarray:
        """(K, D); 0 where nothing was seen, or what underflow has left of nothing."""
        means = self.totals / np.where(self.seen != 0, self.seen, 1)
        return np.where((self.seen != 0) & (np.abs(means) >= SMALLEST_MEAN), means, 0)

    def from_rates(self, rates: np.ndarray) -> np.ndarray:
        """(K,) by how much more they deviate from rates (K, D) than from their means."""
        return (self.seen * deviance(self.means, rates)).sum(axis=-1)

    def __add__(self, other: CountSpreads) -> CountSpreads:
        sums = CountSpreads(self.seen + other.seen, self.totals + other.totals, self.spreads)
        apart = self.from_rates(sums.means) + other.from_rates(sums.means)
        return CountSpreads(sums.seen, sums.totals, self.spreads + other.spreads + apart)

    def __mul__(self, factor: float) -> CountSpreads:
        return CountSpreads(self.seen * factor, self.totals * factor, self.spreads * factor)

    def __getitem__(self, models) -> CountSpreads:
        return CountSpreads(self.seen[models], self.totals[models], self.spreads[models])

    def leaves(self) -> list[np.ndarray]:
        return [self.seen, self.totals, self.spreads]


class LargeCountKernel(FeatureKernel):
    """Poisson components at some large rates; the features of a row are those of the linear form:
    1, a base, the counts, and 1 for each count that is there."""

    def __init__(self, coefficients: np.ndarray, rows, rates: np.ndarray, log_weights):
        super().__init__(coefficients, rows)
        self.rates = rates.reshape(-1, rates.shape[-1], 1)
        log_weights = np.broadcast_to(log_weights, rates.shape[:-1])
        self.log_weights = log_weights.reshape(-1, 1)
        self._deviances = np.zeros(len(self.rates))
        self._at = None

    def _deviance(self, block) -> np.ndarray:
        """(K, n) deviances of a block's rows, less their `log_of_best`."""
        if self._at is not block:
            counts, present = np.split(block.features[2:], 2)
            apart = (deviance(counts, self.rates) * present).sum(axis=1)
            self._at, self._apart = block, apart - (log_of_best(counts) * present).sum(axis=0)
        return self._apart

    def write(self, block, out: np.ndarray) -> None:
        np.subtract(self.log_weights, self._deviance(block), out=out)

    def add(self, block, shares: np.ndarray) -> None:
        super().add(block, shares)
        self._deviances += np.vecdot(shares, self._deviance(block))

    @property
    def spreads(self) -> CountSpreads:
        """Ask after the last block."""
        totals, seen = np.split(self.totals[:, 2:], 2, axis=1)
        known = CountSpreads(seen, totals, self._deviances)
        spreads = self._deviances - known.from_rates(self.rates[:, :, 0])
        shape = self.batch
        return CountSpreads(
            seen.reshape(*shape, -1), totals.reshape(*shape, -1), spreads.reshape(shape)
        )
