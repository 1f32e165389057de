"""Counts: components of them, and states that they come from."""

from __future__ import annotations

from functools import partial

from em_core import Poisson
from pages.ui.families.chains import chain
from pages.ui.families.mixtures import items
from pages.ui.families.profiles import chain_profile
from pages.ui.tables.columns import holds_counts, why_no_counts

MIXTURE = items(
    "Poisson mixture: counts",
    Poisson,
    "rates",
    ("earthquakes",),
    takes=holds_counts,
    why_not=why_no_counts,
    unit="component",
    quantity="rate",
    use="count",
)


CHAIN = chain(
    "Hidden Markov model: counts",
    emission=lambda s: Poisson(),
    code=lambda s: "Poisson()",
    controls={},
    parameters=("rates",),
    examples=("earthquakes",),
    profile=partial(chain_profile, quantity="rate"),
    takes=holds_counts,
    why_not=why_no_counts,
    use="count",
)
