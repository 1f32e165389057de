"""What is read off a model as numbers: its parameters, how a row's posterior comes about, and
what it says of every row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from em_core.emissions.gaussian import EMPTY_SHARE
from em_core.emissions.student_t import at_fewest, at_most
from em_core.models.factor_analysis.rotation import promax
from em_core.models.factor_analysis.summaries import explained_variance, standardised
from em_core.models.hidden_markov.markov_chain import stationary_distribution
from em_core.models.two_level.model import intraclass_correlation
from em_core.protocols import Emission, Levels, optional
from em_core.search.alignment import assignment_shares
from pages.ui.pictures.emissions import cells, moments, says_columns
from pages.ui.pictures.factors import rotation, standard_loadings
from pages.ui.pictures.own import parameter_names, parameter_values
from pages.ui.tables.selection import Selection
from pages.ui.text import NO_DATA, component_names, number

Tables = list[tuple[str, pd.DataFrame]]
# A number this small in a unit of its own, such as 1 for a probability, is rounding.
NOTHING = 1e-12
# At a bound, give or take this share: weighted or in other units it is rounded otherwise.
NEAR_BOUND = 1e-3
# How long a state lasts that is entered but never left.
TO_THE_END = "to the end"


def arrays(params) -> dict[str, np.ndarray]:
    """The arrays of parameters by name, as `model.params(**arrays)` takes them."""
    named = {}
    for name, value in zip(params._fields, params, strict=True):
        named |= arrays(value) if hasattr(value, "_fields") else {name: np.asarray(value)}
    return named


def _known(values: np.ndarray, unit: np.ndarray | float) -> np.ndarray:
    """Values with 0 for what is rounding in this unit, if there is one (finite)."""
    unit = np.where(np.isfinite(unit), unit, 0)
    return np.where(np.abs(values) < NOTHING * unit, 0.0, values)


def _without(values: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    """Values, but where nothing in the data tells them `NO_DATA`."""
    if not unknown.any():
        return values
    return np.where(unknown, np.array(NO_DATA, object), values.astype(object))


def _bounded(values: np.ndarray, at_bound: np.ndarray) -> np.ndarray:
    """Values, those at their bound with these words."""
    if not at_bound.any():
        return values
    words = np.array([f"{number(value)}, at its bound" for value in values], object)
    return np.where(at_bound, words, values.astype(object))


def _frame(rows: dict[str, np.ndarray], columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(columns))


# ---------------------------------------------------------------------------------------------
# Mixtures


def mixture_tables(model, params, selection: Selection, settings) -> Tables:
    """A column for each component: weight, expected size, mean and standard deviation; and the
    covariances, a block of rows for each component."""
    names, empty = component_names(len(params.weights)), params.weights <= EMPTY_SHARE
    return [
        ("Parameters", _frame(_shares_and_spread(model, params, selection), names)),
        ("Covariances", _covariances_of("component", params.covariances, selection, empty)),
    ]


def student_tables(model, params, selection: Selection, settings) -> Tables:
    """As of a mixture, with scales and degrees of freedom; scale matrices are no covariances."""
    names, empty = component_names(len(params.weights)), params.weights <= EMPTY_SHARE
    scales = np.sqrt(np.einsum("kdd->kd", params.covariances))
    more = {f"scale of {name}": scales[:, d] for d, name in enumerate(selection.columns)}
    degrees = params.degrees_of_freedom
    estimated = model.emission.degrees_of_freedom is None
    at_bound = estimated & (at_most(degrees) | at_fewest(degrees))
    more["degrees of freedom"] = _bounded(degrees, at_bound)
    rows = _shares_and_spread(model, params, selection) | _of_data(more, empty)
    return [
        ("Parameters", _frame(rows, names)),
        ("Scale matrices", _covariances_of("component", params.covariances, selection, empty)),
    ]


def factor_analyser_tables(model, params, selection: Selection, settings) -> Tables:
    """As of a mixture, and the loadings of every component."""
    names = component_names(len(params.weights))
    parameters, covariances = mixture_tables(model, params, selection, settings)
    lowest = model.emission.floor * np.nanvar(selection.values, axis=0)
    table = _component_loadings(params, names, selection.columns)
    at_bound = params.noise_variances <= lowest * (1 + NEAR_BOUND)
    table["noise variance"] = _bounded(params.noise_variances.ravel(), at_bound.ravel())
    loadings = "Loadings", table
    return [parameters, loadings, covariances]


def _shares_and_spread(model, params, selection: Selection) -> dict[str, np.ndarray]:
    rows = _spread(model, params, selection.columns)
    return _sizes(params, selection) | _of_data(rows, params.weights <= EMPTY_SHARE)


def _sizes(params, selection: Selection) -> dict[str, np.ndarray]:
    weights = _known(params.weights, 1)
    return {"weight": weights, "expected rows": weights * len(selection.values)}


def _of_data(rows: dict[str, np.ndarray], empty: np.ndarray) -> dict[str, np.ndarray]:
    """Rows of a table; a component that no row belongs to has nothing to tell."""
    return {name: _without(values, empty) for name, values in rows.items()}


def _spread(model, params, columns: Sequence[str]) -> dict[str, np.ndarray]:
    means, deviations = moments(model, params)
    rows = {}
    for d, name in enumerate(columns):
        spread = deviations[:, d]
        widest = spread.max(where=np.isfinite(spread), initial=0)
        rows[f"mean of {name}"] = _known(means[:, d], spread)
        rows[f"SD of {name}"] = _known(spread, widest)
    return rows


def covariance_table(covariances, names: Sequence[str], selection: Selection) -> pd.DataFrame:
    """Covariances (K, D, D), one under the other."""
    return pd.DataFrame(
        np.concatenate(covariances),
        index=[f"{name}: {column}" for name in names for column in selection.columns],
        columns=list(selection.columns),
    )


def _covariances_of(unit: str, covariances, selection: Selection, empty: np.ndarray):
    """The table of the covariances (K, D, D) of components; where all are one, that one.

    empty (K,): the components that no row belongs to.
    """
    covariances = np.asarray(covariances)
    deviations = np.sqrt(np.einsum("kdd->kd", covariances))
    covariances = _known(covariances, deviations[:, :, None] * deviations[:, None, :])
    names = component_names(len(covariances), unit)
    if len(covariances) > 1 and (covariances == covariances[0]).all():
        names, covariances = (f"every {unit}",), covariances[:1]
    elif empty.any():
        unknown = np.broadcast_to(empty[:, None, None], covariances.shape)
        covariances = _without(covariances, unknown)
    return covariance_table(covariances, names, selection)


def _component_loadings(params, names: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    factors = component_names(params.loadings.shape[2], "factor")
    table = pd.DataFrame(
        np.concatenate(params.loadings),
        index=[f"{name}: {column}" for name in names for column in columns],
        columns=list(factors),
    )
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
        "responsibility": _known(np.exp(log_joint - np.logaddexp.reduce(log_joint)), 1),
    }
    return pd.DataFrame(terms, index=list(names))


def items_tables(model, params, selection: Selection, settings, unit: str = "component") -> Tables:
    """A column for each component: weight, expected size, and what it says of every column.

    Of an emission that says nothing of its columns, every number among the parameters.
    """
    if not says_columns(model):
        return own_tables(model, params, selection, settings)
    rows = _of_data(_column_rows(model, params, selection), params.weights <= EMPTY_SHARE)
    names = component_names(len(params.weights), unit)
    return [("Parameters", _frame(_sizes(params, selection) | rows, names))]


def _column_rows(model, params, selection: Selection) -> dict[str, np.ndarray]:
    """Probabilities of items, means and standard deviations of all else."""
    if not isinstance(model.emission, Levels):
        return _spread(model, params, selection.columns)
    names, values = cells(model, params, selection.columns, selection.levels)
    return {f"p of {name}": _known(value, 1) for name, value in zip(names, values.T, strict=True)}


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
    emission = optional(model, "emission")
    if optional(emission, "latent_weights", Emission):
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
    empty, never_left = _unseen(model, params, selection)
    matrix = _known(params.transition_matrix, 1)
    leaving = _known(1 - np.diag(matrix), 1)
    lasts = np.array([1 / share if share else TO_THE_END for share in leaving], object)
    stationary = _known(stationary_distribution(params.transition_matrix), 1)
    rows = {
        "probability at the start": _known(params.initial_probabilities, 1),
        # One state that nothing is known of is enough: all shares depend on it.
        "share in the long run": _without(stationary, np.full(len(names), never_left.any())),
        "rows it lasts on average": _without(lasts, never_left),
    }
    rows |= _of_data(_column_rows(model, params, selection), empty)
    transitions = pd.DataFrame(
        _without(matrix, np.broadcast_to(never_left[:, None], matrix.shape)),
        index=[f"from {name}" for name in names],
        columns=[f"to {name}" for name in names],
    )
    return [("Parameters", _frame(rows, names)), ("Transition matrix", transitions)]


def measured_chain_tables(model, params, selection: Selection, settings) -> Tables:
    """The same, and the covariances of measurements in each state."""
    empty, _ = _unseen(model, params, selection)
    tables = hidden_markov_tables(model, params, selection, settings)
    covariances = _covariances_of("state", params.covariances, selection, empty)
    return [*tables, ("Covariances", covariances)]


def _unseen(model, params, selection: Selection) -> tuple[np.ndarray, np.ndarray]:
    """Which states (K,) no row belongs to, and which of them no row is known to follow."""
    _, transitions, emission = model.e_step(params, selection.parts).statistics
    counts, leaving = emission.counts, transitions.sum(axis=1)
    return counts <= EMPTY_SHARE * counts.sum(), leaving <= EMPTY_SHARE * leaving.sum()


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
    terms["probability given the whole sequence"] = _known(shares, 1)
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
    turned = _known(standard_loadings(params) @ turn, 1)
    loadings = pd.DataFrame(turned, list(selection.columns), factors)
    lowest = model.floor * np.nanvar(selection.values, axis=0)
    at_bound = params.noise <= lowest * (1 + NEAR_BOUND)
    loadings["unique"] = _bounded(unit.noise, at_bound)
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
    deviations = np.sqrt((params.loadings**2).sum(axis=1) + params.noise)
    turned = _known(params.loadings @ turn, deviations[:, None])
    original = pd.DataFrame(turned, list(selection.columns), factors)
    original.insert(0, "mean", _known(params.mean, deviations))
    original["noise variance"] = _bounded(params.noise, at_bound)
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
