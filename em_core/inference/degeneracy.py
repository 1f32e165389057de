"""Why a likelihood has no bound: equal rows, and columns that follow from one another.

A Gaussian component whose rows all lie on a point, a line or a plane becomes denser for ever as it
gets flatter (Day 1969). These functions find what its rows have in common, as equations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from em_core.half_steps import Collapse
from em_core.magnitudes import LARGEST_VALUE
from em_core.protocols import optional

# Rows closer to a plane than this, in standard deviations of the columns, are at the usual floor of
# a covariance (1e-6 of the variance) or within twice of it: whose rows they are is a matter of
# degree.
TOLERANCE = 2e-3
# What is left of an equation that holds, as a share of its largest term, is rounding below this.
ROUNDING = 1e-10
# Coefficients are whole numbers up to this, or else decimals of as few digits as hold as well.
LARGEST_WHOLE = 100
LARGEST_FACTOR = 12
FEW_DIGITS, MOST_DIGITS = 3, 15


class Dependency(NamedTuple):
    """sum_j coefficients[j] x[columns[j]] = constant, in every row looked at.

    columns: increasing, as few as there can be; a single one is constant. coefficients: small whole
    numbers or short decimals where these hold as well as any; that of the last column is positive.
    exact: whether it holds to rounding, and not only to `TOLERANCE` of the columns' spread.
    """

    columns: tuple[int, ...]
    coefficients: tuple[float, ...]
    constant: float
    exact: bool


class Tie(NamedTuple):
    """The row that occurs most often: its place, how often, and how many different rows there are.

    Rows with a missing value have no part in it.
    """

    row: int
    count: int
    n_distinct: int


class Degeneracy(NamedTuple):
    """What a collapsed component's rows have in common.

    component: from 0; None for all rows. rows: their places; none where the component is empty.
    dependencies: one column each where all rows are (nearly) equal. within: the equations hold
    between the deviations from each component's, or each group's, own mean, and have no constants.
    """

    component: int | None
    rows: np.ndarray
    dependencies: tuple[Dependency, ...]
    within: bool = False


def degeneracies(model, params, data, flags: Sequence[str]) -> tuple[Degeneracy, ...]:
    """Why each `Collapse` among the flags of a fit came about, as far as the rows can tell.

    data: as the model takes them. First what holds in all rows, if the covariances can express it.
    """
    components = list(dict.fromkeys(flag.component for flag in flags if isinstance(flag, Collapse)))
    if not components:
        return ()
    values, labels = _rows_and_labels(model, params, data)
    scale = np.nanstd(values, axis=0)
    everywhere = np.arange(len(values))
    members = {k: everywhere if k is None else np.flatnonzero(labels == k) for k in components}
    found = []
    if any(map(len, members.values())) and _tilted(model):
        whole = linear_dependencies(values)
        found += [Degeneracy(None, everywhere, whole)] * bool(whole)
    for k, rows in members.items():
        if k is None:
            if not found and labels is not None:
                within = linear_dependencies(_deviations(values, labels), scale)
                found.append(Degeneracy(None, everywhere, within, within=True))
            continue
        common = linear_dependencies(values[rows], scale) if len(rows) else ()
        if found or len(rows) <= values.shape[1]:  # so few always lie on a plane
            common = tuple(equation for equation in common if len(equation.columns) == 1)
        if not found or not len(rows) or set(common) - set(found[0].dependencies):
            found.append(Degeneracy(k, rows, common))
    return tuple(found)


def _rows_and_labels(model, params, data) -> tuple[np.ndarray, np.ndarray | None]:
    """All rows (N, D), and the component, state or group of each; None where there are none."""
    if isinstance(data, list):
        values = np.concatenate([np.asarray(part, dtype=float) for part in data])
        groups = np.repeat(np.arange(len(data)), [len(part) for part in data])
    else:
        values, groups = np.asarray(data, dtype=float), None
    values = values[:, None] if values.ndim == 1 else values
    if optional(model, "predict") is None:
        return values, groups
    labels = model.predict(params, data)
    return values, np.concatenate(labels) if isinstance(labels, list) else labels


def _tilted(model: Any) -> bool:
    """Whether columns may depend on each other within a component: unless they are `diagonal`."""
    return not optional(optional(model, "emission") or model, "diagonal")


def _deviations(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The rows less the mean of those with the same label."""
    _, places = np.unique(labels, return_inverse=True)
    missing = np.isnan(values)
    sums, counts = np.zeros((2, places.max() + 1, values.shape[1]))
    np.add.at(sums, places, np.where(missing, 0, values))
    np.add.at(counts, places, ~missing)
    return values - (sums / np.maximum(counts, 1))[places]


def most_common_row(data: np.ndarray, weights: np.ndarray | None = None) -> Tie | None:
    """Which row of (N, D) numbers, each there as often as its weight says, occurs most often, the
    first such; None where all rows have a missing value."""
    complete = np.flatnonzero(~np.isnan(data).any(axis=1))
    if not len(complete):
        return None
    # One number for a row: sorting rows as such takes twenty times as long. + 0.0: -0 is 0.
    bits = np.ascontiguousarray(data[complete] + 0.0).view(np.uint64)
    mixed = np.zeros(len(bits), dtype=np.uint64)
    for column in bits.T:
        mixed = (mixed ^ column ^ (column >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(32)
    _, first, place = np.unique(mixed, return_index=True, return_inverse=True)
    counts = np.bincount(place, None if weights is None else weights[complete]).astype(int)
    most = np.lexsort([first, -counts])[0]
    return Tie(int(complete[first[most]]), int(counts[most]), len(counts))


def linear_dependencies(
    data: np.ndarray, scale: np.ndarray | None = None, tolerance: float = TOLERANCE
) -> tuple[Dependency, ...]:
    """Which columns of (N, D) numbers are constant or follow linearly from others.

    scale (D,): units in which a deviation below `tolerance` counts as none; None for the columns'
    own standard deviations. Rows with a missing value are left out, but not for constant columns.
    There are as many equations as the covariance of the rows lacks in rank. Numbers that no model
    takes count as missing.
    """
    data = np.asarray(data, dtype=float)
    data = np.where(np.abs(data) > LARGEST_VALUE, np.nan, data)
    present = ~np.isnan(data).all(axis=0)
    spread = np.full(data.shape[1], np.inf)
    spread[present] = np.nanstd(data[:, present], axis=0)
    sizes = np.nanmax(np.abs(data), axis=0, initial=0)
    least = 1e-14 * sizes
    if scale is None:
        scale = spread
    else:
        least = np.maximum(least, tolerance * scale)
    still = spread <= least
    found = [_constant(data[:, j], j) for j in np.flatnonzero(still).tolist()]
    moving = np.flatnonzero(present & ~still)
    rows = data[:, moving]
    rows = rows[~np.isnan(rows).any(axis=1)]
    if len(rows) > 1:  # what varies only where another value is missing follows from nothing there
        varies = rows.std(axis=0) > least[moving]
        moving, rows = moving[varies], rows[:, varies]
    if len(moving) > 1 and len(rows) > 1:
        found += list(_equations(rows, moving, scale[moving], tolerance))
    return tuple(found)


def _constant(values: np.ndarray, column: int) -> Dependency:
    values = values[~np.isnan(values)]
    middle = float(np.median(values))
    return Dependency((column,), (1.0,), middle, bool(values.min() == values.max()))


def _equations(
    rows: np.ndarray, columns: np.ndarray, scale: np.ndarray, tolerance: float
) -> Iterator[Dependency]:
    """Equations between columns that all vary."""
    # All of SciPy's linear algebra takes longer to import than em_core may.
    from scipy.linalg import qr, solve_triangular

    centred = (rows - rows.mean(axis=0)) / scale
    # Of many rows NumPy makes a triangle sooner than SciPy, which knows how to pivot.
    triangle = np.linalg.qr(centred / np.sqrt(len(rows)), mode="r")
    n_columns = len(columns)
    rank = int((np.linalg.svd(triangle, compute_uv=False) > tolerance).sum())
    if rank == n_columns:
        return
    triangle, order = qr(triangle, mode="r", pivoting=True)
    left = np.abs(np.diag(triangle))[rank:].max(initial=0)
    basis, others = order[:rank], order[rank:]
    factors = solve_triangular(triangle[:rank, :rank], triangle[:rank, rank:])
    equations = np.zeros((len(others), n_columns))
    equations[:, basis] = -factors.T
    equations[np.arange(len(others)), others] = 1
    spread = np.sqrt((centred**2).mean(axis=0))
    for equation in _sparse(equations * spread, left):
        used = np.flatnonzero(equation)
        yield _recognised(rows[:, used], equation[used] / (spread * scale)[used], columns[used])


def _sparse(equations: np.ndarray, residual: float) -> np.ndarray:
    """The same equations between columns of unit variance, of as few terms as pairs of them give.

    A term no larger than what the equations leave open is none.
    """
    least = np.maximum(3 * residual, 1e-9)

    def cut(equation):
        equation = equation / np.abs(equation).max()
        return np.where(np.abs(equation) <= least, 0, equation)

    equations = np.array([cut(equation) for equation in equations])
    changed = True
    while changed:
        changed = False
        for i, j in np.argwhere(~np.eye(len(equations), dtype=bool)):
            for c in np.flatnonzero((equations[i] != 0) & (equations[j] != 0)):
                shorter = equations[i] - equations[i, c] / equations[j, c] * equations[j]
                if np.abs(shorter).max() <= least:
                    continue
                shorter = cut(shorter)
                if np.count_nonzero(shorter) < np.count_nonzero(equations[i]):
                    equations[i], changed = shorter, True
                    break
    return equations


def _recognised(rows: np.ndarray, coefficients: np.ndarray, columns: np.ndarray) -> Dependency:
    """The equation with the simplest coefficients that hold as well as the ones given."""
    centre = rows.mean(axis=0)
    centred = rows - centre
    spread, sizes = centred.std(axis=0), np.abs(rows).max(axis=0)

    def error(values):
        """What the equation leaves open, and how much of that is rounding."""
        terms = np.abs(values)
        rounding = ROUNDING * (terms * spread).max() + 1e-14 * (terms * sizes).max()
        return np.sqrt(np.mean((centred @ values) ** 2)), rounding

    left, rounding = error(coefficients)
    allowed = (2 * left + rounding) / np.abs(coefficients[-1])
    for values in _candidates(coefficients):
        if values[-1] and error(values)[0] <= allowed * np.abs(values[-1]):
            break
    values = values * np.sign(values[-1])
    # Each row says what the constant is: the shortest number among these.
    sums = rows @ values
    near = allowed * values[-1] + 1e-14 * (np.abs(values) * sizes).max()
    middle = float(np.median(sums))
    rounded = (_rounded(middle, digits) for digits in range(1, 18))
    constant = next((short for short in rounded if abs(short - middle) <= near), middle)
    return Dependency(
        tuple(map(int, columns)), tuple(map(float, values)), constant + 0.0, bool(left <= rounding)
    )


def _candidates(coefficients: np.ndarray) -> Iterator[np.ndarray]:
    """The coefficients with ever more digits: 1 and whole numbers, decimals, fractions."""
    whole = coefficients / np.abs(coefficients).min()
    if np.abs(whole).max() <= LARGEST_WHOLE:
        yield np.rint(whole)
    by_last = coefficients / coefficients[-1]
    for digits in range(1, FEW_DIGITS + 1):
        yield np.array([_rounded(value, digits) for value in by_last])
    for factor in range(2, LARGEST_FACTOR + 1):
        if np.abs(factor * whole).max() <= LARGEST_WHOLE:
            yield np.rint(factor * whole)
    for digits in range(FEW_DIGITS + 1, MOST_DIGITS + 1):
        yield np.array([_rounded(value, digits) for value in by_last])
    yield by_last


def _rounded(value: float, digits: int) -> float:
    """The nearest number of so many significant digits."""
    return float(f"{value:.{digits - 1}e}")
