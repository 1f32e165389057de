"""Expectation-Maximization for latent-variable models, half-step by half-step."""

from em_core import inference
from em_core.checking import check_model
from em_core.discrete import Bernoulli, Categorical, Poisson
from em_core.em import Expectation, Fit, HalfStep, Model, Shared, em, fit
from em_core.emissions import Gaussian
from em_core.factor_analysers import FactorAnalyser
from em_core.factor_analysis import FactorAnalysis, ProbabilisticPCA
from em_core.factors.rotation import promax, varimax
from em_core.factors.summaries import explained_variance, goodness_of_fit, uniquenesses
from em_core.hidden_markov import HiddenMarkov
from em_core.initialization import STARTS, from_means
from em_core.mixture import Mixture, MixtureParams
from em_core.restarts import restarts
from em_core.selection import select
from em_core.standardised import Standardised
from em_core.student_t import StudentT
from em_core.two_level import TwoLevel

# Another minor version may give other numbers for the same settings.
__version__ = "1.4"

__all__ = [
    "STARTS",
    "Bernoulli",
    "Categorical",
    "Expectation",
    "FactorAnalyser",
    "FactorAnalysis",
    "Fit",
    "Gaussian",
    "HalfStep",
    "HiddenMarkov",
    "Mixture",
    "MixtureParams",
    "Model",
    "Poisson",
    "ProbabilisticPCA",
    "Shared",
    "Standardised",
    "StudentT",
    "TwoLevel",
    "check_model",
    "em",
    "explained_variance",
    "fit",
    "from_means",
    "goodness_of_fit",
    "inference",
    "promax",
    "restarts",
    "select",
    "uniquenesses",
    "varimax",
]
