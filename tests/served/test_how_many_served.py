"""What the page "How many?" says of a grid, on the running app, without a browser."""

import re
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from support.visitor import Visitor

pytestmark = pytest.mark.slow

TABLES = Path(__file__).parents[1] / "tables"


def said(visitor: Visitor) -> str:
    """What stands on the page, without the marks that keep text from being markup."""
    return visitor.texts.replace("\\", "")


FAITHFUL = "v=1&e=faithful&kt=4&ne=3&cov2=full,tied&it=20"


@pytest.mark.parametrize("criterion", ["aic", "cross_validation"])
def test_nothing_is_recommended_before_what_may_be_better_was_gone_on_with(
    app: str, criterion: str
) -> None:
    visitor = Visitor(app, f"{FAITHFUL}&by={criterion}&cv=3", "model_selection")
    visitor.settle()
    assert re.search(r"recommends nothing yet: \d models? ha(s|ve) not finished", said(visitor))
    assert "stands out" not in said(visitor) and "Open in Explore" not in said(visitor)
    for _ in range(2):
        visitor.click("Go on with the unfinished")
        visitor.settle()
    assert re.search(r"recommends \d components, (full|tied)", said(visitor))
    assert "Still climbing after going on twice: 4 components, full" in said(visitor)
    assert "about those that have finished; these may be better" in said(visitor)
    link = Visitor(app, f"{FAITHFUL}&by={criterion}&cv=3&go=2", "model_selection")
    link.settle()
    assert said(link).split("recommends")[1] == said(visitor).split("recommends")[1]
    visitor.close()
    link.close()


def test_a_model_opened_in_explore_leaves_the_grid_as_it_was(app: str) -> None:
    visitor = Visitor(app, f"{FAITHFUL}&s1=5&it=1000", "model_selection")
    visitor.settle()
    before = said(visitor).split("recommends")[1]
    visitor.click("Open in Explore")
    visitor.settle()
    opened = dict(parse_qsl(visitor.written))
    assert opened["seed"] in "567" and opened["s1"] == "5"
    again = Visitor(app, visitor.written, "model_selection")
    again.settle()
    assert said(again).split("recommends")[1] == before
    visitor.close()
    again.close()


def test_a_level_seen_once_is_named_and_nothing_is_ranked_by_it(app: str) -> None:
    query = "v=1&s=table&m=categorical-mixture&kt=2&ne=2&cv=5&by=cross_validation"
    visitor = Visitor(app, query, "model_selection")
    visitor.type("Rows with a header", (TABLES / "24-level-seen-once.csv").read_text())
    visitor.click("Use the pasted table")
    visitor.settle()
    texts = said(visitor)
    assert "No model can be recommended" in texts and "708" not in texts
    assert re.search(r"no value, because of “mauve” in column “colour” in fold \d", texts)
    assert "Cross-validation recommends" not in texts
    visitor.close()


def pasted(app: str, query: str, page: str) -> str:
    """What a page says of three yes-or-no items, once it has all its answers."""
    visitor = Visitor(app, f"v=1&s=table&m=bernoulli-mixture&{query}", page)
    visitor.type("Rows with a header", (TABLES / "20c-three-binary-items.csv").read_text())
    visitor.click("Use the pasted table")
    visitor.settle()
    visitor.close()
    return said(visitor)


def test_what_is_not_identified_is_said_and_not_ranked(app: str) -> None:
    """Three classes of three yes-or-no items: one optimum by its likelihood, and no recommendation,
    whatever the criterion."""
    texts = pasted(app, "kt=4&ne=3&by=aic", "model_selection")
    assert re.search(r"AIC recommends [12] class", texts)
    assert "≡ not identified: other parameters give the same distribution" in texts
    texts = pasted(app, "k=3&ns=5", "local_optima")
    assert "Not identified: 11 parameters, 7 cells." in texts
    assert "other optim" not in texts and "Optimum 2" not in texts


def test_cross_validation_on_request(app: str) -> None:
    query = "v=1&e=faithful&kt=2&ne=2&cov2=full"
    for criterion, words in (("icl", "ICL recommends"), ("bic", "BIC recommends")):
        visitor = Visitor(app, f"{query}&by={criterion}", "model_selection")
        visitor.settle()
        assert words in said(visitor)
        visitor.close()
    visitor = Visitor(app, f"{query}&by=cross_validation", "model_selection")
    visitor.settle()
    assert "Cross-validation recommends" not in said(visitor)
    visitor.click("Cross-validate in 5 folds")
    visitor.settle()
    assert "Cross-validation recommends" in said(visitor) and "held out" in said(visitor)
    assert re.search(rb"by=cross_validation[\w=&%.]*cv=5|cv=5[\w=&%.]*by=cross_", visitor.received)
    visitor.close()


def test_a_family_without_structures_has_one_line(app: str) -> None:
    query = "v=1&e=earthquakes&m=poisson-mixture&kt=3&ne=2"
    visitor = Visitor(app, query, "model_selection")
    visitor.settle()
    assert "Structures" not in said(visitor)
    assert "BIC recommends 2 components" in said(visitor)
    visitor.close()


def test_a_model_without_a_parameter_has_no_rows_for_each(app: str) -> None:
    """One class of an item of which the rows have one level."""
    link = "v=1&m=categorical-mixture&e=digits&c=row+1+pixel+1&kf=1&kt=2&ne=1&it=8"
    visitor = Visitor(app, link, "model_selection")
    visitor.settle()
    assert "Something went wrong" not in visitor.texts and "Every model" in visitor.said
    visitor.close()


def test_factor_analysis_has_its_test_of_fit_and_no_icl(app: str) -> None:
    """R's factanal on the same tests: 6.11 on 4 degrees of freedom, p = 0.191."""
    visitor = Visitor(app, "v=1&m=factor-analysis&e=ability&kt=2&ne=1", "model_selection")
    visitor.settle()
    assert "BIC recommends 2 factors" in said(visitor)
    test = "with Bartlett's correction: 2 factors are enough (6.11 on 4, p = 0.191)"
    assert f"Chi-square test of fit, {test}" in said(visitor)
    visitor.close()
    visitor = Visitor(app, "v=1&m=two-level&e=pupils", "model_selection")
    visitor.settle()
    assert "This model has no size to choose." in said(visitor)
    visitor.close()


def test_a_number_is_tested_against_the_next(app: str) -> None:
    """Five questions of a law test are mostly taken for two classes, and not for three."""
    query = "v=1&m=bernoulli-mixture&e=lsat6&kt=3&ne=3&lr=2"
    visitor = Visitor(app, query, "model_selection")
    visitor.settle()
    assert "Testing 2 classes against 3 classes" in said(visitor) or "p = " in said(visitor)
    visitor.settle()
    assert re.search(
        r"2 classes against 3 classes: likelihood ratio [\d.]+, p = 0\.\d", said(visitor)
    )
    assert "the smaller one suffices at 5 %" in said(visitor)
    assert "no Vuong-Lo-Mendell-Rubin test here" in said(visitor)
    head = "converged\tparameters\trows a parameter\tlog-likelihood (nats)"
    assert head in visitor.said and "relative entropy\tsmallest share" in visitor.said
    table = visitor.download("Models (CSV)").decode().splitlines()
    assert len(table) == 4 and table[0].startswith("classes,reached by,status,converged")
    visitor.close()
