"""Rows of the table of families for hidden Markov models, and what is said of them in numbers."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from em_core import HiddenMarkov
from em_core.emissions.gaussian import EMPTY_SHARE
from em_core.models.hidden_markov.markov_chain import (
    SHAPES,
    allowed_transitions,
    stationary_distribution,
)
from em_core.search.alignment import assignment_shares
from em_core.standardised import as_it_is
from pages.ui.families.family import Choices, Family, explicit, meanings
from pages.ui.families.mixtures import (
    cluster_results,
    column_rows,
    covariances_of,
    of_data,
)
from pages.ui.families.numbers import (
    Tables,
    frame,
    known,
    without,
)
from pages.ui.families.own import own_tables
from pages.ui.families.profiles import chain_profile
from pages.ui.pictures.emissions import moments, says_columns
from pages.ui.pictures.sequence import hidden_markov_picture
from pages.ui.tables.columns import answered
from pages.ui.tables.selection import Selection, select_items
from pages.ui.text import component_names


def chain(label: str, emission, code, controls, parameters, examples, **more: Any) -> Family:
    """The row of a hidden Markov model."""
    chain = ("initial_probabilities", "transition_matrix")
    usual: dict[str, Any] = {
        "takes": answered,
        "read": select_items,
        "views": ("series",),
        "tables": hidden_markov_tables,
        "profile": chain_profile,
    }
    return Family(
        label=label,
        build=lambda s: HiddenMarkov(
            emission(s),
            s.n_components,
            transitions=allowed_transitions(s.transitions, s.n_components),
            initial=s.initial,
        ),
        code=lambda s: _code(code(s), s),
        controls={"n_components": {}}
        | controls
        | {
            "transitions": SHAPES,
            "initial": {
                "free": "the chances of each state at the start are estimated",
                "stationary": "they are the states' long-run shares under the transitions",
            },
            "missing": {},
        },
        labels={"n_components": "States"},
        starts=meanings(HiddenMarkov.starts) | explicit((*chain, *parameters)),
        parameters=(*chain, *parameters),
        examples=examples,
        picture=hidden_markov_picture,
        point=hidden_markov_point,
        results=partial(cluster_results, unit="state"),
        unit="state",
        grouping="sequence",
        data=lambda selection: selection.parts,
        **(usual | more),
    )


def _code(emission: str, settings: Choices) -> str:
    more = "" if settings.initial == "free" else f', initial="{settings.initial}"'
    allowed = allowed_transitions(settings.transitions, settings.n_components)
    if allowed is not None:
        more += f", transitions={allowed.astype(int).tolist()}"
    return f"HiddenMarkov({emission}, n_states={settings.n_components}{more})"


# How long a state lasts that is entered but never left.
TO_THE_END = "to the end"


def hidden_markov_tables(model, params, selection: Selection, settings) -> Tables:
    """What each state looks like; and how states follow each other, a row for each they leave.

    Of an emission that says nothing of its columns, every number among the parameters.
    """
    if not says_columns(model):
        return own_tables(model, params, selection, settings)
    names = component_names(model.n_states, "state", settings.names)
    empty, never_left = _unseen(model, params, selection)
    matrix = known(params.transition_matrix, 1)
    leaving = known(1 - np.diag(matrix), 1)
    lasts = np.array([1 / share if share else TO_THE_END for share in leaving], object)
    stationary = known(stationary_distribution(params.transition_matrix), 1)
    rows = {
        "probability at the start": known(params.initial_probabilities, 1),
        # One state that nothing is known of is enough: all shares depend on it.
        "share in the long run": without(stationary, np.full(len(names), never_left.any())),
        "rows it lasts on average": without(lasts, never_left),
    }
    rows |= of_data(column_rows(model, params, selection), empty)
    transitions = pd.DataFrame(
        without(matrix, np.broadcast_to(never_left[:, None], matrix.shape)),
        index=[f"from {name}" for name in names],
        columns=[f"to {name}" for name in names],
    )
    return [("Parameters", frame(rows, names)), ("Transition matrix", transitions)]


def measured_chain_tables(model, params, selection: Selection, settings) -> Tables:
    """The same, and the covariances of measurements in each state."""
    empty, _ = _unseen(model, params, selection)
    tables = hidden_markov_tables(model, params, selection, settings)
    names = component_names(model.n_states, "state", settings.names)
    covariances = covariances_of("state", names, params.covariances, selection, empty)
    return [*tables, ("Covariances", covariances)]


def _unseen(model, params, selection: Selection) -> tuple[np.ndarray, np.ndarray]:
    """Which states (K,) no row belongs to, and which of them no row is known to follow."""
    _, transitions, emission = (
        as_it_is(model).e_step(params, selection.parts, selection.weights_of_parts).statistics
    )
    counts, leaving = emission.counts, transitions.sum(axis=1)
    return counts <= EMPTY_SHARE * counts.sum(), leaving <= EMPTY_SHARE * leaving.sum()


def hidden_markov_point(model, params, data, selection: Selection, index: int, names):
    """The formula of the state probabilities of one row, and its terms for each state."""
    formula = (
        r"\begin{aligned}\gamma_t(k) &= p(z_t = k \mid x_1, \ldots, x_T) \\ &= "
        r"\frac{\alpha_t(k)\,\beta_t(k)}{\sum_j \alpha_t(j)\,\beta_t(j)}\end{aligned}"
    )
    shares = assignment_shares(model, params, data)
    assert shares is not None, "rows belong to states"
    shares = shares[index]
    path = np.concatenate(model.predict(params, data))
    terms = {}
    if says_columns(model):
        means, _ = moments(model, params)
        terms |= {f"mean of {name}": means[:, d] for d, name in enumerate(selection.columns)}
    terms["probability given the whole sequence"] = known(shares, 1)
    table = pd.DataFrame(terms, index=list(names))
    table["on the most probable path"] = [
        "yes" if k == path[index] else "" for k in range(len(names))
    ]
    return formula, table
