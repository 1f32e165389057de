"""Axes of covariances that components share, and what is known of matrices along their axes.

Notation and shapes are those of `volume_shape_orientation.py`; matrices are (..., K, D, D). Every
iteration only ever goes down, and each problem ends by itself.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from em_core.emissions.covariances.volume_shape_orientation import (
    SETTLED,
    above_zero,
    pool,
    price,
    settled,
    volumes_so_far,
)
from em_core.emissions.kernels.rows import units_of

# Eigenvalues of a matrix below this share of its largest are rounding.
INDEFINITE = 1e-15
MAX_SWEEPS = 20
# Columns whose deviations differ by more than this factor are far apart.
FAR = 1e5
# What dgejsv is to be exact for: a well-conditioned matrix whose rows and columns have been scaled.
ROW_SCALED = 2


def proportional(within, lowest, shares, current):
    """(..., K, D, D) Sigma_k = lambda_k C with every eigenvalue at least `lowest`, a number.

    The exact C given lambda (..., K) and lambda given C, in turn.
    """
    lowest = above_zero(lowest, np.einsum("...dd->...d", within))[..., 0, 0]

    def common_of(volumes):
        values, axes = np.linalg.eigh(pool(within / volumes[..., None, None], shares, 2))
        smallest = np.maximum(lowest / volumes.min(axis=-1), INDEFINITE * values[..., -1])
        return np.maximum(values, smallest[..., None]), axes

    def volumes_of(values, axes):
        spreads = spreads_along(axes[..., None, :, :], within)
        means = (spreads / values[..., None, :]).mean(axis=-1)
        return np.maximum(means, (lowest / values.min(axis=-1))[..., None])

    start = volumes_so_far(current, shares)
    volumes = settled(lambda volumes: volumes_of(*common_of(volumes)), start)
    values, axes = common_of(volumes)
    volumes = volumes_of(values, axes)
    return volumes[..., None, None] * compose(axes, values)[..., None, :, :]


def common_axes(factors, starts, variances, lowest, shares):
    """(..., D, D) axes D that all components share.

    factors (..., K, D, D): L_k with W_k = L_k L_k^T. starts (S, ..., D, D): axes to choose from.
    variances: a function of VARIANCES; lowest: a number. Given Lambda, turning two axes in their
    plane has an exact optimum, an eigenvector of a 2 x 2 matrix: sweeps over all planes
    (Flury & Gautschi 1986; Celeux & Govaert 1995) take turns with the exact Lambda.
    """
    lowest = above_zero(lowest, (factors * factors).sum(axis=-1))

    def solve(along):
        spreads = (along * along).sum(axis=-1)
        values = variances(spreads, lowest, shares, None)
        return values, price(values, spreads, shares)

    # Rows: the axes, and their products with the factors.
    turned = np.swapaxes(starts, -1, -2)
    cost = solve(turned[..., None, :, :] @ factors)[1]
    turned = np.take_along_axis(turned, cost.argmin(axis=0)[None, ..., None, None], axis=0)[0]
    along = turned[..., None, :, :] @ factors
    values, cost = solve(along)
    going = np.ones(cost.shape, dtype=bool)
    for _ in range(MAX_SWEEPS):
        precisions = shares[..., None] / values
        for i, j in planes(turned.shape[-1]):
            first, second = along[..., i, :], along[..., j, :]
            pull = precisions[..., i] - precisions[..., j]
            across = (pull * (first * second).sum(axis=-1)).sum(axis=-2)
            excess = (pull * (second * second - first * first).sum(axis=-1)).sum(axis=-2)
            angle = np.where(going[..., None], 0.5 * np.arctan2(-2 * across, excess), 0)[..., None]
            _turn(turned, i, j, angle)
            _turn(along, i, j, angle[..., None, :, :])
        before = cost
        values, cost = solve(along)
        going &= before - cost > SETTLED
        if not going.any():
            break
    return np.swapaxes(turned, -1, -2)


def _turn(rows, i, j, angle):
    first, second = rows[..., i, :], rows[..., j, :]
    cosine, sine = np.cos(angle), np.sin(angle)
    rows[..., i, :] = cosine * first + sine * second
    rows[..., j, :] = cosine * second - sine * first


@lru_cache(maxsize=64)
def planes(dimension: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """All pairs of axes as a round-robin tournament: in each round no axis occurs twice."""
    if dimension < 2:
        return []
    players = list(range(dimension + dimension % 2))
    half = len(players) // 2
    rounds = []
    for _ in range(len(players) - 1):
        pairs = zip(players[:half], reversed(players[half:]), strict=True)
        i, j = np.array([pair for pair in pairs if max(pair) < dimension]).T
        rounds.append((i, j))
        players.insert(1, players.pop())
    return rounds


def root(matrices):
    """(..., D, D) L with L L^T = matrices, exact to rounding even where units are far apart."""
    unit = np.sqrt(units_of(np.einsum("...dd->...d", matrices)))
    values, vectors = np.linalg.eigh(matrices / (unit[..., :, None] * unit[..., None, :]))
    return unit[..., :, None] * vectors * np.sqrt(np.maximum(values, 0))[..., None, :]


def principal_axes(matrices):
    """Eigenvectors (..., D, D) and eigenvalues (..., D), largest first.

    From a root of the matrix, whose condition is the square root of the matrix's own. Where units
    are far apart, by Jacobi's rotations, to which each entry of an axis is as exact as the largest
    (Drmac & Veselic 2008); they take several times as long.
    """
    roots = root(matrices)
    # Of rows that are all alike rounding leaves less than 0.
    deviations = np.sqrt(np.maximum(np.einsum("...dd->...d", matrices), 0))
    if deviations.min() > 0 and (deviations.max(axis=-1) > FAR * deviations.min(axis=-1)).any():
        # Importing SciPy's LAPACK costs more than `import em_core` may, and few runs come here.
        from scipy.linalg.lapack import dgejsv

        flat = [dgejsv(each, joba=ROW_SCALED) for each in roots.reshape(-1, *roots.shape[-2:])]
        values = np.stack([found[0] * (found[3][0] / found[3][1]) for found in flat])
        axes = np.stack([found[1] for found in flat])
        if np.isfinite(axes).all() and np.isfinite(values).all():
            return orthogonal(axes).reshape(roots.shape), values.reshape(roots.shape[:-1]) ** 2
    axes, deviations, _ = np.linalg.svd(roots)
    return axes, deviations**2


def orthogonal(axes):
    """Axes, largest first, each less its parts along those before it: a small part of a short axis
    along a long column counts as much as the rest of it."""
    axes = axes.copy()
    for j in range(1, axes.shape[-1]):
        for i in range(j):
            parts = (axes[..., i] * axes[..., j]).sum(axis=-1, keepdims=True)
            axes[..., j] -= parts * axes[..., i]
    return axes


def spreads_along(axes, matrices):
    """(..., D) diagonal of D^T W D."""
    return (axes * (matrices @ axes)).sum(axis=-2)


def compose(axes, values):
    """(..., D, D) D diag(values) D^T, exactly symmetric."""
    product = (axes * values[..., None, :]) @ np.swapaxes(axes, -1, -2)
    return (product + np.swapaxes(product, -1, -2)) / 2
