"""What a finished fit can be trusted to say."""

from em_core.inference.bootstrap import Bootstrap, bootstrap
from em_core.inference.likelihood_ratio import LikelihoodRatio, likelihood_ratio
from em_core.inference.quality import ClassQuality, class_quality
from em_core.inference.separation import Separation, separation
from em_core.inference.uncertainty.delta import Reported
from em_core.inference.uncertainty.wald import Intervals, intervals
from em_core.search.identified import Identification, identified

__all__ = [
    "Bootstrap",
    "ClassQuality",
    "Identification",
    "Intervals",
    "LikelihoodRatio",
    "Reported",
    "Separation",
    "bootstrap",
    "class_quality",
    "identified",
    "intervals",
    "likelihood_ratio",
    "separation",
]
