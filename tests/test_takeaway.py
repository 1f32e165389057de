"""What people take away: the same numbers, nothing that a spreadsheet program would run."""

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from browser import ROOT

from em_core import datasets
from pages.ui.models.beginnings import beginning
from pages.ui.models.families import FAMILIES, example_of, family_of
from pages.ui.models.parameters import arrays
from pages.ui.settings import Settings, changed
from pages.ui.sharing import takeaway
from pages.ui.table.columns import default_columns, describe_columns, suggest_label
from pages.ui.table.reading import read_table
from pages.ui.table.selection import Selection, select
from pages.ui.table.table import Table, from_dataset
from pages.ui.table.writing import to_csv_bytes, to_parquet_bytes
from pages.ui.work.runs import Run


def table_of(settings: Settings) -> Table:
    if settings.source == "example":
        return from_dataset(datasets.load(example_of(settings)))
    rng = np.random.default_rng(settings.data_seed)
    made = datasets.generate(
        settings.generator, settings.n_rows, settings.true_components, settings.n_columns, rng
    )
    return from_dataset(made)


def selected(settings: Settings, table: Table) -> Selection:
    family = family_of(settings)
    reports = describe_columns(table)
    label = suggest_label(table, reports)
    group = label if family.grouping == "group" else None
    columns = settings.columns or default_columns(
        reports, label, family.takes, family.prefers, family.most_columns
    )
    columns = [name for name in columns if name != group]
    return family.read(table, columns, label if family.unit else None, group, family.holes)


def run_of(settings: Settings, selection: Selection) -> Run:
    family = family_of(settings)
    model, rows = family.build(settings), family.data(selection)
    run = Run(
        key="",
        model=model,
        data=rows,
        start=beginning(model, settings, rows),
        tolerance=settings.tolerance,
        max_iterations=settings.max_iterations,
        standardise=settings.standardise,
    )
    run.begin()
    run.done.wait()
    assert not run.error
    return run


SETTINGS = {
    **{
        name: Settings(family=name, example=family.examples[0], max_iterations=60)
        for name, family in FAMILIES.items()
    },
    "standardised": Settings(example="wine", n_components=3, standardise=True, covariance="diag"),
    "generated": Settings(source="generate", n_components=3, seed=2**32 - 1, data_seed=7),
    "placed": Settings(start="means", start_means=((2.0, 60.0), (4.5, 80.0))),
    "standardised and placed": Settings(
        start="means", start_means=((2.0, 60.0), (4.5, 80.0)), standardise=True
    ),
    "explicit": Settings(
        start="parameters",
        start_params=json.dumps(
            {
                "weights": [0.3, 0.7],
                "means": [[2, 55], [4, 80]],
                "covariances": [[[1, 0], [0, 30]], [[1, 0], [0, 30]]],
            }
        ),
    ),
    "missing": Settings(family="poisson-mixture", example="airquality", columns=("ozone", "temp")),
    "holes": Settings(example="airquality"),
    "forward": Settings(
        family="gaussian-hmm", example="geyser", transitions="forward", initial="free"
    ),
    "strays standardised": Settings(
        family="student-mixture", example="strays", standardise=True, max_iterations=20
    ),
}


def execute(code: str, folder: Path) -> list[str]:
    """The first line that the script prints, in words."""
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout.split()[:3]


def expect_the_same(settings: Settings, table: Table, folder: Path) -> None:
    selection = selected(settings, table)
    run = run_of(settings, selection)
    fitted = run.fit
    (folder / f"{takeaway.RESULTS_NAME}.csv").write_bytes(
        to_csv_bytes(takeaway.with_results(settings, table, selection, run))
    )
    code = takeaway.script(settings, selection, table)
    said = execute(code, folder)
    assert float(said[0].strip("np.float64()")) == pytest.approx(fitted.log_likelihood, rel=1e-13)
    assert [int(said[1]), said[2]] == [fitted.n_iterations, fitted.stop_reason]


@pytest.mark.parametrize("name", SETTINGS)
def test_the_script_gives_the_numbers_shown(name: str, tmp_path: Path) -> None:
    settings = SETTINGS[name]
    if settings.columns and not set(settings.columns) <= set(table_of(settings).frame):
        columns = table_of(settings).frame.columns[:2]
        settings = replace(settings, columns=tuple(columns))
    expect_the_same(settings, table_of(settings), tmp_path)


def test_the_script_for_an_uploaded_table(tmp_path: Path) -> None:
    """Decimal commas, a name that looks like a formula, rows left out: as the app read them."""
    rng = np.random.default_rng(1)
    lines = [f"{x!r};{y!r};t" for x, y in rng.normal(size=(80, 2)).tolist()]
    lines[3], lines[9] = "NA;1.5;t", "1.5;1e999;t"
    text = "=cmd|' /C calc'!A0;@b;kind\n" + "\n".join(lines).replace(".", ",")
    table = read_table("mine.csv", text.encode())
    settings = changed(Settings(), source="table", fingerprint=table.fingerprint[:16])
    expect_the_same(settings, table, tmp_path)


def test_the_script_is_about_ten_lines() -> None:
    settings = Settings(example="iris")
    code = takeaway.script(settings, selected(settings, table_of(settings)), table_of(settings))
    body = [line for line in code.splitlines() if line and "import" not in line]
    assert len(body) <= 11  # and two are prints


def test_parameters_and_trace() -> None:
    settings = Settings(example="iris", n_components=3)
    table = table_of(settings)
    selection = selected(settings, table)
    run = run_of(settings, selection)
    content = json.loads(takeaway.parameters_as_json(settings, selection, run.fit))
    for name, array in arrays(run.fit.params).items():
        assert np.array_equal(content[name], array)
    assert [step["elbo"] for step in content["trace"]] == [step.elbo for step in run.trace]
    assert content["log_likelihood"] == content["trace"][-1]["log_likelihood"]


FORMULAS = [
    begin + rest
    for begin in ("=", "+", "-", "@", "\t", "\x00", "\r", "\n", " =", "\N{FULLWIDTH EQUALS SIGN}")
    for rest in (
        "1+1",
        "cmd|' /C calc'!A0",
        'HYPERLINK("http://evil.example","x")',
        "SUM(A1:A9)*2",
        "",
        "=",
        '"; =1',
        "A1,=2",
        "WEBSERVICE(1)",
        "@x",
    )
]
RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "\N{FULLWIDTH EQUALS SIGN}")


def test_100_formulas_in_every_table_to_take_away() -> None:
    assert len(FORMULAS) == 100
    numbers = np.random.default_rng(0).normal(size=100) * 10.0 ** np.arange(-50, 50)
    frame = pd.DataFrame({"number": numbers, "text": pd.Series(FORMULAS, dtype="str")})
    for j, payload in enumerate(FORMULAS):
        frame[payload + "\u200b" * (payload in frame)] = pd.Series([payload] * 100, dtype="str")
        assert frame.shape[1] == 3 + j
    table = Table("=evil", frame, (), "")
    selection = select(table, ["number"], "text")
    result = takeaway.with_results(Settings(), table, selection, run_of(Settings(), selection))
    as_csv = list(csv.reader(io.StringIO(to_csv_bytes(result).decode(), newline="")))
    packed = pq.read_table(io.BytesIO(to_parquet_bytes(result)))
    as_parquet = [packed.column_names, *zip(*[c.to_pylist() for c in packed.columns], strict=True)]
    for rows in (as_csv, as_parquet):
        texts = [cell for row in rows for cell in row if isinstance(cell, str)]
        harmless = [cell for cell in texts if not cell.lstrip(" ").startswith(RUNS)]
        dangerous = set(texts) - set(harmless)
        assert not [cell for cell in dangerous if not is_number(cell)]
        assert np.array_equal([float(row[0]) for row in rows[1:]], numbers)


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
