"""What is read off a model as numbers: its parameters, how a row's posterior comes about, and
what it says of every row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from em_core.chains.markov_chain import stationary_distribution
from em_core.columns import Levels
from em_core.factors.rotation import promax
from em_core.factors.summaries import explained_variance, standardised
from em_core.search.alignment import assignment_shares
from em_core.two_level import intraclass_correlation
from pages.ui.figures.emissions import cells, moments, says_columns
from pages.ui.figures.factors import rotation, standard_loadings
from pages.ui.figures.own import parameter_names, parameter_values
from pages.ui.table.selection import Selection
from pages.ui.text import component_names

Tables = list[tuple[str, pd.DataFrame]]


def arrays(params) -> dict[str, np.ndarray]:
    """The arrays of parameters by name, as `model.params(**arrays)` takes them."""
    named = {}
    for name, value in zip(params._fields, params, strict=True):
        named |= arrays(value) if hasattr(value, "_fields") else {name: np.asarray(value)}
    return named


def _frame(rows: dict[str, np.ndarray], columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(columns))


# ---------------------------------------------------------------------------------------------
# Mixtures


def mixture_tables(model, params, selection: Selection, settings) -> Tables:
    """A column for each component: weight, expected size, mean and standard deviation; and the
    covariances, a block of rows for each component."""
    names = component_names(len(params.weights))
    return [
        ("Parameters", _frame(_shares_and_spread(model, params, selection), names)),
        ("Covariances", covariance_table(params.covariances, names, selection)),
    ]


def student_tables(model, params, selection: Selection, settings) -> Tables:
    """As of a mixture, with scales and degrees of freedom; scale matrices are no covariances."""
    names = component_names(len(params.weights))
    rows = _shares_and_spread(model, params, selection)
    scales = np.sqrt(np.einsum("kdd->kd", params.covariances))
    rows |= {f"scale of {name}": scales[:, d] for d, name in enumerate(selection.columns)}
    rows["degrees of freedom"] = params.degrees_of_freedom
    return [
        ("Parameters", _frame(rows, names)),
        ("Scale matrices", covariance_table(params.covariances, names, selection)),
    ]


def factor_analyser_tables(model, params, selection: Selection, settings) -> Tables:
    """As of a mixture, and the loadings of every component."""
    names = component_names(len(params.weights))
    parameters, covariances = mixture_tables(model, params, selection, settings)
    loadings = "Loadings", _component_loadings(params, names, selection.columns)
    return [parameters, loadings, covariances]


def _shares_and_spread(model, params, selection: Selection) -> dict[str, np.ndarray]:
    rows = {"weight": params.weights, "expected rows": params.weights * len(selection.values)}
    return rows | _spread(model, params, selection.columns)


def _spread(model, params, columns: Sequence[str]) -> dict[str, np.ndarray]:
    means, deviations = moments(model, params)
    rows = {}
    for d, name in enumerate(columns):
        rows |= {f"mean of {name}": means[:, d], f"SD of {name}": deviations[:, d]}
    return rows


def covariance_table(covariances, names: Sequence[str], selection: Selection) -> pd.DataFrame:
    """Covariances (K, D, D), one under the other."""
    return pd.DataFrame(
        np.concatenate(covariances),
        index=[f"{name}: {column}" for name in names for column in selection.columns],
        columns=list(selection.columns),
    )


def _component_loadings(params, names: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    factors = component_names(params.loadings.shape[2], "factor")
    table = pd.DataFrame(
        np.concatenate(params.loadings),
        index=[f"{name}: {column}" for name in names for column in columns],
        columns=list(factors),
    )
    table["noise variance"] = params.noise_variances.ravel()
    return table


def mixture_point(
    model, params, data, selection: Selection, index: int, density=r"\mathcal{N}", name="N"
):
    """The formula of the responsibilities of one row, and its terms for each component.

    density, name: what the density of a component is called, in LaTeX and in words.
    """
    formula = (
        rf"r_{{nk}} = \frac{{\pi_k\,{density}(x_n \mid \mu_k, \Sigma_k)}}"
        rf"{{\sum_j \pi_j\,{density}(x_n \mid \mu_j, \Sigma_j)}}"
    )
    return formula, _terms(
        model, params, data[index], f"{name}(x | μ, Σ)", component_names(model.n_components)
    )


def student_point(model, params, data, selection: Selection, index: int):
    """The formula of the responsibilities of one row, and its terms for each component."""
    return mixture_point(model, params, data, selection, index, r"t_{\nu_k}", "t")


def items_point(model, params, data, selection: Selection, index: int, unit: str = "component"):
    """The formula of the responsibilities of one row, and its terms for each component."""
    formula = (
        r"r_{nk} = \frac{\pi_k \prod_d p(x_{nd} \mid k)}"
        r"{\sum_j \pi_j \prod_d p(x_{nd} \mid j)}"
    )
    names = component_names(model.n_components, unit)
    return formula, _terms(model, params, data[index], "p(x | k)", names)


def _terms(model, params, row: np.ndarray, density: str, names: Sequence[str]) -> pd.DataFrame:
    log_joint = model.log_joint(params, row[None])[0]
    terms = {
        "π": params.weights,
        f"log {density}": log_joint - np.log(np.maximum(params.weights, np.finfo(float).tiny)),
        f"π {density}": np.exp(log_joint),
        "responsibility": np.exp(log_joint - np.logaddexp.reduce(log_joint)),
    }
    return pd.DataFrame(terms, index=list(names))


def items_tables(model, params, selection: Selection, settings, unit: str = "component") -> Tables:
    """A column for each component: weight, expected size, and what it says of every column.

    Of an emission that says nothing of its columns, every number among the parameters.
    """
    if not says_columns(model):
        return own_tables(model, params, selection, settings)
    rows = {"weight": params.weights, "expected rows": params.weights * len(selection.values)}
    rows |= _column_rows(model, params, selection)
    return [("Parameters", _frame(rows, component_names(len(params.weights), unit)))]


def _column_rows(model, params, selection: Selection) -> dict[str, np.ndarray]:
    """Probabilities of items, means and standard deviations of all else."""
    if not isinstance(model.emission, Levels):
        return _spread(model, params, selection.columns)
    names, values = cells(model, params, selection.columns, selection.levels)
    return {f"p of {name}": value for name, value in zip(names, values.T, strict=True)}


def cluster_results(
    model, params, data, selection: Selection, settings, unit: str = "component"
) -> dict[str, np.ndarray]:
    """The component of every row (along the most probable path, for a Markov chain), and the
    probability of each."""
    shares = assignment_shares(model, params, data)
    labels = model.predict(params, data)
    path = isinstance(labels, list)
    labels = np.concatenate(labels) if path else labels
    names = np.array(component_names(shares.shape[1], unit), object)
    results = {"cluster" if unit == "component" else unit: names[labels]}
    results |= {f"P({name})": share for name, share in zip(names, shares.T, strict=True)}
    emission = getattr(model, "emission", None)
    if hasattr(emission, "latent_weights"):
        results["latent weight"] = emission.latent_weights(params.emission, data, shares)
    return results


# ---------------------------------------------------------------------------------------------
# Hidden Markov models


def hidden_markov_tables(model, params, selection: Selection, settings) -> Tables:
    """What each state looks like; and how states follow each other, a row for each they leave.

    Of an emission that says nothing of its columns, every number among the parameters.
    """
    if not says_columns(model):
        return own_tables(model, params, selection, settings)
    names = component_names(model.n_states, "state")
    staying = np.diag(params.transition_matrix)
    rows = {
        "probability at the start": params.initial_probabilities,
        "share in the long run": stationary_distribution(params.transition_matrix),
        "rows it lasts on average": 1 / np.maximum(1 - staying, np.finfo(float).tiny),
    }
    rows |= _column_rows(model, params, selection)
    rows = {name: np.where(values > 1e12, np.inf, values) for name, values in rows.items()}
    transitions = pd.DataFrame(
        params.transition_matrix,
        index=[f"from {name}" for name in names],
        columns=[f"to {name}" for name in names],
    )
    return [("Parameters", _frame(rows, names)), ("Transition matrix", transitions)]


def measured_chain_tables(model, params, selection: Selection, settings) -> Tables:
    """The same, and the covariances of measurements in each state."""
    names = component_names(model.n_states, "state")
    tables = hidden_markov_tables(model, params, selection, settings)
    return [*tables, ("Covariances", covariance_table(params.covariances, names, selection))]


def hidden_markov_point(model, params, data, selection: Selection, index: int):
    """The formula of the state probabilities of one row, and its terms for each state."""
    formula = (
        r"\gamma_t(k) = p(z_t = k \mid x_1, \ldots, x_T) = "
        r"\frac{\alpha_t(k)\,\beta_t(k)}{\sum_j \alpha_t(j)\,\beta_t(j)}"
    )
    shares = assignment_shares(model, params, data)[index]
    path = np.concatenate(model.predict(params, data))
    names = component_names(model.n_states, "state")
    terms = {}
    if says_columns(model):
        means, _ = moments(model, params)
        terms |= {f"mean of {name}": means[:, d] for d, name in enumerate(selection.columns)}
    terms["probability given the whole sequence"] = shares
    table = pd.DataFrame(terms, index=list(names))
    table["on the most probable path"] = [
        "yes" if k == path[index] else "" for k in range(len(names))
    ]
    return formula, table


# ---------------------------------------------------------------------------------------------
# Factor models


def factor_tables(model, params, selection: Selection, settings) -> Tables:
    """Loadings in units of standard deviations and of the data, and what each factor explains."""
    turn = rotation(params, settings.rotation)
    factors = list(component_names(params.loadings.shape[1], "factor"))
    unit = standardised(params)
    loadings = pd.DataFrame(standard_loadings(params) @ turn, list(selection.columns), factors)
    loadings["unique"] = unit.noise_variance
    loadings["explained"] = 1 - unit.noise_variance
    explained = explained_variance(unit._replace(loadings=unit.loadings @ turn))
    rows = {"sum of squared loadings": explained.sums, "share of variance": explained.shares}
    tables = [
        ("Loadings", loadings),
        ("Explained variance", _frame(rows, factors)),
    ]
    if settings.rotation == "promax" and len(factors) > 1:
        correlations = promax(standard_loadings(params)).correlations
        tables.append(("Factor correlations", pd.DataFrame(correlations, factors, factors)))
    original = pd.DataFrame(params.loadings @ turn, list(selection.columns), factors)
    original.insert(0, "mean", params.mean)
    original["noise variance"] = params.noise
    return [*tables, ("In the data's units", original)]


def factor_point(model, params, data, selection: Selection, index: int):
    """The formula of the scores of one row, and its scores with their standard deviations."""
    formula = (
        r"z_n \mid x_n \sim \mathcal{N}\bigl(G \Lambda^\top \Psi^{-1}(x_n - \mu),\; G\bigr),"
        r"\quad G = (I + \Lambda^\top \Psi^{-1} \Lambda)^{-1}"
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
    for q, name in enumerate(component_names(scores.shape[1], "factor")):
        results |= {name: scores[:, q], f"SD of {name}": deviations[:, q]}
    return results


# ---------------------------------------------------------------------------------------------
# The two-level model


def two_level_tables(model, params, selection: Selection, settings) -> Tables:
    """Means and variances of both levels; and every group's average beside what is expected."""
    columns = list(selection.columns)
    rows = {
        "mean": params.mean,
        "SD between groups": np.sqrt(np.diag(params.between_covariance)),
        "SD within groups": np.sqrt(np.diag(params.within_covariance)),
        "share of variance between groups": intraclass_correlation(params),
    }
    posterior = model.posterior(params, selection.parts)
    groups = {"rows": selection.sizes}
    for d, name in enumerate(columns):
        groups |= {
            f"average {name}": posterior.group_means[:, d],
            f"expected {name}": posterior.means[:, d],
            f"SD of {name}": np.sqrt(posterior.covariances[:, d, d]),
        }
    both = [params.between_covariance, params.within_covariance]
    return [
        ("Parameters", _frame(rows, columns)),
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


# ---------------------------------------------------------------------------------------------
# A person's own model


def own_tables(model, params, selection: Selection, settings) -> Tables:
    """Every number among the parameters, by its name."""
    table = pd.DataFrame({"value": parameter_values(params)}, index=parameter_names(params))
    return [("Parameters", table)]


def own_results(model, params, data, selection: Selection, settings) -> dict[str, np.ndarray]:
    """Whatever the posterior says of every row: arrays with one line for each."""
    posterior = model.posterior(params, data)
    names = getattr(posterior, "_fields", None) or [
        f"posterior {i + 1}" for i in range(len(posterior))
    ]
    results = {}
    for name, values in zip(names, posterior, strict=True):
        values = np.asarray(values)
        if values.shape[:1] != (len(selection.values),) or values.ndim > 2:
            continue
        columns = values.reshape(len(values), -1).T
        many = len(columns) > 1
        results |= {f"{name} {i + 1}" if many else name: v for i, v in enumerate(columns)}
    return results
