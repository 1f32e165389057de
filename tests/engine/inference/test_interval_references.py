"""Standard errors of factor analysis against lavaan's of the same rows (tests/reference)."""

import numpy as np
import pytest

from em_core import FactorAnalysis, fit, inference
from support.reference_cases import REFERENCE, case

CASES = sorted(path.stem for path in (REFERENCE / "cases").glob("errors-fa-*.json"))


def test_all_are_here():
    assert len(CASES) == 5


@pytest.mark.parametrize("name", CASES)
def test_standard_errors_agree_with_lavaan(name: str):
    content, rows = case(name)
    reference = content["reference"]
    errors = reference["standard_errors"]
    model = FactorAnalysis(content["model"]["factors"])
    result = fit(model, rows, tolerance=1e-9, max_iterations=50_000)
    assert result.log_likelihood == pytest.approx(reference["loglik"], abs=1e-5)
    found = inference.intervals(result, rows)
    # Factors have neither order nor sign.
    loadings = np.array(reference["loadings"])
    agreement = np.abs(loadings.T @ found.params.loadings)
    lengths = np.outer(
        np.linalg.norm(loadings, axis=0), np.linalg.norm(found.params.loadings, axis=0)
    )
    order = (agreement / lengths).argmax(axis=0)
    assert sorted(order) == list(range(model.n_factors))
    for told, of in (
        (found.standard_errors.loadings, np.array(errors["loadings"])[:, order]),
        (found.standard_errors.noise_variance, errors["noise_variance"]),
        (found.standard_errors.mean, errors["mean"]),
    ):
        np.testing.assert_allclose(told, of, rtol=1e-4)
