"""Expectation-Maximization for latent-variable models, half-step by half-step."""

from em_core import inference
from em_core.checks.checking import check_model
from em_core.em import em
from em_core.emissions.bernoulli import Bernoulli
from em_core.emissions.categorical import Categorical
from em_core.emissions.factor_analyser import FactorAnalyser
from em_core.emissions.gaussian import Gaussian
from em_core.emissions.poisson import Poisson
from em_core.emissions.student_t import StudentT
from em_core.fit import Fit, fit
from em_core.half_steps import Expectation, HalfStep, Shared
from em_core.models.factor_analysis.model import FactorAnalysis, ProbabilisticPCA
from em_core.models.factor_analysis.rotation import promax, varimax
from em_core.models.factor_analysis.summaries import (
    explained_variance,
    goodness_of_fit,
    uniquenesses,
)
from em_core.models.hidden_markov.model import HiddenMarkov
from em_core.models.mixture import Mixture, MixtureParams
from em_core.models.two_level.model import TwoLevel
from em_core.partitions.partitions import Partitions
from em_core.protocols import Model
from em_core.saved import dump, load
from em_core.search.alignment import ordered
from em_core.search.restarts import restarts
from em_core.search.selection import select
from em_core.standardised import Standardised
from em_core.starts.table import STARTS, from_means
from em_core.transformed import TRANSFORMATIONS, Transformed, transform

# Another minor version may give other numbers for the same settings.
__version__ = "1.7"

__all__ = [
    "STARTS",
    "TRANSFORMATIONS",
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
    "Partitions",
    "Poisson",
    "ProbabilisticPCA",
    "Shared",
    "Standardised",
    "StudentT",
    "Transformed",
    "TwoLevel",
    "check_model",
    "dump",
    "em",
    "explained_variance",
    "fit",
    "from_means",
    "goodness_of_fit",
    "inference",
    "load",
    "ordered",
    "promax",
    "restarts",
    "select",
    "transform",
    "uniquenesses",
    "varimax",
]
