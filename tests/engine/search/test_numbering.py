"""One rule for the numbers of components: each has one number and one colour on all pages."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from em_core import Gaussian, HiddenMarkov, Mixture, fit, ordered, restarts
from em_core.coordinates.coordinates import Coordinates
from em_core.datasets import load
from em_core.half_steps import Collapse, Flag, called
from em_core.search.alignment import assignment_shares, in_order, is_numbered, numbering, relabelled
from pages.ui.charts.axes import COLOURS
from pages.ui.compute import searching
from pages.ui.compute.racing import race_work
from pages.ui.families.numbering import numbering_rule
from pages.ui.families.numbers import arrays
from pages.ui.families.parameter_names import key_of, name_of
from pages.ui.families.table import family_of
from pages.ui.panels.lower_bound.lower_bound_panel import parameters
from pages.ui.pictures.thumbnail import thumbnail
from pages.ui.running.runs import Run
from pages.ui.running.searches import grid_of, search_of
from pages.ui.sharing import takeaway
from pages.ui.sharing.naming import title
from pages.ui.state.scenes import scene_of
from pages.ui.state.settings import FIELDS, Settings
from support.exponential import Exponential
from support.families_at_hand import cases
from support.runs import read, run_of


@pytest.mark.parametrize("name", cases())
def test_a_model_says_what_the_axes_of_all_its_arrays_are(name):
    model, params = cases()[name].model, cases()[name].start(0, 1)
    named = arrays(params)
    assert set(model.DIMS) == set(named)
    lengths: dict[str, int] = {}
    for array, axes in model.DIMS.items():
        assert named[array].ndim == len(axes), array
        for axis, length in zip(axes, named[array].shape, strict=True):
            assert lengths.setdefault(axis, length) == length, (array, axis)
    size = getattr(model, "n_components", getattr(model, "n_states", None))
    assert lengths.get("component") == size


@pytest.mark.parametrize("name", cases())
def test_components_in_another_order_are_the_same_model(name):
    case = cases()[name]
    if "component" not in {axis for axes in case.model.DIMS.values() for axis in axes}:
        return
    params = case.start(0, 2)
    order = np.roll(np.arange(len(case.model.DIMS and params.emission[0])), 1)
    moved = relabelled(params, order, case.model.DIMS)
    before, after = (case.model.e_step(p, case.prepared) for p in (params, moved))
    assert after.log_likelihood == pytest.approx(before.log_likelihood, rel=1e-12)
    shares = [case.model.component_shares(p, case.model.check(case.data)) for p in (params, moved)]
    np.testing.assert_allclose(shares[1], shares[0][:, order], atol=1e-9)
    packed = case.model.emission.column_means(moved.emission)
    np.testing.assert_array_equal(packed, case.model.emission.column_means(params.emission)[order])


def test_the_rule_is_that_of_the_first_column_then_of_the_next_then_of_the_spread():
    model = Mixture(Gaussian(), 3)
    spread = np.array([1.0, 2.0, 1.0])[:, None, None] * np.eye(2)
    params = model.params([0.5, 0.3, 0.2], means=[[5, 1], [0, 3], [0, 2]], covariances=spread)
    assert numbering(model, params).tolist() == [2, 1, 0]
    # Equal but for rounding, and equal in all means.
    params = model.params([0.5, 0.3, 0.2], means=[[5, 1], [1e-9, 2], [0, 3]], covariances=spread)
    assert numbering(model, params).tolist() == [1, 2, 0]
    params = model.params([0.5, 0.3, 0.2], means=[[5, 1], [0, 2], [0, 2]], covariances=spread)
    assert numbering(model, params).tolist() == [2, 1, 0]
    # Far from zero, in other units, and not a number.
    for shift, scale in ((1e8, 1.0), (0.0, 1e-6)):
        means = scale * np.array([[5, 1], [0, 3], [0, 2]]) + shift
        moved = model.params([0.5, 0.3, 0.2], means=means, covariances=scale**2 * spread)
        assert numbering(model, moved).tolist() == [2, 1, 0]
    broken = params._replace(emission=params.emission._replace(means=np.full((3, 2), np.nan)))
    assert sorted(numbering(model, broken)) == [0, 1, 2]


def test_one_answer_has_the_same_numbers_whichever_start_led_there():
    rows = load("iris").values
    runs = restarts(Mixture(Gaussian("tied"), 3), rows, range(8), number_components=True)
    best = runs.optima[0]
    assert best.count > 2 and len({str(f.trace[0].params.means) for f in best.fits}) > 2
    for found in best.fits:
        assert (np.diff(found.params.means[:, 0]) > 0).all()
        np.testing.assert_allclose(found.params.means, best.fit.params.means, atol=0.05)
        one = ordered(fit(found.model, rows, seed=found.seed, start=found.start))
        np.testing.assert_allclose(one.params.means, found.params.means, rtol=1e-9)
        assert one.log_likelihood == pytest.approx(found.log_likelihood, rel=1e-12)


def test_a_chain_that_cannot_turn_back_keeps_its_order_and_so_does_what_says_nothing():
    forward = HiddenMarkov(Gaussian("diag"), 2, [[True, True], [False, True]])
    assert not is_numbered(forward) and is_numbered(HiddenMarkov(Gaussian(), 2))
    rows = [np.linspace(5, 0, 40)[:, None] + np.random.default_rng(0).normal(size=(40, 1))]
    found = fit(forward, rows)
    assert ordered(found) is found and found.params.means[0, 0] > found.params.means[1, 0]
    assert not is_numbered(Mixture(Exponential(), 2))


def test_a_flag_goes_with_its_component_and_is_called_as_the_page_calls_it():
    flag = Collapse("component 2 is empty: use fewer components", 1)
    assert flag.renumbered(11) == "component 12 is empty: use fewer components"
    state = called(flag, "state")
    assert state == "state 2 is empty: use fewer states" and isinstance(state, Collapse)
    assert state.renumbered(0) == "state 1 is empty: use fewer states"
    assert called(flag, "class") == "class 2 is empty: use fewer classes"
    assert called("the shared covariance", "class") == "the shared covariance"


@pytest.mark.parametrize("name", cases())
def test_every_flag_that_names_a_component_knows_which(name):
    """Few rows, all of them equal but for a few: whatever can be flagged is."""
    case = cases()[name]
    data = case.data[:3] if isinstance(case.data, list) else case.data[:40]
    if not isinstance(data, list):
        data = np.where(np.arange(40)[:, None] < 30, data[:1], data)
    try:
        found = fit(case.model, data, max_iterations=30, tolerance=0)
    except (ValueError, np.linalg.LinAlgError):
        return
    for step in found.trace:
        for flag in step.flags:
            if re.match(r"(component|state) \d", flag):
                assert isinstance(flag, Flag), flag
                assert flag.startswith(f"{flag.unit} {flag.component + 1}")


# ---------------------------------------------------------------------------------------------
# All pages


def settings_of(family: str, example: str, size: int) -> Settings:
    return Settings(family=family, example=example, n_components=size, tolerance=1e-8)


SHOWN = {
    "mixture": settings_of("gaussian-mixture", "iris", 4),
    "classes": settings_of("bernoulli-mixture", "lsat6", 2),
    "levels": settings_of("categorical-mixture", "lsat6", 2),
    "states": settings_of("gaussian-hmm", "geyser", 3),
    "counts": settings_of("poisson-hmm", "earthquakes", 3),
}


def other_way_round(settings: Settings) -> tuple[Settings, Run]:
    """The settings with a seed from which the components come in another order than their own."""
    _, selection = read(settings)
    for seed in range(30):
        chosen = replace(settings, seed=seed)
        run = run_of(chosen, selection)
        if run.order is not None:
            return chosen, run
    raise AssertionError("all starts give the components the order of the rule")


def ended(work):
    """The result of work that tells how far it is."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize("name", SHOWN)
def test_a_component_has_one_number_and_one_colour_on_all_pages(name):
    settings, run = other_way_round(SHOWN[name])
    (table, selection), family = read(settings), family_of(settings)
    size = getattr(settings, family.size)
    means = run.model.emission.column_means
    found = means(run.fit.params.emission)
    # Explore: in the order of the rule, and the same component from the first frame to the last.
    assert (np.diff(found[:, 0]) >= 0).all()
    rule = numbering_rule(run.model, selection, family)
    assert selection.columns[0] in rule and rule.endswith("on every page.")
    raw = fit(
        run.model, run.data, start=settings.start or None, seed=settings.seed,
        tolerance=settings.tolerance, max_iterations=settings.max_iterations,
    )  # fmt: skip
    mine = in_order(raw.trace, run.order, run.model.DIMS)
    assert len(mine) == len(run.trace) and not np.array_equal(found, means(raw.params.emission))
    for one, other in zip(mine, run.trace, strict=True):
        np.testing.assert_array_equal(means(one.params.emission), means(other.params.emission))
    shares = run.model.component_shares(run.fit.params, run.data)
    picture, _ = scene_picture(run.key, run.model, run.data, run.trace, selection, settings)
    assert picture.components == tuple(f"{family.unit} {k + 1}" for k in range(size))
    several = {"component": "components", "class": "classes", "state": "states"}[family.unit]
    assert family.labels.get(family.size, FIELDS[family.size].label).lower() == several
    assert f"{size} {several}" in title(settings, table).split(", ")

    # Local optima, and its small pictures.
    asked = search_of(
        replace(settings, n_starts=1, starts_compared=(first_start(settings),)), table, selection
    )
    runs = ended(
        searching.search(asked.model, asked.data, asked.seeds, asked.starts, asked._options)
    )
    (played,) = runs.fits
    # A fit may go on where one of many starts ends.
    there = run.trace[len(played.trace) - 1]
    same = {"rtol": 1e-6, "atol": 1e-9}
    np.testing.assert_allclose(means(played.params.emission), means(there.params.emission), **same)
    last = [played.trace[-1]._replace(phase="start")]
    small, _ = scene_picture("", played.model, run.data, last, selection, settings)
    big, _ = scene_picture("", run.model, run.data, [there], selection, settings)
    expect_the_same_marks(small, big)
    posteriors = (
        assignment_shares(model, step.params, run.data)
        for model, step in ((played.model, last[0]), (run.model, there))
    )
    np.testing.assert_allclose(*posteriors, atol=1e-4)
    for matrix, traces in in_matrices(small, thumbnail(small, COLOURS)):
        assert [trace.colorscale[1][1] for trace in traces] == list(COLOURS[: len(matrix.rows)])
        for k, trace in enumerate(traces):
            np.testing.assert_array_equal(trace.z, matrix.values[-1][k : k + 1])
    if small.panels and not small.time:
        drawn = thumbnail(small, COLOURS).data
        *_, leaders = small.leaders
        counts = np.bincount(leaders.first, minlength=size)
        points = [trace for trace in drawn if trace.mode == "markers"]
        assert [trace.marker.color for trace in points] == list(COLOURS[:size])
        assert [len(trace.x) for trace in points] == counts.tolist()

    # How many?
    alone = replace(
        settings,
        smallest=size,
        largest=size,
        n_starts_each=1,
        starts_compared=(first_start(settings),),
        structures_compared=(settings.covariance,) if family.structure == "covariance" else (),
    )
    grid = grid_of(alone, table, selection)
    cell = ended(searching.grid(grid.selection or begun(grid), grid.data, None, 0)).cells[0]
    there = run.trace[len(cell.fit.trace) - 1]
    np.testing.assert_allclose(
        means(cell.fit.params.emission), means(there.params.emission), **same
    )

    # The bound: the name of a parameter is that of the table; its name in a link never changes.
    coordinates = Coordinates(run.model, run.fit.params)
    values = coordinates.values(run.fit.params)
    for key, coordinate in parameters(coordinates, run).items():
        said = name_of(coordinate, family.unit, selection.columns)
        if coordinate.quantity in ("mean", "rate"):
            k, column = coordinate.place
            assert (
                said
                == f"{coordinate.quantity} of {family.unit} {k + 1}: {selection.columns[column]}"
            )
            assert values[coordinate.position] == pytest.approx(found[k, column])
        assert key == key_of(coordinate, run.order)
    # A link made before there was a rule asks for the same number.
    before = Coordinates(run.model, raw.params)
    numbers = before.values(raw.params)
    for coordinate in before.named:
        there = values[parameters(coordinates, run)[key_of(coordinate, None)].position]
        assert there == pytest.approx(numbers[coordinate.position], rel=1e-9)

    # Relatives: EM from the same start.
    (lane,) = ended(race_work(run.model, run.data, run.trace[0].params, ["exact"], 400))
    np.testing.assert_allclose(means(lane.steps[-1].params.emission), found, rtol=0.05, atol=0.05)

    # Downloads.
    rows = takeaway.with_results(settings, table, selection, run, len(run.trace) - 1)
    for k in range(size):
        column = rows[f"P({family.unit} {k + 1})"].to_numpy()[selection.rows]
        np.testing.assert_allclose(column, shares[:, k], atol=1e-9)
    last = len(run.trace) - 1
    content = json.loads(takeaway.parameters_as_json(settings, selection, table, run, last))
    for name, array in arrays(run.fit.params).items():
        np.testing.assert_array_equal(content[name], array)
    assert "result = ordered(result)" in takeaway.script(settings, selection, table, run, 0, "")


def in_matrices(picture, figure):
    """Each matrix of a small picture whose rows are components, with a drawing of each row."""
    if picture.panels and not picture.time:
        return
    drawn = [trace for trace in figure.data if trace.type == "heatmap"]
    for matrix in picture.matrices:
        assert matrix.component is None and matrix.low >= 0
        yield matrix, drawn[: len(matrix.rows)]
        drawn = drawn[len(matrix.rows) :]
    assert not drawn


def first_start(settings: Settings) -> str:
    return settings.start or next(iter(family_of(settings).starts))


def begun(grid):
    grid.job()
    return grid.selection


def scene_picture(key, model, data, steps, selection, settings):
    scene = scene_of(key, model, data, steps, selection, settings, most=200)
    picture, shown = family_of(settings).picture(scene)
    return picture._replace(leaders=[*picture.leaders]), shown


def expect_the_same_marks(one, other) -> None:
    """What is drawn of each component is the same, in the same place and so in the same colour."""
    for name in ("weights", "means", "covariances"):
        np.testing.assert_allclose(
            getattr(one, name)[-1], getattr(other, name)[-1], rtol=1e-5, atol=1e-6
        )
    for mine, theirs in zip(one.leaders, other.leaders, strict=True):
        np.testing.assert_allclose(mine.share, theirs.share, atol=1e-4)
        sure = theirs.share > 0.51
        np.testing.assert_array_equal(mine.first[sure], theirs.first[sure])
    for mine, theirs in zip(one.matrices, other.matrices, strict=True):
        assert (mine.rows, mine.component) == (theirs.rows, theirs.component)
        np.testing.assert_allclose(mine.values[-1], theirs.values[-1], atol=1e-5)
    for mine, theirs in zip(one.charts, other.charts, strict=True):
        for left, right in zip(mine.marks, theirs.marks, strict=True):
            np.testing.assert_array_equal(left.components, right.components)
            assert left.labels == right.labels


def test_a_run_is_numbered_by_its_end_also_when_it_was_stopped_and_goes_on():
    settings, whole = other_way_round(SHOWN["mixture"])
    steps = fit(whole.model, whole.data, seed=settings.seed, tolerance=settings.tolerance).trace
    run = replace(whole, trace=[], order=None, fit=None)
    run.take([steps[:1], steps[1:3]])
    begins = run.model.emission.column_means(run.trace[0].params.emission)[:, 0]
    assert (np.diff(begins) >= 0).all()
    run.take_all("stopped")
    assert (np.diff(run.fit.params.means[:, 0]) >= 0).all()
    run.take([steps[3:]])
    run.take_all("converged")
    np.testing.assert_array_equal(run.order, whole.order)
    for one, other in zip(run.trace, whole.trace, strict=True):
        np.testing.assert_array_equal(one.params.means, other.params.means)
        assert one[4:] == other[4:]
