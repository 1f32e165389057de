"""EM and its relatives from one start: each one's steps, and what was seen of its promises."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from em_core.data import check, copies
from em_core.em import size
from em_core.standardised import Standardised, as_it_is
from em_core.variants.steps import Step
from em_core.variants.table import VARIANTS, Variant, run
from pages.ui.text import number

# Those that draw run from several seeds: their noise is part of what there is to see.
DRAWS = ("stochastic", "monte-carlo", "online")
SEEDS = 3
# One that takes longer is stopped, so that the others get their turn.
MOST_SECONDS = 10.0
MOST_COPIES = 100_000
# More lines at once cannot be told apart.
USUAL = (
    "exact", "hard", "gradient", "incremental", "monte-carlo", "mean-field", "bayes", "squarem",
    "l-bfgs",
)  # fmt: skip
# A fall by less is rounding: see em_core.checks.laws.
ROUNDING = 1e-10
IN_WORDS = {
    "below": "bound below the likelihood",
    "touches": "touches it after every E-step",
    "climbs": "bound never falls",
    "likelihood climbs": "likelihood never falls",
    "stationary": "ends where EM has about nothing left to gain",
    "unbiased": "right on average over the draws",
}


class Lane(NamedTuple):
    """One run of one algorithm. ended: in words, why."""

    key: str
    seed: int
    steps: tuple[Step, ...]
    ended: str

    @property
    def label(self) -> str:
        return VARIANTS[self.key].label

    @property
    def log_likelihoods(self) -> np.ndarray:
        return np.array([step.log_likelihood for step in self.steps])

    @property
    def bounds(self) -> np.ndarray:
        return np.array([step.elbo for step in self.steps])


def each_as_often(data, weights) -> Any:
    """The rows, sequences or groups that relatives of EM run on, as they know no weights: each as
    often as its frequency says. Raises ValueError, in words, where that cannot be."""
    if weights is None:
        return data
    if (weights != np.round(weights)).any():
        raise ValueError(
            "EM's relatives know no weights, and only whole numbers can be rows: choose “none” "
            "under “Weights” to see them"
        )
    parts = data if isinstance(data, list) else np.ones((len(data), 1))
    total = sum(len(part) * weight for part, weight in zip(parts, weights, strict=True))
    if total > MOST_COPIES:
        raise ValueError(
            f"EM's relatives know no weights, and take each row as often as its weight says: that "
            f"would be {total:,.0f} rows, and at most {MOST_COPIES:,} can be run here. Choose "
            "“none” under “Weights” to see them"
        )
    return copies(data, weights.astype(int))


def applicable(model, data) -> list[str]:
    """The keys of those that apply to a model and its data."""
    model, data = as_it_is(model), check(model, data)
    return [key for key, variant in VARIANTS.items() if variant.takes(model, data)]


def race_work(
    model, data, start, keys: Sequence[str], max_passes: int
) -> Generator[float, None, list[Lane]]:
    """Work on a race: one lane for each algorithm, several for those that draw.

    A standardised model races in its own units, which the algorithms know nothing of.
    """
    told = _as_it_is
    if isinstance(model, Standardised):
        told = partial(_in_data_units, model, float(model.logs(data).sum()))
        model, data, start = model.model, model.own_rows(data), model.own_params(start)
    entries = [(key, seed) for key in keys for seed in range(SEEDS if key in DRAWS else 1)]
    lanes = []
    for count, (key, seed) in enumerate(entries):
        steps, ended = [], at_its_end(VARIANTS[key])
        try:
            for step in run(VARIANTS[key], model, data, start, seed=seed, max_passes=max_passes):
                steps.append(told(step))
                if step.seconds > MOST_SECONDS:
                    ended = f"stopped after {MOST_SECONDS:.0f} seconds"
                    break
                if step.passes >= max_passes:
                    ended = f"stopped after {max_passes:,} passes"
                yield (count + min(step.passes / max_passes, 1)) / len(entries)
        except np.linalg.LinAlgError:
            ended = "a covariance became singular"
        if steps:
            lanes.append(Lane(key, seed, tuple(steps), ended))
    return lanes


def at_its_end(variant: Variant) -> str:
    """Why one that was not stopped has ended. The log-likelihood may go higher where the bound that
    is climbed never touches it."""
    own = " of its own bound" if "climbs" in variant.laws and "touches" not in variant.laws else ""
    return f"about nothing left to gain{own}"


def _as_it_is(step: Step) -> Step:
    return step


def _in_data_units(model: Standardised, logs: float, step: Step) -> Step:
    """A step of the model in its own units, where log-densities are so many nats higher."""
    return step._replace(
        params=model.in_data_units(step.params),
        posterior_params=model.in_data_units(step.posterior_params),
        elbo=step.elbo - logs,
        log_likelihood=step.log_likelihood - logs,
    )


def observed(lane: Lane, n_rows: int) -> str:
    """What was seen of the bound and the likelihood, against rounding."""
    likelihood, bound = lane.log_likelihoods, lane.bounds
    unit = size(float(likelihood[-1]), n_rows)
    said = [_falls("likelihood", likelihood, unit)]
    if np.isfinite(bound).all():
        said.insert(0, _falls("bound", bound, unit))
    if lane.key == "bayes":
        used = int((lane.steps[-1].params.weights > 0.5 / n_rows).sum())
        said.append(f"{used} components left with rows")
    return "; ".join(said)


def _falls(what: str, heights: np.ndarray, unit: float) -> str:
    falls = -np.diff(heights)
    count = int((falls > ROUNDING * unit).sum())
    if not count:
        return f"{what} never fell"
    times = "once" if count == 1 else f"{count} times"
    return f"{what} fell {times}, by {number(falls.max(), 2)} nats at most"
