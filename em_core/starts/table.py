"""Where EM starts: each start is a row of `STARTS`.

Every start draws only from the Generator it is given, so a seed names it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from em_core.emissions.kernels.distances import Distances
from em_core.magnitudes import require_values
from em_core.protocols import Turns
from em_core.starts.agglomeration import model_based, nearest_group, sampled, ward
from em_core.starts.sample_fit import fit_of_sample
from em_core.starts.short_runs import short_runs

# Agglomeration needs all pairwise distances: beyond this many rows it works on a random sample.
LARGEST_AGGLOMERATION = 2000
MAX_LLOYD_ITERATIONS = 100
# Sums of distances that differ by less than this share may be equal but for rounding.
NEARLY_EQUAL = 1e-9


class Start(NamedTuple):
    """propose(points (N, D), K, rng, weights): which rows to put the means on, or responsibilities;
        points are standardised columns, so that no unit of measurement matters. Where it gives
        parameters, propose(model, data, rng, weights).
    gives: "rows" (K,), "responsibilities" (N, K) or "parameters".
    """

    propose: Callable[..., np.ndarray]
    gives: str
    meaning: str
    turns: Turns = "many"
    for_many: bool = False


def k_means_plus_plus(points, n_components, rng, weights=None) -> np.ndarray:
    """(K,) rows drawn with probability proportional to the squared distance to those already drawn.

    Arthur & Vassilvitskii 2007, with the best of 2 + log K candidates at each draw.
    """
    weights = np.ones(len(points)) if weights is None else weights
    rows = [rng.choice(len(points), p=weights / weights.sum())]
    distances = Distances(points)
    (nearest,) = distances.to(points[rows])
    for _ in range(1, n_components):
        potential = weights * nearest
        if not potential.sum() > 0:
            potential = weights  # all lie on those drawn, as far as squares can tell
        size = 2 + int(np.log(n_components))
        candidates = rng.choice(len(points), size=size, p=potential / potential.sum())
        nearer = np.minimum(nearest, distances.to(points[candidates]))
        best = _least(nearer, weights)
        nearest = nearer[best]
        rows.append(candidates[best])
    return np.array(rows)


def _least(distances: np.ndarray, weights: np.ndarray) -> int:
    """Which row of distances (K, N) has the least weighted sum."""
    totals = distances @ weights
    least, *others = np.sort(totals)
    if others and others[0] - least < NEARLY_EQUAL * others[0]:
        # Rounding decides, and with it the answer that links of old have: in the order of old.
        totals = weights @ np.ascontiguousarray(distances.T)
    return int(totals.argmin())


def random_points(points, n_components, rng, weights=None) -> np.ndarray:
    """(K,) rows with distinct values, every value equally likely."""
    _, rows = np.unique(points, axis=0, return_index=True)
    return rng.choice(rows, size=n_components, replace=False)


def random_responsibilities(points, n_components, rng, weights=None) -> np.ndarray:
    """Responsibilities drawn uniformly from the simplex: every component starts near the whole.

    Each row draws once, whatever its weight.
    """
    return rng.dirichlet(np.ones(n_components), size=len(points))


def k_means(points, n_components, rng, weights=None) -> np.ndarray:
    """Lloyd's algorithm from k-means++ to its fixed point; hard assignments (N, K)."""
    weights = np.ones(len(points)) if weights is None else weights
    centres = points[k_means_plus_plus(points, n_components, rng, weights)]
    distances, labels = Distances(points), None
    for _ in range(MAX_LLOYD_ITERATIONS):
        previous, labels = labels, distances.nearest(centres)
        if previous is not None and np.array_equal(previous, labels):
            break
        for k in range(n_components):
            share = weights * (labels == k)
            if share.sum() > 0:
                centres[k] = share @ points / share.sum()
    return np.eye(n_components)[labels]


def hierarchical(points, n_components, rng, weights=None) -> np.ndarray:
    """Ward's agglomeration of the sphered points; hard assignments (N, K).

    More than 2,000 rows: a random sample is agglomerated, the rest joins the nearest group.
    """
    sphered = sphere(points, weights)
    sample, chosen = sampled(len(points), LARGEST_AGGLOMERATION, rng, weights)
    if len(sample) == 1:
        labels = np.zeros(1, dtype=int)
    elif chosen is not None:
        labels = ward(sphered[sample], chosen, n_components)
    else:
        # SciPy's clustering takes longer to import than all of em_core may.
        from scipy.cluster.hierarchy import cut_tree, linkage

        labels = cut_tree(linkage(sphered[sample], "ward"), n_components)[:, 0]
    if len(sample) < len(points):
        labels = nearest_group(sphered, sphered[sample], labels, chosen)
    return np.eye(n_components)[labels]


STARTS = {
    "k-means++": Start(k_means_plus_plus, "rows", "rows far from each other, drawn at random"),
    "random points": Start(random_points, "rows", "rows drawn at random"),
    "random responsibilities": Start(
        random_responsibilities, "responsibilities", "every row split at random among components"
    ),
    "k-means": Start(k_means, "responsibilities", "k-means run to its end"),
    "hierarchical": Start(
        hierarchical,
        "responsibilities",
        "Ward's tree on sphered columns, cut at K groups; the seed matters beyond 2,000 rows",
        turns="one",
    ),
    "model-based hierarchical": Start(
        model_based,
        "responsibilities",
        "a tree that merges where the likelihood loses the least, cut at K groups, as in mclust; "
        "the seed matters beyond 1,000 rows",
        turns="one",
    ),
    "short runs": Start(
        short_runs,
        "parameters",
        "ten short runs of EM from k-means++, the best of them followed",
        turns="none",
    ),
    "fit of a sample": Start(
        fit_of_sample,
        "parameters",
        "the best of five short runs on 10,000 rows drawn at random, followed there to its end: "
        "few passes over a large table are left",
        turns="none",
        for_many=True,
    ),
}


def sphere(points: np.ndarray, weights=None) -> np.ndarray:
    """Points rotated and scaled to identity covariance; directions without spread are dropped."""
    covariance = np.cov(points, rowvar=False, bias=True, aweights=weights)
    values, vectors = np.linalg.eigh(np.atleast_2d(covariance))
    keep = values > 1e-12 * values.max()
    return points @ vectors[:, keep] / np.sqrt(values[keep])


def start_mixture(model, data: np.ndarray, method: str, rng, weights=None):
    """Parameters of a mixture from a method of STARTS; rows of no weight have no part in it.

    Raises ValueError for an unknown method, or fewer distinct rows than components.
    """
    if method not in STARTS:
        raise ValueError(f"unknown start {method!r}: choose one of {', '.join(STARTS)}")
    used, some, their_weights = slice(None), data, weights
    if weights is not None and not weights.all():
        used = np.flatnonzero(weights)
        some, their_weights = model.check(data[used]), weights[used]
    points = model.emission.coordinates(some, their_weights)
    require_distinct_rows(points, model.n_components)
    start = STARTS[method]
    if start.gives == "parameters":
        return start.propose(model, data, rng, weights)
    proposal = start.propose(points, model.n_components, rng, their_weights)
    if start.gives == "rows":
        return model.params_near(data, np.arange(len(data))[used][proposal], weights)
    responsibilities = np.full((len(data), model.n_components), 1 / model.n_components)
    responsibilities[used] = proposal
    params = model.params_from_responsibilities(data, responsibilities, weights)
    # A small group of a hard partition has a singular covariance and would collapse at once, and
    # shares drawn at random make components so alike that drawing them together changes little.
    counts = params.weights * (len(data) if weights is None else weights.sum())
    return params._replace(emission=model.emission.shrink(params.emission, counts))


def from_means(model, data, means, weights=None):
    """Equal weights, the given means (K, D), and one common spread of the rows about them.

    Raises ValueError unless there is one finite mean per component, with one number per column.
    """
    data = model.check(data)
    means = np.asarray(means, dtype=float)
    if means.shape != (model.n_components, data.shape[1]) or not np.isfinite(means).all():
        raise ValueError(
            f"give {model.n_components} means of {data.shape[1]} finite numbers each; "
            f"these have shape {means.shape}"
        )
    require_values(means, "means")
    equal = np.full(model.n_components, 1 / model.n_components)
    return model.params_around(equal, data, means, weights)


def require_distinct_rows(data: np.ndarray, n_components: int) -> None:
    """Raises ValueError unless there are at least as many distinct rows as components."""
    distinct = len(np.unique(data[: 50 * n_components], axis=0))
    if distinct < n_components:
        distinct = len(np.unique(data, axis=0))
    if distinct < n_components:
        raise ValueError(
            f"{n_components} components need at least {n_components} distinct rows, and these "
            f"data have {distinct}: use fewer components or more data"
        )
