"""What pairs of columns have left over, and how well a model fits: by hand and by simulation."""

import numpy as np
import pytest
from scipy.stats import chi2, kstest, ncx2

from em_core import (
    Bernoulli,
    Categorical,
    FactorAnalysis,
    Gaussian,
    HiddenMarkov,
    Mixture,
    Poisson,
    ProbabilisticPCA,
    StudentT,
    TwoLevel,
    fit,
    restarts,
)
from em_core.inference import bivariate_residuals, factor_fit, pattern_fit
from support.families_at_hand import cases

RNG = np.random.default_rng(9)
DRAWS = RNG.bit_generator.state


@pytest.fixture(autouse=True)
def _the_same_draws() -> None:
    """Whatever tests came before, in this process."""
    RNG.bit_generator.state = DRAWS


def test_two_items_by_hand():
    """One class: Pearson's statistic of independence of a table of 2 x 2."""
    rows = np.repeat([[0.0, 0], [0, 1], [1, 0], [1, 1]], [30, 10, 10, 50], axis=0)
    found = bivariate_residuals(fit(Mixture(Bernoulli(), 1), rows), rows)
    expected = np.array([[40 * 40, 40 * 60], [60 * 40, 60 * 60]]) / 100
    observed = np.array([[30, 10], [10, 50]])
    statistic = ((observed - expected) ** 2 / expected).sum()
    assert found.statistics[0, 1] == found.statistics[1, 0] == pytest.approx(statistic)
    assert np.isnan(np.diag(found.statistics)).all() and np.isnan(found.p_values).all()
    assert found.worst == ((0, 1),) and not found.is_correlation
    once, counts = np.unique(rows, axis=0, return_counts=True)
    weighted = bivariate_residuals(fit(Mixture(Bernoulli(), 1), once, weights=counts), once, counts)
    assert weighted.statistics[0, 1] == pytest.approx(statistic)


def test_levels_have_degrees_of_freedom_and_holes_are_left_out():
    rows = RNG.integers(0, 3, size=(200, 3)) * 1.0
    rows[:, 2] = np.minimum(rows[:, 2], 1)
    rows[::5, 0] = np.nan
    result = fit(Mixture(Categorical(), 1), rows)
    found = bivariate_residuals(result, rows)
    there = ~np.isnan(rows[:, 0])
    observed = np.zeros((3, 2))
    np.add.at(observed, (rows[there, 0].astype(int), rows[there, 2].astype(int)), 1)
    levels = result.model.emission.level_probabilities(result.params.emission)
    expected = there.sum() * np.outer(levels[0][0], levels[2][0])
    pearson = ((observed - expected) ** 2 / expected).sum()
    assert found.statistics[0, 2] == pytest.approx(pearson / 2)


def test_a_pair_that_goes_together_is_the_worst_and_is_not_by_chance():
    labels = RNG.integers(2, size=400)
    chances = np.array([[0.85] * 6, [0.15] * 6])
    rows = (RNG.random((400, 6)) < chances[labels]).astype(float)
    same = RNG.random(400) < 0.6
    rows[same, 5] = rows[same, 4]
    result = restarts(Mixture(Bernoulli(), 2), rows, range(4)).best
    found = bivariate_residuals(result, rows, replicates=39)
    assert found.worst[0] == (4, 5) and found.p_values[4, 5] == 1 / 40
    others = found.p_values[np.triu_indices(4, 1)]
    assert others.max() > 0.2
    right = bivariate_residuals(result, rows, replicates=39)
    assert np.array_equal(right.p_values, found.p_values, equal_nan=True)


def test_measurements_leave_correlations():
    rows = RNG.normal(size=(300, 3)) @ [[1, 0.7, 0], [0, 1, 0], [0, 0, 1]]
    found = bivariate_residuals(fit(Mixture(Gaussian("diag"), 1), rows), rows)
    np.fill_diagonal(expected := np.corrcoef(rows.T), np.nan)
    np.testing.assert_allclose(found.statistics, expected, atol=1e-12)
    assert found.is_correlation and found.worst[0] == (0, 1) and not found.sentences
    zero = bivariate_residuals(fit(Mixture(Gaussian("full"), 2), rows, tolerance=1e-9), rows)
    assert np.nanmax(np.abs(zero.statistics)) < 1e-4
    assert "zero by construction" in zero.sentences[0]
    # The distribution of each column against scipy's test.
    normal = fit(Mixture(Gaussian("diag"), 1), rows)
    for d, (mean, variance) in enumerate(
        zip(normal.params.means[0], np.diag(normal.params.covariances[0]), strict=True)
    ):
        distance = kstest(rows[:, d], "norm", args=(mean, np.sqrt(variance))).statistic
        assert found.columns[d] == pytest.approx(distance, abs=1e-9)


def test_holes_in_measurements_leave_pairs():
    rows = RNG.normal(5, 2, size=(200, 2)) @ [[1, 0.5], [0, 1]]
    rows[:30, 0] = np.nan
    found = bivariate_residuals(fit(Mixture(Gaussian("diag"), 1), rows), rows)
    assert found.statistics[0, 1] == pytest.approx(np.corrcoef(rows[30:].T)[0, 1])


def test_counts_have_a_dispersion():
    even = RNG.poisson(4, size=(500, 1)).astype(float)
    uneven = RNG.poisson(RNG.gamma(2, 2, size=(500, 1))).astype(float)
    rows = np.concatenate([even, uneven], axis=1)
    result = fit(Mixture(Poisson(), 1), rows)
    found = bivariate_residuals(result, rows)
    np.testing.assert_allclose(found.dispersion, rows.var(axis=0) / rows.mean(axis=0))
    assert found.columns[0] < 0.06 < 0.1 < found.columns[1]


@pytest.mark.parametrize("name", ["Student t", "factor analysers", "hidden Markov",
                                  "factor analysis", "factor analysis with holes"])  # fmt: skip
def test_other_families(name):
    case = cases()[name]
    result = fit(case.model, case.data)
    found = bivariate_residuals(result, case.data, replicates=3)
    pairs = np.triu_indices(3, 1)
    assert (np.abs(found.statistics[pairs]) < 0.3).all()
    assert ((found.p_values[pairs] > 0) & (found.p_values[pairs] <= 1)).all()
    assert (found.columns < 0.3).all()


def test_states_and_what_has_no_columns():
    model = HiddenMarkov(Categorical((2, 2)), 2)
    params = model.params(
        [[0.9, 0.1], [0.2, 0.8]], probabilities=[[[0.9, 0.1]] * 2, [[0.2, 0.8]] * 2]
    )
    data, _ = model.sample(params, [50] * 40, RNG)
    found = bivariate_residuals(fit(model, data, start=params), data)
    assert found.statistics[0, 1] < 20
    groups = [RNG.normal(size=(4, 2)) for _ in range(12)]
    with pytest.raises(ValueError, match="does not say what single columns"):
        bivariate_residuals(fit(TwoLevel(), groups), groups)
    heavy = Mixture(StudentT("full", 1.0), 1)
    rows = RNG.standard_t(1, size=(50, 2))
    assert np.isnan(bivariate_residuals(fit(heavy, rows), rows).statistics).all()


def test_patterns():
    """G-squared of independence of three items: 2 sum n log(n / e), of 8 - 1 - 3 degrees."""
    rows = (RNG.random((120, 3)) < [0.3, 0.5, 0.6]).astype(float)
    result = fit(Mixture(Bernoulli(), 1), rows)
    found = pattern_fit(result, rows, replicates=99)
    p = rows.mean(axis=0)
    g_squared = pearson = 0.0
    for pattern in np.ndindex(2, 2, 2):
        n = (rows == pattern).all(axis=1).sum()
        e = 120 * np.prod(np.where(np.array(pattern) == 1, p, 1 - p))
        g_squared += 2 * n * np.log(n / e) if n else 0
        pearson += (n - e) ** 2 / e
    assert found.g_squared == pytest.approx(g_squared)
    assert found.pearson == pytest.approx(pearson)
    assert found.degrees_of_freedom == 4
    assert found.p_value == pytest.approx(chi2(4).sf(g_squared), abs=0.15)
    with pytest.raises(ValueError, match="only mixtures of items"):
        pattern_fit(fit(Mixture(Gaussian(), 1), rows), rows)
    rows[0, 0] = np.nan
    with pytest.raises(ValueError, match="complete answers"):
        pattern_fit(result, rows)


def test_factors():
    rows = RNG.normal(size=(250, 1)) @ np.ones((1, 5)) + RNG.normal(size=(250, 5))
    result = fit(FactorAnalysis(1), rows, tolerance=1e-9)
    found = factor_fit(result, rows)
    free = -125 * (np.linalg.slogdet(2 * np.pi * np.cov(rows.T, ddof=0))[1] + 5)
    assert found.chi_square == pytest.approx(2 * (free - result.log_likelihood), abs=1e-6)
    assert found.degrees_of_freedom == 5
    assert found.p_value == pytest.approx(chi2(5).sf(found.chi_square))
    assert found.rmsea == pytest.approx(np.sqrt(max(0, found.chi_square - 5) / (5 * 250)))
    apart = rows + RNG.normal(size=(250, 1)) * [1, 1, -1, 0, 0]
    worse = factor_fit(fit(FactorAnalysis(1), apart), apart)
    for share, end in ((0.95, worse.rmsea_lower), (0.05, worse.rmsea_upper)):
        assert ncx2(5, 5 * 250 * end**2).cdf(worse.chi_square) == pytest.approx(share)
    r = np.corrcoef(rows.T)
    inverse = np.linalg.inv(r)
    partial = inverse / np.sqrt(np.outer(np.diag(inverse), np.diag(inverse)))
    sums = [(m[np.triu_indices(5, 1)] ** 2).sum() for m in (r, partial)]
    assert found.kmo == pytest.approx(sums[0] / sum(sums))
    assert factor_fit(fit(ProbabilisticPCA(1), rows), rows).degrees_of_freedom == 9
    with pytest.raises(ValueError, match="leave nothing to test"):
        factor_fit(fit(FactorAnalysis(1), rows[:, :3]), rows[:, :3])
    with pytest.raises(ValueError, match="only factor models"):
        factor_fit(fit(Mixture(Gaussian(), 1), rows), rows)
