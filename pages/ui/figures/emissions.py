"""What the emission of a component says of each column: its mean and standard deviation."""

from __future__ import annotations

import numpy as np


def moments(emission) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations (K, D) under an emission's parameters, whatever its kind."""
    if hasattr(emission, "means"):
        return emission.means, np.sqrt(np.einsum("kdd->kd", emission.covariances))
    if hasattr(emission, "rates"):
        return emission.rates, np.sqrt(emission.rates)
    shares = emission.probabilities
    if not hasattr(emission, "levels"):
        return shares, np.sqrt(shares * (1 - shares))
    levels = np.arange(shares.shape[-1])
    means = shares @ levels
    return means, np.sqrt(np.maximum(shares @ levels**2 - means**2, 0))
