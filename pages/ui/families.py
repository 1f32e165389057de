"""The table of model families: what each one is called, how it is built and how it may start.

One row makes a family appear in the app.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from em_core import STARTS, Gaussian, Mixture
from em_core.covariances import STRUCTURES
from pages.ui.settings import Settings
from pages.ui.text import counted

STOPPED = {
    "converged": "Converged after {iterations}: less than {tolerance:g} nats are left to gain.",
    "max_iterations": (
        "Not converged: stopped after {iterations}, the most allowed. Raise “Most iterations” or "
        "the tolerance."
    ),
    "decreased": (
        "Stopped after {iterations}: the log-likelihood fell by more than rounding. "
        "Please report this."
    ),
    "not_finite": "Stopped after {iterations}: the log-likelihood is not a finite number.",
    "stopped": "You stopped this fit after {iterations}. It has not converged.",
}


class Family(NamedTuple):
    """build(settings): the em_core model; code(settings): the same as Python source.

    controls: fields of Settings that only this family uses; starts: methods by name, each with
    one plain line on what it does.
    """

    title: str
    build: Callable[[Settings], Any]
    code: Callable[[Settings], str]
    controls: tuple[str, ...]
    starts: Mapping[str, str]


FAMILIES = {
    "gaussian-mixture": Family(
        title="Gaussian mixture",
        build=lambda s: Mixture(Gaussian(covariance=s.covariance), n_components=s.n_components),
        code=lambda s: (
            f'Mixture(Gaussian(covariance="{s.covariance}"), n_components={s.n_components})'
        ),
        controls=("n_components", "covariance"),
        starts={name: start.meaning for name, start in STARTS.items()}
        | {
            "means": "means that you place",
            "parameters": "weights, means and covariances you give",
        },
    ),
}

COVARIANCE_MEANINGS = {name: structure.meaning for name, structure in STRUCTURES.items()}


def starting_point(model, settings: Settings, n_columns: int):
    """What `Run` starts from: a method's name, means (K, D) or parameters.

    Raises ValueError with a plain sentence where what was typed cannot be used.
    """
    if settings.start == "means":
        means = np.array(settings.start_means, dtype=float)
        if means.shape != (model.n_components, n_columns):
            raise ValueError(
                f"Place {model.n_components} means of {n_columns} numbers each "
                "in the table under “Start”."
            )
        return means
    if settings.start == "parameters":
        return _explicit_params(model, settings.start_params, n_columns)
    return settings.start


def _explicit_params(model, text: str, n_columns: int):
    names = ("weights", "means", "covariances")
    try:
        members = json.loads(text or "{}")
        arrays = {name: np.array(members[name], dtype=float) for name in names}
    except (ValueError, TypeError, KeyError):
        raise ValueError(
            "Give the start as JSON with weights, means and covariances, all numbers: "
            '{"weights": [...], "means": [[...], ...], "covariances": [[[...], ...], ...]}.'
        ) from None
    if arrays["means"].ndim != 2 or arrays["means"].shape[1] != n_columns:
        raise ValueError(
            f"The explicit means do not have {n_columns} numbers each, one per column: "
            "change the JSON or the columns."
        )
    try:
        return model.params(**arrays)
    except ValueError as error:
        raise ValueError(f"The explicit parameters cannot be used: {error}.") from None


def params_json(params) -> str:
    """Parameters as compact JSON; every number reads back as the same double."""
    arrays = {
        "weights": params.weights.tolist(),
        "means": params.means.tolist(),
        "covariances": params.covariances.tolist(),
    }
    return json.dumps(arrays, separators=(",", ":"))


def stop_sentence(stop_reason: str, iterations: int, tolerance: float) -> str:
    """Why a run ended, in plain words."""
    return STOPPED[stop_reason].format(
        iterations=counted(iterations, "iteration"), tolerance=tolerance
    )
