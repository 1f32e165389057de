"""How a run starts: by a method, from means placed by hand, or from parameters given as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from em_core.starts.table import require_distinct_rows
from pages.ui.families.family import listed
from pages.ui.families.numbers import arrays
from pages.ui.families.starting import Beginning, ByMethod, FromMeans, FromParams
from pages.ui.families.table import family_of

if TYPE_CHECKING:
    from pages.ui.state.settings import Settings


def method_of(settings: Settings) -> str:
    """The start in force: the one chosen, or the family's first where it has no such start."""
    starts = family_of(settings).starts
    return settings.start if settings.start in starts else next(iter(starts))


def beginning(model, settings: Settings, data) -> Beginning:
    """How a run of this model on these data starts.

    Raises ValueError with a plain sentence where what was typed cannot be used.
    """
    method = method_of(settings)
    if method == "means":
        require_distinct_rows(data, model.n_components)
        means = _placed_means(model, settings, data.shape[1])
        return FromMeans(model, means)
    if method == "parameters":
        params = _explicit_params(model, settings, data)
        return FromParams(params)
    return ByMethod(model, method, settings.seed)


def _placed_means(model, settings: Settings, n_columns: int) -> np.ndarray:
    means = np.array(settings.start_means, dtype=float)
    if means.shape != (model.n_components, n_columns):
        raise ValueError(
            f"Place {model.n_components} means of {n_columns} numbers each "
            "in the table under “Start”."
        )
    return means


def _explicit_params(model, settings: Settings, data):
    family = family_of(settings)
    try:
        members = json.loads(settings.start_params or "{}")
        given = {name: np.array(members[name], dtype=float) for name in family.parameters}
    except (ValueError, TypeError, KeyError):
        names = ", ".join(f'"{name}": [...]' for name in family.parameters)
        raise ValueError(
            f"Give the start as JSON with {listed(family.parameters)}, all numbers: {{{names}}}."
        ) from None
    method = next(iter(family.starts))
    usual = arrays(model.initial_params(data, method, np.random.default_rng(0)))
    for name in family.parameters:
        if given[name].shape != usual[name].shape:
            raise ValueError(
                f"The explicit {name} have shape {given[name].shape}; this model of these columns "
                f"needs {usual[name].shape}: change the JSON, the model or the columns."
            )
    try:
        return model.params(**given)
    except ValueError as error:
        raise ValueError(f"The explicit parameters cannot be used: {error}.") from None
