"""What many runs of one model say together: which optima there are, and how often each is found.

Labels do not matter: components are matched by optimal assignment before anything is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from em_core.em import ROUNDING
from em_core.fit import Fit
from em_core.half_steps import Collapse
from em_core.protocols import is_discrete, optional
from em_core.search.alignment import align, assignment_shares, disagreement, some_rows
from em_core.search.identified import Identification, identified
from em_core.search.success import Interval, wilson

# Fits are compared on at most this many rows, drawn at random.
MOST_ROWS_COMPARED = 2000
# Of many runs so many rows are looked at together, but at least 500 of each: the grouping of 500
# runs must not keep a person waiting who has stopped them.
MOST_ROWS_IN_ALL = 200_000
LEAST_ROWS_COMPARED = 500
# Aitken's estimate of what was left to gain when a run stopped is right to about this factor.
TOLERANCE_FACTOR = 10
# Runs into one optimum disagreed on at most 0.5 % of the rows, along a ridge on 1.3 % (two classes
# of lsat6), distinct optima of so nearly the same likelihood on at least 2.4 % (870 converged runs
# on five data sets).
SAME_ASSIGNMENT = 0.018
# Rows times parameters: whether a model is identified is seen within a second, or not looked at.
MOST_SCORES = 50_000


@dataclass(frozen=True)
class StartedFit(Fit):
    """A Fit that knows the seed and the start it came from, and how many seconds it took.

    plateau: although it looked converged, going on gained more than the tolerance allows.
    parent: (start, seed) of the run whose answer this start was made from, if it was.
    Two further stop reasons: "stopped" (the caller went away) and "failed" (see `Failure`).
    """

    seed: Any
    start: Any
    seconds: float
    plateau: bool = False
    parent: tuple[str, Any] | None = None

    @property
    def is_independent(self) -> bool:
        """Whether it did not start from what another run has found."""
        return self.parent is None

    @property
    def is_optimum(self) -> bool:
        """Whether this may be called a local maximum of the likelihood."""
        return self.stop_reason == "converged" and not self.plateau and not self.collapsed


class Failure(NamedTuple):
    """A start that raised an error: its sentence, and the run up to there if there is one."""

    seed: Any
    start: Any
    message: str
    fit: StartedFit | None


@dataclass(frozen=True)
class Optimum:
    """One local maximum of the likelihood, and the runs that lead there.

    fit: its best run. fits: all of them, best first.
    gap: how far its log-likelihood lies below that of the best optimum, in nats.
    share: that of all independent starts which lead here, with its interval.
    alignment: (K,) component alignment[k] of `fit` matches component k of the best optimum's fit.
    disagreement: share of rows that belong elsewhere than in the best optimum, once aligned.
        Both are None for models whose hidden variable is no label.
    """

    fit: StartedFit
    fits: tuple[StartedFit, ...]
    gap: float
    share: float
    interval: Interval
    alignment: np.ndarray | None
    disagreement: float | None

    @property
    def log_likelihood(self) -> float:
        """In nats, total."""
        return self.fit.log_likelihood

    @property
    def count(self) -> int:
        """How many starts lead here."""
        return len(self.fits)

    @property
    def replicated(self) -> bool:
        """Whether two different starts lead here, neither made from an answer found before. Seeds
        that gave equal starts share a trace."""
        return len({id(fit.trace) for fit in self.fits if fit.is_independent}) > 1

    @property
    def seeds(self) -> tuple[tuple[Any, Any], ...]:
        """(start, seed) of every run that leads here."""
        return tuple((fit.start, fit.seed) for fit in self.fits)


class Reached(NamedTuple):
    """How many starts led to an optimum, of how many: `independent` ones, and by themselves those
    that were made from answers of others, which agree more easily and so are less evidence."""

    independent: int
    n_independent: int
    made: int = 0
    n_made: int = 0

    @property
    def n_reached(self) -> int:
        """Of both kinds together."""
        return self.independent + self.made

    @property
    def n_starts(self) -> int:
        """How many starts there were of both kinds."""
        return self.n_independent + self.n_made

    @property
    def in_words(self) -> str:
        """ "3 of 10 starts", or how many of each kind where there are two."""
        if not self.n_made:
            return f"{self.independent} of {a_number_of(self.n_independent, 'start')}"
        return (
            f"{self.independent} of {a_number_of(self.n_independent, 'independent start')} and "
            f"{self.made} of {self.n_made} that split and merge the best of the others"
        )


class Landscape(NamedTuple):
    """All runs of one model: each is in one of the four groups.

    optima: best first. collapsed: a component has degenerated; never called an optimum.
    unconverged: stopped too early to tell, or on a plateau.
    ahead: the unconverged ones that stand higher than the best optimum already, by more than
        stopping at the tolerance explains, highest first; all that are finite where there is no
        optimum. EM only climbs: while there is one, the best optimum is not known.
    identification: of the best optimum, None where it was not asked for.
    """

    optima: tuple[Optimum, ...]
    collapsed: tuple[StartedFit, ...]
    unconverged: tuple[StartedFit, ...]
    failures: tuple[Failure, ...]
    ahead: tuple[StartedFit, ...]
    identification: Identification | None = None

    @property
    def is_identified(self) -> bool:
        """False where other parameters than those of the best optimum give the same distribution:
        its runs then end all along a ridge, and are one optimum by their likelihood alone."""
        return self.identification is None or self.identification.identified is not False

    @property
    def fits(self) -> tuple[StartedFit, ...]:
        """All runs but the failed ones."""
        found = [fit for optimum in self.optima for fit in optimum.fits]
        return (*found, *self.collapsed, *self.unconverged)

    @property
    def n_starts(self) -> int:
        """How many starts were made."""
        return len(self.fits) + len(self.failures)

    @property
    def on_plateaus(self) -> tuple[StartedFit, ...]:
        """The unconverged ones that looked converged, until they were gone on with."""
        return tuple(fit for fit in self.unconverged if fit.plateau)

    @property
    def cut_short(self) -> tuple[StartedFit, ...]:
        """The unconverged ones that were still climbing."""
        return tuple(fit for fit in self.unconverged if not fit.plateau)

    @property
    def best(self) -> StartedFit:
        """The best optimum's fit; without one the best unconverged run, else the best collapsed.

        `verdict` says which. Raises ValueError where no run has a finite log-likelihood.
        """
        if self.optima:
            return self.optima[0].fit
        for group in (self.unconverged, self.collapsed):
            finite = [fit for fit in group if np.isfinite(fit.log_likelihood)]
            if finite:
                return max(finite, key=lambda fit: fit.log_likelihood)
        why = f": {self.failures[0].message}" if self.failures else ""
        raise ValueError(f"no start led to a fit{why}")

    @property
    def replicated(self) -> bool:
        """Whether at least two different starts lead to the best optimum."""
        return bool(self.optima) and self.optima[0].replicated

    @property
    def verdict(self) -> str:
        """Plain sentences on how far the best fit can be trusted."""
        return " ".join([self.tally, *self._advice()])

    @property
    def tally(self) -> str:
        """The first of these sentences: how the starts ended."""
        if not self.n_starts:
            return "No start has been run yet."
        starts = a_number_of(self.n_starts, "start")
        reached = self.reached.in_words
        if len(self.collapsed) == self.n_starts:
            return f"All {starts} collapsed: none reached an optimum."
        if self.identification is not None and not self.is_identified:
            said = sentence_case(self.identification.sentence)
            parts = [
                f"{said}. {reached} reached the highest likelihood of these starts, which many "
                "other parameters have as well"
            ]
        elif self.optima:
            others = len(self.optima) - 1
            best = "that is finished" if self.ahead else "of these starts"
            parts = [
                f"{reached} reached the best optimum {best}",
                f"{a_number_of(others, 'other optimum', 'other optima')} "
                f"{'was' if others == 1 else 'were'} found"
                if others
                else "no other optimum was found",
            ]
        else:
            parts = [f"None of {starts} reached an optimum"]
        for number, what in (
            (len(self.collapsed), "collapsed"),
            (len(self.cut_short), "did not converge"),
            (len(self.on_plateaus), "slowed down on a plateau, short of an optimum"),
            (len(self.failures), "failed"),
        ):
            if number:
                parts.append(f"{a_number_of(number, 'start')} {what}")
        return "; ".join(parts) + "."

    @property
    def reached(self) -> Reached:
        """How many starts led to the best optimum: none where there is no optimum."""
        best = self.optima[0].fits if self.optima else ()
        every = (*self.fits, *(failure.fit for failure in self.failures if failure.fit))
        n_made = sum(not fit.is_independent for fit in every)
        made = sum(not fit.is_independent for fit in best)
        return Reached(len(best) - made, self.n_starts - n_made, made, n_made)

    def _advice(self) -> Iterator[str]:
        if not self.optima:
            if not self.unconverged and self.collapsed:
                why = next(flag for flag in self.best.flags if isinstance(flag, Collapse))
                yield f"The highest of them: {why}."
            return
        if not self.is_identified:
            yield "Its parameters mean nothing by themselves; a smaller model says as much."
        elif self.optima[0].count == 1:
            yield "The best was reached only once: try more starts."
        elif not self.replicated and not all(fit.is_independent for fit in self.optima[0].fits):
            yield "Hardly any independent start reached it: try more of them."
        elif not self.replicated:
            yield "All seeds that reached it gave the same start: try another start."
        if self.ahead:
            yield (
                "A start that did not converge is higher already: allow more iterations or a "
                "smaller tolerance."
            )


def landscape(
    model,
    data,
    fits: Sequence[StartedFit],
    failures: Sequence[Failure] = (),
    *,
    tolerance: float = 1e-3,
    look: Callable[[StartedFit], Identification | None] | None = None,
    weights: np.ndarray | None = None,
) -> Landscape:
    """Group runs of one model on one table into distinct optima and those that reached none.

    Two runs lead to one optimum if their log-likelihoods differ by no more than stopping at
    `tolerance` (nats) explains and, components aligned, they disagree on at most 1 % of the rows
    (of at most 2,000, drawn at random; of fewer, at least 500, where there are more than 100 runs).
    Rows count by their weights. Models without labels are compared by log-likelihood alone; so are
    those that are not identified at the best optimum, as `look` tells of its fit: by default
    `look_at`.
    """
    fits = [fit for fit in fits if fit.stop_reason != "failed"]
    clean = [fit for fit in fits if fit.is_optimum]
    most = max(LEAST_ROWS_COMPARED, MOST_ROWS_IN_ALL // max(1, len(clean)))
    most = min(most, MOST_ROWS_COMPARED)
    rows, of_rows = some_rows(data, weights, most, np.random.default_rng(0))
    groups = _groups(model, rows, of_rows, clean, tolerance)
    look = look or partial(look_at, data=data, weights=weights)
    identification = look(groups[0].fits[0]) if groups else None
    if identification is not None and identification.identified is False:
        groups = _groups(model, None, None, clean, tolerance)
    made = [*fits, *(failure.fit for failure in failures if failure.fit)]
    n_made = sum(not fit.is_independent for fit in made)
    n_starts = max(1, len(fits) + len(failures) - n_made)
    unconverged = tuple(fit for fit in fits if not fit.is_optimum and not fit.collapsed)
    return Landscape(
        tuple(_optimum(group, groups[0], n_starts, of_rows) for group in groups),
        tuple(fit for fit in fits if fit.collapsed),
        unconverged,
        tuple(failures),
        _ahead(unconverged, groups[0].fits[0] if groups else None, tolerance),
        identification,
    )


def look_at(fit: Fit, data, weights=None) -> Identification | None:
    """Whether a fit is identified, where its model is of items or counts and it takes no long time
    to see; None elsewhere: other components that cannot be told apart collapse or coincide."""
    if not is_discrete(optional(fit.model, "emission")):
        return None
    return identified(fit, data, weights, most_scores=MOST_SCORES)


def _ahead(
    unconverged: Sequence[StartedFit], best: StartedFit | None, tolerance: float
) -> tuple[StartedFit, ...]:
    """Those that stand higher than the best optimum, highest first."""
    floor = -np.inf
    if best is not None:
        floor = best.log_likelihood + allowed_difference(best.log_likelihood, tolerance)
    higher = [fit for fit in unconverged if floor < fit.log_likelihood < np.inf]
    return tuple(sorted(higher, key=lambda fit: -fit.log_likelihood))


def place(
    found: Landscape,
    model,
    data,
    params,
    log_likelihood: float,
    weights: np.ndarray | None = None,
    *,
    tolerance: float = 1e-3,
) -> int | None:
    """Which of the optima found (0 is the best) these parameters are, by the measure of
    `landscape`; None where they are none of them."""
    rows, of_rows = some_rows(data, weights, MOST_ROWS_COMPARED, np.random.default_rng(0))
    shares = assignment_shares(model, params, rows)
    allowed = allowed_difference(log_likelihood, tolerance)
    for number, optimum in enumerate(found.optima):
        if abs(optimum.log_likelihood - log_likelihood) > allowed:
            continue
        if not found.is_identified:
            return number
        if _same_assignment(assignment_shares(model, optimum.fit.params, rows), shares, of_rows):
            return number
    return None


def allowed_difference(log_likelihood: float, tolerance: float) -> float:
    """By how many nats two runs into one optimum may differ, each stopped at the tolerance."""
    return TOLERANCE_FACTOR * (tolerance + ROUNDING * abs(log_likelihood))


class _Group(NamedTuple):
    """Runs into one optimum, best first, and how the best of them assigns the rows compared."""

    fits: list[StartedFit]
    shares: np.ndarray | None


def _groups(model, rows, weights, fits: Sequence[StartedFit], tolerance: float) -> list[_Group]:
    """Runs that lead to one optimum together; groups and members by falling log-likelihood.

    rows, and their weights: None to compare by log-likelihood alone.
    """
    groups: list[_Group] = []
    for fit in sorted(fits, key=lambda fit: -fit.log_likelihood):
        shares = None if rows is None else assignment_shares(model, fit.params, rows)
        allowed = allowed_difference(fit.log_likelihood, tolerance)
        near = (g for g in groups if g.fits[0].log_likelihood - fit.log_likelihood <= allowed)
        home = next(
            (group for group in near if _same_assignment(group.shares, shares, weights)), None
        )
        if home is None:
            groups.append(_Group([fit], shares))
        else:
            home.fits.append(fit)
    return groups


def _same_assignment(
    reference: np.ndarray | None, shares: np.ndarray | None, weights: np.ndarray | None
) -> bool:
    if reference is None or shares is None:
        return True
    aligned = shares[:, align(reference, shares, weights)]
    return disagreement(reference, aligned, weights) <= SAME_ASSIGNMENT


def _optimum(group: _Group, best: _Group, n_starts: int, weights: np.ndarray | None) -> Optimum:
    fit = group.fits[0]
    alignment = differ = None
    if group.shares is not None and best.shares is not None:
        alignment = align(best.shares, group.shares, weights)
        differ = disagreement(best.shares, group.shares[:, alignment], weights)
    n_here = sum(fit.is_independent for fit in group.fits)
    return Optimum(
        fit, tuple(group.fits), best.fits[0].log_likelihood - fit.log_likelihood,
        n_here / n_starts, wilson(n_here, n_starts), alignment, differ,
    )  # fmt: skip


def sentence_case(words: str) -> str:
    """With a capital letter."""
    return words[:1].upper() + words[1:]


def a_number_of(number: int, one: str, many: str = "") -> str:
    """ "1 start", "2 starts"."""
    return f"{number} {one if number == 1 else many or one + 's'}"
