"""Small tables on which programs that choose a model go wrong, and what is right for each.

Values were computed by independent programs or in closed form.
"""

import numpy as np
import pytest

from em_core import Bernoulli, Categorical, Gaussian, Mixture, fit, select
from em_core.datasets import load
from em_core.emissions.covariances.structures import STRUCTURES
from em_core.inference.agreement import adjusted_rand_index
from em_core.search.selection import ModelSelection
from support.tables import coded, table

CRITERIA = ("bic", "aic", "icl")


def rows_of(name: str) -> np.ndarray:
    """(N, D) the numbers of a file."""
    return table(name).to_numpy(dtype=float)


def grid(rows, structures, sizes, seeds=range(6), start=None, **options) -> ModelSelection:
    models = {(name, k): Mixture(Gaussian(name), k) for name in structures for k in sizes}
    return select(models, rows, seeds, start, **options)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_one_component_in_one_column_is_the_same_under_every_structure(structure):
    one = fit(Mixture(Gaussian(structure), 1), rows_of("13"))
    assert one.log_likelihood == pytest.approx(-23.66818, abs=1e-5) and one.n_parameters == 2
    assert (one.bic, one.aic) == pytest.approx((52.30617, 51.33636), abs=1e-5)


def test_covariance_parameters_are_counted():
    chosen = grid(load("iris").values, ["tied", "full"], [3], start="short runs")
    tied, full = chosen.cells
    assert (tied.fit.n_parameters, full.fit.n_parameters) == (24, 44)
    assert tied.fit.log_likelihood == pytest.approx(-256.354, abs=2e-3)
    assert full.fit.log_likelihood == pytest.approx(-180.186, abs=2e-3)
    assert (tied.score("bic"), full.score("bic")) == pytest.approx((632.96, 580.84), abs=0.01)


def test_units_change_no_choice():
    millimetres, metres = rows_of("14a"), rows_of("14b")
    small, large = (
        grid(rows, ["full", "tied", "diag"], [1, 2, 3]) for rows in (metres, millimetres)
    )
    gained = 24 * 2 * np.log(1000)
    for cell, same in zip(small.cells, large.cells, strict=True):
        assert cell.status == same.status
        if cell.status == "usable":
            gain = cell.fit.log_likelihood - same.fit.log_likelihood
            assert gain == pytest.approx(gained, abs=1e-2)
    tied = {cell.label: cell for cell in large.cells}["tied", 2]
    assert tied.fit.log_likelihood == pytest.approx(-122.2989, abs=1e-3)
    assert tied.fit.n_parameters == 8 and tied.score("bic") == pytest.approx(270.0222, abs=2e-3)
    for criterion in CRITERIA:
        best, same = small.best(criterion), large.best(criterion)
        assert best.label == same.label
        groups = best.fit.predict(metres).astype(str).tolist()
        assert adjusted_rand_index(groups, same.fit.predict(millimetres)) == 1
    one = fit(Mixture(Gaussian(), 1), millimetres).log_likelihood
    assert one == pytest.approx(-146.67348, abs=1e-4)
    far = fit(Mixture(Gaussian(), 1), rows_of("14d")).log_likelihood
    assert far == pytest.approx(one, abs=1e-2)


def test_of_two_rows_nothing_but_one_component_is_recommended():
    one, two, three = grid(rows_of("14c"), ["full"], [1, 2, 3]).cells
    assert one.status == "usable" and one.fit.params.covariances.min() > 0
    assert (two.status, three.status) == ("collapsed", "failed")


def test_more_components_than_distinct_rows_are_never_recommended():
    chosen = grid(rows_of("15"), ["full", "spherical"], [1, 2, 9, 10, 15, 18])
    for cell in chosen.cells:
        if cell.label[1] >= 9:
            assert cell.status in ("collapsed", "failed") and cell.verdict
            assert cell.fit is None or np.isfinite(cell.fit.log_likelihood)
        if cell.label[1] == 18:
            assert cell.status == "failed" and "rows" in cell.verdict
    assert all(chosen.best(criterion).label[1] < 9 for criterion in CRITERIA)


@pytest.mark.parametrize(("name", "sizes"), [("16a", [1, 2, 3]), ("16b", [1, 2])])
def test_a_collapse_on_equal_rows_never_wins(name, sizes):
    rows = rows_of(name)
    chosen = grid(rows, ["full", "tied"], sizes, start="k-means++")
    cells = {cell.label: cell for cell in chosen.cells}
    assert cells["full", 2].status == "collapsed" and np.isfinite(cells["tied", 2].score("bic"))
    if name == "16a":
        assert cells["full", 1].fit.log_likelihood == pytest.approx(-13.76687, abs=1e-5)
    for criterion in CRITERIA:
        assert chosen.best(criterion).status == "usable"
        assert not chosen.best(criterion).fit.collapsed


def test_the_order_of_the_rows_changes_no_choice_and_a_rare_collapse_does_not_win():
    iris = load("iris").values
    shuffled = iris[np.random.default_rng(1).permutation(150)]
    found = []
    for rows in (iris, shuffled):
        options = {"seeds": range(30), "start": ["k-means++", "random rows"]}
        (cell,) = grid(rows, ["diag"], [3], **options).cells
        assert cell.status == "usable" and cell.fit.n_parameters == 26
        found.append(cell)
    assert found[0].fit.log_likelihood == pytest.approx(-306.86, abs=0.01)
    assert found[0].fit.log_likelihood == pytest.approx(found[1].fit.log_likelihood, abs=2e-3)
    assert found[0].score("bic") == pytest.approx(743.998, abs=0.02)
    groups = found[0].fit.predict(iris).astype(str).tolist()
    assert adjusted_rand_index(groups, found[1].fit.predict(iris)) == 1


def test_independent_items_are_one_class():
    models = {k: Mixture(Bernoulli(), k) for k in (1, 2, 3)}
    chosen = select(models, rows_of("23"), range(6))
    scores = [cell.score("bic") for cell in chosen.cells]
    for cell in chosen.cells:
        assert cell.fit.log_likelihood == pytest.approx(-24 * 3 * np.log(2), abs=0.01)
        assert cell.score("icl") >= cell.score("bic") - 1e-9
    assert scores[1] - scores[0] == pytest.approx(4 * np.log(24), abs=0.02)
    assert all(chosen.best(criterion).label == 1 for criterion in CRITERIA)


def test_a_level_seen_once_leaves_no_value_and_no_ranking():
    rows = coded(table("24")).astype(float)
    chosen = select({k: Mixture(Categorical(), k) for k in (1, 2)}, rows, range(3), folds=5)
    assert chosen.cells[0].fit.log_likelihood == pytest.approx(-59.13655, abs=1e-5)
    parts = np.array_split(np.random.default_rng(0).permutation(26), 5)
    (fold,) = (number for number, part in enumerate(parts, 1) if 25 in part)
    one, two = chosen.cells
    held_out = one.cross_validation
    assert one.status == "usable" and held_out.log_likelihood == -np.inf
    assert held_out.fold == fold
    # Blue, green, mauve, red.
    assert held_out.impossible.columns == (0,) and held_out.impossible.values == (2.0,)
    assert f"fold {fold} holds 2 in column 1" in held_out.problem
    # One item does not tell two classes.
    assert two.status == "not identified" and two.cross_validation is None
    assert chosen.ranking("cross_validation") == () and chosen.ranking("bic") == (one,)
