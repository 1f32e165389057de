"""Finite mixtures: one hidden label per row, p(x) = sum_k pi_k p(x | k)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np

from em_core.coordinates.domains import Shares
from em_core.coordinates.gradients import by_shares
from em_core.data import as_table
from em_core.emissions.gaussian import EMPTY_SHARE, leap_of_emission
from em_core.emissions.kernels.extremes import smallest
from em_core.emissions.kernels.linear import IMPOSSIBLE, log_probability
from em_core.emissions.kernels.responsibilities import entropy_of, normalise_shifted, respond
from em_core.half_steps import Collapse, Expectation, Leap
from em_core.impossible import Impossible, impossible_row
from em_core.magnitudes import shares_of
from em_core.protocols import Emission, optional
from em_core.starts import table as initialization


class _WeightsAndEmission(NamedTuple):
    weights: np.ndarray
    emission: Any


class MixtureParams(_WeightsAndEmission):
    """weights (K,) that sum to 1, and the emission's parameters, also as `params.means` etc.

    The arrays are taken to stay as they are: what is derived from them is worked out once.
    """

    def __getstate__(self) -> None:
        """Nothing but the parameters travels to another process: the rest is worked out again."""

    @property
    def log_weights(self) -> np.ndarray:
        """(K,) logarithms of the weights, `IMPOSSIBLE` for 0."""
        known = self.__dict__.get("_log_weights")
        if known is None:
            known = self.__dict__["_log_weights"] = log_probability(self.weights)
        return known

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.emission, name)


class MixtureStatistics(NamedTuple):
    """counts (K,) = sum_n r_nk, and the emission's statistics."""

    counts: np.ndarray
    emission: Any


class MixturePosterior(NamedTuple):
    """responsibilities (N, K) = p(z_n = k | x_n, params); log_densities (N,) = log p(x_n) in nats.

    A row that no component can show has log-density -inf. Its responsibilities are the limit in
    which every probability of 0 is the same vanishing number: a level never seen tells nothing.
    """

    responsibilities: np.ndarray
    log_densities: np.ndarray


@dataclass(frozen=True)
class MixtureRows:
    """Prepared data: the emission's rows, sliceable like a table."""

    rows: Any

    def __len__(self) -> int:
        return self.rows.n_rows

    def __getitem__(self, part: slice) -> MixtureRows:
        start, stop, _ = part.indices(len(self))
        return MixtureRows(self.rows.take(start, stop))


@dataclass(frozen=True)
class Mixture:
    """A mixture of `n_components` of one emission, e.g. `Mixture(Gaussian("full"), 3)`."""

    emission: Any
    n_components: int
    latent: ClassVar = "labels"

    def __post_init__(self):
        if self.n_components < 1:
            raise ValueError("a mixture needs at least one component")

    @property
    def starts(self):
        """The methods of `initial_params`, by name; the first is the usual one."""
        return initialization.STARTS

    @property
    def DIMS(self) -> dict[str, tuple[str, ...]] | None:
        """What the axes of every array of the parameters run over, if the emission says so."""
        of_emission = optional(self.emission, "DIMS", Emission)
        return of_emission and {"weights": ("component",), **of_emission}

    def interchangeable(self) -> bool:
        """Any component may have any number."""
        return True

    def as_mixture(self) -> Mixture:
        """Itself: its rows are independent."""
        return self

    def with_size(self, n_components: int) -> Mixture:
        """A mixture of so many of the same components."""
        return replace(self, n_components=n_components)

    @property
    def batches(self) -> bool:
        """Whether parameters may have a leading axis, for several models side by side."""
        return optional(self.emission, "batches", Emission) or False

    def check(self, data) -> np.ndarray:
        """The data as the emission takes them. Raises ValueError where it cannot."""
        return self.emission.check(data)

    def prepare(self, data, weights=None) -> MixtureRows:
        return MixtureRows(self.emission.prepare(data, weights))

    def prepare_new(self, data, params: MixtureParams) -> MixtureRows:
        """Rows that are not to be fitted: their levels are those that the parameters have."""
        return MixtureRows(self.emission.prepare(data, params=params.emission))

    def settled(self, columns) -> Mixture:
        """The mixture whose emission has its levels from such columns."""
        return replace(self, emission=optional(self.emission, "settled", Emission)(columns))

    def opened(self, params, n_rows: int) -> MixtureParams:
        """With parameters of the emission that make no value impossible."""
        own = optional(self.emission, "opened", Emission)(params.emission, n_rows)
        return MixtureParams(params.weights, own)

    def prepare_block(self, data, columns) -> MixtureRows:
        """Some rows of a table whose columns are such: about their means, in their units."""
        params = self.emission.of_columns(columns)
        return MixtureRows(self.emission.prepare(data, params=params))

    def params(self, weights, **emission) -> MixtureParams:
        """Explicit parameters from arrays (`weights`, `means`, `covariances`).

        Raises ValueError for a wrong shape or a value outside its domain.
        """
        weights = np.asarray(weights, dtype=float)
        if weights.shape != (self.n_components,):
            raise ValueError(
                f"weights have shape {weights.shape}: give one number for each of "
                f"{self.n_components} components"
            )
        if not np.isfinite(weights).all() or weights.min() < 0 or weights.max() <= 0:
            raise ValueError("weights must not be negative, and not all zero")
        weights = shares_of(weights)
        weights.setflags(write=False)
        return MixtureParams(weights, self.emission.params(self.n_components, **emission))

    def initial_params(self, data, method: str, rng, weights=None) -> MixtureParams:
        """Starting parameters by a method of `initialization.STARTS`."""
        return initialization.start_mixture(self, self.check(data), method, rng, weights)

    def params_from_responsibilities(self, data, responsibilities, weights=None) -> MixtureParams:
        """The M-step of a given q: responsibilities (N, K), rows summing to 1."""
        data = self.check(data)
        if responsibilities.shape != (len(data), self.n_components):
            raise ValueError(
                f"responsibilities have shape {responsibilities.shape}: give "
                f"{len(data)} rows and {self.n_components} columns"
            )
        if not np.allclose(responsibilities.sum(axis=1), 1) or responsibilities.min() < 0:
            raise ValueError("each row of responsibilities must be non-negative and sum to 1")
        whole = self.emission.overall(data, self.n_components, weights)
        equal = MixtureParams(np.full(self.n_components, 1 / self.n_components), whole)
        rows = self.emission.prepare(data, weights)
        kernel = self.emission.kernel(equal.emission, rows, np.log(equal.weights))
        for block in kernel.blocks():
            shares = np.ascontiguousarray(responsibilities[block.rows].T)
            kernel.add(block, shares if weights is None else shares * weights[block.rows])
        return self.m_step(equal, self._statistics(kernel))

    def params_near(self, data, rows, weights=None) -> MixtureParams:
        """Equal weights, and components near some rows (K,) of the data."""
        equal = np.full(self.n_components, 1 / self.n_components)
        return MixtureParams(equal, self.emission.near(data, rows, weights))

    def params_around(self, shares, data, means, weights=None) -> MixtureParams:
        """Parameters with these weights (K,) and means (K, D), and the rows' spread about them."""
        return MixtureParams(shares, self.emission.around(data, means, weights))

    def _kernel(self, params: MixtureParams, data, relative=False):
        prepared = data if isinstance(data, MixtureRows) else self.prepare_new(data, params)
        return self.emission.kernel(params.emission, prepared.rows, params.log_weights, relative)

    def _statistics(self, kernel) -> MixtureStatistics:
        emission = self.emission.statistics(kernel)
        return MixtureStatistics(emission.counts, emission)

    def e_step(self, params: MixtureParams, data, weights=None) -> Expectation:
        """Responsibilities r_nk = pi_k p(x_n | k) / sum_j pi_j p(x_n | j), folded into moments."""
        kernel = self._kernel(params, data, relative=True)
        log_likelihood = entropy = 0.0
        for block, shares, log_sums, entropies in respond(kernel, weights):
            log_likelihood = log_likelihood + log_sums
            entropy = entropy + entropies
            kernel.add(block, shares)
        if len(collapsing := kernel.collapsing()):
            for block, shares, _, _ in respond(kernel, weights):
                kernel.add_collapsing(block, collapsing, shares)
        statistics = self._statistics(kernel)
        log_likelihood = total_of(kernel, log_likelihood + kernel.left_out(), weights)
        entropy = entropy + kernel.entropy
        models = statistics.counts.shape[:-1]
        if not models:
            return Expectation(statistics, entropy.item(), log_likelihood.item())
        return Expectation(statistics, entropy.reshape(models), log_likelihood.reshape(models))

    def e_step_with(self, params: MixtureParams, data, respond) -> Expectation:
        """The E-step of another q than the posterior: q = respond(log joints (K, n), rows).

        What else is latent (weights, factors, missing values) keeps its posterior given the
        component. The log-likelihood is the true one, which the bound of any q stays below.
        """
        kernel = self._kernel(params, data)
        log_likelihood, entropy, given = 0.0, 0.0, []
        for block in kernel.blocks():
            log_joint = np.empty((self.n_components, block.n_rows))
            kernel.log_joint(block, out=log_joint)
            log_joint += kernel.shift
            shares = respond(log_joint, block.rows)
            log_likelihood += np.logaddexp.reduce(log_joint, axis=0).sum()
            entropy += entropy_of(shares)
            kernel.add(block, shares)
            given.append((block, shares))
        if len(collapsing := kernel.collapsing()):
            for block, shares in given:
                kernel.add_collapsing(block, collapsing, shares)
        entropy += float(np.sum(kernel.entropy))
        log_likelihood = total_of(kernel, log_likelihood)
        return Expectation(self._statistics(kernel), entropy, float(log_likelihood))

    def label_entropy(self, params: MixtureParams, data, weights=None) -> float | None:
        """H(q) of the labels alone, in nats, total; None where only they are latent, unless the
        rows are prepared."""
        rows = data
        if not isinstance(data, MixtureRows):
            if self.emission.only_labels(data):
                return None
            rows = self.prepare(data, weights)
        kernel = self._kernel(params, rows)
        return float(sum(entropy.sum() for _, _, _, entropy in respond(kernel, weights)))

    def m_step(self, params: MixtureParams, statistics: MixtureStatistics) -> MixtureParams:
        """pi_k = N_k / N, and the emission's own M-step."""
        shares = statistics.counts / statistics.counts.sum(-1, keepdims=True)
        shares.setflags(write=False)
        emission = self.emission.m_step(params.emission, statistics.emission, shares)
        return MixtureParams(shares, emission)

    def expected_log_joint(self, params: MixtureParams, statistics: MixtureStatistics):
        """sum_nk r_nk [log pi_k + log p(x_n | k)] in nats."""
        return self.emission.expected_log_density(
            params.emission, statistics.emission, params.log_weights
        )

    def expected_log_joint_gradient(
        self, params: MixtureParams, statistics: MixtureStatistics
    ) -> MixtureParams:
        """Derivatives of `expected_log_joint` by every entry of every array (see
        `em_core.coordinates.gradients`): N_k / pi_k, and the emission's own."""
        return MixtureParams(
            by_shares(statistics.counts, params.weights),
            self.emission.expected_log_density_gradient(params.emission, statistics.emission),
        )

    def flags(self, params: MixtureParams, statistics: MixtureStatistics) -> tuple[str, ...]:
        """Which components are empty or at their floor."""
        messages = ()
        if smallest(params.weights) <= EMPTY_SHARE:
            messages = tuple(
                Collapse(
                    f"component {k + 1} is empty: no row belongs to it; use fewer components or "
                    "another start",
                    k,
                )
                for *_, k in np.argwhere(params.weights <= EMPTY_SHARE)
            )
        return messages + self.emission.flags(params.emission, statistics.emission)

    def at_floor(self, params, statistics) -> dict[str, np.ndarray]:
        """What of the emission is at its floor."""
        floors = optional(self.emission, "at_floor", Emission)
        return floors(params.emission, statistics.emission)

    def leap(self, params: MixtureParams, statistics: MixtureStatistics) -> Leap | None:
        """What the emission proposes."""
        return leap_of_emission(self.emission, params, statistics)

    def log_joint(self, params: MixtureParams, data) -> np.ndarray:
        """(N, K) log pi_k + log p(x_n | k), in nats; -inf where that is impossible."""
        log_joint, impossible = self._log_joint(params, data)
        log_joint[log_joint <= IMPOSSIBLE / 2] = -np.inf
        if impossible is not None:
            log_joint[:, impossible] = -np.inf
        return log_joint.T

    def _log_joint(self, params: MixtureParams, data) -> tuple[np.ndarray, np.ndarray | None]:
        """(K, N) log joints as the kernel has them, and (N,) which rows have probability 0."""
        kernel = self._kernel(params, data)
        result = np.empty((self.n_components, kernel.rows.n_rows))
        for block in kernel.blocks():
            out = np.empty((self.n_components, block.n_rows))
            result[:, block.rows] = kernel.log_joint(block, out=out)
        return result + kernel.shift, None if kernel.impossible is None else kernel.impossible[0]

    def posterior(self, params: MixtureParams, data) -> MixturePosterior:
        """Responsibilities and log-density of every row."""
        log_joint, impossible = self._log_joint(params, data)
        shares = np.empty_like(log_joint)
        (log_sums,) = normalise_shifted(log_joint[None], shares[None])
        shares[log_joint <= IMPOSSIBLE / 2] = 0
        if impossible is not None:
            log_sums[impossible] = -np.inf
        return MixturePosterior(shares.T, log_sums)

    def component_shares(self, params: MixtureParams, data) -> np.ndarray:
        """(N, K) responsibilities."""
        return self.posterior(params, data).responsibilities

    def predict(self, params: MixtureParams, data) -> np.ndarray:
        """(N,) the most responsible component of each row, counted from 0."""
        return self._log_joint(params, data)[0].argmax(axis=0)

    def impossible(self, params: MixtureParams, data) -> Impossible | None:
        """The first row of checked data that has probability 0, and why; None without one."""
        if optional(self.emission, "impossible", Emission) is None:
            return None
        return impossible_row(self.emission.impossible(params.emission, data), data, params.weights)

    def impute(self, params: MixtureParams, data):
        """Missing values filled by their conditional means, and their standard deviations."""
        data = as_table(data)
        responsibilities = self.posterior(params, data).responsibilities
        return self.emission.impute(params.emission, data, responsibilities)

    def sample(self, params: MixtureParams, n: int, rng) -> tuple[np.ndarray, np.ndarray]:
        """n rows and the component (N,) each came from."""
        labels = rng.choice(self.n_components, size=n, p=params.weights)
        return self.emission.sample(params.emission, labels, rng), labels

    def domains(self, params: MixtureParams) -> tuple:
        """Where the parameters may lie, for `Coordinates`."""
        return Shares(params.weights, "weight"), self.emission.domains(params.emission)

    def rescale(self, params: MixtureParams, shift, scale) -> MixtureParams:
        """The parameters of scale * x + shift, for x distributed by `params`."""
        return params._replace(emission=self.emission.rescale(params.emission, shift, scale))

    def n_parameters(self, params: MixtureParams) -> int:
        """K - 1 weights and the emission's free parameters."""
        return self.n_components - 1 + self.emission.n_parameters(params.emission)


def total_of(kernel, log_likelihood, weights: np.ndarray | None = None):
    """A total log-likelihood (R,): -inf where a row that counts has probability 0."""
    if kernel.impossible is None:
        return log_likelihood
    counting = kernel.impossible if weights is None else kernel.impossible & (weights > 0)
    return np.where(counting.any(axis=1), -np.inf, log_likelihood)
