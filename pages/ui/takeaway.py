"""What a person takes away from a finished fit: a table, the parameters, a script."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd

import em_core
from em_core.em import Fit
from pages.ui.data import Selection, Table, harmless, join_results
from pages.ui.families import family_of
from pages.ui.parameters import arrays
from pages.ui.settings import Settings
from pages.ui.text import component_names

INFINITE_IS_MISSING = "data[np.isinf(data)] = np.nan"
LABELLED_NAME = "em-explorer-clusters"


def labelled(table: Table, selection: Selection, fit: Fit) -> pd.DataFrame:
    """All original rows with their cluster and their probability for every component."""
    shares = fit.posterior(selection.values).responsibilities
    names = component_names(fit.model.n_components)
    return join_results(table, selection, shares.argmax(axis=1), shares, names)


def parameters_as_json(settings: Settings, selection: Selection, fit: Fit) -> bytes:
    """Parameters in the original units, the trace, and what it takes to judge and repeat the fit.

    Log-likelihoods are totals in nats.
    """
    content = {
        "em_core": em_core.__version__,
        "model": family_of(settings).code(settings),
        "columns": list(selection.columns),
        "rows": len(selection.values),
        "start": settings.start,
        "seed": settings.seed,
        "standardised": settings.standardise,
        "tolerance": settings.tolerance,
        "stop_reason": fit.stop_reason,
        "iterations": fit.n_iterations,
        "log_likelihood": fit.log_likelihood,
        "n_parameters": fit.n_parameters,
        "aic": fit.aic,
        "bic": fit.bic,
        "icl": fit.icl,
    }
    content |= {name: array.tolist() for name, array in arrays(fit.params).items()}
    content["trace"] = [
        {
            "iteration": step.iteration,
            "phase": step.phase,
            "elbo": step.elbo,
            "log_likelihood": step.log_likelihood,
            "flags": list(step.flags),
        }
        for step in fit.trace
    ]
    return json.dumps(content, indent=2).encode()


def script(settings: Settings, selection: Selection, table: Table) -> str:
    """Python on em_core that gives the numbers shown. Run it in the project's folder."""
    body = _read_data(settings, selection, table)
    data = "data"
    if settings.standardise:
        body += ["centre, scale = data.mean(axis=0), data.std(axis=0)"]
        data = "(data - centre) / scale"
    body += [f"model = {family_of(settings).code(settings)}"]
    start = json.dumps(settings.start)
    unit = ("centre", "scale") if settings.standardise else None
    if settings.start == "means":
        body += [f"means = np.array({[list(point) for point in settings.start_means]})"]
        placed = "(means - centre) / scale" if unit else "means"
        start = f"from_means(model, {data}, {placed})"
    elif settings.start == "parameters":
        body += [f"start = model.params(**json.loads({settings.start_params!r}))"]
        start = "model.rescale(start, -centre / scale, 1 / scale)" if unit else "start"
    body += [
        f"result = fit(model, {data}, start={start}, seed={settings.seed},",
        f"             tolerance={settings.tolerance!r}, max_iterations={settings.max_iterations})",
    ]
    if unit:
        body += [
            "log_likelihood = result.log_likelihood - len(data) * np.log(scale).sum()",
            "params = model.rescale(result.params, centre, scale)",
        ]
    else:
        body += ["log_likelihood, params = result.log_likelihood, result.params"]
    body += ["print(log_likelihood, result.n_iterations, result.stop_reason)", "print(params)"]
    head = ["import json", ""] if settings.start == "parameters" else []
    head += ["import numpy as np"]
    head += ["import pandas as pd"] if settings.source == "table" else []
    head += ["from threadpoolctl import threadpool_limits", ""]
    used = [name for name in em_core.__all__ if re.search(rf"\b{name}\(", "\n".join(body))]
    head += [f"from em_core import {', '.join(sorted(used, key=str.lower))}"]
    if settings.source != "table":
        head += [
            f"from em_core.datasets import {'load' if settings.source == 'example' else 'generate'}"
        ]
    head += ["", "threadpool_limits(1)  # as the app does: sums are then added in the same order"]
    return "\n".join([*head, "", *body, ""])


def _read_data(settings: Settings, selection: Selection, table: Table) -> list[str]:
    columns = list(selection.columns)
    if settings.source == "table":
        named = [harmless(name) for name in columns]
        read = [
            f"# Download “Rows with clusters (CSV)” to {LABELLED_NAME}.csv first.",
            f'table = pd.read_csv("{LABELLED_NAME}.csv", float_precision="round_trip")',
            f"data = table[{named!r}].to_numpy(float)",
        ]
    else:
        if settings.source == "example":
            made = f"load({settings.example!r})"
        else:
            made = (
                f"generate({settings.generator!r}, {settings.n_rows}, {settings.true_components}, "
                f"{settings.n_columns}, np.random.default_rng({settings.data_seed}))"
            )
        read = [
            f"dataset = {made}",
            f"data = dataset.values[:, [dataset.columns.index(name) for name in {columns!r}]]",
        ]
    if np.isnan(selection.values).any():
        return [*read, "data = data[np.isfinite(data).any(axis=1)]", INFINITE_IS_MISSING]
    return [*read, "data = data[np.isfinite(data).all(axis=1)]"]
