"""What a person takes away of a half-step of a finished fit: a table, the parameters, a script."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

import em_core
from em_core.fit import Fit
from em_core.protocols import optional
from pages.ui.compute.describing import Described
from pages.ui.compute.uncertainty import REPLICATES, SPLITS, STARTS
from pages.ui.families.collapse import why_collapsed
from pages.ui.families.numbers import arrays
from pages.ui.families.table import example_of, family_of, standardises
from pages.ui.running.runs import Run
from pages.ui.running.searches import Grid, cell_settings, recommended_start
from pages.ui.sharing.naming import half_step
from pages.ui.state.beginnings import method_of, most_iterations
from pages.ui.state.settings import Settings
from pages.ui.tables.data_set import Whole, levels_read
from pages.ui.tables.preparation.said import rows_said, scales_said
from pages.ui.tables.preparation.table import with_units
from pages.ui.tables.recipe import Recipe, after, recipe_of
from pages.ui.tables.selection import Selection
from pages.ui.tables.served import called
from pages.ui.tables.table import Table
from pages.ui.tables.uploaded import as_brought
from pages.ui.tables.writing import HALF_STEP, join_results
from pages.ui.text import name_columns


def half_step_shown(run: Run, index: int) -> str:
    """Which half-step of a run something is of: "start" or "M-step 2 of 14"."""
    name = half_step(run.trace[index])
    return f"{name} of {run.trace[-1].iteration}" if index else name


def with_results(
    settings: Settings, table: Table, selection: Selection, run: Run, index: int
) -> pd.DataFrame:
    """All original rows with what a half-step says of each: its component and probabilities, say.

    In an M half-step that is, as in the picture, what the parameters before it say.
    """
    step, shown = run.trace[index], half_step_shown(run, index)
    if step.phase == "M" and not step.is_leap:
        shown += ", posterior by the parameters before it"
    results = {HALF_STEP: np.full(len(selection.values), shown, object)}
    results |= family_of(settings).results(
        run.model, step.posterior_params, run.data, selection, settings
    )
    return join_results(table, selection, results)


def parameters_as_json(
    settings: Settings, selection: Selection, table: Table, run: Run, index: int
) -> bytes:
    """The parameters of a half-step in the original units, the trace, and what it takes to judge
    and repeat the fit.

    Log-likelihoods are totals in nats. Those outside "end" are of the half-step, criteria too.
    "collapsed": why the end is no answer, null where it may be one. "said": which rows are used,
    and on which scale columns are.
    """
    family, step = family_of(settings), run.trace[index]
    content: dict[str, Any] = {
        "collapsed": why_collapsed(
            run.model, run.finished_fit.params, run.finished_fit.flags, run.data, selection, family
        )
        or None,
        "em_core": em_core.__version__,
        "model": family.code(settings),
        "columns": list(selection.columns),
        "preparation": [step.told() for step in settings.preparation],
        "rows": selection.n_rows,
        "weight_column": selection.weight_name,
        "weights_kind": None if selection.weights is None else selection.weights_kind,
        "n_observations": run.finished_fit.n_observations,
        "rows_of_the_table": (
            len(table.frame) if table.whole is None else table.whole.data_set.n_rows
        ),
        "said": [*filter(None, [rows_said(table)]), *scales_said(selection)],
        "start": method_of(settings),
        "seed": settings.seed,
        "standardised": standardises(settings),
        "tolerance": settings.tolerance,
        "half_step": half_step_shown(run, index),
        "elbo": step.elbo,
        **_criteria(
            run.fit_of(run.trace[: index + 1], run.stop_reason or "stopped"),
            family.unit,
        ),
    }
    content |= {name: array.tolist() for name, array in arrays(step.params).items()}
    content["end"] = {
        "half_step": half_step_shown(run, len(run.trace) - 1),
        "stop_reason": run.stop_reason,
        "iterations": run.finished_fit.n_iterations,
        **_criteria(run.finished_fit, family.unit),
    }
    content["trace"] = [
        {
            "iteration": step.iteration,
            "phase": step.phase,
            "elbo": step.elbo,
            "log_likelihood": step.log_likelihood,
            "flags": [name_columns(flag, selection.columns) for flag in step.flags],
        }
        for step in run.trace
    ]
    return json.dumps(content, indent=2).encode()


def model_as_json(
    settings: Settings, selection: Selection, table: Table, run: Run, index: int
) -> bytes:
    """The model at a half-step as `em_core.load` reads it, with columns, levels, units and the
    steps of preparation."""
    trace = run.trace[: index + 1]
    fit = run.fit_of(trace, run.stop_reason or "stopped")
    units = table.known_units
    text = em_core.dump(
        fit,
        columns=selection.columns,
        levels=[names or None for names in selection.levels],
        units=[units.get(name) or None for name in selection.columns],
        preparation=with_units(settings.preparation, units),
    )
    return text.encode()


def _criteria(fit: Fit, unit: str) -> dict[str, float]:
    """How good parameters are; ICL where rows belong to components."""
    names = ["log_likelihood", "n_parameters", "aic", "bic"] + ["icl"] * bool(unit)
    return {name: getattr(fit, name) for name in names}


def script(
    settings: Settings,
    selection: Selection,
    table: Table,
    run: Run,
    index: int,
    download: str,
    described: Described | None = None,
    grid: Grid | None = None,
) -> str:
    """Python on em_core that gives the numbers of a half-step; of the last one also how sure they
    are, as far as that is asked for.

    download: what the rows taken away as Parquet are called. described: what else is told of the
    end, and grid: the models it was compared with, to be worked out as well.
    """
    recipe = _recipe(settings, selection, table, download)
    body = [*recipe.lines]
    if selection.whole is None:
        body += rows_used(selection, run.data, table.taken_frame)
    body += [f"model = {_model(settings, run.model, selection)}"]
    start, lines = _start(settings, selection)
    body += [
        *lines,
        f"result = fit(model, data, start={start}, seed={settings.seed},",
        f"             tolerance={settings.tolerance!r}, max_iterations={most_iterations(settings)}"
        f"{_weights(selection)})",
        *["result = ordered(result)  # components numbered as in the app"]
        * (run.order is not None),
        *_numbers(run, index),
    ]
    if index == len(run.trace) - 1 and not (run.frozen or run.finished_fit.collapsed):
        body += _after_the_fit(settings, selection, described)
    if grid is not None:
        body += _compared(settings, selection, grid)
    head = ["import json"] * (method_of(settings) == "parameters")
    head += [line for line in recipe.imports if line.startswith("from pathlib")]
    head += ["from runpy import run_path"] * ("run_path(" in "".join(body))
    head += [""] * bool(head)
    head += ["import numpy as np"]
    head += ["import pandas as pd"] * ("pd." in "".join(recipe.lines))
    head += ["from threadpoolctl import threadpool_limits", ""]
    used = [name for name in em_core.__all__ if re.search(rf"\b{name}[.(]", "\n".join(body))]
    head += [f"from em_core import {', '.join(sorted(used, key=str.lower))}"]
    head += [line for line in recipe.imports if not line.startswith("from pathlib")]
    head += ["", "threadpool_limits(1)  # as the app does: sums are then added in the same order"]
    return "\n".join([*_needs(recipe, body), *head, "", *body, ""])


def _model(settings: Settings, model: Any, selection: Selection) -> str:
    """The Python of a model as it is fitted: in units of its own, if it is."""
    code, of = family_of(settings).code(settings), _of(selection)
    if selection.whole is not None and standardises(settings):
        return f"Standardised.of_columns({code}, data.overview().columns)"
    if transformations := optional(model, "transformations"):
        more = f", {of}" if standardises(settings) else ""
        return f"Transformed.by({code}, {transformations!r}{more})"
    return f"Standardised.of({code}, {of})" if standardises(settings) else code


def _of(selection: Selection) -> str:
    """The rows, with their weights if these do not come along."""
    apart = selection.weights is not None and selection.whole is None
    return "data, weights" if apart else "data"


def _compared(settings: Settings, selection: Selection, grid: Grid) -> Iterator[str]:
    """Lines that compare the models of a grid."""
    yield "models = {"
    for label, model in grid.models.items():
        chosen = replace(settings, **cell_settings(settings, label))
        yield f"    {label!r}: {_model(chosen, model, selection)},"
    yield "}"
    how = f"folds={grid.folds}, tolerance={grid.tolerance!r}, max_iterations={grid.max_iterations}"
    seeds = f"range({grid.seeds.start}, {grid.seeds.stop}), {[*grid.starts]!r}"
    yield f"grid = select(models, data, {seeds},\n              {how}{_weights(selection)})"
    if grid.times:
        yield f"for _ in range({grid.times}):\n    list(grid)  # runs it"
        yield f"    grid = grid.go_on({_of(selection)}, times={grid.times})"
    by = repr(settings.criterion)
    yield f"for cell in grid.ranking({by}):\n    print(*cell.label, cell.score({by}))"


def _needs(recipe: Recipe, body: list[str]) -> list[str]:
    """Comments on what must be there before a script runs."""
    needs = [
        f"Python 3.11 or newer, and EM Explorer's folder on the path (em_core "
        f"{em_core.__version__} is in it, and what reads a table): run this there, or put the "
        "folder into PYTHONPATH. Its requirements.txt names the packages.",
        recipe.needs,
    ]
    if "run_path(" in "".join(body):
        needs.append("The file of the model, in the folder where you run this.")
    lines = ["# Needs"]
    for need in filter(None, needs):
        lines += textwrap.wrap(need, 96, initial_indent="# * ", subsequent_indent="#   ")
    return lines


def _weights(selection: Selection) -> str:
    """What `fit` is given of weights."""
    if _of(selection) == "data":
        return ""
    kind = selection.weights_kind
    return ",\n             weights=weights" + f", weights_kind={kind!r}" * (kind != "frequencies")


def _start(settings: Settings, selection: Selection) -> tuple[str, list[str]]:
    """What `fit` is given as the start, and the lines that make it."""
    method = method_of(settings)
    if method == "means":
        means = [list(point) for point in settings.start_means]
        lines = [f"means = np.array({means})"]
        if selection.whole is not None:
            more = "sample = data.overview()"
            return "from_means(model, sample.rows, means, sample.weights)", [*lines, more]
        of = "data, means, weights" if _of(selection) != "data" else "data, means"
        return f"from_means(model, {of})", lines
    if method == "parameters":
        lines = [f"start = model.params(**json.loads({settings.start_params!r}))"]
        return "start", lines
    return json.dumps(method), []


def _numbers(run: Run, index: int) -> list[str]:
    """Lines that print the numbers of a half-step, in the original units."""
    place = -1 if index == len(run.trace) - 1 else index
    return [
        f"step = result.trace[{place}]  # {half_step_shown(run, index)}",
        "print(step.log_likelihood, result.n_iterations, result.stop_reason)",
        *[r'print("Collapsed:", *result.flags, sep="\n")'] * run.finished_fit.collapsed,
        "print(step.params)",
    ]


def _after_the_fit(
    settings: Settings, selection: Selection, described: Described | None
) -> Iterator[str]:
    """Lines that work out what pages say of the end of a fit; by all rows, where these are not at
    hand."""
    more = ", weights=weights" * (_of(selection) != "data")
    by_rows = selection.whole is None
    numbers = "print(row.name, row.estimate, row.standard_error, row.lower, row.upper)"
    if described is not None and by_rows:
        if not isinstance(described.quality, str):
            yield f"print(inference.class_quality(result, data{more}))"
        if not isinstance(described.residuals, str):
            yield f"print(inference.bivariate_residuals(result, data{more}).statistics)"
    if settings.intervals:
        yield f"sure = inference.intervals(result, data{more})"
        yield f"for row in sure.reported:\n    {numbers}"
        if settings.resampled and by_rows:
            yield f"again = inference.bootstrap(result, data, {REPLICATES}{more})"
            yield 'print(again.stayed, "of", again.replicates)'
            yield f"for row in again.reported:\n    {numbers}"
    if settings.halved and family_of(settings).unit and by_rows:
        how = f"{SPLITS}, starts={STARTS}, start={json.dumps(recommended_start(settings))}"
        yield f"halves = inference.split_half(result, data, {how}{more})"
        yield "print(halves.mean, halves.mean_stayed)"


def _recipe(settings: Settings, selection: Selection, table: Table, download: str) -> Recipe:
    """How the table comes to be."""
    if settings.source == "table":
        return recipe_of(table, settings.preparation, download)
    made, function = f"load({example_of(settings)!r})", "load"
    if table.whole is not None and selection.whole is not None:
        return _served_recipe(settings, selection, table.whole)
    if settings.source == "draw":
        return _drawn_recipe(settings, table)
    if settings.source == "generate":
        function = "generate"
        made = (
            f"generate({settings.generator!r}, {settings.n_rows}, {settings.true_components}, "
            f"{settings.n_columns}, np.random.default_rng({settings.data_seed}))"
        )
    imports: tuple[str, ...] = (f"from em_core.datasets import {function}",)
    if settings.preparation:
        more, frame = after(settings.preparation, f"from_dataset({made})")
        imports += (*more, "from pages.ui.tables.table import from_dataset")
        return Recipe("", imports, (f"table = {frame}.taken_frame.copy()",))
    lines = [
        f"dataset = {made}",
        "table = pd.DataFrame(dataset.values, columns=list(dataset.columns))",
    ]
    group = selection.group_name
    if group is not None and group not in table.frame.columns[:-1]:
        lines += [f"table[{group!r}] = dataset.labels"]
    return Recipe("", imports, tuple(lines))


def _served_recipe(settings: Settings, selection: Selection, whole: Whole) -> Recipe:
    """A data set on the server is read in pieces, without the rows that cannot be used."""
    columns, files = list(selection.columns), as_brought(called(whole.data_set.root))
    more, imports = "", ()
    one = ".as_one_sequence()" * (whole.group == "")
    assert selection.whole is not None, "it is asked of a data set on the server"
    if selection.weight_name:
        more = f", weights={selection.weight_name!r}"
    if whole.group:
        more += f", sequences={whole.group!r}"
    if levels := levels_read(selection.whole):
        more += f",\n    levels={levels!r}"
    if selection.whole.n_rows < whole.data_set.n_rows:
        holes = family_of(settings).holes and settings.missing
        texts = [n for n in (*columns, whole.group) if n in whole.data_set.texts]
        asked = f"{columns!r}, {holes}, {selection.weight_name or ''!r}"
        asked += f", texts={texts!r}" * bool(texts)
        asked += f", group={whole.group!r}" * bool(whole.group)
        more += f",\n    filters=can_be_used({asked})"
        imports = ("from pages.ui.tables.data_set import can_be_used",)
    return Recipe(
        f"The data set {files!r} of the server, in the folder where you run this.",
        imports,
        (f"data = Partitions.from_parquet({files!r}, {columns!r}{more}){one}",),
    )


def _drawn_recipe(settings: Settings, table: Table) -> Recipe:
    """Points drawn by hand stand in the script."""
    made = f"table_of({settings.drawn!r})"
    imports = ("from pages.ui.tables.drawn import table_of",)
    more, frame = after(settings.preparation, made)
    return Recipe("", (*more, *imports), (f"table = {frame}.taken_frame.copy()",))


def _coding(levels: tuple[str, ...], names: list[str], frame: pd.DataFrame) -> list[str]:
    """Lines that put the places of levels in their stead; short ones, where pandas has them in the
    same order, also of cells that no order is declared of, as those taken away are."""
    given = [frame[name] for name in names]
    kinds = [column.astype("category") for column in (*given, *(c.astype(object) for c in given))]
    if all(tuple(map(str, column.cat.categories)) == levels for column in kinds):
        return [
            f"for name in {names!r}:",
            "    codes = table[name].astype('category').cat.codes",
            "    table[name] = codes.where(codes >= 0)",
        ]
    return [
        f"levels = {[*levels]!r}",
        f"for name in {names!r}:",
        "    codes = {level: code for code, level in enumerate(levels)}",
        "    cells = table[name].astype(object).map(str, na_action='ignore')",
        "    table[name] = cells.map(codes).astype(float)",
    ]


def rows_used(selection: Selection, data: Any, frame: pd.DataFrame) -> list[str]:
    """Lines that take from the table what the model takes. frame: the rows of the table."""
    columns, group = list(selection.columns), selection.group_name
    lines = []
    coded: dict[tuple[str, ...], list[str]] = {}
    for name, levels in zip(columns, selection.levels, strict=False):
        if levels:
            coded.setdefault(levels, []).append(name)
    for levels, names in coded.items():
        lines += _coding(levels, names, frame)
    lines += [f"data = table[{columns!r}].to_numpy(float, na_value=np.nan)"]
    used = "np.isfinite(data).all(axis=1)"
    if np.isnan(selection.values).any():
        used = "~np.isinf(data).any(axis=1) & ~np.isnan(data).all(axis=1)"
    if selection.weights is not None:
        lines += [f"weights = table[{selection.weight_name!r}].to_numpy(float, na_value=np.nan)"]
        used += " & ~np.isnan(weights)"
    if not selection.groups:
        if selection.weights is None:
            lines += [f"data = data[{used}]"]
        else:
            lines += [f"used = {used}", "data, weights = data[used], weights[used]"]
        one_sequence = isinstance(data, list) and selection.weights is not None
        lines += ["weights = weights[:1]  # of the only sequence"] * one_sequence
        return [*lines, "data = data[:, 0]"] if np.ndim(data) == 1 else lines
    lines += [
        f"groups = table[{group!r}]",
        f"used = {used} & groups.notna().to_numpy()",
        "groups = groups[used]",
        "data = [data[used][groups == name] for name in groups.unique()]",
    ]
    if selection.weights is not None:
        lines += ["weights = [weights[used][groups == name][0] for name in groups.unique()]"]
    return lines
