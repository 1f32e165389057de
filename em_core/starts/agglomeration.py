"""Partitions to start from, as mclust makes them: by agglomeration, or quantiles of one column."""

from __future__ import annotations

import numpy as np

from em_core.emissions.kernels.distances import Distances

# All pairs of groups are compared: beyond this many rows it works on a random sample.
LARGEST_SAMPLE = 1000
# The determinant of every possible union is wanted: its cost grows with the cube of this.
MOST_DIRECTIONS = 8


def model_based(points, n_components, rng, weights=None) -> np.ndarray:
    """Fraley's tree for unconstrained covariances, cut at K groups; hard assignments (N, K).

    A single column is cut at its quantiles instead. Of more than 8 columns the 8 directions of most
    spread are used; of more than 1,000 rows a random sample is agglomerated, and the rest joins
    the nearest group. A row of weight 3 is three equal rows that are merged already: a tree of the
    three may merge others first.
    """
    if points.shape[1] == 1:
        return np.eye(n_components)[quantile_groups(points[:, 0], n_components, weights)]
    points = decorrelate(points, weights)[:, :MOST_DIRECTIONS]
    sample, chosen = sampled(len(points), LARGEST_SAMPLE, rng, weights)
    labels = cut(merges(points[sample], chosen), n_components)
    if len(sample) < len(points):
        labels = nearest_group(points, points[sample], labels, chosen)
    return np.eye(n_components)[labels]


def sampled(n_rows: int, most: int, rng, weights=None) -> tuple[np.ndarray, np.ndarray | None]:
    """Rows (M,) to work on in the place of all, and their weights: all where there are no more than
    `most`; else a random sample of rows, or of what they stand for, one weight each time a row is
    drawn."""
    if n_rows <= most:
        return np.arange(n_rows), weights
    if weights is None:
        return np.sort(rng.choice(n_rows, most, replace=False)), None
    counts = rng.multinomial(most, weights / weights.sum())
    rows = np.flatnonzero(counts)
    return rows, counts[rows].astype(float)


def nearest_group(points, sample, labels: np.ndarray, weights=None) -> np.ndarray:
    """(N,) the group with the nearest centre, of the groups that some of the points are in."""
    groups = [labels == k for k in range(labels.max() + 1)]
    centres = [
        np.average(sample[own], axis=0, weights=None if weights is None else weights[own])
        for own in groups
    ]
    return Distances(points).nearest(np.stack(centres))


def ward(points: np.ndarray, weights: np.ndarray, n_groups: int) -> np.ndarray:
    """(N,) labels of Ward's tree cut at so many groups, every row counted by its weight.

    By chains of nearest neighbours (Murtagh 1983): merging groups of weights a and b, whose centres
    are apart by d, costs a b / (a + b) d^2. A group goes by its first row.
    """
    centres, counts = points.copy(), weights.astype(float)
    alive = np.ones(len(points), dtype=bool)
    heights = np.zeros(len(points))
    chain, history, costs = [], [], []
    while len(history) < len(points) - 1:
        if not chain:
            chain.append(int(alive.argmax()))
        row = chain[-1]
        distances = np.square(centres - centres[row]).sum(axis=1)
        distances *= counts * counts[row] / (counts + counts[row])
        distances[~alive] = np.inf
        distances[row] = np.inf
        partner = int(distances.argmin())
        # Of equals the one before: else the chain could go round in a circle.
        if len(chain) > 1 and distances[chain[-2]] <= distances[partner]:
            partner = chain[-2]
            del chain[-2:]
            keep, drop = min(row, partner), max(row, partner)
            total = counts[keep] + counts[drop]
            centres[keep] += counts[drop] / total * (centres[drop] - centres[keep])
            counts[keep], alive[drop] = total, False
            history.append((keep, drop))
            # Never below those that made the two: only rounding would have it so.
            heights[keep] = max(distances[partner], heights[keep], heights[drop])
            costs.append(heights[keep])
        else:
            chain.append(partner)
    order = np.argsort(costs, kind="stable")
    return cut(np.array(history, dtype=int).reshape(-1, 2)[order], n_groups)


def quantile_groups(values, n_groups, weights=None) -> np.ndarray:
    """(N,) labels of groups of about equal weight, in order of value; equal values stay together.

    Where that leaves a group empty, the distinct values are cut instead.
    """
    weights = np.ones(len(values)) if weights is None else weights
    distinct, place = np.unique(values, return_inverse=True)
    cuts = np.arange(1, n_groups)
    # Multiplied by 1 / n, a value on an edge falls to the side it falls to in mclust.
    shares = cuts * (1 / n_groups), cuts / n_groups
    for counts, share in zip(
        (np.bincount(place, weights), np.ones(len(distinct))), shares, strict=True
    ):
        ends = np.cumsum(counts)
        first, last = ends - counts, np.maximum(ends - 1, ends - counts)
        ranks = share * max(ends[-1] - 1, 0)
        edges = np.interp(ranks, np.ravel([first, last], "F"), np.repeat(distinct, 2))
        labels = np.searchsorted(edges, values, side="right")
        if len(np.unique(labels)) == n_groups:
            break
    return labels


def decorrelate(points: np.ndarray, weights=None) -> np.ndarray:
    """Principal components, each over the square root of its standard deviation.

    Between rotation and sphering: long directions stay long, but less so (Scrucca & Raftery
    2015, "scaled SVD"). Directions without spread are dropped.
    """
    centred = points - np.average(points, axis=0, weights=weights)
    # Of copies: a row of weight 4 is twice as long as one.
    lengths = 1 if weights is None else np.sqrt(weights)[:, None]
    _, deviations, axes = np.linalg.svd(lengths * centred, full_matrices=False)
    keep = deviations > 1e-12 * deviations.max()
    return points @ axes[keep].T / np.sqrt(deviations[keep])


def merges(points: np.ndarray, weights=None) -> np.ndarray:
    """(N - 1, 2) pairs of rows whose groups are merged, the best pair at each time.

    The cost is sum_k n_k log(|W_k / n_k| + (tr W_k + tr W / (n D)) / n_k), for scatter W_k of the
    n_k rows of a group and W of all (Fraley 1998, eq. 9): the first term is the likelihood's, the
    second one tells small groups, whose determinant is 0, apart. A group goes by its first row.
    """
    n_rows, dimension = points.shape
    counts = np.ones(n_rows) if weights is None else np.maximum(weights, 1e-6)
    means = points - np.average(points, axis=0, weights=counts)
    scatters = np.zeros((n_rows, dimension, dimension))
    # Rows that are all alike have no dimension left.
    typical = (counts @ (means * means)).sum() / (counts.sum() * max(dimension, 1))
    typical = max(typical, np.finfo(float).tiny)

    def terms(counts, scatters):
        determinants = np.maximum(np.linalg.det(scatters / counts[:, None, None]), 0)
        traces = np.einsum("ndd->n", scatters)
        return counts * np.log(determinants + (traces + typical) / counts)

    def union(row, others):
        shift = means[others] - means[row]
        total = counts[others] + counts[row]
        spread = (counts[others] * counts[row] / total)[:, None, None]
        between = spread * shift[:, :, None] * shift[:, None, :]
        return total, scatters[others] + scatters[row] + between

    costs = np.full((n_rows, n_rows), np.inf)
    own = terms(counts, scatters)
    for row in range(n_rows - 1):
        others = np.arange(row + 1, n_rows)
        costs[row, others] = terms(*union(row, others)) - own[row] - own[others]
    best = costs.min(axis=1)
    partner = costs.argmin(axis=1)
    alive = np.ones(n_rows, dtype=bool)
    history = []
    for _ in range(n_rows - 1):
        keep = int(best.argmin())
        drop = int(partner[keep])
        history.append((keep, drop))
        total, scatter = union(keep, np.array([drop]))
        means[keep] += (counts[drop] / total) * (means[drop] - means[keep])
        counts[keep], scatters[keep] = total[0], scatter[0]
        own[keep] = terms(total, scatter)[0]
        alive[drop] = False
        costs[drop, :] = costs[:, drop] = np.inf
        best[drop] = np.inf
        others = np.flatnonzero(alive)
        others = others[others != keep]
        if not len(others):
            break
        fresh = terms(*union(keep, others)) - own[keep] - own[others]
        first, second = np.minimum(others, keep), np.maximum(others, keep)
        costs[first, second] = fresh
        stale = np.union1d(others[np.isin(partner[others], (keep, drop))], [keep])
        earlier = others < keep
        better = earlier & (fresh < best[others])
        best[others[better]], partner[others[better]] = fresh[better], keep
        best[stale], partner[stale] = costs[stale].min(axis=1), costs[stale].argmin(axis=1)
    return np.array(history, dtype=int).reshape(-1, 2)


def cut(history: np.ndarray, n_groups: int) -> np.ndarray:
    """(N,) group of each row, counted from 0, once only `n_groups` are left."""
    n_rows = len(history) + 1
    leader = np.arange(n_rows)
    for keep, drop in history[: n_rows - n_groups]:
        leader[leader == drop] = keep
    return np.unique(leader, return_inverse=True)[1]
