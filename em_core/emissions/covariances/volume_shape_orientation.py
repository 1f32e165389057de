"""Variances along given axes, by how components share volume and shape.

A covariance is Sigma_k = D_k diag(Lambda_k) D_k^T: D_k holds the component's axes, Lambda_k its
variances along them. Their geometric mean is the volume (to the power 1/D), and what is left is
the shape (Banfield & Raftery 1993). Given the axes, only the spreads B_kj = (D_k^T W_k D_k)_jj of
the scatter W_k matter, and a structure minimises

    sum_k s_k sum_j [log Lambda_kj + B_kj / Lambda_kj]    subject to Lambda_kj >= lowest_kj

(Celeux & Govaert 1995), which is convex in log Lambda for every volume and shape.

Every function takes spreads and lowest (..., K, D), shares s (..., K) that sum to 1, and current
(..., K, D, D), the covariances to continue from, or None; it returns Lambda (..., K, D). Leading
axes are problems solved side by side; which ones makes no difference to any of them.
"""

from __future__ import annotations

import numpy as np

# Where no floor is given, variances and spreads of 0 count as this share of the largest spread.
NEGLIGIBLE = 1e-40
# Not much smaller numbers have an inverse.
INVERTIBLE = 1e-240
# The same volume with no spread in one direction asks for boundless length in the others: this
# many times the largest variance of the data must do.
LONGEST = 1e4
# Alternating steps end when no volume moves by more than this share, or, as every EM iteration
# continues where the last one stopped, after this many rounds.
SETTLED = 1e-11
MAX_ROUNDS = 200
# Two logarithms that differ by less are the same.
ROUNDING = 1e-14


def equal_volumes_round(spreads, lowest, shares, current):
    """Lambda_kj = lambda."""
    mean = pool(spreads, shares, 1).mean(axis=-1)
    common = np.maximum(mean, lowest.max(axis=(-2, -1)))
    return np.broadcast_to(common[..., None, None], spreads.shape)


def own_volumes_round(spreads, lowest, shares, current):
    """Lambda_kj = lambda_k."""
    means = spreads.mean(axis=-1, keepdims=True)
    return np.broadcast_to(np.maximum(means, lowest.max(axis=-1, keepdims=True)), spreads.shape)


def equal_volumes_equal_shapes(spreads, lowest, shares, current):
    """Lambda_kj = Lambda_j."""
    common = np.maximum(pool(spreads, shares, 1), lowest.max(axis=-2))
    return np.broadcast_to(common[..., None, :], spreads.shape)


def own_volumes_own_shapes(spreads, lowest, shares, current):
    """Any Lambda_kj."""
    return np.maximum(spreads, lowest)


def own_volumes_equal_shapes(spreads, lowest, shares, current):
    """Lambda_kj = lambda_k a_j: the exact a given lambda and lambda given a, in turn."""
    lowest = above_zero(lowest, spreads)

    def shape_of(volumes):
        volumes = volumes[..., None]
        shape = np.maximum(pool(spreads / volumes, shares, 1), (lowest / volumes).max(axis=-2))
        return shape[..., None, :]

    def volumes_of(shape):
        return np.maximum((spreads / shape).mean(axis=-1), (lowest / shape).max(axis=-1))

    start = volumes_so_far(current, shares)
    volumes = settled(lambda volumes: volumes_of(shape_of(volumes)), start)
    shape = shape_of(volumes)
    return volumes_of(shape)[..., None] * shape


def equal_volumes_own_shapes(spreads, lowest, shares, current):
    """prod_j Lambda_kj the same for all k."""
    lowest = above_zero(lowest, spreads)
    highest = LONGEST * np.maximum(spreads, lowest).max(axis=(-2, -1), keepdims=True)
    logs = np.log(np.maximum(spreads, NEGLIGIBLE * lowest))
    sizes = logs.mean(axis=-1)
    common = np.log((shares * np.exp(sizes)).sum(axis=-1))[..., None]
    free = np.exp(logs + (common - sizes)[..., None])
    inside = ((free >= lowest) & (free <= highest)).all(axis=(-2, -1))
    if inside.all():
        return free
    limits = (np.broadcast_to(np.log(limit), logs.shape) for limit in (lowest, highest))
    return np.where(inside[..., None, None], free, _equal_volumes_bounded(logs, *limits, shares))


def _equal_volumes_bounded(logs, lowest, highest, shares):
    """The exact solution at the bounds; arguments and unknowns are logarithms.

    Of a given total volume v, component k has log Lambda_kj = logs_kj - n_k between the bounds,
    with the n_k that makes them add up to v; v is optimal where sum_k s_k exp(n_k) = 1.
    """

    def within_bounds(levels):
        return np.clip(logs[..., None, :] - levels[..., None], *bounds)

    bounds = lowest[..., None, :], highest[..., None, :]
    # v falls with n, in straight lines between the n at which some variance reaches a bound.
    corners = np.sort(np.concatenate([logs - highest, logs - lowest], axis=-1), axis=-1)
    volumes = within_bounds(corners).sum(axis=-1)
    last = corners.shape[-1] - 2

    def levels_of(volume):
        volume = volume[..., None, None]
        at = np.clip((volumes > volume).sum(axis=-1, keepdims=True) - 1, 0, last)
        (left, right), (high, low) = (
            (np.take_along_axis(part, at, -1), np.take_along_axis(part, at + 1, -1))
            for part in (corners, volumes)
        )
        share = (high - volume) / np.where(high > low, high - low, 1)
        return left + np.clip(share, 0, 1) * (right - left)

    def excess(volume):
        return np.log((shares * np.exp(levels_of(volume)[..., 0])).sum(axis=-1))

    low = lowest.sum(axis=-1).max(axis=-1)
    high = np.maximum(logs, lowest).sum(axis=-1).max(axis=-1)
    volume = _root_between(excess, low, high)
    return np.exp(within_bounds(levels_of(volume))[..., 0, :])


def _root_between(falling, low, high):
    """Where a falling function is 0 between low and high (...), or low where it never is.

    False position; an end that stays twice counts half (Illinois).
    """
    at_low, at_high = falling(low), falling(high)
    high = np.where(at_low > 0, high, low)
    side = np.zeros(low.shape)
    for _ in range(MAX_ROUNDS):
        drop = at_low - at_high
        middle = low + np.clip(at_low / np.where(drop > 0, drop, 1), 0, 1) * (high - low)
        value = falling(middle)
        right, found = value > 0, np.abs(value) <= ROUNDING
        low, high = np.where(right | found, middle, low), np.where(right & ~found, high, middle)
        at_low, at_high = (
            np.where(right, value, np.where(side < 0, at_low / 2, at_low)),
            np.where(right, np.where(side > 0, at_high / 2, at_high), value),
        )
        side = np.where(right, 1, -1)
        if (high - low <= ROUNDING * np.abs(high)).all():
            break
    return middle


def settled(improve, volumes):
    """The fixed point of `improve`, up to a common factor that the shape takes up.

    Each problem stops by itself.
    """
    going = np.ones((*volumes.shape[:-1], 1), dtype=bool)
    for _ in range(MAX_ROUNDS):
        before, volumes = volumes, improve(volumes)
        volumes = np.where(going, volumes / volumes.max(axis=-1, keepdims=True), before)
        going &= np.abs(volumes / before - 1).max(axis=-1, keepdims=True) > SETTLED
        if not going.any():
            break
    return volumes


# By the letters of volume and shape.
VARIANCES = {
    "EI": equal_volumes_round,
    "VI": own_volumes_round,
    "EE": equal_volumes_equal_shapes,
    "VE": own_volumes_equal_shapes,
    "EV": equal_volumes_own_shapes,
    "VV": own_volumes_own_shapes,
}


def above_zero(lowest, spreads):
    """Bounds under which no logarithm or quotient overflows where `lowest` is 0."""
    largest = spreads.max(axis=(-2, -1), keepdims=True)
    return np.maximum(lowest, NEGLIGIBLE * np.maximum(largest, INVERTIBLE))


def volumes_so_far(current, shares):
    """(..., K) geometric mean of the current variances of each component; 1 where unknown."""
    if current is None:
        return np.ones(shares.shape)
    return np.exp(np.linalg.slogdet(current)[1] / current.shape[-1])


def price(values, spreads, shares):
    """(...) sum_k s_k sum_j [log Lambda_kj + B_kj / Lambda_kj]: what every structure minimises."""
    return (shares * (np.log(values) + spreads / values).sum(axis=-1)).sum(axis=-1)


def pool(parts, shares, axes: int):
    """sum_k s_k parts_k of (..., K, *) with so many axes after that of the components."""
    return (parts * shares.reshape(shares.shape + (1,) * axes)).sum(axis=-1 - axes)
