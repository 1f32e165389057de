"""Yes-or-no items: classes of answers, and states that they come from."""

from __future__ import annotations

from functools import partial

from em_core import Bernoulli
from pages.ui.families.chains import chain
from pages.ui.families.mixtures import items
from pages.ui.tables.columns import binary, classified
from pages.ui.tables.selection import select_levels

MIXTURE = items(
    "Bernoulli mixture: yes-or-no items",
    Bernoulli,
    "probabilities",
    ("digits", "lsat6"),
    takes=classified,
    prefers=binary,
    read=partial(select_levels, most=2),
)


CHAIN = chain(
    "Hidden Markov model: yes-or-no items",
    emission=lambda s: Bernoulli(),
    code=lambda s: "Bernoulli()",
    controls={},
    parameters=("probabilities",),
    examples=("casino",),
    takes=classified,
    prefers=binary,
    read=partial(select_levels, most=2),
)
