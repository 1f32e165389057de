"""Numbers are written alike everywhere, and none that the data do not tell."""

import json
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from em_core import HalfStep, fit
from pages.ui.families.chains import TO_THE_END
from pages.ui.families.table import family_of
from pages.ui.panels import tables
from pages.ui.state.settings import Settings
from pages.ui.tables.table import Table
from pages.ui.text import (
    MINUS,
    MISSING,
    NO_DATA,
    cell,
    formula,
    gap,
    name_columns,
    nats,
    number,
    percent,
    summands,
    terms,
    told,
)
from support.browser import ROOT

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
    assert cell(pd.NA) == cell(pd.NaT) == cell(np.float64("nan")) == cell(np.nan) == MISSING
    assert cell(pd.Timestamp("2020-05-01")) == "2020-05-01 00:00:00"
    assert cell(True) == cell(np.True_) == "True"
    assert nats(-1234.5) == f"{MINUS}1,234.50" and nats(0) == "0.00"
    assert nats(2.3e-13, signed=True) == "+" + number(2.3e-13, 2)


def test_a_large_table_writes_numbers_as_a_small_one_and_still_sorts_by_them() -> None:
    frame = pd.DataFrame({"a": [229312.4, 2.18e-51, 12821.0], "b": ["x", NO_DATA, "z"]})
    styled = tables.written(frame)
    assert styled.data.equals(frame)
    said = styled._translate(False, False)["body"]
    shown = [[c["display_value"] for c in row if c["type"] == "td"] for row in said]
    assert shown == [[cell(value) for value in row] for row in frame.to_numpy(object)]


def test_a_very_large_table_is_text_that_is_written_alike() -> None:
    values = np.array([229312.4, 2.18e-51, -12821.0, np.nan, np.inf, 0.5])
    frame = pd.DataFrame(np.tile(values, (1000, 1)), columns=list("abcdef"))
    frame["g"], frame["h"] = np.arange(1000) * 1000, "x"
    shown = tables.written(frame)
    assert isinstance(shown, pd.DataFrame)
    assert shown.iloc[-1].tolist() == [cell(value) for value in frame.iloc[-1]]
    assert shown.loc[7, "g"] == "7,000" and shown.loc[0, "c"] == f"{MINUS}12,821"


@pytest.mark.parametrize("n_rows", [3, tables.MOST_SORTED_CELLS])
def test_a_grid_takes_columns_of_numbers_and_words(n_rows: int) -> None:
    """Arrow, by which grids travel, has no columns of both."""
    mixed = [0.25, NO_DATA, None, *[2.18e-51] * n_rows]
    frame = pd.DataFrame({"state 1": pd.Series(mixed, dtype=object), "p": 0.5})
    written = tables.written(frame)
    written = getattr(written, "data", written)
    said = pa.Table.from_pandas(written).to_pydict()
    assert said["state 1"] == ["0.25", NO_DATA, MISSING, *[number(2.18e-51)] * n_rows]
    assert set(said["p"]) <= {0.5, "0.5"}


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


# In the browser

NUMBERS = ROOT / "pages/ui/player/frontend/numbers.js"


def in_node(calls: list[tuple]) -> list[str]:
    """What the player's functions make of (name, argument ...), floats by their bits."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not there")
    script = (
        f"import * as written from {json.dumps(NUMBERS.as_uri())};"
        "import { readFileSync } from 'node:fs';"
        "const read = (x) => typeof x === 'string' ? Number(x) : x;"
        "const calls = JSON.parse(readFileSync(0));"
        "console.log(JSON.stringify(calls.map(([name, ...given]) => "
        "written[name](...given.map(read)))))"
    )
    given = [[name, *map(_for_json, rest)] for name, *rest in calls]
    run = subprocess.run(
        [node, "--input-type=module", "-e", script],
        input=json.dumps(given), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(run.stdout)


def _for_json(value):
    if not isinstance(value, float):
        return value
    return "Infinity" if value == np.inf else "-Infinity" if value == -np.inf else repr(value)


def some_numbers() -> list[float]:
    """Halves between two digits, powers of ten and their neighbours, whatever else is hard."""
    rng = np.random.default_rng(0)
    values = [0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, 1.7976931348623157e308, 2.0**53, 1e21]
    values += [k / 8 for k in range(-20, 60)] + [100_002.5, 100_003.5, 12_345.25, 0.00048828125]
    for power in range(-12, 20):
        nearest = [10.0**power, 9.99995 * 10.0**power, 9.99949 * 10.0**power, 0.5 * 10.0**power]
        values += [f(v) for v in nearest for f in (float, _up, _down)]
    values += list(10.0 ** rng.uniform(-320, 308, 200) * rng.choice([-1, 1], 200))
    values += list(rng.normal(scale=1e4, size=200)) + list(rng.integers(-(10**9), 10**9, 100) / 4)
    return [float(value) for value in values]


def _up(value: float) -> float:
    return float(np.nextafter(value, np.inf))


def _down(value: float) -> float:
    return float(np.nextafter(value, -np.inf))


def test_the_player_writes_numbers_as_the_page_does() -> None:
    values = some_numbers()
    calls = [("number", v, d, s) for v in values for d in (1, 2, 5, 15) for s in (False, True)]
    expected = [number(v, d, s) for _, v, d, s in calls]
    signed = [("nats", v, s) for v in values for s in (False, True)]
    expected += [nats(v, s) for _, v, s in signed]
    finite = [v for v in values if 0 <= v < 1e6]
    shares = [("percent", v, d) for v in finite for d in (0, 1)]
    expected += [percent(v, d) for _, v, d in shares]
    gaps = [
        ("gap", top - kl, top)
        for top in (-1234.5, -0.25, 0.0, 7e6)
        for kl in (0, 1e-14, 2e-7, 0.25, 3)
    ]
    steps = [HalfStep(1, "M", None, None, elbo, top, (), 0.0) for _, elbo, top in gaps]
    expected += [gap(step) for step in steps]
    assert len(expected) > 5000
    assert in_node([*calls, *signed, *shares, *gaps]) == expected


def test_what_is_read_off_a_scale_has_four_digits_across_it() -> None:
    calls = [("readOff", 12821.123, 2e4), ("readOff", 3.14159, 5.0), ("readOff", 2e-9, 1e-8)]
    calls += [("readOff", -0.0004, 1.0), ("readOff", 0.12345, 0.0)]
    assert in_node(calls) == ["12,821", "3.142", f"2 {TIMES} 10⁻⁹", "0", "0.123"]


# Cells and levels as they are in the file, to be found there; the log, and Python for people; boxes
# to type in; coordinates of drawings.
OTHER_NUMBERS = ["hands.js", "columns_panel.py", "environment.py", "matching.py", "model_panel.py"]
OTHER_NUMBERS += ["profiles.py", "shell.py", "still.py", "still_pictures.py", "student_t.py"]


def test_in_formulas_numbers_are_those_of_the_page() -> None:
    assert [formula(v) for v in (12_345.678, -0.25, 1e-9, np.inf, 0)] == [
        "12{,}346", "-0.25", r"1 \times 10^{-9}", r"\infty", "0"
    ]  # fmt: skip
    assert terms(-1234.5, 0.25) == ["-1{,}234.500000", "0.250000"]
    assert summands(-1234.5, 0.25) == [f"{MINUS}1,234.500000", "0.250000"]


def test_nothing_else_writes_numbers() -> None:
    """The browser's and Plotly's own formats have other signs, digits and separators."""
    scripts = (ROOT / "pages/ui/player/frontend").glob("*.js")
    of_browser = re.compile(r"toLocaleString|toFixed|toPrecision|NumberFormat")
    of_plotly = re.compile(r"%\{[^}]*:|hoverformat|texttemplate(?!=\"%\{text\}\")")
    found = [p.name for p in scripts if of_browser.search(p.read_text()) and p != NUMBERS]
    found += [p.name for p in (ROOT / "pages").rglob("*.py") if of_plotly.search(p.read_text())]
    of_python = re.compile(r":[^{}\n\"']?(\.[1-9]\d*)?[efgG]\}|:[+,]*\.[1-9]\d*f\}|%\.?\d*[efg]\"")
    others = [p.name for p in (ROOT / "pages").rglob("*.py") if of_python.search(p.read_text())]
    found += sorted(others)
    assert found == OTHER_NUMBERS
