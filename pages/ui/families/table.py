"""The table of model families: one row makes a model appear in the app.

A row says what the family is called, how its model is built, which settings it shows, how a table
becomes its data, how it may start, and how it is drawn and put into numbers: see `family.Family`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from em_core import Standardised, Transformed
from em_core.partitions.partitions import Partitions
from em_core.protocols import is_discrete, optional
from pages.ui.families import (
    bernoulli,
    categorical,
    factor_analyser,
    factor_analysis,
    gaussian,
    poisson,
    student_t,
    two_level,
)
from pages.ui.families.family import Choices, Family
from pages.ui.families.own import own_family
from pages.ui.families.own_models import own_models
from pages.ui.tables.selection import Selection

FAMILIES: dict[str, Family] = {
    "gaussian-mixture": gaussian.MIXTURE,
    "student-mixture": student_t.MIXTURE,
    "factor-analysers": factor_analyser.MIXTURE,
    "bernoulli-mixture": bernoulli.MIXTURE,
    "categorical-mixture": categorical.MIXTURE,
    "poisson-mixture": poisson.MIXTURE,
    "gaussian-hmm": gaussian.CHAIN,
    "poisson-hmm": poisson.CHAIN,
    "bernoulli-hmm": bernoulli.CHAIN,
    "categorical-hmm": categorical.CHAIN,
    "factor-analysis": factor_analysis.FACTOR_ANALYSIS,
    "probabilistic-pca": factor_analysis.PROBABILISTIC_PCA,
    "two-level": two_level.TWO_LEVEL,
} | {f"own-{own.name}": own_family(own) for own in own_models().models}


def family_of(settings: Choices) -> Family:
    return FAMILIES[settings.family]


def standardises(settings: Choices) -> bool:
    """Whether the columns are standardised: asked for, and offered by the family."""
    return settings.standardise and "standardise" in family_of(settings).controls


def model_for(settings: Choices, data, weights=None, transformations: Sequence[str] = ()) -> Any:
    """The model that the settings ask for, for these data and weights (as it takes them), whose
    columns were transformed so before."""
    model = family_of(settings).build(settings)
    by = data if standardises(settings) else None
    if transformations and not is_discrete(optional(model, "emission")):
        return Transformed.by(model, transformations, by, weights)
    return model if by is None else Standardised.of(model, by, weights)


def model_of(settings: Choices, selection: Selection) -> Any:
    """The model that the settings ask for, for a selection."""
    if selection.whole is not None:
        return _model_over(settings, selection.whole)
    family = family_of(settings)
    data, weights = family.data(selection), family.weights(selection)
    return model_for(settings, data, weights, selection.transformations)


def _model_over(settings: Choices, whole: Partitions) -> Any:
    """The same for all rows of a data set on the server."""
    model, columns = family_of(settings).build(settings), whole.overview().columns
    if standardises(settings):
        model = Standardised.of_columns(model, columns)
    with suppress(ValueError):  # where it cannot be fitted, the fit says why
        return optional(model, "settled")(columns)
    return model


def views_of(settings: Choices, n_columns: int) -> tuple[str, ...]:
    """The axes on which a run of so many columns can be drawn, the usual first; () without any."""
    views = family_of(settings).views
    if n_columns == 1:
        return views[:1]
    return views if n_columns > 2 else tuple(v for v in views if v in ("series", "columns"))


def axes_of(settings: Choices, n_columns: int) -> str:
    """The axes in force: those chosen, or the usual ones where a run cannot be drawn on them."""
    views = views_of(settings, n_columns)
    return settings.axes if settings.axes in views else next(iter(views), "")


def example_of(settings: Choices) -> str:
    """The example in force: the one chosen, or the family's first where it has no such example."""
    examples = family_of(settings).examples
    return settings.example if settings.example in examples else examples[0]
