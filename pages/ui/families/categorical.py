"""Items with levels: classes of answers, and states that they come from."""

from __future__ import annotations

from em_core import Categorical
from pages.ui.families.chains import chain
from pages.ui.families.mixtures import items
from pages.ui.tables.columns import classified
from pages.ui.tables.selection import select_levels

MIXTURE = items(
    "Categorical mixture: items with levels",
    Categorical,
    "probabilities",
    ("lsat6", "digits"),
    takes=classified,
    read=select_levels,
)


CHAIN = chain(
    "Hidden Markov model: items with levels",
    emission=lambda s: Categorical(),
    code=lambda s: "Categorical()",
    most_columns=1,
    controls={},
    parameters=("probabilities",),
    examples=("casino",),
    takes=classified,
    read=select_levels,
)
