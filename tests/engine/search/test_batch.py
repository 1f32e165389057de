"""Runs side by side are the runs one by one."""

import numpy as np
import pytest

from em_core import Bernoulli, Categorical, Gaussian, Mixture, Poisson, fit, restarts
from em_core.datasets import load
from em_core.search.batching.batch import side_by_side
from em_core.search.batching.stepping import one_by_one, strategy
from support import laws
from support.families_at_hand import cases

FAITHFUL = load("faithful").values
IRIS = load("iris").values[:, :4]
COUNTS = np.random.default_rng(0).poisson([2.0, 9.0], size=(150, 2)).astype(float)
ANSWERS = np.random.default_rng(3).integers(3, size=(150, 4)).astype(float)


def holed(data):
    data = data.copy()
    data[np.random.default_rng(1).random(data.shape) < 0.1] = np.nan
    return data


CASES = {
    **{f"{c} {d}": (Gaussian(c), FAITHFUL, 3) for c in ("full", "tied", "diag") for d in ("2-D",)},
    **{name: (Gaussian(name), IRIS, 3) for name in ("spherical", "EVE", "VEV", "EEI")},
    "1-D": (Gaussian(), FAITHFUL[:, :1], 2),
    "one component": (Gaussian(), IRIS, 1),
    "holes": (Gaussian(), holed(IRIS), 2),
    "Poisson": (Poisson(), COUNTS, 3),
    "Bernoulli": (Bernoulli(), (COUNTS > 4).astype(float), 2),
    # As many columns as levels, or as runs, or one: axes that could be taken for each other.
    **{f"{d} items": (Categorical(), ANSWERS[:, :d], 2) for d in (1, 2, 3, 4)},
    "seven items": (Categorical(), np.tile(ANSWERS, 2)[:, :7], 3),
    "unequal levels": (Categorical(), np.minimum(ANSWERS, [1, 2, 0, 2]), 2),
}
CLAIMING = {name: case for name, case in cases().items() if getattr(case.model, "batches", False)}
CLAIMING |= {name: (Mixture(e, k), data) for name, (e, data, k) in CASES.items()}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_the_same_traces(name, weighted):
    emission, data, n_components = CASES[name]
    model = Mixture(emission, n_components)
    weights = np.random.default_rng(2).random(len(data)) if weighted else None
    starts = [
        model.initial_params(data, "random responsibilities", np.random.default_rng(seed))
        for seed in range(7)
    ]
    options = {"weights": weights, "tolerance": 1e-3, "max_iterations": 15}
    traces = {run: ([], []) for run in range(7)}
    for which, step in enumerate((one_by_one, side_by_side)):
        for advances in step(model, data, starts, **options):
            for advance in advances:
                traces[advance.run][which].extend(advance.half_steps)
    assert model.batches
    # Structures without a closed form stop within rounding of their own.
    digits = 1e-6 if name in ("EVE", "VEV") else 1e-9
    for singly, together in traces.values():
        assert abs(len(singly) - len(together)) <= 2
        for one, other in zip(singly, together, strict=False):
            assert (one.iteration, one.phase, one.flags) == (
                other.iteration, other.phase, other.flags,
            )  # fmt: skip
            assert other.log_likelihood == pytest.approx(one.log_likelihood, rel=digits)
            assert other.elbo == pytest.approx(one.elbo, rel=digits)
            laws.assert_close(other.params, one.params, 1e3 * digits)
        laws.bound_never_falls(together, len(data))
        laws.bound_touches_after_e_and_stays_below_after_m(together, len(data))


def test_runs_end_each_at_its_own_time():
    model = Mixture(Gaussian(), 3)
    starts = [
        model.initial_params(FAITHFUL, "random points", np.random.default_rng(seed))
        for seed in range(10)
    ]
    ends = {}
    for sweep, advances in enumerate(side_by_side(model, FAITHFUL, starts)):
        for advance in advances:
            assert advance.run not in ends
            if advance.stop_reason:
                ends[advance.run] = sweep, advance.stop_reason
    assert sorted(ends) == list(range(10))
    assert len({sweep for sweep, _ in ends.values()}) > 3
    assert {reason for _, reason in ends.values()} == {"converged"}


@pytest.mark.parametrize("largest", [1, 1400])
def test_slices_take_turns_and_change_nothing(monkeypatch, largest):
    """A caller who stops waits for one slice only, however many runs there are."""
    emission, data, n_components = CASES["full 2-D"]
    model = Mixture(emission, n_components)
    starts = [
        model.initial_params(data, "random points", np.random.default_rng(seed))
        for seed in range(7)
    ]

    def traces(largest):
        monkeypatch.setattr("em_core.search.batching.batch.LARGEST_SWEEP", largest)
        found = {run: [] for run in range(7)}
        sweeps = list(side_by_side(model, data, starts, max_iterations=12))
        for advances in sweeps:
            for advance in advances:
                found[advance.run] += [step.log_likelihood for step in advance.half_steps]
        return found, sweeps

    whole, _ = traces(10**9)
    sliced, sweeps = traces(largest)
    most = max(1, largest // (len(data) * n_components))
    assert max(map(len, sweeps)) <= most and len(sweeps) > 12
    for run, values in whole.items():
        assert sliced[run] == pytest.approx(values, rel=1e-12)


@pytest.mark.parametrize("name", CLAIMING)
def test_what_claims_to_be_batched_is(name, monkeypatch):
    """No error sends it one by one, and none is passed over in silence."""
    model, data = CLAIMING[name]

    def refused(*arguments, **options):
        raise AssertionError("one by one")

    monkeypatch.setattr("em_core.search.batching.stepping.one_by_one", refused)
    runs = restarts(model, data, range(3), "random responsibilities", max_iterations=20)
    assert len(runs.fits) == 3 and not runs.landscape.failures
    assert all(len(run.trace) > 2 for run in runs.fits)


@pytest.mark.parametrize("error", [ValueError, TypeError, IndexError, AssertionError])
def test_an_error_in_the_program_is_raised(error):
    """It would come back for every run, or be hidden by stepping the runs one by one."""

    class Broken(Mixture):
        def m_step(self, params, statistics):
            if params.weights.ndim > 1:
                raise error("broken")
            return super().m_step(params, statistics)

    model = Broken(Gaussian(), 2)
    starts = [model.initial_params(IRIS, "k-means++", np.random.default_rng(i)) for i in range(3)]
    with pytest.raises(error, match="broken"):
        list(strategy(model)(model, IRIS, starts))


@pytest.mark.parametrize("name", ["Gaussian VVV", "Gaussian EEE", "Gaussian with holes",
                                  "Bernoulli", "Categorical", "Poisson"])  # fmt: skip
def test_runs_with_weights_of_their_own_are_those_of_em(name):
    """Side by side and one by one: the same ends as each run by itself."""
    case = cases()[name]
    rng, data = np.random.default_rng(2), case.model.check(case.data)
    starts = [case.start(seed) for seed in range(3)]
    weights = np.stack(
        [rng.multinomial(len(data), np.full(len(data), 1 / len(data))) for _ in "123"]
    ).astype(float)
    for stepping in (side_by_side, one_by_one):
        last = {}
        for advances in stepping(case.model, data, starts, weights=weights, max_iterations=8):
            for advance in advances:
                if advance.half_steps:
                    last[advance.run] = advance.half_steps[-1]
        for run, (start, own) in enumerate(zip(starts, weights, strict=True)):
            alone = fit(case.model, data, start=start, weights=own, max_iterations=8)
            assert last[run].log_likelihood == pytest.approx(alone.log_likelihood, rel=1e-9)
            assert last[run].entropy == pytest.approx(alone.entropy, rel=1e-7)
