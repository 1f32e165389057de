"""What families say in numbers of columns that were transformed: in both scales."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from em_core.datasets import load
from pages.ui.families.table import FAMILIES
from pages.ui.state.settings import Settings
from pages.ui.tables.preparation.said import scales_said
from pages.ui.tables.preparation.table import prepared
from pages.ui.tables.preparation.transformed_column import Transform
from pages.ui.tables.table import from_dataset
from support.runs import run_of

MEASURED = [name for name, family in FAMILIES.items() if family.use == "measurement"]


@pytest.mark.parametrize("name", MEASURED)
def test_every_family_tells_medians_of_the_column_before(name: str) -> None:
    family = FAMILIES[name]
    table = prepared(from_dataset(load("iris")), (Transform("petal length", "log"),))
    columns = ("sepal width", "log(petal length)", "petal width")
    group = "species" if family.grouping == "group" else None
    selection = family.read(table, columns, None, group, True)
    settings = replace(Settings(family=name, n_factors=1), max_iterations=5)
    run = run_of(settings, selection)
    assert run.model.transformations == ("", "log", "")
    params = run.finished_fit.params
    tables = family.tables(run.model, params, selection, settings)
    family.results(run.model, params, run.data, selection, settings)
    words = pd.concat([frame for _, frame in tables]).to_string()
    assert "median of petal length" in words or "median before transformation" in words
    values = np.log(table.frame["petal length"].to_numpy(float))
    plain = run_of(settings, selection._replace(scales=()))
    gained = run.finished_fit.log_likelihood - plain.finished_fit.log_likelihood
    assert gained == pytest.approx(-values.sum(), rel=1e-9)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("log", "geometric SD of petal length, a factor"),
        ("log1p", "geometric SD of 1 + petal length, a factor"),
        ("logit_percent", "geometric SD of the odds of petal length, a factor"),
        ("sqrt", ""),
    ],
)
def test_an_sd_of_logarithms_is_told_as_a_factor_too(how: str, said: str) -> None:
    table = prepared(from_dataset(load("iris")), (Transform("petal length", how),))
    made = table.scales[0].column
    family = FAMILIES["gaussian-mixture"]
    selection = family.read(table, ("sepal width", made), None, None, True)
    settings = Settings(n_components=1, max_iterations=5)
    run = run_of(settings, selection)
    frame = family.tables(run.model, run.finished_fit.params, selection, settings)[0][1].iloc[:, 0]
    assert [name for name in frame.index if "geometric" in name] == [said] * bool(said)
    if how == "log":
        logs = np.log(table.frame["petal length"].to_numpy(float))
        assert frame[said] == pytest.approx(np.exp(logs.std()))
    assert ("no counterpart" in " ".join(scales_said(selection))) == (how == "sqrt")


def test_both_levels_tell_the_factors_of_columns_that_are_logarithms() -> None:
    table = prepared(from_dataset(load("iris")), (Transform("petal length", "log"),))
    family = FAMILIES["two-level"]
    columns = ("sepal width", "log(petal length)")
    selection = family.read(table, columns, None, "species", True)
    settings = Settings(family="two-level", max_iterations=5)
    run = run_of(settings, selection)
    frame = family.tables(run.model, run.finished_fit.params, selection, settings)[0][1]
    for words in ("SD between groups", "SD within groups"):
        factors = frame.loc[f"geometric {words}, a factor"]
        assert np.isnan(factors["sepal width"])
        assert factors[columns[1]] == pytest.approx(np.exp(frame.loc[words, columns[1]]))
