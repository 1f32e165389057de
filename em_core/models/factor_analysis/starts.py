"""Where EM starts for factor models: each start is a row of `STARTS`.

A start works on the columns' correlations (one unit for all columns where the noise is the same in
all), so that no unit of measurement matters. It draws only from the Generator it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from em_core.protocols import Turns

# No start explains more of a column than this: EM leaves a column without noise but slowly.
MOST_EXPLAINED = 0.95
# A factor without loadings would never get any: this little excess over the noise is given to all.
LEAST_EXCESS = 0.05


class FactorStart(NamedTuple):
    """propose(correlations (D, D), n_rows, n_factors, rng): loadings (D, q).

    correlations are positive semi-definite; what the loadings leave of the diagonal is noise.
    """

    propose: Callable[..., np.ndarray]
    meaning: str
    turns: Turns = "many"


def principal_components(correlations, n_rows, n_factors, rng) -> np.ndarray:
    """The directions of largest variance, and all of that variance."""
    values, vectors = leading(correlations, n_factors)
    return vectors * np.sqrt(np.maximum(values, LEAST_EXCESS))


def squared_multiple_correlations(correlations, n_rows, n_factors, rng) -> np.ndarray:
    """The best loadings if a column's noise is what regression on all others leaves of it.

    Joreskog 1967. With few rows regression explains too much: the correlations are drawn
    towards none, as by D further rows.
    """
    n_columns = len(correlations)
    diagonal = np.diag(correlations)
    further = n_columns * np.maximum(diagonal, diagonal.mean())
    drawn = (n_rows * correlations + np.diag(further)) / (n_rows + n_columns)
    noise = (1 - 0.5 * n_factors / n_columns) / np.diag(np.linalg.inv(drawn))
    roots = np.sqrt(noise)
    values, vectors = leading(correlations / (roots[:, None] * roots), n_factors)
    return roots[:, None] * vectors * np.sqrt(np.maximum(values - 1, LEAST_EXCESS))


def random_loadings(correlations, n_rows, n_factors, rng) -> np.ndarray:
    """Loadings in random directions that explain half of every column."""
    loadings = rng.standard_normal((len(correlations), n_factors))
    explained = (loadings**2).sum(axis=1)
    return loadings * np.sqrt(np.diag(correlations) / (2 * explained))[:, None]


STARTS = {
    "squared multiple correlations": FactorStart(
        squared_multiple_correlations, "noise is what the other columns do not predict", "one"
    ),
    "principal components": FactorStart(
        principal_components, "along the directions in which the columns vary most", "one"
    ),
    "random loadings": FactorStart(
        random_loadings, "random directions that explain half of every column"
    ),
}


def leading(matrix: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest eigenvalues (q,) and their vectors (D, q), largest first."""
    values, vectors = np.linalg.eigh(matrix)
    return values[::-1][:number], vectors[:, ::-1][:, :number]


def start_factors(correlations, n_rows: float, n_factors: int, method: str, rng):
    """Loadings (D, q) and noise variances (D,) by a method of STARTS.

    Raises ValueError for an unknown method.
    """
    if method not in STARTS:
        raise ValueError(f"unknown start {method!r}: choose one of {', '.join(STARTS)}")
    loadings = STARTS[method].propose(correlations, n_rows, n_factors, rng)
    diagonal = np.diag(correlations)
    explained = (loadings**2).sum(axis=1)
    # A column without variance stays without loadings.
    most = np.where(explained > 0, MOST_EXPLAINED * diagonal / np.maximum(explained, 1e-300), 0)
    loadings = loadings * np.sqrt(np.minimum(most, 1))[:, None]
    return loadings, diagonal - (loadings**2).sum(axis=1)
