"""Inverses, whitening and determinants of covariances: exact in any unit, or refused."""

import warnings

import numpy as np
import pytest

from em_core.emissions.kernels.positive_definite import PositiveDefinite

dimensions = pytest.mark.parametrize("d", [1, 2, 3, 5])


def covariances(d: int, batch: tuple[int, ...] = (4,)) -> np.ndarray:
    roots = np.random.default_rng(d).normal(size=(*batch, d, d + 2))
    return roots @ roots.swapaxes(-1, -2)


@dimensions
@pytest.mark.parametrize("batch", [(), (4,), (2, 3)])
def test_inverses_whitening_and_determinants(d, batch):
    matrices = covariances(d, batch)
    found = PositiveDefinite(matrices)
    identity = np.broadcast_to(np.eye(d), matrices.shape)
    np.testing.assert_allclose(found.inverses @ matrices, identity, atol=1e-12)
    whitened = found.whitening @ matrices @ found.whitening.swapaxes(-1, -2)
    np.testing.assert_allclose(whitened, identity, atol=1e-12)
    assert (np.triu(found.whitening, 1) == 0).all()
    logs = np.linalg.slogdet(matrices)[1]
    np.testing.assert_allclose(found.half_log_determinants, logs / 2, atol=1e-12)
    unit = np.arange(1.0, d + 1)
    traces = np.trace(found.inverses * unit * unit, axis1=-2, axis2=-1)
    np.testing.assert_allclose(found.conditions(unit), traces, rtol=1e-12)
    assert found.highest_condition(unit) == found.conditions(unit).max()


@dimensions
def test_units_far_apart_cost_no_digit(d):
    """Of columns in units that are powers of two, the results differ by these and nothing else."""
    matrices = covariances(d)
    units = 2.0 ** np.array([0, 44, -30, 21, -44])[:d]
    plain = PositiveDefinite(matrices)
    scaled = PositiveDefinite(matrices * units[:, None] * units)
    np.testing.assert_array_equal(scaled.inverses * units[:, None] * units, plain.inverses)
    np.testing.assert_array_equal(scaled.whitening * units, plain.whitening)
    added = np.log(units).sum()
    differ = scaled.half_log_determinants - plain.half_log_determinants
    np.testing.assert_allclose(differ, added, rtol=0, atol=1e-13)


@dimensions
@pytest.mark.parametrize("unit", [1e-120, 1e120, 1e200])
def test_extreme_units(d, unit):
    matrices = covariances(d)
    plain, scaled = PositiveDefinite(matrices), PositiveDefinite(matrices * unit)
    np.testing.assert_allclose(scaled.inverses, plain.inverses / unit, rtol=1e-10)
    logs = plain.half_log_determinants + d / 2 * np.log(unit)
    np.testing.assert_allclose(scaled.half_log_determinants, logs, rtol=1e-12)


@dimensions
def test_what_is_not_positive_definite_is_refused(d):
    rank_0 = np.zeros((d, d))
    negative = -np.eye(d)
    unknown = np.full((d, d), np.nan)
    refused = [rank_0, negative, unknown]
    if d > 1:
        # Of rank 1; and with positive variances, yet negative in some direction.
        refused += [np.ones((d, d)), np.eye(d) + 2 * (1 - np.eye(d))]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for wrong in refused:
            with pytest.raises(np.linalg.LinAlgError):
                PositiveDefinite(np.stack([np.eye(d), wrong]))


@dimensions
def test_next_to_no_variance_has_an_infinite_inverse(d):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = PositiveDefinite(np.eye(d) * 1e-310)
        assert np.isinf(np.diagonal(found.inverses)).all()
        assert found.highest_condition(np.ones(d)) == np.inf
    np.testing.assert_allclose(found.half_log_determinants, d / 2 * np.log(1e-310))


def test_whitening_leaves_the_inverses_as_they_were():
    found = PositiveDefinite(covariances(2))
    before = found.inverses.copy()
    np.testing.assert_allclose(
        found.whitening.swapaxes(-1, -2) @ found.whitening, before, rtol=1e-12
    )
    np.testing.assert_array_equal(found.inverses, before)
