"""What a finished fit can be trusted to say."""

from em_core.inference.bootstrapping import Bootstrap, bootstrap, bootstrap_steps
from em_core.inference.crossing import (
    CrossedLevels,
    CrossedNumbers,
    CrossedPartitions,
    crossed_levels,
    crossed_numbers,
    crossed_partitions,
)
from em_core.inference.goodness import FactorFit, PatternFit, factor_fit, pattern_fit
from em_core.inference.quality import ClassQuality, class_quality
from em_core.inference.ratio_testing import (
    LikelihoodRatio,
    likelihood_ratio,
    likelihood_ratio_steps,
)
from em_core.inference.replication import SplitHalf, split_half, split_half_steps
from em_core.inference.residuals import BivariateResiduals, bivariate_residuals
from em_core.inference.separating import Separation, separation
from em_core.inference.uncertainty.delta import Reported
from em_core.inference.uncertainty.wald import Intervals, intervals
from em_core.search.identified import Identification, identified

__all__ = [
    "BivariateResiduals",
    "Bootstrap",
    "ClassQuality",
    "CrossedLevels",
    "CrossedNumbers",
    "CrossedPartitions",
    "FactorFit",
    "Identification",
    "Intervals",
    "LikelihoodRatio",
    "PatternFit",
    "Reported",
    "Separation",
    "SplitHalf",
    "bivariate_residuals",
    "bootstrap",
    "bootstrap_steps",
    "class_quality",
    "crossed_levels",
    "crossed_numbers",
    "crossed_partitions",
    "factor_fit",
    "identified",
    "intervals",
    "likelihood_ratio",
    "likelihood_ratio_steps",
    "pattern_fit",
    "separation",
    "split_half",
    "split_half_steps",
]
