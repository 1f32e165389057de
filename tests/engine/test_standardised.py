"""A model in units of its own keeps the laws, and the picture of its bound is that of its run."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from em_core import (
    FactorAnalyser,
    Gaussian,
    Mixture,
    ProbabilisticPCA,
    Standardised,
    StudentT,
    check_model,
    fit,
    from_means,
    restarts,
    select,
)
from em_core.coordinates.coordinates import Coordinates
from em_core.datasets import load
from em_core.em import em
from em_core.emissions.covariances.structures import MCLUST
from pages.ui.compute.climbing import Ended
from pages.ui.compute.racing import race_work
from pages.ui.compute.slicing import Asked, slice_work
from pages.ui.families.numbers import arrays
from pages.ui.families.table import FAMILIES, model_for
from pages.ui.state.settings import Settings
from support.families_at_hand import cases
from support.laws import assert_close

FAR_APART = np.array([1e-3, 1.0, 50.0])


def in_odd_units(data):
    """Columns in units that are worlds apart, none about zero."""
    move = FAR_APART * [3.0, -2.0, 10.0]
    if isinstance(data, list):
        return [part * FAR_APART + move for part in data]
    return data * FAR_APART + move


def rescales(model) -> bool:
    """Whether a model can be told in other units; the noise of probabilistic PCA cannot."""
    parts = model, getattr(model, "emission", model)
    noise = getattr(model, "_noise_shape", "one number for each column")
    return all(hasattr(part, "rescale") for part in parts) and "each" in noise


CASES = {name: case for name, case in cases().items() if rescales(case.model)}
# What shares volumes, shapes or orientations in a way of its own; the rest of the codes have none.
DIFFERENT = [name for name in CASES if name[:8] != "Gaussian" or name[9:] in (
    "EEV", "VEV", "EVE", "VVE", "EVV", "VEI", "VVV", "with holes")]  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_standardised_model_keeps_the_laws(name):
    data = in_odd_units(CASES[name].data)
    model = Standardised.of(CASES[name].model, data)
    report = check_model(model, data, iterations=2, convex=False)
    assert report, str(report)


@pytest.mark.parametrize("name", DIFFERENT)
def test_it_is_the_model_of_standardised_data(name):
    """The same iterations, and the densities of the data: those of the model as it is."""
    plain, data = CASES[name].model, in_odd_units(CASES[name].data)
    model = Standardised.of(plain, data)
    rows = model.own_rows(data)
    told = fit(model, data, tolerance=0, max_iterations=6)
    own = fit(plain, rows, tolerance=0, max_iterations=6)
    logs = model.logs(data).sum()
    assert told.log_likelihood == pytest.approx(own.log_likelihood - logs, rel=1e-11)
    # Where an M-step climbs by itself, it sees its top to the square root of rounding.
    climbs = name == "stationary hidden Markov"
    assert_close(told.params, model.in_data_units(own.params), 1e-7 if climbs else 1e-9)
    direct = plain.e_step(told.params, data)
    assert direct.log_likelihood == pytest.approx(told.log_likelihood, rel=1e-9)
    assert told.n_parameters == own.n_parameters and told.icl == pytest.approx(
        own.icl + 2 * logs, rel=1e-9
    )


@pytest.mark.parametrize("code", MCLUST)
def test_coordinates_name_what_is_in_the_units_of_the_data(code):
    """Sizes, standard deviations, means: whatever the structure, in any units."""
    case = CASES[f"Gaussian {code}"]
    data = in_odd_units(case.data)
    model = Standardised.of(case.model, data)
    params = fit(model, data, max_iterations=3).params
    coordinates = Coordinates(model, params)
    values = dict(zip(coordinates.named, coordinates.values(params)[
        [c.position for c in coordinates.named]], strict=True))  # fmt: skip
    for coordinate, value in values.items():
        along = coordinates.value_along(coordinate.position, coordinates.vector(params)[None])
        assert along[0] == pytest.approx(value, rel=1e-9)
        if coordinate.quantity == "mean":
            assert value == pytest.approx(params.means[coordinate.place])
        if coordinate.quantity == "standard deviation":
            *k, d = coordinate.place
            assert value == pytest.approx(np.sqrt(params.covariances[k[0] if k else 0, d, d]))
        if coordinate.quantity == "size":
            logs = np.linalg.slogdet(params.covariances)[1] / 6
            expected = logs[coordinate.place[0]] if coordinate.place else logs.mean()
            assert value == pytest.approx(np.exp(expected))


def test_many_starts_and_grids_of_it_are_of_the_data():
    data = load("iris").values * [1, 10, 1e-3, 1]
    model = Standardised.of(Mixture(Gaussian("EEV"), 3), data)
    runs = restarts(model, data, range(6), ["k-means++", "short runs"])
    for one in runs.fits:
        trace = fit(model, data, seed=one.seed, start=one.start).trace
        # Which may go on where one of many ends.
        alone = trace[len(one.trace) - 1]
        assert one.log_likelihood == pytest.approx(alone.log_likelihood, rel=1e-9)
        assert_close(one.params, alone.params, 1e-6)
    cells = select({"a": model}, data, range(3), folds=3).cells
    plain = Mixture(Gaussian("EEV"), 3)
    direct = plain.e_step(cells[0].fit.params, data).log_likelihood
    assert cells[0].fit.log_likelihood == pytest.approx(direct, rel=1e-9)
    assert np.isfinite(cells[0].cross_validation.log_likelihood)


def test_placed_means_responsibilities_and_parameters_are_in_the_units_of_the_data():
    data = in_odd_units(CASES["Gaussian EEV"].data)
    model = Standardised.of(Mixture(Gaussian("EEV"), 3), data)
    placed = from_means(model, data, data[[0, 70, 120]])
    np.testing.assert_allclose(placed.means, data[[0, 70, 120]], rtol=1e-9)
    shares = np.eye(3)[np.arange(len(data)) % 3]
    given = fit(model, data, start=shares, max_iterations=1).trace[0].params
    np.testing.assert_allclose(given.means[0], data[::3].mean(axis=0), rtol=1e-9)
    again = model.params(**{name: np.array(part) for name, part in arrays(placed).items()})
    assert_close(again, placed)


def test_a_column_that_never_varies_keeps_its_unit():
    data = np.column_stack([np.arange(9.0), np.full(9, 0.1)])
    model = Standardised.of(Mixture(Gaussian(), 1), data)
    assert model.scale[1] == 1 and np.isfinite(model.own_rows(data)).all()


def test_probabilistic_pca_says_why_it_has_no_units_of_its_own():
    data = in_odd_units(CASES["Gaussian VVV"].data)
    with pytest.raises(ValueError, match="standardise the table before"):
        fit(Standardised.of(ProbabilisticPCA(1), data), data)


def test_it_travels_without_what_was_worked_out():
    data = in_odd_units(CASES["Gaussian VVV"].data)
    model = Standardised.of(Mixture(Gaussian(), 3), data)
    fit(model, data, max_iterations=2)
    there = pickle.loads(pickle.dumps(model))
    assert there == model and set(there.__dict__) == {"model", "shift", "scale"}


# The app: every family that offers to standardise, every structure, on and off.
OFFERED = [
    (family, structure, on)
    for family, row in FAMILIES.items()
    if "standardise" in row.controls
    for structure in (MCLUST if "covariance" in row.controls else ("",))
    for on in (False, True)
]


def ended(family: str, structure: str, on: bool) -> Ended:
    settings = Settings(family=family, n_components=2, n_factors=1, standardise=on)
    if structure:
        settings = replace(settings, covariance=structure)
    data = in_odd_units(CASES["Gaussian VVV"].data)
    model = model_for(settings, data)
    start = model.initial_params(data, "k-means++", np.random.default_rng(1))
    trace = tuple(em(model, data, start, max_iterations=1, tolerance=0))
    return Ended("", model, data, trace, float(len(data)))


def drawn(run: Ended, asked: Asked):
    work = slice_work(run, asked, "")
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize(("family", "structure", "on"), OFFERED)
def test_the_curves_of_the_bound_go_through_the_run(family, structure, on):
    run = ended(family, structure, on)
    named = Coordinates(run.model, run.trace[-1].params).named
    first = next(c for c in named if c.quantity in ("size", "standard deviation", "loading"))
    for asked in (Asked("next", None, None, ""), Asked("parameter", first, None, "")):
        made = drawn(run, asked)
        curves = made.picture.slice
        for frame, index in enumerate(made.shown):
            step = run.trace[index]
            here = np.abs(curves.across[frame] - curves.here[frame]).argmin()
            assert curves.bound[frame, here] == pytest.approx(step.elbo, rel=1e-9)
            assert curves.likelihood[frame, here] == pytest.approx(step.log_likelihood, rel=1e-9)
            numbers = made.numbers[frame]
            if step.phase != "M":
                assert numbers.slope_of_bound == pytest.approx(
                    numbers.slope_of_likelihood, rel=1e-5, abs=1e-4
                )
        # Nowhere on its way is the bound above what the M-step reached.
        if asked.kind == "next":
            for frame, index in enumerate(made.shown):
                if run.trace[index].phase == "M":
                    top = curves.bound[frame].max()
                    assert top <= run.trace[index].elbo + 1e-9 * abs(top)


@pytest.mark.parametrize("emission", [Gaussian("VEV"), StudentT("EEV"), FactorAnalyser(1)])
def test_relatives_race_in_the_units_of_the_fit(emission):
    data = in_odd_units(CASES["Gaussian VVV"].data)
    model = Standardised.of(Mixture(emission, 2), data)
    run = fit(model, data, max_iterations=4)
    work = race_work(model, data, run.trace[0].params, ["exact"], 4)
    while True:
        try:
            next(work)
        except StopIteration as end:
            (lane,) = end.value
            break
    for one, other in zip(lane.steps, run.trace, strict=False):
        assert one.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-10)
        assert one.elbo == pytest.approx(other.elbo, rel=1e-10)
        assert_close(one.params, other.params, 1e-9)
