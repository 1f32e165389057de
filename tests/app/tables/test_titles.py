"""What columns are in words, wherever they are named."""

import numpy as np
import pandas as pd
import pytest

from pages.ui.charts.profiles import explained, residuals_figure
from pages.ui.families.table import family_of
from pages.ui.panels.tables import _configuration, written
from pages.ui.pictures.payload import pack
from pages.ui.sharing.report import Grid, page
from pages.ui.state.scenes import scene_of
from pages.ui.state.settings import Settings
from pages.ui.tables.reading import read_table
from pages.ui.tables.roles import Use, kept_of
from pages.ui.tables.selection import select
from pages.ui.tables.titles import titles_in
from support.packed import unpack
from support.runs import run_of
from support.tables import TABLES

TITLES = {"Q1": 'Is it "sweet"?', "Q1_1": "And <sour>?", "a b": "Both", "x": "y" * 900}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("mean of Q1_1", ["Q1_1"]),
        ("Q1: 3 and Q1_1", ["Q1", "Q1_1"]),
        ("log(a b)", ["a b"]),
        ("Q10, aa b, exp", []),
        ("the a b of Q1", ["a b", "Q1"]),
    ],
)
def test_columns_are_found_where_a_text_names_them(text: str, named: list[str]) -> None:
    assert titles_in(text, TITLES) == [f"{name}: {TITLES[name]}" for name in named]
    (long,) = titles_in("x", TITLES)
    assert len(long) < 310


def test_tables_figures_and_the_report_tell_them_on_hover() -> None:
    frame = pd.DataFrame({"Q1": [1.0], "other": [2.0]}, index=["mean of Q1_1"])
    report = page("R", [("Data", [Grid(frame, "caption")])], TITLES).decode()
    assert '<th scope="col" title="Q1: Is it &quot;sweet&quot;?">Q1</th>' in report
    assert '<th scope="row" title="Q1_1: And &lt;sour&gt;?">mean of Q1_1</th>' in report
    assert '<th scope="col">other</th>' in report
    columns = _configuration(frame, written(frame), TITLES)
    assert "Is it" in columns["Q1"]["help"] and "other" not in columns
    names = ("Q1", "Q1_1")
    figure = explained(residuals_figure(np.eye(2) * 0.5, names, True), TITLES)
    told = figure.data[0].hovertext[0][1]
    assert told.startswith("Q1 and Q1_1: ") and "<br>Q1_1: And &lt;sour&gt;?" in told


def test_the_questions_of_a_survey_reach_the_picture_and_stay_with_their_columns() -> None:
    (path,) = TABLES.glob("04-*")
    table = read_table(path.name, path.read_bytes())
    titles = dict(table.titles)
    columns = list(table.frame)[1:3]
    assert set(columns) <= set(titles)
    selection = select(table, columns)
    settings = Settings(n_components=1, max_iterations=2)
    run = run_of(settings, selection)
    scene = scene_of(
        "run", run.model, run.data, run.trace, selection, settings, most=9, table=table
    )
    picture, _ = family_of(settings).picture(scene)
    assert unpack(pack(picture))["words"] == {name: titles[name] for name in columns}
    kept = kept_of(table, Use((columns[0],)), ())
    assert dict(kept.titles) == {columns[0]: titles[columns[0]]}
