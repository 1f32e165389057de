"""A table scored by parameters that were given, on the running app: nothing is fitted."""

import json
from io import StringIO
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest

from em_core import Gaussian, Mixture
from em_core.datasets import load
from support.visitor import Visitor

pytestmark = pytest.mark.slow
GIVEN = {
    "weights": [0.4, 0.6],
    "means": [[2, 55], [4.3, 80]],
    "covariances": [[[0.1, 0.5], [0.5, 40]], [[0.2, 1], [1, 35]]],
}


def test_rows_are_scored_by_the_parameters_as_they_are(app: str) -> None:
    query = f"v=1&e=faithful&k=2&st=parameters&sp={quote(json.dumps(GIVEN))}"
    visitor = Visitor(app, f"{query}&fz=1", "")
    visitor.settle()
    assert "No iterations: the parameters are those given. Log-likelihood" in visitor.said
    model, rows = Mixture(Gaussian("full"), 2), load("faithful").values
    arrays = {name: np.array(value, float) for name, value in GIVEN.items()}
    expected = model.posterior(model.params(**arrays), rows).responsibilities
    told = pd.read_csv(StringIO(visitor.download("Rows with results (CSV)").decode()))
    shares = told[["P(component 1)", "P(component 2)"]].to_numpy()
    np.testing.assert_allclose(shares, expected, rtol=0, atol=1e-12)
    assert set(told["half-step"]) == {"start"}
    visitor.close()
    visitor = Visitor(app, f"{query}&fz=1&iv=1&sl=1", "describe")
    visitor.settle()
    assert "These parameters were given, not fitted" in visitor.said
    assert "have no intervals" in visitor.said and "splits in halves" not in visitor.said
    report = visitor.download("Report (HTML)").decode()
    assert "nothing was fitted" in report and "NOT converged" not in report
    visitor.close()
    visitor = Visitor(app, "v=1&e=faithful&k=2&fz=1", "")
    visitor.settle()
    assert "Converged after" in visitor.said
    visitor.close()
