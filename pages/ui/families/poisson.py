"""Counts: components of them, and states that they come from."""

from __future__ import annotations

from em_core import Poisson
from pages.ui.families.chains import chain
from pages.ui.families.mixtures import items
from pages.ui.tables.columns import holds_counts

MIXTURE = items(
    "Poisson mixture: counts",
    Poisson,
    "rates",
    ("earthquakes",),
    prefers=holds_counts,
    unit="component",
)


CHAIN = chain(
    "Hidden Markov model: counts",
    emission=lambda s: Poisson(),
    code=lambda s: "Poisson()",
    controls={},
    parameters=("rates",),
    examples=("earthquakes",),
    prefers=holds_counts,
)
