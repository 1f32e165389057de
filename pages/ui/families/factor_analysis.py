"""Factor analysis and probabilistic PCA."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from em_core import (
    FactorAnalysis,
    ProbabilisticPCA,
    goodness_of_fit,
)
from em_core.data import WeightsKind
from em_core.emissions.gaussian import column_moments
from em_core.inference.replicates import require_frequencies
from em_core.models.factor_analysis.boundary import most_factors
from em_core.models.factor_analysis.rotation import promax
from em_core.models.factor_analysis.summaries import GoodnessOfFit, explained_variance, standardised
from pages.ui.families.family import MOST_ITEMS, Family, explicit, meanings
from pages.ui.families.numbers import (
    MEDIAN_BEFORE,
    NEAR_BOUND,
    Tables,
    bounded,
    frame,
    known,
    medians_before,
)
from pages.ui.families.profiles import factor_profile
from pages.ui.pictures.factors import factors_picture, rotation, standard_loadings
from pages.ui.tables.columns import measured
from pages.ui.tables.selection import Selection, select
from pages.ui.text import component_names

ROTATIONS = {
    "none": "as EM leaves them; the first factor explains the most",
    "varimax": "turned so that each factor has few large loadings; factors stay uncorrelated",
    "promax": "turned further: factors may correlate",
}


def _factors(label: str, model: Any, examples: tuple[str, ...], **more: Any) -> Family:
    """The row of a model of continuous factors behind the columns."""
    parameters = ("mean", "loadings", "noise_variance")
    return Family(
        label=label,
        build=lambda s: model(s.n_factors),
        code=lambda s: f"{model.__name__}({s.n_factors})",
        controls={"n_factors": {}, "rotation": ROTATIONS, "missing": {}},
        starts=meanings(model.starts) | explicit(parameters),
        parameters=parameters,
        takes=measured,
        read=select,
        most_columns=MOST_ITEMS,
        examples=examples,
        picture=factors_picture,
        tables=factor_tables,
        point=factor_point,
        profile=factor_profile,
        results=factor_results,
        size="n_factors",
        unit="",
        **more,
    )


def factor_tables(model, params, selection: Selection, settings) -> Tables:
    """Loadings in units of standard deviations and of the data, and what each factor explains."""
    turn = rotation(params, settings.rotation)
    factors = list(component_names(params.loadings.shape[1], "factor", settings.names))
    unit = standardised(params)
    turned = known(standard_loadings(params) @ turn, 1)
    loadings = pd.DataFrame(turned, list(selection.columns), factors)
    lowest = model.floor * column_moments(selection.values, selection.weights)[1]
    at_bound = params.noise <= lowest * (1 + NEAR_BOUND)
    loadings["unique"] = bounded(unit.noise, at_bound)
    loadings["explained"] = 1 - unit.noise_variance
    explained = explained_variance(unit._replace(loadings=unit.loadings @ turn))
    rows = {"sum of squared loadings": explained.sums, "share of variance": explained.shares}
    tables = [
        ("Loadings", loadings),
        ("Explained variance", frame(rows, factors)),
    ]
    if settings.rotation == "promax" and len(factors) > 1:
        correlations = promax(standard_loadings(params)).correlations
        tables.append(("Factor correlations", pd.DataFrame(correlations, factors, factors)))
    deviations = np.sqrt((params.loadings**2).sum(axis=1) + params.noise)
    turned = known(params.loadings @ turn, deviations[:, None])
    original = pd.DataFrame(turned, list(selection.columns), factors)
    original.insert(0, "mean", known(params.mean, deviations))
    if selection.transformations:
        original.insert(1, MEDIAN_BEFORE, medians_before(selection, params.mean))
    original["noise variance"] = bounded(params.noise, at_bound)
    return [*tables, ("In the data's units", original)]


def factor_point(model, params, data, selection: Selection, index: int, names):
    """The formula of the scores of one row, and its scores with their standard deviations."""
    formula = (
        r"\begin{aligned}z_n \mid x_n &\sim "
        r"\mathcal{N}\bigl(G \Lambda^\top \Psi^{-1}(x_n - \mu),\; G\bigr) \\ "
        r"G &= (I + \Lambda^\top \Psi^{-1} \Lambda)^{-1}\end{aligned}"
    )
    posterior = model.posterior(params, data[index : index + 1])
    terms = {
        "score": posterior.means[0],
        "standard deviation": np.sqrt(np.diag(posterior.covariances[0])),
    }
    names = component_names(len(posterior.means[0]), "factor (as EM leaves it)")
    return formula, pd.DataFrame(terms, index=list(names))


def factor_results(model, params, data, selection: Selection, settings) -> dict[str, np.ndarray]:
    """The scores of every row on the rotated factors, and their standard deviations."""
    back = np.linalg.inv(rotation(params, settings.rotation))
    posterior = model.posterior(params, data)
    scores = posterior.means @ back.T
    deviations = np.sqrt(np.einsum("qf,nfg,qg->nq", back, posterior.covariances, back))
    results = {}
    for q, name in enumerate(component_names(scores.shape[1], "factor", settings.names)):
        results |= {name: scores[:, q], f"SD of {name}": deviations[:, q]}
    return results


def _sufficient(params, data, weights, weights_kind: WeightsKind) -> GoodnessOfFit:
    require_frequencies("frequencies" if weights is None else weights_kind, "the test of fit")
    return goodness_of_fit(params, data, weights)


FACTOR_ANALYSIS = _factors(
    "Factor analysis",
    FactorAnalysis,
    ("ability", "wine", "iris", "airquality"),
    test_of_fit=_sufficient,
    most_factors=most_factors,
)


PROBABILISTIC_PCA = _factors(
    "Probabilistic PCA",
    ProbabilisticPCA,
    ("ratings", "ability", "wine", "iris"),
    most_factors=lambda n_columns: n_columns - 1,
)
