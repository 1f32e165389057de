"""A model of one's own that gives all it may: where its parameters may lie, and its gradient."""

from em_core.coordinates.domains import Chances, Positive
from em_core.examples.zero_inflated_poisson import Params, ZeroInflatedPoisson


class WithDomains(ZeroInflatedPoisson):
    """Zeros with domains"""

    def domains(self, params):
        return Chances(params.zero_share, "zero share"), Positive(params.rate, "rate")


class WithGradient(WithDomains):
    """Zeros with a gradient"""

    def expected_log_joint_gradient(self, params, statistics):
        rows, zeros, total, _ = statistics
        share, rate = params
        return Params(zeros / share - (rows - zeros) / (1 - share), total / rate - (rows - zeros))


model = WithGradient()
