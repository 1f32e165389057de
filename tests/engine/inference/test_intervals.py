"""Standard errors against closed forms and against likelihoods written down anew."""

import numpy as np
import pytest
from scipy.special import gammaln, logsumexp, ndtri, xlog1py, xlogy
from scipy.stats import multivariate_normal, multivariate_t

from em_core import (
    Bernoulli,
    Categorical,
    FactorAnalysis,
    Gaussian,
    HiddenMarkov,
    Mixture,
    Poisson,
    ProbabilisticPCA,
    Standardised,
    StudentT,
    TwoLevel,
    fit,
    inference,
)
from support.families_at_hand import cases
from support.own_model import WithDomains, WithGradient

CASES = cases()
RNG = np.random.default_rng(5)
DRAWS = RNG.bit_generator.state


@pytest.fixture(autouse=True)
def _the_same_draws() -> None:
    """Whatever tests came before, in this process."""
    RNG.bit_generator.state = DRAWS


def table(found, quantity: str) -> dict[tuple[int, ...], inference.Reported]:
    return {row.place: row for row in found.reported if row.quantity == quantity}


def errors_of(found, quantity: str) -> np.ndarray:
    return np.array([row.standard_error for row in table(found, quantity).values()])


def close(left, right, rtol: float = 1e-4) -> None:
    np.testing.assert_allclose(left, right, rtol=rtol, atol=0)


# Closed forms


@pytest.mark.parametrize("code", ["full", "diag", "tied"])
def test_one_gaussian(code):
    """sd / sqrt(n), sd / sqrt(2 n), (1 - r^2) / sqrt(n); of variances sqrt(2 / n) times them."""
    rows = RNG.normal(size=(150, 2)) @ [[2, 1], [0, 1]] + [1e3, 5]
    found = inference.intervals(fit(Mixture(Gaussian(code), 1), rows), rows)
    deviations = rows.std(axis=0)
    close(errors_of(found, "mean"), deviations / np.sqrt(150))
    close(errors_of(found, "standard deviation"), deviations / np.sqrt(300))
    variances = np.diag(found.standard_errors.covariances[0])
    close(variances, deviations**2 * np.sqrt(2 / 150))
    if code == "diag":
        assert not table(found, "correlation")
        assert np.isnan(found.standard_errors.covariances[0, 0, 1])
        return
    (row,) = table(found, "correlation").values()
    r = np.corrcoef(rows.T)[0, 1]
    close(row.estimate, r, 1e-8)
    close(row.standard_error, (1 - r**2) / np.sqrt(150))
    z = ndtri(0.975) / np.sqrt(150)
    close([row.lower, row.upper], np.tanh(np.arctanh(r) + np.array([-z, z])))


@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_shares_and_rates(level):
    """sqrt(p (1 - p) / n), symmetric in log odds; sqrt(rate / n), in logarithms; multinomial."""
    z = ndtri((1 + level) / 2)
    answers = (RNG.random((80, 1)) < 0.3).astype(float)
    found = inference.intervals(fit(Mixture(Bernoulli(), 1), answers), answers, level)
    (row,) = table(found, "probability").values()
    p = answers.mean()
    close(row.standard_error, np.sqrt(p * (1 - p) / 80))
    odds = np.log(p / (1 - p)) + np.array([-1, 1]) * z / np.sqrt(80 * p * (1 - p))
    close([row.lower, row.upper], 1 / (1 + np.exp(-odds)))
    counts = RNG.poisson(3, size=(50, 1)).astype(float)
    found = inference.intervals(fit(Mixture(Poisson(), 1), counts), counts, level)
    (row,) = table(found, "rate").values()
    rate = counts.mean()
    close(row.standard_error, np.sqrt(rate / 50))
    close([row.lower, row.upper], rate * np.exp(np.array([-1, 1]) * z / np.sqrt(50 * rate)))
    levels = RNG.integers(0, 3, size=(60, 1)).astype(float)
    found = inference.intervals(fit(Mixture(Categorical(), 1), levels), levels, level)
    shares = np.bincount(levels[:, 0].astype(int)) / 60
    close(errors_of(found, "probability"), np.sqrt(shares * (1 - shares) / 60))
    place = [row.quantity == "probability" for row in found.reported]
    covariance = found.covariance[np.ix_(place, place)]
    close(covariance, (np.diag(shares) - np.outer(shares, shares)) / 60)


def test_frequencies_are_rows_and_units_are_units():
    rows = np.round(RNG.normal(size=(90, 2)), 1)
    once, counts = np.unique(rows, axis=0, return_counts=True)
    model = Mixture(Gaussian(), 1)
    alone = inference.intervals(fit(model, rows), rows)
    weighted = inference.intervals(fit(model, once, weights=counts), once, weights=counts)
    np.testing.assert_allclose(weighted.covariance, alone.covariance, rtol=1e-6, atol=1e-12)
    moved = inference.intervals(
        fit(model, rows * [1e-6, 1e6] + [1, 1e8]), rows * [1e-6, 1e6] + [1, 1e8]
    )
    close(errors_of(moved, "mean"), errors_of(alone, "mean") * [1e-6, 1e6])
    robust = [
        inference.intervals(fit(model, data, weights=w), data, weights=w, robust=True)
        for data, w in ((rows, None), (once, counts))
    ]
    close(*(np.diag(found.covariance)[1:] for found in robust), 1e-6)


def test_robust_errors_of_a_mean_need_no_normal_distribution():
    """Of a mean sd / sqrt(n - 1); of a variance the spread of the squares; of clusters their
    totals."""
    rows = RNG.exponential(size=120)
    result = fit(Mixture(Gaussian(), 1), rows)
    found = inference.intervals(result, rows, robust=True)
    assert found.robust
    close(errors_of(found, "mean"), rows.std() / np.sqrt(119))
    squares = (rows - rows.mean()) ** 2
    close(found.standard_errors.covariances.ravel(), squares.std() / np.sqrt(119))
    clusters = np.arange(120) // 3
    found = inference.intervals(result, rows, clusters=clusters)
    totals = (rows - rows.mean()).reshape(40, 3).sum(axis=1)
    close(errors_of(found, "mean"), np.sqrt((totals**2).sum() * 40 / 39) / 120)
    with pytest.raises(ValueError, match="29 clusters are too few"):
        inference.intervals(result, rows, clusters=np.arange(120) % 29)
    with pytest.raises(ValueError, match="one label for each of 120 rows"):
        inference.intervals(result, rows, clusters=[1, 2])


# Likelihoods written down anew, differentiated twice by themselves


def hessian(function, at: np.ndarray, step: float = 1e-2) -> np.ndarray:
    """(P, P) second derivatives by differences of fourth order, in units of the numbers given."""
    weights = np.array([1 / 12, -2 / 3, 0, 2 / 3, -1 / 12])
    found = np.empty((len(at), len(at)))
    for i in range(len(at)):
        for j in range(i + 1):
            total = 0.0
            for a, left in zip(range(-2, 3), weights, strict=True):
                for b, right in zip(range(-2, 3), weights, strict=True):
                    if left and right:
                        moved = at.copy()
                        moved[i] += a * step
                        moved[j] += b * step
                        total += left * right * function(moved)
            found[i, j] = found[j, i] = total / step**2
    return found


def covariance_of(function, at: np.ndarray, units: np.ndarray) -> np.ndarray:
    """(P, P) inverse of minus the second derivatives of a log-likelihood of plain numbers."""
    there = -hessian(lambda moved: function(moved * units), at / units)
    return np.linalg.inv(there) * np.outer(units, units)


def mixture_of_gaussians(rows, numbers):
    """log L by the share of the first, then means, and entries of two covariances in turn."""
    share, means, entries = numbers[0], numbers[1:5].reshape(2, 2), numbers[5:].reshape(2, 3)
    logs = [
        np.log(w) + multivariate_normal(mean, [[a, b], [b, c]]).logpdf(rows)
        for w, mean, (a, b, c) in zip((share, 1 - share), means, entries, strict=True)
    ]
    return logsumexp(logs, axis=0).sum()


def test_a_mixture_of_gaussians():
    rows = np.concatenate([RNG.normal(size=(120, 2)), RNG.normal(size=(80, 2)) * [1, 2] + [2, 3]])
    found = inference.intervals(fit(Mixture(Gaussian(), 2), rows), rows)
    emission = found.params.emission
    numbers = np.concatenate(
        [
            found.params.weights[:1],
            emission.means.ravel(),
            emission.covariances[:, [0, 0, 1], [0, 1, 1]].ravel(),
        ]
    )
    covariance = covariance_of(
        lambda moved: mixture_of_gaussians(rows, moved), numbers, 0.1 * np.ones(11)
    )
    expected = np.sqrt(np.diag(covariance))
    close(found.standard_errors.weights, expected[[0, 0]])
    close(found.standard_errors.means.ravel(), expected[1:5])
    close(found.standard_errors.covariances[:, [0, 0, 1], [0, 1, 1]].ravel(), expected[5:])
    # The fit was polished: the score is zero.
    again = fit(Mixture(Gaussian(), 2), rows, start=found.params, max_iterations=1)
    assert again.log_likelihood - again.trace[0].log_likelihood < 1e-9


def test_holes_are_summed_out():
    rows = RNG.normal(size=(100, 2)) @ [[1, 0.8], [0, 1]]
    rows[RNG.random(rows.shape) < 0.2] = np.nan
    rows = rows[~np.isnan(rows).all(axis=1)]
    found = inference.intervals(fit(Mixture(Gaussian(), 1), rows), rows)
    there = ~np.isnan(rows)

    def height(numbers):
        a, b, c = numbers[2:]
        covariance, total = np.array([[a, b], [b, c]]), 0.0
        for s in np.unique(there, axis=0):
            some = rows[(there == s).all(axis=1)][:, s]
            total += (
                multivariate_normal(numbers[:2][s], covariance[np.ix_(s, s)]).logpdf(some).sum()
            )
        return total

    (mean,), (covariance,) = found.params.emission
    numbers = np.concatenate([mean, covariance[[0, 0, 1], [0, 1, 1]]])
    expected = np.sqrt(np.diag(covariance_of(height, numbers, 0.2 * np.ones(5))))
    close(found.standard_errors.means[0], expected[:2])
    close(found.standard_errors.covariances[0][[0, 0, 1], [0, 1, 1]], expected[2:])


def test_classes_of_items():
    truth = np.array([[0.9, 0.8, 0.7, 0.9], [0.2, 0.3, 0.1, 0.4]])
    labels = (RNG.random(400) < 0.4).astype(int)
    rows = (RNG.random((400, 4)) < truth[labels]).astype(float)

    def height(numbers):
        share, chances = numbers[0], numbers[1:].reshape(2, 4)
        logs = [
            np.log(w) + (xlogy(rows, p) + xlog1py(1 - rows, -p)).sum(axis=1)
            for w, p in zip((share, 1 - share), chances, strict=True)
        ]
        return logsumexp(logs, axis=0).sum()

    found = inference.intervals(fit(Mixture(Bernoulli(), 2), rows), rows)
    numbers = np.concatenate([found.params.weights[:1], found.params.probabilities.ravel()])
    expected = np.sqrt(np.diag(covariance_of(height, numbers, 0.05 * np.ones(9))))
    close(errors_of(found, "weight"), expected[[0, 0]])
    close(errors_of(found, "probability"), expected[1:])
    as_levels = inference.intervals(fit(Mixture(Categorical(), 2), rows), rows)
    pairs = sorted(errors_of(as_levels, "probability"))
    close(pairs, np.sort(np.repeat(expected[1:], 2)))


def test_a_mixture_of_counts():
    rows = RNG.poisson(np.where(RNG.random((150, 1)) < 0.5, 2, 9)).astype(float)

    def height(numbers):
        share, *rates = numbers
        logs = [
            np.log(w) + (xlogy(rows, r) - r - gammaln(rows + 1))[:, 0]
            for w, r in zip((share, 1 - share), rates, strict=True)
        ]
        return logsumexp(logs, axis=0).sum()

    found = inference.intervals(fit(Mixture(Poisson(), 2), rows), rows)
    numbers = np.concatenate([found.params.weights[:1], found.params.rates.ravel()])
    expected = np.sqrt(np.diag(covariance_of(height, numbers, np.array([0.1, 0.3, 0.5]))))
    close(errors_of(found, "rate"), expected[1:])


def test_a_distribution_with_heavy_tails():
    rows = RNG.standard_t(4, size=(300, 1))

    def height(numbers):
        mean, variance, degrees = numbers
        return multivariate_t([mean], [[variance]], degrees).logpdf(rows).sum()

    found = inference.intervals(fit(Mixture(StudentT(), 1), rows), rows)
    numbers = np.concatenate([np.ravel(part) for part in found.params.emission])
    expected = np.sqrt(np.diag(covariance_of(height, numbers, np.array([0.2, 0.2, 0.5]))))
    errors = [np.ravel(part)[0] for part in found.standard_errors.emission]
    close(errors, expected)
    # Of rows, not of the scale: sqrt(variance nu / (nu - 2)).
    variance, degrees = numbers[1:]
    (row,) = table(found, "standard deviation").values()
    close(row.estimate, np.sqrt(variance * degrees / (degrees - 2)), 1e-8)


def test_a_hidden_markov_model():
    """Against the forward recursion, twice differentiated; sequences, not frames, are the rows."""
    model = HiddenMarkov(Gaussian("tied"), 2)
    truth = model.params([[0.8, 0.2], [0.3, 0.7]], means=[[-1], [1]], covariances=[[[0.8]]] * 2)
    data, _ = model.sample(truth, [25] * 40, np.random.default_rng(3))

    def height(numbers):
        first, a, b, variance, *means = numbers
        initial = np.array([first, 1 - first])
        matrix = np.array([[1 - a, a], [b, 1 - b]])
        squares = (np.stack(data) - means) ** 2
        densities = np.exp(-squares / (2 * variance)) / np.sqrt(2 * np.pi * variance)
        states, total = initial * densities[:, 0], 0.0
        for t in range(1, 25):
            sums = states.sum(axis=1, keepdims=True)
            total += np.log(sums).sum()
            states = states / sums @ matrix * densities[:, t]
        return total + np.log(states.sum(axis=1)).sum()

    found = inference.intervals(fit(model, data), data)
    p, s = found.params, found.standard_errors
    numbers = np.array(
        [p.initial_probabilities[0], p.transition_matrix[0, 1], p.transition_matrix[1, 0],
         p.covariances[0, 0, 0], *p.means[:, 0]]
    )  # fmt: skip
    there = -hessian(lambda m: height(m * 0.1), numbers / 0.1, 2e-2) / 0.1**2
    expected = np.sqrt(np.diag(np.linalg.inv(there)))
    close(s.initial_probabilities, expected[[0, 0]])
    close(s.transition_matrix[[0, 1], [1, 0]], expected[1:3])
    close(s.covariances[:, 0, 0], expected[[3, 3]])
    close(s.means[:, 0], expected[4:])
    robust = inference.intervals(fit(model, data), data, clusters=np.arange(40))
    close(robust.covariance, inference.intervals(fit(model, data), data, robust=True).covariance)


def test_two_levels():
    sizes = np.arange(60) % 5 + 2
    data = [RNG.normal(RNG.normal(0, 1.5), 1, size=(n, 1)) for n in sizes]

    def height(numbers):
        mean, between, within = numbers
        total = 0.0
        for n in range(2, 7):
            groups = np.stack([y[:, 0] for y in data if len(y) == n])
            covariance = within * np.eye(n) + between
            total += multivariate_normal(np.full(n, mean), covariance).logpdf(groups).sum()
        return total

    found = inference.intervals(fit(TwoLevel(), data), data)
    numbers = np.concatenate([np.ravel(part) for part in found.params])
    covariance = covariance_of(height, numbers, np.array([0.3, 0.3, 0.2]))
    close([np.ravel(part)[0] for part in found.standard_errors], np.sqrt(np.diag(covariance)))
    _, between, within = numbers
    slope = np.array([0, within, -between]) / (between + within) ** 2
    close(errors_of(found, "intraclass correlation"), np.sqrt(slope @ covariance @ slope))


def factors(numbers, n_columns, n_factors, n_noise):
    loadings, noise = np.split(numbers, [n_columns * n_factors])
    loadings = loadings.reshape(n_columns, n_factors)
    return loadings @ loadings.T + np.diag(np.broadcast_to(noise, n_columns))


@pytest.mark.parametrize(("model", "n_noise"), [(FactorAnalysis(2), 6), (ProbabilisticPCA(2), 1)])
def test_factors(model, n_noise):
    """Unrotated, which takes away q (q - 1) / 2 directions: by Lagrange's bordered information."""
    truth = np.array([[0.9, 0], [0.8, 0.1], [0.7, 0], [0.1, 0.8], [0, 0.7], [0.2, 0.6]])
    rows = RNG.normal(size=(300, 2)) @ truth.T + 0.6 * RNG.normal(size=(300, 6))
    found = inference.intervals(fit(model, rows), rows)
    centred = rows - rows.mean(axis=0)
    scatter = centred.T @ centred
    params = found.params
    numbers = np.concatenate([params.loadings.ravel(), np.ravel(params.noise_variance)])

    def height(moved):
        covariance = factors(moved, 6, 2, n_noise)
        return -0.5 * (
            300 * np.linalg.slogdet(covariance)[1] + np.trace(np.linalg.solve(covariance, scatter))
        )

    def condition(moved):
        loadings, noise = np.split(moved, [12])
        loadings = loadings.reshape(6, 2)
        return (loadings[:, 0] * loadings[:, 1] / np.broadcast_to(noise, 6)).sum()

    assert condition(numbers) == pytest.approx(0, abs=1e-8)
    steps = 1e-5 * np.eye(len(numbers))
    slope = np.array([condition(numbers + s) - condition(numbers - s) for s in steps]) / 2e-5
    there = -hessian(lambda moved: height(moved * 0.1), numbers / 0.1, 2e-2) / 0.1**2
    bordered = np.block([[there, slope[:, None]], [slope[None], np.zeros((1, 1))]])
    expected = np.sqrt(np.diag(np.linalg.inv(bordered))[:-1])
    close(found.standard_errors.loadings.ravel(), expected[:12])
    close(np.ravel(found.standard_errors.noise_variance), expected[12:])
    deviations = np.sqrt(np.diag(params.covariance))
    close(errors_of(found, "mean"), deviations / np.sqrt(300))
    assert np.isnan(found.standard_errors.factor_scale).all()
    # A rotation of what the fit began with is none of the answer.
    turn = np.linalg.qr(RNG.normal(size=(2, 2)))[0]
    turned = params._replace(loadings=params.loadings @ turn)
    again = inference.intervals(fit(model, rows, start=turned, max_iterations=3), rows)
    for name in ("loading", "varimax loading", "standardised loading"):
        close(errors_of(again, name), errors_of(found, name), 1e-3)


def test_varimax_and_uniqueness_by_resampled_normal_estimates():
    """The delta method of what is rotated: against the same numbers of parameters that are drawn
    from the estimates' own covariance, made smaller so that the delta method is exact."""
    rng = np.random.default_rng(2)
    truth = np.array([[0.9, 0], [0.8, 0.1], [0.7, 0], [0.1, 0.8], [0, 0.7], [0.2, 0.6]])
    rows = rng.normal(size=(300, 2)) @ truth.T + 0.6 * rng.normal(size=(300, 6))
    found = inference.intervals(fit(FactorAnalysis(2), rows), rows)
    for name in ("varimax loading", "uniqueness", "standardised loading"):
        assert (errors_of(found, name) > 0).all() and (errors_of(found, name) < 0.2).all()
    uniqueness = table(found, "uniqueness")[(0,)]
    loadings = found.params.loadings
    place = [row.quantity in ("loading", "noise variance") for row in found.reported]
    covariance = found.covariance[np.ix_(place, place)]
    of_first = np.zeros(18)
    noise, squares = found.params.noise_variance[0], (loadings[0] ** 2).sum()
    of_first[:2] = -2 * loadings[0] * noise / (noise + squares) ** 2
    of_first[12] = squares / (noise + squares) ** 2
    close(uniqueness.standard_error, np.sqrt(of_first @ covariance @ of_first))


# All families


@pytest.mark.parametrize("name", CASES)
def test_every_family_has_them(name):
    """The covariance of the parameters is the inverse information: standard errors squared times
    what the rows' scores say of the same is about 1, and every estimate lies inside its interval.
    """
    case = CASES[name]
    result = fit(case.model, case.data)
    found = inference.intervals(result, case.data)
    n_free = result.n_parameters - len(found.at_limit)
    assert found.identified
    assert np.linalg.matrix_rank(np.nan_to_num(found.root), tol=1e-9) >= min(n_free, 5) - 1
    for row in found.reported:
        if np.isfinite(row.standard_error):
            assert row.lower < row.estimate < row.upper
    for leaf, error in zip(found.params, found.standard_errors, strict=True):
        if isinstance(leaf, np.ndarray):
            assert np.shape(leaf) == np.shape(error)
    assert found.moved < 0.5 or name.startswith("two levels")


@pytest.mark.parametrize("name", ["Gaussian VVE", "hidden Markov", "factor analysers"])
def test_a_fit_with_more_iterations_has_the_same(name):
    case = CASES[name]
    short = inference.intervals(fit(case.model, case.data), case.data)
    long = fit(case.model, case.data, tolerance=1e-9, max_iterations=5000)
    long = inference.intervals(long, case.data)
    assert long.moved < short.moved or short.moved < 1e-3
    close(np.array([r[1:5] for r in short.reported]), np.array([r[1:5] for r in long.reported]))


def test_units_of_ones_own():
    rows = CASES["Gaussian EEE"].data * [1, 100, 0.01]
    plain = Mixture(Gaussian("EEE"), 2)
    one = inference.intervals(fit(plain, rows), rows)
    own = Standardised.of(plain, rows)
    other = inference.intervals(fit(own, rows), rows)
    close(np.array([r[1:5] for r in one.reported]), np.array([r[1:5] for r in other.reported]))


def test_a_model_of_ones_own():
    counts = np.random.default_rng(0).poisson(3, 200) * (np.arange(200) % 3 > 0).astype(float)
    with_gradient = inference.intervals(fit(WithGradient(), counts), counts, robust=True)
    without = inference.intervals(fit(WithDomains(), counts), counts, robust=True)
    assert with_gradient.names == ("zero share", "rate")
    close(with_gradient.covariance, without.covariance)


# Limits


def test_what_is_at_a_limit_is_held_and_said():
    """Items that all of a class answer alike have a probability of 1 and no interval; the others
    have that of their own class."""
    rows = np.zeros((100, 6))
    rows[:40, :3] = 1
    rows[:10, 5] = rows[40:75, 5] = 1
    found = inference.intervals(fit(Mixture(Bernoulli(), 2), rows, seed=1), rows)
    assert len(found.at_limit) == 10 and found.identified
    assert "probability (1, 1)" in found.sentences[0] and "given these" in found.sentences[0]
    rows_of = {row.name: row for row in found.reported}
    assert np.isnan(rows_of["probability (1, 1)"].standard_error)
    assert np.isnan(rows_of["probability (1, 1)"].lower)
    shares = np.sort(found.params.weights)
    close(shares, [0.4, 0.6])
    close(errors_of(found, "weight"), np.sqrt(0.24 / 100))
    free = [row for row in table(found, "probability").values() if row.place[1] == 5]
    for row in free:
        n = 40 if abs(row.estimate - 0.25) < 1e-6 else 60
        close(row.standard_error, np.sqrt(row.estimate * (1 - row.estimate) / n))


def test_a_column_without_noise_of_its_own():
    case = CASES["factor analysis"]
    found = inference.intervals(fit(case.model, case.data), case.data)
    assert found.at_limit == ("noise variance (1)",)
    assert np.isnan(found.standard_errors.noise_variance[0])
    assert np.isfinite(found.standard_errors.noise_variance[1:]).all()


def test_a_covariance_at_its_floor_is_held():
    rows = np.concatenate([RNG.normal(size=(60, 2)), np.tile([[5.0, 5.0]], (20, 1))])
    result = fit(Mixture(Gaussian(), 2), rows)
    assert result.collapsed
    found = inference.intervals(result, rows)
    flat = int(np.linalg.det(found.params.covariances).argmin())
    assert any(f"standard deviation ({flat + 1}, 1)" == name for name in found.at_limit)
    assert np.isnan(found.standard_errors.covariances[flat]).all()
    assert np.isfinite(found.standard_errors.covariances[1 - flat]).all()


def test_what_the_data_do_not_tell_has_no_interval():
    rows = np.tile([[0.0, 0], [0, 1], [1, 0], [1, 1]], (30, 1))
    rows = np.concatenate([rows, np.tile([[1.0, 1.0], [0, 0]], (20, 1))])
    result = fit(Mixture(Bernoulli(), 2), rows, tolerance=1e-9)
    found = inference.intervals(result, rows)
    assert not found.identified and "do not tell" in found.sentences[-1]
    assert np.isnan(errors_of(found, "weight")).all()
    assert np.isnan(errors_of(found, "probability")).all()


# Errors


def test_other_data_or_weights_are_refused():
    rows = RNG.normal(size=(40, 2))
    result = fit(Mixture(Gaussian(), 1), rows)
    for data, weights in ((rows + 1, None), (rows[:-1], None), (rows, np.full(40, 2.0))):
        with pytest.raises(ValueError, match="not those of the fit"):
            inference.intervals(result, data, weights=weights)
    for level in (0, 1, 95):
        with pytest.raises(ValueError, match="is none"):
            inference.intervals(result, rows, level)


def test_where_there_is_no_top_there_are_no_intervals():
    """Two classes that are the same, of items that go together: a step to either side goes up."""
    rows = np.repeat([[0.0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 1, 1]], [30, 30, 10, 10], axis=0)
    model = Mixture(Bernoulli(), 2)
    params = model.params([0.5, 0.5], probabilities=[rows.mean(axis=0)] * 2)
    saddle = fit(model, rows, start=params, max_iterations=3)
    with pytest.raises(ValueError, match="is a saddle"):
        inference.intervals(saddle, rows)


def test_a_fit_that_is_on_its_way_is_polished():
    rows = CASES["Gaussian VVV"].data
    model = CASES["Gaussian VVV"].model
    begun = fit(model, rows, max_iterations=1)
    found = inference.intervals(begun, rows)
    ended = inference.intervals(fit(model, rows), rows)
    assert found.moved > ended.moved > 0
    close(errors_of(found, "mean"), errors_of(ended, "mean"))
