"""Tables and models with many optima, and the best that is known of each.

`best-known.json` beside this file holds the log-likelihoods, in nats, that `best_known.py` found.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.mixture import GaussianMixture

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from em_core import Gaussian, Mixture, StudentT, fit
from em_core.datasets import load
from em_core.search.split_and_merge import Neighbourhood

BEST_KNOWN = Path(__file__).with_name("best-known.json")
NATS = 0.1
TOLERANCE = 1e-3
PEER_TOLERANCE = 1e-7  # a mean a row
# An answer that depends on the floor of the covariances is next to singular.
FLOORS = (10.0, 0.1)
REAL = (
    ("iris", "full", 4),
    ("iris", "diag", 5),
    ("diabetes", "full", 5),
    ("geyser", "full", 5),
    ("wine", "diag", 5),
    ("acidity", "full", 4),
    ("wreath", "full", 10),
    ("wreath", "spherical", 12),
    ("cross", "full", 5),
    ("faithful", "full", 4),
    ("faithful", "diag", 5),
    ("diabetes", "diag", 4),
    ("usarrests", "diag", 3),
    ("precip", "full", 4),
    ("iris", "spherical", 5),
    ("wine", "spherical", 4),
    ("geyser", "diag", 6),
)


class Landscape(NamedTuple):
    model: Any
    data: np.ndarray


def landscapes() -> dict[str, Landscape]:
    """Real tables, and generated ones of more clusters than columns, of unequal size and spread."""
    found = {}
    for name, structure, size in REAL:
        values = load(name).values
        values = values[~np.isnan(values).any(axis=1)]
        found[f"{name}, {structure}, {size}"] = Landscape(
            Mixture(Gaussian(structure), size), values
        )
    for name, size in (("faithful", 3), ("diabetes", 3), ("iris", 3)):
        found[f"{name}, Student-t, {size}"] = Landscape(
            Mixture(StudentT(), size), load(name).values
        )
    for seed in range(8):
        rng = np.random.default_rng(100 + seed)
        size = 8 + seed % 4
        labels = rng.choice(size, 500, p=rng.dirichlet(np.full(size, 3.0)))
        spreads = rng.uniform(0.2, 0.9, size)[labels, None]
        values = rng.uniform(0, 10, (size, 2))[labels] + spreads * rng.normal(size=(500, 2))
        found[f"generated {seed}, full, {size}"] = Landscape(
            Mixture(Gaussian("full"), size), values
        )
    rng = np.random.default_rng(7)
    centres = np.repeat(rng.uniform(0, 100, (4, 2)), 3, axis=0) + 4 * rng.normal(size=(12, 2))
    values = np.repeat(centres, 60, axis=0) + rng.normal(size=(720, 2))
    for structure in ("diag", "spherical"):
        found[f"clusters of clusters, {structure}, 12"] = Landscape(
            Mixture(Gaussian(structure), 12), values
        )
    return found


def best_known() -> dict[str, float]:
    """By landscape; those that nobody has searched yet are not there."""
    return json.loads(BEST_KNOWN.read_text()) if BEST_KNOWN.exists() else {}


def is_sound(model, data: np.ndarray, found) -> bool:
    """Whether every component of a fit has 2 (D + 1) rows at least, and the floor of covariances
    ten times higher or lower is another by no more than 0.1 nats."""
    if not Neighbourhood(model, data, found.params).rests_on_enough:
        return False
    for factor in FLOORS:
        emission = replace(model.emission, floor=factor * model.emission.floor)
        other = fit(
            replace(model, emission=emission), data, start=found.params, tolerance=TOLERANCE
        )
        if other.collapsed or abs(other.log_likelihood - found.log_likelihood) > NATS:
            return False
    return True


def best_sound(model, data: np.ndarray, optima, above: float = -np.inf) -> float:
    """The highest log-likelihood of the sound ones among optima, best first; -inf for none that is
    higher than `above`."""
    for optimum in optima:
        if optimum.log_likelihood <= above:
            break
        if is_sound(model, data, optimum.fit):
            return optimum.log_likelihood
    return -np.inf


def peer(model, data: np.ndarray, seconds: float, seed: int, start: str = "kmeans") -> float:
    """scikit-learn's best sound answer in so many seconds, as our own E-step counts it once EM has
    gone on from there; -inf where there is none, or it has no such model."""
    if not isinstance(model.emission, Gaussian):
        return -np.inf
    found, began = [], time.perf_counter()
    while time.perf_counter() - began < seconds:
        estimator = GaussianMixture(
            model.n_components,
            covariance_type=model.emission.covariance,
            tol=PEER_TOLERANCE,
            max_iter=3000,
            init_params=start,
            random_state=seed,
        )
        seed += 1
        try:
            found.append((estimator.fit(data).score(data) * len(data), estimator))
        except ValueError:  # it gives up where a component is singular
            continue
    for _, estimator in sorted(found, key=lambda each: -each[0]):
        params = model.params_from_responsibilities(data, estimator.predict_proba(data))
        answer = fit(model, data, start=params, tolerance=TOLERANCE)
        if not answer.collapsed and is_sound(model, data, answer):
            return answer.log_likelihood
    return -np.inf
