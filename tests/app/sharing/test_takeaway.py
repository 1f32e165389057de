"""What people take away: the same numbers, nothing that a spreadsheet program would run."""

import csv
import io
import json
import random
import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from em_core import datasets, fit, inference
from em_core import select as select_models
from em_core.inference.replicates import at_once
from pages.ui.compute.describing import describe, without_trace
from pages.ui.families import own_models
from pages.ui.families.numbers import arrays
from pages.ui.families.own import own_family
from pages.ui.families.table import FAMILIES, example_of, family_of
from pages.ui.running.runs import Run
from pages.ui.running.searches import grid_of, recommended_start
from pages.ui.sharing import takeaway
from pages.ui.sharing.naming import stem, title
from pages.ui.state.changes import changed
from pages.ui.state.settings import Settings
from pages.ui.tables.answers import Reading
from pages.ui.tables.columns import default_columns, describe_columns, suggest_label
from pages.ui.tables.preparation.filtering import Filter
from pages.ui.tables.preparation.levels import Ordered, Renamed, Spelling
from pages.ui.tables.preparation.long import WideToLong
from pages.ui.tables.preparation.missing import Missing
from pages.ui.tables.preparation.table import prepared
from pages.ui.tables.preparation.time_order import TimeOrder
from pages.ui.tables.preparation.transformed_column import Transform
from pages.ui.tables.reading import read_table
from pages.ui.tables.recipe import recipe_of
from pages.ui.tables.selection import Selection, select
from pages.ui.tables.table import DataError, Table, from_dataset
from pages.ui.tables.writing import from_parquet_bytes, to_csv_bytes, to_parquet_bytes
from support.browser import ROOT
from support.runs import run_of
from support.tables import READ, a_table, files, in_another_format, of_others

CASES = Path(__file__).parents[2] / "tables"


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


SETTINGS = {
    **{
        name: Settings(family=name, example=family.examples[0], n_factors=1, max_iterations=60)
        for name, family in FAMILIES.items()
    },
    "standardised": Settings(example="wine", n_components=3, standardise=True, covariance="diag"),
    "standardised with holes": Settings(
        example="airquality", standardise=True, covariance="EEV", missing=True, max_iterations=20
    ),
    "standardised in vain": Settings(
        family="poisson-mixture", example="earthquakes", standardise=True
    ),
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
    return printed(code, folder).split()[:3]


def printed(code: str, folder: Path) -> str:
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout


def a_number(printed: str) -> float:
    return float(printed.removeprefix("np.float64(").removesuffix(")"))


def expect_the_same(
    settings: Settings, table: Table, folder: Path, content: bytes = b"", share: float = 1.0
) -> None:
    """The script gives the numbers of the half-step that is this share of the way."""
    selection = selected(settings, table)
    run = run_of(settings, selection)
    index = round(share * (len(run.trace) - 1))
    if table.file:
        (folder / table.file).write_bytes(content)
    rows = takeaway.with_results(settings, table, selection, run, index)
    (folder / "rows.parquet").write_bytes(to_parquet_bytes(rows))
    code = takeaway.script(settings, selection, table, run, index, "rows.parquet")
    said = execute(code, folder)
    expected = run.trace[index].log_likelihood
    assert a_number(said[0]) == pytest.approx(expected, rel=1e-13)
    assert [int(said[1]), said[2]] == [run.fit.n_iterations, run.fit.stop_reason]


@pytest.mark.parametrize("name", SETTINGS)
def test_the_script_gives_the_numbers_shown(name: str, tmp_path: Path) -> None:
    settings = SETTINGS[name]
    if settings.columns and not set(settings.columns) <= set(table_of(settings).frame):
        columns = table_of(settings).frame.columns[:2]
        settings = replace(settings, columns=tuple(columns))
    share = list(SETTINGS).index(name) % 3 / 2
    expect_the_same(settings, table_of(settings), tmp_path, share=share)


def test_the_script_says_how_sure_the_numbers_are_where_that_is_asked_for(tmp_path: Path) -> None:
    settings = Settings(
        example="iris", n_components=2, intervals=True, resampled=True, halved=True, seed=3
    )
    table = table_of(settings)
    selection = selected(settings, table)
    run = run_of(settings, selection)
    fit, last = run.finished_fit, len(run.trace) - 1
    described = at_once(describe)(without_trace(fit), run.data, run.weights)
    grid = grid_of(replace(settings, largest=2, n_starts_each=2), table, selection)
    grid.times = 1
    code = takeaway.script(settings, selection, table, run, last, "", described, grid)
    told = printed(code, tmp_path)
    compared = select_models(grid.models, run.data, grid.seeds, grid.starts)
    for cell in compared.ranking("bic"):
        assert f"{cell.label[0]} {cell.label[1]} {cell.score('bic')}\n" in told
    for way in (inference.intervals(fit, run.data), inference.bootstrap(fit, run.data)):
        for row in way.reported:
            assert f"{row.name} {' '.join(map(str, row[1:5]))}\n" in told
    start = recommended_start(settings)
    halves = inference.split_half(fit, run.data, 5, starts=10, start=start)
    assert f"{halves.mean} {halves.mean_stayed}\n" in told
    quality = inference.class_quality(fit, run.data)
    assert f"relative_entropy={quality.relative_entropy!r}" in told
    for asked in (replace(settings, intervals=False, halved=False), settings):
        at = 0 if asked is settings else last
        assert "inference" not in takeaway.script(asked, selection, table, run, at, "")


def a_file() -> bytes:
    """Decimal commas, names that look like formulas, words for missing, "None" and rows left out"""
    rng = np.random.default_rng(1)
    lines = [f"{x!r};{y!r};None;=t" for x, y in rng.normal(size=(80, 2)).tolist()]
    lines[3], lines[9] = "NA;1.5;t;'=t", "1.5;1e999;t;t"
    text = "=cmd|' /C calc'!A0;@b;kind;'=k\n" + "\n".join(lines).replace(".", ",")
    return text.encode("utf-16")


@pytest.mark.parametrize("from_a_file", [True, False], ids=["from its file", "from the rows"])
def test_the_script_for_an_own_table(from_a_file: bool, tmp_path: Path) -> None:
    table = read_table("mine, of today.csv", a_file())
    if not from_a_file:
        table = table._replace(file="")
    settings = changed(Settings(), source="table", fingerprint=table.fingerprint[:16])
    expect_the_same(settings, table, tmp_path, a_file(), share=0.5)


STEPS = {
    "transformed": (Filter("x", "is at least", ("0.4",)), Transform("x", "log")),
    "standardised": (Transform("x", "sqrt"), Transform("y", "ranks")),
    "in time": (TimeOrder("when"), Filter("kind", "is not", ("b",))),
    "changes": (TimeOrder("when"), Transform("x", "difference", "kind")),
    "long": (WideToLong(("x", "y"), "value", "time", "sequence"),),
    "in an order that the cells do not give any more": (
        TimeOrder("when"),
        Filter("kind", "is not", ("b",)),
        Missing(("1980-01-07", "1975-04-07"), ("when",)),
    ),
}


@pytest.mark.parametrize("from_a_file", [True, False], ids=["from its file", "from the rows"])
@pytest.mark.parametrize("name", STEPS)
def test_the_script_takes_the_steps(name: str, from_a_file: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    lines = [
        f"{x!r},{y!r},{'abc'[n % 3]},{1990 - n // 3}-0{1 + n % 5}-07"
        for n, (x, y) in enumerate(rng.lognormal(size=(60, 2)).tolist())
    ]
    lines[7] = lines[7].replace(lines[7].split(",")[1], "")
    content = "\n".join(["x,y,kind,when", *lines]).encode()
    table = read_table("mine.csv", content)
    if not from_a_file:
        table = table._replace(file="")
    family = "gaussian-hmm" if name.startswith(("in ", "long")) else "gaussian-mixture"
    settings = changed(
        Settings(),
        source="table",
        family=family,
        preparation=STEPS[name],
        standardise=name == "standardised",
        max_iterations=20,
    )
    expect_the_same(settings, prepared(table, STEPS[name]), tmp_path, content)


def test_a_column_called_as_those_of_the_results_is_no_result(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    lines = [f"{x!r},{n % 4 or ''}" for n, x in enumerate(rng.normal(size=60).tolist())]
    table = read_table("t.csv", "\n".join(["x,half-step", *lines]).encode())._replace(file="")
    steps = (Filter("x", "is at least", ("-1",)),)
    settings = changed(Settings(), source="table", columns=("x",), preparation=steps)
    expect_the_same(settings, prepared(table, steps), tmp_path)


def test_a_level_called_none_is_one_in_the_script(tmp_path: Path) -> None:
    content = (CASES / "06-na-is-namibia.csv").read_bytes()
    table = read_table("06.csv", content)
    settings = changed(
        Settings(), source="table", family="categorical-mixture", columns=("country", "owns")
    )
    assert "None" in selected(settings, table).levels[1]
    expect_the_same(settings, table, tmp_path, content)


@pytest.mark.parametrize("from_a_file", [True, False], ids=["from its file", "from the rows"])
def test_the_script_takes_the_steps_of_preparation(from_a_file: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "mood": rng.choice(["high", "low", "middle"], 60),
            "answer": rng.choice(["Yes", "yes ", "no", "NO", "refused"], 60),
            "scale": rng.choice([1, 2, 3, 99], 60),
        }
    )
    content = frame.to_csv(index=False).encode()
    steps = (
        Missing(("99", "refused")),
        Spelling(),
        Renamed("scale", ("2", "3"), ("2 or 3", "2 or 3")),
        Ordered("mood", ("low", "middle", "high")),
    )
    read = read_table("answers.csv", content)
    table = prepared(read if from_a_file else read._replace(file=""), steps)
    settings = Settings(
        source="table", family="categorical-mixture", preparation=steps, columns=tuple(frame)
    )
    levels = selected(settings, table).levels
    assert levels[0] == ("low", "middle", "high") and len(levels[1]) == len(levels[2]) == 2
    expect_the_same(settings, table, tmp_path, content)


def test_the_script_for_a_model_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ROOT / "em_core/examples/zero_inflated_poisson.py"
    own = own_models.read(path)
    monkeypatch.setitem(FAMILIES, "own-one", own_family(own))
    lines = [f"{i * i % 7 * (i % 3 > 0)},{i % 5}" for i in range(60)]
    content = "\n".join(["visits,x", *lines]).encode()
    table = read_table("visits.csv", content)
    settings = Settings(source="table", family="own-one", columns=("visits",))
    selection = selected(settings, table)
    data = family_of(settings).data(selection)
    fitted = fit(own.model, data, start=next(iter(own.model.starts)), seed=0)
    run = Run(
        key="", model=own.model, data=data, start=None, tolerance=1e-3, max_iterations=1000,
        trace=list(fitted.trace), stop_reason=fitted.stop_reason, fit=fitted,
    )  # fmt: skip
    (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / table.file).write_bytes(content)
    said = execute(takeaway.script(settings, selection, table, run, 1, ""), tmp_path)
    assert a_number(said[0]) == fitted.trace[1].log_likelihood


def test_a_script_for_another_file_says_so(tmp_path: Path) -> None:
    table = read_table("mine.csv", a_file())
    settings = changed(Settings(), source="table", fingerprint=table.fingerprint[:16])
    with pytest.raises(AssertionError, match="another file"):
        expect_the_same(settings, table, tmp_path, a_file() + b"1\x000\x00")


def test_a_script_says_what_it_needs() -> None:
    table = read_table("mine.csv", a_file())
    for source, needed in [
        (table, "'mine.csv' as it was loaded"),
        (table._replace(file=""), "'rows.parquet'"),
    ]:
        settings = changed(Settings(), source="table", fingerprint=table.fingerprint[:16])
        selection = selected(settings, source)
        run = run_of(settings, selection)
        code = takeaway.script(settings, selection, source, run, 0, "rows.parquet")
        head = code.partition("import")[0]
        assert "em_core" in head and "PYTHONPATH" in head and needed in head


def all_files() -> Iterator[tuple[str, bytes]]:
    """The files of the tests: those with right values, those of others, the hand-made ones, and
    drawn ones of every format."""
    for path in sorted(path for path in CASES.glob("*") if path.is_file()):
        yield path.name, path.read_bytes()
    for number, (content, *_) in enumerate(READ.values()):
        yield f"{number}.csv", content.encode() if isinstance(content, str) else content
    rng = random.Random(0)
    for path in sorted((CASES / "others").glob("*.*")):
        name = path.name.removesuffix(".gz")
        yield name, of_others(name)
    yield from files()
    for _ in range(100):
        yield a_table(rng)[:2]
    for _ in range(40):
        yield in_another_format(rng, *a_table(rng)[2:])[:2]
    frame = pd.DataFrame(
        {
            "when": pd.to_datetime(["2020-01-01", None, "2021-05-05"]),
            "sure": pd.Series([True, None, False], dtype="boolean"),
            "count": pd.Series([1, None, 2**60], dtype="Int64"),
            "text": pd.Series(["", None, "NA"], dtype="str"),
        }
    )
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    yield "typed.parquet", buffer.getvalue()
    buffer = io.BytesIO()
    frame.drop(columns="count").to_excel(buffer, index=False)
    yield "typed.xlsx", buffer.getvalue()


def all_readings() -> Iterator[tuple[str, bytes, Table]]:
    """All files that can be read, as they are and by every answer to what they leave open."""
    for name, content in all_files():
        try:
            table = read_table(name, content)
        except DataError:
            continue
        yield name, content, table
        for question in table.questions:
            for answer, _ in question.choices:
                reading = Reading(**{question.about: ((question.column, answer),)})
                yield name, content, read_table(name, content, reading)


def test_every_file_is_read_in_the_script_as_it_was_read_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames cell by cell, from the file and from the rows taken away; and what a model takes.

    Where a file leaves something open, by every answer too.
    """
    monkeypatch.chdir(tmp_path)
    read = taken = 0
    for name, content, table in all_readings():
        read += 1
        Path(name).write_bytes(content)
        labelled = table.frame.copy().assign(result=1.0)
        Path("rows.parquet").write_bytes(to_parquet_bytes(labelled))
        for source in (table, table._replace(file="")):
            recipe = recipe_of(source, (), "rows.parquet")
            made: dict = {"np": np}
            exec("\n".join([*recipe.imports, *recipe.lines]), made)
            frame = made["table"][list(table.frame)]
            pd.testing.assert_frame_equal(frame, table.frame, check_exact=True)
            for family in ("gaussian-mixture", "categorical-mixture", "gaussian-hmm"):
                settings = changed(Settings(), source="table", family=family)
                try:
                    selection = selected(settings, table)
                except DataError:
                    continue
                data = family_of(settings).data(selection)
                again = made | {"table": frame.copy()}
                exec("\n".join(takeaway.rows_used(selection, data, frame)), again)
                taken += 1
                expected = data if selection.groups else [selection.values]
                given = again["data"] if selection.groups else [again["data"]]
                for one, other in zip(given, expected, strict=True):
                    assert np.array_equal(one, other, equal_nan=True)
    print(f"{read} files, {taken} selections")
    assert read > 200 and taken > 500


def test_the_script_is_about_ten_lines() -> None:
    settings = Settings(example="iris")
    table = table_of(settings)
    selection = selected(settings, table)
    code = takeaway.script(settings, selection, table, run_of(settings, selection), 0, "")
    body = [line for line in code.splitlines() if line and "import" not in line and line[0] != "#"]
    assert len(body) <= 12  # and two are prints


def test_parameters_and_trace() -> None:
    settings = Settings(example="iris", n_components=3)
    table = table_of(settings)
    selection = selected(settings, table)
    run = run_of(settings, selection)
    last = len(run.trace) - 1
    for index in (0, 1, 2, last):
        content = json.loads(takeaway.parameters_as_json(settings, selection, table, run, index))
        for name, array in arrays(run.trace[index].params).items():
            assert np.array_equal(content[name], array)
        assert [step["elbo"] for step in content["trace"]] == [step.elbo for step in run.trace]
        assert content["log_likelihood"] == content["trace"][index]["log_likelihood"]
        assert content["elbo"] == content["trace"][index]["elbo"]
        assert content["bic"] == pytest.approx(
            -2 * content["log_likelihood"] + run.fit.n_parameters * np.log(150)
        )
        assert content["end"]["log_likelihood"] == run.fit.log_likelihood
        assert content["end"]["icl"] == run.fit.icl
    assert (
        content["half_step"] == content["end"]["half_step"] == f"E-step {last // 2} of {last // 2}"
    )


@pytest.mark.parametrize(
    "settings",
    [
        SETTINGS["explicit"],
        SETTINGS["standardised"],
        *(SETTINGS[name] for name in ("gaussian-hmm", "factor-analysis", "two-level")),
    ],
    ids=lambda settings: settings.family,
)
def test_rows_are_of_the_half_step_shown_and_say_which(settings: Settings) -> None:
    """With the parameters that the picture's posterior is of: in an M half-step those before it."""
    table = table_of(settings)
    selection = selected(settings, table)
    run = run_of(settings, selection)
    last = len(run.trace) - 1
    for index, name in [
        (0, "start"),
        (1, "M-step 1"),
        (2, "E-step 1"),
        (last, f"E-step {last // 2}"),
    ]:
        step = run.trace[index]
        params = run.trace[index - 1].params if step.phase == "M" else step.params
        expected = family_of(settings).results(run.model, params, run.data, selection, settings)
        rows = takeaway.with_results(settings, table, selection, run, index)
        for column, values in expected.items():
            assert np.array_equal(rows[column].iloc[selection.rows].to_numpy(), values), column
        said = set(rows["half-step"].iloc[selection.rows])
        assert len(said) == 1
        assert said.pop().startswith(f"{name} of {last // 2}" if index else name)


def test_names_of_files_tell_them_apart() -> None:
    table = read_table("../my tàble=1.csv", b"a,b\n1,2\n3,4\n")
    names = [
        stem(replace(settings, seed=seed), table.name, at)
        for settings in (Settings(), Settings(n_components=3), Settings(family="factor-analysis"))
        for seed in (0, 1)
        for at in ("start", "M-step 2")
    ]
    assert len(set(names)) == len(names)
    assert names[1] == "my-tàble-1-gaussian-mixture-full-2-components-seed-0-M-step-2"
    assert stem(Settings(start="means"), table.name).endswith("2-components-means")
    assert title(Settings(example="iris"), table_of(Settings(example="iris"))).startswith(
        "Iris flowers: Gaussian mixture, 2 components"
    )


ODD_NAMES = [
    *(
        "../../etc/passwd",
        "..\\..\\win.ini",
        "C:\\x.csv",
        "/",
        "a/b.csv",
        "~/.ssh/x.csv",
        "-rf.csv",
    ),
    *("a\nb.csv", "a\r\nSet-Cookie: x=1.csv", "\0.csv", "a\tb.csv", "\x1b[31mx.csv", "\ud800.csv"),
    *(
        'x";rm -rf.csv',
        "'q'.csv",
        "<b onclick=x>.csv",
        "%2e%2e%2f.csv",
        "$(id).csv",
        "`id`",
        "a|b*?",
    ),
    *("\u202egpj.csv", "\u2066a\u2069.csv", "\u200b\u200f.csv", "\ufeff.csv", "a\u2028b.csv"),
    *("", ".", "..", "...csv", ".csv", "_-_", "CON", "nul.csv", "ﷺ" * 40, "e\u0301\u0301" * 40),
    *("x" * 300 + ".csv", "日本" * 200, "\U00020000" * 300, "x.csv" * 100, "\u0301" * 300),
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_of_files_are_ones_that_every_system_takes(name: str) -> None:
    """Whatever a table is called: letters, digits and hyphens, and room for an ending."""
    settings = Settings(family="categorical-mixture", n_components=12, seed=2**31 - 1)
    more = [("against", "accelerated EM (SQUAREM)", "M-step 100000")]
    more += [("known labels", name, "M-step 100000")]
    for named in (settings, Settings(), Settings(family="factor-analysis")):
        for words in more:
            made = stem(named, name, *words)
            assert re.fullmatch(r"\w[\w-]*\w", made), made
            assert len(made.encode()) <= 240
            assert "--" not in made and unicodedata.is_normalized("NFC", made)


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
    run = run_of(Settings(), selection)
    result = takeaway.with_results(Settings(), table, selection, run, len(run.trace) - 1)
    as_csv = list(csv.reader(io.StringIO(to_csv_bytes(result).decode(), newline="")))
    packed = pq.read_table(io.BytesIO(to_parquet_bytes(result)))
    as_parquet = [packed.column_names, *zip(*[c.to_pylist() for c in packed.columns], strict=True)]
    for rows in (as_csv, as_parquet):
        texts = [cell for row in rows for cell in row if isinstance(cell, str)]
        harmless = [cell for cell in texts if not cell.lstrip(" ").startswith(RUNS)]
        dangerous = set(texts) - set(harmless)
        assert not [cell for cell in dangerous if not is_number(cell)]
        assert np.array_equal([float(row[0]) for row in rows[1:]], numbers)
    again = from_parquet_bytes(to_parquet_bytes(result))
    pd.testing.assert_frame_equal(again, result, check_exact=True)


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
