"""What the page "What are they?" says, on the running app, without a browser."""

import re
from urllib.parse import urlencode

import numpy as np
import pytest

from em_core import load
from em_core.datasets import load as load_data
from pages.ui.families.interval_columns import called as called_by_page
from pages.ui.state.links import to_query
from pages.ui.text import MINUS, nats, number, percent
from support.uploads import CASES, uploaded
from support.visitor import Visitor

pytestmark = pytest.mark.slow


def described(app: str, query: str) -> Visitor:
    visitor = Visitor(app, f"v=1&{query}", "describe")
    visitor.settle()
    return visitor


def test_clusters_are_named_told_and_crossed(app: str) -> None:
    visitor = described(app, "e=iris&k=3")
    assert f"component 1, 33.3\xa0% of the rows: low petal length ({MINUS}1.3 SD)" in visitor.said
    assert re.search(
        r"Relative entropy 0\.97\d* \(1: no doubt about any row; it measures", visitor.said
    )
    assert "species: Cramér's V 0.9" in visitor.said and "There is no p-value" in visitor.said
    visitor.write("Name of component 1", "small *flowers*")
    visitor.settle()
    assert "small *flowers* (component 1), 33.3" in visitor.said
    assert "rows assigned to" not in visitor.said
    assert b"nm=small" in visitor.received
    visitor.close()


def test_clusters_are_crossed_with_a_column_of_numbers(app: str) -> None:
    visitor = described(app, "e=iris&k=3&c=sepal length,sepal width&xt=petal width")
    assert "Something went wrong" not in visitor.said
    assert re.search(r"petal width: Eta squared 0\.\d+: the share of its variance", visitor.said)
    assert "petal width in each component" in visitor.said
    visitor.close()


def test_clusters_are_crossed_with_the_first_column_that_can_be(app: str) -> None:
    rows = [f"2024-01-{i % 28 + 1:02d} {i}h,{i % 7}.5,{i % 5}.25,{'ab'[i % 2]}" for i in range(60)]
    visitor = described(app, "s=table&c=x,y")
    visitor.upload("Upload a table", "t.csv", "\n".join(["when,x,y,kind", *rows]).encode())
    visitor.settle()
    assert "kind: Cramér's V" in visitor.said and "different values" not in visitor.said
    visitor.close()


def test_a_name_of_a_link_is_in_tables_and_downloads(app: str) -> None:
    visitor = Visitor(app, "v=1&e=iris&k=3&nm=small,,large", "")
    visitor.settle()
    assert "small\tcomponent 2\tlarge" in visitor.said
    rows = visitor.download("Rows with results (CSV)").decode()
    assert "P(small),P(component 2),P(large)" in rows and ",small," in rows
    iris = load_data("iris").values
    saved = load(visitor.download("Model (JSON)").decode())
    assert saved.columns == ("sepal length", "sepal width", "petal length", "petal width")
    shares = saved.posterior(iris).responsibilities
    assert repr(float(shares[100, 2])) in rows.splitlines()[101]
    visitor.close()


def test_what_does_not_apply_is_said(app: str) -> None:
    visitor = described(app, "m=factor-analysis&e=ability&q=2&rot=varimax")
    assert (
        "factor 1, 31.1\xa0% of the variance of the columns: carries reading (0.95)" in visitor.said
    )
    assert "relative entropy and the like do not apply" in visitor.said
    assert "RMSEA" in visitor.said and f"picture and maze ({MINUS}0.114)" in visitor.said
    assert "Cramér" not in visitor.said
    visitor.close()
    visitor = described(app, "m=two-level&e=pupils")
    assert "30 groups, called as in the table" in visitor.said
    assert "The groups are given" in visitor.said
    visitor.close()


def test_states_and_classes_in_their_own_terms(app: str) -> None:
    visitor = described(app, "m=gaussian-hmm&e=geyser&k=3")
    assert "lasts 1 row on average, then mostly state 3" in visitor.said
    assert "that of the paths, which ICL uses" in visitor.said
    assert "there is no other to compare with" in visitor.said
    visitor.close()
    visitor = described(app, "m=bernoulli-mixture&e=lsat6&k=2")
    assert "Table of patterns: G-squared" in visitor.said
    assert "Bivariate residuals: Pearson's statistic" in visitor.said
    visitor.close()


def test_how_sure_is_told_when_asked_and_the_report_has_it(app: str) -> None:
    visitor = described(app, "e=faithful&k=2&iv=1&bs=1&sl=1")
    assert "95\xa0% intervals by the curvature of the log-likelihood" in visitor.said
    assert "of 200 tables drawn from this one led to this optimum again" in visitor.said
    assert "Whether other starts lead here too is not known yet" in visitor.said
    assert "5 splits in halves, each half fitted by itself from 10 starts" in visitor.said
    assert "mean of component 1: eruptions" in visitor.said
    table = visitor.download("Intervals (CSV)").decode()
    assert table.startswith(",estimate,standard error") and "weight of component 2" in table
    assert "gaussian-mixture-full-2-components-seed-0-intervals.csv" in visitor.given
    assert [x for x in ("Quality", "Columns", "Splits") if f"{x} (CSV)" not in visitor.said] == []
    report = visitor.download("Report (HTML)").decode()
    assert "Every number with its interval" in report and "reached this" not in report
    assert "5 splits in halves" in report
    visitor.click("Is this the best answer?")
    visitor.settle()
    assert "Yes, as far as 29 other starts" in visitor.said
    assert "is not known yet" not in visitor.said
    assert "of 29 other starts reached this answer as well." in visitor.said
    report = visitor.download("Report (HTML)").decode()
    assert "of 29 other starts reached this answer as well." in report
    # In its tables and shares, here and on the first page, both ways stand beside each other.
    ends = r"\d\d\.\d\s% to \d\d\.\d\s%"
    assert re.search(rf"component 1, \d\d\.\d\s% \({ends}; bootstrap {ends}\) of the", visitor.said)
    visitor.go("")
    visitor.settle()
    both = "95 %, component 1\tbootstrap 95 %, component 1"
    assert f"component 1\t{both}\tcomponent 2\t" in visitor.said
    assert "of 200 tables drawn from this one led to this optimum again" in visitor.said
    visitor.toggle("Bootstrap beside it", False)
    visitor.settle()
    assert "component 1\t95 %, component 1\tcomponent 2\t95 %, component 2" in visitor.said
    visitor.close()


def test_mixtures_of_factor_analysers_have_loadings_of_their_own(app: str) -> None:
    visitor = described(app, "m=factor-analysers&e=iris&k=2&q=1&iv=1")
    report = visitor.download("Report (HTML)").decode()
    assert "Loadings, in the original units" in report and "Every number with its" in report
    visitor.close()


def test_new_rows_are_scored(app: str) -> None:
    visitor = described(app, "e=faithful&k=2")
    visitor.type("Or paste new rows, with a header", "waiting,eruptions\n80,4.2\n55,1.9\n70,44\n")
    visitor.settle()
    assert "3 rows scored" in visitor.said and "1 unusual" in visitor.said
    rows = visitor.download("Scored rows (CSV)").decode().splitlines()
    assert rows[0].startswith("waiting,eruptions,cluster,P(component 1)") and len(rows) == 4
    visitor.type("Or paste new rows, with a header", "other,column\n1,2\n")
    visitor.settle()
    assert "has none of the columns of the model: eruptions, waiting" in visitor.said
    visitor.close()


def test_files_to_score_stay_whatever_is_uploaded_elsewhere(app: str) -> None:
    saved = described(app, "e=faithful&k=3")
    saved.go("")
    saved.settle()
    model = saved.download("Model (JSON)")
    saved.close()
    rows = b"waiting,eruptions\n80,4.2\n55,1.9\n70,3\n"
    visitor = described(app, "e=faithful&k=2")
    visitor.upload("Score them by a saved model instead (optional)", "three.json", model)
    visitor.upload("New rows", "new.csv", rows)
    visitor.settle()
    scored = re.compile(r"3 rows scored; .*")
    (by_three,) = scored.findall(visitor.said)
    assert "component 3" in by_three
    visitor.open("Save or open work")
    for name in ("a.zip", "b.zip", "c.zip"):
        visitor.upload("Open saved work", name, b"no work")
    visitor.settle()
    assert scored.findall(visitor.said) == [by_three]
    # Nor are they lost with the page; and they go when they are taken away.
    visitor.go("")
    visitor.go("describe")
    visitor.settle()
    assert scored.findall(visitor.said) == [by_three]
    assert "In use: three.json." in visitor.said and "In use: new.csv." in visitor.said
    visitor.click("Leave out the saved model")
    visitor.settle()
    assert scored.findall(visitor.said) != [by_three]
    visitor.close()


def test_two_solutions_stand_beside_each_other_and_change_places(app: str) -> None:
    visitor = described(app, "e=iris&k=3")
    visitor.click("Keep to compare")
    visitor.settle()
    assert "This solution is kept" in visitor.said and "kp=" in visitor.written
    visitor.enter("Components", 2)
    visitor.settle()
    assert "70.0\xa0% of the rows are assigned to matching components" in visitor.said
    assert "Beside another solution" in visitor.download("Report (HTML)").decode()
    again = described(app, visitor.written.removeprefix("v=1&"))
    assert "70.0\xa0% of the rows are assigned to matching components" in again.said
    again.close()
    visitor.click("Go back to the kept one")
    visitor.settle()
    assert visitor.shown("Components") == 3 and "Without a match: component 2." in visitor.said
    visitor.click("Drop the kept one")
    visitor.settle()
    assert "adjusted Rand" not in visitor.said and "kp=" not in visitor.written
    visitor.close()
    visitor = described(app, "e=iris&k=3&kp=k%3Dmany%26c%3Dnothing%26e%3Diris")
    assert "“many” is not a whole number" in visitor.said
    assert "The kept solution cannot be had of this table." in visitor.said
    visitor.close()


def test_the_report_has_what_other_pages_have_found(app: str) -> None:
    visitor = Visitor(app, "v=1&e=faithful&k=2&kt=3&ne=3&cov2=full", "model_selection")
    visitor.settle()
    visitor.go("describe")
    report = visitor.download("Report (HTML)").decode()
    assert "The best model has a ring." in report and "All models compared" in report
    assert "of 3 other starts reached this answer as well." in report
    assert "Other starts were not tried" not in report
    assert "The best by BIC is 2 components, full: the model of this report." in report
    visitor.close()
    visitor = Visitor(app, "v=1&e=iris&k=3&ns=4&seed=22", "local_optima")
    visitor.settle()
    visitor.go("describe")
    report = visitor.download("Report (HTML)").decode()
    assert "Other starts were not tried" not in report
    assert "nats better" in report
    visitor.close()


@pytest.mark.parametrize("name", CASES)
def test_every_number_of_an_uploaded_table_is_that_of_the_engine(app: str, name: str) -> None:
    own = uploaded(name)
    visitor = Visitor(app, urlencode(to_query(own.settings)), "")
    visitor.upload("Upload a table", "uploaded.csv", own.content)
    visitor.settle()
    visitor.go("describe")
    visitor.settle()
    profile, quality = own.profile, own.found.quality
    units = "in the original units" if profile.signed else "as numbers"
    if own.settings.names:  # those of a link go with its table
        visitor.write("Name of component 1", own.settings.names[0])
        visitor.settle()
    visitor.open(f"The same {units}")
    visitor.open("Average posteriors, and the errors of every two")
    lines = {}
    for line in visitor.said.splitlines():
        called, *cells = line.strip().split("\t")
        lines.setdefault(called, []).append([cell for cell in cells if cell])

    def stands(called: str, numbers) -> None:
        assert list(map(number, numbers)) in lines[called], called

    stands("share (average posterior)", quality.shares)
    stands("share of the rows assigned", quality.assigned_shares)
    stands("rows assigned", quality.rows)
    stands("their average posterior", np.diag(quality.average_posteriors))
    stands("odds of correct classification (above 5 is good)",
           quality.odds_of_correct_classification)  # fmt: skip
    stands("parameters that describe it", quality.parameters)
    stands("rows for each of them", quality.rows / quality.parameters)
    for k, part in enumerate(profile.names):
        stands(f"rows assigned to {part}", quality.average_posteriors[k])
        stands(part, own.found.separation.bayes_errors[k])
        named = rf"{part}( \(component \d\))?, {percent(profile.shares[k], 1)}"
        assert re.search(named, visitor.said)
    for p, cell in enumerate(profile.cells):
        stands(cell, profile.values[:, p] * profile.scale[p] + profile.shift[p])
    for row in own.sure.reported:
        told = row.estimate, row.standard_error, row.lower, row.upper
        if np.isfinite(row.standard_error):
            stands(called_by_page(row, profile.names, own.selection), told)
    assert f"Relative entropy {number(quality.relative_entropy, 3)} (1" in visitor.said
    assert f"Classification error {percent(quality.classification_error, 1)}:" in visitor.said
    assert f"Smallest share {percent(quality.smallest_share, 1)}." in visitor.said
    residuals = own.found.residuals
    if np.isfinite(residuals.columns).any():
        stands("largest distance of its distribution from that of the model", residuals.columns)
    if not isinstance(own.found.patterns, str):
        assert f"G-squared {nats(own.found.patterns.g_squared)}" in visitor.said
    visitor.close()


def test_a_column_that_is_not_there_gives_way_to_the_usual_one(app: str) -> None:
    visitor = described(app, "e=iris&k=3&c=petal length,petal width&xt=nonsense")
    assert "“nonsense” is not among the choices here, so “species” is used" in visitor.said
    assert "species: Cramér's V" in visitor.said
    visitor.close()
