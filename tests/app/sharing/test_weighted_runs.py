"""Runs with weights: the Python offered gives their numbers, and files and tables say them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from em_core.data import WeightsKind
from em_core.inference.agreement import adjusted_rand_index
from pages.ui.families.collapse import heap
from pages.ui.families.table import family_of
from pages.ui.panels.report import agreement_with_labels, rows_of
from pages.ui.sharing import takeaway
from pages.ui.state.changes import changed
from pages.ui.state.scenes import scene_of
from pages.ui.state.settings import Settings
from pages.ui.tables.reading import read_table
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from pages.ui.tables.weights import weighted
from support.runs import run_of

RNG = np.random.default_rng(0)
PATTERNS = Path(__file__).parents[2] / "tables/25-patterns-with-counts.csv"


def measurements() -> str:
    values = RNG.normal(size=(60, 2)) + 4 * RNG.integers(0, 2, (60, 1))
    frame = pd.DataFrame(values, columns=["x", "y"])
    frame["part"] = [f"s{i // 6}" for i in range(60)]
    frame["w"] = RNG.uniform(0.2, 3, 60)
    frame["n"] = np.repeat(RNG.integers(0, 4, 10), 6) + np.repeat(np.eye(10)[0].astype(int), 6)
    frame.loc[7, "x"], frame.loc[30, "w"], frame.loc[31, "w"] = np.nan, np.nan, 0.0
    return frame.to_csv(index=False)


def chosen(
    content: bytes, settings: Settings, kind: WeightsKind = "frequencies"
) -> tuple[Table, Selection]:
    table = read_table("rows.csv", content)
    family = family_of(settings)
    group = "part" if family.grouping and "part" in table.frame else None
    assert settings.weight_column
    selection = family.read(table, settings.columns, None, group, family.holes)
    return table, weighted(selection, table, settings.weight_column, kind, family.grouping)


PLACED = ((0.0, 0.0), (4.0, 4.0))
CASES = {
    "patterns": ("bernoulli-mixture", "freq", "frequencies", {}),
    "sampling weights": ("gaussian-mixture", "w", "sampling", {}),
    "standardised": (
        *("gaussian-mixture", "w", "sampling"),
        {"standardise": True, "covariance": "EEV"},
    ),
    "placed": ("gaussian-mixture", "n", "frequencies", {"start": "means", "start_means": PLACED}),
    "sequences": ("gaussian-hmm", "n", "frequencies", {}),
    "groups": ("two-level", "n", "frequencies", {}),
    "factors": ("factor-analysis", "w", "sampling", {"n_factors": 1}),
}


@pytest.mark.parametrize("name", CASES)
def test_the_script_gives_the_numbers_of_a_run_with_weights(name, tmp_path, monkeypatch):
    family, column, kind, more = CASES[name]
    content = PATTERNS.read_bytes() if column == "freq" else measurements().encode()
    columns = ("item_a", "item_b", "item_c") if column == "freq" else ("x", "y")
    if name == "factors":
        columns = ("x", "y", "n")
    settings = changed(
        Settings(), source="table", family=family, columns=columns, weight_column=column, **more
    )
    table, selection = chosen(content, settings, kind)
    run = run_of(settings, selection)
    fit = run.finished_fit
    monkeypatch.chdir(tmp_path)
    Path(table.file).write_bytes(content)
    made: dict = {}
    exec(takeaway.script(settings, selection, table, run, len(run.trace) - 1, "rows.parquet"), made)
    # Many iterations: as many threads of BLAS may add up in another order.
    assert made["result"].log_likelihood == pytest.approx(fit.log_likelihood, rel=1e-11)
    assert made["result"].bic == pytest.approx(fit.bic, rel=1e-11)
    assert made["result"].weights_kind == fit.weights_kind == kind
    assert fit.n_observations == pytest.approx(selection.total)
    told = json.loads(
        takeaway.parameters_as_json(settings, selection, table, run, len(run.trace) - 1)
    )
    assert (told["weight_column"], told["weights_kind"]) == (column, kind)
    assert told["n_observations"] == pytest.approx(fit.n_observations)
    rows = takeaway.with_results(settings, table, selection, run, len(run.trace) - 1)
    assert len(rows) == len(table.frame) and column in rows
    for _, frame in family_of(settings).tables(run.model, fit.params, selection, settings):
        assert len(frame)


def test_what_is_counted_goes_by_frequencies():
    settings = changed(
        Settings(), source="table", family="bernoulli-mixture", weight_column="freq",
        columns=("item_a", "item_b", "item_c"),
    )  # fmt: skip
    _, selection = chosen(PATTERNS.read_bytes(), settings)
    assert selection.total == 200
    assert rows_of(200.0, selection) == "n = 200, the sum of the weights of 8 rows"
    run = run_of(settings, selection)
    (_, table), *_ = family_of(settings).tables(
        run.model, run.finished_fit.params, selection, settings
    )
    assert table.loc["expected rows, by their weights"].sum() == pytest.approx(200)
    labelled = selection._replace(labels=np.array(list("aabbaabb"), object), label_name="l")
    rand, confusion = agreement_with_labels(
        run.model, run.finished_fit.params, run.data, labelled, ("class 1", "class 2")
    )
    assert confusion.to_numpy().sum() == 200 and -1 < rand < 1
    clusters = np.concatenate([[*run.model.predict(run.finished_fit.params, run.data)]])
    assert selection.frequencies is not None and labelled.labels is not None
    often = selection.frequencies.astype(int)
    repeated = np.repeat(labelled.labels, often), np.repeat(clusters, often)
    assert rand == pytest.approx(adjusted_rand_index(*repeated))
    assert heap(selection).startswith("81 of 200 rows are equal")
    sampling = selection._replace(weights_kind="sampling")
    assert sampling.total == 8 and not heap(sampling)
    assert rows_of(8.0, sampling) == "n = 8 rows, to which their weights are scaled"


def test_bars_count_rows_by_their_weights():
    """A histogram, and the bars of counts, of 3 rows of which one stands for eight."""
    content = b"x,n\n0,1\n1,8\n4,3\n"
    settings = changed(
        Settings(), source="table", family="poisson-mixture", columns=("x",), weight_column="n",
        n_components=1,
    )  # fmt: skip
    _, selection = chosen(content, settings)
    run = run_of(settings, selection)
    scene = scene_of("run", run.model, run.data, run.trace, selection, settings, most=50)
    picture, _ = family_of(settings).picture(scene)
    (bars,) = [m for chart in picture.charts for m in chart.marks if m.kind == "bars"]
    assert bars.values[0, :, 3] == pytest.approx(np.array([1, 8, 0, 0, 3]) / 12)
    of_gaussian = replace(settings, family="gaussian-mixture")
    for kind, counted in (("frequencies", [1, 8, 3]), ("sampling", [0.25, 2, 0.75])):
        rows = selection._replace(weights_kind=kind)
        scene = scene_of("run", run.model, run.data, run.trace, rows, of_gaussian, most=50)
        assert scene.counts == pytest.approx(counted)
