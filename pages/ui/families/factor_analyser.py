"""Clusters that each live near a plane of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from em_core import FactorAnalyser
from em_core.emissions.gaussian import column_moments
from em_core.models.factor_analysis.boundary import most_factors
from pages.ui.families.mixtures import (
    clusters,
    mixture_tables,
)
from pages.ui.families.numbers import (
    NEAR_BOUND,
    Tables,
    bounded,
)
from pages.ui.pictures.mixture import factor_analysers_picture
from pages.ui.tables.selection import Selection
from pages.ui.text import component_names


def factor_analyser_tables(model, params, selection: Selection, settings) -> Tables:
    """As of a mixture, and the loadings of every component."""
    names = component_names(len(params.weights), given=settings.names)
    parameters, covariances = mixture_tables(model, params, selection, settings)
    lowest = model.emission.floor * column_moments(selection.values, selection.weights)[1]
    table = _component_loadings(params, names, selection.columns)
    at_bound = params.noise_variances <= lowest * (1 + NEAR_BOUND)
    table["noise variance"] = bounded(params.noise_variances.ravel(), at_bound.ravel())
    loadings = "Loadings", table
    return [parameters, loadings, covariances]


def _component_loadings(params, names: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    factors = component_names(params.loadings.shape[2], "factor")
    table = pd.DataFrame(
        np.concatenate(params.loadings),
        index=[f"{name}: {column}" for name in names for column in columns],
        columns=list(factors),
    )
    return table


MIXTURE = clusters(
    "Mixture of factor analysers: clusters near planes",
    emission=lambda s: FactorAnalyser(s.n_factors),
    code=lambda s: f"FactorAnalyser({s.n_factors})",
    controls={"n_factors": {}, "missing": {}},
    parameters=("means", "loadings", "noise_variances"),
    structure="n_factors",
    picture=factor_analysers_picture,
    tables=factor_analyser_tables,
    examples=("iris", "wine", "diabetes", "usarrests"),
    labels={"n_factors": "Factors in each component"},
    most_factors=most_factors,
)
