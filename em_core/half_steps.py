"""What EM goes by: expectations that add, half-steps, and what a person should know of them."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Self, TypeVar, overload

import numpy as np

# The last four only where somebody watches: the caller went away, the start raised an error, or the
# fit took longer, or more memory, than one may.
StopReason = Literal[
    "converged", "max_iterations", "decreased", "not_finite",
    "stopped", "failed", "time", "memory",
]  # fmt: skip


class Shared:
    """A value that all chunks of the data have in common: adding chunks leaves it as it is.

    Statistics add leaf by leaf; the origin about which moments were taken must not.
    """

    def __init__(self, value: np.ndarray):
        self.value = value

    def __add__(self, other: Shared) -> Shared:
        if self.value is not other.value and not np.array_equal(self.value, other.value):
            raise ValueError(
                "these statistics were taken about different origins and cannot be added"
            )
        return self

    def __mul__(self, factor: float) -> Shared:
        return self


SomeFlag = TypeVar("SomeFlag", bound="Flag")


class Expectation(NamedTuple):
    """What one chunk of data contributes to the E-step. Chunks add, leaf by leaf.

    statistics: NamedTuple of the expected complete-data sufficient statistics under q.
    entropy: H(q) in nats, total, computed from q itself.
    log_likelihood: log p(x | params) in nats, total, at the parameters that gave q.
    """

    statistics: Any
    entropy: float
    log_likelihood: float


class Flag(str):
    """A plain sentence on an M-step. One about a single component begins with it: "component 2".

    component: which one, from 0; None where it is about all of them. unit: what it calls one.
    """

    component: int | None
    unit: str

    def __new__(cls, text: str, component: int | None = None, unit: str = "component") -> Self:
        flag = super().__new__(cls, text)
        flag.component, flag.unit = None if component is None else int(component), unit
        return flag

    def renumbered(self, component: int) -> Self:
        """The same of a component that has another number, from 0."""
        assert self.component is not None, "it is about a single component"
        said = self.removeprefix(f"{self.unit} {self.component + 1}")
        return type(self)(f"{self.unit} {component + 1}{said}", component, self.unit)


class Collapse(Flag):
    """A flag saying that a component has degenerated: the likelihood tells more of the floor than
    of the data, and such an answer must not win."""


@overload
def called(sentence: SomeFlag, unit: str) -> SomeFlag: ...
@overload
def called(sentence: str, unit: str) -> str: ...
def called(sentence: str, unit: str) -> str:
    """A sentence that calls what rows belong to a component, where it is called otherwise: "state",
    "class"; "" where rows belong to nothing. A flag stays one."""
    if not unit:
        return sentence
    several = f"{unit}es" if unit.endswith("s") else f"{unit}s"
    said: str = sentence
    for case in (str, str.capitalize):
        said = said.replace(case("components"), case(several)).replace(
            case("component"), case(unit)
        )
    return type(sentence)(said, sentence.component, unit) if isinstance(sentence, Flag) else said


def has_collapsed(flags: tuple[str, ...]) -> bool:
    """Whether one of the flags is a `Collapse`."""
    return any(isinstance(flag, Collapse) for flag in flags)


class Leapt(Flag):
    """A flag saying that this was no M-step but a leap, and what it does."""


class Leap(NamedTuple):
    """A step up the log-likelihood itself, which a model proposes where EM would creep: q and the
    parameters move together (ECME: Liu & Rubin 1994).

    params: where to; gain: by how many nats the log-likelihood should rise; flags: what it does.
    """

    params: Any
    gain: float
    flags: tuple[Leapt, ...]


class HalfStep(NamedTuple):
    """One coordinate move: "E" moved q, "M" moved the parameters.

    "start" is the first q, the posterior at the starting parameters, so its KL is zero.
    In a leap "M" moved both, to where the log-likelihood is higher: there is no KL after it, and
    the E half-step that follows finds nothing to do (see `leap` of a `Model`).
    elbo, log_likelihood and entropy are totals in nats; log_likelihood is always at `params`,
    q = p(z | x, posterior_params), and entropy is H(q). flags say what a person should know of the
    M-step; a `Collapse` among them, that the answer is none.
    """

    iteration: int
    phase: Literal["start", "E", "M"]
    params: Any
    posterior_params: Any
    elbo: float
    log_likelihood: float
    flags: tuple[str, ...]
    entropy: float

    @property
    def kl(self) -> float:
        """KL(q || p(z | x, params)) = log_likelihood - elbo, in nats."""
        return self.log_likelihood - self.elbo

    @property
    def is_leap(self) -> bool:
        """Whether this "M" is no M-step, but moved q and the parameters together."""
        return self.phase == "M" and any(isinstance(flag, Leapt) for flag in self.flags)
