"""Mixtures of items and counts, complete and with holes: laws, wrong input, sampling."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import gammaln

from em_core import (
    STARTS,
    Bernoulli,
    Categorical,
    HiddenMarkov,
    Mixture,
    Poisson,
    fit,
    restarts,
)
from em_core.search.batching.stepping import one_by_one
from support import laws
from support.drawn import examples

few_examples = examples(40)
LEVELS = (2, 4, 3)


def table(name, n, seed, missing=0.0):
    """Rows of two kinds, some values missing."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(2, size=n)
    if name == "Bernoulli":
        data = (rng.random((n, 4)) < np.where(kind, 0.8, 0.3)[:, None]).astype(float)
    elif name == "Categorical":
        data = np.stack(
            [np.minimum(rng.poisson(0.5 + kind), c - 1) for c in LEVELS], axis=1
        ).astype(float)
    else:
        data = rng.poisson(np.where(kind, 9.0, 2.0)[:, None] * [1, 0.2, 3]).astype(float)
    data[rng.random(data.shape) < missing] = np.nan
    data[0] = 1.0
    return data


EMISSIONS = {"Bernoulli": Bernoulli(), "Categorical": Categorical(LEVELS), "Poisson": Poisson()}
every_emission = pytest.mark.parametrize("name", EMISSIONS)
with_and_without_holes = pytest.mark.parametrize("missing", [0.0, 0.3])


@every_emission
@with_and_without_holes
@given(k=st.integers(1, 4), n=st.integers(12, 60), seed=st.integers(0, 999), data=st.data())
@few_examples
def test_the_bound_climbs_and_touches(name, missing, k, n, seed, data):
    rows = table(name, n, seed, missing)
    if len(np.unique(np.nan_to_num(rows, nan=-1), axis=0)) < 2 * k:
        return
    model = Mixture(EMISSIONS[name], k)
    start = data.draw(st.sampled_from(sorted(STARTS)))
    steps = laws.run(model, rows, seed, start)
    laws.half_steps_are_well_formed(steps)
    laws.bound_never_falls(steps, n)
    laws.bound_touches_after_e_and_stays_below_after_m(steps, n)
    laws.gain_is_bound_gain_plus_kl(steps, n)


@every_emission
@with_and_without_holes
def test_chunks_weights_entropy_order_and_enumeration(name, missing):
    rows = table(name, 200, 1, missing)
    model = Mixture(EMISSIONS[name], 3)
    params = laws.run(model, rows, iterations=3)[-1].params
    rng = np.random.default_rng(0)
    laws.chunks_add_up(model, rows, params, 4)
    laws.integer_weights_are_copies(model, rows, params, rng.integers(0, 4, size=len(rows)))
    laws.entropy_is_that_of_the_responsibilities(model, rows, params)
    laws.permuting_rows_changes_nothing(model, rows, rng.permutation(len(rows)))
    laws.enumeration_agrees(model, rows[:7], params)
    laws.same_seed_same_bits(model, rows, "k-means++")


def log_density(name, params, row):
    """log p(row | component) of each component by SciPy, over the values that are there."""
    total = np.zeros(3)
    for d in np.flatnonzero(~np.isnan(row)):
        if name == "Poisson":
            total += stats.poisson.logpmf(row[d], params.rates[:, d])
        elif name == "Bernoulli":
            total += stats.bernoulli.logpmf(row[d], params.probabilities[:, d])
        else:
            total += np.log(params.probabilities[:, d, int(row[d])])
    return total


@every_emission
def test_densities_are_those_of_scipy(name):
    rows = table(name, 120, 2, 0.2)
    model = Mixture(EMISSIONS[name], 3)
    params = model.initial_params(rows, "k-means++", np.random.default_rng(0))
    expected = [np.log(params.weights) + log_density(name, params.emission, row) for row in rows]
    np.testing.assert_allclose(model.log_joint(params, rows), expected, rtol=1e-10)


@every_emission
def test_the_m_step_is_a_maximum(name):
    rows = table(name, 150, 3, 0.1)
    model = Mixture(EMISSIONS[name], 3)
    params = model.initial_params(rows, "k-means++", np.random.default_rng(0))
    statistics = model.e_step(params, rows).statistics
    best = model.m_step(params, statistics)

    def moves(params, rng):
        for size in (1e-1, 1e-3):
            for _ in range(10):
                values = params.emission[0]
                if name == "Bernoulli":
                    odds = values / np.maximum(1 - values, 1e-12)
                    odds = odds * np.exp(size * rng.normal(size=values.shape))
                    moved = odds / (1 + odds)
                else:
                    moved = values * np.exp(size * rng.normal(size=values.shape))
                    if name == "Categorical":
                        moved = moved / moved.sum(axis=-1, keepdims=True)
                changed = type(params.emission)(moved, *params.emission[1:])
                yield params._replace(emission=changed)

    laws.m_step_is_a_maximum(model, best, statistics, moves, np.random.default_rng(1))


@every_emission
def test_what_is_sampled_is_found_again(name):
    rng = np.random.default_rng(4)
    model = Mixture(EMISSIONS[name], 2)
    truth = fit(model, table(name, 500, 5), seed=0).params
    rows, labels = model.sample(truth, 20_000, rng)
    found = fit(model, rows, start=truth).params
    np.testing.assert_allclose(np.sort(found.weights), np.sort(truth.weights), atol=0.03)
    np.testing.assert_allclose(found.emission[0], truth.emission[0], rtol=0.15, atol=0.03)
    assert np.abs(np.bincount(labels) / len(rows) - truth.weights).max() < 0.02


@every_emission
def test_missing_values_are_imputed_and_the_rest_is_left_alone(name):
    rows = table(name, 300, 6, 0.2)
    result = fit(Mixture(EMISSIONS[name], 2), rows)
    values, deviations = result.impute(rows)
    missing = np.isnan(rows)
    assert np.array_equal(values[~missing], rows[~missing])
    assert np.isfinite(values).all()
    assert (deviations[~missing] == 0).all() and (deviations[missing] > 0).any()


@pytest.mark.parametrize("emission", [Bernoulli(), Categorical()])
@pytest.mark.parametrize("seed", range(8))
def test_an_item_that_all_answer_alike_is_imputed_for_certain(emission, seed):
    rng = np.random.default_rng(seed)
    rows = (rng.random((30, 4)) < 0.6).astype(float)
    rows[:, 0] = 1
    rows[rng.random(rows.shape) < 0.1] = np.nan
    values, deviations = fit(Mixture(emission, 3), rows, seed=seed).impute(rows)
    missing = np.isnan(rows[:, 0])
    assert (values[missing, 0] <= 1).all() and np.allclose(values[missing, 0], 1)
    assert (deviations[missing, 0] < 1e-6).all()


@pytest.mark.parametrize(
    "emission, data, words",
    [
        (Bernoulli(), [[0, 1], [3, 1]], "column 1 holds 3: Bernoulli items are 0 or 1"),
        (Bernoulli(), [[np.nan, 1], [np.nan, 1]], "column 1 holds no values"),
        (Categorical(), [[0, 1.5], [3, 1]], "column 2 holds 1.5: levels are coded"),
        (Categorical((2, 2)), [[0, 1], [2, 1]], "column 1 holds 2, and has only 2 levels"),
        (Poisson(), [[0, 1], [3, -1]], "column 2 holds -1: counts are whole numbers"),
        (Poisson(), [[0, np.inf], [3, 1]], "column 2 holds inf"),
    ],
)
def test_wrong_data_name_the_column(emission, data, words):
    with pytest.raises(ValueError, match=words):
        fit(Mixture(emission, 1), data)


@pytest.mark.parametrize(
    "emission, arrays",
    [
        (Bernoulli(), {"probabilities": [[0.5, 1.5]]}),
        (Categorical(), {"probabilities": [[[0.5, 0.6]]]}),
        (Poisson(), {"rates": [[1.0], [2.0]]}),
        (Poisson(), {"rates": [[-1.0]]}),
    ],
)
def test_wrong_parameters_are_refused(emission, arrays):
    with pytest.raises(ValueError):
        Mixture(emission, 1).params([1.0], **arrays)


def exact_log_poisson(count: int, rate: float) -> Decimal:
    """count log rate - rate - log count!, to 40 digits, by Stirling's series."""
    z, rate = Decimal(count + 1), Decimal(rate)
    factorial = (z - Decimal("0.5")) * z.ln() - z
    factorial += Decimal("0.91893853320467274178032973640561763986139747363778")
    for power, divisor in ((1, 12), (3, -360), (5, 1260), (7, -1680)):
        factorial += 1 / (divisor * z**power)
    return count * rate.ln() - rate - factorial


@pytest.mark.parametrize("top", [1_000, 9_000, 30_000, 1_000_000, 10**10, 10**12 // 2])
def test_counts_are_right_to_a_billionth_of_a_nat_up_to_the_limit(top):
    rng = np.random.default_rng(top)
    rates = np.array([[top / 3, top], [top, top / 2]]) * 0.98
    rows = rng.poisson(rates[rng.integers(2, size=60)]).astype(float)
    rows[::7, 1] = np.nan
    model = Mixture(Poisson(), 2)
    params = model.params([0.5, 0.5], rates=rates)
    joint = model.log_joint(params, rows)
    with localcontext(prec=40):
        for row, values in zip(rows, joint, strict=True):
            for rate, value in zip(rates, values, strict=True):
                cells = zip(row, rate, strict=True)
                terms = (exact_log_poisson(int(x), r) for x, r in cells if not np.isnan(x))
                expected = sum(terms, Decimal("0.5").ln())
                assert abs(Decimal(float(value)) - expected) < Decimal("1e-9") * max(
                    1, abs(expected) / 1000
                )
    steps = laws.run(model, rows, iterations=8)
    laws.bound_never_falls(steps, len(rows))
    laws.bound_touches_after_e_and_stays_below_after_m(steps, len(rows))
    params = steps[-1].params
    laws.chunks_add_up(model, rows, params, 4)
    laws.integer_weights_are_copies(model, rows, params, rng.integers(0, 4, size=len(rows)))
    laws.enumeration_agrees(model, rows[:6], params)
    laws.entropy_is_that_of_the_responsibilities(model, rows, params)


def test_counts_beyond_the_limit_are_refused_and_large_ones_batched():
    rng = np.random.default_rng(0)
    rows = rng.poisson([[1e9, 30], [3e9, 10]], size=(40, 2, 2)).reshape(-1, 2).astype(float)
    runs = restarts(Mixture(Poisson(), 2), rows, range(6))
    assert not runs.landscape.failures and len(runs.optima) == 1
    singly = restarts(Mixture(Poisson(), 2), rows, range(6), stepping=one_by_one)
    assert singly.best.log_likelihood == pytest.approx(runs.best.log_likelihood, abs=1e-9)
    hidden = fit(HiddenMarkov(Poisson(), 2), rows)
    assert hidden.stop_reason == "converged" and hidden.log_likelihood > runs.best.log_likelihood
    result = fit(Mixture(Poisson(), 1), np.array([[2e11], [2e11], [0]]))
    assert result.stop_reason == "converged" and result.params.rates[0, 0] == 4e11 / 3


def test_large_counts_that_are_impossible():
    model = Mixture(Poisson(), 2)
    params = model.params([0.5, 0.5], rates=[[0.0, 2e6], [2e6, 0.0]])
    posterior = model.posterior(params, np.array([[0, 2e6], [3, 3], [0, 0]]))
    expected = np.log(0.5) - np.log(4e6 * np.pi) / 2
    assert posterior.log_densities[0] == pytest.approx(expected, abs=1e-6)
    assert posterior.log_densities[1] == -np.inf
    np.testing.assert_allclose(posterior.responsibilities, [[1, 0], [0.5, 0.5], [0.5, 0.5]])
    with pytest.raises(ValueError, match="counts are whole numbers from 0 to 1,000,000,000,000"):
        Poisson().check([[1e12 + 1]])


TINY = (1e-299, 1e-305, 5e-324)


@pytest.mark.parametrize("tiny", TINY)
@pytest.mark.parametrize("counts", [[0, 0, 1, 2, 9, 8], [0, 0, 1e11, 2e11, 9e11, 8e11]])
def test_rates_next_to_nothing_are_rates(tiny, counts):
    """What is not 0 has a logarithm, however small: EM goes on from there and never falls."""
    data = np.array(counts)[:, None]
    model = Mixture(Poisson(), 2)
    start = model.params([0.5, 0.5], rates=[[tiny], [4 * tiny]])
    expected = [np.logaddexp.reduce(poisson_log_density(x, start.rates) - np.log(2)) for x in data]
    assert model.e_step(start, data).log_likelihood == pytest.approx(np.sum(expected), rel=1e-9)
    assert model.impossible(start, data) is None
    result = fit(model, data, start=start)
    assert result.stop_reason == "converged"
    assert np.isfinite([step.elbo for step in result.trace]).all()
    laws.bound_never_falls(result.trace, len(data))


def poisson_log_density(count: np.ndarray, rates: np.ndarray) -> np.ndarray:
    return (count * np.log(rates) - rates - gammaln(count + 1))[:, 0]


@pytest.mark.parametrize("tiny", TINY)
@pytest.mark.parametrize("emission", [Bernoulli(), Categorical()], ids=str)
def test_probabilities_next_to_nothing_are_probabilities(tiny, emission):
    data = np.array([[0, 1], [1, 1], [1, 0], [0, 0], [1, 1]], float)
    model = Mixture(emission, 2)
    chances = np.full((2, 2), tiny)
    if isinstance(emission, Categorical):
        chances = np.stack([1 - chances, chances], axis=-1)
    start = model.params([0.3, 0.7], probabilities=chances)
    log_likelihood = model.e_step(start, data).log_likelihood
    assert log_likelihood == pytest.approx(data.sum() * np.log(tiny), rel=1e-9)
    assert model.impossible(start, data) is None
    result = fit(model, data, start=start)
    assert result.stop_reason == "converged"
    laws.bound_never_falls(result.trace, len(data))


@pytest.mark.parametrize("count", [7e8, 9e8, 1e9, 1e11, 1e12])
@pytest.mark.parametrize("start", ["random points", "k-means", "k-means++"])
def test_huge_counts_beside_zeros_touch_the_bound(count: float, start: str) -> None:
    """What underflow leaves of a share of 0 is no mean, however large the count."""
    for counts in ([[0.0], [count]], [[0.0]] * 10 + [[count]] * 10):
        result = fit(Mixture(Poisson(), 2), np.array(counts), seed=0, start=start)
        rounding = 1e-15 * count  # of the deviances that are summed
        for step in result.trace:
            assert step.elbo <= step.log_likelihood + rounding
            if step.phase == "E":
                assert step.elbo == pytest.approx(step.log_likelihood, abs=rounding)
        assert result.stop_reason == "converged"


@pytest.mark.parametrize("levels", [[2, 60], [2, 4], [2, 2], [0, 3], [3.0, 3.0], [3]])
def test_levels_are_as_many_as_there_are_probabilities(levels: list) -> None:
    chances = np.array([[[0.4, 0.6, 0], [0.2, 0.5, 0.3]]])
    assert Mixture(Categorical(), 1).params([1.0], probabilities=chances, levels=[2, 3])
    with pytest.raises(ValueError, match="levels must be"):
        Mixture(Categorical(), 1).params([1.0], probabilities=chances, levels=levels)
