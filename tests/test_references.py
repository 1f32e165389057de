"""Fits against results of independent programs (tests/reference)."""

import json
from pathlib import Path

import numpy as np
import pytest

from em_core import Gaussian, Mixture, fit

REFERENCE = Path(__file__).parent / "reference"


def case(name):
    content = json.loads((REFERENCE / "cases" / f"{name}.json").read_text())
    path = REFERENCE / content["data"]["file"]
    return content, np.genfromtxt(path, delimiter=",", skip_header=1)


@pytest.mark.parametrize("name", ["faithful-K2", "iris-K3", "diabetes-K3"])
@pytest.mark.parametrize("which", range(4))
def test_from_a_fixed_start_partition(name, which):
    content, data = case(f"gmm-fixed-start-{name}")
    reference = content["reference"]["fits"][which]
    n_components = content["model"]["K"]
    partition = np.eye(n_components)[np.array(content["reference"]["start_partition"]) - 1]
    model = Mixture(Gaussian(reference["covariance"]), n_components)
    result = fit(model, data, start=partition, tolerance=1e-9, max_iterations=100_000)
    assert result.stop_reason == "converged"
    assert result.log_likelihood == pytest.approx(reference["loglik"], abs=1e-5)
    assert result.n_parameters == reference["n_params"]
    assert result.bic == pytest.approx(reference["bic_std"], abs=2e-5)
    parameters = reference["parameters"]
    for ours, theirs in (
        (result.params.weights, parameters["weights"]),
        (result.params.means, parameters["means"]),
        (result.params.covariances, parameters["covariances"]),
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-12)
    sizes = np.bincount(result.predict(data), minlength=n_components)
    assert sizes.tolist() == reference["sizes_map"]


@pytest.mark.parametrize(
    "name, covariance",
    [("gmm1d-faithful-waiting-K2", "full"), ("gmm1d-faithful-waiting-K2-equal", "tied")],
)
def test_one_dimension(name, covariance):
    content, data = case(name)
    reference = content["reference"]
    model = Mixture(Gaussian(covariance), 2)
    fits = [fit(model, data[:, 1], seed=seed, tolerance=1e-9) for seed in range(5)]
    best = max(fits, key=lambda result: result.log_likelihood)
    assert best.log_likelihood == pytest.approx(reference["loglik"], abs=1e-6)
    assert best.n_parameters == reference["n_params"]
    order = np.argsort(best.params.means[:, 0])
    np.testing.assert_allclose(best.params.means[order, 0], reference["means"], rtol=1e-4)
    deviations = np.sqrt(best.params.covariances[order, 0, 0])
    np.testing.assert_allclose(deviations, reference["sigma"], rtol=1e-4)


def test_two_dimensions_from_the_models_own_start():
    content, data = case("gmm-faithful-K2-mixtools")
    reference = content["reference"]
    fits = [fit(Mixture(Gaussian(), 2), data, seed=seed, tolerance=1e-9) for seed in range(5)]
    best = max(fits, key=lambda result: result.log_likelihood)
    assert best.log_likelihood == pytest.approx(reference["loglik"], abs=1e-6)
    order = np.argsort(best.params.means[:, 0])
    np.testing.assert_allclose(best.params.means[order], reference["means"], rtol=1e-4)
    np.testing.assert_allclose(best.params.covariances[order], reference["sigma"], rtol=1e-4)
