"""check_model: kept laws for models that are right, the broken law's name for one that is not."""

import numpy as np
import pytest
from scipy.special import entr, expit, logit

from em_core import Gaussian, Mixture
from em_core.checks.checking import check_model
from em_core.checks.laws import LAWS
from em_core.coordinates.domains import Chances, Positive
from em_core.emissions.covariances.structures import ALIASES, STRUCTURES
from em_core.examples.zero_inflated_poisson import Params, Statistics, ZeroInflatedPoisson
from em_core.fit import fit
from em_core.half_steps import Expectation
from em_core.models.two_level.model import TwoLevel
from em_core.trees import blends, changed, distance
from support.own_model import WithGradient

COUNTS, TRUTH = ZeroInflatedPoisson().sample(Params(0.3, 2.5), 400, np.random.default_rng(0))

TOUCHES = "the bound touches after an E half-step"
GAINS = "an iteration gains what the bound gains, plus KL"
FALLS = "the bound never falls"
PROMISED = "the likelihood gains what is promised"
MAXIMUM = "the M-step is a maximum"
OWN_ENTROPY = "the entropy is that of q"
BELOW = "the bound stays below after an M half-step"
CHUNKS = "chunks add up"
COORDINATES = "coordinates and gradient fit the bound"
WEIGHTS = "integer weights are copies"


def clusters(seed=0):
    rng = np.random.default_rng(seed)
    return np.concatenate(
        [rng.normal(size=(90, 2)), rng.normal(size=(60, 2)) @ [[1, 1], [0, 2]] + 3]
    )


def test_the_example_keeps_every_law():
    report = check_model(ZeroInflatedPoisson(), COUNTS)
    assert report and report.ok and report.broken == ()
    assert [finding.law for finding in report.findings] == [
        law for law in LAWS if law != COORDINATES
    ]
    assert str(report).startswith("ZeroInflatedPoisson keeps all 12 laws\n  kept    all is finite")


def test_the_example_finds_the_truth():
    model = ZeroInflatedPoisson()
    counts, sure = model.sample(Params(0.3, 2.5), 200_000, np.random.default_rng(1))
    fits = [fit(model, counts, start=start, tolerance=1e-6) for start in model.starts]
    for result in fits:
        assert result.params.zero_share == pytest.approx(0.3, abs=0.01)
        assert result.params.rate == pytest.approx(2.5, abs=0.02)
        assert result.log_likelihood == pytest.approx(fits[0].log_likelihood, abs=1e-4)
    p_sure, _ = result.posterior(counts)
    assert p_sure[counts == 0].mean() == pytest.approx(sure[counts == 0].mean(), abs=0.01)


def test_the_example_is_brief():
    from em_core.examples import zero_inflated_poisson

    with open(zero_inflated_poisson.__file__, encoding="utf-8") as source:
        assert len(source.readlines()) < 60


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_our_mixtures_keep_every_law(covariance):
    report = check_model(Mixture(Gaussian(covariance), 2), clusters(), start="k-means++")
    assert report, str(report)


@pytest.mark.parametrize("covariance", sorted(set(STRUCTURES) - set(ALIASES)))
def test_parameters_that_are_tied_need_not_be_convex(covariance):
    """Means of covariances of equal volume have another volume: they are no fair comparison."""
    model = Mixture(Gaussian(covariance), 2)
    report = check_model(model, clusters(), start="k-means++", convex=False)
    assert report, str(report)


@pytest.mark.parametrize("start", TwoLevel.starts)
@pytest.mark.parametrize("dimension", [1, 3])
def test_data_may_be_lists_of_arrays(dimension, start):
    rng = np.random.default_rng(0)
    model = TwoLevel()
    params = model.params(np.ones(dimension), 2 * np.eye(dimension), np.eye(dimension))
    groups, _ = model.sample(params, rng.integers(1, 9, size=50), rng)
    report = check_model(model, groups, start=start)
    assert report, str(report)


# Broken models: one mistake each, and the laws that must name it, no other.


class RateOverAllRows(ZeroInflatedPoisson):
    def m_step(self, params, statistics):
        return super().m_step(params, statistics)._replace(rate=statistics.total / statistics.rows)


class SmoothedShare(ZeroInflatedPoisson):
    """Laplace's rule of succession: a good estimate, and not the maximum."""

    def m_step(self, params, statistics):
        share = (statistics.sure_zeros + 1) / (statistics.rows + 2)
        return super().m_step(params, statistics)._replace(zero_share=share)


class HalfWay(ZeroInflatedPoisson):
    """Climbs, but not to the top: generalised EM."""

    def m_step(self, params, statistics):
        best = super().m_step(params, statistics)
        return Params(*(np.add(params, best) / 2))


class HalfTheEntropy(ZeroInflatedPoisson):
    def e_step(self, params, data, weights=None):
        q = super().e_step(params, data, weights)
        sure, _ = self.posterior(params, data)
        weights = 1 if weights is None else weights
        return q._replace(entropy=(weights * entr(sure)).sum())


class NoEntropy(ZeroInflatedPoisson):
    def e_step(self, params, data, weights=None):
        return super().e_step(params, data, weights)._replace(entropy=0.0)


class EntropyFromTheLikelihood(ZeroInflatedPoisson):
    def e_step(self, params, data, weights=None):
        q = super().e_step(params, data, weights)
        expected = self.expected_log_joint(params, q.statistics)
        return q._replace(entropy=q.log_likelihood - expected)


class WrongOdds(ZeroInflatedPoisson):
    """q forgets that the Poisson rows are zero but rarely; the likelihood is right."""

    def posterior(self, params, data):
        _, log_densities = super().posterior(params, data)
        log_odds = logit(params.zero_share) + 0.5 * params.rate
        return np.where(data == 0, expit(log_odds), 0), log_densities


class WrongOddsHidden(WrongOdds, EntropyFromTheLikelihood):
    pass


class NoFactorials(ZeroInflatedPoisson):
    def expected_log_joint(self, params, statistics):
        return super().expected_log_joint(params, statistics._replace(log_factorials=0))


class RateTooCheap(ZeroInflatedPoisson):
    def expected_log_joint(self, params, statistics):
        poisson_rows = statistics.rows - statistics.sure_zeros
        return super().expected_log_joint(params, statistics) + 0.1 * poisson_rows * params.rate


class WeightsForgotten(ZeroInflatedPoisson):
    def e_step(self, params, data, weights=None):
        return super().e_step(params, data)


class WeightsForgottenByTheEntropy(ZeroInflatedPoisson):
    def e_step(self, params, data, weights=None):
        q = super().e_step(params, data, weights)
        return q._replace(entropy=super().e_step(params, data).entropy)


class Averages(ZeroInflatedPoisson):
    """Sufficient statistics that do not add."""

    def e_step(self, params, data, weights=None):
        q = super().e_step(params, data, weights)
        rows = q.statistics.rows
        means = Statistics(*(value / rows for value in q.statistics))
        return Expectation(means, q.entropy / rows, q.log_likelihood / rows)


class Unseeded(ZeroInflatedPoisson):
    def initial_params(self, data, method, rng, weights=None):
        return super().initial_params(data, "random", np.random.default_rng(), weights)


class HalfAParameter(ZeroInflatedPoisson):
    def n_parameters(self, params):
        return 1.5


class NotANumber(ZeroInflatedPoisson):
    def m_step(self, params, statistics):
        return Params(np.nan, 1.0)


@pytest.mark.parametrize(
    "broken, laws",
    [
        (RateOverAllRows, {MAXIMUM, FALLS}),
        (SmoothedShare, {MAXIMUM, FALLS}),
        (HalfWay, {MAXIMUM}),
        (HalfTheEntropy, {TOUCHES, GAINS}),
        (NoEntropy, {TOUCHES, GAINS}),
        (EntropyFromTheLikelihood, {OWN_ENTROPY}),
        (WrongOdds, {TOUCHES, GAINS, FALLS, PROMISED}),
        (WrongOddsHidden, {OWN_ENTROPY, FALLS, PROMISED, BELOW}),
        (NoFactorials, {TOUCHES, GAINS, BELOW}),
        (RateTooCheap, {TOUCHES, GAINS, BELOW, PROMISED, MAXIMUM, FALLS}),
        (WeightsForgotten, {WEIGHTS}),
        (WeightsForgottenByTheEntropy, {WEIGHTS}),
        (Averages, {CHUNKS, WEIGHTS}),
        (Unseeded, {"the same seed gives the same bits"}),
        (HalfAParameter, {"parameters are counted"}),
    ],
)
def test_one_mistake_is_named(broken, laws):
    report = check_model(broken(), COUNTS)
    assert set(report.broken) == laws, str(report)
    assert not report and not report.ok
    assert str(report).startswith(f"{broken.__name__} breaks {len(laws)} of 12 laws")


def sentence(model, law, **options) -> str:
    (found,) = [
        finding for finding in check_model(model, COUNTS, **options).findings if finding.law == law
    ]
    assert not found.passed and found.worst > 0
    return found.sentence


def test_sentences_say_what_is_wrong_and_by_how_much():
    assert "by moving rate (or" in sentence(RateOverAllRows(), MAXIMUM)
    assert "by moving zero_share (or" in sentence(SmoothedShare(), MAXIMUM)
    assert "the M-step lowers the expected log joint" in sentence(RateOverAllRows(), FALLS)
    assert "so the entropy is wrong" in sentence(HalfTheEntropy(), TOUCHES)
    assert "q is not the posterior" in sentence(WrongOdds(), TOUCHES)
    assert "q is not the posterior" in sentence(WrongOddsHidden(), PROMISED)
    assert "computed from the likelihood" in sentence(EntropyFromTheLikelihood(), OWN_ENTROPY)
    assert "the entropy differs" in sentence(WeightsForgottenByTheEntropy(), WEIGHTS)
    assert "draw from nothing but the `rng`" in sentence(
        Unseeded(), "the same seed gives the same bits"
    )
    assert "n_parameters is 1.5" in sentence(HalfAParameter(), "parameters are counted")


def test_the_amounts_are_right():
    entropy = ZeroInflatedPoisson()
    params = entropy.initial_params(COUNTS, "half", np.random.default_rng(0))
    apart = entropy.e_step(params, COUNTS).entropy
    found = sentence(NoEntropy(), TOUCHES, start=params, iterations=1)
    assert f"in the first E half-step the bound ends {apart:.3g} nats below" in found
    factorials = entropy.e_step(params, COUNTS).statistics.log_factorials
    found = sentence(NoFactorials(), TOUCHES)
    assert f"{factorials:.3g} nats above the log-likelihood: always as much, so a constant" in found


class RateTooSteep(WithGradient):
    def expected_log_joint_gradient(self, params, statistics):
        by_share, by_rate = super().expected_log_joint_gradient(params, statistics)
        return Params(by_share, by_rate + statistics.sure_zeros)


class Rounded(Positive):
    def leaf(self, vector):
        return np.round(super().leaf(vector), 2)


class RoundedRates(WithGradient):
    def domains(self, params):
        return Chances(params.zero_share, "zero share"), Rounded(params.rate, "rate")


def test_coordinates_and_gradient_of_a_model_that_has_them_are_checked():
    report = check_model(WithGradient(), COUNTS)
    assert report and [finding.law for finding in report.findings] == list(LAWS)
    report = check_model(RateTooSteep(), COUNTS)
    assert report.broken == (COORDINATES,)
    assert "along coordinate 1 of `domains` the gradient is" in sentence(
        RateTooSteep(), COORDINATES
    )
    assert check_model(RoundedRates(), COUNTS).broken == (COORDINATES,)


def test_what_raises_is_a_finding():
    class Unweighted(ZeroInflatedPoisson):
        def e_step(self, params, data, weights=None):
            if weights is not None:
                raise NotImplementedError("no weights")
            return super().e_step(params, data)

    assert sentence(Unweighted(), WEIGHTS) == "it raised NotImplementedError: no weights"
    report = check_model(Unweighted(), COUNTS, weights=False)
    assert report and len(report.findings) == len(LAWS) - 2

    (finding,) = check_model(ZeroInflatedPoisson(), [1.5, 2]).findings
    assert finding.law == "EM runs" and "whole numbers, none negative" in finding.sentence

    class Startless(ZeroInflatedPoisson):
        starts = ()

    (finding,) = check_model(Startless(), COUNTS).findings
    assert "no start is given" in finding.sentence
    assert check_model(Startless(), COUNTS, start="half")
    assert check_model(Startless(), COUNTS, start=Params(0.5, 1.0))


def test_what_is_not_finite_is_said():
    report = check_model(NotANumber(), COUNTS)
    assert {"all is finite", FALLS, MAXIMUM} <= set(report.broken)
    assert "in the M half-step of iteration 1 the bound is nan" in str(report)


def test_trees():
    left, right = Params(0.0, 10.0), Params(1.0, 20.0)
    assert list(blends(left, right, 0.5)) == [(0.5, 15.0), (0.5, 10.0), (0.0, 15.0)]
    assert changed(left, left._replace(rate=3.0)) == ["rate"]
    assert distance(left, left) == 0 and distance(left, left._replace(rate=np.nan)) == np.inf
    assert distance(Params(0.0, np.zeros(2)), Params(0.0, np.zeros(3))) == np.inf
