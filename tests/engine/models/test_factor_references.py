"""Factor analysis against factanal, probabilistic PCA against its closed form (tests/reference)."""

import json
from pathlib import Path

import numpy as np
import pytest

from em_core.fit import fit
from em_core.models.factor_analysis.model import FactorAnalysis, ProbabilisticPCA
from em_core.models.factor_analysis.starts import STARTS
from em_core.models.factor_analysis.summaries import goodness_of_fit, standardised, uniquenesses

REFERENCE = Path(__file__).parents[2] / "reference"
DEFAULT = next(iter(STARTS))


def case(name):
    content = json.loads((REFERENCE / "cases" / f"{name}.json").read_text())
    return content, np.genfromtxt(REFERENCE / content["data"]["file"], delimiter=",", skip_header=1)


FACTOR_CASES = sorted(path.stem for path in (REFERENCE / "cases").glob("fa-*.json"))


@pytest.mark.parametrize("name", FACTOR_CASES)
def test_factor_analysis_agrees_with_factanal(name):
    content, data = case(name)
    reference = content["reference"]
    model = FactorAnalysis(content["model"]["factors"])
    result = fit(model, data, start=DEFAULT, tolerance=1e-6, max_iterations=5000)
    assert result.stop_reason == "converged" and not result.flags
    assert result.log_likelihood == pytest.approx(reference["loglik"], abs=1e-4)
    assert result.n_parameters == reference["n_params"]
    assert result.bic == pytest.approx(reference["bic_std"], abs=2e-4)
    np.testing.assert_allclose(
        uniquenesses(result.params), reference["uniquenesses_correlation_scale"], atol=1e-3
    )
    loadings = standardised(result.params).loadings
    np.testing.assert_allclose(loadings @ loadings.T, reference["LLt_correlation_scale"], atol=1e-3)
    test = goodness_of_fit(result.params, data)
    assert test.degrees_of_freedom == reference["dof"]
    assert test.statistic == pytest.approx(reference["bartlett_chisq"], abs=1e-3)


def test_every_reference_case_is_here():
    assert len(FACTOR_CASES) == 10


@pytest.mark.parametrize("name", ["ppca-iris", "ppca-usarrests"])
@pytest.mark.parametrize("which", range(3))
def test_probabilistic_pca_agrees_with_the_closed_form(name, which):
    content, data = case(name)
    reference = content["reference"]["fits"][which]
    result = fit(ProbabilisticPCA(reference["q"]), data, start=DEFAULT, tolerance=1e-7)
    assert result.log_likelihood == pytest.approx(reference["loglik"], abs=1e-5)
    assert result.n_parameters == reference["n_params"]
    assert result.params.noise_variance == pytest.approx(reference["sigma2"], rel=1e-3)
    found = result.params.loadings @ result.params.loadings.T
    np.testing.assert_allclose(found, reference["WWt"], atol=1e-3 * np.max(reference["WWt"]))


@pytest.mark.parametrize("start", sorted(STARTS))
def test_random_starts_reach_the_reference_too(start):
    content, data = case("fa-thurstone-k3")
    fits = [
        fit(FactorAnalysis(3), data, seed=seed, start=start, tolerance=1e-6, max_iterations=2000)
        for seed in range(3)
    ]
    best = max(result.log_likelihood for result in fits)
    assert best == pytest.approx(content["reference"]["loglik"], abs=1e-4)
