"""Factor models at their boundary: what is an answer there, what is not, and how EM gets there."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from em_core import FactorAnalyser, HiddenMarkov, Mixture, fit, restarts, select
from em_core.half_steps import Collapse, has_collapsed
from em_core.models.factor_analysis.boundary import degrees_of_freedom
from em_core.models.factor_analysis.model import FactorAnalysis, ProbabilisticPCA
from em_core.models.factor_analysis.summaries import uniquenesses
from support import laws

TABLES = Path(__file__).parents[2] / "tables"


def table(name: str, *without: str) -> np.ndarray:
    path = next(TABLES.glob(f"{name}-*.csv"))
    return pd.read_csv(path).drop(columns=list(without)).to_numpy(float)


class Plain(FactorAnalysis):
    """Without leaps."""

    leap = None


def heywood_table(seed: int, n: int, d: int, q: int, missing: float = 0.0) -> np.ndarray:
    """Rows behind which factors leave some columns without noise, as their sample has it."""
    rng = np.random.default_rng(seed)
    data = rng.normal(size=(n, q)) @ rng.normal(size=(q, d))
    data += rng.normal(size=(n, d)) * rng.choice([0.3, 1, 2], size=d)
    data[rng.random(size=data.shape) < missing] = np.nan
    return data


# ---------------------------------------------------------------------------------------------
# An ordinary Heywood case: an answer, and flagged


@pytest.mark.parametrize("start", sorted(FactorAnalysis.starts))
@pytest.mark.parametrize(
    ("name", "q", "log_likelihood", "columns"),
    [("31a", 1, -90.58460, [0]), ("31b", 1, -188.79536, []), ("31b", 2, -180.9679, [3, 4])],
)
def test_a_heywood_case_is_reached_flagged_and_an_answer(name, q, log_likelihood, columns, start):
    data = table(name)
    result = fit(FactorAnalysis(q), data, start=start)
    assert result.stop_reason == "converged" and result.n_iterations < 150
    assert result.log_likelihood == pytest.approx(log_likelihood, abs=2e-3)
    assert not has_collapsed(result.flags) and len(result.flags) == len(columns)
    for column, flag in zip(columns, result.flags, strict=True):
        assert flag.startswith(f"column {column + 1} has next to no noise of its own (a Heywood")
    at_floor = uniquenesses(result.params) < 2e-6
    assert np.flatnonzero(at_floor).tolist() == columns
    laws.half_steps_are_well_formed(list(result.trace))
    laws.bound_never_falls(list(result.trace), len(data))
    laws.bound_touches_after_e_and_stays_below_after_m(list(result.trace), len(data))
    laws.gain_is_bound_gain_plus_kl(list(result.trace), len(data))
    if name == "31a":
        np.testing.assert_allclose(uniquenesses(result.params)[1:], 0.36, atol=1e-4)


def test_how_many_factors_does_not_hang_on_the_iteration_limit():
    data = table("31b")
    models = {q: FactorAnalysis(q) for q in (1, 2, 3)}
    cells = {cell.label: cell for cell in select(models, data, range(3)).cells}
    assert [cells[q].status for q in models] == ["usable", "usable", "failed"]
    assert cells[2].fit.bic == pytest.approx(2 * 180.9679 + 19 * np.log(26), abs=2e-3)


@pytest.mark.parametrize("missing", [0, 0.1])
@pytest.mark.parametrize("seed", range(6))
def test_leaps_end_no_lower_than_plain_em_and_as_a_direct_search_does(seed, missing):
    """Where the iteration limit ends plain EM, leaps have long arrived."""
    d, q = 5 + seed % 3, 1 + seed % 2
    data = heywood_table(seed, 15 + 5 * seed, d, q, missing)
    model = FactorAnalysis(q)
    result = fit(model, data)
    assert result.stop_reason == "converged"
    laws.half_steps_are_well_formed(list(result.trace))
    laws.bound_never_falls(list(result.trace), data.size)
    laws.bound_touches_after_e_and_stays_below_after_m(list(result.trace), len(data))
    laws.gain_is_bound_gain_plus_kl(list(result.trace), len(data))
    plain = fit(Plain(q), data, max_iterations=400)
    assert result.log_likelihood > plain.log_likelihood - 2e-3
    if not any(step.is_leap for step in result.trace):
        assert result.log_likelihood == plain.log_likelihood
    # From there no direction leads up, bounds kept.
    prepared, (mean, loadings, noise, _) = model.prepare(data), result.params
    lowest = model._smallest_noise(model.e_step(result.params, prepared).statistics)

    def lower(vector):
        parts = np.split(vector, [d, d + d * q])
        params = model.params(parts[0], parts[1].reshape(d, q), np.exp(parts[2]))
        return -model.e_step(params, prepared).log_likelihood

    start = np.concatenate([mean, loadings.ravel(), np.log(noise)])
    bounds = [(None, None)] * (d + d * q) + [(np.log(low), None) for low in lowest * (1 - 1e-9)]
    best = -minimize(lower, start, bounds=bounds, method="L-BFGS-B").fun
    assert result.log_likelihood == pytest.approx(best, abs=0.02)


def test_a_leap_says_so_and_only_where_em_creeps():
    steps = fit(FactorAnalysis(1), table("31a")).trace
    leaps = [step for step in steps if step.is_leap]
    assert leaps and all("a leap, not an M-step" in step.flags[-1] for step in leaps)
    assert all(step.kl == 0 or abs(step.kl) < 1e-9 for step in leaps)
    # What does not creep stays what it was, to the last bit.
    data = heywood_table(0, 200, 6, 2) + np.random.default_rng(1).normal(size=(200, 6))
    one, other = fit(FactorAnalysis(2), data), fit(Plain(2), data)
    assert not any(step.is_leap for step in one.trace)
    assert one.log_likelihood == other.log_likelihood


@pytest.mark.parametrize(
    "model", [Mixture(FactorAnalyser(2), 1), HiddenMarkov(FactorAnalyser(2), 1)]
)
def test_components_reach_the_boundary_too(model):
    data = table("31b")
    result = fit(model, [data] if isinstance(model, HiddenMarkov) else data)
    assert result.stop_reason == "converged" and result.n_iterations < 150
    assert result.log_likelihood == pytest.approx(-180.9679, abs=1e-3)
    assert not has_collapsed(result.flags) and "Heywood" in result.flags[0]


def test_two_components_reach_it_together():
    data = np.vstack([table("31b"), table("31b")[:, ::-1] + 8])
    result = fit(Mixture(FactorAnalyser(2), 2), data)
    assert result.stop_reason == "converged"
    laws.bound_never_falls(list(result.trace), data.size)
    laws.bound_touches_after_e_and_stays_below_after_m(list(result.trace), len(data))
    assert len(result.flags) >= 2 and not has_collapsed(result.flags)


# ---------------------------------------------------------------------------------------------
# Columns that follow from others: no answer


@pytest.mark.parametrize(
    ("name", "without", "columns"),
    [("17a", (), (1, 2, 3)), ("17b", ("site",), (1, 2)), ("17c", (), (1, 2, 3))],
)
def test_factors_of_dependent_columns_are_never_an_answer(name, without, columns):
    data = table(name, *without)
    named = ", ".join(f"column {c}" for c in columns[:-1]) + f" and column {columns[-1]}"
    for scale in (1, 1e-9, 1e9):
        runs = restarts(FactorAnalysis(1), scale * data, range(3))
        assert runs.best.collapsed and not runs.optima
        assert isinstance(runs.best.flags[0], Collapse) and named in runs.best.flags[0]
    for q in range(2, data.shape[1]):
        with pytest.raises(ValueError, match="more than the"):
            FactorAnalysis(q).check(data)
    selection = select({1: FactorAnalysis(1)}, data, range(3))
    assert not selection.ranking()


@pytest.mark.parametrize("missing", [0, 0.1])
@pytest.mark.parametrize(
    "kind", [FactorAnalysis, lambda q, floor: Mixture(FactorAnalyser(q, floor), 1)]
)
@pytest.mark.parametrize("q", [1, 2])
def test_a_likelihood_that_changes_with_the_floor_has_collapsed(q, kind, missing):
    """q + 1 columns in q dimensions: enough for q factors to leave no noise, and no more."""
    rng = np.random.default_rng(q)
    data = rng.normal(size=(60, 7))
    data[:, q] = data[:, :q].sum(axis=1)
    data[:, 4:] += 0.3 * data[:, :1]
    data[rng.random(size=data.shape) < missing] = np.nan
    fits = [fit(kind(q, floor), data, max_iterations=3000) for floor in (1e-4, 1e-6)]
    changed = fits[1].log_likelihood - fits[0].log_likelihood
    for result in fits:
        assert has_collapsed(result.flags) == (changed > 10), (changed, result.flags)
    assert changed > 10 or missing


def test_a_heywood_case_does_not_change_with_the_floor():
    for name, q in (("31a", 1), ("31b", 2), ("31c", 2)):
        fits = [
            fit(FactorAnalysis(q, floor), table(name), tolerance=1e-6) for floor in (1e-5, 1e-7)
        ]
        assert fits[0].log_likelihood == pytest.approx(fits[1].log_likelihood, abs=1e-2)
        assert not any(has_collapsed(result.flags) for result in fits)


# ---------------------------------------------------------------------------------------------
# More than the rows and columns can tell


def test_more_parameters_than_any_covariance_are_refused_with_the_reason():
    for name, q, said in (
        ("31a", 2, "2 factors of 3 columns would have 11 parameters, more than the 9 of"),
        ("31b", 3, "3 factors of 5 columns would have 22 parameters, more than the 20 of"),
        ("31b", 3, "use at most 2"),
    ):
        for model in (FactorAnalysis(q), Mixture(FactorAnalyser(q), 1)):
            with pytest.raises(ValueError, match=said):
                fit(model, table(name))
    with pytest.raises(ValueError, match="use at least 3 columns"):
        FactorAnalysis(1).check(table("31a")[:, :2])


def test_degrees_of_freedom_are_those_of_the_counted_parameters():
    for d in range(1, 12):
        for q in range(1, d):
            factors = FactorAnalysis(q)
            params = factors.params(np.zeros(d), np.ones((d, q)), np.ones(d))
            any_covariance = d + d * (d + 1) // 2
            assert degrees_of_freedom(d, q) == any_covariance - factors.n_parameters(params)
            of_one_noise = ProbabilisticPCA(q).params(np.zeros(d), np.ones((d, q)), 1.0)
            assert ProbabilisticPCA(q).n_parameters(of_one_noise) <= any_covariance


@pytest.mark.parametrize(
    ("q", "noise", "log_likelihood", "n_parameters", "bic"),
    [
        (1, 0.757960, -85.62258, 9, 195.6176),
        (2, 0.147622, -68.27947, 12, 169.0555),
        (3, 0.110220, -67.78187, 14, 135.56374 + 14 * np.log(15)),
    ],
)
def test_probabilistic_pca_reaches_its_closed_form_from_every_start(
    q, noise, log_likelihood, n_parameters, bic
):
    for start in ProbabilisticPCA.starts:
        result = fit(ProbabilisticPCA(q), table("30"), start=start, tolerance=1e-6)
        assert result.params.noise_variance == pytest.approx(noise, rel=1e-3)
        assert result.log_likelihood == pytest.approx(log_likelihood, abs=1e-3)
        assert result.n_parameters == n_parameters
        assert result.bic == pytest.approx(bic, abs=2e-3)
    with pytest.raises(ValueError, match="4 factors need at least 5 columns, and these data have"):
        fit(ProbabilisticPCA(4), table("30"))


def test_fewer_rows_than_columns_are_said():
    for q in (1, 2, 6):
        result = fit(FactorAnalysis(q), table("31c"))
        assert "8 rows cannot tell the covariance of 12 columns" in result.flags[0]
        assert not has_collapsed(result.flags) and result.stop_reason == "converged"
    with pytest.raises(ValueError, match="7 factors need at least 9 rows"):
        fit(FactorAnalysis(7), table("31c"))
