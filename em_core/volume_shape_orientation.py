"""Covariances written as volume, shape and orientation: Sigma_k = D_k diag(Lambda_k) D_k^T.

D_k holds the component's axes, Lambda_k its variances along them: their geometric mean is the
volume (to the power 1/D) and what is left is the shape (Banfield & Raftery 1993). Given axes, only
the spreads B_kj = (D_k^T W_k D_k)_jj of the scatter W_k matter, and a structure minimises

    sum_k s_k sum_j [log Lambda_kj + B_kj / Lambda_kj]    subject to Lambda_kj >= lowest_kj

(Celeux & Govaert 1995), which is convex in log Lambda for every volume and shape.

Arrays may have leading axes for problems solved side by side: spreads and lowest (..., K, D),
shares s (..., K) summing to 1, matrices (..., K, D, D). Every iteration here only ever goes down.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

# Relative to a spread that is not zero, what stands for zero under a logarithm.
NO_SPREAD = 1e-30
# Alternating steps end when no variance moves by more than this share, or, as every EM iteration
# continues where the last one stopped, after this many rounds.
SETTLED = 1e-11
MAX_ROUNDS = 200
# Halving an interval of logarithms this often leaves rounding.
HALVINGS = 100


def equal_volumes_round(spreads, lowest, shares, volumes):
    """Lambda_kj = lambda."""
    mean = pool(spreads, shares, 1).mean(axis=-1, keepdims=True)
    return _spread_out(np.maximum(mean, lowest.max(axis=(-2, -1))[..., None])[..., None], spreads)


def own_volumes_round(spreads, lowest, shares, volumes):
    """Lambda_kj = lambda_k."""
    means = spreads.mean(axis=-1, keepdims=True)
    return _spread_out(np.maximum(means, lowest.max(axis=-1, keepdims=True)), spreads)


def equal_volumes_equal_shapes(spreads, lowest, shares, volumes):
    """Lambda_kj = Lambda_j."""
    common = np.maximum(pool(spreads, shares, 1), lowest.max(axis=-2))
    return _spread_out(common[..., None, :], spreads)


def own_volumes_own_shapes(spreads, lowest, shares, volumes):
    """Any Lambda_kj."""
    return np.maximum(spreads, lowest)


def own_volumes_equal_shapes(spreads, lowest, shares, volumes):
    """Lambda_kj = lambda_k a_j: the exact a given lambda and lambda given a, in turn.

    volumes (..., K): the lambda to start from.
    """
    for _ in range(MAX_ROUNDS):
        before = volumes[..., None]
        shape = np.maximum(pool(spreads / before, shares, 1), (lowest / before).max(axis=-2))
        shape = shape[..., None, :]
        volumes = np.maximum((spreads / shape).mean(axis=-1), (lowest / shape).max(axis=-1))
        if np.abs(volumes / before[..., 0] - 1).max() <= SETTLED:
            break
    return volumes[..., None] * shape


def equal_volumes_own_shapes(spreads, lowest, shares, volumes):
    """prod_j Lambda_kj the same for all k."""
    logs = np.log(np.maximum(spreads, NO_SPREAD * lowest))
    sizes = logs.mean(axis=-1)
    common = np.log((shares * np.exp(sizes)).sum(axis=-1))[..., None]
    free = np.exp(logs + (common - sizes)[..., None])
    clears = (free >= lowest).all(axis=(-2, -1))
    if clears.all():
        return free
    bounded = _equal_volumes_bounded(logs, np.log(np.broadcast_to(lowest, logs.shape)), shares)
    return np.where(clears[..., None, None], free, bounded)


def _equal_volumes_bounded(logs, lowest, shares):
    """The exact solution at the bounds; arguments and unknowns are logarithms.

    Of a given total volume v, component k has log Lambda_kj = max(logs_kj - n_k, lowest_kj) with
    the n_k that adds up to v (water-filling); v is optimal where sum_k s_k exp(n_k) = 1.
    """
    totals = lowest.sum(axis=-1)
    highest = np.cumsum(-np.sort(lowest - logs, axis=-1), axis=-1)
    ranks = np.arange(1, logs.shape[-1] + 1)

    def levels(volume):
        room = volume[..., None] - totals
        return ((highest - room[..., None]) / ranks).max(axis=-1)

    low = totals.max(axis=-1)
    high = np.maximum(logs, lowest).sum(axis=-1).max(axis=-1)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        too_small = (shares * np.exp(levels(middle))).sum(axis=-1) > 1
        low, high = np.where(too_small, middle, low), np.where(too_small, high, middle)
    return np.exp(np.maximum(logs - levels(high)[..., None], lowest))


# By the letters of volume and shape.
VARIANCES = {
    "EI": equal_volumes_round,
    "VI": own_volumes_round,
    "EE": equal_volumes_equal_shapes,
    "VE": own_volumes_equal_shapes,
    "EV": equal_volumes_own_shapes,
    "VV": own_volumes_own_shapes,
}


def proportional(within, lowest, shares, volumes):
    """(..., K, D, D) Sigma_k = lambda_k C with every eigenvalue at least `lowest`.

    The exact C given lambda (..., K) and lambda given C, in turn; starts from `volumes`.
    """
    for _ in range(MAX_ROUNDS):
        before = volumes
        scaled = pool(within / before[..., None, None], shares, 2)
        values, axes = np.linalg.eigh(scaled)
        values = np.maximum(values, lowest / before.min(axis=-1)[..., None])
        spreads = spreads_along(axes[..., None, :, :], within)
        smallest = values.min(axis=-1)[..., None]
        volumes = np.maximum((spreads / values[..., None, :]).mean(axis=-1), lowest / smallest)
        if np.abs(volumes / before - 1).max() <= SETTLED:
            break
    common = compose(axes, values)
    return volumes[..., None, None] * common[..., None, :, :]


def common_axes(factors, starts, variances, lowest, shares):
    """(..., D, D) axes D that all components share.

    factors (..., K, D, D): L_k with W_k = L_k L_k^T. starts: axes (..., D, D) to choose from.
    variances: a function of VARIANCES; lowest: scalar or (...,). Given Lambda, turning two axes
    in their plane has an exact optimum, an eigenvector of a 2 x 2 matrix: sweeps over all planes
    (Flury & Gautschi 1986; Celeux & Govaert 1995) take turns with the exact Lambda.
    """
    lowest = np.asarray(lowest)[..., None, None]

    def solve(along):
        spreads = (along * along).sum(axis=-1)
        values = variances(spreads, lowest, shares, None)
        return values, price(values, spreads, shares)

    # Rows: the axes, and their products with the factors.
    turned = np.swapaxes(np.stack(starts), -1, -2)
    cost = solve(turned[..., None, :, :] @ factors)[1]
    turned = np.take_along_axis(turned, cost.argmin(axis=0)[None, ..., None, None], axis=0)[0]
    along = turned[..., None, :, :] @ factors
    values, cost = solve(along)
    for _ in range(MAX_ROUNDS):
        precisions = shares[..., None] / values
        for i, j in planes(turned.shape[-1]):
            first, second = along[..., i, :], along[..., j, :]
            pull = precisions[..., i] - precisions[..., j]
            across = (pull * (first * second).sum(axis=-1)).sum(axis=-2)
            excess = (pull * (second * second - first * first).sum(axis=-1)).sum(axis=-2)
            angle = 0.5 * np.arctan2(-2 * across, excess)[..., None]
            _turn(turned, i, j, angle)
            _turn(along, i, j, angle[..., None, :, :])
        before = cost
        values, cost = solve(along)
        if np.all(before - cost <= SETTLED):
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


def price(values, spreads, shares):
    """(...) sum_k s_k sum_j [log Lambda_kj + B_kj / Lambda_kj]: what every structure minimises."""
    return (shares * (np.log(values) + spreads / values).sum(axis=-1)).sum(axis=-1)


def pool(parts, shares, axes: int):
    """sum_k s_k parts_k of (..., K, *) with so many axes after that of the components."""
    return (parts * shares.reshape(shares.shape + (1,) * axes)).sum(axis=-1 - axes)


def root(matrices):
    """(..., D, D) L with L L^T = matrices, exact to rounding even where units are far apart."""
    diagonal = np.einsum("...dd->...d", matrices)
    unit = np.sqrt(np.where(diagonal > 0, diagonal, 1))
    values, vectors = np.linalg.eigh(matrices / (unit[..., :, None] * unit[..., None, :]))
    return unit[..., :, None] * vectors * np.sqrt(np.maximum(values, 0))[..., None, :]


def principal_axes(matrices):
    """Eigenvectors (..., D, D) and eigenvalues (..., D), largest first.

    From a root of the matrix, whose condition is the square root of the matrix's own.
    """
    axes, deviations, _ = np.linalg.svd(root(matrices))
    return axes, deviations**2


def spreads_along(axes, matrices):
    """(..., D) diagonal of D^T W D."""
    return (axes * (matrices @ axes)).sum(axis=-2)


def compose(axes, values):
    """(..., D, D) D diag(values) D^T, exactly symmetric."""
    product = (axes * values[..., None, :]) @ np.swapaxes(axes, -1, -2)
    return (product + np.swapaxes(product, -1, -2)) / 2


def _spread_out(values, like):
    return np.broadcast_to(values, like.shape)
