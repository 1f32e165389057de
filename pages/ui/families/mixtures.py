"""Rows of the table of families for mixtures, and what is said of any of them in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from em_core import (
    STARTS,
    Mixture,
)
from em_core.emissions.covariances.structures import STRUCTURES
from em_core.emissions.gaussian import EMPTY_SHARE
from em_core.protocols import Emission, Levels, optional
from em_core.search.alignment import assignment_shares
from pages.ui.families.family import MOST_ITEMS, Family, explicit, meanings
from pages.ui.families.numbers import (
    Tables,
    frame,
    geometric,
    geometric_deviations,
    known,
    medians_before,
    without,
)
from pages.ui.families.own import own_tables
from pages.ui.families.profiles import cluster_profile
from pages.ui.pictures.emissions import cells, moments, says_columns
from pages.ui.pictures.items import items_picture
from pages.ui.pictures.mixture import mixture_picture
from pages.ui.tables.columns import answered, measured
from pages.ui.tables.selection import Selection, select, select_items
from pages.ui.text import component_names

PLANE_VIEWS = ("columns", "principal", "pairs")


def items(
    label: str, emission: type, parameter: str, examples: tuple[str, ...], **more: Any
) -> Family:
    """The row of a mixture of items or counts."""
    unit = more.get("unit", "class")
    usual: dict[str, Any] = {"takes": answered, "read": select_items, "unit": unit}
    return Family(
        label=label,
        build=lambda s: Mixture(emission(), n_components=s.n_components),
        code=lambda s: f"Mixture({emission.__name__}(), n_components={s.n_components})",
        controls={"n_components": {}, "missing": {}},
        starts=meanings(STARTS) | explicit(("weights", parameter)),
        parameters=("weights", parameter),
        most_columns=MOST_ITEMS,
        examples=examples,
        picture=items_picture,
        tables=partial(items_tables, unit=unit),
        point=items_point,
        profile=partial(cluster_profile, unit=unit, quantity=more.pop("quantity", "mean")),
        results=partial(cluster_results, unit=unit),
        labels={"n_components": f"{unit}es".capitalize()} if unit == "class" else {},
        **(usual | more),
    )


def clusters(label: str, emission, code, controls, parameters, **more: Any) -> Family:
    """The row of a mixture whose components are ellipses."""
    usual: dict[str, Any] = {
        "starts": meanings(STARTS) | explicit(("weights", *parameters)),
        "picture": mixture_picture,
        "tables": mixture_tables,
        "point": mixture_point,
        "profile": partial(cluster_profile, unit="component"),
    }
    return Family(
        label=label,
        build=lambda s: Mixture(emission(s), n_components=s.n_components),
        code=lambda s: f"Mixture({code(s)}, n_components={s.n_components})",
        controls={"n_components": {}} | controls | {"standardise": {}},
        parameters=("weights", *parameters),
        takes=measured,
        read=select,
        views=PLANE_VIEWS,
        results=cluster_results,
        **(usual | more),
    )


def structures(names=tuple(STRUCTURES)) -> dict[str, str]:
    return {name: STRUCTURES[name].meaning for name in names}


def mixture_tables(model, params, selection: Selection, settings) -> Tables:
    """A column for each component: weight, expected size, mean and standard deviation; and the
    covariances, a block of rows for each component."""
    names = component_names(len(params.weights), given=settings.names)
    empty = params.weights <= EMPTY_SHARE
    return [
        ("Parameters", frame(shares_and_spread(model, params, selection), names)),
        ("Covariances", covariances_of("component", names, params.covariances, selection, empty)),
    ]


def shares_and_spread(model, params, selection: Selection) -> dict[str, np.ndarray]:
    rows = spread(model, params, selection)
    return sizes(params, selection) | of_data(rows, params.weights <= EMPTY_SHARE)


def sizes(params, selection: Selection) -> dict[str, np.ndarray]:
    weights = known(params.weights, 1)
    rows = "expected rows" if selection.weights is None else "expected rows, by their weights"
    return {"weight": weights, rows: weights * selection.total}


def of_data(rows: dict[str, np.ndarray], empty: np.ndarray) -> dict[str, np.ndarray]:
    """Rows of a table; a component that no row belongs to has nothing to tell."""
    return {name: without(values, empty) for name, values in rows.items()}


def spread(model, params, selection: Selection) -> dict[str, np.ndarray]:
    means, deviations = moments(model, params)
    rows = {}
    for d, name in enumerate(selection.columns):
        width = deviations[:, d]
        widest = width.max(where=np.isfinite(width), initial=0)
        rows[f"mean of {name}"] = known(means[:, d], width)
        if selection.transformations and (scale := selection.scales[d]) and scale.how:
            rows[f"median of {scale.of}"] = medians_before(selection, means)[:, d]
        rows[f"SD of {name}"] = known(width, widest)
        if what := geometric(selection, d):
            factors = geometric_deviations(selection, deviations)[:, d]
            rows[f"geometric SD of {what}, a factor"] = factors
    return rows


def covariance_table(covariances, names: Sequence[str], selection: Selection) -> pd.DataFrame:
    """Covariances (K, D, D), one under the other."""
    return pd.DataFrame(
        np.concatenate(covariances),
        index=[f"{name}: {column}" for name in names for column in selection.columns],
        columns=list(selection.columns),
    )


def covariances_of(
    unit: str, names: Sequence[str], covariances, selection: Selection, empty: np.ndarray
) -> pd.DataFrame:
    """The table of the covariances (K, D, D) of components by their names; where all are one, that
    one.

    empty (K,): the components that no row belongs to.
    """
    covariances = np.asarray(covariances)
    deviations = np.sqrt(np.einsum("kdd->kd", covariances))
    covariances = known(covariances, deviations[:, :, None] * deviations[:, None, :])
    if len(covariances) > 1 and (covariances == covariances[0]).all():
        names, covariances = (f"every {unit}",), covariances[:1]
    elif empty.any():
        unknown = np.broadcast_to(empty[:, None, None], covariances.shape)
        covariances = without(covariances, unknown)
    return covariance_table(covariances, names, selection)


def mixture_point(
    model, params, data, selection: Selection, index: int, names, density=r"\mathcal{N}", name="N"
):
    """The formula of the responsibilities of one row, and its terms for each component.

    density, name: what the density of a component is called, in LaTeX and in words.
    """
    formula = (
        rf"r_{{nk}} = \frac{{\pi_k\,{density}(x_n \mid \mu_k, \Sigma_k)}}"
        rf"{{\sum_j \pi_j\,{density}(x_n \mid \mu_j, \Sigma_j)}}"
    )
    return formula, _terms(model, params, data[index], f"{name}(x | μ, Σ)", names)


def items_point(model, params, data, selection: Selection, index: int, names):
    """The formula of the responsibilities of one row, and its terms for each component."""
    formula = (
        r"r_{nk} = \frac{\pi_k \prod_d p(x_{nd} \mid k)}"
        r"{\sum_j \pi_j \prod_d p(x_{nd} \mid j)}"
    )
    return formula, _terms(model, params, data[index], "p(x | k)", names)


def _terms(model, params, row: np.ndarray, density: str, names: Sequence[str]) -> pd.DataFrame:
    log_joint = model.log_joint(params, row[None])[0]
    terms = {
        "π": params.weights,
        f"log {density}": log_joint - np.log(np.maximum(params.weights, np.finfo(float).tiny)),
        f"π {density}": np.exp(log_joint),
        "responsibility": known(model.component_shares(params, row[None])[0], 1),
    }
    return pd.DataFrame(terms, index=list(names))


def items_tables(model, params, selection: Selection, settings, unit: str = "component") -> Tables:
    """A column for each component: weight, expected size, and what it says of every column.

    Of an emission that says nothing of its columns, every number among the parameters.
    """
    if not says_columns(model):
        return own_tables(model, params, selection, settings)
    rows = of_data(column_rows(model, params, selection), params.weights <= EMPTY_SHARE)
    names = component_names(len(params.weights), unit, settings.names)
    return [("Parameters", frame(sizes(params, selection) | rows, names))]


def column_rows(model, params, selection: Selection) -> dict[str, np.ndarray]:
    """Probabilities of items, means and standard deviations of all else."""
    if not isinstance(model.emission, Levels):
        return spread(model, params, selection)
    names, values = cells(model, params, selection.columns, selection.levels)
    return {f"p of {name}": known(value, 1) for name, value in zip(names, values.T, strict=True)}


def cluster_results(
    model, params, data, selection: Selection, settings, unit: str = "component"
) -> dict[str, np.ndarray]:
    """The component of every row (along the most probable path, for a Markov chain), and the
    probability of each."""
    shares = assignment_shares(model, params, data)
    assert shares is not None, "rows belong to components"
    labels = model.predict(params, data)
    path = isinstance(labels, list)
    labels = np.concatenate(labels) if path else labels
    names = np.array(component_names(shares.shape[1], unit, settings.names), object)
    results = {"cluster" if unit == "component" else unit: names[labels]}
    results |= {f"P({name})": share for name, share in zip(names, shares.T, strict=True)}
    emission = optional(model, "emission")
    if optional(emission, "latent_weights", Emission):
        results["latent weight"] = emission.latent_weights(params.emission, data, shares)
    return results
