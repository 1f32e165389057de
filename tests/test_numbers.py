"""Numbers are written alike everywhere, and none that the data do not tell."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from em_core import fit
from pages.ui.families.parameters import TO_THE_END
from pages.ui.families.table import family_of
from pages.ui.panels import tables
from pages.ui.state.settings import Settings
from pages.ui.tables.table import Table
from pages.ui.text import MINUS, MISSING, NO_DATA, cell, name_columns, nats, number, told

TIMES = "\N{MULTIPLICATION SIGN}"
RAISED = {"⁻": "-"} | {raised: str(digit) for digit, raised in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}


def value_of(text: str) -> float:
    """The number that a text says, as a reader takes it."""
    if f" {TIMES} 10" in text:
        mantissa, power = text.split(f" {TIMES} 10")
        text = f"{mantissa}e{''.join(RAISED[sign] for sign in power)}"
    return float(text.replace(MINUS, "-").replace(",", "").replace("∞", "inf"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "0"), (1.0, "1"), (0.5, "0.5"), (-2.5, "-2.5"), (12821.0, "12,821"),
        (229312.4, "229,312"), (1234567.8, "1,234,568"), (99999.6, "100,000"), 
        (1e14, "100,000,000,000,000"),
        (1e15, "1 * 10^15"), (1.23456789e20, "1.2346 * 10^20"), (0.00012345678, "0.00012346"),
        (0.0001, "0.0001"), (9.99999e-5, "0.0001"), (9.9e-5, "9.9 * 10^-5"),
        (2.18e-51, "2.18 * 10^-51"), (-1e-7, "-1 * 10^-7"), (3.14159265, "3.1416"),
        (0.1 + 0.2, "0.3"), (5e-324, "4.9407 * 10^-324"),
        (1.7976931348623157e308, "1.7977 * 10^308"),
        (float("inf"), "∞"), (float("-inf"), "-∞"), (float("nan"), "missing"),
        (7, "7"), (-1234567, "-1,234,567"), (10**20, "100,000,000,000,000,000,000"),
        (np.int64(12345678), "12,345,678"), (np.float64(3), "3"), (np.float32(0.5), "0.5"),
    ],
)  # fmt: skip
def test_a_number_is_written_so(value: float, text: str) -> None:
    raised = {digit: sign for sign, digit in RAISED.items()}
    text = re.sub(r"\^(\S+)", lambda m: "".join(raised[sign] for sign in m[1]), text)
    assert number(value) == text.replace("*", TIMES).replace("-", MINUS)


@given(st.floats(-1e307, 1e307), st.integers(1, 12))
def test_what_is_read_is_the_number_to_its_digits(value: float, digits: int) -> None:
    text = number(value, digits)
    assert value_of(text) == pytest.approx(value, rel=0.5000001 * 10.0 ** (1 - digits), abs=3e-324)
    assert "e" not in text and "-" not in text and not text.endswith(".")
    assert not re.search(r"\.\d*0($| )", text), "zeros at the end"
    assert text.startswith(MINUS) == (value < 0)
    assert re.fullmatch(rf"{MINUS}?\d{{1,3}}(,\d{{3}})*(\.\d+)?( {TIMES} 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?", text)
    signed = number(value, digits, signed=True)
    assert signed == (f"+{text}" if value > 0 else text)


@given(st.integers())
def test_whole_numbers_keep_every_digit(value: int) -> None:
    assert value_of(number(value)) == float(value)
    assert number(value).replace(",", "").replace(MINUS, "-") == str(value)


@given(st.floats(1e-320, 1e15))
def test_more_is_never_written_as_less(value: float) -> None:
    assert value_of(number(np.nextafter(value, np.inf))) >= value_of(number(value))


def test_cells_and_log_likelihoods_are_written_alike() -> None:
    for value in (229312.4, 2.18e-51, -7.25, 3, float("inf"), None, float("nan")):
        assert cell(value) == (MISSING if value is None else number(value))
    assert cell("<b>") == "&lt;b&gt;" and cell(NO_DATA) == NO_DATA
    assert nats(-1234.5) == f"{MINUS}1,234.50" and nats(0) == "0.00"
    assert nats(2.3e-13, signed=True) == "+" + number(2.3e-13, 2)


def test_a_large_table_writes_numbers_as_a_small_one_and_still_sorts_by_them() -> None:
    frame = pd.DataFrame({"a": [229312.4, 2.18e-51, 12821.0], "b": ["x", NO_DATA, "z"]})
    styled = tables.written(frame)
    assert styled.data is frame
    said = styled._translate(False, False)["body"]
    shown = [[c["display_value"] for c in row if c["type"] == "td"] for row in said]
    assert shown == [[cell(value) for value in row] for row in frame.to_numpy(object)]


# What the data do not tell


def tables_of(family: str, values: np.ndarray, sizes=(), params=None, **chosen):
    settings = Settings(family=family, **chosen)
    family = family_of(settings)
    names = [f"x{d + 1}" for d in range(values.shape[1])]
    frame = pd.DataFrame(values, columns=names)
    group = None
    if len(sizes):
        frame["group"] = np.repeat([f"g{i}" for i in range(len(sizes))], sizes)
        group = "group"
    selection = family.read(Table("t", frame, (), ""), names, None, group, True)
    model = family.build(settings)
    made = fit(model, family.data(selection)).params if params is None else model.params(**params)
    return dict(family.tables(model, made, selection, settings))


def test_a_state_that_is_never_left_has_no_transitions() -> None:
    values = np.append(np.tile([0.0, 0.1, -0.1], 6), [0.05, 50.0])[:, None]
    found = tables_of("gaussian-hmm", values, n_components=2, covariance="tied")
    numbers, matrix = found["Parameters"], found["Transition matrix"]
    last = int(numbers.loc["mean of x1"].to_numpy(float).argmax())
    assert set(matrix.iloc[last]) == {NO_DATA}
    assert np.sum(matrix.iloc[1 - last].to_numpy(float)) == pytest.approx(1)
    assert numbers.loc["rows it lasts on average"].iloc[last] == NO_DATA
    assert set(numbers.loc["share in the long run"]) == {NO_DATA}


def test_sequences_of_one_row_tell_nothing_of_transitions() -> None:
    values = np.random.default_rng(0).normal(size=(24, 1))
    found = tables_of("gaussian-hmm", values, sizes=[1] * 24, n_components=2, covariance="tied")
    assert (found["Transition matrix"] == NO_DATA).all(axis=None)


def test_a_state_that_nothing_follows_lasts_to_the_end() -> None:
    values = np.repeat([0.0, 9.0], 20)[:, None] + np.random.default_rng(0).normal(size=(40, 1))
    found = tables_of("gaussian-hmm", values, n_components=2, covariance="tied")
    assert TO_THE_END in set(found["Parameters"].loc["rows it lasts on average"])


@pytest.mark.parametrize("family", ["gaussian-mixture", "poisson-mixture", "bernoulli-mixture"])
def test_a_component_that_is_empty_has_nothing_to_tell(family: str) -> None:
    values = np.random.default_rng(0).integers(0, 2, size=(20, 2)).astype(float)
    arrays = {
        "gaussian-mixture": {
            "means": np.zeros((2, 2)),
            "covariances": np.array([np.eye(2), 2 * np.eye(2)]),
        },
        "poisson-mixture": {"rates": np.ones((2, 2))},
        "bernoulli-mixture": {"probabilities": np.full((2, 2), 0.5)},
    }[family]
    found = tables_of(family, values, n_components=2, params={"weights": [1.0, 0.0]} | arrays)
    empty = found["Parameters"].iloc[:, 1]
    assert empty["weight"] == empty["expected rows"] == 0
    assert set(empty.drop(["weight", "expected rows"])) == {NO_DATA}
    for name, frame in found.items():
        if name == "Covariances":
            assert set(frame.iloc[2:].to_numpy().ravel()) == {NO_DATA}


@pytest.mark.parametrize("family", ["gaussian-mixture", "gaussian-hmm", "student-mixture"])
def test_a_covariance_that_all_share_stands_once(family: str) -> None:
    values = np.random.default_rng(0).normal(size=(60, 2)) + np.repeat([[0], [6], [12]], 20, axis=0)
    title = "Scale matrices" if family == "student-mixture" else "Covariances"
    shared = tables_of(family, values, n_components=3, covariance="tied")[title]
    unit = "state" if family == "gaussian-hmm" else "component"
    assert [*shared.index] == [f"every {unit}: x1", f"every {unit}: x2"]
    own = tables_of(family, values, n_components=3, covariance="full")[title]
    assert len(own) == 6 and own.index[0] == f"{unit} 1: x1"


def test_rounding_is_0_in_every_unit() -> None:
    base = np.repeat([[1.0, 2.0]], 2, axis=0)
    for unit in (1e-12, 1.0, 1e12):
        found = tables_of(
            "gaussian-mixture",
            np.random.default_rng(0).normal(size=(30, 2)) * unit,
            n_components=2,
            params={
                "weights": [1.0, 2.18e-51],
                "means": base * [[1e-18 * unit, unit]],
                "covariances": np.array([[[1.0, 1e-17], [1e-17, 1.0]]] * 2) * unit**2,
            },
        )
        numbers = found["Parameters"]["component 1"]
        assert numbers["mean of x1"] == 0 and numbers["mean of x2"] == 2 * unit
        assert numbers["SD of x1"] == unit
        assert found["Parameters"].loc["weight", "component 2"] == 0
        assert found["Covariances"].iloc[0, 1] == 0


def test_columns_are_named_wherever_a_model_counts_them() -> None:
    names = ("height", "a*b")
    assert name_columns("column 2 is constant", names) == "column “a*b” is constant"
    assert name_columns("Column 1 has no values.", names) == "Column “height” has no values."
    assert name_columns("column 3 and columns 1", names) == "column 3 and columns 1"
    assert told("column 2 is constant: leave it out", names) == (
        "Column “a\\*b” is constant\\: leave it out\\."
    )
