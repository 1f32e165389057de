"""The table of model families: one row makes a model appear in the app.

A row says what the family is called, how its model is built, which settings it shows, how a table
becomes its data, how it may start, and how it is drawn and put into numbers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from em_core import STARTS, Bernoulli, Categorical, Gaussian, Mixture, Poisson
from em_core.covariances import STRUCTURES
from em_core.datasets import EXAMPLES
from em_core.initialization import require_distinct_rows
from pages.ui.data import (
    MAX_DEFAULT_COLUMNS,
    ColumnReport,
    Selection,
    Table,
    answered,
    measured,
    select,
    select_items,
)
from pages.ui.figures.items import items_picture
from pages.ui.figures.mixture import mixture_picture
from pages.ui.figures.picture import Picture, Scene
from pages.ui.parameters import (
    arrays,
    gaussian_mixture_point,
    gaussian_tables,
    items_point,
    items_tables,
)
from pages.ui.runs import Beginning, ByMethod, FromMeans, FromParams

if TYPE_CHECKING:  # the settings offer what is in this table
    from pages.ui.settings import Settings


class Family(NamedTuple):
    """One family of models.

    build(settings): the em_core model; code(settings): the same as Python source.
    controls: the fields of Settings it shows, each with what its values mean, where that needs
        saying; starts: methods by name, each with one plain line on what it does;
        parameters: names of the arrays that `model.params` takes.
    takes(report): whether a column can be used; most_columns: how many are chosen at first.
    data(table, columns, label column): the rows and columns it is fitted to; examples: data sets.
    views: which of the axes in Settings it can be drawn on; picture(scene): the picture, and which
        half-step each of its frames shows.
    tables(params, columns, number of rows): parameters as tables, each with its title;
        point(model, params, row): the formula of a row's posterior, and its terms.
    """

    label: str
    build: Callable[[Settings], Any]
    code: Callable[[Settings], str]
    controls: Mapping[str, Mapping[str, str]]
    starts: Mapping[str, str]
    parameters: tuple[str, ...]
    takes: Callable[[ColumnReport], bool]
    most_columns: int
    data: Callable[[Table, Sequence[str], str | None], Selection]
    examples: tuple[str, ...]
    views: tuple[str, ...]
    picture: Callable[[Scene], tuple[Picture, np.ndarray]]
    tables: Callable[[Any, Sequence[str], int], list[tuple[str, pd.DataFrame]]]
    point: Callable[[Any, Any, np.ndarray], tuple[str, pd.DataFrame]]


MOST_ITEMS = 100
GAUSSIAN_EXAMPLES = tuple(
    name for name in EXAMPLES if name not in ("digits", "lsat6", "earthquakes", "ratings", "pupils")
)


def _items(label: str, emission: type, parameter: str, examples: tuple[str, ...]) -> Family:
    """The row of a mixture of items or counts."""
    return Family(
        label=label,
        build=lambda s: Mixture(emission(), n_components=s.n_components),
        code=lambda s: f"Mixture({emission.__name__}(), n_components={s.n_components})",
        controls={"n_components": {}},
        starts={name: start.meaning for name, start in STARTS.items()}
        | {"parameters": f"weights and {parameter} you give"},
        parameters=("weights", parameter),
        takes=answered,
        most_columns=MOST_ITEMS,
        data=select_items,
        examples=examples,
        views=(),
        picture=items_picture,
        tables=items_tables,
        point=items_point,
    )


FAMILIES = {
    "gaussian-mixture": Family(
        label="Gaussian mixture",
        build=lambda s: Mixture(Gaussian(covariance=s.covariance), n_components=s.n_components),
        code=lambda s: (
            f'Mixture(Gaussian(covariance="{s.covariance}"), n_components={s.n_components})'
        ),
        controls={
            "n_components": {},
            "covariance": {name: structure.meaning for name, structure in STRUCTURES.items()},
            "standardise": {},
        },
        starts={name: start.meaning for name, start in STARTS.items()}
        | {
            "means": "means that you place",
            "parameters": "weights, means and covariances you give",
        },
        parameters=("weights", "means", "covariances"),
        takes=measured,
        most_columns=MAX_DEFAULT_COLUMNS,
        data=select,
        examples=GAUSSIAN_EXAMPLES,
        views=("columns", "principal", "pairs"),
        picture=mixture_picture,
        tables=gaussian_tables,
        point=gaussian_mixture_point,
    ),
    "bernoulli-mixture": _items(
        "Bernoulli mixture: yes-or-no items", Bernoulli, "probabilities", ("digits", "lsat6")
    ),
    "categorical-mixture": _items(
        "Categorical mixture: items with levels", Categorical, "probabilities", ("lsat6", "digits")
    ),
    "poisson-mixture": _items("Poisson mixture: counts", Poisson, "rates", ("earthquakes",)),
}


def family_of(settings: Settings) -> Family:
    return FAMILIES[settings.family]


def beginning(model, settings: Settings, data) -> Beginning:
    """How a run starts: by a method, from means placed by hand, or from parameters.

    Raises ValueError with a plain sentence where what was typed cannot be used.
    """
    if settings.start == "means":
        require_distinct_rows(data, model.n_components)
        means = _placed_means(model, settings, data.shape[1])
        return FromMeans(model, means)
    if settings.start == "parameters":
        params = _explicit_params(model, settings, data)
        return FromParams(model, params)
    return ByMethod(model, settings.start, settings.seed)


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
            f"Give the start as JSON with {_listed(family.parameters)}, all numbers: {{{names}}}."
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


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}"
