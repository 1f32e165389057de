"""Fits against results of independent programs (tests/reference)."""

import numpy as np
import pytest

from em_core import Bernoulli, Categorical, Gaussian, Mixture, Poisson, fit
from support.reference_cases import case


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


def best_of(model, data, seeds, start=None, weights=None):
    """The best of several short fits, run on until next to nothing is left to gain."""
    short = [
        fit(
            model, data, seed=seed, start=start, weights=weights, tolerance=1e-2, max_iterations=500
        )
        for seed in range(seeds)
    ]
    best = sorted(short, key=lambda result: result.log_likelihood)[-3:]
    fits = [
        fit(
            model, data, start=result.params, weights=weights, tolerance=1e-6,
            max_iterations=20_000,
        )
        for result in best
    ]  # fmt: skip
    return max(fits, key=lambda result: result.log_likelihood)


@pytest.mark.parametrize(
    "name, seeds",
    [
        ("carcinoma-K2", 5),
        ("carcinoma-K3", 5),
        ("carcinoma-K4", 20),
        ("cheating-K2", 5),
        ("election_cc-K2", 3),
        ("election_cc-K3", 8),
        ("election_fiml-K2", 3),
        ("election_fiml-K3", 20),
        ("gss82-K2", 5),
        ("gss82-K3", 20),
        ("lsat6-K2", 10),
        ("lsat6-K3", 20),
        ("values-K2", 5),
        ("values-K3", 10),
    ],
)
def test_latent_classes(name, seeds):
    content, data = case(f"lca-{name}")
    if content["model"]["columns_used"] != "all":
        data = data[:, : content["model"]["columns_used"]]
    if content["model"]["missing"] != "missing at random (observed-data likelihood)":
        data = data[~np.isnan(data).any(axis=1)]
    data = data - np.nanmin(data, axis=0)
    reference = content["reference"]
    binary = np.nanmax(data) == 1
    model = Mixture(Bernoulli() if binary else Categorical(), content["model"]["classes"])
    # Few answers are possible and many people give the same: count each once.
    _, first, counts = np.unique(
        np.nan_to_num(data, nan=-1), axis=0, return_index=True, return_counts=True
    )
    best = best_of(model, data[first], seeds, weights=counts)
    assert best.log_likelihood == pytest.approx(reference["loglik"], abs=1e-4)
    assert best.n_parameters == reference["n_params"]
    assert best.bic == pytest.approx(reference["bic_std"], abs=1e-3)


@pytest.mark.parametrize("n_components", [2, 3, 4])
def test_poisson_mixture(n_components):
    content, data = case(f"poisson-mixture-earthquakes-K{n_components}")
    reference = content["reference"]
    best = best_of(Mixture(Poisson(), n_components), data[:, 1], 10)
    assert best.log_likelihood == pytest.approx(reference["loglik"], abs=1e-4)
    assert best.n_parameters == reference["n_params"]
    if n_components < 4:
        rates = np.sort(np.ravel(reference["rates"]))
        np.testing.assert_allclose(np.sort(best.params.rates[:, 0]), rates, rtol=1e-3)


@pytest.mark.parametrize("name", ["airquality", "apple", "missvals"])
def test_a_normal_with_missing_values(name):
    content, data = case(f"mvn-missing-{name}")
    reference = content["reference"]
    columns = [content["data"]["columns"].index(column) for column in reference["columns"]]
    data = data[:, columns]
    result = fit(Mixture(Gaussian(), 1), data, tolerance=1e-10, max_iterations=200_000)
    assert result.log_likelihood == pytest.approx(reference["loglik"], abs=1e-5)
    assert result.n_parameters == reference["n_params"]
    np.testing.assert_allclose(result.params.means[0], reference["mu"], rtol=1e-4)
    np.testing.assert_allclose(
        result.params.covariances[0], reference["sigma"], rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize("name", ["faithful_mcar-K2", "iris_mcar-K2", "iris_mcar-K3"])
def test_a_mixture_with_missing_values(name):
    content, data = case(f"gmm-missing-{name}")
    reference = content["reference"]
    best = best_of(Mixture(Gaussian(), content["model"]["K"]), data, 12)
    assert best.flags == ()
    assert best.log_likelihood >= reference["loglik"] - 1e-4
    assert best.n_parameters == reference["n_params"]
