"""Hidden Markov models: the component of each row is the state of a Markov chain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Any, ClassVar, NamedTuple

import numpy as np

from em_core.coordinates.domains import Derived, Shares
from em_core.coordinates.gradients import by_shares
from em_core.emissions.gaussian import EMPTY_SHARE, leap_of_emission
from em_core.emissions.kernels.responsibilities import LEAST_SHARE
from em_core.half_steps import Collapse, Expectation, Flag, Leap, called
from em_core.impossible import Impossible, impossible_frame
from em_core.imputation import Imputation
from em_core.models.hidden_markov import starts as hidden_markov_starts
from em_core.models.hidden_markov.forecasting import log_densities_of_states, log_forecasts
from em_core.models.hidden_markov.forward_backward import Logarithmic, Scaled, Underflow, smooth
from em_core.models.hidden_markov.markov_chain import (
    best_transitions,
    check_allowed,
    check_initial,
    check_matrix,
    expected_log_path,
    random_paths,
    require_one_stationary,
    rows_to_shares,
    stationary_distribution,
    stationary_gradient,
)
from em_core.models.hidden_markov.sequences import (
    FrameDensities,
    Sequences,
    check_sequences,
    lengths_of,
    split_frames,
    total,
)
from em_core.models.hidden_markov.viterbi import best_path
from em_core.models.mixture import Mixture
from em_core.protocols import Emission, optional
from em_core.trees import add


class HiddenMarkovParams(NamedTuple):
    """initial_probabilities (K,), transition_matrix (K, K) from row to column, and the emission's
    parameters, also as `params.means` etc."""

    initial_probabilities: np.ndarray
    transition_matrix: np.ndarray
    emission: Any

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.emission, name)


class HiddenMarkovStatistics(NamedTuple):
    """starts (K,): expected number of sequences that begin in each state; transitions (K, K):
    expected number of steps from state to state; and the emission's statistics."""

    starts: np.ndarray
    transitions: np.ndarray
    emission: Any


class HiddenMarkovPosterior(NamedTuple):
    """state_probabilities: one (T, K) array for each sequence, p(z_t = k | whole sequence).

    log_likelihoods (S,): log p(sequence | params) in nats; -inf where a frame, or the sequence, is
    impossible. Its probabilities are then those of the rest: see `MixturePosterior`.
    """

    state_probabilities: list[np.ndarray]
    log_likelihoods: np.ndarray


@dataclass(frozen=True)
class HiddenMarkov:
    """A chain of `n_states` states, each with its emission: `HiddenMarkov(Gaussian("full"), 3)`.

    Data are a list of sequences (T, D) of unequal length; one array is one sequence. Weights are
    one for each sequence.
    transitions: (K, K) booleans, the transitions from row to column that can happen; None for all.
    initial: "free" initial probabilities, or the "stationary" distribution of the transitions.
    Raises ValueError where a state could not be left, or several distributions are stationary.
    """

    emission: Any
    n_states: int
    transitions: Any = None
    initial: str = "free"
    latent: ClassVar = "path"
    grouped: ClassVar = True
    starts: ClassVar = hidden_markov_starts.STARTS

    def __post_init__(self):
        if self.n_states < 1:
            raise ValueError("a hidden Markov model needs at least one state")
        if self.initial not in ("free", "stationary"):
            raise ValueError(f"unknown initial {self.initial!r}: choose free or stationary")
        allowed = check_allowed(self.transitions, self.n_states)
        if self.initial == "stationary":
            require_one_stationary(allowed)
        if self.transitions is not None:
            # Tuples, so that models can be compared and hashed.
            object.__setattr__(self, "transitions", tuple(map(tuple, allowed.tolist())))

    @property
    def DIMS(self) -> dict[str, tuple[str, ...]] | None:
        """What the axes of every array of the parameters run over, if the emission says so."""
        of_emission = optional(self.emission, "DIMS", Emission)
        return of_emission and {
            "initial_probabilities": ("component",),
            "transition_matrix": ("component", "component"),
            **of_emission,
        }

    def interchangeable(self) -> bool:
        """Any state may have any number, unless some transitions are ruled out by number."""
        return bool(self.allowed.all())

    @property
    def allowed(self) -> np.ndarray:
        """(K, K) which transitions can happen."""
        return check_allowed(self.transitions, self.n_states)

    def check(self, data) -> list[np.ndarray]:
        """The data as a list of sequences as the emission takes them. Raises ValueError."""
        sequences = check_sequences(data)
        return split_frames(self.emission.check(np.concatenate(sequences)), lengths_of(sequences))

    def prepare(self, data, weights=None) -> Sequences:
        return self._sequences(data, weights=weights)

    def _sequences(self, data, params=None, weights=None) -> Sequences:
        if isinstance(data, Sequences):
            return data
        # New data, which some parameters are given for, are not checked as data to be fitted.
        data = self.check(data) if params is None else check_sequences(data)
        lengths = lengths_of(data)
        if weights is not None:
            weights = np.repeat(weights, lengths)
        return Sequences(self.emission.prepare(np.concatenate(data), weights, params), lengths)

    def settled(self, columns) -> HiddenMarkov:
        """The model whose emission has its levels from such columns."""
        return replace(self, emission=optional(self.emission, "settled", Emission)(columns))

    def opened(self, params, n_rows: int) -> HiddenMarkovParams:
        """With parameters of the emission that make no value impossible."""
        own = optional(self.emission, "opened", Emission)(params.emission, n_rows)
        return params._replace(emission=own)

    def prepare_block(self, data, columns) -> Sequences:
        """Some sequences of a list whose columns are such: about their means, in their units."""
        sequences = check_sequences(data)
        params = self.emission.of_columns(columns)
        rows = self.emission.prepare(np.concatenate(sequences), params=params)
        return Sequences(rows, lengths_of(sequences))

    def n_observations(self, data, weights=None) -> float:
        """Number of frames, each counted by the weight of its sequence: the n of BIC."""
        lengths = lengths_of(check_sequences(data))
        return float(lengths.sum() if weights is None else weights @ lengths)

    def params(
        self, transition_matrix, initial_probabilities=None, **emission
    ) -> HiddenMarkovParams:
        """Explicit parameters from arrays (`transition_matrix`, `means`, `covariances`, ...).

        initial_probabilities: equal ones, or the stationary distribution, where not given.
        Raises ValueError for a wrong shape or a value outside its domain.
        """
        matrix = check_matrix(transition_matrix, self.allowed)
        params = self.with_emission(self.emission.params(self.n_states, **emission), matrix)
        if self.initial == "stationary":
            require_one_stationary(matrix)
            if initial_probabilities is not None:
                raise ValueError("initial probabilities follow from the transitions: give none")
        elif initial_probabilities is not None:
            initial = check_initial(initial_probabilities, self.n_states)
            params = params._replace(initial_probabilities=initial)
        return params

    def with_emission(self, emission, transitions: np.ndarray) -> HiddenMarkovParams:
        """Parameters with these transitions (K, K), any that are ruled out left out, and equal (or
        stationary) initial probabilities."""
        equal = self.allowed / self.allowed.sum(axis=1, keepdims=True)
        matrix = rows_to_shares(transitions * self.allowed, equal)
        if self.initial == "stationary":
            return HiddenMarkovParams(stationary_distribution(matrix), matrix, emission)
        return HiddenMarkovParams(np.full(self.n_states, 1 / self.n_states), matrix, emission)

    def as_mixture(self) -> Mixture:
        """Its states as components of frames that are taken to be independent."""
        return Mixture(self.emission, self.n_states)

    def initial_params(self, data, method: str, rng, weights=None) -> HiddenMarkovParams:
        """Starting parameters by a method of `starts`."""
        return hidden_markov_starts.start_hidden_markov(
            self, self.check(data), method, rng, weights
        )

    def params_from_responsibilities(self, data, responsibilities, weights=None):
        """The M-step of a given q under which frames are independent.

        responsibilities: (sum of lengths, K), rows summing to 1, sequence after sequence.
        """
        data = self.check(data)
        lengths = lengths_of(data)
        weights = np.ones(len(data)) if weights is None else weights
        emission = (
            Mixture(self.emission, self.n_states)
            .params_from_responsibilities(
                np.concatenate(data), responsibilities, np.repeat(weights, lengths)
            )
            .emission
        )
        shares = split_frames(responsibilities, lengths)
        starts = sum(w * q[0] for w, q in zip(weights, shares, strict=True))
        counts = sum(w * q[:-1].T @ q[1:] for w, q in zip(weights, shares, strict=True))
        matrix = self.with_emission(emission, counts).transition_matrix
        return HiddenMarkovParams(*self._chain(matrix, starts, counts * self.allowed), emission)

    def e_step(self, params: HiddenMarkovParams, data, weights=None) -> Expectation:
        """Probabilities of states and transitions given whole sequences, folded into statistics."""
        return self._in_range(self._expect, params, self._sequences(data, params.emission), weights)

    def _in_range(self, run, params: HiddenMarkovParams, *arguments):
        """run(chain, params, ...) with probabilities, or with their logarithms where it must."""
        chain = params.initial_probabilities, params.transition_matrix
        try:
            return run(Scaled(*chain), params, *arguments)
        except Underflow:
            return run(Logarithmic(*chain), params, *arguments)

    def _frames(self, params: HiddenMarkovParams, sequences: Sequences, relative=False):
        return [
            FrameDensities(self.emission, params.emission, tile, self.n_states, relative)
            for tile in sequences.tiles
        ]

    def label_entropy(self, params: HiddenMarkovParams, data, weights=None) -> float | None:
        """H(q) of the states alone, in nats, total; None where only they are latent."""
        raw = not isinstance(data, Sequences)
        if raw and all(map(self.emission.only_labels, data)):
            return None
        run = partial(self._expect, further=False)
        sequences = self._sequences(data, params.emission)
        return self._in_range(run, params, sequences, weights).entropy

    def _expect(
        self, chain, params, sequences: Sequences, weights, further: bool = True
    ) -> Expectation:
        """further: whether the entropy counts what is latent besides the states."""
        n_pieces = len(sequences.sequence)
        weights = np.ones(n_pieces) if weights is None else weights[sequences.sequence]
        starts = np.zeros(self.n_states)
        transitions = np.zeros((self.n_states, self.n_states))
        emission, log_likelihood, entropy = [], 0.0, 0.0
        # Logarithms of long products are not exact enough to tell what was left out.
        all_frames = self._frames(params, sequences, relative=isinstance(chain, Scaled))
        for frames, densities, states in smooth(chain, sequences, all_frames, weights):
            tile, weight = frames.tile, weights[frames.tile.pieces]
            starts += states.shares[:, tile.steps[0]][:, ~tile.continuing].sum(axis=1)
            transitions += states.transitions
            frames.add(states.shares)
            emission.append(self.emission.statistics(frames.kernel))
            log_likelihood += total(weight, states.log_scales) + frames.level(weight)
            # H(q) = -E_q[log q], and q is a product of densities, transitions and scales.
            scales = np.where(states.log_scales > -np.inf, states.log_scales, 0)
            entropy += total(weight, scales) - np.vdot(states.shares, densities.logs)
            entropy += np.sum(frames.kernel.entropy) if further else 0.0
        entropy -= expected_log_path(*params[:2], starts, transitions)
        statistics = HiddenMarkovStatistics(starts, transitions, reduce(add, emission))
        return Expectation(statistics, float(entropy), float(log_likelihood))

    def m_step(self, params: HiddenMarkovParams, statistics) -> HiddenMarkovParams:
        """Shares of the expected starts and transitions, and the emission's own M-step.

        With stationary initial probabilities, `best_transitions`. A state that is never left keeps
        its row of the transition matrix.
        """
        starts, transitions, emission = statistics
        chain = self._chain(params.transition_matrix, starts, transitions)
        shares = emission.counts / emission.counts.sum()
        return HiddenMarkovParams(*chain, self.emission.m_step(params.emission, emission, shares))

    def _chain(self, matrix, starts, transitions) -> tuple[np.ndarray, np.ndarray]:
        """The best initial probabilities and transition matrix, coming from `matrix`."""
        if self.initial == "stationary":
            matrix = best_transitions(starts, transitions, matrix)
            return stationary_distribution(matrix), matrix
        matrix = rows_to_shares(transitions, matrix, LEAST_SHARE * transitions.sum())
        return starts / starts.sum(), matrix

    def expected_log_joint(self, params: HiddenMarkovParams, statistics) -> float:
        """E_q of the log-probabilities of starts, transitions and frames, in nats."""
        starts, transitions, emission = statistics
        chain = expected_log_path(*params[:2], starts, transitions)
        return float(chain + self.emission.expected_log_density(params.emission, emission))

    def expected_log_joint_gradient(self, params: HiddenMarkovParams, statistics):
        """Derivatives of `expected_log_joint` by every entry of every array: expected starts and
        transitions over their probabilities, and the emission's own (Cappe, Moulines & Ryden 2005,
        chapter 10)."""
        starts, transitions, emission = statistics
        return HiddenMarkovParams(
            by_shares(starts, params.initial_probabilities),
            by_shares(transitions, params.transition_matrix),
            self.emission.expected_log_density_gradient(params.emission, emission),
        )

    def flags(self, params: HiddenMarkovParams, statistics) -> tuple[str, ...]:
        """Which states are empty or never left, and what the emission has to say."""
        counts, leaving = statistics.emission.counts, statistics.transitions.sum(axis=1)
        empty = counts <= EMPTY_SHARE * counts.sum()
        messages: list[Flag] = [
            Collapse(
                f"state {k + 1} is empty: no frame belongs to it; use fewer states or another "
                "start",
                k,
                "state",
            )
            for k in np.flatnonzero(empty)
        ]
        messages += [
            Flag(
                f"state {k + 1} is never left in these data: they say nothing of its transitions",
                k,
                "state",
            )
            for k in np.flatnonzero(~empty & (leaving <= EMPTY_SHARE * leaving.sum()))
        ]
        of_emission = self.emission.flags(params.emission, statistics.emission)
        return (*messages, *(called(flag, "state") for flag in of_emission))

    def at_floor(self, params, statistics) -> dict[str, np.ndarray]:
        """What of the emission is at its floor."""
        floors = optional(self.emission, "at_floor", Emission)
        return floors(params.emission, statistics.emission)

    def leap(self, params: HiddenMarkovParams, statistics) -> Leap | None:
        """What the emission proposes, of states."""
        leap = leap_of_emission(self.emission, params, statistics)
        return leap and leap._replace(flags=tuple(called(flag, "state") for flag in leap.flags))

    def posterior(self, params: HiddenMarkovParams, data) -> HiddenMarkovPosterior:
        """State probabilities and log-likelihood of every sequence, by exact smoothing."""
        return self._in_range(self._posterior, params, self._sequences(data, params.emission))

    def _posterior(self, chain, params, sequences: Sequences) -> HiddenMarkovPosterior:
        shares = np.empty((sequences.bounds[-1], self.n_states))
        log_likelihoods = np.empty(len(sequences.sequence))
        weights = np.ones(len(sequences.sequence))
        all_frames = self._frames(params, sequences)
        for frames, _, states in smooth(chain, sequences, all_frames, weights):
            shares[frames.tile.frames()] = states.shares.T
            log_likelihoods[frames.tile.pieces] = states.log_scales + frames.levels
        log_likelihoods = np.bincount(sequences.sequence, log_likelihoods)
        # Beside the logarithm of a probability of 0 no other keeps its digits.
        impossible = np.repeat(np.isneginf(log_likelihoods), sequences.lengths)
        shares[impossible] = rows_to_shares(shares[impossible], 1 / self.n_states, 0)
        return HiddenMarkovPosterior(split_frames(shares, sequences.lengths), log_likelihoods)

    def component_shares(self, params: HiddenMarkovParams, data) -> np.ndarray:
        """(N, K) state probabilities of all frames, sequence after sequence."""
        return np.concatenate(self.posterior(params, data).state_probabilities)

    def predict(self, params: HiddenMarkovParams, data) -> list[np.ndarray]:
        """For each sequence the most probable path (T,), states counted from 0 (Viterbi)."""
        sequences = self._sequences(data, params.emission)
        path = best_path(
            params.initial_probabilities,
            params.transition_matrix,
            sequences,
            self._frames(params, sequences),
        )
        return split_frames(path, sequences.lengths)

    def log_forecasts(self, params: HiddenMarkovParams, data) -> list[np.ndarray]:
        """For each sequence log p(x_t | x_1 ... x_(t-1)) (T,), in nats: their sum is its
        log-likelihood (Zucchini, MacDonald & Langrock 2016, chapter 6)."""
        data = check_sequences(data)
        frames, lengths = np.concatenate(data), lengths_of(data)
        of_states = log_densities_of_states(self.emission, params.emission, frames, self.n_states)
        chain = params.initial_probabilities, params.transition_matrix
        return split_frames(log_forecasts(*chain, of_states, lengths), lengths)

    def impossible(self, params: HiddenMarkovParams, data) -> Impossible | None:
        """The first frame of checked sequences that no path of probability above 0 leads through,
        and why; None without one."""
        if optional(self.emission, "impossible", Emission) is None:
            return None
        chain = params.initial_probabilities, params.transition_matrix
        before = 0
        for frames in data:
            excluded = self.emission.impossible(params.emission, frames)
            found = impossible_frame(excluded, frames, *chain)
            if found is not None:
                return found._replace(row=before + found.row)
            before += len(frames)
        return None

    def impute(self, params: HiddenMarkovParams, data) -> Imputation:
        """Missing values filled by their conditional means given the whole sequence, and their
        standard deviations: one table (T, D) of each for every sequence."""
        data = check_sequences(data)
        shares = np.concatenate(self.posterior(params, data).state_probabilities)
        tables = self.emission.impute(params.emission, np.concatenate(data), shares)
        values, deviations = (split_frames(table, lengths_of(data)) for table in tables)
        return Imputation(values, deviations)

    def sample(self, params: HiddenMarkovParams, n, rng) -> tuple[list, list]:
        """Sequences and the path (T,) of each: n is the length of one, or a list of lengths."""
        lengths = np.atleast_1d(n)
        path = random_paths(params.initial_probabilities, params.transition_matrix, lengths, rng)
        frames = self.emission.sample(params.emission, path, rng)
        return split_frames(frames, lengths), split_frames(path, lengths)

    def domains(self, params: HiddenMarkovParams) -> tuple:
        """Where the parameters may lie, for `Coordinates`."""
        if self.initial == "stationary":
            initial = Derived(
                lambda matrix, emission: stationary_distribution(matrix), pass_to_transitions
            )
        else:
            initial = Shares(params.initial_probabilities, "initial probability")
        transitions = Shares(params.transition_matrix, "transition probability", self.allowed)
        return initial, transitions, self.emission.domains(params.emission)

    def rescale(self, params: HiddenMarkovParams, shift, scale) -> HiddenMarkovParams:
        """The parameters of scale * x + shift, for x distributed by `params`."""
        return params._replace(emission=self.emission.rescale(params.emission, shift, scale))

    def n_parameters(self, params: HiddenMarkovParams) -> int:
        """K - 1 initial probabilities, unless stationary; allowed transitions less one in each
        row; and the emission's free parameters."""
        initial = self.n_states - 1 if self.initial == "free" else 0
        transitions = int(self.allowed.sum()) - self.n_states
        return initial + transitions + self.emission.n_parameters(params.emission)


def pass_to_transitions(params: HiddenMarkovParams, gradient: HiddenMarkovParams):
    """The gradient where initial probabilities are the stationary distribution of transitions."""
    through = stationary_gradient(params.transition_matrix, gradient.initial_probabilities)
    return gradient._replace(transition_matrix=gradient.transition_matrix + through)
