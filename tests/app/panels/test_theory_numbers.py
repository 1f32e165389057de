"""What the pages on bound, relatives and theory compute, without a browser."""

import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from em_core import Gaussian, Mixture, em, fit
from em_core.coordinates.coordinates import Coordinates
from em_core.coordinates.slices import slice_between
from em_core.examples.zero_inflated_poisson import ZeroInflatedPoisson
from em_core.search.alignment import relabelled
from em_core.variants.table import VARIANTS, run
from pages.ui.charts.axes import COLOURS
from pages.ui.charts.theory import risen_figure
from pages.ui.compute.climbing import Ended
from pages.ui.compute.racing import applicable, at_its_end, observed, race_work
from pages.ui.compute.slicing import Asked, Numbers, slice_work
from pages.ui.compute.surfaces import seconds_for, surface_work
from pages.ui.compute.tiny import (
    along_the_m_step,
    climb,
    hardness,
    jensen,
    numbers_in,
    staircase,
    three_forms,
    tiny_of,
    weighted,
)
from pages.ui.panels.lower_bound.lower_bound_panel import slopes_in_words
from pages.ui.panels.theory.theory_panel import in_words
from pages.ui.pictures.payload import pack
from pages.ui.state.changes import changed
from pages.ui.state.session import Session
from pages.ui.state.settings import THEORY_STEPS, Settings
from pages.ui.text import MINUS, gap, nats, number
from support.families_at_hand import cases
from support.own_model import WithDomains


def theory_page() -> None:
    from pages.ui.panels.theory import theory_panel
    from pages.ui.state import shell

    tiny = theory_panel._choose_tiny()
    theory_panel.SECTIONS[shell.settings().theory_step](tiny)


ROWS = cases()["Gaussian VVV"].data


def result_of(work):
    """What a generator of shares done returns; the shares must rise."""
    shares = []
    while True:
        try:
            shares.append(next(work))
        except StopIteration as end:
            assert shares == sorted(shares)
            return end.value


@pytest.fixture
def finished() -> Ended:
    model = Mixture(Gaussian(), 2)
    made = fit(model, ROWS, max_iterations=15)
    return Ended("run", model, ROWS, made.trace, made.n_observations)


@pytest.mark.parametrize("kind", ["parameter", "next", "end"])
def test_a_slice_of_every_half_step(finished, kind):
    coordinate = Coordinates(finished.model, finished.trace[0].params).named[3]
    asked = Asked(kind, coordinate if kind == "parameter" else None, None, "x")
    picture, shown, numbers = result_of(slice_work(finished, asked, "Start."))
    assert len(shown) == len(picture.phases) == len(finished.trace)
    curves = picture.slice
    assert (curves.bound <= curves.likelihood + 1e-6).all()
    assert (curves.low < picture.elbo).all()
    # There is room for the mark above the top of the bound: 14 px of 240, on a phone.
    room = curves.high - curves.likelihood.max(axis=1)
    assert (room >= 14 / 240 * (curves.high - curves.low)).all()
    assert "triangle" in picture.note
    assert curves.range[0] < curves.range[1]
    assert pack(picture)
    assert len(numbers) == len(shown)
    for step, at in zip(finished.trace, numbers, strict=True):
        if step.phase != "M":
            assert at.slope_of_bound == pytest.approx(at.slope_of_likelihood, rel=1e-6)


def test_a_slope_that_is_rounding_is_0():
    """At the top of a hill both are, and of another sign each; in any unit of the parameter."""
    for unit in (1e-9, 1.0, 1e9):
        across = (-20 * unit, 20 * unit)
        for per in ("unit", "whole way"):
            top = Numbers(-5.5e-12 / unit, 6.9e-13 / unit, per)
            assert slopes_in_words(top, across, -2023.4) == ("0", "0")
            beside = Numbers(3e-14 / unit, 2e-3 / unit, per)
            assert slopes_in_words(beside, across, -2023.4) == (number(2e-3 / unit), "0")
        small = Numbers(1e-5 / unit, -1e-5 / unit, "unit")
        assert "0" not in slopes_in_words(small, across, -2023.4)


def test_a_surface_touches_where_the_parameters_are(finished):
    coordinates = Coordinates(finished.model, finished.trace[2].params)
    first = coordinates.named[2]
    second = seconds_for(first, coordinates)[0]
    surface = result_of(surface_work(finished, 2, first, second))
    assert (surface.bound <= surface.likelihood + 1e-6).all()
    assert surface.path[surface.at] == pytest.approx(
        coordinates.values(finished.trace[2].params)[[first.position, second.position]]
    )
    weights = [c for c in coordinates.named if c.quantity == "weight"]
    assert not {c.quantity for c in seconds_for(weights[0], coordinates)} & {"weight"}


def test_a_race_keeps_every_lane(finished):
    keys = ["exact", "hard", "stochastic"]
    assert set(keys) <= set(applicable(finished.model, ROWS))
    start = finished.trace[0].params
    lanes = result_of(race_work(finished.model, ROWS, start, keys, 10))
    assert [lane.key for lane in lanes] == ["exact", "hard", *["stochastic"] * 3]
    assert observed(lanes[0], len(ROWS)) == "bound never fell; likelihood never fell"
    assert "stopped after 10 passes" in [lane.ended for lane in lanes]


def test_the_table_of_forms_writes_numbers_as_all_tables_do():
    """With their minus, not with what a formula has in its place."""
    app = AppTest.from_function(theory_page)
    settings = Settings(theory_step="forms")
    app.session_state["session"] = Session(settings=settings, settled=True, page="Theory")
    app.run()
    assert not app.exception
    (table,) = [each.proto.body for each in app.get("html") if "<table" in each.proto.body]
    cells = re.findall("<td>([^<]+)</td>", table)
    assert any(cell.startswith(MINUS) for cell in cells)
    assert not re.search(r"[-{}\\]", "".join(cells))


def test_components_put_in_another_order_are_the_same_model():
    for name in ("Gaussian VVV", "Categorical", "hidden Markov"):
        case = cases()[name]
        params = case.start(0, 2)
        order = np.roll(np.arange(len(params.emission[0])), 1)
        moved = relabelled(params, order, case.model.DIMS)
        before, after = (case.model.e_step(p, case.prepared) for p in (params, moved))
        assert after.log_likelihood == pytest.approx(before.log_likelihood, rel=1e-12)


def test_a_model_of_ones_own_has_slices_and_relatives():
    counts, model = np.array([0, 0, 0, 0, 1, 2, 3, 0, 5, 2.0]), WithDomains()
    assert "squarem" not in applicable(ZeroInflatedPoisson(), counts)
    start = model.initial_params(counts, "half", np.random.default_rng(0))
    found = fit(model, counts, start=start)
    after = found.params
    along = slice_between(model, counts, start, after, [0, 0.5, 1])
    assert (along.log_likelihood - along.bound >= -1e-9).all()
    *_, last = run(VARIANTS["squarem"], model, counts, start)
    assert last.log_likelihood >= found.log_likelihood


# The theory's handful of numbers


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("1, two", "separated by commas"),
        ("4", "from 2 to 12 numbers; these are 1"),
        (",".join("1" * 13), "these are 13"),
        ("3 3 3", "two different"),
        ("1, inf", "finite"),
    ],
)
def test_numbers_that_are_none_are_a_sentence(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        numbers_in(text)


@pytest.mark.parametrize("numbers", ["0, 1", "1e6, 1000001, 1000002.5", "5 -4 3 2 2 2 9 8 7 1 0 3"])
def test_the_theory_holds_for_any_numbers(numbers):
    tiny = tiny_of(changed(Settings(), tiny_data=numbers))
    hard = hardness(tiny)
    assert hard.n_assignments == 2 ** len(tiny.rows)
    assert hard.enumerated == pytest.approx(hard.product, rel=1e-12)
    assert (hard.complete <= hard.likelihood + 1e-9).all()
    for row in range(len(tiny.rows)):
        found = jensen(tiny, row, 0.3)
        assert found.bound <= found.log_density
        # Where q is the posterior the gap is closed.
        touched = jensen(tiny, row, float(np.clip(found.posterior[0], 1e-12, 1 - 1e-12)))
        assert touched.bound == pytest.approx(touched.log_density, abs=1e-8)
    for forms, _ in three_forms(tiny).values():
        assert forms.disagreement <= 1e-10 * max(abs(forms.log_likelihood), 1)
    steps = climb(tiny, 3)
    before, move = steps[-3], steps[-2]
    gain = move.log_likelihood - before.log_likelihood
    assert gain == pytest.approx(move.elbo - before.elbo + move.kl, abs=1e-8)
    found = weighted(tiny)
    assert found.means[found.expected.argmax()] == pytest.approx(
        found.weighted_mean, abs=np.ptp(tiny.rows) / 100
    )
    assert found.after.means[0, 0] == pytest.approx(found.weighted_mean)


@pytest.mark.parametrize("step", [step for step in THEORY_STEPS if step != "questions"])
def test_a_step_that_refits_all_parameters_says_to_what(step):
    """Standard deviations and weights move with the means, whatever the sliders say."""
    app = AppTest.from_function(theory_page)
    session = Session(settings=Settings(theory_step=step), settled=True, page="Theory")
    app.session_state["session"] = session
    app.run()
    assert not app.exception and not app.error
    said = " ".join(markdown.value for markdown in app.markdown)
    tiny = tiny_of(Settings())
    after = {
        "forms": [after for _, after in three_forms(tiny).values()],
        "climb": [climb(tiny, 1)[-2].params],
        "weighted": [weighted(tiny).after],
    }.get(step, [])
    # Step 4 is of two points of its own, and says nothing of the numbers above.
    assert (in_words(tiny.params) in said) == (step != "steps")
    for params in after:
        assert in_words(params) in said
    for params in after:
        if hasattr(params, "covariances"):
            deviations = np.sqrt(params.covariances[:, 0, 0])
            assert all(f"**{number(deviation, 4)}**" in said for deviation in deviations)


def test_one_that_stops_by_its_own_bound_says_so():
    """Hard EM ends nats below the best: nothing is left of its bound, not of the likelihood."""
    own = {key for key, variant in VARIANTS.items() if at_its_end(variant).endswith("own bound")}
    assert {"hard", "mean-field", "bayes"} <= own
    assert not own & {"exact", "conditional", "gradient", "squarem", "l-bfgs"}


@pytest.mark.parametrize("name", list(cases()))
def test_the_gap_is_zero_where_the_bound_touches_and_only_there(name):
    case = cases()[name]
    steps = list(em(case.model, case.data, case.start(0, 2), max_iterations=8, tolerance=0))
    for step in steps:
        if step.phase != "M" or step.is_leap:
            assert gap(step) == "0"
        elif step.kl > 1e-6:
            assert gap(step) == nats(step.kl)


@pytest.mark.parametrize("apart, start", [(0.8, 0.5), (1.5, 0.3), (3.0, 0.05)])
def test_no_corner_of_the_staircase_is_lower_than_the_one_before(apart, start):
    stairs = staircase(apart, start)

    def elbo(theta, q):
        own, other = -0.5 * (apart - theta) ** 2, -0.5 * (apart + theta) ** 2
        q = min(max(q, 1e-300), 1 - 1e-16)
        return 2 * (q * (own - np.log(q)) + (1 - q) * (other - np.log1p(-q)))

    heights = [elbo(*corner) for corner in stairs.corners]
    assert (np.diff(heights) >= -1e-12).all()
    # All of the way is on the map.
    assert np.isfinite(stairs.elbo).all()
    for places, grid in zip(stairs.corners.T, (stairs.theta, stairs.q), strict=True):
        assert grid[0] <= places.min() and places.max() <= grid[-1]


@pytest.mark.parametrize("iteration", [1, 3])
def test_the_picture_of_one_iteration_is_that_of_its_chain(iteration: int) -> None:
    tiny = tiny_of(Settings())
    found = along_the_m_step(tiny, iteration)
    here, there = (int(np.flatnonzero(found.places == place)[0]) for place in (0, 1))
    touch, top = found.before.log_likelihood, found.after.elbo
    np.testing.assert_allclose([found.likelihood[here], found.bound[here]], [touch, touch])
    np.testing.assert_allclose(found.bound[there], top)
    np.testing.assert_allclose(found.likelihood[there], found.after.log_likelihood)
    assert (found.bound <= found.likelihood + 1e-9).all()
    drawn = {trace.name: trace for trace in risen_figure(found, COLOURS).data}
    assert [*drawn["the bound rose"].y] == [touch, top]
    assert [*drawn["KL"].y] == [top, found.after.log_likelihood]
    assert found.after.iteration == iteration
