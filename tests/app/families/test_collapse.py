"""A collapse is told before anything else, with the rows and columns that it is due to."""

import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import pytest

from em_core import fit
from em_core.inference.degeneracy import Dependency
from pages.ui.families.collapse import equation, heap, why_collapsed
from pages.ui.families.table import family_of
from pages.ui.sharing import takeaway
from pages.ui.state.settings import Settings
from pages.ui.tables.packing import to_text
from pages.ui.tables.table import Table
from pages.ui.text import MINUS
from support.runs import run_of, selected, table_of
from support.visitor import Visitor

TABLES = Path(__file__).parents[2] / "tables"
RGB = "17a-shares-sum-to-one"
TEMPERATURES = "17b-constant-and-copies"
DUMMIES = "17c-dummies"
MIXTURES = "gaussian-mixture", "student-mixture", "gaussian-hmm"


def as_printed(text: str) -> str:
    """With the signs that are no keys of a keyboard."""
    return text.replace("*", "\N{MULTIPLICATION SIGN}").replace("-", MINUS)


def words(name: str, family: str, **chosen) -> str:
    """What is said of a fit to one of the tables; "" where it has not collapsed."""
    settings = Settings(family=family, covariance=chosen.pop("covariance", "full"), **chosen)
    selection = selected(table_of(name), settings)
    family = family_of(settings)
    model, data = family.build(settings), family.data(selection)
    result = fit(model, data, start=settings.start or None, max_iterations=300)
    said = why_collapsed(model, result.params, result.flags, data, selection, family)
    assert bool(said) == result.collapsed
    return said


@pytest.mark.parametrize("n_components", (1, 2))
@pytest.mark.parametrize("family", MIXTURES)
@pytest.mark.parametrize(
    ("name", "said"),
    [
        (RGB, "In all 26 rows red + green + blue = 1."),
        (TEMPERATURES, "In all 26 rows temp_F = 1.8 * temp_C + 32."),
        (DUMMIES, "In all 26 rows is_a + is_b + is_c = 1."),
    ],
)
def test_columns_that_follow_from_others_are_named(name, said, family, n_components) -> None:
    told = words(name, family, n_components=n_components)
    assert told.startswith(as_printed(said))
    assert "Leave out" in told and "“diag”" in told
    assert "fewer" not in told and "another start" not in told


def test_so_they_are_in_every_model_that_they_leave_without_a_maximum() -> None:
    for name, said in ((RGB, "red + green + blue = 1"), (TEMPERATURES, "temp_F = 1.8 * temp_C")):
        assert as_printed(said) in words(name, "gaussian-mixture", covariance="tied")
        assert as_printed(said) in words(name, "probabilistic-pca", n_factors=2)
    assert "temp_F = 1.8" in words(TEMPERATURES, "factor-analysers", n_factors=1)
    assert words(RGB, "gaussian-mixture", covariance="diag") == ""
    alone = words(TEMPERATURES, "factor-analysers", n_factors=1, n_components=1)
    assert "temp_F = 1.8" in alone and "fewer components" not in alone


@pytest.mark.parametrize("family", MIXTURES)
def test_equal_rows_are_counted_and_their_values_given(family: str) -> None:
    told = words("16b-zero-inflated", family)
    unit = "State" if family == "gaussian-hmm" else "Component"
    assert told.startswith(unit)
    assert " sits on 14 equal rows: spend = 0, visits_m = 0." in told


def test_a_spike_is_named_and_an_equal_variance_does_not_fall_for_it() -> None:
    told = words("16a-spike", "gaussian-mixture", start="hierarchical")
    assert "sits on 16 equal rows: x = 1.25." in told and "“tied”" in told
    assert words("16a-spike", "gaussian-mixture", covariance="tied") == ""


def test_few_rows_are_named_by_their_numbers() -> None:
    told = words("27-last-row", "gaussian-hmm", columns=("x",))
    assert "sits on one row, row 20 of the table: x = 50." in told


def test_more_components_than_distinct_rows() -> None:
    many = words("15-seventeen-rows-nine-distinct", "gaussian-mixture", n_components=9)
    assert many.count("sits on") == 3 and "6 others likewise." in many
    tied = words(
        "15-seventeen-rows-nine-distinct", "gaussian-mixture", n_components=9, covariance="tied"
    )
    assert tied.startswith("Every component sits on equal rows: there are only 9 different ones.")
    assert tied.endswith("Use fewer components.")


def test_an_ordinary_boundary_is_no_collapse() -> None:
    """The between-group variance at 0, groups of one, a Poisson rate of 0: these are answers."""
    for name in ("33a-no-difference-between-groups", "33b-groups-of-one"):
        table, settings = table_of(name), Settings(family="two-level")
        family = family_of(settings)
        selection = family.read(table, ["score"], None, "school", False)
        result = fit(family.build(settings), family.data(selection))
        assert result.flags and not result.collapsed
    assert words("26a-zeros-and-one-outlier", "poisson-mixture", n_components=3) == ""


def test_what_does_not_vary_within_groups() -> None:
    rng = np.random.default_rng(0)
    school = np.repeat(list("abcdef"), 5)
    size = np.repeat(rng.normal(size=6), 5)
    score = rng.normal(size=30)
    frame = pd.DataFrame({"school": school, "score": score, "size": size})
    settings = Settings(family="two-level")
    family = family_of(settings)
    selection = family.read(Table("t", frame, (), ""), ["score", "size"], None, "school", False)
    model, data = family.build(settings), family.data(selection)
    result = fit(model, data)
    told = why_collapsed(model, result.params, result.flags, data, selection, family)
    assert told.startswith("Within every group size does not vary.")


def test_what_follows_from_other_columns_within_every_component() -> None:
    """Two parallel lines under one covariance: no column is still, but one follows from another."""
    x = np.random.default_rng(0).normal(size=40)
    frame = pd.DataFrame({"x": x, "y": x + np.repeat([0.0, 9.0], 20)})
    settings = Settings(covariance="tied")
    family = family_of(settings)
    selection = family.read(Table("t", frame, (), ""), ["x", "y"], None, None, False)
    model, data = family.build(settings), family.data(selection)
    result = fit(model, data, start=np.repeat(np.eye(2), 20, axis=0))
    told = why_collapsed(model, result.params, result.flags, data, selection, family)
    assert re.match("Within every component y [=≈] x, but for a constant of each component.", told)


@pytest.mark.parametrize(
    ("coefficients", "constant", "exact", "written"),
    [
        ((1, 1, 1), 100, True, "a + b + c = 100"),
        ((1, 1, 1), 0, True, "a + b + c = 0"),
        ((-1, 0, 1), 0, True, "c = a"),
        ((-1, -1, 1), 0, True, "c = a + b"),
        ((1, -1, 1), -3, True, "c = b - a - 3"),
        ((1, 0, 1), 5, True, "a + c = 5"),
        ((-1.8, 0, 1), 32, True, "c = 1.8 * a + 32"),
        ((-2, -5, 3), 0, True, "3 * c = 2 * a + 5 * b"),
        ((-3, 0, 2), 4, True, "2 * c = 3 * a + 4"),
        ((2, 0, 3), 6, True, "2 * a + 3 * c = 6"),
        ((0, 0, 1), 7, True, "c = 7"),
        ((0, 0, 1), 7, False, "c ≈ 7"),
        ((-1, 0, 1), 0, False, "c ≈ a"),
        ((-np.pi, 0, 1), 0, True, "c ≈ 3.14159 * a"),
        ((-1e-7, 0, 1), 0, True, "c = 1 * 10⁻⁷ * a"),
    ],
)
def test_an_equation_is_written_as_people_write_it(coefficients, constant, exact, written) -> None:
    used = [j for j, a in enumerate(coefficients) if a]
    found = Dependency(
        tuple(used), tuple(float(coefficients[j]) for j in used), float(constant), exact
    )
    assert equation(found, ("a", "b", "c")) == as_printed(written)


def test_a_heap_of_equal_rows_is_told_before_any_fit() -> None:
    told = {
        name: heap(selected(table_of(name), Settings(family="gaussian-mixture")))
        for name in ("16a-spike", "16b-zero-inflated", RGB, "15-seventeen-rows-nine-distinct")
    }
    assert told["16a-spike"].startswith("16 of 29 rows are equal: x = 1.25.")
    assert told["16b-zero-inflated"].startswith("14 of 26 rows are equal: spend = 0, visits_m = 0.")
    assert told[RGB] == told["15-seventeen-rows-nine-distinct"] == ""


def test_json_and_script_begin_with_it(tmp_path: Path) -> None:
    settings = Settings(source="table", family="gaussian-mixture", covariance="full")
    table = table_of("16b-zero-inflated")
    selection = selected(table, settings)
    run = run_of(settings, selection)
    content = takeaway.parameters_as_json(settings, selection, table, run, len(run.trace) - 1)
    assert content.lstrip(b"{\n ").startswith(b'"collapsed": "Component')
    assert "14 equal rows" in json.loads(content)["collapsed"]
    assert "Collapsed:" in takeaway.script(settings, selection, table, run, 0, "rows.parquet")
    sound = replace(settings, covariance="tied")
    run = run_of(sound, selection)
    content = takeaway.parameters_as_json(sound, selection, table, run, 0)
    assert json.loads(content)["collapsed"] is None
    assert "Collapsed:" not in takeaway.script(sound, selection, table, run, 0, "rows.parquet")


@pytest.mark.slow
@pytest.mark.parametrize("page", ("", "local_optima", "model_selection", "lower_bound", "variants"))
def test_every_page_says_it_before_it_says_a_number_of_the_fit(app: str, page: str) -> None:
    asked = {"v": 1, "s": "table", "t": to_text(table_of(RGB)), "m": "gaussian-mixture", "k": 1}
    asked |= {"cov": "full", "ns": 3, "kf": 1, "kt": 1, "cov2": "full", "ne": 2, "rp": 20}
    visitor = Visitor(app, urlencode(asked), page)
    visitor.settle()
    said = visitor.texts.replace("\\", "")
    visitor.close()
    assert "red + green + blue = 1" in said
    place = said.index("red + green + blue = 1")
    for number in ("og-likelihood **", "BIC ", "Optima, best first"):
        assert number not in said[:place].replace("BIC is", "").replace("BIC recommends", "")
    assert "recommends" not in said and "fewer components" not in said
