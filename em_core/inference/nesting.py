"""Which of two models is a special case of the other."""

from __future__ import annotations

from dataclasses import fields, replace

from em_core.emissions.covariances.structures import ALIASES
from em_core.models.factor_analysis.model import FactorAnalysis, ProbabilisticPCA
from em_core.models.hidden_markov.model import HiddenMarkov
from em_core.models.mixture import Mixture
from em_core.standardised import Standardised

# What is left free when a letter of a covariance structure is replaced by a later one.
FREEDOM = ("EV", "IEV", "IEV")
# What may grow, by the kind of model.
SIZES = {
    Mixture: "n_components",
    HiddenMarkov: "n_states",
    FactorAnalysis: "n_factors",
    ProbabilisticPCA: "n_factors",
}


def is_nested(smaller, larger) -> bool:
    """Whether every distribution of the smaller model is one of the larger, which has more.

    Seen for fewer components, states or factors, and for covariance structures of which one leaves
    free what the other shares; False for all that is not seen.
    """
    if type(smaller) is not type(larger) or smaller == larger:
        return False
    if isinstance(smaller, Standardised):
        # What is shared in one unit is not shared in another.
        same = replace(smaller, model=larger.model) == larger
        return same and is_nested(smaller.model, larger.model)
    size = next((name for kind, name in SIZES.items() if isinstance(smaller, kind)), None)
    if size is None or getattr(smaller, size) > getattr(larger, size):
        return False
    others = {field.name for field in fields(smaller)} - {size, "emission"}
    if any(getattr(smaller, name) != getattr(larger, name) for name in others):
        return False
    return not hasattr(smaller, "emission") or _holds(larger.emission, smaller.emission)


def _holds(larger, smaller) -> bool:
    """Whether an emission has all distributions of another."""
    if type(smaller) is not type(larger):
        return False
    names = {field.name for field in fields(smaller)} - {"covariance"}
    if any(getattr(smaller, name) != getattr(larger, name) for name in names):
        return False
    if not hasattr(smaller, "covariance"):
        return True
    codes = (ALIASES.get(e.covariance, e.covariance) for e in (smaller, larger))
    return all(free.index(a) <= free.index(b) for free, a, b in zip(FREEDOM, *codes, strict=True))
