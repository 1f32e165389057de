"""Whether parameters can be told at all: by the rank of the information, never by counting."""

from pathlib import Path

import numpy as np
import pytest

from em_core import (
    Bernoulli,
    Categorical,
    Gaussian,
    HiddenMarkov,
    Mixture,
    Poisson,
    TwoLevel,
    fit,
    inference,
    restarts,
    select,
)
from em_core.coordinates.coordinates import Coordinates
from em_core.search.identified import log_densities
from em_core.search.optima import place
from em_core.variants.table import VARIANTS
from em_core.variants.table import run as relative
from support.families_at_hand import cases
from support.own_model import WithDomains

TABLES = Path(__file__).parents[2] / "tables"
CASES = cases()


def table(name: str) -> np.ndarray:
    (path,) = TABLES.glob(f"{name}-*.csv")
    rows = np.genfromtxt(path, delimiter=",", skip_header=1)
    return rows[:, None] if rows.ndim == 1 else rows


def searched(model, data, n: int = 12):
    return restarts(model, data, range(n), ["k-means++"])


# Name of the table, emission, components; log-likelihood, parameters, cells; whether identified,
# and how many parameters are at a limit.
RIGHT = [
    ("20a", Categorical(), 1, -246.6978, 5, 11, True, 0),
    ("20a", Categorical(), 2, -244.7892, 11, 11, False, None),
    ("20a", Categorical(), 3, -243.6071, 17, 11, False, None),
    ("20b", Categorical(), 1, -216.10553, 2, 2, True, 0),
    ("20b", Categorical(), 2, -216.10553, 5, 2, False, None),
    ("20b", Categorical(), 3, -216.10553, 8, 2, False, None),
    ("20c", Bernoulli(), 1, -82.7270, 3, 7, True, 0),
    ("20c", Bernoulli(), 2, -81.3277, 7, 7, True, 2),
    ("20c", Categorical(), 2, -81.3277, 7, 7, True, 2),
    ("20c", Bernoulli(), 3, -81.1583, 11, 7, False, None),
    ("20c", Categorical(), 3, -81.1583, 11, 7, False, None),
    ("22", Bernoulli(), 1, -81.50319, 5, 31, True, 0),
    ("22", Bernoulli(), 2, -16.300638, 11, 31, True, 10),
    ("23", Bernoulli(), 1, -49.906597, 3, 7, True, 0),
    ("23", Bernoulli(), 2, -49.906597, 7, 7, False, None),
    ("23", Bernoulli(), 3, -49.906597, 11, 7, False, None),
    ("26a", Poisson(), 2, -31.05691, 3, None, True, 0),
    ("26a", Poisson(), 3, -30.39766, 5, None, True, 1),
    ("26a", Poisson(), 4, -30.39766, 7, None, False, None),
]


@pytest.mark.parametrize(
    ("name", "emission", "k", "height", "n_parameters", "cells", "known", "at_limit"), RIGHT
)
def test_small_tables_have_their_right_values(
    name, emission, k, height, n_parameters, cells, known, at_limit
):
    data = table(name)
    if name == "20a":
        data = data - data.min(axis=0)
    runs = searched(Mixture(emission, k), data)
    # EM stops short of the top of a ridge, and by about its tolerance of any other.
    assert runs.best.log_likelihood == pytest.approx(height, abs=5e-3)
    found = inference.identified(runs.best, data)
    assert (found.identified, found.n_parameters, found.cells) == (known, n_parameters, cells)
    assert runs.landscape.identification == found
    if known:
        assert found.rank == n_parameters - at_limit and found.n_at_limit == at_limit
        return
    assert found.sentence.startswith(f"not identified: {n_parameters} parameters")
    assert found.rank < n_parameters - found.n_at_limit
    # One optimum, by its likelihood; nothing is said of profiles.
    (optimum,) = runs.optima
    assert optimum.count + len(runs.landscape.unconverged) == 12 and optimum.disagreement is None
    assert runs.verdict.startswith(f"Not identified: {n_parameters} parameters")
    other = optimum.fits[-1]
    assert place(runs.landscape, runs.model, data, other.params, other.log_likelihood) == 0


def test_the_words_count_cells_only_where_these_are_fewer():
    said = [
        inference.identified(searched(Mixture(Categorical(), k), data).best, data).sentence
        for data, k in ((table("20c"), 3), (table("20a") - 1, 2))
    ]
    assert said == [
        "not identified: 11 parameters, 7 cells",
        "not identified: 11 parameters, and only 9 can be told",
    ]


def test_what_is_not_identified_is_never_recommended():
    """Its likelihood is the highest: by counting rows alone it would win at times."""
    data = np.repeat(table("20c"), 30, axis=0)
    models = {k: Mixture(Bernoulli(), k) for k in (1, 2, 3, 4)}
    grid = select(models, data, range(6))
    status = {cell.label: cell.status for cell in grid.cells}
    assert status[1] == "usable" and status[3] == status[4] == "not identified"
    assert {cell.label for cell in grid.ranking("aic")} <= {1, 2}
    assert grid.best("aic").label in (1, 2)
    assert "Not identified: 11 parameters, 7 cells" in grid.cells[2].verdict


@pytest.mark.parametrize("name", [name for name in CASES if name != "two levels"])
def test_the_rank_is_the_number_of_parameters(name):
    """Of every family: rotations and the order of components are not counted, and coordinates
    never leave the model."""
    case = CASES[name]
    result = fit(case.model, case.data, start=case.start(0, 4), max_iterations=1)
    found = inference.identified(result, case.model.check(case.data))
    assert found.identified
    assert found.rank == found.n_parameters - found.n_at_limit


@pytest.mark.parametrize("code", ["EII", "VII"])
def test_relatives_keep_balls_round(code):
    """Coordinates of balls have no shape: an optimiser that walks them stays in the model."""
    case = CASES[f"Gaussian {code}"]
    start = case.start(0)
    for key in ("l-bfgs", "gradient"):
        *_, last = relative(VARIANTS[key], case.model, case.data, start, seed=0, max_passes=20)
        for covariance in last.params.covariances:
            np.testing.assert_allclose(covariance, covariance[0, 0] * np.eye(3), atol=1e-9)


@pytest.mark.parametrize("order", [[1, 0, 2], [2, 1, 0]])
def test_the_order_of_components_columns_and_rows_does_not_matter(order):
    data = table("20c")
    best = searched(Mixture(Bernoulli(), 3), data).best
    turned = best.params._replace(
        weights=best.params.weights[order],
        emission=type(best.params.emission)(best.params.emission.probabilities[order][:, order]),
    )
    again = fit(best.model, data[::-1, order], start=turned, max_iterations=1)
    found = inference.identified(again, data[::-1, order])
    assert found.identified is False and found.cells == 7


def test_weights_are_copies():
    data = table("20c")
    patterns, counts = np.unique(data, axis=0, return_counts=True)
    model = Mixture(Bernoulli(), 2)
    result = searched(model, data).best
    alone = fit(model, patterns, start=result.params, weights=counts, max_iterations=1)
    assert inference.identified(alone, patterns, counts.astype(float)) == inference.identified(
        alone, data
    )
    weighted = restarts(model, patterns, range(4), ["k-means++"], weights=counts)
    assert weighted.landscape.identification.identified


def test_sequences_of_one_row_do_not_tell_transitions():
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(size=(40, 1)), 6 + rng.normal(size=(40, 1))])
    model = HiddenMarkov(Gaussian("tied"), 2)
    alone = fit(model, [rows[n : n + 1] for n in range(80)])
    assert inference.identified(alone, [rows[n : n + 1] for n in range(80)]).identified is False
    pairs = [rows[rng.integers(80, size=4)] for _ in range(30)]
    assert inference.identified(fit(model, pairs), pairs).identified


def test_groups_of_one_do_not_tell_two_variances():
    rows = np.random.default_rng(0).normal(size=(24, 1))
    alone = [rows[n : n + 1] for n in range(24)]
    assert inference.identified(fit(TwoLevel(), alone), alone).identified is False
    groups = [rows[n : n + 4] + n for n in range(0, 24, 4)]
    assert inference.identified(fit(TwoLevel(), groups), groups).identified


def test_a_model_of_ones_own_is_looked_at_where_it_says_its_domains():
    counts = np.random.default_rng(0).poisson(3, 60) * (np.arange(60) % 3 > 0).astype(float)
    found = inference.identified(fit(WithDomains(), counts), counts)
    assert (found.identified, found.rank, found.cells) == (True, 2, None)

    class Silent(WithDomains):
        domains = property()

    silent = inference.identified(fit(Silent(), counts), counts)
    assert silent.identified is None and "does not say where" in silent.sentence


def test_what_would_take_long_is_not_looked_at():
    data = (np.random.default_rng(0).random((60, 30)) < 0.5).astype(float)
    result = fit(Mixture(Bernoulli(), 2), data, max_iterations=2)
    found = inference.identified(result, data, most_scores=1000)
    assert found.identified is None and found.rank is None
    assert found.sentence == "not looked at, as it would take long for 61 parameters"


@pytest.mark.parametrize("name", ["Gaussian VVV", "factor analysis", "hidden Markov", "two levels"])
def test_log_densities_of_rows_add_up_to_the_likelihood(name):
    case = CASES[name]
    params, data = case.start(0, 1), case.model.check(case.data)
    total = log_densities(case.model, params, data).sum()
    assert total == pytest.approx(case.model.e_step(params, data).log_likelihood)


def test_limits_are_seen():
    model = Mixture(Bernoulli(), 2)
    params = model.params([0.3, 0.7], probabilities=[[0, 0.5, 1e-9], [1, 0.2, 0.4]])
    coordinates = Coordinates(model, params)
    at = dict(zip([(c.quantity, c.place) for c in coordinates.named],
                  coordinates.at_limit(params), strict=True))  # fmt: skip
    assert {key for key, limit in at.items() if limit} == {
        ("probability", (0, 0)), ("probability", (0, 2)), ("probability", (1, 0)),
    }  # fmt: skip
