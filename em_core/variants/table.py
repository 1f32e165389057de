"""EM and its relatives: another q, another M-step, or another way up the same likelihood.

Each is a function (model, data, params, rng) -> steps, beside the models and not a copy of any.
`VARIANTS` is the table of them; `run` prices their steps and says when they are done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any, Literal, NamedTuple

import numpy as np

from em_core.coordinates.coordinates import has_coordinates
from em_core.data import check, prepare
from em_core.em import em, remaining_gain
from em_core.protocols import Emission, optional
from em_core.variants.amortised import amortised
from em_core.variants.annealed import annealed_em
from em_core.variants.direct import gradient_ascent, l_bfgs
from em_core.variants.generalised import MOST_BLOCKS, conditional_em, gradient_em
from em_core.variants.hard import hard_em
from em_core.variants.incremental import PARTS, incremental_em, online_em
from em_core.variants.mean_field import mean_field_em
from em_core.variants.squarem import squarem
from em_core.variants.steps import Step
from em_core.variants.stochastic import monte_carlo_em, stochastic_em
from em_core.variants.variational_bayes import variational_bayes

# The laws a variant may claim; `tests/engine/variants/test_variants.py` holds each to its claims.
#   below: its bound never exceeds the log-likelihood
#   touches: its bound is the log-likelihood after every E half-step
#   climbs: its bound never falls
#   likelihood climbs: the log-likelihood never falls from one iteration to the next
#   stationary: it ends where the gradient of the log-likelihood is zero, as EM does
#   unbiased: its expected statistics are those of EM on average over the draws
Law = Literal["below", "touches", "climbs", "likelihood climbs", "stationary", "unbiased"]


class Variant(NamedTuple):
    """One relative of EM.

    label, meaning: for people; run(model, data, params, rng): its steps, usually without end.
    laws: what it claims, of `Law`; takes(model, data): whether it applies.
    turns: so many iterations make a whole one, where each sees a part of data or parameters.
    """

    label: str
    meaning: str
    run: Callable[..., Iterator[Step]]
    laws: frozenset[Law]
    takes: Callable[[Any, Any], bool]
    turns: int = 1


def exact_em(model, data, params, rng) -> Iterator[Step]:
    """EM itself."""
    for step in em(model, data, params, tolerance=0, max_iterations=1_000_000):
        known = {name: value for name, value in step._asdict().items() if name in Step._fields}
        yield Step(**known, passes=step.iteration + (step.phase != "M"))


def _any(model, data) -> bool:
    return True


def _coordinated(model, data) -> bool:
    return has_coordinates(model)


def _discrete(model, data) -> bool:
    return optional(model, "latent") in ("labels", "path")


def _mixture(model, data) -> bool:
    return optional(model, "latent") == "labels"


def _additive(model, data) -> bool:
    """Whether statistics of parts add up though different parameters gave their q."""
    additive = _discrete(model, data) and optional(model.emission, "additive", Emission)
    return bool(additive) and len(data) >= 2


def _mean_field(model, data) -> bool:
    return optional(model, "latent") in ("path", "factors")


def _bayesian(model, data) -> bool:
    return (
        _mixture(model, data)
        and optional(model.emission, "conjugate") == "normal-Wishart"
        and bool(np.isfinite(data).all())
    )


def _linear_gaussian(model, data) -> bool:
    return bool(optional(model, "one_noise")) and bool(np.isfinite(data).all())


_EXACT: frozenset[Law] = frozenset(
    {"below", "touches", "climbs", "likelihood climbs", "stationary"}
)

VARIANTS = {
    "exact": Variant("EM", "q is the posterior, the M-step a maximum", exact_em, _EXACT, _any),
    "hard": Variant(
        "Hard EM",
        "q puts all on the most probable assignment: the bound never touches, as in k-means",
        hard_em,
        frozenset({"below", "climbs"}),
        _discrete,
    ),
    "annealed": Variant(
        "Annealed EM",
        "q starts flat and is sharpened to the posterior: less depends on the start",
        annealed_em,
        frozenset({"below", "stationary"}),
        _mixture,
    ),
    "gradient": Variant(
        "Generalised EM",
        "the M-step is one step up the gradient of the bound",
        gradient_em,
        _EXACT - {"stationary"},
        _coordinated,
    ),
    "conditional": Variant(
        "ECM",
        "the M-step maximises over one array of parameters at a time",
        conditional_em,
        _EXACT,
        _coordinated,
        turns=MOST_BLOCKS,
    ),
    "incremental": Variant(
        "Incremental EM",
        "an M-step after each tenth of the data, with kept statistics of the rest",
        incremental_em,
        frozenset({"below", "climbs", "stationary"}),
        _additive,
        turns=PARTS,
    ),
    "online": Variant(
        "Online EM",
        "an M-step after each tenth of the data, on statistics that fade",
        online_em,
        frozenset(),
        _additive,
    ),
    "stochastic": Variant(
        "Stochastic EM",
        "one random assignment drawn from the posterior: it never settles",
        stochastic_em,
        frozenset({"below", "unbiased"}),
        _discrete,
    ),
    "monte-carlo": Variant(
        "Monte-Carlo EM",
        "more and more assignments drawn from the posterior",
        monte_carlo_em,
        frozenset({"below", "unbiased"}),
        _discrete,
    ),
    "mean-field": Variant(
        "Mean-field EM",
        "q is a product: over frames a gap stays, over factors the loadings turn until it closes",
        mean_field_em,
        frozenset({"below", "climbs"}),
        _mean_field,
    ),
    "bayes": Variant(
        "Variational Bayes",
        "parameters are latent too: components that explain little switch themselves off",
        variational_bayes,
        frozenset({"climbs"}),
        _bayesian,
    ),
    "squarem": Variant(
        "SQUAREM",
        "two iterations of EM point out a jump, taken only if the likelihood does not fall",
        squarem,
        frozenset({"below", "touches", "likelihood climbs", "stationary"}),
        _coordinated,
    ),
    "ascent": Variant(
        "Gradient ascent",
        "straight up the log-likelihood, without a bound",
        gradient_ascent,
        frozenset({"likelihood climbs"}),
        _coordinated,
    ),
    "l-bfgs": Variant(
        "L-BFGS",
        "SciPy's quasi-Newton method on the log-likelihood, without a bound",
        l_bfgs,
        frozenset({"likelihood climbs", "stationary"}),
        _coordinated,
    ),
    "amortised": Variant(
        "Amortised posterior",
        "an encoder learns to say q at a glance: a linear variational auto-encoder",
        amortised,
        frozenset({"below"}),
        _linear_gaussian,
    ),
}


def run(
    variant: Variant,
    model,
    data,
    params,
    *,
    seed: int = 0,
    tolerance: float = 1e-6,
    max_passes: float = 200,
) -> Iterator[Step]:
    """The steps of a variant from `params`, priced, until it is done.

    Log-likelihoods that the algorithm does not know are computed beside it; neither their passes
    nor their seconds count. Done is after max_passes over the data; for one that claims a climb,
    also once less than `tolerance` nats are estimated to be left to gain; for any, where its steps
    end or its log-likelihood is not finite.
    Variants know no weights: give each row as often as its frequency says, by `copies`.
    Raises ValueError where the variant does not apply.
    """
    data = check(model, data)
    if not variant.takes(model, data):
        raise ValueError(f"{variant.label} does not apply to this model")
    steps = variant.run(model, data, params, np.random.default_rng(seed))
    prepared = prepare(model, data)
    heights: list[float] = []
    seconds = 0.0
    while True:
        began = perf_counter()
        step = next(steps, None)
        seconds += perf_counter() - began
        if step is None:
            return
        if np.isnan(step.log_likelihood):
            height = float(model.e_step(step.params, prepared).log_likelihood)
            step = step._replace(log_likelihood=height)
        yield step._replace(seconds=seconds)
        if step.passes >= max_passes or not np.isfinite(step.log_likelihood):
            return
        if step.iteration % variant.turns or (step.phase == "M") == ("climbs" in variant.laws):
            continue
        if "climbs" in variant.laws:
            heights.append(step.elbo)
        elif "likelihood climbs" in variant.laws:
            heights.append(step.log_likelihood)
        if remaining_gain(heights) < tolerance:
            return
