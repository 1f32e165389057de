"""What emissions say of their columns is true, and it is all that pictures and tables go by."""

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad

from em_core import Mixture, StudentT, em
from em_core.protocols import Columns, Levels, is_discrete
from pages.ui.families import chains, mixtures
from pages.ui.families.table import FAMILIES
from pages.ui.pictures.picture import MUTED, Scene
from pages.ui.state.scenes import scene_of
from pages.ui.state.settings import Settings
from pages.ui.tables.selection import select_items
from pages.ui.tables.table import Table
from support.exponential import Exponential, SaysColumns
from support.families_at_hand import cases

TIMES = np.random.default_rng(0).exponential(np.repeat([[1.0, 30.0], [20.0, 5.0]], 150, axis=0))
SAYS = {
    name: case for name, case in cases().items() if hasattr(case.model, "emission")
} | {"own": type(cases()["Poisson"])(Mixture(SaysColumns(), 2), TIMES)}  # fmt: skip
ROOT = Path(__file__).parents[3]


def emission_and_params(name: str):
    case = SAYS[name]
    params = case.start(0, 3).emission
    if name == "Student t":
        params = params._replace(degrees_of_freedom=np.array([6.0, 30.0]))
    return case.model.emission, params


@pytest.mark.parametrize("name", SAYS)
def test_means_and_deviations_said_are_those_of_samples(name):
    emission, params = emission_and_params(name)
    assert isinstance(emission, Columns)
    means, deviations = emission.column_means(params), emission.column_deviations(params)
    n = 20_000
    for k in range(len(means)):
        rows = emission.sample(params, np.full(n, k), np.random.default_rng(k))
        assert means[k].shape == deviations[k].shape == rows.shape[1:]
        assert (np.abs(rows.mean(axis=0) - means[k]) <= 5 * deviations[k] / np.sqrt(n)).all()
        np.testing.assert_allclose(rows.std(axis=0), deviations[k], rtol=0.06, atol=1e-12)


@pytest.mark.parametrize("name", SAYS)
def test_densities_said_are_those_of_single_columns(name):
    """They sum to one, have the means that are said, and are the model's own where it has one
    column only."""
    emission, params = emission_and_params(name)
    means, deviations = emission.column_means(params), emission.column_deviations(params)
    for column in range(means.shape[1]):
        for k in range(len(means)):
            mean, deviation = means[k, column], deviations[k, column]

            def density(x, k=k, column=column):
                return np.exp(emission.column_log_density(params, column, np.atleast_1d(x))[k])

            if is_discrete(emission):
                values = np.arange(int(mean + 12 * deviation) + 12.0)
                total, average = density(values).sum(), (values * density(values)).sum()
            else:
                low, high = mean - 60 * deviation, mean + 60 * deviation
                inside = [mean - 3 * deviation, 0.0, mean, mean + 3 * deviation]
                inside = [x for x in inside if low < x < high]
                total = quad(lambda x: density(x)[0], low, high, points=inside, limit=300)[0]
                average = quad(
                    lambda x: (x * density(x))[0], low, high, points=inside, limit=300
                )[0]  # fmt: skip
            assert total == pytest.approx(1, abs=1e-3)
            assert average == pytest.approx(mean, rel=2e-3, abs=2e-3 * deviation + 1e-12)


@pytest.mark.parametrize(
    "name", ["Gaussian VVV", "Student t", "Poisson", "Bernoulli", "Categorical", "own"]
)
def test_the_density_of_one_column_is_the_models(name):
    case = SAYS[name]
    data = np.asarray(case.data)[:, :1]
    model = Mixture(case.model.emission, 2)
    params = type(case)(model, data).start(1, 2)
    said = model.emission.column_log_density(params.emission, 0, data[:, 0])
    expected = model.log_joint(params, data) - params.log_weights
    np.testing.assert_allclose(said.T, expected, rtol=1e-9, atol=1e-9)


def test_levels_are_those_of_samples():
    for name in ("Bernoulli", "Categorical"):
        emission, params = emission_and_params(name)
        assert isinstance(emission, Levels)
        rows = emission.sample(params, np.zeros(20_000, dtype=int), np.random.default_rng(0))
        for column, chances in enumerate(emission.level_probabilities(params)):
            seen = np.bincount(rows[:, column].astype(int), minlength=chances.shape[1]) / 20_000
            np.testing.assert_allclose(seen, chances[0], atol=0.02)


def test_a_student_t_without_a_variance_says_so():
    _, params = emission_and_params("Student t")
    heavy = params._replace(degrees_of_freedom=np.array([1.5, 2.0]))
    assert np.isinf(StudentT().column_deviations(heavy)).all()


def pictured(family, values: np.ndarray, monkeypatch) -> tuple[Scene, object, object]:
    """A scene of a row of the table of families made for this test, and its selection."""
    monkeypatch.setitem(FAMILIES, "made-up", family)
    columns = ["waited", "served"][: values.shape[1]]
    table = Table("times", pd.DataFrame(values, columns=columns), (), "")
    selection = select_items(table, columns)
    settings = Settings(family="made-up", n_components=2)
    model, data = family.build(settings), family.data(selection)
    start = model.initial_params(data, next(iter(model.starts)), np.random.default_rng(0))
    steps = [*em(model, data, start, max_iterations=4, tolerance=0)]
    return scene_of("run", model, data, steps, selection, settings, most=300), selection, settings


@pytest.mark.parametrize("n_columns", [1, 2])
@pytest.mark.parametrize("chain", [False, True])
@pytest.mark.parametrize("emission", [SaysColumns, Exponential])
def test_an_emission_of_ones_own_is_drawn_and_tabulated_as_it_says(
    emission, chain, n_columns, monkeypatch
):
    """Its array is called `rates`, and is none of Poisson's."""
    if chain:
        family = chains.chain(
            "Waiting", lambda s: emission(), lambda s: "", {}, ("rates",), ("earthquakes",)
        )
    else:
        family = mixtures.items("Waiting", emission, "rates", ("earthquakes",), unit="component")
    scene, selection, settings = pictured(family, TIMES[:, :n_columns], monkeypatch)
    picture, _ = family.picture(scene)
    params = scene.steps[-1].params
    (_, table), *_ = family.tables(scene.model, params, selection, settings)
    assert family.results(scene.model, params, scene.data, selection, settings)
    assert family.point(scene.model, params, scene.data, selection, 0, scene.components)
    if emission is Exponential:
        # It says nothing of its columns: its parameters are shown as they are.
        assert "emission rates 1" in table.index and picture.charts
        return
    np.testing.assert_allclose(table.loc["mean of waited"], 1 / params.rates[:, 0])
    np.testing.assert_allclose(table.loc["SD of waited"], 1 / params.rates[:, 0])
    if not chain and n_columns == 1:
        (chart,) = picture.charts
        curves = [m for m in chart.marks if m.kind == "line" and m.components[0] >= 0]
        x, height = curves[0].values[-1].T
        rate = params.rates[0, 0]
        np.testing.assert_allclose(height, params.weights[0] * rate * np.exp(-rate * x))
        (bars,) = [m for m in chart.marks if m.kind == "bars" and m.components[0] == MUTED]
        left, bottom, right, top, _ = bars.values[0].T
        assert ((right - left) * (top - bottom)).sum() == pytest.approx(1)
    elif chain:
        np.testing.assert_allclose(picture.means[-1, :, 1], 1 / params.rates[:, 0])


def test_nobody_asks_how_parameters_are_spelled():
    """`hasattr` and `getattr` with the name of an array of parameters find out what a model is."""
    arrays = {
        "weights", "means", "covariances", "probabilities", "rates", "levels", "loadings", "mean",
        "degrees_of_freedom", "noise_variance", "noise_variances", "transition_matrix",
        "initial_probabilities", "between_covariance", "within_covariance", "zero_share",
    }  # fmt: skip
    found = []
    for path in sorted([*ROOT.glob("em_core/**/*.py"), *ROOT.glob("pages/**/*.py")]):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Call) and ast.unparse(node.func) in ("hasattr", "getattr")
            if named and isinstance(node.args[1], ast.Constant) and node.args[1].value in arrays:
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []
