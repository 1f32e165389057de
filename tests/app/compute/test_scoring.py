"""Rows that a model was not fitted to: columns and levels by name, posteriors, what is unusual."""

import json

import numpy as np
import pandas as pd
import pytest

from em_core import (
    Bernoulli,
    FactorAnalysis,
    Gaussian,
    HiddenMarkov,
    Mixture,
    Poisson,
    Transformed,
    dump,
    fit,
)
from em_core.datasets import load
from pages.ui.compute import scoring
from pages.ui.compute.scoring import Scored, score, score_with_file
from pages.ui.tables.matching import match
from pages.ui.tables.preparation.filtering import Filter
from pages.ui.tables.preparation.levels import Spelling
from pages.ui.tables.preparation.said import new_rows_said
from pages.ui.tables.preparation.table import (
    for_new_rows,
    prepared,
    read_with_units,
    with_units,
    write_steps,
)
from pages.ui.tables.preparation.time_order import TimeOrder
from pages.ui.tables.preparation.transformed_column import Transform
from pages.ui.tables.table import DataError, Table
from pages.ui.tables.units import are_one_unit


def ended(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def table(**columns) -> Table:
    return Table("new.csv", pd.DataFrame(columns), (), "")


def test_columns_are_matched_by_name_and_what_differs_is_named() -> None:
    new = table(**{"Bill Length": [1.0, 2.0], "extra": ["a", "b"], "flipper": ["x", "3"]})
    found = match(new, ("bill_length", "flipper", "mass"))
    np.testing.assert_array_equal(found.values, [[1, np.nan, np.nan], [2, 3, np.nan]])
    assert found.renamed == (("Bill Length", "bill_length"),)
    assert found.missing == ("mass",) and found.ignored == ("extra",)
    assert found.marks.tolist() == ["flipper: 'x' is no number", ""]
    with pytest.raises(DataError, match="none of the columns of the model: a, b"):
        match(new, ("a", "b"))


def test_levels_are_matched_by_name_and_unseen_ones_marked() -> None:
    found = match(table(q=["often", "never", "daily", None]), ("q",), (("never", "often"),))
    np.testing.assert_array_equal(found.values[:, 0], [1, 0, np.nan, np.nan])
    assert found.marks.tolist() == ["", "", "q: 'daily' is a level that the model has not seen", ""]
    found = match(table(q=[2.0, 1.0]), ("q",), (("1", "2"),))
    np.testing.assert_array_equal(found.values[:, 0], [1, 0])


def test_scores_are_the_posterior_and_odd_rows_are_marked() -> None:
    rows = np.asarray(load("faithful").values, dtype=float)
    result = fit(Mixture(Gaussian(), 2), rows)
    new = table(waiting=[80.0, 55, 70, np.nan, 80], eruptions=[4.3, 2, 30, 2, np.nan])
    found = ended(score(result, ("eruptions", "waiting"), (), ("", "long"), "component", new))
    assert isinstance(found, Scored)
    values = new.frame[["eruptions", "waiting"]].to_numpy()
    shares = result.posterior(values).responsibilities
    got = found.rows[[f"P({name})" for name in found.names]].to_numpy()
    np.testing.assert_array_equal(got, shares)
    assert found.rows["unusual"].tolist() == ["", "", "yes", "", ""] and found.n_unusual == 1
    assert found.rows["cluster"].isin(["component 1", "long"]).all()
    # The same by the file, with the bits of the original.
    text = dump(result, columns=("eruptions", "waiting"))
    again = ended(score_with_file(text, new))
    np.testing.assert_array_equal(again.rows["P(component 1)"], got[:, 0])
    damaged = json.loads(text) | {"columns": []}
    assert "does not say what its columns" in ended(score_with_file(json.dumps(damaged), new))


def test_rows_of_transformed_columns_are_scored_on_the_scale_of_their_steps() -> None:
    rows = np.exp(np.asarray(load("faithful").values, dtype=float) / 20)
    frame = pd.DataFrame({"a": rows[:, 0], "b": rows[:, 1]})
    prepared_table = prepared(Table("t", frame, (), ""), (Transform("b", "log"),))
    columns = ("a", "log(b)")
    values = prepared_table.frame[[*columns]].to_numpy()
    result = fit(Transformed.by(Mixture(Gaussian(), 2), ("", "log")), values)
    found = ended(score(result, columns, (), (), "component", prepared_table))
    got = found.rows[[f"P({name})" for name in found.names]].to_numpy()
    np.testing.assert_array_equal(got, result.posterior(values).responsibilities)
    # A saved model brings its steps along: the rows come as they were before them.
    steps = (Filter("a", "is at least", ("9",)), Transform("b", "log"))
    text = dump(result, columns=columns, preparation=write_steps(steps))
    again = ended(score_with_file(text, Table("t", frame, (), "")))
    np.testing.assert_array_equal(again.rows[[f"P({name})" for name in again.names]], got)
    said = new_rows_said(again.steps, again.columns)
    assert "the same steps of preparation: log(b)" in said and "All new rows are scored" in said
    without = ended(score_with_file(text, Table("t", frame[["a"]], (), "")))
    assert without.startswith("The steps of preparation cannot be applied to the new rows.")


def test_answers_states_and_factors_are_scored_in_their_own_terms() -> None:
    rng = np.random.default_rng(0)
    answers = (rng.random((200, 3)) < 0.5).astype(float)
    result = fit(Mixture(Bernoulli(), 2), answers)
    found = ended(score(result, ("a", "b", "c"), (), (), "class", table(a=[1, 7], b=[0, 1])))
    assert found.rows["marks"].tolist() == ["", "a: 7 is a level that the model has not seen"]
    assert found.matched.missing == ("c",) and found.n_odd == 1
    series = rng.normal(size=(100, 1)) + 4 * (np.arange(100)[:, None] // 25 % 2)
    chain = fit(HiddenMarkov(Gaussian(), 2), [series])
    found = ended(score(chain, ("x",), (), (), "state", table(x=series[:40, 0])))
    assert found.n_unusual == 0 and set(found.rows["state"]) == {"state 1", "state 2"}
    factors = fit(FactorAnalysis(1), rng.normal(size=(100, 1)) + rng.normal(size=(100, 4)))
    names = tuple("abcd")
    found = ended(
        score(factors, names, (), (), "", table(a=[0.0, 50], b=[0, 1], c=[0, 1], d=[1, 1]))
    )
    assert found.rows["unusual"].tolist() == ["", "yes"]
    assert "factor 1 (as EM leaves it)" in found.rows


def test_a_chain_is_scored_in_the_order_of_time_and_rows_without_one_are_not() -> None:
    rng = np.random.default_rng(1)
    series = np.concatenate([rng.normal(0, 1, 40), rng.normal(2, 1, 40)])[:, None]
    chain = fit(HiddenMarkov(Gaussian(), 2), [series])
    times = [f"2020-01-{day:02}" for day in range(9, 0, -1)]
    times[4] = None
    new = Table("t", pd.DataFrame({"x": series[36:45, 0], "when": times}), (), "")
    found = ended(score(chain, ("x",), (), (), "state", prepared(new, (TimeOrder("when"),))))
    timed = np.array([8, 7, 6, 5, 3, 2, 1, 0])
    expected = chain.posterior([series[36:45][timed]]).state_probabilities[0][:, 0]
    got = found.rows[f"P({found.names[0]})"].to_numpy()
    np.testing.assert_allclose(got[timed], expected)
    assert np.isnan(got[4]) and found.clock == "when" and found.matched.ignored == ()


def test_an_exact_name_is_nobody_elses_and_levels_are_found_by_their_spelling() -> None:
    found = match(table(**{"t-": [1.0]}), ("t+", "t-"))
    np.testing.assert_array_equal(found.values, [[np.nan, 1]])
    assert found.missing == ("t+",) and found.renamed == ()
    found = match(table(q=["ULM ", "ulm", "Ulm"]), ("q",), (("Rom", "Ulm"),))
    assert found.values[:, 0].tolist() == [1, 1, 1] and found.marks.tolist() == [""] * 3
    assert {there for _, there in found.respelt} == {"Ulm"}


@pytest.mark.parametrize(
    "names",
    [
        ("7", "007", "x"),
        ("0.1", "0.10"),
        ("1e3", "1000"),
        ("nan", "NaN"),
        ("+1", "1"),
        ("1_0", "10"),
        ("Ja", "ja"),
        ("1234567890123456", "1234567890123457"),
    ],
)
def test_levels_that_are_alike_are_each_its_own(names: tuple[str, ...]) -> None:
    found = match(table(q=list(names)), ("q",), (names,))
    assert found.values[:, 0].tolist() == [*range(len(names))] and found.respelt == ()


def test_numbers_are_levels_however_they_are_written_where_one_alone_is_meant() -> None:
    def scored(cells: list) -> tuple[list[float], tuple]:
        found = match(table(q=cells), ("q",), (("1", "2", "02", "12345678901234567"),))
        return found.values[:, 0].tolist(), found.respelt

    assert scored([1.0]) == ([0], ())
    assert scored(["01", "1.0"]) == ([0, 0], (("01", "1"), ("1.0", "1")))
    for cells in (["2.0"], [2.5], ["12345678901234568"]):
        assert np.isnan(scored(cells)[0]).all()


def test_steps_that_learn_from_their_table_are_not_learnt_anew() -> None:
    ranks, log = Transform("x", "ranks"), Transform("x", "log")
    kept = for_new_rows((Spelling(), Filter("x", "is", ("1",)), ranks, log), ("log(x)",))
    assert kept == (log,)
    with pytest.raises(DataError, match=r"rank of x.*new rows"):
        for_new_rows((ranks,), ("rank of x",))


def test_rows_with_too_many_sets_of_missing_cells_are_said_not_to_be_looked_at() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 9))
    result = fit(Mixture(Gaussian("diag"), 1), rows)
    holes = ((np.arange(511)[:, None] >> np.arange(9)) & 1).astype(bool)
    new = pd.DataFrame(np.where(holes, np.nan, 999.5), columns=[f"v{d}" for d in range(9)])
    found = ended(score(result, tuple(new), (), (), "component", Table("t", new, (), "")))
    assert found.n_unlooked == 511 - 200 and found.n_unusual == 200


def test_rows_of_a_sequence_are_unusual_after_those_before_them() -> None:
    rng = np.random.default_rng(0)
    states = np.tile(np.repeat([0, 1], 100), 10)
    series = (10.0 * states + rng.normal(size=2000))[:, None]
    chain = fit(HiddenMarkov(Gaussian(), 2), [series])
    usual = 10.0 * states[:400] + rng.normal(size=400)
    found = ended(score(chain, ("x",), (), (), "state", table(x=usual)))
    assert found.in_order and found.n_unusual <= 3
    broken = usual.copy()
    broken[50], broken[120] = 40.0, np.nan
    again = ended(score(chain, ("x",), (), (), "state", table(x=broken)))
    rows = again.rows["unusual"].to_numpy()
    assert rows[50] == "yes" and rows[120] == ""
    own = again.rows["log density given the rows before"].to_numpy()
    values = [broken[:, None]]
    assert own.sum() == pytest.approx(chain.posterior(values).log_likelihoods[0], rel=1e-9)
    drawn, _ = chain.model.sample(chain.params, [3000], np.random.default_rng(5))
    many = ended(score(chain, ("x",), (), (), "state", table(x=drawn[0][:, 0])))
    assert many.n_unusual <= 12  # 0.1 % of 3,000 are 3


def test_rows_that_go_on_with_a_sequence_begin_where_it_ends() -> None:
    rng = np.random.default_rng(0)
    states = np.tile(np.repeat([0, 1], 50), 6)
    series = (4.0 * states + rng.normal(size=600))[:, None]
    chain = fit(HiddenMarkov(Gaussian(), 2), [series])
    new = table(x=4 + rng.normal(size=5))
    alone = ended(score(chain, ("x",), (), (), "state", new))
    going_on = ended(score(chain, ("x",), (), (), "state", new, series))
    whole = [np.concatenate([series, new.frame.to_numpy(float)])]
    expected = chain.posterior(whole).state_probabilities[0][-5:, 0]
    np.testing.assert_allclose(going_on.rows["P(state 1)"], expected, atol=1e-12)
    last = chain.model.log_forecasts(chain.params, whole)[0][-5:]
    np.testing.assert_allclose(going_on.rows["log density given the rows before"], last)
    # Few rows after many are no reason to draw the many again and again.
    drawn = scoring._drawn(chain.model, chain.params, 5, in_order=True, n_known=600)
    assert drawn[..., 0].size < 1.2 * scoring.DRAWS
    assert alone.rows["state"][0] != going_on.rows["state"][0] and going_on.n_unusual == 0


def test_other_units_than_those_of_the_fit_are_told() -> None:
    here = table(height=[1800.0], mass=[80.0], age=[3.0])._replace(units=("mm", "kg", "years"))
    for units, said in (
        ({"height": "cm", "mass": "kg", "age": "yr"}, (("height", "mm", "cm"),)),
        ({"mass": "lb"}, (("mass", "kg", "lb"),)),
        ({"height": "mm"}, ()),
        ({}, ()),
    ):
        assert match(here, ("height", "mass"), (), units).other_units == said
    # Of a column that others are made of, and of one that is written differently.
    assert match(here, ("mass",), (), {"height": "m"}).other_units == (("height", "mm", "m"),)
    spelt = table(Height=[1800.0])._replace(units=("mm",))
    assert match(spelt, ("height",), (), {"height": "cm"}).other_units == (("Height", "mm", "cm"),)
    rows = np.random.default_rng(0).normal(170, 9, (60, 1))
    result = fit(Mixture(Gaussian(), 1), rows)
    text = dump(result, columns=["height"], units=["cm"])
    found = ended(score_with_file(text, here))
    assert found.matched.other_units == (("height", "mm", "cm"),)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("C", "°C", True), ("\u03bcg/l", "\u00b5g / l", True), ("inch", "in", True),
     ("EUR", "€", True), ("m", "M", False), ("mm", "m", False), ("°C", "°F", False),
     ("s", "min", False)],
)  # fmt: skip
def test_units_are_one_however_they_are_written(one: str, other: str, same: bool) -> None:
    assert are_one_unit(one, other) is are_one_unit(other, one) is same


def test_units_of_what_a_column_was_made_of_go_with_the_saved_model() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"height": rng.normal(170, 9, 60), "mass": rng.normal(70, 9, 60)})
    steps = (Transform("height", "log"),)
    fitted = Table("t", frame, (), "", units=("cm", "kg"))
    columns = ("log(height)", "mass")
    result = fit(Mixture(Gaussian(), 1), prepared(fitted, steps).frame[list(columns)].to_numpy())
    kept = with_units(steps, {"height": "cm", "mass": "kg", "age": ""})
    assert read_with_units(kept) == (steps, {"height": "cm"})
    assert read_with_units(write_steps(steps)) == (steps, {}) and with_units((), {}) == ""
    text = dump(result, columns=columns, units=[None, "kg"], preparation=kept)
    for units, told in ((("mm", "kg"), (("height", "mm", "cm"),)), (("cm", "kg"), ()), ((), ())):
        found = ended(score_with_file(text, fitted._replace(units=units)))
        assert found.matched.other_units == told
    for bad in (
        "{",
        '{"steps":1}',
        '{"steps":[],"units":{"a":1}}',
        '{"steps":[1],"units":{}}',
        "x",
    ):
        damaged = dump(result, columns=columns, preparation=bad)
        assert "saved model is damaged" in ended(score_with_file(damaged, fitted))


@pytest.mark.parametrize("in_order", [False, True])
def test_a_cell_that_a_model_cannot_hold_is_marked_in_its_row(in_order: bool) -> None:
    counts = np.random.default_rng(0).poisson([2, 9], (80, 2)).astype(float)
    model = HiddenMarkov(Poisson(), 2) if in_order else Mixture(Poisson(), 2)
    result = fit(model, [counts] if in_order else counts)
    new = table(a=[1.0, -1.0, 3.0, 1.5, 2.0], b=[9.0, 8.0, 1e61, -2.0, 7.0])
    found = ended(score(result, ("a", "b"), (), (), "component", new))
    marks = found.rows["marks"].tolist()
    assert marks[0] == marks[4] == "" and found.n_odd == 3
    assert marks[1] == "a: \N{MINUS SIGN}1 is a value that the model cannot hold"
    assert marks[2].startswith("b: 1") and marks[3].count("cannot hold") == 2
    without = table(a=[1.0, np.nan, 3.0, np.nan, 2.0], b=[9.0, 8.0, np.nan, np.nan, 7.0])
    same = ended(score(result, ("a", "b"), (), (), "component", without))
    for name in set(same.rows) - {"a", "b", "marks"}:
        pd.testing.assert_series_equal(found.rows[name], same.rows[name])
    far = fit(Mixture(Gaussian(), 1), counts)
    found = ended(score(far, ("a", "b"), (), (), "component", table(a=[1e61, 2.0], b=[1.0, 2.0])))
    assert [bool(mark) for mark in found.rows["marks"]] == [True, False]


def test_changes_along_time_over_rows_that_the_fit_left_out_are_told() -> None:
    kept, change = Filter("kind", "is", ("a",)), Transform("x", "difference")
    told = "goes from each new row to the next"
    assert told in new_rows_said((kept, change), ("difference of x",))
    assert told not in new_rows_said((change, kept), ("difference of x",))
    assert told not in new_rows_said((kept, change), ("x",))
    assert told not in new_rows_said((kept, Transform("x", "log")), ("log(x)",))
