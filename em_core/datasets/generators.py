"""Seeded generators of tables with known truth.

Every generator is a function (n, n_components, n_columns, rng) -> Dataset, listed in GENERATORS
and called through `generate`, which checks the arguments.
"""

from collections.abc import Callable

import numpy as np

from em_core.datasets.dataset import Dataset, Truth


def generate(
    kind: str, n: int, n_components: int, n_columns: int, rng: np.random.Generator
) -> Dataset:
    """Draw n rows of a generated data set of one of the kinds in `GENERATORS`.

    The same arguments and the same state of `rng` give the same Dataset. Raises ValueError for an
    unknown kind, and for counts below 1.
    """
    if kind not in GENERATORS:
        raise ValueError(f"There is no generator {kind!r}: choose one of {', '.join(GENERATORS)}.")
    for value, what in (
        (n, "rows"),
        (n_components, "components"),
        (n_columns, "columns"),
    ):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"The number of {what} must be a whole number from 1 up, not {value}.")
    return GENERATORS[kind][0](int(n), int(n_components), int(n_columns), rng)


def separated(n: int, n_components: int, n_columns: int, rng: np.random.Generator) -> Dataset:
    """Equal weights, nearly round covariances, means at least 8 standard deviations apart."""
    means = _spread_means(n_components, n_columns, 8.0, rng)
    deviations = rng.uniform(0.7, 1.3, (n_components, n_columns))
    truth = Truth(_equal(n_components), means, _turned(deviations, rng))
    return _sample("separated", truth, n, rng)


def overlapping(n: int, n_components: int, n_columns: int, rng: np.random.Generator) -> Dataset:
    """Equal weights, unit covariances, means as close as 2 standard deviations."""
    means = _spread_means(n_components, n_columns, 2.0, rng)
    covariances = np.tile(np.eye(n_columns), (n_components, 1, 1))
    return _sample("overlapping", Truth(_equal(n_components), means, covariances), n, rng)


def anisotropic(n: int, n_components: int, n_columns: int, rng: np.random.Generator) -> Dataset:
    """Each component has one long axis, 8 times the others, in a direction of its own.

    In one column the standard deviations alternate between wide and narrow instead.
    """
    means = _spread_means(n_components, n_columns, 4.0, rng)
    deviations = np.full((n_components, n_columns), 0.3)
    if n_columns == 1:
        deviations[::2] = 2.4
    else:
        deviations[:, 0] = 2.4
    truth = Truth(_equal(n_components), means, _turned(deviations, rng))
    return _sample("anisotropic", truth, n, rng)


def unequal(n: int, n_components: int, n_columns: int, rng: np.random.Generator) -> Dataset:
    """Weights fall geometrically until the last is a twentieth of the first."""
    weights = 20.0 ** -np.linspace(0.0, 1.0, n_components)
    means = _spread_means(n_components, n_columns, 5.0, rng)
    deviations = rng.uniform(0.7, 1.3, (n_components, n_columns))
    truth = Truth(weights / weights.sum(), means, _turned(deviations, rng))
    return _sample("unequal", truth, n, rng)


def nested(n: int, n_components: int, n_columns: int, rng: np.random.Generator) -> Dataset:
    """One centre, covariances scale**2 I: each component lies inside the next wider one.

    The scales grow by a factor of 3, or by less where the widest would pass 3**5 times the first.
    """
    ratio = min(3.0, 3.0 ** (5 / max(n_components - 1, 1)))
    scales = ratio ** np.arange(n_components)
    covariances = scales[:, None, None] ** 2 * np.eye(n_columns)
    truth = Truth(_equal(n_components), np.zeros((n_components, n_columns)), covariances)
    return _sample("nested", truth, n, rng)


def near_singular(n: int, n_components: int, n_columns: int, rng: np.random.Generator) -> Dataset:
    """Each component is flat: one axis has a standard deviation of 0.001, the others 1.

    In one column every other component, the first included, is that narrow.
    """
    means = _spread_means(n_components, n_columns, 4.0, rng)
    deviations = np.ones((n_components, n_columns))
    if n_columns == 1:
        deviations[::2] = 1e-3
    else:
        deviations[:, 0] = 1e-3
    truth = Truth(_equal(n_components), means, _turned(deviations, rng))
    return _sample("near-singular", truth, n, rng)


def outliers(n: int, n_components: int, n_columns: int, rng: np.random.Generator) -> Dataset:
    """Separated components, plus 5 % of the rows from one wide Gaussian around them all.

    The truth has K + 1 components: the wide one comes last, its rows are labelled "outlier".
    """
    means = _spread_means(n_components, n_columns, 8.0, rng)
    deviations = rng.uniform(0.7, 1.3, (n_components, n_columns))
    spread = 20.0 + 2.0 * means.std(axis=0).max()
    covariances = np.concatenate(
        [_turned(deviations, rng), spread**2 * np.eye(n_columns)[np.newaxis]]
    )
    truth = Truth(
        np.append(0.95 * _equal(n_components), 0.05),
        np.vstack([means, means.mean(axis=0)]),
        covariances,
    )
    names = (*_component_names(n_components), "outlier")
    return _sample("outliers", truth, n, rng, names)


def moons(n: int, n_components: int, n_columns: int, rng: np.random.Generator) -> Dataset:
    """Interlocking half circles, opening down and up in turn, with noise of 0.08.

    Further columns hold noise alone; with one column only the horizontal position is kept. No
    Gaussian mixture has this shape: the truth is None.
    """
    component = rng.integers(n_components, size=n)
    angle = rng.uniform(0.0, np.pi, n)
    upward = component % 2 == 1
    across = 1.2 * component + np.cos(angle)
    height = np.where(upward, 0.5 - np.sin(angle), np.sin(angle))
    return _shape("moons", across, height, component, n_components, n_columns, rng)


def rings(n: int, n_components: int, n_columns: int, rng: np.random.Generator) -> Dataset:
    """Circles of radius 1 to K around one centre, weights in proportion to the radius, noise 0.08.

    Further columns hold noise alone; with one column only the horizontal position is kept. No
    Gaussian mixture has this shape: the truth is None.
    """
    radii = np.arange(1, n_components + 1)
    component = rng.choice(n_components, size=n, p=radii / radii.sum())
    angle = rng.uniform(0.0, 2.0 * np.pi, n)
    across = radii[component] * np.cos(angle)
    height = radii[component] * np.sin(angle)
    return _shape("rings", across, height, component, n_components, n_columns, rng)


Generator = Callable[[int, int, int, np.random.Generator], Dataset]

# name -> (function, what a person reads in the list)
GENERATORS: dict[str, tuple[Generator, str]] = {
    "separated": (separated, "Clusters far apart, which some starts miss all the same."),
    "overlapping": (overlapping, "Round clusters that run into each other."),
    "anisotropic": (anisotropic, "Long thin clusters, each pointing its own way."),
    "unequal": (unequal, "Large and small clusters: the smallest has a twentieth of the largest."),
    "nested": (nested, "Clusters inside each other, around one centre."),
    "near-singular": (near_singular, "Clusters that are almost flat: covariances near collapse."),
    "outliers": (outliers, "Clusters far apart, and one row in twenty scattered widely."),
    "moons": (moons, "Interlocking half circles: no Gaussian cluster has this shape."),
    "rings": (rings, "Circles inside each other: no Gaussian cluster has this shape."),
}


def _component_names(n_components: int) -> tuple[str, ...]:
    return tuple(f"component {k + 1}" for k in range(n_components))


def _column_names(n_columns: int) -> tuple[str, ...]:
    return tuple(f"x{j + 1}" for j in range(n_columns))


def _equal(n_components: int) -> np.ndarray:
    return np.full(n_components, 1.0 / n_components)


def _spread_means(
    n_components: int, n_columns: int, distance: float, rng: np.random.Generator
) -> np.ndarray:
    """Means (K, D) of which no two are closer than `distance`, in a cube that is hardly larger.

    Random darts: the cube grows by a tenth whenever 30 of them have failed, so that it is about
    as small as it can be in any number of columns.
    """
    means = rng.uniform(-0.5, 0.5, (1, n_columns))
    side = distance / np.sqrt(n_columns)
    while len(means) < n_components:
        darts = rng.uniform(-side / 2, side / 2, (30, n_columns))
        gaps = np.linalg.norm(darts[:, np.newaxis] - means, axis=2).min(axis=1)
        if gaps.max() >= distance:
            # The first dart that fits, not the farthest: the farthest would line the means up.
            means = np.vstack([means, darts[np.argmax(gaps >= distance)]])
        else:
            side *= 1.1
    return rng.permutation(means)


def _turned(deviations: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Covariances (K, D, D) with these standard deviations (K, D) along random orthogonal axes."""
    n_columns = deviations.shape[1]
    covariances = np.empty((*deviations.shape, n_columns))
    for k, deviation in enumerate(deviations):
        axes, _ = np.linalg.qr(rng.standard_normal((n_columns, n_columns)))
        half = axes * deviation
        covariances[k] = half @ half.T
    return covariances


def _sample(
    kind: str,
    truth: Truth,
    n: int,
    rng: np.random.Generator,
    names: tuple[str, ...] | None = None,
) -> Dataset:
    """Draw n independent rows from a Gaussian mixture."""
    n_components, n_columns = truth.means.shape
    component = rng.choice(n_components, size=n, p=truth.weights)
    values = rng.standard_normal((n, n_columns))
    for k in range(n_components):
        # By eigenvectors, not Cholesky: the flat covariances may be singular to rounding.
        variances, axes = np.linalg.eigh(truth.covariances[k])
        half = axes * np.sqrt(np.maximum(variances, 0.0))
        rows = component == k
        values[rows] = truth.means[k] + values[rows] @ half.T
    names = names or _component_names(n_components)
    return _dataset(kind, values, component, names, truth)


def _shape(
    kind: str,
    across: np.ndarray,
    height: np.ndarray,
    component: np.ndarray,
    n_components: int,
    n_columns: int,
    rng: np.random.Generator,
) -> Dataset:
    """A shape in the first two columns, with noise of 0.08 in every column."""
    values = 0.08 * rng.standard_normal((len(across), max(n_columns, 2)))
    values[:, 0] += across
    values[:, 1] += height
    values = np.ascontiguousarray(values[:, :n_columns])
    return _dataset(kind, values, component, _component_names(n_components), None)


def _dataset(
    kind: str,
    values: np.ndarray,
    component: np.ndarray,
    names: tuple[str, ...],
    truth: Truth | None,
) -> Dataset:
    return Dataset(
        kind,
        _column_names(values.shape[1]),
        values,
        tuple(names[k] for k in component),
        "true component",
        GENERATORS[kind][1],
        "generated",
        truth,
    )
