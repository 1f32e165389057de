"""Which model: the grid, its criteria, and what is never recommended."""

import pickle
import re

import numpy as np
import pytest

from em_core import Gaussian, Mixture, fit, select
from em_core.datasets import generate, load
from em_core.models.hidden_markov.model import HiddenMarkov
from em_core.search.restarts import restarts
from em_core.search.selection import TIMES
from support.families_at_hand import cases

FAITHFUL, IRIS = load("faithful").values, load("iris").values


def grid(names, sizes):
    return {(name, k): Mixture(Gaussian(name), k) for name in names for k in sizes}


def log_normal(rows, mean, covariance):
    """(N,) log-densities, written out."""
    centred = rows - mean
    distances = (centred @ np.linalg.inv(covariance) * centred).sum(axis=1)
    return -0.5 * (distances + np.linalg.slogdet(2 * np.pi * covariance)[1])


@pytest.fixture(scope="module")
def faithful():
    return select(grid(["full", "tied"], range(1, 5)), FAITHFUL, range(6))


def test_the_model_that_mclust_chooses(faithful):
    """mclust on Old Faithful: EEE with 3 components, BIC -2314.3; of VVV the best has 2."""
    best = faithful.best()
    assert best.label == ("tied", 3) and best.score("bic") == pytest.approx(2314.3, abs=0.1)
    full = [cell for cell in faithful.ranking("bic") if cell.label[0] == "full"]
    assert full[0].label == ("full", 2)
    assert full[0].score("bic") == pytest.approx(2322.2, abs=0.1)
    assert faithful.best("icl").label == ("full", 2)
    assert len(faithful.cells) == 8 and all(cell.status == "usable" for cell in faithful.cells)
    for cell in faithful.cells:
        assert cell.score("aic") == cell.fit.aic and cell.score("icl") == cell.fit.icl
        assert cell.fit.model == cell.model
        reached = cell.reached
        assert reached.n_starts == 6 and 1 <= reached.n_reached <= 6 and not reached.n_made
        assert cell.verdict.startswith(f"{reached.in_words} reached the best")
        assert cell.replicated is (reached.n_reached > 1)
        assert cell.cross_validation is None and np.isnan(cell.score("cross_validation"))
    assert faithful.ranking("cross_validation") == ()


def test_runners_up(faithful):
    best = faithful.best().score("bic")
    for within in (2, 10, 1000):
        expected = sorted(
            (cell.score("bic"), cell.label)
            for cell in faithful.cells
            if cell.label != ("tied", 3) and cell.score("bic") - best <= within
        )
        found = faithful.runners_up(within=within)
        assert [(cell.score("bic"), cell.label) for cell in found] == expected
    assert len(faithful.runners_up(within=1000)) == 7
    assert faithful.runners_up("icl", within=0) == ()


def test_one_component_is_a_model_like_any_other():
    rows = np.random.default_rng(0).normal(size=(200, 2))
    chosen = select(grid(["full"], range(1, 4)), rows, range(3), folds=3)
    for criterion in ("bic", "icl", "cross_validation"):
        assert chosen.best(criterion).label == ("full", 1)
    log_densities = log_normal(rows, rows.mean(axis=0), np.cov(rows.T, bias=True))
    expected = -2 * log_densities.sum() + 5 * np.log(200)
    assert chosen.best().score("bic") == pytest.approx(expected)


def test_the_number_of_separated_clusters_is_found():
    data = generate("separated", 400, 4, 2, np.random.default_rng(3)).values
    chosen = select(grid(["spherical"], range(1, 6)), data, range(4), folds=3)
    for criterion in ("bic", "icl", "cross_validation"):
        assert chosen.best(criterion).label == ("spherical", 4)
        assert chosen.best(criterion).replicated


def test_cross_validation_is_that_of_fits_without_each_fold():
    chosen = select({"one": Mixture(Gaussian(), 1)}, IRIS, [0], folds=7, fold_seed=3)
    (cell,) = chosen.cells
    parts = np.array_split(np.random.default_rng(3).permutation(len(IRIS)), 7)
    densities = []
    for part in parts:
        kept = np.delete(IRIS, part, axis=0)
        densities.append(log_normal(IRIS[part], kept.mean(axis=0), np.cov(kept.T, bias=True)))
    assert cell.cross_validation.log_likelihood == pytest.approx(sum(map(np.sum, densities)))
    per_row = np.concatenate(densities)
    assert cell.cross_validation.per_observation == pytest.approx(per_row.mean())
    means = np.array([part.mean() for part in densities])
    assert cell.cross_validation.standard_error == pytest.approx(means.std(ddof=1) / np.sqrt(7))
    assert cell.score("cross_validation") == pytest.approx(-2 * per_row.sum())


@pytest.mark.parametrize("name", [n for n in cases() if not n.startswith("Gaussian ")])
def test_rows_of_every_model_can_be_held_out(name):
    model, data = cases()[name]
    (cell,) = select({"one": model}, data, [0], folds=2, tolerance=10.0).cells
    assert cell.status == "usable"
    held_out = cell.cross_validation
    assert np.isfinite(held_out.log_likelihood) or "collapsed" in held_out.problem


def test_weights_count_as_copies_in_every_criterion():
    weights = np.random.default_rng(0).integers(1, 4, len(IRIS))
    models = {"one": Mixture(Gaussian(), 1)}
    (weighted,) = select(models, IRIS, [0], weights=weights, folds=5).cells
    (copied,) = select(models, np.repeat(IRIS, weights, axis=0), [0]).cells
    for criterion in ("aic", "bic", "icl"):
        assert weighted.score(criterion) == pytest.approx(copied.score(criterion))
    assert weighted.fit.n_observations == weights.sum()
    held_out = weighted.cross_validation
    total = held_out.per_observation * weights.sum()
    assert held_out.log_likelihood == pytest.approx(total)


def test_collapsed_cells_are_marked_and_never_recommended():
    """Three clusters, one of them a single repeated point: the likelihood has no bound."""
    rng = np.random.default_rng(0)
    data = np.vstack([rng.normal(size=(60, 2)), rng.normal(8, size=(60, 2)), np.full((6, 2), 40)])
    chosen = select(grid(["full"], [1, 2, 3]), data, range(6))
    one, _, three = chosen.cells
    assert (one.status, three.status) == ("usable", "collapsed")
    assert three.score("bic") < chosen.best().score("bic") - 100
    assert three.fit.flags and "6 starts collapsed" in three.verdict
    assert one.reached.n_reached == 6 and three.reached is None
    assert three not in chosen.ranking("bic") and three not in chosen.runners_up(within=1e9)


def test_nothing_is_recommended_while_an_unconverged_model_is_better():
    chosen = select(grid(["full"], [1, 3]), FAITHFUL, range(3), max_iterations=4)
    one, three = chosen.cells
    assert (one.status, three.status) == ("usable", "unconverged")
    assert three.fit.stop_reason == "max_iterations" and "did not converge" in three.verdict
    assert three.score("bic") < one.score("bic") and chosen.ranking() == (one,)
    assert chosen.contenders() == chosen.undecided() == (three,)
    with pytest.raises(ValueError, match=r"yet: \('full', 3\) has not finished and may be better"):
        chosen.best()
    none = select(grid(["full"], [3]), FAITHFUL, range(3), max_iterations=4)
    assert none.undecided() == none.cells and none.runners_up() == ()
    worse = select(grid(["full"], [2, 9]), FAITHFUL, range(3), max_iterations=60)
    two, nine = worse.cells
    assert nine.status == "unconverged" and nine.score("bic") > two.score("bic")
    assert worse.contenders() == () and worse.best() == two


def test_going_on_climbs_from_where_it_stopped_until_the_grid_is_decided():
    models = grid(["full"], [1, 3, 4])
    options = {"start": "k-means++", "folds": 3, "tolerance": 1e-2}
    begun = select(models, FAITHFUL, range(4), max_iterations=16, **options)
    assert [cell.status for cell in begun.cells] == ["usable", "unconverged", "unconverged"]
    assert begun.undecided("bic") and begun.undecided("cross_validation")
    settled, open_folds = [], []
    for times in range(1, 5):
        before = begun.cells
        begun = pickle.loads(pickle.dumps(begun)).go_on(FAITHFUL)
        assert all(progress.label != ("full", 1) for progress in begun)
        for cell, earlier in zip(begun.cells, before, strict=True):
            assert cell.times == (times if earlier.climbing else earlier.times)
            if earlier.status == "unconverged" == cell.status:
                assert cell.fit.log_likelihood > earlier.fit.log_likelihood
                assert cell.fit.n_iterations == 16 * 2**times
            if not earlier.climbing:
                assert cell.score("bic") == earlier.score("bic") and cell.times == earlier.times
            if cell.status == "usable" and 0 in cell.climbing:
                # Twice gone on with: the best that has finished counts, and it is said.
                assert times >= TIMES and "did not converge is higher already" in cell.verdict
                assert cell.fit.stop_reason == "converged"
                settled.append(cell)
            if cell.status == "usable" and cell.climbing and 0 not in cell.climbing:
                open_folds.append(cell)
                held_out = cell.cross_validation
                assert np.isnan(held_out.log_likelihood) == (times < TIMES)
                assert times >= TIMES or held_out.problem.startswith("without fold")
                assert times >= TIMES or cell in begun.undecided("cross_validation")
        assert times < TIMES or begun.undecided("bic") == ()
    assert settled and open_folds and not any(cell.climbing for cell in begun.cells)
    whole = select(models, FAITHFUL, range(4), max_iterations=1000, **options)
    assert begun.best().label == whole.best().label
    for cell, same in zip(begun.cells, whole.cells, strict=True):
        assert cell.score("bic") == pytest.approx(same.score("bic"), abs=0.05)


def test_a_start_that_has_not_finished_above_the_best_optimum_leaves_a_cell_or_a_fold_open():
    models = {4: Mixture(Gaussian(), 4)}
    chosen = select(models, FAITHFUL, range(4), max_iterations=64, tolerance=1e-2)
    (cell,) = chosen.cells
    runs = restarts(models[4], FAITHFUL, range(4), max_iterations=64, tolerance=1e-2)
    assert runs.optima and runs.landscape.ahead
    assert cell.status == "unconverged" and cell.climbing == (0,)
    assert (
        cell.fit.log_likelihood == runs.landscape.ahead[0].log_likelihood > runs.best.log_likelihood
    )


def test_a_model_that_cannot_be_fitted_is_its_cells_own_failure():
    data = np.repeat([[1.0, 2.0], [3.0, 5.0], [4.0, 1.0]], 20, axis=0)
    data = data + 0.1 * np.random.default_rng(0).normal(size=(3, 2))[np.arange(60) % 3]
    few = np.unique(np.round(data, 6), axis=0)
    chosen = select(grid(["spherical"], [1, 2, len(few) + 1]), data, range(3), folds=3)
    one, _, many = chosen.cells
    assert one.status == "usable" and many.status == "failed" and many.fit is None
    assert "distinct rows" in many.verdict and np.isnan(many.score("bic"))
    assert many not in chosen.ranking()


class Broken(Mixture):
    """A model of somebody's own, with a mistake in it."""

    mistake: Exception = IndexError("index 3 is out of bounds")

    def m_step(self, params, statistics):
        raise self.mistake


class Huge(Broken):
    mistake = MemoryError("Unable to allocate 8. EiB")


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (Broken(Gaussian(), 2), "An error that nobody expected: IndexError: index 3 is out of"),
        (Huge(Gaussian(), 2), "There is not enough memory for it."),
    ],
)
def test_an_unexpected_error_costs_its_cell_only_and_is_in_the_log(model, said, caplog):
    models = {"fine": Mixture(Gaussian(), 2), "broken": model, "also": Mixture(Gaussian(), 1)}
    chosen = select(models, FAITHFUL, range(2), folds=2)
    fine, broken, also = chosen.cells
    assert (fine.status, broken.status, also.status) == ("usable", "failed", "usable")
    assert broken.verdict.startswith(said) and chosen.best() == fine
    if isinstance(model.mistake, IndexError):
        assert "in m_step" in caplog.text and "index 3 is out of bounds" in caplog.text


def test_a_fold_without_an_optimum_leaves_no_cross_validation():
    """Without either of the two far points the other is all that its component has."""
    rows = np.random.default_rng(0).normal(size=(10, 2))
    data = np.vstack([rows, [[100.0, 100.0], [101.0, 99.0]]])
    models = {k: Mixture(Gaussian("spherical"), k) for k in (1, 2)}
    chosen = select(models, data, range(2), folds=12)
    one, two = chosen.cells
    assert two.status == "usable" and np.isnan(two.cross_validation.log_likelihood)
    assert re.match(r"without fold \d+: All 2 starts collapsed", two.cross_validation.problem)
    assert chosen.best("bic") == two and chosen.best("cross_validation") == one
    (small,) = select({1: models[1]}, data, folds=13).cells
    assert small.cross_validation.problem == "12 rows cannot be cut into 13 folds"


def test_progress_and_leaving():
    models = grid(["full", "tied"], [1, 2])
    chosen = select(models, IRIS, range(3), folds=2)
    seen = []
    for progress in chosen:
        seen.append(progress)
        assert progress.n_cells == 4 and progress.n_done < 4
        if progress.n_done == 2:
            break
    status = [cell.status for cell in chosen.cells]
    assert status == ["usable", "usable", "not run", "not run"]
    assert chosen.best().label == ("full", 2) and chosen.cells[3].verdict == "Not run."
    for progress in chosen:
        seen.append(progress)
    assert [cell.status for cell in chosen.cells] == ["usable"] * 4
    assert [label for label in dict.fromkeys(p.label for p in seen)] == list(models)
    assert {(p.n_done, p.fold) for p in seen} == {(n, f) for n in range(4) for f in range(3)}
    at_once = select(models, IRIS, range(3), folds=2)
    for cell, same in zip(chosen.cells, at_once.cells, strict=True):
        assert cell.score("bic") == same.score("bic")
        assert cell.cross_validation == same.cross_validation


def test_sequences_are_held_out_whole():
    rng = np.random.default_rng(0)
    two = HiddenMarkov(Gaussian("diag"), 2)
    truth = two.params([[0.9, 0.1], [0.1, 0.9]], means=[[0.0], [4.0]], covariances=[[[1.0]]] * 2)
    sequences, _ = two.sample(truth, [30, 20, 25, 40], rng)
    models = {1: HiddenMarkov(Gaussian("diag"), 1), 2: two}
    chosen = select(models, sequences, range(2), "k-means++", folds=2)
    assert chosen.best().label == 2 and chosen.best("cross_validation").label == 2
    held_out = chosen.best("cross_validation").cross_validation
    assert held_out.log_likelihood == pytest.approx(115 * held_out.per_observation)


def test_the_same_seeds_give_the_same_answer_as_single_fits():
    (cell,) = select({"three": Mixture(Gaussian(), 3)}, IRIS, range(5), "k-means++").cells
    best = max(fit(cell.model, IRIS, seed=seed).log_likelihood for seed in range(5))
    assert cell.fit.log_likelihood == pytest.approx(best, rel=1e-9)


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match="at least one model"):
        select({}, IRIS)
    with pytest.raises(ValueError, match="at least 2 folds"):
        select(grid(["full"], [1]), IRIS, folds=1)
    with pytest.raises(ValueError, match="unknown criterion 'r2'"):
        select(grid(["full"], [1]), IRIS).best("r2")
