"""What people report of a model, as functions of its parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from em_core.coordinates.domains import (
    Between,
    Chances,
    Covariances,
    Derived,
    Fixed,
    Oriented,
    Positive,
    Real,
    Shares,
    Triangular,
)
from em_core.models.factor_analysis.rotation import varimax
from em_core.models.two_level.model import TwoLevel, intraclass_correlation
from em_core.protocols import Columns
from em_core.standardised import as_it_is

# On which scale an interval is symmetric: as it is, by logarithms, by log odds, or by Fisher's z;
# None where there is nothing to estimate.
Scale = Literal["real", "log", "logit", "correlation"] | None


class Quantity(NamedTuple):
    """Several numbers of one kind: where each stands, from 0, and on which scale it varies."""

    name: str
    places: list[tuple[int, ...]]
    scales: list[Scale]
    values: np.ndarray


def all_of(name: str, scale: Scale, values) -> Quantity:
    """Every entry of an array."""
    values = np.asarray(values, dtype=float)
    return Quantity(name, list(np.ndindex(values.shape)), [scale] * values.size, values.ravel())


def quantities(model, params, like) -> list[Quantity]:
    """Everything that is reported of parameters: weights, means, standard deviations, correlations,
    probabilities, rates, transitions, loadings.

    like: parameters nearby, whose factors' order and signs are kept.
    """
    model = as_it_is(model)
    found = list(_of(model, model.domains(params), params, like))
    if isinstance(model, TwoLevel):
        found.append(all_of("intraclass correlation", "logit", intraclass_correlation(params)))
    return found


def entries(model, params, like) -> list[Quantity]:
    """Every entry of every array of parameters, in their order, factors turned as those of `like`:
    to be put back into their shape by `shaped`."""
    turned = _turned(params, like)
    return list(_entries(as_it_is(model).domains(turned), turned))


def shaped(like, numbers: np.ndarray):
    """Numbers of all entries, in their order, in the shape of parameters."""
    return _shaped(like, iter(numbers))


def _shaped(like, numbers: Iterator[float]):
    if isinstance(like, tuple):
        # Not by the type's own constructor, which may take nothing but parameters.
        return type(like)._make(_shaped(part, numbers) for part in like)
    shape = np.shape(like)
    return np.array([next(numbers) for _ in range(int(np.prod(shape)))]).reshape(shape)


def _entries(domains, params) -> Iterator[Quantity]:
    for field, domain, part in zip(params._fields, domains, params, strict=True):
        if _has_parts(domain):
            yield from _entries(domain, part)
            continue
        entry = all_of(field, scale_of(domain), part)
        if isinstance(domain, Covariances | Oriented):
            scales: list[Scale] = [
                "log" if place[-1] == place[-2] else "real" for place in entry.places
            ]
            entry = entry._replace(scales=scales)
        yield entry


def _of(model, domains, params, like) -> Iterator[Quantity]:
    for field, domain, part, near in zip(params._fields, domains, params, like, strict=True):
        if _has_parts(domain):
            yield from _of(model, domain, part, near)
        elif isinstance(domain, Covariances | Oriented):
            yield from _of_covariances(model, domain, part, params)
        elif field == "loadings":
            yield from _of_loadings(part, params, near, like)
        elif not isinstance(domain, Fixed | Triangular):
            # Stationary probabilities have no domain of their own.
            derived = isinstance(domain, Derived)
            name = "initial probability" if derived else domain.names[0][0]
            yield _possible(all_of(name, scale_of(domain), part), domain)


def _has_parts(domain) -> bool:
    return isinstance(domain, tuple) and not isinstance(domain, Derived)


def _possible(quantity: Quantity, domain) -> Quantity:
    """Without what is ruled out: levels that a column has not, transitions that cannot happen."""
    if not isinstance(domain, Shares):
        return quantity
    kept = np.flatnonzero(domain.allowed)
    places, scales = ([part[i] for i in kept] for part in quantity[1:3])
    return Quantity(quantity.name, places, scales, quantity.values[kept])


def scale_of(domain) -> Scale:
    """On which scale the numbers of a domain vary."""
    if isinstance(domain, Shares | Chances | Derived):
        return "logit"
    if isinstance(domain, Positive | Between):
        return "log"
    return "real" if isinstance(domain, Real) else None


def _of_covariances(model, domain, covariances, params) -> Iterator[Quantity]:
    deviations = np.sqrt(np.einsum("...dd->...d", covariances))
    units = deviations[..., :, None] * deviations[..., None, :]
    name = "standard deviation"
    if isinstance(domain, Covariances):
        name = domain.names[0][0]
    emission = getattr(model, "emission", None)
    if isinstance(emission, Columns):
        # Those of the rows; of t distributions the covariances are scale matrices.
        deviations = emission.column_deviations(params)
    yield all_of(name, "log", deviations)
    rows, columns = np.tril_indices(covariances.shape[-1], -1)
    if _is_diagonal(domain) or not len(rows):
        return
    values = (covariances / units)[..., rows, columns]
    pairs: list[tuple[int, ...]] = [
        (*place[:-1], int(columns[place[-1]]), int(rows[place[-1]]))
        for place in np.ndindex(values.shape)
    ]
    name = name.replace("standard deviation", "correlation")
    yield Quantity(name, pairs, ["correlation"] * len(pairs), values.ravel())


def _is_diagonal(domain) -> bool:
    if isinstance(domain, Oriented):
        return domain.shared[2] is None
    return not len(domain.lower[0])


def _of_loadings(loadings, params, near, like) -> Iterator[Quantity]:
    """Unrotated, in units of the data; of columns of variance 1, unrotated and after varimax; and
    how much of each column's variance is its own."""
    noise = params.noise
    units = np.sqrt((loadings**2).sum(axis=-1) + noise)[..., None]
    standardised = loadings / units
    near_units = np.sqrt((near**2).sum(axis=-1) + like.noise)[..., None]
    unrotated = canonical(loadings, noise, near)
    yield all_of("loading", "real", unrotated)
    yield all_of("standardised loading", "real", unrotated / units)
    rotated = np.empty(np.shape(loadings))
    for k in np.ndindex(loadings.shape[:-2]):
        target = varimax((near / near_units)[k]).loadings
        rotated[k] = matched(varimax(standardised[k]).loadings, target)
    yield all_of("varimax loading", "real", rotated)
    yield all_of("uniqueness", "logit", noise / units[..., 0] ** 2)


def canonical(loadings: np.ndarray, noise: np.ndarray, like: np.ndarray | None = None):
    """Loadings rotated so that loadings^T noise^-1 loadings is diagonal, its largest entry first
    (Lawley & Maxwell 1971): each factor with a positive sum, or with the order and sign of `like`.
    """
    precisions = np.swapaxes(loadings, -1, -2) @ (loadings / noise[..., None])
    axes = np.linalg.eigh(precisions)[1][..., ::-1]
    turned = loadings @ axes
    if like is None:
        return turned * np.where(turned.sum(axis=-2, keepdims=True) < 0, -1, 1)
    for k in np.ndindex(turned.shape[:-2]):
        turned[k] = matched(turned[k], like[k])
    return turned


def matched(loadings: np.ndarray, like: np.ndarray) -> np.ndarray:
    """The same factors (D, q) in the order and with the signs that are most like others (D, q)."""
    # SciPy's optimisers take longer to import than all of em_core may.
    from scipy.optimize import linear_sum_assignment

    products = like.T @ loadings
    order = linear_sum_assignment(np.abs(products), maximize=True)[1]
    signs = np.where(products[np.arange(len(order)), order] < 0, -1, 1)
    return loadings[:, order] * signs


def in_canonical_form(params):
    """Parameters with their loadings, if there are any, in the form of `canonical`."""
    return _turned(params, None)


def _turned(params, like):
    """In the form of `canonical`, with the order and signs of `like` where there is one."""
    parts = {}
    for name, part in zip(params._fields, params, strict=True):
        near = None if like is None else getattr(like, name)
        if isinstance(part, tuple):
            parts[name] = _turned(part, near)
        elif name == "loadings":
            parts[name] = canonical(part, params.noise, near)
    return type(params)(**(params._asdict() | parts)) if parts else params
