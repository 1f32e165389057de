"""A model of transformed columns keeps the laws, and tells densities of the columns before."""

import numpy as np
import pytest

from em_core import (
    TRANSFORMATIONS,
    FactorAnalysis,
    Gaussian,
    HiddenMarkov,
    Mixture,
    Transformed,
    check_model,
    dump,
    fit,
    inference,
    load,
    restarts,
    select,
    transform,
)
from em_core.trees import same_bits
from support.families_at_hand import cases

CASES = cases()
KINDS = (
    "Gaussian VVV", "Gaussian EEI", "Gaussian with holes", "Student t", "factor analysers",
    "hidden Markov", "factor analysis", "probabilistic PCA", "two levels with holes",
)  # fmt: skip
THREE = ("log", "", "logit")


@pytest.mark.parametrize(
    ("name", "standardised"),
    [(name, False) for name in KINDS]
    + [(name, True) for name in ("Gaussian EEI", "Gaussian with holes", "hidden Markov")],
)
def test_a_model_of_transformed_columns_keeps_the_laws(name, standardised):
    model, data = CASES[name].model, CASES[name].data
    told = Transformed.by(model, THREE, data if standardised else None)
    report = check_model(told, data, iterations=2, convex=False)
    assert report, str(report)


@pytest.mark.parametrize("how", TRANSFORMATIONS)
def test_a_transformation_has_its_inverse_and_its_slope(how):
    named = TRANSFORMATIONS[how]
    y = np.array([0.1, 0.7, 1.5, 3.0])
    x = named.inverse(y)
    np.testing.assert_allclose(named.of(x), y, rtol=1e-12)
    step = 1e-6 * (x - named.lowest if np.isinf(named.highest) else named.highest - x)
    slope = (named.of(x + step) - named.of(x - step)) / (2 * step)
    np.testing.assert_allclose(named.log_slope(y), np.log(slope), atol=1e-6)
    assert named.outside(np.array([named.lowest])).all()
    assert not named.outside(np.append(x, np.nan)).any()


@pytest.mark.parametrize("how", TRANSFORMATIONS)
@pytest.mark.parametrize("standardised", [False, True])
def test_the_densities_are_those_of_the_column_before(how, standardised):
    """They integrate to 1 over it; of a square root, to what the model puts above 0."""
    rng = np.random.default_rng(0)
    y = np.concatenate([rng.normal(2.5, 0.3, 40), rng.normal(4, 0.4, 30)])[:, None]
    model = Transformed.by(Mixture(Gaussian(), 2), (how,), y if standardised else None)
    params = fit(model, y).params
    inner = np.linspace(0.3, 7, 20_001)
    nodes = TRANSFORMATIONS[how].inverse(inner)
    rows = transform(nodes[:, None], (how,))
    plain = Mixture(Gaussian(), 2)
    own = np.logaddexp.reduce(plain.log_joint(params, rows), axis=1)
    scale = np.log(model.scale[0]) if standardised else 0
    density = np.exp(own - model.logs(rows) + scale)
    assert np.trapezoid(density, nodes) == pytest.approx(1, abs=1e-5)
    total = model.e_step(params, y).log_likelihood
    each = [float(model.e_step(params, y[n : n + 1]).log_likelihood) for n in range(len(y))]
    assert total == pytest.approx(sum(each), rel=1e-12)
    at = np.interp(TRANSFORMATIONS[how].inverse(y[:, 0]), nodes, np.log(density))
    np.testing.assert_allclose(each, at, atol=1e-3)


def test_the_lognormal_in_closed_form():
    x = np.random.default_rng(1).lognormal(3, 0.8, (50, 1))
    result = fit(Transformed.by(Mixture(Gaussian(), 1), ("log",)), transform(x, ("log",)))
    mean, deviation = np.log(x).mean(), np.log(x).std()
    density = np.exp(-((np.log(x) - mean) ** 2) / (2 * deviation**2))
    density /= x * deviation * np.sqrt(2 * np.pi)
    assert result.log_likelihood == pytest.approx(np.log(density).sum(), rel=1e-12)
    assert result.bic == pytest.approx(-2 * np.log(density).sum() + 2 * np.log(50), rel=1e-12)


def test_fits_compare_across_scales_also_by_rows_held_out():
    """Lognormal rows are said to be so, in which unit they ever come."""
    x = np.random.default_rng(2).lognormal(1, 1, (200, 1))
    plain = Mixture(Gaussian(), 1)
    for unit in (1.0, 1e3):
        told = select({"x": plain}, unit * x, range(2), folds=4).cells[0]
        logged = select(
            {"log x": Transformed.by(plain, ("log",))}, np.log(unit * x), range(2), folds=4
        ).cells[0]
        assert logged.fit.bic < told.fit.bic - 100
        assert logged.cross_validation.log_likelihood > told.cross_validation.log_likelihood + 50
        shift = 200 * np.log(unit)
        if unit == 1:
            first = logged
        else:
            assert logged.fit.log_likelihood == pytest.approx(first.fit.log_likelihood - shift)
            held_out = first.cross_validation.log_likelihood - shift
            assert logged.cross_validation.log_likelihood == pytest.approx(held_out)


def test_what_is_missing_has_no_slope_and_one_path_leads_through_sequences():
    rng = np.random.default_rng(3)
    rows = np.where(rng.random((60, 3)) < 0.2, np.nan, rng.normal(size=(60, 3)))
    rows[:, 1] = rng.normal(size=60)
    model = Transformed.by(Mixture(Gaussian(), 2), THREE)
    log_slope = np.nansum(-rows[:, 0])
    y = rows[~np.isnan(rows[:, 2]), 2]
    log_slope += np.sum(np.logaddexp(0, y) + np.logaddexp(0, -y))
    assert -model.logs(rows).sum() == pytest.approx(log_slope, rel=1e-12)
    chain = Transformed.by(HiddenMarkov(Gaussian(), 2), THREE)
    parts = [rows[:20], rows[20:25], rows[25:]]
    assert chain.logs(parts) == pytest.approx([model.logs(part).sum() for part in parts])


def test_starts_written_down_and_intervals_are_of_the_model_within():
    data = CASES["Gaussian VVV"].data
    plain = Mixture(Gaussian("diag"), 2)
    model = Transformed.by(plain, THREE)
    result, own = fit(model, data), fit(plain, data)
    assert same_bits(result.params, own.params) and result.n_iterations == own.n_iterations
    again = load(dump(result))
    assert again.model == model and again.bic == result.bic
    best = restarts(model, data, range(3)).best
    assert best.log_likelihood == pytest.approx(result.log_likelihood, abs=1e-2)
    ours, theirs = (inference.intervals(one, data) for one in (result, own))
    np.testing.assert_allclose(ours.covariance, theirs.covariance, rtol=1e-6, atol=1e-12)
    larger = Transformed.by(Mixture(Gaussian("diag"), 3), THREE)
    test = inference.likelihood_ratio(model, larger, data, replicates=3)
    theirs = inference.likelihood_ratio(plain, Mixture(Gaussian("diag"), 3), data, replicates=3)
    assert test.statistic == pytest.approx(theirs.statistic, rel=1e-6)


def test_factor_analysis_of_logs_has_the_fit_of_the_logs():
    data = CASES["factor analysis"].data
    told, own = (
        fit(Transformed.by(FactorAnalysis(1), ("log",) * 3), data),
        fit(FactorAnalysis(1), data),
    )
    assert told.log_likelihood == pytest.approx(own.log_likelihood - data.sum(), rel=1e-12)


def test_values_outside_are_counted_by_column():
    with pytest.raises(ValueError, match="column 2 has 2 values outside"):
        transform(np.array([[1.0, 0.0], [2.0, -3.0], [np.nan, 4.0]]), ("log", "log"))
    kept = transform(np.array([[1.0, 7.0], [np.nan, np.nan]]), ("log", ""))
    np.testing.assert_array_equal(kept, [[0, 7], [np.nan, np.nan]])
