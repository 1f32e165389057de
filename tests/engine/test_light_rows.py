"""Rows, sequences and components that weigh next to nothing, or nothing."""

import numpy as np
import pytest

from em_core import (
    Bernoulli,
    Categorical,
    FactorAnalyser,
    Gaussian,
    HiddenMarkov,
    Mixture,
    Poisson,
    StudentT,
    em,
    fit,
)
from support.families_at_hand import cases

FAMILIES = [
    name
    for name in cases()
    if not name.startswith("Gaussian ") or name[9:] in ("VVV", "EVE", "EEI")
]


def some_of(data, places):
    return [data[i] for i in places] if isinstance(data, list) else data[places]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_row_of_no_weight_is_no_row(name):
    """From every start: they are those of the data without it."""
    model, data = cases()[name]
    used = np.sort(np.random.default_rng(0).permutation(len(data))[: max(1, len(data) // 2)])
    used = used[:1] if isinstance(model, HiddenMarkov) else used
    weights = np.zeros(len(data))
    weights[used] = 1
    for start in model.starts:
        with_others = fit(model, data, weights=weights, start=start, seed=1, max_iterations=3)
        alone = fit(model, some_of(data, used), start=start, seed=1, max_iterations=3)
        assert with_others.log_likelihood == pytest.approx(alone.log_likelihood, rel=1e-8)
        assert with_others.bic == pytest.approx(alone.bic, rel=1e-8)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("n_used", [1, 2])
def test_too_few_rows_of_weight_are_too_few_rows(name, n_used):
    """What is said of them is what is said where the others are not there at all."""
    model, data = cases()[name]
    data = [part[:1] for part in data] if isinstance(data, list) else data
    weights = np.zeros(len(data))
    weights[:n_used] = 1
    for start in model.starts:
        try:
            alone = fit(model, some_of(data, range(n_used)), start=start, max_iterations=2)
        except ValueError as error:
            with pytest.raises(ValueError) as said:
                fit(model, data, weights=weights, start=start, max_iterations=2)
            assert str(said.value) == str(error)
        else:
            result = fit(model, data, weights=weights, start=start, max_iterations=2)
            assert result.log_likelihood == pytest.approx(alone.log_likelihood, rel=1e-7)


def test_a_column_that_only_rows_of_no_weight_have_is_named():
    data = np.random.default_rng(0).normal(size=(20, 2))
    data[:15, 1] = np.nan
    weights = (np.arange(20) < 15).astype(float)
    with pytest.raises(ValueError, match="column 2 holds no values"):
        fit(Mixture(Gaussian(), 2), data, weights=weights)
    params = fit(Mixture(Gaussian(), 2), data).params
    with pytest.raises(ValueError, match="column 2 holds no values in rows that have weight"):
        list(em(Mixture(Gaussian(), 2), data, params, weights=weights))


LEFT_TO_RIGHT = [[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 1]]


@pytest.mark.parametrize("n_frames", [2, 400])
@pytest.mark.parametrize("light", [1.0, 1e-6, 1e-12, 1e-14, 1e-60, 0.0])
def test_the_likelihood_of_a_light_sequence_is_its_own(n_frames, light):
    """Its path leads past a state that no frame is near; the heavy one's does not."""
    model = HiddenMarkov(Gaussian(), 3, transitions=np.array(LEFT_TO_RIGHT) > 0)
    params = model.params(
        LEFT_TO_RIGHT,
        initial_probabilities=[1, 0, 0],
        means=[[0.0], [1e3], [2e3]],
        covariances=np.ones((3, 1, 1)),
    )
    end = np.full((n_frames, 1), 2e3)
    hard = np.concatenate([[[0.1], [-0.2], [0.3]], end])
    easy = np.concatenate([[[0.0], [0.0], [1e3]], end])
    alone = model.e_step(params, [hard])
    heavy = model.e_step(params, [easy])
    for order in ([0, 1], [1, 0]):
        data = [[easy, hard][i] for i in order]
        weights = np.array([1.0, light])[order]
        both = model.e_step(params, data, weights)
        expected = heavy.log_likelihood + light * alone.log_likelihood
        assert both.log_likelihood == pytest.approx(expected, rel=1e-13)
        counted = both.statistics.emission.counts
        shares = heavy.statistics.emission.counts + light * alone.statistics.emission.counts
        np.testing.assert_allclose(counted, shares, rtol=1e-12)


def exact(model, log_weights, densities, m_step, n_iterations):
    """EM in logarithms and in extended precision: log-likelihood, and log weights."""
    for iteration in range(n_iterations + 1):
        joint = log_weights + densities
        total = np.logaddexp.reduce(joint, axis=1)
        if iteration == n_iterations:
            return total.sum(), log_weights
        logs = joint - total[:, None]
        counts = np.logaddexp.reduce(logs, axis=0)
        densities = m_step(np.exp(logs - counts))
        log_weights = counts - np.log(np.longdouble(len(joint)))


def normal(x, shares):
    means = (shares * x[:, None]).sum(axis=0)
    variances = (shares * (x[:, None] - means) ** 2).sum(axis=0)
    return -((x[:, None] - means) ** 2) / variances / 2 - np.log(2 * np.pi * variances) / 2


def bernoulli(x, shares):
    chances = (shares * x[:, None]).sum(axis=0)
    return np.where(x[:, None] == 1, np.log(chances), np.log1p(-chances))


TWO = np.concatenate(
    [np.random.default_rng(0).normal(size=30), np.random.default_rng(1).normal(size=30) + 3]
)


@pytest.mark.parametrize("weight", [1e-11, 1e-13, 1e-30, 1e-100])
@pytest.mark.parametrize("n_iterations", [1, 3, 10])
def test_a_component_of_next_to_no_weight_comes_back_as_em_has_it(weight, n_iterations):
    """Below 1e-10 of the rows it used to be frozen."""
    x = TWO.astype(np.longdouble)
    model = Mixture(Gaussian(), 2)
    start = model.params([1 - weight, weight], means=[[1.5], [3.2]], covariances=[[[3.0]], [[1.0]]])
    result = fit(model, TWO, start=start, tolerance=0, max_iterations=n_iterations)
    means, variances = np.array([1.5, 3.2]), np.array([3.0, 1.0])
    first = -((x[:, None] - means) ** 2) / variances / 2 - np.log(2 * np.pi * variances) / 2
    logs = np.log([1 - weight, weight])
    total, logs = exact(model, logs, first, lambda shares: normal(x, shares), n_iterations)
    assert result.log_likelihood == pytest.approx(float(total), rel=1e-12)
    np.testing.assert_allclose(np.log(result.params.weights), logs.astype(float), atol=1e-8)


def test_it_may_become_a_component_again():
    model = Mixture(Gaussian(), 2)
    start = model.params([1, 1e-13], means=[[1.5], [3.2]], covariances=[[[3.0]], [[1.0]]])
    result = fit(model, TWO, start=start, tolerance=0, max_iterations=100)
    assert "is empty" in result.trace[1].flags[0] and not result.flags
    assert result.log_likelihood > result.trace[0].log_likelihood + 1


@pytest.mark.parametrize(
    "emission, start",
    [
        (
            Gaussian("EVE"),
            {"means": [[1.5, 1, 1], [3.2, 3, 3]], "covariances": [np.eye(3) * 3] * 2},
        ),
        (
            Gaussian("diag"),
            {"means": [[1.5, 1, 1], [3.2, 3, 3]], "covariances": [np.eye(3) * 3] * 2},
        ),
        (StudentT(), {"means": [[1.5, 1, 1], [3.2, 3, 3]], "covariances": [np.eye(3) * 3] * 2}),
        (
            FactorAnalyser(1),
            {
                "means": [[1.5, 1, 1], [3.2, 3, 3]],
                "loadings": [[[1.0], [1.0], [1.0]]] * 2,
                "noise_variances": np.ones((2, 3)),
            },
        ),
        (Bernoulli(), {"probabilities": [[0.5, 0.5], [0.8, 0.9]]}),
        (Categorical(), {"probabilities": [[[0.5, 0.5]] * 2, [[0.2, 0.8]] * 2]}),
        (Poisson(), {"rates": [[1.5, 1.5], [1.8, 1.8]]}),
    ],
    ids=str,
)
def test_every_emission_brings_light_components_back(emission, start):
    """It moves as one of a billionth of the rows does: its weight is no matter to itself."""
    rng = np.random.default_rng(2)
    kind = np.arange(200) % 4 == 0
    rows = rng.normal(size=(200, 3)) + 4 * kind[:, None]
    if isinstance(emission, Poisson):
        rows = rng.poisson(np.where(kind, 9.0, 1)[:, None], (200, 2)).astype(float)
    elif not hasattr(emission, "floor"):
        rows = (rng.random((200, 6)) < np.where(kind, 0.9, 0.1)[:, None]).astype(float)
        start = {
            "probabilities": np.tile(
                start["probabilities"], (1, 3, 1)[: np.ndim(start["probabilities"])]
            )
        }
    model = Mixture(emission, 2)
    light, little = (
        fit(model, rows, start=model.params([1 - w, w], **start), tolerance=0, max_iterations=1)
        for w in (1e-13, 1e-9)
    )
    moved = False
    for one, other, first in zip(
        light.params.emission, little.params.emission, light.trace[0].params.emission, strict=True
    ):
        if np.ndim(one) > 1:
            np.testing.assert_allclose(one[1], other[1], rtol=1e-3)
            moved |= np.abs(one[1] - first[1]).max() > 1e-3
    assert moved
