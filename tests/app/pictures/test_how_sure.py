"""Ellipses of where the means lie with 95 %, at the last half-step."""

from dataclasses import replace

import numpy as np

from em_core import inference
from pages.ui.families.interval_columns import spread_of_means
from pages.ui.families.table import family_of
from pages.ui.pictures.mixture import SURE_DRAWN, SURE_RADIUS
from pages.ui.state.scenes import scene_of
from pages.ui.state.settings import Settings
from support.runs import read, run_of

FAITHFUL = Settings(example="faithful", n_components=2)


def scene(settings: Settings, sure: bool = True):
    table, selection = read(settings)
    run = run_of(settings, selection)
    spread, found = None, None
    if sure:
        found = inference.intervals(run.finished_fit, run.data)
        spread = spread_of_means(found, len(selection.columns))
    made = scene_of(
        "run", run.model, run.data, run.trace, selection, settings, most=300, table=table,
        spread=spread,
    )  # fmt: skip
    return family_of(settings).picture(made)[0], found, run


def test_the_outline_is_where_the_mean_lies_with_95_percent() -> None:
    picture, found, run = scene(FAITHFUL)
    (chart,) = [chart for chart in picture.charts if chart.at_end]
    outlines = chart.marks[0].values[0][:, :2].reshape(2, -1, 2)
    names = list(found.names)
    for k, outline in enumerate(outlines):
        rows = [names.index(f"mean ({k + 1}, {d})") for d in (1, 2)]
        covariance = found.covariance[np.ix_(rows, rows)]
        apart = outline - run.finished_fit.params.means[k]
        distance = np.einsum("ni,ij,nj->n", apart, np.linalg.inv(covariance), apart)
        np.testing.assert_allclose(distance, SURE_RADIUS**2, rtol=1e-9)
    assert SURE_DRAWN in picture.note


def test_there_are_none_unasked_and_none_of_what_has_no_interval() -> None:
    picture, _, _ = scene(FAITHFUL, sure=False)
    assert not any(chart.at_end for chart in picture.charts) and SURE_DRAWN not in picture.note
    _, found, _ = scene(FAITHFUL)
    unknown = [
        row._replace(standard_error=np.nan) if row.name == "mean (2, 1)" else row
        for row in found.reported
    ]
    spread = spread_of_means(found._replace(reported=tuple(unknown)), 2)
    assert np.isfinite(spread[0]).all() and np.isnan(spread[1]).all()
    items = replace(FAITHFUL, family="bernoulli-mixture", example="lsat6")
    _, selection = read(items)
    run = run_of(items, selection)
    assert spread_of_means(inference.intervals(run.finished_fit, run.data), 5) is None
