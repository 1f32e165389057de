"""The report: every number of it is the engine's, from three tables as people upload them."""

import base64
import html
import re
from dataclasses import replace
from itertools import chain
from xml.etree import ElementTree

import numpy as np
import pytest

from em_core import inference
from pages.ui.families.interval_columns import differences
from pages.ui.families.table import family_of
from pages.ui.panels.describe.facts import Facts
from pages.ui.panels.describe.report_panel import written
from pages.ui.panels.uncertainty import difference_in_words
from pages.ui.state.settings import Settings
from pages.ui.tables.preparation.filtering import Filter
from pages.ui.tables.preparation.missing import Missing
from pages.ui.tables.preparation.table import prepared
from pages.ui.tables.preparation.transformed_column import Transform
from pages.ui.tables.reading import read_table
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from pages.ui.tables.weights import weighted
from pages.ui.text import MINUS, number, percent
from support.runs import selected
from support.uploads import CASES, described, uploaded


def rows_of(report: str) -> dict[str, list[list[str]]]:
    """Lines of all tables, by what stands first in them."""
    found: dict[str, list[list[str]]] = {}
    for line in re.findall(r"<tr>(.*?)</tr>", report, re.DOTALL):
        first, *cells = [html.unescape(c) for c in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", line)]
        found.setdefault(first, []).append(cells)
    return found


IMAGE = re.compile(r'base64,([^"]+)" width="(\d+)" height="(\d+)" alt="([^"]*)"')


@pytest.mark.parametrize("name", CASES)
def test_every_number_is_that_of_the_engine(name: str) -> None:
    _, settings, table, selection, run, fit, found, sure, profile = uploaded(name)
    family = family_of(settings)
    again = inference.bootstrap(fit, run.data, 30, weights=run.weights)
    assert again.stable
    profile = family.profile(run.model, fit.params, run.data, selection, settings)
    facts = Facts(
        run, settings, selection, table, family, profile.with_intervals(sure.reported), found,
        sure, again, None, "", None, "http://here/?v=1",
    )  # fmt: skip
    report = written(facts).decode()
    assert (
        "<script" not in report
        and report.count("src=") == report.count('<img src="data:image/svg+xml;base64,')
        and "http"
        not in report.replace("http-equiv", "")
        .replace("http://here/?v=1", "")
        .replace("http://www.w3.org/2000/svg", "")
    )
    assert "bill <length>" not in report
    if name == "measurements":
        assert "Missing: 1 of 180 cells (0.6\N{NO-BREAK SPACE}%). Rows count" in report
    rows = rows_of(report)
    for label, value in (("BIC", fit.bic), ("SABIC", fit.sabic), ("CAIC", fit.caic),
                         ("AIC", fit.aic), ("ICL", fit.icl), ("AIC3", fit.aic3)):  # fmt: skip
        assert rows[label] == [[number(value)]]
    assert rows["parameters"] == [[str(fit.n_parameters)]]
    quality = inference.class_quality(fit, run.data)
    assert rows["share (average posterior)"][0] == [number(s) for s in quality.shares]
    odds = quality.odds_of_correct_classification
    assert rows["odds of correct classification (above 5 is good)"][0] == [number(o) for o in odds]
    assert f"Relative entropy {number(quality.relative_entropy, 3)} " in report
    assert f"Classification error {percent(quality.classification_error, 1)}" in report
    several = [r for r in sure.reported if np.isfinite(r.standard_error)]
    written_out = {tuple(cells) for lines in rows.values() for cells in lines}
    resampled = {row.name: row for row in again.reported}
    for row in several:
        told = row.estimate, row.standard_error, row.lower, row.upper, *resampled[row.name][2:5]
        assert tuple(map(number, told)) in written_out
    # And both ways beside each other after the numbers themselves.
    beside = [f"{way}, {part}" for part in profile.names for way in ("95 %", "bootstrap 95 %")]
    assert [name for name in beside if f">{name}</th>" not in report] == []
    row = several[0]
    told = [f"{number(e[3], 4)} to {number(e[4], 4)}" for e in (row, resampled[row.name])]
    assert any(told == cells[1:3] for lines in rows.values() for cells in lines)
    (said, *differing) = difference_in_words(sure, again, profile.names, selection)
    drawn = f"Bootstrap: {again.stayed} of 30 tables drawn from"
    assert said.startswith(drawn) and said.endswith("led to this optimum again.")
    assert all(html.escape(words) in report for words in (said, *differing))
    apart = differences(sure.reported, again.reported)
    assert ("By more than a quarter" in differing[0]) is bool(apart)
    for one, two in apart[:3]:
        assert f"({number(one.standard_error, 3)} by information, " in differing[0]
        assert f"{number(two.standard_error, 3)} by bootstrap)" in differing[0]
    for p, cell in enumerate(profile.cells):
        own = profile.values[:, p] * profile.scale[p] + profile.shift[p]
        assert list(map(number, own)) in rows[cell]
    worst = inference.bivariate_residuals(fit, run.data)
    d, e = worst.worst[0]
    if abs(worst.statistics[d, e]) >= (0.1 if worst.is_correlation else 3.84):
        size = number(worst.statistics[d, e], 3, signed=worst.is_correlation)
        assert f"({size})" in report
    assert rows["starts, and how many reached the best"] == [["not done"]]
    assert rows["parameters with intervals"] == [["done"]]
    assert MINUS in report and report.count("<img ") >= 2
    for content, width, height, alt in IMAGE.findall(report):
        drawn = ElementTree.fromstring(base64.b64decode(content))
        assert drawn.get("viewBox") == f"0 0 {width} {height}" and alt


def facts_of(table: Table, selection: Selection, settings: Settings) -> Facts:
    """All that a report is written from, other starts and models left aside."""
    _, _, _, _, run, _, found, sure, profile = described(b"", settings, table, selection)
    return Facts(
        run, settings, selection, table, family_of(settings),
        profile.with_intervals(sure.reported), found, sure, None, None, "", None, "",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["measurements", "answers"])
def test_a_report_of_frequencies_is_that_of_the_rows_they_stand_for(name: str) -> None:
    content, settings = CASES[name]
    times = np.random.default_rng(1).integers(1, 4, 150)
    names, *lines = content().splitlines()
    once = "\n".join(
        [f"{names},n", *(f"{line},{n}" for line, n in zip(lines, times, strict=False))]
    )
    often = "\n".join([names, *(x for x, n in zip(lines, times, strict=False) for _ in range(n))])
    columns = tuple(names.split(","))
    settings = replace(settings, source="table", columns=columns, tolerance=1e-9)
    rows = []
    for text in (once, often):
        table = read_table("uploaded.csv", text.encode())
        selection = selected(table, settings)
        if text == once:
            selection = weighted(selection, table, "n", "frequencies")
        found = rows_of(written(facts_of(table, selection, settings)).decode())
        rows.append(
            {first.replace(", by their weights", ""): cells for first, cells in found.items()}
        )
    once, often = rows
    assert once["n"] == [[str(times[: len(lines)].sum())]] and once.keys() == often.keys()
    assert len(once) > 30
    for first in once:
        for one, other in zip(chain(*once[first]), chain(*often[first]), strict=True):
            # Other rows are other starts: the last of the digits shown may be another.
            assert one == other or as_number(one) == pytest.approx(as_number(other), rel=5e-3), (
                first
            )


def as_number(cell: str) -> float:
    return float(cell.replace(MINUS, "-").replace(",", "").rstrip("%").strip())


def test_steps_of_preparation_are_told_once_with_what_they_did() -> None:
    content, settings = CASES["measurements"]
    lines = [*content().splitlines(), "99,99", "99,99", "12.5,400"]
    table = read_table("uploaded.csv", "\n".join(lines).encode())
    bill, flipper = table.frame
    steps = (
        Missing(("99",)),
        Filter(flipper, "is at most", ("300",)),
        Transform(flipper, "log"),
    )
    table = prepared(table, steps)
    settings = replace(settings, source="table", preparation=steps, columns=(bill, steps[2].name))
    report = written(facts_of(table, selected(table, settings), settings)).decode()
    for step in steps:
        assert report.count(html.escape(step.told()[:-1])) == 1, step
    assert report.count("(99 2 times)") == 2 and "89 of 93 rows are used (" in report
    assert "means and covariances are on this scale" in report and "Jacobian" in report
