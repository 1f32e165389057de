"""Tables and models with many optima, and the best that is known of each.

`best-known.json` beside this file holds the log-likelihoods, in nats, that `best_known.py` found.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from em_core import Gaussian, Mixture, StudentT, fit
from em_core.datasets import load
from em_core.search.split_and_merge import Neighbourhood

BEST_KNOWN = Path(__file__).with_name("best-known.json")
NATS = 0.1
TOLERANCE = 1e-3
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
    ("usarrests", "diag", 4),
    ("precip", "full", 4),
    ("iris", "spherical", 5),
    ("wine", "spherical", 6),
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
