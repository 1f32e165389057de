"""Columns that say which row it is, not what was measured there."""

import numpy as np
import pandas as pd
import pytest

from em_core import datasets
from pages.ui.tables import keys
from pages.ui.tables.columns import default_columns, describe, describe_columns
from pages.ui.tables.table import Table, from_dataset


def aside(name: str, values) -> str:
    return describe(name, pd.Series(values)).aside


def drawn_keys(rng: np.random.Generator, rows: int) -> dict[str, tuple[str, object]]:
    """Columns that measure nothing, by name, each with what it is."""
    days = pd.date_range("2019-01-01", "2023-12-31").strftime("%Y%m%d").astype(int)
    return {
        "shuffled": (keys.NUMBERED, rng.permutation(rows) + int(rng.integers(1, 9000))),
        "customer_id": (keys.NUMBERED, rng.choice(10**6, rows, replace=False)),
        "ref": (keys.NUMBERED, 100_001 + rng.choice(800_000, rows, replace=False)),
        "PLZ": (keys.POSTAL, rng.choice([1067, 10115, 50667, 80331], rows)),
        "fips": (keys.CODES, rng.choice([17031, 36061, 48201], rows)),
        "phone": (keys.TELEPHONE, 5_550_000 + rng.choice(9999, rows)),
        "call": (keys.TELEPHONE, 4_915_100_000_000 + rng.choice(10**9, rows)),
        "interview": (keys.DATES, rng.choice(days, rows)),
        "wave": (keys.YEARS, np.sort(rng.choice([2018, 2019, 2020], rows))),
        "Jahr": (keys.YEARS, rng.choice([1998, 2004, 2011], rows)),
        "site": (keys.SAME, np.full(rows, 7)),
        "subject_id": (keys.WHOSE, np.resize(np.arange(1, rows // 3 + 1), rows)),
        "row": (keys.ROW_NUMBERS, np.arange(rows) + int(rng.integers(0, 99))),
        "who": (keys.NAMED, [f"person {i} of {rng.integers(9)}" for i in range(rows)]),
    }


def drawn_measurements(rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    return {
        "height": rng.normal(170, 10, rows).round(1),
        "weight": rng.normal(70, 10, rows).round(),
        "income": (rng.lognormal(10, 0.5, rows) / 100).round() * 100,
        "visits": rng.poisson(3, rows),
        "age": rng.integers(18, 90, rows),
        "displacement": rng.normal(1900, 300, rows).round(),
        "mood": rng.choice(["low", "middle", "high"], rows),
        "balance": rng.normal(0, 30_000, rows).round(),
        "rooms": rng.integers(1, 9, rows),
        "number": rng.integers(1, 9, rows),
        "number of rooms": rng.choice(rows * 40, rows, replace=False),
    }


@pytest.mark.parametrize("seed", range(20))
def test_keys_are_told_and_measurements_are_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(20, 300))
    for name, (what, values) in drawn_keys(rng, rows).items():
        assert aside(name, values) == what, name
    for name, values in drawn_measurements(rng, rows).items():
        assert aside(name, values) == "", (name, values)


@pytest.mark.parametrize("seed", range(5))
def test_only_measurements_are_chosen_at_first(seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = {name: values for name, (_, values) in drawn_keys(rng, 60).items()}
    measured = {n: v for n, v in drawn_measurements(rng, 60).items() if n != "mood"}
    frame = pd.DataFrame(columns | measured)
    frame = frame[rng.permutation(list(frame))]
    chosen = default_columns(describe_columns(Table("t", frame, (), "")), most=99)
    assert set(chosen) == set(measured)


def test_a_few_rows_or_cells_of_numbers_are_no_identifiers() -> None:
    assert aside("x", [3, 1, 2]) == ""
    assert aside("price", [f"{i} EUR" for i in range(20)]) == ""


@pytest.mark.parametrize("name", datasets.EXAMPLES)
def test_columns_of_an_example_are_all_meant(name: str) -> None:
    reports = describe_columns(from_dataset(datasets.load(name)))
    assert all(not report.aside or report.row_number for report in reports)
