"""The small tables of every kind of trouble (tests/tables) in the running app, by websocket: what
the page says of each, and the numbers that it gives to take away. Values are by independent
programs or in closed form; the number of a case is that of its files."""

import io
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from em_core import datasets
from pages.ui.state.shell import SECONDS_UNTIL_HEARD
from support.visitor import Visitor

pytestmark = pytest.mark.slow

TABLES = Path(__file__).parents[1] / "tables"
GRID, OPTIMA = "model_selection", "local_optima"
JSON, ROWS = "Parameters and trace (JSON)", "Rows with results (CSV)"
COLLAPSED = "Collapsed: this is no answer."
MINUS = "\N{MINUS SIGN}"


class Case(NamedTuple):
    """A table, the settings of a link with it, and what is right.

    says, never: patterns of what the page says, in its words, with "-" for a minus; what the player
    says of the last half-step is of the page. numbers: those of the download of parameters, by
    name; criteria are compared to 0.01, others to `within`. columns, groups, weights: chosen
    once the table is there; press: buttons of the table of columns, before these.
    """

    table: str  # how the name of the file begins; "" for an example of the app
    query: str
    says: tuple[str, ...] = ()
    numbers: Mapping[str, Any] = {}
    never: tuple[str, ...] = ()
    page: str = ""
    within: float = 1e-3
    columns: tuple[str, ...] = ()
    groups: str | None = None
    weights: str | None = None
    press: tuple[str, ...] = ()

    def __str__(self) -> str:
        return re.sub(r"[^\w=,&.-]", "_", f"{self.table}-{self.page}-{self.query}")


def numbers(log_likelihood: float, n_parameters: int, bic: float | None = None, **more) -> dict:
    found = {"log_likelihood": log_likelihood, "n_parameters": n_parameters} | more
    return found if bic is None else found | {"bic": bic}


NORMAL, ITEMS, LEVELS, COUNTS, CHAIN, PPCA, FACTORS, HEAVY, GROUPS = (
    f"m={family}"
    for family in (
        *("gaussian-mixture", "bernoulli-mixture", "categorical-mixture", "poisson-mixture"),
        *("gaussian-hmm", "probabilistic-pca", "factor-analysis", "student-mixture", "two-level"),
    )
)
PATTERNS = ["item_a", "item_b", "item_c"]
SURE = "tol=1e-6&it=5000"
TIED = f"{CHAIN}&cov=tied&{SURE}"

# Told on every change.
QUICK = [
    Case(
        "07",
        f"{NORMAL}&k=2",
        (r"respondent.*identifier: .*zip \(postal codes\) and interview.*\(dates",),
        {"columns": ["height", "weight"]},
    ),
    Case("01a", f"{NORMAL}&k=1", (r"Zeitpunkt\t\tdate",), {"means": [[23.849167, 2685.376667]]}),
    Case(
        "05c",
        f"{LEVELS}&k=2&st=short runs&{SURE}",
        ("Missing: refused, -. 3 cells in 'q1'",),
        numbers(-75.8628, 25),
        press=("Count them as missing",),
    ),
    Case(
        "08",
        f"{ITEMS}&k=2&{SURE}",
        (r"8 levels of 'item1' are 2",),
        numbers(-16.6355, 9),
        press=("Make them one",),
    ),
    Case("11", f"{HEAVY}&k=2", ("n = 20 rows",), columns=("a", "b")),
    Case("13", f"{NORMAL}&k=1", (), numbers(-23.66818, 2, 52.30617, aic=51.33636)),
    Case("16b", f"{NORMAL}&k=2", (rf"{COLLAPSED} Component \d sits on 14 equal rows: ",)),
    Case("17a", f"{NORMAL}&k=1", (rf"{COLLAPSED} In all 26 rows red \+ green \+ blue = 1\.",)),
    Case("22", f"{ITEMS}&k=2", (), numbers(-16.300638, 11, 67.55987, icl=67.55987)),
    Case("25", f"{ITEMS}&k=2", ("freq looks like a weight",), {"columns": PATTERNS}),
    Case(
        "25",
        f"{ITEMS}&k=2&{SURE}",
        ("7 parameters, n = 200, the sum of the weights of 8 rows",),
        numbers(-341.33129, 7, 719.7508, columns=PATTERNS, weights=[0.4342, 0.5658]),
        weights="freq",
    ),
    Case("26a", f"{COUNTS}&k=1", (), numbers(-1244.3753, 1, rates=[[17.1667]])),
    Case("28e", TIED, ("n = 11 rows",), numbers(-5.10312, 6)),
    Case("28d", TIED, ("no data",), numbers(-32.20894, 6), groups="subject"),
    Case("31a", f"{FACTORS}&q=1", ("“x1” has next to no noise",), page="lower_bound"),
    Case("32b", f"{HEAVY}&k=1&{SURE}", (), numbers(-81.19728, 3, degrees_of_freedom=[0.3678])),
    Case("33b", GROUPS, ("the variance between groups and that within them cannot be told apart",)),
]

MORE = [
    # How a table is read
    Case("01b", f"{NORMAL}&k=1", ("48.130 is 48.13",), {"means": [[23.849167]]}),
    Case("02a", f"{NORMAL}&k=1", (r"160\t55\.5\tok", "ca. 5 €", r"Müller . Süd")),
    Case("02b", f"{NORMAL}&k=1", (r"^country\tscore\tweight$",)),
    Case("02c", f"{NORMAL}&k=1", (r"^größe\tgewicht$",)),
    Case("02d", f"{NORMAL}&k=1", ("fünf", "1 byte in line 11"), never=("fÃ¼nf",)),
    Case("03a", f"{NORMAL}&k=1", (r"10 rows", "sep=")),
    Case("03b", f"{NORMAL}&k=1&cov=diag", (), {"means": [[12.25, 86.5]]}),
    Case("03c", f"{NORMAL}&k=1&cov=diag", (r"length\tmm\tnumber",), {"means": [[12.25, 86.5]]}),
    Case("04", f"{NORMAL}&k=2&cov=diag", ("three header lines", "12 rows")),
    Case("09a", f"{NORMAL}&k=1", (r"margin\t%\t",), {"means": [[18.25, 1403.5, 29.5]]}),
    Case("05a", f"{LEVELS}&k=2", (r"q1\t\twhole number\t0\t0\t6", "41 parameters")),
    *(
        Case(name, f"{LEVELS}&k=2&st=short runs&{SURE}", (), numbers(-75.8628, 25), press=(label,))
        for name, label in (("05a", "Count them as missing"), ("05b", "Count it as missing"))
    ),
    Case("08", f"{LEVELS}&k=2", ("differ only by spaces or capitals: item1 8 levels for 2",)),
    Case("06", f"{LEVELS}&k=1", (r"country\t\ttext\t10\t0\t2", r"owns\t\ttext\t0\t0\t3")),
    Case(
        "09b",
        f"{NORMAL}&k=1",
        ("arsenic has 5 cells", "does not know of limits"),
        {"means": [[8.1]]},
    ),
    Case("10", f"{CHAIN}&cov=tied", (r"date\t\tdate",)),
    Case("25", f"{ITEMS}&k=1", (), numbers(-407.48851, 3, 830.872), weights="freq"),
    Case("25", f"{ITEMS}&k=2", ("n = 8 rows",), numbers(-16.63553, 7)),
    # Units
    Case("14a", f"{NORMAL}&k=1", (), numbers(-146.67348, 5)),
    Case("14b", f"{NORMAL}&k=1", (), numbers(184.89878, 5)),
    Case("14a", f"{NORMAL}&k=2&cov=tied&{SURE}", (), numbers(-122.2989, 8, 270.0222)),
    Case("14b", f"{NORMAL}&k=2&cov=tied&{SURE}", (), numbers(209.27335, 8, -393.1223)),
    Case("14a", f"{NORMAL}&k=2&cov=tied&{SURE}&z=1", (), numbers(-122.2989, 8, 270.0222)),
    *(
        Case(
            name,
            f"{NORMAL}&kt=3&ne=3&cov2=full,tied",
            ("BIC recommends 3 components, tied",),
            page=GRID,
        )
        for name in ("14a", "14b")
    ),
    Case("14c", f"{NORMAL}&k=2", (COLLAPSED,)),
    Case("14d", f"{NORMAL}&k=1", (), numbers(-146.673, 5), within=1e-2),
    # Collapses
    Case("15", f"{NORMAL}&k=9", (COLLAPSED,), never=("nan",)),
    *(
        Case(
            "15",
            f"{NORMAL}&k={k}",
            (f"{k} components need at least {k} distinct rows, and these data have 9",),
        )
        for k in (10, 15, 18)
    ),
    Case("15", f"{NORMAL}&k=9&ns=6", ("collapsed",), page=OPTIMA, never=("nan",)),
    Case("15", f"{NORMAL}&kf=1&kt=18&ne=2", (r"BIC recommends [1-8] ",), page=GRID),
    Case("16a", f"{NORMAL}&k=1", (), numbers(-13.76687, 2)),
    Case("16a", f"{NORMAL}&k=2", (rf"{COLLAPSED} .*16 equal rows",)),
    Case("16a", f"{NORMAL}&k=2&cov=tied", (), {"collapsed": None}, never=(COLLAPSED,)),
    Case("16b", f"{NORMAL}&kt=3&ne=3", ("BIC recommends .*tied",), page=GRID),
    Case(
        "17b",
        f"{NORMAL}&k=1",
        (r"In all 26 rows temp\\?_F = 1\.8 . temp\\?_C \+ 32", "All its values are the same"),
    ),
    Case("17c", f"{NORMAL}&k=1", (r"is\\?_a \+ is\\?_b \+ is\\?_c = 1",)),
    Case("17a", f"{NORMAL}&k=1&cov=diag", (), {"collapsed": None}, never=(COLLAPSED,)),
    # The best of many starts, in any order of the rows
    Case("", f"{NORMAL}&e=iris&cov=diag&k=3&ns=30", (r"-306\.86",), page=OPTIMA, never=("-173",)),
    # How many parameters
    Case("", f"{NORMAL}&e=iris&k=3&cov=tied&st=short runs", (), numbers(-256.354, 24, 632.96)),
    Case("", f"{NORMAL}&e=iris&k=3&st=short runs", (), numbers(-180.186, 44, 580.84)),
    Case("", "m=gaussian-hmm&e=faithful&k=3", ("23 parameters", "n = 272 rows")),
    Case("", "m=categorical-hmm&e=casino&k=3", ("23 parameters",)),
    Case("30", f"{FACTORS}&q=1", ("12 parameters",)),
    # Levels
    Case("20a", f"{LEVELS}&k=1", (), numbers(-246.6978, 5, 516.4215)),
    Case("20a", f"{LEVELS}&k=2&{SURE}", (), numbers(-244.7892, 11, 540.2352)),
    Case("20b", f"{LEVELS}&k=1", (), numbers(-216.10553, 2, 442.8077)),
    Case(
        "20b",
        f"{LEVELS}&k=3",
        ("Not identified: 8 parameters, ",),
        numbers(-216.10553, 8, 474.5976),
    ),
    Case("20c", f"{ITEMS}&k=1", (), numbers(-82.727, 3)),
    Case("20c", f"{ITEMS}&k=2&{SURE}", (), numbers(-81.3277, 7)),
    Case(
        "20c",
        f"{ITEMS}&k=3&{SURE}",
        ("Not identified: 11 parameters, 7 cells",),
        numbers(-81.1583, 11),
    ),
    Case("21", f"{LEVELS}&k=1", ("p of rating = 10\t", "p of happy = -1\t"), numbers(-68.31879, 5)),
    Case("21", f"{LEVELS}&k=2&{SURE}", (), numbers(-44.02279, 11)),
    Case("21", f"{ITEMS}&k=2", (), {"columns": ["plan", "happy"]}),
    Case("22", f"{ITEMS}&k=1", (), numbers(-81.50319, 5)),
    Case(
        "22", f"{ITEMS}&k=3", ("3 components need at least 3 distinct rows, and these data have 2",)
    ),
    *(Case("23", f"{ITEMS}&k={k}&{SURE}", (), numbers(-49.906597, 4 * k - 1)) for k in (1, 2, 3)),
    *(
        Case("23", f"{ITEMS}&kt=3&ne=3&by={by}", ("recommends 1 class",), page=GRID)
        for by in ("bic", "icl", "aic")
    ),
    Case("24", f"{LEVELS}&k=1", (), numbers(-59.13655, 5)),
    Case(
        "24",
        f"{LEVELS}&kt=2&ne=2&cv=5&by=cross_validation",
        ("no value, because of “mauve”",),
        page=GRID,
        never=("708",),
    ),
    Case("25", f"{ITEMS}&k=1", (), numbers(-16.63553, 3)),
    # Counts
    Case("26a", f"{COUNTS}&k=2&{SURE}", (), numbers(-31.05691, 3, rates=[[0.52174], [400]])),
    Case("26a", f"{COUNTS}&k=3&{SURE}", (), numbers(-30.39766, 5)),
    Case("26b", f"{COUNTS}&k=1", ("0.5", "-6"), {"columns": ["calls"]}),
    # Sequences
    Case("27", f"{TIED}&c=x", (r"State \d is never left",), numbers(3.25443, 6)),
    Case("27", f"{CHAIN}&c=x&ns=40", ("All 80 starts collapsed",), page=OPTIMA),
    *(
        Case(name, TIED, ("n = 24 rows",), numbers(-31.18954, 6), columns=("score",), groups=groups)
        for name, groups in (("28a", "person"), ("28b", "person"))
    ),
    Case("28a", TIED, (), numbers(-30.93402, 6), columns=("score",), groups="one sequence"),
    Case("28b", TIED, (), numbers(-30.42188, 6), columns=("score",), groups="one sequence"),
    Case("28c", TIED, ("5 columns",)),
    # Factors
    Case("30", f"{PPCA}&q=1&{SURE}", (), numbers(-85.62258, 9, 195.6176, noise_variance=0.75796)),
    Case("30", f"{PPCA}&q=2&{SURE}", (), numbers(-68.27947, 12, 169.0555, noise_variance=0.147622)),
    Case("30", f"{PPCA}&q=3&{SURE}", (), numbers(-67.78187, 14, noise_variance=0.11022)),
    Case(
        "30",
        f"{PPCA}&q=4",
        ("4 is not from 1 to 3", "more would have more parameters than a Gaussian"),
    ),
    Case(
        "31a",
        f"{FACTORS}&q=1",
        ("“x1” has next to no noise .*Heywood", "at its bound"),
        numbers(-90.5846, 9),
        within=1e-2,
    ),
    Case("31b", f"{FACTORS}&q=1&{SURE}", (), numbers(-188.79536, 15)),
    Case(
        "31b",
        f"{FACTORS}&q=2&{SURE}",
        ("“y” has next to no noise", "“z” has next to no noise"),
        numbers(-180.9679, 19),
        within=1e-2,
    ),
    Case("31b", f"{FACTORS}&q=3", ("more would have more parameters than a Gaussian",)),
    Case(
        "31c", f"{FACTORS}&q=2", ("8 rows cannot tell the covariance of 12 columns",), {"rows": 8}
    ),
    # Heavy tails
    Case("32a", f"{HEAVY}&k=1&{SURE}", ("200, at its bound",), numbers(-61.99438, 2)),
    # Groups
    Case(
        "33a",
        GROUPS,
        ("the between-group variance is at its floor",),
        numbers(-45.24541, 3, mean=[10.025]),
    ),
    Case("33c", GROUPS, ("2 of 14 rows left out",), numbers(-13.43063, 3)),
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    long = metafunc.config.getoption("--long")
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", QUICK + MORE * long, ids=str)


@contextmanager
def visit(app: str, case: Case) -> Iterator[Visitor]:
    """A visitor who has uploaded the table and waited for all answers."""
    query = f"v=1&{case.query}&s={'table' if case.table else 'example'}"
    visitor = Visitor(app, query, case.page)
    if case.table:
        (path,) = TABLES.glob(f"{case.table}-*.csv")
        visitor.upload("Upload a table", path.name, path.read_bytes())
    settle(visitor)
    for label in case.press:
        visitor.press(label)
        settle(visitor)
    if case.groups is not None:
        visitor.pick("Sequences", case.groups)
        settle(visitor)
    if case.columns:
        # Those that are usual may just have changed: nobody takes that back by hand so soon.
        time.sleep(SECONDS_UNTIL_HEARD)
        visitor.choose("Columns", *case.columns)
    if case.weights is not None:
        visitor.pick("Weights", case.weights)
    settle(visitor)
    try:
        yield visitor
    finally:
        visitor.close()


def settle(visitor: Visitor) -> None:
    """Wait until nothing runs; what comes of it is no error that nobody foresaw."""
    visitor.settle()
    assert "Something went wrong" not in visitor.texts


def test_the_page_says_what_is_right(app: str, case: Case) -> None:
    with visit(app, case) as visitor:
        said = visitor.said.replace(MINUS, "-")
        found = json.loads(visitor.download(JSON)) if case.numbers else {}
    for pattern in case.says:
        assert re.search(pattern, said, re.MULTILINE), said
    for pattern in case.never:
        assert not re.search(pattern, said), said
    for name, right in case.numbers.items():
        got = found[name]
        if isinstance(np.ravel(right)[0], float):
            got, right = np.sort(np.ravel(got)), np.sort(np.ravel(right))
            within = 0.01 if name in ("bic", "aic", "icl") else case.within
            np.testing.assert_allclose(got, right, atol=within, err_msg=name)
        else:
            assert got == right, name


def uploaded(app: str, query: str, frame: pd.DataFrame, page: str = "") -> Visitor:
    """A visitor who has uploaded these columns and waited for all answers."""
    visitor = Visitor(app, f"v=1&s=table&{query}", page)
    visitor.upload("Upload a table", "rows.csv", frame.to_csv(index=False).encode())
    settle(visitor)
    visitor.choose("Columns", *frame)
    settle(visitor)
    return visitor


def test_11_and_12_rows_keep_their_places_and_another_table_replaces_the_first(app: str) -> None:
    """A table with a block of missing cells, exported whole; then others in the same session."""

    def upload(name: str) -> None:
        (path,) = TABLES.glob(f"{name}-*.csv")
        visitor.upload("Upload a table", path.name, path.read_bytes())
        settle(visitor)

    visitor = Visitor(app, f"v=1&s=table&{NORMAL}&k=2&cov=tied&mv=0")
    upload("11")
    visitor.choose("Columns", "a", "b")
    settle(visitor)
    assert "3 of 20 rows left out" in visitor.said and "n = 17 rows" in visitor.said
    rows = pd.read_csv(io.BytesIO(visitor.download(ROWS)))
    assert rows["case"].tolist() == [f"P{number:02}" for number in range(1, 21)]
    component = rows["cluster"]
    assert component.isna().tolist() == rows[["a", "b"]].isna().any(axis=1).tolist()
    odd = pd.Series(np.arange(20) % 2, index=rows.index)[component.notna()]
    assert len(set(zip(odd, component.dropna(), strict=True))) == 2
    upload("12a")
    visitor.enter("Components", 3)
    settle(visitor)
    assert "n = 20 rows" in visitor.said
    upload("12b")
    assert re.search(r"^u\tv\tw$", visitor.said, re.MULTILINE)
    assert not re.search(r"^x\ty|species", visitor.said, re.MULTILINE)
    upload("12c")
    assert "no rows" in visitor.said and re.search(r"^u\tv\tw$", visitor.said, re.MULTILINE)
    visitor.close()


def test_18_posteriors_are_of_the_parameters_shown_and_more_starts_are_never_worse(
    app: str, long: bool
) -> None:
    rows = np.random.default_rng(0).random((1000, 10) if long else (100, 4))
    frame = pd.DataFrame(rows, columns=[f"x{d}" for d in range(rows.shape[1])])
    query = f"{NORMAL}&k=2&it=200&tol=0.01"
    visitor = uploaded(app, query, frame)
    params = json.loads(visitor.download(JSON))
    exported = pd.read_csv(io.BytesIO(visitor.download(ROWS)))
    visitor.close()
    joint = []
    for weight, mean, covariance in zip(
        params["weights"], np.array(params["means"]), np.array(params["covariances"]), strict=True
    ):
        squares = np.vecdot(rows - mean, np.linalg.solve(covariance, (rows - mean).T).T)
        log_determinant = np.linalg.slogdet(2 * np.pi * covariance)[1]
        joint.append(np.log(weight) - (squares + log_determinant) / 2)
    densities = np.logaddexp(*joint)
    assert densities.sum() == pytest.approx(params["log_likelihood"], abs=1e-6)
    shares = np.exp(np.array(joint) - densities)
    given = exported.filter(like="P(component").to_numpy().T
    np.testing.assert_allclose(given, shares, atol=1e-6)
    classes = exported["cluster"].astype(str).str.extract(r"(\d+)")[0].astype(int)
    np.testing.assert_array_equal(classes, 1 + shares.argmax(axis=0))
    best = []
    for n_starts in (1, 10):
        visitor = uploaded(app, f"{query}&ns={n_starts}", frame, OPTIMA)
        found = re.findall(rf"{MINUS}?[\d,]+\.\d\d(?= nats)", visitor.said)
        best.append(max(float(text.replace(MINUS, "-").replace(",", "")) for text in found))
        visitor.close()
    assert best[1] >= best[0]


def test_19_shuffled_rows_have_the_same_best_answer(app: str) -> None:
    iris = datasets.load("iris")
    frame = pd.DataFrame(iris.values, columns=iris.columns)
    shuffled = frame.iloc[np.random.default_rng(1).permutation(150)]
    visitor = uploaded(app, f"{NORMAL}&cov=diag&k=3&ns=30", shuffled, OPTIMA)
    assert f"{MINUS}306.86" in visitor.said and f"{MINUS}173" not in visitor.said
    visitor.close()


@pytest.mark.parametrize(
    ("query", "n_columns", "n_parameters"),
    [
        (f"{NORMAL}&k=5", 12, 454),
        ("m=factor-analysers&k=5&q=2", 12, 239),
        (f"{FACTORS}&q=2", 6, 23),
        (f"{PPCA}&q=2", 6, 18),
        ("m=gaussian-hmm&k=3", 2, 23),
    ],
)
def test_29_parameters_are_counted(app: str, query: str, n_columns: int, n_parameters: int) -> None:
    rows = np.random.default_rng(0).normal(size=(60, n_columns))
    frame = pd.DataFrame(rows, columns=[f"x{d}" for d in range(n_columns)])
    visitor = uploaded(app, f"{query}&it=3", frame)
    said = visitor.said
    visitor.close()
    assert f"({n_parameters} parameters, n = 60 rows" in said
