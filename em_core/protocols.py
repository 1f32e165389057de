"""What the parts of `em_core` ask of one another, with every member.

Shapes: N rows, D columns, K components, P features or coordinates. What follows the word
"Optional" in a protocol may be missing; `optional` is the one way to ask for it. Nobody finds out
what a part is by its class or by how its parameters are spelled: it is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from em_core.half_steps import Expectation, Leap

# Of each row a label or factors, of each sequence a path of labels, of each group its effect.
Latent = Literal["labels", "path", "factors", "effects"]
# How many of its seeds the default search gives a start: one where no seed changes it, none where
# it is a search of its own.
Turns = Literal["many", "one", "none"]
Name = tuple[str, tuple[int, ...]] | None


class Model(Protocol):
    """What a latent-variable model brings. `Params` and `Statistics` are NamedTuples of its own."""

    def initial_params(self, data, method, rng, weights=None) -> Any:
        """Starting parameters by the named method, drawn with the Generator `rng`."""

    def e_step(self, params, data, weights=None) -> Expectation:
        """Expected statistics under q = p(z | x, params)."""

    def m_step(self, params, statistics) -> Any:
        """argmax over parameters of `expected_log_joint`; `params` are the ones that gave q."""

    def expected_log_joint(self, params, statistics) -> float:
        """Q(params, q) = E_q[log p(x, z | params)] in nats, total, without a pass over the data."""

    def posterior(self, params, data) -> Any:
        """p(z | x, params) for display."""

    def n_parameters(self, params) -> int:
        """Number of free parameters, for AIC and BIC. One at its bound counts like any other: which
        are there is not known before the data are. But the degrees of freedom of a t distribution
        count only where it is not the Gaussian, which has none."""

    # Optional: what stands here holds where a model says nothing (see `optional`).

    def check(self, data) -> Any:
        """The data brought to one form. Raises ValueError, in words, for what cannot be fitted."""
        return data

    def check_start(self, params, data, weights=None) -> None:
        """Raises ValueError, in words, where EM on checked data cannot begin with parameters that
        were given."""

    def prepare(self, data, weights=None) -> Any:
        """The data in the form the E-step reads fastest; can be sliced by rows and has a length."""
        return data

    def settled(self, columns) -> Any:
        """The model for tables whose columns are such (`partitions.overview.ColumnTotals`), where
        it would read something off all rows."""
        return self

    def opened(self, params, n_rows: int) -> Any:
        """Parameters close to these, which were made from a sample of so many rows, under which no
        value that other rows may hold is impossible."""
        return params

    def flags(self, params, statistics) -> tuple[str, ...]:
        """Plain sentences on what a person should know about the M-step that gave `params`; where
        a component has degenerated, a `Collapse`."""
        return ()

    def leap(self, params, statistics) -> Leap | None:
        """A step up the log-likelihood itself where EM would creep; None where EM does well.

        statistics: of the E-step at `params`. It is taken only if the log-likelihood rises.
        """
        return None

    def at_floor(self, params, statistics) -> dict[str, np.ndarray]:
        """By the name of their array, which entries are where a bound of the model holds them (in
        a covariance, all): booleans of its shape. statistics: of the E-step at `params`."""
        return {}

    def component_shares(self, params, data) -> np.ndarray | None:
        """(N, K) probabilities of the component (or state) of each row, sequence after sequence,
        by `posterior`; None where what is hidden is no label."""
        return None

    def interchangeable(self) -> bool:
        """Whether any component may have any number. Asked only where `DIMS` has components."""
        return True

    def label_entropy(self, params, data, weights=None) -> float | None:
        """H(q) of the labels alone, in nats, total; None where only they are latent."""
        return None

    def n_observations(self, data, weights=None) -> float:
        """How many observations BIC counts: the rows, or the total of their weights."""
        return len(data) if weights is None else float(weights.sum())

    latent: Latent | None = None
    # What the last axes of each array of the parameters run over, by the array's name:
    # {"means": ("component", "column")}; None where the model does not say.
    DIMS: Mapping[str, tuple[str, ...]] | None = None

    # Optional, and without a stand-in: the model can do less without it.
    #   grouped: bool; the data are a list of sequences or groups, not rows that belong to nothing
    #   batches: bool; parameters and statistics may have a leading axis, one for each of many runs
    #   starts: mapping of names to `Start`s, the first the usual one
    #   params(**arrays): checked parameters from their arrays
    #   params_from_responsibilities(data, (N, K), weights): the M-step of a given q
    #   prepare_block(data, columns): as `prepare`, some rows of a table whose columns are such; or
    #   condense_block(data, weights, columns): all that EM needs of them, which adds, and
    #     condensed(sum, columns): what the E-step takes in the table's place; what is fitted to
    #     tables in pieces has the one or the others
    #   as_mixture(): the mixture of the same components, its rows independent, with
    #     with_size(n): of n of them; what can be split and merged has it
    #   predict(params, data): (N,) labels; impute, sample, log_joint, impossible
    #   domains(params): a tree of `Domain`, for coordinates; expected_log_joint_gradient(params,
    #     statistics): the derivatives of Q by every entry of the parameters; rescale(params, shift,
    #     scale): the parameters of scale * x + shift


class Start(Protocol):
    """One way to begin, as a model's `starts` has it by its name: what others read of it."""

    meaning: str  # in a few words
    turns: Turns = "many"
    for_many: bool = False  # whether it is the usual one of very many rows


def optional(part, name: str, protocol: type = Model) -> Any:
    """A member that a part may lack: its own, else what the protocol says in its stead, or None."""
    own = getattr(part, name, None)
    if own is not None:
        return own
    default = getattr(protocol, name, None)
    return partial(default, part) if callable(default) else default


class Emission(Protocol):
    """p(x | component) of a mixture or of the states of a chain; `Params` and `Statistics` are
    NamedTuples of its own, each array with the components first, (K, ...).

    A batch of R models has R leading axes in parameters and statistics.
    """

    batches: bool

    def check(self, data, params=None) -> np.ndarray:
        """The data as (N, D) float64; params: None for data to be fitted. Raises ValueError."""

    def prepare(self, data, weights=None, params=None) -> Any:
        """The rows in the form that `kernel` reads fastest: with `n_rows`, `take(start, stop)` and
        `select(order)`."""

    def kernel(self, params, rows, log_weights=..., relative: bool = False) -> Kernel:
        """Log joint densities out of and expected features into prepared rows."""

    def statistics(self, kernel: Kernel) -> Any:
        """What the kernel has added up: `counts` (K,) and more; they add leaf by leaf."""

    def only_labels(self, data) -> bool:
        """Whether nothing is latent within the components."""

    def expected_log_density(self, params, statistics, log_weights=...) -> float:
        """sum_nk r_nk log p(x_n | k) in nats, total; with log_weights (K,), r_nk times these
        added."""

    def m_step(self, params, statistics, shares: np.ndarray) -> Any:
        """The parameters that maximise it; shares (K,) are counts over their sum."""

    def flags(self, params, statistics) -> tuple[str, ...]:
        """As of a `Model`."""

    def overall(self, data, n_components: int, weights=None) -> Any:
        """The parameters of all rows, for every component alike."""

    def near(self, data, rows: np.ndarray, weights=None) -> Any:
        """Components near some rows (K,)."""

    def coordinates(self, data, weights=None) -> np.ndarray:
        """(N, P) in which distances between rows are measured."""

    def params(self, n_components: int, **arrays) -> Any:
        """Checked parameters from arrays; raises ValueError naming what is wrong."""

    def sample(self, params, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(N, D): one row for each label (N,) of a component."""

    def impute(self, params, data, responsibilities: np.ndarray) -> Any:
        """Missing values filled by conditional means, and their standard deviations."""

    def n_parameters(self, params) -> int:
        """Free parameters of all components."""

    # Optional:
    #   shrink(params, counts): drawn towards their average; around(data, means, weights)
    #   leap(params, statistics, ...): as of a `Model`
    #   impossible(params, data): (K, N, D) which cells have probability 0
    #   domains(params), expected_log_density_gradient, rescale: as of a `Model`
    DIMS: Mapping[str, tuple[str, ...]] | None = None  # as of a `Model`

    def at_floor(self, params, statistics) -> dict[str, np.ndarray]:
        """As of a `Model`."""
        return {}

    def settled(self, columns) -> Any:
        """As of a `Model`."""
        return self

    def opened(self, params, n_rows: int) -> Any:
        """As of a `Model`."""
        return params

    #   of_columns(columns): parameters of one component with means, variances and levels of such
    #     columns (`partitions.overview.ColumnTotals`); `prepare` takes origin and units from them

    additive: bool = True  # whether statistics under q of different parameters add up

    #   conjugate: the family of priors of all of its parameters, such as "normal-Wishart"
    #   latent_weights(params, data, shares): (N,) weights of rows that are latent as well
    #   discrete: whether values are whole numbers; the members of `Columns` and `Levels`


class Kernel(Protocol):
    """R models of K components at one set of parameters over prepared rows: see
    `em_core.emissions.kernels.linear.LinearKernel`, which every kernel goes by."""

    n_models: int
    n_components: int
    # Entropy of what is latent within the components, (R,) in nats, total.
    entropy: Any
    # Taken off every log joint; and (R, N) which rows have probability 0, None without one.
    shift: float
    impossible: np.ndarray | None

    def blocks(self) -> Iterator[Any]:
        """Blocks of rows, each with its `rows` (a slice or indices) and `n_rows`."""

    def log_joint(self, block, out: np.ndarray) -> np.ndarray:
        """(R * K, n) log pi_k + log p(x_n | k) - shift in nats, written to `out`."""

    def add(self, block, shares: np.ndarray) -> None:
        """Add the features of a block whose rows belong to components by (R * K, n)."""

    def collapsing(self) -> np.ndarray:
        """Components that lost too many digits and must be added again, about their own centre."""

    def left_out(self) -> np.ndarray | float:
        """(R,) what log joints lack by shift or reference, total over the rows added."""


class Domain(Protocol):
    """Where a parameter may lie, and P coordinates that range over all numbers."""

    @property
    def names(self) -> tuple[Name, ...]:
        """For each coordinate what it moves, (quantity, place), or None where that has no plain
        name."""

    def vector(self, leaf) -> np.ndarray:
        """(P,) coordinates of a value in the domain."""

    def leaf(self, vector: np.ndarray) -> Any:
        """The value at coordinates (..., P)."""

    def pull(self, vector: np.ndarray, gradient) -> np.ndarray:
        """(P,) the gradient along the coordinates at (P,), by the chain rule from the derivatives
        by the entries of the value there, which for covariances are symmetric."""

    def values(self, leaf) -> np.ndarray:
        """(P,) what each coordinate moves, as a person reads it."""

    def at_limit(self, leaf) -> np.ndarray:
        """(P,) which coordinates have no more room at one side, where there is such a limit; each
        stands for one free parameter less."""


@runtime_checkable
class Columns(Protocol):
    """Single columns of rows of a component, whatever the other columns hold."""

    def column_means(self, params) -> np.ndarray:
        """(K, D) means of the columns, as those of many samples would be."""

    def column_deviations(self, params) -> np.ndarray:
        """(K, D) standard deviations of the columns; inf where there is none."""

    def column_log_density(self, params, column: int, values: np.ndarray) -> np.ndarray:
        """(K, n) log-density of values (n,) of one column, counted from 0; of whole numbers where
        the emission says `discrete`, their log-probability."""


@runtime_checkable
class Levels(Columns, Protocol):
    """Columns that are items: every value is one of the levels 0, 1, 2, ...

    binary: whether by its kind every item is answered 0 or 1, so that the mean says all.
    """

    binary: bool

    def level_probabilities(self, params) -> tuple[np.ndarray, ...]:
        """For each column (K, C): the probability of each of its C levels."""


def is_discrete(emission) -> bool:
    """Whether values are whole numbers, by the emission's attribute `discrete`."""
    return optional(emission, "discrete") or False
