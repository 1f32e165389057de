"""Expectation-Maximization for latent-variable models, half-step by half-step."""

from em_core.discrete import Bernoulli, Categorical, Poisson
from em_core.em import Expectation, Fit, HalfStep, Model, Shared, em, fit
from em_core.emissions import Gaussian
from em_core.initialization import STARTS, from_means
from em_core.mixture import Mixture, MixtureParams

__all__ = [
    "STARTS",
    "Bernoulli",
    "Categorical",
    "Expectation",
    "Fit",
    "Gaussian",
    "HalfStep",
    "Mixture",
    "MixtureParams",
    "Model",
    "Poisson",
    "Shared",
    "em",
    "fit",
    "from_means",
]
