"""How a run starts: by a method, from means placed by hand, or from parameters given as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from em_core.impossible import ruled_out
from em_core.protocols import optional
from em_core.starts.table import require_distinct_rows
from pages.ui.families.family import listed
from pages.ui.families.numbers import arrays
from pages.ui.families.starting import Beginning, ByMethod, FromMeans, FromParams
from pages.ui.families.table import family_of

if TYPE_CHECKING:
    from em_core.search.optima import StartedFit
    from pages.ui.state.settings import Settings
    from pages.ui.tables.selection import Selection

MEANS = "means"  # the start from means placed by hand


def method_of(settings: Settings) -> str:
    """The start in force: the one chosen, or the family's first where it has no such start."""
    starts = family_of(settings).starts
    return settings.start if settings.start in starts else next(iter(starts))


def most_iterations(settings: Settings) -> int:
    """How many iterations a run may take: none where the parameters given are not to move."""
    kept = settings.frozen and method_of(settings) == "parameters"
    return 0 if kept else settings.max_iterations


def beginning(model, settings: Settings, data, weights=None) -> Beginning:
    """How a run of this model on these data, with these weights, starts.

    Raises ValueError with a plain sentence where what was typed cannot be used.
    """
    method = method_of(settings)
    if method == MEANS:
        require_distinct_rows(data, model.n_components)
        means = _placed_means(model, settings, data.shape[1])
        return FromMeans(model, means)
    if method == "parameters":
        params = _explicit_params(model, settings, data, weights)
        return FromParams(params)
    return ByMethod(model, method, settings.seed)


def require_possible(
    model, start: Beginning, settings: Settings, data, weights, selection: Selection
) -> None:
    """Raises ValueError with a plain sentence where explicit parameters rule a row out."""
    if method_of(settings) != "parameters":
        return
    found = ruled_out(model, start(data, weights), data, weights)
    if found is not None:
        names = [name for name in family_of(settings).parameters if name != "weights"]
        raise ValueError(
            f"The explicit parameters give row {selection.rows[found.row] + 1:,} of the table "
            f"probability 0, because of {selection.in_words(found.columns, found.values)}: where "
            f"the {listed(names)} are exactly 0 or 1, take a little more or less, such as 0.001 "
            "or 0.999."
        )


def _placed_means(model, settings: Settings, n_columns: int) -> np.ndarray:
    means = np.array(settings.start_means, dtype=float)
    if means.shape != (model.n_components, n_columns):
        raise ValueError(
            f"Place {model.n_components} means of {n_columns} numbers each "
            "in the table under “Start”."
        )
    return means


def _explicit_params(model, settings: Settings, data, weights):
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
    usual = arrays(model.initial_params(data, method, np.random.default_rng(0), weights))
    for name in family.parameters:
        if given[name].shape != usual[name].shape:
            raise ValueError(
                f"The explicit {name} have shape {given[name].shape}; this model of these columns "
                f"needs {usual[name].shape}: change the JSON, the model or the columns."
            )
    try:
        params = model.params(**given)
        optional(model, "check_start")(params, data, weights)
    except ValueError as error:
        raise ValueError(f"The explicit parameters cannot be used: {error}.") from None
    return params


def beginning_of(fit: StartedFit, settings: Settings) -> dict[str, Any]:
    """The settings of the start of one run of many: its name and seed; of one that was made from
    what others had found, the parameters that it began with."""
    if fit.is_independent:
        return {"start": fit.start, "seed": fit.seed}
    began = arrays(fit.trace[0].params)
    given = {name: began[name].tolist() for name in family_of(settings).parameters}
    return {"start": "parameters", "start_params": json.dumps(given)}
