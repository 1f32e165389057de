"""Items with levels: classes of answers, and states that they come from."""

from __future__ import annotations

from em_core import Categorical
from pages.ui.families.chains import chain
from pages.ui.families.mixtures import items
from pages.ui.tables.columns import of_few_levels, of_levels, why_no_levels
from pages.ui.tables.selection import select_levels

MIXTURE = items(
    "Latent class analysis (items with levels)",
    Categorical,
    "probabilities",
    ("lsat6", "digits"),
    takes=of_levels,
    why_not=why_no_levels,
    prefers=of_few_levels,
    read=select_levels,
    use="levels",
)


CHAIN = chain(
    "Hidden Markov model: items with levels",
    emission=lambda s: Categorical(),
    code=lambda s: "Categorical()",
    most_columns=1,
    controls={},
    parameters=("probabilities",),
    examples=("casino",),
    takes=of_levels,
    why_not=why_no_levels,
    prefers=of_few_levels,
    read=select_levels,
    use="levels",
)
