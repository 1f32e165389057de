"""The laws of EM, as functions that raise AssertionError where a model breaks one.

Each takes a model and data it fits. `test_laws.py` runs them against every model. What they measure
is `em_core.checks.laws`' own; here it is also compared leaf by leaf, and with what only tests know.
"""

from __future__ import annotations

import itertools

import numpy as np

from em_core import em, fit
from em_core.checks.laws import MONOTONE, TOUCH
from em_core.checks.trials import falls, gain_errors, in_chunks
from em_core.data import check, copies, prepare
from em_core.em import size as unit
from em_core.trees import leaves, same_bits


def run(model, data, seed=0, start="random points", iterations=12, **options):
    """Some half-steps of a run that does not stop early."""
    data = model.check(data)
    params = model.initial_params(data, start, np.random.default_rng(seed))
    return list(em(model, data, params, tolerance=0, max_iterations=iterations, **options))


def sizes(steps, n_rows) -> np.ndarray:
    return np.array([unit(step.log_likelihood, n_rows) for step in steps])


def bound_never_falls(steps, n_rows=1) -> None:
    fallen = falls(steps)
    assert (fallen <= MONOTONE * sizes(steps[1:], n_rows)).all(), fallen


def bound_touches_after_e_and_stays_below_after_m(steps, n_rows=1) -> None:
    for step, size in zip(steps, sizes(steps, n_rows), strict=True):
        if step.phase == "M":
            assert step.kl >= -TOUCH * size, step
        else:
            assert abs(step.kl) <= TOUCH * size, (step.kl, step)


def gain_is_bound_gain_plus_kl(steps, n_rows=1) -> None:
    """A difference has the digits of the larger of the two."""
    errors, size = gain_errors(steps), sizes(steps, n_rows)
    after = np.flatnonzero([step.phase == "M" for step in steps])
    assert (np.abs(errors) <= TOUCH * np.maximum(size[after - 1], size[after])).all(), errors


def half_steps_are_well_formed(steps) -> None:
    phases = [step.phase for step in steps]
    assert phases == ["start"] + ["M", "E"] * (len(steps) // 2)
    for before, after in itertools.pairwise(steps):
        if after.is_leap:
            # q and parameters together, up the log-likelihood itself.
            assert after.posterior_params is after.params
            assert after.elbo > before.elbo and after.log_likelihood > before.log_likelihood
        elif after.phase == "M":
            assert after.posterior_params is before.params
        else:
            assert after.params is before.params and after.posterior_params is after.params


def chunks_add_up(model, data, params, n_chunks) -> None:
    """The E-step of any split is that of the whole, of data as they are and prepared."""
    for rows in (data, prepare(model, data)):
        assert_close(in_chunks(model, params, rows, n_chunks), model.e_step(params, rows))


def integer_weights_are_copies(model, data, params, weights) -> None:
    weighted = model.e_step(params, data, weights.astype(float))
    copied = model.e_step(params, check(model, copies(data, weights)))
    assert_close(weighted, copied)
    assert_close(
        model.m_step(params, weighted.statistics), model.m_step(params, copied.statistics), 1e-8
    )


def enumeration_agrees(model, data, params) -> None:
    """The likelihood is the sum of p(x, z) over all K^N assignments z, on tiny data."""
    joint = model.log_joint(params, data)
    labels = np.indices((joint.shape[1],) * len(data)).reshape(len(data), -1)
    total = np.logaddexp.reduce(joint[np.arange(len(data))[:, None], labels].sum(axis=0))
    expectation = model.e_step(params, data)
    assert abs(total - expectation.log_likelihood) <= 1e-11 * max(abs(total), 1)


def entropy_is_that_of_the_responsibilities(model, data, params) -> None:
    """H(q) = -sum r log r, computed here from the posterior alone."""
    shares = model.posterior(params, data).responsibilities
    assert np.allclose(shares.sum(axis=1), 1, rtol=0, atol=1e-12)
    positive = shares[shares > 0]
    entropy = -(positive * np.log(positive)).sum()
    expectation = model.e_step(params, data)
    assert abs(entropy - expectation.entropy) <= 1e-10 * max(abs(expectation.log_likelihood), 1)


def m_step_is_a_maximum(model, params, statistics, directions, rng) -> None:
    """No small move of the parameters raises the expected log joint."""
    best = model.expected_log_joint(params, statistics)
    for move in directions(params, rng):
        moved = model.expected_log_joint(move, statistics)
        assert moved <= best + 1e-10 * max(abs(best), 1), (moved - best, move)


def permuting_rows_changes_nothing(model, data, order) -> None:
    params = model.initial_params(data, "random points", np.random.default_rng(0))
    direct = list(em(model, data, params, tolerance=0, max_iterations=5))[-1]
    permuted = list(em(model, data[order], params, tolerance=0, max_iterations=5))[-1]
    assert_close(direct.params, permuted.params, 1e-9)
    size = unit(direct.log_likelihood, len(data))
    assert abs(direct.log_likelihood - permuted.log_likelihood) <= 1e-10 * size


def same_seed_same_bits(model, data, start) -> None:
    first, second = (fit(model, data, seed=3, start=start, max_iterations=20) for _ in range(2))
    assert first.log_likelihood == second.log_likelihood
    assert same_bits(first.params, second.params)


def assert_close(left, right, relative=1e-10) -> None:
    for a, b in zip(leaves(left), leaves(right), strict=True):
        np.testing.assert_allclose(a, b, rtol=relative, atol=relative * (1 + np.abs(b).max()))
