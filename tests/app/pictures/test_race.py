"""Two runs on one clock, in matched colours."""

import numpy as np
import pytest

from em_core import Gaussian, HiddenMarkov, Mixture
from em_core.datasets import load
from em_core.em import em
from em_core.half_steps import Collapse
from em_core.search.alignment import assignment_shares, in_order, relabelled
from pages.ui.families.table import FAMILIES
from pages.ui.pictures.race import on_one_clock, race
from pages.ui.state.scenes import scene_of
from pages.ui.state.settings import Settings
from pages.ui.tables.selection import select
from pages.ui.tables.table import from_dataset

TABLE = from_dataset(load("faithful"))
SELECTION = select(TABLE, ["eruptions", "waiting"])
ORDER = np.array([2, 0, 1])


def mixture(means):
    covariances = np.repeat(np.cov(SELECTION.values.T)[None] / 4, 3, axis=0)
    model = Mixture(Gaussian(), 3)
    return model, model.params([0.2, 0.3, 0.5], means=means, covariances=covariances)


def chain(means, transitions):
    covariances = np.repeat(np.cov(SELECTION.values.T)[None] / 4, 3, axis=0)
    model = HiddenMarkov(Gaussian(), 3)
    start = model.params(transitions, means=means, covariances=covariances)
    return model, start


MEANS = np.array([[2.0, 55.0], [4.3, 80.0], [3.5, 70.0]])
CHAIN = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])


def pictured(family: str, model, start, iterations: int = 3, order=None):
    settings = Settings(family=family, example="faithful", n_components=3)
    data = FAMILIES[family].data(SELECTION)
    steps = list(em(model, data, start, max_iterations=iterations, tolerance=0))
    if order is not None:
        steps = in_order(steps, order, model.DIMS)
    scene = scene_of("run", model, data, steps, SELECTION, settings, most=50)
    return FAMILIES[family].picture(scene)[0], steps


@pytest.mark.parametrize("family", ["gaussian-mixture", "gaussian-hmm"])
def test_the_same_run_with_other_labels_gives_the_same_picture(family):
    """Component ORDER[k] of the second is component k of the first."""
    places = np.argsort(ORDER)
    if family == "gaussian-mixture":
        model, start = mixture(MEANS)
        other = start._replace(
            weights=start.weights[places],
            emission=type(start.emission)(*(leaf[places] for leaf in start.emission)),
        )
    else:
        model, start = chain(MEANS, CHAIN)
        other = chain(MEANS[places], CHAIN[places][:, places])[1]
        other = other._replace(initial_probabilities=start.initial_probabilities[places])
    first, steps_of_first = pictured(family, model, start)
    second, steps = pictured(family, model, other, order=ORDER)
    np.testing.assert_allclose(second.means, first.means)
    np.testing.assert_allclose(second.covariances, first.covariances)
    np.testing.assert_allclose(second.weights, first.weights)
    for mine, theirs in zip(second.leaders, first.leaders, strict=True):
        for part, other_part in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(part, other_part, atol=1e-7)  # shares have single precision
    for mine, theirs in zip(steps, steps_of_first, strict=True):
        found, expected = (
            assignment_shares(model, s.params, FAMILIES[family].data(SELECTION))
            for s in (mine, theirs)
        )
        np.testing.assert_allclose(found, expected, atol=1e-8)
    for mine, theirs in zip(second.matrices, first.matrices, strict=True):
        np.testing.assert_allclose(mine.values, theirs.values, atol=1e-9)
    for mine, theirs in zip(second.paths, first.paths, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_bars_and_flags_take_the_order_of_the_first_run():
    table = from_dataset(load("lsat6"))
    selection = select(table, list(table.frame.columns[:5]))
    family = FAMILIES["categorical-mixture"]
    settings = Settings(family="categorical-mixture", example="lsat6", n_components=3)
    model, data = family.build(settings), family.data(selection)
    start = model.initial_params(data, "random points", np.random.default_rng(0))
    drawn = []
    other = relabelled(start, np.argsort(ORDER), model.DIMS)
    for order, params in ((None, start), (ORDER, other)):
        steps = list(em(model, data, params, max_iterations=3, tolerance=0))
        if order is not None:
            flag = Collapse("component 1 is empty: no row belongs to it", 0)
            steps[-1] = steps[-1]._replace(flags=(flag,))
            steps = in_order(steps, order, model.DIMS)
            # Component 1 of the second is component ORDER.index(0) + 1 of the first.
            assert steps[-1].flags[0].startswith("component 2 is empty")
            assert isinstance(steps[-1].flags[0], Collapse)
        scene = scene_of("run", model, data, steps, selection, settings, most=50)
        drawn.append(family.picture(scene)[0])
    first, second = ([marks for chart in picture.charts for marks in chart.marks]
                     for picture in drawn)  # fmt: skip
    for mine, theirs in zip(second, first, strict=True):
        np.testing.assert_allclose(mine.values, theirs.values, atol=1e-9)
        np.testing.assert_array_equal(mine.components, theirs.components)
        assert mine.labels == theirs.labels


def test_the_run_that_ends_first_rests_where_it_is():
    model, start = mixture(MEANS)
    _, short = pictured("gaussian-mixture", model, start, 2)
    _, long = pictured("gaussian-mixture", model, start, 5)
    first, second = on_one_clock(short, long)
    assert len(first) == len(second) == len(long) and second == long
    for resting, moving in zip(first, second, strict=True):
        assert (resting.iteration, resting.phase) == (moving.iteration, moving.phase)
    assert all(step.params is short[-1].params for step in first[len(short) :])


def test_the_caption_says_who_is_ahead_and_who_has_ended():
    model, start = mixture(MEANS)
    fast, steps = pictured("gaussian-mixture", model, start, 4)
    slow = fast._replace(log_likelihood=fast.log_likelihood - 3, flags=(("flat",),) * 9)
    shown = np.arange(9)
    first, second = race((slow, fast), (4, 8), ("left", "right"), shown)
    assert first.captions[0].endswith("Second is 3.00 ahead.") and "ended" not in first.captions[3]
    assert "nats, ended; Second" in first.captions[4] and first.captions[8].count("ended") == 2
    assert first.flags[0] == ("left: flat",) and second.note == ""
    level, _ = race((fast, fast), (8, 8), ("left", "right"), shown)
    assert level.captions[0].endswith("They are level.")
    assert len(steps) == 9
