"""Standard errors against likelihoods written down anew and differentiated with 50 digits."""

from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext

import numpy as np
import pytest

from em_core import FactorAnalysis, Gaussian, HiddenMarkov, Mixture, TwoLevel, fit, inference

DIGITS = 50
STEP = Decimal(10) ** -14  # differences are then right to about 20 digits
LOG_2PI = (2 * Decimal("3.14159265358979323846264338327950288419716939937511")).ln()
Numbers = Sequence[Decimal]


def covariance(log_likelihood: Callable[[Numbers], Decimal], at: Sequence[float]) -> np.ndarray:
    """The inverse of minus the second differences of a log-likelihood."""
    with localcontext() as context:
        context.prec = DIGITS
        here = [Decimal(float(x)) for x in at]
        steps = [STEP * max(abs(x), Decimal(1)) for x in here]
        n = len(here)

        def moved(*places: tuple[int, int]) -> Decimal:
            point = list(here)
            for i, sign in places:
                point[i] += sign * steps[i]
            return log_likelihood(point)

        top = log_likelihood(here)
        ahead = [moved((i, 1)) for i in range(n)]
        behind = [moved((i, -1)) for i in range(n)]
        curvature = np.zeros((n, n))
        for i in range(n):
            curvature[i, i] = float((ahead[i] - 2 * top + behind[i]) / steps[i] ** 2)
            for j in range(i):
                both = moved((i, 1), (j, 1)) + moved((i, -1), (j, -1))
                mixed = both - ahead[i] - ahead[j] - behind[i] - behind[j] + 2 * top
                curvature[i, j] = curvature[j, i] = float(mixed / (2 * steps[i] * steps[j]))
    return np.linalg.inv(-curvature)


def normal(x: Decimal, mean: Decimal, deviation: Decimal) -> Decimal:
    return (-(((x - mean) / deviation) ** 2) / 2).exp() / deviation


def exact(values: np.ndarray) -> list[Decimal]:
    return [Decimal(float(x)) for x in np.ravel(values)]


def errors_of(found, *names: str) -> np.ndarray:
    rows = {row.name: row.standard_error for row in found.reported}
    return np.array([rows[name] for name in names])


def close(told: np.ndarray, errors: np.ndarray) -> None:
    np.testing.assert_allclose(told, errors, rtol=1e-4)


def test_a_mixture() -> None:
    rng = np.random.default_rng(1)
    rows = np.concatenate([rng.normal(0, 1, 40), rng.normal(3, 0.7, 30)])[:, None]
    found = inference.intervals(fit(Mixture(Gaussian("full"), 2), rows, seed=0), rows)
    weights, params = found.params.weights, found.params
    deviations = np.sqrt(params.covariances[:, 0, 0])
    data = exact(rows)

    def log_likelihood(point: Numbers) -> Decimal:
        w, m1, m2, s1, s2 = point
        parts = (w * normal(x, m1, s1) + (1 - w) * normal(x, m2, s2) for x in data)
        return sum((p.ln() for p in parts), Decimal(0))

    at = [weights[0], *params.means[:, 0], *deviations]
    told = np.sqrt(np.diag(covariance(log_likelihood, at)))
    names = ["weight (1)", "mean (1, 1)", "mean (2, 1)"]
    names += ["standard deviation (1, 1)", "standard deviation (2, 1)"]
    close(told, errors_of(found, *names))


def test_a_hidden_markov_model() -> None:
    rng = np.random.default_rng(2)
    starts = [0, 1, 0, 0, 1, 1]
    paths = [(start + np.repeat([0, 1, 0], 5)) % 2 for start in starts]
    sequences = [rng.normal(size=(15, 1)) + 2.5 * path[:, None] for path in paths]
    result = fit(HiddenMarkov(Gaussian("full"), 2), sequences, seed=0)
    found = inference.intervals(result, sequences)
    params = found.params
    data = [exact(part) for part in sequences]

    def log_likelihood(point: Numbers) -> Decimal:
        start, a, b, m1, m2, s1, s2 = point
        total = Decimal(0)
        for part in data:
            ahead = start, 1 - start
            for x in part:
                one, two = ahead[0] * normal(x, m1, s1), ahead[1] * normal(x, m2, s2)
                total += (one + two).ln()
                first = one / (one + two)
                ahead = first * a + (1 - first) * b, first * (1 - a) + (1 - first) * (1 - b)
        return total

    at = [params.initial_probabilities[0], *params.transition_matrix[:, 0]]
    at += [*params.means[:, 0], *np.sqrt(params.covariances[:, 0, 0])]
    told = np.sqrt(np.diag(covariance(log_likelihood, at)))
    names = ["initial probability (1)", "transition probability (1, 1)"]
    names += ["transition probability (2, 1)", "mean (1, 1)", "mean (2, 1)"]
    names += ["standard deviation (1, 1)", "standard deviation (2, 1)"]
    close(told, errors_of(found, *names))


def test_the_two_level_model() -> None:
    rng = np.random.default_rng(3)
    groups = [rng.normal(size=(n, 1)) + 1.5 * rng.normal() for n in rng.integers(2, 7, 25)]
    found = inference.intervals(fit(TwoLevel(), groups, seed=0), groups)
    params = found.params
    data = [exact(part) for part in groups]

    def log_likelihood(point: Numbers) -> Decimal:
        mean, between, within = point
        total = Decimal(0)
        for part in data:
            n = len(part)
            apart = [x - mean for x in part]
            whole = within**2 + n * between**2
            squares = sum((x * x for x in apart), Decimal(0))
            shared = between**2 * sum(apart, Decimal(0)) ** 2 / whole
            total -= ((n - 1) * (within**2).ln() + whole.ln() + (squares - shared) / within**2) / 2
        return total

    at = [
        params.mean[0],
        *np.sqrt([params.between_covariance[0, 0], params.within_covariance[0, 0]]),
    ]
    told = covariance(log_likelihood, at)
    names = ["mean (1)", "between-group standard deviation (1)"]
    names += ["within-group standard deviation (1)", "intraclass correlation (1)"]
    _, b, w = at
    slope = 2 * b * w * np.array([0, w, -b]) / (b**2 + w**2) ** 2
    errors = [*np.sqrt(np.diag(told)), np.sqrt(slope @ told @ slope)]
    close(np.array(errors), errors_of(found, *names))


@pytest.mark.parametrize("n_factors", [1, 2])
def test_factor_analysis(n_factors: int) -> None:
    """Of two factors the loadings are free up to a rotation: the likelihood is differentiated with
    the second loading of the first column at 0, and what is reported follows from there."""
    rng = np.random.default_rng(4)
    n_columns = 6
    loadings = rng.normal(size=(n_columns, n_factors))
    rows = rng.normal(size=(150, n_factors)) @ loadings.T + rng.normal(size=(150, n_columns))
    found = inference.intervals(fit(FactorAnalysis(n_factors), rows, seed=0, tolerance=1e-9), rows)
    params = found.params
    centred = rows - rows.mean(axis=0)
    moments = [exact(row) for row in centred.T @ centred]
    turn, _ = np.linalg.qr(np.atleast_2d(params.loadings[0]).T, mode="complete")
    lower = params.loadings @ turn
    free = [(d, f) for d in range(n_columns) for f in range(n_factors) if not (d < f)]

    def log_likelihood(point: Numbers) -> Decimal:
        noise = point[len(free) :]
        of = [[Decimal(0)] * n_factors for _ in range(n_columns)]
        for (d, f), value in zip(free, point, strict=False):
            of[d][f] = value
        scaled = [[of[d][f] / noise[d] for f in range(n_factors)] for d in range(n_columns)]
        inner = [
            [sum((of[d][f] * scaled[d][g] for d in range(n_columns)), Decimal(f == g))
             for g in range(n_factors)] for f in range(n_factors)
        ]  # fmt: skip
        spread = [
            [sum((scaled[d][f] * moments[d][e] * scaled[e][g]
                  for d in range(n_columns) for e in range(n_columns)), Decimal(0))
             for g in range(n_factors)] for f in range(n_factors)
        ]  # fmt: skip
        if n_factors == 1:
            determinant = inner[0][0]
            trace = spread[0][0] / determinant
        else:
            (a, b), (c, d) = inner
            determinant = a * d - b * c
            trace = d * spread[0][0] - b * spread[1][0] - c * spread[0][1] + a * spread[1][1]
            trace /= determinant
        whole = sum((moments[d][d] / noise[d] for d in range(n_columns)), Decimal(0)) - trace
        logs = sum((x.ln() for x in noise), Decimal(0)) + determinant.ln()
        return -(len(rows) * logs + whole) / 2

    def reported(point: np.ndarray) -> np.ndarray:
        """Loadings with loadings^T noise^-1 loadings diagonal, in the fit's order and signs."""
        of, noise = np.zeros((n_columns, n_factors)), point[len(free) :]
        for (d, f), value in zip(free, point, strict=False):
            of[d, f] = value
        _, axes = np.linalg.eigh(of.T @ (of / noise[:, None]))
        turned = of @ axes
        agree = turned.T @ params.loadings
        order = np.abs(agree).argmax(axis=0)
        signs = np.sign(agree[order, np.arange(n_factors)])
        return np.concatenate([(turned[:, order] * signs).ravel(), noise])

    at = np.array([*(lower[d, f] for d, f in free), *params.noise_variance])
    steps = 1e-6 * np.eye(len(at))
    slopes = np.array([(reported(at + h) - reported(at - h)) / 2e-6 for h in steps]).T
    errors = np.sqrt(np.diag(slopes @ covariance(log_likelihood, at) @ slopes.T))
    names = [f"loading ({d + 1}, {f + 1})" for d in range(n_columns) for f in range(n_factors)]
    names += [f"noise variance ({d + 1})" for d in range(n_columns)]
    close(errors, errors_of(found, *names))
