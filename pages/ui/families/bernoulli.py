"""Yes-or-no items: classes of answers, and states that they come from."""

from __future__ import annotations

from functools import partial

from em_core import Bernoulli
from pages.ui.families.chains import chain
from pages.ui.families.mixtures import items
from pages.ui.tables.columns import binary, why_not_binary
from pages.ui.tables.selection import select_levels

MIXTURE = items(
    "Latent class analysis (yes-or-no items)",
    Bernoulli,
    "probabilities",
    ("digits", "lsat6"),
    takes=binary,
    why_not=why_not_binary,
    read=partial(select_levels, most=2),
    use="yes-or-no",
)


CHAIN = chain(
    "Hidden Markov model: yes-or-no items",
    emission=lambda s: Bernoulli(),
    code=lambda s: "Bernoulli()",
    controls={},
    parameters=("probabilities",),
    examples=("casino",),
    takes=binary,
    why_not=why_not_binary,
    read=partial(select_levels, most=2),
    use="yes-or-no",
)
