"""Rows in groups, and groups drawn from a population."""

from __future__ import annotations

import numpy as np
import pandas as pd

from em_core import TwoLevel
from em_core.models.two_level.model import intraclass_correlation
from pages.ui.families.family import Family, explicit, meanings
from pages.ui.families.mixtures import covariance_table
from pages.ui.families.numbers import (
    MEDIAN_BEFORE,
    Tables,
    frame,
    geometric,
    geometric_deviations,
    medians_before,
    without,
)
from pages.ui.families.profiles import group_profile
from pages.ui.pictures.two_level import shrinkage_picture
from pages.ui.tables.columns import measured
from pages.ui.tables.selection import Selection, select


def two_level_tables(model, params, selection: Selection, settings) -> Tables:
    """Means and variances of both levels; and every group's average beside what is expected."""
    columns = list(selection.columns)
    rows = {"mean": params.mean}
    if selection.transformations:
        rows[MEDIAN_BEFORE] = medians_before(selection, params.mean)
    for words, covariance in (
        ("SD between groups", params.between_covariance),
        ("SD within groups", params.within_covariance),
    ):
        rows[words] = np.sqrt(np.diag(covariance))
        if any(geometric(selection, d) for d in range(len(columns))):
            rows[f"geometric {words}, a factor"] = geometric_deviations(selection, rows[words])
    rows["share of variance between groups"] = intraclass_correlation(params)
    posterior = model.posterior(params, selection.parts)
    groups = {"rows": selection.sizes}
    for d, name in enumerate(columns):
        averages = posterior.group_means[:, d]
        groups |= {
            f"average {name}": without(averages, np.isnan(averages)),
            f"expected {name}": posterior.means[:, d],
            f"SD of {name}": np.sqrt(posterior.covariances[:, d, d]),
        }
    both = [params.between_covariance, params.within_covariance]
    return [
        ("Parameters", frame(rows, columns)),
        ("Groups", pd.DataFrame(groups, index=list(selection.groups))),
        ("Covariances", covariance_table(both, ("between", "within"), selection)),
    ]


def group_results(model, params, data, selection: Selection, settings) -> dict[str, np.ndarray]:
    """What is expected of the group of every row."""
    posterior = model.posterior(params, data)
    results = {}
    for d, name in enumerate(selection.columns):
        results[f"expected {name} of the group"] = np.repeat(posterior.means[:, d], selection.sizes)
        deviations = np.sqrt(posterior.covariances[:, d, d])
        results[f"SD of {name} of the group"] = np.repeat(deviations, selection.sizes)
    return results


TWO_LEVEL = Family(
    label="Two-level model: rows in groups",
    build=lambda s: TwoLevel(),
    code=lambda s: "TwoLevel()",
    controls={"missing": {}},
    starts=meanings(TwoLevel.starts)
    | explicit(("mean", "between_covariance", "within_covariance")),
    parameters=("mean", "between_covariance", "within_covariance"),
    takes=measured,
    read=select,
    examples=("pupils", "iris", "wine"),
    picture=shrinkage_picture,
    tables=two_level_tables,
    results=group_results,
    profile=group_profile,
    size=None,
    unit="",
    grouping="group",
    alone=False,
    data=lambda selection: selection.parts,
)
