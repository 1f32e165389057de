"""Standard errors and intervals from the curvature of the log-likelihood at its top."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from em_core.data import as_numbers
from em_core.em import n_observations_of
from em_core.fit import Fit, counted, ready
from em_core.inference.uncertainty.delta import Reported, by_delta_method, named
from em_core.inference.uncertainty.polishing import Top, polished
from em_core.inference.uncertainty.quantities import (
    entries,
    in_canonical_form,
    quantities,
    shaped,
)
from em_core.inference.uncertainty.robust import sandwich
from em_core.inference.uncertainty.surface import Surface
from em_core.partitions.partitions import Partitions

# The log-likelihood of a fit's own data is the fit's to rounding.
SAME = 1e-7


class Intervals(NamedTuple):
    """Standard errors and intervals of a fit, at the top of the likelihood near it.

    params: those of the top, factors unrotated (loadings^T noise^-1 loadings is diagonal).
    standard_errors, lower, upper: in the shape of these, NaN where there is none.
    reported: the same of what people report; root (M, s): one of their covariance.
    at_limit: what lies at a limit, and is held fixed. identified: whether all else can be told.
    robust: whether the covariance is the sandwich. moved: how far the fit was from the top, in
    standard errors. sentences: what a person should know of the intervals.
    """

    params: Any
    standard_errors: Any
    lower: Any
    upper: Any
    reported: tuple[Reported, ...]
    root: np.ndarray
    at_limit: tuple[str, ...]
    identified: bool
    level: float
    robust: bool
    moved: float
    sentences: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """(M,) of what is reported: "mean (2, 1)"."""
        return tuple(row.name for row in self.reported)

    @property
    def covariance(self) -> np.ndarray:
        """(M, M) of the estimates of what is reported; NaN beside what has no interval."""
        return self.root @ self.root.T


def intervals(
    result: Fit, data, level: float = 0.95, weights=None, clusters=None, *, robust: bool = False
) -> Intervals:
    """Wald intervals: estimate -+ z standard errors, from the observed information.

    First the fit is polished until the score is zero. The information is minus the derivative of
    the exact score, which is that of Q where it touches (Fisher's identity: Oakes 1999), along all
    directions in which the distribution changes; what is reported follows by the delta method.
    Intervals are symmetric on the scale of the number: logarithms of deviations, variances and
    rates, log odds of probabilities, Fisher's z of correlations.

    data: those of the fit, also in pieces, which are gone over some hundred times. weights: those
    of the fit; frequencies count as that many rows. Of sampling weights, whose
    curvature says nothing of how sure a parameter is, intervals are always robust ones. robust: the
    sandwich information^-1 [sum of score score^T] information^-1 of rows, sequences or groups
    (Huber 1967; White 1982), which holds where the model does not. clusters: (N,) labels of those
    that belong together: their scores are added first, and of G clusters the factor is G / (G - 1).
    Raises ValueError for other data or weights than the fit's, a level that is none, fewer clusters
    than parameters or 30, and where no top is near.
    """
    if not 0 < level < 1:
        raise ValueError(f"a level of {level} is none: choose one between 0 and 1, as 0.95")
    # SciPy's special functions take longer to import than all of em_core may.
    from scipy.special import ndtri

    model, data = ready(result.model, data)
    n_rows, given = len(data), weights
    data, weights = counted(model, data, weights, result.weights_kind)
    if given is not None and clusters is not None and np.shape(clusters) == (n_rows,):
        clusters = np.asarray(clusters)[as_numbers(given) > 0]
    surface = surface_of(result, data, weights)
    top = polished(surface, surface.coordinates.vector(result.params))
    sampling = result.weights_kind == "sampling"
    if isinstance(data, Partitions) and (robust or clusters is not None):
        raise ValueError("intervals of tables in pieces are not robust ones: leave that out")
    robust = robust or sampling or clusters is not None
    root = sandwich(surface, top, weights, clusters, sampling) if robust else top.root
    at, z = in_canonical_form(top.point.params), float(ndtri((1 + level) / 2))
    reported, of_reported = by_delta_method(
        surface, top, root, z, partial(quantities, model, like=at)
    )
    rows, _ = by_delta_method(surface, top, root, z, partial(entries, model, like=at))
    errors, lower, upper = (
        shaped(at, np.array(numbers)) for numbers in list(zip(*rows, strict=True))[2:5]
    )
    at_limit, identified = tuple(_held(surface, top)), bool(top.known.all())
    return Intervals(
        at, errors, lower, upper, tuple(reported), of_reported, at_limit, identified, level,
        robust, float(top.moved), tuple(_sentences(at_limit, identified, sampling)),
    )  # fmt: skip


def surface_of(result: Fit, data, weights) -> Surface:
    """The likelihood of a fit's data; raises ValueError where they are not the fit's."""
    if not np.isfinite(result.log_likelihood):
        raise ValueError("the log-likelihood of the fit is no number: it has no intervals")
    surface = Surface(result.model, data, weights, result.params)
    there = surface.e_step(result.params).log_likelihood
    n = n_observations_of(result.model, data, weights)
    allowed = SAME * max(1.0, abs(result.log_likelihood), n)
    same = abs(there - result.log_likelihood) <= allowed
    if not same or not np.isclose(n, result.n_observations, rtol=1e-9):
        raise ValueError(
            "these data, or their weights, are not those of the fit: give the rows and weights it "
            "was fitted to"
        )
    return surface


def _held(surface: Surface, top: Top) -> Iterator[str]:
    for coordinate in surface.coordinates.named:
        if top.held[coordinate.position]:
            yield named(coordinate.quantity, coordinate.place)


def _sentences(at_limit: tuple[str, ...], identified: bool, sampling: bool) -> Iterator[str]:
    if sampling:
        yield "With sampling weights standard errors are robust ones (the sandwich)."
    if at_limit:
        yield (
            f"At a limit, held fixed and without an interval: {', '.join(at_limit)}. The other "
            "intervals are given these."
        )
    if not identified:
        yield (
            "The data do not tell all parameters: those that could as well be others have no "
            "interval."
        )
