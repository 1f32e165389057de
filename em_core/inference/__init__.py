"""What a finished fit can be trusted to say."""

from em_core.inference.bootstrapping import Bootstrap, bootstrap
from em_core.inference.goodness import FactorFit, PatternFit, factor_fit, pattern_fit
from em_core.inference.quality import ClassQuality, class_quality
from em_core.inference.ratio_testing import LikelihoodRatio, likelihood_ratio
from em_core.inference.residuals import BivariateResiduals, bivariate_residuals
from em_core.inference.separating import Separation, separation
from em_core.inference.uncertainty.delta import Reported
from em_core.inference.uncertainty.wald import Intervals, intervals
from em_core.search.identified import Identification, identified

__all__ = [
    "BivariateResiduals",
    "Bootstrap",
    "ClassQuality",
    "FactorFit",
    "Identification",
    "Intervals",
    "LikelihoodRatio",
    "PatternFit",
    "Reported",
    "Separation",
    "bivariate_residuals",
    "bootstrap",
    "class_quality",
    "factor_fit",
    "identified",
    "intervals",
    "likelihood_ratio",
    "pattern_fit",
    "separation",
]
