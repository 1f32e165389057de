"""The sandwich: what the scores of the rows themselves say of how sure parameters are."""

from __future__ import annotations

import numpy as np

from em_core.inference.uncertainty.polishing import Top
from em_core.inference.uncertainty.surface import Surface

# A covariance of so few scores is not to be trusted.
FEWEST = 30


def sandwich(surface: Surface, top: Top, weights, clusters, sampling: bool = False) -> np.ndarray:
    """(P, s) a root of information^-1 [sum of score score^T] information^-1 of the coordinates.

    clusters: (N,) labels of rows, sequences or groups whose scores are added first; None where each
    counts by itself. sampling: whether weights are sampling weights, by which scores are
    multiplied; else each copy counts by itself. Raises ValueError where there are too few.
    """
    scores = surface.row_scores(top.point, top.directions)
    if clusters is None:
        copies = weights is not None and not sampling
        times = np.ones(len(scores)) if weights is None else weights
        roots = scores * (np.sqrt(times) if copies else times)[:, None]
        count = float(times.sum()) if copies else len(scores)
        what = "rows, as the weights count them," if copies else "rows"
    else:
        roots = _added(scores if weights is None else scores * weights[:, None], clusters)
        count, what = len(roots), "clusters"
    n_free = int(top.known.sum())
    if count < max(n_free, FEWEST):
        raise ValueError(
            f"{count:g} {what} are too few for robust standard errors of {n_free} parameters: at "
            f"least {max(n_free, FEWEST)} are needed"
        )
    bread = top.root @ (top.root.T @ top.directions)
    return bread @ roots.T * np.sqrt(count / (count - 1))


def _added(scores: np.ndarray, clusters) -> np.ndarray:
    labels = np.asarray(clusters)
    if labels.shape != (len(scores),):
        raise ValueError(
            f"clusters have shape {labels.shape}: give one label for each of {len(scores)} rows"
        )
    _, places = np.unique(labels, return_inverse=True)
    totals = np.zeros((places.max() + 1, scores.shape[1]))
    np.add.at(totals, places, scores)
    return totals
