"""Principal axes of matrices at the edge of being covariances."""

import numpy as np

from em_core.emissions.covariances.orientations import principal_axes


def test_a_variance_that_rounding_left_below_zero_is_none() -> None:
    axes, values = principal_axes(np.array([[[1.0, 0.0], [0.0, -1e-17]]]))
    np.testing.assert_allclose(values, [[1.0, 0.0]])
    np.testing.assert_allclose(np.abs(axes[0]), np.eye(2))
