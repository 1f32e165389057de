"""What is read off a model as numbers: its parameters, and how a point's posterior comes about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pages.ui.figures.items import shades
from pages.ui.text import component_names


def arrays(params) -> dict[str, np.ndarray]:
    """The arrays of parameters by name, as `model.params(**arrays)` takes them."""
    named = {}
    for name, value in zip(params._fields, params, strict=True):
        named |= arrays(value) if hasattr(value, "_fields") else {name: np.asarray(value)}
    return named


def gaussian_tables(params, columns: Sequence[str], n_rows: int) -> list[tuple[str, pd.DataFrame]]:
    """A column for each component: weight, expected size, mean and standard deviation; and the
    covariances, a block of rows for each component."""
    names = component_names(len(params.weights))
    deviations = np.sqrt(np.einsum("kdd->kd", params.covariances))
    rows = {"weight": params.weights, "expected rows": params.weights * n_rows}
    for d, name in enumerate(columns):
        rows[f"mean of {name}"] = params.means[:, d]
        rows[f"SD of {name}"] = deviations[:, d]
    covariances = pd.DataFrame(
        np.concatenate(params.covariances),
        index=[f"{name}: {column}" for name in names for column in columns],
        columns=list(columns),
    )
    parameters = pd.DataFrame.from_dict(rows, orient="index", columns=list(names))
    return [("Parameters", parameters), ("Covariances", covariances)]


def gaussian_mixture_point(model, params, row: np.ndarray) -> tuple[str, pd.DataFrame]:
    """The formula of the responsibilities of one row (D,), and its terms for each component."""
    formula = (
        r"r_{nk} = \frac{\pi_k\,\mathcal{N}(x_n \mid \mu_k, \Sigma_k)}"
        r"{\sum_j \pi_j\,\mathcal{N}(x_n \mid \mu_j, \Sigma_j)}"
    )
    log_joint = model.log_joint(params, row[None])[0]
    log_weights = np.log(np.maximum(params.weights, np.finfo(float).tiny))
    terms = {
        "π": params.weights,
        "log N(x | μ, Σ)": log_joint - log_weights,
        "π N(x | μ, Σ)": np.exp(log_joint),
        "responsibility": np.exp(log_joint - np.logaddexp.reduce(log_joint)),
    }
    return formula, pd.DataFrame(terms, index=list(component_names(len(log_joint))))


def items_tables(params, columns: Sequence[str], n_rows: int) -> list[tuple[str, pd.DataFrame]]:
    """A column for each component: weight, expected size, and probabilities or rates."""
    names, values = shades(params, columns)
    rows = {"weight": params.weights, "expected rows": params.weights * n_rows}
    what = "mean of " if hasattr(params, "rates") else "p of "
    for name, value in zip(names, values.T, strict=True):
        rows[what + name] = value
    named = list(component_names(len(params.weights)))
    return [("Parameters", pd.DataFrame.from_dict(rows, orient="index", columns=named))]


def items_point(model, params, row: np.ndarray) -> tuple[str, pd.DataFrame]:
    """The formula of the responsibilities of one row (D,), and its terms for each component."""
    formula = (
        r"r_{nk} = \frac{\pi_k \prod_d p(x_{nd} \mid k)}"
        r"{\sum_j \pi_j \prod_d p(x_{nd} \mid j)}"
    )
    log_joint = model.log_joint(params, row[None])[0]
    terms = {
        "π": params.weights,
        "log p(x | k)": log_joint - np.log(np.maximum(params.weights, np.finfo(float).tiny)),
        "π p(x | k)": np.exp(log_joint),
        "responsibility": np.exp(log_joint - np.logaddexp.reduce(log_joint)),
    }
    return formula, pd.DataFrame(terms, index=list(component_names(len(log_joint))))
