"""Varimax, promax and principal axes."""

import numpy as np
import pytest

from em_core.models.factor_analysis.rotation import principal_axes, promax, varimax


def simple_structure(seed=0, size=12, q=3, cross=0.1):
    rng = np.random.default_rng(seed)
    loadings = cross * rng.normal(size=(size, q))
    loadings[np.arange(size), np.arange(size) % q] += rng.uniform(0.5, 0.9, size=size)
    return loadings


def turn(q, seed):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(q, q)))[0]


def criterion(loadings):
    """Kaiser's: the variance of squared loadings of rows of unit length, summed over factors."""
    squares = loadings**2 / (loadings**2).sum(axis=1, keepdims=True)
    return squares.var(axis=0).sum()


@pytest.mark.parametrize("rotate", [principal_axes, varimax])
def test_orthogonal_rotations_keep_the_covariance(rotate):
    for q in (1, 2, 4):
        loadings = simple_structure(q=q)
        result = rotate(loadings @ turn(q, 1))
        np.testing.assert_allclose(result.loadings @ result.loadings.T, loadings @ loadings.T)
        np.testing.assert_allclose(result.matrix @ result.matrix.T, np.eye(q), atol=1e-12)
        np.testing.assert_allclose(result.correlations, np.eye(q), atol=1e-12)
        np.testing.assert_allclose(result.loadings, loadings @ turn(q, 1) @ result.matrix)
        assert (result.loadings.sum(axis=0) > 0).all()
        assert (np.diff((result.loadings**2).sum(axis=0)) <= 1e-12).all()


def test_varimax_beats_every_angle_in_the_plane():
    loadings = simple_structure(q=2, cross=0.4)
    best = criterion(varimax(loadings).loadings)
    for angle in np.linspace(0, np.pi, 1001):
        rotation = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        assert criterion(loadings @ rotation) <= best + 1e-12


def test_varimax_beats_random_rotations_and_finds_simple_structure():
    loadings = simple_structure(q=4, size=20)
    result = varimax(loadings @ turn(4, 3))
    best = criterion(result.loadings)
    assert all(criterion(loadings @ turn(4, seed)) < best for seed in range(500))
    again = varimax(loadings @ turn(4, 4))
    np.testing.assert_allclose(result.loadings, again.loadings, atol=1e-8)
    largest = np.abs(result.loadings).argmax(axis=1)
    for group in range(4):
        assert len(set(largest[group::4])) == 1


def test_rows_without_loadings_are_no_obstacle():
    loadings = simple_structure(q=2)
    loadings[3] = 0
    for rotate in (principal_axes, varimax, promax):
        result = rotate(loadings)
        assert np.isfinite(result.loadings).all() and not result.loadings[3].any()


def test_promax_finds_correlated_factors():
    correlations = np.array([[1, 0.5, 0.3], [0.5, 1, 0.4], [0.3, 0.4, 1]])
    pattern = simple_structure(size=30, cross=0)
    loadings = pattern @ np.linalg.cholesky(correlations) @ turn(3, 5)
    result = promax(loadings)
    np.testing.assert_allclose(
        result.loadings @ result.correlations @ result.loadings.T, loadings @ loadings.T
    )
    np.testing.assert_allclose(loadings @ result.matrix, result.loadings)
    np.testing.assert_allclose(np.diag(result.correlations), 1)
    order = np.abs(pattern.T @ result.loadings).argmax(axis=1)
    np.testing.assert_allclose(result.loadings[:, order], pattern, atol=0.08)
    np.testing.assert_allclose(result.correlations[np.ix_(order, order)], correlations, atol=0.1)
    assert np.abs(promax(loadings, power=1).correlations - np.eye(3)).max() < 1e-8


def test_promax_is_least_squares_on_the_powered_target():
    """The steps of Hendrickson & White, written out with a general solver."""
    loadings = simple_structure(seed=2)
    simple = varimax(loadings).loadings
    solve = np.linalg.solve(simple.T @ simple, simple.T @ (np.sign(simple) * simple**4))
    scaled = solve * np.sqrt(np.diag(np.linalg.inv(solve.T @ solve)))
    np.testing.assert_allclose(
        np.sort(np.abs(simple @ scaled), axis=None),
        np.sort(np.abs(promax(loadings).loadings), axis=None),
    )


def test_principal_axes_are_those_of_the_covariance():
    loadings = simple_structure()
    result = principal_axes(loadings @ turn(3, 2))
    products = result.loadings.T @ result.loadings
    values = np.linalg.eigvalsh(loadings.T @ loadings)[::-1]
    np.testing.assert_allclose(products, np.diag(values), atol=1e-12)
