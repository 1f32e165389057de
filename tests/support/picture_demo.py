"""Pictures to test the player with: a few lines of EM on generated data, without em_core."""

from collections.abc import Iterator

import numpy as np

from pages.ui.pictures.leaders import leaders_of_each
from pages.ui.pictures.picture import Picture


def demo_picture(
    n_points: int = 500,
    n_components: int = 5,
    n_iterations: int = 60,
    n_columns: int = 2,
    seed: int = 0,
    matrix: bool = False,
    **changes: object,
) -> Picture:
    """A picture of EM on overlapping Gaussian clusters."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 3.0, (n_components, n_columns))
    labels = rng.integers(n_components, size=n_points)
    mixing = rng.normal(0, 1.0, (n_components, n_columns, n_columns))
    noise = rng.normal(size=(n_points, n_columns))
    data = centres[labels] + np.einsum("nij,nj->ni", mixing[labels], noise)
    data = data * np.linspace(1.0, 12.0, n_columns) + 40.0
    frames = list(_em(data, n_components, n_iterations, rng))
    iterations, phases, weights, means, covariances, posterior, elbo, log_likelihood = zip(
        *frames, strict=True
    )
    picture = Picture(
        run=f"demo-{n_points}-{n_components}-{n_iterations}-{n_columns}-{seed}-{matrix}",
        columns=tuple(f"column {i + 1} (mm)" for i in range(n_columns)),
        positions=data,
        rows=np.arange(1, n_points + 1),
        panels=_panels(n_columns, matrix),
        components=tuple(f"component {k + 1}" for k in range(n_components)),
        iterations=np.array(iterations),
        phases=phases,
        elbo=np.array(elbo),
        log_likelihood=np.array(log_likelihood),
        weights=np.array(weights),
        means=np.array(means),
        covariances=np.array(covariances),
        posterior=np.array(posterior),
        leaders=(),
        captions=tuple(
            f"{'Start' if p == 'start' else f'{p}-step {i}'}: log-likelihood {ll:,.2f}, "
            f"KL gap {ll - b:,.2f} nats"
            for i, p, ll, b in zip(iterations, phases, log_likelihood, elbo, strict=True)
        ),
        flags=tuple(() for _ in frames),
        running=False,
        note="",
    )
    picture = picture._replace(leaders=leaders_of_each(posteriors_of(picture)))
    return picture._replace(**changes)


def _panels(n_columns: int, matrix: bool) -> tuple[tuple[int, ...], ...]:
    if n_columns == 1:
        return ((0,),)
    if not matrix:
        return ((0, 1),)
    return tuple((i, j) if i < j else (i,) for i in range(n_columns) for j in range(i, n_columns))


def _log_joint(data: np.ndarray, weights: np.ndarray, means: np.ndarray, covs: np.ndarray):
    columns = []
    for weight, mean, cov in zip(weights, means, covs, strict=True):
        factor = np.linalg.cholesky(cov)
        z = np.linalg.solve(factor, (data - mean).T)
        log_det = 2 * np.log(np.diag(factor)).sum()
        constant = data.shape[1] * np.log(2 * np.pi)
        columns.append(np.log(weight) - 0.5 * (np.sum(z * z, axis=0) + log_det + constant))
    return np.stack(columns, axis=1)


def _normalise(log_joint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    top = log_joint.max(axis=1, keepdims=True)
    evidence = top + np.log(np.exp(log_joint - top).sum(axis=1, keepdims=True))
    return np.exp(log_joint - evidence), evidence.ravel()


def _em(data: np.ndarray, k: int, n_iterations: int, rng: np.random.Generator) -> Iterator[tuple]:
    """Half-steps: iteration, phase, weights, means, covariances, posterior, two curves."""
    d = data.shape[1]
    weights = np.full(k, 1 / k)
    means = data[rng.choice(len(data), k, replace=False)]
    covs = np.repeat(np.cov(data.T).reshape(1, d, d) / k, k, axis=0)
    q, evidence = _normalise(_log_joint(data, weights, means, covs))
    yield 0, "start", weights, means, covs, 0, evidence.sum(), evidence.sum()
    for i in range(1, n_iterations + 1):
        sizes = q.sum(axis=0) + 1e-9
        weights, means = sizes / sizes.sum(), (q.T @ data) / sizes[:, None]
        covs = np.stack(
            [
                (q[:, j, None] * (data - means[j])).T @ (data - means[j]) / sizes[j]
                + 1e-6 * np.eye(d)
                for j in range(k)
            ]
        )
        log_joint = _log_joint(data, weights, means, covs)
        entropy = -np.sum(np.where(q > 0, q * np.log(np.where(q > 0, q, 1)), 0))
        bound = np.sum(q * log_joint) + entropy
        q, evidence = _normalise(log_joint)
        yield i, "M", weights, means, covs, i - 1, bound, evidence.sum()
        yield i, "E", weights, means, covs, i, evidence.sum(), evidence.sum()


def posteriors_of(picture: Picture) -> Iterator[np.ndarray]:
    """(n, K) of each half-step of a demonstration that has a posterior of its own."""
    parts = zip(picture.phases, picture.weights, picture.means, picture.covariances, strict=True)
    for phase, *params in parts:
        if phase != "M":
            yield _normalise(_log_joint(picture.positions, *params))[0]
