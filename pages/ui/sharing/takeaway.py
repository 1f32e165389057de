"""What a person takes away from a finished fit: a table, the parameters, a script."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd

import em_core
from em_core.em import Fit
from pages.ui.models.beginnings import method_of
from pages.ui.models.families import example_of, family_of
from pages.ui.models.parameters import arrays
from pages.ui.settings import Settings
from pages.ui.table.selection import Selection
from pages.ui.table.table import Table
from pages.ui.table.writing import harmless, join_results
from pages.ui.work.runs import Run

RESULTS_NAME = "em-explorer-results"


def with_results(settings: Settings, table: Table, selection: Selection, run: Run) -> pd.DataFrame:
    """All original rows with what the fit says of each: its component and probabilities, say."""
    results = family_of(settings).results(run.model, run.fit.params, run.data, selection, settings)
    return join_results(table, selection, results)


def parameters_as_json(settings: Settings, selection: Selection, fit: Fit) -> bytes:
    """Parameters in the original units, the trace, and what it takes to judge and repeat the fit.

    Log-likelihoods are totals in nats.
    """
    content = {
        "em_core": em_core.__version__,
        "model": family_of(settings).code(settings),
        "columns": list(selection.columns),
        "rows": len(selection.values),
        "start": method_of(settings),
        "seed": settings.seed,
        "standardised": settings.standardise,
        "tolerance": settings.tolerance,
        "stop_reason": fit.stop_reason,
        "iterations": fit.n_iterations,
        "log_likelihood": fit.log_likelihood,
        "n_parameters": fit.n_parameters,
        "aic": fit.aic,
        "bic": fit.bic,
    }
    if family_of(settings).unit:
        content["icl"] = fit.icl
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
    method = method_of(settings)
    start = json.dumps(method)
    unit = ("centre", "scale") if settings.standardise else None
    if method == "means":
        body += [f"means = np.array({[list(point) for point in settings.start_means]})"]
        placed = "(means - centre) / scale" if unit else "means"
        start = f"from_means(model, {data}, {placed})"
    elif method == "parameters":
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
    head = ["import json", ""] if method == "parameters" else []
    head += ["import numpy as np"]
    head += ["import pandas as pd"]
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
    """Lines that read the rows as the model takes them."""
    own = settings.source == "table"
    name = harmless if own else str
    columns = list(map(name, selection.columns))
    group = None if selection.group_name is None else name(selection.group_name)
    coded = [column for column, levels in zip(columns, selection.levels, strict=False) if levels]
    if own:
        lines = [
            f"# Download “Rows with results (CSV)” to {RESULTS_NAME}.csv first.",
            f'table = pd.read_csv("{RESULTS_NAME}.csv")',
        ]
    else:
        made = f"load({example_of(settings)!r})"
        if settings.source == "generate":
            made = (
                f"generate({settings.generator!r}, {settings.n_rows}, {settings.true_components}, "
                f"{settings.n_columns}, np.random.default_rng({settings.data_seed}))"
            )
        lines = [
            f"dataset = {made}",
            "table = pd.DataFrame(dataset.values, columns=list(dataset.columns))",
        ]
        if group is not None and group not in table.frame.columns[:-1]:
            lines += [f"table[{group!r}] = dataset.labels"]
    if coded:
        lines += [
            f"for name in {coded!r}:",
            "    codes = table[name].astype('category').cat.codes",
            "    table[name] = codes.where(codes >= 0)",
        ]
    lines += [f"data = table[{columns!r}].to_numpy(float)"]
    used = "np.isfinite(data).all(axis=1)"
    if np.isnan(selection.values).any():
        used = "~np.isinf(data).any(axis=1) & ~np.isnan(data).all(axis=1)"
    if not selection.groups:
        return [*lines, f"data = data[{used}]"]
    return [
        *lines,
        f"groups = table[{group!r}]",
        f"used = {used} & groups.notna().to_numpy()",
        "groups = groups[used]",
        "data = [data[used][groups == name] for name in groups.unique()]",
    ]
