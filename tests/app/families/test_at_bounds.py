"""What is at its bound, or has next to no noise of its own, is called so wherever it is shown."""

from dataclasses import replace
from urllib.parse import urlencode

import pytest

from em_core.half_steps import Leapt
from pages.ui.families.table import FAMILIES, family_of
from pages.ui.panels import report
from pages.ui.pictures.frames import caption
from pages.ui.sharing.naming import half_step
from pages.ui.state.scenes import scene_of
from pages.ui.state.settings import Settings
from pages.ui.tables.packing import to_text
from support.runs import run_of, selected, table_of
from support.visitor import Visitor

AT_ITS_BOUND = "at its bound"


def shown(name: str, settings: Settings):
    selection = selected(table_of(name), settings)
    run = run_of(settings, selection)
    tables = family_of(settings).tables(run.model, run.fit.params, selection, settings)
    return run, selection, dict(tables)


def test_columns_without_noise_are_at_their_bound_in_every_table_of_factors():
    settings = Settings(family="factor-analysis", n_factors=2)
    _, _, tables = shown("31b-five-columns", settings)
    for title, column in (("Loadings", "unique"), ("In the data's units", "noise variance")):
        said = [AT_ITS_BOUND in str(value) for value in tables[title][column]]
        assert said == [False, False, False, True, True]
    settings = Settings(family="factor-analysers", n_factors=2, n_components=1)
    for standardise in (False, True):
        _, _, tables = shown("31b-five-columns", replace(settings, standardise=standardise))
        said = [AT_ITS_BOUND in str(value) for value in tables["Loadings"]["noise variance"]]
        assert said == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("name", "degrees", "said"),
    [("32a-light-tails", "estimated", True), ("32b-very-heavy-tails", "estimated", False),
     ("32b-very-heavy-tails", "1", False)],
)  # fmt: skip
def test_degrees_of_freedom_at_their_bound_are_no_estimate(name, degrees, said):
    settings = Settings(family="student-mixture", n_components=1, degrees=degrees)
    run, _, tables = shown(name, settings)
    (value,) = tables["Parameters"].loc["degrees of freedom"]
    assert (AT_ITS_BOUND in str(value)) == said
    assert any("not counted as a parameter" in flag for flag in run.fit.flags) == said


def test_a_leap_is_called_one_wherever_a_half_step_is_named():
    settings = Settings(family="factor-analysis", n_factors=2)
    table = table_of("31b-five-columns")
    selection = selected(table, settings)
    run = run_of(settings, selection)
    steps = list(run.trace)
    scene = scene_of("run", run.model, run.data, steps, selection, settings, most=30, table=table)
    leaps = [i for i, step in enumerate(steps) if step.is_leap]
    assert leaps and all(isinstance(steps[i].flags[-1], Leapt) for i in leaps)
    picture, frames = family_of(settings).picture(scene)
    for i in leaps:
        assert half_step(steps[i]) == f"leap {steps[i].iteration}"
        assert "no M-step" in caption(scene, i, lambda before, after: "")
        assert "by a leap" in report.gain_sentence(steps, i)
        assert "no M-step" in picture.captions[list(frames).index(i)]


def test_factors_are_offered_up_to_what_the_columns_can_tell():
    assert [FAMILIES["factor-analysis"].most_factors(d) for d in range(1, 9)] == [
        0, 0, 1, 1, 2, 3, 3, 4,
    ]  # fmt: skip
    assert FAMILIES["probabilistic-pca"].most_factors(4) == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("31a-heywood", {"m": "factor-analysis", "q": 1}, AT_ITS_BOUND),
        ("31a-heywood", {"m": "factor-analysis", "q": 2}, "more parameters than a Gaussian with"),
        ("31b-five-columns", {"m": "factor-analysis", "q": 3}, "3 is not from 1 to 2"),
        ("31c-fewer-rows-than-columns", {"m": "factor-analysis", "q": 1}, AT_ITS_BOUND),
        ("30-four-columns", {"m": "probabilistic-pca", "q": 4}, "4 is not from 1 to 3"),
        ("17a-shares-sum-to-one", {"m": "factor-analysis", "q": 1}, "red + green + blue = 1"),
        ("32a-light-tails", {"m": "student-mixture", "k": 1}, AT_ITS_BOUND),
    ],
)
def test_the_page_says_so(app: str, name: str, asked: dict, said: str) -> None:
    query = {"v": 1, "s": "table", "t": to_text(table_of(name)), **asked}
    visitor = Visitor(app, urlencode(query))
    visitor.settle()
    text = visitor.texts.replace("\\", "")
    visitor.close()
    assert said in text
