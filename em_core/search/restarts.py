"""Many seeded starts of one model, run side by side, and what they find."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from em_core.data import WeightsKind
from em_core.fit import (
    Fit,
    counted,
    finished,
    opened_to_all,
    ready,
    starting_params,
    to_start_from,
)
from em_core.half_steps import has_collapsed
from em_core.partitions.partitions import gone_over
from em_core.search.alignment import ordered
from em_core.search.batching.advance import Advance
from em_core.search.batching.packed import PackedTrace, climbed
from em_core.search.batching.stepping import strategy
from em_core.search.identified import Identification
from em_core.search.optima import (
    TOLERANCE_FACTOR,
    Failure,
    Landscape,
    Optimum,
    StartedFit,
    landscape,
    look_at,
)
from em_core.search.plan import MOST_PARENTS, OF_BEST, SPLIT_AND_MERGE, plan
from em_core.search.runs import SeededStart, StartedRun, fingerprint, taken_up
from em_core.search.split_and_merge import Neighbourhood
from em_core.search.success import SuccessRate, success_rate

# To see whether an optimum is one, its best run goes on until so much less is left to gain.
CONFIRMED = 1e-3


class Sweep(NamedTuple):
    """Progress: one iteration of every run that was still going, or of some of them.

    iteration: 0 while starts are still being made. n_started: starts made so far. n_running: runs
    still going. log_likelihoods (R,): the latest of each start, in nats; NaN before its first.
    confirming: the runs have ended; now one of each optimum goes on, to see that it is one.
    """

    iteration: int
    n_started: int
    n_running: int
    log_likelihoods: np.ndarray
    confirming: bool


class _Parent(NamedTuple):
    """A start, and the starts beside the answer that it led to."""

    start: SeededStart
    beside: Neighbourhood


class Trace(NamedTuple):
    """One start so far: its log-likelihoods in nats, one for each iteration from 0; and why it has
    ended, None while it goes on."""

    start: str
    seed: Any
    log_likelihoods: np.ndarray
    stop_reason: str | None


class _Results(NamedTuple):
    after: Sweep | None
    fits: tuple[StartedFit, ...]
    landscape: Landscape


class Restarts:
    """Runs of one model from many starts. Iterate for progress; ask for results at any time.

    Each item is a `Sweep`. Asked before the first of them, the results run everything to the end.
    Asked later they say how far it came: what has ended is as it will stay, what has not is
    marked "stopped". Iterating on goes on.
    """

    def __init__(
        self,
        model,
        data,
        starts: list[SeededStart],
        stepping,
        tolerance: float,
        confirm: bool,
        number_components: bool,
        weights_kind: WeightsKind,
        options,
    ):
        self.model = model
        self._data = data
        # Starts are made, and optima told apart, by rows that are at hand.
        self._rows, self._row_weights = to_start_from(data, options["weights"])
        self._starts = starts
        self._stepping = stepping
        self._tolerance = tolerance
        self._number_components = number_components
        self._weights_kind: WeightsKind = weights_kind
        self._options = options
        self._weights = options["weights"]
        self._sweeps = self._sweep(confirm)
        self._latest: Sweep | None = None
        self._told: _Results | None = None
        self._looked: dict[int, tuple[Any, Identification | None]] = {}
        self._besides: dict[int, tuple[Any, Neighbourhood]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """For another process: what there is to tell, without the data and without going on."""
        fits = iter(self._results().fits)
        starts = []
        for start in self._starts:
            run = start.run
            if run is not None:
                trace = next(fits).trace if run.trace else ()
                run = StartedRun(None, trace, run.stop_reason, run.failure, run.seconds)
            starts.append(replace(start, run=run))
        means = (
            "_data",
            "_rows",
            "_weights",
            "_row_weights",
            "_stepping",
            "_options",
            "_sweeps",
            "_looked",
            "_besides",
        )
        return self.__dict__ | dict.fromkeys(means) | {"_starts": starts}

    def __iter__(self) -> Restarts:
        return self

    def __next__(self) -> Sweep:
        self._latest = next(self._sweeps)
        return self._latest

    def _sweep(self, confirm: bool) -> Iterator[Sweep]:
        made: dict[bytes, StartedRun] = {}
        for number in sorted({start.round for start in self._starts}):
            some = [start for start in self._starts if start.round == number]
            parents = self._parents() if number and any(s.run is None for s in some) else ()
            for place, start in enumerate(some):
                if start.run is None:
                    # Where nothing is left beside one answer, there is beside the next best.
                    of = parents if place < OF_BEST else [*parents[1:], *parents[:1]]
                    self._make(start, made, of)
                    yield self._progress(0, made.values())
            yield from self._climb(some)
        if confirm and (optima := self._tell().landscape.optima):
            yield from self._confirm(optima, self._runs(self._starts))

    def _runs(self, starts: Iterable[SeededStart]) -> list[StartedRun]:
        """Those of some starts, each once."""
        return list({id(start.run): start.run for start in starts if start.run}.values())

    def _climb(self, starts: list[SeededStart]) -> Iterator[Sweep]:
        """Step what has not ended to its end; on a plateau, until less is left to gain."""
        runs = self._runs(starts)
        for on_plateau, factor in ((False, 1), (True, CONFIRMED)):
            some = [r for r in runs if r.stop_reason is None and r.plateau is on_plateau]
            if some:
                yield from self._step(some, factor * self._tolerance)
            for run in some:
                run.plateau = False

    def _parents(self) -> list[_Parent]:
        """The starts that led to the best answers so far, best first, and what is beside these;
        without those that rest on a few rows, if there are others."""
        fits = {id(s.run): (s, s.run.fit) for s in self._starts if s.run and s.run.fit}
        ended = [
            (start, fit)
            for start, fit in fits.values()
            if fit.stop_reason == "converged" and not has_collapsed(fit.flags)
        ]
        ended.sort(key=lambda each: -each[1].log_likelihood)
        found: list[_Parent] = []
        gap, last = TOLERANCE_FACTOR * self._tolerance, np.inf
        for start, fit in ended:
            if last - fit.log_likelihood > gap:
                found.append(_Parent(start, self._beside(fit)))
                last = fit.log_likelihood
        sound = (each for each in found if each.beside.rests_on_enough)
        return [*islice(sound, MOST_PARENTS)] or found[:MOST_PARENTS]

    def _beside(self, fit: Fit) -> Neighbourhood:
        if id(fit.trace) not in self._besides:
            asked = self.model, self._rows, fit.params, self._row_weights
            # With its trace, so that no other one gets its place.
            self._besides[id(fit.trace)] = fit.trace, Neighbourhood(*asked)
        return self._besides[id(fit.trace)][1]

    def _make(
        self,
        start: SeededStart,
        runs: dict[bytes, StartedRun],
        parents: Sequence[tuple[SeededStart, Neighbourhood]],
    ) -> None:
        """Draw the starting parameters; `runs` are those from earlier, different starts.

        parents: a start of a later round is made from what the first of them led to, or the next
        where nothing is left to try beside it. Where there is none, it starts as usual.
        """
        began = time.perf_counter()
        rng = np.random.default_rng(start.seed)
        params = None
        try:
            for parent, beside in parents:
                if (params := beside.next(rng)) is not None:
                    start.parent = parent.name, parent.seed
                    break
            if params is None:
                if start.name == SPLIT_AND_MERGE:
                    start.name, start.parent = next(iter(self.model.starts)), None
                asked = self.model, self._rows, start.name, rng, self._row_weights
                params = starting_params(*asked)
            params = opened_to_all(self.model, params, self._data)
        except (ValueError, np.linalg.LinAlgError) as error:
            start.run = StartedRun(None, stop_reason="failed", failure=str(error))
        else:
            start.run = runs.setdefault(fingerprint(params), StartedRun(params))
        start.seconds = time.perf_counter() - began

    def _step(
        self, runs: list[StartedRun], tolerance: float, confirming: bool = False
    ) -> Iterator[Sweep]:
        """Step the runs to their ends."""
        began = time.perf_counter()
        starts = [run.params for run in runs]
        sweeps = self._stepping(
            self.model, self._data, starts, tolerance=tolerance, **self._options
        )
        n_advances = [0] * len(runs)
        for advances in sweeps:
            for advance in advances:
                n_advances[advance.run] += 1
                run = runs[advance.run]
                run.follow(advance.half_steps)
                run.stop_reason, run.failure = advance.stop_reason, advance.failure
                if run.stop_reason and run.trace:
                    run.fit = self._fit(run)
                    run.trace = run.fit.trace
            # A sweep is one iteration of each run in it: its time is shared out equally.
            ended = time.perf_counter()
            for advance in advances:
                runs[advance.run].seconds += (ended - began) / len(advances)
            iteration = max(n_advances[advance.run] for advance in advances) - 1
            yield self._progress(iteration, runs, confirming)
            began = time.perf_counter()

    def _fit(self, run: StartedRun) -> Fit:
        reason = run.stop_reason or "stopped"
        weights = self._weights, self._weights_kind
        fit = finished(self.model, run.trace, reason, self._data, *weights)
        fit = replace(fit, trace=PackedTrace(run.trace))
        return ordered(fit) if self._number_components else fit

    def _confirm(self, optima: tuple[Optimum, ...], runs: list[StartedRun]) -> Iterator[Sweep]:
        """Go on from the best run of each optimum; where that gains more than the tolerance
        allows, EM had only slowed down on a plateau, and with it all runs that ended there."""
        further = [StartedRun(optimum.fit.params) for optimum in optima]
        yield from self._step(further, CONFIRMED * self._tolerance, confirming=True)
        plateaus = set()
        for optimum, run in zip(optima, further, strict=True):
            gain = run.trace[-1].log_likelihood - optimum.log_likelihood
            if gain > TOLERANCE_FACTOR * self._tolerance:
                plateaus |= {id(fit.trace) for fit in optimum.fits}
        for run in runs:
            run.plateau = id(run.trace) in plateaus
        yield self._progress(0, further, confirming=True)

    def _progress(
        self, iteration: int, runs: Iterable[StartedRun], confirming: bool = False
    ) -> Sweep:
        made = [start.run for start in self._starts if start.run]
        log_likelihoods = np.full(len(self._starts), np.nan)
        for place, run in enumerate(made):
            log_likelihoods[place] = run.log_likelihood
        n_running = sum(run.stop_reason is None for run in runs)
        return Sweep(iteration, len(made), n_running, log_likelihoods, confirming)

    def _results(self) -> _Results:
        """What there is to say after the latest sweep."""
        if self._latest is None:
            for _ in self:
                pass
        if self._told is None or self._told.after is not self._latest:
            self._told = self._tell()
        return self._told

    def _tell(self) -> _Results:
        made = [(start, start.run) for start in self._starts if start.run is not None]
        plain = {id(run): run.fit or self._fit(run) for _, run in made if run.trace}
        fits: list[StartedFit] = []
        failures: list[Failure] = []
        for start, run in made:
            fit = None
            if (ended := plain.get(id(run))) is not None:
                known = {field.name: getattr(ended, field.name) for field in fields(ended)}
                fit = StartedFit(
                    **known, seed=start.seed, start=start.name, parent=start.parent,
                    seconds=start.seconds + run.seconds, plateau=run.plateau,
                )  # fmt: skip
                fits.append(fit)
            if run.stop_reason == "failed":
                failures.append(Failure(start.seed, start.name, run.failure, fit))
        found = landscape(
            self.model, self._rows, fits, failures, tolerance=self._tolerance, look=self._look,
            weights=self._row_weights,
        )  # fmt: skip
        return _Results(self._latest, tuple(fits), found)

    def _look(self, fit: StartedFit) -> Identification | None:
        """Whether a fit is identified, looked at once for each."""
        place = id(fit.trace)
        if place not in self._looked:
            # With its trace, so that no other one gets its place.
            self._looked[place] = fit.trace, look_at(fit, self._rows, self._row_weights)
        return self._looked[place][1]

    @property
    def ends(self) -> tuple[SeededStart, ...]:
        """Where every start has come to, without the way there: what `go_on` takes up."""
        brief = {}
        for start in self._starts:
            if (run := start.run) is not None and id(run) not in brief:
                fit, trace = None, tuple(run.trace[-1:])
                if trace:
                    fit = replace(run.fit or self._fit(run), trace=trace)
                brief[id(run)] = replace(run, params=None, trace=trace, fit=fit)
        return tuple(
            replace(start, run=None if start.run is None else brief[id(start.run)])
            for start in self._starts
        )

    @property
    def traces(self) -> tuple[Trace, ...]:
        """Every start made so far, as far as it is; also while another thread goes on."""
        return tuple(
            Trace(start.name, start.seed, climbed(run.trace), run.stop_reason)
            for start in self._starts
            if (run := start.run)
        )

    @property
    def landscape(self) -> Landscape:
        """All runs in groups: optima, collapsed, unconverged, failed."""
        return self._results().landscape

    @property
    def fits(self) -> tuple[StartedFit, ...]:
        """Every run that made a step, in the order of the starts, with its whole trace."""
        return self._results().fits

    @property
    def best(self) -> StartedFit:
        """The best optimum's fit; what stands in for it where there is none, `verdict` says."""
        return self.landscape.best

    @property
    def optima(self) -> tuple[Optimum, ...]:
        """The distinct optima, best first."""
        return self.landscape.optima

    @property
    def verdict(self) -> str:
        """Plain sentences on how far the best fit can be trusted."""
        return self.landscape.verdict

    @property
    def replicated(self) -> bool:
        """Whether at least two different starts lead to the best optimum."""
        return self.landscape.replicated

    @property
    def success_rates(self) -> tuple[SuccessRate, ...]:
        """How often each start reached the best optimum of all, in the order they were given.

        Without those of which no seed has come anywhere yet.
        """
        found = self.landscape
        tried = {run.start for run in (*found.fits, *found.failures)}
        names = dict.fromkeys(start.name for start in self._starts if start.name in tried)
        return tuple(success_rate(found, name) for name in names)


def restarts(
    model,
    data,
    seeds: Iterable = range(50),
    start: str | Iterable[str] | None = None,
    *,
    tolerance: float = 1e-3,
    max_iterations: int = 1000,
    weights=None,
    weights_kind: WeightsKind = "frequencies",
    confirm: bool = True,
    number_components: bool = False,
    stepping: Callable[..., Iterator[list[Advance]]] | None = None,
    map: Callable[..., Iterable] = map,
) -> Restarts:
    """Run EM from many starts: every seed of every named start. Nothing runs until asked.

    start: a name or several; by default the seeds are dealt out as `plan` says: to several kinds
        of start, and to splits and merges of the best that these have led to.
    tolerance, max_iterations: those of `em`. weights, weights_kind: those of `fit`.
    confirm: whether, in the end, one run of each optimum goes on to a thousandth of the tolerance;
        it leaves the fits as they are, but those on a plateau are no longer called optima.
    number_components: whether the components of every fit are numbered by `ordered`, so that one
        optimum has the same numbers whichever start led there; else as the start has them.
    stepping: what steps all runs by one iteration at a time; by default that of `strategy`.
    map: who goes over data that are `Partitions`. All starts share each pass over them; what is
        told of optima beside their fits is told of the sample.
    A start that raises ValueError or LinAlgError is kept as failed, with its sentence. Raises
    ValueError for data or weights that the model cannot use, and without a seed or a start.
    """
    model, data = ready(model, gone_over(data, map))
    data, weights = counted(model, data, weights, weights_kind)
    seeds = list(seeds)
    if start is None:
        starts = plan(model, seeds)
    else:
        names = [start] if isinstance(start, str) else list(start)
        starts = [SeededStart(seed, name) for name in names for seed in seeds]
    if not starts:
        raise ValueError("give at least one seed and one start")
    options = {"weights": weights, "max_iterations": max_iterations}
    stepping = stepping or strategy(model)
    return Restarts(
        model, data, starts, stepping, tolerance, confirm, number_components, weights_kind, options
    )


def go_on(
    model,
    data,
    ends: Sequence[Any],
    *,
    tolerance: float = 1e-3,
    max_iterations: int = 1000,
    weights=None,
    weights_kind: WeightsKind = "frequencies",
    confirm: bool = True,
    number_components: bool = False,
    stepping: Callable[..., Iterator[list[Advance]]] | None = None,
    map: Callable[..., Iterable] = map,
) -> Restarts:
    """Many starts taken up where they came to: those that reached no end climb on from there.

    ends: the `Restarts.ends` of the same model on the same data. What converged, collapsed or
        failed stays as it is. A run on a plateau goes on to a thousandth of the tolerance.
    max_iterations: how many further ones. The other arguments are those of `restarts`; traces
    begin with the last half-step of `ends`, and go on counting.
    """
    model, data = ready(model, gone_over(data, map))
    data, weights = counted(model, data, weights, weights_kind)
    runs = {id(start.run): taken_up(start.run) for start in ends if start.run is not None}
    starts = [replace(s, run=None if s.run is None else runs[id(s.run)]) for s in ends]
    options = {"weights": weights, "max_iterations": max_iterations}
    stepping = stepping or strategy(model)
    return Restarts(
        model, data, starts, stepping, tolerance, confirm, number_components, weights_kind, options
    )
