"""Examples and tables as the pages read them, and fits to them as a page starts them."""

from pathlib import Path

import numpy as np

from em_core import datasets, em, fit
from em_core.data import rows_that_count
from pages.ui.families.table import family_of, model_for
from pages.ui.pictures.picture import Scene
from pages.ui.running.runs import Run
from pages.ui.state.beginnings import beginning, method_of
from pages.ui.state.scenes import scene_of
from pages.ui.state.settings import Settings
from pages.ui.tables.columns import default_columns, describe_columns, suggest_label
from pages.ui.tables.reading import read_table
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table, from_dataset

TABLES = Path(__file__).parents[1] / "tables"


def read(settings: Settings) -> tuple[Table, Selection]:
    """The example of these settings as the page reads it at first."""
    family = family_of(settings)
    table = from_dataset(datasets.load(settings.example))
    reports = describe_columns(table)
    suggested = suggest_label(table, reports)
    group = suggested if family.grouping == "group" else None
    columns = settings.columns or default_columns(
        reports, suggested, family.takes, family.prefers, family.most_columns
    )
    columns = tuple(name for name in columns if name != group)
    label = suggested if family.unit else None
    return table, family.read(table, columns, label, group, family.holes)


def started(settings: Settings, iterations: int = 5) -> tuple[Table, Selection, Scene]:
    table, selection = read(settings)
    return table, selection, begun(settings, table, selection, iterations)


def begun(settings: Settings, table: Table, selection: Selection, iterations: int) -> Scene:
    """The scene of the first iterations on what was selected."""
    family = family_of(settings)
    model, rows = family.build(settings), family.data(selection)
    start = model.initial_params(rows, method_of(settings), np.random.default_rng(0))
    steps = [*em(model, rows, start, max_iterations=iterations)]
    return scene_of("run", model, rows, steps, selection, settings, most=300, table=table)


def expected(settings: Settings) -> tuple[str, int]:
    """The log-likelihood as the page writes it, and the number of iterations, fitted here."""
    _, selection = read(settings)
    family = family_of(settings)
    result = fit(
        family.build(settings),
        family.data(selection),
        seed=settings.seed,
        start=method_of(settings),
        max_iterations=settings.max_iterations,
    )
    likelihood = f"{result.log_likelihood:,.2f}".replace("-", "\N{MINUS SIGN}")
    return f"Log-likelihood {likelihood} nats", result.n_iterations


def table_of(name: str) -> Table:
    return read_table(f"{name}.csv", (TABLES / f"{name}.csv").read_bytes())


def selected(table: Table, settings: Settings) -> Selection:
    family = family_of(settings)
    reports = describe_columns(table)
    columns = default_columns(reports, None, family.takes, family.prefers, family.most_columns)
    return family.read(table, settings.columns or columns, None, None, family.holes)


def run_of(settings: Settings, selection: Selection) -> Run:
    family = family_of(settings)
    rows = family.data(selection)
    weights, kind = family.weights(selection), selection.weights_kind
    model = model_for(settings, rows, weights, selection.transformations)
    run = Run(
        key="",
        model=model,
        data=rows,
        weights=weights,
        weights_kind=kind,
        start=beginning(model, settings, *rows_that_count(model, rows, weights, kind)),
        tolerance=settings.tolerance,
        max_iterations=settings.max_iterations,
    )
    run.begin()
    run.done.wait()
    assert not run.error
    return run
