"""EM iterations of hidden Markov models against hmmlearn: same start, iterations and likelihood.

The time of an iteration is the difference between a run of
n + 1 iterations and a run of 1, over n, so that set-up counts for neither. Ours includes all of the
bound's bookkeeping. hmmlearn runs without its priors, as its fastest implementation ("scaling")
and as its default ("log").
"""

import logging
import time
from functools import partial

import numpy as np
from hmmlearn.hmm import GaussianHMM

from em_core import Gaussian, em
from em_core.models.hidden_markov.model import HiddenMarkov

N_STATES, N_COLUMNS = 4, 1
# sequences, frames in each, iterations timed, times hmmlearn's fastest, times its default
CASES = [(1000, 100, 15, 8.0, 35.0), (1, 100_000, 15, 2.0, 10.0), (1, 1_000_000, 2, 2.0, 10.0)]


def make_case(n_sequences, n_frames, n_columns, rng):
    """Sequences of overlapping, sticky states, and a start beside the truth."""
    model = HiddenMarkov(Gaussian("diag"), N_STATES)
    means = 3 * rng.normal(size=(N_STATES, n_columns))
    covariances = np.repeat(np.eye(n_columns)[None], N_STATES, axis=0)
    matrix = np.full((N_STATES, N_STATES), 0.1 / (N_STATES - 1))
    np.fill_diagonal(matrix, 0.9)
    truth = model.params(matrix, means=means, covariances=covariances)
    data, _ = model.sample(truth, [n_frames] * n_sequences, rng)
    return data, model, model.params(matrix, means=means + 0.5, covariances=2 * covariances)


def run_ours(data, model, params, iterations):
    start = time.perf_counter()
    for step in em(model, data, params, tolerance=0, max_iterations=iterations):
        last = step
    return time.perf_counter() - start, last.log_likelihood


def run_theirs(implementation, data, model, params, iterations):
    estimator = GaussianHMM(
        model.n_states,
        covariance_type="diag",
        covars_prior=0,
        covars_weight=0,
        min_covar=0,
        n_iter=iterations,
        tol=-np.inf,
        init_params="",
        implementation=implementation,
    )
    estimator.startprob_ = params.initial_probabilities
    estimator.transmat_ = params.transition_matrix
    estimator.means_ = params.means
    estimator.covars_ = np.einsum("kdd->kd", params.covariances)
    frames, lengths = np.concatenate(data), [len(sequence) for sequence in data]
    start = time.perf_counter()
    estimator.fit(frames, lengths)
    return time.perf_counter() - start, estimator.score(frames, lengths)


RUNS = {
    "ours": run_ours,
    "scaling": partial(run_theirs, "scaling"),
    "log": partial(run_theirs, "log"),
}


def per_iteration(run, case, iterations):
    short, _ = run(*case, 1)
    long, log_likelihood = run(*case, iterations + 1)
    return (long - short) / iterations, log_likelihood


def compare(repeats: int) -> bool:
    """Prints a line for each case; whether all ratios reach their targets at equal likelihoods."""
    logging.getLogger("hmmlearn").setLevel(logging.ERROR)
    print("sequences x frames, K    ours ms   scaling ms   log ms   ratios (targets)   differ by")
    reached = True
    for n_sequences, n_frames, iterations, target_scaling, target_log in CASES:
        case = make_case(n_sequences, n_frames, N_COLUMNS, np.random.default_rng(0))
        times, values = {name: [] for name in RUNS}, {}
        for _ in range(repeats):
            for name, run in RUNS.items():
                seconds, values[name] = per_iteration(run, case, iterations)
                times[name].append(seconds)
        ours, scaling, log = (np.median(times[name]) * 1e3 for name in RUNS)
        difference = max(abs(values["ours"] / value - 1) for value in values.values())
        ok = scaling >= target_scaling * ours and log >= target_log * ours and difference < 1e-8
        reached &= ok
        verdict = "ok" if ok else "BELOW TARGET"
        print(
            f"{n_sequences:>5,} x {n_frames:<9,} K={N_STATES} {ours:>11.2f} {scaling:>12.1f} "
            f"{log:>8.1f}   {scaling / ours:.1f} ({target_scaling:g})   "
            f"{log / ours:.1f} ({target_log:g})   {difference:.1e}  {verdict}",
            flush=True,
        )
    return reached
